"""Passages: what may be quoted alone, and what must stay together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa.sentences import passages

LIST = """申请人应当同时符合下列条件：
（一）具有本市户籍；
（二）月收入不超过三千六百元；
（三）没有住房。
前款所称住房，包括商铺。"""
TABLE = """提取额度如下：
| 情形 | 额度 |
| --- | --- |
| 无房租房；单身 | 每月不超过1600元 |
| 购房 | 不超过首付款。 |"""
PIECES = st.sampled_from(
    (
        "申请人应当提交：", "\n（一）身份证；", "\n1. 户口簿。", "每人每月一百元。", "办理吗？", "\n| 甲 | 乙 |",
        "\n\n", " ", "　", "”", "！", ";", "\n", "①证明；", "A",
    )
)


def quoted(text: str) -> list[str]:
    return [text[p.start : p.end] for p in passages(text)]


def test_each_sentence_is_a_passage() -> None:
    assert quoted("每人每月一百元。按月发放！超过的怎么办？不予受理") == [
        "每人每月一百元。", "按月发放！", "超过的怎么办？", "不予受理"
    ]


def test_a_closing_quotation_mark_stays_with_its_sentence() -> None:
    assert quoted("只答复“轮候期一般不超过三年。”不答复排位。") == ["只答复“轮候期一般不超过三年。”", "不答复排位。"]


def test_a_lead_in_keeps_all_its_items_and_nothing_after_them() -> None:
    assert quoted(LIST) == [LIST[: LIST.index("\n前款")], "前款所称住房，包括商铺。"]


def test_an_item_of_several_sentences_stays_in_its_list() -> None:
    text = "材料：\n1. 身份证。要原件。\n2. 户口簿。"
    assert quoted(text) == [text]


def test_every_style_of_item_number_is_known() -> None:
    for first, second in (("（一）", "（二）"), ("(1)", "(2)"), ("1）", "2）"), ("1、", "2、"), ("①", "②"), ("-", "-")):
        text = f"需要下列材料：\n{first}身份证；\n{second}户口簿。"
        assert quoted(text) == [text]


def test_a_table_stays_whole_with_its_header() -> None:
    (lead, *rest) = quoted(TABLE)
    assert lead == TABLE
    assert not rest


def test_a_table_without_a_lead_in_stays_whole_too() -> None:
    table = TABLE[TABLE.index("|") :]
    assert quoted("标准见下表。\n" + table) == ["标准见下表。", table]


def test_blank_text_has_no_passage() -> None:
    assert passages("") == passages(" 　\n\n") == []


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_passages_are_ordered_in_bounds_apart_and_trimmed(text: str) -> None:
    found = passages(text)
    assert all(0 <= p.start < p.end <= len(text) for p in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert all(text[p.start : p.end] == text[p.start : p.end].strip() for p in found)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_passages_leave_out_nothing_but_blanks(text: str) -> None:
    kept = {i for p in passages(text) for i in range(p.start, p.end)}
    assert all(char.isspace() for i, char in enumerate(text) if i not in kept)
