"""``policydesk reindex``, and the same beside a running console: another index, as the configuration wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from core.errors import PolicyDeskError
from policydesk.options import ConfigFile, Home, read_config

if TYPE_CHECKING:
    from kb.reindex import Reindexed
    from policydesk.app import Desk


def reindex(home: Home = None, config: ConfigFile = None) -> None:
    """按现在的配置（index.*）重建索引：不需要原文件；旧索引在新的完成之前一直有效，中断后再次运行会接着做。"""
    from policydesk.app import reindex_home

    settings = read_config(config)
    with _progress() as on_step:
        done = reindex_home(settings, home, on_step)
    typer.echo(reindexed_line(done), err=True)


@contextmanager
def reindexing(desk: Desk) -> Iterator[None]:
    """Makes the index anew in another thread; what is not done at the end is left to the next run."""
    ended = threading.Event()

    def work() -> None:
        try:
            typer.echo(reindexed_line(desk.reindex(every_tenth(ended))), err=True)
        except PolicyDeskError as error:
            typer.echo(f"索引没有重建完，下次接着做：{error}", err=True)

    thread = threading.Thread(target=work, name="reindex")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def every_tenth(ended: threading.Event) -> Callable[[int, int], None]:
    """Tells each tenth that is done; stops the work when the console ends."""
    told = 0

    def on_step(there: int, wanted: int) -> None:
        nonlocal told
        if ended.is_set():
            raise PolicyDeskError("服务已结束")
        tenth = 10 * there // max(1, wanted)
        if tenth > told:
            told = tenth
            typer.echo(f"重建索引：{there}/{wanted}", err=True)

    return on_step


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr over the points of the new index, once there is something to do."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("重建索引"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("", total=None)

    def on_step(there: int, wanted: int) -> None:
        bar.start()
        bar.update(task, completed=there, total=wanted)

    try:
        yield on_step
    finally:
        bar.stop()


def reindexed_line(done: Reindexed | None) -> str:
    """What is said at the end."""
    if done is None:
        return "索引已经是按现在的配置建立的，不用重建"
    before = done.points - done.written
    went_on = f"（其中 {before} 个是上次中断前写好的）" if before > 0 else ""
    return f"索引已重建并启用：{done.points} 个条目{went_on}，用时 {done.seconds:.1f} 秒"
