"""Our search inside llama-index, as its own programs call it."""

from __future__ import annotations

import warnings

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
