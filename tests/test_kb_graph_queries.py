"""The graph answers from what is published now: neighbours, paths, what carries out what, and open ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.errors import NotFound
from core.records import Document
from kb.base import KnowledgeBase
from kb.graph.ends import find_node, open_ends, quotes, responsible
from kb.graph.export import whole_graph
from kb.graph.paths import implementing, path
from kb.graph.queries import Found, neighbours
from kb.graph.records import GraphOptions, Node, Sort, article_node, document_node
from tests.graph_samples import ALONE, CITY, LAW, NOTICE, REGISTER, RULES, WORLD, make, opened

Row = tuple[int, bool, str, str, str]


@pytest.fixture(scope="module")
def world(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Shared: do not write to it."""
    with opened(config, tmp_path_factory.mktemp("world"), *WORLD) as base:
        yield base


@pytest.fixture
def own(each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with opened(each_database, tmp_path / "home", *WORLD) as base:
        yield base


def whole(document: Document) -> Node:
    return document_node(document.id, document.facts.title)


def part(document: Document, number: int) -> Node:
    return article_node(document.id, document.facts.title, number - 1, document.articles[number - 1].address)


def row(found: Found) -> Row:
    return found.hop, found.forward, found.edge.kind, found.edge.source.label, found.edge.target.label


def around(
    base: KnowledgeBase, node: Node, options: GraphOptions | None = None, *, hops: int = 1, whole: bool = False
) -> set[Row]:
    options = options or GraphOptions(kinds=frozenset(("cites", "basis", "implements", "defines")))
    with base.reading() as connection:
        return {row(found) for found in neighbours(connection, node, options, hops=hops, whole=whole)}


# neighbours


def test_a_document_is_joined_to_what_it_names_and_to_what_names_it(world: KnowledgeBase) -> None:
    assert around(world, whole(RULES)) == {
        (1, True, "implements", "动物防疫法实施细则", "中华人民共和国动物防疫法"),
        (1, True, "basis", "动物防疫法实施细则 第一条", "中华人民共和国动物防疫法"),
        (1, True, "cites", "动物防疫法实施细则 第二条", "中华人民共和国动物防疫法 第一条"),
        (1, False, "cites", "临江市养犬管理条例 第三条", "动物防疫法实施细则 第二条"),
    }


def test_an_article_is_joined_to_others_of_its_own_document_too(world: KnowledgeBase) -> None:
    assert around(world, part(LAW, 1)) == {
        (1, False, "cites", "中华人民共和国动物防疫法 第三条", "中华人民共和国动物防疫法 第一条"),
        (1, False, "cites", "动物防疫法实施细则 第二条", "中华人民共和国动物防疫法 第一条"),
    }


def test_two_hops_go_on_from_the_articles_that_one_hop_reached(world: KnowledgeBase) -> None:
    found = around(world, part(CITY, 3), hops=2)
    assert (1, True, "cites", "临江市养犬管理条例 第三条", "动物防疫法实施细则 第二条") in found
    assert (2, True, "cites", "动物防疫法实施细则 第二条", "中华人民共和国动物防疫法 第一条") in found
    assert {one[0] for one in found} == {1, 2}


def test_a_missing_document_joins_those_that_name_it(world: KnowledgeBase) -> None:
    missing = Node("open:犬只登记办法", Sort.OPEN, "犬只登记办法")
    assert around(world, missing) == {
        (1, False, "cites", "临江市养犬管理条例 第四条", "犬只登记办法"),
        (1, False, "cites", "临江市公安局关于做好犬只登记工作的通知 第一条", "犬只登记办法"),
    }
    assert (1, True, "cites", "临江市养犬管理条例 第四条", "犬只登记办法") in around(world, part(CITY, 4))


def test_directions_kinds_and_the_number_of_edges_can_be_limited(world: KnowledgeBase) -> None:
    kinds = frozenset(("basis",))
    assert len(around(world, whole(LAW), GraphOptions(kinds=kinds))) == 2
    assert len(around(world, whole(LAW), GraphOptions(kinds=kinds, limit=1))) == 1
    assert around(world, whole(LAW), GraphOptions(kinds=kinds, incoming=False)) == set()
    assert around(world, whole(CITY), GraphOptions(kinds=frozenset(("cites",)), outgoing=False)) == {
        (1, False, "cites", "临江市公安局关于做好犬只登记工作的通知 第一条", "临江市养犬管理条例 第四条"),
    }


def test_edges_carry_their_words_and_who_found_them(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        found = neighbours(connection, part(CITY, 3), GraphOptions(incoming=False, kinds=frozenset(("cites",))))
        words = quotes(connection, [one.edge for one in found])
    (edge,) = [one.edge for one in found]
    assert edge.method == "rule"
    assert words[edge.document, edge.number] == "《动物防疫法实施细则》第二条" == CITY.text[edge.start : edge.end]


def test_terms_are_nodes(world: KnowledgeBase) -> None:
    assert (1, True, "defines", "临江市养犬管理条例 第二条", "犬只") in around(world, whole(CITY))
    assert around(world, Node("term:犬只", Sort.TERM, "犬只")) == {
        (1, False, "defines", "临江市养犬管理条例 第二条", "犬只"),
    }


# paths and what carries out what


def test_the_shortest_path_names_its_edges_and_their_directions(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        way = path(connection, NOTICE.id, RULES.id)
        back = path(connection, RULES.id, NOTICE.id)
        same = path(connection, LAW.id, LAW.id)
    assert way is not None
    assert back is not None
    assert [row(step) for step in way] == [
        (1, True, "cites", "临江市公安局关于做好犬只登记工作的通知 第一条", "临江市养犬管理条例 第四条"),
        (2, True, "cites", "临江市养犬管理条例 第三条", "动物防疫法实施细则 第二条"),
    ]
    assert [step.forward for step in back] == [False, False]
    assert same == []


def test_documents_that_nothing_joins_have_no_path(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        assert path(connection, ALONE.id, LAW.id) is None
        assert path(connection, LAW.id, NOTICE.id, GraphOptions(incoming=False)) is None


def test_what_carries_out_a_law_is_found_from_both_ends(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        below = implementing(connection, whole(LAW), GraphOptions(), basis=False)
        above = implementing(connection, whole(RULES), GraphOptions(), basis=False)
        grounded = implementing(connection, whole(LAW), GraphOptions(), basis=True)
    assert [row(one) for one in below] == [
        (1, False, "implements", "动物防疫法实施细则", "中华人民共和国动物防疫法"),
    ]
    assert [row(one) for one in above] == [(1, True, *row(below[0])[2:])]
    assert {one.edge.source.document for one in grounded} == {RULES.id, CITY.id}


# what is published now


def test_both_databases_answer_alike(world: KnowledgeBase, own: KnowledgeBase) -> None:
    for node in (whole(LAW), whole(CITY), part(LAW, 1), Node("term:犬只", Sort.TERM, "犬只")):
        for options in (GraphOptions(), GraphOptions(as_of=date(2022, 6, 1), limit=3)):
            assert around(own, node, options, hops=2) == around(world, node, options, hops=2)
    for base in (world, own):
        with base.reading() as connection:
            way = path(connection, NOTICE.id, LAW.id, GraphOptions(as_of=date(2024, 1, 1)))
            assert way is not None
            assert len(way) == 2
            assert len(whole_graph(connection).edges) == len(whole_graph(connection, GraphOptions(limit=1)).edges) > 20


def test_an_open_end_closes_when_its_document_arrives_and_opens_when_it_goes(own: KnowledgeBase) -> None:
    def ends() -> list[tuple[str, int, int]]:
        with own.reading() as connection:
            return [(end.name, end.edges, end.documents) for end in open_ends(connection)]

    def targets() -> set[Sort]:
        with own.reading() as connection:
            found = neighbours(connection, part(CITY, 4), GraphOptions(incoming=False, kinds=frozenset(("cites",))))
        return {one.edge.target.sort for one in found}

    assert ends() == [("犬只登记办法", 2, 2)]
    assert targets() == {Sort.OPEN}
    own.add([REGISTER], publish=True)
    assert ends() == []
    assert targets() == {Sort.ARTICLE}
    own.withdraw(REGISTER.id)
    assert ends() == [("犬只登记办法", 2, 2)]
    assert targets() == {Sort.OPEN}


def test_what_a_withdrawn_document_says_is_gone_from_every_answer(own: KnowledgeBase) -> None:
    own.withdraw(CITY.id)
    with own.reading() as connection:
        assert path(connection, NOTICE.id, LAW.id) is None
        assert [end.edges for end in open_ends(connection)] == [1, 1]      # the notice's two
        below = implementing(connection, whole(LAW), GraphOptions(), basis=True)
        assert {one.edge.source.document for one in below} == {RULES.id}
        with pytest.raises(NotFound):
            find_node(connection, CITY.id)
    assert around(own, whole(CITY)) == set()
    assert not [one for one in around(own, whole(LAW), hops=2) if "养犬" in one[3]]


def test_a_name_means_the_version_in_force_and_a_repealed_one_when_there_is_no_other(own: KnowledgeBase) -> None:
    old = replace(LAW.facts, dated=date(2015, 1, 1), effective_from=date(2015, 5, 1))
    before = make(old, "旧法。", source="old.md")
    own.add([before, make(replace(REGISTER.facts, effective_to=date(2021, 1, 1)), "甲。")], publish=True)
    with own.reading() as connection:
        assert find_node(connection, "动物防疫法", as_of=date(2016, 1, 1)).document == before.id
        assert find_node(connection, "《中华人民共和国动物防疫法》").document == LAW.id
        assert open_ends(connection) == []
        ended = neighbours(connection, part(CITY, 4), GraphOptions(as_of=date(2024, 1, 1), incoming=False))
    assert Sort.OPEN not in {one.edge.target.sort for one in ended}


def test_a_document_is_found_by_id_title_number_and_article(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        assert find_node(connection, NOTICE.id).label == NOTICE.facts.title
        assert find_node(connection, "临公发〔2024〕3号").document == NOTICE.id
        assert find_node(connection, "《动物防疫法》", address="第三条") == part(LAW, 3)
        assert find_node(connection, "养犬管理条例").document == CITY.id
        for text, address in (("没有的办法", None), ("条例", None), ("", None), (LAW.id, "第九条")):
            with pytest.raises(NotFound):
                find_node(connection, text, address=address)


# who is responsible


def test_the_body_in_charge_comes_with_its_number_and_its_words(own: KnowledgeBase) -> None:
    rule = make(
        replace(CITY.facts, title="临江市养犬登记规定"),
        "市公安局负责养犬登记，电话0571-87654321。", "市农业农村局负责犬只免疫。", "犬只应当登记。",
    )
    own.add([rule], publish=True)
    with own.reading() as connection:
        third = responsible(connection, [(rule.id, 2)], "养犬登记")
        second = responsible(connection, [(rule.id, 1)])
        assert responsible(connection, []) == []
    assert [(one.body, one.what, one.phone, one.hit) for one in third] == [
        ("市公安局", "养犬登记", "0571-87654321", False),
        ("市农业农村局", "犬只免疫", "0571-81234567", False),
    ]
    assert third[0].quote == rule.text[third[0].edge.start : third[0].edge.end]
    assert third[0].likeness == 1.0
    assert [(one.body, one.hit) for one in second] == [("市农业农村局", True), ("市公安局", False)]
