"""``policydesk doctor``, ``backup`` and ``restore``: what keeps a home sound and safe."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policydesk.options import AsJson, By, ConfigFile, Home, read_config, write_lines

if TYPE_CHECKING:
    from kb.upkeep.doctor_findings import Finding

_SHOWN = 20                  # findings of one kind; --json gives all


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="修复能修复的；检查全部文件")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="检查全部文件，而不是抽查 200 份")] = False,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检查数据库、索引、引用关系和文件记录是否一致；--repair 修复。没有问题时以 0 结束。"""
    from kb.upkeep.doctor import examine, sound
    from kb.upkeep.doctor import repair as put_right
    from policydesk.batch import to_line
    from policydesk.ops import open_case

    with _progress("检查") as on_step, open_case(read_config(config), home, on_step, repair=repair) as case:
        found = examine(case, deep=deep or repair)
        left = put_right(case, found, by) if repair and found else found
    if as_json:
        kept = {(one.code, one.place) for one in left}
        lines = (to_line({**asdict(one), "repaired": (one.code, one.place) not in kept}) for one in found)
        write_lines(None, lines)
    else:
        write_lines(None, _lines(found))
    typer.echo(_summary(found, left, repaired=repair), err=True)
    if not sound(left):
        raise typer.Exit(1)


def backup(
    target: Annotated[Path, typer.Argument(help="写成这个 .tar.zst、.tar.gz 文件，或不带扩展名的目录")],
    index: Annotated[bool, typer.Option("--index", help="连同索引：恢复更快，检索结果逐条相同；须先停止服务")] = False,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """备份整个知识库；服务运行时也可以备份。"""
    from policydesk.batch import to_line
    from policydesk.ops import back_up

    started = time.perf_counter()
    manifest = back_up(read_config(config), home, target, with_index=index)
    if as_json:
        write_lines(None, [to_line(asdict(manifest))])
    told = f"{manifest.rows.get('documents', 0)} 份文件，共 {sum(manifest.rows.values())} 行"
    typer.echo(f"已备份到 {target}：{told}，用时 {time.perf_counter() - started:.1f} 秒", err=True)


def restore(
    source: Annotated[Path, typer.Argument(help="policydesk backup 写成的文件或目录")],
    check: Annotated[bool, typer.Option("--check", help="只核对备份是否完好，不恢复")] = False,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """把备份恢复到一个空的目录；恢复完成之前目录不出现。"""
    from kb.upkeep.backup_files import verify
    from policydesk.batch import to_line
    from policydesk.ops import restore_home

    if check:
        verify(source)
        typer.echo(f"{source} 完好", err=True)
        return
    started = time.perf_counter()
    settings = read_config(config)
    done = restore_home(settings, source, home or settings.home, by)
    if as_json:
        write_lines(None, [to_line(asdict(done))])
    took = time.perf_counter() - started
    told = f"{done.documents} 份已发布的文件，{done.articles} 条，{done.chunks} 个索引条目，用时 {took:.1f} 秒"
    typer.echo(f"已恢复到 {home or settings.home}：{told}", err=True)


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    count = Counter(one.code for one in found)
    told: Counter[str] = Counter()
    for one in found:
        told[one.code] += 1
        if told[one.code] <= _SHOWN:
            repair = one.repair or "不能自动修复，请从备份恢复"
            yield f"{'提示' if one.note else '问题'} [{one.code}] {one.problem}。修复：{repair}"
        elif told[one.code] == _SHOWN + 1:
            yield f"     [{one.code}] 共 {count[one.code]} 处，其余用 --json 查看"


def _summary(found: Sequence[Finding], left: Sequence[Finding], *, repaired: bool) -> str:
    problems, open_ = _problems(found), _problems(left)
    if not problems:
        return "没有发现问题"
    if not repaired:
        return f"发现 {problems} 处问题。用 policydesk doctor --repair 修复"
    return f"发现 {problems} 处问题，已修复 {problems - open_} 处" + (f"，还剩 {open_} 处" if open_ else "")


def _problems(found: Iterable[Finding]) -> int:
    return sum(not one.note for one in found)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, once there is something to count."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("", total=None)

    def on_step(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield on_step
    finally:
        bar.stop()
