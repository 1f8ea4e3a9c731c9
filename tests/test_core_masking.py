"""What is personal is masked in every spelling; what everybody may know stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import is_card, is_identity, masked, personal


@pytest.mark.parametrize("secret", [
    "13812345678", "138 1234 5678", "138-1234-5678", "1381 234 5678", "+86 13812345678", "8613812345678",
    "１３８１２３４５６７８", "0755-26731234", "(0755)26731234", "010 65731234", "幺三八一二三四五六七八",
    "11010519491231002X", "11010519491231002x", "110105194912310021", "110105 19491231 0021",
    "130503670401001",
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


@pytest.mark.parametrize(("text", "hidden"), [
    ("我叫张伟，想问低保", "我叫**，想问低保"), ("我叫王小明想问低保", "我叫***想问低保"),
    ("姓名：李强 男", "姓名：** 男"),
    ("家住澜东区和平路12号3栋502室，水管坏了", "家住澜东区************，水管坏了"),
    ("我住在3号楼，物业不管", "我住在***，物业不管"),
    ("家庭住址：临澜市澜西区盐仓街8号", "家庭住址：临澜市澜西区*****"), ("护照E12345678丢了", "护照*********丢了"),
    ("通行证H1234567890过期", "通行证H1234567890过期"), ("护照号码：GA1234567", "护照号码：*********"),
    ("微信号abc_12345", "微信号*********"),
])
def test_names_and_addresses_are_masked_where_the_text_says_what_they_are(text: str, hidden: str) -> None:
    assert masked(text) == hidden


@pytest.mark.parametrize("text", [
    "咨询电话：0900-1234570", "市公安局电话0900-2234570", "公积金中心服务热线 0900-2234570",
    "监督电话：010-65731234，投诉信箱：a@b.gov.cn",
    "办公地址：和平路12号", "姓名或者名称发生变更", "联系人、联系电话", "我叫了救护车", "我住院了能报销吗",
    "住在农村的老人", "临政规〔2023〕2号",
    "营业执照91440101MA5CL00X1B", "1 2 3 4 5 6 7 8 9 10 11 12",
])
def test_what_offices_publish_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", [
    "我家电话0900-2234570", "我的联系电话：0900-2234570", "联系人：刘强，电话0755-26731234",
])
def test_a_citizen_s_own_telephone_is_none_of_an_office(text: str) -> None:
    assert "2" not in masked(text)


def test_check_digits_tell_identity_and_bank_cards() -> None:
    assert is_identity("11010519491231002X")
    assert not is_identity("110105194912310021")
    assert is_card("6228480402564890018")
    assert not is_card("6228480402564890019")
    spaced = " ".join("6228480402564890018")
    assert masked(spaced) == "*" * len(spaced)
    assert masked(" ".join("1111111111111111")) == " ".join("1111111111111111")


def test_what_is_personal_is_named() -> None:
    found = personal("我叫张伟，13812345678")
    assert [(one.kind, one.start, one.end) for one in found] == [("name", 2, 4), ("phone", 5, 16)]


def test_policy_documents_stay_as_they_are() -> None:
    folder = Path(__file__).resolve().parent.parent / "data_samples" / "policies"
    files = [file for file in sorted(folder.iterdir()) if file.suffix in (".md", ".txt", ".jsonl")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert [text[one.start - 20 : one.end] for text in texts for one in personal(text)] == []
