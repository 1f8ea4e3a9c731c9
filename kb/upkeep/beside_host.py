"""The other end of `kb.upkeep.beside`: lends who adds documents what writers share, and takes its index over."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from core.errors import BackendUnavailable, PolicyDeskError
from kb import catalogue
from kb.curation.editing import Editing
from kb.index import BESIDE, PLACE, REPLACED, IndexSettings, remove_copy, remove_replaced
from kb.steps import Steps
from kb.store_edge import EdgeStore

OnStep = Callable[[int, int, str], None]


class Host:
    """Answers one adding process, in one thread; `close` takes back what it has."""

    def __init__(self, settings: IndexSettings, steps: Steps, editing: Editing, on_step: OnStep) -> None:
        """``on_step`` gets what is done, of how much, and what is being done; it may raise to end the work."""
        self._engine = steps.engine
        self._settings = settings
        self._steps = steps
        self._on_step = on_step
        self._locks = {"turn": steps.turn, "editing": editing.lock}
        self._lent: dict[str, ExitStack] = {}
        self._held = ExitStack()             # the writing to the index
        self._names: set[str] = set()
        self._place: str | None = None       # of a copy that does not answer
        self._why: PolicyDeskError | None = None

    def serve(self, pipe: Pipe) -> object:
        """Until the other side is done: what it came to. Raises its `PolicyDeskError`, and `EOFError` when it died."""
        answers: dict[str, Callable[[object], object]] = {
            "lend": self._lend, "take back": self._take_back, "take": self._take, "give back": self._give_back,
            "hold": self._hold, "let go": self._let_go, "switch": self._switch, "refresh": self._refresh,
            "step": self._step,
        }
        while True:
            verb, argument = pipe.recv()
            if verb == "done":
                return argument
            if verb == "failed":
                raise self._why or PolicyDeskError(argument)
            try:
                answer = True, answers[verb](argument)
            except PolicyDeskError as error:
                answer = False, str(error)
            pipe.send(answer)

    def close(self) -> None:
        self._held.close()
        for lent in self._lent.values():
            lent.close()
        self._steps._turns.give_back(self._names)
        if self._place is not None:
            remove_copy(self._engine, self._settings, self._place)

    def _lend(self, name: object) -> bool:
        assert isinstance(name, str)
        lock = self._locks[name]
        if not lock.acquire(blocking=False):
            return False
        self._lent[name] = ExitStack()
        self._lent[name].callback(lock.release)
        return True

    def _take_back(self, name: object) -> None:
        assert isinstance(name, str)
        self._lent.pop(name).close()

    def _take(self, names: object) -> bool:
        assert isinstance(names, frozenset)
        taken = self._steps._turns.try_to_take(names)
        if taken:
            self._names |= names
        return taken

    def _give_back(self, names: object) -> None:
        assert isinstance(names, frozenset)
        self._names -= names
        self._steps._turns.give_back(names)

    def _hold(self, place: object) -> Path:
        """The folder of the index that answers. Nobody writes to it until `_let_go`; from now on writes are kept."""
        assert isinstance(place, str)
        store = self._store()
        with self._engine.begin() as connection:     # so that a copy that a crash leaves behind is removed
            catalogue.write_index_facts(connection, {BESIDE: place})
        self._place = place
        self._held.enter_context(store.held())
        store.record()
        return store.folder

    def _let_go(self, _: object) -> None:
        self._held.close()

    def _switch(self, argument: object) -> None:
        """Answer from the copy at this place, which holds these points more than the index had when it was held."""
        assert isinstance(argument, tuple)
        place, points = argument
        old, store = self._steps.index, self._store()
        index = replace(old, place=place, store=self._settings.open(place).store)
        assert isinstance(index.store, EdgeStore)
        with ExitStack() as undo:
            undo.callback(index.store.close)
            with self._steps.turn, store.held():
                if written := store.written_since():
                    index.store.write_again(written, without=points)
                    index.store.flush()
                facts = {PLACE: place, REPLACED: f"{self._settings.kind}:{old.place}"}
                with self._engine.begin() as connection:
                    catalogue.write_index_facts(connection, facts)
                    catalogue.drop_index_facts(connection, [BESIDE])
                self._steps.use(index)
            undo.pop_all()
        self._place = None
        self._steps.close_replaced(old)
        remove_replaced(self._engine, self._settings, facts[REPLACED])

    def _refresh(self, _: object) -> None:
        self._steps.refresh_index()

    def _step(self, argument: object) -> bool:
        """Whether somebody waits for what the other process has."""
        assert isinstance(argument, tuple)
        try:
            self._on_step(*argument)
        except PolicyDeskError as error:
            self._why = error
            raise
        return self._steps._turns.wanted(self._names)

    def _store(self) -> EdgeStore:
        store = self._steps.index.store
        if not isinstance(store, EdgeStore):
            raise BackendUnavailable("索引不在这个进程里，不能复制")
        return store
