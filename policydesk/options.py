"""Options that many verbs share, and how a verb gets its configuration and its desk."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError, PolicyDeskError
from core.records import Role
from core.regions import region_chain

if TYPE_CHECKING:
    from core.config import Config
    from policydesk.app import Desk


def parse_date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"“{value}”不是日期，应如 2024-05-01") from error


def _moment(value: str) -> datetime:
    """A local time, as UTC without a zone."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"“{value}”不是时间，应如 2024-05-01 或 2024-05-01T17:30") from error
    if "T" not in value and " " not in value:
        moment = datetime.combine(moment.date(), time.max)
    return moment.astimezone(UTC).replace(tzinfo=None)


def _region(value: str) -> str:
    try:
        region_chain(value)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    return value


def _operator(value: str) -> str:
    return value or getpass.getuser()


Home = Annotated[Path | None, typer.Option("--home", help="状态目录；缺省取配置中的 home")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="叠加在自带 config.yaml 之上的配置文件")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
Region = Annotated[str | None, typer.Option("--region", parser=_region, help="提问人所在地的 6 位区划代码")]
National = Annotated[bool, typer.Option("--national", help="只查全国性规定")]
AsOf = Annotated[date | None, typer.Option("--as-of", parser=parse_date, help="所问日期，缺省为今天，如 2024-05-01")]
KnownAt = Annotated[
    datetime | None,
    typer.Option("--known-at", parser=_moment, help="只按那时已发布的文件，如 2024-05-01 或 2024-05-01T17:30"),
]
Batch = Annotated[Path | None, typer.Option("--batch", help="JSON Lines 问题文件，每行含 id 与 question")]
Asked = Annotated[str | None, typer.Argument(help="问题")]
Before = Annotated[list[str] | None, typer.Option("--before", help="之前问过的话，可多次给出，先问的在前")]
AsRole = Annotated[Role, typer.Option("--role", help="提问身份：agent 坐席，citizen 市民（只看公开文件）")]
By = Annotated[str, typer.Option("--by", callback=_operator, help="由谁操作，记入审计；缺省为登录名")]
BenchPaths = Annotated[list[Path] | None, typer.Argument(help="先入库这些文件并计时；--home 须为空目录")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=0, help="读取和切词的子进程数，缺省取 ingest.workers")
]
Questions = Annotated[Path, typer.Option("--questions", help="标注问题文件（JSON Lines，可为 .gz）")]


def read_config(path: Path | None) -> Config:
    from core.config import load_config

    return load_config(path)


@contextmanager
def opened_desk(
    config: Path | None, home: Path | None, *, workers: int | None = None, as_made: bool = False
) -> Iterator[Desk]:
    from policydesk.app import open_desk

    settings = read_config(config)
    if workers is not None:
        settings = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"workers": workers})})
    with open_desk(settings, home, as_made=as_made) as desk:
        if settings.index.embedder == "auto":
            typer.echo(f"index.embedder = auto：{desk.chosen[0]}", err=True)
        yield desk


def write_lines(path: Path | None, lines: Iterable[str]) -> None:
    """To a file that is written whole or not at all, or to stdout."""
    if path is None:
        for line in lines:
            typer.echo(line)
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        partial.replace(path)
    except OSError as error:
        raise PolicyDeskError(f"写不了 {path}：{error.strerror}。请检查目录是否存在、是否可写") from error
    finally:
        if partial.is_file():  # the lines broke off
            partial.unlink()
