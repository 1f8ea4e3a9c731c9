"""Reading the catalogue: what a search found, whole documents, lists and counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, false, func, literal, or_, select

from core.records import Document, Hit, SearchOptions, State, StoredDocument
from kb.features import Candidate
from kb.law_names import name_key
from kb.named import NamedNumber, named_addresses, named_numbers
from kb.rows import STORED, WHOLE, article_of, chunk_of, document_of, in_state, lines, stored_of
from kb.schema import articles, chunks, documents, names
from kb.tokens import plain
from kb.versions import short_title

_OF_CHUNK = (articles.c.document_id == chunks.c.document_id) & (articles.c.position == chunks.c.article)
_ARTICLES_OF_NUMBER = 3      # of a document that a question names by its number: as many as an answer quotes
_NAME_LENGTH = 4             # a shorter name stands in a question by chance
_PUBLISHED = documents.c.state == State.PUBLISHED
_AT_POINTS = chunks.c.point.in_(bindparam("points", expanding=True))     # 200 values in the query itself: 1 ms more
# Of chunks that an older program stored; SQLite walks through the document for it, so only for those.
_CHUNK_TEXT = case(
    (chunks.c.plain.is_(None), func.substr(documents.c.text, chunks.c.start + 1, chunks.c.end - chunks.c.start))
).label("text")


class ListScores(NamedTuple):
    """Of one point."""

    sparse: float
    dense: float
    fused: float
    linked: float                # 1 when the graph leads to it from the first ones


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A chunk that was found, and the article it belongs to."""

    candidate: Candidate
    article: int                 # position in its document
    ref: str
    source: str
    start: int                   # of the chunk, in its document's text
    end: int


def candidate_rows(
    connection: Connection, scores: Mapping[str, ListScores], options: SearchOptions
) -> list[CandidateRow]:
    """What the ranker has to know of each point that a published document within ``options`` holds, in order."""
    rows = connection.execute(
        select(chunks.c.point, chunks.c.plain, _CHUNK_TEXT, documents.c.id, documents.c.title, articles.c.heading,
               documents.c.rank, chunks.c.article, articles.c.ref, documents.c.source, chunks.c.start, chunks.c.end)
        .join(documents, documents.c.id == chunks.c.document_id)
        .join(articles, _OF_CHUNK)
        .where(_AT_POINTS, in_state(State.PUBLISHED), *conditions(options)),
        {"points": list(scores)},
    ).all()
    plain_of = lru_cache(maxsize=None)(plain)      # titles and headings repeat
    found = {}
    for point, text, whole, document, title, heading, rank, article, ref, source, start, end in rows:
        candidate = Candidate(
            point, document, plain(whole) if text is None else text, plain_of(title), plain_of(heading), rank,
            *scores[point],
        )
        found[point] = CandidateRow(candidate, article, ref, source, start, end)
    return [found[point] for point in scores if point in found]


def points_at(connection: Connection, places: Collection[tuple[str, int]]) -> list[str]:
    """Points of the chunks of articles, each named by its document and position."""
    c = chunks.c
    rows = connection.execute(
        select(c.point, c.document_id, c.article).where(
            c.document_id.in_({document for document, _ in places}), c.article.in_({article for _, article in places})
        )
    )
    return [point for point, document, article in rows if (document, article) in places]


def hits(
    connection: Connection, scored: Sequence[tuple[str, float, tuple[tuple[str, float], ...]]], options: SearchOptions
) -> list[Hit]:
    """The articles of published documents that the points stand for, each once, in the order of their best point.

    The conditions are applied here again: the index may still hold points of what was taken out, or old dates.
    """
    text = func.substr(documents.c.text, articles.c.start + 1, articles.c.end - articles.c.start).label("article_text")
    rows = connection.execute(
        select(chunks.c.point, chunks.c.start.label("chunk_start"), chunks.c.end.label("chunk_end"), articles.c.ref,
               articles.c.address, articles.c.heading, articles.c.start, articles.c.end, text, *STORED)
        .join(documents, documents.c.id == chunks.c.document_id)
        .join(articles, _OF_CHUNK)
        .where(_AT_POINTS, in_state(State.PUBLISHED), *conditions(options)),
        {"points": [point for point, _, _ in scored]},
    )
    by_point = {row.point: row for row in rows}
    found: dict[tuple[str, int], Hit] = {}
    for point, score, scores in scored:
        row = by_point.get(point)
        if row is None or len(found) == options.top or (row.id, row.start) in found:
            continue
        found[row.id, row.start] = Hit(
            row.ref, score, row.address, lines(row.heading), row.article_text, row.start, row.end, stored_of(row),
            (row.chunk_start, row.chunk_end), scores,
        )
    return list(found.values())


def named_points(connection: Connection, text: str, options: SearchOptions) -> list[str]:
    """Points of what ``text`` names outright: 民法典第五百六十三条, 《养犬管理条例》第11条, 国办发〔2023〕15号."""
    found: list[str] = []
    for before, spellings in named_addresses(text):
        rows = connection.execute(
            select(chunks.c.point, documents.c.title)
            .join(articles, _OF_CHUNK)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(articles.c.address.in_(spellings), _PUBLISHED, *conditions(options))
        )
        found += [row.point for row in rows if before.endswith(short_title(row.title))]
    for named in named_numbers(text):
        if numbers := _stored_numbers(connection, named, options):
            found += _points_of_numbers(connection, numbers, text, options)
    return found


def not_in_force(connection: Connection, text: str, options: SearchOptions) -> list[StoredDocument]:
    """Published documents that ``text`` calls by name and that have ended by the day of ``options``, or not begun.

    A name that a document in force bears too means that one.
    """
    if options.as_of is None:
        return []
    day, whenever = options.as_of, conditions(replace(options, as_of=None))
    key = name_key(text).replace("\0", "")
    said = literal(key).contains(names.c.name) & (func.length(names.c.name) >= _NAME_LENGTH)
    rows = connection.execute(
        select(names.c.name, *STORED).join(documents).where(said, in_state(State.PUBLISHED), *whenever)
        .order_by(documents.c.in_force_from)
    )
    bearers: dict[str, list[StoredDocument]] = {}
    for row in rows:
        bearers.setdefault(row.name, []).append(stored_of(row))
    longest = [own for name, own in bearers.items() if not any(name != other and name in other for other in bearers)]
    meant = [own[-1] for own in longest if not any(document.in_force(day) for document in own)]
    return list({document.id: document for document in meant}.values())


def _stored_numbers(connection: Connection, named: NamedNumber, options: SearchOptions) -> list[str]:
    """The 发文字号 that is meant; several where its first characters were left out."""
    number = documents.c.doc_no
    query = select(number).distinct().where(_PUBLISHED, *conditions(options))
    exact = connection.scalars(query.where(number.in_(named.exact))).all()
    if exact:
        return [max(exact, key=len)]
    if not named.endings:
        return []
    return list(connection.scalars(query.where(or_(*(number.endswith(end) for end in named.endings)))))


def _points_of_numbers(connection: Connection, numbers: Sequence[str], text: str, options: SearchOptions) -> list[str]:
    """Of each document the articles that share most with the rest of ``text``, the first ones when none does."""
    rows = connection.execute(
        select(chunks.c.point, chunks.c.plain, _CHUNK_TEXT, chunks.c.document_id, chunks.c.article)
        .join(documents, documents.c.id == chunks.c.document_id)
        .where(documents.c.doc_no.in_(numbers), in_state(State.PUBLISHED), *conditions(options))
        .order_by(documents.c.rank, documents.c.dated.desc().nulls_last(), documents.c.id, chunks.c.article,
                  chunks.c.start)
    ).all()
    asked = set(pairwise(plain(text))) - {pair for one in numbers for pair in pairwise(plain(one))}
    texts = {row.point: plain(row.text) if row.plain is None else row.plain for row in rows}
    shared = {point: len(asked.intersection(pairwise(text))) for point, text in texts.items()}
    kept: dict[str, dict[int, str]] = {}
    for row in sorted(rows, key=lambda row: -shared[row.point]):
        kept.setdefault(row.document_id, {}).setdefault(row.article, row.point)
    return [point for parts in kept.values() for point in list(parts.values())[:_ARTICLES_OF_NUMBER]]


def conditions(options: SearchOptions) -> list[ColumnElement[bool]]:
    """The same conditions as the index applies, on `documents`."""
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
    row = connection.execute(select(*WHOLE).where(documents.c.id == document_id)).first()
    if row is None:
        return None
    parts = connection.execute(
        select(articles).where(articles.c.document_id == document_id).order_by(articles.c.position)
    )
    pieces = connection.execute(
        select(chunks).where(chunks.c.document_id == document_id).order_by(chunks.c.article, chunks.c.start)
    )
    return document_of(row, tuple(map(article_of, parts)), tuple(map(chunk_of, pieces)))


def stored_documents(connection: Connection, states: Sequence[State]) -> list[StoredDocument]:
    rows = connection.execute(select(*STORED).where(documents.c.state.in_(states)).order_by(documents.c.title))
    return [stored_of(row) for row in rows]


def title_of(connection: Connection, document_id: str) -> str | None:
    return connection.scalar(select(documents.c.title).where(documents.c.id == document_id))


def article_texts(connection: Connection, *, national: bool) -> Iterator[tuple[str, str]]:
    """(ref, title and text) of every published article."""
    query = select(documents.c.id, documents.c.title, documents.c.text).where(_PUBLISHED)
    if national:
        query = query.where(documents.c.region.is_(None))
    for row in connection.execute(query).all():
        for part in connection.execute(select(articles).where(articles.c.document_id == row.id)):
            yield part.ref, f"{row.title}\n{row.text[part.start : part.end]}"


def published_chunks(connection: Connection) -> int:
    """As many points the index holds: a source has one published document, and no document two equal points."""
    return connection.scalar(select(func.count()).select_from(documents.join(chunks)).where(_PUBLISHED)) or 0


def counts(connection: Connection) -> tuple[int, int, int]:
    """Published documents, their articles, their chunks."""
    whole, parts = (
        connection.scalar(select(func.count()).select_from(table).where(_PUBLISHED)) or 0
        for table in (documents, documents.join(articles))
    )
    return whole, parts, published_chunks(connection)
