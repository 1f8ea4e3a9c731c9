"""Ways to cut a text into terms that are compared with each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import qdrant_edge as edge

from kb.tokens import HAN_RUN, open_tokenizer, plain

Cut = Callable[[str], Sequence[object]]
"""Text -> its terms, one per occurrence."""

_NUMBER = re.compile(r"\d+(?:\.\d+)*%?|[a-z]+\d*")
# The fifty words that stand in most chunks of Chinese law and policy text and the words with which people ask.
_STOP_WORDS = frozenset(
    "的 和 或者 或 应当 不 由 在 对 有 是 可以 与 及 为 以 其 等 并 并且 按照 根据 依照 第 条 款 项 之 于 上 中 下"
    " 被 将 吗 呢 吧 啊 呀 怎么 什么 怎样 如何 哪些 哪个 请问 多少 为什么 能不能 可不可以 我 你 他 我们 了 就 都 要"
    " 会 能 还 也 这 那 这个 那个 一个 没有 该 如果 但 但是 而 所 给 让 到 说 去 来".split()
)
# Each stands in a quarter of all chunks, of laws and of city policies alike.
_COMMON = frozenset("的和人行定理法条管关有国二一规民中三第政以十应用部门施章本保市务对在机业工四制作等")
_WHOLE_COUNTS = 1e7      # as k of a BM25 weight n (k + 1) / (n + k) it leaves n itself, to a tenth at 1,000


def term_kinds(user_words: Iterable[str]) -> dict[str, Cut]:
    """Name -> cutter. ``user_words`` are known to the one called "user words"."""
    words = open_tokenizer("auto", bigrams=False).words
    return {
        "jieba": _later(lambda: open_tokenizer("jieba", bigrams=False).words),
        "words": words,
        "search words": _later(_search_words),
        "all words": _later(_all_words),
        "user words": _later(lambda: _user_words(user_words)),
        "no stop words": lambda text: [word for word in words(text) if word not in _STOP_WORDS],
        "multilingual": _later(_multilingual),
        "characters": lambda text: [char for run in HAN_RUN.findall(plain(text)) for char in run],
        "rarer characters": lambda text: [
            char for run in HAN_RUN.findall(plain(text)) for char in run if char not in _COMMON
        ],
        "bigrams": lambda text: _runs(text, 2),
        "numbers": lambda text: _NUMBER.findall(plain(text)),
        "trigrams": lambda text: _runs(text, 3),
    }


def _later(make: Callable[[], Cut]) -> Cut:
    """A cutter that is made when it is first used: jieba takes a second to load."""
    made: list[Cut] = []

    def cut(text: str) -> Sequence[object]:
        if not made:
            made.append(make())
        return made[0](text)

    return cut


def _runs(text: str, length: int) -> list[str]:
    return [run[at : at + length] for run in HAN_RUN.findall(plain(text)) for at in range(len(run) - length + 1)]


def _search_words() -> Cut:
    """Long words and the shorter ones inside them."""
    import rjieba

    return lambda text: [word for word in rjieba.cut_for_search(plain(text)) if word[0].isalnum()]


def _all_words() -> Cut:
    """Every word of the dictionary that stands anywhere in the text."""
    import rjieba

    return lambda text: [word for word in rjieba.cut_all(plain(text)) if word[:1].isalnum()]


def _user_words(user_words: Iterable[str]) -> Cut:
    import rjieba

    cutter = rjieba.Jieba()
    for word in sorted(map(plain, user_words)):
        cutter.add_word(word, cutter.suggest_freq(word), "n")
    return lambda text: [word for word in cutter.cut(plain(text)) if word[0].isalnum()]


def _multilingual() -> Cut:
    """Numbers of the terms of qdrant-edge, which hands out no words; without stop words, as ours are."""
    model = edge.Bm25(edge.Bm25Config(
        k=_WHOLE_COUNTS, b=0.0, tokenizer=edge.TokenizerType.Multilingual, language="chinese",
        stopwords=edge.StopwordsSet(languages=set(), custom=set()),
    ))

    def cut(text: str) -> list[object]:
        counts = model.embed_document(text)
        return [term for term, count in zip(counts.indices, counts.values, strict=True) for _ in range(round(count))]

    return cut
