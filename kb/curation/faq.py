"""Standard questions and service guides: answers that editors wrote, with the places that carry them.

An entry cites a source, an address in it and a quote; which revision is meant is settled when it answers, so that an
entry can never quote what is not published. When the text of a cited article changes, or its document is taken out or
ends, the entry is suspended in the same transaction. What became of an entry stands in the log alone.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from core.errors import NotFound, PolicyDeskError
from core.records import Ended, State
from kb.curation.faq_entries import Basis, FaqEntry, FaqState, Kind, check_entry, entry_json, entry_of
from kb.log.audit import AuditRow, Wanted, listed, record, utc_now
from kb.numbers_said import unsaid_numbers
from kb.schema import articles, audit, counters, documents, faqs

VERSION = "faqs"                 # of `counters`: changes whenever an entry does
_AT_ONCE = 5_000                 # ids in one query


def add(connection: Connection, who: str, entry: FaqEntry) -> str:
    """Store a draft; its id. Raises `PolicyDeskError` for what no entry can be."""
    check_entry(entry)
    stored = replace(entry, id=uuid.uuid4().hex[:16], state=FaqState.DRAFT, reason=None)
    connection.execute(insert(faqs), [_row(stored)])
    _changed(connection, who, "faq.add", None, stored)
    return stored.id


def edit(connection: Connection, who: str, entry: FaqEntry) -> None:
    """Store another content under the id of ``entry``; one that answers must still stand on what it cites.

    Raises `NotFound`, and `PolicyDeskError` as `add` and `publish`.
    """
    before = load(connection, entry.id)
    after = replace(entry, state=before.state, reason=before.reason)
    check_entry(after)
    if before.state is FaqState.PUBLISHED:
        after = _standing(connection, after)
    _write(connection, who, "faq.edit", before, after)


def publish(connection: Connection, who: str, entry_id: str) -> None:
    """Let an entry answer. Raises `NotFound`, and `PolicyDeskError` naming every quote that does not stand."""
    before = load(connection, entry_id)
    after = replace(_standing(connection, before), state=FaqState.PUBLISHED, reason=None)
    _write(connection, who, "faq.publish", before, after)


def withdraw(connection: Connection, who: str, entry_id: str) -> None:
    """It answers no more. Raises `NotFound`."""
    before = load(connection, entry_id)
    _write(connection, who, "faq.withdraw", before, replace(before, state=FaqState.WITHDRAWN, reason=None))


def revert(connection: Connection, who: str, entry_id: str, seq: int) -> None:
    """Bring back the content that the entry had after row ``seq`` of its history; its state stays.

    Raises `NotFound`, and `PolicyDeskError` as `edit`.
    """
    rows = {row.seq: row for row in history(connection, entry_id)}
    if seq not in rows or not rows[seq].detail["after"]:
        raise NotFound(f"条目 {entry_id} 的历史中没有第 {seq} 行。用 policydesk faq history {entry_id} 查看")
    edit(connection, who, replace(entry_of(rows[seq].detail["after"]), id=entry_id))


def put_all(connection: Connection, who: str, entries: Sequence[FaqEntry], *, publish_them: bool) -> list[str]:
    """Change the entries whose id is known, add the others; their ids. Raises as `add`, `edit` and `publish`."""
    known = {entry.id for entry in load_all(connection, list(FaqState))}
    ids = []
    for entry in entries:
        if entry.id in known:
            edit(connection, who, entry)
        ids.append(entry.id if entry.id in known else add(connection, who, entry))
        if publish_them:
            publish(connection, who, ids[-1])
    return ids


def suspend_dependents(
    connection: Connection, document_ids: Sequence[str], reason: str, *, who: str = "系统"
) -> tuple[str, ...]:
    """Suspend the published entries that lean on documents that were taken out, replaced or ended; their ids.

    To be called in the transaction of that change, after it, with the documents as they were before. An entry stays
    when each place that it cites is still published, word for word the same article, and was not ended.
    """
    published = load_all(connection, [FaqState.PUBLISHED])
    touched = _sources(connection, document_ids) if published else set()
    leaning = [entry for entry in published if touched.intersection(basis.source for basis in entry.citations)]
    suspended = []
    for before in leaning:
        if all(_stands(connection, basis) for basis in before.citations):
            continue
        after = replace(before, state=FaqState.SUSPENDED, reason=reason)
        _write(connection, who, "faq.suspend", before, after)
        suspended.append(before.id)
    return tuple(suspended)


def dependents(connection: Connection, document_ids: Sequence[str]) -> list[FaqEntry]:
    """Published and suspended entries that cite one of the documents, for showing what a change would touch."""
    entries = load_all(connection, [FaqState.PUBLISHED, FaqState.SUSPENDED])
    touched = _sources(connection, document_ids) if entries else set()
    return [entry for entry in entries if touched.intersection(basis.source for basis in entry.citations)]


# reading


def load(connection: Connection, entry_id: str) -> FaqEntry:
    """Raises `NotFound`."""
    row = connection.execute(select(faqs).where(faqs.c.id == entry_id)).first()
    if row is None:
        raise NotFound(f"没有编号为 {entry_id} 的条目。用 policydesk faq list 查看编号")
    return _entry(row)


def load_all(connection: Connection, states: Sequence[FaqState]) -> list[FaqEntry]:
    """In a fixed order."""
    rows = connection.execute(select(faqs).where(faqs.c.state.in_(states)).order_by(faqs.c.question, faqs.c.id))
    return [_entry(row) for row in rows]


def history(connection: Connection, entry_id: str) -> list[AuditRow]:
    """What became of an entry, the earliest first: each row's detail has ``before`` and ``after``."""
    rows = listed(connection, Wanted(subject=entry_id))
    return [row for row in rows if row.action.startswith("faq.")]


def published_at(connection: Connection, moment: datetime) -> list[FaqEntry]:
    """The entries that answered at ``moment`` (UTC), by the log; one that it does not know has not changed since."""
    then = {entry.id: entry for entry in load_all(connection, list(FaqState))}
    query = select(audit).where(audit.c.action.startswith("faq.")).order_by(audit.c.seq)
    later: set[str] = set()
    for row in connection.execute(query):
        detail = json.loads(row.detail)
        if row.at <= moment:
            then[row.subject] = entry_of(detail["after"])
        elif row.subject not in later:
            later.add(row.subject)
            if detail["before"] is None:
                then.pop(row.subject, None)
            else:
                then[row.subject] = entry_of(detail["before"])
    return [entry for entry in then.values() if entry.state is FaqState.PUBLISHED]


def copy_in(connection: Connection, entries: Sequence[FaqEntry]) -> None:
    """Into a base that has none: as they are, and as nobody's change."""
    if entries:
        connection.execute(insert(faqs), [_row(entry) for entry in entries])
        _count(connection)


# what an entry stands on


@dataclass(frozen=True, slots=True)
class Cited:
    """An article as it is published now."""

    document_id: str
    ref: str
    start: int                   # of the article, in its document's text
    text: str
    ended: bool                  # another document or an editor ended it, perhaps from a later day on

    def is_as_checked(self, basis: Basis) -> bool:
        """Whether the article has not changed since the entry was published."""
        return _hash(self.text) == basis.text_hash


def cited(connection: Connection, basis: Basis) -> Cited | None:
    """None when no published document of that source has such an article, or the quote does not stand in it."""
    rows = connection.execute(
        select(documents.c.id, documents.c.text, documents.c.ended_how, articles.c.ref, articles.c.start,
               articles.c.end)
        .join(articles, articles.c.document_id == documents.c.id)
        .where(documents.c.source == basis.source, documents.c.state == State.PUBLISHED,
               articles.c.address == basis.address)
        .order_by(articles.c.position)
    )
    for row in rows:
        text = row.text[row.start : row.end]
        if basis.quote in text:
            return Cited(row.id, row.ref, row.start, text, row.ended_how in (Ended.REPEALED, Ended.SUPERSEDED))
    return None


def _stands(connection: Connection, basis: Basis) -> bool:
    found = cited(connection, basis)
    return found is not None and not found.ended and found.is_as_checked(basis)


def _standing(connection: Connection, entry: FaqEntry) -> FaqEntry:
    """With the hashes of the articles as they are now. Raises `PolicyDeskError` when it does not stand on them."""
    if not entry.citations:
        raise PolicyDeskError("没有引文的条目不能发布。请用 --cite 给出 来源、条款和原文")
    entry = replace(entry, citations=tuple(_with_source(connection, basis) for basis in entry.citations))
    found = [(basis, cited(connection, basis)) for basis in entry.citations]
    missing = [f"{basis.source} {basis.address}“{basis.quote}”" for basis, there in found if there is None]
    if missing:
        raise PolicyDeskError(
            f"下列引文不在已发布文件的该条款中：{'；'.join(missing)}。"
            "请核对来源（policydesk documents --json 的 source，或发文字号、标题）、条款和原文"
        )
    if unsaid := unsaid_numbers(entry.answer, [basis.quote for basis in entry.citations]):
        raise PolicyDeskError(f"答复中的 {'、'.join(unsaid)} 不在任何一条引文中。请补上引文或改正答复")
    return replace(entry, citations=tuple(
        replace(basis, text_hash=_hash(there.text)) for basis, there in found if there is not None
    ))


def _with_source(connection: Connection, basis: Basis) -> Basis:
    """With the source of the one published document that ``basis`` names by its 发文字号 or title, if it does."""
    c = documents.c
    published = select(c.source).where(c.state == State.PUBLISHED).distinct()
    for same in (c.source == basis.source, c.doc_no == basis.source, c.title == basis.source):
        found = connection.scalars(published.where(same).limit(2)).all()
        if len(found) == 1:
            return replace(basis, source=found[0])
    return basis


def _sources(connection: Connection, document_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(document_ids), _AT_ONCE):
        some = documents.c.id.in_(document_ids[start : start + _AT_ONCE])
        found |= set(connection.scalars(select(documents.c.source).where(some)))
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# writing


def _write(connection: Connection, who: str, action: str, before: FaqEntry, after: FaqEntry) -> None:
    row = _row(after)
    connection.execute(update(faqs).where(faqs.c.id == row.pop("id")).values(**row))
    _changed(connection, who, action, before, after)


def _changed(connection: Connection, who: str, action: str, before: FaqEntry | None, after: FaqEntry) -> None:
    record(connection, who, action, after.id, {
        "before": before and entry_json(before), "after": entry_json(after),
    })
    _count(connection)


def _count(connection: Connection) -> None:
    count = connection.scalar(select(counters.c.number).where(counters.c.key == VERSION)) or 0
    connection.execute(delete(counters).where(counters.c.key == VERSION))
    connection.execute(insert(counters), [{"key": VERSION, "number": count + 1}])


def _row(entry: FaqEntry) -> dict[str, Any]:
    row = asdict(entry) | {"changed_at": utc_now()}
    for name in ("similar", "negative", "citations"):
        row[name] = json.dumps(row[name], ensure_ascii=False)
    return row


def _entry(row: Row[Any]) -> FaqEntry:
    values = dict(row._mapping)
    del values["changed_at"]
    for name in ("similar", "negative", "citations"):
        values[name] = tuple(json.loads(values[name]))
    values["citations"] = tuple(Basis(**one) for one in values["citations"])
    return FaqEntry(**values | {"kind": Kind(row.kind), "state": FaqState(row.state)})
