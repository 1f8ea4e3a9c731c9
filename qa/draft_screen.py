"""Text of a document that speaks to a machine: such an article is neither shown to a model nor quoted.

What a published document says is quoted with its source, whatever it says; but an order to whoever answers is no
rule, and an article that somebody wrote it into is not to be relied on as a whole. The rules: qa/lists/addressed.tsv.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import unquote

from core.records import Hit
from qa.conditions import Conditions, read_rules
from qa.plain_form import plain_form

_BASE64 = re.compile(r"[A-Za-z0-9+/\-_]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}){4,}[^\s]*")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};){4,}")
_POINT = re.compile(r"(?:\\u|&#x)([0-9a-fA-F]{4,6});?|&#(\d{2,7});")
_READABLE = re.compile(r"[\u3400-\u9fff]{4}|[A-Za-z]{3,} [A-Za-z]{2,} [A-Za-z]{2,}")


def quotable(hit: Hit) -> bool:
    """Whether neither the article nor its headings nor its document's title speak to a machine."""
    return addressed("\n".join((hit.document.facts.title, *hit.heading, hit.text))) is None


@lru_cache(maxsize=4096)
def addressed(text: str) -> str | None:
    """The words that speak to a machine, in their plain form; None for what speaks to people. Kept per text."""
    for form in (text, *_decoded(text)):
        plain = plain_form(form)
        for rule in _rules():
            if (said := rule.said(plain)) is not None:
                return said
    return None


def _decoded(text: str) -> Iterator[str]:
    """What stands in ``text`` in another writing than letters. Encoded words that can be read are an order by
    themselves when they hold one; numbers, keys and addresses decode to nothing readable."""
    for match in _BASE64.finditer(text):
        run = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            found = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if _READABLE.search(found):
            yield found
    for match in _HEX.finditer(text):
        run = match.group()
        found = bytes.fromhex(run).decode("utf-8", "ignore")
        if _READABLE.search(found):
            yield found
    for match in _PERCENT.finditer(text):
        yield unquote(match.group())
    for match in _ESCAPED.finditer(text):
        yield _POINT.sub(_character, match.group())


def _character(point: re.Match[str]) -> str:
    return chr(min(int(point[1], 16) if point[1] else int(point[2]), 0x10FFFF))


@cache
def _rules() -> tuple[Conditions, ...]:
    return tuple(conditions for _, conditions in read_rules("addressed.tsv", 2))
