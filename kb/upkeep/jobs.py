"""Long work as rows of a table: queued by anybody, done one at a time by the process that holds the home.

A job that was running when its process died is queued again by the next process and done once more, by work that knows
what it has stored already; one that took three processes with it is given up. Cancelling is a wish: the work notices
it between two of its durable steps. What a job does is a function that is handed in; nothing here knows of documents.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, Row, insert, select, update
from sqlalchemy.exc import DBAPIError

from core.errors import NotFound, PolicyDeskError
from kb.log.audit import Detail, record, utc_now
from kb.schema import jobs

_ATTEMPTS = 3                # processes that may die while they do a job
_WRITTEN_EVERY = 1.0         # seconds between two rows of progress: each is a commit that reaches the disk
_LOOKS_EVERY = 1.0           # seconds between two looks at the queue: 0.2 ms each


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


WAITING = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One row; times are UTC."""

    id: int
    kind: str
    arguments: Detail
    state: JobState
    done: int                    # of ``total``, in whatever the work counts; both 0 before it has counted
    total: int
    message: str                 # what it is doing; at the end what it did, or why not
    who: str
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    attempts: int                # processes that died while they did it, and the one that does it now

    @property
    def progress(self) -> float:
        """0 to 1."""
        if self.state is JobState.DONE:
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0


class Stopped(PolicyDeskError):
    """Raised in the middle of a job's work: its process ends, or somebody cancelled it."""


class Lost(PolicyDeskError):
    """The work was done by a process of its own, and that died."""


class Progress:
    """What a job's work tells, and how it learns that it has to stop. Called by one thread at a time."""

    def __init__(self, engine: Engine, job_id: int, ended: threading.Event) -> None:
        self._engine = engine
        self._id = job_id
        self._ended = ended
        self._written = 0.0

    def __call__(self, done: int, total: int, message: str = "") -> None:
        """Raises `Stopped` when the work has to stop. Between two durable steps, as often as is convenient."""
        if self._ended.is_set():
            raise Stopped("服务已结束")
        if time.monotonic() - self._written < _WRITTEN_EVERY:
            return
        self._written = time.monotonic()
        with self._engine.begin() as connection:
            values = {"done": done, "total": total, "message": message, "heartbeat_at": utc_now()}
            connection.execute(update(jobs).where(jobs.c.id == self._id).values(values))
            cancelled = connection.scalar(select(jobs.c.cancel_requested).where(jobs.c.id == self._id))
        if cancelled:
            raise Stopped("已按要求取消")


Work = Callable[[Job, Progress], str]
"""Does a job and returns what to tell of it. Its `PolicyDeskError` is why the job failed."""


# by anybody who has the database


def add(engine: Engine, kind: str, arguments: Detail, *, who: str) -> Job:
    """Queue a job; it is done after those that wait already."""
    now = utc_now()
    values = {
        "kind": kind, "arguments": json.dumps(dict(arguments), ensure_ascii=False), "state": JobState.QUEUED,
        "who": who, "created_at": now, "cancel_requested": False,
    }

    with engine.begin() as connection:
        made = connection.execute(insert(jobs).values(values)).inserted_primary_key
        assert made is not None
        record(connection, who, "job add", str(made[0]), {"kind": kind, **arguments})
    return get(engine, made[0])


def listed(engine: Engine, states: Collection[JobState] = tuple(JobState), *, limit: int = 50) -> list[Job]:
    """The newest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(jobs).where(jobs.c.state.in_(list(states))).order_by(jobs.c.id.desc()).limit(limit)
        )
        return [_job(row) for row in rows]


def get(engine: Engine, job_id: int) -> Job:
    """Raises `NotFound`."""
    with engine.connect() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise NotFound(f"没有编号为 {job_id} 的任务。用 policydesk jobs list 查看编号")
    return _job(row)


def cancel(engine: Engine, job_id: int, *, who: str) -> Job:
    """A queued job is cancelled at once, a running one at its next durable step. Raises when it has ended already."""
    get(engine, job_id)
    mine = jobs.c.id == job_id
    ended = {"state": JobState.CANCELLED, "finished_at": utc_now(), "message": "开始前已取消"}
    with engine.begin() as connection:
        changed = connection.execute(update(jobs).where(mine, jobs.c.state == JobState.QUEUED).values(ended)).rowcount
        if not changed:
            running = update(jobs).where(mine, jobs.c.state == JobState.RUNNING).values(cancel_requested=True)
            changed = connection.execute(running).rowcount
        if changed:
            record(connection, who, "job cancel", str(job_id), {})
    if not changed:
        raise PolicyDeskError(f"任务 {job_id} 已经结束，不能取消。用 policydesk jobs show {job_id} 查看结果")
    return get(engine, job_id)


# by the process that holds the home


def requeue_interrupted(engine: Engine) -> list[Job]:
    """Jobs that a process left running when it died, as they stand now: queued again, or ended."""
    interrupted = listed(engine, [JobState.RUNNING])
    for job in interrupted:
        _begin_again(engine, job, "执行它的进程中断了")
    return [get(engine, job.id) for job in interrupted]


def do_next(engine: Engine, works: Mapping[str, Work], ended: threading.Event) -> Job | None:
    """Do the job that has waited longest, and return how it ended; None when there is none.

    One whose process ends is queued again. Any other exception than `PolicyDeskError` fails it and is raised.
    """
    job = _begin(engine)
    if job is None:
        return None
    work = works.get(job.kind)
    if work is None:
        _finish(engine, job, JobState.FAILED, f"不认识的任务种类 {job.kind}，可用的有 {'、'.join(sorted(works))}")
        return get(engine, job.id)
    whole = False
    try:
        told = work(job, Progress(engine, job.id, ended))
        whole = True
        _finish(engine, job, JobState.DONE, told)
    except Stopped as stopped:
        whole = True
        if get(engine, job.id).cancel_requested:
            _finish(engine, job, JobState.CANCELLED, str(stopped))
        else:
            _put_back(engine, job.id, job.attempts - 1)      # nobody was lost with it
    except Lost as lost:
        whole = True
        _begin_again(engine, get(engine, job.id), str(lost))
    except PolicyDeskError as error:
        whole = True
        _finish(engine, job, JobState.FAILED, str(error))
    finally:
        if not whole:
            _finish(engine, job, JobState.FAILED, "程序出错，请查看服务的日志")
    return get(engine, job.id)


def do_all(engine: Engine, works: Mapping[str, Work], ended: threading.Event, on_end: Callable[[Job], None]) -> None:
    """Until the queue is empty, or ``ended`` is set."""
    while not ended.is_set() and (job := do_next(engine, works, ended)) is not None:
        on_end(job)


def do_for_ever(
    engine: Engine, works: Mapping[str, Work], ended: threading.Event, on_end: Callable[[Job], None]
) -> None:
    """Whatever is queued, until ``ended`` is set; also after a moment in which the database did not answer."""
    while not ended.is_set():
        with suppress(DBAPIError):
            requeue_interrupted(engine)
            do_all(engine, works, ended, on_end)
        ended.wait(_LOOKS_EVERY)


def _begin(engine: Engine) -> Job | None:
    with engine.connect() as connection:
        first = select(jobs.c.id).where(jobs.c.state == JobState.QUEUED).order_by(jobs.c.id).limit(1)
        job_id = connection.scalar(first)
    if job_id is None:
        return None
    now = utc_now()
    begun = update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
    begun = begun.values(state=JobState.RUNNING, started_at=now, heartbeat_at=now, attempts=jobs.c.attempts + 1)
    with engine.begin() as connection:
        taken = connection.execute(begun).rowcount
    return get(engine, job_id) if taken else None      # cancelled since the look: the next look finds another one


def _begin_again(engine: Engine, job: Job, why: str) -> None:
    """It goes on later, unless that is not wanted any more or was tried too often."""
    if job.cancel_requested:
        _finish(engine, job, JobState.CANCELLED, f"{why}，此前已要求取消")
    elif job.attempts >= _ATTEMPTS:
        _finish(engine, job, JobState.FAILED, f"{why}，已有 {job.attempts} 次，不再重试")
    else:
        _put_back(engine, job.id, job.attempts)


def _put_back(engine: Engine, job_id: int, attempts: int) -> None:
    waiting = {"state": JobState.QUEUED, "message": "等待继续", "attempts": attempts}
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(waiting))


def _finish(engine: Engine, job: Job, state: JobState, message: str) -> None:
    values: dict[str, object] = {"state": state, "message": message, "finished_at": utc_now()}
    if state is JobState.DONE:
        values["done"] = jobs.c.total
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))
        record(connection, job.who, f"job {state}", str(job.id), {"kind": job.kind, "message": message})


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        row.id, row.kind, json.loads(row.arguments), JobState(row.state), row.done, row.total, row.message, row.who,
        row.created_at, row.started_at, row.heartbeat_at, row.finished_at, row.cancel_requested, row.attempts,
    )
