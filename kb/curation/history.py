"""What was known at a moment: which revisions were published then, and which rulings stood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from core.records import State
from kb import catalogue
from kb.schema import audit, documents, rulings
from kb.steps import SYSTEM

_TOLD = ("publish", "withdraw")


def known_at(connection: Connection, moment: datetime) -> list[str]:
    """Ids of the documents that were published at ``moment`` (UTC), in the order in which they were published.

    By the log; of documents that an older program published, which it does not know, by their rows.
    """
    c = documents.c
    live: dict[str, str] = {}                # by source
    logged = select(audit.c.subject).where(audit.c.action == "publish")
    older = select(c.id, c.source).where(
        c.known_from <= moment, or_(c.known_to.is_(None), c.known_to > moment), c.id.not_in(logged)
    )
    for name, source in connection.execute(older.order_by(c.generation, c.added)):
        live[source] = name
    told = (
        select(audit.c.subject, audit.c.action, c.source).join(documents, c.id == audit.c.subject)
        .where(audit.c.action.in_(_TOLD), audit.c.at <= moment).order_by(audit.c.seq)
    )
    for name, action, source in connection.execute(told):
        live.pop(source, None)               # what is published again comes last
        if action == "publish":
            live[source] = name
    return list(live.values())


def in_publishing_order(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Of published documents."""
    rows = connection.execute(
        select(documents.c.id).where(documents.c.state == State.PUBLISHED)
        .order_by(documents.c.generation, documents.c.added)
    )
    wanted = set(ids)
    return [row.id for row in rows if row.id in wanted]


def rulings_at(connection: Connection, moment: datetime | None) -> list[Row[Any]]:
    """Rows of the rulings that stood at ``moment`` (UTC), None: that stand."""
    c = rulings.c
    if moment is None:
        query = select(rulings).where(c.undone_at.is_(None))
    else:
        query = select(rulings).where(c.at <= moment, or_(c.undone_at.is_(None), c.undone_at > moment))
    return list(connection.execute(query.order_by(c.number)))


def copy_rulings(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Into a base that has none, and give its documents their dates."""
    if not rows:
        return
    connection.execute(insert(rulings), [row._asdict() | {"undone_at": None, "undone_by": None} for row in rows])
    sources = {row.source for row in rows}
    ids = connection.scalars(select(documents.c.id).where(documents.c.source.in_(sources))).all()
    catalogue.redate(connection, ids, SYSTEM)

