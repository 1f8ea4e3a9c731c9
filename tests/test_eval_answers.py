"""Measures of answers on cases whose figures can be reckoned by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

from core.config import load_config
from core.records import Answer, Citation, Facts, Question, Role, Sentence, State, Status, StoredDocument
from eval.answers import Judged, Outcome, judge, losses, means, result
from eval.answers_check import Checked, FaultKind, Library, check_answer, plain_numbers
from eval.answers_curve import curve
from eval.answers_gold import Wanted, gold_texts, wanted_of
from eval.answers_lines import answers_lines
from eval.answers_questions import Asked, Expected
from eval.answers_text import bare, character_f1, holds, longest_common, rouge_l
from eval.gold import GoldQuestion, GoldSpan
from eval.record import Measured, write_record
from eval.report import measured_table
from qa.turn_kind import Kind

TEXT = "第一条 补贴每人每月二百元。第二条 申请人应当在10日内提交材料。第三条 逾期不予受理。"
FIRST, SECOND, THIRD = "补贴每人每月二百元。", "申请人应当在10日内提交材料。", "逾期不予受理。"


def stored(name: str, *, region: str | None = None, public: bool = True) -> StoredDocument:
    facts = Facts(f"{name}办法", doc_no="穗府〔2024〕3号", region=region, public=public)
    return StoredDocument(f"id-{name}", facts, f"/data/{name}.md", State.PUBLISHED, None, None, None)


DOCUMENTS = {one.id: one for one in (stored("a"), stored("b"), stored("gz", region="440100"),
                                     stored("gd", region="440000"), stored("in", public=False))}
LIBRARY = Library(DOCUMENTS, lambda id_: TEXT)
ARTICLES = [("a.md#第一条", f"a办法\n{TEXT[:13]}"), ("b.md#第一条", "b办法")]


def cite(n: int, quote: str, document: str = "a") -> Citation:
    start = TEXT.find(quote)
    return Citation(n, f"id-{document}", "穗府〔2024〕3号", f"{document}办法", "第一条", f"{document}.md#第一条", quote,
                    start, start + len(quote), None, None, True, None)


QUESTION = Question("补贴多少钱")


def answered(*citations: Citation, said: Sequence[str] = ()) -> Answer:
    texts = said or [citation.quote for citation in citations]
    sentences = tuple(Sentence(text, (c.n,)) for text, c in zip(texts, citations, strict=True))
    text = "".join(f"{one.text}[{one.citations[0]}]" for one in sentences)
    times = (("search", 4.0),)
    return Answer(Status.ANSWERED, text, "extract", sentences, citations, confidence=0.8, timings_ms=times)


REFUSED = Answer(Status.NO_EVIDENCE, "没有找到。", "extract", confidence=0.3)


def asked(expected: Expected = Expected.ANSWER, *, answer: str | None = None, span: GoldSpan | None = None,
          about: str | None = None, gold: Sequence[Sequence[str]] = (("a.md",),), by_document: bool = True) -> Asked:
    has_gold = tuple(map(tuple, gold)) if expected is Expected.ANSWER else ()
    question = GoldQuestion("q", Question("补贴多少钱"), has_gold, answer=answer, by_document=by_document, span=span)
    return Asked("q", question, expected, "set", about)


def judged(one: Asked, answer: Answer, kind: Kind = Kind.POLICY) -> Judged:
    wanted = wanted_of(one, gold_texts([one], LIBRARY, ARTICLES))
    return judge(one, answer, LIBRARY, wanted=wanted, kind=kind, milliseconds=10.0)


def faults(answer: Answer, question: Question = QUESTION) -> list[FaultKind]:
    return [fault.kind for fault in check_answer(question, answer, LIBRARY).faults]


def table_length(one: str, other: str) -> int:
    """The longest common subsequence by the plain table."""
    row = [0] * (len(other) + 1)
    for left in one:
        row = [0, *row[1:]]
        before = list(row)
        for place, (right, _) in enumerate(pairwise(f"{other} "), start=1):
            row[place] = before[place - 1] + 1 if left == right else max(before[place], row[place - 1])
    return row[-1]


def test_punctuation_white_space_and_width_do_not_count() -> None:
    assert bare("（一）每人 １００ 元。\n") == "一每人100元"
    assert holds("……每人（１００）元！", ["没有", "每人100元"])
    assert not holds("每人100元", ["", "。"])


def test_rouge_l_is_f1_and_recall_of_common_characters_in_order() -> None:
    # 每人200元 stands in order in 每人每月200元: 6 of 6 wanted, 8 said
    assert rouge_l("每人每月200元。", "每人200元") == pytest.approx((12 / 14, 1.0))
    assert rouge_l("", "每人") == (0.0, 0.0)
    assert rouge_l("甲乙", "乙甲")[0] == 0.5
    assert character_f1("甲乙", "乙甲") == 1.0
    assert character_f1("甲甲乙", "甲丙") == pytest.approx(2 / 5)


@pytest.mark.parametrize(("one", "other"), [
    ("申请人应当在十日内提交材料", "材料应当十日内提交"), ("aab", "aba"), ("", "甲"), ("甲", "甲"),
    ("甲乙丙丁", "丁丙乙甲"),
])
def test_the_bit_form_gives_what_the_table_gives(one: str, other: str) -> None:
    assert longest_common(one, other) == table_length(one, other)


@pytest.mark.parametrize(("text", "numbers"), [
    ("每人每月二百元", {"200"}), ("自２０２４年5月起", {"2024", "5"}), ("1,000元和2.50元", {"1000", "2.5"}),
    ("百分之五", {"5"}), ("穗府〔2024〕3号", {"2024", "3", "2024-3"}), ("一律统一", set()),
])
def test_plain_numbers_are_values(text: str, numbers: set[str]) -> None:
    assert plain_numbers(text) == numbers


def test_what_a_partial_answer_shows_beside_its_sentences_is_not_what_it_rests_on() -> None:
    answer = answered(cite(1, FIRST))
    old = replace(cite(2, THIRD), in_force=False)
    shown = replace(answer, status=Status.PARTIAL, citations=(*answer.citations, old))
    assert faults(shown) == []
    span = GoldSpan("a.md", TEXT.find("逾期"), TEXT.find("逾期") + len(THIRD))
    assert judged(asked(span=span), shown).outcome is Outcome.WRONG_PASSAGE


def test_a_quote_of_the_gold_span_is_right() -> None:
    span = GoldSpan("a.md", TEXT.find("二百元"), TEXT.find("二百元") + 3)
    one = judged(asked(span=span), answered(cite(1, FIRST), cite(2, THIRD, "b")))
    assert one.wanted == Wanted(("二百元",), stands=True)
    assert one.outcome is Outcome.RIGHT
    expected = {"in_answer": 1, "in_quotes": 1, "at_place": 1, "citation_recall": 1, "citation_precision": 0.5,
                "rouge_l_recall": 1, "rouge_l": 6 / (9 + 6 + 3), "false_refusal": 0, "unsupported": 0, "resolved": 1}
    assert {name: pytest.approx(one.values[name]) for name in expected} == expected


@pytest.mark.parametrize(("answer", "outcome"), [
    (REFUSED, Outcome.REFUSED),
    (replace(REFUSED, status=Status.CLARIFY), Outcome.ASKED_BACK),
    (answered(cite(1, SECOND, "b")), Outcome.WRONG_DOCUMENT),
    (answered(cite(1, THIRD)), Outcome.WRONG_PASSAGE),
    (answered(cite(1, "补贴每人每月")), Outcome.NUMBER_MISSING),
    (answered(cite(1, "每月二百元。")), Outcome.PART),
    (answered(cite(1, FIRST)), Outcome.RIGHT),
])
def test_why_a_question_was_lost(answer: Answer, outcome: Outcome) -> None:
    start = TEXT.find("补贴每人")
    span = GoldSpan("a.md", start, start + len(FIRST))
    assert judged(asked(span=span), answer).outcome is outcome


def test_a_document_that_says_the_same_counts_by_its_words() -> None:
    span = GoldSpan("a.md", TEXT.find("补贴"), TEXT.find("补贴") + len(FIRST))
    one = asked(span=span, gold=(("a.md", "b.md"),))
    assert judged(one, answered(cite(1, "补贴每人每月二百", "b"))).values["at_place"] == 1
    assert judged(one, answered(cite(1, SECOND, "b"))).outcome is Outcome.WRONG_PASSAGE


def test_gold_by_article_is_cited_by_its_ref() -> None:
    one = asked(gold=(("a.md#第一条",), ("a.md#第九条",)), by_document=False)
    right = judged(one, answered(cite(1, FIRST)))
    assert (right.outcome, right.values["citation_recall"], right.values["at_place"]) == (Outcome.RIGHT, 0.5, 1)
    assert "rouge_l" not in right.values
    assert judged(one, answered(replace(cite(1, FIRST), ref="a.md#第二条"))).outcome is Outcome.WRONG_PASSAGE
    assert judged(one, answered(replace(cite(1, FIRST), ref="b.md#第一条"))).outcome is Outcome.WRONG_DOCUMENT


def test_a_gold_answer_in_a_persons_own_words_is_not_looked_for_word_by_word() -> None:
    gold = (("a.md#第一条",),)
    own = judged(asked(answer="每个月能领两百块", gold=gold, by_document=False), answered(cite(1, FIRST)))
    assert (own.outcome, own.wanted.stands) == (Outcome.RIGHT, False)
    assert "in_quotes" not in own.values
    assert own.values["rouge_l"] > 0
    letter = judged(asked(answer="每月二百元", gold=gold, by_document=False), answered(cite(1, FIRST)))
    assert (letter.wanted.stands, letter.values["in_quotes"]) == (True, 1)
    free = judged(asked(answer="能领两百块"), answered(cite(1, THIRD)))      # a document without a span
    assert (free.outcome, "at_place" in free.values) == (Outcome.RIGHT, False)


def test_what_should_be_refused_or_may_be_asked() -> None:
    refuse, allow = asked(Expected.REFUSE), asked(Expected.ALLOW)
    assert judged(refuse, REFUSED).values["right_refusal"] == 1
    assert judged(refuse, answered(cite(1, FIRST))).outcome is Outcome.ANSWERED
    assert judged(allow, REFUSED).outcome is Outcome.RIGHT
    assert judged(allow, replace(REFUSED, status=Status.UNSAFE)).outcome is Outcome.TURNED_AWAY
    assert judged(allow, replace(REFUSED, status=Status.OUT_OF_SCOPE), Kind.OFF_TOPIC).outcome is Outcome.TURNED_AWAY
    assert judged(allow, replace(REFUSED, status=Status.OUT_OF_SCOPE), Kind.ELSEWHERE).outcome is Outcome.RIGHT
    assert judged(asked(Expected.UNJUDGED), REFUSED).outcome is Outcome.UNJUDGED


@pytest.mark.parametrize(("document", "outcome"), [
    # the city's, its province's, the country's
    ("gz", Outcome.FROM_HERE), ("gd", Outcome.RIGHT), ("a", Outcome.RIGHT),
])
def test_another_citys_question_is_not_answered_from_this_citys_rule(document: str, outcome: Outcome) -> None:
    one = asked(Expected.ELSEWHERE, about="440300")
    assert judged(one, answered(cite(1, FIRST, document))).outcome is outcome
    assert judged(one, replace(REFUSED, citations=(cite(1, FIRST, document),))).outcome is Outcome.RIGHT


def test_a_place_in_the_name_counts_where_no_region_is_stored() -> None:
    named = replace(DOCUMENTS["id-a"], facts=Facts("广州市引进人才办法", issuer="广州市人民政府办公厅"))
    library = Library({"id-a": named}, LIBRARY.text)
    answer = answered(cite(1, FIRST))
    asked_in = {region: check_answer(Question("补贴", region=region), answer, library).faults
                for region in ("440100", "440106", "440000", "440300", "130000")}
    assert {region: [fault.kind for fault in found] for region, found in asked_in.items()} == {
        "440100": [], "440106": [], "440000": [], "440300": [FaultKind.FOREIGN], "130000": [FaultKind.FOREIGN],
    }
    one = judge(asked(Expected.ELSEWHERE, about="440300"), answer, library, wanted=Wanted(), kind=Kind.POLICY,
                milliseconds=1.0)
    assert one.outcome is Outcome.FROM_HERE


def test_an_answer_of_quotes_keeps_its_promises() -> None:
    answer = answered(cite(1, FIRST), cite(2, SECOND))
    checked = check_answer(QUESTION, answer, LIBRARY)
    assert checked == Checked(citations=2, resolved=2, sentences=2, supported=2, numbers=2, faults=())


@pytest.mark.parametrize(("answer", "kind"), [
    (answered(replace(cite(1, FIRST), start=0)), FaultKind.QUOTE),
    (replace(REFUSED, citations=(replace(cite(1, FIRST), end=9),)), FaultKind.QUOTE),    # shown by a refusal
    (answered(cite(1, FIRST, "none")), FaultKind.HIDDEN),
    (answered(replace(cite(1, FIRST), in_force=False)), FaultKind.OLD),
    (replace(answered(cite(1, FIRST)), sentences=(Sentence(FIRST, (7,)),)), FaultKind.UNCITED),
    (replace(answered(cite(1, FIRST)), sentences=(Sentence(FIRST, ()),)), FaultKind.UNCITED),
    (answered(cite(1, FIRST), said=["补贴每人每月三百元。"]), FaultKind.NUMBER),
    (answered(cite(1, FIRST), said=["补贴每人每月三百元。"]), FaultKind.PLAIN_NUMBER),
    (answered(cite(1, FIRST), said=["依照穗府〔2023〕8号，补贴每人每月二百元。"]), FaultKind.NUMBER),
    (replace(answered(cite(1, FIRST)), text="补贴每人每月二百元[1]，电话12345。"), FaultKind.OUTSIDE),
    (answered(cite(1, THIRD), said=["逾期可以受理。"]), FaultKind.UNSUPPORTED),
    (replace(answered(cite(1, FIRST)), script=(Sentence("每月三百元。", (1,)),)), FaultKind.NUMBER),
])
def test_each_broken_promise_is_found(answer: Answer, kind: FaultKind) -> None:
    assert kind in faults(answer)


def test_only_citizens_must_not_see_what_is_not_public() -> None:
    answer = answered(cite(1, FIRST, "in"))
    assert faults(answer) == []
    assert faults(answer, replace(QUESTION, role=Role.CITIZEN)) == [FaultKind.HIDDEN]


def test_names_of_what_is_cited_and_numbers_of_the_question_may_be_said() -> None:
    text = "1. 每天50元的补贴\n根据《a办法》（穗府〔2024〕3号）第一条：补贴每人每月二百元[1]"
    answer = replace(answered(cite(1, FIRST)), text=text)
    assert faults(answer, Question("每天50元的补贴还有吗")) == []
    assert faults(replace(answer, status=Status.NO_EVIDENCE)) == []    # nothing is claimed


def test_a_curve_tells_what_each_threshold_would_do() -> None:
    made = curve(
        [0.9, 0.8, 0.7, 0.2], [0.75, 0.3, 0.1], right=[True, True, False, False],
        refused=[False, False, False, True], refused_unable=[False, True, True],
    )
    points = {round(point.threshold, 2): point for point in made.points}
    assert (points[0.1].false_refusals, points[0.1].right_refusals) == (0, 0)
    assert (points[0.7].false_refusals, points[0.7].right_refusals) == pytest.approx((0.25, 2 / 3))
    assert points[0.7].right_answers == pytest.approx(2 / 3)
    assert made.points[-1].false_refusals == made.points[-1].right_refusals == 1
    # pairs in the right order: 3 + 3 + 2 + 1 of 12
    assert made.area == pytest.approx(9 / 12)
    assert [(at.limit, at.point.threshold) for at in made.at] == [(0.05, 0.2), (0.08, 0.2)]
    low, high = made.area_interval
    assert 0 <= low <= made.area <= high <= 1
    assert (made.now.false_refusals, made.false_answers_now) == pytest.approx((0.25, 1 / 3))


def test_each_mean_is_over_the_questions_that_have_it() -> None:
    groups = means([{"one": 1.0, "both": 0.0}, {"both": 1.0}, {"both": 0.5}])
    assert {name: (group.n, group.means[name]) for name, group in groups.items()} == {"one": (1, 1.0), "both": (3, 0.5)}
    low, high = groups["both"].intervals["both"]
    assert 0 <= low < 0.5 < high <= 1


def test_results_stand_in_the_table_of_measured_numbers(tmp_path: Path) -> None:
    span = GoldSpan("a.md", 4, 4 + len(FIRST))
    figures = result([judged(asked(span=span), answered(cite(1, FIRST))), judged(asked(Expected.REFUSE), REFUSED)],
                     seconds=1.0)
    write_record("answers", asdict(figures), Measured("answers-x", "0" * 16, 2, 17), load_config(), folder=tmp_path)
    table = measured_table(tmp_path.glob("*.json"))
    header, _, row = table.split("\n\n")[0].splitlines()
    assert [cell.strip() for cell in header.split("|")[1:4]] == ["Answers", "Questions", "Gold in answer or quotes"]
    assert "Turned away" not in header
    assert row.startswith("| answers-x | 2 | 1.000 (1.000–1.000) |")
    assert header.count("|") == row.count("|")


def test_figures_of_a_run_are_counted_by_file_and_told_in_lines() -> None:
    span = GoldSpan("a.md", 4, 4 + len(FIRST))
    every = [
        judged(asked(span=span), answered(cite(1, FIRST))), judged(asked(span=span), REFUSED),
        judged(replace(asked(Expected.REFUSE), file="other"), REFUSED),
        judged(replace(asked(Expected.REFUSE), file="other"), answered(cite(1, FIRST), said=["每月三百元。"])),
    ]
    figures = result(every, seconds=1.0)
    assert list(figures.groups) == ["全部", "set", "other"]
    assert figures.outcomes == {"set": {"right": 1, "refused": 1}, "other": {"right": 1, "answered": 1}}
    assert figures.made_by == {"extract": 2}
    assert figures.totals["resolved"] == figures.totals["citations"] == 2
    assert figures.faults[FaultKind.NUMBER] == 1
    assert figures.groups["other"]["wrong_number"].means["wrong_number"] == 1
    assert [(row.phase, row.of.n, row.of.p50_ms) for row in figures.times] == [("clock", 4, 10.0), ("search", 2, 4.0)]
    assert [one.outcome for one in losses(every)] == [Outcome.REFUSED, Outcome.ANSWERED]
    text = "\n".join(answers_lines(figures))
    assert "现在误拒 50.0%，应拒而拒 50.0%，应拒而答 50.0%" in text
    assert "违例：" in text
