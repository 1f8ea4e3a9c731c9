"""Gold questions: JSON Lines -> `GoldQuestion`."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from core.errors import IngestError
from core.records import Question, Status

_NEXT = "每行应是一个 JSON 对象，含 id、question，可含 gold[{id, also}] 或 docid、also；请改正这一行后重试"


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what is correct. ``gold`` holds one group of equally correct refs per gold article."""

    id: str                                # without white space; unique in its file
    question: Question
    gold: tuple[tuple[str, ...], ...]      # empty: nothing in the base answers it, or nobody judged it
    kind: str = "question"
    expect: str | None = None              # answered | no_evidence | expired | another `Status`
    answer: str | None = None
    by_document: bool = False              # gold names documents: a found ref counts up to its first "#"


def trec_ref(ref: str) -> str:
    """The ref without white space of any kind, which would break a TREC line into more columns."""
    return "".join(ref.split())


_Ref = Annotated[str, AfterValidator(trec_ref), Field(min_length=1)]


class _GoldRef(BaseModel):
    id: _Ref
    also: tuple[_Ref, ...] = ()


class _Line(BaseModel):
    """One line as it may be written; fields that we do not use are ignored."""

    id: Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(trec_ref), Field(min_length=1)]
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    gold: tuple[_GoldRef, ...] = ()
    docid: _Ref | None = None
    also: tuple[_Ref, ...] = ()
    region: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    national: bool = False
    as_of: Annotated[date, Field(strict=True)] | None = None  # strict: 20260101 would be read as seconds since 1970
    kind: Annotated[str, Field(min_length=1)] = "question"
    expect: Status | None = None
    answer: str | None = None


def read_gold(path: Path) -> list[GoldQuestion]:
    """The questions of a ``.jsonl`` file, or one packed as ``.gz``, in file order.

    With ``gold`` a question is judged by article, with ``docid`` by document. Raises `IngestError` naming
    file and line for a line that is malformed or repeats an id, and for a file without a question.
    """
    seen: dict[str, int] = {}
    questions = []
    for number, line in _lines(path):
        question = _question(line, place=f"{path}:{number}")
        if question.id in seen:
            reason = f"id {question.id!r} 已在第 {seen[question.id]} 行用过；每个问题要有自己的 id，请改正后重试"
            raise IngestError(reason, place=f"{path}:{number}")
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise IngestError(f"没有一个问题。{_NEXT}", place=str(path))
    return questions


def gold_digest(questions: Sequence[GoldQuestion]) -> str:
    """First 16 hex digits of sha256 over all fields of all questions, in order; packing does not change it."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps(asdict(question), ensure_ascii=False, default=str, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def with_defaults(questions: Sequence[GoldQuestion], defaults: Question) -> list[GoldQuestion]:
    """The questions, with region, national and as-of date of ``defaults`` where the file names none."""
    return [replace(gold, question=_filled(gold.question, defaults)) for gold in questions]


def _filled(asked: Question, defaults: Question) -> Question:
    return replace(
        asked,
        region=asked.region or defaults.region,
        national=asked.national or (defaults.national and asked.region is None),
        as_of=asked.as_of or defaults.as_of,
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number from 1 and line, blank lines left out."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    yield number, text
    except FileNotFoundError as error:
        raise IngestError("找不到这个文件；请检查路径", place=str(path)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise IngestError(f"读不出来：{error}；请检查文件是否完整、是否真是 .gz", place=str(path)) from error


def _question(line: bytes, *, place: str) -> GoldQuestion:
    try:
        row = _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "整行"
        raise IngestError(f"{where}：{first['msg']}。{_NEXT}", place=place) from error
    if row.gold and row.docid:
        raise IngestError(f"同时有 gold 和 docid，只能有一个。{_NEXT}", place=place)
    return GoldQuestion(
        id=row.id,
        question=Question(text=row.question, region=row.region, national=row.national, as_of=row.as_of),
        gold=_groups(row),
        kind=row.kind,
        expect=row.expect,
        answer=row.answer,
        by_document=row.docid is not None,
    )


def _groups(row: _Line) -> tuple[tuple[str, ...], ...]:
    if row.docid is not None:
        return (tuple(dict.fromkeys((row.docid, *row.also))),)
    return tuple(tuple(dict.fromkeys((gold.id, *gold.also))) for gold in row.gold)
