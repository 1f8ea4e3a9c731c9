"""Which of two rules goes first, and when only the unit in charge may say so."""

from __future__ import annotations

from datetime import date

import pytest

from core.records import Facts, Rank
from kb.conflicts.precedence import Precedence, decide, maker_of, may_meet, place_of

CITY, DISTRICT, OTHER_CITY, PROVINCE = "440100", "440106", "440300", "440000"


def rule(
    rank: Rank, region: str | None = None, issuer: str = "甲局", day: date | None = None, title: str = "某办法"
) -> Facts:
    return Facts(title, issuer=issuer, rank=rank, region=region, effective_from=day)


def decided(one: Facts, other: Facts, special: int | None = None) -> tuple[Precedence, int | None]:
    found = decide(one, other, special=special, names={})
    return found.rule, found.prefers


@pytest.mark.parametrize(("high", "low"), [
    (rule(Rank.CONSTITUTION), rule(Rank.LAW)),
    (rule(Rank.LAW), rule(Rank.ADMINISTRATIVE_REGULATION)),
    (rule(Rank.ADMINISTRATIVE_REGULATION), rule(Rank.LOCAL_REGULATION, CITY)),
    (rule(Rank.ADMINISTRATIVE_REGULATION), rule(Rank.DEPARTMENT_RULE)),
    (rule(Rank.LOCAL_REGULATION, CITY), rule(Rank.LOCAL_RULE, CITY)),
    (rule(Rank.LOCAL_REGULATION, CITY), rule(Rank.LOCAL_RULE, DISTRICT)),
    (rule(Rank.LOCAL_RULE, CITY), rule(Rank.NORMATIVE_DOCUMENT, CITY)),
    (rule(Rank.NORMATIVE_DOCUMENT, CITY), rule(Rank.GUIDE, CITY)),
])
def test_the_higher_rank_goes_first(high: Facts, low: Facts) -> None:
    assert decided(high, low) == (Precedence.HIGHER, 0)
    assert decided(low, high) == (Precedence.HIGHER, 1)


@pytest.mark.parametrize(("one", "other"), [
    (rule(Rank.DEPARTMENT_RULE), rule(Rank.LOCAL_RULE, PROVINCE)),
    (rule(Rank.LOCAL_REGULATION, CITY), rule(Rank.DEPARTMENT_RULE)),
    (rule(Rank.LOCAL_REGULATION, CITY), rule(Rank.LOCAL_RULE, PROVINCE)),
    (rule(Rank.LAW), rule(Rank.OTHER)),
    (rule(Rank.NORMATIVE_DOCUMENT, CITY), rule(Rank.NORMATIVE_DOCUMENT, DISTRICT, "乙局")),
    (rule(Rank.NORMATIVE_DOCUMENT, CITY, day=date(2020, 1, 1)),
     rule(Rank.NORMATIVE_DOCUMENT, CITY, "乙局", date(2024, 1, 1))),
    (rule(Rank.NORMATIVE_DOCUMENT, CITY), rule(Rank.NORMATIVE_DOCUMENT, CITY)),
])
def test_else_the_unit_in_charge_has_to_say(one: Facts, other: Facts) -> None:
    assert decided(one, other) == (Precedence.CONFIRM, None)
    assert "请责任单位确认" in decide(one, other, special=None, names={}).reason


def test_new_goes_before_old_within_one_maker() -> None:
    old = rule(Rank.NORMATIVE_DOCUMENT, CITY, day=date(2020, 1, 1))
    new = rule(Rank.NORMATIVE_DOCUMENT, CITY, day=date(2024, 1, 1))
    assert decided(old, new) == (Precedence.NEWER, 1)
    assert decided(new, old) == (Precedence.NEWER, 0)


def test_special_goes_before_general_unless_it_is_the_older_one() -> None:
    old = rule(Rank.NORMATIVE_DOCUMENT, CITY, day=date(2020, 1, 1))
    new = rule(Rank.NORMATIVE_DOCUMENT, CITY, day=date(2024, 1, 1))
    assert decided(old, new, special=1) == (Precedence.SPECIAL, 1)
    assert decided(old, new, special=0) == (Precedence.CONFIRM, None)


def test_rules_of_two_cities_never_meet() -> None:
    assert not may_meet(CITY, OTHER_CITY)
    assert may_meet(CITY, DISTRICT)
    assert may_meet(DISTRICT, PROVINCE)
    assert may_meet(CITY, None)


def test_the_title_tells_place_and_maker_where_the_site_does_not() -> None:
    assert place_of(Facts("广东省停车场管理办法"), {}) == "440000"
    assert maker_of(Facts("国务院办公厅关于某事的通知", issuer="广东省教育厅"), {}) == "国务院办公厅"
    assert maker_of(Facts("关于某事的通知", issuer="广东省教育厅"), {}) is None
    assert maker_of(Facts("关于某事的通知", issuer="甲局、乙局", region=CITY), {}) == "甲局"
