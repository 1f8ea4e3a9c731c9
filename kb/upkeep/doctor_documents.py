"""Is what SQL keeps of a document what follows from its facts, text and articles?

Everything that is derived is derived again, by the code that writes it, into a database in memory, and compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, insert, select, update
from sqlalchemy.pool import StaticPool

from core.records import Document, State
from kb import catalogue, lookup
from kb.conflicts.clause_rows import complete_clauses
from kb.curation.card_rows import save_cards
from kb.curation.duplicates import save_sketches, sketches_of
from kb.points import point_ids
from kb.rows import Standing
from kb.schema import articles, bands, cards, chunks, clauses, documents, edges, metadata, names, sketches
from kb.upkeep.doctor_findings import Finding
from kb.versions import Span, version_key

AT_ONCE = 200                # documents
_DERIVED = (chunks, names, edges, sketches, bands, cards, clauses)
_LATER = frozenset({"cards", "clauses"})      # are read from the text where there are no rows yet
_BY_RULE = "rule"            # what else is in edges and cards is nobody's to make again
_TOLD = {
    "chunks": "切分（位置、条目名、检索用文字）", "names": "可被引用的名称", "edges": "引用关系",
    "sketches": "查重指纹", "bands": "查重索引", "cards": "要点卡片", "clauses": "比对用语句",
}

Remake = Callable[[Document], Document]
"""The document made anew from its facts, text and articles; raises `ValueError` when they do not fit together."""

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What SQL has to hold of a document, and what it holds."""

    wanted: Rows
    there: Rows

    def wrong(self) -> list[str]:
        """Tables that differ."""
        return [
            table for table, rows in self.wanted.items()
            if not _equal(rows, self.there[table]) and (self.there[table] or table not in _LATER)
        ]


class Scratch:
    """A database in memory with our tables, in which derived rows are made again."""

    def __init__(self) -> None:
        self._engine: Engine = create_engine("sqlite://", poolclass=StaticPool)
        metadata.create_all(self._engine, [documents, articles, *_DERIVED])

    def close(self) -> None:
        self._engine.dispose()

    def derived(self, batch: Sequence[Document]) -> dict[str, Rows]:
        """Rows by table, by document."""
        with self._engine.connect() as connection:
            points = {c.id: p for d in batch for c, p in zip(d.chunks, point_ids(d), strict=True)}
            standing = Standing(State.PUBLISHED, None, Span(None, None))
            catalogue.save(connection, batch, dict.fromkeys([d.id for d in batch], standing), points)
            save_sketches(connection, batch, sketches_of(batch))
            save_cards(connection, batch)
            complete_clauses(connection)
            found = derived_rows(connection, [document.id for document in batch])
            connection.rollback()
        return found


def derived_rows(connection: Connection, ids: Sequence[str]) -> dict[str, Rows]:
    """Rows by table, by document."""
    found: dict[str, Rows] = {name: {table.name: [] for table in _DERIVED} for name in ids}
    for table in _DERIVED:
        query = select(table).where(table.c.document_id.in_(ids))
        if "method" in table.c:
            query = query.where(table.c.method == _BY_RULE)
        for row in connection.execute(query).mappings():
            found[row["document_id"]][table.name].append(dict(row))
    return found


def document_findings(
    connection: Connection, ids: Sequence[str], remake: Remake, *, look: Callable[[int], None]
) -> Iterator[Finding]:
    """What is wrong with each of the documents; ``look`` is told how many were looked at."""
    scratch = Scratch()
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        read = [_read(connection, name, remake) for name in some]
        yield from (one for one in read if isinstance(one, Finding))
        sound = [one for one in read if isinstance(one, Document)]
        wanted = scratch.derived(sound)
        there = derived_rows(connection, [document.id for document in sound])
        keys = _version_keys(connection, some)
        for document in sound:
            yield from _differences(document, Expected(wanted[document.id], there[document.id]))
            if keys[document.id] != version_key(document.facts):
                yield Finding("version_key", document.id, f"文件 {document.id} 的版本归属与标题不符", "重新推算")
        look(len(some))
    scratch.close()


def _differences(document: Document, expected: Expected) -> Iterator[Finding]:
    for table in expected.wrong():
        yield Finding(
            f"{table}_wrong", document.id, f"文件 {document.id} 的{_TOLD[table]}与由全文推算的不符", "由全文重新推算"
        )


def _read(connection: Connection, name: str, remake: Remake) -> Document | Finding:
    """The document, with other chunks where its own do not fit its text; a finding where its content is another."""
    try:
        document = lookup.load(connection, name)
        assert document is not None
        again = remake(document)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return Finding("content_damaged", name, f"文件 {name} 的全文、条文与切分对不上：{error}", "")
    if again.id != name:
        problem = f"文件 {name} 的内容（信息、全文或条文）被改动过：现在的指纹是 {again.id}"
        return Finding("content_changed", name, problem, "")
    return document if _fits(document) else again


def _fits(document: Document) -> bool:
    """Chunks and furniture cover the text once, each chunk lies in its article and is named after its place."""
    for chunk in document.chunks:
        if not 0 <= chunk.article < len(document.articles):
            return False
        article = document.articles[chunk.article]
        named = hashlib.sha256(f"{document.id} {chunk.start} {chunk.end}".encode()).hexdigest()[:16]
        if chunk.id != named or not article.start <= chunk.start < chunk.end <= article.end:
            return False
    if not document.furniture:       # of a program that kept none
        written = {n for n, one in enumerate(document.articles) if document.text[one.start : one.end].strip()}
        return written <= {chunk.article for chunk in document.chunks}
    spans = sorted([*((c.start, c.end) for c in document.chunks), *((f.start, f.end) for f in document.furniture)])
    whole = [(0, 0), *spans, (len(document.text), len(document.text))]
    return all(one[1] == two[0] for one, two in pairwise(whole))


def _version_keys(connection: Connection, ids: Sequence[str]) -> dict[str, str | None]:
    query = select(documents.c.id, documents.c.version_key).where(documents.c.id.in_(ids))
    return {row.id: row.version_key for row in connection.execute(query)}


def _equal(wanted: Sequence[dict[str, Any]], there: Sequence[dict[str, Any]]) -> bool:
    """But for the words of chunks that an older program stored without; searches find theirs in the text."""
    without = {"method"} | ({"plain"} if any(row.get("plain", "") is None for row in there) else set())
    one, other = (
        sorted(repr(sorted((key, value) for key, value in row.items() if key not in without)) for row in rows)
        for rows in (wanted, there)
    )
    return one == other


# repairs


def repair_documents(connection: Connection, ids: Sequence[str], remake: Remake) -> None:
    """Derived rows anew; chunks too where they do not fit the text."""
    scratch = Scratch()
    for start in range(0, len(ids), AT_ONCE):
        read = [_read(connection, name, remake) for name in ids[start : start + AT_ONCE]]
        batch = [one for one in read if isinstance(one, Document)]
        wanted = scratch.derived(batch)
        there = derived_rows(connection, [document.id for document in batch])
        for document in batch:
            expected = Expected(wanted[document.id], there[document.id])
            for table in expected.wrong():
                _write(connection, metadata.tables[table], document.id, expected.wanted[table])
            key = version_key(document.facts)
            connection.execute(update(documents).where(documents.c.id == document.id).values(version_key=key))
    scratch.close()


def _write(connection: Connection, table: Table, name: str, rows: Sequence[dict[str, Any]]) -> None:
    mine = table.c.document_id == name
    if "method" in table.c:
        numbers = [row["number"] for row in rows]
        mine &= (table.c.method == _BY_RULE) | table.c.number.in_(numbers)
    connection.execute(delete(table).where(mine))
    if table is chunks:      # one of another document may have taken its name
        connection.execute(delete(chunks).where(chunks.c.id.in_([row["id"] for row in rows])))
    if rows:
        connection.execute(insert(table), list(rows))


