"""Whether the numbers of a draft stand in its quotes, with their unit, their bound, and beside the same words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from zlib import crc32

from qa.restated import Clause, Match, Unit, coverage, pairs_of, quote_units, source_of
from qa.said import FACT, Fact, Said

_BEFORE, _AFTER = 10, 6      # letters of the window beside a number
_CLEARLY = 0.1              # so much more of the window must speak for another number
_SAME_WORDS = 0.6
_LOOSE = frozenset(("日", "工作日", "小时", "月"))   # of a period "within" may be left out: 10日内 办完, 10日 办完
_DATE_PARTS = {"月日": 10000}


@dataclass(frozen=True, slots=True)
class Placed:
    """A fact with the words beside it, in which every other number stands as a sign of its own value."""

    fact: Fact
    near: frozenset[str]         # of its own clause
    wide: frozenset[str]


def placed(clauses: Sequence[Clause]) -> list[Placed]:
    """The wide window does not end at a comma: 八十周岁至八十九周岁，每人每月一百元."""
    signs: list[str] = []
    at: list[tuple[int, Fact, int, int]] = []
    for clause in clauses:
        facts = iter(clause.facts)
        begin = len(signs)
        for char in clause.core:
            if char == FACT:
                fact = next(facts)
                at.append((len(signs), fact, begin, begin + len(clause.core)))
                char = chr(0xF0000 + crc32(str(fact.key).encode()) % 60_000)
            signs.append(char)
    text = "".join(signs)
    found = []
    for n, (place, fact, begin, end) in enumerate(at):
        beside = {f"<{at[n - 1][1].key}" if n else "<", f">{at[n + 1][1].key}" if n + 1 < len(at) else ">"}
        edges = {"<" + text[max(begin, place - 2) : place], "<" + text[max(begin, place - 1) : place],
                 ">" + text[place + 1 : min(end, place + 3)]}
        near = _window(text, place, max(begin, place - _BEFORE), min(end, place + 1 + _AFTER))
        wide = _window(text, place, place - _BEFORE, place + 1 + _AFTER)
        found.append(Placed(fact, near | edges, wide | beside))
    return found


def _window(text: str, place: int, start: int, end: int) -> frozenset[str]:
    window = text[max(0, start) : place] + FACT + text[place + 1 : end]
    return pairs_of(window) | frozenset(re.findall("[\U000F0000-\U000FFFFF]", window))


def placed_in(unit: Unit) -> list[Placed]:
    return placed((*unit.lead, *unit.clauses))


@lru_cache(maxsize=2048)
def quote_facts(quote: str) -> tuple[list[Placed], ...]:
    """Of each unit of a quote; kept, since the sentences of one answer share their quotes."""
    return tuple(placed_in(unit) for unit in quote_units(quote))


def missing(
    own: Sequence[Placed], here: Sequence[Placed], all_facts: Sequence[Placed], named: Sequence[Said]
) -> Iterator[str]:
    """Reasons, in Chinese, of one clause of a draft: ``own`` are its facts, ``here`` those of the unit it restates."""
    for item in own:
        fact = item.fact
        same = [other for other in here if says(fact, other.fact)] or [o for o in all_facts if says(fact, o.fact)]
        if not same:
            if not any(says(fact, other) for text in named for other in text.facts):
                yield f"数字：“{fact.text}”不在引文中"
            continue
        alike = [_likeness(item, other) for other in same]
        if not any(_bound_kept(fact, o.fact) for o, like in zip(same, alike, strict=True) if like > max(alike) - 0.1):
            yield f"界限：“{fact.text}”的“以上”“不超过”一类的词与引文不同"
            continue
        right = max(_likeness(item, other) for other in all_facts if says(fact, other.fact))
        rivals = [o for o in all_facts if o.fact.unit == fact.unit and not says(fact, o.fact)]
        wrong = max((_likeness(item, other) for other in rivals), default=0.0)
        if wrong > right + _CLEARLY:
            yield f"数字：“{fact.text}”在引文中说的是另一件事"


def foreign_number(match: Match, before: Unit) -> bool:
    """小微企业…，期限最长3年: words that the unit before holds as well, with the number of another one."""
    clause = match.clause
    if len(clause.facts) != 1 or coverage(clause.core, before.pairs) < match.share - 0.05:
        return False
    source = source_of(clause, before.clauses)
    return source is not None and coverage(source.core, clause.pairs) >= _SAME_WORDS and any(
        fact.unit == clause.facts[0].unit and fact.key != clause.facts[0].key for fact in source.facts
    )


def says(fact: Fact, other: Fact) -> bool:
    """Whether ``other``, of a quote, says what ``fact`` does."""
    if fact.key == other.key:
        return not fact.after or not other.after or fact.after == other.after or "个" in (fact.after, other.after)
    if fact.unit == "":
        return not fact.after and fact.value == _digits(other.text)
    if fact.unit in _DATE_PARTS and other.unit.endswith(fact.unit):      # the year is left out
        return fact.value == other.value % _DATE_PARTS[fact.unit]
    if fact.unit == "年" and other.unit.startswith("年"):
        return fact.value // 10000 == other.value // 10000
    if fact.unit == "年月" and other.unit == "年月日":
        return fact.value // 100 == other.value // 100
    return False


def keeps(own: Fact, fact: Fact) -> bool:
    """Whether ``own``, of a draft, says a quote's ``fact`` with its bound."""
    return (says(own, fact) or says(fact, own)) and _bound_kept(own, fact)


def _digits(text: str) -> Decimal | None:
    found = re.search(r"\d+(?:\.\d+)?", text)
    return Decimal(found.group()) if found else None


def _bound_kept(fact: Fact, other: Fact) -> bool:
    if fact.bound == other.bound:
        return True
    return fact.unit in _LOOSE and {fact.bound, other.bound} == {"", "≤"}


def _likeness(item: Placed, other: Placed) -> float:
    near = len(item.near & other.near) / max(1, len(item.near))
    return 0.5 * near + 0.5 * len(item.wide & other.wide) / max(1, len(item.wide))


def dropped(unit: Unit, said: Sequence[Clause], restated: Sequence[Clause]) -> Iterator[str]:
    """A bounded number inside a restated clause limits it: 缴费满12个月的职工."""
    ours = [fact for clause in said for fact in clause.facts]
    for clause in restated:
        for fact in clause.facts:
            if fact.bound in ("≥", ">", "<") and not any(says(own, fact) or says(fact, own) for own in ours):
                yield f"条件：漏掉了引文的“{fact.text}”的限制"
