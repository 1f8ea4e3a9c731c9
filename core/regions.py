"""区划代码: six digits, two each for province, city and district; ``None`` stands for the whole country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import ConfigError

TABLE = Path(__file__).with_name("china_regions.csv")     # made by ingest.make_regions
_SUFFIXES = ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市", "区", "县")
_NAME_CHARS = 16             # no name in the table is longer
_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔"
    "|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|鄂温克|保安|裕固|独龙|鄂伦春|各"
)
# 恩施土家族苗族自治州 is called 恩施州, 大厂回族自治县 大厂县
_AUTONOMOUS = re.compile(rf"^(..+?)(?:(?:{_PEOPLES})族?)+自治([州县旗])$")
_BARE = {"内蒙古": "150000", "广西": "450000", "西藏": "540000", "宁夏": "640000", "新疆": "650000"}


@dataclass(frozen=True, slots=True)
class FoundRegion:
    """``name[:end]`` names the region ``code``; more than one place has such a name when ``code`` is None."""

    code: str | None
    end: int
    level: str                   # 省 / 市 / 县


def region_chain(code: str) -> tuple[str | None, ...]:
    """Whose rules hold at ``code``: the country's, the province's, the city's and its own.

    >>> region_chain("900102")
    (None, '900000', '900100', '900102')
    """
    if not _is_code(code):
        raise ConfigError(f"区划代码应为 6 位数字，实际是 {code!r}，例如 900100")
    chain: list[str | None] = [None]
    for part in (code[:2] + "0000", code[:4] + "00", code):
        if part not in chain:
            chain.append(part)
    return tuple(chain)


def region_code(name: str, names: Mapping[str, str]) -> str | None:
    """The code of a region given as a code, a full name or a short one (上海 for 上海市)."""
    if name in names:
        return name
    for code, full in names.items():
        if name in (full, _short(full)):
            return code
    return name if _is_code(name) else None


def leading_region(text: str, names: Mapping[str, str]) -> FoundRegion | None:
    """The region that ``text`` begins with, province before city before district, as far as it goes.

    ``names`` (the configured ones) come before the table. A name that several places share, such as 鼓楼区, is
    told apart only by the province or city before it.

    >>> leading_region("广州市天河区教育局", {})
    FoundRegion(code='440106', end=6, level='县')
    """
    own, table = _index(tuple(names.items())), _table()
    found: FoundRegion | None = None
    position = 0
    within = ""
    while step := _one(text, position, within, own) or _one(text, position, within, table):
        code, position = step
        found = FoundRegion(code, position, region_level(code) if code else "县")
        if code is None or not code.endswith("00"):
            break
        within = code
    return found


def region_level(code: str) -> str:
    """省, 市 or 县. 北京市 counts as a province, 仙桃市 (429004, directly under one) as a county.

    >>> [region_level(code) for code in ("110000", "440100", "440106")]
    ['省', '市', '县']
    """
    if code.endswith("0000"):
        return "省"
    return "市" if code.endswith("00") else "县"


def region_name(code: str, names: Mapping[str, str]) -> str | None:
    """The full name of a code, of the configured regions or the table."""
    return names.get(code) or _rows().get(code)


def regions_named(name: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Every code whose full name, or usual short form (恩施州), is ``name``."""
    return _index(tuple(names.items())).get(name, ()) + _table().get(name, ())


def all_regions(names: Mapping[str, str]) -> dict[str, str]:
    """Full name by code: the table's, and the configured ones in their place."""
    return {**_rows(), **names}


def _one(text: str, position: int, within: str, index: Mapping[str, tuple[str, ...]]) -> tuple[str | None, int] | None:
    """The longest name at ``position`` that lies in the region ``within``, and where it ends."""
    prefix = within.rstrip("0") if within else ""
    prefix += "0" * (len(prefix) % 2)
    for end in range(min(len(text), position + _NAME_CHARS), position + 1, -1):
        codes = [code for code in index.get(text[position:end], ()) if code.startswith(prefix) and code != within]
        if codes:
            # a district of the same name as its city is the smaller one; two in different cities are not told apart
            return (codes[0] if len(codes) == 1 else _same_chain(codes)), end
    return None


def _same_chain(codes: list[str]) -> str | None:
    ordered = sorted(codes, key=lambda code: len(code.rstrip("0")))
    top = ordered[0].rstrip("0")
    return ordered[0] if all(code.startswith(top) for code in ordered) else None


@cache
def _rows() -> dict[str, str]:
    lines = TABLE.read_text(encoding="utf-8").split("\n")
    return {line[:6]: line[7:] for line in lines if line}


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    return _index(tuple(_rows().items())) | {short: (code,) for short, code in _BARE.items()}


@cache
def _index(rows: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, ...]]:
    """Name -> codes, smaller codes first."""
    index: dict[str, tuple[str, ...]] = {}
    for code, name in rows:
        index[name] = (*index.get(name, ()), code)
        if "自治" in name and (short := _AUTONOMOUS.match(name)):
            called = short.group(1) + short.group(2)
            index[called] = (*index.get(called, ()), code)
    return index


def _is_code(text: str) -> bool:
    return len(text) == 6 and text.isascii() and text.isdigit()


def _short(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name.removesuffix(suffix)
    return name
