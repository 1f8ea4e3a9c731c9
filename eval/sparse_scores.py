"""BM25 over weighted fields, exact and in memory: terms are counted once, then every setting takes seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from core.records import SearchOptions
from eval.gold import GoldQuestion
from eval.measures import PerQuery
from eval.retrieval import Found, evaluate_retrieval
from eval.sparse_corpus import Piece, within
from eval.sparse_terms import Cut

_DEPTH = 100             # articles kept per question, as `policydesk eval retrieval` asks for
_CHUNKS = 400            # best chunks they are made from: several may be of one article
_BLOCK = 64              # questions scored at once

Floats = NDArray[np.float32]
Scope = Callable[[GoldQuestion], SearchOptions]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's words, those of them that name something, and further terms with their weights."""

    text: str
    naming: str = ""
    also: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be set without counting again."""

    k1: float = 1.2
    b: float = 0.75
    title: float = 1.0
    heading: float = 1.0
    weights: tuple[float, ...] = (1.0,)    # of each kind of terms in a question
    average: float | None = None           # None: the true mean length
    naming: float = 0.0                    # share of a term's weight that only words that name something give it

    def text(self) -> str:
        """``k1 1.2, b 0.75, title 1, heading 1``, and the kinds' weights where there are several."""
        kinds = f", kinds {':'.join(f'{w:g}' for w in self.weights)}" if len(self.weights) > 1 else ""
        return f"k1 {self.k1:g}, b {self.b:g}, title {self.title:g}, heading {self.heading:g}{kinds}"


GRID: Mapping[str, tuple[float, ...]] = {
    "k1": (0.6, 0.9, 1.2, 1.6, 2.2), "b": (0.3, 0.5, 0.65, 0.75, 0.9),
    "title": (0.0, 0.5, 1.0, 2.0, 4.0), "heading": (0.0, 0.5, 1.0, 2.0, 4.0),
}
_KIND_WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5)     # of the second kind beside 1 of the first


@dataclass(frozen=True, slots=True)
class Counted:
    """One kind of terms in all chunks, as far as the questions hold them; fields in the order title, heading, text."""

    fields: tuple[csr_matrix, csr_matrix, csr_matrix]      # chunks x terms
    lengths: tuple[Floats, Floats, Floats]                 # of all terms, in no question too
    asked: csr_matrix                                      # questions x terms: counts, as in the next two
    naming: csr_matrix
    also: csr_matrix                                       # weights instead of counts

    def of_questions(self, rows: Sequence[int]) -> Counted:
        return replace(self, asked=self.asked[rows], naming=self.naming[rows], also=self.also[rows])


def count_terms(pieces: Sequence[Piece], questions: Sequence[Asked], cut: Cut) -> Counted:
    """Every text cut once; titles and headings that repeat are not cut again."""
    numbers: dict[object, int] = {}
    for question in questions:
        for text in (question.text, *(term for term, _ in question.also)):
            for term in cut(text):
                numbers.setdefault(term, len(numbers))

    def row(text: str) -> tuple[int, dict[int, int]]:
        terms = cut(text)
        return len(terms), Counter(number for term in terms if (number := numbers.get(term)) is not None)

    kept = lru_cache(maxsize=1 << 16)(row)
    title = _matrix((kept(piece.fields[0]) for piece in pieces), len(numbers))
    heading = _matrix((kept(piece.fields[1]) for piece in pieces), len(numbers))
    body = _matrix((row(piece.fields[2]) for piece in pieces), len(numbers))
    asked, naming, also = (
        _matrix(rows, len(numbers))[0] for rows in (
            (row(question.text) for question in questions),
            (row(question.naming) for question in questions),
            ((0, _highest(question.also, row)) for question in questions),
        )
    )
    return Counted(
        (title[0], heading[0], body[0]), (title[1], heading[1], body[1]), asked, naming.minimum(asked), also
    )


def mean_length(kinds: Sequence[Counted], setting: Setting) -> float:
    return float(_lengths(kinds, setting).mean())


def runs(
    pieces: Sequence[Piece], questions: Sequence[GoldQuestion], kinds: Sequence[Counted], setting: Setting, scope: Scope
) -> list[list[Found]]:
    """For each question the best articles, each once. Ties go to the chunk that comes first."""
    base = _base(kinds, setting)
    parts = [
        (_asked(kind, setting).multiply(_idf(kind, setting) * weight).tocsr(), _weighed(kind, base, setting))
        for kind, weight in zip(kinds, setting.weights, strict=True)
    ]
    allowed = _allowed(pieces, questions, scope)
    out: list[list[Found]] = []
    for start in range(0, len(questions), _BLOCK):
        block = csr_matrix((len(questions[start : start + _BLOCK]), len(pieces)), dtype=np.float32)
        for asked, weighed in parts:
            block = block + asked[start : start + _BLOCK] @ weighed
        out += [
            _best(block[row].toarray()[0], allowed[start + row], pieces) for row in range(block.shape[0])
        ]
    return out


def measured(questions: Sequence[GoldQuestion], found: Sequence[Sequence[Found]]) -> PerQuery:
    """The measures of `eval.measures` for each question that has gold."""
    by_text = {question.question.text: hits for question, hits in zip(questions, found, strict=True)}
    result = evaluate_retrieval(questions, lambda question, depth: by_text[question.text][:depth], depth=_DEPTH)
    return result.scores.per_query


def mean(rows: PerQuery, names: Iterable[str], measure: str) -> float:
    values = [rows[name][measure] for name in names if name in rows]
    return sum(values) / max(len(values), 1)


def tuned(start: Setting, value: Callable[[Setting], float]) -> tuple[Setting, float]:
    """The setting reached from ``start`` by improving one number after the other, each over its grid, until none helps.

    A change has to gain 0.001, so that chance does not wander.
    """
    best, reached = start, value(start)
    improved = True
    while improved:
        improved = False
        for candidates in _neighbours(best):
            values = [(value(setting), place) for place, setting in enumerate(candidates)]
            top, place = max(values, key=lambda item: (item[0], -item[1]))
            if top > reached + 0.001:
                best, reached, improved = candidates[place], top, True
    return best, reached


def _neighbours(setting: Setting) -> Iterator[list[Setting]]:
    yield [replace(setting, k1=k1) for k1 in GRID["k1"]]
    yield [replace(setting, b=b) for b in GRID["b"]]
    yield [replace(setting, title=title) for title in GRID["title"]]
    yield [replace(setting, heading=heading) for heading in GRID["heading"]]
    for place in range(1, len(setting.weights)):
        before, after = setting.weights[:place], setting.weights[place + 1 :]
        yield [replace(setting, weights=(*before, weight, *after)) for weight in _KIND_WEIGHTS]


def _asked(kind: Counted, setting: Setting) -> csr_matrix:
    own = kind.asked * np.float32(1 - setting.naming) + kind.naming * np.float32(setting.naming)
    return own.maximum(kind.also)


def _highest(
    also: Iterable[tuple[str, float]], row: Callable[[str], tuple[int, dict[int, int]]]
) -> dict[int, float]:
    """The highest weight of each term."""
    highest: dict[int, float] = {}
    for text, weight in also:
        for term in row(text)[1]:
            highest[term] = max(highest.get(term, 0.0), weight)
    return highest


def _matrix(rows: Iterable[tuple[int, Mapping[int, float]]], terms: int) -> tuple[csr_matrix, Floats]:
    """Counts as a matrix, and the lengths."""
    lengths: list[int] = []
    columns: list[int] = []
    counts: list[float] = []
    ends = [0]
    for length, row in rows:
        lengths.append(length)
        columns += row
        counts += row.values()
        ends.append(len(columns))
    matrix = csr_matrix(
        (np.array(counts, dtype=np.float32), np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int64)),
        shape=(len(lengths), terms),
    )
    return matrix, np.array(lengths, dtype=np.float32)


def _lengths(kinds: Sequence[Counted], setting: Setting) -> Floats:
    weights = setting.title, setting.heading, 1.0
    total: Floats = sum(
        (weight * length for kind in kinds for weight, length in zip(weights, kind.lengths, strict=True)),
        start=np.zeros_like(kinds[0].lengths[0]),
    )
    return total


def _base(kinds: Sequence[Counted], setting: Setting) -> Floats:
    lengths = _lengths(kinds, setting)
    average = setting.average or float(lengths.mean())
    base: Floats = (setting.k1 * (1 - setting.b + setting.b * lengths / average)).astype(np.float32)
    return base


def _frequencies(kind: Counted, setting: Setting) -> csr_matrix:
    title, heading, text = kind.fields
    total = text
    for weight, field in ((setting.title, title), (setting.heading, heading)):
        total = total + field * np.float32(weight) if weight else total
    return total.tocsr()


def _weighed(kind: Counted, base: Floats, setting: Setting) -> csr_matrix:
    """Terms x chunks: the weights of BM25 without IDF."""
    matrix = _frequencies(kind, setting)
    repeated = np.repeat(base, np.diff(matrix.indptr))
    matrix.data = matrix.data * (setting.k1 + 1) / (matrix.data + repeated)
    return matrix.T.tocsr()


def _idf(kind: Counted, setting: Setting) -> Floats:
    """As Qdrant computes it, over all chunks, found or not: log(1 + (N - n + 0.5) / (n + 0.5))."""
    matrix = _frequencies(kind, setting)
    held = np.bincount(matrix.indices, minlength=matrix.shape[1])
    idf: Floats = np.log(1 + (matrix.shape[0] - held + 0.5) / (held + 0.5)).astype(np.float32)
    return idf


def _allowed(pieces: Sequence[Piece], questions: Sequence[GoldQuestion], scope: Scope) -> list[NDArray[np.bool_]]:
    """For each question which chunks may be found; questions of the same scope share one array."""
    @cache
    def mask(options: SearchOptions) -> NDArray[np.bool_]:
        inside = cache(lambda document: within(document, options))
        return np.array([inside(piece.document) for piece in pieces], dtype=bool)

    return [mask(scope(question)) for question in questions]


def _best(scores: Floats, allowed: NDArray[np.bool_], pieces: Sequence[Piece]) -> list[Found]:
    held = np.where(allowed, scores, 0)
    places = np.argpartition(-held, _CHUNKS)[:_CHUNKS] if len(held) > _CHUNKS else np.arange(len(held))
    places = places[np.lexsort((places, -held[places]))]
    found: dict[tuple[str, int], Found] = {}
    for place in places:
        if held[place] <= 0 or len(found) == _DEPTH:
            break
        one = pieces[place].found
        found.setdefault((pieces[place].document.id, one.start), one)
    return list(found.values())
