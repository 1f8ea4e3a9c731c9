"""OFD -> Reading: the text objects of its pages as lines, tables from drawn rules, then the layout that PDF uses.

Annotations and stamps are not read. Pages that show a picture and no text are named for the recogniser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from core.errors import IngestError
from core.records import Box, Reject
from ingest.glyphs import garbled_share, plain
from ingest.grids import Grid, grids_of, table_of
from ingest.html_facts import is_agency
from ingest.layout import blocks_of
from ingest.ofd_package import Page, attachments, document_info, open_ofd, page_references, read_page
from ingest.ofd_text import MM, Drawn, Glyph, drawn
from ingest.ooxml import DAMAGED
from ingest.reading import Block, BlockKind, PageLines, Reading, ReadOptions, TextLine
from ingest.rows import group_by_height

_FEW = 30               # characters: a scan often carries a page number as text
_SCAN = 0.5             # share of the page that its picture covers
_PICTURE = 0.12         # share from which a picture beside text is looked at: a seal has 0.03
_OUTLINES = 150         # shapes on a page without text: letters drawn as curves
_GARBLED = 0.3          # share of unknown characters from which the text is of no use
_NO_TITLE = re.compile(r"无标题|未命名|新建|文档\s*\d*$|\.(?:docx?|wps|pdf|pptx?|xlsx?|html?|ofd)\b", re.IGNORECASE)


def read_ofd(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Raises `IngestError` for a file that is encrypted, damaged or longer than ``options.max_pages``."""
    package = open_ofd(data, source)
    references = page_references(package, source)
    if len(references) > options.max_pages:
        reason = f"有 {len(references)} 页，上限 {options.max_pages} 页（ingest.max_pages）。请拆分，或调高上限"
        raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
    pages: list[PageLines] = []
    needs_ocr: list[int] = []
    unread: list[int] = []
    for number, reference in enumerate(references, start=1):
        page = read_page(package, reference)
        recognised = options.recognised.get(number)
        if page is None and recognised is None:
            unread.append(number)
            continue
        lines, pictures = _page_lines(page, number) if page is not None else (None, [])
        if recognised is not None:
            lines = recognised if lines is None else _completed(lines, recognised, pictures)
        elif lines is None or pictures:
            needs_ocr.append(number)
        if lines is not None:
            pages.append(lines)
    if len(unread) == len(references):
        raise IngestError("OFD 的页面都读不出来，文件已损坏。请重新下载或重新导出", place=source)
    blocks = blocks_of(pages)
    return Reading(
        tuple(blocks), _hints(document_info(package), blocks), len(references), tuple(needs_ocr), tuple(unread),
        attachments(package),
    )


def page_picture(data: bytes, source: str, number: int) -> bytes | None:
    """The largest picture of a page (from 1) as the file holds it, for the recogniser; None when there is none."""
    package = open_ofd(data, source)
    references = page_references(package, source)
    page = read_page(package, references[number - 1]) if 0 < number <= len(references) else None
    if page is None:
        return None
    named = [(_area(box), name) for box, name in drawn(page).pictures if name]
    try:
        return package.read(max(named)[1]) if named else None
    except DAMAGED:
        return None


def _page_lines(page: Page, number: int) -> tuple[PageLines | None, list[Box]]:
    """(the lines, pictures that may hold more text); None for the first when there is a picture and no text."""
    content = drawn(page)
    width, height = page.box[2] * MM, page.box[3] * MM
    covered = sum(_area(box) for box, _ in content.pictures) / (width * height)
    # A recogniser's text layer over a scan is transparent; elsewhere transparent text is hidden from the reader.
    glyphs = [glyph for glyph in content.glyphs if covered > _SCAN or not glyph.unseen]
    solid = sum(not glyph.char.isspace() for glyph in glyphs)
    if _is_picture(content, solid, covered) or garbled_share("".join(g.char for g in glyphs)) > _GARBLED:
        return None, []
    grids = grids_of(content.rules)
    lines: list[TextLine] = []
    cells: list[list[tuple[int, TextLine]]] = [[] for _ in grids]
    for place, line in _placed_lines(glyphs, grids):
        if place is None or line.rotated:
            lines.append(line)
        else:
            cells[place[0]].append((place[1], line))
    tables = [table_of(grid, held) for grid, held in zip(grids, cells, strict=True)]
    read = PageLines(
        number, width, height, tuple(_merged(_without_twins(lines))),
        tuple(table for table in tables if table is not None),
    )
    beside = [
        box for box, _ in content.pictures
        if _area(box) > _PICTURE * width * height and not any(_inside(glyph.box, box) for glyph in glyphs)
    ]
    return read, beside


def _is_picture(content: Drawn, solid: int, covered: float) -> bool:
    if solid < _FEW and (covered > _SCAN or (not solid and covered > 0.05)):
        return True
    return not solid and content.paths > _OUTLINES


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _inside(inner: Box, outer: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _completed(lines: PageLines, recognised: PageLines, pictures: Sequence[Box]) -> PageLines:
    """The page's text, and what was recognised in its pictures."""
    more = tuple(line for line in recognised.lines if any(_inside(line.box, box) for box in pictures))
    return replace(lines, lines=lines.lines + more)


def _placed_lines(
    glyphs: Sequence[Glyph], grids: Sequence[Grid]
) -> list[tuple[tuple[int, int] | None, TextLine]]:
    """Runs of characters on one base line, cut where the object, the cell or a wide gap ends them."""
    found: list[tuple[tuple[int, int] | None, TextLine]] = []
    run: list[Glyph] = []
    where: tuple[int, int] | None = None
    for glyph in glyphs:
        place = _cell(glyph.box, grids)
        if run and (place != where or not _goes_on(run[-1], glyph)):
            found.append((where, _line(run)))
            run = []
        run.append(glyph)
        where = place
    if run:
        found.append((where, _line(run)))
    return [(place, line) for place, line in found if line.text.strip()]


def _cell(box: Box, grids: Sequence[Grid]) -> tuple[int, int] | None:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for number, grid in enumerate(grids):
        if (cell := grid.cell_at(x, y)) is not None:
            return number, cell
    return None


def _goes_on(last: Glyph, glyph: Glyph) -> bool:
    if not glyph.joined:
        return False
    if last.rotated:
        return True
    gap = glyph.box[0] - last.box[2]
    return abs(glyph.box[3] - last.box[3]) < 0.4 * last.size and -0.6 * last.size < gap < 0.8 * last.size


def _line(run: Sequence[Glyph]) -> TextLine:
    box = (
        min(glyph.box[0] for glyph in run), min(glyph.box[1] for glyph in run),
        max(glyph.box[2] for glyph in run), max(glyph.box[3] for glyph in run),
    )
    text = plain("".join(glyph.char for glyph in run))
    return TextLine(text, box, run[0].size, run[0].rotated, run[0].faint)


def _without_twins(lines: Sequence[TextLine]) -> list[TextLine]:
    """Without what is printed a second time on the same spot to look bold or shaded."""
    kept: list[TextLine] = []
    seen: set[tuple[str, int, int]] = set()
    for line in lines:
        near = 0.2 * line.size
        x, y = round(line.box[0] / near), round(line.box[1] / near)
        around = {(line.text.strip(), x + right, y + down) for right in (-1, 0, 1) for down in (-1, 0, 1)}
        if not around & seen:
            kept.append(line)
            seen.add((line.text.strip(), x, y))
    return kept


def _merged(lines: Sequence[TextLine]) -> list[TextLine]:
    """Pieces that follow one another as one line: some programs write an object for each character."""
    merged: list[TextLine] = [line for line in lines if line.rotated]
    for group in group_by_height(line for line in lines if not line.rotated):
        last = group[0]
        for line in group[1:]:
            gap = (line.box[0] - last.box[2]) / last.size
            alike = abs(line.size - last.size) < 0.1 * last.size and line.faint == last.faint
            if alike and -0.3 < gap < 0.5:
                words = gap > 0.2 and last.text[-1:].isascii() and line.text[:1].isascii()
                box = (
                    last.box[0], min(last.box[1], line.box[1]), max(last.box[2], line.box[2]),
                    max(last.box[3], line.box[3]),
                )
                last = replace(last, text=last.text + (" " if words else "") + line.text, box=box)
            else:
                merged.append(last)
                last = line
        merged.append(last)
    return merged


def _hints(info: dict[str, str], blocks: Sequence[Block]) -> dict[str, str]:
    """The file's own title where none is printed, its author where it is an agency. Its date is that of the file."""
    hints: dict[str, str] = {}
    title = " ".join(info.get("Title", "").split())
    usable = 6 <= len(title) <= 120 and not _NO_TITLE.search(title) and re.search(r"[\u4e00-\u9fff]{4}", title)
    if usable and not any(block.kind is BlockKind.TITLE for block in blocks):
        hints["title"] = title
    author = info.get("Author", "")
    if is_agency(author):
        hints["issuer"] = author
    return hints
