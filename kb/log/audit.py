"""The log of every change and every answer: rows chained by their hashes, so that none can be changed unseen.

hash = sha256 of the JSON list [previous hash, seq, time, who, action, subject, detail]. A row is written in the
transaction of what it tells of. `kb.log.audit_check` follows the chain; what was cut off at its end is found by
`kb.log.checkpoints`, which are kept outside the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from core.errors import PolicyDeskError
from kb.schema import answers, audit, counters

FIRST = "0" * 64                 # what the first row follows
ANSWER, PURGE = "answer", "purge"
LEAST_DAYS = 183                 # 等保 2.0, level 3: six months
_AT_ONCE = 10_000                # rows read at once

Detail = Mapping[str, object]    # what JSON can say


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to one thing."""

    action: str                  # publish, withdraw, edit, repeal, answer, …
    subject: str                 # id of what was changed
    detail: Detail


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the chain: the row ``seq`` has ``hash``."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row as it is shown."""

    seq: int
    at: datetime                 # UTC
    who: str
    action: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; all conditions hold together."""

    subject: str | None = None
    action: str | None = None
    since: date | None = None    # local day


def record(connection: Connection, who: str, action: str, subject: str, detail: Detail) -> None:
    record_all(connection, who, [Entry(action, subject, detail)])


def record_all(connection: Connection, who: str, entries: Sequence[Entry]) -> None:
    """In order, all at the same time. Others who write to the log wait until the transaction ends."""
    if not entries:
        return
    # Two at once would follow the same row; ``policydesk jobs add`` writes beside the process that holds the home.
    connection.execute(update(counters).where(counters.c.key == "commits").values(number=counters.c.number))
    last = newest(connection)
    seq, previous = (last.seq, last.hash) if last else (0, FIRST)
    now = utc_now()
    rows = []
    for number, entry in enumerate(entries, start=seq + 1):
        detail = json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True, default=str)
        digest = row_hash(previous, number, now, who, entry.action, entry.subject, detail)
        rows.append({
            "seq": number, "at": now, "who": who, "action": entry.action, "subject": entry.subject, "detail": detail,
            "previous": previous, "hash": digest,
        })
        previous = digest
    connection.execute(insert(audit), rows)


def row_hash(previous: str, seq: int, at: datetime, who: str, action: str, subject: str, detail: str) -> str:
    parts = [previous, seq, at.isoformat(timespec="microseconds"), who, action, subject, detail]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def hash_of(row: Row[Any]) -> str:
    """What the hash of a row of `audit` has to be."""
    return row_hash(row.previous, row.seq, row.at, row.who, row.action, row.subject, row.detail)


def utc_now() -> datetime:
    """As the tables hold times: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def local_time(at: datetime) -> datetime:
    """A time of the tables as it is shown."""
    return at.replace(tzinfo=UTC).astimezone()


def start_of(day: date) -> datetime:
    """The local midnight that begins ``day``, as the tables hold times."""
    return datetime.combine(day, time()).astimezone(UTC).replace(tzinfo=None)


# reading


def newest(connection: Connection) -> Place | None:
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return Place(row.seq, row.hash) if row else None


def rows_after(connection: Connection, seq: int | None, *, at_once: int = _AT_ONCE) -> Iterator[Row[Any]]:
    """Every row after ``seq``, in order; None: all of them."""
    while True:
        query = select(audit).order_by(audit.c.seq).limit(at_once)
        rows = connection.execute(query if seq is None else query.where(audit.c.seq > seq)).all()
        yield from rows
        if len(rows) < at_once:
            return
        seq = rows[-1].seq


def listed(connection: Connection, wanted: Wanted, *, limit: int | None = None) -> list[AuditRow]:
    """Rows in order; with ``limit`` the newest ones."""
    query = select(audit).order_by(audit.c.seq.desc())
    if wanted.subject is not None:
        query = query.where(audit.c.subject == wanted.subject)
    if wanted.action is not None:
        query = query.where(audit.c.action == wanted.action)
    if wanted.since is not None:
        query = query.where(audit.c.at >= start_of(wanted.since))
    rows = connection.execute(query.limit(limit)).all()
    return [
        AuditRow(row.seq, row.at, row.who, row.action, row.subject, json.loads(row.detail)) for row in reversed(rows)
    ]


# purging


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge takes away: every row up to ``through``, and the answers whose rows are among them."""

    through: Place
    rows: int
    answers: int


def purgeable(connection: Connection, before: date, keep_days: int) -> Purged | None:
    """What lies before the local day ``before``; None when nothing does. Raises `PolicyDeskError` for a day too near.

    The last row stays whatever its age, since the chain goes on from it.
    """
    latest = date.today() - timedelta(days=max(keep_days, LEAST_DAYS))
    if before > latest:
        raise PolicyDeskError(
            f"日志至少保留 {keep_days} 天（audit.keep_days）：--before 最晚为 {latest}，实际是 {before}"
        )
    kept = connection.scalar(select(func.min(audit.c.seq)).where(audit.c.at >= start_of(before)))
    last = connection.scalar(select(func.max(audit.c.seq)))
    if last is None:
        return None
    row = connection.execute(
        select(audit.c.seq, audit.c.hash).where(audit.c.seq < (last if kept is None else kept))
        .order_by(audit.c.seq.desc()).limit(1)
    ).first()
    if row is None:
        return None
    old = audit.c.seq <= row.seq
    count, answered = (
        connection.scalar(select(func.count()).select_from(audit).where(old, *more)) or 0
        for more in ([], [audit.c.action == ANSWER])
    )
    return Purged(Place(row.seq, row.hash), count, answered)


def purge(connection: Connection, who: str, purged: Purged, before: date) -> None:
    """Delete what `purgeable` named, in the transaction that records it; its checkpoint is there already."""
    record(connection, who, PURGE, "audit", {
        "before": before.isoformat(), "through": purged.through.seq, "hash": purged.through.hash,
        "rows": purged.rows, "answers": purged.answers,
    })
    old = audit.c.seq <= purged.through.seq
    of_them = select(audit.c.subject).where(old, audit.c.action == ANSWER)
    connection.execute(delete(answers).where(answers.c.id.in_(of_them)))
    connection.execute(delete(audit).where(old))
