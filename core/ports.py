"""The seams: what a model and a vector store must do, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from core.tasks import Task

Vectors = NDArray[np.float32]
Scores = NDArray[np.float32]
Structure = TypeVar("Structure", bound=BaseModel)


class Embedder(Protocol):
    """Text to dense vectors."""

    @property
    def name(self) -> str:
        """Stored with the index; a different name means a different index."""
        ...

    @property
    def dim(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, in order: float32, shape (len(texts), dim), L2 norm 1; 0 for a text of unknown terms."""
        ...

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """As `embed`, for what is asked: some models want an instruction before a question."""
        ...


class Reranker(Protocol):
    """How well each of a few texts answers a question."""

    @property
    def name(self) -> str:
        """Printed with results; scores of different names must not be compared."""
        ...

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        """One score per text, in order: float32, shape (len(texts),), finite, higher is better.

        The range is the implementation's own, which says it; only the order is the same everywhere.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A turn of the talk with a language model."""

    role: str                     # system, user, assistant
    text: str


class Generator(Protocol):
    """Messages to text that a language model wrote. Threads may share it."""

    @property
    def name(self) -> str:
        """Shown as `made_by` of what it wrote."""
        ...

    def stream(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        """Pieces of the reply as they come, never empty, without what a model thinks before it answers.

        With a JSON schema the server is told to hold the reply to it. Closing the iterator frees its place. Raises
        `GenerationFailed`, whatever went wrong and at any piece; what came until then is to be thrown away.
        """
        ...

    def structured(self, task: Task, messages: Sequence[Message], schema: type[Structure]) -> Structure:
        """The reply read as ``schema``, tolerantly; one that cannot be read is shown to the model once more.

        Raises `GenerationFailed`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector: distinct term ids below 2**32 and their weights, of equal length."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Point:
    """One chunk as the store keeps it; revisions of a document may share it."""

    id: str                       # 16 hex digits
    sparse: Sparse
    dense: list[float] | None
    generation: int               # the batch that wrote it
    region: str                   # "" for national rules
    rank: int
    in_force_from: int            # yyyymmdd; 0 when unknown
    in_force_to: int              # yyyymmdd, exclusive; 99991231 when open
    public: bool


@dataclass(frozen=True, slots=True)
class PointFilter:
    """Conditions that a found point meets, all applied inside the store's query."""

    regions: tuple[str, ...] | None = None
    as_of: int | None = None
    public_only: bool = False
    ranks: tuple[int, ...] | None = None
    without_generations: tuple[int, ...] = ()
    only: frozenset[str] | None = None        # ids of points


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A point as it lies in the store, whoever wrote it."""

    id: str
    payload: Mapping[str, object]     # as `kb.store.payload` makes it, unless something is wrong
    sparse: Sparse | None             # None: not asked for, or not there
    dense: list[float] | None


class Store(Protocol):
    """A vector store with one sparse and at most one dense vector per point."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points; an id that exists is overwritten. Durable after `flush`."""
        ...

    def set_validity(self, ids: Sequence[str], *, in_force_from: int, in_force_to: int) -> None:
        """Change the dates of points, all of which are there."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points; unknown ids are ignored."""
        ...

    def flush(self) -> None:
        """Return once everything written before is on disk."""
        ...

    def query(self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int) -> list[tuple[str, float]]:
        """(chunk id, score), best first: by words for a sparse vector, by meaning for a dense one."""
        ...

    def count(self) -> int: ...

    def read(self, ids: Sequence[str] | None = None, *, vectors: bool = False) -> Iterator[StoredPoint]:
        """Each point once, in no order: all, or those of ``ids`` that are there. Nobody may write meanwhile."""
        ...

    def close(self) -> None: ...
