"""Automatic numbers of Word paragraphs as text: they are not in the document's text, and an address needs them.

Format: ECMA-376 part 1, sections 17.9 (numbering) and 17.18.59 (number formats).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.numerals import chinese_number
from ingest.docx_styles import W, value
from ingest.ooxml import Element

LEVELS = 9
_DIGITS = "〇一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
_MAX_NUMBER = 9999              # larger ones come from changed bytes, and letters would grow long
_WORD = re.compile(r"[^\W\d_\ue000-\uf8ff]{2,}[：:、.]?")
_PLACE = re.compile(r"%([1-9])")
# Formats that run through a row of single characters: of the row's first character, and how many there are.
_ROWS = {
    "decimalEnclosedCircle": ("①", 20), "decimalEnclosedCircleChinese": ("①", 20), "decimalEnclosedParen": ("⑴", 20),
    "decimalEnclosedFullstop": ("⒈", 20), "ideographEnclosedCircle": ("㊀", 10),
}
_CYCLES = {"ideographTraditional": "甲乙丙丁戊己庚辛壬癸", "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥"}
_COUNTING = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting",
             "taiwaneseCountingThousand", "japaneseLegal", "koreanCounting")
_LEGAL_COUNTING = ("chineseLegalSimplified", "ideographLegalTraditional")
_DIGITAL = ("ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand", "koreanDigital")


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is numbered."""

    start: int = 1
    number_format: str = "decimal"
    text: str = ""              # "第%1条": %n stands for the number of level n
    restart: int | None = None  # level, from 1, whose next number starts this one again; 0 never; None any above
    legal: bool = False         # numbers of all levels in Arabic digits
    style: str | None = None    # the paragraph style that is tied to this level


class Numbering:
    """The lists of one document and how far each has been counted."""

    def __init__(self, root: Element | None) -> None:
        self._abstract: dict[str, tuple[Level, ...]] = {}
        self._lists: dict[str, tuple[str, tuple[Level, ...]]] = {}     # numId -> abstract list, its levels
        self._overrides: dict[tuple[str, int], int] = {}               # (numId, level) -> start
        self._counted: dict[str, list[int | None]] = {}
        if root is not None:
            self._load(root)

    def _load(self, root: Element) -> None:
        links: dict[str, str] = {}
        owners: dict[str, str] = {}
        for item in root.findall(f"{W}abstractNum"):
            number = item.get(f"{W}abstractNumId", "")
            self._abstract[number] = _levels(item, (Level(),) * LEVELS)
            if (link := value(item, "numStyleLink")) is not None:
                links[number] = link
            if (owner := value(item, "styleLink")) is not None:
                owners[owner] = number
        for item in root.findall(f"{W}num"):
            number, abstract = item.get(f"{W}numId", ""), value(item, "abstractNumId") or ""
            abstract = owners.get(links.get(abstract, ""), abstract)
            levels = self._abstract.get(abstract)
            if levels is None:
                continue
            for override in item.findall(f"{W}lvlOverride"):
                levels = _levels(override, levels)
                start = value(override, "startOverride")
                if start is not None:
                    self._overrides[number, _number(override.get(f"{W}ilvl"), 0)] = _number(start, 1)
            self._lists[number] = (abstract, levels)

    def level_of_style(self, list_id: str, styles: Sequence[str]) -> int:
        """The level that one of the styles is tied to, nearest first."""
        _, levels = self._lists.get(list_id, ("", ()))
        tied = {level.style: place for place, level in reversed(list(enumerate(levels)))}
        return next((tied[style] for style in styles if style in tied), 0)

    def next_label(self, list_id: str, place: int) -> str:
        """The number of the next paragraph of that list and level: "第三条", "（一）"; "" for a bullet."""
        if list_id not in self._lists:
            return ""
        place = min(max(place, 0), LEVELS - 1)
        abstract, levels = self._lists[list_id]
        counted = self._counted.setdefault(abstract, [None] * LEVELS)
        # A start of its own counts once, when this list is first used at this level.
        start = self._overrides.pop((list_id, place), None)
        before = counted[place]
        counted[place] = start if start is not None else levels[place].start if before is None else before + 1
        for deeper in range(place + 1, LEVELS):
            restart = levels[deeper].restart
            if restart is None or place < restart:
                counted[deeper] = None
        return _label(levels, counted, place)


def _levels(item: Element, known: tuple[Level, ...]) -> tuple[Level, ...]:
    levels = list(known)
    for element in item.findall(f"{W}lvl"):
        place = _number(element.get(f"{W}ilvl"), 0)
        if not 0 <= place < LEVELS:
            continue
        restart = value(element, "lvlRestart")
        legal = element.find(f"{W}isLgl")
        levels[place] = replace(
            Level(),
            start=_number(value(element, "start"), 1),
            number_format=_format(element),
            text=value(element, "lvlText") or "",
            restart=None if restart is None else _number(restart, 0),
            legal=legal is not None and legal.get(f"{W}val", "1") not in ("0", "false", "off"),
            style=value(element, "pStyle"),
        )
    return tuple(levels)


def _format(level: Element) -> str:
    """Custom formats ("01, 02") stand in a choice, beside a fallback that older programs know."""
    found = level.find(f".//{W}numFmt")
    return "decimal" if found is None else str(found.get(f"{W}val", "decimal"))


def _label(levels: tuple[Level, ...], counted: list[int | None], place: int) -> str:
    level = levels[place]
    if level.number_format == "bullet":
        # A private-use or geometric mark is no text; a word set as a bullet ("附件：") is.
        return level.text if _WORD.fullmatch(level.text) else ""

    def number(match: re.Match[str]) -> str:
        other = int(match[1]) - 1
        count = counted[other]
        shown = levels[other].start if count is None else count
        return format_number(shown, "decimal" if level.legal else levels[other].number_format)

    return _PLACE.sub(number, level.text)


def format_number(value: int, number_format: str) -> str:
    """``value`` as Word writes it; formats that no Chinese document uses come out in Arabic digits."""
    if number_format == "none":
        return ""
    if not 0 < value <= _MAX_NUMBER:
        return str(value)
    if number_format in _COUNTING:
        return chinese_number(value)
    if number_format in _LEGAL_COUNTING:
        return chinese_number(value, _LEGAL, "仟佰拾")
    if number_format in _DIGITAL:
        return "".join(_DIGITS[int(digit)] for digit in str(value))
    if number_format in _CYCLES:
        row = _CYCLES[number_format]
        return row[(value - 1) % len(row)]
    if number_format in _ROWS:
        first, count = _ROWS[number_format]
        return chr(ord(first) + value - 1) if value <= count else str(value)
    return _latin_number(value, number_format)


def _latin_number(value: int, number_format: str) -> str:
    match number_format:
        case "upperLetter" | "lowerLetter":       # after Z comes AA, then BB
            letter = chr(ord("A") + (value - 1) % 26) * min((value - 1) // 26 + 1, 20)
            return letter if number_format == "upperLetter" else letter.lower()
        case "upperRoman" | "lowerRoman":
            roman, rest = "", value
            for worth, sign in _ROMAN:
                roman += sign * (rest // worth)
                rest %= worth
            return roman if number_format == "upperRoman" else roman.lower()
        case "decimalZero" | "custom":
            return f"{value:02}"
        case "numberInDash":
            return f"- {value} -"
        case "decimalFullWidth" | "decimalFullWidth2":
            return "".join(chr(ord(digit) + 0xFEE0) for digit in str(value))
        case _:
            return str(value)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,6}", text) else otherwise
