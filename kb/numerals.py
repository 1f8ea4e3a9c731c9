"""Numbers of articles: 一百零二 -> 102 -> 一百零二."""

from __future__ import annotations

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}


def number(label: str) -> int:
    """A numeral below 10,000, Chinese or Arabic, full-width digits too: 三十八 -> 38, 二〇 -> 20, 38 -> 38.

    Raises `ValueError` for a mixture such as 3十.
    """
    if label.isdecimal():
        return int(label)
    total = digit = 0
    for char in label:
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        elif char in _DIGITS:
            digit = digit * 10 + _DIGITS[char]
        else:
            raise ValueError(f"no numeral: {label}")
    return total + digit


def chinese(value: int) -> str:
    """As laws count their articles, 1 to 9,999: 10 -> 十, 102 -> 一百零二, 110 -> 一百一十."""
    out = ""
    gap = False
    for unit, char in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            out += ("零" if gap and out else "") + "零一二三四五六七八九"[digit] + char
            gap = False
        else:
            gap = True
    return out.removeprefix("一") if 10 <= value < 20 else out
