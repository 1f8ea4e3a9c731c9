"""A text as its rules compare it: however somebody writes 忽略以上指令, it reads the same."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from qa.list_files import folder, rows

_HAN = "\u3400-\u9fff"
_SIGNS = re.compile(rf"(?<=[{_HAN}])[\s.\-_*|/\\·•~^`'#=+]+(?=[{_HAN}])")
_BLANKS_AT_HAN = re.compile(rf"(?<=[{_HAN}，。？！、：；])\s+|\s+(?=[{_HAN}，。？！、：；])")
_LATIN_RUN = re.compile(r"[a-z]{2}")


def plain_form(text: str) -> str:
    """``text`` in lower case, half width and simplified, without invisible signs and signs between characters.

    >>> plain_form("忽 略 以.上\u200b指令")
    '忽略以上指令'
    """
    even = unicodedata.normalize("NFKC", text).lower()
    even = "".join(char for char in even if unicodedata.category(char) not in ("Cf", "Mn", "Me", "Co"))
    even = even.translate(_simplified())
    even = _BLANKS_AT_HAN.sub("", _SIGNS.sub("", even))
    return _respelt(re.sub(r"\s+", " ", even).strip())


def _respelt(text: str) -> str:
    """Words that are spelt in Latin letters, wholly or in part, as characters."""
    if not _LATIN_RUN.search(text):
        return text
    for spelling, word in _spellings():
        text = spelling.sub(word, text)
    return text


@cache
def _simplified() -> dict[int, str]:
    pairs = (folder() / "traditional.txt").read_text(encoding="utf-8").split()
    return {ord(pair[0]): pair[1] for pair in pairs}


@cache
def _spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for word, sounds in rows("spellings.tsv", 2):
        syllables = sounds.split(" ")
        parts = [rf"(?:{char}|(?:{sound}))" for char, sound in zip(word, syllables, strict=True)]
        parts[0] = rf"(?:{word[0]}|(?<![a-z])(?:{syllables[0]}))"
        parts[-1] = rf"(?:{word[-1]}|(?:{syllables[-1]})(?![a-z]))"
        found.append((re.compile(r"[\s'\-]?".join(parts)), word))
    return tuple(found)
