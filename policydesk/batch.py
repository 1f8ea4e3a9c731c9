"""Question files and answers as JSON: the contract of ``--batch``, ``--out`` and ``--json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from core.errors import ConfigError, IngestError
from core.records import Answer, Hit, Question, Role, Turn
from core.regions import region_chain


def read_questions(path: Path, defaults: Question) -> Iterator[tuple[str, Question]]:
    """(id, question) of each line: JSON with ``id`` and ``question``, or ``title`` and ``text``.

    ``region``, ``as_of``, ``national`` and ``role`` of a line go before ``defaults``, and ``history``, what was asked
    before in the conversation, behind theirs. Raises `IngestError` naming file and line.
    """
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _question(line, defaults, f"{path}:{number}", number)
    except FileNotFoundError as error:
        raise IngestError("文件不存在。请检查路径", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise IngestError("不是 UTF-8 文本。请另存为 UTF-8 后重试", place=str(path)) from error
    except OSError as error:
        raise IngestError(f"读不出来：{error.strerror}。请给出一个可读的文件", place=str(path)) from error


def is_text(text: str) -> bool:
    """False for half characters, such as bytes of another encoding on the command line leave behind."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def answer_json(answer: Answer) -> dict[str, object]:
    return asdict(answer) | {"timings_ms": dict(answer.timings_ms)}


def hit_json(hit: Hit) -> dict[str, object]:
    facts = asdict(hit.document.facts) | {"rank": hit.document.facts.rank.name.lower()}
    return {
        "ref": hit.ref,
        "score": round(hit.score, 4),
        "article": hit.address,
        "heading": hit.heading,
        "text": hit.text,
        "start": hit.start,
        "end": hit.end,
        "chunk": hit.chunk,
        "document": hit.document.id,
        "in_force_from": hit.document.in_force_from,
        "in_force_to": hit.document.in_force_to,
        **({"scores": dict(hit.scores)} if hit.scores else {}),
        **facts,
    }


def to_line(value: object) -> str:
    """One line of JSON; dates as ISO text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _question(line: str, defaults: Question, place: str, number: int) -> tuple[str, Question]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise IngestError(f"第 {error.colno} 列起不是有效的 JSON（{error.msg}）。请改正这一行", place=place) from error
    if not isinstance(row, dict):
        raise IngestError('应为 JSON 对象，如 {"id": "1", "question": "……"}', place=place)
    text = row.get("question") or "\n".join(str(row[key]) for key in ("title", "text") if row.get(key))
    if not isinstance(text, str) or not text.strip():
        raise IngestError('缺少非空的 "question"（或 "title" 和 "text"）', place=place)
    if not is_text(text):
        raise IngestError("问题中有不成对的代理字符，不是有效的文字。请改正这一行", place=place)
    return str(number if row.get("id") is None else row["id"]), _with_line(replace(defaults, text=text), row, place)


def _with_line(question: Question, row: dict[str, object], place: str) -> Question:
    try:
        if row.get("as_of"):
            question = replace(question, as_of=date.fromisoformat(str(row["as_of"])))
        if row.get("role"):
            question = replace(question, role=Role(str(row["role"])))
    except ValueError as error:
        raise IngestError(f"{error}。日期应如 2024-05-01，role 为 agent 或 citizen", place=place) from error
    try:
        if row.get("region"):
            region_chain(str(row["region"]))
            question = replace(question, region=str(row["region"]))
    except ConfigError as error:
        raise IngestError(str(error), place=place) from error
    national = row.get("national", question.national)
    if not isinstance(national, bool):
        raise IngestError(f'"national" 应为 true 或 false，实际是 {national!r}', place=place)
    history = row.get("history", [])
    if not isinstance(history, list):
        raise IngestError('"history" 应为列表，如 ["之前问过的话"]', place=place)
    turns = (*question.history, *(_turn(one, place) for one in history))
    return replace(question, national=national, history=turns)


def _turn(said: object, place: str) -> Turn:
    """What was asked before: its text, or the fields of a `Turn`."""
    row = said if isinstance(said, dict) else {"question": said}
    text, asked, choices = row.get("question"), row.get("asked", ""), row.get("choices", [])
    if not isinstance(text, str) or not isinstance(asked, str) or not isinstance(choices, list):
        raise IngestError(
            '"history" 的每一项应为之前的问题，或 {"question": "……", "asked": "……", "choices": ["……"]}', place=place
        )
    return Turn(text, asked, tuple(map(str, choices)))
