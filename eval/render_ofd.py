"""Paragraphs printed as an OFD file (GB/T 33190), the way an office would: for tests and for the parity check."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

_NAMESPACE = "http://www.ofdspec.org/2016"
_PAGE = (210.0, 297.0)                        # A4 in mm, as every length in an OFD
_LEFT, _RIGHT, _TOP, _BOTTOM = 28.0, 184.0, 37.0, 262.0    # GB/T 9704: a type area of 156 by 225 mm
_TITLE, _BODY, _NUMBER = 7.76, 5.57, 4.94     # 二号, 三号 (28 characters fill a line), 四号
_LEADING = 10.2                               # 22 lines a page
_NEVER_FIRST = "，。、；：？！）》」』】〕”’％…"    # the character before goes to the next line with these


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    x: float
    size: float


def ofd_of(paragraphs: Sequence[str]) -> bytes:
    """The file's bytes, equal for equal paragraphs. The first paragraph is the title, centred and larger.

    The others begin with an indent of two characters and are wrapped at the right margin; white space around
    a paragraph is dropped, and an empty one prints an empty line.
    """
    pages = _pages(paragraphs)
    members = {
        "OFD.xml": _root(),
        "Doc_0/Document.xml": _document(len(pages)),
        "Doc_0/PublicRes.xml": _fonts(),
    }
    for number, lines in enumerate(pages):
        members[f"Doc_0/Pages/Page_{number}/Content.xml"] = _content(number, lines)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():    # a fixed date keeps the bytes equal
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _pages(paragraphs: Sequence[str]) -> list[list[_Line]]:
    lines: list[_Line] = []
    for position, paragraph in enumerate(paragraphs):
        text = "".join(" " if ord(char) < 32 else char for char in paragraph).strip()
        lines.extend(_title(text) if position == 0 else _body(text))
    per_page = int((_BOTTOM - _TOP) / _LEADING)
    return [lines[start:start + per_page] for start in range(0, len(lines), per_page)] or [[]]


def _title(text: str) -> list[_Line]:
    middle = (_LEFT + _RIGHT) / 2
    lines = [line.strip() for line in _wrap(text, _RIGHT - _LEFT, _RIGHT - _LEFT, _TITLE)]
    return [_Line(line, middle - _width(line, _TITLE) / 2, _TITLE) for line in lines]


def _body(text: str) -> list[_Line]:
    indent = 2 * _BODY
    lines = _wrap(text, _RIGHT - _LEFT - indent, _RIGHT - _LEFT, _BODY)
    return [_Line(line, _LEFT + (indent if position == 0 else 0), _BODY) for position, line in enumerate(lines)]


def _wrap(text: str, first: float, others: float, size: float) -> list[str]:
    """The lines of a paragraph; joined they give it back."""
    lines: list[str] = []
    line = ""
    for char in text:
        if line and _width(line + char, size) > (others if lines else first) + 0.1:
            keep = _keep(line, char)
            lines.append(line[:keep])
            line = line[keep:]
        line += char
    return [*lines, line]


def _keep(line: str, following: str) -> int:
    """How many characters of a full line stay on it, so that no mark begins the next and no word is cut."""
    keep = len(line)
    while keep and following in _NEVER_FIRST:
        keep -= 1
        following = line[keep]
    while keep and _is_latin(following) and _is_latin(line[keep - 1]):
        keep -= 1
    return keep or len(line)


def _is_latin(char: str) -> bool:
    return "!" <= char <= "~"


def _advance(char: str, size: float) -> float:
    return size / 2 if ord(char) < 128 else size


def _width(text: str, size: float) -> float:
    return sum(_advance(char, size) for char in text)


def _root() -> str:
    return _xml(
        f'<ofd:OFD xmlns:ofd="{_NAMESPACE}" DocType="OFD" Version="1.1"><ofd:DocBody>'
        "<ofd:DocInfo><ofd:DocID>0</ofd:DocID></ofd:DocInfo>"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    )


def _document(pages: int) -> str:
    listed = "".join(
        f'<ofd:Page ID="{number + 10}" BaseLoc="Pages/Page_{number}/Content.xml"/>' for number in range(pages)
    )
    width, height = _PAGE
    return _xml(
        f'<ofd:Document xmlns:ofd="{_NAMESPACE}"><ofd:CommonData><ofd:MaxUnitID>{pages * 100 + 100}</ofd:MaxUnitID>'
        f"<ofd:PageArea><ofd:PhysicalBox>0 0 {width:g} {height:g}</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData>"
        f"<ofd:Pages>{listed}</ofd:Pages></ofd:Document>"
    )


def _fonts() -> str:
    return _xml(
        f'<ofd:Res xmlns:ofd="{_NAMESPACE}" BaseLoc="Res"><ofd:Fonts>'
        '<ofd:Font ID="1" FontName="FangSong" FamilyName="FangSong"/></ofd:Fonts></ofd:Res>'
    )


def _content(page: int, lines: Sequence[_Line]) -> str:
    number = f"- {page + 1} -"
    objects = [
        _text_object(page * 100 + 100 + position, line, _TOP + position * _LEADING)
        for position, line in enumerate(lines) if line.text
    ]
    foot = _Line(number, (_PAGE[0] - _width(number, _NUMBER)) / 2, _NUMBER)
    objects.append(_text_object(page * 100 + 199, foot, _BOTTOM + 7))
    return _xml(
        f'<ofd:Page xmlns:ofd="{_NAMESPACE}"><ofd:Content><ofd:Layer ID="{page * 100 + 198}">'
        + "".join(objects) + "</ofd:Layer></ofd:Content></ofd:Page>"
    )


def _text_object(identity: int, line: _Line, top: float) -> str:
    """One line of print; advances that repeat are written as the standard's group ``g count value``."""
    advances = [f"{_advance(char, line.size):.4g}" for char in line.text[:-1]]
    groups = [(value, len(list(run))) for value, run in groupby(advances)]
    delta = " ".join(f"g {count} {value}" if count > 1 else value for value, count in groups)
    width = _width(line.text, line.size)
    return (
        f'<ofd:TextObject ID="{identity}" Boundary="{line.x:.3f} {top:.3f} {width:.3f} {line.size:.3f}" '
        f'Font="1" Size="{line.size:g}"><ofd:TextCode X="0" Y="{line.size * 0.86:.3f}" DeltaX="{delta}">'
        f"{escape(line.text)}</ofd:TextCode></ofd:TextObject>"
    )


def _xml(content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{content}'
