"""What is told beside an answer, and answers that are lists of documents."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policydesk.cli import app
from qa.listed import Wanted, documents_wanted
from qa.scope import today

CITY, EAST, WEST = "900100", "900102", "900103"
ALLOWANCE = "高龄津贴每月多少钱？"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notices")
    soon = today() + timedelta(days=20)
    (folder / "soon.md").write_text(
        "---\n标题: 临澜市夜间停车优惠暂行办法\n发文机关: 临澜市交通运输局\n适用区域: \"900100\"\n"
        f"施行日期: 2024-01-01\n失效日期: {soon}\n---\n\n"
        "第一条　夜间停车优惠时段为每日二十二时至次日六时，每次收费三元。\n", encoding="utf-8",
    )
    policies = Path(__file__).resolve().parent.parent / "data_samples/policies"
    call("ingest", str(policies), str(folder / "soon.md"), "--publish", home=folder / "home")
    return folder / "home"


def call(*arguments: str, home: Path) -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    assert done.exit_code == 0, done.output
    return done.stdout


def ask(home: Path, question: str, region: str = CITY) -> dict[str, object]:
    answer: dict[str, object] = json.loads(call("ask", question, "--region", region, "--json", home=home))
    return answer


def test_a_rule_that_soon_ends_is_told(home: Path) -> None:
    answer = ask(home, "夜间停车优惠每次收费多少？")
    assert any("将于" in notice and "不再有效" in notice for notice in answer["notices"])  # type: ignore[attr-defined]


def contradictions(answer: dict[str, object]) -> list[str]:
    return [notice for notice in answer["notices"] if "不一致" in notice]  # type: ignore[attr-defined]


def test_a_rule_that_another_contradicts_is_told_once_conflicts_were_looked_for(home: Path) -> None:
    assert not contradictions(ask(home, ALLOWANCE, WEST))
    call("conflicts", home=home)
    (notice,) = contradictions(ask(home, ALLOWANCE, CITY))
    assert "《临澜市高龄津贴和老年人优待办法》第三条与《澜东区关于提高高龄津贴标准的实施意见》" in notice
    assert "金额不一致" in notice
    assert "请责任单位确认" in notice


def test_a_conflict_with_a_rule_of_another_district_is_not_told(home: Path) -> None:
    call("conflicts", home=home)
    assert not contradictions(ask(home, ALLOWANCE, WEST))


@pytest.mark.parametrize("question", [
    "医保方面有哪些文件？", "关于医保的文件有哪些", "列出医保的文件", "有几份医保文件",
])
def test_a_question_for_documents_is_answered_with_their_names(home: Path, question: str) -> None:
    answer = ask(home, question)
    assert answer["status"] == "answered"
    assert "共 1 份" in answer["notices"][0]  # type: ignore[index]
    (citation,) = answer["citations"]  # type: ignore[misc]
    assert answer["text"] == f"《{citation['title']}》[1]"
    document = json.loads(call("show", citation["document"], "--json", home=home))
    assert document["text"][citation["start"] : citation["end"]] == citation["quote"] == citation["title"]


def test_documents_are_asked_for_by_year_and_kind() -> None:
    assert documents_wanted("2024年出台了哪些办法") == Wanted("", "办法", 2024)
    assert documents_wanted("有哪些关于住房的条例") == Wanted("住房", "条例", None)


@pytest.mark.parametrize("question", [
    "公租房有哪些申请条件", "养老机构有哪些补贴", "申请需要哪些文件材料", "有哪些规定", "文件丢了怎么补办",
    "违反条例有哪些处罚",
])
def test_what_rules_say_is_not_a_question_for_documents(question: str) -> None:
    assert documents_wanted(question) is None
