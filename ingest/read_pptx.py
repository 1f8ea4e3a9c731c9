"""PPTX -> blocks: per slide its title, text in reading order, tables and notes, with the place of each on the slide.

Walked as XML like DOCX, because python-pptx gives neither the places of shapes in groups nor automatic numbers.
Format: ECMA-376 part 1, sections 19 (slides) and 21.1 (text and tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import IngestError
from core.records import Box, Reject
from ingest.docx_numbering import format_number
from ingest.ooxml import DAMAGED, Element, Package, damaged, open_package
from ingest.ooxml_formula import M, formula
from ingest.reading import Block, BlockKind, Piece, Reading, ReadOptions, table_text

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_EMU = 12_700                   # of a point
_SAME_ROW = 18.0                # points: boxes whose upper edges lie closer than this stand side by side
_FURNITURE = {"dt": BlockKind.FOOTER, "ftr": BlockKind.FOOTER, "hdr": BlockKind.HEADER, "sldNum": BlockKind.PAGE_NUMBER}
_TITLES = ("title", "ctrTitle")
# Parts of the names of automatic numbers: what stands for the number, and what stands around it.
_NUMBER_FORMATS = (("arabic", "decimal"), ("alphaLc", "lowerLetter"), ("alphaUc", "upperLetter"),
                   ("romanLc", "lowerRoman"), ("romanUc", "upperRoman"), ("circleNum", "decimalEnclosedCircle"),
                   ("ea1", "chineseCountingThousand"))


@dataclass(slots=True)
class _Slide:
    """One slide while it is read."""

    package: Package
    part: str
    number: int
    size: tuple[float, float]
    places: dict[tuple[str, str], Box]      # of the layout's and master's placeholders, by type and by index
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape, or a group of them, with its place in points."""

    element: Element
    box: Box
    kind: str = ""                          # of a placeholder: title, body, sldNum …
    members: tuple[_Shape, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Frame:
    """How a group's own coordinates lie on the slide: x -> x * scale + shift."""

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)


_WHOLE = _Frame()


def read_pptx(data: bytes, source: str, options: ReadOptions) -> Reading:
    """A slide is a page; one that holds pictures and no text is in `unread_pages`. Raises `IngestError`."""
    package = open_package(data, source)
    try:
        return _read(package, source, options.max_pages)
    except DAMAGED as error:
        raise damaged(error, source) from error


def _read(package: Package, source: str, max_pages: int) -> Reading:
    main = package.main_part("ppt/presentation.xml")
    root, relations = package.xml(main), package.relations(main)
    if root is None:
        raise KeyError(main)
    size = _size(root.find(f"{_P}sldSz"))
    targets = [relations[link].target for item in root.iter(f"{_P}sldId")
               if (link := item.get(f"{_R}id", "")) in relations]
    if len(targets) > max_pages:
        reason = f"有 {len(targets)} 张幻灯片，上限 {max_pages}（ingest.max_pages）。请拆分，或调高上限"
        raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
    blocks: list[Block] = []
    pictures: list[int] = []
    for number, part in enumerate(targets, start=1):
        slide = _Slide(package, part, number, size, _placeholder_places(package, part))
        found = list(_slide_blocks(slide))
        if slide.pictures and not any(not block.kind.is_furniture for block in found):
            pictures.append(number)
        blocks += found
    if not any(not block.kind.is_furniture for block in blocks):
        raise _no_text(len(pictures), source)
    return Reading(tuple(blocks), pages=len(targets), unread_pages=tuple(pictures))


def _no_text(pictures: int, source: str) -> IngestError:
    if pictures:
        reason = f"{pictures} 张幻灯片都是图片，没有文字。请另存为 PDF 后重新收录，以便识别图中文字"
        return IngestError(reason, place=source, code=Reject.NEEDS_OCR)
    return IngestError("幻灯片没有内容。请检查是否导出不完整", place=source, code=Reject.EMPTY)


def _slide_blocks(slide: _Slide) -> Iterator[Block]:
    root = slide.package.xml(slide.part)
    if root is None:
        raise KeyError(slide.part)
    shapes = list(_shapes(root.find(f"{_P}cSld/{_P}spTree"), slide, _WHOLE))
    titles = [shape for shape in shapes if shape.kind in _TITLES]
    # The title leads, wherever it stands on the slide.
    for shape in (*titles, *_in_reading_order([shape for shape in shapes if shape.kind not in _TITLES])):
        yield from _shape_blocks(shape, slide)
    for relation in slide.package.relations(slide.part).values():
        if relation.kind == "notesSlide" and not relation.external:
            notes = slide.package.xml(relation.target)
            for shape in () if notes is None else notes.iter(f"{_P}sp"):
                if _placeholder(shape)[0] == "body":
                    yield from (Block(text) for text in _lines(shape.find(f"{_P}txBody")))


def _shapes(tree: Element | None, slide: _Slide, frame: _Frame) -> Iterator[_Shape]:
    for child in () if tree is None else tree:
        if child.tag == f"{_MC}AlternateContent":
            branch = next((b for name in ("Choice", "Fallback") if (b := child.find(f"{_MC}{name}")) is not None), None)
            yield from _shapes(branch, slide, frame)
        elif child.tag == f"{_P}grpSp":
            inner = _inner_frame(child.find(f"{_P}grpSpPr/{_A}xfrm"), frame)
            members = tuple(_shapes(child, slide, inner))
            if members:
                yield _Shape(child, _around([member.box for member in members]), members=members)
        elif child.tag in (f"{_P}sp", f"{_P}graphicFrame", f"{_P}pic", f"{_P}cxnSp"):
            kind, index = _placeholder(child)
            slide.pictures += next(child.iter(f"{_A}blip"), None) is not None
            box = _box(child, frame) or slide.places.get(("type", kind)) or slide.places.get(("idx", index))
            yield _Shape(child, box or (0.0, 0.0, *slide.size), kind)


def _in_reading_order(shapes: list[_Shape]) -> list[_Shape]:
    """Rows from top to bottom, each from left to right; a group stays together."""
    rows: list[list[_Shape]] = []
    for shape in sorted(shapes, key=lambda item: (item.box[1], item.box[0])):
        if rows and shape.box[1] - rows[-1][0].box[1] <= _SAME_ROW:
            rows[-1].append(shape)
        else:
            rows.append([shape])
    return [shape for row in rows for shape in sorted(row, key=lambda item: item.box[0])]


def _shape_blocks(shape: _Shape, slide: _Slide) -> Iterator[Block]:
    for member in _in_reading_order(list(shape.members)):
        yield from _shape_blocks(member, slide)
    if shape.members:
        return
    if shape.element.tag == f"{_P}graphicFrame":
        yield from _frame_blocks(shape, slide)
        return
    lines = list(_lines(shape.element.find(f"{_P}txBody")))
    if shape.kind in _TITLES and lines:
        first = slide.number == 1
        kind, level = (BlockKind.TITLE, 0) if first else (BlockKind.HEADING, 2)
        text = re.sub(r"(?<=[A-Za-z0-9])\n(?=[A-Za-z0-9])", " ", "\n".join(lines)).replace("\n", "")
        yield _placed(text, kind, level, shape.box, slide)
        return
    for line in lines:
        yield _placed(line, _FURNITURE.get(shape.kind, BlockKind.PARAGRAPH), 0, shape.box, slide)


def _placed(text: str, kind: BlockKind, level: int, box: Box, slide: _Slide) -> Block:
    return Block(text, kind, level, (Piece(0, len(text), slide.number, box),))


def _frame_blocks(shape: _Shape, slide: _Slide) -> Iterator[Block]:
    """A table, or the texts of a diagram."""
    table = next(shape.element.iter(f"{_A}tbl"), None)
    if table is not None:
        rows = _table_rows(table)
        if any(any(row) for row in rows):
            yield _placed(table_text(rows), BlockKind.TABLE, 0, shape.box, slide)
    for reference in shape.element.iter(f"{_DIAGRAM}relIds"):
        relation = slide.package.relations(slide.part).get(reference.get(f"{_R}dm", ""))
        root = slide.package.xml(relation.target) if relation and not relation.external else None
        for body in () if root is None else root.iter(f"{_DIAGRAM}t"):
            for line in _lines(body):
                yield _placed(line, BlockKind.PARAGRAPH, 0, shape.box, slide)


def _table_rows(table: Element) -> tuple[tuple[str, ...], ...]:
    """A merged cell's text in each place that it covers: the cells it covers are there and marked."""
    rows: list[tuple[str, ...]] = []
    for element in table.iterchildren(f"{_A}tr"):
        row: list[str] = []
        for cell in element.iterchildren(f"{_A}tc"):
            text = "\n".join(_lines(cell.find(f"{_A}txBody")))
            if cell.get("hMerge") in ("1", "true") and row:
                text = row[-1]
            elif cell.get("vMerge") in ("1", "true") and rows and len(row) < len(rows[-1]):
                text = rows[-1][len(row)]
            row.append(text)
        rows.append(tuple(row))
    return tuple(rows)


def _lines(body: Element | None) -> Iterator[str]:
    """The paragraphs of a text body with their automatic numbers; a line break makes a new one."""
    counted: dict[tuple[int, str], int] = {}
    for paragraph in () if body is None else body.iterchildren(f"{_A}p"):
        lines = [line for part in "".join(_inline(paragraph)).split("\n") if (line := part.strip())]
        if not lines:
            continue
        properties = paragraph.find(f"{_A}pPr")
        stated = "0" if properties is None else properties.get("lvl", "0")
        level = int(stated) if re.fullmatch(r"\d", stated) else 0
        automatic = None if properties is None else properties.find(f"{_A}buAutoNum")
        kind = "" if automatic is None else automatic.get("type", "arabicPeriod")
        # Another kind of paragraph on this level or an outer one ends a list.
        counted = {key: count for key, count in counted.items() if key[0] < level or key == (level, kind)}
        if automatic is not None:
            start = automatic.get("startAt", "1")
            first = int(start) if re.fullmatch(r"\d{1,5}", start) else 1
            counted[level, kind] = counted.get((level, kind), first - 1) + 1
            lines[0] = _numbered(counted[level, kind], kind, lines[0])
        yield from lines


def _numbered(number: int, kind: str, text: str) -> str:
    form = next((form for name, form in _NUMBER_FORMATS if kind.startswith(name)), "decimal")
    shown = format_number(number, form)
    if kind.endswith("ParenBoth"):
        return f"({shown}){text}"
    if kind.endswith("ParenR"):
        return f"{shown}){text}"
    if kind.endswith("Period"):
        return f"{shown}、{text}" if form == "chineseCountingThousand" else f"{shown}.{text}"
    return f"{shown}　{text}"


def _inline(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_A}t":
            yield (child.text or "").replace("\v", "\n")
        elif child.tag == f"{_A}br":
            yield "\n"
        elif isinstance(child.tag, str):
            if child.tag.startswith(M):
                yield formula(child)
            elif child.tag == f"{_MC}AlternateContent":
                choice = child.find(f"{_MC}Choice")
                yield from _inline(child if choice is None else choice)
            else:
                yield from _inline(child)


def _placeholder(shape: Element) -> tuple[str, str]:
    """(type, index); a placeholder without a type is a body."""
    found = next(shape.iter(f"{_P}ph"), None)
    return ("", "") if found is None else (found.get("type", "body"), found.get("idx", ""))


def _placeholder_places(package: Package, part: str) -> dict[tuple[str, str], Box]:
    """The layout's places, else the master's: a slide states those alone that differ."""
    places: dict[tuple[str, str], Box] = {}
    for kind in ("slideLayout", "slideMaster"):
        part = next((r.target for r in package.relations(part).values() if r.kind == kind and not r.external), "")
        root = package.xml(part) if part else None
        for shape in () if root is None else root.iter(f"{_P}sp"):
            name, index = _placeholder(shape)
            box = _box(shape, _WHOLE)
            if name and box:
                places.setdefault(("type", name), box)
            if index and box:
                places.setdefault(("idx", index), box)
    return places


def _box(shape: Element, frame: _Frame) -> Box | None:
    places = [place for path in (f"{_P}spPr/{_A}xfrm", f"{_P}xfrm") if (place := shape.find(path)) is not None]
    numbers = _offset_and_extent(places[0], "off", "ext") if places else None
    if numbers is None:
        return None
    x, y, width, height = numbers
    left, top = x * frame.scale[0] + frame.shift[0], y * frame.scale[1] + frame.shift[1]
    right, bottom = left + width * frame.scale[0], top + height * frame.scale[1]
    return round(left, 2), round(top, 2), round(right, 2), round(bottom, 2)


def _inner_frame(place: Element | None, outer: _Frame) -> _Frame:
    on_slide = None if place is None else _offset_and_extent(place, "off", "ext")
    inside = None if place is None else _offset_and_extent(place, "chOff", "chExt")
    if on_slide is None or inside is None:
        return outer
    scale = [on_slide[n + 2] / inside[n + 2] if inside[n + 2] else 1.0 for n in (0, 1)]
    shift = [on_slide[n] - inside[n] * scale[n] for n in (0, 1)]
    return _Frame(
        (scale[0] * outer.scale[0], scale[1] * outer.scale[1]),
        (shift[0] * outer.scale[0] + outer.shift[0], shift[1] * outer.scale[1] + outer.shift[1]),
    )


def _offset_and_extent(place: Element, offset: str, extent: str) -> tuple[float, float, float, float] | None:
    """x, y, width, height in points."""
    start, size = place.find(f"{_A}{offset}"), place.find(f"{_A}{extent}")
    if start is None or size is None:
        return None
    texts = (start.get("x", ""), start.get("y", ""), size.get("cx", ""), size.get("cy", ""))
    if not all(re.fullmatch(r"-?\d{1,12}", text) for text in texts):
        return None
    x, y, width, height = (int(text) / _EMU for text in texts)
    return x, y, width, height


def _around(boxes: list[Box]) -> Box:
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _size(element: Element | None) -> tuple[float, float]:
    texts = ("", "") if element is None else (element.get("cx", ""), element.get("cy", ""))
    if all(re.fullmatch(r"\d{1,12}", text) for text in texts):
        return int(texts[0]) / _EMU, int(texts[1]) / _EMU
    return 720.0, 540.0
