"""Our search beside other engines: what they are handed, how they are counted, and the verb on the sample documents."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import PolicyDeskError
from core.records import Question, SearchOptions, State
from eval.gold import GoldQuestion, read_gold
from eval.peer_engines import SparseWords, words
from eval.peer_export import Base, Exported, export, read_documents, read_questions
from eval.peers import PeerPlan, peer_lines, run_peers
from policydesk.app import Desk
from policydesk.cli import app
from qa.scope import scope

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "data_samples"
PEERS = ROOT.parent / "peers" / "bin" / "python"      # as docs/peers.md makes it
QUESTIONS = (
    GoldQuestion("q1", Question("住房补贴"), (("b#1",),)),
    GoldQuestion("q2", Question("异地就医"), (("c#1",), ("a#1",))),
)
OWN = """
import json, pathlib, sys
run = {"q1": ["a#1", "b#1"], "q2": ["b#1", "c#1"]}
found = {"index_seconds": 3.0, "seconds": [0.001, 0.003], "cpu_seconds": [0.001, 0.001],
         "run": run, "versions": {"policydesk": "1"}}
(pathlib.Path(sys.argv[1]) / "policydesk.json").write_text(json.dumps(found))
"""


def base(desk: Desk) -> Base:
    return Base(desk.base.documents([State.PUBLISHED]), desk.document, of_scope)


def of_scope(question: Question) -> SearchOptions:
    return scope(question, top=100, home_region="")


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_engines_may_find_what_our_search_may_find(sample_desk: Desk, tmp_path: Path) -> None:
    gold = read_gold(SAMPLES / "questions.jsonl")
    exported = export(base(sample_desk), gold, tmp_path, articles=None, encoder=None)
    articles = {row["ref"]: row["scopes"] for row in rows(tmp_path / "articles.jsonl")}
    asked = rows(tmp_path / "questions.jsonl")
    assert len(articles) == exported.articles == sample_desk.base.counts()[1]
    assert len({row["scope"] for row in asked}) > 1
    for question, row in zip(gold, asked, strict=True):
        found = {hit.ref for hit in sample_desk.search(question.question, 100)}
        assert found <= {ref for ref, scopes in articles.items() if row["scope"] in scopes}


def test_a_question_that_may_find_everything_needs_no_filter(sample_desk: Desk, tmp_path: Path) -> None:
    everything = replace(base(sample_desk), scope=lambda question: SearchOptions(top=100))
    export(everything, QUESTIONS, tmp_path, articles=None, encoder=None)
    assert [row["scope"] for row in rows(tmp_path / "questions.jsonl")] == [None, None]


def test_our_engine_gets_the_documents_and_questions_as_they_are(sample_desk: Desk, tmp_path: Path) -> None:
    exported = export(base(sample_desk), QUESTIONS, tmp_path, articles=None, encoder=None)
    documents = list(read_documents(tmp_path))
    assert len(documents) == exported.documents
    assert documents[0] == sample_desk.document(documents[0].id)
    assert read_questions(tmp_path) == [("q1", Question("住房补贴")), ("q2", Question("异地就医"))]


def test_a_sample_keeps_the_documents_with_gold_and_all_their_versions(sample_desk: Desk, tmp_path: Path) -> None:
    gold = read_gold(SAMPLES / "questions.jsonl")[:3]
    exported = export(base(sample_desk), gold, tmp_path, articles=1, encoder=None)
    kept = {row["ref"] for row in rows(tmp_path / "articles.jsonl")}
    assert {ref for question in gold for group in question.gold for ref in group} <= kept
    titles = {document.facts.title for document in read_documents(tmp_path)}
    assert exported.documents == sum(row.facts.title in titles for row in base(sample_desk).documents)
    assert exported.articles < sample_desk.base.counts()[1] / 2


def test_a_base_without_articles_is_an_error(sample_desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(PolicyDeskError, match="没有已发布的条文"):
        export(replace(base(sample_desk), documents=()), QUESTIONS, tmp_path, articles=None, encoder=None)


def test_sparse_words_weigh_as_bm25_does() -> None:
    sparse = SparseWords(average=2.0)
    numbers, weights = sparse.documents(["补贴，补贴 标准"])
    # three words, 1.5 times the average: tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * 1.5)), the second part is 1.65
    assert numbers == [[0, 1]]
    assert weights == [pytest.approx([2 * 2.2 / 3.65, 2.2 / 2.65])]
    assert sparse.questions(["标准 标准"]) == ([[1]], [[2.0]])
    assert words("ＡＢ，补贴。") == ["ab", "补贴"]


@pytest.fixture
def plan(tmp_path: Path) -> PeerPlan:
    own = tmp_path / "own.py"
    own.write_text(OWN, encoding="utf-8")
    exported = Exported(2, 3, {"a#1": "a", "b#1": "b", "c#1": "c"})
    return PeerPlan(QUESTIONS, tmp_path, exported, own=(sys.executable, str(own)), peers=())


def test_an_engine_is_scored_on_what_it_wrote(plan: PeerPlan) -> None:
    (ours,) = run_peers(plan).rows
    assert ours.measure is not None
    assert ours.measure.means == {"R@10": 0.75, "R@100": 0.75, "RR@10": 0.5}      # q1: 1 of 1, q2: 1 of 2; both second
    assert (ours.measure.queries.p50_ms, ours.measure.index_seconds) == (pytest.approx(2.0), 3.0)
    assert ours.measure.processor.p95_ms == pytest.approx(1.0)
    assert (ours.note, ours.ratio, ours.versions) == ("", {}, {"policydesk": "1"})


def test_gold_documents_are_found_by_any_of_their_articles(plan: PeerPlan) -> None:
    by_document = replace(QUESTIONS[0], gold=(("b",),), by_document=True)
    (ours,) = run_peers(replace(plan, questions=(by_document,))).rows
    assert ours.measure is not None
    assert ours.measure.means["RR@10"] == 0.5


def test_a_peer_that_fails_is_a_row_and_our_own_failure_an_error(plan: PeerPlan) -> None:
    broken = run_peers(replace(plan, peers=("tantivy",), python="/no/such/python")).rows[1]
    assert (broken.measure, broken.ratio) == (None, {})
    assert "127" in broken.note
    with pytest.raises(PolicyDeskError, match="退出码 1"):
        run_peers(replace(plan, own=("false",)))
    with pytest.raises(PolicyDeskError, match="没有问题"):
        run_peers(replace(plan, questions=()))


def test_the_verb_sets_ours_beside_tantivy_or_says_what_is_missing(tmp_path: Path) -> None:
    python = PEERS if PEERS.is_file() else Path(sys.executable)
    out = tmp_path / "peers.json"
    done = CliRunner().invoke(app, [
        "bench", "peers", "--questions", str(SAMPLES / "questions.jsonl"), "--corpus", str(SAMPLES / "policies"),
        "--peer", "tantivy", "--python", str(python), "--out", str(out),
    ])
    assert done.exit_code == 0, done.output
    record = json.loads(out.read_text(encoding="utf-8"))
    ours, theirs = record["result"]["rows"]
    assert ours["measure"]["means"]["R@100"] > 0.5
    assert (record["what"], record["count"]) == ("peers", ours["measure"]["queries"]["n"])
    if PEERS.is_file() or importlib.util.find_spec("tantivy"):
        assert theirs["measure"]["means"]["R@100"] > 0.5
        assert {"index_seconds", "peak_mb", "p95", "cpu_p95", "R@10", "R@100", "RR@10"} <= set(theirs["ratio"])
    else:
        assert theirs["measure"] is None
        assert "tantivy is not installed there. Type: " in theirs["note"]
        assert "tantivy is not installed there" in done.stdout
    assert "| PolicyDesk |" in done.stdout


def test_the_table_has_a_column_for_each_number(plan: PeerPlan) -> None:
    result = run_peers(replace(plan, peers=("tantivy",), python="/no/such/python"))
    table = [line for line in peer_lines(result) if line.startswith("|")]
    assert {line.count("|") for text in table for line in text.splitlines()} == {10}


def test_bench_without_a_verb_is_bench_speed() -> None:
    done = CliRunner().invoke(app, ["bench", "--national"])
    assert (done.exit_code, "--questions" in done.output, "bench speed" in done.output) == (2, True, True)
    assert CliRunner().invoke(app, ["bench", "peers", "--questions", "x", "--python", "/no/python"]).exit_code == 2
