"""The places a question names, and whether it asks about another place's rules than the asker's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.regions import all_regions, leading_region, region_chain, region_name
from qa.list_files import rows

# 我是湖南人, 外省户口: where somebody comes from, not whose rules are asked for
_ORIGIN = re.compile(
    r"(?:的)?(?:人(?![才民社大口均防力])|户口|户籍|籍|身份证|老家|驾照|驾驶证|牌照|车牌|号牌|本地人|农村人|来的|过来的|同胞|的[，,])"
)
_FROM = re.compile(
    r"(?:买了?|收购了?|引进了?|考上了?|老家(?:在|是)?|户口(?:在|是)|户籍(?:在|是)|来自|籍贯是?|出生在|从|原来?在|由|我是|本人是?|身为|作为)$"
)
_LIKENED = re.compile(r"(?:像|跟|和|比|同|学习|参照|不如|为什么)$")
_LIKE_THAT = re.compile(r"(?:那样|那边那样|一样|相比|比|那么|都)")
# what joins this country to another: rules of here answer
_ACROSS = re.compile(
    r"签证|护照|出国|出境|入境|回国|来华|在华|留学|移民|绿卡|国籍|外籍|外国|国外|海外|境外|华侨|归国|归侨|进口|出口|关税|海淘|代购"
    r"|认证|公证|大使馆|领事|使领馆|驾照|驾驶证|国际|免签|劳务|外派|旅游|航班|机票|快递|邮寄|汇款|外汇|结婚|离婚|收养"
)
_STAYS = re.compile(r"(?:去|到|从|飞|赴|往|回|(?:我|人|住|身|定居)在)$")
# the asker's own region, without its name
_OWN = re.compile(
    r"本市|本省|本区|本县|我市|我省|我区|我县|省里|市里|区里|县里|我们这|咱们?这|这边|这里|这儿|本地|当地|回来|老家"
)
# 中山路, 北京银行, 青岛啤酒: a name that a place gave to something else
_NAMES_A_THING = re.compile(
    r"(?:东|西|南|北|中)?(?:路|街|大道|大街|巷|桥|花园|公园|广场|大厦|小区|新村|银行|大学|学院|中学|小学|啤酒|茶|面|烤鸭|时间"
    r"|梧桐|红酒|咖啡|料理|豆腐|牌|号|站|机场|苑|府|城|酒店|公司|集团|证券|人寿|晚报|方言|话|菜)"
)
_SHORT = 2
_LEVEL = re.compile(r"(?:特别行政区|(?:维吾尔|壮族|回族)?自治区|(?:[^自]{1,8}族)*自治州|地区|[省市区县盟])$")


@dataclass(frozen=True, slots=True)
class Place:
    """``question[start:end]`` names the region ``code``; None when several places bear the name, or abroad."""

    code: str | None
    name: str
    start: int
    end: int
    origin: bool                 # where somebody comes from or what is compared with


def places(question: str, *, home: str, names: Mapping[str, str]) -> tuple[Place, ...]:
    """In order. ``home`` is the asker's 区划代码, or empty; ``names`` are the configured regions.

    A name that several places bear is the one in the asker's city or province, if there is one.
    """
    found: list[Place] = []
    position = 0
    while position < len(question):
        place = _at(question, position, home, names)
        if place is None:
            position += 1
            continue
        found.append(place)
        position = place.end
    return tuple(found)


def other_region(question: str, named: tuple[Place, ...], home: str) -> Place | None:
    """The place whose rules are asked for, where that is not the asker's own: not above it and not in it.

    None when the asker's own region is named as well, or nothing is known of the asker.
    """
    if not home or _OWN.search(question):
        return None
    asked = [place for place in named if not place.origin and place.code]
    own = [place for place in asked if place.code and _within(place.code, home)]
    return asked[0] if asked and not own else None


def abroad(question: str) -> Place | None:
    """The other country whose own rules are asked for: 法国带薪年假几天, but not 去法国的签证, 法国人, 从法国回来."""
    if _ACROSS.search(question) or _OWN.search(question) or "中国" in question or "我国" in question:
        return None
    for match in _countries().finditer(question):
        before, end = question[: match.start()], match.end()
        if not (_STAYS.search(before) or _ORIGIN.match(question, end) or _NAMES_A_THING.match(question, end)):
            return Place(None, match.group(), match.start(), match.end(), origin=False)
    return None


@cache
def _countries() -> re.Pattern[str]:
    """Those whose rules a question may ask for, the longest name first."""
    names = {name for row in rows("countries.txt", 1) for name in row[0].split(" ")}
    return re.compile("|".join(sorted(names, key=len, reverse=True)))


def region_asked(named: tuple[Place, ...], home: str) -> str | None:
    """The region to answer for, where the question says one: the narrowest of those named."""
    codes = [place.code for place in named if place.code and not place.origin]
    inside = [code for code in codes if not home or _within(code, home)]
    chosen = inside or codes
    return max(chosen, key=lambda code: len(code.rstrip("0"))) if chosen else None


def _within(code: str, home: str) -> bool:
    return code in region_chain(home) or home in region_chain(code)


def _at(question: str, position: int, home: str, names: Mapping[str, str]) -> Place | None:
    full = leading_region(question[position:], names)
    if full:
        end = position + full.end
        code = full.code or _nearest(question[position:end], home, names)
        if full.end > _SHORT or (code and home and code[:4] == home[:4]):    # 西区 and 城区 are parts of longer names
            return _place(question, position, end, code)
    for length in range(min(5, len(question) - position), 1, -1):
        name = question[position : position + length]
        code = _short_names(home, tuple(names.items())).get(name)
        if code and not _NAMES_A_THING.match(question, position + length):
            return _place(question, position, position + length, code)
    return None


def _place(question: str, start: int, end: int, code: str | None) -> Place:
    before, after = question[max(0, start - 6) : start], question[end:]
    likened = bool(_LIKENED.search(before) and _LIKE_THAT.match(after))
    origin = bool(_ORIGIN.match(after) or _FROM.search(before)) or likened
    return Place(code, question[start:end], start, end, origin)


def _nearest(name: str, home: str, names: Mapping[str, str]) -> str | None:
    """Of several places of one name, the one in the asker's city, else in the asker's province."""
    if not home:
        return None
    codes = [code for code, full in all_regions(names).items() if full == name]
    for prefix in (home[:4], home[:2]):
        inside = [code for code in codes if code.startswith(prefix)]
        if len(inside) == 1:
            return inside[0]
    return None


@cache
def _short_names(home: str, configured: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """广州 for 广州市 everywhere; 天河 for 天河区 only in the asker's own city."""
    words = {word for row in rows("place_words.txt", 1) for word in row[0].split(" ")}
    found: dict[str, str] = {}
    for code, full in all_regions(dict(configured)).items():
        own = bool(home) and code[:4] == home[:4]
        if not own and not code.endswith("00") and code not in dict(configured):
            continue
        short = _LEVEL.sub("", full)
        if len(short) >= 2 and short != full and short not in words:
            found.setdefault(short, code)
    return found


def place_name(place: Place, names: Mapping[str, str]) -> str:
    """The full name, for an answer: 广州市 for 广州."""
    return (place.code and region_name(place.code, names)) or place.name
