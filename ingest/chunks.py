"""Articles -> chunks: an article is one, a long one is divided at its 款 and 项, a table is divided into its rows.

Each row of a table is a chunk of its own, with the header rows beside it, however short it is: a question
about one row then finds that row, where five rows in one chunk would share their words, and the box that is
shown is the row's.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from core.paper import Paper
from core.records import Chunk, Place
from ingest.inside import Item, items_of, locate
from ingest.lines import Table, divide, table_units, trim


class Addressed(Protocol):
    """A part or an article."""

    @property
    def address(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def make_chunks(
    document_id: str,
    text: str,
    articles: Sequence[Addressed],
    max_chars: int,
    *,
    tables: Sequence[Table] = (),
    places: Sequence[Place] = (),
) -> tuple[Chunk, ...]:
    """The chunks of each article in order, none longer than ``max_chars``, which together are its text up to
    white space. ``tables`` and ``places`` are in order."""
    chunks = []
    paper = Paper(places)
    for number, article in enumerate(articles):
        for start, end, address, header in _pieces(text, article, max_chars, tables):
            key = f"{document_id} {start} {end}"
            page, box = paper.find(start, end) if places else (None, None)
            digest = hashlib.sha256(key.encode()).hexdigest()[:16]
            chunks.append(Chunk(digest, document_id, number, start, end, address, header, page, box))
    return tuple(chunks)


_Piece = tuple[int, int, str, tuple[int, int] | None]


def _pieces(text: str, article: Addressed, max_chars: int, tables: Sequence[Table]) -> Iterator[_Piece]:
    start, end = trim(text, article.start, article.end)
    own = _touching(tables, start, end) if tables else ()
    if end - start <= max_chars and not own:
        if start < end:
            yield start, end, article.address, None
        return
    items = items_of(text, article.address, article.start, article.end, own)
    at = start
    for table in own:
        for first, last in _divided(text, at, max(at, min(table.start, end)), items, max_chars):
            yield first, last, locate(article.address, items, first, last), None
        for first, last, header in _rows(text, table, start, end, max_chars):
            yield first, last, locate(article.address, items, first, last), header
        at = max(at, table.end)
    for first, last in _divided(text, at, max(at, end), items, max_chars):
        yield first, last, locate(article.address, items, first, last), None


def _touching(tables: Sequence[Table], start: int, end: int) -> Sequence[Table]:
    first = bisect_right(tables, start, key=lambda table: table.end)
    return tables[first : bisect_left(tables, end, key=lambda table: table.start)]


def _rows(
    text: str, table: Table, start: int, end: int, max_chars: int
) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
    """The rows of a table, as far as they lie between ``start`` and ``end``: a giant row is divided among parts."""
    header = table.header if table.header and table.header[1] - table.header[0] <= max_chars else None
    for first, last in table_units(table, max_chars, start, end):
        for one, two in divide(text, first, last, max_chars):
            yield one, two, header if first >= table.top else None


def _divided(text: str, start: int, end: int, items: Sequence[Item], max_chars: int) -> Iterator[tuple[int, int]]:
    """Runs of whole items up to ``max_chars``; an item that is longer is divided at its own, at last at sentences."""
    start, end = trim(text, start, end)
    if end - start <= max_chars:
        if start < end:
            yield start, end
        return
    inside = [item for item in items if item.kind != "表" and start <= item.start and item.end <= end]
    if not inside:
        yield from divide(text, start, end, max_chars)
        return
    bounds = [start, *(item.start for item in inside if item.start > start), end]
    deeper = {item.start: item.items for item in inside}
    run: tuple[int, int] | None = None
    for first, last in pairwise(bounds):
        if run and trim(text, run[0], last)[1] - run[0] <= max_chars:
            run = run[0], last
            continue
        if run:
            yield trim(text, *run)
            run = None
        if trim(text, first, last)[1] - first > max_chars:
            yield from _divided(text, first, last, deeper.get(first, []), max_chars)
        else:
            run = first, last
    if run:
        yield trim(text, *run)
