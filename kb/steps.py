"""The durable steps by which documents become findable, and what finishes them after a crash.

1. rows are written as *staged*, under a generation number;
2. points that no published document of the same source holds already are written and flushed; queries exclude
   generations that SQL calls staged;
3. one SQL commit publishes the rows and takes the revisions out that they replace;
4. points that nobody holds any more are deleted, and points of rows whose dates changed get them.

What keeps every search whole at every moment: a point that a published document holds is in the index (points are
written before the commit, and only those are deleted that no published or staged document holds); it is never
written again while it is held; and SQL alone says which documents are published and on which days they hold.

Another index can take the place of the one that answers at any moment (see `kb.reindex`). Who searches or writes holds
the one it began with; what was written to an index that was replaced before the commit is written to the new one, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pebble import ProcessExpired, ProcessFuture
from sqlalchemy import Connection, Engine

from core.errors import PolicyDeskError, StorageFull
from core.ports import Point, Store
from core.records import Document, Duplicate, RevisionChange, State
from kb import catalogue, lookup, validity
from kb.catalogue import Live
from kb.curation.compare import revision_change
from kb.curation.duplicates import earlier_duplicates, save_sketches, sketches_of, without_sketch
from kb.encode import Encoded, Fields, Packed, unpack
from kb.encode import encode as encode_texts
from kb.graph.links import save_references, without_references
from kb.home import check_free_space, use_reserve
from kb.index import Index
from kb.log.audit import Entry, record_all
from kb.points import IndexEntry, index_entries, point_ids
from kb.rows import Standing
from kb.turns import Readers, Turns
from kb.versions import Span

SYSTEM = "系统"               # who acts where nobody is named
OPEN_END = 99991231
_COMPLETED_AT_ONCE = 200


T = TypeVar("T")
Also = Callable[[Connection], None]


def nothing(_: Connection) -> None:
    """What is done also where there is nothing else to do."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What step one leaves for the others."""

    generation: int
    documents: tuple[Document, ...]
    entries: tuple[IndexEntry, ...]          # of points that are to be written
    revisions: tuple[RevisionChange, ...]
    names: frozenset[str]                    # taken until `Steps.write` or `Steps.give_up`
    index: Index                             # that lacks the points of ``entries`` and no other
    who: str                                 # publishes it


class Steps:
    """The database and the index that answers. Threads may share it."""

    def __init__(self, home: Path, *, engine: Engine, index: Index, min_free_mb: int) -> None:
        self.engine = engine
        self.index = index
        # Two threads in these steps at once could take one generation, or leave old dates in the index.
        self.turn = threading.RLock()
        self._home = home
        self._min_free_mb = min_free_mb
        self._turns = Turns()
        self._readers = Readers()

    def reading(self) -> AbstractContextManager[Index]:
        """The index that answers now. Until it is given back it stays open, even when another takes its place."""
        return self._readers.reading(lambda: self.index)

    def use(self, index: Index) -> None:
        """Answer from ``index``, which holds every published document; the caller has the turn."""
        self.index = index

    def close_replaced(self, old: Index) -> None:
        """Once the last search in it ends. Not in turn: such a search may be waiting for that."""
        self._readers.wait_for(old)
        old.store.close()

    def publish(self, batch: Sequence[Document], who: str, *, also: Also = nothing) -> None:
        staged = self.stage(batch, who, also=also)
        self.write(staged, lambda: encode(staged.index, staged.entries))

    def save_drafts(
        self, batch: Sequence[Document], who: str, *, again: Sequence[str], also: Also = nothing,
        instead_of: Sequence[str] = (),
    ) -> None:
        """Keep new documents unpublished; the drafts among ``again``, known ids that were read once more, are newer.

        ``also`` is done in the same transaction, and the drafts ``instead_of`` which these come are given up in it.
        """
        check_free_space(self._home, self._min_free_mb)
        points, made = _points(batch), sketches_of(batch)
        with self.turn, self.engine.begin() as connection:
            held = validity.spans_with(connection, batch)
            standings = {document.id: Standing(State.DRAFT, None, held[document.id]) for document in batch}
            catalogue.came_again(connection, again)
            known = catalogue.known(connection, [document.id for document in batch])
            batch = [document for document in batch if document.id not in known]
            catalogue.save(connection, batch, standings, points)
            save_sketches(connection, batch, made)
            catalogue.drop_unpublished(connection, instead_of)
            catalogue.draft_again(connection, list(known))
            also(connection)
            record_all(connection, who, [
                Entry("draft", d.id, {"source": d.source, "title": d.facts.title}) for d in batch
            ])
        if instead_of:
            self.refresh_index()

    def stage(self, batch: Sequence[Document], who: str, *, also: Also = nothing) -> Staged:
        """Step one, for what is not published. Of several revisions of one source the last of ``batch`` counts.

        ``also`` is done in the same transaction.
        """
        check_free_space(self._home, self._min_free_mb)
        last = {document.source: document for document in batch}
        names = frozenset(name for document in batch for name in (document.id, document.source))
        points, made = _points(last.values()), sketches_of(last.values())
        with ExitStack() as undo:
            self._turns.take(names)
            undo.callback(self._turns.give_back, names)
            with self.turn, self.engine.begin() as connection:
                index = self._writable()
                known = catalogue.known(connection, [document.id for document in batch])
                batch = [d for d in last.values() if d.id not in known or known[d.id].state != State.PUBLISHED]
                outdone = [name for name in known if name not in {d.id for d in last.values()}]
                live = catalogue.live(connection, [document.source for document in batch])
                held = validity.spans_with(connection, batch)
                generation = catalogue.next_generation(connection)
                standings = {
                    d.id: Standing(State.STAGED, generation, held[d.id], _keeps_old_dates(d, points, live, held[d.id]))
                    for d in batch
                }
                fresh = [document for document in batch if document.id not in known]
                catalogue.save(connection, fresh, standings, points)
                save_sketches(connection, fresh, made)
                catalogue.stage(connection, [d for d in batch if d.id in known], standings, points)
                catalogue.drop_unpublished(connection, outdone)
                also(connection)
            replacing = [(d, live[d.source].id) for d in batch if d.source in live]
            there = frozenset(point for one in live.values() for point in one.points)
            entries = index_entries(batch, {c: p for c, p in points.items() if p not in there}, held)
            changes = tuple(self._changes(replacing))
            staged = Staged(generation, tuple(batch), tuple(entries), changes, names, index, who)
            undo.pop_all()
        return staged

    def write(self, staged: Staged, encoded: Callable[[], Sequence[Encoded]]) -> int:
        """Steps two to four; how many revisions were replaced. ``encoded`` gives what ``staged.index`` needs."""
        try:
            while True:
                with self.reading() as index:
                    if index is staged.index:
                        self._index(index, staged.generation, staged.entries, encoded())
                    else:
                        entries = self._entries_again(staged)
                        self._index(index, staged.generation, entries, encode(index, entries))
                with self.turn:
                    if self.index is index:
                        with self.engine.begin() as connection:
                            replaced = catalogue.publish(connection, staged.generation, staged.who)
                        self.refresh_index()
                        return replaced
        finally:
            self.give_up(staged)

    def duplicates(self, batch: Sequence[Document]) -> list[Duplicate]:
        """How stored documents are related to earlier ones."""
        with self.engine.connect() as connection:
            return earlier_duplicates(connection, [document.id for document in batch])

    def give_up(self, staged: Staged) -> None:
        """Let others have the sources. The rows stay staged until they are added again or the home is opened."""
        self._turns.give_back(staged.names)

    def withdraw(self, document_id: str, who: str) -> bool:
        """False when no published document has that id."""
        with self.turn:
            try:
                found = self._take_out(document_id, who)
            except StorageFull:
                use_reserve(self._home)
                found = self._take_out(document_id, who)
            self.refresh_index()
        return found

    def _take_out(self, document_id: str, who: str) -> bool:
        with self.engine.begin() as connection:
            return catalogue.withdraw(connection, document_id, who)

    def change(self, made: Callable[[Connection], T]) -> T:
        """One change of rows that says nothing about points but their dates."""
        with self.turn:
            with self.engine.begin() as connection:
                result = made(connection)
            self.refresh_index()
        return result

    def refresh_index(self) -> None:
        """Step four. On a full disk it waits for the next step: SQL alone says what is published, and when it holds."""
        with self.turn, suppress(StorageFull):
            with self.engine.connect() as connection:
                outdated = catalogue.outdated(connection)
            if not outdated.documents:
                return
            store = self.index.store
            store.delete(outdated.gone)
            for span, points in outdated.dates:
                set_validity(store, span, points)
            store.flush()
            with self.engine.begin() as connection:
                catalogue.mark_indexed(connection, outdated.documents)

    def finish_interrupted(self) -> None:
        """What a crash cut short. An index that was lost is made again first, since dates are set in place."""
        self._complete_sketches()
        self._complete_references()
        if self.index.writable:
            self._restore_index()
            with self.engine.connect() as connection:
                staged = catalogue.in_order(connection, catalogue.staged_documents(connection))
            if staged:
                with suppress(StorageFull):    # it waits for the next opening: a full disk can be read
                    self.publish([self.load(name) for name in staged], SYSTEM)
                self._restore_index()      # what was staged may have hidden that points were missing
        self.refresh_index()

    def _complete_sketches(self) -> None:
        """Of documents that an older program stored."""
        while True:
            with self.engine.connect() as connection:
                batch = [self.load(name) for name in without_sketch(connection, _COMPLETED_AT_ONCE)]
            if not batch:
                return
            with self.engine.begin() as connection:
                save_sketches(connection, batch, sketches_of(batch))

    def _complete_references(self) -> None:
        """Of documents that an older program stored; then they may end others, or be ended."""
        completed: list[str] = []
        while True:
            with self.engine.connect() as connection:
                batch = [self.load(name) for name in without_references(connection, _COMPLETED_AT_ONCE)]
            if not batch:
                break
            with self.engine.begin() as connection:
                save_references(connection, batch)
                catalogue.set_version_keys(connection, batch)
            completed += [document.id for document in batch]
        if completed:
            with self.engine.begin() as connection:
                validity.refresh(connection, {*completed, *validity.ended_by(connection, completed)})

    def load(self, document_id: str) -> Document:
        """A document that is there."""
        with self.engine.connect() as connection:
            document = lookup.load(connection, document_id)
        assert document is not None
        return document

    def _changes(self, replacing: Iterable[tuple[Document, str]]) -> Iterator[RevisionChange]:
        for document, old in replacing:
            yield revision_change(self.load(old), document)

    def _writable(self) -> Index:
        if not self.index.writable:
            raise PolicyDeskError("索引正在按新的配置重建，完成前不能发布文件（撤下不受影响）。请等重建完成后再试")
        return self.index

    def _entries_again(self, staged: Staged) -> list[IndexEntry]:
        """What an index lacks that came after the staging: perhaps also what an earlier revision held at that time.

        As in `stage`, a point that a published document holds is there, and must not be hidden by being written.
        """
        ids = [document.id for document in staged.documents]
        with self.turn, self.engine.connect() as connection:
            live = catalogue.live(connection, [document.source for document in staged.documents])
            points, spans = catalogue.points_of(connection, ids), catalogue.spans_of(connection, ids)
        there = frozenset(point for one in live.values() for point in one.points)
        return list(index_entries(staged.documents, {c: p for c, p in points.items() if p not in there}, spans))

    def _index(
        self, index: Index, generation: int, entries: Sequence[IndexEntry], encoded: Sequence[Encoded]
    ) -> None:
        """Step two."""
        if entries:
            index.store.upsert(make_points(entries, encoded, generation))
            index.store.flush()

    def _restore_index(self) -> None:
        """Write every published point again when some are missing: the index was deleted, or lost with its disk."""
        with self.engine.connect() as connection:
            if lookup.published_chunks(connection) <= self.index.store.count():
                return
            batches = catalogue.published_by_generation(connection)
        for generation, ids in batches.items():
            batch = [self.load(name) for name in ids]
            with self.engine.connect() as connection:
                points, held = catalogue.points_of(connection, ids), catalogue.spans_of(connection, ids)
            entries = list(index_entries(batch, points, held))
            self._index(self.index, generation, entries, encode(self.index, entries))


def encode(index: Index, entries: Sequence[IndexEntry], packed: ProcessFuture[Packed] | None = None) -> list[Encoded]:
    """The vectors that ``index`` needs, from ``packed`` where a worker process made them and was not killed."""
    texts = [words_of(entry) for entry in entries]
    if packed is not None:
        with suppress(ProcessExpired):
            return unpack(packed.result(), texts, index.embedder)
    return encode_texts(texts, index.encoder, index.embedder)


def make_points(entries: Sequence[IndexEntry], encoded: Sequence[Encoded], generation: int) -> list[Point]:
    return [
        Point(
            entry.point, vectors.sparse, vectors.dense, generation, entry.region or "", entry.rank,
            number(entry.span.start, 0), number(entry.span.end, OPEN_END), entry.public,
        )
        for entry, vectors in zip(entries, encoded, strict=True)
    ]


def set_validity(store: Store, span: Span, points: Sequence[str]) -> None:
    store.set_validity(points, in_force_from=number(span.start, 0), in_force_to=number(span.end, OPEN_END))


def words_of(entry: IndexEntry) -> Fields:
    return entry.title, entry.heading, entry.text


def number(day: date | None, missing: int) -> int:
    return day.year * 10000 + day.month * 100 + day.day if day else missing


def _points(batch: Iterable[Document]) -> dict[str, str]:
    """Chunk id -> point."""
    return {
        chunk.id: point
        for document in batch
        for chunk, point in zip(document.chunks, point_ids(document), strict=True)
    }


def _keeps_old_dates(document: Document, points: dict[str, str], live: dict[str, Live], span: Span) -> bool:
    """Whether points that it takes over have other dates, to be corrected once it is published."""
    old = live.get(document.source)
    if old is None or old.points.isdisjoint(points[chunk.id] for chunk in document.chunks):
        return False
    return old.span is None or (old.span.start, old.span.end) != (span.start, span.end)
