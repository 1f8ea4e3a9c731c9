"""What is put before a model: few articles, the right part of long ones, and nothing that ends what holds it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from core.records import Hit
from qa.draft_sources import as_data, offered, shown, whole_rules
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


def test_a_long_table_is_shown_in_part_and_cited_whole() -> None:
    rows = "\n".join(f"| 第{n}档 | {n}元 |" for n in range(200))
    table = hit("| 档次 | 标准 |\n|---|---|\n" + rows)
    at = table.start + table.text.index("| 第150档")
    (offer, *_) = offered([Hit(*_fields(table), (at, at + 20))], [])
    line = next(line for line in shown([offer], DAY).splitlines() if line.startswith("A1-1"))
    assert offer.quote == table.text
    assert len(line) < 1_000
    assert "| 档次 | 标准 |" in line
    assert "第150档" in line


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
