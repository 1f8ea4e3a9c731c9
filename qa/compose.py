"""Quotes -> the citations and the words of an answer."""

from __future__ import annotations

from datetime import date

from core.records import Citation, Hit
from qa.select import Quote
from qa.sentences import Passage, passages
from qa.verify import check_cited

_CLOSING = "。！？；"        # belongs to the words before it


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


def said_of(quote: Quote, citation: Citation) -> tuple[str, ...]:
    """What is shown of a quote: the words that answer, or as much more of their sentences as it takes for the quote to
    carry them: alone they may lack a condition, an exception or the end of the rule."""
    text = quote.hit.text
    said = [_carried(text, part, quote.passage, citation) for part in quote.said or (quote.passage,)]
    return tuple(dict.fromkeys(said))


def _carried(text: str, part: Passage, cited: Passage, citation: Citation) -> str:
    touched = [one for one in passages(text) if one.start < part.end and part.start < one.end]
    first = max(min([part.start, *(one.start for one in touched)]), cited.start)
    last = min(max([part.end, *(one.end for one in touched)]), cited.end)
    end = min(part.end + (text[part.end : part.end + 1] in _CLOSING), last)
    tried = (text[part.start : end], text[part.start : last], text[first:end])
    return next((words for words in tried if check_cited(words, [citation]).carried), text[first:last])
