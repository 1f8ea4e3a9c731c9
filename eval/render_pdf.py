"""A paper printed to PDF after GB/T 9704, with a text layer, or as pictures of pages like a scanner makes."""

# mypy: allow-untyped-calls
# (pymupdf's functions have no types)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import pymupdf

from eval.paper import Paper, Part, Role, with_labels

_WIDTH, _HEIGHT = 595.3, 841.9            # A4 in points
_TOP, _LEFT = 105.0, 76.5                 # 37 mm; 27 mm, so that 28 characters of 16 points fill the line
_BODY, _TITLE, _BANNER, _SMALL, _CELL = 16.0, 22.0, 44.0, 14.0, 12.0
_MEASURE = 28 * _BODY
_LEADING = 29.0                           # 22 lines a page
_BOTTOM = _TOP + 22 * _LEADING
_BLACK, _RED = (0.0, 0.0, 0.0), (0.85, 0.0, 0.0)
_NEVER_FIRST = "，。、；：？！）》」』】〕”’％…·"
_NEVER_LAST = "（《「『【〔“‘"
_CELL_PAD = 5.0
_DAY = "D:20260101000000Z"                # the file says it was made then, so that equal papers give equal bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of print; ``y`` is the baseline."""

    text: str
    x: float
    y: float
    size: float
    spread: float = 0.0                   # extra points after each character, so that the line fills the measure
    colour: tuple[float, float, float] = _BLACK


@dataclass(slots=True)
class _Sheet:
    lines: list[_Line] = field(default_factory=list)
    rules: list[tuple[float, float, float, float]] = field(default_factory=list)    # black hairlines
    red_rules: list[float] = field(default_factory=list)                            # their heights
    seals: list[tuple[float, float]] = field(default_factory=list)


class _Press:
    """Sets parts one under the other and begins a new sheet where one is full."""

    def __init__(self, paper: Paper) -> None:
        self.font = pymupdf.Font("cjk")   # Droid Sans Fallback, which comes with MuPDF
        self.paper = paper
        self.sheets = [_Sheet()]
        self.y = _TOP

    def room(self, height: float) -> _Sheet:
        if self.y + height > _BOTTOM + 1:
            self.sheets.append(_Sheet())
            self.y = _TOP
        return self.sheets[-1]

    def width(self, text: str, size: float) -> float:
        return float(self.font.text_length(text, size))

    def set(self, part: Part) -> None:
        match part.role:
            case Role.TABLE:
                self._table(part)
            case Role.BANNER:
                self._centred(part.text, _BANNER, _RED)
            case Role.DOC_NO:
                self._doc_no(part.text)
            case Role.TITLE:
                self._centred(part.text, _TITLE, _BLACK)
            case Role.HEADING if part.level:
                self._centred(part.text, _BODY, _BLACK)
            case Role.SIGNATURE | Role.DATE:
                self._right(part)
            case Role.ANNEX:
                self.y = _BOTTOM + 1      # an annex begins its own page
                self._paragraph(part.text, indent=0.0)
            case Role.NOTE:
                self._note(part.text)
            case _:
                self._paragraph(part.text, indent=0.0 if part.role is Role.ADDRESSEE else 2 * _BODY)

    def _paragraph(self, text: str, *, indent: float) -> None:
        lines = list(self._wrap(text, _BODY, _MEASURE - indent, _MEASURE))
        for n, line in enumerate(lines):
            left = indent if n == 0 else 0.0
            free = _MEASURE - left - self.width(line, _BODY)
            last = n == len(lines) - 1
            spread = 0.0 if last or len(line) < 2 else free / (len(line) - 1)
            sheet = self.room(_LEADING)
            sheet.lines.append(_Line(line, _LEFT + left, self.y + 20, _BODY, spread))
            self.y += _LEADING

    def _centred(self, text: str, size: float, colour: tuple[float, float, float]) -> None:
        size = max(min(size, size * _MEASURE / self.width(text, size)), size * 0.6) if size == _BANNER else size
        leading = max(_LEADING, size * 1.5)
        lines = ceil(self.width(text, size) / _MEASURE)
        room = min(self.width(text, size) / lines + size, _MEASURE)      # of about equal length, not a lone character
        for line in self._wrap(text, size, room, room):
            sheet = self.room(leading)
            x = _LEFT + (_MEASURE - self.width(line, size)) / 2
            sheet.lines.append(_Line(line, x, self.y + size * 1.2, size, colour=colour))
            self.y += leading
        if size > _BODY:
            self.y += _LEADING / 2

    def _doc_no(self, text: str) -> None:
        sheet = self.room(2 * _LEADING)
        sheet.lines.append(_Line(text, _LEFT + (_MEASURE - self.width(text, _BODY)) / 2, self.y + 20, _BODY))
        sheet.red_rules.append(self.y + 32)
        self.y += 2 * _LEADING

    def _right(self, part: Part) -> None:
        """A signature stands four characters from the right margin, with the seal over it."""
        sheet = self.room(_LEADING * (2 if part.role is Role.SIGNATURE else 1))
        x = _LEFT + _MEASURE - 4 * _BODY - self.width(part.text, _BODY)
        sheet.lines.append(_Line(part.text, x, self.y + 20, _BODY))
        if part.role is Role.SIGNATURE and self.paper.seal:
            sheet.seals.append((x + self.width(part.text, _BODY) / 2, self.y + 24))
        self.y += _LEADING

    def _note(self, text: str) -> None:
        lines = list(self._wrap(text, _SMALL, _MEASURE - 2 * _SMALL, _MEASURE - 2 * _SMALL))
        sheet = self.room(_LEADING * len(lines) + 8)
        sheet.rules.append((_LEFT, self.y + 4, _LEFT + _MEASURE, self.y + 4))
        for line in lines:
            sheet.lines.append(_Line(line, _LEFT + _SMALL, self.y + 24, _SMALL))
            self.y += _LEADING - 4
        sheet.rules.append((_LEFT, self.y + 7, _LEFT + _MEASURE, self.y + 7))
        self.y += 8

    def _table(self, part: Part) -> None:
        columns = _column_widths(part.rows)
        edges = [_LEFT + sum(columns[:n]) for n in range(len(columns) + 1)]
        self.y += 6
        for number, row in enumerate(part.rows):
            cells = []
            for column, text in enumerate(row):
                first_row, first, last_row, last = _span(part, number, column)
                if (number, column) != (first_row, first):
                    continue              # covered by a merged cell that has its text
                room = edges[last + 1] - edges[first] - 2 * _CELL_PAD
                cells.append((first, last, last_row, list(self._wrap(text, _CELL, room, room))))
            height = max((len(lines) for *_, last_row, lines in cells if last_row == number), default=1) * 18.0 + 6
            sheet = self.room(height)
            self._cells(sheet, cells, edges, height)
            _borders(sheet, part, number, edges, self.y, height)
            self.y += height
        self.y += 10

    def _cells(
        self, sheet: _Sheet, cells: Sequence[tuple[int, int, int, list[str]]], edges: Sequence[float], height: float
    ) -> None:
        for first, last, _, lines in cells:
            top = self.y + max((height - 18.0 * len(lines)) / 2, 3)
            for n, line in enumerate(lines):
                free = edges[last + 1] - edges[first] - self.width(line, _CELL)
                x = edges[first] + (free / 2 if len(lines) == 1 else _CELL_PAD)
                sheet.lines.append(_Line(line, x, top + 13.5 + 18.0 * n, _CELL))

    def _wrap(self, text: str, size: float, first: float, others: float) -> Iterator[str]:
        """The lines of a paragraph; joined they give it back."""
        room, used, line = first, 0.0, ""
        for char in text:
            advance = self.width(char, size)
            if line and used + advance > room + 0.1:
                keep = _keep(line, char)
                yield line[:keep]
                room, line = others, line[keep:]
                used = self.width(line, size)
            line += char
            used += advance
        if line:
            yield line


def pdf_of(paper: Paper) -> bytes:
    """The file's bytes, equal for equal papers. A character that the font lacks is left out."""
    press = _Press(paper)
    for part in with_labels(paper.parts):
        press.set(part)
    document = pymupdf.open()
    for number, sheet in enumerate(press.sheets, start=1):
        page = document.new_page(width=_WIDTH, height=_HEIGHT)
        page.insert_font(fontname="F0", fontbuffer=press.font.buffer)
        lines = [*sheet.lines, *_furniture(press, number)]
        _write(document, page, _content(press.font, lines, sheet))
        for centre in sheet.seals:
            _seal(page, centre)
    document.subset_fonts()
    document.set_metadata({"creationDate": _DAY, "modDate": _DAY, "producer": "policydesk", "creator": "policydesk"})
    return bytes(document.tobytes(garbage=3, deflate=True, no_new_id=True))


def scanned_pdf_of(pdf: bytes, *, dpi: int = 150, seed: int | None = None, quality: int = 35) -> bytes:
    """The same pages as grey JPEG pictures and nothing else. With a seed a little crooked and noisy, as scans are."""
    random = None if seed is None else np.random.default_rng(seed)
    scan = pymupdf.open()
    with pymupdf.open("pdf", pdf) as source:
        for page in source:
            crooked = pymupdf.Matrix(dpi / 72, dpi / 72)
            if random is not None:
                crooked.prerotate(float(random.uniform(-0.4, 0.4)))
            picture = page.get_pixmap(matrix=crooked, colorspace=pymupdf.csGRAY)
            if random is not None:
                grey = np.frombuffer(picture.samples, dtype=np.uint8).astype(np.float32)
                noisy = np.clip(grey - 6 + random.normal(0, 2, grey.shape), 0, 255).astype(np.uint8)
                picture = pymupdf.Pixmap(pymupdf.csGRAY, picture.width, picture.height, noisy.tobytes(), False)
            sheet = scan.new_page(width=page.rect.width, height=page.rect.height)
            sheet.insert_image(sheet.rect, stream=picture.tobytes("jpeg", jpg_quality=quality))
    scan.set_metadata({"creationDate": _DAY, "modDate": _DAY, "producer": "policydesk", "creator": "policydesk"})
    return bytes(scan.tobytes(garbage=3, deflate=True, no_new_id=True))


def _keep(line: str, following: str) -> int:
    """How many characters of a full line stay on it: no closing mark begins a line, no opening one ends it, and
    no word or number is cut."""
    keep = len(line)
    while keep > 1 and (
        following in _NEVER_FIRST or line[keep - 1] in _NEVER_LAST
        or (_is_latin(following) and _is_latin(line[keep - 1]))
    ):
        keep -= 1
        following = line[keep]
    return keep if keep > 1 else len(line)


def _is_latin(char: str) -> bool:
    return "!" <= char <= "~"


def _column_widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Shares of the measure by the longest cell, none below a third of the even share."""
    longest = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    weights = [max(min(length, 18), 18 / len(longest) / 3, 3) for length in longest]
    return [_MEASURE * weight / sum(weights) for weight in weights]


def _span(part: Part, row: int, column: int) -> tuple[int, int, int, int]:
    for span in part.merged:
        if span[0] <= row <= span[2] and span[1] <= column <= span[3]:
            return span
    return row, column, row, column


def _borders(sheet: _Sheet, part: Part, row: int, edges: Sequence[float], top: float, height: float) -> None:
    """The lines around the cells of a row, without those inside a merged cell."""
    for column in range(len(edges) - 1):
        first_row, first, last_row, last = _span(part, row, column)
        left, right = edges[column], edges[column + 1]
        if row == first_row:
            sheet.rules.append((left, top, right, top))
        if row == last_row:
            sheet.rules.append((left, top + height, right, top + height))
        if column == first:
            sheet.rules.append((left, top, left, top + height))
        if column == last:
            sheet.rules.append((right, top, right, top + height))


def _furniture(press: _Press, number: int) -> Iterator[_Line]:
    """The running header and the page number, which stands outside: right on odd pages, left on even ones."""
    if press.paper.running_header:
        text = press.paper.running_header
        yield _Line(text, _LEFT + (_MEASURE - press.width(text, 10.5)) / 2, 62.0, 10.5)
    if press.paper.page_numbers:
        text = f"— {number} —"
        left = _LEFT + _SMALL
        right = _LEFT + _MEASURE - _SMALL - press.width(text, _SMALL)
        yield _Line(text, right if number % 2 else left, _BOTTOM + 36, _SMALL)


def _content(font: pymupdf.Font, lines: Sequence[_Line], sheet: _Sheet) -> bytes:
    """Page description operators. PDF measures from the bottom."""
    out = []
    for x0, y0, x1, y1 in sheet.rules:
        out.append(f"0 G 0.6 w {x0:.1f} {_HEIGHT - y0:.1f} m {x1:.1f} {_HEIGHT - y1:.1f} l S")
    for y in sheet.red_rules:
        red = " ".join(f"{value:g}" for value in _RED)
        out.append(f"{red} RG 1.8 w {_LEFT:.1f} {_HEIGHT - y:.1f} m {_LEFT + _MEASURE:.1f} {_HEIGHT - y:.1f} l S")
    for line in lines:
        glyphs = "".join(f"{glyph:04x}" for char in line.text if (glyph := font.has_glyph(ord(char))))
        colour = " ".join(f"{value:g}" for value in line.colour)
        out.append(
            f"BT {colour} rg /F0 {line.size:g} Tf {line.spread:.3f} Tc "
            f"{line.x:.2f} {_HEIGHT - line.y:.2f} Td <{glyphs}> Tj ET"
        )
    return "\n".join(out).encode("ascii")


def _write(document: pymupdf.Document, page: pymupdf.Page, content: bytes) -> None:
    xref = document.get_new_xref()
    document.update_object(xref, "<<>>")
    document.update_stream(xref, content)
    page.set_contents(xref)


def _seal(page: pymupdf.Page, centre: tuple[float, float]) -> None:
    """A round red mark with a star, drawn over the signature. It bears no name: it is no seal of anybody."""
    middle = pymupdf.Point(*centre)
    page.draw_circle(middle, 56, color=_RED, width=3, stroke_opacity=0.55)
    angles = np.deg2rad(-90 + 36 * np.arange(10))
    radii = np.where(np.arange(10) % 2, 7.0, 18.0)
    steps = zip(radii * np.cos(angles), radii * np.sin(angles), strict=True)
    points = [pymupdf.Point(middle.x + float(right), middle.y + float(down)) for right, down in steps]
    page.draw_polyline([*points, points[0]], color=_RED, fill=_RED, width=0, stroke_opacity=0.55, fill_opacity=0.55)
