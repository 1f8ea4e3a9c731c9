"""A text as lines: tables are found and kept whole, and a page whose line breaks were lost is taken apart."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.numerals import number

CN = "一二三四五六七八九十百千零〇"
_LONG_LINE = 1000           # such a line is a page whose line breaks were lost; numbering is sought inside it
_LOST_BREAKS = 200          # so is a line of this length in a text of at most three lines: 1,242 of 1,457 web pages
_HEADER_ROWS = 10           # a separator line further down is a row of dashes

_SEPARATOR = re.compile(r"[ \t　]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t　]*$")

# inside a line: after a full stop, a bracket, a date, a space, or a site's own glyph for a line break
_AFTER = r"(?:(?<=[。；：:！？!?”）)】》日])[\s　]*|[\s　\ue000-\uf8ff]+)"
_INLINE = re.compile(
    rf"{_AFTER}(?=[（(][{CN}]{{1,3}}[）)](?!、)|第[{CN}]{{1,7}}(?:章|节)[\s　]|问[:：]"
    rf"|\d{{1,3}}[ \t]*[.．、][^？。]{{2,80}}？[\s　]*答[:：])"
)
_INLINE_SECTION = re.compile(       # neither 统一、 nor 一、二线城市
    rf"(?<![{CN}第、统之其唯同专单万划归逐])([{CN}]{{1,3}})、(?![{CN}]{{1,2}}[线级类季产期等、])"
)
_INLINE_ARTICLE = re.compile(rf"第([{CN}]{{1,7}})条(之[{CN}]+)?")
_INLINE_CHAPTER = re.compile(
    rf"第[{CN}]{{1,4}}[章节编][^。，；：、第条]{{1,30}}?(?=第[{CN}]{{1,7}}[条章节编]|[\s　]第)"
)
_INLINE_CONTENTS = re.compile(rf"目[\s　]{{0,4}}录[\s　]*(?=第[{CN}]{{1,3}}[章编])")
_GLUED_ITEM = re.compile(rf"(?<![{CN}第])[{CN}]{{1,3}}、[^。，；：（）()、]{{2,30}}(?=[（(]一[）)])")
# what follows a label in 第三条规定的 and 第三条中所称, and not in 第三条中小企业
REFERENCE = (
    rf"(?:[{CN}\d第、，,和与或至的之]|规(?![章划范模])|款(?!项)|项(?!目)|中(?![华央国小等介外标心级长期])|所[称列规指述])"
)
ITEM_INSIDE = re.compile(rf"(?<=[：；。:;])[\s　]*(?=[（(][{CN}]{{1,3}}[）)])")


@dataclass(frozen=True, slots=True)
class Table:
    """Markdown rows that stand together: ``text[start:end]``."""

    start: int
    end: int
    header: tuple[int, int] | None          # the rows above the separator, if they say anything
    top: int                                # end of the header rows and the separator line
    rows: tuple[tuple[int, int], ...]       # the others


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its line break, or a whole table, whose ``text`` is empty."""

    start: int
    end: int                                # after the line break
    text: str
    table: Table | None = None
    cut: bool = False                       # a piece of a line whose line breaks were lost
    contents: bool = False                  # the lines of a table of contents; ``text`` is empty


def lines_of(text: str, start: int, end: int) -> list[Line]:
    """The lines of ``text[start:end]`` in order, each table as one; run-together lines are cut at numbering."""
    lines: list[Line] = []
    body = text[start:end] if (start, end) != (0, len(text)) else text
    raws = body.splitlines(keepends=True)
    lost = len(raws) <= 3 or sum(1 for raw in raws if not raw.isspace()) <= 3
    rows: list[Line] = []
    for raw in raws:
        line = Line(start, start + len(raw), raw.rstrip())
        start = line.end
        if line.text.lstrip()[:1] == "|":
            rows.append(line)
            continue
        if rows:
            lines += _rows(text, rows)
            rows = []
        if len(raw) > (_LOST_BREAKS if lost else _LONG_LINE):
            lines += _pieces(line, raw)
        else:
            lines.append(line)
    return lines + (_rows(text, rows) if rows else [])


def tables_of(text: str, start: int, end: int) -> list[Table]:
    """The tables of ``text[start:end]`` in order."""
    if not re.search(r"^[ \t　]*\|", text[start:end], re.M):
        return []
    return [line.table for line in lines_of(text, start, end) if line.table]


def blank(char: str) -> bool:
    return char.isspace() or char in "\u200b\ufeff"     # zero-width marks left over from web pages


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and blank(text[start]):
        start += 1
    while end > start and blank(text[end - 1]):
        end -= 1
    return start, end


def divide(text: str, start: int, end: int, limit: int, tables: Sequence[Table] = ()) -> list[tuple[int, int]]:
    """Consecutive spans of up to ``limit`` characters that end at a line if they can, else at a sentence.

    A table is cut only when it is longer than ``limit`` itself, and then between rows.
    """
    start, end = trim(text, start, end)
    if end - start <= limit:
        return [(start, end)] if start < end else []
    inside = [table for table in tables if table.start < end and start < table.end]
    if not inside:
        return _divide_text(text, start, end, limit)
    spans: list[tuple[int, int]] = []
    for first, last in _units(text, start, end, limit, inside):
        if spans and last - spans[-1][0] <= limit:
            spans[-1] = spans[-1][0], last
        else:
            spans.append((first, last))
    return spans


def _units(text: str, start: int, end: int, limit: int, tables: Sequence[Table]) -> Iterator[tuple[int, int]]:
    at = start
    for table in tables:
        yield from _divide_text(text, at, max(at, table.start), limit)
        first, last = trim(text, max(start, table.start), min(end, table.end))
        if last - first <= limit:
            yield first, last
        else:
            for row in table_units(table, limit, start, end):
                yield from _divide_text(text, *row, limit)
        at = max(at, last)
    yield from _divide_text(text, at, end, limit)


def table_units(table: Table, limit: int, start: int, end: int) -> list[tuple[int, int]]:
    """What lies between ``start`` and ``end`` of the header rows with the first row under them, if both fit in
    ``limit``, and of each further row."""
    # of a table of 100,000 rows, a part holds 100: looking at them all for each part would take minutes
    first = bisect_right(table.rows, start, key=lambda row: row[1])
    units = list(table.rows[first : bisect_left(table.rows, end, key=lambda row: row[0])])
    if start < table.top:
        together = first == 0 and units and units[0][1] - table.start <= limit
        units[: 1 if together else 0] = [(table.start, units[0][1] if together else table.top)]
    return [(max(start, one), min(end, two)) for one, two in units]


def _divide_text(text: str, start: int, end: int, limit: int) -> list[tuple[int, int]]:
    spans = []
    start, end = trim(text, start, end)
    while end - start > limit:
        window = text[start : start + limit]
        cut = max(window.rfind("\n", limit // 4) + 1, 0) or _sentence_end(window) or limit
        spans.append(trim(text, start, start + cut))
        start += cut
    spans.append(trim(text, start, end))
    return [span for span in spans if span[0] < span[1]]


def _sentence_end(window: str) -> int:
    return max(window.rfind(stop, len(window) // 4) for stop in "。！？；") + 1


def _rows(text: str, rows: list[Line]) -> list[Line]:
    """Rows that stand together as one line that is a table; a single one without a separator is text."""
    at = next((n for n, row in enumerate(rows[: _HEADER_ROWS + 1]) if _SEPARATOR.match(row.text)), -1)
    if at < 0 and len(rows) == 1:
        return rows
    spans = tuple(trim(text, row.start, row.end) for row in rows)
    start, end = spans[0][0], spans[-1][1]
    said = at > 0 and any(row.text.strip(" \t　|") for row in rows[:at])
    header = (start, spans[at - 1][1]) if said else None
    top = spans[at][1] if at >= 0 else start
    table = Table(start, end, header, top, spans[at + 1 :])
    return [Line(rows[0].start, rows[-1].end, "", table)]


# a page whose line breaks were lost


def _pieces(line: Line, raw: str) -> list[Line]:
    cuts = [0, *sorted({cut for cut in _cuts(raw) if 0 < cut < len(raw)}), len(raw)]
    return [
        Line(line.start + first, line.start + last, raw[first:last].rstrip(), cut=True)
        for first, last in pairwise(cuts)
    ]


def _cuts(raw: str) -> Iterator[int]:
    for match in _INLINE.finditer(raw):
        yield match.end()
    for match in _GLUED_ITEM.finditer(raw):
        yield match.end()
    for match in _INLINE_CONTENTS.finditer(raw):
        yield from match.span()
    opened = set()          # where an article follows its chapter's title: 第一章总则第一条
    for match in _INLINE_CHAPTER.finditer(raw):
        yield match.start()
        opened.add(match.end())
    yield from _article_cuts(raw, opened)
    yield from _section_cuts(raw)


def _article_cuts(raw: str, opened: set[int]) -> Iterator[int]:
    """Articles that carry the count on; a cross-reference has neither a stop nor a space around it."""
    last = 0
    for match in _INLINE_ARTICLE.finditer(raw):
        at = number(match.group(1))
        before, after = raw[max(match.start() - 1, 0) : match.start()], raw[match.end() : match.end() + 1]
        begins = match.start() in opened or not before or before.isspace() or before in "。；：:！？”）)】》"
        if not begins and not (after.isspace() and last < at <= last + 2):
            continue
        if not re.match(REFERENCE, after + raw[match.end() + 1 : match.end() + 3]):
            inserted = match.group(2) and at == last
            # one that is missing, or was taken for a reference, must not end the count
            if last < at <= last + (3 if after.isspace() else 2) or inserted or (at == 1 and after.isspace()):
                last = at
                yield match.start()


def _section_cuts(raw: str) -> Iterator[int]:
    """一、 after a stop or a space; after anything else where it fills the gap between 一、 and 三、."""
    found = [(match.start(), number(match.group(1))) for match in _INLINE_SECTION.finditer(raw)]
    clear = [raw[start - 1 : start] in "。；：:！？!?”）)】》日" or raw[start - 1].isspace() for start, _ in found]
    last = 0
    for n, (start, at) in enumerate(found):
        if not clear[n]:
            ahead = next((number for (_, number), sure in zip(found[n + 1 :], clear[n + 1 :], strict=True) if sure), 0)
            if at != last + 1 or not (at < ahead <= at + 3 or (at > 2 and not ahead)):
                continue
        last = at
        yield start
