"""What a question names outright: articles by their address, documents by their number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.numerals import chinese_number, number

_DIGITS = r"[一二三四五六七八九十百千零〇\d]{1,9}"
_ADDRESS = re.compile(rf"第({_DIGITS})条(之[一二三四五六七八九十]+)?")
_QUOTES = re.compile(r"[《》〈〉\s]")
_YEAR = r"((?:19|20)\d{2})"
# 国办发〔2023〕15号 in whatever brackets, 国办发2023年第15号, 国办发 2023 15号; full-width forms are narrow by then
_NUMBERED = re.compile(
    rf"([\u4e00-\u9fff]{{1,24}})\s*(?:[〔\[(【〖〈<{{]\s*{_YEAR}\s*年?\s*[〕\])】〗〉>}}]|{_YEAR}\s*[年\s—–-])"
    r"\s*第?\s*0*([1-9]\d{0,4})(?![\d年月])\s*号?+(?![线楼院])"
)
# 国务院令第423号, 广州市人民政府令〔2023〕第5号, 国家税务总局公告2019年第60号; and as people say, 国务院第423号令
_ORDER = re.compile(
    rf"([\u4e00-\u9fff、]{{1,60}})(令|公告)\s*(?:[〔\[(【]?\s*{_YEAR}\s*年?\s*[〕\])】]?)?[\s(]*第?\s*({_DIGITS})\s*号"
)
_ORDER_BEHIND = re.compile(rf"([\u4e00-\u9fff、]{{1,60}}?)[\s(]*第?\s*({_DIGITS})\s*号\s*(令|公告)")
_STATE = "中华人民共和国"
_SHORTEST_CODE = 2       # characters: behind one alone, 〔2023〕15号 could be anybody's


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A 发文字号 in a question."""

    exact: tuple[str, ...]       # how it may be stored: where its code begins among the words before it is not known
    endings: tuple[str, ...]     # what a stored number would end with of which the first characters were left out


def named_addresses(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(what stands before it, its spellings) of each 第五百六十三条 and 第563条, without 《》 and blanks."""
    bare = _QUOTES.sub("", unicodedata.normalize("NFKC", text))
    for match in _ADDRESS.finditer(bare):
        yield bare[: match.start()], tuple(dict.fromkeys((match.group(0), *_respelled(match))))


def named_numbers(text: str) -> list[NamedNumber]:
    """The numbers of documents that ``text`` names, those of orders last."""
    narrow = unicodedata.normalize("NFKC", text)
    found = [_numbered(match[1], f"〔{match[2] or match[3]}〕{match[4]}号") for match in _NUMBERED.finditer(narrow)]
    for match in _ORDER.finditer(narrow):
        found.append(_ordered(match[1], match[2], match[3], _forms(match[4])))
    for match in _ORDER_BEHIND.finditer(narrow):
        found.append(_ordered(match[1], match[3], None, _forms(match[2])))
    return found


def _numbered(run: str, ending: str) -> NamedNumber:
    exact = tuple(f"{run[at:]}{ending}" for at in range(len(run)))
    return NamedNumber(exact, (f"{run}{ending}",) if len(run) >= _SHORTEST_CODE else ())


def _ordered(run: str, kind: str, year: str | None, forms: Sequence[str]) -> NamedNumber:
    """Of a body, which may be stored with the name of the state before it: 中华人民共和国国务院令."""
    years = [f"〔{year}〕", f"{year}年"] if year else [""]
    endings = [f"{kind}{when}{form}" for form in forms for when in years] + [f"{form}{kind}" for form in forms]
    exact = [f"{run[at:]}{ending}" for at in range(len(run) - 1) for ending in endings]
    whole = tuple(f"{run}{ending}" for ending in endings) if len(run) >= _SHORTEST_CODE else ()
    return NamedNumber((*exact, *(f"{_STATE}{one}" for one in exact)), whole)


def _respelled(match: re.Match[str]) -> list[str]:
    try:
        value = number(match[1])
    except ValueError:      # 第3十条
        return []
    behind = match[2] or ""
    return [f"第{chinese_number(value)}条{behind}", f"第{value}条{behind}"] if 0 < value < 10_000 else []


def _forms(label: str) -> list[str]:
    """第423号, 423号 and the same in Chinese numerals, since orders keep the form in which they were printed."""
    try:
        value = number(label)
    except ValueError:
        return [f"第{label}号"]
    numerals = [str(value), *([chinese_number(value)] if 0 < value < 10_000 else [])]
    return [f"{first}{numeral}号" for numeral in numerals for first in ("第", "")]
