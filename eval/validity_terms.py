"""Policies that say themselves how long they hold, 自…起施行，有效期五年: read without our own readers, and asked."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from core.errors import IngestError
from eval.validity_truth import Held

FILE = "policies.jsonl"
_DAY = r"(\d{4})年(\d{1,2})月(\d{1,2})日"
_TERM = re.compile(
    rf"自(?:{_DAY}|[印公发颁]\w)(?:之日)?起(?:正式)?(?:施行|实施|执行|生效)[，,]有效期(?:为|至|到)?"
    rf"(?:{_DAY}|([\d一二两三四五六七八九十]+)年)"
)
_NUMBERS = {character: number for number, character in enumerate("一二三四五六七八九十", start=1)} | {"两": 2}
_SILENT = ("解读", "问答")     # they speak of another document's term


@dataclass(frozen=True, slots=True)
class Term:
    """One row of a file of policies with the days that its own text names."""

    path: str                              # in the collection
    title: str
    text: str
    line: str                              # the row as it stands in its file
    held: Held


def read_terms(files: Iterable[Path]) -> list[Term]:
    """In file order, one per title. Raises `IngestError` for a file that cannot be read."""
    found: dict[str, Term] = {}
    for file in files:
        for line in _lines(file):
            row = json.loads(line)
            term = _term(row, line)
            if term and "".join(term.title.split()) not in found:
                found["".join(term.title.split())] = term
    return list(found.values())


def _lines(file: Path) -> list[str]:
    try:
        data = file.read_bytes()
        return (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise IngestError(f"读不出来：{error}。应为 JSON Lines 文件", place=str(file)) from error


def _term(row: Mapping[str, object], line: str) -> Term | None:
    title, text = str(row.get("title", "")), str(row.get("text", ""))
    matches = list(_TERM.finditer("".join(text.split())))
    if len(matches) != 1 or any(word in title for word in _SILENT):
        return None
    stated = matches[0]
    start = _day(stated.group(1, 2, 3))
    last = _day(stated.group(4, 5, 6))
    years = _years(stated.group(7))
    if last:
        issued = start or date.fromisoformat(str(row["date"])[:10])
        span = Held(issued, last + timedelta(1))
    elif start and years and (start.month, start.day) != (2, 29):
        span = Held(start, start.replace(year=start.year + years))
    else:
        return None                        # from a day of issue that only our readers could find
    return Term(f"{FILE}#{row['id']}", title, text, line, span)


def _day(parts: tuple[str | None, ...]) -> date | None:
    return date(*(int(part) for part in parts if part)) if all(parts) else None


def _years(number: str | None) -> int | None:
    if number is None:
        return None
    return int(number) if number.isdigit() else _NUMBERS.get(number)
