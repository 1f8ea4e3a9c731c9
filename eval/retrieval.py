"""Gold questions and a search function -> `RetrievalResult`, and a run as a TREC file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.records import Hit, Question
from eval.gold import GoldQuestion, document_name, gold_digest, trec_ref
from eval.measures import SEED, Run, Scores, canonical_ids, collapse, score

_SHOWN = 160    # characters of a found text: enough to see why it was taken for an answer


@dataclass(frozen=True, slots=True)
class Found:
    """One hit, as far as it is scored and shown."""

    ref: str
    document: str                             # name, as `document_name` gives it
    start: int                                # of the article
    end: int
    chunk: tuple[int, int] | None = None      # start and end of the best chunk, when the search tells it
    title: str = ""
    address: str = ""
    text: str = ""                            # its beginning


Search = Callable[[Question, int], Sequence[Found]]
"""(question, at most so many) -> articles, best first."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A question with no gold in the first ten."""

    id: str
    question: str
    kind: str
    missed: str                  # article | document | span: what is not there; a span's document is there
    gold: tuple[tuple[str, ...], ...]
    rank: int | None             # of the first gold article or document, within the depth that was asked for
    found: tuple[Found, ...]     # the first five
    wanted: str = ""             # the text that would have been right, where the base has it


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """One evaluation of one search function."""

    scores: Scores
    losing: tuple[Loss, ...]                  # in the order of the gold set
    run: Mapping[str, tuple[str, ...]]        # question id -> refs as found, best first; all questions
    ranks: tuple[int | None, ...]             # of the first gold article or document of each question that has gold
    by_document: bool                         # every gold is a document
    digest: str                               # of the gold set
    depth: int
    seed: int
    seconds: float                            # of the searches alone

    @property
    def n(self) -> int:
        """Questions that have gold."""
        return self.scores.overall.n


def found_of(hit: Hit) -> Found:
    return Found(
        hit.ref, document_name(hit.document.source), hit.start, hit.end, hit.chunk,
        title=hit.document.facts.title, address=hit.address, text=hit.text[:_SHOWN],
    )


def evaluate_retrieval(
    questions: Sequence[GoldQuestion], search: Search, *, depth: int = 100, seed: int = SEED
) -> RetrievalResult:
    """Each question asked once, in order, in this thread, and scored; ``seed`` decides the intervals only."""
    started = time.perf_counter()
    hits = {question.id: tuple(search(question.question, depth)) for question in questions}
    seconds = time.perf_counter() - started
    judged = [question for question in questions if question.gold]
    counted = {question.id: _counted(question, hits[question.id]) for question in judged}
    scores = score(questions, counted, seed=seed, more=_spans(judged, hits))
    ranks = {question.id: _rank(question, counted[question.id]) for question in judged}
    return RetrievalResult(
        scores=scores,
        losing=tuple(
            _loss(question, missed, ranks[question.id], hits[question.id])
            for question in judged
            if (missed := _missed(question, scores.per_query[question.id]))
        ),
        run={name: tuple(hit.ref for hit in found) for name, found in hits.items()},
        ranks=tuple(ranks.values()),
        by_document=bool(judged) and all(question.by_document for question in judged),
        digest=gold_digest(questions),
        depth=depth,
        seed=seed,
        seconds=seconds,
    )


def write_trec(path: Path, run: Run, tag: str) -> None:
    """Write ``qid Q0 ref rank score tag`` lines, rank from 1, score falling by 1, white space left out of names."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for question_id, refs in run.items():
            unique = list(dict.fromkeys(map(trec_ref, refs)))
            for rank, ref in enumerate(unique, start=1):
                file.write(f"{trec_ref(question_id)} Q0 {ref} {rank} {len(unique) - rank + 1} {trec_ref(tag)}\n")


def _counted(question: GoldQuestion, hits: Sequence[Found]) -> list[str]:
    return [hit.document if question.by_document else hit.ref for hit in hits]


def _spans(judged: Sequence[GoldQuestion], hits: Mapping[str, Sequence[Found]]) -> dict[str, dict[str, float]]:
    """Span@10 by article, Chunk@10 by best chunk when the search tells them: 1 when one of the first ten overlaps."""
    chunked = any(hit.chunk for found in hits.values() for hit in found[:10])
    values: dict[str, dict[str, float]] = {}
    for question in judged:
        span = question.span
        if span is None:
            continue
        inside = [hit for hit in hits[question.id][:10] if hit.document == span.document]
        places = {"Span@10": [(hit.start, hit.end) for hit in inside]}
        if chunked:
            places["Chunk@10"] = [hit.chunk for hit in inside if hit.chunk]
        values[question.id] = {
            name: float(any(start < span.end and span.start < end for start, end in found))
            for name, found in places.items()
        }
    return values


def _rank(question: GoldQuestion, refs: Sequence[str]) -> int | None:
    correct = set(canonical_ids(question).values())
    return next((rank for rank, ref in enumerate(collapse(question, refs), start=1) if ref in correct), None)


def _missed(question: GoldQuestion, values: Mapping[str, float]) -> str:
    """Empty when nothing is missing."""
    if not values["Success@10"]:
        return "document" if question.by_document else "article"
    return "span" if values.get("Chunk@10", values.get("Span@10")) == 0 else ""


def _loss(question: GoldQuestion, missed: str, rank: int | None, hits: Sequence[Found]) -> Loss:
    return Loss(
        question.id, question.question.text, question.kind, missed, question.gold, rank, tuple(hits[:5])
    )
