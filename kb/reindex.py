"""Making another index beside the one that answers, from SQL alone, and letting it answer from one commit on.

Rounds write what is published and not there yet, while other threads go on publishing and withdrawing; the last round,
which finds little to do, has the turn that they need for their commits. Every point has a row in SQL before it is
written (`kb.next_index`), so a run that was cut short is continued by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass

from pebble import ProcessFuture
from sqlalchemy import Connection, Engine

from core.errors import BackendUnavailable
from core.records import Document
from kb import lookup, next_index
from kb.encode import Encoded, EncodingPool, Packed
from kb.home import check_free_space
from kb.index import NEXT, PLACE, Index, IndexSettings, recorded
from kb.points import IndexEntry, index_entries
from kb.steps import encode, make_points, set_validity, words_of

_ROUNDS = 20             # of which each finds what came during the one before; then publications wait for the rest
_LITTLE = 100            # points that may be left for the round during which publications wait
_AT_ONCE = 128           # points; bge-m3 without a GPU needs two minutes for them
_SECONDS = 10.0          # of work at most is lost when the process is killed, beside the points of one step
_PUBLISHED = 0           # their generation: that of no durable step, so no query ever excludes it

OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What a reindex did."""

    index: Index
    replaced: str                # the place of the index that answered before, to be closed and removed
    points: int                  # in the new index
    written: int                 # of them by this run; the others by one that was cut short
    seconds: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch of points on its way to the index."""

    entries: list[IndexEntry]
    packed: ProcessFuture[Packed] | None     # their vectors, made in another process


def reindex(
    engine: Engine, settings: IndexSettings, *, turn: AbstractContextManager[object],
    switched: Callable[[Index], None], on_step: OnStep,
) -> Reindexed | None:
    """The new index, which answers now; None when the recorded one is as ``settings`` wants it.

    ``turn`` is what keeps others from committing; it is held for moments, and while ``switched`` is called with the
    new index in the moment of the commit. ``on_step`` gets the number of points that are there and that will be. It
    must not wait for somebody who commits; it may raise, and the next run goes on from there.
    """
    started = time.perf_counter()
    facts = recorded(engine, settings)
    if settings.difference(facts) is None:
        _give_up_unfinished(engine, settings, facts.get(NEXT))
        return None
    place, replaced = settings.place_after(facts), f"{settings.kind}:{facts.get(PLACE, '')}"
    with ExitStack() as undo:
        making = _Making(engine, settings, _open_unfinished(engine, settings, facts.get(NEXT), place), turn, on_step)
        undo.callback(making.index.store.close)
        with closing(making.pool):
            making.catch_up()
            with turn:
                points = making.finish()
                with engine.begin() as connection:
                    next_index.switch(connection, settings.made_with, place=place, replaced=replaced)
                switched(making.index)
        undo.pop_all()
    return Reindexed(making.index, replaced, points, making.written, time.perf_counter() - started)


def _give_up_unfinished(engine: Engine, settings: IndexSettings, place: str | None) -> None:
    if place is not None:
        settings.remove(place)
        with engine.begin() as connection:
            next_index.give_up(connection)


def _open_unfinished(engine: Engine, settings: IndexSettings, unfinished: str | None, place: str) -> Index:
    """The index at ``place``, which holds exactly the points that have rows: none, or what an earlier run wrote."""
    if unfinished == place:
        index = settings.open(place)
        with engine.connect() as connection:
            doubtful = next_index.doubtful(connection)
        index.store.delete(doubtful)
        index.store.flush()
        with engine.begin() as connection:
            next_index.forget(connection, doubtful)
            held = next_index.count(connection)
        if index.store.count() == held:
            return index
        index.store.close()      # it was lost with its disk, or lies in another kind of store than before
    if unfinished is not None:
        settings.remove(unfinished)
    with engine.begin() as connection:
        next_index.begin(connection, place)
    return settings.open(place)


class _Making:
    """An index that is being made. One thread works on it."""

    def __init__(
        self, engine: Engine, settings: IndexSettings, index: Index, turn: AbstractContextManager[object],
        on_step: OnStep,
    ) -> None:
        ingest = settings.config.ingest
        self.index = index
        self.pool = EncodingPool(index.encoder.config, index.embedder, ingest.workers)
        self.written = 0
        self._engine = engine
        self._settings = settings
        self._turn = turn
        self._on_step = on_step
        self._batch, self._apart = ingest.batch_chunks, ingest.workers > 0
        self._held = self._coming = 0

    def catch_up(self) -> None:
        """Until little is left to do."""
        for _ in range(_ROUNDS):
            missing = self._missing()
            if sum(points for _, points in missing) <= _LITTLE:
                return
            self._write(missing)
            self._tidy()

    def finish(self) -> int:
        """In turn: the index holds every point of published documents and no other; how many."""
        self._write(self._missing())
        self._tidy()
        with self._engine.connect() as connection:
            wanted, held = lookup.published_chunks(connection), next_index.count(connection)
        there = self.index.store.count()
        if not wanted == held == there:
            raise BackendUnavailable(
                f"新索引应有 {wanted} 个条目，实际有 {there} 个，没有启用，旧索引不变。请再次运行 policydesk reindex"
            )
        return there

    def _missing(self) -> list[tuple[str, int]]:
        with self._engine.connect() as connection:
            missing = next_index.missing(connection)
            self._held = next_index.count(connection)
        self._coming = sum(points for _, points in missing)
        return missing

    def _write(self, missing: Sequence[tuple[str, int]]) -> None:
        """The texts of a batch are encoded in other processes while the batch before is written."""
        waiting: Prepared | None = None
        for ids in _batches(missing, self._batch):
            coming = self._prepare(ids)
            if waiting is not None:
                self._put(waiting)
            waiting = coming
        if waiting is not None:
            self._put(waiting)

    def _prepare(self, ids: Sequence[str]) -> Prepared:
        with self._turn, self._engine.begin() as connection:
            claimed = next_index.claim(connection, ids)
        with self._engine.connect() as connection:
            documents = [_loaded(connection, name) for name in claimed.spans]
        entries = list(index_entries(documents, claimed.points, claimed.spans))
        apart = self._apart and len(entries) >= self._batch // 2
        return Prepared(entries, self.pool.submit([words_of(entry) for entry in entries]) if apart else None)

    def _put(self, prepared: Prepared) -> None:
        check_free_space(self._settings.home, self._settings.config.storage.min_free_mb)
        encoded = encode(self.index, prepared.entries, prepared.packed)
        since, begun = 0, time.perf_counter()
        for start in range(0, len(encoded), _AT_ONCE):
            self._on_step(self._held, self._held + self._coming)
            end = min(start + _AT_ONCE, len(encoded))
            self._upsert(prepared.entries[start:end], encoded[start:end])
            if end == len(encoded) or time.perf_counter() - begun > _SECONDS:
                self.index.store.flush()
                with self._engine.begin() as connection:
                    points = [entry.point for entry in prepared.entries[since:end]]
                    next_index.mark(connection, points, written=True)
                since, begun = end, time.perf_counter()
        self._on_step(self._held, self._held + self._coming)

    def _upsert(self, entries: Sequence[IndexEntry], encoded: Sequence[Encoded]) -> None:
        self.index.store.upsert(make_points(entries, encoded, _PUBLISHED))
        self.written += len(entries)
        self._held += len(entries)
        self._coming -= len(entries)

    def _tidy(self) -> None:
        """Take out what was withdrawn or replaced since it was written, and give others their new dates."""
        store = self.index.store
        with self._engine.begin() as connection:
            left_over, redated = next_index.left_over(connection), next_index.redated(connection)
            next_index.mark(connection, left_over, written=False)
        store.delete(left_over)
        for span, points in redated.items():
            set_validity(store, span, points)
        store.flush()
        with self._engine.begin() as connection:
            next_index.forget(connection, left_over)
            for span, points in redated.items():
                next_index.set_dates(connection, span, points)


def _batches(missing: Sequence[tuple[str, int]], size: int) -> Iterator[list[str]]:
    """Ids of documents that have ``size`` points or a little more together."""
    ids: list[str] = []
    points = 0
    for name, count in missing:
        ids.append(name)
        points += count
        if points >= size:
            yield ids
            ids, points = [], 0
    if ids:
        yield ids


def _loaded(connection: Connection, name: str) -> Document:
    document = lookup.load(connection, name)
    assert document is not None
    return document
