"""Rules drawn on a page -> tables: the grid they make, which cells are merged, and what stands in each cell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.records import Box
from ingest.reading import PageTable, TextLine
from ingest.rows import group_by_height, join_fragments, joined_text

_THICK = 3.0            # points: a wider bar is a coloured cell
_NEAR = 3.0             # points: rules that meet leave gaps up to this
_SHORT = 8.0            # points: a shorter rule is an underline, a tick, a piece of a drawing
_MANY = 6000            # rules of one page; more is a map or a chart

Span = tuple[float, float, float]       # where it runs, from, to


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's skeleton: edges of its columns and rows, and for each place the cell that covers it."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[tuple[int, ...], ...]      # [row][column]: number of the cell, equal where cells are merged

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def cell_at(self, x: float, y: float) -> int | None:
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if 0 <= row < len(self.cells) and 0 <= column < len(self.cells[0]):
            return self.cells[row][column]
        return None


def grids_of(rules: Iterable[tuple[Box, bool]]) -> list[Grid]:
    """The tables with at least two columns; ``rules`` are boxes of drawn shapes, True for one drawn as an outline."""
    across, down = _rules(rules)
    if not across or not down or len(across) + len(down) > _MANY:
        return []
    across, down = _merged(across), _merged(down)
    found = [_grid(*part) for part in _parts(across, down)]
    return sorted((grid for grid in found if grid is not None), key=lambda grid: grid.ys[0])


def table_of(grid: Grid, lines: Sequence[tuple[int, TextLine]]) -> PageTable | None:
    """The table with the lines of its cells, given as (cell, line); None when it holds no text."""
    held: dict[int, list[TextLine]] = {}
    for cell, line in lines:
        held.setdefault(cell, []).append(line)
    texts = {
        cell: joined_text([join_fragments(group).text.strip() for group in group_by_height(parts)])
        for cell, parts in held.items()
    }
    if not any(texts.values()):
        return None
    rows = [tuple(texts.get(cell, "") for cell in row) for row in grid.cells]
    return PageTable(tuple(rows), grid.box, _header_rows(grid))


def _header_rows(grid: Grid) -> int:
    """How many rows the head has: as many as its tallest cell where some of its cells span columns."""
    first = grid.cells[0]
    if len(grid.cells) < 3 or len(set(first)) == len(first):
        return 1
    if len(set(first)) == 1:        # the table's name across the first row, or a form's
        second = grid.cells[1]
        return 2 if len(set(second)) == len(second) else 1
    tallest = max(sum(cell in row for row in grid.cells) for cell in set(first))
    return min(max(tallest, 1), 3, len(grid.cells) - 1)


def _rules(shapes: Iterable[tuple[Box, bool]]) -> tuple[list[Span], list[Span]]:
    across: list[Span] = []
    down: list[Span] = []
    for (x0, y0, x1, y1), outlined in shapes:
        width, height = x1 - x0, y1 - y0
        if height <= _THICK and width > 2 * height:
            across.append(((y0 + y1) / 2, x0, x1))
        elif width <= _THICK and height > 2 * width:
            down.append(((x0 + x1) / 2, y0, y1))
        elif outlined and width > _SHORT and height > _SHORT:
            across += [(y0, x0, x1), (y1, x0, x1)]
            down += [(x0, y0, y1), (x1, y0, y1)]
    return across, down


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Pieces of one rule as one rule; a double rule as one."""
    merged: list[list[float]] = []
    lanes: list[tuple[float, list[Span]]] = []
    for span in sorted(spans):
        if lanes and span[0] - lanes[-1][0] <= _NEAR:
            lanes[-1][1].append(span)
        else:
            lanes.append((span[0], [span]))
    for at, lane in lanes:
        start = len(merged)
        for _, low, high in sorted(lane, key=lambda one: one[1]):
            if len(merged) > start and low - merged[-1][2] <= _NEAR:
                merged[-1][2] = max(merged[-1][2], high)
            else:
                merged.append([at, low, high])
    return [(at, low, high) for at, low, high in merged if high - low >= _SHORT]


def _parts(across: Sequence[Span], down: Sequence[Span]) -> list[tuple[list[Span], list[Span]]]:
    """Rules that touch one another, directly or through others."""
    parent = list(range(len(across) + len(down)))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, (y, left, right) in enumerate(across):
        for other, (x, top, bottom) in enumerate(down, len(across)):
            if left - _NEAR <= x <= right + _NEAR and top - _NEAR <= y <= bottom + _NEAR:
                parent[root(one)] = root(other)
    parts: dict[int, tuple[list[Span], list[Span]]] = {}
    for one, span in enumerate(across):
        parts.setdefault(root(one), ([], []))[0].append(span)
    for other, span in enumerate(down, len(across)):
        parts.setdefault(root(other), ([], []))[1].append(span)
    return list(parts.values())


def _grid(across: Sequence[Span], down: Sequence[Span]) -> Grid | None:
    if not across or not down or len(across) + len(down) < 3:
        return None
    xs, ys = _lanes(span[0] for span in down), _lanes(span[0] for span in across)
    # Many tables leave their outer sides open, and one that a page break cuts its end: there the other rules end.
    xs, ys = _with_ends(xs, across), _with_ends(ys, down)
    if len(xs) < 3 or len(ys) < 2:
        return None
    columns, rows = len(xs) - 1, len(ys) - 1
    cells = [row * columns + column for row in range(rows) for column in range(columns)]

    def first(one: int) -> int:
        while cells[one] != one:
            one = cells[one]
        return one

    for row in range(rows):
        middle = (ys[row] + ys[row + 1]) / 2
        for column in range(columns):
            centre = (xs[column] + xs[column + 1]) / 2
            one = row * columns + column
            if column + 1 < columns and not _covers(down, xs[column + 1], middle):
                _join(cells, first(one), first(one + 1))
            if row + 1 < rows and not _covers(across, ys[row + 1], centre):
                _join(cells, first(one), first(one + columns))
    numbers = [first(one) for one in range(rows * columns)]
    if len(set(numbers)) < 2:
        return None
    return Grid(tuple(xs), tuple(ys), tuple(tuple(numbers[row * columns:][:columns]) for row in range(rows)))


def _with_ends(lanes: list[float], crossing: Sequence[Span]) -> list[float]:
    first, last = min(span[1] for span in crossing), max(span[2] for span in crossing)
    before = [first] if first < lanes[0] - 2 * _NEAR else []
    return [*before, *lanes, last] if last > lanes[-1] + 2 * _NEAR else [*before, *lanes]


def _join(cells: list[int], one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    cells[high] = low


def _lanes(places: Iterable[float]) -> list[float]:
    lanes: list[float] = []
    for place in sorted(places):
        if not lanes or place - lanes[-1] > _NEAR:
            lanes.append(place)
    return lanes


def _covers(spans: Iterable[Span], at: float, place: float) -> bool:
    return any(abs(span[0] - at) <= _NEAR and span[1] - _NEAR <= place <= span[2] + _NEAR for span in spans)
