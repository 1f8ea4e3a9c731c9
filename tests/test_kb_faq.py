"""Entries answer what they were written for and nothing beside it, and stop as soon as what they cite changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import Answer, Question, Role, State
from eval.faq import measure, read_lines, shipped_likeness
from kb.curation import faq, faq_entries, lifecycle
from kb.curation.faq_entries import Basis, FaqEntry, FaqState, Kind
from kb.curation.faq_guard import agree, points_of
from kb.log.audit import Wanted, listed
from kb.numbers_said import unsaid_numbers
from kb.schema import audit
from policydesk.app import Desk, open_desk

RULES = """---
标题: "临澜市居住证办法"
发文机关: "临澜市公安局"
适用区域: "900100"
施行日期: "2024-01-01"
公开属性: "公开"
---

# 临澜市居住证办法

第一条　首次申领居住证不收费。

第二条　丢失补领的，工本费每证十五元。

第三条　十个工作日内发证。
"""
FEE = FaqEntry(
    "首次申领居住证要收费吗？", "首次申领居住证不收费。",
    (Basis("临澜市居住证办法", "第一条", "首次申领居住证不收费。"),),
    similar=("第一次办居住证要交多少钱？",), negative=("居住证丢了补办收多少钱？",), region="900100",
)


@dataclass(frozen=True, slots=True)
class Town:
    """A desk with one rule published."""

    desk: Desk
    file: Path

    def ingest(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")
        self.desk.ingest([self.file], publish=True, on_bytes=lambda count: None)

    def add(self, entry: FaqEntry = FEE) -> str:
        with self.desk.base.ledger.changing() as connection:
            name = faq.add(connection, "甲", entry)
            faq.publish(connection, "甲", name)
        return name

    def entry(self, name: str) -> FaqEntry:
        with self.desk.base.ledger.reading() as connection:
            return faq.load(connection, name)

    def ask(self, text: str, *, region: str = "900100", role: Role = Role.AGENT, day: date | None = None) -> Answer:
        return self.desk.ask(Question(text, region=region, role=role, as_of=day))

    @property
    def document(self) -> str:
        (stored,) = self.desk.base.documents([State.PUBLISHED])
        return stored.id


@pytest.fixture
def town(config: Config, tmp_path: Path) -> Iterator[Town]:
    storage = config.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    with open_desk(config.model_copy(update={"storage": storage}), tmp_path / "home") as desk:
        made = Town(desk, tmp_path / "居住证.md")
        made.ingest(RULES)
        yield made


# answering


def test_an_entry_answers_its_question_with_quotes_that_stand_where_they_say(town: Town) -> None:
    town.add()
    for question in (FEE.question, "第一次领居住证收不收费？", "首次申领居住证要收费吗"):
        answer = town.ask(question)
        assert (answer.made_by, answer.text) == ("faq", FEE.answer)
        (citation,) = answer.citations
        text = town.desk.document(citation.document).text
        assert text[citation.start : citation.end] == citation.quote == FEE.citations[0].quote
        assert answer.confidence >= town.desk.config.faq.threshold
        assert answer.sentences[0].citations == (1,)


def test_a_question_that_only_looks_like_it_is_searched_for(town: Town) -> None:
    town.add()
    for question in (
        "居住证丢失补领收费吗？", "居住证丢了补办收多少钱？", "首次申领居住证要什么材料？", "首次申领身份证要收费吗？",
        "首次申领居住证不要收费吗，为什么还要我交五十元？",
    ):
        assert town.ask(question).made_by == "extract"


def test_an_entry_answers_only_where_when_and_for_whom_it_and_its_source_hold(town: Town) -> None:
    name = town.add(replace(FEE, public=False))
    assert town.ask(FEE.question).made_by == "faq"
    assert town.ask(FEE.question, role=Role.CITIZEN).made_by == "extract"
    assert town.ask(FEE.question, region="900102").made_by == "faq"
    assert town.ask(FEE.question, region="900200").made_by == "extract"
    assert town.ask(FEE.question, day=date(2023, 12, 31)).made_by == "extract"
    assert town.ask("望川市首次申领居住证要收费吗？").made_by != "faq"
    assert town.ask("临澜市首次申领居住证要收费吗？").made_by == "faq"
    with town.desk.base.ledger.changing() as connection:
        faq.withdraw(connection, "甲", name)
    assert town.ask(FEE.question).made_by == "extract"


def test_an_entry_of_the_country_does_not_answer_from_a_city_rule_elsewhere(town: Town) -> None:
    town.add(replace(FEE, region=None))
    assert town.ask(FEE.question, region="900200").made_by == "extract"
    assert town.ask(FEE.question, region="900102").made_by == "faq"


def test_the_threshold_of_an_entry_goes_before_the_configured_one(town: Town) -> None:
    name = town.add()
    likeness = town.ask("第一次领居住证收不收费？").confidence
    with town.desk.base.ledger.changing() as connection:
        faq.edit(connection, "甲", replace(town.entry(name), threshold=min(1.0, likeness + 0.01)))
    assert town.ask("第一次领居住证收不收费？").made_by == "extract"
    assert town.ask(FEE.question).made_by == "faq"


def test_a_guide_answers_with_its_sections(town: Town) -> None:
    parts = {"事项": "居住证首次申领", "费用": "不收费", "时限": "十个工作日内发证", "材料": " "}
    answer = faq_entries.answer_of(parts)
    cites = tuple(Basis("临澜市居住证办法", place, quote) for place, quote in (
        ("第一条", "首次申领居住证不收费。"), ("第三条", "十个工作日内发证。")
    ))
    name = town.add(FaqEntry("居住证怎么办理？", answer, cites, Kind.GUIDE, region="900100"))
    assert list(faq_entries.sections(town.entry(name))) == ["事项", "时限", "费用"]
    given = town.ask("居住证如何办理？")
    assert "时限：十个工作日内发证\n费用：不收费" in given.text
    assert [one.citations for one in given.sentences] == [(1,), (2,), (1,)]


# standing on what is published


BASELESS = [
    (replace(FEE, citations=()), "引文"),
    (replace(FEE, citations=(Basis("临澜市居住证办法", "第一条", "首次申领居住证免费。"),)), "首次申领居住证免费"),
    (replace(FEE, citations=(Basis("临澜市居住证办法", "第二条", "首次申领居住证不收费。"),)), "第二条"),
    (replace(FEE, citations=(Basis("别的办法", "第一条", "首次申领居住证不收费。"),)), "别的办法"),
    (replace(FEE, answer="不收费，3天办好。"), "3"),
    (replace(FEE, kind=Kind.GUIDE), "事项"),
    (replace(FEE, question=""), "标准问题"),
    (replace(FEE, region="9"), "区划代码"),
]


def test_what_does_not_stand_on_a_published_article_cannot_be_published(town: Town) -> None:
    for entry, told in BASELESS:
        with pytest.raises(PolicyDeskError, match=told):
            town.add(entry)
    with town.desk.base.ledger.reading() as connection:
        assert faq.load_all(connection, list(FaqState)) == []


def test_numbers_of_an_answer_may_be_written_otherwise_than_in_the_quote() -> None:
    carriers = ["工本费每证十五元，自2024年起；最高三万五千元，1,200人，二〇二四年"]
    assert unsaid_numbers("15元，2024年，35000元，1200人", carriers) == []
    assert unsaid_numbers("16元，2025年，1200.5", carriers) == ["16", "2025", "1200.5"]


def test_an_entry_is_suspended_when_its_article_changes_and_not_when_another_does(town: Town) -> None:
    name = town.add()
    town.ingest(RULES.replace("十五元", "二十元"))
    assert town.entry(name).state is FaqState.PUBLISHED
    assert town.ask(FEE.question).made_by == "faq"
    town.ingest(RULES.replace("居住证不收费。", "居住证不收费。损坏换领的另计。"))
    suspended = town.entry(name)
    assert (suspended.state, bool(suspended.reason)) == (FaqState.SUSPENDED, True)
    assert town.ask(FEE.question).made_by == "extract"
    with town.desk.base.ledger.changing() as connection:
        faq.publish(connection, "乙", name)
    assert (town.entry(name).state, town.entry(name).reason) == (FaqState.PUBLISHED, None)
    assert town.ask(FEE.question).made_by == "faq"


def test_an_entry_is_suspended_when_its_document_is_taken_out_and_stays_so_until_it_is_checked(town: Town) -> None:
    name, document = town.add(), town.document
    town.desk.base.withdraw(document)
    assert town.entry(name).state is FaqState.SUSPENDED
    with town.desk.base.ledger.changing() as connection, pytest.raises(PolicyDeskError, match="引文"):
        faq.publish(connection, "乙", name)
    town.desk.base.publish([document])
    assert town.entry(name).state is FaqState.SUSPENDED


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2999, 1, 1)], ids=["past", "future"])
def test_an_entry_is_suspended_when_its_document_is_repealed_also_from_a_later_day_on(town: Town, day: date) -> None:
    name, document = town.add(), town.document
    town.desk.base.change(lambda connection: lifecycle.rule(
        connection, document, "丙", repealed=True, day=day, by_name="新办法", reason="清理"
    ))
    assert town.entry(name).state is FaqState.SUSPENDED
    assert town.ask(FEE.question).made_by == "extract"


def test_what_is_suspended_is_told_in_the_log_by_who_made_the_change(town: Town) -> None:
    name = town.add()
    town.desk.base.withdraw(town.document, "丁")
    with town.desk.base.ledger.reading() as connection:
        rows = listed(connection, Wanted())
        assert [(row.who, row.action) for row in rows[-2:]] == [("丁", "withdraw"), ("丁", "faq.suspend")]
        assert rows[-1].subject == name
        assert len(set(connection.scalars(select(audit.c.at).where(audit.c.seq >= rows[-2].seq)))) <= 2


def test_dependents_are_shown_before_a_change(town: Town) -> None:
    name = town.add()
    with town.desk.base.ledger.reading() as connection:
        assert [entry.id for entry in faq.dependents(connection, [town.document])] == [name]
        assert faq.dependents(connection, ["0" * 16]) == []


# history


def test_every_change_is_in_the_history_and_can_be_taken_back(town: Town) -> None:
    name = town.add()
    with town.desk.base.ledger.changing() as connection:
        faq.edit(connection, "乙", replace(faq.load(connection, name), question="居住证首次办理收费吗？", similar=()))
    with town.desk.base.ledger.reading() as connection:
        rows = faq.history(connection, name)
    assert [(row.who, row.action) for row in rows] == [("甲", "faq.add"), ("甲", "faq.publish"), ("乙", "faq.edit")]
    assert rows[2].detail["before"]["question"] == FEE.question
    assert rows[2].detail["after"]["question"] == "居住证首次办理收费吗？"
    with town.desk.base.ledger.changing() as connection:
        faq.revert(connection, "丙", name, rows[1].seq)
        with pytest.raises(NotFound, match="历史"):
            faq.revert(connection, "丙", name, 1)
    assert town.entry(name) == replace(
        FEE, id=name, state=FaqState.PUBLISHED, citations=town.entry(name).citations
    )


def test_the_entries_of_a_moment_are_known_from_the_log(town: Town) -> None:
    name = town.add()
    with town.desk.base.ledger.reading() as connection:
        (published,) = [row.at for row in faq.history(connection, name) if row.action == "faq.publish"]
    with town.desk.base.ledger.changing() as connection:
        faq.edit(connection, "乙", replace(faq.load(connection, name), question="别的问题？"))
        faq.withdraw(connection, "乙", name)
    with town.desk.base.ledger.reading() as connection:
        assert [entry.question for entry in faq.published_at(connection, published)] == [FEE.question]
        assert faq.published_at(connection, published.replace(year=2000)) == []


# likeness


@pytest.mark.parametrize(("one", "other"), [
    ("居住证怎么办理", "居住证怎么补办"), ("能领失业金吗", "不能领失业金吗"), ("第二档气价", "第三档气价"),
    ("燃气价格是多少", "燃气缴费要多久"), ("八十岁津贴", "九十岁津贴"), ("结婚要带什么材料", "离婚要带什么材料"),
    ("外地户口孩子能在本市上学吗", "本市户口孩子能在外地上学吗"), ("公积金租房提取", "公积金购房提取"),
    ("多久签注", "多久签注一次"), ("怎么办营业执照", "怎么注销营业执照"), ("最高贷多少", "最低贷多少"),
])
def test_what_tells_two_questions_apart_is_seen(one: str, other: str) -> None:
    assert not agree(points_of(one), points_of(other))
    assert agree(points_of(one), points_of(one))


@pytest.mark.parametrize(("one", "other"), [
    ("80岁老人津贴多少", "八十岁老人津贴多少"), ("收不收费", "要收费吗"), ("第一次办居住证", "首次办居住证"),
    ("能不能退货", "可不可以退货"), ("七天内退货", "7天之内退货"), ("怎么领", "如何领取"),
])
def test_the_same_in_other_words_is_not_told_apart(one: str, other: str) -> None:
    assert agree(points_of(one), points_of(other))


def test_of_paraphrases_and_near_misses_not_seen_before_hardly_one_is_answered_wrongly(config: Config) -> None:
    found = measure([line for line in read_lines() if line.split == "test"], shipped_likeness())
    right, wrong = found.at(config.faq.threshold)
    assert (len(found.same), len(found.near)) == (72, 72)
    assert right >= 45
    assert right / (right + wrong) >= 0.95


# files


def test_what_was_exported_can_be_imported_again(town: Town) -> None:
    name = town.add()
    with town.desk.base.ledger.changing() as connection:
        (line,) = [json.dumps(faq_entries.entry_json(entry), ensure_ascii=False)
                   for entry in faq.load_all(connection, list(FaqState))]
        entries = list(faq_entries.read_entries([line, "", line.replace(name, "new")], "f"))
        ids = faq.put_all(connection, "甲", entries, publish_them=True)
        assert ids[0] == name != ids[1]
        first, second = (faq.load(connection, one) for one in ids)
        assert replace(first, id="") == replace(second, id="")


@pytest.mark.parametrize("line", [
    "{", "[]", '{"question": "问"}', '{"question": "问", "answer": "答", "quesion": 1}',
    '{"question": "问", "answer": "答", "similar": "问"}', '{"question": "问", "sections": {"事": "x"}}',
    '{"question": "问", "answer": "答", "citations": [{"source": "x"}]}',
    '{"question": "问", "answer": "答", "review_due": "明天"}', '{"question": "问", "answer": "答", "threshold": 2}',
])
def test_a_line_that_is_no_entry_is_named(line: str) -> None:
    with pytest.raises(PolicyDeskError, match="f:2"):
        list(faq_entries.read_entries(["", line], "f"))
