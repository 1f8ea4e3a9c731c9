"""Conversations from the command line: later turns go on what was said, an empty line ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policydesk.cli import app

SAMPLES = Path(__file__).resolve().parent.parent / "data_samples/policies"
CITY = ["--region", "900100"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("chat")
    assert CliRunner().invoke(app, ["ingest", str(SAMPLES), "--home", str(home)]).exit_code == 0
    return home


def run(home: Path, *arguments: str, said: str | None = None) -> str:
    done = CliRunner().invoke(app, [*arguments, *CITY, "--home", str(home)], input=said)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_turn_goes_on_what_was_asked_before(home: Path) -> None:
    told = run(home, "chat", said="高龄津贴怎么申请？\n那需要什么材料？\n")
    assert "（理解为：高龄津贴需要什么材料？）" in told


def test_an_empty_line_begins_a_new_conversation(home: Path) -> None:
    assert "理解为" not in run(home, "chat", said="高龄津贴怎么申请？\n\n那需要什么材料？\n")


def test_what_was_asked_before_can_be_given_with_a_question(home: Path) -> None:
    answer = json.loads(run(home, "ask", "那需要什么材料？", "--before", "高龄津贴怎么申请？", "--json"))
    assert answer["asked"] == "高龄津贴需要什么材料？"
    assert "高龄津贴" in {citation["title"] for citation in answer["citations"]}.pop()


def test_a_line_of_a_batch_may_have_a_history(home: Path, tmp_path: Path) -> None:
    lines = [
        {"id": 1, "question": "那需要什么材料？", "history": ["高龄津贴怎么申请？"]},
        {"id": 2, "question": "90周岁以上", "history": [
            {"question": "每月多少钱", "asked": "高龄津贴每月多少钱", "choices": ["80至89周岁", "90周岁以上"]},
        ]},
        {"id": 3, "question": "养犬登记要什么材料？", "history": ["高龄津贴怎么申请？"]},
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    answers = [json.loads(line) for line in run(home, "ask", "--batch", str(batch)).splitlines()]
    assert [answer["asked"] for answer in answers] == [
        "高龄津贴需要什么材料？", "高龄津贴每月多少钱（90周岁以上）", "",
    ]


@pytest.mark.parametrize("history", ["高龄津贴", [3], [{"asked": "x"}]])
def test_a_history_of_another_shape_is_refused_with_its_line(home: Path, tmp_path: Path, history: object) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text(json.dumps({"id": 1, "question": "那呢", "history": history}), encoding="utf-8")
    done = CliRunner().invoke(app, ["ask", "--batch", str(batch), "--home", str(home)])
    assert done.exit_code == 1
    assert "batch.jsonl:1" in str(done.exception)
    assert "history" in str(done.exception)


def test_a_conversation_is_kept_without_numbers_of_people(home: Path) -> None:
    said = run(home, "ask", "那需要什么材料？", "--before", "我的手机13812345678，高龄津贴怎么申请？", "--json")
    assert "13812345678" not in said
    answer = json.loads(said)
    kept = CliRunner().invoke(app, ["replay", answer["id"], "--no-ask", "--json", "--home", str(home)])
    assert "13812345678" not in kept.stdout
