"""Bodies, those concerned, materials and conditions, as rules read them."""

from __future__ import annotations

import pytest

from core.records import Document, Facts
from ingest.document import make_document
from kb.graph.duties import duties
from kb.graph.edges import edges_of
from kb.graph.relations import Reference, Relation
from kb.graph.requirements import requirements

TITLE = "临江市养犬管理条例"


def document(*articles: str, title: str = TITLE, issuer: str | None = None) -> Document:
    names = "一二三四五六七八九"
    lines = [f"第{names[n]}条　{text}" for n, text in enumerate((*articles, "自公布之日起施行。"))]
    return make_document(
        Facts(title, issuer=issuer), "\n".join([title, *lines]), "a.md", name=None, chunk_chars=1200
    )


def of(kind: Relation, *articles: str, title: str = TITLE) -> list[tuple[str, str]]:
    """(name, part) of the edges of one kind; every span is checked against the text."""
    read = document(*articles, title=title)
    found: list[Reference] = [
        edge for edge in (*duties(read), *requirements(read)) if edge.kind is kind and edge.article is not None
    ]
    assert all(edge.name in read.text[edge.start : edge.end] for edge in found)
    return [(edge.name, edge.part) for edge in found]


@pytest.mark.parametrize(("text", "body", "what"), [
    ("市公安机关负责全市养犬管理工作。", "市公安机关", "全市养犬管理工作"),
    ("县级人民政府农业主管部门主管本县的动物防疫工作。", "县级人民政府农业主管部门", "本县的动物防疫工作"),
    ("本办法由市公安局负责解释。", "市公安局", "解释"),
    ("本办法由市公安局会同市城管局组织实施。", "市公安局", "本办法"),
    ("（三）市财政局按照职责分工负责经费保障。", "市财政局", "经费保障"),
    ("国务院负责粮食工作的部门负责全国粮食调控。", "国务院负责粮食工作的部门", "全国粮食调控"),
    ("县（市、区）人民政府负责本区域的工作。", "县（市、区）人民政府", "本区域的工作"),
    ("支持企业用工。（市人社局、市财政局负责）", "市人社局、市财政局", "支持企业用工"),
])
def test_a_body_is_responsible_for_something(text: str, body: str, what: str) -> None:
    assert of(Relation.RESPONSIBLE, text) == [(body, what)]


@pytest.mark.parametrize("text", [
    "单位主要负责人应当到场。", "对直接负责的主管人员给予处分。", "申请人对材料的真实性负责。", "其负责办理。",
    "费用由申请人承担。", "由城市供水行政主管部门责令改正。",
])
def test_nobody_is_responsible_by_the_mere_word(text: str) -> None:
    assert of(Relation.RESPONSIBLE, text) == []


@pytest.mark.parametrize(("text", "whom"), [
    ("本条例适用于本市行政区域内的养犬活动。", ["本市行政区域内的养犬活动"]),
    ("在本市行政区域内养犬及其管理，适用本条例。", ["在本市行政区域内养犬及其管理"]),
    ("军用犬不适用本条例。", []),
    ("违反规定的，适用本条例第八条。", []),
])
def test_whom_a_rule_applies_to(text: str, whom: list[str]) -> None:
    assert [name for name, _ in of(Relation.APPLIES_TO, text)] == whom


def test_materials_belong_to_what_is_applied_for() -> None:
    text = "申请养犬登记的，应当提交下列材料：\n（一）身份证明；\n（二）犬只免疫证明。\n材料齐全的，当场办结。"
    found = of(Relation.MATERIAL, text)
    assert found == [("身份证明", "申请养犬登记"), ("犬只免疫证明", "申请养犬登记")]


def test_conditions_are_read_from_a_run_together_text() -> None:
    text = "从事犬类经营应当具备下列条件：（一）有固定场所；（二）有防疫设施。违反规定的，责令改正。"
    found = of(Relation.CONDITION, text)
    assert found == [("有固定场所", "从事犬类经营"), ("有防疫设施", "从事犬类经营")]


def test_circumstances_and_technical_demands_are_no_conditions() -> None:
    assert of(Relation.CONDITION, "有下列情形之一的，不予登记：（一）甲；（二）乙。") == []
    assert of(Relation.CONDITION, "工地应当符合下列防尘要求：（一）围挡封闭；（二）洒水降尘。") == []


def test_the_sections_of_a_guide_are_lists() -> None:
    text = (
        "# 养犬登记办事指南\n\n## 受理条件\n\n1. 有本市固定住所；\n2. 年满十八周岁。\n\n"
        "## 申请材料\n\n1. 身份证；\n2. 房产证或者租赁合同。\n"
    )
    guide = make_document(Facts("养犬登记办事指南"), text, "a.md", name=None, chunk_chars=1200)
    found = [(edge.kind, edge.name, edge.part) for edge in requirements(guide)]
    assert found == [
        (Relation.CONDITION, "有本市固定住所", "养犬登记"), (Relation.CONDITION, "年满十八周岁", "养犬登记"),
        (Relation.MATERIAL, "身份证", "养犬登记"), (Relation.MATERIAL, "房产证或者租赁合同", "养犬登记"),
    ]


def test_the_issuer_is_told_with_the_place_where_it_stands() -> None:
    read = document("临江市公安局负责。", issuer="临江市公安局")
    edge = next(edge for edge in duties(read) if edge.kind is Relation.ISSUED_BY)
    assert read.text[edge.start : edge.end] == edge.name == "临江市公安局"


def test_issuers_stand_in_a_title() -> None:
    read = document("总则。", title="最高人民法院、最高人民检察院关于办理养犬案件的解释")
    bodies = [edge for edge in duties(read) if edge.kind is Relation.ISSUED_BY]
    assert [edge.name for edge in bodies] == ["最高人民法院", "最高人民检察院"]
    assert [read.text[edge.start : edge.end] for edge in bodies] == ["最高人民法院", "最高人民检察院"]


def test_edges_come_as_the_text_runs() -> None:
    read = document(
        "根据《动物防疫法》，制定本条例。", "市公安局负责养犬管理。", "《犬类管理办法》同时废止。", issuer="市公安局"
    )
    found = [edge for edge in edges_of(read) if edge.article is not None]
    assert [edge.kind for edge in found] == [Relation.BASIS, Relation.RESPONSIBLE, Relation.REPEALS]
    assert [edge.start for edge in found] == sorted(edge.start for edge in found)
