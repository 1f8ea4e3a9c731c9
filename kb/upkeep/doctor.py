"""Do SQL, vectors, graph and files agree? What disagrees is found, told, and made again from what SQL holds.

SQL is the truth about facts, texts and articles, and a document's id is a hash of them, so a change of these is found
but cannot be undone here. All else follows from them and can be made again.
"""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from core.records import State
from kb import catalogue
from kb.home import check_free_space, free_mb
from kb.index import PLACE, Index, IndexSettings, remove_replaced
from kb.log.audit import Entry, record_all
from kb.reindex import reindex
from kb.schema import documents
from kb.steps import Steps
from kb.upkeep.doctor_documents import Remake, document_findings, repair_documents
from kb.upkeep.doctor_findings import Finding
from kb.upkeep.doctor_index import (
    folder_findings,
    left_over,
    open_recorded,
    point_findings,
    rewrite,
    vector_findings,
    wanted_points,
)
from kb.upkeep.doctor_tables import repair_schema, repair_tables, table_findings

_SAMPLE = 200                # documents that are derived anew unless all are asked for
_ROUNDS = 6                  # a repair of SQL may show what the index lacks
_TOLD = 200                  # places of one kind that the audit names
_SCHEMA = ("table_missing", "sql_index_missing")
_STOPS = ("table_missing", "column_missing")     # nothing can be read then
_DERIVED = (
    "chunks_wrong", "chunk_outside", "names_wrong", "edges_wrong", "sketches_wrong", "bands_wrong", "cards_wrong",
    "clauses_wrong", "version_key",
)
_TABLES = (
    "orphan", "state_unknown", "published_twice", "dates_wrong", "counter_missing", "next_points_left", "faq_citation",
    "file_without_document",
)
_UNCUT = ("content_damaged", "content_changed", "chunks_wrong", "chunk_outside")     # of which no vectors can be made
_REBUILT = ("index_missing", "index_broken")
_REMADE = ("index_mismatch", "reindex_unfinished")
_REWRITTEN = ("point_missing", "point_payload", "point_vector")


@dataclass(frozen=True, slots=True)
class Case:
    """A home that is held, and what it is examined with."""

    home: Path
    engine: Engine
    settings: IndexSettings
    remake: Remake
    audit: Callable[[Connection], Iterable[str]]     # what is wrong with the log of changes
    on_step: Callable[[int, int], None]              # documents looked at, and how many will be


def examine(case: Case, *, deep: bool) -> list[Finding]:
    """Everything that does not fit. Nothing is written.

    What needs a document to be derived anew is looked for in 200 of them, chosen by chance, or with ``deep`` in all.
    """
    found = list(_free_space(case))
    with case.engine.connect() as connection:
        found += table_findings(connection)
        connection.rollback()
        if any(one.code in _STOPS for one in found):
            return found
        ids = list(connection.scalars(select(documents.c.id).order_by(documents.c.id)))
        chosen = ids if deep or len(ids) <= _SAMPLE else sorted(random.sample(ids, _SAMPLE))
        look = _counted(case.on_step, 2 * len(chosen))
        found += document_findings(connection, chosen, case.remake, look=look)
        found += [Finding("audit_broken", "audit", problem, "") for problem in case.audit(connection)]
        connection.rollback()
    found += folder_findings(case.engine, case.settings)
    uncut = {one.place for one in found if one.code in _UNCUT}
    return [*found, *_index(case, [name for name in chosen if name not in uncut], look)]


def repair(case: Case, found: Sequence[Finding], who: str) -> list[Finding]:
    """Put right what can be, in rounds; what is left comes back. Raises `StorageFull` before anything is written."""
    left = list(found)
    for _ in range(_ROUNDS):
        if not any(one.repair for one in left):
            break
        check_free_space(case.home, case.settings.config.storage.min_free_mb)
        codes = {one.code for one in left if one.repair}
        if codes.intersection(_SCHEMA):
            _repair_schema(case, left, who)
        elif codes.intersection((*_TABLES, *_DERIVED)):
            _repair_sql(case, left, who)
        else:
            _repair_index(case, left, who)
        left = examine(case, deep=True)
    return left


def sound(found: Iterable[Finding]) -> bool:
    return all(one.note for one in found)


def _counted(on_step: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    done = 0

    def look(count: int) -> None:
        nonlocal done
        done += count
        on_step(done, total)

    return look


def _free_space(case: Case) -> Iterator[Finding]:
    free, least = free_mb(case.home), case.settings.config.storage.min_free_mb
    if free < least:
        problem = f"磁盘只剩 {free} MB，写入需要至少 {least} MB（storage.min_free_mb）"
        yield Finding("disk_full", str(case.home), problem, "")


def _index(case: Case, ids: Sequence[str], look: Callable[[int], None]) -> Iterator[Finding]:
    index = open_recorded(case.engine, case.settings)
    if isinstance(index, Finding):
        yield index
        return
    with closing(index.store), case.engine.connect() as connection:
        wanted = wanted_points(connection)
        yield from point_findings(index, wanted, catalogue.staged_generations(connection))
        yield from vector_findings(connection, index, _published(connection, ids), look=look)


def _published(connection: Connection, ids: Sequence[str]) -> list[str]:
    wanted = frozenset(ids)
    published = connection.scalars(select(documents.c.id).where(documents.c.state == State.PUBLISHED))
    return [name for name in published if name in wanted]


# repairs


def _repair_schema(case: Case, found: Sequence[Finding], who: str) -> None:
    with case.engine.begin() as connection:
        repair_schema(connection, found)
        record_all(connection, who, _entries(found, _SCHEMA))


def _repair_sql(case: Case, found: Sequence[Finding], who: str) -> None:
    with case.engine.begin() as connection:
        entries = repair_tables(connection, found)
        wrong = sorted({one.place for one in found if one.code in _DERIVED})
        repair_documents(connection, wrong, case.remake)
        if wrong:    # their dates may follow from their names and edges
            entries += repair_tables(connection, [Finding("dates_wrong", name, "", "") for name in wrong])
        record_all(connection, who, [*entries, *_entries(found, (*_TABLES, *_DERIVED))])


def _repair_index(case: Case, found: Sequence[Finding], who: str) -> None:
    codes = {one.code for one in found}
    settings = case.settings
    if "index_facts" in codes:
        with case.engine.begin() as connection:
            catalogue.write_index_facts(connection, settings.made_with)
    elif codes.intersection(_REMADE):
        done = reindex(
            case.engine, settings, turn=nullcontext(), switched=lambda _: None, on_step=lambda _there, _wanted: None
        )
        if done is not None:
            done.index.store.close()
            remove_replaced(case.engine, settings, done.replaced)
    else:
        _repair_points(case, found, anew=bool(codes.intersection(_REBUILT)))
    with case.engine.begin() as connection:
        facts = catalogue.read_index_facts(connection)
        if "index_facts" not in codes:
            for folder in left_over(settings, facts):
                shutil.rmtree(folder)
        record_all(connection, who, _entries(found, codes - {*_TABLES, *_DERIVED, *_SCHEMA}))


def _repair_points(case: Case, found: Sequence[Finding], *, anew: bool) -> None:
    with case.engine.connect() as connection:
        place = catalogue.read_index_facts(connection).get(PLACE, "")
    if anew:
        case.settings.remove(place)
    index = case.settings.open(place)
    least = case.settings.config.storage.min_free_mb
    with closing(index.store):
        index.store.delete([point for one in found if one.code == "point_foreign" for point in one.items])
        wrong: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for one in found:
            if one.code in _REWRITTEN:
                wrong[one.place] |= frozenset(one.items)
        rewrite(case.engine, index, wrong, home=case.home, min_free_mb=least)
        index.store.flush()
        _finish(case, index)


def _finish(case: Case, index: Index) -> None:
    """What every opening of a home does: publish what is staged, write what is missing, tell the index of changes."""
    least = case.settings.config.storage.min_free_mb
    Steps(case.home, engine=case.engine, index=index, min_free_mb=least).finish_interrupted()


def _entries(found: Iterable[Finding], codes: Iterable[str]) -> list[Entry]:
    """A row of the log for each kind of repair."""
    wanted, places = frozenset(codes), defaultdict[str, list[str]](list)
    for one in found:
        if one.code in wanted and one.repair:
            places[one.code].append(one.place)
    return [
        Entry("repair", code, {"count": len(several), "places": several[:_TOLD]}) for code, several in places.items()
    ]
