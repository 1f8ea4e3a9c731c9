"""Places, days, matters, several turns: what a question says is told before anything is searched."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.records import Facts, Hit, State, StoredDocument, Turn
from policydesk.cli import app
from qa.clarify import clarify
from qa.conversation import rewrite
from qa.dates_said import asked_day, said_dates
from qa.matters import matters
from qa.places import abroad, other_region, places, region_asked
from qa.turn_kind import Kind
from qa.understand import understand

NAMES = {"900000": "海晏省", "900100": "临澜市", "900102": "澜东区", "900103": "澜西区", "900200": "望川市"}
HOME = "900100"
TODAY = date(2026, 11, 25)
ASKED = [Turn("高龄津贴怎么申请？")]


@pytest.mark.parametrize(("question", "other"), [
    ("望川市遛狗没拴绳子罚多少？", "望川市"), ("望川那边高龄津贴多少", "望川"), ("石家庄养犬费多少", "石家庄"),
    ("上海的落户政策", "上海"),
    ("澜东有敬老金吗", None), ("海晏省高温津贴多少", None), ("我是广州人，在临澜能领吗", None),
    ("北京路摆摊行不行", None),
    ("会像上海那样严格罚款吗", None), ("我老家是湖南的，户口能迁来吗", None), ("买了天津的技术，省里补助多少", None),
    ("日照时间不够怎么投诉", None),
    ("爷爷在天津住院，可以拉回老家吗", None), ("朝阳小区归谁管", None), ("高龄津贴多少钱", None),
])
def test_another_region_is_noticed_and_an_origin_is_not(question: str, other: str | None) -> None:
    found = other_region(question, places(question, home=HOME, names=NAMES), HOME)
    assert (found and found.name) == other


def test_the_asker_s_own_district_is_what_is_asked_for() -> None:
    assert region_asked(places("澜东区高龄津贴多少", home=HOME, names=NAMES), HOME) == "900102"
    assert other_region("广州低保多少", places("广州低保多少", home="", names=NAMES), "") is None


@pytest.mark.parametrize(("question", "day"), [
    ("去年高龄津贴是多少", date(2025, 12, 31)), ("2023年养犬费多少", date(2023, 12, 31)),
    ("上个月的标准", date(2026, 10, 31)),
    ("2027年1月1日的规定", date(2027, 1, 1)), ("二〇二三年五月低保标准", date(2023, 5, 31)),
    ("2024-06-01 公租房租金多少", date(2024, 6, 1)),
    ("明年还能申请补贴吗", date(2027, 1, 1)), ("按2021年的规定怎么算", date(2021, 12, 31)), ("今年多少钱", None),
    ("高龄津贴多少钱", None),
    ("我2019年买的房，现在能提取公积金吗", None), ("去年入职，今年能申请吗", None), ("13月的标准", None),
    ("2月30日的标准", None),
    ("2027年度医保个人缴费标准是多少", None), ("《2023年工作方案》怎么规定", None),
    ("临政发〔2024〕12号怎么规定", None), ("一月一次吗", None),
    ("听说十二月能给狗打狂犬针，啥时候？", None), ("老公上个月走了，公积金能取吗", None),
    ("2023年和2024年标准差多少", None),
])
def test_the_day_of_the_rules_is_told_from_facts_of_the_case(question: str, day: date | None) -> None:
    assert asked_day(question, TODAY) == day


@given(st.text("0123456789年月日号-去今明上个的标准零一二十", max_size=30))
def test_any_figures_are_read_without_a_fault(text: str) -> None:
    spans = [(said.start, said.end) for said in said_dates(text, TODAY)]
    assert spans == sorted(spans)
    assert all(start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize(("question", "parts"), [
    ("公租房怎么申请？另外养犬要交多少钱？", ("公租房怎么申请？", "养犬要交多少钱？")),
    ("你好，我想问一下高龄津贴怎么领，还有公交卡怎么办", ("你好，我想问一下高龄津贴怎么领", "公交卡怎么办")),
    ("1、低保标准多少 2、残疾人补贴多少", ("低保标准多少", "残疾人补贴多少")),
    ("居住证怎么办？小孩上学需要什么？", ("居住证怎么办？", "小孩上学需要什么？")),
])
def test_several_matters_are_split(question: str, parts: tuple[str, ...]) -> None:
    assert matters(question) == parts


@pytest.mark.parametrize("question", [
    "高龄津贴怎么申请，需要什么材料？多久到账？", "未成年人犯罪后，会留记录吗？会不会影响日后的生活？",
    "与第三人签订的合同有效吗，第三人不履行怎么办",
    "中考文科综合是开卷吧？能带教科书吗", "低保标准多少", "另外", "",
])
def test_one_matter_stays_whole(question: str) -> None:
    assert matters(question) == (question,)


@pytest.mark.parametrize(("question", "full"), [
    ("那需要什么材料？", "高龄津贴需要什么材料？"), ("这个补贴多久到账", "高龄津贴多久到账"),
    ("在哪里办", "高龄津贴在哪里办"),
    ("它的条件是什么", "高龄津贴的条件是什么"), ("八十岁能领多少", "高龄津贴八十岁能领多少"),
    ("那望川市呢？", "望川市高龄津贴怎么申请？"),
    ("退休人员呢？", "高龄津贴怎么申请（退休人员）"),
])
def test_what_is_left_unsaid_comes_from_the_turn_before(question: str, full: str) -> None:
    found = rewrite(question, ASKED, names=NAMES)
    assert found.text == full
    assert found.carried
    assert not found.new_topic


def test_a_reference_reaches_over_a_turn_that_itself_referred() -> None:
    history = [*ASKED, Turn("那需要什么材料？", "高龄津贴需要什么材料？"), Turn("谢谢")]
    assert rewrite("多久到账", history, names=NAMES).text == "高龄津贴多久到账"


def test_a_change_of_topic_takes_nothing_along() -> None:
    found = rewrite("养犬管理费多少钱", ASKED, names=NAMES)
    assert (found.text, found.carried, found.new_topic) == ("养犬管理费多少钱", "", True)
    assert rewrite("那需要什么材料？", [], names=NAMES).text == "那需要什么材料？"


@pytest.mark.parametrize("reply", ["2", "第二个", "九十多岁", "95岁", "90至99周岁", "选2"])
def test_a_reply_to_what_was_asked_back_completes_the_question(reply: str) -> None:
    history = [Turn("高龄津贴多少钱", choices=("80至89周岁", "90至99周岁"))]
    found = understand(reply, history, home=HOME, names=NAMES, today=TODAY)
    assert found.matters[0].text == "高龄津贴多少钱（90至99周岁）"
    assert found.search


def test_thanks_need_no_search_and_other_regions_neither() -> None:
    assert not understand("好的，谢谢", ASKED, home=HOME, names=NAMES, today=TODAY).search
    found = understand("望川市养犬费多少", home=HOME, names=NAMES, today=TODAY)
    assert not found.search
    assert found.matters[0].elsewhere


def test_a_later_matter_takes_its_topic_from_the_one_before() -> None:
    found = understand("高龄津贴怎么申请？另外需要什么材料", home=HOME, names=NAMES, today=TODAY)
    assert [matter.text for matter in found.matters] == ["高龄津贴怎么申请？", "高龄津贴需要什么材料"]
    assert found.turn.kind is Kind.POLICY


# --- asking back ---

STANDARD = (
    "高龄津贴按照下列标准发放：\n（一）八十周岁至八十九周岁，每人每月一百元；\n（二）九十周岁至九十九周岁，每人每月二百元；\n"
    "（三）一百周岁以上，每人每月六百元。"
)


def hit(text: str, *, document: str = "d1", start: int = 0, score: float = 1.0, region: str = HOME) -> Hit:
    stored = StoredDocument(document, Facts("某办法", region=region), "a.md", State.PUBLISHED, None, None, None)
    return Hit(document, score, "第三条", (), text, start, start + len(text), stored, (start, start + len(text)))


def test_the_ages_that_a_rule_tells_apart_are_offered_in_its_own_words() -> None:
    before = "第三条　"
    asked = clarify("高龄津贴多少钱", [hit(STANDARD, start=len(before))], region_known=True, names=NAMES)
    assert asked
    assert asked.about == "年龄"
    assert [choice.text for choice in asked.choices] == ["八十周岁至八十九周岁", "九十周岁至九十九周岁", "一百周岁以上"]
    text = before + STANDARD
    assert all(text[choice.start : choice.end] == choice.text for choice in asked.choices)
    assert rewrite(
        "九十五岁", [Turn("高龄津贴多少钱", choices=tuple(c.text for c in asked.choices))], names=NAMES
    ).text == "高龄津贴多少钱（九十周岁至九十九周岁）"


@pytest.mark.parametrize("question", ["我妈八十二岁，高龄津贴多少钱", "高龄津贴在哪里办"])
def test_nothing_is_asked_back_that_is_said_or_does_not_matter(question: str) -> None:
    assert clarify(question, [hit(STANDARD)], region_known=True, names=NAMES) is None


def test_household_registration_is_asked_where_two_articles_differ_by_it() -> None:
    local = hit("本市户籍家庭申请公共租赁住房，应当同时符合下列条件：…")
    others = hit("非本市户籍人员申请公共租赁住房，应当同时符合下列条件：…", start=100, score=0.9)
    asked = clarify("公租房申请条件是什么", [local, others], region_known=True, names=NAMES)
    assert asked
    assert [choice.text for choice in asked.choices] == ["本市户籍", "非本市户籍"]
    weak = hit(others.text, start=100, score=0.3)
    assert clarify("公租房申请条件是什么", [local, weak], region_known=True, names=NAMES) is None


def test_the_region_is_asked_when_nothing_is_known_of_it() -> None:
    hits = [hit("养犬费每年三百元。"), hit("养犬费每年五百元。", document="d2", region="900200")]
    asked = clarify("养犬费多少", hits, region_known=False, names=NAMES)
    assert asked
    assert [choice.text for choice in asked.choices] == ["临澜市", "望川市"]
    assert clarify("养犬费多少", hits, region_known=True, names=NAMES) is None
    assert clarify("养犬费多少", [], region_known=False, names=NAMES) is None


# --- the verb ---


def test_the_verb_says_what_a_turn_is(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["understand", "那需要什么材料？", "--before", "高龄津贴怎么申请？"])
    assert run.exit_code == 0
    assert "高龄津贴需要什么材料？" in run.stdout
    fire = json.loads(CliRunner().invoke(app, ["understand", "家里着火了，快来人", "--json"]).stdout)
    assert (fire["turn"]["kind"], fire["search"], fire["route"]["numbers"]) == ("emergency", False, ["119"])
    batch, out = tmp_path / "q.jsonl", tmp_path / "out.jsonl"
    batch.write_text('{"id": "a", "question": "望川市养犬费多少", "region": "900100"}\n', encoding="utf-8")
    assert CliRunner().invoke(app, ["understand", "--batch", str(batch), "--out", str(out)]).exit_code == 0
    row = json.loads(out.read_text(encoding="utf-8"))
    assert (row["id"], row["matters"][0]["elsewhere"]["name"]) == ("a", "望川市")
    assert CliRunner().invoke(app, ["understand"]).exit_code == 2


@pytest.mark.parametrize("question", ["深圳人才引进落户要什么学历", "广州居民医保每年交多少钱", "广州学生医保怎么报销"])
def test_what_a_place_gives_its_people_is_asked_of_that_place(question: str) -> None:
    assert other_region(question, places(question, home=HOME, names=NAMES), HOME)


@pytest.mark.parametrize("question", [
    "我是广州居民能在这里落户吗", "我是深圳户口的，能办居住证吗", "湖南人能参加医保吗",
])
def test_where_somebody_comes_from_is_not_asked_for(question: str) -> None:
    assert not other_region(question, places(question, home=HOME, names=NAMES), HOME)


@pytest.mark.parametrize("question", ["法国的带薪年假一年有几天", "俄罗斯养老金多少岁开始领"])
def test_another_country_is_told_apart(question: str) -> None:
    found = abroad(question)
    assert found is not None
    assert found.code is None
    (matter,) = understand(question, home=HOME, names=NAMES, today=TODAY).matters
    assert matter.elsewhere == found


@pytest.mark.parametrize("question", [
    "去法国的签证在哪办", "老爸跟我在加拿大带孙子，认证怎么弄", "美国国籍能参加社保吗", "我国对日本进口食品有什么要求",
    "法国梧桐树要修剪找谁", "外国人怎么办居留",
])
def test_what_joins_this_country_to_another_is_ours(question: str) -> None:
    assert abroad(question) is None
