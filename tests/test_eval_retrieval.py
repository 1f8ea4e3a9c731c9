"""Asking and scoring: losses, spans, what a base lacks, and stages switched on and off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from core.records import Facts, Question, State, StoredDocument
from eval.ablation import AblationRow, ablate, ablation_lines, settings
from eval.gold import GoldQuestion, GoldSpan, span_digest
from eval.home_check import HomeCheck, check_home, with_wanted
from eval.retrieval import Found, Loss, Search, evaluate_retrieval


def ask(name: str, *gold: tuple[str, ...]) -> GoldQuestion:
    return GoldQuestion(name, Question(name), gold)


def ask_span(name: str, document: str, start: int, end: int, text: str = "") -> GoldQuestion:
    span = GoldSpan(document, start, end, span_digest(text) if text else None)
    return GoldQuestion(name, Question(name), ((document,),), by_document=True, span=span, tags=("hard",))


def article(document: str, start: int, end: int, chunk: tuple[int, int] | None = None) -> Found:
    return Found(f"{document}#{start}", document, start, end, chunk)


def finder(found: dict[str, Sequence[Found]]) -> Search:
    return lambda question, top: found.get(question.text, ())[:top]


def refs(*names: str) -> list[Found]:
    return [Found(name, "d", 0, 1) for name in names]


def stored(name: str, ends: date | None = None) -> StoredDocument:
    source = f"/data/documents.jsonl#{name}"
    return StoredDocument(f"id-{name}", Facts(f"办法 {name}"), source, State.PUBLISHED, None, ends, None)


def test_losing_questions_come_with_what_was_found_instead() -> None:
    far = [f"x{n}" for n in range(11)]
    found = {"q1": refs("a"), "q2": refs(*far, "b"), "q3": refs("x"), "q4": refs("y")}
    questions = [ask("q1", ("a",)), ask("q2", ("b",)), ask("q3", ("c",)), ask("q4")]
    result = evaluate_retrieval(questions, finder(found), depth=20)
    assert [(loss.id, loss.missed, loss.rank) for loss in result.losing] == [
        ("q2", "article", 12), ("q3", "article", None)
    ]
    assert result.losing[0].found == tuple(refs(*far[:5]))
    assert (result.n, result.scores.without_gold, result.run["q4"]) == (3, 1, ("y",))
    assert (result.ranks, result.by_document) == ((1, 12, None), False)


def test_documents_are_ranked_as_often_as_they_differ() -> None:
    found = {"q": [*(article("d1", n, n + 1) for n in range(10)), article("d2", 0, 9)]}
    result = evaluate_retrieval([ask_span("q", "d2", 2, 4)], finder(found))
    means = result.scores.overall.means
    # d2 is the second document, and its article the eleventh hit
    assert (means["Success@1"], means["Success@10"], means["RR@10"], means["Span@10"]) == (0, 1, 0.5, 0)
    assert (result.ranks, result.losing[0].missed, result.by_document) == ((2,), "span", True)


@pytest.mark.parametrize(
    ("hit", "span", "chunk"),
    [
        (article("d", 0, 30, (0, 10)), 1.0, 0.0),      # the article holds the answer, its best chunk does not
        (article("d", 0, 30, (10, 21)), 1.0, 1.0),     # one character is enough
        (article("d", 25, 30, (25, 30)), 0.0, 0.0),    # begins where the answer has ended
        (article("e", 20, 25, (20, 25)), 0.0, 0.0),    # another document
    ],
)
def test_a_span_is_found_when_one_of_ten_hits_overlaps(hit: Found, span: float, chunk: float) -> None:
    means = evaluate_retrieval([ask_span("q", "d", 20, 25)], finder({"q": [hit]})).scores.overall.means
    assert (means["Span@10"], means["Chunk@10"]) == (span, chunk)


def test_chunks_are_not_scored_where_no_hit_tells_its_chunk() -> None:
    result = evaluate_retrieval([ask_span("q", "d", 2, 4)], finder({"q": [article("d", 0, 9)]}))
    assert "Chunk@10" not in result.scores.overall.means
    assert result.losing == ()


def test_a_set_of_both_kinds_shows_spans_where_all_questions_have_one() -> None:
    found = {"q1": [article("d", 0, 9)], "q2": refs("a")}
    scores = evaluate_retrieval([ask_span("q1", "d", 2, 4), ask("q2", ("a",))], finder(found)).scores
    assert "Span@10" not in scores.overall.means
    assert scores.kinds["hard"].means["Span@10"] == 1


def test_what_a_base_lacks_is_told_apart() -> None:
    text = "第一条 补贴五百元。"
    documents = [stored("d1"), stored("d2"), stored("d3", ends=date(2026, 1, 1))]
    questions = [
        ask_span("there", "d1", 4, 9, "补贴五百元"), ask_span("moved", "d2", 3, 8, "补贴五百元"),
        ask_span("expired", "d3", 4, 9), ask_span("missing", "d4", 0, 5), ask("article", ("a",)),
    ]
    check = check_home(questions, documents, lambda id_: text, today=date(2026, 6, 1))
    assert check == HomeCheck(missing=("missing",), moved=("moved",), not_in_force=("expired",))
    assert [line.split("：")[-1] for line in check.lines()] == ["missing", "moved", "expired"]
    earlier = check_home(questions, documents, lambda id_: text, today=date(2025, 12, 31))
    assert earlier.not_in_force == ()


def test_a_loss_shows_the_text_that_would_have_been_right() -> None:
    questions = [ask_span("span", "d1", 4, 9), ask("article", ("a", "b")), ask("unknown", ("z",))]
    losing = evaluate_retrieval(questions, finder({})).losing
    texts = [("x", "别的"), ("b", "办法\n第八条")]
    full = with_wanted(losing, questions, [stored("d1")], lambda id_: "第一条 补贴五百元。", texts)
    assert [loss.wanted for loss in full] == ["办法 d1\n补贴五百元", "办法\n第八条", ""]
    assert [type(loss) for loss in full] == [Loss] * 3


def rows_of(*names: str) -> list[AblationRow]:
    questions = [ask(f"q{n}", (f"a{n}",)) for n in range(20)]
    sparse = finder({f"q{n}": refs("x", f"a{n}") for n in range(20)})
    better = finder({f"q{n}": refs(f"a{n}") for n in range(20)})
    return ablate(questions, dict(zip(names, (sparse, sparse, better), strict=True)))


def test_an_ablation_gives_each_gain_over_the_first_row() -> None:
    first, same, better = rows_of("仅词项", "＋图谱", "＋重排")
    assert (first.gain.means["RR@10"], same.gain.means["RR@10"], better.gain.means["RR@10"]) == (0, 0, 0.5)
    lines = list(ablation_lines([first, same, better], by_document=False))
    assert lines[0].startswith("| 环节 | 前十召回 | 前百召回 | MRR@10 |")
    assert lines[3].split(" | ")[3] == "0.500"
    assert lines[4].split(" | ")[3] == "1.000 (+0.500*)"
    assert list(ablation_lines([], by_document=False)) == []


def test_stages_are_tried_alone_all_and_all_but_one() -> None:
    assert settings(()) == {"仅词项": frozenset()}
    assert list(settings(("terms", "dense"))) == ["仅词项", "＋词语扩展", "＋向量", "全部"]
    four = settings(("terms", "dense", "graph", "rerank"))
    assert list(four)[5:7] == ["全部", "全部－词语扩展"]
    assert four["全部－重排"] == {"terms", "dense", "graph"}
    assert len(four) == 10
