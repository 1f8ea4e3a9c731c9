"""Pairs of old and new texts of invented laws: their dates worked out by hand, and what the engine makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.records import Answer, Citation, Status
from eval.validity import judge, kind_scores, problem
from eval.validity_pairs import Case, cases, collect
from eval.validity_terms import read_terms
from eval.validity_truth import Held, held, read_rule, repealed_names
from policydesk.cli import app

TODAY = date(2025, 6, 1)
FOLDER = "临澜地方法规/地方性法规/临澜"
_NUMBERS = "一二三四五六七八九"


def law(title: str, *articles: str, history: str = "") -> str:
    body = "\n\n".join(f"第{number}条 {text}" for number, text in zip(_NUMBERS, articles, strict=False))
    return f"# {title}\n\n{history}\n\n<!-- INFO END -->\n\n{body}\n"


def heating(fee: str, last: str) -> tuple[str, ...]:
    return (
        "为了规范供热，制定本条例。",
        f"供热单位应当在每年十一月十五日前开始供热，居民供热价格为每平方米{fee}元，由供热单位向用户收取。",
        last,
    )


LAWS: Mapping[str, str] = {
    f"{FOLDER}/临澜市供热条例(2015-03-01).md": law(
        "临澜市供热条例", *heating("二十", "本条例自2015年5月1日起施行。")
    ),
    f"{FOLDER}/临澜市供热条例(2020-09-10).md": law(
        "临澜市供热条例", *heating("二十四", "本条例自2020年10月1日起施行。")
    ),
    f"{FOLDER}/临澜市供热条例(2023-07-20).md": law(
        "临澜市供热条例", *heating("二十六", "本条例自2020年10月1日起施行。"),
        history="2020年9月10日 临澜市人大常委会通过\n\n2023年7月20日 临澜市人大常委会修正",
    ),
    f"{FOLDER}/临澜市养犬办法(2012-01-05).md": law(
        "临澜市养犬办法", "为了管理养犬，制定本办法。", "养犬人应当每年为犬只接种狂犬病疫苗，并向街道办事处登记。",
        "本办法自2012年3月1日起施行。",
    ),
    f"{FOLDER}/临澜市养犬管理条例(2021-04-01).md": law(
        "临澜市养犬管理条例", "为了规范养犬行为，制定本条例。",
        "养犬人应当每年为犬只接种狂犬病疫苗，并向公安机关申领犬证。",
        "本条例自2021年7月1日起施行。2012年1月5日通过的《临澜市养犬办法》和《临澜市犬类处罚规定》同时废止。",
    ),
    f"{FOLDER}/临澜市节水条例(2018-06-01).md": law(
        "临澜市节水条例", "为了节约用水，制定本条例。", "用水单位应当安装节水器具并定期维护。",
        "本条例自2018年9月1日起施行。1999年公布的《临澜市节水条例》同时废止。",
    ),
}


def path(file: str) -> str:
    return f"{FOLDER}/{file}.md"


def test_a_version_begins_on_its_stated_day_or_else_on_its_own() -> None:
    spans = held([rule for name, text in LAWS.items() if (rule := read_rule(name, text))])
    first, second, amended = (path(f"临澜市供热条例({day})") for day in ("2015-03-01", "2020-09-10", "2023-07-20"))
    assert spans[first] == Held(date(2015, 5, 1), date(2020, 10, 1), second)
    assert spans[second] == Held(date(2020, 10, 1), date(2023, 7, 20), amended)
    assert spans[amended] == Held(date(2023, 7, 20))


def test_a_repeal_ends_what_it_names_on_its_first_day_and_not_itself() -> None:
    spans = held([rule for name, text in LAWS.items() if (rule := read_rule(name, text))])
    assert spans[path("临澜市养犬办法(2012-01-05)")].end == date(2021, 7, 1)
    assert spans[path("临澜市节水条例(2018-06-01)")].end is None


def test_an_older_repeal_does_not_end_a_younger_rule_of_that_name() -> None:
    texts = {
        "甲法(2010-01-01).md": law("甲法", "一。", "本法自2010年2月1日起施行。《乙法》同时废止。"),
        "乙法(2016-01-01).md": law("乙法", "一。", "本法自2016年2月1日起施行。"),
    }
    spans = held([rule for name, text in texts.items() if (rule := read_rule(name, text))])
    assert spans["乙法(2016-01-01).md"].end is None


@pytest.mark.parametrize(("sentence", "names"), [
    ("《甲办法》、《乙规定》（临政〔2001〕3号）和1999年公布的《丙细则》同时废止。", ("甲办法", "乙规定", "丙细则")),
    ("根据《关于修改甲办法的决定》第一次修正的《甲办法》同时废止。", ("甲办法",)),
    ("《甲办法》第三条同时废止。", ()),
    ("依照《甲办法》作出的决定予以废止。", ()),
])
def test_only_names_right_before_the_word_are_repealed(sentence: str, names: tuple[str, ...]) -> None:
    assert repealed_names(sentence) == names


def test_each_pair_is_asked_for_today_and_around_the_change() -> None:
    collection = collect(LAWS)
    found = cases(collection, TODAY)
    first, second = path("临澜市供热条例(2015-03-01)"), path("临澜市供热条例(2020-09-10)")
    versions = [case for case in found if case.kind == "version" and case.pair.startswith(second)]
    assert [(case.as_of, case.right) for case in versions] == [
        (None, frozenset({path("临澜市供热条例(2023-07-20)")})), (date(2018, 1, 15), frozenset({first})),
        (date(2020, 9, 30), frozenset({first})), (date(2020, 10, 1), frozenset({second})),
    ]
    assert len({case.question for case in versions}) == 1
    assert versions[0].question.startswith("《临澜市供热条例》里“供热单位应当在每年十一月十五日前开始供热”")
    repeal = next(case for case in found if case.kind == "repeal")
    assert (repeal.as_of, repeal.named, repeal.by) == (None, "临澜市养犬办法", "临澜市养犬管理条例")
    assert {case.pair for case in found if case.kind == "namesake"} == {path("临澜市节水条例(2018-06-01)")}


def test_an_old_rule_is_written_for_a_name_that_a_repeal_states() -> None:
    texts = {name: text.replace("《临澜市养犬办法》和", "") for name, text in LAWS.items() if "养犬办法" not in name}
    made = [name for name in collect(texts).texts if name.startswith("旧规定/")]
    assert made == ["旧规定/地方性法规/临澜/临澜市犬类处罚规定(2012-12-31).md"]


def test_a_term_is_read_from_the_policy_itself(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "title": "甲办法", "date": "2020-01-01", "text": "第一条 自2020年2月1日起施行，有效期五年。"},
        {"id": "b", "title": "乙办法", "date": "2020-01-01", "text": "自印发之日起施行，有效期至2022年12月31日。"},
        {"id": "c", "title": "丙办法", "date": "2020-01-01", "text": "自印发之日起施行，有效期3年。"},
        {"id": "d", "title": "甲办法解读", "date": "2020-01-01", "text": "自2020年2月1日起施行，有效期五年。"},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert {term.path: term.held for term in read_terms([file])} == {
        "policies.jsonl#a": Held(date(2020, 2, 1), date(2025, 2, 1)),
        "policies.jsonl#b": Held(date(2020, 1, 1), date(2023, 1, 1)),
    }


SPANS = {"old": Held(date(2010, 1, 1), date(2020, 1, 1), "new"), "new": Held(date(2020, 1, 1))}
ASKED = Case("pair", "repeal", "？", None, frozenset(), frozenset({"old"}), "甲办法", "乙条例")


def citation(document: str, *, in_force: bool) -> Citation:
    return Citation(1, document, None, "甲办法", "第一条", document, "", 0, 0, None, None, in_force, None)


def answered(status: Status, document: str, says: str = "") -> Answer:
    return Answer(status, says, "extract", citations=(citation(document, in_force=document == "new"),))


@pytest.mark.parametrize(("answer", "stale", "named", "by"), [
    (answered(Status.ANSWERED, "old"), ("old",), False, False),
    (answered(Status.NO_EVIDENCE, "old"), ("old",), False, False),
    (answered(Status.EXPIRED, "old", "《甲办法》已废止，由《乙条例》替代"), (), True, True),
    (answered(Status.ANSWERED, "new", "《甲办法》已废止"), (), True, False),
])
def test_an_ended_text_may_be_shown_as_ended_only(
    answer: Answer, stale: tuple[str, ...], named: bool, by: bool
) -> None:
    judged = next(judge([ASKED], lambda _: answer, lambda _: [], path_of=str, spans=SPANS, today=TODAY))
    assert (judged.stale, judged.named, judged.names_successor) == (stale, named, by)
    assert (problem(judged) is None) is (not stale and by)
    assert kind_scores([judged])[-1].stale_answers == bool(stale)


def test_another_day_is_right_when_its_own_text_is_found_alone() -> None:
    then = Case("pair", "version", "？", date(2015, 1, 1), frozenset({"old"}), frozenset({"new"}))

    def asked(*cited: str) -> bool:
        answer = Answer(Status.ANSWERED, "", "extract", citations=tuple(citation(c, in_force=True) for c in cited))
        return next(judge([then], lambda _: answer, lambda _: [], path_of=str, spans=SPANS, today=TODAY)).right

    assert [asked("old"), asked("old", "new"), asked("new"), asked()] == [True, False, False, False]


def test_the_verb_asks_a_home_of_its_own(tmp_path: Path) -> None:
    for name, text in LAWS.items():
        (tmp_path / "laws" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "laws" / name).write_text(text, encoding="utf-8")
    config, losses = tmp_path / "config.yaml", tmp_path / "losses.jsonl"
    config.write_text("ingest: {workers: 0}", encoding="utf-8")
    arguments = ["eval", "validity", tmp_path / "laws", "--config", config, "--losses", losses, "--json"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    scores = {score["kind"]: score for score in map(json.loads, done.stdout.splitlines())}
    assert done.exit_code == 0
    assert {kind: score["pairs"] for kind, score in scores.items()} == {
        "version": 2, "repeal": 1, "made": 1, "namesake": 1, "coming": 3, "all": 8,
    }
    assert scores["all"]["stale_answers"] == scores["all"]["stale_hits"] == scores["all"]["stale_as_of"] == 0
    assert scores["all"]["as_of_right"] == scores["all"]["as_of"] == 18
    lost = [json.loads(line) for line in losses.read_text(encoding="utf-8").splitlines()]
    assert {row["problem"] for row in lost} <= {"没有说明已废止或尚未施行"}
