"""The knowledge base: documents go in and become findable all at once; questions find articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine

from core.config import Config
from core.errors import IndexMismatch, NotFound
from core.ports import Embedder, Store
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
from kb.compare import compare
from kb.duplicates import all_duplicates
from kb.files import known_files
from kb.search import Searcher, SearchModels
from kb.steps import Steps
from kb.tokens import SparseEncoder

_ALL = SearchStages()
_UNKNOWN = "没有编号为 {} 的文件。用 policydesk documents 查看编号"


class KnowledgeBase:
    """Holds the database, the index and the models that make vectors. Threads may share it."""

    def __init__(
        self,
        home: Path,
        config: Config,
        *,
        engine: Engine,
        store: Store,
        encoder: SparseEncoder,
        embedder: Embedder | None,
        models: SearchModels,
    ) -> None:
        """Raises `IndexMismatch` when the index was made with other terms or another embedder."""
        self._home = home
        self._config = config
        self._engine = engine
        self._steps = Steps(
            home, engine=engine, store=store, encoder=encoder, embedder=embedder,
            min_free_mb=config.storage.min_free_mb,
        )
        self.searcher = Searcher(self._steps, models, config.search)
        self._check_index()
        self._steps.finish_interrupted()

    # writing

    def add(self, items: Iterable[Document | Skipped | FileRead], *, publish: bool) -> IngestReport:
        """Store every document that is new, in durable steps. With ``publish`` false they stay drafts."""
        settings = self._file_settings(publish)
        return Adding(self._steps, self._config, publish=publish, settings=settings).run(items)

    def known_files(self, *, publish: bool) -> Mapping[str, str]:
        """sha256 by source of the files and archive members that were ingested whole, with the settings of now."""
        with self._engine.connect() as connection:
            return known_files(connection, self._file_settings(publish))

    def publish(self, ids: Sequence[str]) -> None:
        """Publish drafts, or documents taken out before, together. Raises `NotFound` for any other id.

        Of several revisions of one source only the newest goes live.
        """
        waiting = [document.id for document in self.documents([State.DRAFT, State.REMOVED])]
        unknown = sorted(set(ids) - set(waiting))
        if unknown:
            raise NotFound(
                f"没有编号为 {'、'.join(unknown)} 的草稿或已撤下文件。"
                "用 policydesk documents --state draft（或 removed）查看编号"
            )
        with self._engine.connect() as connection:
            ordered = catalogue.in_order(connection, ids)
        self._steps.publish([self.document(name) for name in ordered])

    def withdraw(self, document_id: str) -> None:
        """Take a published document out of every answer, at once."""
        if not self._steps.withdraw(document_id):
            raise NotFound(f"没有编号为 {document_id} 的已发布文件。用 policydesk documents 查看编号")

    # reading

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

    def article_texts(self, *, national: bool) -> Iterator[tuple[str, str]]:
        """(ref, title and text) of every article of published documents, for comparisons with other engines."""
        with self._engine.connect() as connection:
            yield from lookup.article_texts(connection, national=national)

    def counts(self) -> tuple[int, int, int]:
        """Published documents, articles, chunks."""
        with self._engine.connect() as connection:
            return lookup.counts(connection)

    # what the index was made with

    def _check_index(self) -> None:
        embedder = self._steps.embedder
        wanted = {"terms": self._steps.encoder.name, "embedder": embedder.name if embedder else "none"}
        with self._engine.begin() as connection:
            made = catalogue.read_index_facts(connection)
            if not made:
                catalogue.write_index_facts(connection, wanted)
                return
        for key, value in wanted.items():
            if made.get(key) != value:
                raise IndexMismatch(
                    f"{self._home} 的索引是用 {key} = {made.get(key)} 建立的，现在的配置是 {value}。"
                    "请改回原来的配置（index.*），或用 --home 指定新目录并重新 ingest"
                )

    def _file_settings(self, publish: bool) -> str:
        return f"{'publish' if publish else 'draft'} {self._config.ingest.chunk_chars}"
