"""How much of a question a text speaks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evidence import Terms, question_terms


def test_shape_words_weigh_nothing() -> None:
    terms = question_terms("请问 高龄津贴 多少 吗", str.split)
    assert [word for word, _ in terms.weights] == ["高龄津贴"]


def test_weights_add_up_to_one_and_a_repeated_word_counts_once() -> None:
    terms = question_terms("电梯 补助 电梯 财政", str.split)
    assert sum(weight for _, weight in terms.weights) == pytest.approx(1.0)
    assert [word for word, _ in terms.weights] == ["电梯", "补助", "财政"]


def test_a_question_of_shape_words_alone_covers_nothing() -> None:
    terms = question_terms("怎么 办理", str.split)
    assert terms.weights == ()
    assert terms.coverage("怎么办理") == 0.0


def test_a_rarer_word_weighs_more() -> None:
    weights = dict(question_terms("工作 电梯", str.split).weights)
    assert weights["电梯"] > weights["工作"]


def test_coverage_is_the_weight_of_the_words_that_stand_in_the_text() -> None:
    terms = Terms((("电梯", 0.75), ("补助", 0.25)))
    assert terms.coverage("加装电梯的程序") == 0.75
    assert terms.coverage("加装电梯给予补助") == 1.0
    assert terms.coverage("养犬登记") == 0.0


def test_an_abbreviation_counts_for_less_than_the_word_itself() -> None:
    terms = Terms((("公租房", 1.0),))
    assert terms.coverage("公租房") == 1.0
    assert 0 < terms.coverage("公共租赁住房") < 1.0


def test_a_part_of_a_long_word_counts_for_less_than_the_whole() -> None:
    terms = Terms((("住房公积金贷款", 1.0),))
    part, more, whole = (terms.coverage(text) for text in ("贷款额度", "公积金贷款额度", "住房公积金贷款额度"))
    assert 0 < part < more < whole == 1.0


@given(st.lists(st.text("电梯住房公积金.*[(\\", min_size=1, max_size=6), max_size=6), st.text("电梯住房.*", max_size=9))
def test_coverage_lies_between_zero_and_one_whatever_the_characters(words: list[str], text: str) -> None:
    terms = question_terms("", lambda _: words)
    assert 0.0 <= terms.coverage(text) <= 1.0 + 1e-9
