"""The plain alternative: the same articles in bm25s, cut into words by rjieba or jieba, all in memory."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import MissingExtra
from core.records import Question
from eval.latency import RefSearch


@dataclass(frozen=True, slots=True)
class PlainIndex:
    """A BM25 index with the library's own settings. It knows no region, date or state."""

    search: RefSearch
    made_of: str             # "bm25s + rjieba"
    articles: int
    seconds: float           # to cut and index; reading the articles is not counted


def build_plain(articles: Iterable[tuple[str, str]]) -> PlainIndex:
    """Index (ref, text) pairs. Raises `MissingExtra` without bm25s."""
    try:
        bm25s = importlib.import_module("bm25s")  # untyped, and an extra: mypy must pass with and without it
    except ImportError as error:
        raise MissingExtra("bm25s", "dev") from error
    from kb.tokens import open_tokenizer

    tokenizer = open_tokenizer("auto", bigrams=False)
    pairs = list(articles)
    refs = [ref for ref, _ in pairs]
    started = time.perf_counter()
    index = bm25s.BM25()
    index.index([tokenizer.words(text) for _, text in pairs], show_progress=False)
    seconds = time.perf_counter() - started

    def search(question: Question, top: int) -> list[str]:
        words = tokenizer.words(question.text)
        places, scores = index.retrieve([words], k=min(top, len(refs)), show_progress=False)
        return [refs[place] for place, value in zip(places[0], scores[0], strict=True) if value > 0]

    return PlainIndex(search, f"bm25s + {tokenizer.name}", len(refs), seconds)
