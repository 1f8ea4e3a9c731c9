"""Which articles answer a question, and which passages of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.config import AnswerConfig
from core.records import Hit
from qa.evidence import Terms
from qa.sentences import Passage, passages

_NEAR_COVERAGE = 0.8   # of the best article's: a further one speaks of the same matter, not of half of it
_REPLY_CHARS = 300     # a FAQ reply up to this long is quoted whole

_NUMBER = "[\\d一二三四五六七八九十百千零〇两半.]+"
_WANTED = (        # what a question asks for -> what a passage that answers it holds
    (
        re.compile(r"钱|费|价|标准|金额|补贴|补助|津贴|救助金|保险金|罚|比例|百分之"),
        re.compile(rf"{_NUMBER}(?:万|亿|美)?[元角]|百分之{_NUMBER}|{_NUMBER}[%％倍]|免费|不收"),
    ),
    (
        re.compile(r"多久|什么时候|啥时候|何时|几[天日个点]|时限|期限|多长|哪天|到期"),
        re.compile(rf"{_NUMBER}个?(?:工作日|日|天|月|年|小时|分钟|周|时)"),
    ),
    (re.compile(r"多大|岁|年龄"), re.compile(rf"{_NUMBER}周?岁")),
    (re.compile(r"几[只条口人套辆张次]|多少[只条口人套辆张次]"), re.compile(rf"{_NUMBER}[只条口人套辆张次名份]")),
    (re.compile(r"电话|联系|找谁|打给"), re.compile(r"\d{3,4}-?\d{7,8}|12345|电话")),
    (re.compile(r"材料|证件|带什么|手续"), re.compile(r"身份证|证明|材料|申请表|户口")),
    (re.compile(r"哪里|哪儿|去哪|什么地方|窗口"), re.compile(r"窗口|中心|局|街道|平台|大厅|部门")),
    (re.compile(r"罚|处罚|违规"), re.compile(r"罚款|处以|责令|处\S{1,12}元")),
)


@dataclass(frozen=True, slots=True)
class _Judged:
    hit: Hit
    coverage: float
    wanted: float

    @property
    def value(self) -> float:
        return self.hit.score * self.coverage * (self.coverage + self.wanted)


@dataclass(frozen=True, slots=True)
class Quote:
    hit: Hit
    passage: Passage
    score: float


def choose(question: str, hits: Sequence[Hit], terms: Terms, config: AnswerConfig) -> list[Hit]:
    """The articles worth quoting, best first; none when the best holds too little of the question."""
    judged = [_Judged(hit, terms.coverage(whole(hit)), _wanted(question, hit.text)) for hit in hits]
    ranked = sorted(judged, key=lambda item: -item.value)
    if not ranked or ranked[0].coverage < config.min_coverage:
        return []
    best, share = ranked[0], config.near_score
    enough = [item for item in ranked if item.coverage >= config.min_coverage]
    near = [j for j in enough if j.value >= share * best.value and j.coverage >= _NEAR_COVERAGE * best.coverage]
    shown = _district_first(near[: config.articles], enough)
    return [item.hit for item in shown[: config.articles]]


def quotes_of(question: str, chosen: Sequence[Hit], terms: Terms, config: AnswerConfig) -> list[Quote]:
    """The best passage of each article, then further ones that come near it; in order of article and place."""
    quotes: list[Quote] = []
    for hit in chosen:
        scored = [Quote(hit, p, _passage_score(question, hit, p, terms)) for p in _answering(hit)]
        best = max((quote.score for quote in scored), default=0.0)
        near = sorted((q for q in scored if q.score >= 0.7 * best), key=lambda q: -q.score)[:2]
        quotes += sorted(near, key=lambda q: q.passage.start)
    return quotes[: config.sentences]


def whole(hit: Hit) -> str:
    return "\n".join((hit.document.facts.title, *hit.heading, hit.text))


def _answering(hit: Hit) -> list[Passage]:
    """The passages of an article; of a FAQ entry the whole reply, without the question that it repeats."""
    found = passages(hit.text)
    replies = [p for p in found if not hit.text[p.start : p.end].endswith(("？", "?"))]
    if hit.address.startswith("问") and replies and replies[-1].end - replies[0].start <= _REPLY_CHARS:
        return [Passage(replies[0].start, replies[-1].end)]
    return replies or found


def _passage_score(question: str, hit: Hit, passage: Passage, terms: Terms) -> float:
    text = hit.text[passage.start : passage.end]
    return terms.coverage(text) + _wanted(question, text)


def _district_first(near: Sequence[_Judged], enough: Sequence[_Judged]) -> list[_Judged]:
    """A district that gives more than its city must not be missed: its best article that answers goes first,
    even when its score alone would not have brought it in."""
    local = [item for item in enough if _is_district(item.hit)]
    if not local or any(_is_district(item.hit) for item in near):
        return list(near)
    return [max(local, key=lambda item: (item.wanted, item.value)), *near]


def _is_district(hit: Hit) -> bool:
    region = hit.document.facts.region
    return region is not None and not region.endswith("00")


def _wanted(question: str, text: str) -> float:
    """0.15 for each kind of thing that the question asks for and the text holds, such as an amount or a limit."""
    return 0.15 * sum(bool(asked.search(question) and answers.search(text)) for asked, answers in _WANTED)
