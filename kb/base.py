"""The knowledge base: documents go in and become findable all at once; questions find articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from core.config import Config
from core.errors import IndexMismatch, NotFound
from core.ports import Embedder, PointFilter, Sparse, Store
from core.records import (
    Comparison,
    Document,
    Duplicate,
    FileRead,
    Hit,
    IngestReport,
    SearchOptions,
    Skipped,
    State,
    StoredDocument,
)
from kb import catalogue, lookup
from kb.adding import Adding
from kb.compare import compare
from kb.duplicates import all_duplicates
from kb.files import known_files
from kb.steps import Steps, number
from kb.tokens import SparseEncoder

_NAMED_SCORE = 1000.0    # above any BM25 score: who names an article wants that article
_TRIES = 3               # searches that a publication overtakes; then publications wait for one search
_UNKNOWN = "没有编号为 {} 的文件。用 policydesk documents 查看编号"


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    sparse: Sparse
    dense: list[float] | None
    options: SearchOptions


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
    ) -> None:
        """Raises `IndexMismatch` when the index was made with other terms or another embedder."""
        self._home = home
        self._config = config
        self._engine = engine
        self._steps = Steps(
            home, engine=engine, store=store, encoder=encoder, embedder=embedder,
            min_free_mb=config.storage.min_free_mb,
        )
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

    def search(self, text: str, options: SearchOptions) -> list[Hit]:
        """The best articles for ``text``, best first, each once; empty when no term matches."""
        query = self._steps.encoder.query(text)
        if not query.indices:
            return []
        embedder = self._steps.embedder
        asked = _Asked(text, query, embedder.embed([text])[0].tolist() if embedder else None, options)
        for _ in range(_TRIES):
            found = self._find(asked)
            if found is not None:
                return found
        with self._steps.turn:
            return self._find(asked) or []

    def _find(self, asked: _Asked) -> list[Hit] | None:
        """None when something was published or withdrawn meanwhile: half of it could be missing."""
        options, limit = asked.options, asked.options.top + 8  # some articles are found by several chunks
        with self._engine.connect() as connection:
            commits = catalogue.commits(connection)
            where = _filter(options, catalogue.staged_generations(connection))
            named = [(point, _NAMED_SCORE) for point in lookup.named_points(connection, asked.text, options)]
            while True:
                scored = self._steps.store.query(asked.sparse, asked.dense, where=where, limit=limit)
                found = lookup.hits(connection, [*named, *scored], options)
                if catalogue.commits(connection) != commits:
                    return None
                if len(found) == options.top or len(scored) < limit:
                    return found
                limit *= 2

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


def _filter(options: SearchOptions, staged: tuple[int, ...]) -> PointFilter:
    return PointFilter(
        regions=None if options.regions is None else tuple(region or "" for region in options.regions),
        as_of=number(options.as_of, 0) if options.as_of else None,
        public_only=options.public_only,
        ranks=None if options.ranks is None else tuple(map(int, options.ranks)),
        without_generations=staged,
    )
