"""Our search as a llama-index retriever, for use in anyone's llama-index program. The only module that
imports llama-index; its global settings stay untouched."""

from __future__ import annotations

from collections.abc import Callable

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from core.records import Hit


class PolicyRetriever(BaseRetriever):
    """Articles as nodes: ``search`` is any function from a question to hits, such as one over `Desk.search`."""

    def __init__(self, search: Callable[[str], list[Hit]]) -> None:
        super().__init__()
        self._search = search

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._search(query_bundle.query_str)]


def _node(hit: Hit) -> NodeWithScore:
    facts = hit.document.facts
    node = TextNode(
        id_=hit.ref,
        text=hit.text,
        metadata={
            "document": hit.document.id,
            "title": facts.title,
            "doc_no": facts.doc_no,
            "article": hit.address,
            "start": hit.start,
            "end": hit.end,
            "url": facts.url,
        },
    )
    return NodeWithScore(node=node, score=hit.score)
