"""One ingest run: while one batch is written, the next is read and encoded."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing

from pebble import ProcessFuture

from core.config import Config
from core.records import (
    Corrected,
    Document,
    Duplicate,
    FileRead,
    Held,
    IngestReport,
    Likeness,
    RevisionChange,
    Skipped,
    State,
)
from kb import catalogue
from kb.curation.editing import Editing, read_otherwise, save_parsed
from kb.encode import Encoded, EncodingPool, Packed
from kb.files import remember_files
from kb.postgres import refresh_statistics
from kb.steps import Staged, Steps, encode, words_of


class Adding:
    """Takes what readers hand over, batch by batch, and counts."""

    def __init__(
        self, steps: Steps, editing: Editing, config: Config, *, publish: bool, settings: str, who: str
    ) -> None:
        """``settings`` is what files are remembered with."""
        self._editing = editing
        self._held: list[Held] = []
        self._who = who
        self._steps = steps
        self._publish = publish
        self._settings = settings
        self._batch_chunks = config.ingest.batch_chunks
        self._workers = config.ingest.workers
        self._batch: dict[str, Document] = {}          # by source: a later revision takes the place of an earlier
        self._files: list[FileRead] = []
        self._skipped: list[Skipped] = []
        self._revisions: list[RevisionChange] = []
        self._duplicates: list[Duplicate] = []
        self._documents = self._articles = self._chunks = self._points = 0
        self._unchanged = self._unchanged_files = self._replaced = 0
        self._writing: Future[tuple[int, list[Duplicate]]] | None = None
        self._handed_over: frozenset[str] = frozenset()     # what is being written
        self._encoder = steps.index.encoder            # what the pool encodes with
        self._pool = EncodingPool(self._encoder.config, steps.index.embedder, config.ingest.workers)

    def run(self, items: Iterable[Document | Skipped | FileRead]) -> IngestReport:
        started = time.perf_counter()
        with ThreadPoolExecutor(1) as writer, closing(self._pool):
            waiting = 0
            for item in items:
                if isinstance(item, Document):
                    self._batch[item.source] = item
                    waiting += len(item.chunks)
                elif isinstance(item, Skipped):
                    self._skipped.append(item)
                else:
                    self._files.append(item)
                if waiting >= self._batch_chunks:
                    self._step(writer, full=True)
                    waiting = 0
            self._step(writer, full=False)
            self._wait()
        return IngestReport(
            self._documents, self._articles, self._chunks, self._unchanged, self._unchanged_files,
            self._replaced, tuple(self._skipped), time.perf_counter() - started,
            revisions=tuple(self._revisions), duplicates=tuple(self._duplicates), held=tuple(self._held),
            written_points=self._points,
        )

    def _step(self, writer: ThreadPoolExecutor, *, full: bool) -> None:
        """Hand the batch over. Full ones are encoded in other processes while the next is read."""
        read, files = list(self._batch.values()), self._files
        self._batch, self._files = {}, []
        with self._editing.lock:
            self._take(writer, self._editing.again(read), files, full=full)

    def _take(
        self, writer: ThreadPoolExecutor, read: Sequence[Corrected], files: Sequence[FileRead], *, full: bool
    ) -> None:
        held = [one for one in read if one.conflicts] if self._publish else []
        self._hold_back(held)
        made = [one for one in read if one not in held]
        batch = [one.document for one in made]
        new = self._unknown(batch)
        self._unchanged += len(batch) - len(new)
        self._unchanged_files += sum(file.unchanged for file in files)
        if new and self._publish:
            self._hand_over(writer, new, made, files, full=full)
            return
        if made and self._publish:
            self._read_otherwise(made)
        if batch and not self._publish:
            ids = {document.id for document in new}
            again = [document.id for document in batch if document.id not in ids]
            self._steps.save_drafts(new, self._who, again=again, also=lambda c: save_parsed(c, made))
            self._duplicates += self._steps.duplicates(new)
            self._count(new)
        if files:
            self._wait()
            self._remember(files)

    def _unknown(self, batch: Sequence[Document]) -> list[Document]:
        """Those to be stored, each content once; the same content from another place is told as a duplicate."""
        with self._steps.engine.connect() as connection:
            known = catalogue.known(connection, [document.id for document in batch])
        settled = {State.PUBLISHED} if self._publish else set(State)
        sources = {
            name: there.source for name, there in known.items() if there.state in settled or name in self._handed_over
        }
        new: list[Document] = []
        for document in batch:
            source = sources.get(document.id)
            if source is None:
                sources[document.id] = document.source
                new.append(document)
            elif source != document.source:
                self._duplicates.append(
                    Duplicate(document.id, document.id, Likeness.SAME_TEXT, 1.0, document.source, source)
                )
        return new

    def _hold_back(self, held: Sequence[Corrected]) -> None:
        """What editors changed reads otherwise now: they decide which holds, and what is published stays meanwhile."""
        if held:
            drafts = [one.document for one in held]
            ids = [document.id for document in drafts]
            self._steps.save_drafts(drafts, self._who, again=ids, also=lambda c: save_parsed(c, held))
            self._held += [Held(one.document.source, one.document.id, one.conflicts) for one in held]
            self._count(drafts)

    def _read_otherwise(self, made: Sequence[Corrected]) -> None:
        """Nothing is new but what was read."""
        with self._steps.engine.connect() as connection:
            changed = read_otherwise(connection, made)
        if changed:
            with self._steps.turn, self._steps.engine.begin() as connection:
                save_parsed(connection, changed)

    def _hand_over(
        self, writer: ThreadPoolExecutor, new: Sequence[Document], made: Sequence[Corrected], files: Sequence[FileRead],
        *, full: bool,
    ) -> None:
        staged = self._steps.stage(new, self._who, also=lambda c: save_parsed(c, made))
        with ExitStack() as undo:
            undo.callback(self._steps.give_up, staged)
            words = [words_of(entry) for entry in staged.entries]
            apart = full and self._workers > 0 and words and staged.index.encoder is self._encoder
            packed = self._pool.submit(words) if apart else None
            self._wait()
            self._writing = writer.submit(self._write, staged, packed, files)
            undo.pop_all()
        self._handed_over = frozenset(document.id for document in staged.documents)
        self._revisions += staged.revisions
        self._points += len(staged.entries)
        self._count(staged.documents)

    def _write(
        self, staged: Staged, packed: ProcessFuture[Packed] | None, files: Sequence[FileRead]
    ) -> tuple[int, list[Duplicate]]:
        """In the writing thread. Files are remembered once all that came before them is published."""

        def encoded() -> Sequence[Encoded]:
            return encode(staged.index, staged.entries, packed)

        replaced = self._steps.write(staged, encoded)
        with self._steps.engine.begin() as connection:
            refresh_statistics(connection)
        self._remember(files)
        return replaced, self._steps.duplicates(staged.documents)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            replaced, duplicates = writing.result()
            self._replaced += replaced
            self._duplicates += duplicates

    def _count(self, new: Sequence[Document]) -> None:
        self._documents += len(new)
        self._articles += sum(len(document.articles) for document in new)
        self._chunks += sum(len(document.chunks) for document in new)

    def _remember(self, files: Sequence[FileRead]) -> None:
        if files:
            with self._steps.engine.begin() as connection:
                remember_files(connection, files, self._settings)
