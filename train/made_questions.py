"""Questions that are made from the documents themselves: a heading asks for what stands under it, a sum for itself.

They teach which words of a sentence answer: questions of people come with the sentences that answer, not with the
words. Nothing of a document is kept but where the answer stands and what a question asks with the document's words.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa.select_units import ITEM, Kind, Unit, units_of

_N = "[\\d一二三四五六七八九十百千万亿零〇两半.]"
_PHRASES = (
    (re.compile(r"(?:最高|不超过|不低于|达到?|超过)?\d[\d.,]*(?:万|亿)*元(?:以[上下内])?"),
     ("多少钱", "多少元", "多少", "什么标准", "多少资金")),
    (re.compile(rf"(?:不超过|不低于|达到?|超过)?(?:\d[\d.]*[%％]|百分之{_N}+)(?:以[上下])?"),
     ("多少", "什么比例", "百分之多少", "多少比例")),
    (re.compile(r"(?:不超过|不少于|达到?|超过)?\d[\d.]*(?:万|余|多)*[个人家项名件所户场台辆篇](?:以[上下])?"),
     ("多少", "多少个", "几个")),
    (re.compile(r"(?:\d{4}年)?\d{1,2}月\d{1,2}日(?:前|起|止)?"), ("什么时候", "哪天", "何时", "几月几日")),
    (re.compile(rf"{_N}+个?(?:工作日|日|个月|年|小时)(?:以?内)?"), ("多久", "多长时间", "几天", "多少天")),
    (re.compile(r"(?:\d{3,4}[-—－])?\d{7,8}|[A-Za-z0-9_.]+@[A-Za-z0-9.]+"), ("多少", "什么", "是多少")),
)
_PARTS = (
    (r"通过(.{6,60}?)(?:等(?:方式|形式|渠道|途径))", "通过哪些方式"),
    (r"由(.{3,20}?)(?:负责|组织|牵头|审批|批准|制定)", "由谁"),
    (r"包括(.{6,80}?)(?:[。；]|等[，。])", "包括哪些"),
    (r"(?:向|报)([^，。]{3,16}?)(?:提出申请|申请|报告|备案|提交)", "向谁"),
    (r"(?:重点|优先)(?:支持|扶持|保障)([^。；]{6,60}?)[。；，]", "重点支持哪些"),
    (r"主题(?:为|是)(.{4,40}?)[。，]", "主题是什么"),
    (r"(?:不得|严禁|禁止)([^。；]{5,50})[。；]", "不得有哪些行为"),
)
_DOES = re.compile(
    "加强|推进|完善|落实|支持|强化|建立|健全|优化|提升|加快|做好|开展|实施|推动|扩大|鼓励|规范|严格|促进|加大|深化|构建|提高|保障|培育"
)
_OF_ACTS = (
    "如何{}？", "怎样{}？", "采取哪些措施{}？", "{}有哪些具体举措？", "{}的要求是什么？", "对{}提出了哪些要求？",
)
_OF_NAMES = ("{}是什么？", "{}有哪些？", "{}有什么要求？", "{}如何规定？", "的{}包括哪些内容？")
_OF_CASES = (
    "{}有什么政策？", "{}应如何处理？", "{}怎么办？", "{}有哪些规定？", "{}给予什么支持？", "{}要做什么？",
    "{}应当采取哪些措施？",
)
_CASE = re.compile(r"^(?:对|凡|在|为|符合|未|因|各|申请|从)|(?:的|后|时)$")
_CLAUSE = re.compile(r"[^，,。；;：:！？\n]+[，,。；;：:！？]*")
_SHARES = {"heading": 0.26, "phrase": 0.3, "case": 0.24, "part": 0.2}
_OF_ONE = 3                  # questions of one kind about one document, at most
_LONGEST = 60_000            # characters of a document
_LEFT_OUT = (0.0, 0.1, 0.2, 0.3)     # chances that a word is left out: nobody asks in all the words of the text
Cut = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Source:
    """A document that questions are made from."""

    name: str
    place: str                   # that its title begins with, or nothing
    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """``text[start:end]`` of the document answers."""

    kind: str
    question: str
    document: str
    start: int
    end: int


def made_questions(sources: Iterable[Source], number: int, *, cut: Cut, seed: int) -> list[Made]:
    """At most ``number``, in shares of the kinds. The same sources and seed make the same."""
    chance = random.Random(seed)
    found = [made for source in sources if len(source.text) <= _LONGEST for made in _Maker(source, cut, chance).made()]
    chance.shuffle(found)
    left = {kind: round(share * number) for kind, share in _SHARES.items()}
    kept = []
    for made in found:
        if left[made.kind] > 0 and 8 <= len(made.question) <= 70 and made.end - made.start >= 2:
            left[made.kind] -= 1
            kept.append(made)
    return kept


class _Maker:
    def __init__(self, source: Source, cut: Cut, chance: random.Random) -> None:
        self._source, self._cut, self._chance = source, cut, chance
        self._units = units_of(source.text)
        self._count: Counter[str] = Counter()

    def made(self) -> Iterator[Made]:
        order = list(range(len(self._units)))
        self._chance.shuffle(order)
        for at in order:
            unit = self._units[at]
            text = self._source.text[unit.start : unit.end]
            if unit.kind is Kind.HEADING:
                yield from self._of_heading(at, text)
            elif unit.kind is Kind.TEXT and 15 <= len(text) <= 220:
                maker = self._chance.choices((self._of_phrase, self._of_case, self._of_part), (0.4, 0.3, 0.3))[0]
                yield from maker(unit, text)

    def _of_heading(self, at: int, text: str) -> Iterator[Made]:
        heading = ITEM.sub("", text, count=1).strip(" 。:：、.．　")
        body: list[Unit] = []
        for unit in self._units[at + 1 :]:
            if unit.above != at or unit.kind is not Kind.TEXT or (body and unit.end - body[0].start > 380):
                break
            body.append(unit)
        plain_heading = 5 <= len(heading) <= 26 and not re.search("[，。；]", heading)
        if plain_heading and body and body[-1].end - body[0].start >= 30:
            forms = _OF_ACTS if _DOES.match(heading) else _OF_NAMES
            yield from self._make("heading", self._asking(forms, heading), body[0].start, body[-1].end)

    def _of_phrase(self, unit: Unit, text: str) -> Iterator[Made]:
        for pattern, asking in self._chance.sample(_PHRASES, len(_PHRASES)):
            matches = list(pattern.finditer(text))
            if not 1 <= len(matches) <= 3:
                continue
            match = self._chance.choice(matches)
            before, after = _around(text, match)
            if len(re.sub("[^\u4e00-\u9fff]", "", before + after)) < 7:
                continue
            ask, said, then = self._chance.choice(asking), self._thinned(before), self._thinned(after)
            question = f"{said}{ask}{then}？" if self._chance.random() < 0.5 and then else f"{said}{_is(ask)}？"
            start, end = unit.start + match.start(), unit.start + match.end()
            yield from self._make("phrase", self._placed(question), start, end)
            return

    def _of_case(self, unit: Unit, text: str) -> Iterator[Made]:
        clauses = list(_CLAUSE.finditer(text))
        case = ITEM.sub("", clauses[0].group(), count=1).strip("，：: ") if clauses else ""
        if len(clauses) > 1 and 6 <= len(case) <= 34 and _CASE.search(case):
            yield from self._make("case", self._asking(_OF_CASES, case), unit.start + clauses[0].end(), unit.end)

    def _of_part(self, unit: Unit, text: str) -> Iterator[Made]:
        for pattern, asking in _PARTS:
            match = re.search(pattern, text)
            if match is None:
                continue
            before, _ = _around(text, match)
            after = re.split("[，。]", text[match.end(1) :])[0][:16]
            then = self._thinned(after) if self._chance.random() < 0.5 else ""
            question = self._placed(f"{self._thinned(before)}{asking}{then}？")
            yield from self._make("part", question, unit.start + match.start(1), unit.start + match.end(1))
            return

    def _make(self, kind: str, question: str, start: int, end: int) -> Iterator[Made]:
        self._count[kind] += 1
        if self._count[kind] <= _OF_ONE:
            yield Made(kind, question, self._source.name, start, end)

    def _asking(self, forms: Sequence[str], about: str) -> str:
        return self._placed(self._chance.choice(forms).format(self._thinned(about)))

    def _placed(self, question: str) -> str:
        return (self._source.place if self._chance.random() < 0.67 else "") + question

    def _thinned(self, text: str) -> str:
        chance = self._chance.choice(_LEFT_OUT)
        words = list(self._cut(ITEM.sub("", text, count=1).strip("，；：（( 。")))
        return "".join(word for word in words if self._chance.random() > chance)


def _around(text: str, match: re.Match[str]) -> tuple[str, str]:
    """The clause before a match, or the one before that too where little is left of it, and the rest of its own."""
    clauses = list(_CLAUSE.finditer(text))
    at = next((n for n, clause in enumerate(clauses) if clause.start() <= match.start() < clause.end()), 0)
    if not clauses:
        return text[: match.start()], ""
    before = text[clauses[at].start() : match.start()]
    if at and len(re.sub("[^\u4e00-\u9fff]", "", before)) < 4:
        before = text[clauses[at - 1].start() : match.start()]
    return before, text[match.end() : max(match.end(), clauses[at].end())].strip("，。；：")


def _is(asking: str) -> str:
    return asking if asking.startswith("是") else f"是{asking}"
