"""Small, real, deterministic implementations of the ports, for tests and for trying things without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.errors import Fault, GenerationFailed
from core.json_reply import Unreadable, read_reply
from core.ports import Message, Scores, Structure, Vectors
from core.tasks import Task


class HashEmbedder:
    """Bags of hashed characters: texts that share characters lie near each other."""

    name = "hash-64"
    dim = 64

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for char in text:
                vectors[row, hashlib.md5(char.encode()).digest()[0] % self.dim] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        normal: Vectors = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
        return normal

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)


class OverlapReranker:
    """The share of the question's characters that stand in the text, from 0 to 1."""

    name = "overlap"

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        wanted = set(question)
        shares = [len(wanted & set(text)) / max(len(wanted), 1) for text in texts]
        return np.array(shares, dtype=np.float32)


class ScriptedGenerator:
    """Gives the replies that it was handed, one a call, in pieces of a few characters, and keeps what it was asked.

    A reply may be an error, which is raised, or (text, error): the stream breaks off after the text.
    """

    name = "scripted"

    def __init__(
        self, replies: Sequence[str | GenerationFailed | tuple[str, GenerationFailed]], piece: int = 3
    ) -> None:
        self.asked: list[tuple[Task, tuple[Message, ...]]] = []
        self._replies = list(replies)
        self._piece = piece

    def stream(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        text, error = self._next(task, messages)
        for start in range(0, len(text), self._piece):
            yield text[start : start + self._piece]
        if error is not None:
            raise error

    def structured(self, task: Task, messages: Sequence[Message], schema: type[Structure]) -> Structure:
        for _ in range(2):
            text, error = self._next(task, messages)
            if error is not None:
                raise error
            try:
                return read_reply(text, schema)
            except Unreadable:
                continue
        raise GenerationFailed(Fault.GARBAGE, f"{schema.__name__}：两次回答都读不出来")

    def _next(self, task: Task, messages: Sequence[Message]) -> tuple[str, GenerationFailed | None]:
        self.asked.append((task, tuple(messages)))
        if not self._replies:
            return "", GenerationFailed(Fault.EMPTY, "没有下一个回答")
        reply = self._replies.pop(0)
        if isinstance(reply, GenerationFailed):
            return "", reply
        return (reply, None) if isinstance(reply, str) else reply
