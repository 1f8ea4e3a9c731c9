"""Curation as an editor does it: review, edits, rulings and what was known when, through the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import NotFound, PolicyDeskError
from policydesk.cli import app

PARKING = """标题：停车管理办法
发文机关：临澜市人民政府
施行日期：2020-01-01
适用区域：900100

第一条 停车收费每小时五圆。
第二条 停车场应当开具发票。
"""


class Desk:
    """The command line over one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home.parent / "own.yaml"
        self.config.write_text("storage:\n  min_free_mb: 0\n", encoding="utf-8")

    def run(self, *arguments: str) -> str:
        options = ["--home", str(self.home), "--config", str(self.config)]
        done = CliRunner().invoke(app, [*arguments, *options])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def rows(self, *arguments: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.run(*arguments, "--json").splitlines()]

    def ids(self, state: str) -> list[str]:
        return [str(row["id"]) for row in self.rows("documents", "--state", state)]

    def quotes(self, *arguments: str) -> list[str]:
        answer = self.rows("ask", "停车收费每小时多少钱？", "--region", "900100", *arguments)[0]
        citations = answer["citations"]
        assert isinstance(citations, list)
        return [citation["quote"] for citation in citations]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "park.md").write_text(_front(PARKING), encoding="utf-8")
    return Desk(tmp_path / "home")


def _front(text: str) -> str:
    head, _, body = text.partition("\n\n")
    title = head.split("\n")[0].partition("：")[2]
    return "---\n" + head.replace("：", ": ") + f"\n---\n# {title}\n\n{body}"


def ingest(desk: Desk, *options: str) -> None:
    desk.run("ingest", str(desk.home.parent / "park.md"), *options)


def test_a_draft_is_handed_in_returned_handed_in_again_and_approved_by_another(desk: Desk) -> None:
    desk.config.write_text(
        "storage:\n  min_free_mb: 0\nreview:\n  required: true\n  two_people: true\n", encoding="utf-8"
    )
    with pytest.raises(PolicyDeskError, match="--draft"):
        ingest(desk)
    ingest(desk, "--draft", "--by", "甲")
    (name,) = desk.ids("draft")
    with pytest.raises(PolicyDeskError, match="还没有提交审核"):
        desk.run("publish", name, "--by", "乙")
    desk.run("review", "submit", name, "--by", "甲")
    assert name in desk.run("review", "list")
    desk.run("review", "return", name, "--note", "收费单位写错", "--by", "乙")
    assert desk.ids("draft") == [name]
    desk.run("review", "submit", name, "--by", "甲")
    assert "新文件" in desk.run("review", "show", name)
    with pytest.raises(PolicyDeskError, match="另一人"):
        desk.run("review", "approve", name, "--by", "甲")
    assert desk.quotes() == []
    desk.run("review", "approve", name, "--by", "乙")
    assert desk.quotes() == ["停车收费每小时五圆。"]
    desk.run("edit", "text", name, "第一条", "--new", "停车收费每小时五元。", "--by", "甲")
    assert desk.quotes() == ["停车收费每小时五圆。"]
    assert len(desk.ids("draft")) == 1
    log = [(row.split()[-3], row.split()[-2]) for row in desk.run("history", name).splitlines() if "记录" in row]
    assert log == [("甲", "draft"), ("甲", "submit"), ("乙", "send_back"), ("甲", "submit"), ("乙", "publish"),
                   ("甲", "edit"), ("甲", "draft")]


def test_an_edit_answers_at_once_shows_in_the_list_and_is_undone(desk: Desk) -> None:
    ingest(desk)
    (name,) = desk.ids("published")
    desk.run("edit", "text", name, "第一条", "--new", "停车收费每小时五元。", "--by", "丙")
    assert desk.quotes() == ["停车收费每小时五元。"]
    (new,) = desk.ids("published")
    listed = desk.run("edit", "list", new)
    assert "丙" in listed
    assert "+ 停车收费每小时五元。" in listed
    desk.run("edit", "field", new, "phone", "12345")
    desk.run("edit", "split", desk.ids("published")[0], "第二条", "--before", "应当")
    desk.run("edit", "merge", desk.ids("published")[0], "第二条", "--chunk", "1")
    desk.run("edit", "undo", "1", "--by", "丁")
    assert desk.quotes() == ["停车收费每小时五圆。"]
    assert desk.rows("show", desk.ids("published")[0])[0]["facts"]["phone"] == "12345"  # type: ignore[index]


def test_a_reading_that_contradicts_an_edit_is_told_and_changes_no_answer(desk: Desk) -> None:
    ingest(desk)
    desk.run("edit", "text", desk.ids("published")[0], "第一条", "--new", "停车收费每小时五元。")
    path = desk.home.parent / "park.md"
    path.write_text(path.read_text(encoding="utf-8").replace("五圆", "六元"), encoding="utf-8")
    assert "冲突" in desk.run("ingest", str(path))
    assert desk.quotes() == ["停车收费每小时五元。"]
    (draft,) = desk.ids("draft")
    assert "与编辑的修改冲突" in desk.run("review", "show", draft)
    assert "（冲突）" in desk.run("edit", "list", draft)


def test_a_ruling_ends_a_document_names_what_replaced_it_and_can_be_taken_back(desk: Desk) -> None:
    ingest(desk)
    (name,) = desk.ids("published")
    told = desk.run("repeal", name, "--from", "2024-05-01", "--replaced-by", "停车条例", "--reason", "市府令")
    assert "给出过的答案" in told
    answer = desk.rows("ask", "停车收费每小时多少钱？", "--region", "900100")[0]
    assert answer["status"] == "expired"
    assert "已于 2024-05-01 废止，由《停车条例》替代" in str(answer["notices"])
    assert desk.quotes("--as-of", "2024-04-30") == ["停车收费每小时五圆。"]
    assert name in desk.run("review", "due") or "2024" not in desk.run("review", "due")
    desk.run("unrule", "1")
    assert desk.quotes() == ["停车收费每小时五圆。"]
    with pytest.raises(NotFound):
        desk.run("unrule", "1")


def test_what_was_known_before_an_edit_answers_for_that_moment(desk: Desk) -> None:
    ingest(desk)
    before = datetime.now(UTC).astimezone().isoformat()
    desk.run("edit", "text", desk.ids("published")[0], "第一条", "--new", "停车收费每小时五元。")
    assert desk.quotes() == ["停车收费每小时五元。"]
    assert desk.quotes("--known-at", before) == ["停车收费每小时五圆。"]
    assert desk.quotes("--known-at", "2020-01-01") == []


def test_a_review_shows_which_answers_a_draft_would_change(desk: Desk) -> None:
    ingest(desk)
    path = desk.home.parent / "park.md"
    path.write_text(path.read_text(encoding="utf-8").replace("五圆", "六元"), encoding="utf-8")
    ingest(desk, "--draft")
    (draft,) = desk.ids("draft")
    questions = desk.home.parent / "gold.jsonl"
    asked = [{"id": "1", "question": "停车收费每小时多少钱？"}, {"id": "2", "question": "停车场要开发票吗？"}]
    questions.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    shown = desk.run("review", "show", draft, "--questions", str(questions))
    assert "［-圆-］" in shown or "［-五圆-］" in shown
    assert "答案会变：停车收费每小时多少钱？" in shown
    assert "发票" not in shown.partition("答案会变")[2]


def test_the_unit_in_charge_and_the_next_review_are_listed_when_due(desk: Desk) -> None:
    ingest(desk)
    (name,) = desk.ids("published")
    desk.run("care", name, "--owner", "城管局", "--review-due", "2024-01-01")
    assert "2024-01-01  复核到期" in desk.run("review", "due")
    assert "城管局" in desk.run("review", "due")


def test_a_rule_that_is_asked_for_by_name_before_its_first_day_is_said_to_come(desk: Desk) -> None:
    ingest(desk)
    asked = desk.rows("ask", "停车管理办法规定收费多少？", "--region", "900100", "--as-of", "2019-12-31")[0]
    assert "尚未生效" in str(asked["notices"])
    assert asked["citations"] == []
