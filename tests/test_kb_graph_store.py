"""Our graph inside llama-index, as its own programs use it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Config
from kb.base import KnowledgeBase
from kb.graph.ends import find_node
from kb.graph.queries import neighbours
from kb.schema import audit
from tests.graph_samples import CITY, LAW, NOTICE, REGISTER, RULES, WORLD, opened

with warnings.catch_warnings():
    warnings.simplefilter("ignore")      # llama-index imports raise deprecation warnings of its own
    from llama_index.core import PropertyGraphIndex
    from llama_index.core.graph_stores import SimplePropertyGraphStore
    from llama_index.core.graph_stores.types import (
        TRIPLET_SOURCE_KEY,
        EntityNode,
        PropertyGraphStore,
        Relation,
        Triplet,
    )
    from llama_index.core.indices.property_graph import ImplicitPathExtractor, VectorContextRetriever
    from llama_index.core.llms import MockLLM
    from llama_index.core.vector_stores.types import VectorStoreQuery

    from kb.graph.store import PolicyEmbedding, PolicyGraphStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
THIRD = f"临江市养犬管理条例 第三条 [{CITY.id}#2]"
SECOND = f"动物防疫法实施细则 第二条 [{RULES.id}#1]"


@pytest.fixture(scope="module")
def world(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    with opened(config, tmp_path_factory.mktemp("world"), *WORLD) as base:
        yield base


@pytest.fixture
def own(each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with opened(each_database, tmp_path / "home", *WORLD) as base:
        yield base


@pytest.fixture
def store(world: KnowledgeBase) -> PolicyGraphStore:
    return PolicyGraphStore(world, who="test")


def told(triplets: list[Triplet]) -> set[tuple[str, str, str]]:
    return {(one.id, relation.id, other.id) for one, relation, other in triplets}


def claim(article: int, label: str, name: str, quote: str, *, document: str = CITY.id) -> Relation:
    properties = {TRIPLET_SOURCE_KEY: f"{document}#{article}", "quote": quote}
    return Relation(label=label, source_id="养犬登记", target_id=name, properties=properties)


# reading


def test_it_is_a_property_graph_store(store: PolicyGraphStore) -> None:
    assert isinstance(store, PropertyGraphStore)
    assert store.supports_vector_queries
    assert not store.supports_structured_queries


def test_nodes_are_found_by_id_title_number_and_name(store: PolicyGraphStore) -> None:
    law = f"中华人民共和国动物防疫法 [{LAW.id}]"
    assert [node.id for node in store.get(ids=[LAW.id, "《动物防疫法》", law])] == [law]
    assert [node.id for node in store.get(ids=[THIRD, f"{RULES.id}#1"])] == [THIRD, SECOND]
    assert [node.label for node in store.get(ids=["犬只", "犬只登记办法", "临公发〔2024〕3号", "没有"])] == [
        "term", "open", "document",
    ]
    assert {node.id for node in store.get(properties={"document": LAW.id})} >= {law}
    assert len(store.get()) > len(WORLD)


def test_triplets_say_what_says_what_and_where(store: PolicyGraphStore) -> None:
    (triplet,) = store.get_triplets(ids=[THIRD], relation_names=["CITES"])
    source, relation, target = triplet
    assert (source.id, relation.label, target.id) == (THIRD, "CITES", SECOND)
    assert CITY.text[relation.properties["start"] : relation.properties["end"]] == "《动物防疫法实施细则》第二条"
    assert relation.properties["method"] == "rule"
    assert source.properties[TRIPLET_SOURCE_KEY] == f"{CITY.id}#2"


def test_triplets_are_chosen_by_names_relations_and_properties(store: PolicyGraphStore) -> None:
    assert store.get_triplets() == []
    by_name = store.get_triplets(entity_names=["动物防疫法"], relation_names=["basis"])
    assert {source.properties["document"] for source, *_ in by_name} == {RULES.id, CITY.id}
    everywhere = store.get_triplets(relation_names=["DEFINES"])
    assert {target.id for *_, target in everywhere} == {"犬只", "动物"}
    assert store.get_triplets(relation_names=["DEFINES"], properties={"document": LAW.id}) == [
        triplet for triplet in everywhere if triplet[0].properties["document"] == LAW.id
    ]


def test_the_relation_map_goes_as_deep_as_asked_and_leaves_out_what_is_ignored(store: PolicyGraphStore) -> None:
    start = store.get(ids=[THIRD])
    one, two = (told(store.get_rel_map(start, depth=depth)) for depth in (1, 2))
    assert one < two
    assert (SECOND, "CITES", f"中华人民共和国动物防疫法 第一条 [{LAW.id}#0]") in two - one
    assert store.get_rel_map(start, ignore_rels=["CITES", "cites"], depth=1) == []
    assert len(store.get_rel_map(start, depth=2, limit=1)) == 1
    assert store.get_rel_map([EntityNode(name="没有")]) == []


def test_texts_are_those_of_articles(store: PolicyGraphStore) -> None:
    article, whole = store.get_llama_nodes([f"{CITY.id}#2", NOTICE.id, "没有"])
    assert article.get_content() == CITY.text[article.metadata["start"] : article.metadata["end"]]
    assert article.metadata["article"] == "第三条"
    assert whole.get_content().startswith(NOTICE.facts.title)


def test_the_schema_counts_relations(store: PolicyGraphStore) -> None:
    schema = store.get_schema()
    assert schema["relations"]["DEFINES"] == 2
    assert schema["added_by_models"] == {}
    assert "CITES（引用）" in store.get_schema_str()


def test_a_structured_query_is_refused_with_a_way_out(store: PolicyGraphStore) -> None:
    with pytest.raises(NotImplementedError, match="graph push"):
        store.structured_query("MATCH (n) RETURN n")


# retrieval


def test_ten_lines_of_llama_index_retrieve_what_is_said(world: KnowledgeBase) -> None:
    embedder = world.searcher.embedder
    assert embedder is not None
    index = PropertyGraphIndex.from_existing(
        property_graph_store=PolicyGraphStore(world, who="test"),
        embed_model=PolicyEmbedding(embedder), llm=MockLLM(), kg_extractors=[ImplicitPathExtractor()],
    )
    nodes = index.as_retriever(include_text=False).retrieve("犬只免疫怎么办理")
    assert f"{THIRD} -> CITES -> {SECOND}" in [node.text for node in nodes]
    texts = index.as_retriever(include_text=True, similarity_top_k=1).retrieve("犬只免疫怎么办理")
    assert any("犬只免疫依照《动物防疫法实施细则》第二条办理" in node.text for node in texts)


def test_a_vector_of_another_model_is_refused(store: PolicyGraphStore) -> None:
    with pytest.raises(ValueError, match="PolicyEmbedding"):
        store.vector_query(VectorStoreQuery(query_embedding=[1.0, 2.0]))


def test_vector_retrieval_alone_scores_the_nodes_it_began_at(world: KnowledgeBase) -> None:
    embedder = world.searcher.embedder
    assert embedder is not None
    retriever = VectorContextRetriever(
        PolicyGraphStore(world, who="test"), embed_model=PolicyEmbedding(embedder), include_text=False,
    )
    found = retriever.retrieve("犬只是指什么")
    assert found[0].score == max(node.score or 0 for node in found) > 0


# changes


def test_an_edge_of_a_model_is_kept_with_its_span_and_marked(own: KnowledgeBase) -> None:
    store = PolicyGraphStore(own, who="模型甲")
    quote = "养犬登记依照《犬只登记办法》第五条办理"
    done = store.add_claims([claim(3, "RESPONSIBLE", "养犬登记", quote), claim(2, "MATERIAL", "犬只", "犬只免疫")])
    assert (done.kept, done.dropped) == (2, ())
    kept = [triplet[1] for triplet in store.get_triplets(ids=[f"{CITY.id}#3"], properties={"method": "llm"})]
    assert [relation.label for relation in kept if relation.properties["method"] == "llm"] == ["RESPONSIBLE"]
    (span,) = [(r.properties["start"], r.properties["end"]) for r in kept if r.properties["method"] == "llm"]
    assert CITY.text[slice(*span)] == quote
    assert store.get_schema()["added_by_models"] == {"MATERIAL": 1, "RESPONSIBLE": 1}
    with own.reading() as connection:
        (row,) = [row for row in connection.execute(audit.select()) if row.action == "graph_add"]
    assert (row.who, row.subject) == ("模型甲", CITY.id)


@pytest.mark.parametrize(("relation", "reason"), [
    (claim(3, "RESPONSIBLE", "公安机关", "公安机关负责养犬登记"), "引文不在条文中"),
    (claim(3, "RESPONSIBLE", "公安机关", "养犬登记依照《犬只登记办法》"), "引文没有说到它"),
    (claim(3, "RESPONSIBLE", "养犬登记", "养犬"), "引文不在条文中"),
    (claim(3, "REPEALS", "犬只登记办法", "依照《犬只登记办法》第五条"), "模型不能说“repeals”这种关系"),
    (claim(3, "MARRIES", "养犬登记", "养犬登记依照"), "模型不能说“marries”这种关系"),
    (claim(99, "RESPONSIBLE", "养犬登记", "养犬登记依照"), "没有这一条，或文件未发布"),
    (claim(0, "RESPONSIBLE", "甲方", "甲方", document="0" * 16), "没有这一条，或文件未发布"),
    (claim(3, "CITES", "犬只登记办法第五条", "依照《犬只登记办法》第五条"), "图中已有"),
    (Relation(label="SOURCE", source_id="x", target_id="y"), "没有这一条，或文件未发布"),
])
def test_what_the_text_does_not_say_is_dropped_with_the_reason(
    world: KnowledgeBase, relation: Relation, reason: str
) -> None:
    done = PolicyGraphStore(world, who="test").add_claims([relation])
    assert done.kept == 0
    assert [why for _, why in done.dropped] == [reason]


def test_white_space_in_a_quote_does_not_matter_and_an_article_is_told_from_its_document(own: KnowledgeBase) -> None:
    store = PolicyGraphStore(own, who="test")
    quote = "养犬登记依照 《犬只登记办法》\n第五条办理"
    assert store.add_claims([claim(3, "AMENDS", "《犬只登记办法》第5条第二款", quote)]).kept == 1
    own.add([REGISTER], publish=True)
    (target,) = [target for *_, target in store.get_triplets(ids=[f"{CITY.id}#3"], relation_names=["AMENDS"])]
    assert target.id == f"犬只登记办法 第五条 [{REGISTER.id}#4]"


def test_only_edges_of_models_are_deleted(own: KnowledgeBase) -> None:
    store = PolicyGraphStore(own, who="test")
    store.upsert_nodes([EntityNode(name="犬主")])
    store.upsert_relations([claim(3, "GROUP", "养犬", "养犬登记依照"), claim(3, "CONDITION", "养犬", "养犬登记依照")])
    before = told(store.get_triplets(ids=[f"{CITY.id}#3"]))
    store.delete(relation_names=["CONDITION"])
    after = told(store.get_triplets(ids=[f"{CITY.id}#3"]))
    assert {relation for _, relation, _ in before - after} == {"CONDITION"}
    store.delete(ids=[CITY.id])
    store.delete(ids=[f"{CITY.id}#3"])
    assert {relation for _, relation, _ in told(store.get_triplets(ids=[f"{CITY.id}#3"]))} == {"CITES"}
    with own.reading() as connection:
        assert find_node(connection, CITY.id).document == CITY.id


def test_edges_of_models_go_with_their_document_at_once(own: KnowledgeBase) -> None:
    store = PolicyGraphStore(own, who="test")
    store.add_claims([claim(3, "RESPONSIBLE", "养犬登记", "养犬登记依照")])
    own.withdraw(CITY.id)
    assert store.get(ids=[CITY.id]) == []
    assert store.get_triplets(relation_names=["RESPONSIBLE"]) == []
    with own.reading() as connection:
        law = find_node(connection, LAW.id)
        assert CITY.id not in {one.edge.document for one in neighbours(connection, law, hops=2)}


def test_the_graph_is_read_as_another_store_of_llama_index_reads_its_own(store: PolicyGraphStore) -> None:
    other = SimplePropertyGraphStore()
    for source, relation, target in store.get_triplets(ids=[RULES.id]):
        other.upsert_nodes([source, target])
        other.upsert_relations([relation])
    assert told(other.get_triplets(ids=[SECOND])) == told(store.get_triplets(ids=[SECOND]))
