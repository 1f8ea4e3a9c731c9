"""Adding documents in a process of its own, while another one, which holds the home, goes on answering.

Python and the index let one thread work at a time, and each flush or finishing of an index stops them all. So a large
ingest takes place here: it reads, writes SQL, and writes the points to a copy of the index. When enough have come, the
copy takes the place of the index that answers, and only then are the documents published, one durable step after the
other. The holder of the home lends what writers share: their turn, and the names of documents in flight
(`kb.upkeep.beside_host`).
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from types import TracebackType
from typing import cast

from sqlalchemy import Engine

from core.config import Config
from core.errors import PolicyDeskError
from core.ports import Store
from core.records import Document, FileRead, IngestReport, Skipped
from kb import catalogue
from kb.adding import Adding
from kb.curation.editing import Editing
from kb.encode import Encoded
from kb.home import check_free_space
from kb.index import Index, IndexSettings
from kb.steps import Staged, Steps, make_points
from kb.store import store_folder
from kb.store_edge import EdgeStore, copy_store

# A copy takes over after so many seconds: opening it stops the searches for 0.6 s, closing the old index and bringing
# dates up to date in the new one for as long again, several times as long on a busy disk; with 60 s between, that was
# felt by 5 % of those who asked there. Where copying takes long, the time between is this many times that.
_SECONDS = 120.0
_TIMES_COPYING = 10
_PUBLISHED_AT_ONCE = 8       # steps: a search that a commit overtakes begins again, and a commit waits for the disk
_MOST = 200_000              # points until then, whose names are kept
_RETRY = 0.02                # seconds until what somebody else has is asked for again


class Line:
    """The way to the process that holds the home. Threads may share it."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._asking = threading.Lock()

    def ask(self, verb: str, argument: object = None) -> object:
        """Its answer. Raises its `PolicyDeskError`, and `EOFError` when it is gone."""
        with self._asking:
            self._pipe.send((verb, argument))
            good, answer = self._pipe.recv()
        if not good:
            raise PolicyDeskError(answer)
        return answer


class LentLock:
    """A lock that the other process has, too; one thread here has it at a time, as often as it likes."""

    def __init__(self, line: Line, name: str, on_wait: Callable[[], None] = lambda: None) -> None:
        """``on_wait`` is called before it is asked for again."""
        self._line = line
        self._name = name
        self._on_wait = on_wait
        self._mine = threading.RLock()
        self._depth = 0

    def __enter__(self) -> bool:
        self._mine.acquire()
        with ExitStack() as undo:
            undo.callback(self._mine.release)
            if self._depth == 0:
                while not self._line.ask("lend", self._name):     # waiting there would hold up the other thread here
                    self._on_wait()
                    time.sleep(_RETRY)
            self._depth += 1
            undo.pop_all()
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        try:
            if self._depth == 0:
                self._line.ask("take back", self._name)
        finally:
            self._mine.release()


class LentNames:
    """Names in flight, as `kb.turns.Turns` keeps them, of both processes."""

    def __init__(self, line: Line, on_wait: Callable[[Collection[str]], None] = lambda names: None) -> None:
        """``on_wait`` is called before names that are taken are asked for again."""
        self._line = line
        self._on_wait = on_wait

    def take(self, names: Collection[str]) -> None:
        while not self._line.ask("take", frozenset(names)):
            self._on_wait(names)
            time.sleep(_RETRY)

    def give_back(self, names: Collection[str]) -> None:
        self._line.ask("give back", frozenset(names))


class BesideSteps(Steps):
    """The durable steps over an index that both processes may write to: a server's."""

    def __init__(self, settings: IndexSettings, *, engine: Engine, index: Index, line: Line) -> None:
        storage = settings.config.storage
        super().__init__(settings.home, engine=engine, index=index, min_free_mb=storage.min_free_mb)
        self.turn = LentLock(line, "turn")   # type: ignore[assignment]  # a lock like the one it takes the place of
        self._turns = LentNames(line)        # type: ignore[assignment]
        self._line = line

    def step(self, done: int, total: int, message: str) -> None:
        """Tell how far the work is. Raises `PolicyDeskError` when it has to stop."""
        self._line.ask("step", (done, total, message))

    def when_published(self, work: Callable[[], None]) -> None:
        """Do ``work`` once everything that was written so far is published."""
        work()

    def step_aside(self) -> None:
        """Let others have what they wait for."""

    def complete(self) -> int:
        """Publish what is left; how many revisions were replaced that no `write` has told of."""
        return 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A durable step whose points are in the copy."""

    generation: int
    names: frozenset[str]
    who: str
    since: float                 # time.monotonic()


class CopySteps(BesideSteps):
    """The durable steps over copies of an index that only the other process can answer from.

    A copy is made when the first points come, and takes over when they have waited long enough or somebody waits for
    them. It is worked on beside the place where it will be, and copied there whole.
    """

    def __init__(self, settings: IndexSettings, *, engine: Engine, line: Line) -> None:
        nowhere = cast(Store, None)      # what is here before a copy is only asked for what makes its vectors
        index = Index("", nowhere, settings.encoder, settings.embedder)
        super().__init__(settings, engine=engine, index=index, line=line)
        self._turns = LentNames(line, self._give_away)      # type: ignore[assignment]
        self._settings = settings
        self._copy: EdgeStore | None = None
        self._place = ""
        self._points: set[str] = set()                  # that were written to the copy
        self._seconds = _SECONDS                        # until it takes over
        self._waiting: list[_Waiting] = []
        self._then: list[Callable[[], None]] = []
        self._replaced = 0
        self._busy = threading.RLock()                  # has what stands above: one thread stages, one writes

    def write(self, staged: Staged, encoded: Callable[[], Sequence[Encoded]]) -> int:
        """Step two. The others follow when the copy takes over, and with them the number of revisions replaced."""
        vectors = encoded()
        with self._busy:
            if staged.entries:
                copy = self._copy or self._new_copy()
                copy.upsert(make_points(staged.entries, vectors, staged.generation))
                copy.finish_full()
                self._points.update(entry.point for entry in staged.entries)
            self._waiting.append(_Waiting(staged.generation, staged.names, staged.who, time.monotonic()))
            if len(self._points) >= _MOST:
                self._take_over()
        return 0

    def step(self, done: int, total: int, message: str) -> None:
        wanted = self._line.ask("step", (done, total, message))
        with self._busy:
            if self._waiting and (wanted or time.monotonic() - self._waiting[0].since > self._seconds):
                self._take_over()

    def refresh_index(self) -> None:
        """In the index that answers."""
        self._line.ask("refresh")

    def when_published(self, work: Callable[[], None]) -> None:
        with self._busy:
            if self._waiting:
                self._then.append(work)
            else:
                work()

    def step_aside(self) -> None:
        with self._busy:
            self._take_over()

    def complete(self) -> int:
        with self._busy:
            self._take_over()
            replaced, self._replaced = self._replaced, 0
        return replaced

    def _give_away(self, names: Collection[str]) -> None:
        """Another revision of what waits here has come, and has to wait until this one is published."""
        with self._busy:
            if any(not one.names.isdisjoint(names) for one in self._waiting):
                self._take_over()

    def _new_copy(self) -> EdgeStore:
        check_free_space(self._settings.home, self._settings.config.storage.min_free_mb)
        self._place = uuid.uuid4().hex[:8]
        self._points.clear()
        source = self._line.ask("hold", self._place)
        assert isinstance(source, Path)
        began = time.monotonic()
        try:
            copy_store(source, self._work, durable=False)
        finally:
            self._line.ask("let go")
        self._seconds = max(_SECONDS, _TIMES_COPYING * (time.monotonic() - began))
        self._copy = EdgeStore(self._work, dim=self.index.embedder.dim if self.index.embedder else None)
        return self._copy

    @property
    def _target(self) -> Path:
        return store_folder(self._settings.home, self._place)

    @property
    def _work(self) -> Path:
        """Removed with the target, should this process die."""
        return self._target.with_name(f"{self._target.name}.new")

    def _take_over(self) -> None:
        if self._copy is not None:
            copy, self._copy = self._copy, None
            copy.finish()
            # Closing an index drops its files from memory; then opening them would stop the searches for some 5 s.
            copy_store(self._work, self._target, durable=True)
            copy.close()
            shutil.rmtree(self._work)
            self._line.ask("switch", (self._place, frozenset(self._points)))
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), _PUBLISHED_AT_ONCE):
            some = waiting[start : start + _PUBLISHED_AT_ONCE]
            with self.turn, self.engine.begin() as connection:
                self._replaced += sum(catalogue.publish(connection, one.generation, one.who) for one in some)
            self._turns.give_back([name for one in some for name in one.names])
        if waiting:
            self.refresh_index()
        works, self._then = self._then, []
        for work in works:
            work()


class BesideAdding(Adding):
    """An ingest run whose documents may be published some time after they were written."""

    def __init__(
        self, steps: BesideSteps, editing: Editing, config: Config, *, publish: bool, settings: str, who: str
    ) -> None:
        super().__init__(steps, editing, config, publish=publish, settings=settings, who=who)
        self._beside = steps

    def run(self, items: Iterable[Document | Skipped | FileRead]) -> IngestReport:
        """What came in before an exception is published all the same."""
        replaced = 0
        try:
            report = super().run(items)
        finally:
            replaced = self._beside.complete()
        return replace(report, replaced=report.replaced + replaced)

    def _remember(self, files: Sequence[FileRead]) -> None:
        self._beside.when_published(partial(super()._remember, files))


def lend_editing(editing: Editing, steps: BesideSteps, line: Line) -> None:
    """No editor of the other process changes a source between the reading of its changes and the staging with them."""
    # An editor may have the lock while waiting for names of what waits here to be published.
    editing.lock = LentLock(line, "editing", steps.step_aside)     # type: ignore[assignment]  # a lock like its own
