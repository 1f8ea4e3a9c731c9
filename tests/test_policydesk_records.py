"""Entries, gaps and the log as an editor handles them, through the command line."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import PolicyDeskError
from policydesk.cli import app

ROOT = Path(__file__).resolve().parent.parent
FEES = """---
标题: "临澜市居住证办法"
发文字号: "临公规〔2024〕9号"
发文机关: "临澜市公安局"
适用区域: "900100"
施行日期: "2024-01-01"
---

# 临澜市居住证办法

第一条　首次申领居住证不收费。

第二条　丢失补领的，工本费每证十五元。
"""
QUESTION = "首次申领居住证要收费吗？"


class Desk:
    """The command line over one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "own.yaml"
        self.config.write_text("storage:\n  min_free_mb: 0\n", encoding="utf-8")

    def run(self, *arguments: str, code: int = 0) -> str:
        options = ["--home", str(self.folder / "home"), "--config", str(self.config)]
        done = CliRunner().invoke(app, [*arguments, *options])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def ingest(self, text: str) -> None:
        file = self.folder / "fees.md"
        file.write_text(text, encoding="utf-8")
        self.run("ingest", str(file))

    def answer(self, question: str = QUESTION) -> dict[str, object]:
        answer: dict[str, object] = json.loads(self.run("ask", question, "--region", "900100", "--json"))
        return answer


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("POLICYDESK_AUDIT__KEY", "geheim")
    made = Desk(tmp_path)
    made.ingest(FEES)
    return made


def test_an_entry_is_added_published_suspended_checked_exported_and_taken_back(desk: Desk) -> None:
    name = desk.run(
        "faq", "add", "--question", QUESTION, "--answer", "不收费。", "--similar", "第一次办居住证要交多少钱？",
        "--negative", "居住证丢了补办收多少钱？", "--cite", "临公规〔2024〕9号|第一条|首次申领居住证不收费。",
        "--region", "900100", "--owner", "公安局", "--review-due", "2030-01-01", "--by", "甲",
    ).strip()
    desk.run("faq", "publish", name, "--by", "乙")
    assert desk.answer()["text"] == "不收费。"
    assert "“首次申领居住证不收费。”" in desk.run("faq", "show", name)
    desk.ingest(FEES.replace("不收费。", "不收费，自取。"))
    assert name in desk.run("faq", "list", "--state", "suspended")
    assert desk.run("faq", "list", "--due") == ""
    with pytest.raises(PolicyDeskError, match="引文"):
        desk.run("faq", "publish", name)
    desk.run("faq", "edit", name, "--cite", "临公规〔2024〕9号|第一条|首次申领居住证不收费，自取。")
    desk.run("faq", "publish", name)
    desk.run("faq", "edit", name, "--answer", "免费。")
    rows = [json.loads(line) for line in desk.run("faq", "history", name, "--json").splitlines()]
    assert [row["action"] for row in rows] == [
        "faq.add", "faq.publish", "faq.suspend", "faq.edit", "faq.publish", "faq.edit",
    ]
    desk.run("faq", "revert", name, str(rows[4]["seq"]))
    desk.run("faq", "export", str(desk.folder / "entries.jsonl"))
    (line,) = (desk.folder / "entries.jsonl").read_text(encoding="utf-8").splitlines()
    assert (json.loads(line)["answer"], json.loads(line)["state"]) == ("不收费。", "published")
    desk.run("faq", "withdraw", name)
    assert desk.run("faq", "import", str(desk.folder / "entries.jsonl"), "--publish").split() == [name]


def test_a_guide_is_made_of_sections_and_one_is_changed_alone(desk: Desk) -> None:
    name = desk.run(
        "faq", "add", "--question", "居住证怎么办理？", "--section", "事项=居住证首次申领", "--section", "费用=不收费",
    ).strip()
    desk.run("faq", "edit", name, "--section", "费用=首次不收费")
    assert "答：事项：居住证首次申领\n费用：首次不收费\n" in desk.run("faq", "show", name)
    assert desk.run("faq", "edit", name, "--section", "价钱", code=2) == ""


def test_the_shipped_entries_can_be_published_over_the_shipped_documents(desk: Desk) -> None:
    desk.run("ingest", *(str(file) for file in sorted((ROOT / "data_samples" / "policies").glob("[123][238]_*"))))
    ids = desk.run("faq", "import", str(ROOT / "data_samples" / "faqs.jsonl"), "--publish").split()
    assert len(ids) == 3
    assert str(desk.answer("结婚登记怎么办？")["text"]).startswith("事项：结婚登记")


def test_feedback_becomes_a_gap_that_closes_when_the_answer_is_another_one(desk: Desk) -> None:
    name = str(desk.answer()["id"])
    desk.run("feedback", name, "wrong", "--comment", "已经改收费了", "--by", "坐席")
    assert QUESTION in desk.run("gaps", "mine", "--since", str(date.today()))
    (gap,) = (json.loads(line) for line in desk.run("gaps", "list", "--json").splitlines())
    assert (gap["kind"], gap["owner"], gap["questions"]) == ("disputed", "临澜市公安局", 1)
    assert "未通过" in desk.run("gaps", "close", gap["id"], code=1)
    desk.run("gaps", "assign", gap["id"], "--owner", "户政科", "--due", "2030-01-01")
    assert "户政科" in desk.run("gaps", "show", gap["id"])
    desk.ingest(FEES.replace("不收费。", "收费二十元。"))
    assert "通过" in desk.run("gaps", "close", gap["id"], "--note", "已更新")
    assert "已更新" in desk.run("gaps", "list", "--all", "--json")


def test_the_log_is_verified_listed_and_purged(desk: Desk) -> None:
    name = str(desk.answer()["id"])
    assert "完整" in desk.run("audit", "verify")
    assert name in desk.run("audit", "list", "--action", "answer", "--since", str(date.today()))
    assert "已签名" in desk.run("audit", "checkpoint")
    assert "相同" in desk.run("replay", name)
    with pytest.raises(PolicyDeskError, match=r"audit\.keep_days"):
        desk.run("audit", "purge", "--before", str(date.today()))
    desk.run("audit", "purge", "--before", str(date.today() - timedelta(days=183)))
    file = desk.folder / "home" / "audit-checkpoints.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace('"count": 1,', '"count": 2,'), encoding="utf-8")
    assert "签名不对" in desk.run("audit", "verify", code=1)
