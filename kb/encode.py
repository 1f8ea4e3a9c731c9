"""Many texts to sparse vectors in other processes, so that cutting words does not hold up writing."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.config import IndexConfig
from core.ports import Sparse
from core.processes import end_with_parent
from kb.tokens import SparseEncoder, index_tokenizer

Fields = tuple[str, str, str]      # title, headings, text
Packed = tuple[list[int], NDArray[np.uint32], NDArray[np.float32]]   # lengths, indices, values of a batch


class EncodingPool:
    """Worker processes, started by the first `submit`: a handful of documents never pays for them."""

    def __init__(self, config: IndexConfig, workers: int) -> None:
        self._config = config
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, batch: Sequence[Fields]) -> Future[Packed]:
        if self._pool is None:
            # spawn: a fork would copy the index's threads in an unknown state
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=spawn, initializer=end_with_parent)
        return self._pool.submit(_encode, self._config, batch)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def unpack(packed: Packed) -> list[Sparse]:
    lengths, indices, values = packed
    out = []
    start = 0
    for length in lengths:
        end = start + length
        out.append(Sparse(indices[start:end].tolist(), values[start:end].tolist()))
        start = end
    return out


def _encode(config: IndexConfig, batch: Sequence[Fields]) -> Packed:
    """Flat arrays: lists of small numbers would take longer to send than to make."""
    encoder = _encoder(config)
    lengths: list[int] = []
    indices: list[int] = []
    values: list[float] = []
    for title, heading, text in batch:
        sparse = encoder.document(title, heading, text)
        lengths.append(len(sparse.indices))
        indices += sparse.indices
        values += sparse.values
    return lengths, np.array(indices, dtype=np.uint32), np.array(values, dtype=np.float32)


@cache
def _encoder(config: IndexConfig) -> SparseEncoder:
    """One per worker process: it remembers the numbers of terms."""
    return SparseEncoder(index_tokenizer(config), config)
