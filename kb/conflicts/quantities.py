"""Amounts, shares, periods, ages and dates in a text, each with its span and a value that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

from core.numerals import number


class Dimension(StrEnum):
    """What a quantity measures; only quantities of one dimension are compared."""

    MONEY = "money"              # in 元
    SHARE = "share"              # 1 is the whole
    PERIOD = "period"
    DATE = "date"
    AGE = "age"                  # in years
    AREA = "area"                # in square metres
    COUNT = "count"              # people, times, kilometres…; `Quantity.unit` tells which


@dataclass(frozen=True, slots=True)
class Quantity:
    """``text[start:end]``, whose value two rules may differ in."""

    start: int
    end: int
    dimension: Dimension
    value: Decimal
    unit: str                    # 元 1 日 工作日 月 岁 平方米 人 次; of a date the parts that it has: 月日

    @property
    def key(self) -> tuple[str, Decimal]:
        """Equal when two quantities say the same: 一年 and 12个月, 2万元 and 20000元."""
        return self.unit, self.value


_CN = "零〇一二两三四五六七八九十百千"
_ARABIC = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:[.．]\d+)?"
_NUMBER = rf"(?:(?:{_ARABIC})|[{_CN}]+)"
_SCALED = rf"(?:{_NUMBER}\s?(?:万亿|[亿万千百](?![{_CN}]))?(?:{_NUMBER})?)"
_UNITS: dict[str, tuple[Dimension, str, Decimal]] = {
    "个工作日": (Dimension.PERIOD, "工作日", Decimal(1)),
    "工作日": (Dimension.PERIOD, "工作日", Decimal(1)),
    "个交易日": (Dimension.PERIOD, "工作日", Decimal(1)),
    "个自然日": (Dimension.PERIOD, "日", Decimal(1)),
    "日": (Dimension.PERIOD, "日", Decimal(1)),
    "天": (Dimension.PERIOD, "日", Decimal(1)),
    "周": (Dimension.PERIOD, "日", Decimal(7)),
    "个星期": (Dimension.PERIOD, "日", Decimal(7)),
    "个小时": (Dimension.PERIOD, "小时", Decimal(1)),
    "小时": (Dimension.PERIOD, "小时", Decimal(1)),
    "分钟": (Dimension.PERIOD, "小时", Decimal(1) / 60),
    "个月": (Dimension.PERIOD, "月", Decimal(1)),
    "个季度": (Dimension.PERIOD, "月", Decimal(3)),
    "个学期": (Dimension.PERIOD, "学期", Decimal(1)),
    "年": (Dimension.PERIOD, "月", Decimal(12)),
    "周年": (Dimension.PERIOD, "月", Decimal(12)),
    "个年度": (Dimension.PERIOD, "月", Decimal(12)),
    "周岁": (Dimension.AGE, "岁", Decimal(1)),
    "岁": (Dimension.AGE, "岁", Decimal(1)),
    "元": (Dimension.MONEY, "元", Decimal(1)),
    "块钱": (Dimension.MONEY, "元", Decimal(1)),
    "角": (Dimension.MONEY, "元", Decimal("0.1")),
    "平方米": (Dimension.AREA, "平方米", Decimal(1)),
    "平米": (Dimension.AREA, "平方米", Decimal(1)),
    "㎡": (Dimension.AREA, "平方米", Decimal(1)),
    "亩": (Dimension.AREA, "亩", Decimal(1)),
    "公顷": (Dimension.AREA, "平方米", Decimal(10000)),
    "平方公里": (Dimension.AREA, "平方米", Decimal(1_000_000)),
} | {
    unit: (Dimension.COUNT, unit, Decimal(1))
    for unit in (
        "倍", "公里", "千米", "米", "厘米", "吨", "千克", "公斤", "千瓦", "度", "分贝", "人次", "次", "学时", "课时",
        "学分", "立方米",
    )
} | {unit: (Dimension.COUNT, "人", Decimal(1)) for unit in ("人", "名", "位")}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?P<year>(?:[1１][9９]|[2２][0０])\d\d|[一二][九〇零][〇零一二三四五六七八九]{{2}})\s?年"
    rf"(?:\s?(?P<month>{_NUMBER})\s?月(?:份|(?:\s?(?P<day>{_NUMBER})\s?[日号])?))?"
    rf"|(?<![个\d{_CN}])(?P<month2>{_NUMBER})\s?月(?:份|底|末|初)?(?:\s?(?P<day2>{_NUMBER})\s?[日号])?"
    rf"|百分之(?P<percent>{_NUMBER})(?:点(?P<point>[{_CN}]+))?"
    rf"|(?P<share>{_ARABIC})\s?(?P<sign>[%％‰])"
    rf"|(?<![{_CN}])(?P<lower>[{_CN}]+)分之(?P<upper>[{_CN}]+)"
    rf"|(?P<amount>{_SCALED})\s?(?P<unit>{_UNIT})"
)
_ORDINAL = re.compile(r"[第〔\[（(【－—]\s?$")
_NO_QUANTITY = re.compile(
    r"年级|年制|年度(?!内)|次[会性]|人民|名单|位于|度假|日常|周[边围]|天然|米[饭面]|人[才员口大工事]|年[龄限度]|公里(?=[”，。])"
)
_DAY_OF_MONTH = re.compile(r"(?:每月|当月|次月|[上本下首末]月|季末月|月底)(?:的)?\s?$")


def quantities(text: str) -> Iterator[Quantity]:
    """In the order of the text; numbers without a unit, ordinals and 文号 are none."""
    for match in _QUANTITY.finditer(text):
        found = _read(match)
        if found is not None:
            yield found


def _read(match: re.Match[str]) -> Quantity | None:
    if _ORDINAL.search(match.string[max(0, match.start() - 2) : match.start()]):
        return None
    if match["year"] or match["month2"]:
        return _date(match)
    if match["amount"]:
        return _amount(match)
    value = _share(match)
    return None if value is None else Quantity(*match.span(), Dimension.SHARE, value, "1")


def _amount(match: re.Match[str]) -> Quantity | None:
    text, start = match.string, match.start()
    value = _decimal(match["amount"])
    if value is None or _NO_QUANTITY.match(text, match.start("unit")):
        return None
    dimension, unit, factor = _UNITS[match["unit"]]
    if unit == "日" and _DAY_OF_MONTH.search(text[max(0, start - 4) : start]):
        return Quantity(start, match.end(), Dimension.DATE, value, unit)
    return Quantity(start, match.end(), dimension, value * factor, unit)


def _share(match: re.Match[str]) -> Decimal | None:
    if match["percent"]:
        whole, tail = _decimal(match["percent"]), match["point"]
        if whole is not None and tail:
            whole += Decimal("0." + "".join(str(number(char)) for char in tail))
        return None if whole is None else whole / 100
    if match["share"]:
        value = _decimal(match["share"])
        return None if value is None else value / (1000 if match["sign"] == "‰" else 100)
    lower, upper = _decimal(match["lower"]), _decimal(match["upper"])
    return round(upper / lower, 6) if lower and upper else None


def _date(match: re.Match[str]) -> Quantity | None:
    year = _year(match["year"]) if match["year"] else 0
    month = _decimal(match["month"] or match["month2"] or "0")
    day = _decimal(match["day"] or match["day2"] or "0")
    if year is None or month is None or day is None or month > 12 or day > 31:
        return None
    unit = ("年" if year else "") + ("月" if month else "") + ("日" if day else "")
    return Quantity(match.start(), match.end(), Dimension.DATE, year * 10000 + month * 100 + day, unit)


def _year(text: str) -> int | None:
    if text.isdigit():
        return int(text)
    return int("".join(str(number(char)) for char in text))


@lru_cache(maxsize=4096)
def _decimal(text: str) -> Decimal | None:
    """1,200.5, 三千六百, 1.5万, 两亿, 2万5; None for what is no number after all.

    >>> _decimal("1.5万"), _decimal("三千六百"), _decimal("一百二十万")
    (Decimal('15000.0'), Decimal('3600'), Decimal('1200000'))
    """
    plain = text.replace(",", "").replace("，", "").replace("．", ".").replace(" ", "")
    try:
        for sign, scale in (("万亿", 10**12), ("亿", 10**8), ("万", 10**4)):
            if sign in plain:
                head, _, tail = plain.partition(sign)
                rest = _decimal(tail) if tail else Decimal(0)
                first = _decimal(head)
                return None if first is None or rest is None else first * scale + rest
        if plain and plain[0].isdigit():
            for sign, scale in (("千", 1000), ("百", 100)):
                if plain.endswith(sign):
                    return Decimal(plain[:-1]) * scale
            return Decimal(plain)
        return Decimal(number(plain))
    except (InvalidOperation, ValueError):
        return None
