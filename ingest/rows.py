"""Lines of print in reading order: fragments on one base line joined, columns read one after the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.records import Box
from ingest.forms import Cell, take_form
from ingest.reading import PageLines, PageTable, TextLine

# Widths in em; a stripped blank moves the edge of its line by that much, since many files indent with blanks.
_BLANK_WIDTH = {"\u3000": 1.0, "\u2003": 1.0, "\u2002": 0.5, "\t": 2.0}
_SPACE_WIDTH = 0.4
_BINS = 120             # places between 0.3 and 0.7 of a page's width where a gutter may lie: 1.5 points on A4
_WORD_END = re.compile(r"[0-9A-Za-z\u00c0-\u024f,.;:!?)%]$")
_WORD_START = re.compile(r"[0-9A-Za-z\u00c0-\u024f($]")
_OPEN_ADDRESS = re.compile(r"(?:https?://|www\.)[\x21-\x7e]*$")
_NUMBER = re.compile(r"第[〇零一二三四五六七八九十百千\d]+[编章节条](?:之[一二三四五六七八九十]+)?")
_LATIN = re.compile(r"[0-9A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of print, stripped, with the edges of the column it stands in."""

    text: str
    box: Box                     # of the ink: blanks at either end are left out
    size: float
    page: int
    left: float
    right: float
    large: bool = False          # larger than the text of the document

    @property
    def indent(self) -> float:
        """Distance from the column's left edge in em."""
        return (self.box[0] - self.left) / self.size

    @property
    def slack(self) -> float:
        """Room left at the end of the line in em."""
        return (self.right - self.box[2]) / self.size

    @property
    def is_centred(self) -> bool:
        before, after = self.indent, self.slack
        # Text of a paragraph, indented by two characters and two short of full, looks centred as well.
        least = 1.2 if self.large else 2.6
        return min(before, after) >= least and abs(before - after) <= max(1.2, 0.06 * (before + after))

    @property
    def is_set_off(self) -> bool:
        """Far from the left edge: a signature, a date, the second column of an address."""
        return self.indent >= 5 and not self.is_centred


@dataclass(frozen=True, slots=True)
class _Region:
    """Lines that stand in one column: 0 the whole width, 1 left, 2 right."""

    column: int
    page: int
    width: float                 # of the page
    lines: tuple[TextLine | PageTable | Cell, ...]


def group_by_height(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """Fragments that share a line of print, top to bottom, each group left to right."""
    groups: list[list[TextLine]] = []
    top = bottom = 0.0
    for line in sorted(lines, key=lambda one: (one.box[1] + one.box[3], one.box[0])):
        _, y0, _, y1 = line.box
        shared = min(bottom, y1) - max(top, y0)
        if groups and shared > 0.5 * min(y1 - y0, bottom - top):
            groups[-1].append(line)
        else:
            groups.append([line])
            top, bottom = y0, y1
    for group in groups:
        group.sort(key=lambda one: one.box[0])
    return groups


def join_fragments(group: Sequence[TextLine]) -> TextLine:
    """One line of them; a blank stands where words or wide gaps part them."""
    first = group[0]
    if len(group) == 1:
        return first
    text, edge = first.text, first.box[2]
    for line in group[1:]:
        gap = (line.box[0] - edge) / line.size
        words = _LATIN.match(text[-1:]) and _LATIN.match(line.text)
        parted = gap > 0.8 or (gap > 0.2 and words) or _NUMBER.fullmatch(text.strip())
        text += (" " if parted else "") + line.text
        edge = max(edge, line.box[2])
    box = (first.box[0], min(one.box[1] for one in group), edge, max(one.box[3] for one in group))
    size = max(group, key=lambda one: len(one.text)).size
    return TextLine(text, box, size, confidence=min(one.confidence for one in group))


def joined_text(texts: Sequence[str]) -> str:
    """Lines of one paragraph as one line."""
    text = ""
    for line in texts:
        text += f" {line}" if needs_blank(text, line) else line
    return text


def needs_blank(before: str, after: str) -> bool:
    """Whether two lines are joined with a blank: between words of Latin script, unless an address was broken."""
    if not _WORD_END.search(before) or not _WORD_START.match(after) or _OPEN_ADDRESS.search(before):
        return False
    return not (before[-1].isdigit() and after[0].isdigit())


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table and the page it stands on."""

    table: PageTable
    page: int


Item = Row | tuple[Row, ...] | PlacedTable      # the second: rows that are a paragraph already


def ordered_rows(pages: Sequence[PageLines], size: float) -> list[Item]:
    """What stands on all pages in the order in which it is read; ``size`` is that of the text."""
    regions = [region for page in pages for region in _regions(page)]
    stripped = [[_stripped(one) if isinstance(one, TextLine) else one for one in region.lines] for region in regions]
    edges = _edges(regions, stripped)
    items: list[Item] = []
    for region, lines, (left, right) in zip(regions, stripped, edges, strict=True):
        for line in lines:
            if isinstance(line, PageTable):
                items.append(PlacedTable(line, region.page))
            elif isinstance(line, Cell):
                own = [_stripped(one) for one in line.lines]
                items.append(tuple(Row(one.text, one.box, one.size, region.page, left, right) for one in own))
            else:
                large = line.size >= 1.1 * size
                items.append(Row(line.text, line.box, line.size, region.page, left, right, large))
    return items


def _regions(page: PageLines) -> list[_Region]:
    lines, cells = take_form(page.lines)
    if not cells:
        return _columns(page)
    top = min(line.box[3] for cell in cells for line in cell.lines)
    parts = [
        replace(
            page, lines=tuple(line for line in lines if (line.box[3] < top) == above),
            tables=tuple(table for table in page.tables if (table.box[3] < top) == above),
        )
        for above in (True, False)
    ]
    return [*_columns(parts[0]), _Region(0, page.number, page.width, tuple(cells)), *_columns(parts[1])]


def _columns(page: PageLines) -> list[_Region]:
    gutter = _gutter(page)
    if gutter is None:
        return [_Region(0, page.number, page.width, tuple(_top_down(page.lines, page.tables)))]
    regions: list[_Region] = []
    lines: tuple[list[TextLine], list[TextLine]] = ([], [])
    tables: tuple[list[PageTable], list[PageTable]] = ([], [])

    def close() -> None:
        for side in (0, 1):
            if lines[side] or tables[side]:
                regions.append(_Region(side + 1, page.number, page.width, tuple(_top_down(lines[side], tables[side]))))
                lines[side].clear()
                tables[side].clear()

    across: list[TextLine | PageTable] = sorted([*page.lines, *page.tables], key=lambda one: one.box[1])
    for item in across:
        side = _side(item.box, gutter)
        if side is None:
            close()
            regions.append(_Region(0, page.number, page.width, (item,)))
        elif isinstance(item, PageTable):
            tables[side].append(item)
        else:
            lines[side].append(item)
    close()
    return regions


def _top_down(lines: Iterable[TextLine], tables: Iterable[PageTable]) -> list[TextLine | PageTable]:
    joined: list[TextLine | PageTable] = [join_fragments(group) for group in group_by_height(lines)]
    placed = sorted(tables, key=lambda one: one.box[1])
    return sorted([*joined, *placed], key=lambda one: one.box[1]) if placed else joined


def _side(box: Box, gutter: float) -> int | None:
    if box[2] <= gutter + 2:
        return 0
    return 1 if box[0] >= gutter - 2 else None


def _gutter(page: PageLines) -> float | None:
    """The x between two columns of prose, or None.

    Prose fills its column, so rows of a list without rules, with short cells, have no gutter.
    """
    lines = page.lines
    if len(lines) < 12:
        return None
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    width = max(right - left, 1.0)
    if sum(line.box[2] - line.box[0] > 0.55 * width for line in lines) > 0.3 * len(lines):
        return None
    crossing = [0] * (_BINS + 2)
    for line in lines:
        start, end = (round(_BINS * ((edge - left) / width - 0.3) / 0.4) for edge in (line.box[0], line.box[2]))
        start, end = max(start, 0), min(end + 1, _BINS + 1)
        if start < end:
            crossing[start] += 1
            crossing[end] -= 1
    for at in range(1, len(crossing)):
        crossing[at] += crossing[at - 1]
    fewest = min(crossing[:_BINS])
    run = max(_runs([at for at in range(_BINS) if crossing[at] == fewest]), key=lambda one: one[1] - one[0])
    from_, to = (left + width * (0.3 + 0.4 * at / _BINS) for at in run)
    gutter = (from_ + to) / 2
    sides = [[line for line in lines if _side(line.box, gutter) == side] for side in (0, 1)]
    if to - from_ < 4 or min(len(side) for side in sides) < 4 or fewest > 0.3 * len(lines):
        return None
    return gutter if all(_is_prose(side) for side in sides) else None


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    runs = [(numbers[0], numbers[0])]
    for number in numbers[1:]:
        if number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _is_prose(lines: Sequence[TextLine]) -> bool:
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    filled = sum(line.box[2] - line.box[0] > 0.75 * (right - left) for line in lines)
    return filled >= 0.5 * len(group_by_height(lines)) and right - left > 6 * lines[0].size


def _stripped(line: TextLine) -> TextLine:
    text = line.text.strip()
    if len(text) == len(line.text):
        return line
    lead = line.text[: len(line.text) - len(line.text.lstrip())]
    tail = line.text[len(line.text.rstrip()):]
    x0, y0, x1, y1 = line.box
    x0, x1 = x0 + _blank_width(lead) * line.size, x1 - _blank_width(tail) * line.size
    if x1 <= x0:    # the widths were only a guess
        x0, x1 = line.box[0], line.box[2]
    return TextLine(text, (x0, y0, x1, y1), line.size, line.rotated, line.faint, line.confidence)


def _blank_width(blanks: str) -> float:
    return sum(_BLANK_WIDTH.get(blank, _SPACE_WIDTH) for blank in blanks)


def text_width(text: str) -> float:
    """In em: half a one for Latin."""
    return sum(0.55 if ord(char) < 0x2000 else 1.0 for char in text)


def _edges(
    regions: Sequence[_Region], stripped: Sequence[Sequence[TextLine | PageTable | Cell]]
) -> list[tuple[float, float]]:
    """Left and right edge of the text of each region. A page with few full lines takes those of its document."""
    lines = [[one for one in region if isinstance(one, TextLine)] for region in stripped]
    usual: dict[int, tuple[float, float]] = {}
    for column in {region.column for region in regions}:
        together = [
            line for region, own in zip(regions, lines, strict=True) if region.column == column for line in own
        ]
        width = min(region.width for region in regions if region.column == column)
        left, right = _document_edges(together)
        # Nothing but short lines does not make the page narrow.
        usual[column] = left, max(right, width - left) if column == 0 and right < 0.62 * width else right
    return [_region_edges(own, usual[region.column]) for region, own in zip(regions, lines, strict=True)]


def _document_edges(lines: Sequence[TextLine]) -> tuple[float, float]:
    if not lines:
        return 0.0, 1.0
    size = Counter(round(line.size) for line in lines).most_common(1)[0][0] or 1
    ends = Counter(round(2 * line.box[2] / size) for line in lines)
    starts = Counter(round(2 * line.box[0] / size) for line in lines)
    # The right edge is where most lines end; with hardly any full line it is where the longest one does.
    end, count = max(ends.items(), key=lambda item: (item[1] + ends[item[0] + 1], item[0]))
    reaching = [line.box[2] for line in lines if abs(round(2 * line.box[2] / size) - end) <= 1]
    right = max(reaching) if count > 2 else max(line.box[2] for line in lines)
    often = [start for start, seen in starts.items() if seen >= max(2, 0.08 * len(lines))]
    first = min(often) if often else min(starts)
    left = min(line.box[0] for line in lines if abs(round(2 * line.box[0] / size) - first) <= 1)
    return left, max(right, left + size)


def _region_edges(lines: Sequence[TextLine], usual: tuple[float, float]) -> tuple[float, float]:
    if len(lines) < 6:
        return usual
    left, right = _document_edges(lines)
    size = lines[len(lines) // 2].size
    full = sum(abs(line.box[2] - right) < 0.7 * size for line in lines)
    if (full < 5 and full < 0.4 * len(lines)) or right - left < 0.8 * (usual[1] - usual[0]):
        return usual
    if abs(right - usual[1]) < 1.2 * size and left > usual[0] + size:
        left = usual[0]         # a page of nothing but indented items
    return left, right
