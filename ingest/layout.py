"""Pages of lines -> blocks in reading order: furniture taken out, lines joined to paragraphs over lines and pages.

Whoever sets a Chinese document marks a paragraph in one of four ways: its first line is indented, the line before
it was left short, it is centred or set off to the right, or it begins with a number (第一条, 一、, 1.). A number
at the beginning of a line is not enough: 第三条 in running text may stand there by chance, after a full line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.furniture import body_size, take_furniture
from ingest.reading import Block, BlockKind, PageLines, PageTable, Piece, table_text
from ingest.rows import Item, PlacedTable, Row, needs_blank, ordered_rows, text_width

_CN = "〇零一二三四五六七八九十百千"
_NUMBERED = re.compile(
    rf"第[{_CN}\d]+(?:编|分编|章|节)(?![至、的规])|第[{_CN}\d]+条(?:之[{_CN}]+)?(?![{_CN}\d第规、，。；的中款项])"
    rf"|[{_CN}]{{1,4}}、|[（(][{_CN}\d]{{1,3}}[）)]|\d{{1,2}}(?:[．、）)]|\.(?!\d))|[①-⑳]"
    r"|附件?\s*\d*\s*[:：]|问\s*[:：]|答\s*[:：]"
)
_HANGING = re.compile(r"(?:附件?|抄送|主送|分送|抄报)\s*\d*\s*[:：]|\d{1,2}[.．、]")
_SENTENCE_END = re.compile(r"[。；：！？;:!?…][”’』」）)》]*$")
_NO_TITLE = re.compile(
    r"第[〇零一二三四五六七八九十百\d]+[编章节条]|[（(〔]|目\s*录$|\d{4}\s*年\s*\d{1,2}\s*月|\d{4}-\d{1,2}-\d{1,2}"
    r"|附件?\s*\d*\s*[:：]?$"
    r"|\S{1,30}[〔\[［【﹝(（](?:19|20)\d{2}[〕\]］】﹞)）]\s*第?\s*\d+\s*号"
)
_OPEN_NOTE = re.compile(r"[（(](?!.*[）)])")
_OPEN_TITLE = re.compile(r"[《“][^》”]*$|关于[^》”]*$")     # a title that goes on, be it with （2026—2030年）
_DOC_NO = re.compile(
    r"\S{1,20}?\s*[〔\[［【﹝(（]\s*(?:19|20)\d{2}\s*[〕\]］】﹞)）]\s*第?\s*\d+\s*号"
    r"|第?\s*[\d〇零一二三四五六七八九十百]+\s*号"
)
_BANNER = re.compile(r".{2,}(?:文件|令|公报|公告|通告|办公[厅室]|人民政府|委员会|局|部|厅|院)$")
_SUBJECT = re.compile(r"关于|办法|条例|规定|细则|方案|意见|计划|规划|措施|通知|决定|指南")
# What is never broken: brackets and marks stay with their character, quotation marks with both neighbours.
_UNIT = r"[（(“‘《〈【「『〔\[]*(?:[0-9A-Za-z][0-9A-Za-z.,%/:&@_-]*|.)[，。、；：！？）)”’》〉】」』〕\]%]*"
_FIRST_WORD = re.compile(rf"{_UNIT}(?:(?:(?<=[“”‘’])|(?=[“”‘’])){_UNIT})*", re.DOTALL)
_CONTENTS = re.compile(r"[.…·．]{5,}\s*[\divxlIVXL—-]*$|…{2,}\s*\d+$")      # a line of a table of contents
_CHAPTER = re.compile(rf"第[{_CN}\d]+(?:编|分编|章|节)")

Paragraph = tuple[Row, ...]


def blocks_of(pages: Sequence[PageLines]) -> list[Block]:
    """Running text in reading order, then the furniture. Each character of a line that is no blank is in one block."""
    kept, furniture = take_furniture(pages)
    size = body_size(kept)
    items = ordered_rows(kept, size)
    pitch = _usual_pitch(items)
    groups = _grouped(items, size, pitch)
    title = _title_place(groups, size)
    blocks: list[Block] = []
    for place, group in enumerate(groups):
        if isinstance(group, tuple):
            blocks.append(_paragraph(group, _kind(place, title, _is_large(group, size))))
        else:
            _add_table(group, blocks, furniture)
    return blocks + furniture


def _kind(place: int, title: int | None, large: bool) -> BlockKind:
    if place == title:
        return BlockKind.TITLE
    # Large centred lines after the title head a document that is attached to it.
    return BlockKind.HEADING if large and title is not None and place > title else BlockKind.PARAGRAPH


def _is_large(rows: Paragraph, size: float) -> bool:
    """Centred lines larger than the text; the first of several may reach over the whole width."""
    across = all(row.is_centred or (row.indent < 1.5 and row.slack < 2) for row in rows)
    centred = rows[-1].is_centred or rows[0].size >= 1.3 * size
    return rows[0].size >= 1.15 * size and across and centred and not _NUMBERED.match(rows[0].text)


def _grouped(items: Sequence[Item], size: float, pitch: float) -> list[Paragraph | PlacedTable]:
    """Rows of one paragraph together."""
    groups: list[Paragraph | PlacedTable] = []
    current: list[Row] = []

    def close() -> None:
        if current:
            groups.append(tuple(current))
            current.clear()

    for item in items:
        if not isinstance(item, Row):
            close()
            groups.append(item)
            continue
        if current and _starts(current, item, size, pitch):
            close()
        current.append(item)
    close()
    return groups


def _usual_pitch(items: Sequence[Item]) -> float:
    """The most common distance between two lines, in em."""
    pitches = Counter(
        round((below.box[1] - above.box[1]) / below.size, 1)
        for above, below in pairwise(items)
        if isinstance(above, Row) and isinstance(below, Row)
        and above.page == below.page and below.box[1] > above.box[1]
    )
    return pitches.most_common(1)[0][0] if pitches else 1.5


def _starts(paragraph: Sequence[Row], row: Row, size: float, pitch: float) -> bool:
    """Whether ``row`` begins a paragraph of its own after the rows of ``paragraph``."""
    last = paragraph[-1]
    follows = last.page == row.page and row.box[1] > last.box[1] and last.left == row.left
    gap = (row.box[1] - last.box[1]) / row.size if follows else pitch
    if _CONTENTS.search(last.text) or _CONTENTS.search(row.text):
        return True
    if not 0.88 < row.size / last.size < 1.14 and not _is_mixed(last, row):
        return True
    if last.is_centred or row.is_centred:
        return not _continues_centred(last, row, size, gap <= 1.5 * max(pitch, 1.2))
    if _HANGING.match(paragraph[0].text) and not _NUMBERED.match(row.text) and row.indent > paragraph[0].indent + 1:
        return _ended_early(last, row)
    if row.is_set_off or last.is_set_off or _ended_early(last, row):
        return True
    ended = _SENTENCE_END.search(last.text) is not None
    numbered = _NUMBERED.match(row.text) is not None
    step = row.indent - last.indent
    if step > 1.2:      # a first line, or the second one under a number that hangs out
        return ended or numbered or len(paragraph) > 1 or not _NUMBERED.match(last.text)
    if step < -1.2:     # the second line of a paragraph whose first line is indented
        return (ended and numbered) or len(paragraph) > 1
    if len(paragraph) == 1 and row.indent >= 1.2:
        return ended or numbered
    return ended and (numbered or gap > 1.3 * pitch)


def _is_mixed(last: Row, row: Row) -> bool:
    """A line of many fonts may have another main size than its neighbours; it is as full as they are."""
    return 0.75 < row.size / last.size < 1.34 and last.slack < 1 and row.indent < 0.6 and not row.is_centred


def _continues_centred(last: Row, row: Row, size: float, close: bool) -> bool:
    """Two centred lines of one title, or of one note in brackets."""
    if _OPEN_NOTE.match(last.text):
        return row.is_centred or row.text.endswith(("）", ")"))
    if _CHAPTER.match(last.text) and close and not last.is_centred and not _NUMBERED.match(row.text):
        return not _ended_early(last, row)
    large = min(last.size, row.size) >= 1.1 * size
    named = not _NO_TITLE.match(row.text) or _OPEN_TITLE.search(last.text)
    if not close or not named or _NO_TITLE.match(last.text):
        return False
    if large and last.is_centred:
        # The first line of a title may reach over the whole width, and then the second is centred alone.
        return row.is_centred or last.slack < 1.5
    return large and row.is_centred and last.slack < 1.5 and last.indent < 1.5


def _ended_early(last: Row, row: Row) -> bool:
    """The first word of ``row`` would have found room in the line above, so a new line was wanted."""
    word = _FIRST_WORD.match(row.text)
    return word is not None and last.slack > text_width(word.group()) + 0.6


def _paragraph(rows: Sequence[Row], kind: BlockKind) -> Block:
    text = ""
    pieces = []
    for row in rows:
        if text and needs_blank(text, row.text):
            text += " "
        pieces.append(Piece(len(text), len(text) + len(row.text), row.page, row.box))
        text += row.text
    return Block(text, kind, int(kind is BlockKind.HEADING), tuple(pieces))


def _title_place(groups: Sequence[Paragraph | PlacedTable], size: float) -> int | None:
    """The first large lines of the first two pages, unless they are the banner 某某人民政府文件 above the title."""
    start = _page_of(groups[0]) if groups else 0
    rows = [
        (place, group) for place, group in enumerate(groups[:40])
        if isinstance(group, tuple) and _page_of(group) <= start + 1
    ]
    found = [(place, group) for place, group in rows if _may_be_title(group, size)]
    if not found:
        return _centred_first(groups)
    names = [place for place, group in found if not _is_banner(group, groups[place + 1:place + 2])]
    if names:
        return names[0]
    first, banner = found[0]
    if not banner[-1].text.endswith("件"):
        return first            # 某某人民政府令 is a title of its own
    below = _centred_first(groups[first + 1:])
    return None if below is None else first + 1 + below


def _page_of(group: Paragraph | PlacedTable) -> int:
    return group[0].page if isinstance(group, tuple) else group.page


def _may_be_title(rows: Paragraph, size: float) -> bool:
    text = rows[0].text
    if rows[0].size < 1.15 * size or _NO_TITLE.match(text) or not re.search(r"[\u3400-\u9fffA-Za-z]{2}", text):
        return False
    return all(row.is_centred or row.slack < 2 for row in rows) or rows[0].size >= 1.3 * size


def _is_banner(rows: Paragraph, after: Sequence[Paragraph | PlacedTable]) -> bool:
    """The issuers' name over the document's number."""
    text = "".join("".join(row.text.split()) for row in rows)
    if not _BANNER.match(text) or (_SUBJECT.search(text) and not text.endswith("文件")):
        return False
    below = [group[0].text for group in after if isinstance(group, tuple)]
    return text.endswith("文件") or any(_DOC_NO.match(line) for line in below)


def _centred_first(groups: Sequence[Paragraph | PlacedTable]) -> int | None:
    """A title in the size of the text is the centred line, or lines, that everything else stands under."""
    for place, group in enumerate(groups[:4]):
        if not isinstance(group, tuple):
            return None
        if not group[0].is_centred and not _DOC_NO.match(group[0].text):
            return None
        named = group[0].is_centred and not _NO_TITLE.match(group[0].text)
        if named and not _is_banner(group, groups[place + 1:place + 2]):
            return place
    return None


def _add_table(item: PlacedTable, blocks: list[Block], furniture: list[Block]) -> None:
    """As a block of its own, or as more rows of the table that ended the page before."""
    page, table = item.page, item.table
    above = blocks[-1] if blocks and blocks[-1].kind is BlockKind.TABLE else None
    if above is None or above.pieces[-1].page + 1 != page or not _same_columns(above, table):
        text = table_text(table.rows, table.header_rows)
        blocks.append(Block(text, BlockKind.TABLE, pieces=(Piece(0, len(text), page, table.box),)))
        return
    lines = table_text(table.rows, 0).split("\n")[2:]
    header = above.text.split("\n")[0]
    if lines and lines[0] == header:
        repeated = next(iter(table.rows))
        text = " ".join(" ".join(cell.split()) for cell in repeated if cell.strip())
        furniture.append(Block(text, BlockKind.HEADER, pieces=(Piece(0, len(text), page, table.box),)))
        lines = lines[1:]
    if not lines:
        return
    text = above.text + "\n" + "\n".join(lines)
    piece = Piece(len(above.text) + 1, len(text), page, table.box)
    blocks[-1] = replace(above, text=text, pieces=(*above.pieces, piece))


def _same_columns(above: Block, table: PageTable) -> bool:
    """As many columns, between the same edges."""
    x0, _, x1, _ = above.pieces[-1].box
    columns = above.text.split("\n")[0].count("|") - 1
    return columns == max(len(row) for row in table.rows) and abs(x0 - table.box[0]) < 4 and abs(x1 - table.box[2]) < 4
