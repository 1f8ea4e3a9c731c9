"""Which version of a rule holds when: worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Ended, Facts, Rank
from kb.versions import Span, spans, version_key


def on(year: int, month: int = 1, day: int = 1) -> date:
    return date(year, month, day)


def rule(since: date | None = None, *, until: date | None = None, validity: str | None = None) -> Facts:
    return Facts("养犬管理办法", effective_from=since, effective_to=until, validity=validity)


def test_a_version_ends_on_the_day_the_next_one_begins() -> None:
    held = spans([("c", rule(on(2025))), ("a", rule(on(2010))), ("b", rule(on(2020)))])
    assert held == {
        "a": Span(on(2010), on(2020), "b", Ended.SUPERSEDED),
        "b": Span(on(2020), on(2025), "c", Ended.SUPERSEDED), "c": Span(on(2025), None),
    }


def test_a_stated_end_before_the_next_version_stays() -> None:
    held = spans([("a", rule(on(2010), until=on(2015))), ("b", rule(on(2020)))])
    assert held["a"] == Span(on(2010), on(2015), "b", Ended.EXPIRED)


def test_the_next_version_goes_before_a_later_stated_end() -> None:
    held = spans([("a", rule(on(2010), until=on(2030))), ("b", rule(on(2020)))])
    assert held["a"] == Span(on(2010), on(2020), "b", Ended.SUPERSEDED)


def test_versions_that_begin_together_stand_side_by_side() -> None:
    held = spans([("a2", rule(on(2010))), ("a1", rule(on(2010))), ("b", rule(on(2020)))])
    assert held["a1"] == held["a2"] == Span(on(2010), on(2020), "b", Ended.SUPERSEDED)


def test_the_date_of_the_document_serves_when_no_first_day_is_stated() -> None:
    held = spans([("a", rule(on(2010))), ("b", Facts("养犬管理办法", dated=on(2020)))])
    assert held == {"a": Span(on(2010), on(2020), "b", Ended.SUPERSEDED), "b": Span(on(2020), None)}


def test_a_version_without_any_date_held_from_always_until_the_next() -> None:
    assert spans([("a", rule()), ("b", rule(on(2020)))])["a"] == Span(None, on(2020), "b", Ended.SUPERSEDED)


@pytest.mark.parametrize("validity", ["已废止", "失效", "已失效", "废止"])
@pytest.mark.parametrize("since", [None, on(2010)])
def test_a_rule_repealed_on_an_unknown_day_never_holds(validity: str, since: date | None) -> None:
    held = spans([("a", rule(since, validity=validity))])["a"]
    assert held.end == (since or date.min)


def test_a_repealed_version_that_another_followed_held_until_then() -> None:
    held = spans([("a", rule(on(2010), validity="已废止")), ("b", rule(on(2020)))])
    assert held["a"] == Span(on(2010), on(2020), "b", Ended.SUPERSEDED)


def test_what_the_source_calls_valid_holds() -> None:
    assert spans([("a", rule(on(2010), validity="现行有效"))])["a"] == Span(on(2010), None)


days = st.dates(on(2000), on(2030))


@given(st.lists(days, min_size=1, max_size=6), days)
def test_on_any_day_the_versions_in_force_all_began_together(starts: list[date], day: date) -> None:
    facts = {f"{n:02}": rule(start) for n, start in enumerate(starts)}
    held = spans(list(facts.items()))
    assert held == spans(list(reversed(facts.items())))
    now = {s.start for s in held.values() if s.start and s.start <= day and (s.end is None or day < s.end)}
    assert now == ({max(start for start in starts if start <= day)} if min(starts) <= day else set())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("中华人民共和国劳动法", "劳动法"),
        ("养犬管理办法（2025年修订）", "养犬管理办法"),
        ("《养犬管理办法》", "养犬 管理办法"),
        ("劳动法(2018修正)", "中华人民共和国劳动法"),
    ],
)
def test_versions_of_one_rule_share_their_key(one: str, other: str) -> None:
    assert version_key(Facts(one)) == version_key(Facts(other)) is not None


@pytest.mark.parametrize(
    "facts",
    [
        Facts("关于2026年义务教育入学工作的通知"),
        Facts("公租房申请办法", rank=Rank.GUIDE),
        Facts("热线工作规程", rank=Rank.FAQ),
        Facts("高龄津贴实施意见"),
    ],
)
def test_what_is_no_rule_has_no_versions(facts: Facts) -> None:
    assert version_key(facts) is None


def test_an_amended_version_that_repeats_the_first_day_begins_on_its_own_date() -> None:
    first = Facts("养犬管理办法", dated=on(2001, 5), effective_from=on(2001, 7))
    second = replace(first, dated=on(2010, 3, 9))
    third = replace(first, dated=on(2022, 1, 5), effective_from=on(2001, 6))
    held = spans([("c", third), ("a", first), ("b", second)])
    assert held == {
        "a": Span(on(2001, 7), on(2010, 3, 9), "b", Ended.SUPERSEDED),
        "b": Span(on(2010, 3, 9), on(2022, 1, 5), "c", Ended.SUPERSEDED), "c": Span(on(2022, 1, 5), None),
    }


def test_a_new_version_may_hold_from_a_day_before_its_date() -> None:
    old, new = Facts("养犬管理办法", dated=on(2010)), Facts("养犬管理办法", dated=on(2020, 3), effective_from=on(2020))
    assert spans([("a", old), ("b", new)])["a"].end == on(2020)


def test_versions_of_a_law_share_their_key_whatever_session_adopted_them() -> None:
    law = Facts("临澜市供热条例", rank=Rank.LOCAL_REGULATION, region="900100")
    adopted = [replace(law, issuer=issuer) for issuer in (None, "第九届人大常委会", "第十届人大常委会")]
    assert len({version_key(facts) for facts in adopted}) == 1


def test_rules_of_another_region_or_issuer_are_other_rules() -> None:
    same_title = [Facts("养犬管理办法"), Facts("养犬管理办法", region="900100"), Facts("养犬管理办法", issuer="某局")]
    assert len({version_key(facts) for facts in same_title}) == 3


def test_numbered_interpretations_are_rules_of_their_own_and_have_versions() -> None:
    first, second = Facts("关于适用民法典的解释（一）"), Facts("关于适用民法典的解释（二）")
    assert version_key(first) is not None
    assert version_key(first) != version_key(second)
    assert version_key(first) == version_key(Facts("关于适用《民法典》的解释（一）（2025年修正）"))
