"""Bytes of a web page -> element tree, and which of its elements a reader of the page sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from core.errors import IngestError
from core.records import Reject
from ingest.read_text import decode

Element = Any                    # lxml has no types of its own
_HEAD = 8192
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,30})""", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Of all characters: some real pages hold one bad byte in a counter or a footer, and are whole otherwise.
_BAD_SHARE = 0.002

_UNSEEN_TAGS = frozenset((
    "script", "style", "noscript", "template", "iframe", "svg", "canvas", "audio", "video", "object", "head", "meta",
    "link", "map", "datalist",
))
_WHITE = re.compile(
    r"(?:#fff(?:fff)?(?:[0f]|ff|00)?|white|transparent|rgba?\(255,255,255(?:,[\d.]+)?\)|rgba\([\d,]+,0\))$"
)
_NOTHING = re.compile(r"0*\.?0*(?:px|pt|em|rem|%|vh|vw|cm|mm)?$")
_FAR = re.compile(r"-\d{3,}(?:\.\d+)?(?:px|pt)|-\d{2,}(?:\.\d+)?(?:em|rem)|-\d{3,}%")
_SIMPLE = re.compile(r"([.#])([\w-]+)$")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b\x0e-\x1f\x7f]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
_RUN = re.compile(r"(\S?)[ \t\r\n\f]+(?=(\S?))")


@dataclass(frozen=True, slots=True)
class Unseen:
    """The page's own style rules that hide: class and id names."""

    classes: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


def parse_html(data: bytes, source: str) -> Element:
    """The root element. Raises `IngestError` when the bytes are no text, or hold no element."""
    text = decode_html(data, source).replace("\0", "")
    # Without huge_tree the parser stops at 256 levels and the rest of the page is lost (old editors leave hundreds of
    # <font> open); with it at 2,048. It concerns depth and length only: entities are never expanded in HTML.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.LxmlError as error:
        raise IngestError(f"网页无法解析（{error}）。请在浏览器中打开后另存为网页或 PDF", place=source) from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise IngestError("网页元素嵌套超过 2048 层，后面的内容读不到。请在浏览器中打开后另存为 PDF", place=source)
    if root is None:
        raise IngestError("网页中没有内容。请确认文件是否完整", place=source, code=Reject.EMPTY)
    return root


def decode_html(data: bytes, source: str) -> str:
    """The page's text. Bytes that are valid UTF-8 are UTF-8, whatever is declared: others hardly ever are by chance."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data, (encoding,), source)
    if 0 in data[:_HEAD]:
        return decode(data, source)             # UTF-16 without a mark
    declared = _CHARSET.search(data[:_HEAD])
    name = declared.group(1).decode("ascii").lower() if declared else ""
    second = "big5hkscs" if name.startswith("big5") else "gb18030"
    return _decode(data, ("utf-8", second), source)


def _decode(data: bytes, encodings: tuple[str, ...], source: str) -> str:
    fewest: tuple[int, str] | None = None
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            text = data.decode(encoding, "replace")
            bad = text.count("�")
            if fewest is None or bad < fewest[0]:
                fewest = bad, text
    if fewest is None or fewest[0] > _BAD_SHARE * len(fewest[1]) + 1:
        raise IngestError(
            "网页不是 UTF-8 或 GB18030 编码，无法读取。请在浏览器中打开后以 UTF-8 另存",
            place=source, code=Reject.BAD_ENCODING,
        )
    return fewest[1]


def hiding_rules(root: Element) -> Unseen:
    """Names that the page's <style> elements hide. Rules for other media and compound selectors are left out."""
    classes: set[str] = set()
    ids: set[str] = set()
    for style in root.iter("style"):
        for selectors, declarations in _rules(style.text or ""):
            if not _hides(_declarations(declarations)):
                continue
            for selector in selectors.split(","):
                simple = _SIMPLE.match(selector.strip())
                if simple:
                    (classes if simple.group(1) == "." else ids).add(simple.group(2))
    return Unseen(frozenset(classes), frozenset(ids))


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """(selectors, declarations) of the rules outside of @media and other blocks, in one pass: a style element that
    is not closed holds the rest of the page."""
    sheet = "".join(piece.partition("*/")[2] if place else piece for place, piece in enumerate(sheet.split("/*")))
    depth = 0
    selectors = ""
    for token in re.split(r"([{}])", sheet):
        if token == "{":
            depth += 1
        elif token == "}":
            depth = max(depth - 1, 0)
        elif depth == 0:
            selectors = token.rpartition(";")[2].strip()
        elif depth == 1 and not selectors.startswith("@"):
            yield selectors, token


def is_unseen(element: Element, unseen: Unseen, on_colour: bool) -> bool:
    """Whether a reader of the page sees nothing of the element.

    Text that a page hides is a known way to plant instructions, so it is dropped altogether; popups and closed tabs
    are dropped with it. ``on_colour``: what is around it lies on a background that is not white.
    """
    if not isinstance(element.tag, str) or element.tag in _UNSEEN_TAGS:
        return True
    if element.tag in ("html", "body"):
        return False             # pages that a script draws hide their body until it has run
    if element.get("hidden") is not None or (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    if element.tag == "input" or element.get("id") in unseen.ids:
        return True
    if unseen.classes and not unseen.classes.isdisjoint((element.get("class") or "").split()):
        return True
    style = _declarations(element.get("style") or "")
    if _hides(style):
        return True
    colour = style.get("color") or "".join((element.get("color") or "").lower().split())
    return bool(colour and _WHITE.match(colour)) and not on_colour and not has_background(element)


def has_background(element: Element) -> bool:
    """Whether the element's own attributes put a colour or a picture behind it."""
    if element.get("background") or _coloured(element.get("bgcolor") or ""):
        return True
    style = _declarations(element.get("style") or "")
    return any(_coloured(value) for name, value in style.items() if name.startswith("background"))


def _coloured(value: str) -> bool:
    value = "".join(value.lower().split())
    return bool(value) and not _WHITE.match(value) and value not in ("none", "inherit", "initial", "unset")


def _declarations(style: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for declaration in style.lower().split(";"):
        name, _, value = declaration.partition(":")
        found[name.strip()] = "".join(value.replace("!important", "").split())
    return found


def _hides(style: Mapping[str, str]) -> bool:
    if style.get("display") == "none" or style.get("visibility") in ("hidden", "collapse"):
        return True
    if _is_nothing(style.get("font-size", "")) or _is_nothing(style.get("opacity", "")):
        return True
    if style.get("overflow") == "hidden" and any(
        _is_nothing(style.get(name, "")) for name in ("height", "width", "max-height", "max-width")
    ):
        return True
    if _FAR.match(style.get("text-indent", "")):
        return True
    places = [style.get(name, "") for name in ("left", "top", "margin-left")]
    return style.get("position") in ("absolute", "fixed") and any(_FAR.match(place) for place in places)


def _is_nothing(value: str) -> bool:
    return bool(value) and bool(_NOTHING.match(value))


def tidy(text: str) -> str:
    """Text as a browser shows it, on one line: white space runs become one space, a line break next to a Chinese
    character none. The full-width space stays, except at the ends."""
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip(" \t\r\n\f　")
    return _RUN.sub(_space, text).replace(" 　", "　").replace("　 ", "　")


def _space(match: re.Match[str]) -> str:
    before, after = match.group(1), match.group(2)
    broken = "\n" in match.group() or "\r" in match.group()
    return before if broken and (_is_wide(before) or _is_wide(after)) else before + " "


def _is_wide(char: str) -> bool:
    return char >= "\u2e80" or char in "“”‘’…—·"
