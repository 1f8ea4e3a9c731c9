"""The queue of long work: order, progress, cancelling, and what becomes of a job whose process died."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from kb.schema import audit, jobs
from kb.upkeep.jobs import (
    Job,
    JobState,
    Lost,
    Progress,
    Work,
    add,
    cancel,
    do_all,
    do_for_ever,
    do_next,
    get,
    listed,
    requeue_interrupted,
)
from policydesk.app import database_url, looked_at

NEVER = threading.Event()


@pytest.fixture
def engine(each_database: Config, tmp_path: Path) -> Iterator[Engine]:
    with looked_at(database_url(each_database, tmp_path)) as engine:
        yield engine


def nothing(job: Job, progress: Progress) -> str:
    return f"did {job.id}"


def refused(job: Job, progress: Progress) -> str:
    raise PolicyDeskError("磁盘已满")


def lost(job: Job, progress: Progress) -> str:
    raise Lost("子进程中断了")


def queued(engine: Engine, kind: str = "ingest") -> Job:
    return add(engine, kind, {"paths": ["a"]}, who="王芳")


def actions(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(audit.c.action).order_by(audit.c.seq)))


def died_with(engine: Engine, job: Job) -> None:
    """As a killed process leaves it."""
    with engine.begin() as connection:
        begun = {"state": JobState.RUNNING, "attempts": jobs.c.attempts + 1}
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(begun))


def test_a_job_waits_with_its_arguments_until_it_is_done(engine: Engine) -> None:
    job = queued(engine)
    assert (job.state, job.arguments, job.who, job.progress) == (JobState.QUEUED, {"paths": ["a"]}, "王芳", 0.0)
    done = do_next(engine, {"ingest": nothing}, NEVER)
    assert done is not None
    assert (done.id, done.state, done.message, done.progress) == (job.id, JobState.DONE, f"did {job.id}", 1.0)
    assert actions(engine) == ["job add", "job done"]


def test_jobs_are_done_in_the_order_in_which_they_came_and_listed_the_other_way(engine: Engine) -> None:
    ids = [queued(engine).id for _ in range(3)]
    ended: list[int] = []
    do_all(engine, {"ingest": nothing}, NEVER, lambda job: ended.append(job.id))
    assert ended == ids
    assert [job.id for job in listed(engine)] == ids[::-1]
    assert listed(engine, [JobState.QUEUED]) == []


def test_nothing_is_done_when_nothing_waits(engine: Engine) -> None:
    assert do_next(engine, {"ingest": nothing}, NEVER) is None


def test_progress_is_written_while_the_work_goes_on(engine: Engine) -> None:
    seen: list[Job] = []

    def work(job: Job, progress: Progress) -> str:
        progress(3, 12, "第三份")
        seen.append(get(engine, job.id))
        return ""

    queued(engine)
    do_next(engine, {"ingest": work}, NEVER)
    assert (seen[0].state, seen[0].progress, seen[0].message) == (JobState.RUNNING, 0.25, "第三份")


@pytest.mark.parametrize(("kind", "work", "said"), [("ingest", refused, "磁盘已满"), ("其他", nothing, "不认识")])
def test_a_job_that_cannot_be_done_fails_with_the_reason(engine: Engine, kind: str, work: Work, said: str) -> None:
    queued(engine, kind)
    failed = do_next(engine, {"ingest": work}, NEVER)
    assert failed is not None
    assert failed.state is JobState.FAILED
    assert said in failed.message


def test_a_queued_job_is_cancelled_at_once(engine: Engine) -> None:
    job = queued(engine)
    assert cancel(engine, job.id, who="李明").state is JobState.CANCELLED
    assert do_next(engine, {"ingest": nothing}, NEVER) is None
    assert actions(engine) == ["job add", "job cancel"]


def test_a_running_job_is_cancelled_when_it_tells_how_far_it_is(engine: Engine) -> None:
    def work(job: Job, progress: Progress) -> str:
        assert cancel(engine, job.id, who="李明").state is JobState.RUNNING
        progress(1, 2)
        return "never"

    queued(engine)
    ended = do_next(engine, {"ingest": work}, NEVER)
    assert ended is not None
    assert ended.state is JobState.CANCELLED


def test_what_has_ended_or_is_not_there_cannot_be_cancelled(engine: Engine) -> None:
    job = queued(engine)
    do_next(engine, {"ingest": nothing}, NEVER)
    with pytest.raises(PolicyDeskError, match="已经结束"):
        cancel(engine, job.id, who="李明")
    with pytest.raises(NotFound, match="policydesk jobs list"):
        cancel(engine, 99, who="李明")


def test_a_job_whose_process_ends_is_queued_again_and_loses_no_try(engine: Engine) -> None:
    ended = threading.Event()

    def work(job: Job, progress: Progress) -> str:
        ended.set()
        progress(1, 2)
        return "never"

    queued(engine)
    left = do_next(engine, {"ingest": work}, ended)
    assert left is not None
    assert (left.state, left.attempts) == (JobState.QUEUED, 0)


def test_a_job_that_was_running_when_its_process_died_is_queued_again(engine: Engine) -> None:
    job = queued(engine)
    died_with(engine, job)
    assert [one.state for one in requeue_interrupted(engine)] == [JobState.QUEUED]
    done = do_next(engine, {"ingest": nothing}, NEVER)
    assert done is not None
    assert (done.state, done.attempts) == (JobState.DONE, 2)


def test_a_job_that_takes_three_processes_with_it_is_given_up(engine: Engine) -> None:
    job = queued(engine)
    for _ in range(3):
        died_with(engine, job)
        requeue_interrupted(engine)
    assert get(engine, job.id).state is JobState.FAILED


def test_a_job_whose_own_process_died_is_tried_three_times(engine: Engine) -> None:
    job = queued(engine)
    states = [ended.state for _ in range(3) if (ended := do_next(engine, {"ingest": lost}, NEVER))]
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert get(engine, job.id).attempts == 3


def test_a_job_that_was_to_be_cancelled_when_its_process_died_is(engine: Engine) -> None:
    job = queued(engine)
    died_with(engine, job)
    cancel(engine, job.id, who="李明")
    assert [one.state for one in requeue_interrupted(engine)] == [JobState.CANCELLED]


def test_what_is_queued_while_the_thread_waits_is_done(engine: Engine) -> None:
    ended, done = threading.Event(), threading.Event()
    asked = (engine, {"ingest": nothing}, ended, lambda _: done.set())
    thread = threading.Thread(target=do_for_ever, args=asked)
    thread.start()
    queued(engine)
    assert done.wait(10)
    ended.set()
    thread.join(10)
    assert not thread.is_alive()
