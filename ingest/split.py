"""Text -> citable parts with addresses, and what stands between them.

Parts lie in order and do not overlap; what stands between them is named: the title, headings, labels, and
blank space. A law is cut at its articles, anything else at its questions, the fields of a guide, its numbered
sections (一、 and （一）) and Markdown headings; text without any of these is packed paragraph by paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.records import Furniture
from ingest.lines import CN, Line, Table, divide, lines_of, number, trim
from ingest.questions import field_lines, question_lines

_PARAGRAPH_CHARS = 400      # text without structure is packed to about so much: half a page
_PART_CHARS = 4000          # a longer part is divided: 34 of 5,514 documents hold one, no article of a law is
_HEADING_CHARS = 45         # a numbered line up to this long and without a full stop is a heading
_TITLE_LINES = 8            # above a title stand at most its number, its issuer, and the path through a site

ARTICLE = re.compile(rf"[#*\s　]*第([{CN}\d]+)条(之[{CN}]+)?(?:[*\s　：:]+|(?=【)|$)")
_ARTICLE_TIGHT = re.compile(rf"第([{CN}\d]+)条(?![{CN}\d第规、，,和与或至的中所款项之])")
CHAPTER = re.compile(
    rf"[#\s　]*第[{CN}\d]+(编|分编|章|节)(?=[\s　][^。；]{{0,60}}$|$|[^{CN}\d条款项规、，。的]{{1,30}}$)"
)
MARKED_CHAPTER = re.compile(rf"#+[\s　]*第[{CN}\d]+(编|分编|章|节)[^。；]{{0,60}}$")
_MARKDOWN = re.compile(r"(#{1,6})\s+(\S.*)")
SECTION = re.compile(rf"[#*\s　]*([{CN}]{{1,4}})、")
SUBSECTION = re.compile(rf"[#*\s　]*[（(]([{CN}]{{1,4}})[）)]")
_ANNEX = re.compile(
    rf"[\s　]*(?:(?=附则$)|附(?:件|表|录|图)?(?![则近加带属])\s*[\d{CN}]{{0,2}}\s*[:：]?)(?=[^，。；]{{0,40}}$)"
)
_CONTENTS = re.compile(r"[#*\s　]*目[\s　]*[录次][\s　*]*$")
_CONTENTS_LINES = 400
_LEADERS = re.compile(r"[\s　.．·…\d-]+$")
_SECTION_DEPTH = 20
_SUBSECTION_DEPTH = 21
DEPTH = {"编": 10, "分编": 11, "章": 12, "节": 13}


@dataclass(frozen=True, slots=True)
class Part:
    """A citable part: ``text[start:end]`` is its text, without its own label and headings."""

    address: str
    heading: tuple[str, ...]
    start: int
    end: int


@dataclass(slots=True)
class _Heading:
    depth: int
    title: str
    address: str
    line: Line
    label_end: int              # where its text begins, after 一、 or #
    used: bool = False          # a part stands under it


@dataclass(slots=True)
class _Cutter:
    """Walks the lines once. Every character ends in a part, in a named piece of furniture, or is blank."""

    text: str
    tables: Sequence[Table]
    headings: list[_Heading] = field(default_factory=list)
    address: str = ""
    label: int = 0              # where the open part's label begins
    start: int = 0              # and its text
    parts: list[Part] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def open(self, address: str, label: int, start: int) -> None:
        """The open part ends at ``label``; one called ``address``, "" for one named by what is above, begins."""
        titles = tuple(heading.title for heading in self.headings)
        named = self.address or (self.headings[-1].address if self.headings else "序言")
        self._add(named, titles, self.label, self.start, label)
        self.address, self.label, self.start = address, label if address else start, start

    def heading(self, depth: int, line: Line, *, label: int = 0, address: str = "") -> None:
        """A heading ends the part before it, and the headings of its depth and deeper.

        One that nothing stands under is a part itself, without its first ``label`` characters: 二、身份证.
        """
        self.open("", line.start, line.end)
        self.leave(depth)
        title = clean(line.text)
        self.headings.append(_Heading(depth, title, address or title, line, line.start + label))

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


def split(text: str, title: str) -> list[Part]:
    """The citable parts of a text in order. A line near its beginning that is the title belongs to none."""
    return cut(text, title, 0, len(text))[0]


def cut(text: str, title: str, start: int, end: int) -> tuple[list[Part], list[Furniture], list[Table]]:
    """The parts of ``text[start:end]``, what is named between them, and the tables, each in order.

    Together the parts and the furniture hold every character that is not blank.
    """
    lines = lines_of(text, start, end)
    tables = [line.table for line in lines if line.table]
    cutter = _Cutter(text, tables, label=start, start=start)
    body = _without_contents(cutter, _without_title(cutter, lines, title))
    articles = {line.start: match for line, match in _article_lines(body)}
    if len(articles) >= 2:
        _cut_articles(cutter, body, articles)
    else:
        asked, fields = question_lines(body), field_lines(body)
        if asked or fields or any(SECTION.match(line.text) or _MARKDOWN.match(line.text) for line in body):
            _Sections(cutter, asked, fields).cut(body)
        elif sum(1 for line in body if SUBSECTION.match(line.text)) >= 2:
            _cut_subsections(cutter, body)
        else:
            _pack(cutter, body, end)
    cutter.finish(end)
    return cutter.parts, cutter.furniture, tables


def clean(line: str) -> str:
    """A line without Markdown marks, its white space made single spaces."""
    return re.sub(r"[\s　]+", " ", line.lstrip("# 　").strip())


# the title and the table of contents


def _without_title(cutter: _Cutter, lines: Sequence[Line], title: str) -> Sequence[Line]:
    """The lines after the title; what stands above it is a part: a document number, or the way through a site."""
    wanted = re.sub(r"\s", "", title)
    top = [n for n, line in enumerate(lines) if line.text.strip()][:_TITLE_LINES]
    if not wanted:
        return lines
    rest = list(lines)
    for place, first in enumerate(top):
        said = ""
        for last in top[place : place + 4]:
            said += re.sub(r"[\s　]", "", lines[last].text if said else lines[last].text.lstrip("# 　"))
            if said == wanted:
                cutter.address = "题前"
                cutter.open("", lines[first].start, lines[last].end)
                cutter.put("title", lines[first].start, lines[last].end)
                rest = list(lines[last + 1 :])
            if not wanted.startswith(said):
                break
    cutter.address = ""
    return rest


def _without_contents(cutter: _Cutter, lines: Sequence[Line]) -> Sequence[Line]:
    """A table of contents is one part: its lines are no headings."""
    first = next((n for n, line in enumerate(lines) if _CONTENTS.match(line.text)), None)
    if first is None:
        return lines
    listed = [n for n in range(first + 1, min(first + _CONTENTS_LINES, len(lines))) if lines[n].text.strip()]
    if not listed:
        return lines
    opening = _entry(lines[listed[0]])
    last = next((n for n in listed[1:] if _entry(lines[n]) == opening), None)
    if last is None:
        return lines
    cutter.open("目录", lines[first].start, lines[first].start)
    cutter.open("", lines[last].start, lines[last].start)
    return [*lines[:first], *lines[last:]]


def _entry(line: Line) -> str:
    return _LEADERS.sub("", re.sub(r"[\s　#*]", "", line.text))


# the ways of cutting


def _article_lines(lines: Sequence[Line]) -> Iterator[tuple[Line, re.Match[str]]]:
    """Lines that open an article. A cross-reference that begins a line is none: it has no space after its
    label, or its number does not carry the count on."""
    last = 0
    for line in lines:
        if "条" not in line.text[:20]:
            continue
        match = ARTICLE.match(line.text)
        if match:
            at = number(match.group(1))
            if at > last or at == 1 or (match.group(2) and at == last):
                last = at
                yield line, match
        elif (match := _ARTICLE_TIGHT.match(line.text)) and number(match.group(1)) == last + 1:
            last += 1
            yield line, match


def _cut_articles(cutter: _Cutter, lines: Sequence[Line], articles: dict[int, re.Match[str]]) -> None:
    begun = False
    for line in lines:
        match = articles.get(line.start)
        if match:
            begun = True
            label = re.sub(r"[#*\s　：:]", "", match.group(0))
            cutter.open(label, line.start, line.start + match.end())
        elif chapter := MARKED_CHAPTER.match(line.text) or CHAPTER.match(line.text):
            cutter.heading(DEPTH[chapter.group(1)], line)
        elif markdown := _MARKDOWN.match(line.text):
            cutter.heading(len(markdown.group(1)), line, label=markdown.start(2))
        elif begun and (match := _ANNEX.match(line.text)):
            cutter.heading(0, line, label=match.end())


@dataclass(slots=True)
class _Sections:
    """Cuts at questions, fields, 一、 and （一）, Markdown headings and annexes."""

    cutter: _Cutter
    asked: set[int]             # starts of lines that are questions
    fields: dict[int, re.Match[str]]
    above: str = ""             # the heading that 一、 stands under
    section: str = ""
    outer: str = ""             # the section that fields without a number stand under
    question: int = 0
    listed: bool = False        # the items here are one sentence
    before: str = ""            # the last line that was not blank

    def cut(self, lines: Sequence[Line]) -> None:
        # 一、 inside an answer is the answer's; where it comes before the first question, it divides the page
        first = min(self.asked, default=0)
        inside = bool(self.asked) and not any(
            (SECTION.match(line.text) and line.start <= first) or (_MARKDOWN.match(line.text) and line.start < first)
            for line in lines
        )
        for line in lines:
            if line.start in self.asked:
                self.question += 1
                self.cutter.open(f"问{self.question}", line.start, line.start)
            elif (found := self.fields.get(line.start)) and not self._is_plain_markdown(line):
                self._field(line, found)
            elif match := SECTION.match(line.text):
                if not (inside and self.question):
                    self._section(line, match)
            elif match := SUBSECTION.match(line.text):
                if not (self.asked and self.question):
                    self._subsection(line, match)
            elif markdown := _MARKDOWN.match(line.text):
                self.above, self.section, self.outer = markdown.group(2).strip(), "", ""
                self.cutter.heading(len(markdown.group(1)), line, label=markdown.start(2), address=self.above)
            elif self.section and not self.asked and (match := _ANNEX.match(line.text)):
                self.above, self.section, self.outer = clean(line.text), "", ""
                self.cutter.heading(0, line, label=match.end(), address=self.above)
            self.before = line.text or self.before

    def _is_plain_markdown(self, line: Line) -> bool:
        return bool(_MARKDOWN.match(line.text)) and not SECTION.match(line.text)

    def _section(self, line: Line, match: re.Match[str]) -> None:
        self.section = self.outer = f"{self.above}·{match.group(1)}" if self.above else match.group(1)
        self.listed = False
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


def _cut_subsections(cutter: _Cutter, lines: Sequence[Line]) -> None:
    """A text without 一、 whose outermost numbering is （一）."""
    for line in lines:
        if match := SUBSECTION.match(line.text):
            cutter.open(f"（{match.group(1)}）", line.start, line.start + match.end())


def _pack(cutter: _Cutter, lines: Sequence[Line], end: int) -> None:
    for line in lines:
        if line.table:
            cutter.pack(line, _PARAGRAPH_CHARS, "段")
            name = f"表{sum(table.start <= line.table.start for table in cutter.tables)}"
            cutter.open(name, line.start, line.start)
            cutter.open("", line.end, line.end)
    cutter.pack(Line(end, end, ""), _PARAGRAPH_CHARS, "段")


def _is_heading(line: str) -> bool:
    return len(line.strip()) <= _HEADING_CHARS and not re.search(r"[。；：:，]", line.strip())
