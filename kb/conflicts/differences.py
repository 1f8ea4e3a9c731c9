"""In what two sentences on one matter differ: an amount, a share, a period, a date, an age, or a condition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import zip_longest

import numpy as np

from kb.conflicts.clauses import Clause, letter_pairs
from kb.conflicts.quantities import Dimension, Quantity

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value: where each side says it, in its document's text."""

    kind: str                    # a `Dimension`, or "condition"
    one: Span
    other: Span


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two sentences compare."""

    dice: float                  # shared character pairs over all, of the shapes with what introduces them
    equal: int                   # quantities that say the same
    differences: tuple[Difference, ...]

    @property
    def score(self) -> float:
        """Sentences that agree in more of their values are more likely to mean the same row of a list."""
        count = self.equal + len(self.differences)
        return self.dice + 0.2 * self.equal / count if count else self.dice + 0.1


_AROUND = 4                  # letters beside a value, before and after it together, that must be the same in both
_FROM_OR_UNTIL = re.compile(r"[日号]?\s?(?:之前|以前|前|止|起|以后|之后|后|截止|底前|末前|至|到)")
_UNTIL = re.compile(r"(?:[至到]|截止|截止时间为?|截止日期[为：]?)\s?$")
_CONDITIONS: dict[str, dict[str, str]] = {       # kind of condition -> what it says -> words
    "duty": {
        "must": "应当 必须", "may": "可以 允许", "not": "不得 禁止 不予 不能 不可", "need not": "无需 不需 无须 不必",
    },
    "bound": {
        "≥": "以上 不低于 不应低于 不得低于 不少于 不得少于",
        "≤": "以下 以内 不超过 不得超过 不应超过 不高于",
        "<": "不足 低于 少于", ">": "超过 高于",
    },
    "fee": {"free": "免费 免收 不收取 不收费", "paid": "收取"},
    "residence": {"户籍": "户籍", "常住": "常住"},
    "counted": {"yes": "计入 包括 纳入", "no": "不计入 不包括 不纳入"},
}
_TERMS = {
    term: (kind, value)
    for kind, values in _CONDITIONS.items() for value, terms in values.items() for term in terms.split()
}
_TERM = re.compile("|".join(sorted(_TERMS, key=len, reverse=True)))


def likeness(one: Clause, other: Clause) -> float:
    """Shared character pairs over all (Dice) of the shapes with what introduces them; a hundredth of the time of
    `compare_clauses`."""
    mine, theirs = letter_pairs(one.opening + one.shape), letter_pairs(other.opening + other.shape)
    return 2 * len(np.intersect1d(mine, theirs, assume_unique=True)) / (len(mine) + len(theirs))


def compare_clauses(one: Clause, other: Clause, one_text: str, other_text: str) -> Likeness:
    """``…_text`` are the whole texts of their documents."""
    equal, differences = _quantities(one, other, one_text, other_text)
    if not differences and equal == len(one.quantities) == len(other.quantities):
        differences = _conditions(one, other, one_text, other_text)
    return Likeness(likeness(one, other), equal, tuple(differences))


def _quantities(one: Clause, other: Clause, one_text: str, other_text: str) -> tuple[int, list[Difference]]:
    """How many agree, and which do not, of those that stand in the same place of both sentences."""
    pairs = _aligned(one, other)
    left, right = ({pair[side] for pair in pairs} for side in (0, 1))
    spare = {q.key for n, q in enumerate(one.quantities) if n not in left}
    other_spare = {q.key for n, q in enumerate(other.quantities) if n not in right}
    marks, other_marks = one.marks(), other.marks()
    equal, differences = 0, []
    for first, second in pairs:
        mine, theirs = one.quantities[first], other.quantities[second]
        if same_value(mine, theirs):
            equal += 1
        elif (
            mine.key not in other_spare and theirs.key not in spare        # else the order is another
            and _same_around(one.shape, other.shape, marks[first], other_marks[second])
            and _binds(mine, one_text) and _binds(theirs, other_text)
        ):
            differences.append(Difference(mine.dimension, (mine.start, mine.end), (theirs.start, theirs.end)))
    return equal, differences


def _aligned(one: Clause, other: Clause) -> list[tuple[int, int]]:
    """Places of quantities of one dimension that stand in the same words, in order."""
    places = {place: n for n, place in enumerate(one.marks())}
    others = {place: n for n, place in enumerate(other.marks())}
    return [
        (places[block.a + step], others[block.b + step])
        for block in SequenceMatcher(None, one.shape, other.shape, autojunk=False).get_matching_blocks()
        for step in range(block.size)
        if block.a + step in places and block.b + step in others
    ]


def _same_around(one: str, other: str, a: int, b: int) -> bool:
    """Whether `_AROUND` letters beside ``one[a]`` and ``other[b]`` are the same; the end counts as two."""
    before = _run(reversed(one[:a]), reversed(other[:b]))
    after = _run(iter(one[a + 1 :]), iter(other[b + 1 :]))
    return before + after >= _AROUND


def _run(one: Iterator[str], other: Iterator[str]) -> int:
    count = 0
    for first, second in zip_longest(one, other):
        if first != second:
            return count
        count += 1
    return count + 2


def _binds(quantity: Quantity, text: str) -> bool:
    """A date that comes again, or says until or from when; others tell when something was signed, sent or held."""
    if quantity.dimension is not Dimension.DATE or quantity.unit == "日":
        return True
    before = text[max(0, quantity.start - 8) : quantity.start]
    again = "每" in before and not quantity.unit.startswith("年")
    return again or bool(_FROM_OR_UNTIL.match(text, quantity.end) or _UNTIL.search(before))


def same_value(one: Quantity, other: Quantity) -> bool:
    """Also 30日 and 一个月, which nobody tells apart."""
    if one.key == other.key:
        return True
    units = {one.unit: one.value, other.unit: other.value}
    if one.dimension is Dimension.PERIOD and set(units) == {"月", "日"}:
        return units["日"] in (units["月"] * 30, units["月"] / 12 * 365)
    if one.dimension is Dimension.PERIOD and set(units) == {"小时", "日"}:
        return units["小时"] == units["日"] * 24
    if one.dimension is Dimension.DATE and one.unit != other.unit:
        return _agree(one, other)
    return False


def _agree(one: Quantity, other: Quantity) -> bool:
    """9月 and 9月30日 do not contradict each other."""
    parts = [(q.value // 10000, q.value // 100 % 100, q.value % 100) for q in (one, other)]
    return all(a == b or Decimal(0) in (a, b) for a, b in zip(*parts, strict=True))


def _conditions(one: Clause, other: Clause, one_text: str, other_text: str) -> list[Difference]:
    """Where the same kinds of condition follow each other in both, those that say another thing."""
    mine, theirs = _terms(one, one_text), _terms(other, other_text)
    if [group for group, _, _ in mine] != [group for group, _, _ in theirs]:
        return []
    differences = []
    for (_, value, span), (_, their_value, their_span) in zip(mine, theirs, strict=True):
        if value != their_value:
            before = _run(reversed(one_text[one.start : span[0]]), reversed(other_text[other.start : their_span[0]]))
            after = _run(iter(one_text[span[1] : one.end]), iter(other_text[their_span[1] : other.end]))
            if before + after < _AROUND:
                return []
            differences.append(Difference("condition", span, their_span))
    return differences


def _terms(clause: Clause, text: str) -> list[tuple[str, str, Span]]:
    return [(*_TERMS[match.group()], match.span()) for match in _TERM.finditer(text, clause.start, clause.end)]


def names_years(quantities: Sequence[Quantity]) -> set[int]:
    """The years that dates among them name."""
    return {int(q.value // 10000) for q in quantities if q.dimension is Dimension.DATE and q.unit.startswith("年")}
