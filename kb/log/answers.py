"""Every answer that was given, with the revisions it quotes: kept, read again, judged by who got it.

A question is kept without what is personal in it (`core.masking`); the answer is kept as it went out, and the log
holds the hash of both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from core.errors import NotFound
from core.masking import masked
from core.records import Answer, Citation, Question, Role, Sentence, Status, Turn, Verdict
from kb.log.audit import ANSWER, Entry, record, record_all, utc_now
from kb.log.audit_check import sha256
from kb.schema import answer_sources, answers, documents, feedback

_AT_ONCE = 5_000                 # ids in one query


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it goes out."""

    question: Question
    answer: Answer               # with its id
    commits: int                 # of publishing and withdrawing, before it was made


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is stored."""

    id: str
    at: datetime                 # UTC
    question: Question           # masked
    answer: Answer
    commits: int


def keep(connection: Connection, given: Sequence[Given]) -> None:
    """Store answers, and a row of the log for each: all or none."""
    if not given:
        return
    now = utc_now()
    entries: dict[str, list[Entry]] = {}
    rows, sources = [], []
    for one in given:
        question, answer = _question_text(one.question), json.dumps(asdict(one.answer), ensure_ascii=False)
        rows.append({
            "id": one.answer.id, "at": now, "status": one.answer.status, "question": question, "answer": answer,
            "commits": one.commits, "confidence": one.answer.confidence,
        })
        quoted = dict.fromkeys(citation.document for citation in one.answer.citations)
        sources += [{"answer_id": one.answer.id, "document_id": name} for name in quoted]
        entries.setdefault(one.question.role, []).append(Entry(ANSWER, one.answer.id, {
            "status": one.answer.status, "question": sha256(question), "sha256": sha256(answer),
        }))
    connection.execute(insert(answers), rows)
    if sources:
        connection.execute(insert(answer_sources), sources)
    for role, some in entries.items():
        record_all(connection, role, some)


def load(connection: Connection, answer_id: str) -> Kept:
    """Raises `NotFound`."""
    row = connection.execute(select(answers).where(answers.c.id == answer_id)).first()
    if row is None:
        raise NotFound(f"没有编号为 {answer_id} 的回答。编号见 ask --json 的 id；早于保留期的回答可能已清理")
    return kept_of(row)


def load_all(connection: Connection, ids: Sequence[str]) -> list[Kept]:
    """Those that are there, in the order of ``ids``."""
    found: dict[str, Kept] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = answers.c.id.in_(ids[start : start + _AT_ONCE])
        found |= {row.id: kept_of(row) for row in connection.execute(select(answers).where(some))}
    return [found[name] for name in ids if name in found]


def kept_of(row: Row[Any]) -> Kept:
    """From a row of `answers`."""
    return Kept(row.id, row.at, question_of(row.question), answer_of(row.answer), row.commits)


def broken_quotes(connection: Connection, answer: Answer) -> list[int]:
    """Numbers of the citations whose quote does not stand, character for character, where they say.

    Revisions that were taken out count as well: they stay in SQL.
    """
    broken = []
    for citation in answer.citations:
        piece = func.substr(documents.c.text, citation.start + 1, citation.end - citation.start)
        stored = connection.scalar(select(piece).where(documents.c.id == citation.document))
        if stored != citation.quote:
            broken.append(citation.n)
    return broken


def same_answer(one: Answer, other: Answer) -> bool:
    """Whether both say the same from the same places; when and under which id does not matter."""
    return (one.status, one.text, _places(one)) == (other.status, other.text, _places(other))


def judge(connection: Connection, who: str, answer_id: str, verdict: Verdict, comment: str) -> None:
    """Write down what somebody says of an answer. Raises `NotFound`."""
    load(connection, answer_id)
    kept = masked(comment)
    row = {"answer_id": answer_id, "verdict": verdict, "comment": kept, "who": who, "at": utc_now()}
    connection.execute(insert(feedback), [row])
    record(connection, who, "feedback", answer_id, {"verdict": verdict, "comment": kept})


def _places(answer: Answer) -> tuple[tuple[object, ...], ...]:
    return tuple((c.document, c.start, c.end, c.quote) for c in answer.citations)


def _question_text(question: Question) -> str:
    """Without what is personal, and without what a database does not take: halves of characters, NUL."""
    history = tuple(
        Turn(_kept_text(turn.text), _kept_text(turn.asked), tuple(map(_kept_text, turn.choices)))
        for turn in question.history
    )
    kept = replace(question, text=_kept_text(question.text), history=history)
    return json.dumps(asdict(kept), ensure_ascii=False, default=str)


def _kept_text(text: str) -> str:
    return masked(text).encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def question_of(text: str) -> Question:
    """From the JSON that `keep` writes."""
    row = json.loads(text)
    day = date.fromisoformat(row["as_of"]) if row["as_of"] else None
    turns = (Turn(**(turn | {"choices": tuple(turn["choices"])})) for turn in row.get("history", ()))
    return Question(**(row | {"as_of": day, "role": Role(row["role"]), "history": tuple(turns)}))


def answer_of(text: str) -> Answer:
    """From the JSON that `keep` writes."""
    row = json.loads(text)
    return Answer(**(row | {
        "status": Status(row["status"]),
        "sentences": _sentences(row["sentences"]),
        "script": _sentences(row.get("script", ())),
        "ask_next": tuple(row.get("ask_next", ())),
        "keywords": tuple(row.get("keywords", ())),
        "citations": tuple(_citation(one) for one in row["citations"]),
        "notices": tuple(row["notices"]),
        "choices": tuple(row.get("choices", ())),
        "timings_ms": tuple((name, ms) for name, ms in row["timings_ms"]),
    }))


def _sentences(rows: Sequence[dict[str, Any]]) -> tuple[Sentence, ...]:
    return tuple(Sentence(one["text"], tuple(one["citations"]), one.get("label", "")) for one in rows)


def _citation(row: dict[str, Any]) -> Citation:
    box = None if row["box"] is None else tuple(row["box"])
    return Citation(**(row | {"box": box}))
