"""The examples of docs/llama_index.md, run as they stand."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.config import load_config
from policydesk.app import open_desk
from tests.conftest import ROOT, SAMPLES

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "llama_index.md").read_text(encoding="utf-8"), re.S)


def run(example: str, **names: object) -> dict[str, Any]:
    scope: dict[str, Any] = dict(names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # llama-index imports raise deprecation warnings of its own
        exec(compile(example, "docs/llama_index.md", "exec"), scope)
    return scope


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_files_become_nodes_that_are_articles_with_true_offsets() -> None:
    scope = run(EXAMPLES[0])
    texts = {document.id_: document.text for document in scope["documents"]}
    rules = [node for node in scope["nodes"] if node.metadata["title"].endswith("养犬管理条例")]
    assert len([node for node in rules if node.metadata["article"].startswith("第")]) >= 20
    for node in scope["nodes"]:
        text = texts[node.ref_doc_id]
        assert node.get_content().endswith(text[node.start_char_idx : node.end_char_idx])


def test_the_retriever_finds_an_article(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_desk(load_config(), tmp_path) as desk:
        desk.ingest([SAMPLES / "policies" / "10_养犬管理条例.md"], publish=True, on_bytes=lambda count: None)
    run(EXAMPLES[1], home=tmp_path)
    assert "第十一条" in capsys.readouterr().out


def test_the_reranker_puts_the_answer_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(EXAMPLES[2], home=tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("第一条")
