"""Pages that are pictures -> lines, by RapidOCR (extra ``ocr``). It is imported when the first page is recognised."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any

import pymupdf

from core.errors import IngestError, MissingExtra
from core.records import Box, Reject
from ingest.glyphs import full_width, plain
from ingest.grids import Grid, grids_of, table_of
from ingest.read_image import PICTURE_ERRORS, open_picture
from ingest.reading import PageLines, TextLine
from ingest.rows import text_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[Any]

_DPI = 200                  # at 150 letters of narrow table cells are missed, and a page takes as long
_RULE = 24.0                # points: longer than a stroke of a letter of 22, shorter than a cell is wide
_SEAL = (90.0, 150.0)       # points that one measures across: 4.2 cm by rule, 4.5 cm for some, and blur
_MAX_PIXELS = 12_000_000    # a page of A3 at 200 dpi; a larger picture is made smaller
_CN = "〇零一二三四五六七八九十百千"
_ARTICLE = re.compile(rf"(第[{_CN}\d]+条(?:之[{_CN}]+)?)(?=[\u4e00-\u9fff])(?!规定|[第至的和与或及款项])")
_CHAPTER = re.compile(rf"(第[{_CN}\d]+(?:编|分编|章|节))(?=[\u4e00-\u9fff])[^，。；：]{{1,40}}")


def ocr_available() -> bool:
    """Whether both packages are installed; neither is imported."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def recognise_page(data: bytes, kind: str, page: int) -> PageLines:
    """The lines of one page (from 1) of a ``"pdf"``, or of one frame of an ``"image"``, boxes in points.

    Raises `MissingExtra` when RapidOCR is not installed, `IngestError` when the page cannot be drawn.
    """
    engine = _engine()
    picture, scale = _picture(data, kind, page)
    found = engine(picture)
    height, width = picture.shape[0] * scale, picture.shape[1] * scale
    if found.boxes is None:
        return PageLines(page, width, height, ())
    seals = [_is_seal(picture, quad, scale) for quad in found.boxes]
    grids = grids_of(_rules(picture, scale))
    quads = found.boxes.astype(float) * scale
    places = [_cell(quad, grids) for quad in quads]     # before the lines are turned level: rules are not
    quads = _straight(quads, width / 2, height / 2)
    lines = _even_sizes([
        replace(_line(quad, full_width(plain(text)), float(score)), rotated=seal)
        for quad, text, score, seal in zip(quads, found.txts, found.scores, seals, strict=True)
    ])
    tables = [
        table_of(grid, [(cell[1], line) for line, cell in zip(lines, places, strict=True) if cell and cell[0] == at])
        for at, grid in enumerate(grids)
    ]
    outside = [line for line, cell in zip(lines, places, strict=True) if cell is None and line.text.strip()]
    kept = tuple(table for table in tables if table is not None)
    return PageLines(page, width, height, tuple(_with_blanks(outside)), kept)


def _rules(picture: Picture, scale: float) -> list[tuple[Box, bool]]:
    """Boxes of the straight dark lines, level or upright, that are longer than any stroke of a letter."""
    import cv2
    import numpy

    ink = (picture.max(axis=2) < 215).astype(numpy.uint8)       # a hair line is grey once it is scanned
    long = max(int(_RULE / scale), 10)
    rules: list[tuple[Box, bool]] = []
    for shape in ((1, long), (long, 1)):
        # Thickened first: the line of a page that lies askew steps from one row of pixels to the next.
        thick = cv2.dilate(ink, numpy.ones((3, 1) if shape[0] == 1 else (1, 3), numpy.uint8))
        lines = cv2.morphologyEx(thick, cv2.MORPH_OPEN, numpy.ones(shape, numpy.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(lines)
        for x, y, across, down, _ in stats[1:].tolist():
            # Across its own direction a rule is as thin as it is drawn, however askew it lies.
            if across > down:
                middle = (y + down / 2) * scale
                rules.append(((x * scale, middle - 0.5, (x + across) * scale, middle + 0.5), False))
            else:
                middle = (x + across / 2) * scale
                rules.append(((middle - 0.5, y * scale, middle + 0.5, (y + down) * scale), False))
    return rules


def _cell(quad: Picture, grids: Sequence[Grid]) -> tuple[int, int] | None:
    """Which cell of which grid the middle of a line lies in."""
    x, y = quad.mean(axis=0).tolist()
    for number, grid in enumerate(grids):
        if (cell := grid.cell_at(x, y)) is not None:
            return number, cell
    return None


def _picture(data: bytes, kind: str, page: int) -> tuple[Picture, float]:
    """(rows of blue, green and red, points per pixel)."""
    import numpy

    try:
        with open_picture(data, kind) as document:
            drawn = document.load_page(page - 1)
            zoom = _DPI / 72
            if kind != "pdf" and (images := drawn.get_image_info()):
                zoom = images[0]["width"] / drawn.rect.width        # the picture as it is, not drawn anew
            zoom = min(zoom, (_MAX_PIXELS / max(abs(drawn.rect), 1.0)) ** 0.5)
            pixels = drawn.get_pixmap(matrix=_matrix(zoom), alpha=False, colorspace=pymupdf.csRGB)
    except PICTURE_ERRORS as error:
        reason = f"第 {page} 页画不出来（{error}）。请重新扫描这一页"
        raise IngestError(reason, place=f"#{page}", code=Reject.DAMAGED) from error
    rows = numpy.frombuffer(pixels.samples, dtype=numpy.uint8).reshape(pixels.height, pixels.width, 3)
    return rows[:, :, ::-1].copy(), 1 / zoom


def _matrix(zoom: float) -> Any:  # noqa: ANN401
    return pymupdf.Matrix(zoom, zoom)  # type: ignore[no-untyped-call]


@cache
def _engine() -> Any:  # noqa: ANN401
    """Loaded once per process, 0.3 s. One thread: the worker processes share the cores among themselves."""
    try:
        from rapidocr import RapidOCR  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise MissingExtra("rapidocr", "ocr") from error
    return RapidOCR(params={
        "Global.log_level": "critical",
        "Global.use_cls": False,        # upside-down lines: pages of offices are upright, and it costs 0.1 s a page
        "Det.limit_side_len": 1400,     # a picture of fewer pixels is enlarged, for the same narrow cells
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    })


def _is_seal(picture: Picture, quad: Picture, scale: float) -> bool:
    """Red letters amid a red figure as large as a seal, which lies across the signature and is none of its text.

    The page is recognised in colour all the same: without its red the banner 某某人民政府文件 is lost, and black
    letters under a seal are read as well with it.
    """
    import numpy

    left, top = (max(int(place), 0) for place in quad.min(axis=0))
    right, bottom = (int(place) + 1 for place in quad.max(axis=0))
    letters = picture[top:bottom, left:right]
    red = _red(letters)
    black = letters.max(axis=2) < 110
    if (right - left) * scale > _SEAL[1] or red.sum() < 4 * black.sum() or not red.any():
        return False
    reach, x, y = int(_SEAL[1] / scale), (left + right) // 2, (top + bottom) // 2
    figure = _red(picture[max(y - reach, 0):y + reach, max(x - reach, 0):x + reach])
    spans = (scale * float(numpy.ptp(numpy.nonzero(figure.any(axis=axis))[0])) for axis in (0, 1))
    return all(_SEAL[0] < span < _SEAL[1] for span in spans)


def _red(picture: Picture) -> Picture:
    blue, green, red = (picture[:, :, channel].astype(int) for channel in range(3))
    return (red > 120) & (red > 1.5 * blue + 20) & (red > 1.5 * green + 20)


def _straight(quads: Picture, x: float, y: float) -> Picture:
    """The corners of all lines turned about a point so that the lines are level: scans lie askew by a degree or so."""
    import numpy

    along = quads[:, 1] - quads[:, 0]
    long = along[:, 0] > 8 * numpy.abs(quads[:, 3, 1] - quads[:, 0, 1])
    if long.sum() < 3:
        return quads
    angle = -float(numpy.median(numpy.arctan2(along[long, 1], along[long, 0])))
    turn = numpy.array([[numpy.cos(angle), numpy.sin(angle)], [-numpy.sin(angle), numpy.cos(angle)]])
    return numpy.asarray((quads - (x, y)) @ turn + (x, y))


def _line(quad: Picture, text: str, score: float) -> TextLine:
    top, bottom = (quad[0][1] + quad[1][1]) / 2, (quad[2][1] + quad[3][1]) / 2
    box = (float(quad[:, 0].min()), float(top), float(quad[:, 0].max()), float(bottom))
    return TextLine(text, box, max(box[3] - box[1], 1.0), confidence=score)


def _even_sizes(lines: list[TextLine]) -> list[TextLine]:
    """Sizes are the heights of boxes so far, a third more than that of the letters and up to two thirds for few
    letters. Chinese is as wide as high, so long lines tell the size."""
    long = [line for line in lines if text_width(line.text) >= 10]
    height = median(line.size for line in long) if long else 1.35
    usual = median(_advance(line) for line in long) if long else 1.0
    sizes = []
    for line in lines:
        size = line.size * usual / height
        if text_width(line.text) >= 4:
            size = _advance(line) if text_width(line.text) >= 10 else min(size, _advance(line))
        elif 0.7 < size / usual < 1.7:
            size = usual
        sizes.append(size)
    even = _snapped(sizes, [len(line.text) for line in lines])
    return [replace(line, size=size) for line, size in zip(lines, even, strict=True)]


def _snapped(sizes: Sequence[float], weights: Sequence[int]) -> list[float]:
    """Each size as the usual one within a sixth of it; the others the same way among themselves."""
    even = list(sizes)
    left = set(range(len(sizes)))
    while left:
        usual = median(size for at in left for size in [sizes[at]] * weights[at])
        near = {at for at in left if 0.84 < sizes[at] / usual < 1.16}
        for at in near:
            even[at] = usual
        left -= near or left
    return even


def _advance(line: TextLine) -> float:
    return (line.box[2] - line.box[0]) / text_width(line.text)


def _with_blanks(lines: list[TextLine]) -> list[TextLine]:
    """The recogniser drops the blank after 第三条. Where such a line begins a paragraph, indented or after a full
    stop, it is put back, since it is what makes a heading of it."""
    left = min((line.box[0] for line in lines), default=0.0)
    made = []
    for line in lines:
        indented = line.box[0] - left > 1.2 * line.size
        match = _ARTICLE.match(line.text) or _CHAPTER.fullmatch(line.text)
        made.append(replace(line, text=f"{match[1]}　{line.text[match.end(1):]}") if match and indented else line)
    return made
