"""The graph as a whole or in part, and the files that other programs read: GraphML and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import Connection, select

from core.records import State
from kb.graph.names import VALUES, in_list, of_kind
from kb.graph.queries import ANY, EDGES, Meanings, Resolving, on_day
from kb.graph.records import DOCUMENT_KINDS, Edge, GraphOptions, Node, Sort, article_node, document_node
from kb.rows import in_state
from kb.schema import articles, documents, edges

PART_OF = "part_of"              # of an article: joins it to its document, with the article's own span
_BATCH = 500                     # documents whose edges are read at once
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NODE_KEYS = {"sort": "string", "label": "string", "document": "string", "article": "int", "address": "string"}
_EDGE_KEYS = {
    "kind": "string", "method": "string", "said_by": "string", "number": "int", "start": "int", "end": "int",
    "part": "string",
}


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by id, and edges between them; an article has an edge to its document."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def whole_graph(connection: Connection, options: GraphOptions = ANY) -> Graph:
    """Every published document, and every article, body and term that an edge leads from or to."""
    rows = connection.execute(
        select(documents.c.id, documents.c.title).where(in_state(State.PUBLISHED)).order_by(documents.c.id)
    )
    whole = [document_node(id_, title) for id_, title in rows]
    found = list(_all_edges(connection, [node.id for node in whole], options))
    return _graph(connection, whole, found)


def part_of_graph(connection: Connection, start: Node, found: Iterable[Edge]) -> Graph:
    """What the edges that were found join."""
    return _graph(connection, [start], list(found))


def _all_edges(connection: Connection, ids: list[str], options: GraphOptions) -> Iterator[Edge]:
    query = EDGES.where(in_list(edges.c.document_id, "documents")).order_by(edges.c.document_id, edges.c.number)
    if options.kinds is not None:
        query = query.where(of_kind(options.kinds))
    for at in range(0, len(ids), _BATCH):
        values = {"documents": ids[at : at + _BATCH], **on_day(options.as_of)}
        rows = connection.execute(query, values).all()
        named = {row.name for row in rows if row.kind in DOCUMENT_KINDS}
        resolving = Resolving(connection, Meanings(connection, named, options.as_of), rows)
        yield from map(resolving.edge, rows)


def _graph(connection: Connection, first: Iterable[Node], found: list[Edge]) -> Graph:
    """With the documents of all articles, and the edges that lead there."""
    nodes = {node.id: node for node in chain(first, *((edge.source, edge.target) for edge in found))}
    parts = [node for node in nodes.values() if node.sort is Sort.ARTICLE]
    belonging = list(_belonging(connection, parts))
    for edge in belonging:
        nodes.setdefault(edge.target.id, edge.target)
    return Graph(tuple(nodes[id_] for id_ in sorted(nodes)), (*found, *belonging))


def _belonging(connection: Connection, parts: Collection[Node]) -> Iterator[Edge]:
    """An edge from each article to its document."""
    c = articles.c
    query = (
        select(c.document_id, c.position, c.address, c.start, c.end, documents.c.title)
        .join(documents)
        .where(in_list(c.document_id, "documents"))
        .order_by(c.document_id, c.position)
    )
    wanted = {(node.document, node.article) for node in parts}
    ids = sorted({node.document for node in parts if node.document})
    for at in range(0, len(ids), VALUES):
        rows = connection.execute(query, {"documents": ids[at : at + VALUES]})
        for id_, position, address, start, end, title in rows:
            if (id_, position) in wanted:
                source = article_node(id_, title, position, address)
                yield Edge(id_, -1 - position, PART_OF, "rule", source, document_node(id_, title), start, end, "")


# files


def graphml_lines(graph: Graph) -> Iterator[str]:
    """GraphML 1.0: parallel edges have ids, so that a reader keeps them apart."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns'
        ' http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">'
    )
    for what, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name, kind in keys.items():
            yield f'<key id="{what}_{name}" for="{what}" attr.name="{name}" attr.type="{kind}"/>'
    yield '<graph id="policydesk" edgedefault="directed">'
    for node in graph.nodes:
        yield f"<node id={_attribute(node.id)}>{_data('node', node_values(node))}</node>"
    for number, edge in enumerate(graph.edges):
        ends = f"source={_attribute(edge.source.id)} target={_attribute(edge.target.id)}"
        yield f'<edge id="e{number}" {ends}>{_data("edge", edge_values(edge))}</edge>'
    yield "</graph>"
    yield "</graphml>"


def json_lines(graph: Graph) -> Iterator[str]:
    """Nodes and links as networkx and D3 read them: ``networkx.node_link_graph(data, edges="edges")``."""
    yield '{"directed": true, "multigraph": true, "graph": {}, "nodes": ['
    yield from _joined({"id": node.id, **node_values(node)} for node in graph.nodes)
    yield '], "edges": ['
    yield from _joined(
        {"source": edge.source.id, "target": edge.target.id, "key": number, **edge_values(edge)}
        for number, edge in enumerate(graph.edges)
    )
    yield "]}"


def node_values(node: Node) -> dict[str, str | int]:
    """What is known of a node beside its id."""
    values = {
        "sort": node.sort.value, "label": node.label, "document": node.document, "article": node.article,
        "address": node.address,
    }
    return {key: value for key, value in values.items() if value is not None}


def edge_values(edge: Edge) -> dict[str, str | int]:
    """What is known of an edge beside its ends; ``said_by`` is the document whose text from start to end says it."""
    return {
        "kind": edge.kind, "method": edge.method, "said_by": edge.document, "number": edge.number,
        "start": edge.start, "end": edge.end, "part": edge.part,
    }


def _joined(values: Iterable[dict[str, str | int]]) -> Iterator[str]:
    before = ""
    for value in values:
        yield before + json.dumps(value, ensure_ascii=False)
        before = ","


def _data(what: str, values: dict[str, str | int]) -> str:
    return "".join(
        f'<data key="{what}_{name}">{escape(_NO_XML.sub("", str(value)))}</data>' for name, value in values.items()
    )


def _attribute(value: str) -> str:
    return quoteattr(_NO_XML.sub("", value))
