"""Questions to the graph in SQL: neighbours, paths, what implements what, and names that no stored document bears.

Only what published documents say is seen, and a name means a document for as long as that is published: an end that
is open closes when its document arrives, and opens when it is withdrawn, with nothing to be written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection, Date, Row, Select, bindparam, or_, select

from core.records import State
from kb.graph.names import VALUES, Bearer, bearers, in_force_first, in_list, of_kind, the_one
from kb.graph.records import (
    DOCUMENT_KINDS,
    Edge,
    GraphOptions,
    Node,
    Sort,
    article_node,
    document_node,
    named_node,
    sort_of,
)
from kb.rows import in_state
from kb.schema import articles, documents, edges, names

ANY = GraphOptions()
EdgeRow = Row[*tuple[Any, ...]]
_MORE = 4
_Pair = TypeVar("_Pair", tuple[str, str], tuple[str, int])

_SAYING = articles.alias()       # the article that says it

# Documents that say something: published, and in force on the day that `on_day` gives.
SPEAKING = (
    in_state(State.PUBLISHED)
    & or_(documents.c.in_force_from.is_(None), documents.c.in_force_from <= bindparam("begun", type_=Date))
    & or_(documents.c.in_force_to.is_(None), documents.c.in_force_to > bindparam("not_ended", type_=Date))
)

# Written once: made anew for each hop they took four fifths of the time of two hops.
EDGES = (
    select(
        edges.c.document_id, edges.c.number, edges.c.article, edges.c.start, edges.c.end, edges.c.kind, edges.c.name,
        edges.c.address, edges.c.part, edges.c.target, edges.c.method, documents.c.title,
        _SAYING.c.address.label("saying"),
    )
    .join(documents, documents.c.id == edges.c.document_id)
    .outerjoin(_SAYING, (_SAYING.c.document_id == edges.c.document_id) & (_SAYING.c.position == edges.c.article))
    .where(SPEAKING)
)
_IN_ORDER = EDGES.order_by(edges.c.document_id, edges.c.number).limit(bindparam("most"))
_BY_RANK = EDGES.order_by(documents.c.rank, edges.c.document_id, edges.c.number).limit(bindparam("most"))
# As the index has them: 刑法 is named 2,201 times, and to read and sort them all takes 5 ms.
_BY_NAME = EDGES.order_by(
    edges.c.name, edges.c.address.nulls_first(), edges.c.document_id, edges.c.number
).limit(bindparam("most"))
_IN_DOCUMENTS = in_list(edges.c.document_id, "documents")
_SAID_IN = _IN_ORDER.where(_IN_DOCUMENTS, edges.c.name != "")        # not of itself
_SAID_AT = _IN_ORDER.where(
    _IN_DOCUMENTS, or_(in_list(edges.c.article, "positions"), in_list(edges.c.target, "positions"))
)
_SAID_OF = _BY_RANK.where(in_list(edges.c.name, "names"))
_SOME_SAID_OF = _BY_NAME.where(in_list(edges.c.name, "names"))
_SAID_OF_ARTICLES = _SAID_OF.where(in_list(edges.c.address, "addresses"))
NAMES = (
    select(names.c.name, names.c.document_id, documents.c.doc_no)
    .join(documents)
    .where(in_list(names.c.document_id, "documents"))
)
_NAMES_OF_ARTICLES = (
    select(articles.c.document_id, articles.c.position, articles.c.address, names.c.name)
    .join(names, names.c.document_id == articles.c.document_id)
    .where(in_list(articles.c.document_id, "documents"), in_list(articles.c.position, "positions"))
)
_PLACES = select(articles.c.document_id, articles.c.position, articles.c.address).where(
    in_list(articles.c.document_id, "documents")
)
_AT_ADDRESSES = _PLACES.where(in_list(articles.c.address, "addresses"))
_AT_POSITIONS = _PLACES.where(in_list(articles.c.position, "positions"))


def on_day(as_of: date | None) -> dict[str, object]:
    """Values for `SPEAKING`; every published document speaks where no day is asked about."""
    return {"begun": as_of or date.max, "not_ended": as_of or date.min}


@dataclass(frozen=True, slots=True)
class Found:
    """An edge on the way from where one began."""

    hop: int                     # from 1
    forward: bool                # its source is the nearer end
    edge: Edge


@dataclass(slots=True)
class _Places:
    """Where a hop begins."""

    first: bool = True           # the first hop tells the highest ranks first, a later one is bounded
    whole: set[str] = field(default_factory=set)                     # documents with all their articles
    articles: set[tuple[str, int]] = field(default_factory=set)      # of other documents
    named: set[tuple[Sort, str]] = field(default_factory=set)

    def add(self, node: Node) -> None:
        if node.document is None:
            self.named.add((node.sort, node.label))
        elif node.article is None:
            self.whole.add(node.document)
        else:
            self.articles.add((node.document, node.article))

    def documents(self) -> set[str]:
        return self.whole | {document for document, _ in self.articles}

    def holds(self, document: str, article: int | None) -> bool:
        return document in self.whole or (article is not None and (document, article) in self.articles)


def neighbours(
    connection: Connection, start: Node, options: GraphOptions = ANY, *, hops: int = 1, whole: bool = False
) -> list[Found]:
    """The edges within so many hops, nearest first, each once.

    A document stands for all its articles; what it says of itself is no neighbour of it. With ``whole`` an article
    on the way stands for its document.
    """
    return around(connection, [start], options, hops=hops, whole=whole)


def around(
    connection: Connection, starts: Iterable[Node], options: GraphOptions = ANY, *, hops: int = 1, whole: bool = False
) -> list[Found]:
    """As `neighbours`, of several nodes."""
    places = _Places()
    seen: set[str] = set()
    for start in starts:
        places.add(start)
        seen.add(start.id)
    taken: set[tuple[str, int]] = set()
    found: list[Found] = []
    for hop in range(1, hops + 1):
        following = _Places(first=False)
        for forward, edge in _one_hop(connection, places, options):
            if (edge.document, edge.number) not in taken:
                taken.add((edge.document, edge.number))
                found.append(Found(hop, forward, edge))
            far = edge.target if forward else edge.source
            if whole and far.document is not None:
                far = document_node(far.document, far.label)
            if far.id not in seen and far.sort is not Sort.UNCLEAR:
                seen.add(far.id)
                following.add(far)
        places = following
        if hop == 1 and options.outgoing and options.incoming:
            options = replace(options, limit=max(1, options.limit // 2))
    return found


def _one_hop(connection: Connection, places: _Places, options: GraphOptions) -> Iterator[tuple[bool, Edge]]:
    """(forward, edge): first what is said at the places, then what is said of them."""
    said = _said_at(connection, places, options) if options.outgoing or places.articles else []
    own = _own_names(connection, places) if options.incoming else {}
    named = {row.name for row in said if row.kind in DOCUMENT_KINDS}
    meaning = Meanings(connection, named | {name for name, _ in own}, options.as_of)
    of_them = _said_of(connection, places, own, meaning, options) if options.incoming else []
    resolve = Resolving(connection, meaning, [*said, *of_them])
    for row in said:
        edge = resolve.edge(row)
        inside = edge.target.document == row.document_id
        if inside and row.document_id in places.whole:
            continue
        if options.outgoing and places.holds(row.document_id, row.article):
            yield True, edge
        elif options.incoming and inside and places.holds(row.document_id, edge.target.article):
            yield False, edge
    for row in of_them:
        yield False, resolve.edge(row)


def _said_at(connection: Connection, places: _Places, options: GraphOptions) -> list[EdgeRow]:
    """What the places say, and what is said of the articles among them in their own documents."""
    rows: list[EdgeRow] = []
    if places.first:                 # who asks for a repealed rule wants to know what that says
        options = replace(options, as_of=None)
    if places.whole:
        rows += _rows(connection, _SAID_IN, options, documents=sorted(places.whole))
    if places.articles:
        found = _rows(
            connection, _SAID_AT, options, documents=sorted({document for document, _ in places.articles}),
            positions=sorted({article for _, article in places.articles}),
        )
        rows += [
            row for row in found
            if (row.document_id, row.article) in places.articles or (row.document_id, row.target) in places.articles
        ]
    return rows[: options.limit]


def _own_names(connection: Connection, places: _Places) -> dict[tuple[str, str | None], str]:
    """(name, address) under which others may speak of the places -> document; any address of a whole document."""
    found: dict[tuple[str, str | None], str] = {}
    if places.whole:
        for name, document, number in connection.execute(NAMES, {"documents": sorted(places.whole)}):
            found[name, None] = document
            if number:
                found[number, None] = document
    if places.articles:
        parts = connection.execute(_NAMES_OF_ARTICLES, {
            "documents": sorted({document for document, _ in places.articles}),
            "positions": sorted({article for _, article in places.articles}),
        })
        found |= {
            (name, address): document
            for document, position, address, name in parts
            if (document, position) in places.articles and address.startswith("第")
        }
    return found


def _said_of(
    connection: Connection, places: _Places, own: Mapping[tuple[str, str | None], str], meaning: Meanings,
    options: GraphOptions,
) -> list[EdgeRow]:
    """What others say of the places; names that mean another document now are left out."""
    mine = {key: document for key, document in own.items() if (it := meaning.of(key[0])) and it.id == document}
    whole = {name for name, address in mine if address is None} | {name for _, name in places.named}
    parts = {(name, address) for name, address in mine if address is not None}
    rows: list[EdgeRow] = []
    if whole:
        rows += _rows(connection, _SAID_OF if places.first else _SOME_SAID_OF, options, names=sorted(whole))
    if parts:
        rows += _rows(
            connection, _SAID_OF_ARTICLES, options, names=sorted({name for name, _ in parts}),
            addresses=sorted({address for _, address in parts if address}),
        )
    return [row for row in rows if _speaks_of(row, mine, places)][: options.limit]


def _speaks_of(row: EdgeRow, mine: Mapping[tuple[str, str | None], str], places: _Places) -> bool:
    if row.kind not in DOCUMENT_KINDS:
        return (sort_of(row.kind), row.name) in places.named
    if (Sort.OPEN, row.name) in places.named:
        return True
    document = mine.get((row.name, None)) or (mine.get((row.name, row.address)) if row.address else None)
    return document is not None and document != row.document_id


def _rows(
    connection: Connection, query: Select[Any], options: GraphOptions, *, documents: Sequence[str] = (),
    positions: Sequence[int] = (), names: Sequence[str] = (), addresses: Sequence[str] = (),
) -> Sequence[EdgeRow]:
    """Of articles more than ``options.limit``: any pair of the lists is there, and has still to be looked through."""
    if options.kinds is not None:
        query = query.where(of_kind(options.kinds))
    given = {"documents": documents, "positions": positions, "names": names, "addresses": addresses}
    values = on_day(options.as_of) | {key: value for key, value in given.items() if value}
    values["most"] = options.limit * (_MORE if positions or addresses else 1)
    return connection.execute(query, values).all()


# rows to edges


class Meanings:
    """Which document each of some names means on a day."""

    def __init__(self, connection: Connection, wanted: Collection[str], as_of: date | None) -> None:
        self._bearers = bearers(connection, {name for name in wanted if name})
        self._as_of = as_of
        self._chosen: dict[str, Bearer | None] = {}

    def of(self, name: str) -> Bearer | None:
        if name not in self._chosen:
            self._chosen[name] = the_one(in_force_first(self._bearers.get(name, ()), self._as_of))
        return self._chosen[name]

    def borne(self, name: str) -> bool:
        return name in self._bearers


class Resolving:
    """What rows lead to: asks once for all articles that they name."""

    def __init__(self, connection: Connection, meaning: Meanings, rows: Sequence[EdgeRow]) -> None:
        self._meaning = meaning
        self._articles = _positions(connection, {
            (bearer.id, row.address)
            for row in rows
            if row.address and row.kind in DOCUMENT_KINDS and row.name and (bearer := meaning.of(row.name))
        })
        self._inside = _addresses(connection, {(row.document_id, row.target) for row in rows if row.target is not None})

    def edge(self, row: EdgeRow) -> Edge:
        document, number, article, start, end, kind, name, address, part, target, method, title, saying = row
        source = (
            document_node(document, title) if article is None
            else article_node(document, title, article, saying or "")
        )
        if target is not None:
            at = self._inside.get((document, target), address or "")
            far = article_node(document, title, target, at)
        elif kind in DOCUMENT_KINDS:
            far = self._named(name, address) if name else document_node(document, title)
        else:
            far = named_node(sort_of(kind), name)
        return Edge(document, number, kind, method, source, far, start, end, part)

    def _named(self, name: str, address: str | None) -> Node:
        bearer = self._meaning.of(name)
        if bearer is None:
            return named_node(Sort.UNCLEAR if self._meaning.borne(name) else Sort.OPEN, name)
        position = self._articles.get((bearer.id, address))
        if position is None:
            return document_node(bearer.id, bearer.title)
        return article_node(bearer.id, bearer.title, position, address or "")


def _positions(connection: Connection, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str | None], int]:
    """(document, address) -> position of the articles that are there."""
    found: dict[tuple[str, str | None], int] = {}
    for some in _batches(wanted):
        rows = connection.execute(_AT_ADDRESSES, {
            "documents": sorted({document for document, _ in some}),
            "addresses": sorted({address for _, address in some}),
        })
        for document, position, address in rows:
            found.setdefault((document, address), position)
    return found


def _addresses(connection: Connection, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """(document, position) -> address."""
    found: dict[tuple[str, int], str] = {}
    for some in _batches(wanted):
        rows = connection.execute(_AT_POSITIONS, {
            "documents": sorted({document for document, _ in some}),
            "positions": sorted({position for _, position in some}),
        })
        found |= {(document, position): address for document, position, address in rows}
    return found


def _batches(wanted: Collection[_Pair]) -> Iterator[list[_Pair]]:
    ordered = sorted(wanted)
    for start in range(0, len(ordered), VALUES // 2):
        yield ordered[start : start + VALUES // 2]
