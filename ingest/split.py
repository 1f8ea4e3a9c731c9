"""Text -> citable parts with addresses, and parts -> chunks.

Parts lie in order and do not overlap; what stands between them is headings, labels and blank space. A law
is cut at its articles, a FAQ at its questions, anything else at its numbered sections (一、 and （一）) and
Markdown headings; text without any of these is packed paragraph by paragraph.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.records import Chunk

_PARAGRAPH_CHARS = 400      # text without structure is packed to about so much: half a page
_LONG_LINE = 1000           # a longer line is a page whose line breaks were lost; numbering is sought inside it
_PART_CHARS = 4000          # a longer part is divided: 34 of 5,514 documents hold one, no article of a law is
_HEADING_CHARS = 45         # a numbered line up to this long and without a full stop is a heading

_CN = "一二三四五六七八九十百千零〇"
_ARTICLE = re.compile(rf"[#*\s　]*第([{_CN}\d]+)条(之[{_CN}]+)?(?:[*\s　：:]+|(?=【)|$)")
_ARTICLE_TIGHT = re.compile(rf"第([{_CN}\d]+)条(?![{_CN}\d第规、，,和与或至的中所款项之])")
_CHAPTER = re.compile(
    rf"[#\s　]*第[{_CN}\d]+(编|分编|章|节)(?=[\s　][^。；]{{0,60}}$|$|[^{_CN}\d条款项规、，。的]{{1,30}}$)"
)
_MARKED_CHAPTER = re.compile(rf"#+[\s　]*第[{_CN}\d]+(编|分编|章|节)[^。；]{{0,60}}$")
_MARKDOWN = re.compile(r"(#{1,6})\s+(\S.*)")
_SECTION = re.compile(rf"[\s　]*([{_CN}]{{1,4}})、")
_SUBSECTION = re.compile(rf"[\s　]*[（(]([{_CN}]{{1,4}})[）)]")
_QUESTION = re.compile(r"[\s　*]*(?:问|Q)\s*\d*\s*[:：]")
_ANNEX = re.compile(
    rf"[\s　]*(?:(?=附则$)|附(?:件|表|录|图)?(?![则近加带属])\s*[\d{_CN}]{{0,2}}\s*[:：]?)(?=[^，。；]{{0,40}}$)"
)
_INLINE = re.compile(
    rf"(?:(?<=[。；：:！？”])[\s　]*|[\s　]+)"
    rf"(?=[{_CN}]{{1,3}}、|[（(][{_CN}]{{1,3}}[）)]|第[{_CN}]{{1,7}}(?:条(?:之[{_CN}]+)?|章|节)[\s　])"
)
_SECTION_DEPTH = 20
_DEPTH = {"编": 10, "分编": 11, "章": 12, "节": 13}
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0}


@dataclass(frozen=True, slots=True)
class Part:
    """A citable part: ``text[start:end]`` is its text, without its own label and headings."""

    address: str
    heading: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


@dataclass(slots=True)
class _Cutter:
    """Walks the lines once; ``mark`` closes the open part and opens the next."""

    text: str
    headings: list[tuple[int, str]] = field(default_factory=list)
    address: str = ""
    start: int = 0
    parts: list[Part] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    bare: tuple[int, Part] | None = None        # a heading that nothing stands under yet, and its depth

    def heading(self, depth: int, title: str, line: _Line) -> None:
        """A heading ends the part before it, and the headings of its depth and deeper."""
        self.mark("", line.start, line.end)
        self.leave(depth)
        self.headings.append((depth, title))

    def statement(self, depth: int, line: _Line, label: int, address: str) -> None:
        """A heading that is a part itself, without its label, when nothing stands under it: 二、身份证."""
        self.heading(depth, _clean(line.text), line)
        self.address = address
        titles = tuple(title for _, title in self.headings[:-1])
        self.bare = depth, Part(address, titles, line.start + label, line.end)

    def leave(self, depth: int) -> None:
        """The headings of this depth and deeper end."""
        self.headings = [h for h in self.headings if h[0] < depth]
        if self.bare and self.bare[0] >= depth:
            part = self.bare[1]
            self._add(part.address, part.heading, part.start, part.end)

    def mark(self, address: str, end: int, start: int) -> None:
        """The open part ends at ``end``; one called ``address`` begins at ``start``."""
        titles = tuple(title for _, title in self.headings)
        self._add(self.address or (titles[-1] if titles else "序言"), titles, self.start, end)
        self.address, self.start = address, start

    def _add(self, address: str, titles: tuple[str, ...], start: int, end: int) -> None:
        for first, last in _divide(self.text, start, end, _PART_CHARS):
            self.parts.append(Part(self._unique(address), titles, first, last))
            self.bare = None

    def _unique(self, address: str) -> str:
        """Addresses do not repeat within a document: the second 第一条 (of an annex) is 第一条(2)."""
        count = self.used[address] = self.used.get(address, 0) + 1
        return address if count == 1 else f"{address}({count})"


def split(text: str, title: str) -> list[Part]:
    """The citable parts of a document in order. A first line that is the title belongs to none."""
    lines = _lines(text)
    cutter = _Cutter(text)
    body = [line for n, line in enumerate(lines) if not (n < 3 and _is_title(line, title))]
    for line in lines[:3]:
        if _is_title(line, title):
            cutter.address = "题前"      # a document number, or the way through the site it was copied from
            cutter.mark("", line.start, line.end)
    if sum(1 for _ in _article_lines(body)) >= 2:
        _cut_articles(cutter, body)
    elif sum(1 for line in body if _QUESTION.match(line.text)) >= 2:
        _cut_questions(cutter, body)
    elif any(_SECTION.match(line.text) or _MARKDOWN.match(line.text) for line in body):
        _cut_sections(cutter, body)
    else:
        return _pack(text, body)
    cutter.mark("", len(text), len(text))
    cutter.leave(0)
    return cutter.parts


def make_chunks(document_id: str, text: str, parts: Sequence[tuple[int, int]], max_chars: int) -> tuple[Chunk, ...]:
    """One chunk per part (start, end); a longer one is divided at lines, then sentences, of up to ``max_chars``."""
    chunks = []
    for number, (start, end) in enumerate(parts):
        for first, last in _divide(text, start, end, max_chars):
            key = f"{document_id} {first} {last}"
            chunks.append(Chunk(hashlib.sha256(key.encode()).hexdigest()[:16], document_id, number, first, last))
    return tuple(chunks)


# the three ways of cutting


def _cut_articles(cutter: _Cutter, lines: Sequence[_Line]) -> None:
    articles = {line.start: match for line, match in _article_lines(lines)}
    begun = False
    for line in lines:
        match = articles.get(line.start)
        if match:
            begun = True
            label = re.sub(r"[#*\s　：:]", "", match.group(0))
            cutter.mark(label, line.start, line.start + match.end())
        elif chapter := _MARKED_CHAPTER.match(line.text) or _CHAPTER.match(line.text):
            cutter.heading(_DEPTH[chapter.group(1)], _clean(line.text), line)
        elif markdown := _MARKDOWN.match(line.text):
            cutter.statement(len(markdown.group(1)), line, markdown.start(2), markdown.group(2).strip())
        elif begun and (match := _ANNEX.match(line.text)):
            cutter.statement(0, line, match.end(), _clean(line.text))


def _cut_questions(cutter: _Cutter, lines: Sequence[_Line]) -> None:
    number = 0
    for line in lines:
        if _QUESTION.match(line.text):
            number += 1
            cutter.mark(f"问{number}", line.start, line.start)
        elif markdown := _MARKDOWN.match(line.text):
            cutter.statement(len(markdown.group(1)), line, markdown.start(2), markdown.group(2).strip())


def _cut_sections(cutter: _Cutter, lines: Sequence[_Line]) -> None:
    above = section = before = ""
    listed = False
    for line in lines:
        if markdown := _MARKDOWN.match(line.text):
            above, section = markdown.group(2).strip(), ""
            cutter.statement(len(markdown.group(1)), line, markdown.start(2), above)
        elif match := _SECTION.match(line.text):
            section = f"{above}·{match.group(1)}" if above else match.group(1)
            listed = False
            if _is_heading(line.text):
                cutter.statement(_SECTION_DEPTH, line, match.end(), section)
            else:
                cutter.mark(section, line.start, line.start + match.end())
                cutter.leave(_SECTION_DEPTH)
        elif match := _SUBSECTION.match(line.text):
            if match.group(1) == "一":  # items after a colon, up to semicolons, are one sentence: cited as a whole
                listed = before.endswith(("：", ":")) and line.text.endswith(("；", ";"))
            if section and not listed:
                cutter.mark(f"{section}（{match.group(1)}）", line.start, line.start + match.end())
        elif section and (match := _ANNEX.match(line.text)):
            above, section = _clean(line.text), ""
            cutter.statement(0, line, match.end(), above)
        before = line.text or before


def _pack(text: str, lines: Sequence[_Line]) -> list[Part]:
    if not lines:
        return []
    start, end = _trim(text, lines[0].start, lines[-1].end)
    spans = _divide(text, start, end, _PARAGRAPH_CHARS)
    return [Part(f"段{n}", (), first, last) for n, (first, last) in enumerate(spans, start=1)]


# lines and numbers


def _lines(text: str) -> list[_Line]:
    """The lines of ``text``; a very long one is taken apart where numbering follows a full stop."""
    lines = []
    start = 0
    for raw in text.splitlines(keepends=True):
        cuts = [0]
        if len(raw) > _LONG_LINE:
            cuts += [match.end() for match in _INLINE.finditer(raw)]
        for first, last in zip(cuts, [*cuts[1:], len(raw)], strict=True):
            lines.append(_Line(start + first, start + last, raw[first:last].rstrip()))
        start += len(raw)
    return lines


def _article_lines(lines: Sequence[_Line]) -> Iterator[tuple[_Line, re.Match[str]]]:
    """Lines that open an article. A cross-reference that begins a line is none: it has no space after its
    label, or its number does not carry the count on."""
    last = 0
    for line in lines:
        if "条" not in line.text[:20]:
            continue
        match = _ARTICLE.match(line.text)
        if match:
            number = _number(match.group(1))
            if number > last or number == 1 or (match.group(2) and number == last):
                last = number
                yield line, match
        elif (match := _ARTICLE_TIGHT.match(line.text)) and _number(match.group(1)) == last + 1:
            last += 1
            yield line, match


def _number(label: str) -> int:
    """A Chinese or Arabic numeral below 10,000 as a number: 三十八 -> 38, 一百零二 -> 102, 38 -> 38."""
    if label.isdigit():
        return int(label)
    total, digit = 0, 0
    for char in label:
        if char in _DIGITS:
            digit = digit * 10 + _DIGITS[char]
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
    return total + digit


def _is_title(line: _Line, title: str) -> bool:
    return bool(line.text.strip()) and _clean(line.text) == title


def _is_heading(line: str) -> bool:
    return len(line.strip()) <= _HEADING_CHARS and not re.search(r"[。；：:，]", line.strip())


def _clean(line: str) -> str:
    return re.sub(r"[\s　]+", " ", line.lstrip("# 　").strip())


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _blank(text[start]):
        start += 1
    while end > start and _blank(text[end - 1]):
        end -= 1
    return start, end


def _blank(char: str) -> bool:
    return char.isspace() or char in "\u200b\ufeff"     # zero-width marks left over from web pages


def _divide(text: str, start: int, end: int, max_chars: int) -> list[tuple[int, int]]:
    """Consecutive spans of up to ``max_chars`` that end at a line if they can, else at a sentence."""
    spans = []
    start, end = _trim(text, start, end)
    while end - start > max_chars:
        window = text[start : start + max_chars]
        cut = max(window.rfind("\n", max_chars // 4) + 1, 0) or _sentence_end(window) or max_chars
        spans.append(_trim(text, start, start + cut))
        start += cut
    spans.append(_trim(text, start, end))
    return [span for span in spans if span[0] < span[1]]


def _sentence_end(window: str) -> int:
    return max(window.rfind(stop, len(window) // 4) for stop in "。！？；") + 1
