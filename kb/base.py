"""The knowledge base: documents go in and become findable all at once; questions find articles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import (
    Comparison,
    Document,
    Duplicate,
    FileRead,
    Hit,
    IngestReport,
    SearchOptions,
    SearchStages,
    Skipped,
    State,
    StoredDocument,
)
from kb import catalogue, lookup
from kb.adding import Adding
from kb.curation import lifecycle
from kb.curation.compare import compare
from kb.curation.duplicates import all_duplicates
from kb.curation.editing import Correct, Editing
from kb.files import file_settings, known_files
from kb.index import Index, IndexSettings, remove_replaced
from kb.log.checkpoints import checkpoints_of
from kb.log.ledger import Ledger
from kb.reindex import OnStep, Reindexed, reindex
from kb.search import Searcher, SearchModels
from kb.steps import SYSTEM, Steps, T

_ALL = SearchStages()
_UNKNOWN = "没有编号为 {} 的文件。用 policydesk documents 查看编号"


class KnowledgeBase:
    """Holds the database, the index and the models that make vectors. Threads may share it."""

    def __init__(
        self, home: Path, config: Config, *, engine: Engine, index: Index, models: SearchModels, correct: Correct
    ) -> None:
        """Finishes what a crash cut short. ``index`` is closed by `close`, or once another has replaced it.

        ``correct`` makes editors' changes on a document as it was read.
        """
        self._config = config
        self._engine = engine
        self._steps = Steps(home, engine=engine, index=index, min_free_mb=config.storage.min_free_mb)
        self.editing = Editing(self._steps, correct, reviewed=config.review.required)
        self._reindexing = threading.Lock()
        self.searcher = Searcher(self._steps, models, config.search)
        self.ledger = Ledger(
            home, engine=engine, turn=self._steps.turn, min_free_mb=config.storage.min_free_mb,
            checkpoints=checkpoints_of(config.audit, home),
        )
        self._steps.finish_interrupted()
        self.ledger.seal()

    def close(self) -> None:
        self.ledger.seal()
        self._steps.index.store.close()

    @property
    def steps(self) -> Steps:
        """For who adds documents beside this process; see `kb.upkeep.beside_host`."""
        return self._steps

    def reading(self) -> AbstractContextManager[Connection]:
        """For questions of another module, such as `kb.graph.queries`."""
        return self._engine.connect()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, with the turn of writers."""
        with self._steps.turn, self._engine.begin() as connection:
            yield connection

    # writing

    def add(
        self, items: Iterable[Document | Skipped | FileRead], *, publish: bool, who: str = SYSTEM
    ) -> IngestReport:
        """Store every document that is new, in durable steps. With ``publish`` false they stay drafts."""
        if publish and self._config.review.required:
            raise PolicyDeskError("review.required 为 true，须先审核。请用 ingest --draft，再用 review submit")
        settings = self._file_settings(publish)
        return Adding(self._steps, self.editing, self._config, publish=publish, settings=settings, who=who).run(items)

    def known_files(self, *, publish: bool) -> Mapping[str, str]:
        """sha256 by source of the files and archive members that were ingested whole, with the settings of now."""
        with self._engine.connect() as connection:
            return known_files(connection, self._file_settings(publish))

    def publish(self, ids: Sequence[str], who: str = SYSTEM) -> None:
        """Publish drafts, or documents taken out before, together. Raises `NotFound` for any other id.

        Of several revisions of one source only the newest goes live.
        """
        waiting = [document.id for document in self.documents([State.DRAFT, State.REVIEW, State.REMOVED])]
        unknown = sorted(set(ids) - set(waiting))
        if unknown:
            raise NotFound(
                f"没有编号为 {'、'.join(unknown)} 的草稿或已撤下文件。"
                "用 policydesk documents --state draft（或 removed）查看编号"
            )
        review = self._config.review
        with self._engine.connect() as connection:
            if review.required:
                lifecycle.check_review(connection, ids, who, two_people=review.two_people)
            ordered = catalogue.in_order(connection, ids)
        self._steps.publish([self.document(name) for name in ordered], who)

    def withdraw(self, document_id: str, who: str = SYSTEM) -> None:
        """Take a published document out of every answer, at once."""
        if not self._steps.withdraw(document_id, who):
            raise NotFound(f"没有编号为 {document_id} 的已发布文件。用 policydesk documents 查看编号")

    def change(self, made: Callable[[Connection], T]) -> T:
        """Do ``made``, such as a function of `kb.curation.lifecycle` or
        `kb.curation.faq`, in one transaction that is told at once."""
        return self._steps.change(made)

    def reindex(self, settings: IndexSettings, on_step: OnStep) -> Reindexed | None:
        """Make another index and answer from it, while other threads go on searching, adding and withdrawing.

        None when the index is as ``settings`` wants it; see `kb.reindex.reindex`.
        """
        if not self._reindexing.acquire(blocking=False):
            raise PolicyDeskError("索引正在重建。请等它完成")
        steps, old = self._steps, self._steps.index
        try:
            done = reindex(self._engine, settings, turn=steps.turn, switched=steps.use, on_step=on_step)
            if done is not None:
                steps.close_replaced(old)
                remove_replaced(self._engine, settings, done.replaced)
        finally:
            self._reindexing.release()
        if done is not None and not old.writable:
            steps.finish_interrupted()      # what had to wait for an index that can be written
        return done

    # reading

    def read(self, asked: Callable[[Connection], T]) -> T:
        """What ``asked``, a function of one of the modules that read SQL, finds."""
        with self._engine.connect() as connection:
            return asked(connection)

    def search(
        self, text: str, options: SearchOptions, stages: SearchStages = _ALL, *, explain: bool = False
    ) -> list[Hit]:
        """The best articles for ``text``, best first, each once; empty when no term matches."""
        return self.searcher.search(text, options, stages, explain=explain)

    def document(self, document_id: str) -> Document:
        with self._engine.connect() as connection:
            document = lookup.load(connection, document_id)
        if document is None:
            raise NotFound(_UNKNOWN.format(document_id))
        return document

    def compare(self, old_id: str, new_id: str) -> Comparison:
        """What became of each article. Raises `NotFound`."""
        return compare(self.document(old_id), self.document(new_id))

    def similar(self, document_id: str) -> list[Duplicate]:
        """How the document is related to others that are published or drafts, the most similar first.

        Empty for one that was taken out. Raises `NotFound` for an unknown id.
        """
        with self._engine.connect() as connection:
            if lookup.title_of(connection, document_id) is None:
                raise NotFound(_UNKNOWN.format(document_id))
            return all_duplicates(connection, document_id)

    def documents(self, states: Sequence[State]) -> list[StoredDocument]:
        with self._engine.connect() as connection:
            return lookup.stored_documents(connection, states)

    def title(self, document_id: str) -> str | None:
        with self._engine.connect() as connection:
            return lookup.title_of(connection, document_id)

    def not_in_force(self, text: str, options: SearchOptions) -> list[StoredDocument]:
        """Documents that ``text`` calls by name and that do not hold on the day of ``options``."""
        return self.read(lambda connection: lookup.not_in_force(connection, text, options))

    def article_texts(self, *, national: bool) -> Iterator[tuple[str, str]]:
        """(ref, title and text) of every article of published documents, for comparisons with other engines."""
        with self._engine.connect() as connection:
            yield from lookup.article_texts(connection, national=national)

    def counts(self) -> tuple[int, int, int]:
        """Published documents, articles, chunks."""
        with self._engine.connect() as connection:
            return lookup.counts(connection)

    def _file_settings(self, publish: bool) -> str:
        return file_settings(self._config, publish=publish)
