"""Queries while the same process has a large job: questions that come at a fixed rate, before it, during it and after.

A question that comes while another is being answered waits, as a caller would; so a moment in which nothing is
answered counts for every question that came in it, not for one.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from eval.gold import GoldQuestion
from eval.latency import Latency, RefSearch, latency

PER_SECOND = 5.0
_IDLE_SECONDS = 15.0
_MINIMUM = 20                # questions, for a percentile that means anything


@dataclass(frozen=True, slots=True)
class Served:
    """One stretch of questions. Answered: from the moment a question came; alone: without the wait for others."""

    answered: Latency
    alone: Latency
    longest_ms: float


@dataclass(frozen=True, slots=True)
class BusyResult:
    """``ratio`` is of what was measured during the job over the mean of idle and afterwards."""

    per_second: float
    job_seconds: float
    told: str                    # by the job, at its end
    idle: Served
    during: Served
    after: Served
    ratio: dict[str, float]      # answered_p50, answered_p95, alone_p50, alone_p95


def run_busy(
    questions: Sequence[GoldQuestion], search: RefSearch, job: Callable[[], str], *, top: int = 10,
    per_second: float = PER_SECOND, idle_seconds: float = _IDLE_SECONDS,
) -> BusyResult:
    """``job`` runs in a thread of its own. Raises what it raised, once its questions have been asked."""
    for question in questions[:_MINIMUM]:
        search(question.question, top)
    idle = _for_seconds(questions, search, idle_seconds, top=top, per_second=per_second)
    with ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        done = pool.submit(job)
        during = _served(questions, search, lambda asked: not done.done(), top=top, per_second=per_second)
        told = done.result()
        seconds = time.perf_counter() - started
    after = _for_seconds(questions, search, idle_seconds, top=top, per_second=per_second)
    ratio = {
        f"{kind}_{part}": getattr(getattr(during, kind), f"{part}_ms")
        / ((getattr(getattr(idle, kind), f"{part}_ms") + getattr(getattr(after, kind), f"{part}_ms")) / 2)
        for kind in ("answered", "alone") for part in ("p50", "p95")
    }
    return BusyResult(per_second, seconds, told, idle, during, after, ratio)


def busy_lines(result: BusyResult) -> list[str]:
    """A table for people."""
    rows = [("空闲", result.idle), ("任务中", result.during), ("任务后", result.after)]
    lines = [f"每秒 {result.per_second:g} 个问题；任务 {result.job_seconds:.1f} 秒：{result.told}"]
    lines += [
        f"{name}：{served.answered.n} 个问题，从提出到答复 p50 {served.answered.p50_ms:.1f}、"
        f"p95 {served.answered.p95_ms:.1f}，不计排队 p50 {served.alone.p50_ms:.1f}、p95 {served.alone.p95_ms:.1f}，"
        f"最长 {served.longest_ms:.0f} 毫秒"
        for name, served in rows
    ]
    ratio = result.ratio
    lines.append(
        f"任务中 / 空闲：从提出到答复 p50 {ratio['answered_p50']:.2f}、p95 {ratio['answered_p95']:.2f}，"
        f"不计排队 p50 {ratio['alone_p50']:.2f}、p95 {ratio['alone_p95']:.2f}"
    )
    return lines


def _for_seconds(
    questions: Sequence[GoldQuestion], search: RefSearch, seconds: float, *, top: int, per_second: float
) -> Served:
    wanted = max(_MINIMUM, round(seconds * per_second))
    return _served(questions, search, lambda asked: asked < wanted, top=top, per_second=per_second)


def _served(
    questions: Sequence[GoldQuestion], search: RefSearch, goes_on: Callable[[int], bool], *, top: int,
    per_second: float,
) -> Served:
    """The n-th question comes n / ``per_second`` seconds after the first; at least `_MINIMUM` come."""
    answered: list[float] = []
    alone: list[float] = []
    started = time.perf_counter()
    for number, question in enumerate(itertools.cycle(questions)):
        if number >= _MINIMUM and not goes_on(number):
            break
        came = started + number / per_second
        time.sleep(max(0.0, came - time.perf_counter()))
        begun = time.perf_counter()
        search(question.question, top)
        ended = time.perf_counter()
        answered.append(ended - came)
        alone.append(ended - begun)
    return Served(latency(answered), latency(alone), max(answered) * 1000)
