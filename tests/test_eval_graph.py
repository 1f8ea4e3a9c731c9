"""Scoring edges against marked passages."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from core.config import Config
from eval.graph import GOLD, documents_of, graph_lines, measure, read_gold
from policydesk.cli import app

ROWS = [
    {"id": "养犬条例@2024-01-01#第一条", "law": "养犬条例", "title": "养犬条例", "article": "第一条", "path": [],
     "text": "依照刑法第八条和本条例第二条处理。", "date": "2024-01-01"},
    {"id": "养犬条例@2024-01-01#第二条", "law": "养犬条例", "title": "养犬条例", "article": "第二条", "path": [],
     "text": "《犬类管理办法》同时废止。", "date": "2024-01-01"},
]
MARKS = [
    {"kind": "reference", "draw": 1, "stratum": "local", "place": "养犬条例@2024-01-01#第一条", "spans": [[0, 17]],
     "edges": [["刑法", "第八条"], ["", "第二条"], ["民法典", "第一条"]]},
    {"kind": "repeal", "draw": 1, "stratum": "local", "place": "养犬条例@2024-01-01", "spans": [],
     "edges": [["犬类管理办法", None]]},
    {"kind": "repeal", "draw": 1, "stratum": "local", "place": "不在这里@2024-01-01", "spans": [], "edges": []},
]


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return path


def test_both_extra_and_missed_are_counted_and_named(config: Config, tmp_path: Path) -> None:
    corpus, gold = lines(tmp_path / "a.jsonl", ROWS), lines(tmp_path / "gold.jsonl", MARKS)
    result = measure(documents_of([corpus], config), read_gold(gold))
    references, repeals = result.scores["reference", "all"], result.scores["repeal", "all"]
    assert (references.both, references.extra, references.missed) == (2, 0, 1)
    assert (references.precision, references.recall) == (1.0, 2 / 3)
    assert (repeals.both, repeals.extra, repeals.missed) == (1, 0, 0)
    assert [(one.name, one.address, one.missed) for one in result.wrong] == [("民法典", "第一条", True)]
    assert result.absent == ["不在这里@2024-01-01"]
    assert (result.documents, result.articles) == (1, 2)
    assert any("民法典" in line for line in graph_lines(result))


def test_a_span_limits_what_is_compared(config: Config, tmp_path: Path) -> None:
    corpus = lines(tmp_path / "a.jsonl", ROWS)
    gold = lines(tmp_path / "gold.jsonl", [{**MARKS[0], "spans": [[0, 8]], "edges": [["刑法", "第八条"]]}])
    scores = measure(documents_of([corpus], config), read_gold(gold)).scores["reference", "all"]
    assert (scores.both, scores.extra, scores.missed) == (1, 0, 0)


def test_the_verb_prints_scores_or_one_object(tmp_path: Path) -> None:
    corpus, gold = lines(tmp_path / "a.jsonl", ROWS), lines(tmp_path / "gold.jsonl", MARKS)
    call = ["eval", "graph", "--corpus", str(corpus), "--gold", str(gold)]
    printed = CliRunner().invoke(app, call)
    assert printed.exit_code == 0
    assert "reference" in printed.output
    answer = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert answer["articles"] == 2
    assert {row["kind"] for row in answer["scores"]} == {"reference", "repeal"}


def test_the_marked_passages_are_many_and_of_every_kind() -> None:
    passages = read_gold()
    edges = {kind: sum(len(one.edges) for one in passages if one.kind == kind) for kind in ("reference", "repeal")}
    assert edges["reference"] >= 300
    assert edges["repeal"] >= 150
    assert {one.stratum for one in passages} >= {"law", "regulation", "interpretation", "local", "rule", "policy"}
    assert GOLD.stat().st_size < 400_000
