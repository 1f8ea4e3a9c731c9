"""How rare terms are in Chinese law and official text, counted once over many documents and shipped.

The index knows how rare a term is among its own documents; a ranker needs weights that mean the same everywhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHIPPED = Path(__file__).resolve().parent / "assets" / "background.npz"


class Background:
    """Document frequencies of words, ``#`` character pairs and single characters."""

    def __init__(self, texts: int, ids: NDArray[np.uint32], counts: NDArray[np.uint32]) -> None:
        """``ids`` are sorted crc32 numbers of terms, ``counts`` the texts that hold each, of ``texts`` in all."""
        self._ids = ids
        self._idf = np.log(1 + (texts - counts + 0.5) / (counts + 0.5)).astype(np.float32)
        self._unknown = float(np.log(1 + (texts + 0.5) / 0.5))

    def idf(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """The weight of BM25: log(1 + (N - n + 0.5) / (n + 0.5)); an unknown term counts as one in no text."""
        wanted = np.array([zlib.crc32(term.encode()) for term in terms], dtype=np.uint32)
        at = np.searchsorted(self._ids, wanted)
        at[at == len(self._ids)] = 0
        known = self._ids[at] == wanted if len(self._ids) else np.zeros(len(wanted), dtype=bool)
        return np.where(known, self._idf[at] if len(self._ids) else self._unknown, self._unknown).astype(np.float32)


def read_background(path: Path = SHIPPED) -> Background:
    with np.load(path, allow_pickle=False) as stored:
        return Background(int(stored["texts"]), stored["ids"], stored["counts"])


def count_background(texts: Iterable[Iterable[str]], *, least: int) -> tuple[int, dict[str, int]]:
    """How many texts (each a collection of terms) there are, and how many hold each term, rarer ones left out."""
    counts: dict[str, int] = {}
    number = 0
    for number, terms in enumerate(texts, start=1):  # noqa: B007
        for term in set(terms):
            counts[term] = counts.get(term, 0) + 1
    return number, {term: count for term, count in counts.items() if count >= least}


def write_background(path: Path, texts: int, counts: dict[str, int]) -> None:
    numbered = sorted((zlib.crc32(term.encode()), count) for term, count in counts.items())
    ids = np.array([number for number, _ in numbered], dtype=np.uint32)
    held = np.array([count for _, count in numbered], dtype=np.uint32)
    np.savez_compressed(path, texts=np.array(texts), ids=ids, counts=held)
