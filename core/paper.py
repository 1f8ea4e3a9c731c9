"""Where a span of a text stands on paper."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from core.records import Box, Place


class Paper:
    """The pages of one document."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = sorted(places, key=lambda place: place.start)
        self._starts = [place.start for place in self._places]

    def find(self, start: int, end: int) -> tuple[int | None, Box | None]:
        """The page on which the span begins, and the box around its part there."""
        first = bisect_right(self._starts, start) - 1
        touched = [p for p in self._places[max(first, 0) : bisect_left(self._starts, end)] if p.end > start]
        if not touched:
            return None, None
        boxes = [place.box for place in touched if place.page == touched[0].page]
        left, top, right, bottom = zip(*boxes, strict=True)
        return touched[0].page, (min(left), min(top), max(right), max(bottom))
