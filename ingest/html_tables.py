"""<table> -> rows of cells with merged cells filled in, and whether a table is a table or holds a page's layout."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from core.errors import IngestError
from core.records import Reject
from ingest.html_tree import Element, Unseen, has_background, is_unseen, tidy

_ROWS = ("thead", "tbody", "tfoot")
_LINE_TAGS = frozenset("p div br li tr table h1 h2 h3 h4 h5 h6 dd dt section article blockquote ul ol caption".split())
_MAX_SPAN = 1000                 # of columns, as browsers have it
_FEW_ROWS = 4                    # a page that is laid out by a table has a head, the text and a foot


Place = tuple[int, int]          # row and position in it of the cell that covers a place of the table
_NOWHERE = (-1, -1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it is written, before it is spread over the rows and columns it covers."""

    lines: list[str]
    columns: int
    rows: int
    is_header: bool
    linked: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: every place of ``rows`` holds text, a merged cell's in each place it covers."""

    rows: tuple[tuple[str, ...], ...]
    header_rows: int
    above: tuple[str, ...]       # rows that are one merged cell, before and after the others
    below: tuple[str, ...]
    linked: int                  # characters that are links


def own_rows(table: Element, unseen: Unseen) -> list[tuple[Element, bool]]:
    """The visible rows that are not of a table inside, and whether each stands in the head."""
    rows: list[tuple[Element, bool]] = []
    for child in table:
        if is_unseen(child, unseen, True):
            continue
        if child.tag == "tr":
            rows.append((child, False))
        elif child.tag in _ROWS:
            inside = [row for row in child.iterchildren("tr") if not is_unseen(row, unseen, True)]
            rows.extend((row, child.tag == "thead") for row in inside)
    return rows


def is_layout(table: Element, unseen: Unseen) -> bool:
    """Whether the table only puts things side by side, so that its cells are to be read as paragraphs."""
    if (table.get("role") or "").lower() in ("presentation", "none"):
        return True
    rows = own_rows(table, unseen)
    widths = [sum(1 for _ in row.iterchildren("td", "th")) for row, _ in rows]
    if max(widths, default=0) <= 1:
        return True
    nested = sum(1 for _ in table.iter("table")) - 1
    if nested:
        return nested * 3 >= sum(widths)
    if len(rows) > _FEW_ROWS:
        return False
    cells = [cell_lines(cell, unseen, True)[0] for row, _ in rows for cell in row.iterchildren("td", "th")]
    if sum(width > 1 for width in widths) == 1:
        return any(len(lines) > 2 for lines in cells)
    lengths = [sum(map(len, lines)) for lines in cells]
    return any(
        length > 500 and length >= 0.8 * sum(lengths) and len(lines) >= 5
        for length, lines in zip(lengths, cells, strict=True)
    )


def cell_lines(cell: Element, unseen: Unseen, on_colour: bool) -> tuple[list[str], int]:
    """The cell's visible lines, and how many of their characters are links."""
    lines: list[list[str]] = [[]]
    linked = links = 0
    coloured = [cell] if on_colour or has_background(cell) else []
    events = etree.iterwalk(cell, events=("start", "end"))
    skipped: Element | None = None
    for event, element in events:
        begins = element.tag in _LINE_TAGS and element is not cell
        if event == "start":
            if element is not cell and is_unseen(element, unseen, bool(coloured)):
                skipped = element
                events.skip_subtree()
                continue
            links += element.tag == "a"
            if has_background(element):
                coloured.append(element)
            if begins or element.tag in ("td", "th"):
                lines.append([])
            text = element.text
        else:
            if element is not skipped:
                links -= element.tag == "a"
                if coloured and coloured[-1] is element:
                    coloured.pop()
                if begins:
                    lines.append([])
            text = element.tail if element is not cell else None
        if text:
            lines[-1].append(text)
            linked += len(text.strip()) if links else 0
    return ["".join(line) for line in lines if "".join(line).strip()], linked


def grid_of(
    rows: list[tuple[Element, bool]], unseen: Unseen, *, max_cells: int, source: str
) -> Grid:
    """The table of ``rows``; the lines of a cell are joined by spaces."""
    written = [_cells(row, unseen) for row, _ in rows]
    texts = [[_joined(cell.lines) for cell in cells] for cells in written]
    places = _spread(written, max_cells, source)
    places = _without_repeats(places)
    head = sum(in_head for _, in_head in rows)
    table = [tuple(texts[row][column] if row >= 0 else "" for row, column in line) for line in places]
    first = 0
    while first < len(places) - 1 and len(set(places[first])) == 1 and len(places[first]) > 1:
        first += 1
    last = len(places)
    while last - 1 > first and len(set(places[last - 1])) == 1 and len(places[last - 1]) > 1:
        last -= 1
    kept = [row for row in table[first:last] if any(row)]
    return Grid(
        tuple(kept), _header_rows(written[first:], max(head - first, 0), len(kept)),
        tuple(row[0] for row in table[:first] if row[0]), tuple(row[0] for row in table[last:] if row[0]),
        sum(cell.linked for cells in written for cell in cells),
    )


def _cells(row: Element, unseen: Unseen) -> list[Cell]:
    found: list[Cell] = []
    on_colour = any(has_background(outer) for outer in (row, *row.iterancestors("tbody", "thead", "table")))
    for cell in row.iterchildren("td", "th"):
        if is_unseen(cell, unseen, True):
            continue
        white = is_unseen(cell, unseen, on_colour)
        lines, linked = ([], 0) if white else cell_lines(cell, unseen, on_colour)
        found.append(Cell(lines, _span(cell, "colspan"), _span(cell, "rowspan"), cell.tag == "th", linked))
    return found


def _joined(lines: list[str]) -> str:
    """A cell's lines on one line; words that are set upright, a character a line, have no spaces."""
    tidied = [line for line in map(tidy, lines) if line]
    return ("" if all(len(line) == 1 for line in tidied) else " ").join(tidied)


def _span(cell: Element, name: str) -> int:
    """At least 1; 0 means to the end."""
    digits = (cell.get(name) or "").strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 6:
        return 1
    return min(int(digits), _MAX_SPAN) or (_MAX_SPAN if name == "rowspan" else 1)


def _spread(written: list[list[Cell]], max_cells: int, source: str) -> list[list[Place]]:
    """For each place of the table the cell that covers it.

    No cell reaches beyond the widest row of several cells: editors write colspan="100" for a whole row.
    """
    lines: list[list[Place]] = [[] for _ in written]
    widest = max((sum(cell.columns for cell in cells) for cells in written if len(cells) > 1), default=1)
    width = 0
    for row, cells in enumerate(written):
        column = 0
        for position, cell in enumerate(cells):
            while column < len(lines[row]) and lines[row][column] != _NOWHERE:
                column += 1
            end = column + max(1, min(cell.columns, widest - column))
            width = max(width, end)
            if width * len(written) > max_cells:
                reason = f"网页中的表格超过 {max_cells} 格（ingest.max_cells）。请拆分后重试"
                raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
            for line in lines[row:row + cell.rows]:
                line.extend([_NOWHERE] * (end - len(line)))
                line[column:end] = [(row, position) if place == _NOWHERE else place for place in line[column:end]]
            column = end
    return [line + [_NOWHERE] * (width - len(line)) for line in lines]


def _without_repeats(places: list[list[Place]]) -> list[list[Place]]:
    """Without columns and rows that no cell begins in: editors leave them behind when cells are merged."""
    rows = [line for position, line in enumerate(places) if position == 0 or line != places[position - 1]]
    width = len(rows[0]) if rows else 0
    kept = [
        column for column in range(width)
        if column == 0 or any(line[column] != line[column - 1] for line in rows)
    ]
    return [[line[column] for column in kept] for line in rows]


def _header_rows(written: list[list[Cell]], head: int, count: int) -> int:
    """Rows of the head, else rows of <th> alone, else the first row with what its merged cells reach down to."""
    if not head:
        for cells in written:
            if not cells or not all(cell.is_header for cell in cells):
                break
            head += 1
    if not head:
        first = written[0] if written else []
        tall = max((cell.rows for cell in first), default=1)
        head = tall if any(cell.columns > 1 for cell in first) and tall <= 3 else 1
    return min(head, count - 1) if count > 1 else 0
