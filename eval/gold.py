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

_NEXT = (
    "每行应是一个 JSON 对象，含 id、question，可含 gold[{id, also}]，或 docid、also，或 document、start、end、also；"
    "请改正这一行后重试"
)


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """Where the answer stands: ``text[start:end]`` of the document."""

    document: str                          # name, as `document_name` gives it
    start: int
    end: int
    sha256: str | None = None              # first 16 hex digits, of that piece of text; None: not known


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what is correct. ``gold`` holds one group of equally correct refs per gold article."""

    id: str                                # without white space; unique in its file
    question: Question
    gold: tuple[tuple[str, ...], ...]      # empty: nothing in the base answers it, or nobody judged it
    kind: str = "question"
    expect: str | None = None              # answered | no_evidence | expired | another `Status`
    answer: str | None = None
    by_document: bool = False              # gold names documents, as `document_name` gives them
    span: GoldSpan | None = None           # with ``by_document``; of the first document of ``gold``
    tags: tuple[str, ...] = ()             # what it is counted under besides its kind: set, wording
    split: str | None = None               # dev | test

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it is counted under."""
        return tuple(dict.fromkeys((self.kind, *self.tags)))


def document_name(source: str) -> str:
    """The name of a document in gold files: what follows the last # of its source, else the file's name."""
    return trec_ref(source.rsplit("#", 1)[-1].rsplit("/", 1)[-1])


def span_digest(text: str) -> str:
    """First 16 hex digits of sha256, which tell whether a span lies where it lay, without handing the text on."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def trec_ref(ref: str) -> str:
    """The ref without white space of any kind, which would break a TREC line into more columns."""
    return "".join(ref.split())


_Ref = Annotated[str, AfterValidator(trec_ref), Field(min_length=1)]
_Offset = Annotated[int, Field(ge=0)]
_Tag = Annotated[str, Field(min_length=1)]


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
    document: str | None = None       # gold only together with ``start`` and ``end``
    start: _Offset | None = None
    end: _Offset | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    region: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    national: bool = False
    as_of: Annotated[date, Field(strict=True)] | None = None  # strict: 20260101 would be read as seconds since 1970
    kind: _Tag = "question"
    collection: Annotated[_Tag | None, Field(alias="set")] = None
    wording: _Tag | None = None
    split: _Tag | None = None
    expect: Status | None = None
    answer: str | None = None


def read_gold(path: Path, *, split: str | None = None) -> list[GoldQuestion]:
    """The questions of a ``.jsonl`` file, or one packed as ``.gz``, in file order; of one split only, if named.

    With ``gold`` a question is judged by article, with ``docid`` or a span by document. Raises `IngestError`
    naming file and line for a line that is malformed or repeats an id, and for a file without a question.
    """
    seen: dict[str, int] = {}
    questions = []
    for number, line in gold_lines(path):
        question = gold_question(line, place=f"{path}:{number}")
        if question.id in seen:
            reason = f"id {question.id!r} 已在第 {seen[question.id]} 行用过；每个问题要有自己的 id，请改正后重试"
            raise IngestError(reason, place=f"{path}:{number}")
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise IngestError(f"没有一个问题。{_NEXT}", place=str(path))
    chosen = [question for question in questions if split in (None, question.split)]
    if not chosen:
        there = "、".join(sorted({question.split for question in questions if question.split})) or "无"
        raise IngestError(f"没有 split 为 {split} 的问题；文件中有：{there}", place=str(path))
    return chosen


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


def gold_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number from 1 and line, blank lines left out. Raises `IngestError`."""
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


def gold_question(line: bytes, *, place: str) -> GoldQuestion:
    """One line. Raises `IngestError` naming ``place``."""
    try:
        row = _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "整行"
        raise IngestError(f"{where}：{first['msg']}。{_NEXT}", place=place) from error
    by_span = row.document is not None and row.start is not None
    if sum((bool(row.gold), row.docid is not None, by_span)) > 1:
        raise IngestError(f"gold、docid 和 document 加 start 只能有一种。{_NEXT}", place=place)
    return GoldQuestion(
        id=row.id,
        question=Question(text=row.question, region=row.region, national=row.national, as_of=row.as_of),
        gold=_groups(row),
        kind=row.kind,
        expect=row.expect,
        answer=row.answer,
        by_document=row.docid is not None or by_span,
        span=_span(row, place),
        tags=tuple(tag for tag in (row.collection, row.wording) if tag),
        split=row.split,
    )


def _groups(row: _Line) -> tuple[tuple[str, ...], ...]:
    document = _document(row)
    if document is not None:
        return (tuple(dict.fromkeys(map(document_name, (document, *row.also)))),)
    return tuple(tuple(dict.fromkeys((gold.id, *gold.also))) for gold in row.gold)


def _document(row: _Line) -> str | None:
    """A ``document`` without a span is a note beside ``gold``, as in data_samples."""
    return row.docid if row.docid is not None else row.document if row.start is not None else None


def _span(row: _Line, place: str) -> GoldSpan | None:
    """As ``start`` and ``end`` say, or as long as ``answer``, which then is the text itself."""
    document = _document(row)
    if document is None or row.start is None:
        return None
    end, digest = row.end, row.sha256
    if end is None and row.answer:
        end, digest = row.start + len(row.answer), span_digest(row.answer)
    if end is None or end <= row.start:
        raise IngestError(f"end 应大于 start（{row.start}）。{_NEXT}", place=place)
    return GoldSpan(document_name(document), row.start, end, digest)
