"""Blocks -> one text with places: running text first, a line per block, then what was taken out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.records import Box, Furniture, Place
from ingest.reading import Block, BlockKind, Reading

# A heading that carries its own number is known by it; others get the Markdown mark of their level.
_NUMBERED = re.compile(
    r"[\s　]*(?:第[一二三四五六七八九十百千零〇\d]+(?:编|分编|章|节|条)|[一二三四五六七八九十]{1,4}、"
    r"|[（(][一二三四五六七八九十]{1,4}[）)]|\d{1,2}[.．、]|#)"
)


@dataclass(frozen=True, slots=True)
class Composed:
    """A text: ``text[:body_end]`` is the running text, the rest is furniture."""

    text: str
    body_end: int
    furniture: tuple[Furniture, ...]
    places: tuple[Place, ...]
    title: str | None             # of the first block that is one


def compose(reading: Reading) -> Composed:
    """Nothing that a reader found is left out: each block's text stands in the result once, in one line or table."""
    pieces: list[str] = []
    furniture: list[Furniture] = []
    places: list[Place] = []
    length = 0

    def put(block: Block) -> tuple[int, int]:
        nonlocal length
        mark = "#" * block.level + " " if block.level and not _NUMBERED.match(block.text) else ""
        start = length + len(mark)
        pieces.append(f"{mark}{block.text}\n")
        length = start + len(block.text) + 1
        places.extend(Place(start + p.start, start + p.end, p.page, _rounded(p.box)) for p in block.pieces)
        return start, length - 1

    running = [block for block in reading.blocks if not block.kind.is_furniture]
    for block in running:
        put(block)
    body_end = length
    for block in reading.blocks:
        if block.kind.is_furniture:
            start, end = put(block)
            furniture.append(Furniture(block.kind.value, start, end))
    title = next((block.text for block in running if block.kind is BlockKind.TITLE), None)
    return Composed("".join(pieces), body_end, tuple(furniture), tuple(places), title)


def _rounded(box: Box) -> Box:
    """A tenth of a point is finer than a hair; more digits would make the stored places half as large again."""
    x0, y0, x1, y1 = box
    return round(x0, 1), round(y0, 1), round(x1, 1), round(y1, 1)
