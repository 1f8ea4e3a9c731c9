"""The graph in files that other programs read, and as a picture."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import networkx
import pytest

from core.config import Config
from core.records import Document
from kb.base import KnowledgeBase
from kb.graph.export import Graph, graphml_lines, json_lines, part_of_graph, whole_graph
from kb.graph.queries import neighbours
from kb.graph.records import Edge, GraphOptions, Node, Sort, document_node, named_node
from tests.graph_samples import CITY, LAW, RULES, WORLD, opened


@pytest.fixture(scope="module")
def world(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    with opened(config, tmp_path_factory.mktemp("world"), *WORLD) as base:
        yield base


@pytest.fixture(scope="module")
def graph(world: KnowledgeBase) -> Graph:
    with world.reading() as connection:
        return whole_graph(connection)


def text_of(document_id: str) -> str:
    return next(document.text for document in WORLD if document.id == document_id)


def as_graphml(graph: Graph) -> networkx.MultiDiGraph:
    return networkx.read_graphml(io.BytesIO("\n".join(graphml_lines(graph)).encode()), force_multigraph=True)


def test_the_whole_graph_holds_every_document_and_what_edges_touch(graph: Graph) -> None:
    ids = {node.id for node in graph.nodes}
    assert {document.id for document in WORLD} <= ids
    assert {"term:犬只", "term:动物", "open:犬只登记办法", f"{LAW.id}#0"} <= ids
    assert {edge.source.id for edge in graph.edges} | {edge.target.id for edge in graph.edges} <= ids


def test_every_edge_has_its_words_in_the_text_that_says_it(graph: Graph) -> None:
    for edge in graph.edges:
        words = text_of(edge.document)[edge.start : edge.end]
        assert words or edge.kind in ("implements", "issued_by")
        if edge.kind in ("cites", "basis") and edge.target.sort is Sort.ARTICLE:
            assert words.endswith(edge.target.address or "")


def test_articles_are_joined_to_their_documents(graph: Graph) -> None:
    belonging = [edge for edge in graph.edges if edge.kind == "part_of"]
    assert {edge.source.sort for edge in belonging} == {Sort.ARTICLE}
    assert all(edge.source.document == edge.target.id for edge in belonging)


def test_graphml_is_read_by_networkx_with_every_node_and_edge(graph: Graph) -> None:
    read = as_graphml(graph)
    assert read.is_directed()
    assert read.is_multigraph()
    assert (read.number_of_nodes(), read.number_of_edges()) == (len(graph.nodes), len(graph.edges))
    assert read.nodes[LAW.id]["label"] == LAW.facts.title
    cited = [data for *_, data in read.edges(data=True) if data["kind"] == "cites" and data["said_by"] == CITY.id]
    assert {(data["method"], CITY.text[data["start"] : data["end"]]) for data in cited} == {
        ("rule", "《动物防疫法实施细则》第二条"), ("rule", "《犬只登记办法》第五条"),
    }


def test_json_is_read_by_networkx_too(graph: Graph) -> None:
    read = networkx.node_link_graph(json.loads("\n".join(json_lines(graph))), edges="edges")
    assert sorted(read.nodes) == sorted(as_graphml(graph).nodes)
    assert read.number_of_edges() == len(graph.edges)


def test_names_that_xml_cannot_hold_do_not_break_the_file() -> None:
    odd = named_node(Sort.TERM, "a<b>&\"'\x0b\ud800")
    law = document_node("1" * 16, "某法")
    graph = Graph((law, odd), (Edge(law.id, 0, "defines", "rule", law, odd, 0, 1, "<&>"),))
    assert as_graphml(graph).nodes["term:a<b>&\"'"]["label"] == "a<b>&\"'"


def test_an_empty_graph_is_a_valid_file() -> None:
    assert as_graphml(Graph((), ())).number_of_nodes() == 0
    assert json.loads("\n".join(json_lines(Graph((), ()))))["nodes"] == []


def test_a_part_of_the_graph_is_what_was_found(world: KnowledgeBase) -> None:
    start = document_node(RULES.id, RULES.facts.title)
    with world.reading() as connection:
        found = [one.edge for one in neighbours(connection, start, GraphOptions(kinds=frozenset(("cites",))))]
        part = part_of_graph(connection, start, found)
    assert {node.document for node in part.nodes} == {RULES.id, LAW.id, CITY.id}
    assert start in part.nodes


def test_kinds_limit_what_is_exported(world: KnowledgeBase) -> None:
    with world.reading() as connection:
        part = whole_graph(connection, GraphOptions(kinds=frozenset(("basis",))))
    assert {edge.kind for edge in part.edges} == {"basis", "part_of"}


def documents_of(nodes: tuple[Node, ...]) -> set[str]:
    return {node.id for node in nodes if node.sort is Sort.DOCUMENT}


def test_what_is_not_published_is_in_no_file(config: Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    with opened(config, tmp_path_factory.mktemp("other"), *WORLD) as base:
        base.withdraw(CITY.id)
        with base.reading() as connection:
            graph = whole_graph(connection)
    documents: set[Document] = {document for document in WORLD if document.id in documents_of(graph.nodes)}
    assert documents == {document for document in WORLD if document.id != CITY.id}
    assert CITY.id not in {edge.document for edge in graph.edges}
