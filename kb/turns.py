"""Revisions of one source go in one after the other, while other sources go in side by side."""

from __future__ import annotations

import threading
from collections.abc import Collection


class Turns:
    """Names that are taken: who wants one of them waits until all are given back.

    Two revisions of one source in flight at once could both write the point of an article that they share, and
    the later writing would hide it from searches that find the earlier revision.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def take(self, names: Collection[str]) -> None:
        """All of them at once: nobody holds some while waiting for others."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken.isdisjoint(names))
            self._taken.update(names)

    def give_back(self, names: Collection[str]) -> None:
        with self._changed:
            self._taken.difference_update(names)
            self._changed.notify_all()
