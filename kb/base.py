"""The knowledge base: documents go in and become findable all at once; questions find articles.

A document goes through four durable steps, and `KnowledgeBase` finishes on opening what a crash cut short:
its rows are written as *staged*; its points are written and flushed, under a generation number that every
query excludes while a row of it is staged; one SQL commit publishes the rows, which ends the exclusion; and
rows that this commit made outdated, marked *index_stale* and excluded by id, get their dates in the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from core.config import Config
from core.errors import IndexMismatch, NotFound
from core.ports import Embedder, Point, PointFilter, Sparse, Store
from core.records import (
    Document,
    FileRead,
    Hit,
    IngestReport,
    SearchOptions,
    Skipped,
    State,
    StoredDocument,
)
from kb import catalogue
from kb.catalogue import IndexEntry
from kb.encode import EncodingPool, Fields, Packed, unpack
from kb.home import check_free_space
from kb.tokens import SparseEncoder

OPEN_END = 99991231
_NAMED_SCORE = 1000.0    # above any BM25 score: who names an article wants that article


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
        self._store = store
        self._encoder = encoder
        self._embedder = embedder
        # Two threads in these steps at once could take one generation, or leave old dates in the index.
        self._turn = threading.RLock()
        self._check_index()
        self._finish_interrupted()

    # writing

    def add(self, items: Iterable[Document | Skipped | FileRead], *, publish: bool) -> IngestReport:
        """Store every document that is new, in durable steps. With ``publish`` false they stay drafts."""
        return _Ingest(self, publish=publish).run(items)

    def file_seen(self, source: str, sha256: str, *, publish: bool) -> bool:
        """Whether a file of these bytes was ingested whole before, with the settings of now."""
        with self._engine.connect() as connection:
            return catalogue.file_seen(connection, source, sha256, self._file_settings(publish))

    def publish(self, ids: Sequence[str]) -> None:
        """Publish drafts, or documents taken out before, together. Raises `NotFound` for any other id."""
        waiting = [document.id for document in self.documents([State.DRAFT, State.REMOVED])]
        unknown = sorted(set(ids) - set(waiting))
        if unknown:
            raise NotFound(
                f"没有编号为 {'、'.join(unknown)} 的草稿或已撤下文件。"
                "用 policydesk documents --state draft（或 removed）查看编号"
            )
        self._publish([self.document(i) for i in ids], stored=set(ids))

    def withdraw(self, document_id: str) -> None:
        """Take a published document out of every answer, at once."""
        with self._turn:
            with self._engine.begin() as connection:
                if not catalogue.withdraw(connection, document_id):
                    raise NotFound(f"没有编号为 {document_id} 的已发布文件。用 policydesk documents 查看编号")
            self._refresh_index()

    # reading

    def search(self, text: str, options: SearchOptions) -> list[Hit]:
        """The best articles for ``text``, best first, each once; empty when no term matches."""
        query = self._encoder.query(text)
        if not query.indices:
            return []
        dense = self._embedder.embed([text])[0].tolist() if self._embedder else None
        limit = options.top + 8  # some articles are found by several chunks
        with self._engine.connect() as connection:
            hidden = catalogue.hidden(connection)
            where = _filter(options, hidden)
            named = [(chunk, _NAMED_SCORE) for chunk in catalogue.named_chunks(connection, text, options)]
            while True:
                scored = self._store.query(query, dense, where=where, limit=limit)
                found = catalogue.hits(connection, [*named, *scored], top=options.top, newest=hidden.newest)
                if len(found) == options.top or len(scored) < limit:
                    return found
                limit *= 2

    def document(self, document_id: str) -> Document:
        with self._engine.connect() as connection:
            document = catalogue.load(connection, document_id)
        if document is None:
            raise NotFound(f"没有编号为 {document_id} 的文件。用 policydesk documents 查看编号")
        return document

    def documents(self, states: Sequence[State]) -> list[StoredDocument]:
        with self._engine.connect() as connection:
            return catalogue.stored_documents(connection, states)

    def title(self, document_id: str) -> str | None:
        with self._engine.connect() as connection:
            return catalogue.title_of(connection, document_id)

    def article_texts(self, *, national: bool) -> Iterator[tuple[str, str]]:
        """(ref, title and text) of every article of published documents, for comparisons with other engines."""
        with self._engine.connect() as connection:
            yield from catalogue.article_texts(connection, national=national)

    def counts(self) -> tuple[int, int, int]:
        """Published documents, articles, chunks."""
        with self._engine.connect() as connection:
            return catalogue.counts(connection)

    # the four steps

    def _publish(self, batch: Sequence[Document], *, stored: set[str]) -> None:
        generation, entries = self._stage(batch, stored=stored)
        self._write(generation, entries, self._encode(entries))

    def _stage(self, batch: Sequence[Document], *, stored: set[str]) -> tuple[int, list[IndexEntry]]:
        """Step one, and what step two will index. ``stored`` are those whose rows are there already."""
        check_free_space(self._home, self._config.storage.min_free_mb)
        with self._turn, self._engine.begin() as connection:
            generation = catalogue.next_generation(connection)
            fresh = [document for document in batch if document.id not in stored]
            if fresh:
                catalogue.save(connection, fresh, State.STAGED, generation)
            if stored:
                catalogue.stage(connection, list(stored), generation)
            held = catalogue.spans_with(connection, batch)
        return generation, list(catalogue.index_entries(batch, held))

    def _write(self, generation: int, entries: Sequence[IndexEntry], sparse: Sequence[Sparse]) -> int:
        """Steps two to four; the number of replaced revisions comes back."""
        self._index(generation, entries, sparse)
        with self._turn:
            with self._engine.begin() as connection:
                replaced = catalogue.publish(connection, generation)
            self._refresh_index()
        return replaced

    def _index(self, generation: int, entries: Sequence[IndexEntry], sparse: Sequence[Sparse]) -> None:
        """Step two."""
        if entries:
            self._store.upsert(self._points(entries, sparse, generation))
            self._store.flush()

    def _refresh_index(self) -> None:
        with self._engine.connect() as connection:
            stale = catalogue.stale_documents(connection)
        for document, span, ids in stale:
            if document.state == State.REMOVED:
                self._store.delete(ids)
            else:
                start, end = _number(span.start, 0), _number(span.end, OPEN_END)
                self._store.set_validity(ids, in_force_from=start, in_force_to=end)
        if stale:
            self._store.flush()
            with self._engine.begin() as connection:
                catalogue.mark_indexed(connection, [document.id for document, _, _ in stale])

    def _finish_interrupted(self) -> None:
        with self._engine.connect() as connection:
            staged = catalogue.staged_documents(connection)
            for generation in catalogue.hidden(connection).generations:
                self._store.delete_generation(generation)
        if staged:
            self._publish([self.document(i) for i in staged], stored=set(staged))
        self._refresh_index()
        with self._engine.connect() as connection:
            missing = catalogue.published_chunks(connection) - self._store.count()
        if missing > 0:
            self._restore_index()

    def _restore_index(self) -> None:
        """Write every published chunk again: the index was deleted, or lost with its disk."""
        with self._engine.connect() as connection:
            batches = catalogue.published_by_generation(connection)
        for generation, ids in batches.items():
            batch = [self.document(i) for i in ids]
            with self._engine.connect() as connection:
                entries = list(catalogue.index_entries(batch, catalogue.spans_with(connection, batch)))
            self._index(generation, entries, self._encode(entries))

    def _encode(self, entries: Sequence[IndexEntry]) -> list[Sparse]:
        return [self._encoder.document(*_fields(entry)) for entry in entries]

    def _points(self, entries: Sequence[IndexEntry], sparse: Sequence[Sparse], generation: int) -> list[Point]:
        dense: Sequence[list[float] | None] = [None] * len(entries)
        if self._embedder:
            dense = self._embedder.embed(["\n".join(_fields(entry)) for entry in entries]).tolist()
        return [
            Point(
                entry.id, words, vector, entry.document, generation, entry.region or "", entry.rank,
                _number(entry.span.start, 0), _number(entry.span.end, OPEN_END), entry.public,
            )
            for entry, words, vector in zip(entries, sparse, dense, strict=True)
        ]

    # what the index was made with

    def _check_index(self) -> None:
        wanted = {"terms": self._encoder.name, "embedder": self._embedder.name if self._embedder else "none"}
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


class _Ingest:
    """One run of `KnowledgeBase.add`: while one batch is written, the next is read and encoded."""

    def __init__(self, base: KnowledgeBase, *, publish: bool) -> None:
        self._base = base
        self._publish = publish
        self._batch: dict[str, Document] = {}
        self._files: list[FileRead] = []
        self._skipped: list[Skipped] = []
        self._documents = self._articles = self._chunks = 0
        self._unchanged = self._unchanged_files = self._replaced = 0
        self._writing: Future[int] | None = None
        self._pool = EncodingPool(base._config.index, base._config.ingest.workers)

    def run(self, items: Iterable[Document | Skipped | FileRead]) -> IngestReport:
        started = time.perf_counter()
        with ThreadPoolExecutor(1) as writer, closing(self._pool):
            waiting = 0
            for item in items:
                if isinstance(item, Document):
                    self._batch[item.id] = item
                    waiting += len(item.chunks)
                elif isinstance(item, Skipped):
                    self._skipped.append(item)
                else:
                    self._files.append(item)
                if waiting >= self._base._config.ingest.batch_chunks:
                    self._step(writer, full=True)
                    waiting = 0
            self._step(writer, full=False)
            self._wait()
        return IngestReport(
            self._documents, self._articles, self._chunks, self._unchanged, self._unchanged_files,
            self._replaced, tuple(self._skipped), time.perf_counter() - started,
        )

    def _step(self, writer: ThreadPoolExecutor, *, full: bool) -> None:
        """Hand the batch over. Full ones are encoded in other processes while the next is read."""
        base = self._base
        with base._engine.connect() as connection:
            known = catalogue.known_states(connection, list(self._batch))
        settled = {State.PUBLISHED} if self._publish else set(State)
        new = [document for document in self._batch.values() if known.get(document.id) not in settled]
        self._unchanged += len(self._batch) - len(new)
        files, self._files, self._batch = self._files, [], {}
        if new and self._publish:
            generation, entries = base._stage(new, stored={document.id for document in new} & set(known))
            elsewhere = full and base._config.ingest.workers > 0
            packed = self._pool.submit([_fields(entry) for entry in entries]) if elsewhere else None
            self._wait()
            self._writing = writer.submit(self._write, generation, entries, packed)
        elif new:
            self._save_drafts(new)
        self._count(new)
        if files:
            self._wait()
            self._remember(files)

    def _write(self, generation: int, entries: Sequence[IndexEntry], packed: Future[Packed] | None) -> int:
        sparse = unpack(packed.result()) if packed else self._base._encode(entries)
        return self._base._write(generation, entries, sparse)

    def _save_drafts(self, new: Sequence[Document]) -> None:
        check_free_space(self._base._home, self._base._config.storage.min_free_mb)
        with self._base._engine.begin() as connection:
            catalogue.save(connection, new, State.DRAFT, None)

    def _wait(self) -> None:
        if self._writing is not None:
            self._replaced += self._writing.result()
            self._writing = None

    def _count(self, new: Sequence[Document]) -> None:
        self._documents += len(new)
        self._articles += sum(len(document.articles) for document in new)
        self._chunks += sum(len(document.chunks) for document in new)

    def _remember(self, files: Sequence[FileRead]) -> None:
        self._unchanged_files += sum(file.unchanged for file in files)
        settings = self._base._file_settings(self._publish)
        with self._base._engine.begin() as connection:
            for file in files:
                if not file.unchanged and not file.failed:
                    catalogue.remember_file(connection, file.source, file.sha256, settings)


def _fields(entry: IndexEntry) -> Fields:
    """Title, headings and text as they are indexed; the address belongs to the text."""
    return entry.title, entry.heading, f"{entry.address} {entry.text}"


def _filter(options: SearchOptions, hidden: catalogue.Hidden) -> PointFilter:
    return PointFilter(
        regions=None if options.regions is None else tuple(region or "" for region in options.regions),
        as_of=_number(options.as_of, 0) if options.as_of else None,
        public_only=options.public_only,
        ranks=None if options.ranks is None else tuple(map(int, options.ranks)),
        without_generations=hidden.generations,
        without_documents=hidden.documents,
    )


def _number(day: date | None, missing: int) -> int:
    return day.year * 10000 + day.month * 100 + day.day if day else missing
