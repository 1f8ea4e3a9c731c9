"""Our graph as a llama-index `PropertyGraphStore`, and our embedder for its vector queries.

SQL holds the graph: what rules read goes with its documents, and a program of llama-index may add and delete edges of
its models only. Its global settings stay untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NoReturn

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.graph_stores.types import (
    TRIPLET_SOURCE_KEY,
    EntityNode,
    LabelledNode,
    PropertyGraphStore,
    Relation,
    Triplet,
)
from llama_index.core.schema import BaseNode, TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery
from sqlalchemy import and_, func, or_, select

from core.ports import Embedder
from core.records import SearchOptions
from kb.base import KnowledgeBase
from kb.graph.claims import LLM, Claim, Claimed, drop_claims, save_claims
from kb.graph.export import PART_OF, whole_graph
from kb.graph.nodes import articles_at, known_nodes, place_of, words_at
from kb.graph.queries import SPEAKING, around, on_day
from kb.graph.records import KIND_NAMES, Edge, GraphOptions, Node, Sort
from kb.schema import documents, edges

_MOST = 1000                     # edges of one hop, of which the caller's limit takes the first


class PolicyGraphStore(PropertyGraphStore):
    """Nodes are documents, articles, bodies and terms; a relation is labelled as its kind, CITES, BASIS and so on."""

    def __init__(self, base: KnowledgeBase, *, who: str, as_of: date | None = None) -> None:
        """``who`` is written into the log beside what is added or deleted. Without ``as_of`` the newest is meant."""
        self._base = base
        self._who = who
        self._as_of = as_of
        self.supports_vector_queries = base.searcher.embedder is not None

    @property
    def client(self) -> KnowledgeBase:
        return self._base

    # nodes

    def get(self, properties: dict[str, Any] | None = None, ids: list[str] | None = None) -> list[LabelledNode]:
        """By id, title, 发文字号 or name; ``properties``: one that a node has is enough. Without both: all nodes."""
        with self._base.reading() as connection:
            if ids is None:
                found: Iterable[Node] = whole_graph(connection, GraphOptions(as_of=self._as_of)).nodes
            else:
                found = known_nodes(connection, ids)
        return [node for node in map(entity, found) if not properties or _has_any(node, properties)]

    def get_llama_nodes(self, node_ids: list[str]) -> list[BaseNode]:
        """The text of articles, and of documents what stands before their first article."""
        with self._base.reading() as connection:
            found = words_at(connection, [place for place in map(place_of, node_ids) if place is not None])
        return [
            TextNode(
                id_=source_id(document, article), text=words.words,
                metadata={"document": document, "title": words.title, "article": words.address,
                          "start": words.start, "end": words.end},
            )
            for (document, article), words in found.items()
        ]

    async def aget_llama_nodes(self, node_ids: list[str]) -> list[BaseNode]:
        """As `get_llama_nodes`; llama-index's own goes by what it stored itself."""
        return self.get_llama_nodes(node_ids)

    # edges

    def get_triplets(
        self, entity_names: list[str] | None = None, relation_names: list[str] | None = None,
        properties: dict[str, Any] | None = None, ids: list[str] | None = None,
    ) -> list[Triplet]:
        """Edges that touch one of the nodes, are of one of the relations, and have one of the properties."""
        if not (entity_names or relation_names or properties or ids):
            return []
        options = GraphOptions(kinds=_kinds(relation_names), as_of=self._as_of, limit=_MOST)
        with self._base.reading() as connection:
            if entity_names or ids:
                starts = known_nodes(connection, [*(entity_names or ()), *(ids or ())])
                found = [one.edge for one in around(connection, starts, options)]
            else:
                found = [edge for edge in whole_graph(connection, options).edges if edge.kind != PART_OF]
        return [
            triplet for triplet in map(triplet_of, found)
            if not properties or any(_has_any(part, properties) for part in triplet)
        ]

    def get_rel_map(
        self, graph_nodes: list[LabelledNode], depth: int = 2, limit: int = 30, ignore_rels: list[str] | None = None
    ) -> list[Triplet]:
        """Edges within ``depth`` steps, the nearest first; a document stands for its articles."""
        ignored = {name.lower() for name in ignore_rels or ()}
        options = GraphOptions(as_of=self._as_of, limit=max(limit, 100))
        with self._base.reading() as connection:
            starts = known_nodes(connection, [node.id for node in graph_nodes])
            found = around(connection, starts, options, hops=depth)
        return [triplet_of(one.edge) for one in found if one.edge.kind not in ignored][:limit]

    def get_schema(self, refresh: bool = False) -> dict[str, dict[str, int]]:
        """How many edges there are of each relation, and how many of them a model added."""
        counts = (
            select(edges.c.kind, edges.c.method, func.count())
            .join(documents, documents.c.id == edges.c.document_id).where(SPEAKING)
            .group_by(edges.c.kind, edges.c.method).order_by(edges.c.kind)
        )
        relations: dict[str, int] = {}
        added: dict[str, int] = {}
        with self._base.reading() as connection:
            for kind, method, count in connection.execute(counts, on_day(self._as_of)):
                relations[kind.upper()] = relations.get(kind.upper(), 0) + count
                if method == LLM:
                    added[kind.upper()] = count
        return {"relations": relations, "added_by_models": added}

    def get_schema_str(self, refresh: bool = False) -> str:
        rows = self.get_schema(refresh)["relations"]
        named = (f"{kind}（{KIND_NAMES.get(kind.lower(), kind)}）：{count}" for kind, count in rows.items())
        return "\n".join([f"节点：{'、'.join(sort.value for sort in Sort)}", "关系：", *named])

    # changes

    def upsert_nodes(self, nodes: Sequence[LabelledNode]) -> None:
        """Nothing is to be done: a node is there as long as a document is, or an edge names it."""

    def upsert_relations(self, relations: list[Relation]) -> None:
        """As `add_claims`; what does not hold is left out, as a schema extractor leaves out what is off its schema."""
        self.add_claims(relations)

    def add_claims(self, relations: Sequence[Relation]) -> Claimed:
        """Edges by a model. Each has the ``quote`` that says it among its properties, which must stand in the article.

        The article is the node that the relation was extracted from, or else its source.
        """
        with self._base.writing() as connection:
            return save_claims(connection, [claim_of(relation) for relation in relations], self._who)

    def delete(
        self, entity_names: list[str] | None = None, relation_names: list[str] | None = None,
        properties: dict[str, Any] | None = None, ids: list[str] | None = None,
    ) -> None:
        """Deletes edges by models among those that `get_triplets` finds; documents are withdrawn, not deleted here."""
        found = self.get_triplets(entity_names, relation_names, properties, ids)
        keys = [
            (triplet[1].properties["document"], triplet[1].properties["number"])
            for triplet in found if triplet[1].properties["method"] == LLM
        ]
        with self._base.writing() as connection:
            for at in range(0, len(keys), _MOST):
                these = (
                    and_(edges.c.document_id == document, edges.c.number == number)
                    for document, number in keys[at : at + _MOST]
                )
                drop_claims(connection, or_(*these), self._who)

    # queries

    def structured_query(self, query: str, param_map: dict[str, Any] | None = None) -> NoReturn:
        raise NotImplementedError(
            "PolicyGraphStore answers get_triplets, get_rel_map and vector queries. For Cypher, copy the graph to "
            "Neo4j with `policydesk graph push` and ask that (graph.store, docs/graph.md)"
        )

    def vector_query(  # type: ignore[override]  # llama-index passes it nothing else
        self, query: VectorStoreQuery
    ) -> tuple[list[LabelledNode], list[float]]:
        """The articles whose vectors are most alike to ``query.query_embedding``, which `PolicyEmbedding` makes."""
        embedder = self._base.searcher.embedder
        vector = query.query_embedding or []
        if embedder is None or len(vector) != embedder.dim:
            wanted = f"{embedder.dim} of {embedder.name}" if embedder else "none: index.embedder is none"
            raise ValueError(f"an embedding of {len(vector)} numbers, but the index has {wanted}. Use PolicyEmbedding")
        hits = self._base.searcher.by_meaning(vector, SearchOptions(top=query.similarity_top_k, as_of=self._as_of))
        with self._base.reading() as connection:
            nodes = articles_at(connection, {(hit.document.id, hit.start) for hit in hits})
        found = [(nodes[key], hit.score) for hit in hits if (key := (hit.document.id, hit.start)) in nodes]
        return [entity(node) for node, _ in found], [score for _, score in found]


class PolicyEmbedding(BaseEmbedding):
    """Our embedder as llama-index calls it; `KnowledgeBase.searcher.embedder` is the one that made the index."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.name)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        return "PolicyEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = self._embedder.embed_questions([query])[0].tolist()
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors


# records to llama-index and back


def entity(node: Node) -> EntityNode:
    """Named so that people and models read it, and so that it is found again: 某办法 第八条 [id#7]."""
    name = node.label if node.document is None else f"{node.label} [{node.id}]"
    values = {"document": node.document, "article": node.address}
    return EntityNode(
        name=name, label=node.sort.value, properties={key: value for key, value in values.items() if value is not None}
    )


def triplet_of(edge: Edge) -> Triplet:
    """With the article that says it as the source text of its subject."""
    source, target = entity(edge.source), entity(edge.target)
    source.properties[TRIPLET_SOURCE_KEY] = source_id(edge.document, edge.source.article)
    relation = Relation(
        label=edge.kind.upper(), source_id=source.id, target_id=target.id,
        properties={"name": KIND_NAMES.get(edge.kind, edge.kind), "method": edge.method, "document": edge.document,
                    "number": edge.number, "start": edge.start, "end": edge.end, "part": edge.part},
    )
    return source, relation, target


def source_id(document: str, article: int | None) -> str:
    return document if article is None else f"{document}#{article}"


def claim_of(relation: Relation) -> Claim:
    """What a relation says, and where; an article that is none of ours is dropped when it is looked for."""
    properties: Mapping[str, Any] = relation.properties
    place = place_of(str(properties.get(TRIPLET_SOURCE_KEY) or relation.source_id)) or ("", None)
    document, article = place
    name = relation.target_id.rsplit(" [", 1)[0] if place_of(relation.target_id) else relation.target_id
    kind = relation.label.lower().replace(" ", "_")
    matter = "" if place_of(relation.source_id) else relation.source_id
    return Claim(document, -1 if article is None else article, kind, name, str(properties.get("quote") or ""), matter)


def _kinds(relation_names: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(name.lower() for name in relation_names) if relation_names else None


def _has_any(part: LabelledNode | Relation, properties: Mapping[str, Any]) -> bool:
    return any(part.properties.get(key) == value for key, value in properties.items())
