"""A question's way to its articles: words and official terms, a list by meaning, the graph, then the ranker.

Every condition (region, day, rank, public) is applied inside the store's query; SQL applies it again to the few that
are left, since the index may still hold what was just taken out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from core.config import SearchConfig
from core.errors import ConfigError
from core.ports import Embedder, PointFilter, Reranker, Scores, Sparse
from core.records import Hit, SearchOptions, SearchStages
from kb import catalogue, lookup
from kb.background import Background
from kb.expansion import Expansion, TermMap
from kb.features import AskedTerms, Candidate, loose_candidates
from kb.graph.links import neighbours
from kb.index import Index
from kb.ranker import Ranker
from kb.steps import Steps, number
from kb.tokens import Tokenizer

_NAMED_SCORE = 1000.0    # above any other score: who names an article wants that article
_TRIES = 3               # searches that a publication overtakes; then publications wait for one search
_REREAD = 50             # candidates that a model reads in full; each costs it some 10 ms without a GPU

_LINKED_FROM = 10        # candidates whose neighbours in the graph come in

_SPREAD = 8.0            # brings the ratio of two scores to what that of two BM25 scores is, which answers weigh

Scored = tuple[str, float, tuple[tuple[str, float], ...]]     # point, score, scores of the stages


class _Lists(NamedTuple):
    """Scores by point."""

    sparse: dict[str, float]
    dense: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchModels:
    """What turns words into an order."""

    tokenizer: Tokenizer
    terms: TermMap | None
    background: Background
    ranker: Ranker | None
    reranker: Reranker | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, ready to be searched."""

    text: str
    index: Index                 # whose vectors these are
    expansions: tuple[Expansion, ...]
    sparse: Sparse
    dense: list[float] | None
    options: SearchOptions
    stages: SearchStages
    explain: bool


class Searcher:
    """Threads may share it."""

    def __init__(self, steps: Steps, models: SearchModels, config: SearchConfig) -> None:
        self._steps = steps
        self._models = models
        self._config = config

    def search(self, text: str, options: SearchOptions, stages: SearchStages, *, explain: bool = False) -> list[Hit]:
        """The best articles, best first, each once; empty when no term matches."""
        text = text.replace("\0", " ")       # PostgreSQL takes no such character
        asked: Asked | None = None
        for _ in range(_TRIES):
            with self._steps.reading() as index:
                if asked is None or asked.index is not index:
                    asked = self.ask(index, text, options, stages, explain=explain)
                found = self._find(asked)
            if found is not None:
                return found
        with self._steps.turn, self._steps.reading() as index:
            return self._find(self.ask(index, text, options, stages, explain=explain)) or []

    def ask(
        self, index: Index, text: str, options: SearchOptions, stages: SearchStages, *, explain: bool = False
    ) -> Asked:
        """The question with its official terms and its vectors."""
        expansions = self.expansions(text) if stages.terms else ()
        weight = self._config.term_weight
        sparse = index.encoder.query(text, [(e.term, e.weight * weight) for e in expansions])
        dense = index.embedder.embed_questions([text])[0] if index.embedder and stages.dense else None
        meaning = dense.tolist() if dense is not None and dense.any() else None
        return Asked(text, index, expansions, sparse, meaning, options, stages, explain)

    @property
    def tokenizer(self) -> Tokenizer:
        return self._models.tokenizer

    def expansions(self, text: str) -> tuple[Expansion, ...]:
        """The official terms that ``text`` is searched by as well."""
        return self._models.terms.expand(text) if self._models.terms else ()

    @property
    def embedder(self) -> Embedder | None:
        """What the index that answers made its vectors of meaning with."""
        return self._steps.index.embedder

    def by_meaning(self, vector: Sequence[float], options: SearchOptions) -> list[Hit]:
        """The articles whose vectors are most alike to one of `embedder`, best first, and nothing else considered."""
        with self._steps.reading() as index, self._steps.engine.connect() as connection:
            where = filter_of(options, catalogue.staged_generations(connection))
            found = index.store.query(vector, where=where, limit=2 * options.top + 8)   # some by several chunks
            return lookup.hits(connection, [(point, score, ()) for point, score in found], options)

    def candidates(self, text: str, options: SearchOptions) -> tuple[AskedTerms, list[lookup.CandidateRow]]:
        """What the ranker sees of a question: its terms and its candidates, in order."""
        with self._steps.reading() as index, self._steps.engine.connect() as connection:
            asked = self.ask(index, text, options, SearchStages())
            where = filter_of(asked.options, catalogue.staged_generations(connection))
            found = self._candidates(connection, asked, where, self._config.candidates)
        return self._terms(asked), found

    def scores(self, question: str, texts: Sequence[str]) -> Scores:
        """How well each text of any origin answers, by what a search is ranked with; see `core.ports.Reranker.score`.

        The built-in ranker takes a first line for the title. Raises `ConfigError` when ``search.reranker`` is none.
        """
        if self._models.reranker is not None:
            return self._models.reranker.score(question, texts)
        if self._models.ranker is None:
            raise ConfigError("search.reranker 为 none，没有可用的排序模型。请改为 built-in 或一个模型")
        if not texts:
            return np.zeros(0, dtype=np.float32)
        terms = self._asked_terms(question, self.expansions(question))
        with self._steps.reading() as index:
            return self._models.ranker.score(terms, loose_candidates(terms, texts, index.embedder))

    def _find(self, asked: Asked) -> list[Hit] | None:
        """None when something was published or withdrawn meanwhile, or another index came: half could be missing."""
        if not asked.sparse.indices:
            return []
        top = asked.options.top
        depth = max(self._config.candidates, top + 8)      # some articles are found by several chunks
        with self._steps.engine.connect() as connection:
            commits = catalogue.commits(connection)
            where = filter_of(asked.options, catalogue.staged_generations(connection))
            named = [(point, _NAMED_SCORE, ()) for point in lookup.named_points(connection, asked.text, asked.options)]
            while True:
                rows = self._candidates(connection, asked, where, depth)
                best = _distinct(self._ranked(asked, rows), top)
                hits = lookup.hits(connection, [*named, *best], asked.options)
                if catalogue.commits(connection) != commits or self._steps.index is not asked.index:
                    return None
                if len(hits) == top or len(rows) < depth:
                    return hits
                depth *= 2

    def _candidates(
        self, connection: Connection, asked: Asked, where: PointFilter, depth: int
    ) -> list[lookup.CandidateRow]:
        """The first ``depth`` chunks of both lists and what the graph adds, in the order of their fused scores."""
        lists = self._lists(asked, where, depth)
        first = _best(lists, self._config.dense_weight, depth)
        rows = lookup.candidate_rows(connection, first, asked.options)
        if not self._config.graph or not asked.stages.graph:
            return rows
        linked = self._linked(connection, asked, rows[:_LINKED_FROM])
        more = self._listed(asked, replace(where, only=frozenset(linked)), len(linked)) if linked else _Lists({}, {})
        kept = {point for point in first if point not in linked} | more.sparse.keys() | more.dense.keys()
        both = _Lists({**lists.sparse, **more.sparse}, {**lists.dense, **more.dense})
        best = _best(both, self._config.dense_weight, len(kept), kept, linked)
        return lookup.candidate_rows(connection, best, asked.options)

    def _linked(self, connection: Connection, asked: Asked, rows: Sequence[lookup.CandidateRow]) -> set[str]:
        """Points of the articles one step from those of ``rows``."""
        places = list(dict.fromkeys((row.candidate.document, row.article) for row in rows))
        found = neighbours(connection, places, asked.text, as_of=asked.options.as_of)
        return set(lookup.points_at(connection, {(one.document_id, one.article) for one in found}))

    def _lists(self, asked: Asked, where: PointFilter, depth: int) -> _Lists:
        """The first ``depth`` of either list, each with its score in the other list too."""
        sparse, dense = self._listed(asked, where, depth)
        if not asked.dense:
            return _Lists(sparse, dense)
        store = asked.index.store
        by_words, by_meaning = frozenset(sparse.keys() - dense.keys()), frozenset(dense.keys() - sparse.keys())
        if by_words:
            dense |= store.query(asked.dense, where=PointFilter(only=by_words), limit=len(by_words))
        if by_meaning:
            sparse |= store.query(asked.sparse, where=PointFilter(only=by_meaning), limit=len(by_meaning))
        return _Lists(sparse, dense)

    def _listed(self, asked: Asked, where: PointFilter, depth: int) -> _Lists:
        store = asked.index.store
        sparse = dict(store.query(asked.sparse, where=where, limit=depth))
        return _Lists(sparse, dict(store.query(asked.dense, where=where, limit=depth)) if asked.dense else {})

    def _ranked(self, asked: Asked, rows: Sequence[lookup.CandidateRow]) -> list[tuple[lookup.CandidateRow, Scored]]:
        """The candidates, best first, with their scores."""
        candidates = [row.candidate for row in rows]
        shown = [_list_scores(c) if asked.explain else () for c in candidates]
        scores = [c.fused if asked.dense else c.sparse for c in candidates]
        if asked.stages.rerank and self._models.ranker is not None and rows:
            terms = self._terms(asked)
            scores = [math.exp(score / _SPREAD) for score in self._models.ranker.score(terms, candidates).tolist()]
            if asked.explain:
                parts = self._models.ranker.explain(terms, candidates)
                shown = [(*own, *_largest(part)) for own, part in zip(shown, parts, strict=True)]
        ranked = sorted(
            ((row, (row.candidate.point, score, own)) for row, score, own in zip(rows, scores, shown, strict=True)),
            key=lambda item: -item[1][1],
        )
        return self._reread(asked, ranked)

    def _reread(
        self, asked: Asked, ranked: list[tuple[lookup.CandidateRow, Scored]]
    ) -> list[tuple[lookup.CandidateRow, Scored]]:
        """The first ones as a model orders them that reads question and text together; the rest stays below."""
        model = self._models.reranker
        if model is None or not asked.stages.rerank or not ranked:
            return ranked
        first, rest = ranked[:_REREAD], ranked[_REREAD:]
        scores = model.score(asked.text, [f"{row.candidate.title}\n{row.candidate.text}" for row, _ in first])
        again = [
            (row, (point, _above_rest(score), (*own, ("model", score)) if asked.explain else own))
            for (row, (point, _, own)), score in zip(first, scores.tolist(), strict=True)
        ]
        lowest = min(score for _, (_, score, _) in again)
        below = [(row, (point, lowest / (2 + place), own)) for place, (row, (point, _, own)) in enumerate(rest)]
        return sorted(again, key=lambda item: -item[1][1]) + below

    def _terms(self, asked: Asked) -> AskedTerms:
        return self._asked_terms(asked.text, asked.expansions)

    def _asked_terms(self, text: str, expansions: Sequence[Expansion]) -> AskedTerms:
        return AskedTerms(text, expansions, tokenizer=self._models.tokenizer, background=self._models.background)


def filter_of(options: SearchOptions, staged: tuple[int, ...]) -> PointFilter:
    return PointFilter(
        regions=None if options.regions is None else tuple(region or "" for region in options.regions),
        as_of=number(options.as_of, 0) if options.as_of else None,
        public_only=options.public_only,
        ranks=None if options.ranks is None else tuple(map(int, options.ranks)),
        without_generations=staged,
    )


def _best(
    lists: _Lists, weight: float, depth: int, only: Collection[str] | None = None, linked: Collection[str] = ()
) -> dict[str, lookup.ListScores]:
    """The first ``depth`` points by the sum of both scores, each brought to 0 … 1 by its lowest and highest.

    On laws that no ranker had seen this found 1.6 points more in the first ten than reciprocal ranks, and put the
    right document first for 16 in a hundred more questions that name their town.
    """
    words, meaning = _scaled(lists.sparse), _scaled(lists.dense)
    points = words.keys() | meaning.keys() if only is None else only
    fused = {point: words.get(point, 0.0) + weight * meaning.get(point, 0.0) for point in points}
    return {
        point: lookup.ListScores(
            lists.sparse.get(point, 0.0), lists.dense.get(point, 0.0), fused[point], float(point in linked)
        )
        for point in sorted(fused, key=lambda point: (-fused[point], point))[:depth]
    }


def _scaled(scores: Mapping[str, float]) -> dict[str, float]:
    lowest, highest = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    width = highest - lowest or 1.0
    return {point: (score - lowest) / width for point, score in scores.items()}


def _distinct(ranked: Iterable[tuple[lookup.CandidateRow, Scored]], top: int) -> list[Scored]:
    """The best chunk of each article, of the first ``top`` articles."""
    best: dict[tuple[str, int], Scored] = {}
    for row, scored in ranked:
        best.setdefault((row.candidate.document, row.article), scored)
        if len(best) == top:
            break
    return list(best.values())


def _list_scores(candidate: Candidate) -> tuple[tuple[str, float], ...]:
    return ("sparse", candidate.sparse), ("dense", candidate.dense), ("linked", candidate.linked)


def _largest(parts: dict[str, float]) -> list[tuple[str, float]]:
    """The features that moved a candidate most, in the order of how much."""
    moved = sorted(((name, value) for name, value in parts.items() if name), key=lambda item: -abs(item[1]))
    return [("rerank", sum(parts.values())), *((f"rerank.{name}", value) for name, value in moved[:6])]


def _above_rest(score: float) -> float:
    """A model's score of any range as a number between 0 and 1 in the same order."""
    return 1 / (1 + math.exp(-score))
