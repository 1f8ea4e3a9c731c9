"""The life of a document beside its text: review, rulings on its validity, who keeps it true, what depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from core.errors import NotFound, PolicyDeskError
from core.records import State, StoredDocument
from kb import catalogue
from kb.curation import faq
from kb.graph.links import names_of
from kb.graph.relations import Relation
from kb.log.audit import Entry, record, record_all, utc_now
from kb.rows import STORED, in_state, stored_of
from kb.schema import answer_sources, audit, care, documents, edges, rulings

_CITING = (Relation.CITES, Relation.BASIS, Relation.IMPLEMENTS)


@dataclass(frozen=True, slots=True)
class Ruling:
    """An editor's decision on when a document holds; it goes before what documents say."""

    number: int
    source: str
    repealed: bool               # False: nothing that others say ends it
    day: date | None             # the first day on which it no longer holds
    by_name: str | None          # title of what repealed it
    reason: str
    who: str
    at: datetime                 # UTC
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Care:
    """Who keeps a source true, and when it is to be looked at again."""

    owner: str | None
    review_due: date | None


@dataclass(frozen=True, slots=True)
class Citing:
    """A published document that speaks of another."""

    document: StoredDocument
    kind: str
    start: int                   # where, in its text
    end: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What depends on a document."""

    citing: tuple[Citing, ...]
    faqs: tuple[str, ...]        # ids of the published entries that quote it
    answers: int                 # given answers that quote it


@dataclass(frozen=True, slots=True)
class Due:
    """A published document that somebody has to look at, and why."""

    document: StoredDocument
    why: str
    owner: str | None
    day: date


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a source."""

    id: str
    title: str
    state: State
    parsed: str | None           # the reading behind it, of one that editors changed
    known_from: datetime | None  # UTC; when we published it
    known_to: datetime | None    # when we took it out


# review


def submit(connection: Connection, ids: Sequence[str], who: str) -> None:
    """Drafts -> in review. Raises `NotFound` for any other id."""
    _move(connection, ids, State.DRAFT, State.REVIEW)
    record_all(connection, who, [Entry("submit", name, {}) for name in ids])


def send_back(connection: Connection, ids: Sequence[str], note: str, who: str) -> None:
    """In review -> drafts, with what is to be changed. Raises `NotFound` for any other id."""
    _move(connection, ids, State.REVIEW, State.DRAFT)
    record_all(connection, who, [Entry("send_back", name, {"note": note}) for name in ids])


def check_review(connection: Connection, ids: Sequence[str], who: str, *, two_people: bool) -> None:
    """Raise `PolicyDeskError` unless all of ``ids`` are in review, and were handed in by somebody else."""
    rows = connection.execute(select(documents.c.id, documents.c.state).where(documents.c.id.in_(ids)))
    early = sorted(row.id for row in rows if row.state == State.DRAFT)
    if early:
        raise PolicyDeskError(f"{'、'.join(early)} 还没有提交审核。先运行 policydesk review submit")
    if two_people:
        own = sorted(name for name in ids if _submitted_by(connection, name) == who)
        if own:
            raise PolicyDeskError(f"{'、'.join(own)} 由 {who} 提交，须由另一人批准（见 review.two_people）")


def notes_on(connection: Connection, document_id: str) -> list[Row[Any]]:
    """Rows of the log on one document, oldest first."""
    return list(connection.execute(select(audit).where(audit.c.subject == document_id).order_by(audit.c.seq)))


def _move(connection: Connection, ids: Sequence[str], before: State, after: State) -> None:
    there = set(connection.scalars(select(documents.c.id).where(documents.c.id.in_(ids), documents.c.state == before)))
    if missing := sorted(set(ids) - there):
        kind = "草稿" if before is State.DRAFT else "待审核文件"
        raise NotFound(f"没有编号为 {'、'.join(missing)} 的{kind}。用 policydesk documents --state {before} 查看编号")
    connection.execute(update(documents).where(documents.c.id.in_(ids)).values(state=after))


def _submitted_by(connection: Connection, document_id: str) -> str | None:
    handed_in = select(audit.c.who).where(audit.c.subject == document_id, audit.c.action == "submit")
    return connection.scalar(handed_in.order_by(audit.c.seq.desc()).limit(1))


# validity


def rule(
    connection: Connection, document_id: str, who: str, *, repealed: bool, day: date | None, by_name: str | None,
    reason: str,
) -> int:
    """Decide on a published document; the number of the ruling. The caller tells the index."""
    source = _published_source(connection, document_id)
    made = insert(rulings).values(
        source=source, kind="repealed" if repealed else "in_force", day=day, by_name=by_name, reason=reason, who=who,
        at=utc_now(),
    )
    key = connection.execute(made).inserted_primary_key
    assert key is not None
    detail = {"number": key[0], "source": source, "repealed": repealed, "day": day and day.isoformat(),
              "by": by_name, "reason": reason}
    record(connection, who, "rule", document_id, detail)
    catalogue.redate(connection, [document_id], who)
    return int(key[0])


def undo_ruling(connection: Connection, number: int, who: str) -> None:
    """Raises `NotFound`."""
    row = connection.execute(select(rulings).where(rulings.c.number == number, rulings.c.undone_at.is_(None))).first()
    if row is None:
        raise NotFound(f"没有编号为 {number} 的有效裁定。用 policydesk history 查看编号")
    connection.execute(update(rulings).where(rulings.c.number == number).values(undone_at=utc_now(), undone_by=who))
    ids = _published_of(connection, row.source)
    record(connection, who, "undo_ruling", ids[0] if ids else row.source, {"number": number, "source": row.source})
    catalogue.redate(connection, ids, who)


def rulings_on(connection: Connection, source: str) -> list[Ruling]:
    """Also those that were undone, oldest first."""
    rows = connection.execute(select(rulings).where(rulings.c.source == source).order_by(rulings.c.number))
    return [
        Ruling(row.number, row.source, row.kind == "repealed", row.day, row.by_name, row.reason, row.who, row.at,
               row.undone_at)
        for row in rows
    ]


def impact(connection: Connection, document_id: str) -> Impact:
    """Raises `NotFound`. What is said of an earlier revision counts, since it is said of the source."""
    row = connection.execute(select(*STORED).where(documents.c.id == document_id)).first()
    if row is None:
        raise NotFound(f"没有编号为 {document_id} 的文件。用 policydesk documents 查看编号")
    own = list(connection.scalars(select(documents.c.id).where(documents.c.source == row.source)))
    counted = select(func.count(answer_sources.c.answer_id.distinct())).where(answer_sources.c.document_id.in_(own))
    entries = tuple(entry.id for entry in faq.dependents(connection, [document_id]))
    return Impact(tuple(_citing(connection, stored_of(row))), entries, connection.scalar(counted) or 0)


def _citing(connection: Connection, stored: StoredDocument) -> list[Citing]:
    c = edges.c
    said = or_(c.name.in_(names_of(stored.facts.title)), c.doc_no == (stored.facts.doc_no or ""))
    rows: Iterable[Row[Any]] = connection.execute(
        select(*STORED, c.kind.label("relation"), c.start, c.end)
        .join(documents, documents.c.id == c.document_id)
        .where(said, c.kind.in_(_CITING), in_state(State.PUBLISHED), documents.c.id != stored.id)
        .order_by(documents.c.rank, documents.c.title, documents.c.id, c.number)
    )
    return [
        Citing(stored_of(row), row.relation, row.start, row.end)
        for row in rows if stored.facts.region is None or row.region == stored.facts.region
    ]


# upkeep


def set_care(connection: Connection, document_id: str, wanted: Care, who: str) -> None:
    """Raises `NotFound` for what is not published."""
    source = _published_source(connection, document_id)
    connection.execute(delete(care).where(care.c.source == source))
    connection.execute(insert(care).values(source=source, **asdict(wanted)))
    due = wanted.review_due and wanted.review_due.isoformat()
    record(connection, who, "care", document_id, {"owner": wanted.owner, "review_due": due})


def care_of(connection: Connection, source: str) -> Care:
    row = connection.execute(select(care).where(care.c.source == source)).first()
    return Care(row.owner, row.review_due) if row else Care(None, None)


def due(connection: Connection, today: date, days: int) -> list[Due]:
    """Published documents whose review is due by then, or that end within ``days`` or ended within as many."""
    soon, lately = today + timedelta(days=days), today - timedelta(days=days)
    ending = and_(documents.c.in_force_to >= lately, documents.c.in_force_to <= soon)
    rows: Iterable[Row[Any]] = connection.execute(
        select(*STORED, care.c.owner, care.c.review_due)
        .join(care, care.c.source == documents.c.source, isouter=True)
        .where(in_state(State.PUBLISHED), or_(care.c.review_due <= today, ending))
        .order_by(documents.c.title, documents.c.id)
    )
    found = []
    for row in rows:
        stored = stored_of(row)
        if row.review_due is not None and row.review_due <= today:
            found.append(Due(stored, "复核到期", row.owner, row.review_due))
        if stored.in_force_to is not None and lately <= stored.in_force_to <= soon:
            why = stored.validity(today).value if stored.in_force_to <= today else "即将失效"
            found.append(Due(stored, why, row.owner, stored.in_force_to))
    return sorted(found, key=lambda one: (one.day, one.document.id))


def revisions(connection: Connection, source: str) -> list[Revision]:
    """In the order in which they arrived."""
    rows = connection.execute(select(documents).where(documents.c.source == source).order_by(documents.c.added))
    return [
        Revision(row.id, row.title, State(row.state), row.parsed, row.known_from, row.known_to) for row in rows
    ]


def _published_source(connection: Connection, document_id: str) -> str:
    row = connection.execute(
        select(documents.c.source).where(documents.c.id == document_id, in_state(State.PUBLISHED))
    ).first()
    if row is None:
        raise NotFound(f"没有编号为 {document_id} 的已发布文件。用 policydesk documents 查看编号")
    return str(row.source)


def _published_of(connection: Connection, source: str) -> list[str]:
    return list(connection.scalars(
        select(documents.c.id).where(documents.c.source == source, in_state(State.PUBLISHED))
    ))
