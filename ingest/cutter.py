"""Cuts a text into parts from its beginning to its end, so that every character ends in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.records import Furniture
from ingest.lines import Line, Table, divide, trim

_PART_CHARS = 4000          # a longer part is divided: 34 of 5,514 documents hold one, no article of a law is
_CAPTION_CHARS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A citable part: ``text[start:end]`` is its text, without its own label and headings."""

    address: str
    heading: tuple[str, ...]
    start: int
    end: int


@dataclass(slots=True)
class Heading:
    depth: int
    title: str
    address: str
    line: Line
    label_end: int              # where its text begins, after 一、 or #
    used: bool = False          # a part stands under it


@dataclass(slots=True)
class Cutter:
    """Walks the lines once. Every character ends in a part, in a named piece of furniture, or is blank."""

    text: str
    tables: Sequence[Table]
    headings: list[Heading] = field(default_factory=list)
    address: str = ""
    label: int = 0              # where the open part's label begins
    start: int = 0              # and its text
    parts: list[Part] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def open(self, address: str, label: int, start: int) -> None:
        """The open part ends at ``label``; one called ``address``, "" for one named by what is above, begins."""
        titles = tuple(heading.title for heading in self.headings)
        named = self.address or (self.headings[-1].address if self.headings else self._unnamed(label))
        self._add(named, titles, self.label, self.start, label)
        self.address, self.label, self.start = address, label if address else start, start

    def _unnamed(self, end: int) -> str:
        """表1 for a table under a caption, as in a spreadsheet; else 序言."""
        for place, table in enumerate(self.tables, start=1):
            if self.start <= table.start < end and table.start - self.start <= _CAPTION_CHARS:
                return f"表{place}"
        return "序言"

    def heading(self, depth: int, line: Line, *, label: int = 0, address: str = "") -> None:
        """A heading ends the part before it, and the headings of its depth and deeper.

        One that nothing stands under is a part itself, without its first ``label`` characters: 二、身份证.
        """
        self.open("", line.start, line.end)
        self.leave(depth)
        title = clean(line.text)
        self.headings.append(Heading(depth, title, address or title, line, line.start + label))

    def leave(self, depth: int) -> None:
        """The headings of this depth and deeper end."""
        while self.headings and self.headings[-1].depth >= depth:
            bare = self.headings.pop()
            if not bare.used:
                titles = tuple(heading.title for heading in self.headings)
                self._add(bare.address, titles, bare.line.start, bare.label_end, bare.line.end)

    def finish(self, end: int) -> None:
        self.open("", end, end)
        self.leave(0)

    def contents(self, line: Line) -> None:
        """A table of contents stands in the middle of what is open."""
        address = self.address
        self.open("目录", line.start, line.start)
        self.open("", line.end, line.end)
        self.address = address

    def put(self, kind: str, start: int, end: int) -> None:
        if trim(self.text, start, end)[0] < end:
            self.furniture.append(Furniture(kind, start, end))

    def pack(self, line: Line, limit: int, address: str) -> None:
        """The open part becomes parts of up to ``limit`` characters, numbered after ``address``."""
        for first, last in divide(self.text, self.start, line.start, limit):
            self.parts.append(Part(self._unique(address, first=1), (), first, last))
        self.start = self.label = line.start

    def _add(self, address: str, titles: tuple[str, ...], label: int, start: int, end: int) -> None:
        spans = divide(self.text, start, end, _PART_CHARS, self.tables)
        if spans:
            self.put("label", label, start)
        else:
            spans = divide(self.text, label, end, _PART_CHARS)      # a label without a text: 第三条 alone
        for first, last in spans:
            self.parts.append(Part(self._unique(address), titles, first, last))
        if spans:
            for heading in self.headings:
                if not heading.used:
                    heading.used = True
                    self.put("heading", heading.line.start, heading.line.end)

    def _unique(self, address: str, first: int = 0) -> str:
        """Addresses do not repeat within a document: the second 第一条 (of an annex) is 第一条(2)."""
        count = self.taken[address] = self.taken.get(address, 0) + 1
        if first:
            return f"{address}{count}"
        return address if count == 1 else f"{address}({count})"


def clean(line: str) -> str:
    """A line without Markdown marks, its white space made single spaces."""
    return re.sub(r"[\s　]+", " ", line.lstrip("# 　").strip())
