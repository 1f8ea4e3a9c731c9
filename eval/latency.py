"""A search function and questions -> latencies and queries per second, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.records import Question
from eval.gold import GoldQuestion

_WARM = 30                   # questions asked first, whose times do not count

RefSearch = Callable[[Question, int], list[str]]
"""(question, at most so many) -> refs of articles, best first."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds per query over ``n`` queries, one at a time."""

    n: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Pass:
    """Every question asked once, in order, by one thread."""

    seconds: tuple[float, ...]              # per question
    run: dict[str, tuple[str, ...]]         # question id -> refs, best first


def timed_pass(questions: Sequence[GoldQuestion], search: RefSearch, *, top: int) -> Pass:
    seconds = []
    run = {}
    for question in questions:
        started = time.perf_counter()
        refs = search(question.question, top)
        seconds.append(time.perf_counter() - started)
        run[question.id] = tuple(refs)
    return Pass(tuple(seconds), run)


def latency(seconds: Sequence[float]) -> Latency:
    """Percentiles of at least one duration, interpolated linearly between neighbours."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95]).tolist()
    return Latency(len(seconds), p50, p95)


def side_by_side(questions: Sequence[GoldQuestion], searches: Sequence[RefSearch], *, top: int) -> list[Latency]:
    """Each question asked of all of ``searches`` in turn, so that a busy moment falls on all of them; once before."""
    seconds: list[list[float]] = [[] for _ in searches]
    for gold in [*questions[:_WARM], *questions]:
        for own, search in zip(seconds, searches, strict=True):
            started = time.perf_counter()
            search(gold.question, top)
            own.append(time.perf_counter() - started)
    return [latency(own[min(_WARM, len(questions)) :]) for own in seconds]


def throughput(questions: Sequence[GoldQuestion], search: RefSearch, *, top: int, threads: int) -> float:
    """Queries per second with so many threads asking as fast as they can, every question once."""
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda gold: search(gold.question, top), questions))
    return len(questions) / (time.perf_counter() - started)
