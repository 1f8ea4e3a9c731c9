"""The objects of an OFD page -> characters with boxes, rules and pictures, in points from its top left corner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.records import Box
from ingest.ofd_package import Page, Resources, numbers_of
from ingest.ooxml import Element

MM = 72 / 25.4                       # points
_MAX_DEPTH = 8                       # of drawings placed in drawings
_MAX_OBJECTS = 200_000               # of a page with all drawings placed on it; a dense page has 4,000
_ASCENT, _DESCENT = 0.88, 0.12       # of the character box around the base line
_SLANT = 0.05

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character. Characters of one object follow one another; ``joined``: not the first of its object."""

    char: str
    box: Box
    size: float                      # points
    rotated: bool
    faint: bool
    unseen: bool                     # fully transparent
    joined: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """What stands on a page."""

    glyphs: tuple[Glyph, ...]
    rules: tuple[tuple[Box, bool], ...]          # boxes of drawn shapes, True for one drawn as an outline
    pictures: tuple[tuple[Box, str], ...]        # where, and the part's name ("" when unknown)
    paths: int


def drawn(page: Page) -> Drawn:
    """All visible objects of the page."""
    glyphs: list[Glyph] = []
    rules: list[tuple[Box, bool]] = []
    pictures: list[tuple[Box, str]] = []
    paths = 0
    base: Matrix = (1.0, 0.0, 0.0, 1.0, -page.box[0], -page.box[1])
    for thing, matrix in _objects(page.layers, base, page.resources):
        kind = thing.tag.rpartition("}")[2]
        if kind == "TextObject":
            glyphs.extend(_glyphs(thing, matrix))
        elif kind == "PathObject":
            paths += 1
            rules.extend(_shapes(thing, matrix))
        elif kind == "ImageObject":
            box = _box(matrix, _boundary(thing))
            pictures.append((box, page.resources.pictures.get(thing.get("ResourceID", ""), "")))
    return Drawn(tuple(glyphs), tuple(rules), tuple(pictures), paths)


def _objects(
    layers: Iterable[Element], base: Matrix, resources: Resources
) -> Iterator[tuple[Element, Matrix]]:
    """Text, path and image objects in order of drawing, each with the matrix of what it lies in."""
    stack = [(layer, base, 0) for layer in reversed(list(layers))]
    count = 0
    while stack:
        element, matrix, depth = stack.pop()
        if not isinstance(element.tag, str) or element.get("Visible", "true").lower() in ("false", "0"):
            continue
        count += 1
        if count > _MAX_OBJECTS:
            return
        kind = element.tag.rpartition("}")[2]
        if kind in ("Content", "Layer", "PageBlock"):
            stack.extend((child, matrix, depth) for child in reversed(element))
        elif kind in ("TextObject", "PathObject", "ImageObject"):
            yield element, matrix
        elif kind == "CompositeObject" and depth < _MAX_DEPTH:
            content = resources.composites.get(element.get("ResourceID", ""))
            if content is not None:
                stack.append((content, _inner(matrix, element), depth + 1))


def _boundary(element: Element) -> Box:
    numbers = numbers_of(element.get("Boundary"))
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else (0.0, 0.0, 0.0, 0.0)


def _inner(outer: Matrix, element: Element) -> Matrix:
    """The matrix of what is inside an object: its own matrix, moved to its boundary, in the outer one."""
    x, y, _, _ = _boundary(element)
    own = numbers_of(element.get("CTM"))
    a, b, c, d, e, f = own if len(own) == 6 else _IDENTITY
    oa, ob, oc, od, oe, of = outer
    e, f = e + x, f + y
    return (
        oa * a + oc * b, ob * a + od * b, oa * c + oc * d, ob * c + od * d, oa * e + oc * f + oe, ob * e + od * f + of,
    )


def _point(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return (a * x + c * y + e) * MM, (b * x + d * y + f) * MM


def _box(matrix: Matrix, area: Box) -> Box:
    """Around ``area`` = (left, top, width, height)."""
    x, y, width, height = area
    corners = [_point(matrix, x + dx, y + dy) for dx in (0, width) for dy in (0, height)]
    return (
        min(p[0] for p in corners), min(p[1] for p in corners), max(p[0] for p in corners), max(p[1] for p in corners),
    )


def _glyphs(text: Element, outer: Matrix) -> Iterator[Glyph]:
    matrix = _inner(outer, text)
    size = _size(text)
    scales = numbers_of(text.get("HScale"))
    stretch = scales[0] if scales and scales[0] > 0 else 1.0
    a, b, c, d = matrix[:4]
    points = size * (c * c + d * d) ** 0.5 * MM or 1.0
    turned = text.get("ReadDirection", "0") not in ("0", "") or text.get("CharDirection", "0") not in ("0", "")
    rotated = turned or abs(b) > _SLANT * abs(a) or a < 0
    faint, unseen = _shade(text)
    x = y = 0.0
    joined = False
    for code in text.iterfind("{*}TextCode"):
        chars = code.text or ""
        xs, ys = numbers_of(code.get("X")), numbers_of(code.get("Y"))
        x, y = xs[0] if xs else x, ys[0] if ys else y
        right, down = deltas(code.get("DeltaX"), len(chars)), deltas(code.get("DeltaY"), len(chars))
        for place, char in enumerate(chars):
            width = size * stretch * (0.5 if ord(char) < 0x2000 else 1.0)
            step = right[place] if place < len(right) else 0.0 if place < len(down) else width
            ink = min(width, step) if step > 0 else width
            x0, base = _point(matrix, x, y)
            x1, _ = _point(matrix, x + ink, y)
            box = (min(x0, x1), base - _ASCENT * points, max(x0, x1), base + _DESCENT * points)
            yield Glyph(char, box, points, rotated, faint, unseen, joined)
            joined = True
            x += step
            y += down[place] if place < len(down) else 0.0


def _size(text: Element) -> float:
    """In mm: as stated (one writer spells it ``size``), else by the object's height, else 五号."""
    for numbers in (numbers_of(text.get("Size") or text.get("size")), [_boundary(text)[3]]):
        if numbers and numbers[0] > 0:
            return numbers[0]
    return 3.7


def deltas(text: str | None, count: int) -> list[float]:
    """Steps between characters; ``g n v`` stands for n steps of v. No more than ``count`` of them."""
    found: list[float] = []
    words = (text or "").split()
    place = 0
    while place < len(words) and len(found) < count:
        if words[place] == "g":
            group = numbers_of(" ".join(words[place + 1:place + 3]))
            if len(group) == 2:
                found.extend(group[1:] * int(min(max(group[0], 0.0), count)))
            place += 3
        else:
            found.extend(numbers_of(words[place]))
            place += 1
    return found[:count]


def _shade(text: Element) -> tuple[bool, bool]:
    """(light grey or nearly transparent, fully transparent). White is the colour of letters on a dark ground."""
    colour = text.find("{*}FillColor")
    alphas = numbers_of(text.get("Alpha")) + numbers_of(None if colour is None else colour.get("Alpha"))
    alpha = min(alphas, default=255.0)
    values = numbers_of(None if colour is None else colour.get("Value") or colour.findtext("{*}Value"))
    match values:
        case [grey]:
            light = grey / 255
        case [red, green, blue]:
            light = (0.3 * red + 0.59 * green + 0.11 * blue) / 255
        case _:
            light = 0.0              # CMYK and patterns: print
    return 0.7 < light < 0.98 or 0 < alpha < 110, alpha <= 0


def _shapes(path: Element, outer: Matrix) -> Iterator[tuple[Box, bool]]:
    """The straight pieces of a path that lie along an axis, and the box of one that is filled."""
    stroked = path.get("Stroke", "true").lower() not in ("false", "0")
    matrix = _inner(outer, path)
    segments = list(_segments((path.findtext("{*}AbbreviatedData") or "").split()))
    if not segments:
        return
    if stroked:
        for start, end in segments:
            (x0, y0), (x1, y1) = _point(matrix, *start), _point(matrix, *end)
            if abs(x1 - x0) < 0.5 or abs(y1 - y0) < 0.5:
                yield (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), False
    elif path.get("Fill", "false").lower() in ("true", "1"):
        points = [_point(matrix, *point) for segment in segments for point in segment]
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        if len(segments) <= 5:       # a bar; a filled outline of more corners is a drawing
            yield (min(xs), min(ys), max(xs), max(ys)), False


def _segments(words: list[str]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Straight lines of AbbreviatedData; curves are passed over."""
    lengths = {"M": 2, "S": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
    start = here = (0.0, 0.0)
    place = 0
    while place < len(words):
        word = words[place]
        length = lengths.get(word)
        if length is None:
            place += 1
            continue
        numbers = numbers_of(" ".join(words[place + 1:place + 1 + length]))
        place += 1 + length
        if word == "C":
            if here != start:
                yield here, start
            here = start
        elif len(numbers) == length:
            there = (numbers[-2], numbers[-1])
            if word == "L":
                yield here, there
            elif word in "MS":
                start = there
            here = there
