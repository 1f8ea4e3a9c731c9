"""What a page carries besides its text: running heads and feet, page numbers, prints of a web page, watermarks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ingest.reading import Block, BlockKind, PageLines, Piece, TextLine
from ingest.rows import group_by_height

_DASHED = re.compile(r"[-—–－─﹣一·•~～|]+\s*[\dⅠ-Ⅻivxl]{1,5}\s*[-—–－─﹣一·•~～|]+")
_NAMED = re.compile(
    r"第\s*[\d一二三四五六七八九十百]+\s*页(?:\s*[,，/]?\s*共\s*[\d一二三四五六七八九十百]+\s*页)?"
    r"|共\s*\d+\s*页\s*[,，/]?\s*第\s*\d+\s*页|\d{1,4}\s*/\s*\d{1,4}\s*页?|[Pp](?:age|\.)\s*\d+(?:\s*(?:of|/)\s*\d+)?"
)
_BARE = re.compile(r"\d{1,4}|[ivxlIVXL]{1,6}")
_PRINTED_AT = re.compile(r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}[\s,]+(?:[上下]午)?\s*\d{1,2}:\d{2}")
_ADDRESS = re.compile(r"(?:https?|file|about|chrome)(?::|：)\S+|www\.\S+")
_RULE = re.compile(r"[\s—─━_＿\-=﹍*★☆]{4,}")
# What an official document has in its top margin, 份号, 密级 and 紧急程度: whoever drops them lets a secret out.
_MARK = re.compile(r"\s*(?:\d{6}$|[（(]?\s*(?:绝\s*密|机\s*密|秘\s*密|内\s*部|特\s*[急提]|[加平]\s*急))")
_SENTENCE = re.compile(r"[。；：，、！？]\s*$")       # copies of a page repeat its text as well
_DEPTH = 5              # rows of a running head or foot at most
_ZONE = 0.16            # share of the page's height that may hold them

Kinds = dict[int, BlockKind]        # id of a line -> what it is


def take_furniture(pages: Sequence[PageLines]) -> tuple[list[PageLines], list[Block]]:
    """(the pages with nothing but running text, one block for each line that was taken out)."""
    pages = [replace(page, lines=tuple(line for line in page.lines if line.text.strip())) for page in pages]
    kinds: Kinds = {}
    size = body_size(pages)
    _mark_watermarks(pages, size, kinds)
    rows = [group_by_height(line for line in page.lines if id(line) not in kinds) for page in pages]
    _mark_web_prints(pages, rows, kinds)
    _mark_page_numbers(pages, rows, kinds)
    for top in (True, False):
        _mark_repeated(pages, rows, kinds, top=top)
    _mark_margins(pages, rows, kinds, size)
    kept = [replace(page, lines=tuple(line for line in page.lines if id(line) not in kinds)) for page in pages]
    taken = [
        Block(text, kinds[id(line)], pieces=(Piece(0, len(text), page.number, line.box),))
        for page in pages for line in page.lines if id(line) in kinds and (text := line.text.strip())
    ]
    return kept, taken


def body_size(pages: Iterable[PageLines]) -> float:
    """The font size that most characters have, in half points."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size * 2) / 2] += 0 if line.rotated else len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 12.0


def _mark_watermarks(pages: Sequence[PageLines], size: float, kinds: Kinds) -> None:
    """Rotated or large faint lines, and lines that lie across others at the same place of most pages."""
    places = Counter(place for page in pages for place in {_place(line) for line in page.lines})
    for page in pages:
        texts = Counter(line.text.strip() for line in page.lines)
        for line in page.lines:
            often = places[_place(line)] >= max(3, 0.6 * len(pages)) or texts[line.text.strip()] >= 4
            faint = line.faint and line.size >= 1.3 * size
            if line.rotated or faint or (
                often and (line.faint or line.size >= 1.3 * size) and _lies_across(line, page.lines)
            ):
                kinds[id(line)] = BlockKind.WATERMARK


def _place(line: TextLine) -> tuple[str, int, int]:
    return line.text.strip(), round(line.box[0] / 3), round(line.box[1] / 3)


def _lies_across(line: TextLine, lines: Sequence[TextLine]) -> bool:
    x0, y0, x1, y1 = line.box
    return any(
        other is not line and min(x1, other.box[2]) - max(x0, other.box[0]) > 1
        and min(y1, other.box[3]) - max(y0, other.box[1]) > 0.25 * min(y1 - y0, other.box[3] - other.box[1])
        for other in lines
    )


Rows = Sequence[Sequence[Sequence[TextLine]]]       # per page, top to bottom


def _mark_web_prints(pages: Sequence[PageLines], rows: Rows, kinds: Kinds) -> None:
    """What a browser prints around a page: date and title above, address and page of pages below."""
    for page, groups in zip(pages, rows, strict=True):
        for group in groups[:1]:
            if group[0].box[3] < 0.07 * page.height and any(_PRINTED_AT.match(line.text.strip()) for line in group):
                kinds.update((id(line), BlockKind.HEADER) for line in group)
        for group in groups[-1:]:
            if group[0].box[1] > 0.93 * page.height and any(_ADDRESS.match(line.text.strip()) for line in group):
                kinds.update(
                    (id(line), BlockKind.PAGE_NUMBER if _NAMED.fullmatch(line.text.strip()) else BlockKind.FOOTER)
                    for line in group
                )


def _mark_page_numbers(pages: Sequence[PageLines], rows: Rows, kinds: Kinds) -> None:
    bare: list[tuple[TextLine, int]] = []
    for page, groups in zip(pages, rows, strict=True):
        for group in [*groups[:2], *groups[2:][-2:]]:
            text = " ".join(line.text.strip() for line in group)
            middle = (group[0].box[1] + group[0].box[3]) / 2 / page.height
            if 0.13 < middle < 0.87 or id(group[0]) in kinds:
                continue
            if _DASHED.fullmatch(text) or _NAMED.fullmatch(text):
                kinds.update((id(line), BlockKind.PAGE_NUMBER) for line in group)
            elif not 0.12 < middle < 0.88:
                outer = group[:1] if len(group) == 1 else (group[0], group[-1])
                bare += [(line, page.number) for line in outer if _is_bare(line, group)]
                for line in group:
                    if _DASHED.fullmatch(line.text.strip()) or _NAMED.fullmatch(line.text.strip()):
                        kinds[id(line)] = BlockKind.PAGE_NUMBER
    # Digits alone are a page number when they count the pages.
    digits = {id(line): "".join(line.text.split()) for line, _ in bare}     # recognisers part them: 1 4
    counted = Counter(int(digits[id(line)]) - number for line, number in bare if digits[id(line)].isdecimal())
    for line, number in bare:
        text = digits[id(line)]
        if not text.isdecimal() or len(pages) == 1 or counted[int(text) - number] >= 2:
            kinds[id(line)] = BlockKind.PAGE_NUMBER


def _is_bare(line: TextLine, group: Sequence[TextLine]) -> bool:
    """Digits that stand alone, or far from the rest of a running head."""
    gaps = [max(line.box[0] - other.box[2], other.box[0] - line.box[2]) for other in group if other is not line]
    return _BARE.fullmatch("".join(line.text.split())) is not None and min(gaps, default=99.0) > 2 * line.size


def _mark_repeated(pages: Sequence[PageLines], rows: Rows, kinds: Kinds, *, top: bool) -> None:
    """The outermost rows that stand, digits aside, at the same height of several pages, row by row inwards."""
    kind = BlockKind.HEADER if top else BlockKind.FOOTER
    left = [[group for group in groups if not all(id(line) in kinds for line in group)] for groups in rows]
    needed = 2 if len(pages) <= 4 else 3
    size = body_size(pages)
    for _ in range(_DEPTH):
        edge = [
            (page, groups, groups[0 if top else -1]) for page, groups in zip(pages, left, strict=True)
            if groups and _in_zone(groups[0 if top else -1], page, top=top)
            and not _SENTENCE.search(groups[0 if top else -1][-1].text)
            and (needed > 2 or groups[0 if top else -1][0].size < 0.95 * size or _stands_apart(groups, top=top))
        ]
        seen = Counter(key for _, _, group in edge for key in _row_keys(group))
        accepted = [
            (groups, group) for _, groups, group in edge if any(seen[key] >= needed for key in _row_keys(group))
        ]
        # Where most pages have a running head, the others have one of another chapter.
        if accepted and 2 * len(accepted) > len(pages):
            heights = [group[0].box[1] for _, group in accepted]
            sizes = {round(group[0].size) for _, group in accepted}
            accepted += [
                (groups, group) for _, groups, group in edge
                if not any(taken is groups for taken, _ in accepted) and round(group[0].size) in sizes
                and any(abs(group[0].box[1] - height) < 2 for height in heights) and _stands_apart(groups, top=top)
            ]
        if not accepted:
            return
        for groups, group in accepted:
            for line in group:
                kinds.setdefault(id(line), kind)
            groups.remove(group)


def _in_zone(group: Sequence[TextLine], page: PageLines, *, top: bool) -> bool:
    middle = (group[0].box[1] + group[0].box[3]) / 2 / page.height
    text = "".join(line.text for line in group)
    return (middle < _ZONE if top else middle > 1 - _ZONE) and not _MARK.match(text)


def _row_keys(group: Sequence[TextLine]) -> tuple[tuple[str, int], ...]:
    """The text without digits; of a short one also its height, in two buckets of which neighbours share one."""
    text = re.sub(r"\d+", "0", "".join("".join(line.text.split()) for line in group))
    if len(text) > 5:
        return ((text, 0),)     # scanned pages do not lie at one height
    height = group[0].box[1]
    return (text, 2 * round(height / 6)), (text, 2 * round((height + 3) / 6) + 1)


def _stands_apart(groups: Sequence[Sequence[TextLine]], *, top: bool) -> bool:
    if len(groups) < 2:
        return True
    outer, inner = (groups[0], groups[1]) if top else (groups[-1], groups[-2])
    gap = inner[0].box[1] - outer[0].box[3] if top else outer[0].box[1] - inner[0].box[3]
    return gap > 1.2 * inner[0].size


def _mark_margins(pages: Sequence[PageLines], rows: Rows, kinds: Kinds, size: float) -> None:
    """Rules made of characters anywhere; small print alone at the very edge, for documents of one page."""
    outer: Callable[[TextLine, PageLines], float] = lambda line, page: line.box[1] / page.height  # noqa: E731
    for page, groups in zip(pages, rows, strict=True):
        left = [group for group in groups if not any(id(line) in kinds for line in group)]
        for group in left:
            if all(_RULE.fullmatch(line.text) for line in group):
                kind = BlockKind.HEADER if outer(group[0], page) < 0.5 else BlockKind.FOOTER
                kinds.update((id(line), kind) for line in group)
        for top in (True, False):
            if len(left) < 2:
                continue
            group = left[0 if top else -1]
            edge = group[0].box[3] < 0.06 * page.height if top else group[0].box[1] > 0.94 * page.height
            small = all(line.size <= 0.9 * size for line in group)
            if edge and small and _stands_apart(left, top=top) and not _MARK.match(group[0].text):
                kind = BlockKind.HEADER if top else BlockKind.FOOTER
                kinds.update((id(line), kind) for line in group if id(line) not in kinds)
