"""Retrieval measures, every expected number worked out by hand, and TREC files."""

from collections.abc import Callable, Iterable
from math import log2
from pathlib import Path

import ir_measures
import pytest

from core.records import Question
from eval.gold import GoldQuestion
from eval.measures import MEASURES, collapse, paired, score, summarise
from eval.retrieval import write_trec


def ask(name: str, *gold: tuple[str, ...], kind: str = "question", by_document: bool = False) -> GoldQuestion:
    return GoldQuestion(name, Question(f"问 {name}"), gold, kind=kind, by_document=by_document)


def test_two_gold_articles_at_ranks_two_and_three() -> None:
    values = score([ask("q", ("a",), ("b",))], {"q": ["x", "a", "b"]}).per_query["q"]
    # R@1 = 0 of 2, R@5 = 2 of 2; first at rank 2: 1/2
    # DCG = 1/log2(3) + 1/log2(4) = 0.6309 + 0.5; ideal = 1/log2(2) + 1/log2(3) = 1 + 0.6309
    assert values["R@1"] == 0
    assert values["R@5"] == values["R@100"] == 1
    assert (values["Success@1"], values["Success@5"]) == (0, 1)
    assert values["RR@10"] == 0.5
    assert values["nDCG@10"] == pytest.approx((1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)))
    assert tuple(values) == MEASURES


def test_half_of_the_gold_at_rank_one() -> None:
    values = score([ask("q", ("a",), ("b",))], {"q": ["a", "x", "y"]}).per_query["q"]
    # one of two found: R = 0.5; it is first: 1; DCG = 1, ideal = 1 + 1/log2(3)
    assert values["R@1"] == values["R@100"] == 0.5
    assert values["Success@1"] == values["RR@10"] == 1
    assert values["nDCG@10"] == pytest.approx(1 / (1 + 1 / log2(3)))


def test_rank_eleven_counts_only_beyond_ten() -> None:
    values = score([ask("q", ("a",))], {"q": [*"bcdefghijk", "a"]}).per_query["q"]
    assert values["R@10"] == values["Success@10"] == values["RR@10"] == values["nDCG@10"] == 0
    assert values["R@20"] == 1


def test_another_version_is_correct_and_counts_once() -> None:
    values = score([ask("q", ("a", "a-old"), ("b",))], {"q": ["a-old", "a", "b"]}).per_query["q"]
    # counted as a, b: one of two at rank 1, both by rank 2, a perfect order
    assert values["R@1"] == 0.5
    assert values["R@5"] == values["nDCG@10"] == 1


def test_a_repeated_ref_takes_no_place() -> None:
    assert collapse(ask("q", ("a",)), ["x", "x", "a", "x"]) == ["x", "a"]


def test_groups_that_share_a_ref_are_one_article() -> None:
    values = score([ask("q", ("a", "b"), ("b", "c"))], {"q": ["c"]}).per_query["q"]
    assert values["R@1"] == 1  # one article, found under its third name


def test_gold_documents_count_at_their_first_article() -> None:
    question = ask("q", ("d1",), by_document=True)
    run = {"q": ["d2#第一条", "d2#第二条", "d1#第三条", "d1#第一条"]}
    # documents in order: d2, d1; so the gold one stands at rank 2, not 3
    values = score([question], run).per_query["q"]
    assert values["RR@10"] == 0.5
    assert values["R@5"] == values["Success@5"] == 1


def test_a_question_missing_from_the_run_counts_as_zero() -> None:
    scores = score([ask("q1", ("a",)), ask("q2", ("b",))], {"q1": ["a"]})
    assert scores.per_query["q2"] == dict.fromkeys(MEASURES, 0.0)
    assert scores.overall.means["R@10"] == 0.5


def test_questions_without_gold_are_left_out_and_counted() -> None:
    scores = score([ask("q1", ("a",)), ask("q2")], {"q1": ["a"], "q2": ["x"]})
    assert (scores.overall.n, scores.without_gold) == (1, 1)
    assert set(scores.per_query) == {"q1"}
    assert score([ask("q2")], {}).overall.means == {}


def test_kinds_are_scored_apart() -> None:
    questions = [ask("q1", ("a",), kind="对象"), ask("q2", ("b",), kind="时效"), ask("q3", ("c",), kind="时效")]
    kinds = score(questions, {"q1": ["a"], "q2": ["b"], "q3": ["x"]}).kinds
    assert {kind: (group.n, group.means["R@1"]) for kind, group in kinds.items()} == {"对象": (1, 1), "时效": (2, 0.5)}


def test_the_interval_repeats_for_a_seed_and_has_no_width_without_spread() -> None:
    rows = [{"R@1": 1 / n} for n in range(1, 30)]
    assert summarise(rows, seed=1) == summarise(rows, seed=1) != summarise(rows, seed=2)
    assert summarise([{"R@1": 0.25}] * 9).intervals["R@1"] == (0.25, 0.25)


def test_the_interval_of_one_hit_and_one_miss_is_everything() -> None:
    # two draws of two: both misses with probability 1/4, both hits 1/4; each far above 2.5 %
    assert summarise([{"R@1": 0.0}, {"R@1": 1.0}]).intervals["R@1"] == (0.0, 1.0)


def test_an_interval_of_differences_is_narrower_than_its_two_sides() -> None:
    ours = {f"q{n}": {"R@1": float(n % 2), "R@5": 1.0} for n in range(40)}
    theirs = {f"q{n}": {"R@1": float(n % 2 and n > 3)} for n in range(40)}
    # ours finds q1 and q3 more, of 40; the rest is equal
    gain = paired(ours, theirs)
    assert gain.means == {"R@1": 0.05}
    assert 0 <= gain.intervals["R@1"][0] < 0.05 < gain.intervals["R@1"][1] < 0.2


def test_a_trec_file_has_six_columns_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    write_trec(path, {"q 1": ["办法 @2024#第八条", "b\u3000c", "bc"], "q2": ["d"]}, "policy desk")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "q1 Q0 办法@2024#第八条 1 2 policydesk"
    assert [len(line.split(" ")) for line in lines] == [6, 6, 6]
    read: Callable[[str], Iterable[ir_measures.ScoredDoc]] = ir_measures.read_trec_run  # it is untyped
    found = [(row.query_id, row.doc_id, row.score) for row in read(str(path))]
    assert found == [("q1", "办法@2024#第八条", 2), ("q1", "bc", 1), ("q2", "d", 1)]
