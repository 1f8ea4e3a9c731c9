"""Copying the graph to another property graph store of llama-index, such as Neo4j's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

from llama_index.core.graph_stores.types import LabelledNode, PropertyGraphStore, Relation

from core.config import GraphConfig
from core.errors import BackendUnavailable, ConfigError, MissingExtra
from kb.base import KnowledgeBase
from kb.graph.export import Graph, whole_graph
from kb.graph.queries import ANY
from kb.graph.records import GraphOptions
from kb.graph.store import entity, triplet_of

ORIGIN = {"origin": "policydesk"}        # what is pushed bears it, so that the next push finds and replaces it
_BATCH = 1000
_Item = TypeVar("_Item", LabelledNode, Relation)


@dataclass(frozen=True, slots=True)
class Pushed:
    """How much another store was given."""

    nodes: int
    edges: int


def push(
    base: KnowledgeBase, store: PropertyGraphStore, options: GraphOptions = ANY, *,
    on_step: Callable[[int, int], None] = lambda there, of: None,
) -> Pushed:
    """Replace what was pushed to ``store`` before by the graph as it is now; what others put there stays.

    Nodes are named as `PolicyGraphStore` names them. A store that keeps one relation of a label between two nodes
    (llama-index's simple one does) keeps the last.
    """
    with base.reading() as connection:
        graph = whole_graph(connection, options)
    store.delete(properties=dict(ORIGIN))
    total = len(graph.nodes) + len(graph.edges)
    for there, nodes in _batches(_nodes(graph)):
        store.upsert_nodes(nodes)
        on_step(there, total)
    for there, relations in _batches(_relations(graph)):
        store.upsert_relations(relations)
        on_step(len(graph.nodes) + there, total)
    return Pushed(len(graph.nodes), len(graph.edges))


def open_neo4j(config: GraphConfig) -> PropertyGraphStore:
    """The store that ``graph.store`` names. Raises `ConfigError`, `MissingExtra`, `BackendUnavailable`."""
    url = config.store.removeprefix("neo4j:")
    if url == config.store:
        raise ConfigError(f"graph.store = {config.store} 不是另一个图库。请设为 neo4j:URL，如 neo4j:bolt://10.0.0.5:7687")
    try:
        from llama_index.graph_stores.neo4j import Neo4jPropertyGraphStore

        errors = import_module("neo4j.exceptions")       # whose types are there only with the extra
    except ModuleNotFoundError as error:
        raise MissingExtra("llama-index-graph-stores-neo4j", "neo4j") from error
    try:
        store: PropertyGraphStore = Neo4jPropertyGraphStore(
            username=config.user, password=config.password.get_secret_value(), url=url, database=config.database
        )
    except (errors.DriverError, errors.Neo4jError, ValueError) as error:       # ValueError: no address of a server
        said = " ".join(str(error).split())
        raise BackendUnavailable(f"Neo4j {url} 用不了：{said}。请检查 graph.store、graph.user 和密码") from error
    return store


def _nodes(graph: Graph) -> Iterator[LabelledNode]:
    for node in graph.nodes:
        one = entity(node)
        one.properties |= ORIGIN
        yield one


def _relations(graph: Graph) -> Iterator[Relation]:
    for edge in graph.edges:
        _, relation, _ = triplet_of(edge)
        relation.properties |= ORIGIN
        yield relation


def _batches(items: Iterator[_Item]) -> Iterator[tuple[int, list[_Item]]]:
    """(how many there are by then, the next ones)."""
    there = 0
    batch: list[_Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            there += _BATCH
            yield there, batch
            batch = []
    if batch:
        yield there + len(batch), batch
