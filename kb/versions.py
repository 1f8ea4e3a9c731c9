"""Which version of a rule is in force when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.records import Facts, Rank

_ENDED = ("已废止", "失效", "已失效", "废止")
_RULE_ENDINGS = ("法", "条例", "办法", "规定", "细则", "规则", "解释", "规程", "准则", "标准")
# （一） stays: 解释（一） and 解释（二） are two rules, and neither ends the other.
_BRACKETS = re.compile(r"[《》〈〉\s]|[（(](?![一二三四五六七八九十]{1,3}[）)])[^（）()]*[）)]")
_NUMBER = re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]$")


@dataclass(frozen=True, slots=True)
class Span:
    """When a version holds: from ``start`` (None: always has) to before ``end`` (None: until further notice)."""

    start: date | None
    end: date | None
    superseded_by: str | None = None


def version_key(facts: Facts) -> str | None:
    """What the versions of one rule share, or None for a document that no later one of its name replaces.

    A notice of the same name next year is another notice; only rules, told by their last words, have versions.
    """
    title = short_title(facts.title)
    if not _NUMBER.sub("", title).endswith(_RULE_ENDINGS) or facts.rank in (Rank.GUIDE, Rank.FAQ):
        return None
    return f"{facts.region or ''}/{facts.issuer or ''}/{title}"


def short_title(title: str) -> str:
    """A title as people write it: without 《》, remarks in brackets other than numbers, and 中华人民共和国."""
    return _BRACKETS.sub("", title).removeprefix("中华人民共和国")


def spans(versions: Sequence[tuple[str, Facts]]) -> dict[str, Span]:
    """When each version of one rule (id, facts) holds.

    A version ends where the next later one begins; versions that begin on the same day stand side by side
    (a code published in parts). One that its source calls repealed, without a date, never holds.
    """
    starts = sorted({_start(facts) for _, facts in versions})
    first_of: dict[date, str] = {}
    for name, facts in sorted(versions):
        first_of.setdefault(_start(facts), name)
    return {name: _span(facts, starts, first_of) for name, facts in versions}


def _span(facts: Facts, starts: Sequence[date], first_of: dict[date, str]) -> Span:
    start = facts.effective_from or facts.dated
    following = next((day for day in starts if day > _start(facts)), None)
    ends = [day for day in (facts.effective_to, following) if day is not None]
    if not ends and facts.validity in _ENDED:
        ends = [start or date.min]
    return Span(start, min(ends, default=None), first_of[following] if following else None)


def _start(facts: Facts) -> date:
    return facts.effective_from or facts.dated or date.min
