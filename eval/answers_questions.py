"""Question files of an evaluation of answers -> `Asked`: what is asked, and what may become of it."""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.errors import ConfigError, IngestError
from core.records import Question, Role, Status
from core.regions import region_chain
from eval.gold import GoldQuestion, gold_lines, gold_question

_TEXTS = ("question", "text", "query")       # the field that holds the question, the first that is there
_WORDS = 30
_FIRST = re.compile(rf"[^\W\d_][^。；：，,;:!！?？()（）\n]{{3,{_WORDS}}}")     # of an article, without its list marks
_GIVEN = (Status.ANSWERED, Status.PARTIAL)


class Expected(StrEnum):
    """What is right for a question."""

    ANSWER = "answer"            # its gold answers it
    REFUSE = "refuse"            # nothing here answers it: any status but answered and partial
    ALLOW = "allow"              # answered or not found, but not turned away as unsafe or off the topic
    ELSEWHERE = "elsewhere"      # another region's rule: never answered from what does not hold there
    UNJUDGED = "unjudged"        # whatever comes is only checked against its own quotes


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a run."""

    id: str                      # unique in the run: the file's name goes before where two files share an id
    gold: GoldQuestion
    expected: Expected
    file: str                    # name of its file, without folder and ending
    about: str | None = None     # 区划代码 of the region whose rule is asked for

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it is counted under besides its file."""
        return tuple(label for label in self.gold.labels if label not in ("question", self.file))


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """A file, and what is expected of those of its questions that do not say it themselves."""

    path: Path
    expected: Expected | None = None         # None: an answer where there is gold, else a refusal


def read_asked(
    files: Sequence[QuestionFile], *, split: str | None = None, defaults: Question, one_in: int = 1
) -> list[Asked]:
    """All questions in order, or one in so many of each file, chosen by a digest of their ids.

    A line is what `eval.gold.read_gold` reads; the question may also stand in ``text`` or ``query``, a missing ``id``
    becomes the line's number, ``expect`` may be one of `Expected` or a `Status`, ``about`` a 区划代码, ``role`` who
    asks. With ``split``, files that name no split at all are read whole. Raises `IngestError` naming file and line.
    """
    found = [asked for file in files for asked in _of_file(file, split, defaults, one_in)]
    if not found:
        raise IngestError("没有一个问题", place="、".join(str(file.path) for file in files))
    times: dict[str, int] = {}
    for asked in found:
        times[asked.id] = times.get(asked.id, 0) + 1
    return [replace(asked, id=f"{asked.file}:{asked.id}") if times[asked.id] > 1 else asked for asked in found]


def asked_of_articles(articles: Iterable[tuple[str, str]], count: int, *, defaults: Question) -> list[Asked]:
    """A question about each of ``count`` articles, drawn by a digest of their refs, which may all be asked.

    ``articles`` gives (ref, title and text). Asked is what the title and the article's first words say, so that most
    are answered, from whatever kind of text the base holds.
    """
    drawn = heapq.nsmallest(count, articles, key=lambda row: hashlib.sha256(row[0].encode()).digest())
    made = []
    for ref, text in drawn:
        title, _, body = text.partition("\n")
        words = _FIRST.search(body.strip())
        about = words.group() if words else body.strip()[:_WORDS]
        question = replace(defaults, text=f"{title}对{about}是怎么规定的？")
        made.append(Asked(ref, GoldQuestion(ref, question, ()), Expected.ALLOW, "articles"))
    return made


def unjudged(asked: Sequence[Asked], ids: Sequence[str]) -> list[Asked]:
    """The questions, those of ``ids`` without a judgement."""
    return [replace(one, expected=Expected.UNJUDGED) if one.id in ids else one for one in asked]


def _of_file(file: QuestionFile, split: str | None, defaults: Question, one_in: int) -> list[Asked]:
    every = [_asked(line, file, defaults, number) for number, line in gold_lines(file.path)]
    seen: set[str] = set()
    for asked in every:
        if asked.id in seen:
            raise IngestError(f"id {asked.id!r} 用过两次；每个问题要有自己的 id", place=str(file.path))
        seen.add(asked.id)
    named = split is not None and any(asked.gold.split for asked in every)
    chosen = [asked for asked in every if not named or asked.gold.split == split]
    return [asked for asked in chosen if _drawn(asked.id, one_in)]


def _drawn(name: str, one_in: int) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % one_in == 0


def _asked(line: bytes, file: QuestionFile, defaults: Question, number: int) -> Asked:
    place = f"{file.path}:{number}"
    row = _row(line, place)
    said, about = row.pop("expect", None), row.pop("about", None)
    row["question"] = next((row[name] for name in _TEXTS if row.get(name)), None)
    row["id"] = number if row.get("id") is None else row["id"]
    row["kind"] = row.get("kind") or row.get("risk") or "question"
    row["wording"] = row.get("wording") or row.get("attack")
    role = _role(row, defaults, place)
    status = said if said in list(Status) else None
    gold = gold_question(json.dumps(row | {"expect": status}, ensure_ascii=False).encode(), place=place)
    asked = replace(
        gold.question, region=gold.question.region or defaults.region,
        national=gold.question.national or (defaults.national and gold.question.region is None),
        as_of=gold.question.as_of or defaults.as_of, role=role,
    )
    name = file.path.name.removesuffix(".gz").removesuffix(".jsonl")
    expected = _expected(said, file, gold, about, place)
    return Asked(gold.id, replace(gold, question=asked), expected, name, _region(about, place))


def _row(line: bytes, place: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise IngestError(f"不是有效的 JSON：{error}。请改正这一行后重试", place=place) from error
    if not isinstance(row, dict):
        raise IngestError('应为 JSON 对象，如 {"id": "1", "question": "……"}', place=place)
    return row


def _expected(said: object, file: QuestionFile, gold: GoldQuestion, about: object, place: str) -> Expected:
    if said in list(Expected):
        return Expected(str(said))
    if said in list(Status):
        return Expected.ANSWER if said in _GIVEN and gold.gold else Expected.REFUSE
    if said is not None:
        raise IngestError(f"expect 应为 {'、'.join([*Expected, *Status])} 之一，实际是 {said!r}", place=place)
    if about is not None:
        return Expected.ELSEWHERE
    if file.expected is not None:
        return file.expected
    return Expected.ANSWER if gold.gold else Expected.REFUSE


def _role(row: dict[str, object], defaults: Question, place: str) -> Role:
    said = row.get("role")
    if said is None:
        return defaults.role
    if said not in list(Role):
        raise IngestError(f"role 应为 agent 或 citizen，实际是 {said!r}", place=place)
    return Role(str(said))


def _region(code: object, place: str) -> str | None:
    if code is None:
        return None
    try:
        region_chain(str(code))
    except ConfigError as error:
        raise IngestError(f"about：{error}", place=place) from error
    return str(code)
