"""PDF -> Reading: the text layer with its tables; pages without one are named for the recogniser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import pymupdf

from core.errors import IngestError
from core.records import Box, Reject
from ingest.glyphs import garbled_share, plain, without_quarter_blanks
from ingest.grids import Grid, grids_of, table_of
from ingest.layout import blocks_of
from ingest.reading import Block, BlockKind, PageLines, PageTable, Reading, ReadOptions, TextLine

# One pass over a page gives text, bold that is drawn twice as once, and the boxes of what is drawn: 0.9 ms a page;
# the library's own drawings and tables each interpret the page once more, find_tables takes 500 ms.
_FLAGS = (
    pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_COLLECT_STYLES
    | pymupdf.TEXT_COLLECT_VECTORS
)
_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError)
_TEXT, _VECTOR = 0, 3       # kinds of blocks
_GARBLED = 0.3              # share of unmapped characters from which a text layer is of no use
_FEW = 30                   # characters: a scan often carries a stamp or a page number as text
_PICTURE = 0.12             # share from which a picture beside text is looked at: a seal has 0.03, a photograph 0.1
_FAR = 1e5                  # points: a page of 35 metres
_SCAN = 0.5                 # share of the page that its picture covers
_OUTLINES = 150             # shapes on a page without text: letters drawn as curves
_NO_TITLE = re.compile(
    r"Microsoft|PowerPoint|Word|WPS|Untitled|无标题|未命名|新建|文档\s*\d*$|幻灯片"
    r"|\.(?:docx?|wps|pdf|pptx?|xlsx?|html?|ofd)\b|^[\w\-. ]*$", re.ASCII | re.IGNORECASE
)
_URL = re.compile(r"https?://[\x21-\x7e]+")

Upright = Callable[[Box], Box]
Turn = tuple[Upright, tuple[int, int]]


def read_pdf(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Raises `IngestError` for a file that is locked, damaged or longer than ``options.max_pages``."""
    pages: list[PageLines] = []
    needs_ocr: list[int] = []
    unread: list[int] = []
    with open_pdf(data, source) as document:
        count = _page_count(document, source)
        if count > options.max_pages:
            reason = f"有 {count} 页，上限 {options.max_pages} 页（ingest.max_pages）。请拆分，或调高上限"
            raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
        _lighten(document)
        for number in range(1, count + 1):
            recognised = options.recognised.get(number)
            try:
                page, pictures = _read_page(document, number)
            except _ERRORS:
                page, pictures = None, []
                if recognised is None:
                    unread.append(number)
                    continue
            if recognised is not None:
                page = recognised if page is None else _completed(page, recognised, pictures)
            elif page is None or pictures:
                needs_ocr.append(number)
            if page is not None:
                pages.append(page)
        title = _metadata_title(document)
    blocks = blocks_of(pages)
    hints = _hints(blocks, title)
    return Reading(tuple(blocks), hints, count, tuple(needs_ocr), tuple(unread))


def open_pdf(data: bytes, source: str) -> Any:  # noqa: ANN401
    """The library's document. Raises `IngestError` when it is locked by a password or no PDF."""
    pymupdf.TOOLS.mupdf_display_errors(False)  # type: ignore[no-untyped-call]
    pymupdf.TOOLS.mupdf_display_warnings(False)  # type: ignore[no-untyped-call]
    try:
        document = pymupdf.open(stream=data, filetype="pdf")  # type: ignore[no-untyped-call]
    except _ERRORS as error:
        raise _damaged(source, error) from error
    if document.needs_pass:
        document.close()  # type: ignore[no-untyped-call]
        raise IngestError("PDF 设有打开密码。请解除密码后重新上传", place=source, code=Reject.ENCRYPTED)
    return document


def _damaged(source: str, error: Exception) -> IngestError:
    return IngestError(f"PDF 已损坏，打不开（{error}）。请重新下载或重新导出", place=source, code=Reject.DAMAGED)


def _page_count(document: Any, source: str) -> int:  # noqa: ANN401
    try:
        count = int(document.page_count)
    except _ERRORS as error:
        raise _damaged(source, error) from error
    if not count:
        raise IngestError("PDF 里没有页面。请重新导出", place=source, code=Reject.DAMAGED)
    return count


def _lighten(document: Any) -> None:  # noqa: ANN401
    """Take the drawings out of Type 3 fonts, where browsers put their bold Chinese: reading a document's first page
    took 60 ms for them, now 10, and the text comes from other parts of the font."""
    try:
        if any(font[2] == "Type3" for font in document.get_page_fonts(0)):
            for number in range(1, document.xref_length()):
                if document.xref_get_key(number, "Subtype")[1] == "/Type3":
                    document.xref_set_key(number, "CharProcs", "<<>>")
    except _ERRORS:
        return      # a damaged file: its pages say what can be read


def _completed(page: PageLines, recognised: PageLines, pictures: Sequence[Box]) -> PageLines:
    """The text layer, and what was recognised in its pictures and is not in it."""
    found = [
        line for line in recognised.lines
        if any(_holds(box, line.box) for box in pictures) and not any(_holds(own.box, line.box) for own in page.lines)
    ]
    tables = tuple(table for table in recognised.tables if any(_holds(box, table.box) for box in pictures))
    return replace(page, lines=page.lines + tuple(found), tables=page.tables + tables)


def _holds(box: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _read_page(document: Any, number: int) -> tuple[PageLines | None, list[Box]]:  # noqa: ANN401
    """(the text layer, the boxes of pictures that may hold more text); None for a layer of letters that no table
    maps to characters."""
    page = document.load_page(number - 1)
    layer = page.get_textpage(flags=_FLAGS)
    content = layer.extractDICT()
    solid, unknown = _letters(content)
    if unknown > _GARBLED:
        return None, []
    turn = _upright(content)
    grids = grids_of(_shapes(content, turn[0]))
    tangles = _tangles(list(_raw_lines(content)), turn)
    parts = [(line, line["spans"]) for line in _raw_lines(content)]
    if grids or tangles:
        parts = _untangled(layer.extractRAWDICT(), tangles, turn[0])
    lines, tables = _cells(parts, grids, turn)
    _, _, width, height = turn[0]((0.0, 0.0, content["width"], content["height"]))
    width, height = max(_bounded(width), 1.0), max(_bounded(height), 1.0)
    read = PageLines(number, width, height, tuple(_sorted_out(lines)), tables)
    scanned = solid < _FEW and _is_picture(page, solid)
    return read, [(0.0, 0.0, width, height)] if scanned else _pictures(page, read)


def _shapes(content: dict[str, Any], upright: Upright) -> Iterator[tuple[Box, bool]]:
    """What is drawn and may be a rule: not what is white or transparent."""
    for block in content["blocks"]:
        if block["type"] == _VECTOR and block["isrect"] and block["alpha"]:
            if block["stroked"] or block["color"] != 0xFFFFFF:
                yield upright(block["bbox"]), block["stroked"]


def _raw_lines(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for block in content["blocks"]:
        if block["type"] == _TEXT:
            yield from block["lines"]


def _letters(content: dict[str, Any]) -> tuple[int, float]:
    """(letters of the text layer without heads and feet, share of all that cannot be read)."""
    lines = [("".join(span["text"] for span in line["spans"]), line["bbox"]) for line in _raw_lines(content)]
    margin = 0.06 * content["height"]
    body = (text for text, box in lines if margin < box[1] and box[3] < content["height"] - margin)
    return sum(len("".join(text.split())) for text in body), garbled_share("".join(text for text, _ in lines))


def _is_picture(page: Any, solid: int) -> bool:  # noqa: ANN401
    """Whether a page with next to no text has a picture instead, or letters drawn as curves."""
    area = abs(page.rect) or 1.0
    covered = sum(abs(page.rect & image["bbox"]) for image in page.get_image_info())
    if covered > _SCAN * area or (not solid and covered > 0.05 * area):
        return True
    return not solid and sum(kind.startswith("fill-path") for kind, _ in page.get_bboxlog()) > _OUTLINES


def _pictures(page: Any, read: PageLines) -> list[Box]:  # noqa: ANN401
    """Large pictures without text upon them, such as a table that a web page shows as one."""
    if not page.get_images():
        return []
    area = abs(page.rect) or 1.0
    found = [tuple(page.rect & image["bbox"]) for image in page.get_image_info()]
    return [
        (x0, y0, x1, y1) for x0, y0, x1, y1 in found
        if (x1 - x0) * (y1 - y0) > _PICTURE * area
        and not any(
            x0 < line.box[0] and line.box[2] < x1 and y0 < line.box[1] and line.box[3] < y1 for line in read.lines
        )
    ]


def _upright(content: dict[str, Any]) -> tuple[Upright, tuple[int, int]]:
    """(turns a box so that most of the text is horizontal, the direction that text has in the file)."""
    turns: Counter[tuple[int, int]] = Counter()
    for line in _raw_lines(content):
        turns[round(line["dir"][0]), round(line["dir"][1])] += sum(len(span["text"]) for span in line["spans"])
    width, height = float(content["width"]), float(content["height"])
    main = turns.most_common(1)[0][0] if turns else (1, 0)
    match main:
        case (0, -1):
            return (lambda box: (height - box[3], box[0], height - box[1], box[2])), main
        case (0, 1):
            return (lambda box: (box[1], width - box[2], box[3], width - box[0])), main
        case (-1, 0):
            return (lambda box: (width - box[2], height - box[3], width - box[0], height - box[1])), main
    return (lambda box: box), (1, 0)


def _line(line: dict[str, Any], spans: Sequence[dict[str, Any]], turn: Turn) -> TextLine:
    """Of the spans of one line, or of the part of it that stands in one cell."""
    text = without_quarter_blanks(plain("".join(span["text"] for span in spans)))
    main = max(spans, key=lambda span: len(span["text"]))
    box = (
        min(span["bbox"][0] for span in spans), min(span["bbox"][1] for span in spans),
        max(span["bbox"][2] for span in spans), max(span["bbox"][3] for span in spans),
    )
    x0, y0, x1, y1 = (_bounded(place) for place in turn[0](box))
    return TextLine(text, (x0, y0, x1, y1), max(_bounded(main["size"]), 1.0), _is_slanted(line, turn), _is_faint(main))


def _is_slanted(line: dict[str, Any], turn: Turn) -> bool:
    return bool(line["dir"][0] * turn[1][0] + line["dir"][1] * turn[1][1] < 0.98)


def _bounded(number: float) -> float:
    """Damaged files have places that are no number or lie light years away."""
    return number if -_FAR < number < _FAR else 0.0


def _is_faint(span: dict[str, Any]) -> bool:
    """Light grey or nearly transparent; white is the colour of letters on a dark ground."""
    color = span["color"]
    light = (0.3 * (color >> 16 & 255) + 0.59 * (color >> 8 & 255) + 0.11 * (color & 255)) / 255
    return bool(0.7 < light < 0.98 or 0 < span["alpha"] < 110)


Part = tuple[dict[str, Any], list[dict[str, Any]]]      # a line, and its spans, or its letters as spans


def _tangles(lines: Sequence[dict[str, Any]], turn: Turn) -> list[list[int]]:
    """Numbers of lines of which one lies within the other: LibreOffice writes “其他” as 其他 with gaps, then “”."""
    level = [(turn[0](line["bbox"]), at) for at, line in enumerate(lines) if not _is_slanted(line, turn)]
    level.sort(key=lambda one: (round(one[0][3]), one[0][0]))
    tangles: list[list[int]] = []
    held: list[int] = []
    base = height = end = 0.0
    for (x0, y0, x1, y1), at in level:
        close = abs(y1 - base) < 0.3 * (y1 - y0) and 0.7 * height < y1 - y0 < 1.4 * height
        if held and close and (x0 + x1) / 2 < end:
            held.append(at)
            end = max(end, x1)
            continue
        if len(held) > 1:
            tangles.append(held)
        held, base, height, end = [at], y1, y1 - y0, x1
    return [*tangles, held] if len(held) > 1 else tangles


def _untangled(content: dict[str, Any], tangles: Sequence[Sequence[int]], upright: Upright) -> list[Part]:
    """Letters of every line from left to right, those of a tangle as one line."""
    letters: list[Part] = [
        (line, [{**span, "text": char["c"], "bbox": char["bbox"]} for span in line["spans"] for char in span["chars"]])
        for line in _raw_lines(content)
    ]
    for tangle in tangles:
        first, *others = tangle
        chars = (char for at in tangle for char in letters[at][1])
        merged = sorted(chars, key=lambda char: sum(upright(char["bbox"])[::2]))
        once = merged[:1] + [char for before, char in pairwise(merged) if not _is_overprint(before, char, upright)]
        letters[first] = letters[first][0], once
        for at in others:
            letters[at] = letters[at][0], []
    return [part for part in letters if part[1]]


def _is_overprint(before: dict[str, Any], char: dict[str, Any], upright: Upright) -> bool:
    step = upright(char["bbox"])[0] - upright(before["bbox"])[0]
    return bool(before["text"] == char["text"] and step < 0.3 * char["size"])


def _cells(
    parts: Sequence[Part], grids: Sequence[Grid], turn: Turn
) -> tuple[list[TextLine], tuple[PageTable, ...]]:
    """(the lines outside the grids, the tables): letter by letter, since one line may cross several cells."""
    if not grids:
        return [_line(line, spans, turn) for line, spans in parts], ()
    outside: list[TextLine] = []
    inside: list[list[tuple[int, TextLine]]] = [[] for _ in grids]
    for line, letters in parts:
        for place, run in groupby(letters, key=lambda char: _place(turn[0](char["bbox"]), grids)):
            part = _line(line, list(run), turn)
            if place is None or part.rotated:
                outside.append(part)
            elif part.text.strip():
                inside[place[0]].append((place[1], part))
    tables = [table_of(grid, lines) for grid, lines in zip(grids, inside, strict=True)]
    return outside, tuple(table for table in tables if table is not None)


def _place(box: Box, grids: Sequence[Grid]) -> tuple[int, int] | None:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for number, grid in enumerate(grids):
        if (cell := grid.cell_at(x, y)) is not None:
            return number, cell
    return None


def _sorted_out(lines: Sequence[TextLine]) -> list[TextLine]:
    """Without blanks and without what is printed a second time on the same spot to look bold or shaded."""
    kept: list[TextLine] = []
    seen: dict[str, list[TextLine]] = {}
    faint = all(line.faint for line in lines if line.text.strip())
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        twins = seen.setdefault(text, [])
        near = 0.2 * line.size
        if any(abs(line.box[0] - twin.box[0]) < near and abs(line.box[1] - twin.box[1]) < near for twin in twins):
            continue
        twins.append(line)
        kept.append(replace(line, faint=False) if faint else line)      # all of it: a recogniser's hidden layer
    return kept


def _metadata_title(document: Any) -> str | None:  # noqa: ANN401
    """The title that the program gave the file, unless it is a file's name or a program's."""
    try:
        title = plain((document.metadata or {}).get("title") or "")
    except _ERRORS:
        return None
    title = " ".join(re.split(r"_|--| - ", title)[0].split())    # 标题_频道_中国政府网
    usable = 6 <= len(title) <= 120 and not _NO_TITLE.search(title) and garbled_share(title) == 0
    return title if usable and re.search(r"[\u4e00-\u9fff]{4}", title) else None


def _hints(blocks: Sequence[Block], title: str | None) -> dict[str, str]:
    """The printed title is better than the file's; a web page's address stands at the foot of its print."""
    hints: dict[str, str] = {}
    if title and not any(block.kind is BlockKind.TITLE for block in blocks):
        hints["title"] = title
    feet = {block.text for block in blocks if block.kind is BlockKind.FOOTER and _URL.fullmatch(block.text)}
    if len(feet) == 1:      # a long address is cut with … and does not match
        hints["url"] = feet.pop()
    return hints
