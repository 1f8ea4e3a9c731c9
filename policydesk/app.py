"""The composition root: reads top to bottom, and is the only place that chooses implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import Engine

from core.config import Config, SearchConfig
from core.models import Choice, Models, opened_models
from core.ports import Generator, Scores
from core.records import Answer, Document, Hit, IngestReport, Question, SearchOptions
from ingest.correct import corrected
from ingest.outcomes import OutcomeLog
from ingest.read import ReadSettings, find_files, read_files
from kb.background import read_background
from kb.base import KnowledgeBase
from kb.catalogue import commits
from kb.curation.direct import DirectAnswers
from kb.curation.faq_likeness import Likeness
from kb.database import held_database, open_database
from kb.expansion import SHIPPED as TERMS
from kb.expansion import TermMap, read_terms
from kb.graph.ends import responsible_by
from kb.home import hold_home
from kb.index import IndexSettings, open_as_made, open_index, remove_overtaken, remove_replaced
from kb.log.answers import Given
from kb.ranker import SHIPPED as RANKER
from kb.ranker import Ranker
from kb.reindex import OnStep, Reindexed, reindex
from kb.search import SearchModels
from kb.static_encoder import SHIPPED as ENCODER
from kb.static_encoder import StaticEncoder
from kb.steps import SYSTEM
from kb.tokens import SparseEncoder, Tokenizer, index_tokenizer
from policydesk.keeping import ASKED_AT_ONCE, keep_answers
from qa.answer import WRITING, Answerer
from qa.judge import judge_of
from qa.routes import Responsible
from qa.scope import scope, today
from qa.select import Selector
from qa.support import WITH_ENCODER, Support

if TYPE_CHECKING:
    from llama_index.core.graph_stores.types import PropertyGraphStore

_RESPONSIBLE_FROM = 5            # articles found for a matter, in whose documents a body is looked for
_SAME_MATTER = 0.5               # likeness of a matter and of what a body is charged with


@dataclass(frozen=True, slots=True)
class Desk:
    """The joined parts; what the command line and the pages call."""

    config: Config
    base: KnowledgeBase
    answerer: Answerer
    index_settings: IndexSettings
    chosen: tuple[Choice, Choice]      # embedder, reranker
    generator: Generator | None

    def ingest(
        self, paths: Sequence[Path], *, publish: bool, on_bytes: Callable[[int], None], who: str = SYSTEM
    ) -> IngestReport:
        """Read and store everything below ``paths``; a file that was ingested whole before costs its hash."""
        known = self.base.known_files(publish=publish)
        settings = ReadSettings(
            self.config.ingest, self.config.regions.names,
            lambda source, sha256: known.get(source) == sha256, on_bytes,
        )
        log = OutcomeLog()
        read = log.watch(read_files(find_files(paths), settings, named=paths))
        report = self.base.add(read, publish=publish, who=who)
        return replace(report, files=tuple(log.rows))

    def search(self, question: Question, top: int, *, explain: bool = False) -> list[Hit]:
        options = scope(question, top=top, home_region=self.config.regions.home)
        return self.base.search(question.text, options, explain=explain)

    def reindex(self, on_step: OnStep) -> Reindexed | None:
        """Make the index anew as the configuration wants it while this one answers; None when it is so."""
        return self.base.reindex(self.index_settings, on_step)

    def scores(self, question: str, texts: Sequence[str]) -> Scores:
        """How well each text answers, by what searches are ranked with; only their order means anything."""
        return self.base.searcher.scores(question, texts)

    def ask(self, question: Question) -> Answer:
        """The answer, written down before it goes out; when that fails it says so."""
        *_, answer = self.ask_in_parts(question)
        return answer

    def ask_in_parts(self, question: Question) -> Iterator[Answer]:
        """The answer as far as it is made, each time more of it; the last one is whole, and written down."""
        before = self._commits()
        answer = None
        for answer in self.answerer.parts(question):
            if answer.made_by == WRITING:
                yield answer
        assert answer is not None
        yield keep_answers(self.base, [_given(question, answer, before)])[0]

    def ask_all(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """The same, in order, for many: written down in groups."""
        waiting = iter(questions)
        while group := list(islice(waiting, ASKED_AT_ONCE)):
            given = []
            for question in group:
                before = self._commits()
                *_, answer = self.answerer.parts(question)
                given.append(_given(question, answer, before))
            yield from keep_answers(self.base, given)

    def _commits(self) -> int:
        with self.base.ledger.reading() as connection:
            return commits(connection)

    def document(self, document_id: str) -> Document:
        return self.base.document(document_id)

    def graph_store(self, who: str) -> PropertyGraphStore:
        """The graph for programs of llama-index: the one in SQL, or the server's that ``graph.store`` names.

        ``who`` is written into the log beside edges that such a program adds or deletes in SQL.
        """
        from kb.graph.push import open_neo4j  # llama-index: 2 s
        from kb.graph.store import PolicyGraphStore

        if self.config.graph.store == "sql":
            return PolicyGraphStore(self.base, who=who)
        return open_neo4j(self.config.graph)


def _given(question: Question, answer: Answer, before: int) -> Given:
    return Given(question, replace(answer, id=uuid4().hex), before)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a home is opened with before anything is searched."""

    engine: Engine
    settings: IndexSettings
    tokenizer: Tokenizer
    terms: TermMap | None
    models: Models


@contextmanager
def opened_home(config: Config, folder: Path) -> Iterator[Foundation]:
    """The home is held against other processes meanwhile."""
    with hold_home(folder), _founded(config, folder, held_database) as found:
        remove_overtaken(found.engine, found.settings)
        yield found


@contextmanager
def opened_beside(config: Config, folder: Path) -> Iterator[Foundation]:
    """The same for a process beside the one that holds the home."""
    with _founded(config, folder, looked_at) as found:
        yield found


@contextmanager
def looked_at(url: str) -> Iterator[Engine]:
    """A database that another process may hold."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def database_url(config: Config, folder: Path) -> str:
    return config.storage.database or f"sqlite:///{folder.resolve() / 'policydesk.db'}"


@contextmanager
def _founded(
    config: Config, folder: Path, database: Callable[[str], AbstractContextManager[Engine]]
) -> Iterator[Foundation]:
    own_terms = [Path(config.search.terms_file)] if config.search.terms_file else []
    terms = read_terms([TERMS, *own_terms]) if config.search.terms else None

    def static(trained: Path | None) -> StaticEncoder:
        return StaticEncoder(trained or ENCODER, terms=terms)

    with opened_models(config, static, folder) as models:
        tokenizer = index_tokenizer(config.index)
        settings = IndexSettings(config, folder, SparseEncoder(tokenizer, config.index), models.embedder)
        with database(database_url(config, folder)) as engine:
            yield Foundation(engine, settings, tokenizer, terms, models)


@contextmanager
def open_desk(config: Config, home: Path | None = None, *, as_made: bool = False) -> Iterator[Desk]:
    """Everything joined over one home folder, which is held against other processes meanwhile.

    With ``as_made`` an index that was made with other settings answers as far as it can, until `Desk.reindex` is done.
    Raises `HomeLocked`, `IndexMismatch`, `BackendUnavailable`, `ConfigError`.
    """
    folder = home or config.home
    with opened_home(config, folder) as found, ExitStack() as opened:
        tokenizer, terms = found.tokenizer, found.terms
        if as_made:
            index = open_as_made(found.engine, found.settings, lambda: StaticEncoder(terms=terms))
        else:
            index = open_index(found.engine, found.settings)
        with ExitStack() as undo:
            undo.callback(index.store.close)
            base = KnowledgeBase(
                folder, config, engine=found.engine, index=index,
                models=SearchModels(tokenizer, terms, read_background(), _ranker(config.search), found.models.reranker),
                correct=partial(corrected, chunk_chars=config.ingest.chunk_chars),
            )
            undo.pop_all()
        opened.callback(base.close)
        names = config.regions.names
        direct = DirectAnswers(
            base.ledger, partial(_likeness, found, names), threshold=config.faq.threshold, region_names=names
        )
        answerer = Answerer(
            config.answer, base, home_region=config.regions.home, region_names=names, words=tokenizer.words,
            selector=_selector(config, found), direct=direct, responsible=partial(_responsible, base),
            generator=found.models.generator, support=_support(found),
        )
        yield Desk(config, base, answerer, found.settings, found.models.chosen, found.models.generator)


def reindex_home(config: Config, home: Path | None, on_step: OnStep) -> Reindexed | None:
    """Make the index of a home anew as the configuration wants it; None when it is so. Nothing is searched meanwhile.

    The index that answered before stays in use until the new one is whole, and need not be one that can be opened.
    """
    with opened_home(config, home or config.home) as found:
        done = reindex(found.engine, found.settings, turn=nullcontext(), switched=lambda _: None, on_step=on_step)
        if done is not None:
            done.index.store.close()
            remove_replaced(found.engine, found.settings, done.replaced)
        return done


def _likeness(found: Foundation, region_names: Mapping[str, str]) -> Likeness:
    """By the shipped encoder whatever the index is made with: it compares single words, in microseconds."""
    encoder = _shipped_encoder(found)
    return Likeness(encoder.embed_questions, found.tokenizer.words, read_background(), region_names.values())


def _selector(config: Config, found: Foundation) -> Selector:
    return Selector(
        config.answer, tokenizer=found.tokenizer, background=read_background,
        encoder=partial(_shipped_encoder, found), terms=found.terms, region_names=config.regions.names,
    )


def _shipped_encoder(found: Foundation) -> StaticEncoder:
    """Whatever the index is made with."""
    used = found.models.embedder
    return used if isinstance(used, StaticEncoder) and used.folder == ENCODER else StaticEncoder(terms=found.terms)


def _support(found: Foundation) -> Support:
    """With the shipped encoder, which its weights were chosen with."""
    generator = found.models.generator
    if generator is None:
        return Support()
    judge = judge_of(generator) if found.settings.config.generate.judge else None
    return Support(StaticEncoder(), WITH_ENCODER, judge)


def _responsible(base: KnowledgeBase, matter: str) -> Responsible | None:
    """Whom the documents charge with a matter; None where what they charge somebody with is little like it."""
    hits = base.search(matter, SearchOptions(top=_RESPONSIBLE_FROM, as_of=today()))
    with base.reading() as connection:
        found = responsible_by(connection, hits, matter, as_of=today())
    best = next(iter(found), None)
    return Responsible(best.body, best.phone) if best is not None and best.likeness >= _SAME_MATTER else None


def _ranker(config: SearchConfig) -> Ranker | None:
    """It orders what was found; a model that reads texts then reads the first ones."""
    trained = Path(config.reranker) if config.reranker.endswith(".txt") else RANKER
    return None if config.reranker == "none" else Ranker(trained)
