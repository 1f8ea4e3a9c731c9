"""DOCX -> blocks: running text in order with its automatic numbers, tables, notes, page headers and footers.

The parts are walked as XML rather than through python-docx, whose paragraphs leave out content controls, text boxes,
inserted text and numbers. Format: ECMA-376 part 1, section 17.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.errors import IngestError
from core.records import Reject
from ingest.docx_styles import NO_LOOK, Look, W, paragraph_look
from ingest.docx_text import Inline, Walk, open_walk, read_inline
from ingest.ooxml import DAMAGED, Element, Package, damaged, open_package
from ingest.reading import Attachment, Block, BlockKind, Reading, ReadOptions, table_text

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAX_COLUMNS = 63                   # Word's own limit
_MAX_TABLE_CHARS = 20_000_000       # a merged cell's text is repeated in each place
_PAGE_FIELD = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b")
_ONLY_A_NUMBER = re.compile(r"[\s\d\-—–―－·./／第共页，,IVXivx]*")
_NOT_A_TITLE = re.compile(r"^附件|文件$|^[^\s]{1,20}[〔\[［（(【]\d{4}[〕\]］）)】]第?\d+号$")
_DOCUMENT_KIND = re.compile(
    r"(?:通知|办法|规定|条例|细则|意见|方案|决定|公告|通告|指南|函|公报|规则|章程|规划|计划)(?:[（(].{1,12}[）)])?$"
)
_HEADING_NUMBER = re.compile(r"第[一二三四五六七八九十百\d]+[编章节条]|[一二三四五六七八九十]+、|[（(]|\d")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A block in the making, with what tells a title from other text."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    look: Look = NO_LOOK


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a table by its place in the grid."""

    start: int
    width: int
    text: str = ""
    merged_down: bool = False           # one with the cell above it


@dataclass(frozen=True, slots=True)
class _Table:
    rows: tuple[tuple[str, ...], ...]
    header_rows: int


def read_docx(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Notes stand after the text as "[注1] …", where the text has "[注1]". Raises `IngestError` for a damaged file,
    and for one that holds pictures and no text."""
    package = open_package(data, source)
    try:
        return _read(package, source)
    except DAMAGED as error:
        raise damaged(error, source) from error


def _read(package: Package, source: str) -> Reading:
    walk = open_walk(package)
    root = package.xml(walk.part)
    body = None if root is None else root.find(f"{W}body")
    if body is None:
        raise IngestError("文件里没有正文部件，不是完整的 DOCX。请用 Office 或 WPS 另存", place=source)
    items = list(_content(body, walk))
    paragraphs = _titled(items)
    blocks = [_block(item) for item in paragraphs]
    if not any(block.text.strip() for block in blocks) and not walk.attachments:
        raise _no_text(walk.images, source)
    blocks += _notes(walk)
    blocks += _furniture(body, walk)
    return Reading(
        tuple(blocks), hints=_hints(package, blocks), pages=_pages(package),
        attachments=tuple(Attachment(name, data) for name, data in walk.attachments),
    )


def _no_text(images: int, source: str) -> IngestError:
    if images:
        reason = f"文档里只有 {images} 张图片，没有文字，可能是扫描件。请另存为 PDF 后重新收录，以便识别图中文字"
        return IngestError(reason, place=source, code=Reject.NEEDS_OCR)
    return IngestError("文档没有内容。请检查是否导出或上传不完整", place=source, code=Reject.EMPTY)


def _block(item: _Paragraph | _Table) -> Block:
    if isinstance(item, _Table):
        return Block(table_text(item.rows, item.header_rows), BlockKind.TABLE)
    return Block(item.text, item.kind, item.level)


def _content(container: Element, walk: Walk) -> Iterator[_Paragraph | _Table]:
    """Paragraphs and tables of a body, cell, text box, header or note, in order."""
    unfinished: tuple[Element, Inline] | None = None    # a paragraph whose end mark was deleted runs on into the next
    for child in _parts(container):
        if child.tag == f"{W}p":
            inline = read_inline(child, walk, unfinished[1] if unfinished else None)
            unfinished = (child, inline) if child.find(f"{W}pPr/{W}rPr/{W}del") is not None else None
            if not unfinished:
                yield from _finished(child, inline, walk)
            continue
        if unfinished:
            yield from _finished(*unfinished, walk)
            unfinished = None
        if child.tag == f"{W}tbl":
            yield from _table(child, walk)
        else:
            walk.attach(child.get(f"{_R}id", ""))
    if unfinished:
        yield from _finished(*unfinished, walk)


def _parts(container: Element) -> Iterator[Element]:
    """Paragraphs and tables below wrappers of any kind: content controls, custom XML, moved or inserted parts."""
    for child in container:
        if child.tag in (f"{W}p", f"{W}tbl", f"{W}altChunk"):
            yield child
        elif isinstance(child.tag, str) and child.tag not in (f"{W}tcPr", f"{W}sectPr", f"{W}sdtPr", f"{W}moveFrom"):
            yield from _parts(child)


def _finished(paragraph: Element, inline: Inline, walk: Walk) -> Iterator[_Paragraph | _Table]:
    properties = paragraph.find(f"{W}pPr")
    style_id = None if properties is None else next((s.get(f"{W}val") for s in properties.findall(f"{W}pStyle")), None)
    style = walk.styles.paragraph(style_id)
    own = paragraph_look(properties)
    look = inline.look().over(own.over(style.look))
    heading = style.heading if own.outline is None else (own.outline + 1 if own.outline < 9 else 0)
    lines = [line for line in (text.strip() for text in inline.lines()) if line]
    label = _label(look, style.chain, walk) if lines or walk.in_cell else ""
    if label:
        lines = [_numbered(label, lines[0] if lines else ""), *lines[1:]]
    if style.contents:
        yield from (_Paragraph(line, BlockKind.NAVIGATION) for line in lines)
    elif style.title or heading:
        if lines:
            kind = BlockKind.TITLE if style.title else BlockKind.HEADING
            yield _Paragraph(_joined(lines), kind, 0 if style.title else heading, look)
    elif _is_page_number(lines, inline):
        yield from (_Paragraph(line, BlockKind.PAGE_NUMBER) for line in lines)
    else:
        yield from (_Paragraph(line, look=look) for line in lines)
    for box in inline.boxes:        # after the paragraph that they hang on
        if isinstance(box, str):
            yield _Paragraph(box, look=Look(red=True))
        else:
            yield from _content(box, walk)


def _is_page_number(lines: list[str], inline: Inline) -> bool:
    return bool(lines) and any(map(_PAGE_FIELD.match, inline.fields)) and bool(
        _ONLY_A_NUMBER.fullmatch("".join(lines))
    )


def _label(look: Look, styles: tuple[str, ...], walk: Walk) -> str:
    if look.list_id in (None, "0"):
        return ""
    list_id, level = look.list_id or "", look.list_level
    place = walk.numbering.level_of_style(list_id, styles) if level is None else level
    return walk.numbering.next_label(list_id, place).strip()


def _numbered(label: str, text: str) -> str:
    """"一、" and "（一）" stand close to the text, "第一条" and "1" keep a space of Chinese width."""
    return label + text if not text or re.search(r"[、．.。）)：:〕】]$", label) else f"{label}　{text}"


def _joined(lines: list[str]) -> str:
    """Lines of one title: a space only between Latin words."""
    return re.sub(r"(?<=[A-Za-z0-9])\n(?=[A-Za-z0-9])", " ", "\n".join(lines)).replace("\n", "")


def _table(table: Element, walk: Walk) -> Iterator[_Paragraph | _Table]:
    rows = list(_rows(table))
    if len(rows) == 1 and len(rows[0][1]) == 1:     # a frame around text
        yield from _content(rows[0][1][0], walk)
        return
    outer, walk.in_cell = walk.in_cell, True
    grid: list[list[_Cell]] = []
    headers = 0
    for number, (properties, cells) in enumerate(rows):
        grid.append(_row(_count(properties, "gridBefore", 0), cells, grid[-1] if grid else [], walk))
        stated = None if properties is None else properties.find(f"{W}tblHeader")
        if headers == number and stated is not None and stated.get(f"{W}val", "1") not in ("0", "false", "off"):
            headers += 1
    walk.in_cell = outer
    if any(cell.text for row in grid for cell in row):
        yield _Table(_places(grid), headers or _header_rows(grid))


def _row(before: int, cells: list[Element], above: list[_Cell], walk: Walk) -> list[_Cell]:
    row = [_Cell(0, before)] if before else []
    for cell in cells:
        start = row[-1].start + row[-1].width if row else 0
        if start >= _MAX_COLUMNS:
            break
        text, continued = "\n".join(_cell_lines(cell, walk)), _continues(cell)
        if continued and not text:
            text = next((upper.text for upper in above if upper.start <= start < upper.start + upper.width), "")
        row.append(_Cell(start, _count(cell.find(f"{W}tcPr"), "gridSpan", 1), text, continued))
    return row


def _places(grid: list[list[_Cell]]) -> tuple[tuple[str, ...], ...]:
    """A merged cell's text in each place that it covers. Forms are drawn with cells of all widths, and the columns
    that come of it (25 where no row has more than 9 cells) mean nothing: there every cell stands once."""
    columns = max(row[-1].start + row[-1].width for row in grid if row)
    form = columns > 1.5 * max(map(len, grid))
    rows = tuple(tuple(cell.text for cell in row for _ in range(1 if form else cell.width)) for row in grid)
    if sum(len(text) for row in rows for text in row) > _MAX_TABLE_CHARS:
        raise ValueError("the cells of one table hold too much text")
    return rows


def _header_rows(grid: list[list[_Cell]]) -> int:
    """Two where a caption runs over the whole first row, or a first row with wide cells is merged with the second."""
    if len(grid) < 3 or not grid[0] or any(cell.merged_down for cell in grid[2]):
        return 1
    caption = len(grid[0]) == 1 and len(grid[1]) > 1
    merged = any(cell.merged_down for cell in grid[1]) and any(cell.width > 1 for cell in grid[0])
    return 2 if caption or merged else 1


def _rows(table: Element) -> Iterator[tuple[Element | None, list[Element]]]:
    """(properties, cells) of each row that was not deleted."""
    for child in table:
        if child.tag == f"{W}tr":
            properties = child.find(f"{W}trPr")
            if properties is None or properties.find(f"{W}del") is None:
                yield properties, list(_cells(child))
        elif isinstance(child.tag, str) and child.tag not in (f"{W}tblPr", f"{W}tblGrid"):
            yield from _rows(child)


def _cells(row: Element) -> Iterator[Element]:
    for child in row:
        if child.tag == f"{W}tc":
            yield child
        elif isinstance(child.tag, str) and child.tag not in (f"{W}trPr", f"{W}tblPrEx"):
            yield from _cells(child)


def _cell_lines(cell: Element, walk: Walk) -> Iterator[str]:
    """A table inside a cell becomes a line per row; a merged cell's text stands in it once."""
    for item in _content(cell, walk):
        if isinstance(item, _Paragraph):
            yield item.text
            continue
        for row in item.rows:
            yield " ".join(text for place, text in enumerate(row) if text and (not place or row[place - 1] != text))


def _continues(cell: Element) -> bool:
    merge = cell.find(f"{W}tcPr/{W}vMerge")
    return merge is not None and merge.get(f"{W}val", "continue") != "restart"


def _count(properties: Element | None, name: str, otherwise: int) -> int:
    found = None if properties is None else properties.find(f"{W}{name}")
    text = "" if found is None else found.get(f"{W}val", "")
    return min(int(text), _MAX_COLUMNS) if re.fullmatch(r"\d{1,6}", text) else otherwise


def _titled(items: list[_Paragraph | _Table]) -> list[_Paragraph | _Table]:
    """The items with one title: lines of the style made for it, else the first large centred lines, else a first
    heading that is the only one of its level. Further lines of a title's style are headings."""
    styled = [n for n, item in enumerate(items) if isinstance(item, _Paragraph) and item.kind is BlockKind.TITLE]
    run = _run(styled, 6) if styled else _large_lines(items) or _lone_heading(items)
    result: list[_Paragraph | _Table] = []
    for number, item in enumerate(items):
        if run and number == run[0]:
            lines = [part.text for n in run if isinstance(part := items[n], _Paragraph)]
            result.append(_Paragraph(_joined(lines), BlockKind.TITLE))
        elif isinstance(item, _Paragraph) and item.kind is BlockKind.TITLE and number not in run:
            result.append(replace(item, kind=BlockKind.HEADING, level=1))
        elif number not in run:
            result.append(item)
    return result


def _run(numbers: list[int], most: int) -> list[int]:
    """The first of them with those that follow it without a gap."""
    return [number for place, number in enumerate(numbers[:most]) if number == numbers[0] + place]


def _large_lines(items: list[_Paragraph | _Table]) -> list[int]:
    sizes: Counter[int] = Counter()
    for item in items:
        if isinstance(item, _Paragraph) and item.kind is BlockKind.PARAGRAPH:
            sizes[item.look.size or 20] += len(item.text)
    usual = max(sizes, key=sizes.__getitem__, default=20)
    found: list[int] = []
    for number, item in enumerate(items[:20]):
        if isinstance(item, _Table):
            if found:
                break
            continue
        fits = (
            item.kind is BlockKind.PARAGRAPH and item.look.centred and not item.look.red and len(item.text) <= 80
            and not _NOT_A_TITLE.search(item.text)
            # 1.5 points more than the text, or bold and named like a document
            and ((item.look.size or 20) >= usual + 3 or (item.look.bold and _DOCUMENT_KIND.search(item.text)))
        )
        first = items[found[0]] if found else item
        if fits and isinstance(first, _Paragraph) and item.look.size == first.look.size and len(found) < 5:
            found.append(number)
        elif found or item.kind is BlockKind.HEADING:
            break
    return found


def _lone_heading(items: list[_Paragraph | _Table]) -> list[int]:
    running = [n for n, item in enumerate(items) if isinstance(item, _Table) or not item.kind.is_furniture]
    first = items[running[0]] if running else None
    if not isinstance(first, _Paragraph) or first.kind is not BlockKind.HEADING or _HEADING_NUMBER.match(first.text):
        return []
    same = [item for item in items if isinstance(item, _Paragraph) and 0 < item.level <= first.level]
    return [running[0]] if len(same) == 1 else []


def _notes(walk: Walk) -> list[Block]:
    """A note can refer to another one, so the list grows while it is read."""
    blocks: list[Block] = []
    number = 0
    while number < len(walk.notes):
        kind, note_id = walk.notes[number]
        number += 1
        note = walk.find_note(kind, note_id)
        lines = [] if note is None else [line for line in _plain_lines(note, walk) if line]
        if lines:
            blocks += [Block(f"[注{number}] {lines[0]}"), *map(Block, lines[1:])]
    walk.part = walk.main
    return blocks


def _plain_lines(container: Element, walk: Walk) -> Iterator[str]:
    for item in _content(container, walk):
        yield item.text if isinstance(item, _Paragraph) else table_text(item.rows).replace("\n", " ")


def _furniture(body: Element, walk: Walk) -> list[Block]:
    """Each different line of the headers and footers once."""
    found: dict[tuple[BlockKind, str], None] = {}
    relations = walk.relations_of(walk.main)
    for section in body.iter(f"{W}sectPr"):
        for name, usual in (("headerReference", BlockKind.HEADER), ("footerReference", BlockKind.FOOTER)):
            for reference in section.findall(f"{W}{name}"):
                relation = relations.get(reference.get(f"{_R}id", ""))
                root = walk.package.xml(relation.target) if relation and not relation.external else None
                if root is None or relation is None:
                    continue
                walk.part = relation.target
                walk.word_art.clear()
                for item in _content(root, walk):
                    if isinstance(item, _Table):
                        text, kind = " ".join(dict.fromkeys(c for row in item.rows for c in row if c)), usual
                    elif item.text in walk.word_art:
                        text, kind = item.text, BlockKind.WATERMARK
                    else:
                        text, kind = item.text, item.kind if item.kind is BlockKind.PAGE_NUMBER else usual
                    found[kind, " ".join(text.split())] = None
    walk.part = walk.main
    return [Block(text, kind) for kind, text in found]


def _hints(package: Package, blocks: list[Block]) -> dict[str, str]:
    """The stated title, where the text begins with it: templates carry the title of another document."""
    root = package.xml("docProps/core.xml")
    stated = None if root is None else root.findtext("{http://purl.org/dc/elements/1.1/}title")
    title = " ".join((stated or "").split())
    head = "".join("".join(block.text.split()) for block in blocks[:8])
    chinese = len(re.findall(r"[\u4e00-\u9fff]", title))
    return {"title": title} if chinese >= 6 and "".join(title.split()) in head else {}


def _pages(package: Package) -> int:
    """As the program that saved it counted them; 0 when it did not say."""
    root = package.xml("docProps/app.xml")
    stated = None if root is None else root.findtext(
        "{http://schemas.openxmlformats.org/officeDocument/2006/extended-properties}Pages")
    return int(stated) if stated and re.fullmatch(r"\d{1,5}", stated) else 0
