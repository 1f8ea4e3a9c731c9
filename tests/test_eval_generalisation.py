"""Folds of laws, and search on laws it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path

import pytest

from core.errors import PolicyDeskError
from core.records import Question
from eval.generalisation import (
    FoldScores,
    fold_of,
    generalisation,
    generalisation_lines,
    law_of,
    make_folds,
)
from eval.gold import GoldQuestion
from eval.retrieval import Found, Search

LAWS = ("民法典", "劳动法", "道路交通安全法", "食品安全法", "义务教育法", "物业管理条例", "社会保险法", "专利法")


def ask(name: str, *laws: str) -> GoldQuestion:
    return GoldQuestion(name, Question(name), tuple((f"{law}@2020-01-01#第一条",) for law in laws))


QUESTIONS = [ask(law, law) for law in LAWS]


def test_a_fold_follows_from_the_name_as_the_data_says() -> None:
    assert fold_of("劳动法", 5) == int(md5("劳动法".encode()).hexdigest(), 16) % 4
    assert fold_of("民法典", 5) == fold_of("中华人民共和国民法典", 5) == 4
    assert law_of("民法典@2020-05-28#第五十四条") == law_of("民法典#第五十四条") == "民法典"


def test_every_law_is_in_one_fold_and_a_question_where_all_its_gold_is() -> None:
    across = ask("across", "民法典", "劳动法")
    folds = make_folds([*QUESTIONS, across, ask("none")], ["刑法", *LAWS])
    assert sorted(law for fold in folds for law in fold.laws) == sorted(["刑法", *LAWS])
    assert sorted(question.id for fold in folds for question in fold.questions) == sorted(LAWS)
    assert [question.id for question in folds[4].questions] == ["民法典"]


def found(question: Question, *, right: bool) -> list[Found]:
    return [Found(f"{question.text}@2020-01-01#第一条" if right else "x", "d", 0, 1)]


@contextmanager
def plain() -> Iterator[Search]:
    yield lambda question, top: found(question, right=question.text in ("民法典", "劳动法"))


@contextmanager
def remembering(file: Path) -> Iterator[Search]:
    """Finds only what it may have been trained on."""
    left_out = set(file.read_text(encoding="utf-8").split())
    yield lambda question, top: found(question, right=question.text not in left_out)


@contextmanager
def understanding(file: Path) -> Iterator[Search]:
    yield lambda question, top: found(question, right=True)


def test_a_search_that_only_remembers_falls_below_bm25_in_the_folds_bm25_knows() -> None:
    result = generalisation(QUESTIONS, LAWS, remembering, plain)
    assert (result.pooled.trained.means["R@10"], result.pooled.plain.means["R@10"]) == (0, 2 / 8)
    assert {fold.name for fold in result.folds if fold.below} == {"4", str(fold_of("劳动法", 5))}
    assert "第 4 组 R@10、R@100" in list(generalisation_lines(result))[-1]


def test_folds_are_pooled_over_questions_and_the_rest_is_counted() -> None:
    seen: list[FoldScores] = []
    questions = [*QUESTIONS, ask("across", "民法典", "劳动法"), ask("none")]
    result = generalisation(questions, LAWS, understanding, plain, progress=seen.append)
    assert result.pooled.trained.n == sum(fold.trained.n for fold in result.folds) == 8
    assert result.pooled.gain.means["RR@10"] == 6 / 8
    assert (result.left_out, seen) == (2, list(result.folds))
    *_, left_out, verdict = generalisation_lines(result)
    assert (left_out[:6], verdict) == ("2 个问题的", "没有一组低于 BM25")


def test_questions_of_other_kinds_cannot_be_folded() -> None:
    with pytest.raises(PolicyDeskError, match="同一组法律"):
        generalisation([ask("none")], LAWS, understanding, plain)
    with pytest.raises(PolicyDeskError, match="至少要分 2 组"):
        make_folds(QUESTIONS, LAWS, folds=1)
