"""Documents that are related to others: the same text, the same number, another version, most sentences in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from core.records import Document, Duplicate, Facts, Likeness, State
from kb.curation.sketch import Hashes, Sketch, band_keys, similarity, sketch
from kb.database import insert_rows
from kb.rows import in_state
from kb.schema import bands, documents, sketches
from kb.versions import short_title, version_key

NEAR = 0.75               # shared sentences over all; pairs of 0.8 are found 99 times in 100, see kb/curation/sketch.py
_CROWD = 200              # a band that more documents share is a form that all fill in, not a copy
_MOST = 20                # near ones that are told of one document
_VALUES = 10_000          # in one query; SQLite binds at most 32,766
_LIVE = (State.PUBLISHED, State.STAGED, State.DRAFT)
_COLUMNS: tuple[ColumnElement[Any], ...] = (
    documents.c.id, documents.c.source, documents.c.state, documents.c.added, documents.c.doc_no, documents.c.issuer,
    documents.c.dated, documents.c.effective_from, sketches.c.text_hash, sketches.c.title_key, sketches.c.sentences,
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a document is compared by."""

    id: str
    source: str
    state: State
    added: int
    doc_no: str | None
    issuer: str | None
    dated: date | None
    effective_from: date | None
    title_key: str | None
    sketch: Sketch

    @property
    def day(self) -> date:
        return self.effective_from or self.dated or date.min


@dataclass(frozen=True, slots=True)
class _Related:
    """Candidates by what they share with a document of the batch."""

    texts: Mapping[str | None, list[_Known]]
    numbers: Mapping[str | None, list[_Known]]
    titles: Mapping[str | None, list[_Known]]
    bands: Mapping[int, list[_Known]]


def save_sketches(connection: Connection, batch: Sequence[Document], made: Mapping[str, Sketch]) -> None:
    """Keep what new documents are compared by; ``made`` by id."""
    if not batch:
        return
    rows = [
        {"document_id": d.id, "text_hash": made[d.id].text_hash, "title_key": _title_key(d.facts),
         "sentences": made[d.id].sentences.astype("<u4").tobytes()}
        for d in batch
    ]
    connection.execute(insert(sketches), rows)
    keys = band_keys([made[document.id] for document in batch])
    pairs = [(key, document.id) for document, mine in zip(batch, keys, strict=True) for key in mine]
    insert_rows(connection, bands, [{"key": key, "document_id": name} for key, name in dict.fromkeys(pairs)])


def without_sketch(connection: Connection, limit: int) -> list[str]:
    """Documents from before there were sketches."""
    missing = select(documents.c.id).join(sketches, isouter=True).where(sketches.c.document_id.is_(None))
    return list(connection.scalars(missing.limit(limit)))


def sketches_of(batch: Iterable[Document]) -> dict[str, Sketch]:
    return {document.id: sketch(document) for document in batch}


def earlier_duplicates(connection: Connection, ids: Sequence[str]) -> list[Duplicate]:
    """How each document is related to such as came before it and still count.

    At most the first of the same text, the first of the same number, the neighbouring published version, and
    the nearest of those that share most sentences, one of each text.
    """
    return list(_duplicates(connection, ids, earlier=True))


def all_duplicates(connection: Connection, document_id: str) -> list[Duplicate]:
    """The same for one document and those that came after it, too; the most similar first."""
    found = _duplicates(connection, [document_id], earlier=False)
    return sorted(found, key=lambda duplicate: -duplicate.similarity)


def _duplicates(connection: Connection, ids: Sequence[str], *, earlier: bool) -> Iterator[Duplicate]:
    batch = _load(connection, documents.c.id, ids)
    keys = band_keys([one.sketch for one in batch])
    related = _related(connection, batch, {key for mine in keys for key in mine})
    for one, mine in zip(batch, keys, strict=True):
        yield from _of_one(one, mine, related, earlier=earlier)


def _of_one(one: _Known, keys: Sequence[int], related: _Related, *, earlier: bool) -> Iterator[Duplicate]:
    told = {one.id}

    def tell(others: Iterable[_Known], kind: Likeness) -> Iterator[Duplicate]:
        for other in others:
            if other.id not in told:
                told.add(other.id)
                alike = similarity(one.sketch.sentences, other.sketch.sentences)
                yield Duplicate(one.id, other.id, kind, round(alike, 4), one.source, other.source)

    def candidates(others: Iterable[_Known]) -> list[_Known]:
        """A revision of the same source is no duplicate; of a pair that came together the later one is."""
        return [o for o in others if o.source != one.source and o.id != one.id and (o.added < one.added or not earlier)]

    most = 1 if earlier else _MOST
    yield from tell(candidates(related.texts.get(one.sketch.text_hash, ()))[:most], Likeness.SAME_TEXT)
    yield from tell(candidates(related.numbers.get(one.doc_no, ()))[:most], Likeness.SAME_NUMBER)
    versions = [o for o in candidates(related.titles.get(one.title_key, ())) if _is_version(one, o)]
    yield from tell(_neighbours(one, versions)[:most], Likeness.VERSION)
    near = {o.sketch.text_hash: o for key in keys
            for o in reversed(candidates(related.bands.get(key, ()))) if o.sketch.text_hash != one.sketch.text_hash}
    scored = [(similarity(one.sketch.sentences, o.sketch.sentences), o.added, o) for o in near.values()]
    ordered = sorted((item for item in scored if item[0] >= NEAR), key=lambda item: (-item[0], item[1]))
    yield from tell((o for _, _, o in ordered[:_MOST]), Likeness.NEAR)


def _is_version(one: _Known, other: _Known) -> bool:
    same_issuer = one.issuer is None or other.issuer is None or one.issuer == other.issuer
    same_day = (one.dated, one.effective_from, one.doc_no) == (other.dated, other.effective_from, other.doc_no)
    return other.state == State.PUBLISHED and same_issuer and not same_day


def _neighbours(one: _Known, versions: Sequence[_Known]) -> list[_Known]:
    """The version before it first, then those before that, then those after it."""
    before = sorted((o for o in versions if o.day <= one.day), key=lambda o: (o.day, o.added), reverse=True)
    return before + sorted((o for o in versions if o.day > one.day), key=lambda o: (o.day, o.added))


def _related(connection: Connection, batch: Sequence[_Known], keys: Iterable[int]) -> _Related:
    texts, numbers = {one.sketch.text_hash for one in batch}, {one.doc_no for one in batch}
    titles = {one.title_key for one in batch}
    holders = _band_holders(connection, keys)
    there = {o.id: o for o in _load(connection, documents.c.id, {name for ids in holders.values() for name in ids})}
    return _Related(
        _grouped(_firsts(connection, sketches.c.text_hash, texts), lambda o: o.sketch.text_hash),
        _grouped(_firsts(connection, documents.c.doc_no, numbers), lambda o: o.doc_no),
        _grouped(_load(connection, sketches.c.title_key, titles), lambda o: o.title_key),
        {key: [there[name] for name in ids if name in there] for key, ids in holders.items()},
    )


def _grouped(known: Iterable[_Known], key: Callable[[_Known], str | None]) -> dict[str | None, list[_Known]]:
    out: dict[str | None, list[_Known]] = {}
    for one in known:
        out.setdefault(key(one), []).append(one)
    return out


def _firsts(connection: Connection, column: ColumnElement[Any], values: Iterable[str | None]) -> list[_Known]:
    """The first documents that have each of the values, in the order of their arrival."""
    place = func.row_number().over(partition_by=column, order_by=documents.c.added)
    found: list[str] = []
    for some in _portions(values):
        ranked = (
            select(documents.c.id, place.label("place")).join(sketches)
            .where(column.in_(some), in_state(*_LIVE)).subquery()
        )
        found += connection.scalars(select(ranked.c.id).where(ranked.c.place <= _MOST))
    return _load(connection, documents.c.id, found)


def _band_holders(connection: Connection, keys: Iterable[int]) -> dict[int, list[str]]:
    """Documents by the bands that several share, but not a crowd."""
    out: dict[int, list[str]] = {}
    for some in _portions(keys):
        count = select(bands.c.key).where(bands.c.key.in_(some)).group_by(bands.c.key)
        shared = connection.scalars(count.having(func.count().between(2, _CROWD))).all()
        for part in _portions(shared):
            for row in connection.execute(select(bands).where(bands.c.key.in_(part))):
                out.setdefault(row.key, []).append(row.document_id)
    return out


def _load(connection: Connection, column: ColumnElement[Any], values: Iterable[str | None]) -> list[_Known]:
    """Documents that still count, in the order of their arrival."""
    known: list[_Known] = []
    for some in _portions(values):
        query = select(*_COLUMNS).join_from(documents, sketches)
        rows = connection.execute(query.where(column.in_(some), in_state(*_LIVE)))
        known += [_known(row) for row in rows]
    return sorted(known, key=lambda one: one.added)


def _known(row: Row[Any]) -> _Known:
    hashes: Hashes = np.frombuffer(row.sentences, dtype="<u4").astype(np.uint32)
    return _Known(
        row.id, row.source, State(row.state), row.added, row.doc_no, row.issuer, row.dated, row.effective_from,
        row.title_key, Sketch(row.text_hash, hashes),
    )


def _portions(values: Iterable[Any]) -> Iterator[list[Any]]:
    distinct = [value for value in dict.fromkeys(values) if value is not None]
    for start in range(0, len(distinct), _VALUES):
        yield distinct[start : start + _VALUES]


def _title_key(facts: Facts) -> str | None:
    """Rules only, see `version_key`; the issuer is compared apart, since many sources leave it out."""
    return f"{facts.region or ''}/{short_title(facts.title)}" if version_key(facts) else None
