"""The graph copied to another store of llama-index."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.config import Config
from core.errors import ConfigError, MissingExtra
from kb.base import KnowledgeBase
from kb.graph.export import whole_graph
from tests.graph_samples import CITY, LAW, REGISTER, WORLD, opened

with warnings.catch_warnings():
    warnings.simplefilter("ignore")      # llama-index imports raise deprecation warnings of its own
    from llama_index.core.graph_stores import SimplePropertyGraphStore
    from llama_index.core.graph_stores.types import EntityNode, Relation

    from kb.graph.push import open_neo4j, push
    from kb.graph.store import triplet_of


@pytest.fixture
def base(config: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with opened(config, tmp_path / "home", *WORLD) as base:
        yield base


def triplets(base: KnowledgeBase) -> set[tuple[str, str, str]]:
    """As a store keeps them that has one relation of a label between two nodes."""
    with base.reading() as connection:
        found = map(triplet_of, whole_graph(connection).edges)
        return {(source.id, relation.label, target.id) for source, relation, target in found}


def test_another_store_gets_every_node_and_edge(base: KnowledgeBase) -> None:
    store, steps = SimplePropertyGraphStore(), []
    pushed = push(base, store, on_step=lambda there, of: steps.append((there, of)))
    assert store.graph.triplets == triplets(base)
    assert len(store.get()) == pushed.nodes
    assert steps[-1] == (pushed.nodes + pushed.edges,) * 2
    (law,) = store.get(ids=[f"中华人民共和国动物防疫法 [{LAW.id}]"])
    assert law.label == "document"
    assert law.properties["document"] == LAW.id


def test_edges_arrive_with_kind_method_and_span(base: KnowledgeBase) -> None:
    store = SimplePropertyGraphStore()
    push(base, store)
    (cited,) = store.get_triplets(ids=[f"临江市养犬管理条例 第三条 [{CITY.id}#2]"], relation_names=["CITES"])
    values = cited[1].properties
    assert values["method"] == "rule"
    assert CITY.text[values["start"] : values["end"]] == "《动物防疫法实施细则》第二条"


def test_pushing_again_makes_the_copy_equal_and_leaves_what_others_put_there(base: KnowledgeBase) -> None:
    store = SimplePropertyGraphStore()
    store.upsert_nodes([EntityNode(name="甲"), EntityNode(name="乙")])
    store.upsert_relations([Relation(label="KNOWS", source_id="甲", target_id="乙")])
    push(base, store)
    base.withdraw(CITY.id)
    base.add([REGISTER], publish=True)
    push(base, store)
    assert store.graph.triplets == triplets(base) | {("甲", "KNOWS", "乙")}
    assert not [node for node in store.get() if CITY.id in node.id]


def test_neo4j_is_named_in_the_configuration(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"graph\.store"):
        open_neo4j(config.graph)


@pytest.mark.skipif(find_spec("neo4j") is not None, reason="the extra neo4j is installed")
def test_without_its_package_the_command_that_installs_it_is_told(config: Config) -> None:
    with pytest.raises(MissingExtra, match=r"\[neo4j\]"):
        open_neo4j(config.graph.model_copy(update={"store": "neo4j:bolt://127.0.0.1:7687"}))
