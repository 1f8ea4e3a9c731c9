"""Text of a document that speaks to a machine: such an article is neither shown to a model nor quoted.

What a published document says is quoted with its source, whatever it says; but an order to whoever answers is no
rule, and an article that somebody wrote it into is not to be relied on as a whole. The rules: qa/lists/addressed.tsv.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from urllib.parse import unquote

from core.records import Hit
from qa.conditions import Conditions, read_rules
from qa.list_files import compiled, rows
from qa.plain_form import plain_form

_BASE64 = re.compile(r"[A-Za-z0-9+/\-_]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}){4,}[^\s]*")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};){4,}")
_POINT = re.compile(r"(?:\\u|&#x)([0-9a-fA-F]{4,6});?|&#(\d{2,7});")
_END = re.compile(r"[。!?;！？；]+")
_COMMA = re.compile(r"(?<=[,:，：])")
_PIECE = 90                  # characters
_LIMIT = 3.0                 # of 150,957 articles and documents of laws and policies none weighs so much
_READABLE = re.compile(r"[\u3400-\u9fff]{4}|[A-Za-z]{3,} [A-Za-z]{2,} [A-Za-z]{2,}")


def quotable(hit: Hit) -> bool:
    """Whether neither the article nor its headings nor its document's title speak to a machine. A document that is
    not public may dictate answers: that is what memos for agents are for (对外只答复“正在核实”)."""
    facts = hit.document.facts
    return addressed("\n".join((facts.title, *hit.heading, hit.text)), dictates=not facts.public) is None


def screened(hits: Sequence[Hit]) -> tuple[list[Hit], tuple[str, ...]]:
    """Those that may be quoted, and what to tell an agent of the others: by the document's id alone, since titles are
    where an order may stand."""
    kept = [hit for hit in hits if quotable(hit)]
    left_out = dict.fromkeys(hit.document.id for hit in hits if not quotable(hit))
    return kept, tuple(f"文件 {name} 中有写给机器的文字，这一条未作为依据，请编辑核查" for name in left_out)


@lru_cache(maxsize=4096)
def addressed(text: str, *, dictates: bool = False) -> str | None:
    """The words that speak to a machine, in their plain form; None for what speaks to people. Kept per text.

    With ``dictates`` the text may say what is to be answered.
    """
    lines = "。".join(map(plain_form, text.splitlines()))      # an order may begin a line, or go on over several
    for plain in (lines, plain_form(text), *map(plain_form, _decoded(text))):
        for kind, rule in _rules():
            if not (dictates and kind == "dictated") and (said := rule.said(plain)) is not None:
                return said
    return _worded(lines, dictates=dictates)


def _worded(plain: str, *, dictates: bool) -> str | None:
    """The signs and words of two pieces that follow each other, when they weigh enough."""
    before: dict[str, tuple[str, float]] = {}
    for piece in _pieces(plain):
        signs = [
            (sign, weight, found) for sign, weight, pattern in _signs()
            if not (dictates and sign == "dictates") and (found := pattern.search(piece))
        ]
        here = {sign: (found.group(), weight) for sign, weight, found in signs}
        spans = [found.span() for _, _, found in signs]
        weights, pattern = _words()
        for found in pattern.finditer(piece):
            if not any(start < found.end() and found.start() < end for start, end in spans):     # counted already
                here[found.group()] = (found.group(), weights[found.group()])
        both = before | here
        if sum(weight for _, weight in both.values()) >= _LIMIT:
            return " ".join(said for said, _ in both.values())
        before = here
    return None


def _pieces(plain: str) -> Iterator[str]:
    """Sentences; of long ones what stands between commas, as much as fits."""
    for sentence in _END.split(plain):
        piece = ""
        for part in _COMMA.split(sentence) if len(sentence) > _PIECE else (sentence,):
            if piece and len(piece) + len(part) > _PIECE:
                yield piece
                piece = ""
            piece += part
        if piece:
            yield piece


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
def _signs() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple(
        (sign, float(weight), compiled(pattern, "addressed_signs.tsv"))
        for sign, weight, pattern in rows("addressed_signs.tsv", 3)
    )


@cache
def _words() -> tuple[Mapping[str, float], re.Pattern[str]]:
    weights = {word: float(weight) for weight, words in rows("addressed_words.tsv", 2) for word in words.split()}
    longest = sorted(weights, key=lambda word: -len(word))
    latin = "|".join(re.escape(word) for word in longest if word.isascii())
    han = "|".join(re.escape(word) for word in longest if not word.isascii())
    first = "".join({word[0] for word in longest})
    return weights, re.compile(f"(?=[{first}])(?:{han}|(?<![a-z])(?:{latin})(?![a-z]))")


@cache
def _rules() -> tuple[tuple[str, Conditions], ...]:
    return tuple((kind, conditions) for (kind,), conditions in read_rules("addressed.tsv", 2))
