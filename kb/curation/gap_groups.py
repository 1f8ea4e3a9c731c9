"""Questions that ask about one matter, in whatever words: groups by likeness of meaning and of character pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.ports import Vectors
from kb.background import Background
from kb.tokens import HAN_RUN, plain

MOST = 4_000                     # texts grouped at once: their likenesses take 64 MB
PAIRS_SHARE = 0.15               # of the character pairs; with 0.3 the split dev of eval/gap_questions.jsonl fell apart

Embed = Callable[[Sequence[str]], Vectors]
Matrix = NDArray[np.float32]


def likeness(texts: Sequence[str], embed: Embed, background: Background) -> Matrix:
    """0 to 1 for each two of ``texts``."""
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    vectors, pairs = embed(texts), _pair_vectors(texts, background)
    alike = (1 - PAIRS_SHARE) * (vectors @ vectors.T) + PAIRS_SHARE * (pairs @ pairs.T)
    return np.clip(alike, 0.0, 1.0).astype(np.float32)


def groups(alike: Matrix, least: float) -> list[list[int]]:
    """Places of texts by groups that are as alike as ``least`` on average, the largest group first."""
    if len(alike) < 2:
        return [[place] for place in range(len(alike))]
    from scipy.cluster.hierarchy import fcluster, linkage  # 0.3 s
    from scipy.spatial.distance import squareform

    apart = 1.0 - np.maximum(alike, alike.T)
    np.fill_diagonal(apart, 0.0)
    labels = fcluster(linkage(squareform(apart, checks=False), "average"), 1.0 - least, "distance")
    found: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        found.setdefault(int(label), []).append(place)
    return sorted(found.values(), key=lambda group: (-len(group), group[0]))


def middle(alike: Matrix, group: Sequence[int]) -> int:
    """The place of the text that is most like the others of its group, the first of equals."""
    shared = alike[np.ix_(group, group)].sum(axis=1)
    return group[int(shared.argmax())]


def _pair_vectors(texts: Sequence[str], background: Background) -> Matrix:
    """Length 1, or 0 for a text without Chinese characters."""
    numbers: dict[str, int] = {}
    held = []
    for text in texts:
        pairs = {f"#{one}{two}" for run in HAN_RUN.findall(plain(text)) for one, two in pairwise(run)}
        held.append([numbers.setdefault(pair, len(numbers)) for pair in sorted(pairs)])
    weights = background.idf(list(numbers)) if numbers else np.zeros(0, dtype=np.float32)
    vectors = np.zeros((len(texts), len(numbers)), dtype=np.float32)
    for row, places in enumerate(held):
        vectors[row, places] = weights[places]
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, norms, out=vectors, where=norms > 0)
    return vectors
