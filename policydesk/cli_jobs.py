"""The verbs of ``policydesk jobs``: queueing and looking touch the database only, beside a process that serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, read_config, write_lines

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from kb.upkeep.jobs import Job

jobs_app = typer.Typer(help="长任务：排队、进度、取消；由 serve 或 jobs run 依次执行。", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(help="任务编号，见 policydesk jobs list")]
_STATES = {"queued": "排队", "running": "进行中", "done": "完成", "failed": "失败", "cancelled": "已取消"}


class Kind(StrEnum):
    """Kinds that `policydesk.job_runner.works` does."""

    INGEST = "ingest"
    REINDEX = "reindex"
    GAPS = "gaps"


@jobs_app.command("add")
def jobs_add(
    kind: Annotated[Kind, typer.Argument(help="种类")],
    paths: Annotated[list[Path] | None, typer.Argument(help="ingest 的文件或文件夹")] = None,
    publish: Annotated[bool, typer.Option("--publish/--draft", help="ingest：直接发布，或存为草稿")] = True,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """排入一项任务；正在运行的 serve 会执行它，否则用 jobs run。"""
    from ingest.read import find_files
    from kb.upkeep.jobs import add

    arguments: dict[str, object] = {}
    if kind is Kind.INGEST:
        if not paths:
            raise typer.BadParameter("请给出要入库的文件或文件夹")
        find_files(paths)           # a path that is not there is told now
        arguments = {"paths": [str(path.resolve()) for path in paths], "publish": publish}
    elif paths:
        raise typer.BadParameter(f"{kind} 不带文件")
    with _database(config, home) as engine:
        job = add(engine, kind, arguments, who=by)
    _show(job, as_json=as_json)


@jobs_app.command("list")
def jobs_list(
    waiting: Annotated[bool, typer.Option("--waiting", help="只列排队和进行中的")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="至多列出几项")] = 20,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出任务，新的在前。"""
    from kb.upkeep.jobs import WAITING, JobState, listed

    with _database(config, home) as engine:
        found = listed(engine, WAITING if waiting else tuple(JobState), limit=limit)
    for job in found:
        _show(job, as_json=as_json)


@jobs_app.command("show")
def jobs_show(job: JobId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """显示一项任务的全部内容。"""
    from kb.upkeep.jobs import get
    from policydesk.batch import to_line

    with _database(config, home) as engine:
        found = get(engine, job)
    fields = {**asdict(found), "progress": round(found.progress, 3)}
    write_lines(None, [to_line(fields)] if as_json else (f"{name}: {value}" for name, value in fields.items()))


@jobs_app.command("cancel")
def jobs_cancel(
    job: JobId, by: By = "", home: Home = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """取消一项任务：排队的立即取消，进行中的做完手上的一步后停下，已入库的保留。"""
    from kb.upkeep.jobs import cancel

    with _database(config, home) as engine:
        _show(cancel(engine, job, who=by), as_json=as_json)


@jobs_app.command("run")
def jobs_run(home: Home = None, config: ConfigFile = None) -> None:
    """没有 serve 时，在前台依次执行排队的任务，直到没有为止；有任务失败时以 1 结束。"""
    from kb.upkeep.jobs import JobState
    from policydesk.job_runner import do_queued, told

    ended: list[Job] = []

    def on_end(job: Job) -> None:
        ended.append(job)
        typer.echo(told(job), err=True)

    with opened_desk(config, home, as_made=True) as desk:
        do_queued(desk, on_end)
    if any(job.state is JobState.FAILED for job in ended):
        raise typer.Exit(1)


@contextmanager
def _database(config: Path | None, home: Path | None) -> Iterator[Engine]:
    """Without the home, which another process may hold."""
    from policydesk.app import database_url, looked_at

    settings = read_config(config)
    folder = home or settings.home
    if not settings.storage.database:
        folder.mkdir(parents=True, exist_ok=True)
    with looked_at(database_url(settings, folder)) as engine:
        yield engine


def _show(job: Job, *, as_json: bool) -> None:
    from policydesk.batch import to_line

    if as_json:
        write_lines(None, [to_line({**asdict(job), "progress": round(job.progress, 3)})])
        return
    asked = job.cancel_requested and job.state == "running"
    state = f"{_STATES[job.state]} {job.progress:.0%}" if job.state == "running" else _STATES[job.state]
    line = f"{job.id}  {job.kind}  {state}{'（等待取消）' if asked else ''}  {job.who}  {job.message}"
    write_lines(None, [line.rstrip()])
