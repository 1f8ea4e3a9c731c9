"""Questions that name a policy and ask for one thing of it, or for all: 高龄津贴要什么材料, 介绍一下高龄津贴.

They are answered with lines of its card, which tell who, on what conditions, how much, with what papers, until when and
where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from core.records import Answer, Article, Citation, Document, Hit, Sentence, Status
from kb.curation.card_rows import CardLine
from kb.curation.cards import NAMES
from qa.compose import cited, marked
from qa.evidence import Terms
from qa.list_files import compiled, rows

_WHOLE = re.compile(
    r"(?:请|给我)?(?:介绍|讲讲|说说|讲一下|说一下|了解)(?:一下|下)?|是(?:什么|啥)(?:政策|补贴|补助|待遇)$|(?:是)?怎么(?:回事|规定的?)$"
    r"|有(?:什么|啥)(?:政策|规定)$|的?政策(?:内容|详情)?(?:是(?:什么|啥))?$|的?(?:详细|全部|完整)(?:情况|内容|政策|规定)$"
)
_BEFORE = re.compile(
    r"^(?:请问|你好|您好|我想问|想问|问一下|请|想|现在|目前|今年|咱们?|我们?|本市|申请|办理|领取|办|领|[，,。.\s])+"
)
_BEHIND = re.compile(r"(?:的|是|要|了|呢|吗|啊|呀|需|[，,。.\s])+$")
_TOPIC_CHARS = 14            # a longer one is a story, in which a policy is one thing of several
_OF_TITLE = 0.8              # of what the question speaks of: so much must stand in the document's title
_PHONE = "咨询电话"
_LIST = "card_parts.tsv"
_DOCUMENTS = 3               # looked at: the one whose card tells most is shown
_LEAST = 2                   # names of lines: fewer are no card
_MOST = 2                    # lines of one name
_SUM = re.compile(r"[\d一二三四五六七八九十百千万]+(?:\.\d+)?(?:万|亿)?[元%％]|百分之|免费|免收|不收|倍|全额|减半")


@dataclass(frozen=True, slots=True)
class CardAsked:
    """What of which policy."""

    topic: str                   # as the question names it
    names: tuple[str, ...]       # of lines; empty: the whole card


def card_asked(question: str) -> CardAsked | None:
    """
    >>> card_asked("介绍一下高龄津贴政策")
    CardAsked(topic='高龄津贴', names=())
    >>> card_asked("请问高龄津贴需要什么材料？")
    CardAsked(topic='高龄津贴', names=('材料',))
    >>> card_asked("我爸去年在老家摔断了腿，药费能报多少") is None
    True
    """
    asked = question.strip("？?。！! ")
    for names, pattern in _parts():
        if match := pattern.search(asked):
            return _asked(asked[: match.start()] + asked[match.end() :], names)
    return _asked(_WHOLE.sub("", asked), ()) if _WHOLE.search(asked) else None


@cache
def _parts() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    return tuple((tuple(names.split(" ")), compiled(asked, _LIST)) for names, asked in rows(_LIST, 2))


def _asked(rest: str, names: tuple[str, ...]) -> CardAsked | None:
    topic = _BEHIND.sub("", _BEFORE.sub("", rest)).replace("的", "")
    if not 2 <= len(topic) <= _TOPIC_CHARS or re.search(r"[，,；;。、]", topic):
        return None
    return CardAsked(topic, names)


Speaks = Callable[[str], float]      # how much of the topic a text speaks of, 0 to 1


def speaks_of(topic: str, terms: Terms) -> Speaks:
    """By its words, which official terms may stand for, or as one word that a text says at greater length."""
    one = Terms(((topic, 1.0),))
    return lambda text: max(one.coverage(text), terms.coverage(text))


def carded_hits(hits: Sequence[Hit], speaks: Speaks) -> list[Hit]:
    """One hit of each of the first documents whose titles hold what is asked about."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if speaks(hit.document.facts.title) >= _OF_TITLE:
            first.setdefault(hit.document.id, hit)
    return list(first.values())[:_DOCUMENTS]


def card_answer(
    document: Document, hit: Hit, lines: Sequence[CardLine], asked: CardAsked, speaks: Speaks, *, day: date, label: str
) -> Answer | None:
    """The lines that were asked for, or of each name the one that speaks most of the matter; None where the card does
    not tell it."""
    if asked.names == (_PHONE,):
        return None              # it stands in the document's facts, seldom in its text
    told: dict[tuple[int, int], tuple[CardLine, list[str]]] = {}    # a line may tell several things
    for name in asked.names or NAMES:
        for line in _best(lines, name, speaks, most=_MOST if asked.names else 1):
            told.setdefault((line.start or 0, line.end or 0), (line, []))[1].append(name)
    known = {name for _, names in told.values() for name in names}
    if (asked.names and asked.names[0] not in known) or (not asked.names and len(known) < _LEAST):
        return None
    citations = tuple(_citation(n, line, document, hit, day) for n, (line, _) in enumerate(told.values(), start=1))
    sentences = tuple(
        Sentence(one.quote, (one.n,), "、".join(names))
        for one, (_, names) in zip(citations, told.values(), strict=True)
    )
    phones = tuple(f"{_PHONE}：{line.value.removeprefix(f'{_PHONE}：')}" for line in lines if line.name == _PHONE)
    return Answer(
        Status.ANSWERED, "\n".join(map(marked, sentences)), "extract",
        sentences=sentences, citations=citations, notices=phones, ai_label=label,
    )


def _best(lines: Sequence[CardLine], name: str, speaks: Speaks, *, most: int) -> list[CardLine]:
    """Lines that speak of the matter, most first; the only line of its name need not. An editor's own words stand
    nowhere in the document and cannot be quoted."""
    own = [line for line in lines if line.name == name and line.start is not None and line.method == "rule"]
    if name == "标准":
        own = [line for line in own if _SUM.search(line.value)]
    spoken = [line for line in own if speaks(line.value) > 0]
    if not spoken:
        return own if len(own) == 1 else []
    best = max(speaks(line.value) for line in spoken)
    return [line for line in spoken if speaks(line.value) >= 0.8 * best][:most]


def _citation(n: int, line: CardLine, document: Document, hit: Hit, day: date) -> Citation:
    start, end = line.start or 0, line.end or 0
    article = _article(document.articles, start)
    ref = article.ref if article else hit.ref
    return cited(n, hit.document, document.text[start:end], start, address=line.address, ref=ref, day=day)


def _article(articles: Sequence[Article], place: int) -> Article | None:
    return next((article for article in articles if article.start <= place < article.end), None)
