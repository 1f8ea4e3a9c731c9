"""What each kind of job does, and the thread of a serving desk that does them one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kb.upkeep.jobs import Job, JobState, Progress, Work, do_all, do_for_ever, requeue_interrupted
from policydesk.app import Desk

OnEnd = Callable[[Job], None]
_LOOKS_EVERY = 1.0           # seconds between two looks whether the index is as it should be
_ENDED = {JobState.DONE: "完成", JobState.FAILED: "失败", JobState.CANCELLED: "已取消", JobState.QUEUED: "等待继续"}


def works(desk: Desk, *, beside: bool) -> Mapping[str, Work]:
    """A line for each kind of job; with ``beside`` the desk goes on answering meanwhile."""
    return {
        "ingest": partial(_ingest_beside if beside else _ingest, desk),
        "reindex": partial(_reindex, desk),
        "gaps": partial(_mine_gaps, desk),
    }


def do_queued(desk: Desk, on_end: OnEnd) -> None:
    """Whatever is queued, in this thread."""
    engine = desk.base.steps.engine
    requeue_interrupted(engine)
    do_all(engine, works(desk, beside=False), threading.Event(), on_end)


@contextmanager
def doing_jobs(desk: Desk, on_end: OnEnd) -> Iterator[None]:
    """Does what is queued in another thread; what is not done at the end waits for the next time."""
    ended = threading.Event()
    asked = (desk.base.steps.engine, works(desk, beside=True), ended, on_end)
    thread = threading.Thread(target=do_for_ever, args=asked, name="jobs")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def told(job: Job) -> str:
    """One line on how a job ended."""
    return f"任务 {job.id}（{job.kind}）{_ENDED.get(job.state, job.state)}：{job.message}"


def _ingest(desk: Desk, job: Job, progress: Progress) -> str:
    from ingest.read import find_files
    from policydesk.ingest_report import report_lines, write_report

    paths = _paths(job)
    total, done = sum(file.stat().st_size for file in find_files(paths)), 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total, "入库")

    report = desk.ingest(paths, publish=_publish(job), on_bytes=on_bytes, who=job.who)
    written = write_report(report, desk.index_settings.home)
    return f"{next(iter(report_lines(report)))}；逐个文件的结果在 {written}"


def _ingest_beside(desk: Desk, job: Job, progress: Progress) -> str:
    from policydesk.ingest_beside import can_ingest_beside, fits, ingest_beside

    while not fits(desk):                # ``serve --reindex`` is making the index that it should be
        progress(0, 0, "等待索引重建完成")
        time.sleep(_LOOKS_EVERY)
    if not can_ingest_beside(desk.config):
        return _ingest(desk, job, progress)
    return ingest_beside(desk, _paths(job), publish=_publish(job), who=job.who, on_step=progress)


def _reindex(desk: Desk, job: Job, progress: Progress) -> str:
    from policydesk.cli_index import reindexed_line

    return reindexed_line(desk.reindex(lambda there, wanted: progress(there, wanted, "重建索引")))


def _mine_gaps(desk: Desk, job: Job, progress: Progress) -> str:
    from policydesk.gap_work import mine_gaps, mined_line

    progress(0, 0, "归并没答好的问题")
    return mined_line(mine_gaps(desk, job.who, since=None, owner=None))


def _paths(job: Job) -> list[Path]:
    paths = job.arguments["paths"]
    assert isinstance(paths, list)
    return [Path(path) for path in paths]


def _publish(job: Job) -> bool:
    return bool(job.arguments.get("publish", True))
