"""The log of every change and every answer: rows chained by their hashes, so that none can be changed unseen.

hash = sha256(previous hash, seq, time, who, action, subject, detail), the parts joined by a character that none holds.
A row is written in the transaction of what it tells of. What was cut off at the end is found by `checkpoints`, which
are kept outside the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, insert, select, update

from kb.schema import audit, counters

FIRST = "0" * 64                 # what the first row follows
_SEPARATOR = "\x1e"              # the record separator of ASCII; json.dumps writes it as \u001e

Detail = Mapping[str, object]    # what JSON can say


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to one thing."""

    action: str                  # publish, withdraw, edit, repeal, answer, …
    subject: str                 # id of what was changed
    detail: Detail


def record(connection: Connection, who: str, action: str, subject: str, detail: Detail) -> None:
    record_all(connection, who, [Entry(action, subject, detail)])


def record_all(connection: Connection, who: str, entries: Sequence[Entry]) -> None:
    """In order, all at the same time. Others who write to the log wait until the transaction ends."""
    if not entries:
        return
    # Two at once would follow the same row; ``policydesk jobs add`` writes beside the process that holds the home.
    connection.execute(update(counters).where(counters.c.key == "commits").values(number=counters.c.number))
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, previous = (last.seq, last.hash) if last else (0, FIRST)
    now = utc_now()
    rows = []
    for number, entry in enumerate(entries, start=seq + 1):
        detail = json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True)
        digest = row_hash(previous, number, now, who, entry.action, entry.subject, detail)
        rows.append({
            "seq": number, "at": now, "who": who, "action": entry.action, "subject": entry.subject, "detail": detail,
            "previous": previous, "hash": digest,
        })
        previous = digest
    connection.execute(insert(audit), rows)


def row_hash(previous: str, seq: int, at: datetime, who: str, action: str, subject: str, detail: str) -> str:
    parts = (previous, str(seq), at.isoformat(timespec="microseconds"), who, action, subject, detail)
    escaped = (part.replace(_SEPARATOR, "\\u001e") for part in parts)
    return hashlib.sha256(_SEPARATOR.join(escaped).encode()).hexdigest()


def hash_of(row: Row[tuple[object, ...]]) -> str:
    """What the hash of a row of `audit` has to be."""
    return row_hash(row.previous, row.seq, row.at, row.who, row.action, row.subject, row.detail)


def utc_now() -> datetime:
    """As the tables hold times: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)
