"""A question for a whole policy is answered with its card."""

from __future__ import annotations

import pytest

from core.records import Question, Status
from policydesk.app import Desk
from qa.carded import asks_for_policy

CITY = "900100"


@pytest.mark.parametrize(("question", "title", "begins"), [
    ("介绍一下高龄津贴", "临澜市高龄津贴和老年人优待办法", ["对象", "标准", "材料、渠道", "期限"]),
    ("公租房是什么政策？", "临澜市公共租赁住房管理办法", ["对象", "条件", "标准"]),
    ("讲讲养犬管理", "临澜市养犬管理条例", ["对象", "标准", "材料", "期限、渠道"]),
])
def test_a_policy_is_told_by_its_card(sample_desk: Desk, question: str, title: str, begins: list[str]) -> None:
    answer = sample_desk.ask(Question(question, region=CITY))
    assert answer.status is Status.ANSWERED
    assert {citation.title for citation in answer.citations} == {title}
    assert [sentence.label for sentence in answer.sentences][: len(begins)] == begins
    assert answer.text.startswith(f"{begins[0]}：{answer.sentences[0].text}[1]")
    assert any(notice.startswith("咨询电话：") for notice in answer.notices)
    text = sample_desk.document(answer.citations[0].document).text
    assert all(text[one.start : one.end] == one.quote for one in answer.citations)


@pytest.mark.parametrize("question", [
    "高龄津贴政策的申请条件是什么", "高龄津贴多少钱", "公租房在哪申请", "了解一下养犬登记要什么材料",
    "加装电梯补贴怎么申请",
])
def test_a_question_for_one_thing_is_not_answered_with_a_card(question: str) -> None:
    assert not asks_for_policy(question)


def test_what_no_title_speaks_of_has_no_card(sample_desk: Desk) -> None:
    answer = sample_desk.ask(Question("介绍一下月球基地", region=CITY))
    assert answer.status is Status.NO_EVIDENCE
