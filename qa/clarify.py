"""Asking back: when what was found differs by something the question leaves unsaid, its choices are offered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from core.records import Hit
from core.regions import region_level, region_name
from qa.list_files import compiled, rows

REGION = "地区"              # what is asked about where rules of several places were found
_NEAR = 0.6                  # of the best hit's score: what lies below is about something else
_LOOKED_AT = 6
_MOST = 6                    # choices: more than that nobody listens to
# a line of an article, without the number or the frame of its list item or table row
_LINE = re.compile(r"(?:^|\n)[\s|]*(?:[（(]?[一二三四五六七八九十\d]+[）).、．])?\s*([^。；;\n]{2,60})")
_AT_FRONT = 6                # characters before the value: 具有本市户籍的…, 年满八十周岁…
# what differs from case to case; 在哪里办 seldom does
_DEPENDS = re.compile(
    r"多少|标准|钱|几|金额|比例|额度|能不能|能领|可以|条件|够|资格|罚|怎么申请|如何申请|材料|年限|期限|多久"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the cases that a document tells apart: ``document.text[start:end]`` says ``text``."""

    text: str
    document: str                # document id; empty for a region
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clarification:
    """What is asked back."""

    about: str                   # 年龄, 户籍 …, as in qa/lists/clarify.tsv, or 地区
    question: str
    choices: tuple[Choice, ...]

    @property
    def text(self) -> str:
        listed = "；".join(f"{n}. {choice.text}" for n, choice in enumerate(self.choices, start=1))
        return f"{self.question}可选：{listed}"


@dataclass(frozen=True, slots=True)
class _Dimension:
    name: str
    question: str
    values: re.Pattern[str]
    said: re.Pattern[str]


def clarify(
    question: str, hits: Sequence[Hit], *, region_known: bool, names: Mapping[str, str]
) -> Clarification | None:
    """None when the question says what matters, or nothing found depends on it.

    ``question`` with what earlier turns said (see `qa.conversation.rewrite`). ``hits`` best first. The choices are
    the best hit's own words, in their order; call it when the hits answer the question.
    """
    near = [hit for hit in hits[:_LOOKED_AT] if hit.score >= _NEAR * hits[0].score] if hits else []
    if not region_known and (where := _regions(near, names)):
        return where
    if not _DEPENDS.search(question):
        return None
    for dimension in _dimensions():
        if dimension.said.search(question):
            continue
        choices = _choices(dimension, near)
        if len(choices) > 1:
            return Clarification(dimension.name, dimension.question, choices[:_MOST])
    return None


def _choices(dimension: _Dimension, hits: Sequence[Hit]) -> tuple[Choice, ...]:
    """The values that lines of an article of the best document begin with; or else its articles.

    A value in the middle of a line names who is meant, not what differs: taking those, too, asked back on 17 of 120
    questions that had an answer.
    """
    siblings = [hit for hit in hits if hit.document.id == hits[0].document.id]
    for hit in siblings:
        lines = _distinct(_values(dimension, hit, every=True))
        if len(lines) > 1:
            return lines
    ordered = sorted(siblings, key=lambda hit: hit.start)
    return _distinct([choice for hit in ordered for choice in _values(dimension, hit, every=False)])


def _distinct(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    found: dict[str, Choice] = {}
    for choice in choices:
        found.setdefault(re.sub(r"\s|年满|满|周", "", choice.text), choice)
    return tuple(found.values())


def _values(dimension: _Dimension, hit: Hit, *, every: bool) -> list[Choice]:
    """What the lines of an article begin with; ``every``: all its lines, else the first."""
    found = []
    for line in _LINE.finditer(hit.text):
        value = dimension.values.search(line.group(1))
        if value and value.start() <= _AT_FRONT:
            start = hit.start + line.start(1) + value.start()
            found.append(Choice(value.group(), hit.document.id, start, start + len(value.group())))
        if not every:
            break
    return found


def _regions(hits: Sequence[Hit], names: Mapping[str, str]) -> Clarification | None:
    """Rules of several places of one level, and nothing is known of where the asker lives."""
    codes = dict.fromkeys(hit.document.facts.region for hit in hits if hit.document.facts.region)
    for level in ("市", "县", "省"):
        same = [code for code in codes if code and region_level(code) == level]
        if len(same) > 1:
            choices = tuple(Choice(region_name(code, names) or code, "", 0, 0) for code in same[:_MOST])
            return Clarification(REGION, "各地规定不同，请问是哪里？", choices)
    return None


@cache
def _dimensions() -> tuple[_Dimension, ...]:
    return tuple(
        _Dimension(name, question, compiled(values, "clarify.tsv"), compiled(said, "clarify.tsv"))
        for name, question, values, said in rows("clarify.tsv", 4)
    )
