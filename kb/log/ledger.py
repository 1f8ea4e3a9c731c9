"""The database as those who record what they do need it: one change at a time, each followed by its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.errors import PolicyDeskError
from kb.home import check_free_space
from kb.log.audit import Purged
from kb.log.checkpoints import EVERY, Checkpoint, Checkpoints


class Ledger:
    """Threads may share it."""

    def __init__(
        self, home: Path, *, engine: Engine, turn: AbstractContextManager[object], checkpoints: Checkpoints,
        min_free_mb: int,
    ) -> None:
        """``turn`` is that of every writer of the base."""
        self.checkpoints = checkpoints
        self._home = home
        self._engine = engine
        self._turn = turn
        self._min_free_mb = min_free_mb

    def reading(self) -> AbstractContextManager[Connection]:
        return self._engine.connect()

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction of an editor. Raises `StorageFull`."""
        check_free_space(self._home, self._min_free_mb)
        with self.noting() as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A transaction that may use the space that is kept free: what was answered is written down to the end."""
        with self._turn:
            with self._engine.begin() as connection:
                yield connection
            self._keep_up(EVERY)

    def seal(self) -> None:
        """At opening and closing: a checkpoint of all that was written, where there is something new."""
        with self._turn:
            self._keep_up(1)

    def make_checkpoint(self) -> Checkpoint | None:
        """One more line of the file; None for an empty log. Raises `PolicyDeskError` when it cannot be written."""
        with self._turn, self._engine.connect() as connection:
            return self.checkpoints.make(connection)

    def allow_purge(self, connection: Connection, purged: Purged) -> None:
        """Before the transaction of a purge is committed. Raises `PolicyDeskError`."""
        self.checkpoints.allow_purge(connection, purged.through)

    def _keep_up(self, least: int) -> None:
        """What is committed stays so whether or not it can be noted."""
        with suppress(DBAPIError, PolicyDeskError), self._engine.connect() as connection:
            self.checkpoints.keep_up(connection, least=least)
