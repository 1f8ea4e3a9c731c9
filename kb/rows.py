"""Records to rows of the SQL tables, and back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row

from core.records import Article, Chunk, Document, Ended, Facts, Rank, State, StoredDocument
from kb.packed import (
    pack_box,
    pack_fields,
    pack_furniture,
    pack_places,
    unpack_box,
    unpack_fields,
    unpack_furniture,
    unpack_places,
)
from kb.schema import documents
from kb.tokens import plain
from kb.unindexed import unindexed
from kb.versions import Span, version_key

_FACTS = [documents.c[field.name] for field in fields(Facts)]
SPAN = [documents.c.in_force_from, documents.c.in_force_to, documents.c.superseded_by, documents.c.ended_how,
        documents.c.ended_name]
STORED = [documents.c.id, documents.c.source, documents.c.state, *SPAN, *_FACTS]
WHOLE = [*STORED, documents.c.text, documents.c.fields, documents.c.furniture, documents.c.places]


def in_state(*states: State, of: FromClause = documents) -> ColumnElement[bool]:
    """The condition beside another one that finds few rows.

    Without index: SQLite takes a state for the rarer thing and would begin at all that is published (7 ms a search).
    """
    return unindexed(of.c.state).in_(states)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a document's row says beside its content."""

    state: State
    generation: int | None
    span: Span
    index_stale: bool = False    # the index holds other dates for its points


def facts_of(row: Row[Any]) -> Facts:
    values = {field.name: getattr(row, field.name) for field in fields(Facts)}
    return Facts(**(values | {"rank": Rank(row.rank)}))


def stored_of(row: Row[Any]) -> StoredDocument:
    """From a row with the columns `STORED`."""
    return StoredDocument(
        row.id, facts_of(row), row.source, State(row.state), row.in_force_from, row.in_force_to, row.superseded_by,
        Ended(row.ended_how) if row.ended_how else None, row.ended_name,
    )


def document_of(row: Row[Any], articles: tuple[Article, ...], chunks: tuple[Chunk, ...]) -> Document:
    """From a row with the columns `WHOLE`."""
    return Document(
        row.id, facts_of(row), row.text, articles, chunks, row.source,
        unpack_fields(row.fields), unpack_furniture(row.furniture), unpack_places(row.places),
    )


def article_of(row: Row[Any]) -> Article:
    return Article(row.ref, row.address, lines(row.heading), row.start, row.end)


def chunk_of(row: Row[Any]) -> Chunk:
    header = None if row.header_start is None else (row.header_start, row.header_end)
    return Chunk(
        row.id, row.document_id, row.article, row.start, row.end, row.address, header, row.page, unpack_box(row.box)
    )


def lines(heading: str) -> tuple[str, ...]:
    return tuple(heading.split("\n")) if heading else ()


def document_row(document: Document, standing: Standing, added: int) -> dict[str, object]:
    facts = {field.name: getattr(document.facts, field.name) for field in fields(Facts)}
    return facts | standing_values(standing) | {
        "id": document.id, "source": document.source, "version_key": version_key(document.facts), "added": added,
        "text": document.text, "fields": pack_fields(document.fields),
        "furniture": pack_furniture(document.furniture), "places": pack_places(document.places),
    }


def standing_values(standing: Standing) -> dict[str, object]:
    return span_values(standing.span) | {
        "state": standing.state, "generation": standing.generation, "index_stale": standing.index_stale,
    }


def span_values(span: Span) -> dict[str, object]:
    return {
        "in_force_from": span.start, "in_force_to": span.end, "superseded_by": span.superseded_by,
        "ended_how": span.how, "ended_name": span.name,
    }


def span_of(row: Row[Any]) -> Span:
    """From a row with the columns `SPAN`."""
    how = Ended(row.ended_how) if row.ended_how else None
    return Span(row.in_force_from, row.in_force_to, row.superseded_by, how, row.ended_name)


def article_row(document_id: str, position: int, article: Article) -> dict[str, int | str | None]:
    return {
        "document_id": document_id, "position": position, "ref": article.ref, "address": article.address,
        "heading": "\n".join(article.heading), "start": article.start, "end": article.end,
    }


def chunk_row(chunk: Chunk, point: str, text: str) -> dict[str, int | str | None]:
    """``text`` is the document's."""
    header_start, header_end = chunk.header or (None, None)
    return {
        "id": chunk.id, "document_id": chunk.document_id, "article": chunk.article,
        "start": chunk.start, "end": chunk.end, "address": chunk.address,
        "header_start": header_start, "header_end": header_end, "page": chunk.page, "box": pack_box(chunk.box),
        "point": point, "plain": plain(words_in(chunk, text)),
    }


def words_in(chunk: Chunk, text: str) -> str:
    """The rows or paragraphs of a chunk, after the header rows of its table."""
    header = f"{text[slice(*chunk.header)]}\n" if chunk.header else ""
    return header + text[chunk.start : chunk.end]
