"""Word styles with what they inherit: which are headings, titles or tables of contents, how they number and look."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

from ingest.ooxml import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|标题) ?([1-9])", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录) ?(?:[1-9]|heading|标题)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Look:
    """Properties that a style, a paragraph or a run may set; None: not set here."""

    outline: int | None = None          # 0 outermost heading, 9 body text
    list_id: str | None = None          # "0" takes numbering away
    list_level: int | None = None
    centred: bool | None = None
    size: int | None = None             # half points
    hidden: bool | None = None
    red: bool | None = None
    bold: bool | None = None

    def over(self, lower: Look) -> Look:
        """This look where it says something, else the lower one."""
        if self == NO_LOOK:
            return lower
        own = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return replace(lower, **own)


NO_LOOK = Look()
PLAIN = Look(size=20)         # what Word uses where nothing is said


@dataclass(frozen=True, slots=True)
class Style:
    """A style with all that it inherits."""

    chain: tuple[str, ...]              # ids of this style and those it inherits from, nearest first
    look: Look
    title: bool = False
    contents: bool = False              # of a table of contents
    heading: int = 0                    # 1 outermost; 0: no heading


class Styles:
    """The styles of one document by id."""

    def __init__(self, root: Element | None) -> None:
        elements = [] if root is None else root.findall(f"{W}style")
        self._elements = {element.get(f"{W}styleId", ""): element for element in elements}
        self._known: dict[str, Style] = {}
        defaults = None if root is None else root.find(f"{W}docDefaults")
        self._base = PLAIN
        for properties in () if defaults is None else defaults.iter(f"{W}rPr"):
            self._base = run_look(properties).over(PLAIN)
        self._default = next(
            (element.get(f"{W}styleId", "") for element in elements
             if element.get(f"{W}type") == "paragraph" and element.get(f"{W}default") in ("1", "true", "on")), "",
        )

    def paragraph(self, style_id: str | None) -> Style:
        return self._style(style_id if style_id in self._elements and style_id else self._default, self._base)

    def character(self, style_id: str | None) -> Look:
        return self._style(style_id, NO_LOOK).look if style_id in self._elements and style_id else NO_LOOK

    def _style(self, style_id: str, base: Look) -> Style:
        if style_id in self._known:
            return self._known[style_id]
        ids: list[str] = []
        following: str | None = style_id
        while following is not None and following in self._elements and following not in ids:   # may run in a ring
            ids.append(following)
            following = value(self._elements[following], "basedOn")
        chain = [self._elements[number] for number in ids]
        look = base
        for element in reversed(chain):
            look = paragraph_look(element.find(f"{W}pPr")).over(run_look(element.find(f"{W}rPr")).over(look))
        names = [(value(element, "name") or "").strip() for element in chain] or [""]
        # A style made after "heading 2" is a heading by what it inherits, whatever its own name.
        numbered = next((match for name in names if (match := _HEADING.fullmatch(name))), None)
        heading = int(numbered[1]) if numbered else 0
        if look.outline is not None:
            heading = look.outline + 1 if look.outline < 9 else 0
        title = names[0].lower() in ("title", "标题", "文档标题", "公文标题")
        self._known[style_id] = Style(tuple(ids), look, title, bool(_CONTENTS.fullmatch(names[0])), heading)
        return self._known[style_id]


def paragraph_look(properties: Element | None) -> Look:
    if properties is None:
        return NO_LOOK
    numbering = properties.find(f"{W}numPr")
    level = None if numbering is None else _int(value(numbering, "ilvl"))
    justified = value(properties, "jc")
    return Look(
        outline=_int(value(properties, "outlineLvl")),
        list_id=None if numbering is None else value(numbering, "numId"),
        list_level=level,
        centred=None if justified is None else justified == "center",
    )


def run_look(properties: Element | None) -> Look:
    if properties is None:
        return NO_LOOK
    colour = value(properties, "color")
    return Look(
        size=_int(value(properties, "sz")), hidden=_switch(properties, "vanish"), bold=_switch(properties, "b"),
        red=None if colour is None else _is_red(colour),
    )


def _is_red(colour: str) -> bool:
    if not re.fullmatch("[0-9A-Fa-f]{6}", colour):
        return False
    red, green, blue = bytes.fromhex(colour)
    return red >= 0xC0 and green <= 0x50 and blue <= 0x50


def _switch(properties: Element, name: str) -> bool | None:
    found = properties.find(f"{W}{name}")
    return None if found is None else found.get(f"{W}val", "1") not in ("0", "false", "off")


def value(item: Element, name: str) -> str | None:
    """The ``w:val`` of a child element."""
    found = item.find(f"{W}{name}")
    return None if found is None else found.get(f"{W}val")


def _int(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,6}", text) else None
