"""Small, real, deterministic implementations of the ports, for tests and for trying things without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from core.ports import Scores, Vectors


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
