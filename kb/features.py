"""A question and the candidates found for it -> numbers that say how well each fits.

None of them knows which document a candidate is, or how often anybody asked for it: they compare words of the question
with words of the text, its title and its headings, and a candidate with the others that were found. So what a ranker
learns from one body of documents holds for another.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ports import Embedder
from core.records import Rank
from kb.background import Background
from kb.expansion import Expansion
from kb.tokens import HAN_RUN, SHAPE, Tokenizer, plain

Numbers = NDArray[np.float32]
Whole = NDArray[np.intp]

_K1, _B, _AVERAGE = 1.2, 0.75, 170.0      # of the BM25 parts; 170 characters: the mean of 148,864 articles


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
    fused: float                 # of both, as the lists are put together
    linked: float = 0.0          # 1 when an article found first refers to it or is referred to by it


class AskedTerms:
    """The terms of one question with the weights that they have in legal and official text."""

    def __init__(
        self, question: str, expansions: Sequence[Expansion], *, tokenizer: Tokenizer, background: Background
    ) -> None:
        self.text = plain(question)
        words = list(dict.fromkeys(tokenizer.words(question)))
        self.words = [word for word in words if word not in SHAPE] or words
        self.pairs = list(dict.fromkeys(pair for run in HAN_RUN.findall(self.text) for pair in _pairs(run)))
        self.signs = [sign for sign in dict.fromkeys("".join(HAN_RUN.findall(self.text))) if sign not in SHAPE]
        self.terms = [expansion.term for expansion in expansions]
        self.numbers = re.findall(r"\d+", self.text)
        self.word_weights = background.idf(self.words)
        self.pair_weights = background.idf([f"#{pair}" for pair in self.pairs])
        self.sign_weights = background.idf(self.signs)
        self.term_weights = background.idf(self.terms) * np.array([e.weight for e in expansions], dtype=np.float32)


def loose_candidates(asked: AskedTerms, texts: Sequence[str], embedder: Embedder | None) -> list[Candidate]:
    """Texts that no index holds: their list scores are made here, as near to those of an index as can be."""
    titles = [text.partition("\n")[0] if "\n" in text else "" for text in texts]
    bodies = [plain(text) for text in texts]
    lengths = numbers([len(body) for body in bodies])
    sparse = bm25(counts_in(asked.words, bodies), asked.word_weights, lengths)
    sparse += bm25(pair_counts(asked.pairs, bodies), asked.pair_weights, lengths)
    dense = np.zeros(len(texts), dtype=np.float32)
    if embedder is not None:
        dense = embedder.embed(texts) @ embedder.embed_questions([asked.text])[0]
    return [
        Candidate(str(number), str(number), body, plain(title), "", Rank.OTHER, words, meaning, words)
        for number, (body, title, words, meaning) in enumerate(
            zip(bodies, titles, sparse.tolist(), dense.tolist(), strict=True)
        )
    ]


def feature_table(asked: AskedTerms, candidates: Sequence[Candidate]) -> dict[str, Numbers]:
    """Name -> one number per candidate, in order. ``candidates`` stand in the order of their lists' fused scores."""
    found = _Found(candidates)
    titles, headings = _Field(asked, [c.title for c in candidates]), _Field(asked, [c.heading for c in candidates])
    words, pairs = counts_in(asked.words, found.texts), pair_counts(asked.pairs, found.texts)
    columns: dict[str, Numbers] = {}
    columns |= _list_features(found)
    columns |= _text_features(asked, found, words, pairs)
    columns |= titles.features("title")
    columns |= headings.features("heading")
    columns |= _term_features(asked, found, titles.holds(asked.terms) | headings.holds(asked.terms))
    columns |= _crowd_features(found)
    columns |= _document_features("words", asked.word_weights, found, (words, titles.words, headings.words))
    columns |= _document_features("pairs", asked.pair_weights, found, (pairs, titles.pairs, headings.pairs))
    columns["number"] = (counts_in(asked.numbers, found.texts) > 0).sum(axis=1) / np.float32(max(1, len(asked.numbers)))
    columns["length"] = np.log1p(found.lengths)
    columns["rank_of_rule"] = numbers([c.rank for c in candidates])
    columns["defines"] = numbers(["是指" in text or "所称" in text for text in found.texts])
    columns["punishes"] = numbers(["罚款" in text or "有期徒刑" in text for text in found.texts])
    columns["linked"] = numbers([c.linked for c in candidates])
    columns["question_length"] = np.full(len(candidates), len(asked.text), dtype=np.float32)
    columns["question_words"] = np.full(len(candidates), len(asked.words), dtype=np.float32)
    return columns


def feature_matrix(asked: AskedTerms, candidates: Sequence[Candidate]) -> tuple[tuple[str, ...], Numbers]:
    """The names of the columns, and float32 of shape (candidates, columns)."""
    table = feature_table(asked, candidates)
    return tuple(table), np.stack([np.asarray(column, dtype=np.float32) for column in table.values()], axis=1)


class _Found:
    """Columns of the candidates that several features need."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.texts = [c.text for c in candidates]
        self.lengths = numbers([len(text) for text in self.texts])
        self.sparse = numbers([c.sparse for c in candidates])
        self.dense = numbers([c.dense for c in candidates])
        self.document = numbering([c.document for c in candidates])
        self.part = numbering([(c.document, c.heading) for c in candidates])
        self.documents = int(self.document.max(initial=-1)) + 1


class _Field:
    """Titles or headings of the candidates, each distinct one looked at once."""

    def __init__(self, asked: AskedTerms, values: Sequence[str]) -> None:
        self._asked = asked
        self._distinct = list(dict.fromkeys(values))
        self._rows = numbering(values)
        self._pairs = pair_counts(asked.pairs, self._distinct)
        self.words = counts_in(asked.words, self._distinct)[self._rows]
        self.pairs = self._pairs[self._rows]

    def holds(self, terms: Sequence[str]) -> NDArray[np.bool_]:
        return counts_in(terms, self._distinct)[self._rows] > 0

    def features(self, name: str) -> dict[str, Numbers]:
        """How much of the question a value covers, and how much of it stands in the question."""
        pairs = numbers([sum(len(run) - 1 for run in HAN_RUN.findall(value)) for value in self._distinct])
        return {
            f"{name}_words": covered(self.words, self._asked.word_weights),
            f"{name}_pairs": covered(self.pairs, self._asked.pair_weights),
            f"{name}_asked": (self._pairs.sum(axis=1) / np.maximum(pairs, 1))[self._rows],
        }


def _list_features(found: _Found) -> dict[str, Numbers]:
    return {
        "place": 1 / np.arange(1, len(found.texts) + 1, dtype=np.float32),
        "sparse": found.sparse,
        "sparse_share": shares(found.sparse),
        "sparse_place": places_of(found.sparse),
        "dense": found.dense,
        "dense_lead": found.dense - found.dense.max(),
        "dense_place": places_of(found.dense),
    }


def _text_features(asked: AskedTerms, found: _Found, words: Numbers, pairs: Numbers) -> dict[str, Numbers]:
    """BM25, its share of the best, its place, and the weight of what is covered, for words, pairs and single signs;
    the longest run of the question's pairs (the longest phrase that both have, less one)."""
    columns: dict[str, Numbers] = {}
    for name, counts, weights in (
        ("words", words, asked.word_weights),
        ("pairs", pairs, asked.pair_weights),
        ("signs", _sign_counts(asked.signs, found.texts), asked.sign_weights),
    ):
        score = bm25(counts, weights, found.lengths)
        columns[f"{name}_bm25"] = score
        columns[f"{name}_share"] = shares(score)
        columns[f"{name}_place"] = places_of(score)
        columns[f"{name}_covered"] = covered(counts, weights)
        if name == "pairs":
            columns["phrase"] = longest_run(counts > 0)
            columns["phrase_share"] = columns["phrase"] / np.float32(max(1, len(weights)))
    return columns


def _term_features(asked: AskedTerms, found: _Found, above: NDArray[np.bool_]) -> dict[str, Numbers]:
    """The same for the official terms that everyday words stand for; ``above``: a title or heading holds them."""
    counts = counts_in(asked.terms, found.texts)
    score = bm25(counts, asked.term_weights, found.lengths)
    return {
        "terms_bm25": score,
        "terms_share": shares(score),
        "terms_covered": covered(counts, asked.term_weights),
        "terms_above": covered(above, asked.term_weights),
    }


def _crowd_features(found: _Found) -> dict[str, Numbers]:
    """How many candidates stand in the same document and under the same heading, and how good these are."""
    share = shares(found.sparse)
    best = np.zeros(found.documents, dtype=np.float32)
    np.maximum.at(best, found.document, share)
    mass = np.bincount(found.document, weights=share * share).astype(np.float32)
    columns: dict[str, NDArray[Any]] = {
        "crowd": np.bincount(found.document)[found.document],
        "crowd_first": np.bincount(found.document[:20], minlength=found.documents)[found.document],
        "document_best": best[found.document],
        "document_mass": mass[found.document],
        "document_place": places_of(mass)[found.document],
        "part_mass": np.bincount(found.part, weights=share * share)[found.part],
    }
    return {name: column.astype(np.float32) for name, column in columns.items()}


def _document_features(
    name: str, weights: Numbers, found: _Found, counts: Iterable[Numbers]
) -> dict[str, Numbers]:
    """What of the question stands anywhere in a candidate, and anywhere in all candidates of its document.

    A question may name its town where only the title or another article does: 铁岭市…如何征税. ``local`` weighs a term
    by how few of the found documents hold it, for what is rare elsewhere and common among these: 疫情.
    """
    has = np.logical_or.reduce([count > 0 for count in counts])
    held = np.zeros((found.documents, len(weights)), dtype=bool)
    np.logical_or.at(held, found.document, has)
    local = np.log((found.documents + 1) / (held.sum(axis=0) + 0.5), dtype=np.float32).clip(0)
    whole, nearby = covered(held, weights), covered(held, local)
    return {
        f"all_{name}": covered(has, weights),
        f"all_{name}_local": covered(has, local),
        f"document_{name}": whole[found.document],
        f"document_{name}_lead": (whole - whole.max(initial=0.0))[found.document],
        f"document_{name}_local": nearby[found.document],
        f"document_{name}_local_lead": (nearby - nearby.max(initial=0.0))[found.document],
        f"document_{name}_missing": np.where(held, np.float32(0), weights).max(axis=1, initial=0.0)[found.document],
    }


# arithmetic


def numbers(values: Sequence[float]) -> Numbers:
    return np.array(values, dtype=np.float32)


def numbering(values: Sequence[Hashable]) -> Whole:
    """Equal values get equal numbers, counted from 0 in the order of their first places."""
    number_of = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([number_of[value] for value in values], dtype=np.intp)


def counts_in(terms: Sequence[str], texts: Sequence[str]) -> Numbers:
    """Occurrences: shape (texts, terms). Found as pieces of text, so that nothing has to be cut into words."""
    return np.array([[text.count(term) for term in terms] for text in texts], dtype=np.float32).reshape(
        len(texts), len(terms)
    )


def pair_counts(pairs: Sequence[str], texts: Sequence[str]) -> Numbers:
    """As `_counts`, for pairs of characters: all texts are looked through at once, in a tenth of the time."""
    signs = {sign: number for number, sign in enumerate(dict.fromkeys("".join(pairs)), start=1)}
    found_signs, owners = _numbered(signs, texts)
    number_of = np.full((len(signs) + 1, len(signs) + 1), -1, dtype=np.intp)
    for number, pair in enumerate(pairs):
        number_of[signs[pair[0]], signs[pair[1]]] = number
    found = np.where(owners[1:] == owners[:-1], number_of[found_signs[:-1], found_signs[1:]], -1)
    return _occurrences(found, owners[1:], len(texts), len(pairs))


def _sign_counts(signs: Sequence[str], texts: Sequence[str]) -> Numbers:
    """As `_counts`, for single characters."""
    found_signs, owners = _numbered({sign: number for number, sign in enumerate(signs, start=1)}, texts)
    return _occurrences(found_signs - 1, owners, len(texts), len(signs))


def _numbered(signs: Mapping[str, int], texts: Sequence[str]) -> tuple[Whole, Whole]:
    """The number of every character of all texts, 0 for those not in ``signs``, and the text it stands in."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    number_of = np.zeros(max(map(ord, signs), default=0) + 2, dtype=np.intp)
    for sign, number in signs.items():
        number_of[ord(sign)] = number
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    return number_of[np.minimum(codes, len(number_of) - 1)], owners


def _occurrences(found: Whole, owners: Whole, texts: int, terms: int) -> Numbers:
    """Counts of the numbers in ``found`` by text; those below 0 are none."""
    known = found >= 0
    flat = np.bincount(owners[known] * terms + found[known], minlength=texts * terms)
    return flat.reshape(texts, terms).astype(np.float32)


def bm25(counts: Numbers, weights: Numbers, lengths: Numbers) -> Numbers:
    base = _K1 * (1 - _B + _B * lengths[:, None] / _AVERAGE)
    return np.asarray((counts * (_K1 + 1) / (counts + base) * weights).sum(axis=1), dtype=np.float32)


def covered(counts: Numbers | NDArray[np.bool_], weights: Numbers) -> Numbers:
    total = float(weights.sum()) or 1.0
    return np.asarray(((counts > 0) * weights).sum(axis=1) / total, dtype=np.float32)


def shares(values: Numbers) -> Numbers:
    return values / (float(values.max(initial=0.0)) or 1.0)


def places_of(values: Numbers) -> Numbers:
    """0 for the highest; equal ones in order."""
    places = np.empty(len(values), dtype=np.float32)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places


def longest_run(has: NDArray[np.bool_]) -> Numbers:
    longest = np.zeros(len(has), dtype=np.float32)
    running = np.zeros(len(has), dtype=np.float32)
    for column in has.T:
        running = (running + 1) * column
        longest = np.maximum(longest, running)
    return longest


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
