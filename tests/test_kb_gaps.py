"""Questions that nobody could answer become tasks, one for each matter, and close when the same questions pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import Answer, Question, Role, State, Status, Verdict
from eval.gaps import grouped, read_matters
from kb.curation import gaps, lifecycle
from kb.curation.gaps import GapKind, GapState
from kb.log import answers
from kb.log.audit import Wanted, listed
from kb.schema import answers as answers_table
from kb.upkeep import jobs
from policydesk.app import Desk, open_desk
from policydesk.gap_work import close_gap, mine_gaps
from policydesk.job_runner import do_queued

HEAD = """---
标题: "{title}"
发文机关: "{issuer}"
适用区域: "900100"
施行日期: "2024-01-01"
公开属性: "公开"
---
"""
DOGS = HEAD.format(title="临澜市养犬管理办法", issuer="临澜市城管局") + (
    "\n# 临澜市养犬管理办法\n\n第一条　养犬应当到派出所登记，登记不收费。\n\n第二条　每户限养一只犬。\n"
)
PILES = [
    "小区车位装充电桩要找谁批？", "想在自家车位安装汽车充电桩，怎么申请？", "个人车位装电动汽车充电桩需要哪些手续？",
]
FIRES = ["春节期间可以燃放烟花爆竹吗？", "哪些地方禁止燃放烟花爆竹？"]


@dataclass(frozen=True, slots=True)
class Town:
    """A desk with one rule published."""

    desk: Desk
    folder: Path

    def ingest(self, name: str, text: str) -> None:
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        self.desk.ingest([file], publish=True, on_bytes=lambda count: None)

    def ask(self, text: str, *, region: str = "900100", role: Role = Role.AGENT) -> Answer:
        return self.desk.ask(Question(text, region=region, role=role))

    def mine(self, **options: str) -> gaps.Mined:
        return mine_gaps(self.desk, "夜班", since=None, owner=options.get("owner"))

    def judge(self, answer: Answer, verdict: Verdict) -> None:
        with self.desk.base.ledger.changing() as connection:
            answers.judge(connection, "坐席", answer.id, verdict, "我的电话13812345678")

    @property
    def gaps(self) -> list[gaps.Gap]:
        with self.desk.base.ledger.reading() as connection:
            return gaps.list_gaps(connection, list(GapState))

    def texts(self, gap: gaps.Gap) -> list[str]:
        with self.desk.base.ledger.reading() as connection:
            return [one.kept.question.text for one in gaps.concerns_of(connection, gap.id)]


@pytest.fixture
def town(each_database: Config, tmp_path: Path) -> Iterator[Town]:
    storage = each_database.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    with open_desk(each_database.model_copy(update={"storage": storage}), tmp_path / "home") as desk:
        made = Town(desk, tmp_path)
        made.ingest("dogs.md", DOGS)
        yield made


def test_unanswered_questions_come_together_by_matter(town: Town) -> None:
    for text in (*PILES, *FIRES, PILES[0]):
        assert town.ask(text).status is Status.NO_EVIDENCE
    mined = town.mine()
    assert (len(mined.opened), mined.joined, mined.left) == (2, 0, 0)
    by_title = {gap.title: sorted(town.texts(gap)) for gap in town.gaps}
    assert sorted(by_title.values(), key=len) == [sorted(FIRES), sorted([*PILES, PILES[0]])]
    assert all(title in texts for title, texts in by_title.items())
    today = date.today()
    assert {(gap.kind, gap.state, gap.due) for gap in town.gaps} == {
        (GapKind.UNANSWERED, GapState.OPEN, today + timedelta(days=town.desk.config.gaps.days))
    }
    assert town.mine() == gaps.Mined((), 0, 0)


def test_the_same_question_and_one_much_like_it_join_the_open_gap(town: Town) -> None:
    town.ask(PILES[0])
    town.mine()
    for text in (PILES[0].replace("？", "?"), PILES[1], FIRES[0]):
        town.ask(text)
    mined = town.mine()
    assert (len(mined.opened), mined.joined) == (1, 2)
    assert sorted(gap.questions for gap in town.gaps) == [1, 3]


def test_a_matter_of_another_region_is_another_gap(town: Town) -> None:
    town.ask(PILES[0])
    town.ask(PILES[0], region="900200")
    assert len(town.mine().opened) == 2


def test_a_good_answer_is_no_gap_until_somebody_disputes_it(town: Town) -> None:
    answer = town.ask("养犬登记收费吗？")
    assert answer.status is Status.ANSWERED
    for verdict in (Verdict.GOOD, Verdict.INCOMPLETE):
        town.judge(answer, verdict)
        assert town.mine().opened == ()
    town.judge(answer, Verdict.WRONG)
    town.mine()
    assert [(gap.kind, gap.owner) for gap in town.gaps] == [(GapKind.DISPUTED, "临澜市城管局")]
    with pytest.raises(NotFound):
        town.judge(replace(answer, id="0" * 32), Verdict.GOOD)


def test_an_answer_of_little_confidence_is_a_gap(town: Town) -> None:
    answer = town.ask("养犬登记收费吗？")
    with town.desk.base.ledger.changing() as connection:
        connection.execute(update(answers_table).where(answers_table.c.id == answer.id).values(confidence=0.56))
    town.mine()
    assert [gap.kind for gap in town.gaps] == [GapKind.LOW_CONFIDENCE]


def test_a_gap_closes_only_when_every_question_passes(town: Town) -> None:
    for text in ("小区车位安装充电桩要交多少押金？", "车位安装充电桩要先做消防鉴定评估吗？"):
        town.ask(text)
    town.mine()
    (gap,) = town.gaps
    retried = close_gap(town.desk, "甲", gap.id, "")
    assert [one.passed for one in retried] == [False, False]
    town.ingest("piles.md", HEAD.format(title="临澜市充电桩安装规定", issuer="临澜市发改委") + (
        "\n# 临澜市充电桩安装规定\n\n第一条　小区车位安装充电桩的，物业收取押金不超过五百元。\n"
    ))
    assert [one.passed for one in close_gap(town.desk, "甲", gap.id, "")] == [True, False]
    assert town.gaps[0].state is GapState.OPEN
    town.ingest("more.md", HEAD.format(title="临澜市充电桩消防规定", issuer="临澜市发改委") + (
        "\n# 临澜市充电桩消防规定\n\n第一条　车位安装充电桩应当先做消防鉴定评估。\n"
    ))
    assert all(one.passed for one in close_gap(town.desk, "甲", gap.id, "已补充两个文件"))
    (closed,) = town.gaps
    assert (closed.state, closed.note, closed.closed_at is not None) == (GapState.CLOSED, "已补充两个文件", True)
    with pytest.raises(PolicyDeskError, match="已经办结"):
        close_gap(town.desk, "甲", gap.id, "")
    with town.desk.base.ledger.reading() as connection:
        log = [row.action for row in listed(connection, Wanted(subject=gap.id))]
    assert log == ["gap.open", "gap.fail", "gap.fail", "gap.close"]


def test_a_disputed_answer_has_to_become_another_one(town: Town) -> None:
    question = "每户可以养几只犬？"
    town.judge(town.ask(question), Verdict.OUTDATED)
    town.mine()
    (gap,) = town.gaps
    assert not close_gap(town.desk, "甲", gap.id, "")[0].passed
    town.ingest("dogs.md", DOGS.replace("登记不收费", "登记收费十元"))
    assert not close_gap(town.desk, "甲", gap.id, "")[0].passed
    town.ingest("dogs.md", DOGS.replace("限养一只犬", "限养两只犬"))
    assert close_gap(town.desk, "甲", gap.id, "")[0].passed


def test_asking_again_for_closing_is_not_kept_as_a_question_of_a_citizen(town: Town) -> None:
    town.ask(PILES[0])
    town.mine()
    close_gap(town.desk, "甲", town.gaps[0].id, "")
    assert town.mine() == gaps.Mined((), 0, 0)


def test_a_closed_gap_is_not_joined(town: Town) -> None:
    town.judge(town.ask("每户可以养几只犬？"), Verdict.WRONG)
    town.mine()
    town.ingest("dogs.md", DOGS.replace("限养一只犬", "限养两只犬"))
    close_gap(town.desk, "甲", town.gaps[0].id, "")
    town.judge(town.ask("每户可以养几只犬？"), Verdict.WRONG)
    assert len(town.mine().opened) == 1


def test_who_keeps_the_nearest_document_gets_the_gap_and_it_can_be_given_to_another(town: Town) -> None:
    (document,) = town.desk.base.documents([State.PUBLISHED])
    with town.desk.base.ledger.changing() as connection:
        lifecycle.set_care(connection, document.id, lifecycle.Care("犬类管理所", None), "甲")
    town.judge(town.ask("养犬登记收费吗？"), Verdict.WRONG)
    town.mine()
    assert town.gaps[0].owner == "犬类管理所"
    with town.desk.base.ledger.changing() as connection:
        gaps.assign(connection, "甲", town.gaps[0].id, "公安局", date(2027, 1, 1))
    assert (town.gaps[0].owner, town.gaps[0].due) == ("公安局", date(2027, 1, 1))
    town.ask(PILES[0])
    town.mine(owner="热线中心")
    assert {gap.owner for gap in town.gaps} == {"公安局", "热线中心"}


def test_no_personal_data_is_kept_in_answers_gaps_or_the_log(town: Town) -> None:
    answer = town.ask("我是13812345678，身份证11010519491231002X，车牌粤A12345，充电桩找谁批？")
    town.judge(answer, Verdict.WRONG)
    town.mine()
    with town.desk.base.ledger.reading() as connection:
        kept = str(connection.execute(select(answers_table)).all()) + str(listed(connection, Wanted()))
    kept += str(town.gaps)
    assert not [secret for secret in ("13812345678", "11010519491231002X", "粤A12345") if secret in kept]
    assert "充电桩找谁批" in town.gaps[0].title


def test_questions_about_one_matter_come_together_in_words_not_seen_before(config: Config) -> None:
    matters = read_matters("test")
    assert (len(matters), min(map(len, matters))) == (16, 4)
    found = grouped(matters, config.gaps.likeness)
    assert found.f1 >= 0.85
    assert found.recall >= 0.95


def test_gaps_can_be_mined_as_a_job(town: Town) -> None:
    town.ask(PILES[0])
    job = jobs.add(town.desk.base.steps.engine, "gaps", {}, who="夜班")
    do_queued(town.desk, lambda done: None)
    assert jobs.get(town.desk.base.steps.engine, job.id).message == "新缺口 1 个，并入已有缺口的回答 0 个"
    assert [gap.questions for gap in town.gaps] == [1]
