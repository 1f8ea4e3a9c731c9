"""Numbers of a spreadsheet as they are shown: with their decimals, per cent, units and as dates.

Format: ECMA-376 part 1, section 18.8.30 (number formats), and what Excel shows in Chinese for numbers 27 to 58.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 14: "yyyy-m-d", 15: "d-mmm-yy",
    16: "d-mmm", 17: "yyyy-m", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-m-d h:mm",
    27: "yyyy-m", 28: "m-d", 29: "m-d", 30: "m-d", 31: "yyyy-m-d", 32: "h:mm", 33: "h:mm:ss", 34: "h:mm",
    35: "h:mm:ss", 36: "yyyy-m", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 44: "#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 48: "0.0E+0", 50: "yyyy-m", 51: "m-d", 52: "yyyy-m", 53: "m-d",
    54: "m-d", 55: "h:mm", 56: "h:mm:ss", 57: "yyyy-m", 58: "m-d",
}
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_LAST_DAY = 2_958_465               # 9999-12-31
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General|G/通用格式', re.IGNORECASE)
_DIGITS = re.compile(r"[0#?][0#?,]*(?:\.[0#?]+)?,*|\.[0#?]+")
_CURRENCY = re.compile(r"\[\$([^\-\]]*)[^\]]*\]")


def shown(value: float, number_format: str, *, since_1904: bool = False) -> str:
    """``value`` under a format code; a format that is not understood gives the plain number."""
    if _is_date(number_format):
        return _date(value, number_format, since_1904=since_1904)
    sections = number_format.split(";")
    negative = value < 0 and len(sections) > 1 and bool(_DIGITS.search(_LITERAL.sub("", sections[1])))
    section = sections[1] if negative else sections[0]
    if value == 0 and len(sections) > 2 and not _DIGITS.search(_LITERAL.sub("", sections[2])):
        return _words(sections[2]).strip() or plain(value)
    digits = _digits(section)
    if digits is None:
        return plain(value)
    before, pattern, after = digits
    amount = abs(value) if negative else value
    if re.match(r"E[+-]|[\s?]*/", after, re.IGNORECASE):
        return plain(value)             # scientific and fractions
    percent = "%" in before or "%" in after
    return f"{_words(before)}{_fixed(amount * 100 if percent else amount, pattern)}{_words(after)}".strip()


def plain(value: float) -> str:
    """Fifteen digits, as much as a spreadsheet keeps: 0.1 + 0.2 is 0.3, and an identity number stays whole."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


@lru_cache(maxsize=1000)
def _digits(section: str) -> tuple[str, str, str] | None:
    """What stands before, in and after the digits of a section; literals are no digits ("2024年"0)."""
    masked = _LITERAL.sub(lambda match: "\ue000" * len(match[0]), section)
    match = _DIGITS.search(masked)
    return (section[: match.start()], match[0], section[match.end() :]) if match else None


def _words(text: str) -> str:
    """Literals of a format as they are shown: quoted words, escaped characters, currency signs, %."""
    text = _CURRENCY.sub(r"\1", text)
    text = re.sub(r"_.|\*.|\[[^\]]*\]", "", text)
    return re.sub(r'\\(.)', r"\1", text.replace('"', "")).replace("0", "").replace("#", "").replace("?", "")


def _fixed(value: float, pattern: str) -> str:
    whole, _, decimals = pattern.partition(".")
    scaled = len(whole) - len(whole.rstrip(",")) if not decimals else len(decimals) - len(decimals.rstrip(","))
    decimals = decimals.rstrip(",")
    text = f"{abs(value) / 1000**scaled:{',' if ',' in whole.rstrip(',') else ''}.{min(len(decimals), 15)}f}"
    if decimals:
        needed = len(decimals.rstrip("#?"))
        head, _, tail = text.partition(".")
        tail = tail[:needed] + tail[needed:].rstrip("0")
        text = f"{head}.{tail}" if tail else head
    zeros = whole.count("0")
    digits = text.partition(".")[0]
    if len(digits) < zeros:
        text = "0" * (zeros - len(digits)) + text
    return f"-{text}" if value < 0 and re.search(r"[1-9]", text) else text


@lru_cache(maxsize=1000)
def _is_date(number_format: str) -> bool:
    if _ELAPSED.search(number_format):
        return True
    return re.search(r"[ymdhs]", _LITERAL.sub("", number_format.split(";")[0]), re.IGNORECASE) is not None


def _date(value: float, number_format: str, *, since_1904: bool) -> str:
    """ISO, with only what the format shows: 2024-05-01, 2024-05, 08:30, 2024-05-01 08:30."""
    if _ELAPSED.search(number_format):
        minutes = round(value * 1440)
        return f"{minutes // 60}:{minutes % 60:02}"
    if not 0 <= value <= _LAST_DAY:
        return plain(value)
    # 1900 has a 29 February in spreadsheets, so the days before it are one off.
    days = value if since_1904 or value >= 60 else value + 1
    moment = (_EPOCH_1904 if since_1904 else _EPOCH) + timedelta(seconds=round(days * 86_400))
    letters = _LITERAL.sub("", number_format.split(";")[0]).lower()
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    if not re.search("[yd]", letters) and re.search("[hs]", letters):
        return clock
    day = f"{moment:%Y-%m}" if "d" not in letters and "y" in letters else f"{moment:%Y-%m-%d}"
    return f"{day} {clock}" if re.search("[hs]", letters) and clock != "00:00" else day
