"""The searches that the eval verbs measure: a desk's own, by stages, and one trained without some laws."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.config import Config
from core.records import Question, SearchOptions, SearchStages
from eval.gold import GoldQuestion
from eval.retrieval import Found, Search, found_of
from policydesk.app import Desk, open_desk
from qa.scope import scope


def available_stages(config: Config) -> tuple[str, ...]:
    """The stages that can be switched on and off here, as named by `eval.ablation.STAGES`."""
    there = {
        "terms": config.search.terms, "dense": config.index.embedder != "none",
        "graph": config.search.graph,
        "rerank": config.search.reranker != "none",
    }
    return tuple(stage for stage, has in there.items() if has)


def measured_search(desk: Desk, *, any_date: bool = False, stages: Collection[str] | None = None) -> Search:
    """What `Desk.search` finds; with ``any_date`` also what is not in force, with ``stages`` by these alone."""
    steps = SearchStages() if stages is None else SearchStages(
        terms="terms" in stages, dense="dense" in stages, graph="graph" in stages, rerank="rerank" in stages,
    )

    def search(question: Question, top: int) -> list[Found]:
        options = _options(desk, question, top)
        if any_date:
            options = replace(options, as_of=None)
        return [found_of(hit) for hit in desk.base.search(question.text, options, steps)]

    return search


@dataclass(frozen=True, slots=True)
class FoldSearches:
    """The searches of ``eval generalisation`` over one home, each opened after the one before was closed."""

    config: Config
    home: Path | None
    questions: Sequence[GoldQuestion]      # all that there are: each fold trains on those it may
    seed: int

    @contextmanager
    def plain(self) -> Iterator[Search]:
        """BM25 alone."""
        with open_desk(self.config, self.home) as desk:
            yield measured_search(desk, stages=())

    @contextmanager
    def trained(self, laws: Path) -> Iterator[Search]:
        """The whole search with a ranker that was trained on no question with gold in ``laws``."""
        from train.ranker import POLICIES, examples, read_examples, read_laws, train_ranker, without_laws

        with TemporaryDirectory() as folder:
            ranker = Path(folder) / "ranker.txt"
            with open_desk(self.config, self.home) as desk:
                taught = examples(
                    without_laws(self.questions, read_laws(laws)),
                    lambda question: desk.base.searcher.candidates(question.text, _options(desk, question, 1)),
                )
            train_ranker([*taught, *read_examples(POLICIES)], ranker, seed=self.seed)
            own = self.config.search.model_copy(update={"reranker": str(ranker)})
            with open_desk(self.config.model_copy(update={"search": own}), self.home) as desk:
                yield measured_search(desk)


def _options(desk: Desk, question: Question, top: int) -> SearchOptions:
    return scope(question, top=top, home_region=desk.config.regions.home)
