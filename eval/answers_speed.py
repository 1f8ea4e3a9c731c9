"""Full answers, one at a time -> how long each took, and each of its phases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.records import Answer, Question
from eval.answers import Times
from eval.answers_lines import time_line
from eval.latency import latency

WARM = 30                    # questions asked first, whose times do not count


@dataclass(frozen=True, slots=True)
class AnswerSpeed:
    """How fast one base answers."""

    articles: int
    chunks: int
    times: tuple[Times, ...]             # on the clock, then the phases that answers tell, then writing down


def timed(
    questions: Sequence[Question], ask: Callable[[Question], Answer], *, articles: int, chunks: int
) -> AnswerSpeed:
    """``ask`` as a user asks: with the answer written down. At least one question."""
    for question in questions[:WARM]:
        ask(question)
    phases: dict[str, list[float]] = {"clock": []}
    for question in questions:
        started = time.perf_counter()
        answer = ask(question)
        seconds = time.perf_counter() - started
        phases["clock"].append(seconds)
        told = dict(answer.timings_ms)
        for name, ms in told.items():
            phases.setdefault(name, []).append(ms / 1000)
        if "total" in told:
            phases.setdefault("beside", []).append(max(0.0, seconds - told["total"] / 1000))
    return AnswerSpeed(articles, chunks, tuple(Times(name, latency(some)) for name, some in phases.items()))


def speed_lines(speed: AnswerSpeed) -> Iterator[str]:
    yield f"{speed.articles} 条，{speed.chunks} 个片段"
    for row in speed.times:
        yield time_line(row)
