"""What a document ends by its own words, and what it only speaks of."""

from __future__ import annotations

import pytest

from core.records import Facts
from ingest.document import make_document
from kb.graph.references import references
from kb.graph.relations import Reference, Relation
from kb.graph.repeal_numbers import find_doc_no

TITLE = "临江市养犬管理条例"
ENDS = (Relation.REPEALS, Relation.SUPERSEDES, Relation.PREVAILS)


def read(text: str, title: str = TITLE) -> list[tuple[str, Reference]]:
    """(words, edge) of each edge that ends something, or a part of something."""
    whole = f"{title}\n第一条　总则。\n第二条　{text}"
    document = make_document(Facts(title), whole, "a.md", name=None, chunk_chars=1200)
    return [
        (document.text[edge.start : edge.end], edge)
        for edge in references(document) if edge.kind in ENDS or (edge.kind is Relation.AMENDS and edge.part)
    ]


def ended(text: str, title: str = TITLE) -> list[str]:
    return [edge.name for _, edge in read(text, title) if edge.kind is Relation.REPEALS and edge.address is None]


@pytest.mark.parametrize("text", [
    "本条例自2024年5月1日起施行。《临江市犬类管理办法》同时废止。",
    "本条例施行后，2003年3月1日市人民政府公布的《临江市犬类管理办法》即行废止。",
    "《临江市犬类管理办法》自本条例施行之日起废止。",
    "《临江市犬类管理办法》不再执行；以前的规定与本条例不一致的，以本条例为准。",
    "决定废止《临江市犬类管理办法》。",
    "现将《临江市犬类管理办法》予以废止。",
    "自本条例公布之日起，停止执行《临江市犬类管理办法》。",
    "1990年通过，根据2001年《关于修改部分地方性法规的决定》修正的《临江市犬类管理办法》同时废止。",
    "1990年通过，2001年《关于修改部分法规的决定》第一次修正的《临江市犬类管理办法》，同时失效。",
])
def test_a_repeal_is_read_in_every_wording(text: str) -> None:
    found = read(text)
    assert [(words, edge.kind, edge.name, edge.address) for words, edge in found] == [
        ("《临江市犬类管理办法》", Relation.REPEALS, "临江市犬类管理办法", None)
    ]
    assert found[0][1].article == 1


@pytest.mark.parametrize("text", [
    "《临江市犬类管理办法》不得废止。",
    "《临江市犬类管理办法》拟予废止。",
    "建议《临江市犬类管理办法》予以废止。",
    "《临江市犬类管理办法》应当予以废止。",
    "其上位法《临江市犬类管理办法》已废止。",
    "已被《临江市犬类管理办法》代替。",
    "根据《国务院关于废止和修改部分行政法规的决定》修订。",
    "修改或者废止《临江市犬类管理办法》的，应当公布。",
    "“《临江市犬类管理办法》同时废止”的规定继续有效。",
    "《养犬登记证》有效期满，不办理延续手续的，《养犬登记证》自行废止。",
    "用光盘代替《临江市养犬登记办法》的附件。",
    "2011年印发《关于清理文件的通知》，要求自12月1日起停止执行有关措施。",
    "《临江市犬类管理办法》废止后，已发的证件继续有效。",
])
def test_what_is_not_ended_here_gives_no_edge(text: str) -> None:
    assert read(text) == []


def test_who_explains_a_rule_repeals_nothing() -> None:
    assert ended("《临江市犬类管理办法》同时废止。", f"《{TITLE}》解读") == []


def test_a_list_is_repealed_whole() -> None:
    found = ended("《甲区养犬办法》、市公安局发布的《乙区养犬办法》和1998年印发的《丙区养犬规定》同时废止。")
    assert found == ["甲区养犬办法", "乙区养犬办法", "丙区养犬规定"]


def test_a_list_goes_on_behind_who_issued_and_amended_an_entry() -> None:
    found = ended(
        "1995年通过、根据1997年《关于修改〈甲区养犬办法〉的决定》修正的《甲区养犬办法》，1989年12月13日市人民政府第38号令发布、"
        "根据1997年12月31日市人民政府第12号令修改的《乙区养犬办法》，1996年市规划局发布的《丙区养犬规定》同时废止。"
    )
    assert found == ["甲区养犬办法", "乙区养犬办法", "丙区养犬规定"]


def test_a_rule_cited_before_the_list_is_not_in_it() -> None:
    assert ended("根据《临江市立法条例》，《临江市犬类管理办法》同时废止。") == ["临江市犬类管理办法"]


def test_name_and_number_give_two_edges() -> None:
    found = read("《关于养犬的通知》（临政发[2003]012号）同时废止。")
    assert [(edge.name, edge.doc_no) for _, edge in found] == [
        ("关于养犬的通知", "临政发〔2003〕12号"), ("临政发〔2003〕12号", "临政发〔2003〕12号"),
    ]


def test_each_name_of_a_list_has_its_own_number() -> None:
    found = read("原市公安局令第8号公布的《甲养犬办法》、原市公安局令第15号公布的《乙养犬办法》同时废止。")
    assert [(edge.name, edge.doc_no) for _, edge in found if edge.name != edge.doc_no] == [
        ("甲养犬办法", "市公安局令第8号"), ("乙养犬办法", "市公安局令第15号"),
    ]


def test_a_number_alone_is_enough() -> None:
    found = read("临政发〔2003〕12号文件执行到2023年12月31日，自2024年1月1日停止执行。")
    assert [(edge.name, edge.doc_no, edge.day) for _, edge in found] == [
        ("临政发〔2003〕12号", "临政发〔2003〕12号", "2024-01-01")
    ]


@pytest.mark.parametrize(("text", "day"), [
    ("《临江市犬类管理办法》于2023年12月31日停止执行。", "2023-12-31"),
    ("自二〇二四年一月一日起，《临江市犬类管理办法》同时废止。", "2024-01-01"),
    ("《临江市犬类管理办法》自本条例施行之日起废止。", None),
])
def test_another_day_than_the_documents_own_is_told(text: str, day: str | None) -> None:
    assert [edge.day for _, edge in read(text)] == [day]


def test_single_articles_are_repealed_by_their_address() -> None:
    found = read("《临江市市容条例》第五条第二款、第九条同时废止。")
    assert [(edge.kind, edge.name, edge.address, edge.part) for _, edge in found] == [
        (Relation.REPEALS, "临江市市容条例", "第五条", "第二款"), (Relation.REPEALS, "临江市市容条例", "第九条", ""),
    ]


def test_a_part_without_address_amends() -> None:
    found = read("《临江市市容条例》中有关养犬的规定同时废止。")
    assert [(edge.kind, edge.address, edge.part) for _, edge in found] == [(Relation.AMENDS, None, "中有关养犬的规定")]


def test_this_rule_takes_the_place_of_another() -> None:
    found = [read(text)[0][1] for text in ("本条例取代《犬类管理办法》。", "《犬类管理办法》由本条例代替。")]
    assert [(edge.kind, edge.name) for edge in found] == [(Relation.SUPERSEDES, "犬类管理办法")] * 2


def test_where_two_differ_this_one_prevails_and_the_other_goes_on() -> None:
    found = read("《临江市市容条例》与本条例不一致的，以本条例为准。")
    assert [(edge.kind, edge.name) for _, edge in found] == [(Relation.PREVAILS, "临江市市容条例")]


def test_the_title_of_a_decision_names_what_it_repeals() -> None:
    title = "临江市人民政府关于废止《临江市犬类管理办法》的决定"
    assert ended("经研究，作出决定。", title) == ["临江市犬类管理办法"]


def test_a_repealed_name_is_not_cited_as_well() -> None:
    document = make_document(
        Facts(TITLE), f"{TITLE}\n第一条　《犬类管理办法》同时废止。", "a.md", name=None, chunk_chars=1200
    )
    assert [edge.kind for edge in references(document)] == [Relation.REPEALS]


# lists


def test_the_entries_of_a_list_are_read_and_their_reasons_are_not() -> None:
    found = read(
        "附件：废止的规范性文件目录 一、决定废止的规范性文件目录（3件）"
        " 1.养犬管理试行规定 发文单位：市公安局 文号：临公发〔1990〕3号"
        " 说明：已被《养犬管理规定》（临公发〔2001〕5号）代替。 2.863计划管理办法 发文单位：市科技局"
        " 3.《养犬办法》实施细则 发文单位：市公安局 二、继续有效的文件目录（1件） 1.市容管理规定 发文单位：市城管局",
        "临江市人民政府关于公布规范性文件清理结果的通知",
    )
    assert [(edge.name, edge.doc_no) for _, edge in found if edge.name != edge.doc_no] == [
        ("养犬管理试行规定", "临公发〔1990〕3号"), ("863计划管理办法", None), ("养犬办法实施细则", None),
    ]


def test_a_table_tells_by_a_column_what_is_repealed() -> None:
    found = ended(
        "清理结果如下。\n| 序号 | 文件 | 结果 |\n| --- | --- | --- |\n| 1 | 《甲办法》 | 保留 |\n"
        "| 2 | 《乙办法》（临政〔2001〕2号） | 废止 |",
        "临江市规范性文件清理结果",
    )
    assert found == ["乙办法", "临政〔2001〕2号"]


@pytest.mark.parametrize(("words", "number"), [
    ("（法释〔2002〕30号）", "法释〔2002〕30号"), ("（公安部令第102号）", "公安部令第102号"),
    ("（公安部第69号令）", "公安部令第69号"), ("（法（研）发〔1987〕32号）", "法（研）发〔1987〕32号"),
    ("（2000年2月16日国科发政字[2000]063号）", "国科发政字〔2000〕63号"), ("（1990年）", None),
    ("教育部国科发高字〔2000〕530号", "国科发高字〔2000〕530号"),
])
def test_numbers_are_cut_free_and_written_one_way(words: str, number: str | None) -> None:
    assert find_doc_no(words) == number
