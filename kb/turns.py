"""Who has to wait for whom: revisions of one source for each other, the closing of an index for its readers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")


class Turns:
    """Names that are taken: who wants one of them waits until all are given back.

    Two revisions of one source in flight at once could both write the point of an article that they share, and
    the later writing would hide it from searches that find the earlier revision.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._wanted: Counter[str] = Counter()
        self._changed = threading.Condition()

    def take(self, names: Collection[str]) -> None:
        """All of them at once: nobody holds some while waiting for others."""
        with self._changed:
            self._wanted.update(names)
            try:
                self._changed.wait_for(lambda: self._taken.isdisjoint(names))
            finally:
                self._wanted -= Counter(names)
            self._taken.update(names)

    def try_to_take(self, names: Collection[str]) -> bool:
        """All of them, or none and False where one is taken."""
        with self._changed:
            free = self._taken.isdisjoint(names)
            if free:
                self._taken.update(names)
            return free

    def wanted(self, names: Collection[str]) -> bool:
        """Whether somebody waits for one of them."""
        with self._changed:
            return not self._wanted.keys().isdisjoint(names)

    def give_back(self, names: Collection[str]) -> None:
        with self._changed:
            self._taken.difference_update(names)
            self._changed.notify_all()


class Readers:
    """Counts who uses a thing that another may replace, so that it is closed after its last reader."""

    def __init__(self) -> None:
        self._reading: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def reading(self, current: Callable[[], _T]) -> Iterator[_T]:
        """What ``current`` gives, which stays open meanwhile."""
        with self._changed:      # whoever replaces the thing and then waits has this reader counted, or not given it
            thing = current()
            self._reading[id(thing)] += 1
        try:
            yield thing
        finally:
            with self._changed:
                self._reading[id(thing)] -= 1
                self._changed.notify_all()

    def wait_for(self, replaced: object) -> None:
        """Until nobody reads ``replaced``, which is not the current thing any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._reading[id(replaced)])
            del self._reading[id(replaced)]
