"""The composition root: reads top to bottom, and is the only place that chooses implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import Config, SearchConfig
from core.models import opened_models
from core.records import Answer, Document, Hit, IngestReport, Question
from ingest.outcomes import OutcomeLog
from ingest.read import ReadSettings, find_files, read_files
from kb.background import read_background
from kb.base import KnowledgeBase
from kb.database import open_database
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.home import hold_home
from kb.ranker import SHIPPED as RANKER
from kb.ranker import Ranker
from kb.search import SearchModels
from kb.static_encoder import StaticEncoder
from kb.store import open_store
from kb.tokens import SparseEncoder, open_tokenizer
from qa.answer import Answerer
from qa.scope import scope


@dataclass(frozen=True, slots=True)
class Desk:
    """The joined parts; what the command line and the pages call."""

    config: Config
    base: KnowledgeBase
    answerer: Answerer

    def ingest(self, paths: Sequence[Path], *, publish: bool, on_bytes: Callable[[int], None]) -> IngestReport:
        """Read and store everything below ``paths``; a file that was ingested whole before costs its hash."""
        known = self.base.known_files(publish=publish)
        settings = ReadSettings(
            self.config.ingest, self.config.regions.names,
            lambda source, sha256: known.get(source) == sha256, on_bytes,
        )
        log = OutcomeLog()
        report = self.base.add(log.watch(read_files(find_files(paths), settings, named=paths)), publish=publish)
        return replace(report, files=tuple(log.rows))

    def search(self, question: Question, top: int, *, explain: bool = False) -> list[Hit]:
        options = scope(question, top=top, home_region=self.config.regions.home)
        return self.base.search(question.text, options, explain=explain)

    def ask(self, question: Question) -> Answer:
        return self.answerer.answer(question)

    def document(self, document_id: str) -> Document:
        return self.base.document(document_id)


@contextmanager
def open_desk(config: Config, home: Path | None = None) -> Iterator[Desk]:
    """Everything joined over one home folder, which is held against other processes meanwhile.

    Raises `HomeLocked`, `IndexMismatch`, `BackendUnavailable`, `ConfigError`.
    """
    folder = home or config.home
    own_terms = [Path(config.search.terms_file)] if config.search.terms_file else []
    terms = read_terms([TERMS, *own_terms]) if config.search.terms else None
    with hold_home(folder), opened_models(config, lambda: StaticEncoder(terms=terms)) as models:
        embedder = models.embedder
        tokenizer = open_tokenizer(config.index.tokenizer, bigrams=config.index.bigrams)
        engine = open_database(config.storage.database or f"sqlite:///{folder.resolve() / 'policydesk.db'}")
        with ExitStack() as opened:
            opened.callback(engine.dispose)
            store = open_store(config, folder, dim=embedder.dim if embedder else None)
            opened.callback(store.close)
            base = KnowledgeBase(
                folder, config, engine=engine, store=store,
                encoder=SparseEncoder(tokenizer, config.index), embedder=embedder,
                models=SearchModels(tokenizer, terms, read_background(), _ranker(config.search), models.reranker),
            )
            answerer = Answerer(
                config.answer, home_region=config.regions.home, region_names=config.regions.names,
                words=tokenizer.words, search=base.search, title=base.title,
            )
            yield Desk(config, base, answerer)


def _ranker(config: SearchConfig) -> Ranker | None:
    """It orders what was found; a model that reads texts then reads the first ones."""
    trained = Path(config.reranker) if config.reranker.endswith(".txt") else RANKER
    return None if config.reranker == "none" else Ranker(trained)
