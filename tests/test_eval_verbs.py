"""The eval verbs end to end, on the sample documents and on a few invented laws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.gate import GATE, Pin, read_pins, write_pins
from policydesk.cli import app

SAMPLES = Path(__file__).resolve().parent.parent / "data_samples"
QUESTIONS = SAMPLES / "questions.jsonl"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; an error that its user would be told stands at the end of ``stderr``."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: str | Path) -> Done:
    """In this process: a fresh one takes a second and more."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    told = "" if isinstance(result.exception, SystemExit | None) else str(result.exception)
    return Done(result.exit_code, result.stdout, result.stderr + told)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    assert run("ingest", SAMPLES / "policies", "--workers", "0", "--home", folder).code == 0
    return folder


def gate(*arguments: str, home: Path, file: Path = GATE) -> Done:
    return run("eval", "gate", "samples", "--questions", QUESTIONS, "--home", home, "--gate", file, *arguments)


def test_the_samples_stay_above_the_pinned_floors(home: Path, tmp_path: Path) -> None:
    passed = gate(home=home)
    assert (passed.code, passed.stdout.count("通过"), passed.stdout.count("未达")) == (0, 6, 0)

    strict = tmp_path / "gate.json"
    pin = read_pins()["samples"]
    write_pins({"samples": Pin(digest=pin.digest, floors={**pin.floors, "R@10": 1.0})}, strict)
    failed = gate(home=home, file=strict)
    assert (failed.code, failed.stdout.count("未达")) == (1, 1)
    assert "--losses" in failed.stderr
    refused = gate("--update", home=home, file=strict)
    assert (refused.code, "不会降低 samples 的门槛：R@10 1.000" in refused.stderr) == (1, True)
    assert gate("--update", "--allow-lower", home=home, file=strict).code == 0
    assert json.loads(strict.read_text(encoding="utf-8"))["samples"]["floors"]["R@10"] < 1
    assert gate("--allow-lower", home=home).code == 2


def test_an_evaluation_writes_its_losses_and_a_page_with_the_stages(home: Path, tmp_path: Path) -> None:
    losses, page = tmp_path / "losses.jsonl", tmp_path / "page.html"
    done = run("eval", "retrieval", "--questions", QUESTIONS, "--home", home, "--ablation",
               "--losses", losses, "--html", page)
    assert (done.code, done.stderr) == (0, "")
    assert "| 仅词项 |" in done.stdout
    rows = [json.loads(line) for line in losses.read_text(encoding="utf-8").splitlines()]
    assert rows
    assert all(row["wanted"] and row["missed"] == "article" and len(row["found"]) <= 5 for row in rows)
    assert f"落空的问题（{len(rows)}）" in page.read_text(encoding="utf-8")


def test_spans_of_documents_are_asked_and_what_the_base_lacks_is_told(home: Path, tmp_path: Path) -> None:
    questions = tmp_path / "spans.jsonl"
    span = {"document": "policies/10_养犬管理条例.md", "start": 0, "end": 5000, "also": []}
    lines = [
        {"id": "q1", "question": "养犬管理服务费每只每年多少钱？", "region": "900100", **span},
        {"id": "q2", "question": "养犬", "region": "900100", **span, "sha256": "0" * 16},
        {"id": "q3", "question": "养犬", "region": "900100", **span, "document": "none.md"},
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = run("eval", "retrieval", "--questions", questions, "--home", home, "--json")
    found = json.loads(done.stdout)
    assert (found["missing"], found["moved"]) == (["q3"], ["q2"])
    assert "1 个问题的标准文件不在库中" in done.stderr
    assert found["overall"]["means"]["Span@10"] == pytest.approx(2 / 3)


def test_laws_never_trained_on_are_compared_with_bm25(tmp_path: Path) -> None:
    """Every law has its own subject, and every question is answered by BM25 already."""
    subjects = ["养犬登记", "水费减免", "装修押金", "停车收费", "出租登记", "夜间施工", "加装电梯", "噪声投诉"]
    rows = [
        {"id": f"{name}条例@2020-01-01#第{number}条", "law": f"{name}条例", "article": f"第{number}条",
         "date": "2020-01-01", "kind": "法律", "text": f"{name}应当{what}，由主管部门负责。"}
        for name in subjects for number, what in (("一", "按期申请"), ("二", "依法公开"))
    ]
    asked = [
        {"id": name, "question": f"{name}怎么申请", "gold": [{"id": f"{name}条例@2020-01-01#第一条"}]}
        for name in subjects
    ]
    for file, lines in (("laws.jsonl", rows), ("questions.jsonl", asked)):
        (tmp_path / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    home = tmp_path / "home"
    assert run("ingest", tmp_path / "laws.jsonl", "--workers", "0", "--home", home).code == 0
    questions = tmp_path / "questions.jsonl"
    done = run("eval", "generalisation", "--questions", questions, "--national", "--folds", "3", "--home", home,
               "--json")
    assert done.code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["pooled"]["trained"]["n"], result["pooled"]["laws"], result["left_out"]) == (8, 8, 0)
    assert result["pooled"]["plain"]["means"]["R@10"] == 1
