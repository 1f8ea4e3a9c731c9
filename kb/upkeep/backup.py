"""A backup of a home: its tables as lines of JSON, read in one transaction, and the files beside them.

It is made while the home is in use, by another process too, and holds what one commit left: documents on their way to
being published are what they were before. Tables say nothing of their database, so SQLite and PostgreSQL restore each
other's. Vectors follow from the tables and are made again when it is restored (148,868 chunks: 90 s of processor time,
and 46 MB instead of some hundreds). In a large index neighbours are searched for in a graph, so one that is made again
may order what comes late otherwise: the first hit was the same for 50 of 50 questions, all ten for 37. Where that
matters, the index of a home that nobody uses is copied, too.
"""

from __future__ import annotations

import base64
import errno
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, select
from sqlalchemy import text as sql

from core.errors import PolicyDeskError, StorageFull
from kb import catalogue
from kb.database import open_unchanged
from kb.log.audit import newest, utc_now
from kb.upkeep.backup_files import pack, sha256_of

FORMAT = 1
MANIFEST = "manifest.json"
TABLES, FILES, INDEX = "tables", "files", "index"
_SKIPPED = ("policydesk.db", "vectors", "lock", "reserve")   # beginnings of names that are not copied from a home
_ENDINGS = (".partial", ".new", ".restoring")
_ROWS = 2_000                # read at once
_ROOM = 1.3                  # of the database's size has to be free: its texts are longer as JSON, but not its indexes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; checked against it when restored."""

    format: int
    made_at: str                 # UTC
    program: str                 # version
    schema: str                  # revision of the tables
    database: str                # sqlite, postgresql
    rows: dict[str, int]         # by table
    commits: int                 # of publishing and withdrawing
    audit_seq: int               # the newest row of the log; 0: none
    audit_hash: str
    index: dict[str, str]        # what the copied index was made with; empty: there is none
    members: dict[str, str]      # sha256 by name


@dataclass(frozen=True, slots=True)
class CopiedIndex:
    """An index in a folder."""

    folder: Path
    made_with: dict[str, str]


def write_backup(
    home: Path, database: str, target: Path, *, program: str, index: CopiedIndex | None, min_free_mb: int
) -> Manifest:
    """Make ``target``, which is not there yet: a folder, .tar.gz or .tar.zst. The home may be in use meanwhile.

    ``index`` is copied, too; nobody may have it open. Raises `StorageFull` where it does not fit, and leaves nothing
    behind then.
    """
    if target.exists():
        raise PolicyDeskError(f"{target} 已经存在。请换一个文件名，或先移走它")
    work = target.with_name(f"{target.name}.partial.d")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(work, ignore_errors=True)      # of a backup that was killed
        _check_room(home, target.parent, min_free_mb)
        (work / TABLES).mkdir(parents=True)
        # Files first: a checkpoint of the log must not name a row that the tables do not have yet.
        _copy_files(home, work / FILES)
        if index is not None:
            shutil.copytree(index.folder, work / INDEX)
        manifest = _write_tables(database, work, program, index.made_with if index else {})
        pack(work, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"{target} 所在磁盘已满，没有写成备份；知识库不受影响。请清理磁盘或换一个位置") from error
        raise PolicyDeskError(f"写不了备份 {target}：{error.strerror}。请检查目录是否可写") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        target.with_name(f"{target.name}.partial").unlink(missing_ok=True)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Of an unpacked backup, each of whose members is compared with it."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, TypeError, json.JSONDecodeError) as error:
        raise PolicyDeskError(f"{folder} 中没有可读的 {MANIFEST}：不是 PolicyDesk 的备份") from error
    if manifest.format > FORMAT:
        raise PolicyDeskError(f"备份的格式是 {manifest.format}，这个程序只认识到 {FORMAT}。请升级 PolicyDesk")
    for name, digest in manifest.members.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise PolicyDeskError(f"备份中的 {name} 与清单不符。没有恢复任何内容；请改用另一份备份")
    return manifest


def _check_room(home: Path, folder: Path, min_free_mb: int) -> None:
    """On the disk of the home there must be left what the home needs."""
    file = home / "policydesk.db"
    needed = int(_ROOM * file.stat().st_size) if file.exists() else 0
    if folder.stat().st_dev == home.stat().st_dev:
        needed += min_free_mb * 1_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFull(
            f"{folder} 所在磁盘只剩 {free // 1_000_000} MB，备份约需 {needed // 1_000_000} MB。"
            "没有写入任何内容；请清理磁盘或换一个位置"
        )


def _copy_files(home: Path, folder: Path) -> None:
    """Reports, checkpoints of the log and whatever else somebody keeps in the home."""
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if path.is_file() and not name.parts[0].startswith(_SKIPPED) and not name.name.endswith(_ENDINGS):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)


def _write_tables(database: str, work: Path, program: str, index: dict[str, str]) -> Manifest:
    with _snapshot(database) as connection:
        tables = reflected(connection)
        version = connection.scalar(sql("SELECT version_num FROM alembic_version"))
        rows = {table.name: _write_table(connection, table, work / TABLES) for table in tables}
        place = newest(connection) if "audit" in rows else None
        commits = catalogue.commits(connection) if "counters" in rows else 0
    members = {path.relative_to(work).as_posix(): sha256_of(path) for path in sorted(work.rglob("*")) if path.is_file()}
    manifest = Manifest(
        FORMAT, utc_now().isoformat(timespec="seconds"), program, str(version), connection.dialect.name, rows,
        commits, place.seq if place else 0, place.hash if place else "", index, members,
    )
    (work / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


@contextmanager
def _snapshot(database: str) -> Iterator[Connection]:
    """What the last commit left, until the end, while others go on writing."""
    engine = open_unchanged(database)
    try:
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA query_only = ON")
                connection.exec_driver_sql("BEGIN")      # without it every query would see another state
                yield connection
                connection.rollback()
        else:
            with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                yield connection
    finally:
        engine.dispose()


def reflected(connection: Connection) -> list[Table]:
    """The tables as they are, parents before children, whatever revision they have."""
    there = MetaData()
    there.reflect(connection, only=lambda name, _: name != "alembic_version")
    return there.sorted_tables


def _write_table(connection: Connection, table: Table, folder: Path) -> int:
    """One line with the names of the columns, then a line for each row; how many."""
    count = 0
    with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
        file.write(_line([column.name for column in table.columns]))
        rows = connection.execution_options(yield_per=_ROWS).execute(select(table).order_by(*table.primary_key))
        for row in rows:
            file.write(_line([_packed(value) for value in row]))
            count += 1
    return count


def _line(values: Sequence[object]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def _packed(value: object) -> object:
    """Dates as ISO, bytes as base64; the type of the column says which they are."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def read_rows(path: Path, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in portions, as its columns want them."""
    with path.open(encoding="utf-8") as file:
        names = json.loads(file.readline())
        unpack = [_UNPACK.get(table.c[name].type.python_type) for name in names]
        batch = []
        for line in file:
            values = json.loads(line)
            batch.append({
                name: made(value) if made and value is not None else value
                for name, made, value in zip(names, unpack, values, strict=True)
            })
            if len(batch) == _ROWS:
                yield batch
                batch = []
        if batch:
            yield batch


_UNPACK: Mapping[type, Any] = {
    date: date.fromisoformat, datetime: datetime.fromisoformat, bytes: base64.b64decode, bool: bool,
}


def count_rows(connection: Connection, tables: Sequence[Table]) -> dict[str, int]:
    return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
