"""The references between articles in SQL: written with their documents, followed when a search asks for neighbours.

An edge keeps the name that the text gives. Which document that is, is settled here, when it is asked for, since that
document may come later, be amended, or be taken out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, or_, select

from core.records import Document, State
from kb.database import insert_rows
from kb.graph.edges import edges_of
from kb.graph.names import Bearer, bearers, of_kind, the_one
from kb.graph.references import Reference, Relation
from kb.law_names import name_key
from kb.rows import in_state
from kb.schema import articles, documents, edges, names

_FOLLOWED = (Relation.CITES, Relation.BASIS)
_GROUNDS = (Relation.BASIS, Relation.IMPLEMENTS)
_MOST_CITING = 8             # articles of other documents that cite one hit: some of 民法典 have a hundred
_MOST_BEHIND = 2             # hits for which the national law is read: each takes a millisecond
_ALIKE = 0.42                # shared character pairs over all (Dice) of an article and the one behind it
_SAME_HEADING = 0.1          # is worth so much likeness

Place = tuple[str, int]      # document id, position of the article


class Link(StrEnum):
    """How a neighbour is related to a hit."""

    CITED = "cited"              # the hit refers to it
    CITING = "citing"            # it refers to the hit
    DEFINES = "defines"          # it defines a word of the question, in the hit's document
    BEHIND = "behind"            # the national law says there what the local hit says


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An article one step from a hit."""

    document_id: str
    article: int                 # position
    link: Link
    hit: int                     # place of the hit among those asked for


# written with the document


def save_references(connection: Connection, batch: Sequence[Document]) -> None:
    """What new documents say of others, and the names under which others may speak of them."""
    rows = [
        _edge_row(document.id, number, reference, positions)
        for document in batch
        for positions in [_positions(document)]
        for number, reference in enumerate(edges_of(document))
    ]
    insert_rows(connection, edges, rows)
    insert_rows(
        connection, names,
        [{"name": name, "document_id": document.id} for document in batch for name in names_of(document.facts.title)],
    )


def without_references(connection: Connection, limit: int) -> list[str]:
    """Documents that an older program stored."""
    named = select(names.c.document_id).where(names.c.document_id == documents.c.id)
    return list(connection.scalars(select(documents.c.id).where(~named.exists()).limit(limit)))


def names_of(title: str) -> tuple[str, ...]:
    """Under which others speak of a document, also without the issuer: 关于…的规定 of 最高人民法院关于…的规定."""
    name = name_key(title)
    _, about, rest = name.partition("关于")
    return (name, about + rest) if about and not name.startswith("关于") else (name,)


def _positions(document: Document) -> dict[str, int]:
    """The first article of each address."""
    return {article.address: position for position, article in reversed(list(enumerate(document.articles)))}


def _edge_row(
    document_id: str, number: int, reference: Reference, positions: dict[str, int]
) -> dict[str, int | str | None]:
    within = reference.name == "" and reference.address is not None
    return {
        "document_id": document_id, "number": number, "article": reference.article,
        "start": reference.start, "end": reference.end, "kind": reference.kind.value,
        "name": reference.name, "address": reference.address, "part": reference.part,
        "doc_no": reference.doc_no, "day": reference.day,
        "target": positions.get(reference.address or "") if within else None,
    }


# followed from hits


def neighbours(
    connection: Connection, hits: Sequence[Place], question: str = "", *, as_of: date | None = None
) -> list[Neighbour]:
    """Articles of published documents one step from ``hits``, each once per hit and link, hits in their order.

    Of several versions of a law the one in force on ``as_of`` is meant, without a day the newest. What may be shown
    to whom is for the caller to check.
    """
    if not hits:
        return []
    step = _Step(connection, hits, as_of)
    found = {
        (neighbour.hit, neighbour.link, neighbour.document_id, neighbour.article): neighbour
        for neighbour in (*step.within(), *step.cited(), *step.citing(), *step.defining(question), *step.behind())
        if (neighbour.document_id, neighbour.article) != hits[neighbour.hit]
    }
    return [found[key] for key in sorted(found)]


class _Step:
    """One step from some hits; a query for each kind of link, none for each hit."""

    def __init__(self, connection: Connection, hits: Sequence[Place], as_of: date | None) -> None:
        self._connection = connection
        self._hits = hits
        self._as_of = as_of
        self._order = {hit: place for place, hit in reversed(list(enumerate(hits)))}
        # Searched as two lists, which SQLAlchemy compiles once; pairs that are no hit are left out afterwards.
        self._ids = sorted({document_id for document_id, _ in hits})
        self._positions = sorted({article for _, article in hits})

    def within(self) -> Iterator[Neighbour]:
        """本法第八条 and 前条, both ways."""
        c = edges.c
        places = self._positions
        query = select(c.document_id, c.article, c.target).where(
            c.document_id.in_(self._ids), or_(c.article.in_(places), c.target.in_(places)),
            c.target.is_not(None), c.article.is_not(None),
        )
        for name, article, target in self._connection.execute(query):
            if (hit := self._order.get((name, article))) is not None:
                yield Neighbour(name, target, Link.CITED, hit)
            if (hit := self._order.get((name, target))) is not None:
                yield Neighbour(name, article, Link.CITING, hit)

    def cited(self) -> Iterator[Neighbour]:
        """Articles of other documents that the hits name."""
        c = edges.c
        query = select(c.document_id, c.article, c.name, c.address).where(
            c.document_id.in_(self._ids), c.article.in_(self._positions),
            of_kind(_FOLLOWED), c.name != "", c.address.is_not(None),
        )
        wanted: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for document_id, article, name, address in self._connection.execute(query):
            if (hit := self._order.get((document_id, article))) is not None:
                wanted[name, address].append(hit)
        meant = self._meant({name for name, _ in wanted})
        by_place = {(meant[name].id, address): whom for (name, address), whom in wanted.items() if name in meant}
        for document_id, position, address in self._articles(by_place):
            for hit in by_place[document_id, address]:
                yield Neighbour(document_id, position, Link.CITED, hit)

    def citing(self) -> Iterator[Neighbour]:
        """Articles of other documents that name a hit, those of the highest rank first, the newest among them."""
        named = self._named_hits()
        if not named:
            return
        c = edges.c
        query = (
            select(c.document_id, c.article, c.name, c.address)
            .join(documents)
            .where(
                c.name.in_({name for name, _ in named}), c.address.in_({address for _, address in named}),
                of_kind(_FOLLOWED), c.article.is_not(None), in_state(State.PUBLISHED), *self._in_force(),
            )
            .order_by(documents.c.rank, documents.c.dated.desc(), c.document_id, c.article)
        )
        count: Counter[int] = Counter()
        seen: set[tuple[int, Place]] = set()
        for document_id, article, name, address in self._connection.execute(query):
            hit = named.get((name, address))
            if hit is not None and count[hit] < _MOST_CITING and (hit, (document_id, article)) not in seen:
                seen.add((hit, (document_id, article)))
                count[hit] += 1
                yield Neighbour(document_id, article, Link.CITING, hit)

    def defining(self, question: str) -> Iterator[Neighbour]:
        """Words of the question that a hit's document defines."""
        if not question:
            return
        c = edges.c
        query = select(c.document_id, c.article, c.name).where(
            c.document_id.in_(self._ids), of_kind([Relation.DEFINES]), c.article.is_not(None)
        )
        for document_id, article, term in self._connection.execute(query):
            if term in question:
                yield Neighbour(document_id, article, Link.DEFINES, self._order[self._first(document_id)])

    def behind(self) -> Iterator[Neighbour]:
        """For local hits, the article most like each in the national law that its document carries out."""
        local = self._local_titles()
        some = [(place, hit) for place, hit in enumerate(self._hits) if hit[0] in local][:_MOST_BEHIND]
        if not some:
            return
        c = edges.c
        query = select(c.document_id, c.name).where(
            c.document_id.in_({hit[0] for _, hit in some}), of_kind(_GROUNDS), c.address.is_(None)
        )
        grounds: defaultdict[str, list[str]] = defaultdict(list)
        for document_id, name in self._connection.execute(query):
            grounds[document_id].append(name)
        meant = self._meant({name for several in grounds.values() for name in several})
        for place, hit in some:
            national = [meant[n] for n in grounds[hit[0]] if n in meant and meant[n].region is None]
            if national:
                title = _pairs(name_key(local[hit[0]]))
                law = max(national, key=lambda holder: (_dice(title, _pairs(holder.full_name)), holder.id))
                yield from self._most_alike(place, hit, law.id)

    # what stands where

    def _first(self, document_id: str) -> Place:
        """The document's best hit."""
        return next(hit for hit in self._hits if hit[0] == document_id)

    def _in_force(self) -> list[ColumnElement[bool]]:
        if self._as_of is None:
            return []
        c = documents.c
        return [
            or_(c.in_force_from.is_(None), c.in_force_from <= self._as_of),
            or_(c.in_force_to.is_(None), c.in_force_to > self._as_of),
        ]

    def _meant(self, wanted: Collection[str]) -> dict[str, Bearer]:
        """The published document in force that each name means; none when different rules share it."""
        found = {}
        for name, several in bearers(self._connection, wanted).items():
            meant = the_one([bearer for bearer in several if bearer.in_force(self._as_of)])
            if meant is not None:
                found[name] = meant
        return found

    def _named_hits(self) -> dict[tuple[str, str], int]:
        """(name, address) under which others may cite a hit -> its place."""
        c = articles.c
        query = (
            select(c.document_id, c.position, c.address, names.c.name)
            .join(names, names.c.document_id == c.document_id)
            .where(c.document_id.in_(self._ids), c.position.in_(self._positions))
        )
        return {
            (row.name, row.address): self._order[row.document_id, row.position]
            for row in self._connection.execute(query)
            if row.address.startswith("第") and (row.document_id, row.position) in self._order
        }

    def _articles(self, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
        """(document id, position, address) of the articles that are there."""
        pairs = set(wanted)
        c = articles.c
        if pairs:
            query = select(c.document_id, c.position, c.address).where(
                c.document_id.in_({name for name, _ in pairs}), c.address.in_({address for _, address in pairs})
            )
            for row in self._connection.execute(query):
                if (row.document_id, row.address) in pairs:
                    yield row.document_id, row.position, row.address

    def _local_titles(self) -> dict[str, str]:
        c = documents.c
        query = select(c.id, c.title).where(c.id.in_(self._ids), c.region.is_not(None))
        return {row.id: row.title for row in self._connection.execute(query)}

    def _most_alike(self, place: int, hit: Place, law: str) -> Iterator[Neighbour]:
        c = articles.c
        text = func.substr(documents.c.text, c.start + 1, c.end - c.start).label("words")
        mine = self._connection.execute(
            select(c.heading, text).join(documents).where(c.document_id == hit[0], c.position == hit[1])
        ).one()
        whole = self._connection.execute(select(documents.c.text).where(documents.c.id == law)).scalar_one()
        rows = self._connection.execute(
            select(c.position, c.start, c.end, c.heading).where(c.document_id == law).order_by(c.position)
        ).all()
        if rows and len(mine.words) > 1:
            scores = _likeness(mine.words, whole, [(row.start, row.end) for row in rows])
            headings = {row.heading: _dice(_pairs(mine.heading), _pairs(row.heading)) for row in rows}
            scores += [_SAME_HEADING * headings[row.heading] for row in rows]
            best = int(scores.argmax())
            if scores[best] >= _ALIKE:
                yield Neighbour(law, rows[best].position, Link.BEHIND, place)


def _likeness(words: str, whole: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """For each span of ``whole`` the share of character pairs that it has in common with ``words`` (Dice)."""
    mine, theirs = np.unique(_pair_numbers(words)), _pair_numbers(whole)
    # Five times as fast as np.isin, which sorts the whole law.
    at = np.minimum(np.searchsorted(mine, theirs), len(mine) - 1)
    common = np.concatenate([[0], np.cumsum(mine[at] == theirs)])
    starts, ends = np.array(spans).T
    ends = np.maximum(ends - 1, starts)
    shared: NDArray[np.float64] = 2.0 * (common[ends] - common[starts]) / (ends - starts + len(mine))
    return shared


def _pair_numbers(text: str) -> NDArray[np.uint64]:
    characters = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    return characters[:-1] << np.uint64(21) | characters[1:]


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(text))


def _dice(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0
