"""Terms that an article defines."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MEANS = r"(?:是|系|均|仅|专)?指(?![定导派挥令标使示出明数引])"
_TERM = r"([^，。；;：:\n（）()]{1,40}?)"
_CALLED = re.compile(rf"所称的?{_TERM}(?:（[^（）]*）)?(?:[，,]?\s?{_MEANS}|[，,]?\s?包括|[，,]是(?!否))")
_OPENING = re.compile(
    r"(?:^|(?<=\n)|(?<=。))[ \u3000]*([^，。；;：:\n（）()、是指]{2,20})(?:（[^（）]*）)?[，,]?(?:是|系)指(?![定导派])"
)
_GLOSSARY = re.compile(r"用语|含义|术语|名词|定义")
_ENTRY = re.compile(
    r"(?:^|(?<=[\n；。：:])|(?<=[）)]))[ \u3000]*(?:[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．])?[ \u3000]*"
    r"([^，。；;：:\n（）()]{1,30}?)(?:（[^（）]{0,40}）)?[，,：:]?\s?(?:是|系)?指(?![定导派挥令标使示出明数引])"
)
_SPLIT = re.compile(r"”?、“?|”“|”和“|”或者?“|”以及“|”及“")
_LONGEST_OF_SEVERAL = 10
_SAID = re.compile(r".*(?:所称的?|规定的|所指的)(?=.)")
_EDGES = "“”\"‘’ 　《》"
_NO_TERM = re.compile(
    r"^(?:的|是|其|本|该|前款|所称|包括|不|以下|下列|主要|上述)|[的是中]$|^[一二三四五六七八九十\d]+$|下列|用语|含义"
)


def defined_terms(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, term) of each term of which ``text`` says what it means."""
    seen: set[str] = set()
    for pattern in _patterns(text):
        for match in pattern.finditer(text):
            for start, end, term in _terms(match):
                if term not in seen:
                    seen.add(term)
                    yield start, end, term


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    if "所称" in text:
        yield _CALLED
    if "指" in text:
        if _GLOSSARY.search(text):
            yield _ENTRY
        yield _OPENING


def _terms(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """Several share one definition in 所称公安机关、安全机关，是指."""
    at, whole = match.start(1), match.group(1)
    if said := _SAID.match(whole):
        at, whole = at + said.end(), whole[said.end() :]
    pieces = _SPLIT.split(whole)
    if max(map(len, pieces)) > _LONGEST_OF_SEVERAL:
        pieces = [whole]             # a phrase with 、 in it
    for piece in pieces:
        where = match.string.find(piece, at)
        term = piece.strip(_EDGES)
        start = match.string.find(term, where) if term else where
        at = start + len(term)
        if 2 <= len(term) <= 30 and not _NO_TERM.search(term):
            yield start, at, term
