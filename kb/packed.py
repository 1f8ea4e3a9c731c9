"""The many small records of a document as short JSON texts for one column each; an empty tuple is NULL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.records import Box, Furniture, OfficialField, Place

_PLACE = 7      # numbers of a place: start, end, page and the box


def pack_fields(fields: Sequence[OfficialField]) -> str | None:
    return _dump([[f.name, f.value, f.start, f.end, f.confidence] for f in fields])


def unpack_fields(text: str | None) -> tuple[OfficialField, ...]:
    return tuple(OfficialField(*row) for row in _load(text))


def pack_furniture(furniture: Sequence[Furniture]) -> str | None:
    return _dump([[f.kind, f.start, f.end] for f in furniture])


def unpack_furniture(text: str | None) -> tuple[Furniture, ...]:
    return tuple(Furniture(*row) for row in _load(text))


def pack_places(places: Sequence[Place]) -> str | None:
    """One flat list of numbers."""
    return _dump([number for place in places for number in (place.start, place.end, place.page, *place.box)])


def unpack_places(text: str | None) -> tuple[Place, ...]:
    numbers = iter(_load(text))
    return tuple(
        Place(start, end, page, (float(x0), float(y0), float(x1), float(y1)))
        for start, end, page, x0, y0, x1, y1 in zip(*[numbers] * _PLACE, strict=True)
    )


def pack_box(box: Box | None) -> str | None:
    return _dump(box) if box else None


def unpack_box(text: str | None) -> Box | None:
    if text is None:
        return None
    x0, y0, x1, y1 = _load(text)
    return float(x0), float(y0), float(x1), float(y1)


def _dump(values: Iterable[object]) -> str | None:
    values = list(values)
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) if values else None


def _load(text: str | None) -> list[Any]:
    values: list[Any] = json.loads(text) if text else []
    return values
