"""Articles -> the numbered passages that a model may cite, and how they are put before it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from core.records import Citation, Hit
from qa.draft_screen import quotable
from qa.restated import quote_units
from qa.sentences import Passage, passages

_ARTICLES = 6                # more made prompts longer than what a small model attends to
_CHARS = 6_000               # of all articles
_ARTICLE_CHARS = 1_800       # of one, so that a long one leaves room for others
_PASSAGE_CHARS = 900         # a longer passage (a long list) is shown in part and cited whole; of a table, rows
_LEFT_OUT = " ……（中间略）…… "
_UNSEEN = ("Cc", "Cf", "Co", "Cn", "Cs")     # as unicodedata names them: controls, invisible signs, unassigned
_TABLE_CHARS = 240           # a table up to this long is cited whole, so that its header is seen
_TOKENS = 99                 # passages of an article: two digits of a token
_LINE = re.compile(r"[^\n]+")
_RULE = re.compile(r"\s*:?-{1,}:?\s*")
_COUNTING = re.compile(r"(?:序号|编号|No\.?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offered:
    """A passage that may be cited, under the token that stands for it."""

    token: str                   # A1-2
    hit: Hit
    passage: Passage             # what is cited
    said: str                    # what a sentence is held to: its words; of a table one row, read with the header

    @property
    def quote(self) -> str:
        return self.hit.text[self.passage.start : self.passage.end]


def offered(hits: Sequence[Hit], cited: Sequence[Citation]) -> tuple[Offered, ...]:
    """At most six articles and 6,000 characters of them: those of ``cited`` first, then in the order of ``hits``.

    Of a long article what stands around the cited passages is taken, or around its best chunk. Articles that speak to
    a machine are left out.
    """
    found: list[Offered] = []
    left = _CHARS
    chosen = [hit for hit in sorted(hits, key=lambda hit: not _spans(hit, cited)) if quotable(hit)]
    for number, hit in enumerate(chosen[:_ARTICLES], start=1):
        window = _window(hit, _spans(hit, cited) or [_best(hit)], min(left, _ARTICLE_CHARS))
        read = [one for passage in window for one in _readings(hit, passage)]
        found += (Offered(f"A{number}-{n}", hit, passage, said) for n, (passage, said) in enumerate(read[:_TOKENS], 1))
        left -= sum(_shown_chars(passage) for passage in window)
    return tuple(found)


def _readings(hit: Hit, passage: Passage) -> list[tuple[Passage, str]]:
    """The passage with its words; of a table each row, cited with the whole table where that is short."""
    text = hit.text[passage.start : passage.end]
    table = table_rows(text)
    if not table:
        return [(passage, text)]
    if len(text) <= _TABLE_CHARS:
        return [(passage, said) for _, _, said in table]
    best = max(0, _best(hit)[0] - passage.start)
    near = sorted(table, key=lambda row: (row[1] <= best, row[0]))       # from the best chunk on, then the first ones
    chosen: list[tuple[int, int, str]] = []
    for row in near:
        if sum(len(said) for _, _, said in (*chosen, row)) <= _PASSAGE_CHARS:
            chosen.append(row)
    return [(Passage(passage.start + start, passage.start + end), said) for start, end, said in sorted(chosen)]


def table_rows(text: str) -> list[tuple[int, int, str]]:
    """(start, end, reading) of each row below the header of a table; nothing for what is no table.

    租房 | 每月一次 below 情形 | 次数 is read as 租房：次数每月一次, after the lines before the table.
    """
    lines = [(match.start(), match.end(), match.group()) for match in _LINE.finditer(text)]
    first = next((n for n, (_, _, line) in enumerate(lines) if line.startswith("|")), len(lines))
    table = [(start, end, _cells(line)) for start, end, line in lines[first:] if line.startswith("|")]
    if len(table) < 3 or len(table) < len(lines) - first or not all(map(_RULE.fullmatch, table[1][2])):
        return []
    lead, header = "".join(f"{line}\n" for _, _, line in lines[:first]), table[0][2]
    return [(start, end, lead + _reading(header, cells)) for start, end, cells in table[2:] if any(cells)]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _reading(header: Sequence[str], cells: Sequence[str]) -> str:
    if len(header) != len(cells):
        return "，".join(cell for cell in cells if cell) + "。"
    pairs = [(name, cell) for name, cell in zip(header, cells, strict=True) if cell and not _COUNTING.match(name)]
    if not pairs:
        return "，".join(cells) + "。"
    (_, subject), *rest = pairs
    told = "，".join(name + cell.rstrip("。；") for name, cell in rest)
    return f"{subject}：{told}。" if told else f"{subject}。"


def shown(offers: Sequence[Offered], day: date) -> str:
    """One line a passage. Nothing of a document begins a line or holds an angle bracket."""
    lines = []
    for _, group in groupby(offers, key=lambda offer: offer.token.split("-")[0]):
        article = list(group)
        hit = article[0].hit
        facts = hit.document.facts
        told = [facts.title, facts.doc_no or "无文号", *hit.heading[-1:], hit.address, hit.document.validity(day)]
        lines.append(f"<文件 {article[0].token.split('-')[0]}>")
        lines.append("出处｜" + "｜".join(as_data(part) for part in told))
        lines += (f"{offer.token}｜{as_data(_abridged(offer))}" for offer in article)
        lines.append("</文件>")
    return "\n".join(lines)


def as_data(text: str) -> str:
    """``text`` on one line, without invisible signs, brackets that tags are made of, and marks of chat formats."""
    one_line = " ".join(text.split())
    seen = "".join(char for char in one_line if unicodedata.category(char) not in _UNSEEN)
    return re.sub(r"\[(?=/?[A-Za-z])", "［", seen.translate(_BRACKETS))


_BRACKETS = str.maketrans("<>", "＜＞")


def whole_rules(text: str) -> list[Passage]:
    """As `qa.sentences.passages`; a sentence that takes back the one before it (但…除外) is one with it."""
    found: list[Passage] = []
    for passage in passages(text):
        units = quote_units(text[passage.start : passage.end])
        if found and units and units[0].binds_on:
            found[-1] = Passage(found[-1].start, passage.end)
        else:
            found.append(passage)
    return found


def _spans(hit: Hit, cited: Sequence[Citation]) -> list[tuple[int, int]]:
    """Where ``cited`` quotes the article, in its text."""
    return [
        (citation.start - hit.start, citation.end - hit.start) for citation in cited
        if citation.document == hit.document.id and hit.start <= citation.start < hit.end
    ]


def _best(hit: Hit) -> tuple[int, int]:
    return hit.chunk[0] - hit.start, hit.chunk[1] - hit.start


def _window(hit: Hit, spans: Sequence[tuple[int, int]], chars: int) -> list[Passage]:
    """Neighbouring passages around the first span, as many as fit; what comes after goes before what came before,
    since conditions and exceptions follow."""
    every = whole_rules(hit.text)
    if not every:
        return []
    start = spans[0][0]
    first = next((n for n, passage in enumerate(every) if passage.end > start), len(every) - 1)
    low = high = first
    left = chars - _shown_chars(every[first])
    if left < 0:
        return []
    for n in _outwards(first, len(every)):
        cost = _shown_chars(every[n])
        if cost <= left and n in (low - 1, high + 1):
            low, high, left = min(low, n), max(high, n), left - cost
    return every[low : high + 1]


def _outwards(first: int, count: int) -> Iterator[int]:
    """Two after, one before, two after …"""
    after, before = iter(range(first + 1, count)), iter(range(first - 1, -1, -1))
    for _ in range(count):
        yield from (n for n in (next(after, None), next(after, None), next(before, None)) if n is not None)


def _shown_chars(passage: Passage) -> int:
    return min(passage.end - passage.start, _PASSAGE_CHARS)


def _abridged(offer: Offered) -> str:
    """A long passage by its first line and those of the best chunk."""
    quote = offer.said
    if len(quote) <= _PASSAGE_CHARS:
        return quote
    head = quote.partition("\n")[0][: _PASSAGE_CHARS // 3]
    best = _best(offer.hit)[0] - offer.passage.start
    lines = [match for match in _LINE.finditer(quote) if match.end() > max(best, len(head))]
    rest = quote[max(lines[0].start(), len(head)) :] if lines else quote[len(head) :]
    gap = _LEFT_OUT if lines and lines[0].start() > len(head) + 1 else " "
    return head + gap + rest[: _PASSAGE_CHARS - len(head)]
