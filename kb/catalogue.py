"""The documents in SQL: what is known, what is published, and what the index still has to be told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, delete, false, func, insert, or_, select, update

from core.records import Article, Chunk, Document, Facts, Hit, Rank, SearchOptions, State, StoredDocument
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
from kb.schema import articles, chunks, documents, files, index_facts
from kb.versions import Span, short_title, spans, version_key

_FACTS = [documents.c[field.name] for field in fields(Facts)]
_ROW = [documents.c.id, documents.c.source, documents.c.state, documents.c.in_force_from,
        documents.c.in_force_to, documents.c.superseded_by, *_FACTS]
_ADDRESS = re.compile(r"第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?")
_OF_CHUNK = (articles.c.document_id == chunks.c.document_id) & (articles.c.position == chunks.c.article)
_SEEN = (State.PUBLISHED, State.STAGED)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the index holds and a query must not find, and the newest generation that this knows of."""

    generations: tuple[int, ...]
    documents: tuple[str, ...]
    newest: int


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One chunk with what the index needs to know of it."""

    id: str
    title: str
    heading: str
    address: str
    text: str
    document: str
    region: str | None
    rank: int
    span: Span
    public: bool


def known_states(connection: Connection, ids: Sequence[str]) -> dict[str, State]:
    rows = connection.execute(select(documents.c.id, documents.c.state).where(documents.c.id.in_(ids)))
    return {row.id: State(row.state) for row in rows}


def save(connection: Connection, batch: Sequence[Document], state: State, generation: int | None) -> None:
    """Write documents that are not there yet, with their articles and chunks."""
    held = spans_with(connection, batch)
    connection.execute(insert(documents), [_document_row(d, state, generation, held[d.id]) for d in batch])
    article_rows = [_article_row(d.id, n, a) for d in batch for n, a in enumerate(d.articles)]
    chunk_rows = [_chunk_row(chunk) for d in batch for chunk in d.chunks]
    if article_rows:
        connection.execute(insert(articles), article_rows)
    if chunk_rows:
        connection.execute(insert(chunks), chunk_rows)


def next_generation(connection: Connection) -> int:
    return _newest(connection) + 1


def stage(connection: Connection, ids: Sequence[str], generation: int) -> None:
    """Documents that are stored already enter the durable step ``generation``."""
    rows = connection.execute(select(*_ROW).where(documents.c.id.in_(ids))).all()
    held = _spans_of(connection, {row.id: facts_of(row) for row in rows})
    for row in rows:
        connection.execute(
            update(documents)
            .where(documents.c.id == row.id)
            .values(state=State.STAGED, generation=generation, **_span_values(held[row.id]))
        )


def publish(connection: Connection, generation: int) -> int:
    """Make a generation findable, all at once; earlier revisions of its sources go. Their number comes back.

    Among the earlier ones may be a revision that a failed write left staged: it must not come back later.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    mine = documents.c.generation == generation
    earlier = (documents.c.state == State.STAGED) & (documents.c.generation < generation)
    same_source = documents.c.source.in_(select(documents.c.source).where(mine))
    replaced = _take_out(connection, same_source & (documents.c.state == State.PUBLISHED) & ~mine, now)
    _take_out(connection, same_source & earlier, now)
    connection.execute(update(documents).where(mine).values(state=State.PUBLISHED, known_from=now, known_to=None))
    keys = select(documents.c.version_key).where(mine | documents.c.index_stale, documents.c.version_key.is_not(None))
    _refresh_spans(connection, [row.version_key for row in connection.execute(keys.distinct())])
    return replaced


def withdraw(connection: Connection, document_id: str) -> bool:
    """Take a published document out; False when there is none by that id."""
    now = datetime.now(UTC).replace(tzinfo=None)
    row = connection.execute(select(*_ROW).where(documents.c.id == document_id)).first()
    if row is None or row.state != State.PUBLISHED:
        return False
    _take_out(connection, documents.c.id == document_id, now)
    key = version_key(facts_of(row))
    _refresh_spans(connection, [key] if key else [])
    return True


def _take_out(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Remove documents from every answer; how many."""
    removed = update(documents).where(which).values(state=State.REMOVED, known_to=now, index_stale=True)
    return connection.execute(removed).rowcount


def hidden(connection: Connection) -> Hidden:
    """Read in this order and in one statement: between two, a commit could hide an old version and the new one."""
    newest = _newest(connection)
    staged, stale = documents.c.state == State.STAGED, documents.c.index_stale
    generation, name = case((staged, documents.c.generation)), case((stale, documents.c.id))
    rows = connection.execute(select(generation, name).where(staged | stale).distinct()).all()
    return Hidden(
        tuple(sorted({row[0] for row in rows if row[0] is not None})),
        tuple(sorted({row[1] for row in rows if row[1] is not None})),
        newest,
    )


def staged_documents(connection: Connection) -> list[str]:
    return list(connection.scalars(select(documents.c.id).where(documents.c.state == State.STAGED)))


def stale_documents(connection: Connection) -> list[tuple[StoredDocument, Span, list[str]]]:
    """Documents that the index holds with old dates, or holds though removed; with their chunk ids.

    A staged one waits for its own publishing: its points may not be there yet, or about to be written.
    """
    out = []
    stale = select(*_ROW).where(documents.c.index_stale, documents.c.state != State.STAGED)
    for row in connection.execute(stale).all():
        ids = connection.scalars(select(chunks.c.id).where(chunks.c.document_id == row.id))
        out.append((_stored(row), Span(row.in_force_from, row.in_force_to), list(ids)))
    return out


def mark_indexed(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(update(documents).where(documents.c.id.in_(ids)).values(index_stale=False))


def index_entries(batch: Sequence[Document], held: dict[str, Span]) -> Iterable[IndexEntry]:
    for document in batch:
        facts = document.facts
        for chunk in document.chunks:
            article = document.articles[chunk.article]
            yield IndexEntry(
                chunk.id, facts.title, "\n".join(article.heading), chunk.address or article.address,
                _indexed_text(document, chunk), document.id, facts.region, facts.rank,
                held[document.id], facts.public,
            )


def _indexed_text(document: Document, chunk: Chunk) -> str:
    text = document.text[chunk.start : chunk.end]
    return f"{document.text[slice(*chunk.header)]}\n{text}" if chunk.header else text


def spans_with(connection: Connection, batch: Sequence[Document]) -> dict[str, Span]:
    """When the documents of ``batch`` hold, given those that are published or about to be."""
    return _spans_of(connection, {document.id: document.facts for document in batch})


def hits(connection: Connection, scored: Sequence[tuple[str, float]], *, top: int, newest: int) -> list[Hit]:
    """The articles of the chunks, each once, in the order of their best chunk.

    Chunks of a generation after ``newest`` are left out: it was being written while the index was asked.
    """
    text = func.substr(documents.c.text, articles.c.start + 1, articles.c.end - articles.c.start).label("article_text")
    rows = connection.execute(
        select(chunks.c.id.label("chunk"), articles.c.ref, articles.c.address, articles.c.heading,
               articles.c.start, articles.c.end, text, *_ROW)
        .join(documents, documents.c.id == chunks.c.document_id)
        .join(articles, _OF_CHUNK)
        .where(chunks.c.id.in_([chunk for chunk, _ in scored]), documents.c.generation <= newest)
    )
    by_chunk = {row.chunk: row for row in rows}
    found: dict[tuple[str, int], Hit] = {}
    for chunk, score in scored:
        row = by_chunk.get(chunk)
        if row is None or len(found) == top or (row.id, row.start) in found:
            continue
        found[row.id, row.start] = Hit(
            row.ref, score, row.address, _lines(row.heading), row.article_text, row.start, row.end, _stored(row)
        )
    return list(found.values())


def named_chunks(connection: Connection, text: str, options: SearchOptions) -> list[str]:
    """Chunks of the articles that ``text`` names outright, as in 民法典第五百六十三条 or 《养犬管理条例》第十一条."""
    plain = re.sub(r"[《》〈〉\s]", "", text)
    found: list[str] = []
    for match in _ADDRESS.finditer(plain):
        before = plain[: match.start()]
        rows = connection.execute(
            select(chunks.c.id, documents.c.title)
            .join(articles, _OF_CHUNK)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(articles.c.address == match.group(0), documents.c.state == State.PUBLISHED, *_conditions(options))
        )
        found += [row.id for row in rows if before.endswith(short_title(row.title))]
    return found


def _conditions(options: SearchOptions) -> list[ColumnElement[bool]]:
    """The same conditions as the index applies, for what SQL looks up itself."""
    c = documents.c
    out: list[ColumnElement[bool]] = []
    if options.regions is not None:
        national = c.region.is_(None) if None in options.regions else false()
        out.append(or_(national, c.region.in_([region for region in options.regions if region])))
    if options.as_of is not None:
        out.append(or_(c.in_force_from.is_(None), c.in_force_from <= options.as_of))
        out.append(or_(c.in_force_to.is_(None), c.in_force_to > options.as_of))
    if options.public_only:
        out.append(c.public)
    if options.ranks is not None:
        out.append(c.rank.in_(options.ranks))
    return out


def load(connection: Connection, document_id: str) -> Document | None:
    paper = (documents.c.fields, documents.c.furniture, documents.c.places)
    row = connection.execute(select(*_ROW, documents.c.text, *paper).where(documents.c.id == document_id)).first()
    if row is None:
        return None
    parts = connection.execute(
        select(articles).where(articles.c.document_id == document_id).order_by(articles.c.position)
    )
    pieces = connection.execute(
        select(chunks).where(chunks.c.document_id == document_id).order_by(chunks.c.article, chunks.c.start)
    )
    return Document(
        row.id, facts_of(row), row.text,
        tuple(Article(p.ref, p.address, _lines(p.heading), p.start, p.end) for p in parts),
        tuple(map(_chunk_of, pieces)), row.source,
        unpack_fields(row.fields), unpack_furniture(row.furniture), unpack_places(row.places),
    )


def stored_documents(connection: Connection, states: Sequence[State]) -> list[StoredDocument]:
    rows = connection.execute(select(*_ROW).where(documents.c.state.in_(states)).order_by(documents.c.title))
    return [_stored(row) for row in rows]


def title_of(connection: Connection, document_id: str) -> str | None:
    return connection.scalar(select(documents.c.title).where(documents.c.id == document_id))


def article_texts(connection: Connection, *, national: bool) -> Iterator[tuple[str, str]]:
    query = select(documents.c.id, documents.c.title, documents.c.text).where(documents.c.state == State.PUBLISHED)
    if national:
        query = query.where(documents.c.region.is_(None))
    for row in connection.execute(query).all():
        for part in connection.execute(select(articles).where(articles.c.document_id == row.id)):
            yield part.ref, f"{row.title}\n{row.text[part.start : part.end]}"


def published_chunks(connection: Connection) -> int:
    published = documents.c.state == State.PUBLISHED
    return connection.scalar(select(func.count()).select_from(documents.join(chunks)).where(published)) or 0


def published_by_generation(connection: Connection) -> dict[int, list[str]]:
    """Ids of the published documents by the durable step that published them."""
    rows = connection.execute(
        select(documents.c.generation, documents.c.id).where(documents.c.state == State.PUBLISHED)
    )
    batches: dict[int, list[str]] = {}
    for row in rows:
        batches.setdefault(row.generation, []).append(row.id)
    return batches


def counts(connection: Connection) -> tuple[int, int, int]:
    """Published documents, their articles, their chunks."""
    seen = documents.c.state == State.PUBLISHED
    whole, parts = (
        connection.scalar(select(func.count()).select_from(table).where(seen)) or 0
        for table in (documents, documents.join(articles))
    )
    return whole, parts, published_chunks(connection)


def file_seen(connection: Connection, source: str, sha256: str, settings: str) -> bool:
    row = connection.execute(select(files).where(files.c.source == source)).first()
    return row is not None and (row.sha256, row.settings) == (sha256, settings)


def remember_file(connection: Connection, source: str, sha256: str, settings: str) -> None:
    connection.execute(delete(files).where(files.c.source == source))
    connection.execute(insert(files).values(source=source, sha256=sha256, settings=settings))


def read_index_facts(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(index_facts))}


def write_index_facts(connection: Connection, facts: dict[str, str]) -> None:
    connection.execute(insert(index_facts), [{"key": key, "value": value} for key, value in facts.items()])


def facts_of(row: Row[*tuple[Any, ...]]) -> Facts:
    values = {field.name: getattr(row, field.name) for field in fields(Facts)}
    return Facts(**(values | {"rank": Rank(row.rank)}))


def _stored(row: Row[*tuple[Any, ...]]) -> StoredDocument:
    return StoredDocument(
        row.id, facts_of(row), row.source, State(row.state), row.in_force_from, row.in_force_to, row.superseded_by
    )


def _lines(heading: str) -> tuple[str, ...]:
    return tuple(heading.split("\n")) if heading else ()


def _document_row(document: Document, state: State, generation: int | None, span: Span) -> dict[str, object]:
    facts = {field.name: getattr(document.facts, field.name) for field in fields(Facts)}
    return facts | _span_values(span) | {
        "id": document.id, "source": document.source, "state": state, "generation": generation,
        "version_key": version_key(document.facts), "index_stale": False, "text": document.text,
        "fields": pack_fields(document.fields), "furniture": pack_furniture(document.furniture),
        "places": pack_places(document.places),
    }


def _article_row(document_id: str, position: int, article: Article) -> dict[str, object]:
    return {
        "document_id": document_id, "position": position, "ref": article.ref, "address": article.address,
        "heading": "\n".join(article.heading), "start": article.start, "end": article.end,
    }


def _chunk_row(chunk: Chunk) -> dict[str, object]:
    header_start, header_end = chunk.header or (None, None)
    return {
        "id": chunk.id, "document_id": chunk.document_id, "article": chunk.article,
        "start": chunk.start, "end": chunk.end, "address": chunk.address,
        "header_start": header_start, "header_end": header_end, "page": chunk.page, "box": pack_box(chunk.box),
    }


def _chunk_of(row: Row[Any]) -> Chunk:
    header = None if row.header_start is None else (row.header_start, row.header_end)
    return Chunk(
        row.id, row.document_id, row.article, row.start, row.end, row.address, header, row.page, unpack_box(row.box)
    )


def _span_values(span: Span) -> dict[str, object]:
    return {"in_force_from": span.start, "in_force_to": span.end, "superseded_by": span.superseded_by}


def _spans_of(connection: Connection, mine: dict[str, Facts]) -> dict[str, Span]:
    families: dict[str, dict[str, Facts]] = {}
    out: dict[str, Span] = {}
    for name, facts in mine.items():
        key = version_key(facts)
        if key is None:
            out |= spans([(name, facts)])
        else:
            families.setdefault(key, {})[name] = facts
    for row in _family_rows(connection, list(families)):
        families[row.version_key].setdefault(row.id, facts_of(row))
    for family in families.values():
        held = spans(list(family.items()))
        out |= {name: held[name] for name in family if name in mine}
    return out


def _refresh_spans(connection: Connection, keys: Sequence[str]) -> None:
    """Write the dates that follow from today's versions; a row that changes is marked for the index."""
    families: dict[str, dict[str, Row[Any]]] = {}
    for row in _family_rows(connection, keys):
        families.setdefault(row.version_key, {})[row.id] = row
    changed = []
    for family in families.values():
        for name, span in spans([(name, facts_of(row)) for name, row in family.items()]).items():
            row = family[name]
            if (row.in_force_from, row.in_force_to, row.superseded_by) != (span.start, span.end, span.superseded_by):
                changed.append({"name": name, "index_stale": True, **_span_values(span)})
    if changed:
        connection.execute(update(documents).where(documents.c.id == bindparam("name")), changed)


def _newest(connection: Connection) -> int:
    return connection.scalar(select(func.max(documents.c.generation))) or 0


def _family_rows(connection: Connection, keys: Sequence[str]) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for i in range(0, len(keys), 500):  # SQLite binds a limited number of values
        some = documents.c.version_key.in_(keys[i : i + 500])
        query = select(*_ROW, documents.c.version_key).where(some, documents.c.state.in_(_SEEN))
        rows.extend(connection.execute(query))
    return rows
