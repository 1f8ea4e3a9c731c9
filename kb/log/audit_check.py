"""Following the log from its first row: is it whole, and does every answer still say what it said?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from kb.log.audit import ANSWER, FIRST, PURGE, hash_of, rows_after
from kb.log.checkpoints import Checkpoint, Checkpoints
from kb.schema import answers, audit

_AT_ONCE = 5_000                 # answers read at once


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not fit, and the first row it concerns."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check. The log is whole when ``problems`` is empty."""

    rows: int
    first: int                   # seq; 0: the log is empty
    last: int
    checkpoints: int
    answers: int
    signed: bool                 # the newest checkpoint is signed with the key of now
    covered: int                 # seq of the newest checkpoint: rows after it could be cut off unseen
    problems: tuple[Problem, ...]


def check(connection: Connection, checkpoints: Checkpoints) -> Checked:
    """Everything that can be checked, in one pass over the log and one over the answers.

    Problems are in order of their rows; of the chain the first alone is named, since all after it may be forged.
    """
    lines = checkpoints.read()
    chain = _follow(connection, {line.seq for line in lines})
    problems = [*chain.problems, *_start_problems(chain, lines), *_checkpoint_problems(chain, lines, checkpoints)]
    problems += _answer_problems(connection)
    count, lost = _answers_checked(connection)
    problems += lost
    return Checked(
        chain.rows, chain.first, chain.last, len(lines), count,
        bool(lines) and bool(checkpoints.key_name) and checkpoints.genuine(lines[-1]),
        max((line.seq for line in lines), default=0),
        tuple(sorted(problems, key=lambda problem: problem.seq)),
    )


@dataclass(frozen=True, slots=True)
class _Chain:
    rows: int
    first: int
    last: int
    begins: str                              # the hash that the first row follows
    purges: tuple[tuple[int, str], ...]      # (through, hash) that rows tell of
    hashes: dict[int, str]                   # of the rows that checkpoints name
    problems: tuple[Problem, ...]


def _follow(connection: Connection, named: set[int]) -> _Chain:
    rows = first = last = 0
    begins = previous = ""
    purges, hashes, problems = [], {}, []
    for row in _readable(connection):
        if row is None:
            problems.append(Problem(last + 1, f"第 {last + 1} 行读不出来：时间不是时间"))
            break
        if not rows:
            first, begins, previous, last = row.seq, row.previous, row.previous, row.seq - 1
        if not problems and (reason := _wrong(row, last, previous)):
            problems.append(Problem(row.seq if row.seq == last + 1 else last + 1, reason))
        if row.action == PURGE and not problems:
            detail = json.loads(row.detail)
            purges.append((int(detail["through"]), str(detail["hash"])))
        if row.seq in named:
            hashes[row.seq] = row.hash
        rows, last, previous = rows + 1, row.seq, row.hash
    return _Chain(rows, first, last, begins, tuple(purges), hashes, tuple(problems))


def _readable(connection: Connection) -> Iterator[Row[Any] | None]:
    """The rows; None in place of the first one that holds what is no time, and the end."""
    seq = None
    try:
        for row in rows_after(connection, None):
            seq = row.seq
            yield row
    except ValueError:
        pass
    else:
        return
    try:
        for row in rows_after(connection, seq, at_once=1):
            yield row
    except ValueError:
        yield None


def _wrong(row: Row[Any], last: int, previous: str) -> str:
    """Why ``row`` cannot follow the row before it; "" when it can."""
    if row.seq != last + 1:
        return f"第 {last + 1} 行不见了，下一行是第 {row.seq} 行"
    if row.previous != previous:
        return f"第 {row.seq} 行没有接在第 {last} 行之后：前面有行被改动、插入或调换"
    if row.hash != hash_of(row):
        return f"第 {row.seq} 行的内容与它的散列值不符：这一行被改动过"
    return ""


def _start_problems(chain: _Chain, lines: Sequence[Checkpoint]) -> Iterator[Problem]:
    """The log begins at row 1, or where a recorded purge with its checkpoint ended."""
    if not chain.rows:
        return
    start = (chain.first - 1, chain.begins)
    if chain.first == 1:
        if chain.begins != FIRST:
            yield Problem(1, "第 1 行之前不应有别的行")
        return
    if start not in chain.purges:
        yield Problem(chain.first, f"日志从第 {chain.first} 行开始，而没有清理记录说明之前的行去了哪里")
    if not any(line.purge and (line.seq, line.hash) == start for line in lines):
        yield Problem(chain.first, f"日志从第 {chain.first} 行开始，而检查点文件中没有这次清理的检查点")


def _checkpoint_problems(chain: _Chain, lines: Sequence[Checkpoint], by: Checkpoints) -> Iterator[Problem]:
    ours = False
    for line in lines:
        if by.key_name and line.key == by.key_name:
            ours = True
            if not by.genuine(line):
                yield Problem(line.seq, f"第 {line.seq} 行的检查点签名不对：检查点被改动过")
                continue
        elif ours:
            yield Problem(line.seq, f"第 {line.seq} 行的检查点不是用现在的密钥签名的，而它之前的是：检查点被换过")
            continue
        if line.seq > chain.last:
            yield Problem(chain.last + 1, f"检查点记有第 {line.seq} 行，而日志到第 {chain.last} 行为止：末尾被截去")
        elif line.seq >= max(chain.first, 1) and chain.hashes.get(line.seq) != line.hash:
            yield Problem(line.seq, f"第 {line.seq} 行与检查点所记的散列值不同：这一行或它之前的行被改写过")


def _answers_checked(connection: Connection) -> tuple[int, list[Problem]]:
    """How many answers are stored; those that the log does not know, or that say something else now."""
    count, after = 0, ""
    problems: list[Problem] = []
    logged = audit.c.subject == answers.c.id
    while True:
        ids = select(answers.c.id).where(answers.c.id > after).order_by(answers.c.id).limit(_AT_ONCE).subquery()
        rows = connection.execute(
            select(answers.c.id, answers.c.question, answers.c.answer, audit.c.seq, audit.c.detail)
            .join(audit, logged & (audit.c.action == ANSWER), isouter=True)
            .where(answers.c.id.in_(select(ids.c.id))).order_by(answers.c.id)
        ).all()
        if not rows:
            return count, problems
        for row in rows:
            count += 1
            if row.seq is None:
                problems.append(Problem(0, f"回答 {row.id} 在日志中没有记录"))
            elif not _says(row.detail, question=row.question, answer=row.answer):
                problems.append(Problem(row.seq, f"回答 {row.id} 的内容与第 {row.seq} 行所记的散列值不符"))
        after = rows[-1].id


def _says(detail: str, *, question: str, answer: str) -> bool:
    try:
        said = json.loads(detail)
    except json.JSONDecodeError:
        return False
    return isinstance(said, dict) and (said.get("question"), said.get("sha256")) == (sha256(question), sha256(answer))


def _answer_problems(connection: Connection) -> Iterator[Problem]:
    """Answers that the log tells of and that are gone."""
    gone = (
        select(audit.c.seq, audit.c.subject)
        .join(answers, answers.c.id == audit.c.subject, isouter=True)
        .where(audit.c.action == ANSWER, answers.c.id.is_(None)).order_by(audit.c.seq)
    )
    for row in connection.execute(gone):
        yield Problem(row.seq, f"第 {row.seq} 行记有回答 {row.subject}，而这个回答已不在库中")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
