"""XLSX, CSV and TSV -> blocks: each sheet a heading and its tables, values as the sheet shows them.

An XLSX is walked as XML rather than through openpyxl, which refuses workbooks whose styles Excel tolerates and does
not know the Chinese date formats. Format: ECMA-376 part 1, section 18.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from lxml import etree

from core.errors import IngestError
from core.records import Reject
from ingest.ooxml import DAMAGED, Element, Package, damaged, open_package
from ingest.read_text import decode
from ingest.reading import Block, BlockKind, Reading, ReadOptions
from ingest.sheet_blocks import Range, Row, Sheet, TooManyCells, sheet_blocks
from ingest.sheet_numbers import BUILT_IN, plain, shown

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_HEADER_CODE = re.compile(r'&"[^"]*"|&K[0-9A-Fa-f]{6}|&\d+|&[A-Za-z+\-]')
_USUAL_NAME = re.compile(r"(?:sheet|工作表) ?\d*", re.IGNORECASE)
_DELIMITERS = ",\t;|，"
_MAX_COLUMN = 16_384


@dataclass(frozen=True, slots=True)
class _Book:
    """What the sheets of one workbook share."""

    strings: tuple[str, ...]
    formats: tuple[str, ...]            # by style number
    since_1904: bool
    max_cells: int


def read_xlsx(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Formulas as the values stored with them. Hidden sheets are read, empty ones left out. Raises `IngestError`."""
    package = open_package(data, source)
    try:
        sheets = list(_sheets(package, options.max_cells))
        return _reading(sheets, options.max_cells, source)
    except TooManyCells as error:
        raise _too_large(options.max_cells, source) from error
    except DAMAGED as error:
        raise damaged(error, source) from error


def read_csv(data: bytes, source: str, options: ReadOptions) -> Reading:
    """The delimiter is the one that divides the lines most evenly, whatever the name says. Raises `IngestError`."""
    text = decode(data, source)
    stated = re.match(r"sep=(.)\n", text)
    if stated:
        text = text[stated.end() :]
    rows: dict[int, Row] = {}
    count = 0
    try:
        for number, values in enumerate(_csv_rows(text, stated[1] if stated else _delimiter(text)), start=1):
            cells = enumerate((re.sub(r'^="(.*)"$', r"\1", value).strip() for value in values), start=1)
            rows[number] = {column: value for column, value in cells if value}
            count += len(values)
            if count > options.max_cells:
                raise TooManyCells
        return _reading([Sheet("", rows)], options.max_cells, source)
    except TooManyCells as error:
        raise _too_large(options.max_cells, source) from error


def _too_large(max_cells: int, source: str) -> IngestError:
    reason = f"表格超过 {max_cells} 个单元格（ingest.max_cells）。请拆分，或调高上限"
    return IngestError(reason, place=source, code=Reject.TOO_LARGE)


def _reading(sheets: list[Sheet], max_cells: int, source: str) -> Reading:
    filled = [(sheet, blocks) for sheet in sheets if (blocks := sheet_blocks(sheet, max_cells))]
    if not filled:
        raise IngestError("表格里没有内容。请检查是否导出不完整", place=source, code=Reject.EMPTY)
    result: list[Block] = []
    for sheet, blocks in filled:
        named = bool(sheet.name) and not (len(filled) == 1 and _USUAL_NAME.fullmatch(sheet.name))
        if len(filled) == 1 and len(blocks) > 1 and blocks[0].kind is BlockKind.PARAGRAPH and len(blocks[0].text) <= 80:
            result.append(Block(blocks.pop(0).text, BlockKind.TITLE))      # the line above the only table
        if named:
            result.append(Block(sheet.name, BlockKind.HEADING, 2))
        result += blocks
    furniture = dict.fromkeys(block for sheet, _ in filled for block in sheet.furniture)
    titled = any(block.kind is BlockKind.TITLE for block in result)
    return Reading((*result, *furniture), {} if titled else {"title": _file_title(source)})


def _file_title(source: str) -> str:
    """The file's name without the number that orders it in its folder: neither a header row nor the name of the
    first of several sheets says what the whole is."""
    return re.sub(r"^\d{1,3}[_.、 -]+(?=\D)", "", PurePath(source).stem)


def _sheets(package: Package, max_cells: int) -> Iterator[Sheet]:
    main = package.main_part("xl/workbook.xml")
    root, relations = package.xml(main), package.relations(main)
    if root is None:
        raise KeyError(main)
    properties = root.find(f"{_S}workbookPr")
    parts = {relation.kind: package.xml(relation.target) for relation in relations.values()
             if relation.kind in ("sharedStrings", "styles") and not relation.external}
    book = _Book(
        _strings(parts.get("sharedStrings")), _formats(parts.get("styles")),
        properties is not None and properties.get("date1904") in ("1", "true"), max_cells,
    )
    left = max_cells
    for item in root.iter(f"{_S}sheet"):
        relation = relations.get(item.get(f"{_R}id", ""))
        if relation is None or relation.kind != "worksheet" or (data := package.part(relation.target)) is None:
            continue                    # a sheet that is one chart has no cells
        sheet = _sheet(data, item.get("name", ""), package, relation.target, book)
        left -= sum(map(len, sheet.rows.values()))
        if left < 0:
            raise TooManyCells
        yield sheet


def _strings(root: Element | None) -> tuple[str, ...]:
    return () if root is None else tuple(_rich_text(item) for item in root.findall(f"{_S}si"))


def _rich_text(item: Element) -> str:
    """Text of all runs; reading aids (rPh) are left out."""
    found = [*item.findall(f"{_S}t"), *item.findall(f"{_S}r/{_S}t")]
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), "".join(part.text or "" for part in found))


def _formats(root: Element | None) -> tuple[str, ...]:
    if root is None:
        return ()
    own = {item.get("numFmtId"): item.get("formatCode", "") for item in root.iter(f"{_S}numFmt")}
    codes = [item.get("numFmtId", "0") for item in root.findall(f"{_S}cellXfs/{_S}xf")]
    return tuple(own.get(code, BUILT_IN.get(int(code), "") if code.isdecimal() else "") for code in codes)


def _sheet(data: bytes, name: str, package: Package, part: str, book: _Book) -> Sheet:
    rows: dict[int, Row] = {}
    merged: list[Range] = []
    furniture: list[Block] = []
    number = count = 0
    events = etree.iterparse(
        io.BytesIO(data), tag=[f"{_S}{tag}" for tag in ("row", "mergeCell", "oddHeader", "oddFooter")],
        resolve_entities=False, no_network=True, huge_tree=False,
    )
    for _, element in events:
        if element.tag == f"{_S}row":
            stated = element.get("r", "")
            number = int(stated) if stated.isdecimal() else number + 1
            row = _row(element, book)
            count += len(row)
            if count > book.max_cells:
                raise TooManyCells
            if row:
                rows[number] = row
            element.clear()             # keeps a sheet of a million cells within memory
        elif element.tag == f"{_S}mergeCell":
            if area := _range(element.get("ref", "")):
                merged.append(area)
        else:
            kind = BlockKind.HEADER if element.tag == f"{_S}oddHeader" else BlockKind.FOOTER
            text = " ".join(_HEADER_CODE.sub(" ", element.text or "").split())
            furniture += [Block(text, kind)] if re.search(r"\w{2}", text) else []
    return Sheet(name, rows, tuple(merged), tuple(_boxes(package, part)), tuple(furniture))


def _row(element: Element, book: _Book) -> Row:
    row: Row = {}
    column = 0
    for cell in element.iterchildren(f"{_S}c"):
        place = _REFERENCE.fullmatch(cell.get("r", ""))
        column = _column(place[1]) if place else column + 1
        if column <= _MAX_COLUMN and (text := _cell(cell, book).strip()):
            row[column] = text
    return row


def _cell(cell: Element, book: _Book) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{_S}is")
        return "" if inline is None else _rich_text(inline)
    value = cell.findtext(f"{_S}v")
    if value is None or (kind == "n" and not value):
        formula = cell.findtext(f"{_S}f")       # never calculated: the formula is all there is
        return f"={formula}" if formula else ""
    match kind:
        case "s":
            place = int(value)
            return book.strings[place] if 0 <= place < len(book.strings) else ""
        case "b":
            return "TRUE" if value.strip() in ("1", "true") else "FALSE"
        case "n":
            style = cell.get("s", "0")
            number_format = book.formats[int(style)] if style.isdecimal() and int(style) < len(book.formats) else ""
            return _number(value, number_format, book)
        case _:                                 # the text of a formula, an error, an ISO date
            return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)


def _number(value: str, number_format: str, book: _Book) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    if not abs(number) < 1e300:                 # infinite or no number at all
        return value
    return shown(number, number_format, since_1904=book.since_1904) if number_format else plain(number)


def _range(reference: str) -> Range | None:
    first, _, last = reference.partition(":")
    start, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if not start or not end:
        return None
    return int(start[2]), _column(start[1]), int(end[2]), _column(end[1])


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _boxes(package: Package, part: str) -> Iterator[str]:
    """Text boxes and shapes that float above the cells."""
    for relation in package.relations(part).values():
        root = package.xml(relation.target) if relation.kind == "drawing" and not relation.external else None
        for paragraph in () if root is None else root.iter(f"{_A}p"):
            if text := " ".join("".join(run.text or "" for run in paragraph.iter(f"{_A}t")).split()):
                yield text


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """A stray quote mark can swallow the rest of the file into one field; such a text is divided without quotes."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:                   # a field over 131,072 characters
        rows = []
    if not rows or any(field.count("\n") > 200 for row in rows for field in row):
        rows = [line.split(delimiter) for line in text.split("\n") if line]     # the csv module's limit again otherwise
    yield from rows


def _delimiter(text: str) -> str:
    lines = [line for line in text[:20_000].split("\n")[:50] if line.strip()]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)

    return max(_DELIMITERS, key=evenness) if lines else ","
