"""Cuts what is no law: at questions, the fields of a guide, 一、 and （一）, Markdown headings and annexes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.numerals import number
from ingest.cutter import Cutter, clean
from ingest.lines import CN, Line

_HEADING_CHARS = 45         # a numbered line up to this long and without a full stop is a heading
_SECTION_DEPTH = 20
_SUBSECTION_DEPTH = 21

MARKDOWN = re.compile(r"(#{1,6})\s+(\S.*)")
SECTION = re.compile(rf"[#*\s　]*([{CN}]{{1,4}})、")
SUBSECTION = re.compile(rf"[#*\s　]*[（(]([{CN}]{{1,4}})[）)]")
ANNEX = re.compile(
    rf"[\s　]*(?:(?=附则$)|附(?:件|表|录|图)?(?![则近加带属])\s*[\d{CN}]{{0,2}}\s*[:：]?)(?=[^，。；]{{0,40}}$)"
)


@dataclass(slots=True)
class Sections:
    """Cuts at questions, fields, 一、 and （一）, Markdown headings and annexes."""

    cutter: Cutter
    asked: set[int]             # starts of lines that are questions
    fields: dict[int, re.Match[str]]
    above: str = ""             # the heading that 一、 stands under
    section: str = ""
    outer: str = ""             # the section that fields without a number stand under
    question: int = 0
    answering: bool = False     # the open part is a question with its answer
    listed: bool = False        # the items here are one sentence
    before: str = ""            # the last line that was not blank

    def cut(self, lines: Sequence[Line]) -> None:
        # 一、 inside an answer is the answer's; where it comes before the first question, it divides the page
        first = min(self.asked, default=0)
        inside = bool(self.asked) and not any(
            (SECTION.match(line.text) and line.start <= first) or (MARKDOWN.match(line.text) and line.start < first)
            for line in lines
        )
        for line in lines:
            if line.contents:
                self.cutter.contents(line)
            elif line.start in self.asked:
                self.question, self.answering = self.question + 1, True
                self.cutter.open(f"问{self.question}", line.start, line.start)
            elif not (self.answering and inside and SECTION.match(line.text)):
                self._numbered(line)
            self.before = line.text or self.before

    def _numbered(self, line: Line) -> None:
        if (found := self.fields.get(line.start)) and not _is_plain_markdown(line):
            self._field(line, found)
        elif match := SECTION.match(line.text):
            self._section(line, match)
        elif match := SUBSECTION.match(line.text):
            if not self.answering:
                self._subsection(line, match)
        elif markdown := MARKDOWN.match(line.text):
            self.above, self.section, self.outer = clean(markdown.group(2)), "", ""
            self.answering = False
            self.cutter.heading(len(markdown.group(1)), line, label=markdown.start(2), address=self.above)
        elif self.section and not self.asked and (match := ANNEX.match(line.text)):
            self.above, self.section, self.outer = annex_address(match), "", ""
            self.cutter.heading(0, line, label=match.end(), address=self.above)

    def _section(self, line: Line, match: re.Match[str]) -> None:
        self.section = self.outer = f"{self.above}·{match.group(1)}" if self.above else match.group(1)
        self.listed = self.answering = False
        if _is_heading(line.text):
            self.cutter.heading(_SECTION_DEPTH, line, label=match.end(), address=self.section)
        else:
            self.cutter.open("", line.start, line.start)
            self.cutter.leave(_SECTION_DEPTH)
            self.cutter.open(self.section, line.start, line.start + match.end())

    def _subsection(self, line: Line, match: re.Match[str]) -> None:
        if match.group(1) == "一":      # items after a colon, up to semicolons, are one sentence: cited as a whole
            self.listed = self.before.endswith(("：", ":")) and line.text.endswith(("；", ";"))
        if self.section and not self.listed:
            self.cutter.open(f"{self.section}（{match.group(1)}）", line.start, line.start + match.end())

    def _field(self, line: Line, match: re.Match[str]) -> None:
        numbered = bool(SECTION.match(line.text))
        base = self.above if numbered else self.outer or self.above
        self.section = f"{base}·{match.group('name')}" if base else match.group("name")
        self.listed = False
        depth = _SUBSECTION_DEPTH if self.outer and not numbered else _SECTION_DEPTH
        if numbered:
            self.outer = ""
        if line.text[match.end() :].strip():
            self.cutter.open("", line.start, line.start)
            self.cutter.leave(depth)
            self.cutter.open(self.section, line.start, line.start + match.end())
        else:
            self.cutter.heading(depth, line, label=match.start("name"), address=self.section)


def annex_address(match: re.Match[str]) -> str:
    """附件1 of 附件1：税率表, as it is cited; its title stands in the heading path."""
    return re.sub(r"[\s　:：]", "", match.group(0)) or match.string.strip()


def _is_plain_markdown(line: Line) -> bool:
    return bool(MARKDOWN.match(line.text)) and not SECTION.match(line.text)


def _is_heading(line: str) -> bool:
    return len(line.strip()) <= _HEADING_CHARS and not re.search(r"[。；：:，]", line.strip())


def subsections(lines: Sequence[Line]) -> list[tuple[Line, re.Match[str]]]:
    """The lines of a text without 一、 whose outermost numbering is （一）, counted once from one end to the other.

    Lists that begin anew, or whose items end in semicolons, stand inside sentences.
    """
    found = [(line, match) for line in lines if (match := SUBSECTION.match(line.text))]
    counted = [number(match.group(1)) for _, match in found] == list(range(1, len(found) + 1))
    return found if len(found) > 1 and counted and not found[0][0].text.endswith(("；", ";")) else []
