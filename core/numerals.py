"""Chinese numerals as laws and notices count: 一百零二 -> 102 -> 一百零二."""

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


def chinese_number(value: int, digits: str = "零一二三四五六七八九", units: str = "千百十") -> str:
    """一, 十, 十一, 二十, 一百零一, 一百一十, 一千零一; for 1 to 9,999."""
    text, gap = "", False
    for power, unit in zip((1000, 100, 10, 1), (*units, ""), strict=True):
        digit = value // power % 10
        if not digit:
            gap = bool(text)
            continue
        text += (digits[0] if gap else "") + digits[digit] + unit
        gap = False
    return text[1:] if 10 <= value < 20 and units[2] == "十" else text


def item_number(value: int) -> str:
    """1 to 99 in Chinese, others in digits: items and paragraphs are counted so."""
    return chinese_number(value) if 0 < value < 100 else str(value)
