"""Quotes -> the citations and the words of an answer."""

from __future__ import annotations

from datetime import date

from core.records import Citation, Hit
from qa.select import Quote


def source_of(hit: Hit) -> str:
    facts = hit.document.facts
    number = f"（{facts.doc_no}）" if facts.doc_no else ""
    return f"《{facts.title}》{number}{hit.address}"


def citation_of(n: int, quote: Quote, day: date) -> Citation:
    hit, passage = quote.hit, quote.passage
    facts = hit.document.facts
    return Citation(
        n,
        hit.document.id,
        facts.doc_no,
        facts.title,
        hit.address,
        hit.ref,
        hit.text[passage.start : passage.end],
        hit.start + passage.start,
        hit.start + passage.end,
        None,
        None,
        hit.document.in_force(day),
        facts.url,
    )
