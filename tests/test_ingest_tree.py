"""A document as a tree, and the finest address of a span."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from core.records import Document, Facts
from ingest.document import make_document
from ingest.tree import Node, address_at, structure_tree
from tests.test_ingest_cover import TEXTS

LAW = """第一编 总则
第一章 原则
第一条　甲。
第二条　乙：
（一）丙：
1.丁；
2.戊。
（二）己。
庚。
辛：
（一）壬。
第二章 附则
第三条　癸。
"""


def make(text: str, title: str = "") -> Document:
    return make_document(Facts(title), text, "a.md", name=None, chunk_chars=1200)


def outline(document: Document) -> list[str]:
    """`` kind address`` of every node, indented by depth."""
    return [f"{'  ' * node.depth}{node.kind} {node.address}" for node in structure_tree(document)]


def at(document: Document, said: str) -> str:
    start = document.text.index(said)
    return address_at(document, start, start + len(said))


def test_a_law_goes_down_to_its_last_item() -> None:
    assert outline(make(LAW)) == [
        "编 第一编",
        "  章 第一编第一章",
        "    条 第一条",
        "    条 第二条",
        "      款 第二条第一款",
        "        项 第二条第一款第（一）项",
        "          目 第二条第一款第（一）项第1目",
        "          目 第二条第一款第（一）项第2目",
        "        项 第二条第一款第（二）项",
        "      款 第二条第二款",
        "      款 第二条第三款",
        "        项 第二条第三款第（一）项",
        "  章 第一编第二章",
        "    条 第三条",
    ]


def test_an_article_of_one_paragraph_is_cited_without_it() -> None:
    document = make("第一条　甲。\n第二条　有下列情形之一的：\n（一）乙；\n（二）丙。")
    assert outline(document)[1:] == ["条 第二条", "  项 第二条第（一）项", "  项 第二条第（二）项"]


def test_a_paragraph_between_two_items_belongs_to_the_earlier_one() -> None:
    document = make("第一条　甲。\n第二条　乙：\n（一）丙。\n丁。\n（二）戊。\n己。")
    assert at(document, "丁") == "第二条第一款第（一）项"
    assert at(document, "己") == "第二条第二款"


def test_items_inside_one_line_are_told_apart() -> None:
    document = make("第一条　甲。\n第二条　有下列情形的，处罚：（一）乙的；（二）丙的。")
    assert at(document, "丙") == "第二条第（二）项"


@pytest.mark.parametrize(("said", "address"), [
    ("甲", "第一条"), ("乙", "第二条第一款"), ("丁", "第二条第一款第（一）项第1目"),
    ("戊", "第二条第一款第（一）项第2目"), ("丁；\n2.戊", "第二条第一款第（一）项"),
    ("己", "第二条第一款第（二）项"), ("庚", "第二条第二款"),
    ("丁；\n2.戊。\n（二）己", "第二条第一款"), ("庚。\n辛", "第二条第二款至第三款"), ("壬", "第二条第三款第（一）项"),
    ("癸", "第三条"), ("第三条", "第三条"), ("甲。\n第二条　乙", "第一条至第二条"), ("第二章", "第三条"),
])
def test_the_finest_address_of_a_span(said: str, address: str) -> None:
    assert at(make(LAW), said) == address


def test_a_notice_has_four_levels() -> None:
    items = "（一）甲：\n1.乙。\n（1）丙。\n（2）丁。\n2.戊。\n（二）己。"
    document = make(f"各单位：\n一、条件\n{items}\n二、附则内容由我办解释。")
    assert outline(document) == [
        "段 序言",
        "一级 一",
        "  二级 一（一）",
        "    三级 一（一）1",
        "      四级 一（一）1（1）",
        "      四级 一（一）1（2）",
        "    三级 一（一）2",
        "  二级 一（二）",
        "一级 二",
    ]
    assert at(document, "丁") == "一（一）1（2）"


def test_decimals_and_dates_are_no_items() -> None:
    assert outline(make("一、标准\n（一）费用为：\n3.5万元；\n2024.5.1起算。")) == ["一级 一", "  二级 一（一）"]


def test_fields_of_a_guide_hold_items_and_table_rows() -> None:
    table = "| 档 | 价 |\n| --- | --- |\n| 甲 | 3 |\n| 乙 | 4 |"
    items = "1. 身份证；\n2. 户口簿。"
    document = make(f"申请条件\n本市户籍。\n申请材料\n{items}\n办理时限：五日\n收费标准\n按下表：\n{table}")
    assert outline(document) == [
        "字段 申请条件",
        "字段 申请材料",
        "  三级 申请材料·1",
        "  三级 申请材料·2",
        "字段 办理时限",
        "字段 收费标准",
        "  表 收费标准表",
        "    行 收费标准表第1行",
        "    行 收费标准表第2行",
    ]
    assert at(document, "乙 | 4") == "收费标准表第2行"
    assert at(document, "档") == "收费标准表"
    assert at(document, "按下表") == "收费标准"


def test_questions_and_bare_tables() -> None:
    assert outline(make("问：甲？\n答：乙。\n问：丙？\n答：丁。")) == ["问 问1", "问 问2"]
    assert outline(make("| 甲 |\n| --- |\n| 乙 |")) == ["表 表1", "  行 表1第1行"]


def test_an_annex_is_cited_by_its_number() -> None:
    table = "| 税目 | 税率 |\n| --- | --- |\n| 烟 | 5 |"
    assert outline(make(f"第一条　甲。\n第二条　乙。\n附件1：税率表\n{table}\n附件2：说明\n一、丙。\n二、丁。")) == [
        "条 第一条", "条 第二条", "附件 附件1", "  行 附件1第1行", "附件 附件2", "  一级 附件2·一",
        "  一级 附件2·二",
    ]
    document = make("一、甲由我局负责。\n二、乙由你局负责。\n附件1：名单\n一、丙由他局负责。\n附件2：丁")
    assert outline(document) == ["一级 一", "一级 二", "附件 附件1", "  一级 附件1·一", "附件 附件2"]


def test_a_caption_above_a_table_belongs_to_it() -> None:
    document = make("服务电话一览表\n| 单位 | 电话 |\n| --- | --- |\n| 甲 | 1 |\n注：乙。", "服务电话")
    assert outline(document) == ["段 段1", "表 表1", "  行 表1第1行", "段 段2"]


def test_a_span_after_the_last_article_has_no_address() -> None:
    document = make("第一条　甲。\n第二条　乙。\n\n")
    assert address_at(document, len(document.text) - 1, len(document.text)) == ""


def test_a_heading_node_begins_at_its_heading() -> None:
    nodes = structure_tree(make(LAW))
    assert LAW[nodes[0].start :].startswith("第一编")
    assert LAW[nodes[1].start : nodes[1].end].startswith("第一章 原则\n第一条")
    assert LAW[nodes[0].start : nodes[0].end].endswith("癸。")


@given(TEXTS)
def test_spans_are_nested_and_in_order(text: str) -> None:
    nodes = structure_tree(make(text))
    above: list[Node] = []
    for node in nodes:
        del above[node.depth :]
        assert node.depth == len(above)
        assert node.start < node.end <= len(text)
        if above:
            assert above[-1].start <= node.start <= node.end <= above[-1].end
        above.append(node)
    for one, two in pairwise(node for node in nodes if node.depth == 0):
        assert one.end <= two.start


@given(TEXTS)
def test_every_chunk_has_the_address_of_its_span(text: str) -> None:
    document = make_document(Facts(""), text, "a.md", name=None, chunk_chars=20)
    for chunk in document.chunks:
        assert address_at(document, chunk.start, chunk.end) == chunk.address
