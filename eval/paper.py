"""A law or notice as an office would print it: what each paragraph is, before any file format is chosen.

`render_docx`, `render_pdf` and `render_ofd` make files of it, for the samples and for the parity check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from core.numerals import chinese_number

_LABELS = ("", "{cn}、", "（{cn}）", "{n}．")


class Role(StrEnum):
    """What a part of a printed document is, in the words of GB/T 9704."""

    BANNER = "banner"            # 发文机关标志: the red line of large characters
    DOC_NO = "doc_no"            # 发文字号, with the red rule under it
    TITLE = "title"
    ADDRESSEE = "addressee"      # 主送机关
    HEADING = "heading"          # set apart: a chapter of a law, a heading of a guide
    PARAGRAPH = "paragraph"
    TABLE = "table"
    SIGNATURE = "signature"      # 发文机关署名, under the seal if the paper has one
    DATE = "date"                # 成文日期
    ANNEX = "annex"              # 附件1, at the head of a new page
    NOTE = "note"                # 抄送, 印发机关和印发日期: small print between rules


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph, or one table with a cell per column in every row."""

    text: str = ""
    role: Role = Role.PARAGRAPH
    level: int = 0                                       # of a heading, 1 outermost
    number: int = 0                                      # 1 to 3: numbered 一、 （一） 1． by the word processor
    rows: tuple[tuple[str, ...], ...] = ()
    merged: tuple[tuple[int, int, int, int], ...] = ()   # first row, first column, last row, last column
    header_rows: int = 1


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document."""

    parts: tuple[Part, ...]
    running_header: str = ""
    seal: bool = False
    page_numbers: bool = True


def paper_of_law(title: str, text: str, *, running_header: str = "") -> Paper:
    """Markdown text of a law or notice as a paper: ``#`` lines are headings, every other line is a paragraph."""
    parts = [Part(title, Role.TITLE)]
    for line in text.splitlines():
        marks = re.match(r"#*", line.strip())
        level = len(marks.group()) if marks else 0
        words = line.strip().lstrip("#").strip()
        if words and not (level == 1 and words == title):
            parts.append(Part(words, Role.HEADING, level) if level else Part(words))
    return Paper(tuple(parts), running_header)


def with_labels(parts: Iterable[Part]) -> list[Part]:
    """The parts with their automatic numbers written out, as a printer shows them."""
    counts = [0, 0, 0, 0]
    labelled = []
    for part in parts:
        if part.number:
            counts[part.number] += 1
            counts[part.number + 1:] = [0] * (3 - part.number)
            n = counts[part.number]
            text = _LABELS[part.number].format(cn=chinese_number(n), n=n) + part.text
            part = replace(part, text=text, number=0)
        labelled.append(part)
    return labelled
