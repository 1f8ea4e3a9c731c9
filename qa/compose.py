"""Quotes -> the citations and the words of an answer."""

from __future__ import annotations

import re
from datetime import date

from core.records import Citation, Hit, Sentence, StoredDocument
from qa.select import Quote
from qa.select_units import ITEM
from qa.sentences import Passage, passages
from qa.verify import check_cited

NEAREST = "下列条文最为接近，但不一定回答这个问题，请自行判断。"      # behind a refusal that shows them
# Of a longer sentence the clauses that answer are shown. The words alone that a model would choose are nearer to what
# people give as answers (ROUGE-L 0.407 against 0.385; whole sentences 0.347), but begin and end amid a rule.
_SHORT = 60               # characters
_OPEN = re.compile(r"(?:的|时|后|前|内|之一|如下)[，,：:]$")       # more has to come
_LEANS = re.compile(r"但|除|前[款项]|上述|其[中他]|同时|并")       # as an item does on what announces its list
_STOP = re.compile("[；;。！？]|\\n+")
_CLAUSE = re.compile(r"[，；;。！？\n]|(?<!\d)[,：:]|[,：:](?!\d)")


def source_of(hit: Hit) -> str:
    facts = hit.document.facts
    number = f"（{facts.doc_no}）" if facts.doc_no else ""
    return f"《{facts.title}》{number}{hit.address}"


def cited(
    n: int, document: StoredDocument, quote: str, start: int, *, address: str, ref: str, day: date
) -> Citation:
    """``quote`` stands at ``start`` of the document's text; where that is on paper is not known here."""
    facts = document.facts
    return Citation(
        n, document.id, facts.doc_no, facts.title, address, ref, quote, start, start + len(quote), None, None,
        document.in_force(day), facts.url,
    )


def citation_of(n: int, quote: Quote, day: date) -> Citation:
    hit, passage = quote.hit, quote.passage
    words, start = hit.text[passage.start : passage.end], hit.start + passage.start
    return cited(n, hit.document, words, start, address=hit.address, ref=hit.ref, day=day)


def marked(sentence: Sentence) -> str:
    """A sentence as an answer's text has it, with its label and the marks of what it cites."""
    label = f"{sentence.label}：" if sentence.label else ""
    return label + sentence.text + "".join(f"[{n}]" for n in sentence.citations)


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
    if ITEM.match(text, start):
        start = max(_lead(text, start), cited.start)
    if not check_cited(text[start:end], [citation]).carried:       # an exception follows, say
        end = min([cited.end, *(one.end for one in passages(text) if one.start >= end)])
        if not check_cited(text[start:end], [citation]).carried:
            return citation.quote
    whole = text[start:end].strip()
    if len(whole) <= _SHORT:
        return whole
    leans = ITEM.match(text, part.start) or _LEANS.match(text, part.start)
    first = start if leans else max([start, *(cut.end() for cut in _CLAUSE.finditer(text, start, part.start))])
    last = min([end, *(cut.end() for cut in _CLAUSE.finditer(text, part.end - 1, end))])
    if _OPEN.search(text, first, last):
        last = min([end, *(cut.end() for cut in _STOP.finditer(text, last, end))])
    words = text[first:last].strip().rstrip("，,")
    return words if check_cited(words, [citation]).carried else whole


def _lead(text: str, start: int) -> int:
    """Where the list begins whose item stands at ``start``, with what announces it."""
    while start and ITEM.match(text, start):
        start = text.rfind("\n", 0, start - 1) + 1
    return start
