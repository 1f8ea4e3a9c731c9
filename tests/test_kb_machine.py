"""A few of the sequences of kb_machine.py; `python -m tests.kb_machine --sequences 1000` runs many."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ingest.correct import split_change, text_change
from kb.curation import faq
from kb.curation.faq_entries import Basis, FaqEntry, FaqState
from kb.upkeep.doctor import examine, repair
from policydesk.app import open_desk
from tests.kb_machine import run
from tests.kb_machine_home import agree, closed_home, configuration, damage, findings
from tests.kb_machine_world import TODAY, Content, document_of

SEQUENCES = 4


@pytest.mark.parametrize("vectors", ["edge", ":memory:"])
def test_whatever_is_done_in_whatever_order_each_published_article_is_found_once_and_no_other(vectors: str) -> None:
    counts = run(vectors, SEQUENCES, start=7, steps=10, shrink=False)
    assert counts["sequences"] >= SEQUENCES
    assert counts["searches meanwhile"] > 0


def test_a_doctor_finds_nothing_wrong_with_what_editors_made(tmp_path: Path) -> None:
    content = Content(("事项代码ka由主管部门办理。", "事项代码kb由主管部门办理。事项代码另行公布。"), TODAY)
    with open_desk(configuration("edge", k1=1.2), tmp_path) as desk:
        document = document_of("dogs.md", content)
        desk.base.add([document], publish=True)
        name = desk.base.editing.edit(document.id, split_change(document, "第二条", "事项代码另行"), "王编辑")
        cut = desk.base.document(name)
        newer = Content((*content.texts, "事项代码kd由主管部门办理。"), TODAY)
        desk.base.add([document_of("dogs.md", newer)], publish=False)
        desk.base.editing.edit(name, text_change(cut, "第一条", "事项代码kc由主管部门办理。"), "王编辑")
    with closed_home("edge", 1.2, tmp_path) as case:
        agree(findings(case), [])


def test_a_repair_that_restores_a_document_leaves_the_entries_that_stand_on_it(tmp_path: Path) -> None:
    text = "事项代码ka由主管部门办理。"
    entry = FaqEntry("养犬登记由哪个部门办理？", text, (Basis("dogs.md", "第一条", text),))
    with open_desk(configuration("edge", k1=1.2), tmp_path) as desk:
        desk.base.add([document_of("dogs.md", Content((text, "事项代码kb由主管部门办理。"), TODAY))], publish=True)
        with desk.base.ledger.changing() as connection:
            name = faq.add(connection, "甲", entry)
            faq.publish(connection, "甲", name)
    with closed_home("edge", 1.2, tmp_path) as case:
        assert damage(case, "state", random.Random(1))
        assert repair(case, examine(case, deep=True), "甲") == []
        with case.engine.connect() as connection:
            assert faq.load(connection, name).state is FaqState.PUBLISHED
