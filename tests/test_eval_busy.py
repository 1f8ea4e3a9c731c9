"""Questions at a fixed rate beside a job: a moment without answers counts for all who came in it."""

from __future__ import annotations

import threading
import time

import pytest

from core.records import Question
from eval.busy import BusyResult, busy_lines, run_busy
from eval.gold import GoldQuestion

QUESTIONS = [GoldQuestion(str(n), Question(f"问题{n}"), ()) for n in range(5)]


def measured(pause: float) -> BusyResult:
    """Each search waits while a job holds everybody up for ``pause`` seconds."""
    free = threading.Lock()

    def search(question: Question, top: int) -> list[str]:
        with free:
            return []

    def job() -> str:
        with free:
            time.sleep(pause)
        return "完成"

    return run_busy(QUESTIONS, search, job, per_second=200, idle_seconds=0.1)


def test_one_pause_is_felt_by_every_question_that_came_in_it() -> None:
    result = measured(pause=0.5)
    assert result.told == "完成"
    assert result.during.answered.p50_ms > 50
    assert result.during.alone.p50_ms < result.during.answered.p50_ms
    assert result.ratio["answered_p95"] > 1


def test_the_table_tells_the_ratio() -> None:
    assert "任务中 / 空闲" in busy_lines(measured(pause=0.0))[-1]


def test_a_job_that_fails_is_told() -> None:
    def job() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_busy(QUESTIONS, lambda question, top: [], job, per_second=1000, idle_seconds=0.01)
