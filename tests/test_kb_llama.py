"""Our search inside llama-index, as its own programs call it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from core.errors import ConfigError
from core.records import Question
from policydesk.app import Desk


def test_a_llama_index_program_retrieves_cited_articles(sample_desk: Desk) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # llama-index imports raise deprecation warnings of its own
        from kb.llama import PolicyRetriever

        retriever = PolicyRetriever(lambda text: sample_desk.search(Question(text, region="900100"), 3))
        nodes = retriever.retrieve("养犬管理服务费每只每年多少钱？")
    best = nodes[0].node
    document = sample_desk.document(best.metadata["document"])
    assert best.metadata["article"] == "第十一条"
    assert document.text[best.metadata["start"] : best.metadata["end"]] == best.get_content()


def test_nodes_of_any_retriever_are_put_in_order(sample_desk: Desk) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from llama_index.core.schema import NodeWithScore, TextNode

        from kb.llama import PolicyReranker

        texts = ["供热办法\n供热期室温不低于18度。", "停车管理\n停车每小时五元。", "供热办法\n供热费按面积收取。"]
        nodes = [NodeWithScore(node=TextNode(text=text), score=1.0) for text in texts]
        reranker = PolicyReranker(sample_desk.scores, top_n=2)
        found = reranker.postprocess_nodes(nodes, query_str="暖气室温最少多少度")
        assert found[0].node.get_content() == texts[0]
        assert len(found) == 2
        assert found[0].score > found[1].score
        assert reranker.postprocess_nodes([], query_str="暖气") == []
        with pytest.raises(ValueError, match="query"):
            reranker.postprocess_nodes(nodes)


def test_without_a_ranker_texts_are_not_scored(sample_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    searcher = sample_desk.base.searcher
    monkeypatch.setattr(searcher, "_models", replace(searcher._models, ranker=None))
    with pytest.raises(ConfigError, match=r"search\.reranker"):
        sample_desk.scores("暖气", ["供热"])
