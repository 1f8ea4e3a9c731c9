"""Policy cards: read from headings, questions and sentences, kept with spans, corrected by editors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import Document, Facts, Rank
from eval.cards import judge, read_gold, sample_cards
from eval.conflicts import published
from ingest.document import make_document
from kb.curation.card_rows import CardLine, card_change, card_line, card_lines, save_cards
from kb.curation.cards import Card, cards
from kb.schema import cards as card_table
from policydesk.app import Desk, open_desk
from tests.conftest import SAMPLES

GUIDE = Facts("高龄津贴申领办事指南", rank=Rank.GUIDE, kind="办事指南", region="900100", phone="0900-1234570")
RULE = Facts("临澜市高龄津贴办法", rank=Rank.NORMATIVE_DOCUMENT, kind="办法", region="900100")
TEXT = """# 高龄津贴申领办事指南

## 受理条件

本市户籍，年满80周岁。

## 申请材料

1. 身份证；
2. 户口簿。

## 办理时限

10个工作日。

## 办理窗口

户籍所在地社区。

## 咨询电话

0900-1234570
"""


def make(facts: Facts, text: str, source: str = "a.md") -> Document:
    return make_document(facts, text, source, name=None, chunk_chars=1200)


def rule(*articles: str, facts: Facts = RULE) -> Document:
    lines = [f"第{sign}条　{words}" for sign, words in zip("一二三四五六", articles, strict=False)]
    return make(facts, "\n".join([facts.title, *lines]))


def values(document: Document) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for card in cards(document):
        found.setdefault(card.name, []).append(card.value)
    return found


# read by rules


def test_fields_of_a_guide_are_lines_of_its_card() -> None:
    assert values(make(GUIDE, TEXT)) == {
        "条件": ["本市户籍，年满80周岁。"], "材料": ["1. 身份证；\n2. 户口簿。"], "期限": ["10个工作日。"],
        "渠道": ["户籍所在地社区。"], "咨询电话": ["0900-1234570"],
    }


def test_sentences_of_a_rule_are_lines_of_its_card() -> None:
    found = values(rule(
        "具有本市户籍、年满八十周岁的老年人，可以领取高龄津贴。",
        "高龄津贴每人每月一百元。",
        "申请人持身份证、户口簿到户籍所在地社区申请，逾期不予受理。",
        "街道办事处应当自受理之日起十个工作日内审核。",
    ))
    assert found["对象"] == ["具有本市户籍、年满八十周岁的老年人，可以领取高龄津贴。"]
    assert found["标准"] == ["高龄津贴每人每月一百元。"]
    assert found["材料"] == found["渠道"] == ["申请人持身份证、户口簿到户籍所在地社区申请"]
    assert found["期限"] == ["街道办事处应当自受理之日起十个工作日内审核。"]


def test_a_list_stays_with_what_introduces_it() -> None:
    words = "高龄津贴标准为：\n（一）八十周岁以上，每人每月一百元；\n（二）一百周岁以上，每人每月六百元。"
    assert values(rule("为弘扬敬老风尚，制定本办法。", words))["标准"] == [words]


def test_an_answer_is_the_line_that_its_question_asks_for() -> None:
    facts = replace(GUIDE, title="失业保险金常见问题", rank=Rank.FAQ)
    text = "失业保险金常见问题\n\n问：每个月能领多少钱？\n答：每人每月1680元。\n\n问：怎么申请？\n答：登录“临澜通”。\n"
    found = values(make(facts, text))
    assert found["标准"] == ["每人每月1680元。"]
    assert found["渠道"] == ["登录“临澜通”。"]


def test_fines_are_no_standard() -> None:
    assert "标准" not in values(rule("适用于本市居民。", "逾期不办理登记的，处五百元罚款。"))


def test_what_is_no_policy_has_no_card() -> None:
    law = Facts("中华人民共和国养老法", rank=Rank.LAW)
    assert cards(rule("老年人可以申请津贴每人每月一百元。", facts=law)) == []
    assert cards(rule("每人每月一百元补贴。", facts=replace(RULE, kind="新闻"))) == []


def test_the_number_of_the_page_is_told_where_the_text_has_none() -> None:
    found = cards(make(GUIDE, TEXT.replace("## 咨询电话\n\n0900-1234570\n", "")))
    assert [card for card in found if card.name == "咨询电话"] == [Card("咨询电话", "0900-1234570", None, None, "")]


def test_every_value_of_the_samples_stands_in_its_text() -> None:
    from eval.conflicts import read_documents

    for document in read_documents(SAMPLES / "policies"):
        for card in cards(document):
            assert card.start is None or document.text[card.start : card.end] == card.value


def test_cards_of_the_samples_are_nearly_as_read_by_eye() -> None:
    gold = read_gold()
    scores, losses = judge(sample_cards(SAMPLES / "policies", list(gold)), gold)
    assert sum(score.right for score in scores) / sum(score.lines for score in scores) >= 0.95, losses
    assert sum(score.found for score in scores) / sum(score.wanted for score in scores) >= 0.93, losses


# kept, and corrected


@pytest.fixture
def desk(config: Config, tmp_path: Path) -> Iterator[Desk]:
    light = config.model_copy(update={
        "storage": config.storage.model_copy(update={"vectors": ":memory:", "min_free_mb": 0}),
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"terms": False}),
    })
    with open_desk(light, tmp_path) as opened:
        opened.base.add([make(GUIDE, TEXT)], publish=True)
        yield opened


def lines_of(desk: Desk, document: Document) -> list[CardLine]:
    return desk.base.read(lambda connection: card_lines(connection, document))


def change(desk: Desk, document: Document, name: str, value: str, number: int | None = 1) -> None:
    desk.base.editing.edit(document.id, card_change(lines_of(desk, document), name, number, value), "小王")


def named(lines: Sequence[CardLine], name: str) -> list[CardLine]:
    return [line for line in lines if line.name == name]


def test_saved_cards_are_what_the_rules_read() -> None:
    document = make(GUIDE, TEXT)
    with published([document]) as connection:
        save_cards(connection, [document])
        save_cards(connection, [document])
        assert len(connection.execute(select(card_table)).all()) == len(cards(document))
        assert [line.value for line in card_lines(connection, document)] == [
            card.value for name in ("条件", "材料", "期限", "渠道", "咨询电话")
            for card in cards(document) if card.name == name
        ]


def test_an_editors_value_stands_in_for_what_was_read(desk: Desk) -> None:
    document = make(GUIDE, TEXT)
    change(desk, document, "期限", "20个工作日")
    [line] = named(lines_of(desk, document), "期限")
    assert (line.value, line.method, line.extracted) == ("20个工作日", "editor", "10个工作日。")
    assert document.text[line.start : line.end] == line.extracted
    desk.base.editing.undo(line.edit or 0, "小王")
    assert named(lines_of(desk, document), "期限")[0].method == "rule"


def test_a_second_change_takes_the_place_of_the_first(desk: Desk) -> None:
    document = make(GUIDE, TEXT)
    change(desk, document, "期限", "20个工作日")
    change(desk, document, "期限", "30个工作日")
    assert [line.value for line in named(lines_of(desk, document), "期限")] == ["30个工作日"]


def test_editors_add_and_take_out_lines(desk: Desk) -> None:
    document = make(GUIDE, TEXT)
    change(desk, document, "渠道", "网上申请", None)
    change(desk, document, "渠道", "电话申请", None)
    change(desk, document, "渠道", "掌上申请", 2)
    change(desk, document, "条件", "")
    lines = lines_of(desk, document)
    assert [line.value for line in named(lines, "渠道")] == ["户籍所在地社区。", "掌上申请", "电话申请"]
    assert named(lines, "条件")[0].value == ""


def test_a_new_reading_keeps_a_change_or_shows_the_conflict(desk: Desk) -> None:
    change(desk, make(GUIDE, TEXT), "期限", "20个工作日")
    same = make(GUIDE, TEXT.replace("户籍所在地社区", "任意一个社区"))
    desk.base.add([same], publish=True)
    [line] = named(lines_of(desk, same), "期限")
    assert (line.value, line.conflict) == ("20个工作日", False)
    other = make(GUIDE, TEXT.replace("10个工作日", "5个工作日"))
    desk.base.add([other], publish=True)
    read, edited = named(lines_of(desk, other), "期限")
    assert (read.value, read.method) == ("5个工作日。", "rule")
    assert (edited.value, edited.extracted, edited.conflict) == ("20个工作日", "10个工作日。", True)


def test_a_line_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(NotFound, match="没有第 3 行"):
        card_line([], "期限", 3)
    with pytest.raises(PolicyDeskError, match="没有“价格”一栏"):
        card_change([], "价格", None, "十元")
    with pytest.raises(PolicyDeskError, match="不能是空的"):
        card_change([], "期限", None, "")
