"""Questions for a whole policy (介绍一下高龄津贴): answered with its card, a line for each thing one has to know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from core.records import Answer, Article, Citation, Document, Hit, Sentence, Status
from kb.curation.card_rows import CardLine
from kb.curation.cards import NAMES
from qa.evidence import Terms

_WHOLE = re.compile(
    r"介绍|了解一?下|讲讲|说说|讲一下|说一下|是什么(?:政策|补贴|补助|待遇)?[？?]?$|是啥(?:政策|补贴)?[？?]?$|怎么回事|怎么规定"
    r"|有什么(?:政策|规定)|政策(?:内容|详情)?[？?]?$|(?:详细|全部|完整)(?:情况|内容|政策|规定)"
)
_PART = re.compile(
    r"多少|多久|几[天日个岁]|什么时候|何时|材料|条件|电话|哪里|在哪|怎么(?:办|申)|如何(?:办|申)"
    r"|罚|能不能|可以吗"
)
_OF_TITLE = 0.8              # of what the question speaks of: so much must stand in the document's title
_PHONE = "咨询电话"
_DOCUMENTS = 3               # looked at: the one whose card tells most is shown
_LEAST = 2                   # names of lines: fewer are no card


def asks_for_policy(question: str) -> bool:
    """
    >>> asks_for_policy("介绍一下高龄津贴政策"), asks_for_policy("高龄津贴政策的申请条件是什么")
    (True, False)
    """
    return bool(_WHOLE.search(question)) and not _PART.search(question)


def spoken_of(question: str) -> str:
    """
    >>> spoken_of("介绍一下高龄津贴政策")
    '高龄津贴'
    """
    return re.sub(r"一下|政策|规定|补贴的?$|请|给我|具体|[，。？?！!\s]", "", _WHOLE.sub("", question))


def carded_hits(hits: Sequence[Hit], terms: Terms) -> list[Hit]:
    """One hit of each of the first documents whose titles hold what is asked about."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if terms.coverage(hit.document.facts.title) >= _OF_TITLE:
            first.setdefault(hit.document.id, hit)
    return list(first.values())[:_DOCUMENTS]


def card_answer(
    document: Document, hit: Hit, lines: Sequence[CardLine], terms: Terms, *, day: date, label: str
) -> Answer | None:
    """Of each name the line that speaks most of what was asked; None where too little is known."""
    told: dict[tuple[int | None, int | None], list[str]] = {}       # names of each line, which may tell several things
    lines_of = {}
    for name in NAMES:
        if name != _PHONE and (best := _best(lines, name, terms)):
            told.setdefault((best.start, best.end), []).append(name)
            lines_of[best.start, best.end] = best
    if sum(map(len, told.values())) < _LEAST:
        return None
    citations = tuple(_citation(n, lines_of[span], document, hit, day) for n, span in enumerate(told, start=1))
    sentences = tuple(
        Sentence(one.quote, (one.n,), "、".join(names)) for one, names in zip(citations, told.values(), strict=True)
    )
    phones = tuple(f"{_PHONE}：{line.value}" for line in lines if line.name == _PHONE)
    return Answer(
        Status.ANSWERED, "\n".join(f"{one.label}：{one.text}[{one.citations[0]}]" for one in sentences), "extract",
        sentences=sentences, citations=citations, notices=phones, ai_label=label,
    )


def _best(lines: Sequence[CardLine], name: str, terms: Terms) -> CardLine | None:
    """An editor's own words stand nowhere in the document and cannot be quoted."""
    own = [line for line in lines if line.name == name and line.start is not None and line.method == "rule"]
    best = max(own, key=lambda line: terms.coverage(line.value), default=None)
    return best if best is not None and terms.coverage(best.value) > 0 else None


def _citation(n: int, line: CardLine, document: Document, hit: Hit, day: date) -> Citation:
    facts, start, end = document.facts, line.start or 0, line.end or 0
    article = _article(document.articles, start)
    return Citation(
        n, document.id, facts.doc_no, facts.title, line.address, article.ref if article else hit.ref,
        document.text[start:end], start, end, None, None, hit.document.in_force(day), facts.url,
    )


def _article(articles: Sequence[Article], place: int) -> Article | None:
    return next((article for article in articles if article.start <= place < article.end), None)
