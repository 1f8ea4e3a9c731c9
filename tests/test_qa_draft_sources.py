"""What is put before a model: few articles, the right part of long ones, and nothing that ends what holds it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Hit
from qa.draft_sources import as_data, offered, shown, table_rows, whole_rules
from tests.draft_hits import DAY, extracted, hit

SHORT = hit("高龄津贴每月十日前发放。逾期未发的，可以向区民政局反映。")
LONG = hit("".join(f"第{n}项补贴按照规定发放，标准为每人每月{n}元。" for n in range(400)), start=1000, name="long")


def test_six_articles_and_six_thousand_characters_at_most() -> None:
    offers = offered([LONG, *(hit(SHORT.text * 20, name=f"d{n}", address=f"第{n}条") for n in range(12))], [])
    assert len({offer.token.split("-")[0] for offer in offers}) == 6
    assert sum(len(offer.quote) for offer in offers) <= 6_000


def test_what_the_extracted_answer_cites_comes_first() -> None:
    offers = offered([SHORT, LONG], extracted(LONG).citations)
    assert offers[0].hit is LONG
    assert offers[0].quote.startswith("第0项")


def test_of_a_long_article_what_stands_around_its_best_chunk_is_taken() -> None:
    place = LONG.text.index("第300项")
    found = offered([Hit(*_fields(LONG), (1000 + place, 1040 + place))], [])
    assert any("第300项" in offer.quote for offer in found)
    assert any("第301项" in offer.quote for offer in found)
    assert [offer.passage.start for offer in found] == sorted(offer.passage.start for offer in found)


TABLE = "| 情形 | 额度 | 次数 |\n|---|---|---|\n| 租房 | 每月不超过1500元 | 每月一次 |\n| 退休 | 账户全部余额 | 一次 |"


def test_a_row_of_a_table_is_read_with_its_header_and_cited_with_the_table() -> None:
    offers = offered([hit(f"额度见下表。\n{TABLE}")], [])
    assert [offer.said for offer in offers[1:]] == [
        "租房：额度每月不超过1500元，次数每月一次。", "退休：额度账户全部余额，次数一次。",
    ]
    assert [offer.quote for offer in offers[1:]] == [TABLE, TABLE]


def test_what_announces_a_table_is_read_with_each_row() -> None:
    (offer, _) = offered([hit(f"本市职工的额度如下：\n\n{TABLE}")], [])
    assert offer.said == "本市职工的额度如下：\n租房：额度每月不超过1500元，次数每月一次。"


def test_rows_of_a_long_table_are_cited_by_themselves_from_the_best_on() -> None:
    rows = [f"| 第{n}档 | {n}元 |" for n in range(200)]
    table = hit("| 档次 | 标准 |\n|---|---|\n" + "\n".join(rows))
    at = table.start + table.text.index(rows[150])
    offers = offered([Hit(*_fields(table), (at, at + 20))], [])
    assert rows[150] in [offer.quote for offer in offers]
    assert all(offer.quote in rows for offer in offers)
    assert sum(len(offer.said) for offer in offers) <= 900


@pytest.mark.parametrize("text", ["| 不是表 |", "|---|---|", "|", "| a |\n| b |\n| c |", ""])
def test_what_is_no_table_has_no_rows(text: str) -> None:
    assert table_rows(text) == []


def test_a_long_list_is_shown_in_part_and_cited_whole() -> None:
    items = "\n".join(f"（{n}）第{n}类人员，凭有效证件办理；" for n in range(1, 99))
    long = hit("下列人员可以办理：\n" + items)
    at = long.start + long.text.index("第70类")
    (offer, *_) = offered([Hit(*_fields(long), (at, at + 20))], [])
    line = next(line for line in shown([offer], DAY).splitlines() if line.startswith("A1-1"))
    assert offer.quote == long.text
    assert len(line) < 1_000
    assert "下列人员可以办理" in line
    assert "第70类" in line


def test_a_sentence_that_takes_back_the_one_before_is_one_with_it() -> None:
    text = "每只每年五百元。但导盲犬除外。饲养人应当登记。"
    assert [text[p.start : p.end] for p in whole_rules(text)] == ["每只每年五百元。但导盲犬除外。", "饲养人应当登记。"]


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_data_stays_on_one_line_and_makes_no_tag(text: str) -> None:
    data = as_data(text)
    assert not set("<>") & set(data)
    assert len(data.splitlines()) <= 1
    assert not re.search(r"\[/?[A-Za-z]", data)
    data.encode("utf-8")


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_document_adds_a_line_to_the_prompt(title: str, text: str) -> None:
    offers = offered([hit("补贴按月发放。" + text, title="办法" + title)], [])
    lines = shown(offers, DAY).splitlines()
    if offers:
        assert lines[0] == "<文件 A1>"
        assert lines[-1] == "</文件>"
        assert [line[:5] for line in lines[2:-1]] == [f"{offer.token}｜" for offer in offers][: len(lines)]


def _fields(one: Hit) -> tuple[object, ...]:
    return (one.ref, one.score, one.address, one.heading, one.text, one.start, one.end, one.document)
