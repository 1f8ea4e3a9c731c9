"""Ways between documents: the shortest one, and what carries out what."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, select

from kb.graph.names import VALUES, in_list, of_kind
from kb.graph.queries import ANY, EDGES, NAMES, SPEAKING, Found, Meanings, Resolving, neighbours, on_day
from kb.graph.records import DOCUMENT_KINDS, GraphOptions, Node
from kb.schema import documents, edges

LONGEST = 12                     # hops of a path; between 60 pairs of 3,413 laws none had more than 7
_IMPLEMENTS = frozenset(("implements",))
_GROUNDED = frozenset(("implements", "basis"))
_MOST = 10_000

_NAMED_IN = (
    select(edges.c.document_id, edges.c.name).distinct().join(documents)
    .where(in_list(edges.c.document_id, "documents"), edges.c.name != "", SPEAKING)
)
_NAMING = (
    select(edges.c.document_id, edges.c.name).distinct().join(documents)
    .where(in_list(edges.c.name, "names"), SPEAKING)
)
_BETWEEN = (
    EDGES.where(in_list(edges.c.document_id, "documents"), in_list(edges.c.name, "names"))
    .order_by(edges.c.number)
    .limit(1)
)


@dataclass(slots=True)
class _Side:
    """What was reached from one end: each document, and the one before it."""

    options: GraphOptions
    before: dict[str, str]
    frontier: list[str]

    def way(self, document: str) -> list[str]:
        """From ``document`` to the end that it was reached from."""
        way = [document]
        while self.before[way[-1]] != way[-1]:
            way.append(self.before[way[-1]])
        return way


def path(connection: Connection, start: str, end: str, options: GraphOptions = ANY) -> list[Found] | None:
    """One of the shortest ways from a document to another over what either says of the other; None when there is none.

    The first edge of each pair on the way, in the order of the text. The same each time. Searched from both ends: the
    one with fewer documents at its edge goes on.
    """
    turned = replace(options, outgoing=options.incoming, incoming=options.outgoing)
    ahead, back = _Side(options, {start: start}, [start]), _Side(turned, {end: end}, [end])
    for _ in range(LONGEST):
        if not ahead.before.keys().isdisjoint(back.before) or not ahead.frontier or not back.frontier:
            break
        _widen(connection, min(ahead, back, key=lambda side: len(side.frontier)))
    meeting = ahead.before.keys() & back.before.keys()
    if not meeting:
        return None
    middle = min(meeting)
    way = [*reversed(ahead.way(middle)), *back.way(middle)[1:]]
    return [_step(connection, hop, near, far, options) for hop, (near, far) in enumerate(pairwise(way), start=1)]


def _widen(connection: Connection, side: _Side) -> None:
    reached = sorted({(far, near) for near, far in _linked(connection, side.frontier, side.options)})
    side.frontier = []
    for far, near in reached:
        if far not in side.before:
            side.before[far] = near
            side.frontier.append(far)


def implementing(connection: Connection, start: Node, options: GraphOptions, *, basis: bool) -> list[Found]:
    """What a document carries out (forward) and what carries it out, of the title's 实施《…》, step by step.

    With ``basis`` also what stands on it by its own words: 根据《…》制定.
    """
    kinds = _GROUNDED if basis else _IMPLEMENTS
    chosen = replace(options, kinds=kinds, limit=_MOST)
    above = neighbours(connection, start, replace(chosen, incoming=False), hops=LONGEST, whole=True)
    below = neighbours(connection, start, replace(chosen, outgoing=False), hops=LONGEST, whole=True)
    return [*above, *below]


def _linked(connection: Connection, frontier: list[str], options: GraphOptions) -> Iterator[tuple[str, str]]:
    """(document of the frontier, another one) for each pair of which one names the other."""
    kinds, day = _document_kinds(options), on_day(options.as_of)
    for at in range(0, len(frontier), VALUES):
        some = frontier[at : at + VALUES]
        said = connection.execute(_NAMED_IN.where(kinds), {"documents": some, **day}).all() if options.outgoing else []
        own = _names_of(connection, some) if options.incoming else []
        meaning = Meanings(connection, {name for _, name in (*said, *own)}, options.as_of)
        for near, name in said:
            bearer = meaning.of(name)
            if bearer is not None and bearer.id != near:
                yield near, bearer.id
        mine = {name: near for near, name in own if (it := meaning.of(name)) and it.id == near}
        yield from _naming(connection, mine, kinds, day)


def _naming(
    connection: Connection, mine: dict[str, str], kinds: ColumnElement[bool], day: dict[str, object]
) -> Iterator[tuple[str, str]]:
    ordered = sorted(mine)
    for at in range(0, len(ordered), VALUES):
        rows = connection.execute(_NAMING.where(kinds), {"names": ordered[at : at + VALUES], **day})
        yield from ((mine[name], far) for far, name in rows if far != mine[name])


def _names_of(connection: Connection, some: Collection[str]) -> list[tuple[str, str]]:
    """(document, name), the 发文字号 among the names."""
    rows = connection.execute(NAMES, {"documents": sorted(some)}).all()
    return [(document, called) for name, document, number in rows for called in (name, number) if called]


def _step(connection: Connection, hop: int, near: str, far: str, options: GraphOptions) -> Found:
    """What joins two documents of which one names the other."""
    kinds = _document_kinds(options)
    for forward, source, target in ((True, near, far), (False, far, near)):
        if not (options.outgoing if forward else options.incoming):
            continue
        called = [name for _, name in _names_of(connection, [target])]
        meaning = Meanings(connection, called, options.as_of)
        mine = [name for name in called if (it := meaning.of(name)) and it.id == target]
        values = {"documents": [source], "names": mine, **on_day(options.as_of)}
        rows = connection.execute(_BETWEEN.where(kinds), values).all()
        if rows:
            return Found(hop, forward, Resolving(connection, meaning, rows).edge(rows[0]))
    raise AssertionError("a way has an edge for each of its steps")


def _document_kinds(options: GraphOptions) -> ColumnElement[bool]:
    return of_kind(DOCUMENT_KINDS if options.kinds is None else DOCUMENT_KINDS & options.kinds)
