"""What stands inside an article: 款, 项 and 目 of a law, the deeper numbering of anything else, table rows.

Addresses are built as they are cited: 第八条第二款第（三）项第1目 in a law, 三（二）1（1） in a notice.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.numerals import item_number, number
from ingest.lines import CN, ITEM_INSIDE, Table, trim

_LAW = re.compile(rf"第[{CN}\d]+条(?:之[{CN}]+)?(?:\(\d+\))?$")
_LEVELS = (     # outermost first; the numbering that an article may hold
    ("一级", re.compile(rf"[#*\s　]*([{CN}]{{1,4}})、")),
    ("二级", re.compile(rf"[#*\s　]*[（(]([{CN}]{{1,4}})[）)]")),
    ("三级", re.compile(r"[#*\s　]*(\d{1,2})[ \t　]*(?:[.．](?!\d)|、)")),
    ("四级", re.compile(r"[#*\s　]*[（(](\d{1,2})[）)]")),
)
_ITEM, _SUBITEM, _SUBSUBITEM = (pattern for _, pattern in _LEVELS[1:])
_GLUE = re.compile(rf"）$|(?:^|·)[{CN}]{{1,4}}$")       # what a digit may follow without a mark between


@dataclass(slots=True)
class Item:
    """``text[start:end]``, called ``step`` within what it stands in."""

    kind: str                   # 款 项 目, 一级 to 四级, 表, 行
    step: str
    start: int
    end: int
    number: int = 0
    items: list[Item] = field(default_factory=list)


def items_of(text: str, address: str, start: int, end: int, tables: Sequence[Table] = ()) -> list[Item]:
    """What the article ``text[start:end]`` consists of, in order and nested; empty when it is one paragraph.

    In a law each unnumbered line is a 款, with the items that follow it; where there is one 款 only, its items
    come back alone, since an article of one 款 is cited without it.
    """
    own = [table for table in tables if start < table.end and table.start < end]
    lines = list(_lines(text, start, end, own))
    if not lines:
        return []
    if not _LAW.match(address):
        return _numbered(text, lines, address, start)
    paragraphs = _paragraphs(text, lines)
    if len(paragraphs) == 1:
        return paragraphs[0].items
    for place, paragraph in enumerate(paragraphs, start=1):
        paragraph.step = f"第{item_number(place)}款"
    return paragraphs


def join(address: str, steps: Sequence[str]) -> str:
    """The address of a part inside an article: 三（二） and 1 are 三（二）1, 申请材料 and 1 are 申请材料·1."""
    for step in steps:
        glued = step.startswith(("第", "表", "（")) or _GLUE.search(address)
        address = f"{address}{step}" if glued else f"{address}·{step}"
    return address


def locate(address: str, items: Sequence[Item], start: int, end: int) -> str:
    """The finest address that holds ``[start, end)``; a run of items is 第（三）项至第（六）项."""
    touched = [item for item in items if item.start < end and start < item.end]
    if not touched:
        return address
    if len(touched) == 1:
        (only,) = touched
        if only.start <= start and end <= only.end:
            return locate(join(address, [only.step]), only.items, start, end)
        return join(address, [only.step])
    if len(touched) == len(items) or touched[0].kind in ("表", "行") or touched[-1].kind == "表":
        return address
    return f"{join(address, [touched[0].step])}至{touched[-1].step}"


# lines


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    table: Table | None = None


def _lines(text: str, start: int, end: int, tables: Sequence[Table]) -> Iterator[_Line]:
    """The lines and tables; a line is cut where items follow each other in it: …：（一）甲；（二）乙。"""
    waiting = list(tables)
    at = start
    while at < end:
        if waiting and waiting[0].start <= at:
            table = waiting.pop(0)
            yield _Line(at, min(table.end, end), table)
            at = max(at, table.end)
            continue
        stop = text.find("\n", at, end)
        stop = end if stop < 0 else stop + 1
        cuts = [at]
        if stop - at > 20 and ("（二）" in text[at:stop] or "(二)" in text[at:stop]):
            cuts += [match.end() for match in ITEM_INSIDE.finditer(text, at, stop) if match.end() > at]
        for first, last in zip(cuts, [*cuts[1:], stop], strict=True):
            first, last = trim(text, first, last)
            if first < last:
                yield _Line(first, last)
        at = stop


# a law


def _paragraphs(text: str, lines: Sequence[_Line]) -> list[Item]:
    paragraphs: list[Item] = []
    for line in lines:
        if line.table and paragraphs:
            _grow(paragraphs[-1], line.end)
            paragraphs[-1].items.append(_table(line, 1 + sum(i.kind == "表" for i in paragraphs[-1].items)))
        elif paragraphs and not line.table and (match := _ITEM.match(text, line.start, line.end)):
            _item(paragraphs, line, f"第（{match.group(1)}）项", number(match.group(1)))
        elif paragraphs and not line.table and (match := _sub(text, line)):
            at = int(match.group(1))
            upper = next((item for item in reversed(paragraphs[-1].items) if item.kind == "项"), None)
            if upper and not (upper.step == f"第{at - 1}项"):
                _grow(paragraphs[-1], line.end)
                upper.end = line.end
                upper.items.append(Item("目", f"第{at}目", line.start, line.end, at))
            else:
                _item(paragraphs, line, f"第{at}项", at)
        else:
            paragraphs.append(Item("款", "", line.start, line.end))
            if line.table:
                paragraphs[-1].items.append(_table(line, 1))
            elif match := _ITEM.match(text, line.start, line.end):
                _item(paragraphs, line, f"第（{match.group(1)}）项", number(match.group(1)))
    return paragraphs


def _sub(text: str, line: _Line) -> re.Match[str] | None:
    return _SUBITEM.match(text, line.start, line.end) or _SUBSUBITEM.match(text, line.start, line.end)


def _item(paragraphs: list[Item], line: _Line, step: str, at: int) -> None:
    """An item of the last 款. Paragraphs between two items that follow each other belong to the earlier item."""
    listed = next((n for n in range(len(paragraphs) - 1, -1, -1) if paragraphs[n].items), None)
    if at > 1 and listed is not None and listed < len(paragraphs) - 1 and paragraphs[listed].items[-1].number == at - 1:
        paragraphs[listed].items[-1].end = paragraphs[-1].end
        del paragraphs[listed + 1 :]
    _grow(paragraphs[-1], line.end)
    paragraphs[-1].items.append(Item("项", step, line.start, line.end, at))


def _grow(paragraph: Item, end: int) -> None:
    paragraph.end = max(paragraph.end, end)


# anything else


def _numbered(text: str, lines: Sequence[_Line], address: str, start: int) -> list[Item]:
    """Numbered lines by their level; what follows one without a number of its own belongs to it."""
    found_tables = [line for line in lines if line.table]
    if len(found_tables) == 1 and (len(lines) == 1 or re.match(r"表\d", address)):
        return _table(found_tables[0], 1).items
    top: list[Item] = []
    open_: list[tuple[int, Item]] = []
    tables = 0
    numbered = False            # the line before
    for line in lines:
        if line.table:
            tables += 1
            if not numbered:
                open_ = []          # a caption stands between the last item and the table
            (open_[-1][1].items if open_ else top).append(_table(line, tables))
        else:
            found = _level(text, line)
            if found and found[0] == 0 and line.start == start and address.startswith("问"):
                found = None        # 一、什么是…？ is the question itself
            numbered = found is not None
            if found:
                level, match = found
                while open_ and open_[-1][0] >= level:
                    open_.pop()
                label = match.group(1)
                step = label if level in (0, 2) else f"（{label}）"
                item = Item(_LEVELS[level][0], step, line.start, line.end, number(label))
                (open_[-1][1].items if open_ else top).append(item)
                open_.append((level, item))
        for _, item in open_:
            item.end = max(item.end, line.end)
    return top


def _level(text: str, line: _Line) -> tuple[int, re.Match[str]] | None:
    for level, (_, pattern) in enumerate(_LEVELS):
        if match := pattern.match(text, line.start, line.end):
            return level, match
    return None


def _table(line: _Line, place: int) -> Item:
    table = line.table
    assert table is not None
    first = bisect_right(table.rows, line.start, key=lambda row: row[1])
    last = bisect_left(table.rows, line.end, key=lambda row: row[0])
    rows = [
        Item("行", f"第{n}行", max(line.start, start), min(line.end, end), n)
        for n, (start, end) in enumerate(table.rows[first:last], start=first + 1)
    ]
    return Item("表", "表" if place == 1 else f"表{place}", line.start, line.end, place, rows)
