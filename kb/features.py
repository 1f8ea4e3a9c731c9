"""A question and the candidates found for it -> numbers that say how well each fits.

None of them knows which document a candidate is, or how often anybody asked for it: they compare words of the question
with words of the text, its title and its headings, and a candidate with the others that were found. So what a ranker
learns from one body of documents holds for another.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kb.background import Background
from kb.expansion import Expansion
from kb.tokens import HAN_RUN, Tokenizer, plain

Numbers = NDArray[np.float32]
_T = TypeVar("_T")

_K1, _B, _AVERAGE = 1.2, 0.75, 170.0      # of the BM25 parts; 170 characters: the mean of 148,864 articles
# Words that shape a question and name nothing in it.
_SHAPE = frozenset(
    "请问 你好 您好 谢谢 我 你 您 他 她 它 我们 你们 他们 我家 自己 这 那 这个 那个 什么 怎么 怎么办 怎样 "
    "如何 为什么 为何 多少 多久 几 哪 哪些 哪里 谁 何时 的 了 吗 呢 吧 啊 呀 嘛 么 得 地 着 过 是 不 没 没有 有 "
    "能 能否 可以 可 需要 要 应该 会 想 知道 在 到 去 来 给 把 被 让 向 从 对 和 与 及 或 还 也 都 又 就 才 只 很 "
    "最 更 但 因为 所以 以 为 于 之 其 等 上 下 里 中 内 外 后 前 时".split()
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chunk that may answer."""

    point: str
    document: str
    text: str                    # plain: half-width, lower case
    title: str                   # plain, and so is the heading
    heading: str
    rank: int                    # of the rule, see `core.records.Rank`
    sparse: float                # score of the words list; 0 when it is not in it
    dense: float                 # cosine of meaning; 0 without an embedder
    linked: float = 0.0          # 1 when an article found first refers to it or is referred to by it


class AskedTerms:
    """The terms of one question with the weights that they have in legal and official text."""

    def __init__(
        self, question: str, expansions: Sequence[Expansion], *, tokenizer: Tokenizer, background: Background
    ) -> None:
        self.text = plain(question)
        words = list(dict.fromkeys(tokenizer.words(question)))
        self.words = [word for word in words if word not in _SHAPE] or words
        self.pairs = list(dict.fromkeys(pair for run in HAN_RUN.findall(self.text) for pair in _pairs(run)))
        self.signs = [sign for sign in dict.fromkeys("".join(HAN_RUN.findall(self.text))) if sign not in _SHAPE]
        self.terms = [expansion.term for expansion in expansions]
        self.numbers = re.findall(r"\d+", self.text)
        self.word_weights = background.idf(self.words)
        self.pair_weights = background.idf([f"#{pair}" for pair in self.pairs])
        self.sign_weights = background.idf(self.signs)
        self.term_weights = background.idf(self.terms) * np.array([e.weight for e in expansions], dtype=np.float32)


def feature_table(asked: AskedTerms, candidates: Sequence[Candidate]) -> dict[str, Numbers]:
    """Name -> one number per candidate, in order. ``candidates`` stand in the order of their lists' fused ranks."""
    columns: dict[str, Numbers] = {}
    columns |= _list_features(candidates)
    columns |= _text_features(asked, [c.text for c in candidates])
    columns |= _field_features(asked, "title", [c.title for c in candidates])
    columns |= _field_features(asked, "heading", [c.heading for c in candidates])
    columns |= _term_features(asked, candidates)
    columns |= _crowd_features(candidates)
    texts = [c.text for c in candidates]
    columns["number"] = _column(texts, lambda t: sum(n in t for n in asked.numbers) / max(1, len(asked.numbers)))
    columns["length"] = _column(texts, lambda text: math.log1p(len(text)))
    columns["rank_of_rule"] = _column(candidates, lambda c: c.rank)
    columns["defines"] = _column(texts, lambda t: "是指" in t or "所称" in t)
    columns["punishes"] = _column(texts, lambda t: "罚款" in t or "有期徒刑" in t)
    columns["linked"] = _column(candidates, lambda c: c.linked)
    columns["question_length"] = np.full(len(candidates), len(asked.text), dtype=np.float32)
    columns["question_words"] = np.full(len(candidates), len(asked.words), dtype=np.float32)
    return columns


def feature_matrix(asked: AskedTerms, candidates: Sequence[Candidate]) -> tuple[tuple[str, ...], Numbers]:
    """The names of the columns, and float32 of shape (candidates, columns)."""
    table = feature_table(asked, candidates)
    return tuple(table), np.stack([np.asarray(column, dtype=np.float32) for column in table.values()], axis=1)


def _list_features(candidates: Sequence[Candidate]) -> dict[str, Numbers]:
    sparse = _column(candidates, lambda c: c.sparse)
    dense = _column(candidates, lambda c: c.dense)
    return {
        "place": 1 / np.arange(1, len(candidates) + 1, dtype=np.float32),
        "sparse": sparse,
        "sparse_share": _shares(sparse),
        "sparse_place": _places(sparse),
        "dense": dense,
        "dense_lead": dense - dense.max(),
        "dense_place": _places(dense),
    }


def _text_features(asked: AskedTerms, texts: Sequence[str]) -> dict[str, Numbers]:
    """BM25, its share of the best, its place, and the weight of what is covered, for words, pairs and single signs;
    the longest run of the question's pairs (the longest phrase that both have, less one)."""
    lengths = _column(texts, len)
    columns: dict[str, Numbers] = {}
    for name, terms, weights in (
        ("words", asked.words, asked.word_weights),
        ("pairs", asked.pairs, asked.pair_weights),
        ("signs", asked.signs, asked.sign_weights),
    ):
        counts = _counts(terms, texts)
        score = _bm25(counts, weights, lengths)
        columns[f"{name}_bm25"] = score
        columns[f"{name}_share"] = _shares(score)
        columns[f"{name}_place"] = _places(score)
        columns[f"{name}_covered"] = _covered(counts, weights)
        if name == "pairs":
            columns["phrase"] = _longest_run(counts > 0)
            columns["phrase_share"] = columns["phrase"] / np.float32(max(1, len(terms)))
    return columns


def _field_features(asked: AskedTerms, name: str, values: Sequence[str]) -> dict[str, Numbers]:
    """How much of the question a title or heading covers, and how much of it stands in the question."""
    distinct = list(dict.fromkeys(values))
    at = {value: number for number, value in enumerate(distinct)}
    rows = np.array([at[value] for value in values])
    return {
        f"{name}_words": _covered(_counts(asked.words, distinct), asked.word_weights)[rows],
        f"{name}_pairs": _covered(_counts(asked.pairs, distinct), asked.pair_weights)[rows],
        f"{name}_asked": _column(distinct, lambda value: _share_in(value, asked.text))[rows],
    }


def _term_features(asked: AskedTerms, candidates: Sequence[Candidate]) -> dict[str, Numbers]:
    """The same for the official terms that everyday words stand for."""
    texts = [c.text for c in candidates]
    counts = _counts(asked.terms, texts)
    score = _bm25(counts, asked.term_weights, _column(texts, len))
    above = _counts(asked.terms, [f"{c.title} {c.heading}" for c in candidates])
    return {
        "terms_bm25": score,
        "terms_share": _shares(score),
        "terms_covered": _covered(counts, asked.term_weights),
        "terms_above": _covered(above, asked.term_weights),
    }


def _crowd_features(candidates: Sequence[Candidate]) -> dict[str, Numbers]:
    """How many candidates stand in the same document and under the same heading, and how good these are."""
    sparse = _shares(_column(candidates, lambda c: c.sparse))
    owners = [c.document for c in candidates]
    parts = [(c.document, c.heading) for c in candidates]
    best: dict[str, float] = {}
    mass: Counter[str] = Counter()
    part_mass: Counter[tuple[str, str]] = Counter()
    for owner, part, share in zip(owners, parts, sparse.tolist(), strict=True):
        best[owner] = max(best.get(owner, 0.0), share)
        mass[owner] += share * share
        part_mass[part] += share * share
    order = {owner: place for place, (owner, _) in enumerate(mass.most_common())}
    crowd, first = Counter(owners), Counter(owners[:20])
    return {
        "crowd": _column(owners, lambda owner: crowd[owner]),
        "crowd_first": _column(owners, lambda owner: first[owner]),
        "document_best": _column(owners, lambda owner: best[owner]),
        "document_mass": _column(owners, lambda owner: mass[owner]),
        "document_place": _column(owners, lambda owner: order[owner]),
        "part_mass": _column(parts, lambda part: part_mass[part]),
    }


# arithmetic


def _column(values: Sequence[_T], number: Callable[[_T], float]) -> Numbers:
    return np.array([number(value) for value in values], dtype=np.float32)


def _counts(terms: Sequence[str], texts: Sequence[str]) -> Numbers:
    """Occurrences: shape (texts, terms). Found as pieces of text, so that nothing has to be cut into words."""
    return np.array([[text.count(term) for term in terms] for text in texts], dtype=np.float32).reshape(
        len(texts), len(terms)
    )


def _bm25(counts: Numbers, weights: Numbers, lengths: Numbers) -> Numbers:
    base = _K1 * (1 - _B + _B * lengths[:, None] / _AVERAGE)
    return np.asarray((counts * (_K1 + 1) / (counts + base) * weights).sum(axis=1), dtype=np.float32)


def _covered(counts: Numbers, weights: Numbers) -> Numbers:
    total = float(weights.sum()) or 1.0
    return np.asarray(((counts > 0) * weights).sum(axis=1) / total, dtype=np.float32)


def _shares(values: Numbers) -> Numbers:
    return values / (float(values.max(initial=0.0)) or 1.0)


def _places(values: Numbers) -> Numbers:
    """0 for the highest; equal ones in order."""
    places = np.empty(len(values), dtype=np.float32)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places


def _longest_run(has: NDArray[np.bool_]) -> Numbers:
    longest = np.zeros(len(has), dtype=np.float32)
    running = np.zeros(len(has), dtype=np.float32)
    for column in has.T:
        running = (running + 1) * column
        longest = np.maximum(longest, running)
    return longest


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _share_in(value: str, text: str) -> float:
    pairs = [pair for run in HAN_RUN.findall(value) for pair in _pairs(run)]
    return sum(pair in text for pair in pairs) / max(1, len(pairs))
