"""A question's way to its articles: words and official terms, a second list by meaning, then the ranker.

Every condition (region, day, rank, public) is applied inside the store's query; SQL applies it again to the few that
are left, since the index may still hold what was just taken out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from core.config import SearchConfig
from core.ports import PointFilter, Reranker, Sparse
from core.records import Hit, SearchOptions, SearchStages
from kb import catalogue, lookup
from kb.background import Background
from kb.expansion import Expansion, TermMap
from kb.features import AskedTerms, Candidate
from kb.ranker import Ranker
from kb.steps import Steps, number
from kb.tokens import Tokenizer

_NAMED_SCORE = 1000.0    # above any other score: who names an article wants that article
_TRIES = 3               # searches that a publication overtakes; then publications wait for one search
_REREAD = 50             # candidates that a model reads in full; each costs it some 10 ms without a GPU

_SPREAD = 8.0            # brings the ratio of two scores to what that of two BM25 scores is, which answers weigh

Scored = tuple[str, float, tuple[tuple[str, float], ...]]     # point, score, scores of the stages


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
        asked = self.ask(text, options, stages, explain=explain)
        if not asked.sparse.indices:
            return []
        for _ in range(_TRIES):
            found = self._find(asked)
            if found is not None:
                return found
        with self._steps.turn:
            return self._find(asked) or []

    def ask(self, text: str, options: SearchOptions, stages: SearchStages, *, explain: bool = False) -> Asked:
        """The question with its official terms and its vectors."""
        expansions = self.expansions(text) if stages.terms else ()
        weight = self._config.term_weight
        sparse = self._steps.encoder.query(text, [(e.term, e.weight * weight) for e in expansions])
        embedder = self._steps.embedder
        dense = embedder.embed_questions([text])[0].tolist() if embedder and stages.dense else None
        return Asked(text, expansions, sparse, dense, options, stages, explain)

    @property
    def tokenizer(self) -> Tokenizer:
        return self._models.tokenizer

    def expansions(self, text: str) -> tuple[Expansion, ...]:
        """The official terms that ``text`` is searched by as well."""
        return self._models.terms.expand(text) if self._models.terms else ()

    def candidates(self, text: str, options: SearchOptions) -> tuple[AskedTerms, list[Candidate], list[str]]:
        """What the ranker sees of a question: its terms, its candidates, and the reference of each one's article."""
        asked = self.ask(text, options, SearchStages())
        with self._steps.engine.connect() as connection:
            where = filter_of(asked.options, catalogue.staged_generations(connection))
            found = self._candidates(connection, asked, where, self._config.candidates)
        return self._terms(asked), [row.candidate for row in found], [row.ref for row in found]

    def _find(self, asked: Asked) -> list[Hit] | None:
        """None when something was published or withdrawn meanwhile: half of it could be missing."""
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
                if catalogue.commits(connection) != commits:
                    return None
                if len(hits) == top or len(rows) < depth:
                    return hits
                depth *= 2

    def _candidates(
        self, connection: Connection, asked: Asked, where: PointFilter, depth: int
    ) -> list[lookup.CandidateRow]:
        """The chunks of both lists, in the order of their fused places."""
        sparse, dense = self._lists(asked, where, depth)
        order = _fused([list(sparse), list(dense)], self._config.rrf_k) if dense else list(sparse)
        rows = lookup.candidate_rows(connection, order, asked.options)
        return [
            replace(row, candidate=replace(row.candidate, sparse=sparse.get(point, 0.0), dense=dense.get(point, 0.0)))
            for point in order if (row := rows.get(point)) is not None
        ]

    def _lists(self, asked: Asked, where: PointFilter, depth: int) -> tuple[dict[str, float], dict[str, float]]:
        """Scores of both kinds for every point that stands among the first ``depth`` of either list."""
        store = self._steps.store
        sparse = dict(store.query(asked.sparse, None, where=where, limit=depth))
        if not asked.dense:
            return sparse, {}
        dense = dict(store.query(None, asked.dense, where=where, limit=depth))
        unscored = frozenset(sparse.keys() - dense.keys()), frozenset(dense.keys() - sparse.keys())
        if unscored[0]:
            dense |= store.query(None, asked.dense, where=PointFilter(only=unscored[0]), limit=len(unscored[0]))
        if unscored[1]:
            sparse |= store.query(asked.sparse, None, where=PointFilter(only=unscored[1]), limit=len(unscored[1]))
        return sparse, dense

    def _ranked(self, asked: Asked, rows: Sequence[lookup.CandidateRow]) -> list[tuple[lookup.CandidateRow, Scored]]:
        """The candidates, best first, with their scores."""
        candidates = [row.candidate for row in rows]
        shown = [_list_scores(c) if asked.explain else () for c in candidates]
        scores = [1.0 / place for place in range(1, len(rows) + 1)] if asked.dense else [c.sparse for c in candidates]
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
        models = self._models
        return AskedTerms(asked.text, asked.expansions, tokenizer=models.tokenizer, background=models.background)


def filter_of(options: SearchOptions, staged: tuple[int, ...]) -> PointFilter:
    return PointFilter(
        regions=None if options.regions is None else tuple(region or "" for region in options.regions),
        as_of=number(options.as_of, 0) if options.as_of else None,
        public_only=options.public_only,
        ranks=None if options.ranks is None else tuple(map(int, options.ranks)),
        without_generations=staged,
    )


def _fused(lists: Iterable[Sequence[str]], k: int) -> list[str]:
    """Reciprocal rank fusion; ties by id. Source: Cormack, Clarke, Buettcher, SIGIR 2009."""
    score: dict[str, float] = {}
    for ranking in lists:
        for place, point in enumerate(ranking, start=1):
            score[point] = score.get(point, 0.0) + 1.0 / (k + place)
    return sorted(score, key=lambda point: (-score[point], point))


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
