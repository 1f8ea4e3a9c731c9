"""A sheet's cells -> blocks: tables divided by empty rows, captions above them and remarks below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.reading import Block, BlockKind, table_text

Row = dict[int, str]            # column, from 1 -> text; no empty ones
Range = tuple[int, int, int, int]   # top, left, bottom, right: rows and columns, both inclusive


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the cells that hold something, merged ranges, and text that floats above the cells."""

    name: str
    rows: dict[int, Row]
    merged: tuple[Range, ...] = ()
    boxes: tuple[str, ...] = ()
    furniture: tuple[Block, ...] = field(default=())


class TooManyCells(Exception):
    """The sheet would have more cells than allowed."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """The rows with merged ranges filled, and which of the cells are such repetitions."""

    rows: dict[int, Row]
    beside: dict[int, set[int]]         # row -> columns that repeat a cell on their left
    below: dict[int, set[int]]          # row -> columns that repeat a cell above


def sheet_blocks(sheet: Sheet, max_cells: int) -> list[Block]:
    """Every cell's text once, a merged one's in each place. Raises `TooManyCells`."""
    grid = _filled(sheet, max_cells)
    blocks: list[Block] = []
    for top, bottom in _groups(sorted(grid.rows)):
        blocks += _group_blocks(grid, top, bottom, sheet.merged, max_cells)
    blocks += [Block(text) for text in sheet.boxes]
    return blocks


def _filled(sheet: Sheet, max_cells: int) -> _Grid:
    """Merged ranges are filled as far as there are other cells: some are merged to the sheet's end."""
    rows = {number: dict(row) for number, row in sheet.rows.items() if row}
    beside: dict[int, set[int]] = {}
    below: dict[int, set[int]] = {}
    last_row, last_column = max(rows, default=0), max((max(row) for row in rows.values()), default=0)
    count = sum(map(len, rows.values()))
    for top, left, bottom, right in sheet.merged:
        text = sheet.rows.get(top, {}).get(left)
        if text is None:
            continue
        bottom, right = min(bottom, last_row), min(right, last_column)
        count += max(bottom - top + 1, 0) * max(right - left + 1, 0)
        if count > max_cells:
            raise TooManyCells
        for number in range(top, bottom + 1):
            row = rows.setdefault(number, {})
            for column in range(left, right + 1):
                row.setdefault(column, text)
            beside.setdefault(number, set()).update(range(left + 1, right + 1))
            if number > top:
                below.setdefault(number, set()).update(range(left, right + 1))
    return _Grid(rows, beside, below)


def _groups(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of rows without an empty one between."""
    start = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield numbers[start], number
            start = place + 1


def _group_blocks(
    grid: _Grid, top: int, bottom: int, merged: tuple[Range, ...], max_cells: int
) -> Iterator[Block]:
    """Rows with one text above and below those with several are paragraphs."""
    rows = grid.rows
    wide = [number for number in range(top, bottom + 1) if len(rows[number].keys() - grid.beside.get(number, ())) > 1]
    first, last = (wide[0], wide[-1]) if wide else (bottom + 1, bottom)
    for number in range(top, first):
        yield from _paragraphs(grid, number)
    if wide:
        columns = sorted({column for number in range(first, last + 1) for column in rows[number]})
        if len(columns) * (last - first + 1) > max_cells:
            raise TooManyCells
        cells = tuple(tuple(rows[n].get(column, "") for column in columns) for n in range(first, last + 1))
        yield Block(table_text(cells, _header_rows(first, last, merged)), BlockKind.TABLE)
    for number in range(last + 1, bottom + 1):
        yield from _paragraphs(grid, number)


def _paragraphs(grid: _Grid, number: int) -> Iterator[Block]:
    repeated = grid.beside.get(number, set()) | grid.below.get(number, set())
    for column, text in sorted(grid.rows[number].items()):
        if column not in repeated:
            yield from (Block(line.strip()) for line in text.splitlines() if line.strip())


def _header_rows(first: int, last: int, merged: tuple[Range, ...]) -> int:
    """Two or three where wide cells of the first row have cells of their own below and narrow ones reach down."""
    starting = [(bottom, right - left) for top, left, bottom, right in merged if top == first]
    wide = any(width and bottom < last for bottom, width in starting)
    deepest = max((bottom for bottom, width in starting if not width), default=first)
    if wide and first < deepest <= min(first + 2, last - 1):
        return deepest - first + 1
    return 1
