"""What SQL knows of the index that a reindex is making: each of its points has a row, made before the point is written.

So after a crash the rows say which points are there (``written``) and which may be; and two joins with the published
chunks say what is missing, what must not be there any more, and which dates are old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from core.records import State
from kb import catalogue
from kb.index import NEXT, PLACE, REPLACED
from kb.rows import in_state
from kb.schema import chunks, documents, next_points
from kb.versions import Span

_PUBLISHED = documents.c.state == State.PUBLISHED


@dataclass(frozen=True, slots=True)
class Claimed:
    """Documents whose points are about to be written."""

    points: dict[str, str]       # chunk id -> point, of those that have none yet
    spans: dict[str, Span]       # of each document that is still published


def begin(connection: Connection, place: str) -> None:
    """A new index that holds nothing."""
    connection.execute(delete(next_points))
    catalogue.write_index_facts(connection, {NEXT: place})


def give_up(connection: Connection) -> None:
    connection.execute(delete(next_points))
    catalogue.drop_index_facts(connection, [NEXT])


def switch(connection: Connection, made_with: Mapping[str, str], *, place: str, replaced: str) -> None:
    """From this commit on the new index answers."""
    give_up(connection)
    catalogue.write_index_facts(connection, {**made_with, PLACE: place, REPLACED: replaced})


def doubtful(connection: Connection) -> list[str]:
    """Points that may or may not be there."""
    return list(connection.scalars(select(next_points.c.point).where(~next_points.c.written)))


def missing(connection: Connection) -> list[tuple[str, int]]:
    """Published documents that have points without a row, and how many; those that were published first come first."""
    rows = connection.execute(
        select(documents.c.id, func.count().label("number"))
        .join(chunks, chunks.c.document_id == documents.c.id)
        .join(next_points, next_points.c.point == chunks.c.point, isouter=True)
        .where(_PUBLISHED, next_points.c.point.is_(None))
        .group_by(documents.c.id, documents.c.generation)
        .order_by(documents.c.generation, documents.c.id)
    )
    return [(row.id, row.number) for row in rows]


def claim(connection: Connection, ids: Sequence[str]) -> Claimed:
    """Give the points of documents rows, before they are written. Nothing may be published or withdrawn meanwhile."""
    published = connection.scalars(select(documents.c.id).where(documents.c.id.in_(ids), in_state(State.PUBLISHED)))
    spans = catalogue.spans_of(connection, list(published))
    rows = connection.execute(
        select(chunks.c.id, chunks.c.document_id, chunks.c.point)
        .join(next_points, next_points.c.point == chunks.c.point, isouter=True)
        .where(chunks.c.document_id.in_(list(spans)), next_points.c.point.is_(None))
    ).all()
    if rows:
        connection.execute(insert(next_points), [
            {"point": row.point, "in_force_from": spans[row.document_id].start,
             "in_force_to": spans[row.document_id].end, "written": False}
            for row in rows
        ])
    return Claimed({row.id: row.point for row in rows}, spans)


def mark(connection: Connection, points: Iterable[str], *, written: bool) -> None:
    """``written`` once points are there, not written before they are taken out."""
    rows = [{"name": point} for point in points]
    if rows:
        marked = update(next_points).where(next_points.c.point == bindparam("name")).values(written=written)
        connection.execute(marked, rows)


def left_over(connection: Connection) -> list[str]:
    """Points that no published document holds any more."""
    held = select(chunks.c.point).join(documents, documents.c.id == chunks.c.document_id)
    held = held.where(chunks.c.point == next_points.c.point, in_state(State.PUBLISHED))
    return list(connection.scalars(select(next_points.c.point).where(~held.exists())))


def forget(connection: Connection, points: Iterable[str]) -> None:
    rows = [{"name": point} for point in points]
    if rows:
        connection.execute(delete(next_points).where(next_points.c.point == bindparam("name")), rows)


def redated(connection: Connection) -> dict[Span, list[str]]:
    """Points that have other dates than their document has now, by its dates."""
    rows = connection.execute(
        select(next_points.c.point, documents.c.in_force_from, documents.c.in_force_to)
        .join(chunks, chunks.c.point == next_points.c.point)
        .join(documents, documents.c.id == chunks.c.document_id)
        .where(_PUBLISHED, or_(
            next_points.c.in_force_from.is_distinct_from(documents.c.in_force_from),
            next_points.c.in_force_to.is_distinct_from(documents.c.in_force_to),
        ))
    )
    dates: dict[Span, list[str]] = {}
    for row in rows:
        dates.setdefault(Span(row.in_force_from, row.in_force_to), []).append(row.point)
    return dates


def set_dates(connection: Connection, span: Span, points: Iterable[str]) -> None:
    changed = update(next_points).where(next_points.c.point == bindparam("name"))
    changed = changed.values(in_force_from=span.start, in_force_to=span.end)
    connection.execute(changed, [{"name": point} for point in points])


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(next_points)) or 0
