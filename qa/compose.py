"""Quotes -> the citations and the words of an answer."""

from __future__ import annotations

import re
from datetime import date

from core.records import Citation, Hit
from qa.select import Quote
from qa.sentences import Passage, passages
from qa.verify import check_cited

# Of a longer sentence the clauses that answer are shown. The words alone that a model would choose are nearer to what
# people give as answers (ROUGE-L 0.407 against 0.385; whole sentences 0.347), but begin and end amid a rule.
_SHORT = 60               # characters
_CLAUSE = re.compile(r"[，；;。！？\n]|(?<!\d)[,：:]|[,：:](?!\d)")


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
    """What is shown of a quote: the sentences that hold the words which answer; of a long one the clauses, as far as
    the quote carries them alone."""
    text = quote.hit.text
    parts = quote.said or (quote.passage,)
    return tuple(dict.fromkeys(_sentence(text, part, quote.passage, citation) for part in parts))


def _sentence(text: str, part: Passage, cited: Passage, citation: Citation) -> str:
    touched = [one for one in passages(text) if one.start < part.end and part.start < one.end]
    start = max(min([part.start, *(one.start for one in touched)]), cited.start)
    end = min(max([part.end, *(one.end for one in touched)]), cited.end)
    whole = text[start:end].strip()
    if len(whole) <= _SHORT:
        return whole
    cuts = [start, *(cut.end() for cut in _CLAUSE.finditer(text, start, end)), end]
    first = max(cut for cut in cuts if cut <= part.start)
    last = min(cut for cut in cuts if cut >= part.end)
    words = text[first:last].strip()
    return words if check_cited(words, [citation]).carried else whole
