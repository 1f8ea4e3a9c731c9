"""Tables without rules whose cells are labelled, 发文机关：…　成文日期：…, as sites print them under a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.reading import TextLine

_LABEL = re.compile(r"[\u4e00-\u9fff](?:[\u4e00-\u9fff（）()\s\u3000]{0,12}[\u4e00-\u9fff）)])?\s*[:：]")


# Heights are those of the lower edge: the upper one moves with the font, the base line does not.


@dataclass(frozen=True, slots=True)
class Cell:
    """A label with the lines of its value, top to bottom."""

    lines: tuple[TextLine, ...]


def take_form(lines: Sequence[TextLine]) -> tuple[list[TextLine], list[Cell]]:
    """(the lines outside, the cells row by row); a form has at least two rows with two labels or more."""
    labels = [line for line in lines if _LABEL.match(line.text.strip())]
    starts = _label_columns(labels)
    if len(starts) < 2:
        return list(lines), []
    labels = [line for line in labels if _column(line, starts) is not None]
    zone = _zone(lines, labels, starts)
    inside = [line for line in lines if zone[0] <= line.box[3] <= zone[1]]
    if any(line.box[0] < starts[0] - 4 for line in inside):
        return list(lines), []      # running text stands among them
    taken = {id(line) for line in inside}
    cells: list[Cell] = []
    for start, end in pairwise([*starts, float("inf")]):
        column = [line for line in inside if start - 4 <= line.box[0] < end - 4]
        cells += _cells(sorted(column, key=lambda line: line.box[3]), {id(line) for line in labels})
    cells.sort(key=lambda cell: (round(cell.lines[0].box[3] / 4), cell.lines[0].box[0]))
    return [line for line in lines if id(line) not in taken], cells


def _label_columns(labels: Sequence[TextLine]) -> list[float]:
    """Where labels start that stand beside each other, left to right."""
    beside = [
        (one.box[0], other.box[0]) for one in labels for other in labels
        if other.box[0] > one.box[2] and abs(one.box[3] - other.box[3]) < 0.3 * one.size
    ]
    starts: list[float] = []
    for start in sorted({start for pair in beside for start in pair}):
        near = sum(abs(line.box[0] - start) < 3 for line in labels)
        if near >= 2 and (not starts or start - starts[-1] > 3):
            starts.append(start)
    return starts


def _column(line: TextLine, starts: Sequence[float]) -> int | None:
    return next((at for at, start in enumerate(starts) if abs(line.box[0] - start) < 4), None)


def _zone(lines: Sequence[TextLine], labels: Sequence[TextLine], starts: Sequence[float]) -> tuple[float, float]:
    """From the first to the last line of the form: a value may begin above its label and end below it."""
    top, bottom = min(line.box[3] for line in labels), max(line.box[3] for line in labels)
    size = labels[0].size
    loose = sorted(line.box[3] for line in lines if line.box[0] > starts[0] + size)
    for height in reversed(loose):
        if top - 1.8 * size <= height < top:
            top = height
    for height in loose:
        if bottom < height <= bottom + 1.8 * size:
            bottom = height
    return top, bottom


def _cells(column: Sequence[TextLine], labels: set[int]) -> list[Cell]:
    """The lines between two labels are parted at their widest gap: labels stand beside the middle of long values."""
    at = [number for number, line in enumerate(column) if id(line) in labels]
    if not at:
        return [Cell((line,)) for line in column]
    borders = [0]
    for above, below in pairwise(at):
        gaps = [column[number + 1].box[3] - column[number].box[3] for number in range(above, below)]
        borders.append(above + 1 + max(range(len(gaps)), key=lambda one: (round(gaps[one]), one)))
    cells = []
    for (start, end), label in zip(pairwise([*borders, len(column)]), at, strict=True):
        name, value = _parted(column[label])
        lines = [name, *column[start:label], value, *column[label + 1:end]]
        cells.append(Cell(tuple(line for line in lines if line.text)))
    return cells


def _parted(line: TextLine) -> tuple[TextLine, TextLine]:
    """The label, and the line of the value that stands beside it."""
    match = _LABEL.match(text := line.text.strip())
    end = match.end() if match else len(text)
    return replace(line, text=text[:end]), replace(line, text=text[end:].strip())
