"""Files of articles and of answered questions -> what an encoder learns from. A ``.gz`` is unpacked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from core.errors import IngestError
from eval.generalisation import law_of


@dataclass(frozen=True, slots=True)
class Passage:
    """One article."""

    law: str                     # whose article it is, as --without-laws names it
    title: str
    heading: str                 # chapter and section, may be empty
    text: str
    ref: str = ""                # the article's, as gold names it


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, what was answered ("" when that is not known), and the articles that answer it."""

    question: str
    answer: str
    gold: tuple[str, ...] = ()   # references


class _ArticleLine(BaseModel):
    id: str
    title: str
    text: str
    law: str | None = None
    path: tuple[str, ...] | None = None


class _Reference(BaseModel):
    id: str
    also: tuple[str, ...] = ()


class _Turn(BaseModel):
    role: str
    text: str


class _AnsweredLine(BaseModel):
    question: Annotated[str, Field(validation_alias=AliasChoices("question", "query"), min_length=1)]
    answer: str | None = None
    turns: tuple[_Turn, ...] = ()
    gold: Annotated[tuple[_Reference, ...], Field(validation_alias=AliasChoices("gold", "articles"))] = ()


def read_passages(paths: Iterable[Path], *, without: Iterable[str] = ()) -> list[Passage]:
    """The articles of JSON Lines files (``id``, ``title``, ``text``, may have ``law``, ``path``), but for some laws.

    Raises `IngestError` naming file and line.
    """
    left_out = set(without)
    found = []
    for path in paths:
        for place, line in _lines(path):
            try:
                row = _ArticleLine.model_validate_json(line)
            except ValidationError as error:
                raise _wrong(error, place, "id、title、text，可含 law、path") from error
            law = row.law or law_of(row.id)
            if not {law, law_of(row.id)} & left_out:
                found.append(Passage(law, row.title, " ".join(row.path or ()), row.text, row.id))
    return found


def read_answered(paths: Iterable[Path], *, without: Iterable[str] = ()) -> list[Answered]:
    """The questions that have an answer or gold, but for those with an article of some laws.

    A line has ``question`` (or ``query``), ``answer`` (or ``turns`` with the role ``assistant``), and ``gold`` (or
    ``articles``) with the ids of articles. Raises `IngestError` naming file and line.
    """
    left_out = set(without)
    found = []
    for path in paths:
        for place, line in _lines(path):
            try:
                row = _AnsweredLine.model_validate_json(line)
            except ValidationError as error:
                raise _wrong(error, place, "question，可含 answer、gold[{id}]") from error
            answer = row.answer or "\n".join(turn.text for turn in row.turns if turn.role == "assistant")
            laws = {law_of(ref) for gold in row.gold for ref in (gold.id, *gold.also)}
            if (answer or row.gold) and not left_out & laws:
                found.append(Answered(row.question, answer, tuple(gold.id for gold in row.gold)))
    return found


def home_passages(articles: Iterable[tuple[str, str]], *, without: Iterable[str] = ()) -> list[Passage]:
    """The published articles of a knowledge base, given as reference and title above text."""
    left_out = set(without)
    found = []
    for ref, whole in articles:
        title, _, text = whole.partition("\n")
        if law_of(ref) not in left_out:
            found.append(Passage(law_of(ref), title, "", text, ref))
    return found


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Place and line, blank lines left out."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}:{number}", line
    except FileNotFoundError as error:
        raise IngestError("找不到这个文件；请检查路径", place=str(path)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise IngestError(f"读不出来：{error}；请检查文件是否完整、是否真是 .gz", place=str(path)) from error


def _wrong(error: ValidationError, place: str, wanted: str) -> IngestError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "整行"
    return IngestError(f"{where}：{first['msg']}。每行应是一个 JSON 对象，含 {wanted}", place=place)
