"""Every answer is kept and can be replayed; a store that cannot be written stops no answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select

from core.config import Config
from core.errors import NotFound
from core.records import Answer, Question, Role, State, Status, Verdict
from kb.curation import faq, faq_entries
from kb.log.answers import answer_of, judge, load, same_answer
from kb.log.audit import Wanted, listed, purgeable
from kb.log.audit_check import check
from kb.schema import answer_sources, answers, audit
from policydesk.app import Desk, open_desk
from policydesk.gap_work import close_gap, mine_gaps
from policydesk.keeping import ASKED_AT_ONCE, NOT_KEPT
from policydesk.replaying import replayed

HEAT = """---
标题: "临澜市供热办法"
发文机关: "临澜市城管局"
适用区域: "900100"
施行日期: "2020-01-01"
---

# 临澜市供热办法

第一条　供热期间室温不低于18度。

第二条　室温不达标的，按日退还热费。
"""
QUESTION = Question("供热室温不低于多少度？", region="900100")


def light(config: Config) -> Config:
    storage = config.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    return config.model_copy(update={"storage": storage})


def ingest(desk: Desk, folder: Path, text: str) -> None:
    file = folder / "heat.md"
    file.write_text(text, encoding="utf-8")
    desk.ingest([file], publish=True, on_bytes=lambda count: None)


@pytest.fixture
def desk(config: Config, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(light(config), tmp_path / "home") as opened:
        ingest(opened, tmp_path, HEAT)
        yield opened


def engine_of(desk: Desk) -> Engine:
    with desk.base.ledger.reading() as connection:
        return connection.engine


def whole(desk: Desk) -> bool:
    with desk.base.ledger.reading() as connection:
        return not check(connection, desk.base.ledger.checkpoints).problems


# kept


def test_an_answer_is_kept_with_its_question_its_revisions_and_its_hash(desk: Desk) -> None:
    asked = replace(QUESTION, text=f"{QUESTION.text}我的电话13812345678", as_of=date(2026, 1, 2), role=Role.CITIZEN)
    answer = desk.ask(asked)
    with desk.base.ledger.reading() as connection:
        kept = load(connection, answer.id)
        assert kept.answer == answer
        assert kept.question == replace(asked, text=f"{QUESTION.text}我的电话***********")
        sources = select(answer_sources.c.document_id).where(answer_sources.c.answer_id == answer.id)
        assert connection.scalars(sources).all() == [answer.citations[0].document]
        (row,) = listed(connection, Wanted(subject=answer.id))
        assert (row.action, row.who, row.detail["status"]) == ("answer", "citizen", "answered")
        assert kept.commits == 1
        with pytest.raises(NotFound):
            load(connection, "0" * 32)
    assert whole(desk)


def test_many_answers_are_kept_in_few_commits_and_in_order(desk: Desk) -> None:
    texts = [f"第{n}个问题：供热室温不低于多少度？" for n in range(2 * ASKED_AT_ONCE + 5)]
    given = list(desk.ask_all(replace(QUESTION, text=text) for text in texts))
    with desk.base.ledger.reading() as connection:
        assert [load(connection, answer.id).question.text for answer in given] == texts
        assert connection.scalar(select(func.count(answers.c.at.distinct()))) == 3
        logged = connection.scalars(select(audit.c.subject).where(audit.c.action == "answer").order_by(audit.c.seq))
        assert list(logged) == [answer.id for answer in given]
    assert whole(desk)


def test_a_refusal_and_an_answer_of_another_shape_are_read_back_as_they_were() -> None:
    answer = Answer(
        Status.NO_EVIDENCE, "没有\n\x00", "extract", route="转人工", timings_ms=(("total", 1.5),), id="a" * 32
    )
    assert answer_of(json.dumps({
        "status": "no_evidence", "text": answer.text, "made_by": "extract", "sentences": [], "citations": [],
        "route": "转人工", "notices": [], "timings_ms": [["total", 1.5]], "ai_label": "", "id": answer.id,
        "confidence": 0.0,
    })) == answer
    assert same_answer(answer, replace(answer, id="b", timings_ms=(), notices=("晚了",)))
    assert not same_answer(answer, replace(answer, text="有"))


# not kept


def pragma(desk: Desk, statement: str) -> Iterator[None]:
    """Each connection runs ``statement`` when it is taken."""

    def run(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(statement)

    engine = engine_of(desk)
    event.listen(engine, "checkout", run)
    yield
    event.remove(engine, "checkout", run)


def test_a_read_only_database_stops_no_answer_and_the_answer_says_so(desk: Desk) -> None:
    for _ in pragma(desk, "PRAGMA query_only=ON"):
        alone, (many, _other) = desk.ask(QUESTION), desk.ask_all([QUESTION, QUESTION])
        for answer in (alone, many):
            assert (answer.status, answer.id, answer.notices[-1]) == (Status.ANSWERED, "", NOT_KEPT)
    for _ in pragma(desk, "PRAGMA query_only=OFF"):
        assert NOT_KEPT not in desk.ask(QUESTION).notices
        assert whole(desk)


def test_a_full_disk_stops_no_answer_and_leaves_the_log_whole(desk: Desk) -> None:
    with desk.base.ledger.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    for _ in pragma(desk, f"PRAGMA max_page_count={pages}"):
        given = [desk.ask(QUESTION) for _ in range(12)]
        assert all(answer.status is Status.ANSWERED for answer in given)
        assert NOT_KEPT in given[-1].notices
    for _ in pragma(desk, "PRAGMA max_page_count=1000000"):
        assert desk.ask(QUESTION).id
        assert whole(desk)


def test_a_checkpoint_file_that_cannot_be_written_stops_no_answer(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    audit_config = config.audit.model_copy(update={"checkpoints": str(tmp_path / "file" / "checkpoints")})
    with open_desk(light(config).model_copy(update={"audit": audit_config}), tmp_path / "home") as desk:
        assert desk.ask(QUESTION).id


# opening and closing


def test_what_was_answered_before_closing_cannot_be_cut_off_unseen(config: Config, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_desk(light(config), home) as desk:
        for _ in range(3):
            desk.ask(QUESTION)
    file = home / "audit-checkpoints.jsonl"
    assert [json.loads(line)["seq"] for line in file.read_text(encoding="utf-8").splitlines()] == [3]
    with sqlite3.connect(home / "policydesk.db") as database:
        (last,) = database.execute("SELECT subject FROM audit WHERE seq = 3").fetchone()
        database.execute("DELETE FROM audit WHERE seq = 3")
        database.execute("DELETE FROM answers WHERE id = ?", [last])
    with open_desk(light(config), home) as desk:
        desk.ask(QUESTION)
        assert not whole(desk)


# replayed


def test_a_replay_shows_the_revision_that_was_quoted_and_answers_as_then(desk: Desk, tmp_path: Path) -> None:
    answer = desk.ask(QUESTION)
    ingest(desk, tmp_path, HEAT.replace("18度", "20度"))
    assert "20度" in desk.ask(QUESTION).text
    found = replayed(desk, answer.id, ask=True)
    assert found.kept.answer == answer
    assert [(one.id, one.state) for one in found.revisions] == [(answer.citations[0].document, State.REMOVED)]
    assert (found.broken, found.same) == ((), True)
    assert found.again is not None
    assert "18度" in found.again.text
    assert replayed(desk, answer.id, ask=False).again is None
    assert whole(desk)


def test_a_quote_that_was_tampered_with_is_named(desk: Desk) -> None:
    answer = desk.ask(QUESTION)
    with desk.base.ledger.changing() as connection:
        connection.exec_driver_sql("UPDATE documents SET text = replace(text, '18度', '16度')")
    assert replayed(desk, answer.id, ask=False).broken == (1,)


def test_a_direct_answer_is_replayed_from_the_entry_as_it_was(desk: Desk) -> None:
    entry = faq_entries.FaqEntry("供热室温不低于多少度？", "不低于18度。", (
        faq_entries.Basis("临澜市供热办法", "第一条", "供热期间室温不低于18度。"),
    ), region="900100")
    with desk.base.ledger.changing() as connection:
        name = faq.add(connection, "甲", entry)
        faq.publish(connection, "甲", name)
    answer = desk.ask(QUESTION)
    with desk.base.ledger.changing() as connection:
        faq.withdraw(connection, "甲", name)
    assert desk.ask(QUESTION).made_by == "extract"
    found = replayed(desk, answer.id, ask=True)
    assert (answer.made_by, found.broken, found.same) == ("faq", (), True)


# on each database


def test_answers_entries_gaps_and_the_log_are_kept_in_each_database(each_database: Config, tmp_path: Path) -> None:
    with open_desk(light(each_database), tmp_path / "home") as desk:
        ingest(desk, tmp_path, HEAT)
        direct = faq_entries.FaqEntry("暖气不热退不退费？", "按日退还热费。", (
            faq_entries.Basis("临澜市供热办法", "第二条", "室温不达标的，按日退还热费。"),
        ), region="900100")
        with desk.base.ledger.changing() as connection:
            (name,) = faq.put_all(connection, "甲", [direct], publish_them=True)
        given = [desk.ask(replace(QUESTION, text=text)) for text in (
            QUESTION.text, direct.question, "车位装充电桩要找谁批？13812345678",
        )]
        assert [answer.made_by for answer in given] == ["extract", "faq", "extract"]
        with desk.base.ledger.changing() as connection:
            judge(connection, "乙", given[0].id, Verdict.OUTDATED, "改了")
        mined = mine_gaps(desk, "夜班", since=date.today(), owner=None)
        assert len(mined.opened) == 2
        assert not any(one.passed for gap in mined.opened for one in close_gap(desk, "甲", gap, ""))
        ingest(desk, tmp_path, HEAT.replace("18度", "20度").replace("按日退还", "按月退还"))
        assert [one.passed for gap in mined.opened for one in close_gap(desk, "甲", gap, "")].count(True) == 1
        with desk.base.ledger.reading() as connection:
            assert faq.load(connection, name).state is faq_entries.FaqState.SUSPENDED
            assert purgeable(connection, date.today() - timedelta(days=183), 183) is None
            assert [row.action for row in listed(connection, Wanted(subject=name))] == [
                "faq.add", "faq.publish", "faq.suspend",
            ]
        assert replayed(desk, given[0].id, ask=False).broken == ()
        assert whole(desk)
