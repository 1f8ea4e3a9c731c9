"""Homes as a doctor, a backup and a restore have them: held, but nothing of them is searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import Document
from ingest.correct import with_chunks
from ingest.document import assemble
from kb.database import open_unchanged
from kb.home import hold_home
from kb.index import PLACE, recorded
from kb.log.audit_check import check
from kb.log.checkpoints import checkpoints_of
from kb.store import store_folder
from kb.upkeep.backup import CopiedIndex, Manifest, write_backup
from kb.upkeep.doctor import Case
from kb.upkeep.doctor_tables import lost_version, restore_version
from kb.upkeep.restore import Restored, Restoring
from policydesk import __version__
from policydesk.app import database_url, opened_home


@contextmanager
def open_case(
    config: Config, home: Path | None, on_step: Callable[[int, int], None], *, repair: bool = False
) -> Iterator[Case]:
    """A home as a doctor finds it: nothing that a crash cut short is finished, and no index is opened yet.

    Tables without a revision cannot be opened; with ``repair`` it is written down.
    """
    folder = home or config.home

    def remake(document: Document) -> Document:
        furniture = [piece for piece in document.furniture if piece.kind != "blank"]
        again = assemble(
            document.facts, document.text, document.articles, document.source, chunk_chars=config.ingest.chunk_chars,
            fields=document.fields, furniture=furniture, places=document.places,
        )
        cut = again if again.id == document.id else with_chunks(again, document.chunks)
        return cut if cut.id == document.id else again

    def audit(connection: Connection) -> list[str]:
        return [problem.reason for problem in check(connection, checkpoints_of(config.audit, folder)).problems]

    if not config.storage.database and (folder / "policydesk.db").is_file():
        with hold_home(folder):
            _check_version(database_url(config, folder), repair=repair)
    with opened_home(config, folder) as found:
        yield Case(folder, found.engine, found.settings, remake, audit, on_step)


def _check_version(database: str, *, repair: bool) -> None:
    engine = open_unchanged(database)
    try:
        with engine.begin() as connection:
            lost = lost_version(connection)
            if lost and not repair:
                raise PolicyDeskError("数据库没有记录结构版本，打不开。用 policydesk doctor --repair 补记")
            if lost and not restore_version(connection):
                raise PolicyDeskError("数据库没有记录结构版本，表的结构也不是最新的，不能修复。请从备份恢复")
    finally:
        engine.dispose()


def back_up(config: Config, home: Path | None, target: Path, *, with_index: bool = False) -> Manifest:
    """A backup of a home that may be in use; ``with_index`` it must not be. Raises `HomeLocked`."""
    folder = home or config.home
    if not config.storage.database and not (folder / "policydesk.db").is_file():
        raise NotFound(f"{folder} 中没有知识库。请用 --home 指定状态目录")
    make = partial(
        write_backup, folder, database_url(config, folder), target, program=__version__,
        min_free_mb=config.storage.min_free_mb,
    )
    if not with_index:
        return make(index=None)
    if config.storage.vectors != "edge":
        raise PolicyDeskError("--index 只用于 storage.vectors: edge；Qdrant 服务器的索引在恢复时重建")
    with opened_home(config, folder) as found:
        facts = recorded(found.engine, found.settings)
        made_with = {key: facts[key] for key in found.settings.made_with}
        copied = CopiedIndex(store_folder(folder, facts.get(PLACE, "")), made_with)
        return make(index=copied)


def restore_home(config: Config, source: Path, home: Path, who: str) -> Restored:
    """The home that a backup holds, at ``home``; all of it or nothing."""
    restoring = Restoring(source, home)
    with hold_home(restoring.work):
        manifest = restoring.unpacked(config.storage.min_free_mb)
        restoring.load(database_url(config, restoring.staging), manifest)
        with opened_home(config, restoring.staging) as found:
            done = restoring.finish(found.engine, found.settings, manifest, who)
        restoring.move()
    return done
