"""Text -> citable parts with addresses, and what stands between them.

Parts lie in order and do not overlap; what stands between them is named: the title, headings, labels, and
blank space. A law is cut at its articles, anything else at its questions, the fields of a guide, its numbered
sections (一、 and （一）) and Markdown headings; text without any of these is packed paragraph by paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.numerals import number
from core.records import Furniture
from ingest.cutter import Cutter, Part
from ingest.lines import CN, REFERENCE, Line, Table, lines_of
from ingest.questions import field_lines, question_lines
from ingest.sections import ANNEX, MARKDOWN, SECTION, Sections, annex_address, subsections

_PARAGRAPH_CHARS = 400      # text without structure is packed to about so much: half a page
_TITLE_LINES = 8            # above a title stand at most its number, its issuer, and the path through a site

ARTICLE = re.compile(rf"[#*\s　]*第([{CN}\d]+)条(之[{CN}]+)?(?:[*\s　：:]+|(?=【)|$)")
_ARTICLE_TIGHT = re.compile(rf"第([{CN}\d]+)条(?!{REFERENCE})")
CHAPTER = re.compile(
    rf"[#\s　]*第[{CN}\d]+(编|分编|章|节)(?=[\s　][^。；]{{0,60}}$|$|[^{CN}\d条款项规、，。的]{{1,30}}$)"
)
MARKED_CHAPTER = re.compile(rf"#+[\s　]*第[{CN}\d]+(编|分编|章|节)[^。；]{{0,60}}$")
_CUT_CHAPTER = re.compile(rf"第[{CN}]+(编|分编|章|节)[^。；，：]{{1,30}}$")
_CONTENTS = re.compile(r"[#*\s　]*目[\s　]*[录次][\s　*]*$")
_CONTENTS_LINES = 400
_LEADERS = re.compile(r"[\s　.．·…\d-]+$")
_LEAST_SECTIONS = 3
DEPTH = {"编": 10, "分编": 11, "章": 12, "节": 13}


def split(text: str, title: str) -> list[Part]:
    """The citable parts of a text in order. A line near its beginning that is the title belongs to none."""
    return cut(text, title, 0, len(text))[0]


def cut(text: str, title: str, start: int, end: int) -> tuple[list[Part], list[Furniture], list[Table]]:
    """The parts of ``text[start:end]``, what is named between them, and the tables, each in order.

    Together the parts and the furniture hold every character that is not blank.
    """
    lines = lines_of(text, start, end)
    tables = [line.table for line in lines if line.table]
    cutter = Cutter(text, tables, label=start, start=start)
    body = _fold_contents(_without_title(cutter, lines, title))
    articles = {line.start: match for line, match in _article_lines(body)}
    if len(articles) >= 2:
        _cut_articles(cutter, body, articles)
    else:
        asked, fields = question_lines(body), field_lines(body)
        if asked or fields or any(SECTION.match(line.text) or MARKDOWN.match(line.text) for line in body):
            Sections(cutter, asked, fields).cut(body)
        elif numbered := subsections(body):
            for line, match in numbered:
                cutter.open(f"（{match.group(1)}）", line.start, line.start + match.end())
        else:
            _pack(cutter, body, end)
    cutter.finish(end)
    return cutter.parts, cutter.furniture, tables


# the title and the table of contents


def _without_title(cutter: Cutter, lines: Sequence[Line], title: str) -> Sequence[Line]:
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


def _fold_contents(lines: Sequence[Line]) -> Sequence[Line]:
    """A table of contents as one line, which will be one part: what it lists is no heading."""
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
    return [*lines[:first], Line(lines[first].start, lines[last - 1].end, "", contents=True), *lines[last:]]


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
        elif match := _ARTICLE_TIGHT.match(line.text):
            at = number(match.group(1))
            if at == last + 1 or (line.cut and at == last + 2):
                last = at
                yield line, match


def _cut_articles(cutter: Cutter, lines: Sequence[Line], articles: dict[int, re.Match[str]]) -> None:
    before = next(n for n, line in enumerate(lines) if line.start in articles or _chapter(line))
    if sum(1 for line in lines[:before] if SECTION.match(line.text)) >= _LEAST_SECTIONS:
        # a decision or a notice with sections of its own, which the law that it is about follows
        Sections(cutter, set(), {}).cut(lines[:before])
        cutter.open("", lines[before].start, lines[before].start)
        cutter.leave(0)
        lines = lines[before:]
    begun = False
    for line in lines:
        match = articles.get(line.start)
        if line.contents:
            cutter.contents(line)
        elif match:
            begun = True
            label = re.sub(r"[#*\s　：:]", "", match.group(0))
            cutter.open(label, line.start, line.start + match.end())
        elif chapter := _chapter(line):
            cutter.heading(DEPTH[chapter.group(1)], line)
        elif markdown := MARKDOWN.match(line.text):
            cutter.heading(len(markdown.group(1)), line, label=markdown.start(2))
        elif begun and (match := ANNEX.match(line.text)):
            cutter.heading(0, line, label=match.end(), address=annex_address(match))


def _chapter(line: Line) -> re.Match[str] | None:
    if "第" not in line.text[:8]:
        return None
    found = MARKED_CHAPTER.match(line.text) or CHAPTER.match(line.text)
    return found or (_CUT_CHAPTER.match(line.text) if line.cut else None)


def _pack(cutter: Cutter, lines: Sequence[Line], end: int) -> None:
    for line in lines:
        if line.contents:
            cutter.pack(line, _PARAGRAPH_CHARS, "段")
            cutter.contents(line)
        elif line.table:
            cutter.pack(line, _PARAGRAPH_CHARS, "段")
            name = f"表{sum(table.start <= line.table.start for table in cutter.tables)}"
            cutter.open(name, line.start, line.start)
            cutter.open("", line.end, line.end)
    cutter.pack(Line(end, end, ""), _PARAGRAPH_CHARS, "段")
