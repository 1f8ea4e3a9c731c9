"""Editors' changes in SQL: by source, in the order in which they were made, each kept when it is undone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.records import EditKind, EditorChange, StoredEdit
from kb.log.audit import record, utc_now
from kb.schema import documents, edits


def edits_of(connection: Connection, source: str) -> list[StoredEdit]:
    """Also those that were undone."""
    rows = connection.execute(select(edits).where(edits.c.source == source).order_by(edits.c.number))
    return [_stored(row) for row in rows]


def edit_numbered(connection: Connection, number: int) -> StoredEdit | None:
    row = connection.execute(select(edits).where(edits.c.number == number)).first()
    return _stored(row) if row else None


def changes_of(connection: Connection, sources: Sequence[str]) -> dict[str, list[EditorChange]]:
    """What is to be made again on a new reading, by source."""
    found: dict[str, list[EditorChange]] = {}
    query = select(edits).where(edits.c.source.in_(sources), edits.c.undone_at.is_(None)).order_by(edits.c.number)
    for row in connection.execute(query):
        found.setdefault(row.source, []).append(_stored(row).change)
    return found


def save_edit(connection: Connection, source: str, document_id: str, change: EditorChange, who: str) -> int:
    """The number of the new edit."""
    row = {
        "source": source, "kind": change.kind, "name": change.name, "old": change.old, "new": change.new,
        "old_hash": hashlib.sha256(change.old.encode()).hexdigest()[:16], "who": who, "at": utc_now(),
    }
    key = connection.execute(insert(edits).values(**row)).inserted_primary_key
    assert key is not None
    detail = {"number": key[0], "source": source, "kind": change.kind, "name": change.name,
              "old": change.old, "new": change.new}
    record(connection, who, "edit", document_id, detail)
    return int(key[0])


def undo_edit(connection: Connection, edit: StoredEdit, document_id: str, who: str) -> None:
    undone = update(edits).where(edits.c.number == edit.number).values(undone_at=utc_now(), undone_by=who)
    connection.execute(undone)
    record(connection, who, "undo_edit", document_id, {"number": edit.number, "source": edit.source})


def parsed_of(connection: Connection, document_id: str) -> str | None:
    """The revision as read, of one that editors changed."""
    return connection.scalar(select(documents.c.parsed).where(documents.c.id == document_id))


def set_parsed(connection: Connection, document_id: str, parsed: str | None) -> None:
    connection.execute(update(documents).where(documents.c.id == document_id).values(parsed=parsed))


def _stored(row: Row[Any]) -> StoredEdit:
    change = EditorChange(EditKind(row.kind), row.name, row.old, row.new)
    return StoredEdit(row.number, row.source, change, row.who, row.at, row.undone_at, row.undone_by)
