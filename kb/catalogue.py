"""The documents in SQL as they change: staged, published, taken out, and what the index still has to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, exists, func, insert, select, update

from core.records import Document, State
from kb import validity
from kb.curation import faq
from kb.curation.card_rows import save_cards
from kb.database import insert_rows
from kb.graph.links import save_references
from kb.log.audit import Entry, record, record_all, utc_now
from kb.rows import (
    SPAN,
    STORED,
    Standing,
    article_row,
    chunk_row,
    document_row,
    in_state,
    span_of,
    standing_values,
)
from kb.schema import articles, chunks, counters, documents, index_facts
from kb.versions import Span, version_key

_SEEN = (State.PUBLISHED, State.STAGED)
_COMMITS = counters.c.key == "commits"


@dataclass(frozen=True, slots=True)
class Known:
    """Where a stored document stands and where it came from."""

    state: State
    source: str


@dataclass(frozen=True, slots=True)
class Live:
    """The published document of a source, and its points, all of which are in the index."""

    id: str
    span: Span | None            # that its points have; None: they are about to change
    points: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outdated:
    """What the index has to be told of documents that were taken out or whose dates changed."""

    documents: list[str]
    gone: list[str]                        # points that no document holds any more
    dates: list[tuple[Span, list[str]]]    # points that hold old dates


def known(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """What is there already, by id."""
    rows = connection.execute(
        select(documents.c.id, documents.c.state, documents.c.source).where(documents.c.id.in_(ids))
    )
    return {row.id: Known(State(row.state), row.source) for row in rows}


# towards publishing


def save(
    connection: Connection, batch: Sequence[Document], standings: Mapping[str, Standing], points: Mapping[str, str]
) -> None:
    """Write documents that are not there yet, with their articles and chunks; ``points`` by chunk id."""
    first = _newest(connection, documents.c.added) + 1
    rows = [document_row(d, standings[d.id], added) for added, d in enumerate(batch, start=first)]
    if rows:
        connection.execute(insert(documents), rows)
    insert_rows(connection, articles, [article_row(d.id, n, a) for d in batch for n, a in enumerate(d.articles)])
    insert_rows(connection, chunks, [chunk_row(chunk, points[chunk.id], d.text) for d in batch for chunk in d.chunks])
    save_references(connection, batch)
    save_cards(connection, batch)


def stage(
    connection: Connection, batch: Sequence[Document], standings: Mapping[str, Standing], points: Mapping[str, str]
) -> None:
    """Documents that are stored already enter the durable step that their standing names, from where they came now."""
    for document in batch:
        values = standing_values(standings[document.id]) | {"source": document.source}
        connection.execute(update(documents).where(documents.c.id == document.id).values(**values))
    rows = [{"name": chunk.id, "point": points[chunk.id]} for document in batch for chunk in document.chunks]
    if rows:
        connection.execute(update(chunks).where(chunks.c.id == bindparam("name")), rows)


def came_again(connection: Connection, ids: Sequence[str]) -> None:
    """Drafts that were read once more are newer than those that came between."""
    first = _newest(connection, documents.c.added) + 1
    drafts = select(documents.c.id).where(documents.c.id.in_(ids), documents.c.state.in_((State.DRAFT, State.REVIEW)))
    there = set(connection.scalars(drafts))
    for added, name in enumerate((name for name in ids if name in there), start=first):
        connection.execute(update(documents).where(documents.c.id == name).values(added=added))


def draft_again(connection: Connection, ids: Sequence[str]) -> None:
    """Revisions that were given up come back as drafts: an edit that was undone leads to one that was there before."""
    away = documents.c.state.in_((State.REMOVED, State.PARSED))
    connection.execute(update(documents).where(documents.c.id.in_(ids) & away).values(state=State.DRAFT))


def set_version_keys(connection: Connection, batch: Sequence[Document]) -> None:
    """As the program of today tells which documents are versions of one rule."""
    for document in batch:
        key = version_key(document.facts)
        connection.execute(update(documents).where(documents.c.id == document.id).values(version_key=key))


def next_generation(connection: Connection) -> int:
    return _newest(connection, documents.c.generation) + 1


def in_order(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Ids from the earliest to the newest arrival; what was staged later counts as newer."""
    staged = case((documents.c.state == State.STAGED, documents.c.generation), else_=0)
    query = select(documents.c.id).where(documents.c.id.in_(ids)).order_by(staged, documents.c.added)
    return list(connection.scalars(query))


def live(connection: Connection, sources: Sequence[str]) -> dict[str, Live]:
    """The published documents of ``sources``, by source."""
    c = documents.c
    rows = connection.execute(
        select(c.id, c.source, c.in_force_from, c.in_force_to, c.index_stale, chunks.c.point)
        .join(chunks, chunks.c.document_id == c.id, isouter=True)
        .where(c.source.in_(sources), in_state(State.PUBLISHED))
    )
    points: dict[str, set[str]] = {}
    found: dict[str, tuple[str, Span | None]] = {}
    for row in rows:
        found[row.source] = row.id, None if row.index_stale else Span(row.in_force_from, row.in_force_to)
        held = points.setdefault(row.source, set())
        if row.point is not None:
            held.add(row.point)
    return {source: Live(name, span, frozenset(points[source])) for source, (name, span) in found.items()}


def points_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Chunk id -> point, of stored documents."""
    rows = connection.execute(select(chunks.c.id, chunks.c.point).where(chunks.c.document_id.in_(ids)))
    return {row.id: row.point for row in rows}


def spans_of(connection: Connection, ids: Sequence[str]) -> dict[str, Span]:
    """The dates that stand in the rows of documents, by id."""
    rows = connection.execute(select(documents.c.id, *SPAN).where(documents.c.id.in_(ids)))
    return {row.id: span_of(row) for row in rows}


def publish(connection: Connection, generation: int, who: str) -> int:
    """Make a generation findable, all at once; earlier revisions of its sources go. Their number comes back.

    Among the earlier ones may be a revision that a failed write left staged: it must not come back later.
    """
    now = utc_now()
    c = documents.c
    mine = c.generation == generation
    earlier = in_state(State.STAGED) & (c.generation < generation)
    same_source = c.source.in_(select(c.source).where(mine))
    fresh = connection.execute(select(c.id, c.source, c.title).where(mine).order_by(c.added)).all()
    replaced = connection.execute(select(c.source, c.id).where(same_source, in_state(State.PUBLISHED), ~mine))
    old = {row.source: row.id for row in replaced}
    # What the old revisions ended, before they go; their versions are found by those of the new ones.
    touched = {row.id for row in fresh} | validity.ended_by(connection, old.values())
    _take_out(connection, c.id.in_(list(old.values())), now)
    _take_out(connection, same_source & earlier, now)
    connection.execute(update(documents).where(mine).values(state=State.PUBLISHED, known_from=now, known_to=None))
    touched |= validity.ended_by(connection, {row.id for row in fresh})
    touched |= _versions_of(connection, old.values())
    changed = validity.refresh(connection, touched)
    _count_commit(connection)
    record_all(connection, who, [
        Entry("publish", row.id, {"source": row.source, "title": row.title, "replaces": old.get(row.source)})
        for row in fresh
    ])
    faq.suspend_dependents(connection, [*old.values(), *changed], "所引文件已更新或不再有效", who=who)
    return len(old)


def withdraw(connection: Connection, document_id: str, who: str) -> bool:
    """Take a published document out; False when there is none by that id."""
    row = connection.execute(select(*STORED).where(documents.c.id == document_id)).first()
    if row is None or row.state != State.PUBLISHED:
        return False
    touched = validity.ended_by(connection, [document_id]) | _versions_of(connection, [document_id])
    _take_out(connection, documents.c.id == document_id, utc_now())
    validity.refresh(connection, touched)
    _count_commit(connection)
    record(connection, who, "withdraw", document_id, {"source": row.source, "title": row.title})
    faq.suspend_dependents(connection, [document_id], "所引文件已撤下", who=who)
    return True


def redate(connection: Connection, ids: Sequence[str], who: str) -> None:
    """An editor decided on when documents hold."""
    changed = validity.refresh(connection, ids)
    _count_commit(connection)
    faq.suspend_dependents(connection, changed, "所引文件不再有效", who=who)


def _versions_of(connection: Connection, ids: Collection[str]) -> set[str]:
    """Published or staged documents that are versions of one rule with those of ``ids``."""
    keys = select(documents.c.version_key).where(documents.c.id.in_(ids), documents.c.version_key.is_not(None))
    return set(connection.scalars(select(documents.c.id).where(documents.c.version_key.in_(keys), in_state(*_SEEN))))


def drop_unpublished(connection: Connection, ids: Sequence[str]) -> None:
    """Drafts and staged documents that must not be published any more."""
    waiting = documents.c.state.in_((State.DRAFT, State.REVIEW, State.STAGED))
    _take_out(connection, documents.c.id.in_(ids) & waiting, utc_now())


def _take_out(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Remove documents from every answer; how many."""
    removed = update(documents).where(which).values(state=State.REMOVED, known_to=now, index_stale=True)
    return connection.execute(removed).rowcount


# what a search has to know


def commits(connection: Connection) -> int:
    """How often what can be found has changed: equal before and after a search, it saw one state."""
    return connection.scalar(select(counters.c.number).where(_COMMITS)) or 0


def openings(connection: Connection) -> int | None:
    """How often the database was opened by who holds it; None for one that lies in a home. See `kb.postgres`."""
    return connection.scalar(select(counters.c.number).where(counters.c.key == "opened"))


def _count_commit(connection: Connection) -> None:
    connection.execute(update(counters).where(_COMMITS).values(number=counters.c.number + 1))


def staged_generations(connection: Connection) -> tuple[int, ...]:
    """Whose points are in the index, or about to be, and must not be found."""
    staged = select(documents.c.generation).where(documents.c.state == State.STAGED).distinct()
    return tuple(sorted(connection.scalars(staged)))


# what the index has to be told


def staged_documents(connection: Connection) -> list[str]:
    return list(connection.scalars(select(documents.c.id).where(documents.c.state == State.STAGED)))


def outdated(connection: Connection) -> Outdated:
    """A staged document waits for its own publishing: its points may not be there yet, or about to be written.

    A point goes when no published document holds it, nor a staged one that may count on it.
    """
    out = Outdated([], [], [])
    stale = select(documents.c.id, documents.c.state, documents.c.in_force_from, documents.c.in_force_to)
    for row in connection.execute(stale.where(documents.c.index_stale, documents.c.state != State.STAGED)).all():
        mine = select(chunks.c.point).where(chunks.c.document_id == row.id)
        out.documents.append(row.id)
        if row.state == State.PUBLISHED:
            out.dates.append((Span(row.in_force_from, row.in_force_to), list(connection.scalars(mine))))
        else:                    # also of one that became a draft again: the published revision may hold its points
            out.gone.extend(connection.scalars(mine.where(~_held())))
    return out


def _held() -> ColumnElement[bool]:
    """Whether a published or staged document holds the point of a row of ``chunks``."""
    other = chunks.alias()
    holder = documents.alias()
    return exists().where(
        other.c.point == chunks.c.point, holder.c.id == other.c.document_id, in_state(*_SEEN, of=holder)
    )


def mark_indexed(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(update(documents).where(documents.c.id.in_(ids)).values(index_stale=False))


def published_by_generation(connection: Connection) -> dict[int, list[str]]:
    """Ids of the published documents by the durable step that published them."""
    rows = connection.execute(
        select(documents.c.generation, documents.c.id).where(documents.c.state == State.PUBLISHED)
    )
    batches: dict[int, list[str]] = {}
    for row in rows:
        batches.setdefault(row.generation, []).append(row.id)
    return batches


def read_index_facts(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(index_facts))}


def write_index_facts(connection: Connection, facts: Mapping[str, str]) -> None:
    """Facts of other keys stay."""
    drop_index_facts(connection, list(facts))
    connection.execute(insert(index_facts), [{"key": key, "value": value} for key, value in facts.items()])


def drop_index_facts(connection: Connection, keys: Sequence[str]) -> None:
    connection.execute(delete(index_facts).where(index_facts.c.key.in_(keys)))


def _newest(connection: Connection, column: ColumnElement[int]) -> int:
    return connection.scalar(select(func.max(column))) or 0
