"""What a text is compared by with all others: a hash of its letters, hashes of its sentences, and bands of them.

Two documents that share most sentences share a band with high probability (Broder, On the resemblance of documents,
1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4). With 12 bands of 5 minima each, a pair
with four of five sentences in common is missed once in 120 times, one with every second in common three times in four.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Document

_BANDS, _ROWS = 12, 5
# Replaced one by one: a scan for one character is so fast that 50 take a quarter of the time of a regular expression.
_MARKS = "，、：“”‘’（）《》〈〉〔〕【】—…·－～．,.:\"'()<>[]{}|-–_*#/\\~`+=&%\u200b\ufeff"
_ENDS = re.compile(r"[。；！？;!?\n]+")
# Odd multipliers: h * m mod 2**64, of which the upper half is kept, orders the hashes anew for each m.
_MULTIPLIERS = np.random.default_rng(1997).integers(0, 2**63, size=_BANDS * _ROWS, dtype=np.uint64) << 1 | 1

Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Sketch:
    """Of the articles' texts, without labels, headings and what stands around them."""

    text_hash: str | None        # None: there are no words
    sentences: Hashes            # distinct, sorted


def sketch(document: Document) -> Sketch:
    body = "\n".join(["".join(document.text[a.start : a.end].split()) for a in document.articles])
    for mark in _MARKS:
        body = body.replace(mark, "")
    sentences = [sentence for sentence in _ENDS.split(body) if sentence]
    letters = "".join(sentences)
    hashes = np.array(sorted({*map(zlib.crc32, map(str.encode, sentences))}), dtype=np.uint32)
    return Sketch(hashlib.sha256(letters.encode()).hexdigest()[:16] if letters else None, hashes)


def band_keys(sketches: Sequence[Sketch]) -> list[list[int]]:
    """For each sketch one 63-bit number per band; none for a text without sentences."""
    filled = [n for n, one in enumerate(sketches) if len(one.sentences)]
    keys: list[list[int]] = [[] for _ in sketches]
    if filled:
        hashes = np.concatenate([sketches[n].sentences for n in filled]).astype(np.uint64)
        starts = np.cumsum([0] + [len(sketches[n].sentences) for n in filled[:-1]])
        minima = np.stack([np.minimum.reduceat((_mixed(hashes) * m) >> np.uint64(32), starts) for m in _MULTIPLIERS])
        for n, column in zip(filled, minima.T, strict=True):
            keys[n] = [_band(number, column[number * _ROWS : (number + 1) * _ROWS]) for number in range(_BANDS)]
    return keys


def similarity(one: Hashes, other: Hashes) -> float:
    """Shared sentences over all (Jaccard); two texts without sentences have none in common."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    total = len(one) + len(other) - shared
    return shared / total if total else 0.0


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """crc32 is linear: without this step related sentences would stay related (the finaliser of splitmix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _band(number: int, minima: NDArray[np.uint64]) -> int:
    digest = hashlib.blake2b(minima.tobytes(), digest_size=8, salt=number.to_bytes(2, "big")).digest()
    return int.from_bytes(digest, "big") >> 1
