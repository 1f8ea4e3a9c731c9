"""Our search as a llama-index retriever and our rerankers as a postprocessor, for use in anyone's llama-index program.

Its global settings stay untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode

from core.ports import Scores
from core.records import Hit


class PolicyRetriever(BaseRetriever):
    """Articles as nodes: ``search`` is any function from a question to hits, such as one over `Desk.search`."""

    def __init__(self, search: Callable[[str], list[Hit]]) -> None:
        super().__init__()
        self._search = search

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._search(query_bundle.query_str)]


class PolicyReranker(BaseNodePostprocessor):
    """Nodes of any retriever in the order of ``score``, a function from a question and texts to one number each.

    `Desk.scores` is one: the model that ``search.reranker`` names, or the ranker that is built in.
    """

    top_n: int
    _score: Callable[[str, Sequence[str]], Scores] = PrivateAttr()

    def __init__(self, score: Callable[[str, Sequence[str]], Scores], top_n: int = 10) -> None:
        super().__init__(top_n=top_n)  # type: ignore[call-arg]  # pydantic's field
        self._score = score

    @classmethod
    def class_name(cls) -> str:
        return "PolicyReranker"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise ValueError("PolicyReranker needs the question: pass query_bundle or query_str")
        texts = [node.node.get_content(MetadataMode.NONE) for node in nodes]
        scored = zip(nodes, self._score(query_bundle.query_str, texts).tolist(), strict=True)
        best = sorted(scored, key=lambda item: -item[1])[: self.top_n]
        return [NodeWithScore(node=node.node, score=score) for node, score in best]


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
