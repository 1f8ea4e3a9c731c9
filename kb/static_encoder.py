"""The encoder that ships: a text's vector is the mean of the vectors of its words, character pairs and characters.

The folder is one that model2vec opens (safetensors, int8 with a scale per term). Its own `encode` gives the same
vectors to a text whose terms were cut and joined by spaces, but takes several times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import add
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, MissingExtra
from core.ports import Vectors
from kb.expansion import TermMap
from kb.tokens import open_tokenizer, plain

SHIPPED = Path(__file__).resolve().parent / "assets" / "encoder"
PAIR, SIGN = "#", "@"             # mark a pair of characters and a single one among the terms; a word has no mark
TERM_WEIGHT = 0.2                 # of an official term's words beside a question's own: 0.6 lost on unseen laws


class TermIds:
    """Cuts a text into the numbers of the terms that are known."""

    def __init__(self, terms: Iterable[str]) -> None:
        """``terms`` in the order of their numbers."""
        self._words: dict[str, int] = {}
        self._pairs: dict[str, int] = {}
        self._signs: dict[str, int] = {}
        self._cut: Callable[[str], Iterable[str]] = open_tokenizer("rjieba", bigrams=False).cut
        of = {PAIR: self._pairs, SIGN: self._signs}
        for number, term in enumerate(terms):
            kind = of.get(term[:1])
            if kind is None or len(term) == 1:
                self._words[term] = number
            else:
                kind[term[1:]] = number

    def __call__(self, text: str) -> list[int]:
        """Numbers of words, of pairs, and of single characters, each kind in the order of the text."""
        signs = plain(text)
        found = [*map(self._words.get, self._cut(signs)), *map(self._pairs.get, map(add, signs, signs[1:])),
                 *map(self._signs.get, signs)]
        return [number for number in found if number is not None]


class StaticEncoder:
    """An embedder over a folder that `policydesk train encoder` wrote. Threads may share it."""

    def __init__(self, folder: Path = SHIPPED, *, terms: TermMap | None = None) -> None:
        """With ``terms`` a question's vector leans towards the official terms of its everyday words.

        Raises `ConfigError` when the folder holds no such encoder.
        """
        if not (folder / "model.safetensors").is_file() or not (folder / "tokenizer.json").is_file():
            raise ConfigError(f"{folder} 中没有自带编码模型（缺 model.safetensors 或 tokenizer.json）。"
                              "请用 policydesk train encoder --out 生成，或重新安装")
        try:
            from model2vec import StaticModel
        except ImportError as error:
            raise MissingExtra("model2vec", "dev") from error
        model = StaticModel.from_pretrained(folder)
        if model.weights is None or model.embedding.dtype != np.int8:
            raise ConfigError(f"{folder} 不是 policydesk train encoder 写的编码模型（应为 int8，每词一个系数）")
        scales = np.asarray(model.weights, dtype=np.float32)[:, None]
        self._table: NDArray[np.float32] = np.asarray(model.embedding, dtype=np.float32) * scales
        self._ids = TermIds(model.tokens)
        self._terms = terms
        self.folder = folder
        self._name = f"static-{self.dim}@{_digest(folder)}"

    @property
    def name(self) -> str:
        """Holds a digest of the weights and the terms: another training is another index."""
        return self._name

    @property
    def dim(self) -> int:
        return int(self._table.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A text without a known term gets a row of zeros."""
        sums = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            sums[row] = self._sum(text)
        return _unit(sums)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        sums = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            sums[row] = self._sum(text)
            for expansion in self._terms.expand(text) if self._terms else ():
                sums[row] += TERM_WEIGHT * expansion.weight * self._sum(expansion.term)
        return _unit(sums)

    def _sum(self, text: str) -> NDArray[np.float32]:
        """Of the rows of a text's terms: one text at a time, since its rows stay in the cache of one core."""
        rows = self._table.take(np.array(self._ids(text), dtype=np.intp), axis=0)
        return np.asarray(rows.sum(axis=0), dtype=np.float32)


def terms_of(text: str) -> Iterator[str]:
    """Every term of a text, as the vocabulary of an encoder writes them; pairs and signs of Chinese characters only."""
    signs = plain(text)
    yield from (word for word in open_tokenizer("rjieba", bigrams=False).cut(signs) if word[0].isalnum())
    yield from (f"{PAIR}{one}{two}" for one, two in pairwise(signs) if _is_han(one) and _is_han(two))
    yield from (f"{SIGN}{sign}" for sign in signs if _is_han(sign))


def _is_han(sign: str) -> bool:
    return "\u3400" <= sign <= "\u9fff"


def _unit(sums: NDArray[np.float32]) -> Vectors:
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    np.divide(sums, norms, out=sums, where=norms > 0)
    return sums


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.safetensors", "tokenizer.json"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]
