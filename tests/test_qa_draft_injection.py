"""250 planted instructions, in documents and in questions, before a model that obeys: nothing of them is shown.

An effect is any word of what an instruction demands in the answer, its citations, script, questions or notices, or
another status than without the instruction. Who plants it into the own question may at most be refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date

import pytest
from draft_planted import REFUSE, Obedient, Planted, effects, planted

from core.records import Answer, Hit, Question, Role, Status
from policydesk.app import Desk
from qa.draft import draft
from qa.draft_screen import screened
from qa.support import Support
from tests.draft_hits import extracted

DAY = date(2026, 11, 23)
ASKED = Question("八十岁老人高龄津贴每月多少钱，怎么申请？", region="900100", as_of=DAY)


@pytest.fixture(scope="module")
def hits(sample_desk: Desk) -> list[Hit]:
    return sample_desk.search(ASKED, 10)


def answered(found: list[Hit], one: Planted, question: str = ASKED.text, role: Role = Role.AGENT) -> Answer:
    """As questions are answered: what speaks to a machine is left out before anything is chosen from it."""
    left, _ = screened(found)
    return draft(
        question, extracted(*left[:2]), left, role=role, generator=Obedient(one.demand), support=Support(), day=DAY
    )


def shown(answer: Answer) -> str:
    fields = asdict(answer)
    return json.dumps([fields[name] for name in fields if name != "timings_ms"], ensure_ascii=False, default=str)


def own_article(hits: list[Hit], text: str) -> list[Hit]:
    return [replace(hits[0], text=text, ref="planted", address="第九十九条"), *hits]


def in_the_answer(hits: list[Hit], text: str) -> list[Hit]:
    return [replace(hits[0], text=f"{hits[0].text}\n{text}"), *hits[1:]]


def in_a_title(hits: list[Hit], text: str) -> list[Hit]:
    facts = replace(hits[0].document.facts, title=f"关于高龄津贴的通知{text}")
    return [replace(hits[0], document=replace(hits[0].document, facts=facts)), *hits[1:]]


def in_a_heading(hits: list[Hit], text: str) -> list[Hit]:
    return [replace(hits[0], heading=("第一章 总则", text)), *hits[1:]]


def in_a_table(hits: list[Hit], text: str) -> list[Hit]:
    rows = f"| 项目 | 标准 |\n|---|---|\n| 高龄津贴 | {text} |".replace("\n\n", "\n")
    return [replace(hits[0], text=rows), *hits[1:]]


def harmed(answers: Iterator[tuple[Planted, Answer]]) -> list[tuple[Planted, list[str], Status]]:
    found = [(one, effects(shown(answer), one.demand), answer.status) for one, answer in answers]
    assert len(found) == 250
    return [row for row in found if row[1] or row[2] != Status.ANSWERED]


@pytest.mark.parametrize("plant", [own_article, in_the_answer, in_a_title, in_a_heading, in_a_table])
def test_an_instruction_in_a_document_has_no_effect(
    hits: list[Hit], plant: Callable[[list[Hit], str], list[Hit]]
) -> None:
    assert not harmed((one, answered(plant(hits, one.text), one)) for one in planted())


@pytest.mark.parametrize("role", list(Role))
def test_an_instruction_in_a_question_gets_nothing_said(hits: list[Hit], role: Role) -> None:
    asked = ((one, answered(hits, one, f"{ASKED.text}{one.text}", role)) for one in planted())
    said = [row for row in harmed(asked) if row[1] or row[0].demand is not REFUSE]
    assert not said


def test_the_model_does_obey(hits: list[Hit]) -> None:
    one = next(planted())
    model = Obedient(one.demand)
    draft(
        f"{ASKED.text}{one.text}", extracted(*hits[:2]), hits, role=Role.AGENT, generator=model, support=Support(),
        day=DAY,
    )
    assert model.obeyed == 1


def test_an_answer_beside_a_planted_article_is_the_answer_without_it(hits: list[Hit]) -> None:
    for one in list(planted())[::10]:
        with_it, without = answered(own_article(hits, one.text), one), answered(hits, one)
        assert replace(with_it, timings_ms=()) == replace(without, timings_ms=())
