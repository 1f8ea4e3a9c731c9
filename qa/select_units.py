"""An article -> its sentences, each with the headings it stands under: what an answer is chosen from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_END = re.compile(r"[。！？!?]+[”’」』）)]*|[ 　\t]{2,}")     # not at ；: what it joins are cases of one rule
_BLANK = re.compile(r"(?<=[\u4e00-\u9fff”》）。；]) (?=[\u4e00-\u9fff“《●■（\d])")   # was the end of a line
_LINE = re.compile(r"[^\n]+")
ITEM = re.compile(
    r"[\s　]*(?:[（(〔\[]?[一二三四五六七八九十\d]{1,3}[）)〕\]、.．:：]|第[一二三四五六七八九十\d]+[、，章节条，]?"
    r"|[①-⑳]|[-*•·■●◆▲★※]|[一二三四五六七八九]是|其[一二三]|问[:：]?|Q\d*)"
)
# A short sentence that says one of these is a rule, however much it looks like a heading.
_RULES = re.compile(
    r"\d[日天年月元%％]|免[征收]|减半|不得|应|可以|不予|须|为|由|予以|给予|不再|属于|有权|禁止|[一二三四五六七八九十]+[日天年月元倍]"
)
_NAMES = re.compile(r"[\s　，,。.;；:：、！!？?（）()【】■●\d]+")
_HEADING_CHARS = 30
_BEGUN_CHARS = 6             # a blank so near to what it follows parts the signs of a word: 账 号


class Kind(StrEnum):
    TEXT = "text"
    ROW = "row"              # of a table
    HEADING = "heading"
    ASKING = "asking"        # a question that the text goes on to answer
    LEAD = "lead"            # announces what follows: 下列材料：


@dataclass(frozen=True, slots=True)
class Unit:
    """``text[start:end]`` of an article."""

    start: int
    end: int
    line: int                # sentences of one paragraph have the same
    kind: Kind
    above: int               # place of the heading, question or lead-in it stands under; -1: none


def units_of(text: str) -> list[Unit]:
    """In order, without overlap; every character that is no white space is in one."""
    found = list(_sentences(text))
    kinds = [_kind(text, found, place) for place in range(len(found))]
    units: list[Unit] = []
    heading = lead = -1
    for place, ((start, end, line, _), kind) in enumerate(zip(found, kinds, strict=True)):
        above = heading
        if kind in (Kind.HEADING, Kind.ASKING):
            above = heading if heading == place - 1 else -1
            heading, lead = place, -1
        elif kind is Kind.LEAD:
            lead = place
        elif kind is Kind.TEXT and lead >= 0:
            goes_on = lead == place - 1 or bool(ITEM.match(text[start:end])) or line == units[-1].line
            above, lead = (lead, lead) if goes_on else (heading, -1)
        units.append(Unit(start, end, line, kind, above))
    return units


def answering(units: list[Unit]) -> list[int]:
    """The places of those that can answer; of an article that is all headings, all."""
    return [place for place, unit in enumerate(units) if unit.kind in (Kind.TEXT, Kind.ROW)] or list(range(len(units)))


def headings_above(text: str, units: list[Unit], place: int) -> str:
    """What the unit stands under, nearest first; of a long lead-in the end, which says what follows."""
    parts: list[str] = []
    above = units[place].above
    while above >= 0 and len(parts) < 3:
        parts.append(text[units[above].start : units[above].end][-60:])
        above = units[above].above
    return " ".join(parts)


def _sentences(text: str) -> Iterator[tuple[int, int, int, bool]]:
    """Start, end, number of the paragraph, whether it is a row of a table."""
    paragraph = 0
    for line in _LINE.finditer(text):
        if line.group().lstrip().startswith("|"):
            yield line.start(), line.end(), paragraph, True
            paragraph += 1
            continue
        start = line.start()
        for stop, ends_paragraph in _stops(text, line.start(), line.end()):
            first, last = start, stop
            while first < last and text[first].isspace():
                first += 1
            while last > first and text[last - 1].isspace():
                last -= 1
            if first < last:
                yield first, last, paragraph, False
                paragraph += ends_paragraph
            start = stop
        paragraph += 1


def _stops(text: str, start: int, end: int) -> list[tuple[int, bool]]:
    stops = [(stop.end(), stop.group()[0] in " 　\t") for stop in _END.finditer(text, start, end)]
    blanks = _BLANK.finditer(text, start, end)
    stops += [(blank.end(), True) for blank in blanks if _complete(text, start, blank.start())]
    return sorted([*stops, (end, True)])


def _complete(text: str, start: int, place: int) -> bool:
    """Whether what stands before ``place`` is long enough to be a line, and no bracket is open."""
    begun = max(start, max(text.rfind(sign, start, place) for sign in "。；\n") + 1)
    before = text[begun:place]
    pairs = ("（）", "《》", "“”")
    even = all(before.count(pair[0]) <= before.count(pair[1]) for pair in pairs)
    return even and len(before[before.rfind(" ") + 1 :].strip()) >= _BEGUN_CHARS


def _kind(text: str, found: list[tuple[int, int, int, bool]], place: int) -> Kind:
    start, end, line, is_row = found[place]
    if is_row:
        return Kind.ROW
    sentence = text[start:end]
    if place + 1 == len(found):              # nothing follows it
        return Kind.ASKING if place and sentence.endswith(("？", "?")) else Kind.TEXT
    if not _NAMES.sub("", sentence):
        return Kind.HEADING                  # a number that stands alone
    if sentence.endswith(("？", "?")):
        return Kind.ASKING
    if sentence.endswith(("：", ":")):
        return Kind.LEAD
    first = place == 0 or found[place - 1][2] != line
    if len(sentence) > _HEADING_CHARS or not first:
        return Kind.TEXT
    if found[place + 1][2] != line:          # on a line of its own
        told = sentence[-1] in "。！；;，,、" or re.search(r"[：:].*\d", sentence)
        return Kind.TEXT if told else Kind.HEADING
    numbered = ITEM.match(sentence) or ("，" not in sentence and "," not in sentence and len(sentence) <= 24)
    return Kind.HEADING if numbered and not _RULES.search(sentence[2:]) else Kind.TEXT
