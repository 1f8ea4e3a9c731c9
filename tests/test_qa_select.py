"""Which words of an article are shown and which are cited, and how sure an answer is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Answer, Question, Status
from kb.background import read_background
from kb.features import AskedTerms
from kb.tokens import open_tokenizer
from policydesk.app import Desk
from qa.select_asked import beside_asking, first_sought, lists_asked, phrases_sought
from qa.select_features import Asked
from qa.select_quote import rule_around, shown
from qa.select_span import Words, best_span
from qa.select_units import Kind, headings_above, units_of
from qa.sentences import Passage
from tests.draft_hits import hit

PLAN = """一、强化金融支持
（一）降低融资成本。对受影响的企业，贷款利率下浮一成。银行不得抽贷。
（二）高龄津贴按照下列标准发放：
1. 八十周岁以上，每月一百元；
2. 一百周岁以上，每月六百元。
申领要带什么？
带身份证。"""
TABLE = """提取额度如下：
| 情形 | 额度 |
| --- | --- |
| 单身租房 | 每月1600元 |
| 夫妻租房 | 每月3200元 |"""
PIECES = st.sampled_from(
    (
        "一、总则", "（一）降低成本。", "应当提交：", "\n", "  ", " ", "每月一百元。", "办理吗？", "| 甲 | 乙 |",
        "账 号", "”", "；", "1.",
    )
)


def kinds(text: str) -> list[tuple[Kind, str]]:
    return [(unit.kind, text[unit.start : unit.end]) for unit in units_of(text)]


def test_headings_questions_and_lead_ins_are_told_from_what_answers() -> None:
    assert kinds(PLAN) == [
        (Kind.HEADING, "一、强化金融支持"), (Kind.HEADING, "（一）降低融资成本。"),
        (Kind.TEXT, "对受影响的企业，贷款利率下浮一成。"), (Kind.TEXT, "银行不得抽贷。"),
        (Kind.LEAD, "（二）高龄津贴按照下列标准发放："), (Kind.TEXT, "1. 八十周岁以上，每月一百元；"),
        (Kind.TEXT, "2. 一百周岁以上，每月六百元。"), (Kind.ASKING, "申领要带什么？"), (Kind.TEXT, "带身份证。"),
    ]


def test_a_sentence_knows_the_headings_it_stands_under() -> None:
    units = units_of(PLAN)
    assert headings_above(PLAN, units, 2) == "（一）降低融资成本。 一、强化金融支持"
    assert headings_above(PLAN, units, 6).startswith("（二）高龄津贴按照下列标准发放：")
    assert headings_above(PLAN, units, 8) == "申领要带什么？"


def test_a_short_sentence_that_rules_is_no_heading() -> None:
    assert [kind for kind, _ in kinds("时效期间为一年。时效从知道之日起计算。")] == [Kind.TEXT, Kind.TEXT]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_units_hold_every_character_once(text: str) -> None:
    units = units_of(text)
    assert all(one.end <= other.start for one, other in pairwise(units))
    covered = "".join(text[unit.start : unit.end] for unit in units)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(unit.above < place for place, unit in enumerate(units))


def span_of(text: str, words: str) -> Passage:
    return Passage(text.index(words), text.index(words) + len(words))


def texts(text: str, parts: tuple[Passage, ...]) -> list[str]:
    return [text[part.start : part.end] for part in parts]


def asked(question: str) -> Asked:
    terms = AskedTerms(question, (), tokenizer=open_tokenizer("auto", bigrams=True), background=read_background())
    return Asked(question, terms, np.zeros(1, dtype=np.float32), ())


def test_a_question_for_a_list_shows_all_of_it() -> None:
    units = tuple(units_of(PLAN))
    parts = shown(asked("高龄津贴有哪些标准？"), hit(PLAN), units, 6, span_of(PLAN, "每月六百元"))
    assert texts(PLAN, parts) == ["1. 八十周岁以上，每月一百元；\n2. 一百周岁以上，每月六百元。"]


def test_a_row_of_a_table_is_shown_below_its_header() -> None:
    units = tuple(units_of(TABLE))
    parts = shown(asked("夫妻租房每月提多少？"), hit(TABLE), units, 4, span_of(TABLE, "每月3200元"))
    assert texts(TABLE, parts) == ["| 情形 | 额度 |", "| 夫妻租房 | 每月3200元 |"]


def test_a_table_no_row_of_which_is_named_is_shown_whole() -> None:
    parts = shown(asked("每月提多少？"), hit(TABLE), tuple(units_of(TABLE)), 3, span_of(TABLE, "每月1600元"))
    assert texts(TABLE, parts) == [TABLE[TABLE.index("|") :]]


def test_a_reply_to_a_common_question_is_shown_whole() -> None:
    text = "问：住宅装修押金退吗？\n答：退。验收后十五日内退还。"
    parts = shown(asked("押金退吗？"), hit(text, address="问3"), tuple(units_of(text)), 1, span_of(text, "十五日"))
    assert texts(text, parts) == ["答：退。验收后十五日内退还。"]


def test_a_short_article_is_cited_whole_and_of_a_long_one_what_stands_around() -> None:
    short = "具有本市户籍的老年人可以领取。标准为每月一百元。"
    assert rule_around(short, (span_of(short, "每月一百元"),)) == Passage(0, len(short))
    long = "".join(f"第{n}类人员按照规定办理登记手续。" for n in range(60))
    said = span_of(long, "第30类人员")
    around = rule_around(long, (said,))
    assert around.start < said.start
    assert said.end < around.end
    assert 300 < around.end - around.start <= 400


def words_of(text: str, *, begins: bool = True) -> Words:
    places = np.arange(len(text))
    allowed = np.ones(len(text), dtype=np.float32) if begins else np.isin(places, [0]).astype(np.float32)
    return Words(
        text, tuple(places.tolist()), tuple((places + 1).tolist()), (), np.zeros((len(text), 0)), allowed,
        np.ones(len(text), dtype=np.float32),
    )


def test_the_words_that_likely_answer_are_taken_and_no_more() -> None:
    text = "旅客实载率要控制在百分之五十以下并做好消毒"
    likely = np.array([0.9 if "百" <= sign and 9 <= n < 16 else 0.05 for n, sign in enumerate(text)], dtype=np.float32)
    likely[9:16] = 0.9
    span, sure = best_span(words_of(text), likely)
    assert text[span.start : span.end] == "百分之五十以下"
    assert sure > 0.8
    span, _ = best_span(words_of(text, begins=False), likely)
    assert span.start == 0                               # where nothing else may begin


@pytest.mark.parametrize(
    ("question", "phrases", "kind"),
    [
        ("高龄津贴每月多少钱？", ("money",), "money"), ("首次办理要几天？", ("time",), "period"),
        ("咨询电话是多少？", ("phone",), "phone"), ("办理要带什么材料？", (), "papers"),
        ("贷款贴息比例是多少？", ("share",), "share"), ("满多大年龄可以领？", (), "age"),
    ],
)
def test_what_a_question_asks_for(question: str, phrases: tuple[str, ...], kind: str) -> None:
    assert phrases_sought(question) == phrases
    sought = first_sought(question)
    assert sought is not None
    assert sought.name == kind


def test_what_stands_beside_the_asking_word_says_what_is_wanted() -> None:
    assert beside_asking("成都推出的减税抗疫贷需要什么担保？").endswith("需要什么担保？")
    assert lists_asked("申请要什么材料？")
    assert not lists_asked("每月多少钱？")


# on the sample documents

ELSEWHERE = """红烧肉怎么做才不腻？
贵州茅台明天会涨吗？
用 Python 怎么写快速排序？
给我讲个笑话
世界杯冠军是哪个队？
周杰伦最新专辑叫什么？
怎么减肥最快？
帮我翻译一句英语
黑洞是怎么形成的？
比特币现在能买吗？
推荐几部科幻电影
怎么追女孩子？
手机屏幕碎了在哪修便宜？
李白一生写了多少首诗？
蛋糕烤多少度多长时间？
吉他怎么调弦？
勾股定理怎么证明？
猫为什么怕黄瓜？
考研英语怎么复习？
原神哪个角色最强？""".splitlines()


@pytest.fixture
def ask(sample_desk: Desk) -> Callable[[str], Answer]:
    return lambda question: sample_desk.answerer.answer(Question(question, region="900100"))


def test_what_no_policy_is_about_is_not_answered(ask: Callable[[str], Answer]) -> None:
    answered = [question for question in ELSEWHERE if ask(question).status == Status.ANSWERED]
    assert len(answered) <= len(ELSEWHERE) // 20, answered


def test_shown_words_stand_in_what_is_cited(ask: Callable[[str], Answer]) -> None:
    for question in ("居民管道燃气第二档价格是多少？", "首次领取居住证要收费吗？", "养犬管理服务费每只每年多少钱？"):
        answer = ask(question)
        quotes = {citation.n: citation.quote for citation in answer.citations}
        assert answer.sentences
        for sentence in answer.sentences:
            assert sentence.text in quotes[sentence.citations[0]]
        assert 0.5 <= answer.confidence <= 1


def test_a_price_with_several_grades_is_not_cut_to_one_of_them(ask: Callable[[str], Answer]) -> None:
    said = ask("居民管道燃气第二档价格是多少？").sentences[0].text
    assert "第二档" in said
    assert "3.74元" in said
