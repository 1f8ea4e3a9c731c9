"""What is personal is masked in every spelling; what everybody may know stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import masked


@pytest.mark.parametrize("secret", [
    "13812345678", "138 1234 5678", "138-1234-5678", "1381 234 5678", "+86 13812345678", "8613812345678",
    "１３８１２３４５６７８", "0755-26731234", "(0755)26731234", "010 65731234", "幺三八一二三四五六七八",
    "11010519491231002X", "11010519491231002x", "110105194912310021", "110105 19491231 0021", "130503670401001",
    "6222 0212 0200 1234 567", "6222021202001234567", "6228480402564890",
    "粤A12345", "粤A·12345", "京AD12345", "沪B 8K2M7", "粤B1234学",
    "zhang.san_01@example.com", "ｚｓ＠ｅｘａｍｐｌｅ．ｃｎ",
])
def test_what_is_personal_is_masked_in_every_spelling(secret: str) -> None:
    assert masked(f"您好，我是{secret}，想问低保") == f"您好，我是{'*' * len(secret)}，想问低保"


@pytest.mark.parametrize("text", [
    "12345热线", "96999燃气", "010政策", "2026年11月25日9点", "补贴1500000元", "临政发〔2024〕12号", "第1381条",
    "GB45438-2025", "每人每月3600元，名下车不超过150000元", "110千伏", "A栋1203室", "川味小吃店", "一二三四五六七八九",
    "一百二十三万四千五百六十七元八角", "2026-11-25", "20261125", "京津冀", "新ABC",
])
def test_what_everybody_may_know_stays(text: str) -> None:
    assert masked(text) == text


def test_a_landline_without_its_area_code_is_known_by_the_word_before() -> None:
    assert masked("我家电话是26731234，问低保") == "我家电话是********，问低保"
    assert masked("补助26731234元") == "补助26731234元"


def test_several_in_one_question_are_all_masked() -> None:
    assert masked("13812345678和13912345678") == "***********和***********"


@given(st.text(max_size=80))
def test_masking_keeps_the_length_and_does_nothing_twice(text: str) -> None:
    once = masked(text)
    assert len(once) == len(text)
    assert masked(once) == once
    assert all(old == new or new == "*" for old, new in zip(text, once, strict=True))
