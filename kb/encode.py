"""Many texts to vectors in other processes, so that cutting them into terms does not hold up writing."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessFuture, ProcessPool

from core.config import IndexConfig
from core.ports import Embedder, Sparse, Vectors
from core.processes import end_with_parent
from kb.static_encoder import StaticEncoder
from kb.tokens import SparseEncoder, index_tokenizer

Fields = tuple[str, str, str]      # title, headings, text


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of one text."""

    sparse: Sparse
    dense: list[float] | None


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch as flat arrays: lists of small numbers would take longer to send than to make."""

    lengths: list[int]                       # of the sparse vectors
    indices: NDArray[np.uint32]
    values: NDArray[np.float32]
    dense: Vectors | None                    # None unless the embedder is static: another one works where it is loaded


class EncodingPool:
    """Worker processes, started by the first `submit`: a handful of documents never pays for them."""

    def __init__(self, config: IndexConfig, embedder: Embedder | None, workers: int) -> None:
        self._config = config
        self._static = embedder.folder if isinstance(embedder, StaticEncoder) else None
        self._workers = workers
        self._pool: ProcessPool | None = None

    def submit(self, batch: Sequence[Fields]) -> ProcessFuture[Packed]:
        """A worker that is killed ends it with `ProcessExpired`; with `concurrent.futures` one would wait for ever."""
        if self._pool is None:
            # spawn: a fork would copy the index's threads in an unknown state
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPool(self._workers, context=spawn, initializer=end_with_parent)
        return self._pool.schedule(_encode, args=[self._config, self._static, batch])

    def close(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()


def unpack(packed: Packed, batch: Sequence[Fields], embedder: Embedder | None) -> list[Encoded]:
    """With the vectors of ``embedder``, which are made here unless the worker made them."""
    dense = packed.dense if packed.dense is not None else embed(batch, embedder)
    sparse = []
    start = 0
    for length in packed.lengths:
        end = start + length
        sparse.append(Sparse(packed.indices[start:end].tolist(), packed.values[start:end].tolist()))
        start = end
    return _joined(sparse, dense)


def encode(batch: Sequence[Fields], encoder: SparseEncoder, embedder: Embedder | None) -> list[Encoded]:
    """In this process."""
    return _joined([encoder.document(*fields) for fields in batch], embed(batch, embedder))


def embed(batch: Sequence[Fields], embedder: Embedder | None) -> Vectors | None:
    return embedder.embed(["\n".join(fields) for fields in batch]) if embedder else None


def _joined(sparse: Sequence[Sparse], dense: Vectors | None) -> list[Encoded]:
    vectors: Sequence[list[float] | None] = [None] * len(sparse) if dense is None else dense.tolist()
    return [Encoded(words, vector) for words, vector in zip(sparse, vectors, strict=True)]


def _encode(config: IndexConfig, static: Path | None, batch: Sequence[Fields]) -> Packed:
    encoder = _encoder(config)
    lengths: list[int] = []
    indices: list[int] = []
    values: list[float] = []
    for title, heading, text in batch:
        sparse = encoder.document(title, heading, text)
        lengths.append(len(sparse.indices))
        indices += sparse.indices
        values += sparse.values
    dense = embed(batch, _static(static)) if static else None
    return Packed(lengths, np.array(indices, dtype=np.uint32), np.array(values, dtype=np.float32), dense)


@cache
def _encoder(config: IndexConfig) -> SparseEncoder:
    """One per worker process: it remembers the numbers of terms."""
    return SparseEncoder(index_tokenizer(config), config)


@cache
def _static(folder: Path) -> StaticEncoder:
    return StaticEncoder(folder)
