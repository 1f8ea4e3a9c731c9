"""A text as its words run: white space inside lines left out, digits narrow, ﹝﹞ as 〔〕, every offset leads back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

# spaces in a line, blank lines, and the marks of Markdown headings
_LEFT_OUT = re.compile(r"[^\S\n]+|(?<=\n)\n+|^#{1,6}(?=\s)", re.M)
_WIDE = re.compile(r"[０-９﹝﹞]")
_NARROW = {ord("０") + n: ord("0") + n for n in range(10)} | {ord("﹝"): ord("〔"), ord("﹞"): ord("〕")}
_GAP = re.compile(r"(?<![A-Za-z0-9,.;:!?)]) | (?![A-Za-z0-9(])")
_HAN = "〇○ＯOo0零一二三四五六七八九十"
_DIGIT = dict.fromkeys("○ＯOo0零", 0) | {char: number for number, char in enumerate("〇一二三四五六七八九")}
_DATE = re.compile(
    rf"((?:18|19|20)\d{{2}})年(\d{{1,2}})月(\d{{1,2}})日|([{_HAN}]{{4}})年([{_HAN}]{{1,3}})月([{_HAN}]{{1,3}})日"
    r"|(?<!\d)((?:19|20)\d{2})([-./])(\d{1,2})\8(\d{1,2})(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Day:
    """A date as it stands in ``View.text[start:end]``."""

    start: int
    end: int
    day: date


class View:
    """``text`` with an offset of its own; `span` and `value` lead back to the text it was made of."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._at: list[int] = []        # offset in `text` from which so much has been left out
        self._lost: list[int] = []
        pieces: list[str] = []
        position = lost = 0
        for match in _LEFT_OUT.finditer(raw):
            start, end = match.span()
            pieces.append(raw[position:start])
            self._at.append(start - lost)
            lost += end - start
            self._lost.append(lost)
            position = end
        pieces.append(raw[position:])
        text = "".join(pieces)
        self.text = text.translate(_NARROW) if _WIDE.search(text) else text

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stands in ``raw``."""
        return self._raw(start), self._raw(end - 1) + 1 if end > start else self._raw(start)

    def value(self, start: int, end: int) -> str:
        """The words as printed, without line breaks."""
        first, last = self.span(start, end)
        return squeezed(self.raw[first:last])

    def _raw(self, offset: int) -> int:
        index = bisect_right(self._at, offset) - 1
        return offset + (self._lost[index] if index >= 0 else 0)


def squeezed(text: str) -> str:
    """``text`` without white space, but for one space between words in Latin letters.

    >>> squeezed(" 关于 ISO 9001\\n的 通知")
    '关于ISO 9001的通知'
    """
    return _GAP.sub("", " ".join(text.split()))


def find_days(text: str, start: int = 0, end: int | None = None) -> Iterator[Day]:
    """Every date in order: 2024年5月1日, 二〇二四年五月一日, 2024-05-01. Digits must be narrow."""
    for match in _DATE.finditer(text, start, len(text) if end is None else end):
        if day := _day(match):
            yield Day(match.start(), match.end(), day)


def day_at(text: str, position: int) -> Day | None:
    """The date that begins at ``position``."""
    match = _DATE.match(text, position)
    day = _day(match) if match else None
    return Day(match.start(), match.end(), day) if match and day else None


def han_number(text: str) -> int | None:
    """The value of 五, 十, 二十八 or 5; None for anything else.

    >>> [han_number(word) for word in ("五", "十", "二十八", "30", "几")]
    [5, 10, 28, 30, None]
    """
    if text.isascii() and text.isdigit():
        return int(text)
    tens, mark, ones = text.rpartition("十")
    if not mark:
        return _DIGIT.get(ones) if len(ones) == 1 else None
    if (tens and tens not in _DIGIT) or (ones and ones not in _DIGIT):
        return None
    return (_DIGIT[tens] if tens else 1) * 10 + (_DIGIT[ones] if ones else 0)


def _day(match: re.Match[str]) -> date | None:
    groups = match.groups()
    if groups[0]:
        year, month, day = int(groups[0]), int(groups[1]), int(groups[2])
    elif groups[6]:
        year, month, day = int(groups[6]), int(groups[8]), int(groups[9])
    else:
        if "十" in groups[3]:
            return None
        year = int("".join(str(_DIGIT[char]) for char in groups[3]))
        month, day = han_number(groups[4]) or 0, han_number(groups[5]) or 0
    try:
        return date(year, month, day)
    except ValueError:
        return None
