"""A question for a whole policy is answered with its card."""

from __future__ import annotations

import pytest

from core.records import Question, Status
from policydesk.app import Desk
from qa.carded import card_asked

CITY = "900100"


@pytest.mark.parametrize(("question", "title", "begins"), [
    ("介绍一下高龄津贴", "临澜市高龄津贴和老年人优待办法", ["对象", "标准", "材料、渠道", "期限"]),
    ("公租房是什么政策？", "公共租赁住房申请办事指南", ["条件", "标准", "材料", "期限", "渠道"]),
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


@pytest.mark.parametrize(("question", "title", "label", "says"), [
    ("养犬要多少钱", "临澜市养犬管理条例", "标准", "第一年二百元"),
    ("高龄津贴需要什么材料？", "临澜市高龄津贴和老年人优待办法", "材料", "身份证、户口簿和社会保障卡"),
    ("低保标准是多少", "临澜市最低生活保障和临时救助办法", "标准", "每人每月九百六十元"),
    ("加装电梯补贴多少", "关于既有住宅加装电梯的实施意见", "标准", "每台18万元"),
    ("公租房怎么申请", "公共租赁住房申请办事指南", "渠道", "便民服务中心住房保障窗口"),
    ("生育津贴多久到账", "生育津贴申领办事指南", "期限", "10个工作日内"),
])
def test_a_short_question_for_one_thing_of_a_policy_is_told_by_its_line(
    sample_desk: Desk, question: str, title: str, label: str, says: str
) -> None:
    answer = sample_desk.ask(Question(question, region=CITY))
    assert answer.citations[0].title == title
    assert answer.sentences[0].label == label
    assert says in answer.sentences[0].text


@pytest.mark.parametrize("question", [
    "养犬要办证吗", "我爸去年在老家摔断了腿，药费能报多少", "新买的电动自行车应当在多少日内申请登记上牌？",
    "没爹没妈的娃，广州每月给多少",
])
def test_what_tells_a_story_or_asks_otherwise_is_searched_for(question: str) -> None:
    assert card_asked(question) is None


def test_a_policy_that_no_title_names_is_not_told_by_another_card(sample_desk: Desk) -> None:
    answer = sample_desk.ask(Question("养猫要多少钱", region=CITY))
    assert not any(sentence.label for sentence in answer.sentences)


def test_what_no_title_speaks_of_has_no_card(sample_desk: Desk) -> None:
    answer = sample_desk.ask(Question("介绍一下月球基地", region=CITY))
    assert answer.status is Status.NO_EVIDENCE
