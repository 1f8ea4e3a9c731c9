"""The words that answer -> what is shown of their article (a list whole, a row with its header) and what is cited."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.records import Hit
from kb.tokens import plain
from qa.select_asked import lists_asked
from qa.select_features import Asked
from qa.select_units import ITEM, Kind, Unit
from qa.sentences import Passage, passages

_REPLY_CHARS = 300           # a FAQ reply up to this long is shown whole
_LIST_CHARS = 600            # and so is a list
_RULE_CHARS = 400            # an article up to this long is cited whole; of a longer one, what stands around
_ROWS = 4                    # of one table are shown, at most, where it is not shown whole
_RULED = re.compile(r"^[\s|:-]+$")       # the line between a table's header and its rows


def shown(asked: Asked, hit: Hit, units: tuple[Unit, ...], at: int, span: Passage) -> tuple[Passage, ...]:
    """What is shown for ``span``, which begins in the unit ``at``: verbatim, in order, without overlap."""
    if reply := _reply(hit):
        return (reply,)
    if units[at].kind is Kind.ROW:
        return _rows(asked.terms.pairs, hit.text, units, at)
    if lists_asked(asked.text) and (whole := _list(hit.text, units, at)):
        return (whole,)
    return (span,)


def rule_around(text: str, said: tuple[Passage, ...]) -> Passage:
    """What is cited for ``said``: the article, or of a long one the passages that hold it with their neighbours."""
    whole = _stripped(text, 0, len(text))
    if whole.end - whole.start <= _RULE_CHARS:
        return whole
    first, last = said[0].start, said[-1].end
    parts = [part for part in passages(text) if part.start < last and first < part.end]
    start, end = min(first, parts[0].start), max(last, parts[-1].end)
    rest = [part for part in passages(text) if part.end <= start or part.start >= end]
    for part in sorted(rest, key=lambda part: (part.start - end if part.start >= end else 2 * (start - part.end))):
        near = part.start >= end or part.end <= start
        if near and max(end, part.end) - min(start, part.start) <= _RULE_CHARS:
            start, end = min(start, part.start), max(end, part.end)
    return Passage(start, end)


def _reply(hit: Hit) -> Passage | None:
    """Of an entry of questions and answers the whole reply, without the question that it repeats."""
    if not hit.address.startswith("问"):
        return None
    replies = [p for p in passages(hit.text) if not hit.text[p.start : p.end].endswith(("？", "?"))]
    if replies and replies[-1].end - replies[0].start <= _REPLY_CHARS:
        return Passage(replies[0].start, replies[-1].end)
    return None


def _rows(pairs: Sequence[str], text: str, units: tuple[Unit, ...], at: int) -> tuple[Passage, ...]:
    """The header, which says what the values are, and the row the question names; where it names none, all rows."""
    first, last = at, at
    while first and units[first - 1].kind is Kind.ROW:
        first -= 1
    while last + 1 < len(units) and units[last + 1].kind is Kind.ROW:
        last += 1
    header = Passage(units[first].start, units[first].end)
    rows = [unit for unit in units[first + 1 : last + 1] if not _RULED.match(text[unit.start : unit.end])]
    said = {pair for pair in pairs if pair not in plain(text[header.start : header.end])}
    held = [sum(pair in plain(text[row.start : row.end]) for pair in said) for row in rows]
    most = max(held, default=0)
    named = [Passage(row.start, row.end) for row, count in zip(rows, held, strict=True) if count == most]
    if len(named) == len(rows) and units[last].end - header.start <= _LIST_CHARS:
        return (Passage(header.start, units[last].end),)
    return (header, *named[:_ROWS])


def _list(text: str, units: tuple[Unit, ...], at: int) -> Passage | None:
    """All items of the list that the unit is an item of; a list cut short would mislead."""
    lead = units[at].above
    if lead < 0 or units[lead].kind is not Kind.LEAD:
        return None
    items = [unit for unit in units[lead + 1 :] if unit.above == lead]
    if not items or not ITEM.match(text[items[0].start : items[0].end]):
        return None
    whole = Passage(items[0].start, items[-1].end)
    return whole if whole.end - whole.start <= _LIST_CHARS else None


def _stripped(text: str, start: int, end: int) -> Passage:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Passage(start, end)
