"""An article -> quotable passages: sentences, and lead-ins with the whole list they announce."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STOP = re.compile(r"[。！？!?]+[”’」』）)]*|\n+")  # not at ；: what it joins are cases of one rule
_ITEM = re.compile(r"[\s　]*(?:[（(][一二三四五六七八九十\d]+[）)]|\d+[.．、)）]|[①-⑳]|[-*|•·])")
_LEAD = re.compile(r"[：:]$")


@dataclass(frozen=True, slots=True)
class Passage:
    """``text[start:end]`` of an article."""

    start: int
    end: int


def passages(text: str) -> list[Passage]:
    """Passages in order, without overlap. A sentence that ends in a colon takes the items after it along,
    because a list cut short would mislead; a table row takes its header along by staying one passage."""
    found: list[Passage] = []
    open_list = False
    for start, end in _sentences(text):
        piece = text[start:end]
        if open_list and found and (_ITEM.match(piece) or _inside_item(text, start)):
            found[-1] = Passage(found[-1].start, end)
            continue
        found.append(Passage(start, end))
        open_list = bool(_LEAD.search(piece)) or piece.startswith("|")
    return found


def _sentences(text: str) -> list[tuple[int, int]]:
    spans = []
    start = 0
    for stop in [*(match.end() for match in _STOP.finditer(text)), len(text)]:
        first, last = start, stop
        while first < last and text[first].isspace():
            first += 1
        while last > first and text[last - 1].isspace():
            last -= 1
        if first < last:
            spans.append((first, last))
        start = stop
    return spans


def _inside_item(text: str, start: int) -> bool:
    """Whether the sentence at ``start`` goes on a list item, on the same line."""
    line_start = text.rfind("\n", 0, start) + 1
    return line_start < start and bool(_ITEM.match(text[line_start:start]))
