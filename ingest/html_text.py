"""Element tree -> the page's visible text as items in reading order: paragraphs, headings, list items, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from core.numerals import item_number
from ingest.html_tables import Grid, grid_of, is_layout, own_rows
from ingest.html_tree import Element, Unseen, has_background, hiding_rules, is_unseen, tidy
from ingest.reading import BlockKind

BLOCK_TAGS = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol optgroup option p pre section summary table "
    "tbody td tfoot th thead tr ul button select textarea".split()
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LONGEST_HEADING = 80        # editors set whole paragraphs as headings
_NUMBERED = re.compile(
    r"[（(]?(?:\d{1,3}|[一二三四五六七八九十百]{1,4}|[A-Za-z])[)）.．、]|第[一二三四五六七八九十百\d]+|[①-⑳⑴-⒇●•·■◆○★▪]|[-—*]\s"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One block as the page shows it, before it is known whether it belongs to the document."""

    text: str
    kind: BlockKind              # PARAGRAPH, HEADING or TABLE
    level: int                   # 1 to 6 for h1 to h6, else 0
    owner: Element               # the innermost block element that holds the text
    linked: int                  # how many characters are links
    grid: Grid | None = None     # of a table


@dataclass(slots=True)
class _Walk:
    """Where the walk is: what it has gathered of the current line, and the elements that are open around it."""

    items: list[Item] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    linked: int = 0
    links: int = 0               # open <a> elements
    open: list[Element] = field(default_factory=list)
    marker: str = ""             # of the list item that has begun and has no text yet
    counters: list[int] = field(default_factory=list)    # of the open lists
    coloured: list[Element] = field(default_factory=list)

    def put(self, text: str | None) -> None:
        if text:
            self.pieces.append(text)
            if self.links:
                self.linked += len(text.strip())

    def end_line(self) -> None:
        """What was gathered becomes an item of the innermost open block."""
        text = tidy("".join(self.pieces))
        linked = min(self.linked, len(text))
        self.pieces.clear()
        self.linked = 0
        if not text or not self.open:
            return
        if self.marker:
            text = text if _NUMBERED.match(text) else self.marker + text
            self.marker = ""
        heading = next((HEADINGS.index(e.tag) + 1 for e in reversed(self.open[-3:]) if e.tag in HEADINGS), 0)
        if len(text) > _LONGEST_HEADING or text.endswith(("。", "；")):
            heading = 0
        kind = BlockKind.HEADING if heading else BlockKind.PARAGRAPH
        self.items.append(Item(text, kind, heading, self.open[-1], linked))


def items_of(root: Element, *, max_cells: int, source: str) -> list[Item]:
    """Every visible text of the page, once. Raises `IngestError` for a table beyond ``max_cells``."""
    unseen = hiding_rules(root)
    walk = _Walk()
    body = root if root.tag == "body" else next(root.iterchildren("body"), root)
    events = etree.iterwalk(body, events=("start", "end"))
    skipped: Element | None = None
    for event, element in events:
        if event == "end":
            if element is not skipped:
                _leave(walk, element)
            if element is not body:
                walk.put(element.tail)
            continue
        if is_unseen(element, unseen, bool(walk.coloured)):
            skipped = element
            events.skip_subtree()
        elif element.tag == "table" and not is_layout(element, unseen):
            walk.end_line()
            _put_table(walk, element, unseen, max_cells=max_cells, source=source)
            skipped = element
            events.skip_subtree()
        else:
            _enter(walk, element)
    walk.open.append(body)
    walk.end_line()
    return walk.items


def _enter(walk: _Walk, element: Element) -> None:
    tag = element.tag
    if tag == "br":
        in_heading = any(outer.tag in HEADINGS for outer in walk.open[-3:])
        walk.put("\n") if in_heading else walk.end_line()
    if tag == "a":
        walk.links += 1
    if has_background(element):
        walk.coloured.append(element)
    if tag in BLOCK_TAGS:
        walk.end_line()
        walk.open.append(element)
    if tag in ("ol", "ul"):
        walk.counters.append(_first_number(element))
    elif tag == "li":
        walk.marker = _marker(element, walk.counters)
    walk.put(element.text)


def _leave(walk: _Walk, element: Element) -> None:
    tag = element.tag
    if tag in BLOCK_TAGS:
        walk.end_line()
        walk.open.pop()
    if tag == "a":
        walk.links -= 1
    if tag in ("ol", "ul"):
        walk.counters.pop()
    elif tag == "li":
        walk.marker = ""
    if walk.coloured and walk.coloured[-1] is element:
        walk.coloured.pop()


def _put_table(walk: _Walk, table: Element, unseen: Unseen, *, max_cells: int, source: str) -> None:
    """A data table: rows that are one merged cell, above and below it, become paragraphs, as does its caption."""
    grid = grid_of(own_rows(table, unseen), unseen, max_cells=max_cells, source=source)
    captions = [tidy("".join(caption.itertext())) for caption in table.iterchildren("caption")]
    above = [*(text for text in captions if text), *grid.above]
    walk.items.extend(Item(text, BlockKind.PARAGRAPH, 0, table, 0) for text in above)
    if grid.rows:
        length = sum(len(cell) for row in grid.rows for cell in row)
        walk.items.append(Item("", BlockKind.TABLE, 0, table, min(grid.linked, length), grid))
    walk.items.extend(Item(text, BlockKind.PARAGRAPH, 0, table, 0) for text in grid.below)


def _first_number(element: Element) -> int:
    start = element.get("start") or ""
    return int(start) if re.fullmatch(r"\d{1,6}", start) and element.tag == "ol" else 1


def _marker(item: Element, counters: list[int]) -> str:
    """What the browser prints before a list item, and a space; nothing where the page says so."""
    parent = item.getparent()
    if parent is None or not counters:
        return ""
    style = "".join((parent.get("style") or "").lower().split()) + "".join((item.get("style") or "").lower().split())
    if "list-style:none" in style or "list-style-type:none" in style:
        return ""
    if parent.tag != "ol":
        return "• "
    value = item.get("value") or ""
    number = int(value) if re.fullmatch(r"\d{1,6}", value) else counters[-1]
    counters[-1] = number + 1
    return _number(number, parent)


def _number(number: int, parent: Element) -> str:
    """The widespread editor UEditor numbers in Chinese by class names: custom_cn2 is （一）, custom_num1 is 1)."""
    names = parent.get("class") or ""
    for name, form in (
        ("custom_cn1", "{c}）"), ("custom_cn2", "（{c}）"), ("custom_cn", "{c}、"), ("custom_num1", "{n}）"),
        ("custom_num2", "（{n}）"),
    ):
        if name in names:
            return form.format(c=item_number(number), n=number)
    kind = parent.get("type") or ""
    if kind in ("a", "A") and 1 <= number <= 26:
        return f"{chr(ord(kind) + number - 1)}. "
    return f"{number}. "
