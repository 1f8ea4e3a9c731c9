"""Gold questions and a search function -> `RetrievalResult`, and a run as a TREC file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.records import Question
from eval.gold import GoldQuestion, gold_digest, trec_ref
from eval.measures import SEED, Run, Scores, canonical_ids, collapse, score

Search = Callable[[Question, int], list[str]]
"""(question, at most so many) -> refs of articles, best first."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A question with no gold article in the first ten."""

    id: str
    question: str
    kind: str
    gold: tuple[tuple[str, ...], ...]
    rank: int | None             # of the first gold article, within the depth that was asked for
    found: tuple[str, ...]       # the first five, as found


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """One evaluation of one search function."""

    scores: Scores
    losing: tuple[Loss, ...]                  # in the order of the gold set
    run: Mapping[str, tuple[str, ...]]        # question id -> refs as found, best first; all questions
    digest: str                               # of the gold set
    depth: int
    seed: int
    seconds: float                            # of the searches alone

    @property
    def n(self) -> int:
        """Questions that have gold."""
        return self.scores.overall.n


def evaluate_retrieval(
    questions: Sequence[GoldQuestion], search: Search, *, depth: int = 100, seed: int = SEED
) -> RetrievalResult:
    """Each question asked once, in order, in this thread, and scored; ``seed`` decides the intervals only."""
    started = time.perf_counter()
    run = {question.id: tuple(search(question.question, depth)) for question in questions}
    seconds = time.perf_counter() - started
    scores = score(questions, run, seed=seed)
    losing = tuple(
        _loss(question, run[question.id])
        for question in questions
        if question.gold and not scores.per_query[question.id]["Success@10"]
    )
    return RetrievalResult(scores, losing, run, gold_digest(questions), depth, seed, seconds)


def write_trec(path: Path, run: Run, tag: str) -> None:
    """Write ``qid Q0 ref rank score tag`` lines, rank from 1, score falling by 1, white space left out of names."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for question_id, refs in run.items():
            unique = list(dict.fromkeys(map(trec_ref, refs)))
            for rank, ref in enumerate(unique, start=1):
                file.write(f"{trec_ref(question_id)} Q0 {ref} {rank} {len(unique) - rank + 1} {trec_ref(tag)}\n")


def _loss(question: GoldQuestion, refs: Sequence[str]) -> Loss:
    correct = set(canonical_ids(question).values())
    ranks = (rank for rank, ref in enumerate(collapse(question, refs), start=1) if ref in correct)
    return Loss(question.id, question.question.text, question.kind, question.gold, next(ranks, None), tuple(refs[:5]))
