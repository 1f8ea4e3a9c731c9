"""A home from a backup: made beside its place, and moved there once it is whole.

Whatever ends it halfway leaves a folder beside the place, which the next try removes; a database on a server is
filled in one transaction with a mark in it, by which the next try knows that it may be emptied.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, case, delete, insert, select, update
from sqlalchemy import text as sql

from core.errors import BackendUnavailable, PolicyDeskError
from core.records import State
from kb import catalogue, lookup, validity
from kb.database import migrate, open_unchanged
from kb.home import check_free_space
from kb.index import Index, IndexSettings
from kb.log.audit import record
from kb.schema import documents, index_facts, metadata, next_points
from kb.steps import Steps
from kb.store import store_folder
from kb.upkeep.backup import FILES, INDEX, TABLES, Manifest, count_rows, read_manifest, read_rows, reflected
from kb.upkeep.backup_files import unpack, verify
from kb.upkeep.doctor_index import point_findings, wanted_points

_MARK = "restoring"          # key in index_facts
_ID = "restoring.id"
_POINT_BYTES = 5_000         # of the index, for each chunk
_ROWS_TIMES = 2              # as large as its lines of JSON are the tables with their indexes
_OWN = ("index_facts", "next_points", "audit", "counters")       # tables that a restore or its opening writes to


@dataclass(frozen=True, slots=True)
class Restored:
    """What came out of a backup."""

    manifest: Manifest
    documents: int               # published
    articles: int
    chunks: int


class Restoring:
    """One restore, step by step: `unpacked`, `load`, `finish` while the home at `staging` is open, `move`."""

    def __init__(self, source: Path, home: Path) -> None:
        """Raises `PolicyDeskError` for a home that holds something, and for a backup of which a byte was changed."""
        if home.exists() and (not home.is_dir() or any(home.iterdir())):
            raise PolicyDeskError(f"{home} 不是空目录。恢复只写入空的或还不存在的目录，请用 --home 指定")
        verify(source)
        self._source = source
        self._home = home.resolve()
        self.work = self._home.with_name(f"{self._home.name}.restoring")     # to be held, as a home is
        self.staging = self.work / "home"

    def unpacked(self, min_free_mb: int) -> Manifest:
        """What the backup says of itself, and its files in their place."""
        earlier = self.work / _ID
        mark = earlier.read_text(encoding="utf-8") if earlier.is_file() else uuid.uuid4().hex
        for folder in (self._parts, self.staging):
            shutil.rmtree(folder, ignore_errors=True)
        (self.work / _ID).write_text(mark, encoding="utf-8")
        unpack(self._source, self._parts)
        manifest = read_manifest(self._parts)
        size = sum(path.stat().st_size for path in (self._parts / TABLES).iterdir())
        needed = _ROWS_TIMES * size + _POINT_BYTES * manifest.rows.get("chunks", 0)
        check_free_space(self.work, max(min_free_mb, needed // 1_000_000))
        self.staging.mkdir()
        if (self._parts / FILES).is_dir():
            shutil.copytree(self._parts / FILES, self.staging, dirs_exist_ok=True)
        return manifest

    def load(self, database: str, manifest: Manifest) -> None:
        """The tables, in one transaction, under the schema that they were saved with."""
        mark = (self.work / _ID).read_text(encoding="utf-8")
        engine = open_unchanged(database)
        try:
            _empty(engine, mark)
            migrate(engine, manifest.schema)
            with engine.connect() as connection:
                if connection.dialect.name == "sqlite":      # rows of nobody come back too: a doctor tells of them
                    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                    connection.commit()
                with connection.begin():
                    _fill(connection, self._parts / TABLES, manifest.rows)
                    connection.execute(delete(index_facts).where(index_facts.c.key == _MARK))     # of the saved home
                    connection.execute(insert(index_facts).values(key=_MARK, value=mark))
        finally:
            engine.dispose()

    def finish(self, engine: Engine, settings: IndexSettings, manifest: Manifest, who: str) -> Restored:
        """What was on its way is taken back, and the index is made."""
        with engine.begin() as connection:
            _settle(connection, settings.made_with)
            detail = {"made_at": manifest.made_at, "audit_seq": manifest.audit_seq, "commits": manifest.commits}
            record(connection, who, "restore", self._source.name, detail)
        copied = self._parts / INDEX
        if copied.is_dir() and settings.kind == "edge" and manifest.index == settings.made_with:
            copied.rename(store_folder(self.staging, ""))
        index = settings.open("")
        least = settings.config.storage.min_free_mb
        with closing(index.store):
            _drop_others(engine, index)
            Steps(self.staging, engine=engine, index=index, min_free_mb=least).finish_interrupted()
            index.store.flush()
            there = index.store.count()
        with engine.connect() as connection:
            rows = count_rows(connection, [metadata.tables[n] for n in manifest.rows if n in metadata.tables])
            counts = lookup.counts(connection)
        lost = [name for name, count in manifest.rows.items() if name not in _OWN and rows.get(name) != count]
        if lost or there != counts[2]:
            raise BackendUnavailable(
                f"恢复的内容与备份不符（{'、'.join(lost) or '索引'}），没有启用。请再试一次，或改用另一份备份"
            )
        return Restored(manifest, *counts)

    def move(self) -> None:
        """From this moment on the home is there."""
        shutil.rmtree(self._parts)
        for folder in (self.staging, self._home.parent):
            _sync(folder)
        self.staging.rename(self._home)
        _sync(self._home.parent)
        shutil.rmtree(self.work)

    @property
    def _parts(self) -> Path:
        return self.work / "parts"


def _empty(engine: Engine, mark: str) -> None:
    """Nothing may be in the database but what an earlier try of the same restore left."""
    with engine.begin() as connection:
        tables = reflected(connection)
        names = {table.name: table for table in tables}
        if not names:
            return
        filled = any(connection.execute(select(names[name]).limit(1)).first() for name in ("documents", "audit")
                     if name in names)
        facts = names.get("index_facts")
        marks = connection.execute(select(facts.c.value).where(facts.c.key == _MARK)).scalars().all() if (
            facts is not None) else []
        if filled and mark not in marks:
            raise PolicyDeskError(
                f"数据库 {engine.url.render_as_string()} 中已有内容。恢复只写入空库，请在 storage.database 中另指定一个"
            )
        for table in reversed(tables):
            table.drop(connection)
        connection.execute(sql("DROP TABLE IF EXISTS alembic_version"))


def _fill(connection: Connection, folder: Path, wanted: Mapping[str, int]) -> None:
    tables = [table for table in reflected(connection) if table.name in wanted]
    for table in reversed(tables):       # what migrations put there
        connection.execute(delete(table))
    for table in tables:
        for rows in read_rows(folder / f"{table.name}.jsonl", table):
            connection.execute(insert(table), rows)
    if connection.dialect.name == "postgresql":
        _continue_counting(connection, tables)
    counts = count_rows(connection, tables)
    if counts != dict(wanted):
        wrong = sorted(name for name in wanted if counts.get(name) != wanted[name])
        raise PolicyDeskError(f"备份中 {'、'.join(wrong)} 的行数与清单不符。没有恢复任何内容；请改用另一份备份")


def _continue_counting(connection: Connection, tables: Sequence[Table]) -> None:
    """Numbers that the server gives to new rows follow those that are there."""
    for table in tables:
        for column in table.primary_key:
            name = connection.scalar(sql("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name})
            if name is not None:
                connection.execute(sql(
                    f'SELECT setval(:name, (SELECT coalesce(max("{column.name}"), 0) + 1 FROM "{table.name}"), false)'
                ), {"name": name})


def _settle(connection: Connection, made_with: Mapping[str, str]) -> None:
    """Publications that were not acknowledged did not happen; nothing is left of the index as it was."""
    c = documents.c
    before = case((c.known_from.is_(None), State.DRAFT), else_=State.REMOVED)
    connection.execute(update(documents).where(c.state == State.STAGED).values(state=before))
    connection.execute(delete(next_points))
    connection.execute(delete(index_facts).where(index_facts.c.key != _MARK))
    catalogue.write_index_facts(connection, made_with)
    validity.refresh(connection, list(connection.scalars(select(c.id).where(c.state == State.PUBLISHED))))
    connection.execute(update(documents).values(index_stale=False))


def _drop_others(engine: Engine, index: Index) -> None:
    """Points that nothing published holds; all of them where one of the others is not what the tables say."""
    with engine.connect() as connection:
        wanted = wanted_points(connection)
    found = list(point_findings(index, wanted, []))
    if any(one.code == "point_payload" for one in found):
        index.store.delete([point.id for point in index.store.read()])
    else:
        index.store.delete([point for one in found if one.code == "point_foreign" for point in one.items])
    index.store.flush()


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
