"""Leaves a server alone that failed several times in a row, and tries it again after a while."""

from __future__ import annotations

import threading
import time


class Breaker:
    """Closed: calls go through. Open: none does. Half open: one does, and its outcome decides. Threads may share it."""

    def __init__(self, failures: int, seconds: float) -> None:
        """It opens after ``failures`` in a row, and lets one call try after ``seconds``."""
        self._limit = failures
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._opened = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        with self._lock:
            return self._failures >= self._limit

    def enter(self) -> bool:
        """Whether a call may go through; who gets True tells how it ended by `done` or `left`."""
        with self._lock:
            if self._failures < self._limit:
                return True
            if self._probing or time.monotonic() - self._opened < self._seconds:
                return False
            self._probing = True
            return True

    def done(self, *, well: bool) -> None:
        with self._lock:
            self._probing = False
            self._failures = 0 if well else self._failures + 1
            if self._failures >= self._limit:
                self._opened = time.monotonic()

    def left(self) -> None:
        """The call ended before anything was known of the server."""
        with self._lock:
            self._probing = False
