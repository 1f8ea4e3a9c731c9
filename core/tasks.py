"""What each use of the language model may take: one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """The profile of one use. The seconds of a task are never more than its ``total_seconds``."""

    name: str
    prompt: str                # version of its prompt, which goes into the ledger with what came
    temperature: float
    max_tokens: int            # of the reply
    first_seconds: float       # from the call to the first piece: waiting for a place, connecting, reading the prompt
    between_seconds: float     # from one piece to the next
    total_seconds: float       # from the call to the last piece
    at_once: int               # calls at the same time


# 0.0, because the same question should get the same answer. 18 s in all, so that the extracted answer that goes out
# when the model fails is there within 20 s.
ANSWER = Task("answer", "answer-1", 0.0, 1024, first_seconds=8.0, between_seconds=4.0, total_seconds=18.0, at_once=8)

TASKS = {task.name: task for task in (ANSWER,)}
