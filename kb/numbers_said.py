"""Whether every number of a text stands in what carries it, in digits or in Chinese numerals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.numerals import number

_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千]+万?[零〇一二两三四五六七八九十百千]*")
_THOUSANDS = re.compile(r"(?<=[0-9])[,，](?=[0-9]{3}(?![0-9]))")
_HALF = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}


def unsaid_numbers(text: str, carriers: Sequence[str]) -> list[str]:
    """The digits of ``text`` whose number none of ``carriers`` holds, each once; Chinese numerals of ``text`` are
    not looked at, since 一个 counts nothing."""
    said: set[str] = set()
    for carrier in carriers:
        even = _even(carrier)
        said |= {_bare(digits) for digits in _DIGITS.findall(even)}
        said |= {str(value) for numeral in _CHINESE.findall(even) for value in _values(numeral)}
    return [digits for digits in dict.fromkeys(_DIGITS.findall(_even(text))) if _bare(digits) not in said]


def _even(text: str) -> str:
    return _THOUSANDS.sub("", text.translate(_HALF))


def _bare(digits: str) -> str:
    return f"{float(digits):g}" if "." in digits else digits.lstrip("0") or "0"


def _values(numeral: str) -> list[int]:
    """二千二百 -> 2200; 三万五千 -> 35000."""
    high, ten_thousand, low = numeral.partition("万")
    try:
        if ten_thousand:
            return [number(high or "一") * 10_000 + (number(low) if low else 0)]
        return [number(numeral)]
    except ValueError:
        return []
