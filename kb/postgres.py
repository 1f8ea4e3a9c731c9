"""What PostgreSQL needs beyond SQL: a database held by one program, and connections that notice an end.

A home folder is locked by a file in it; a database on a server may stand in the configuration of several machines.

The lock is an advisory lock that every connection of the program shares, so it is free only once all of them are gone,
however they went. A program that lost them all, because the server was restarted, takes the lock again with its next
connection, unless another program has opened the database in between: a number in SQL counts the openings.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import BackendUnavailable, HomeLocked

CONNECTING = {
    "connect_timeout": "10",
    "application_name": f"policydesk {socket.gethostname()} {os.getpid()}",
    "client_encoding": "utf8",
}

_FEW = 500               # chunks, found fast in any way
_WAIT = 3.0              # seconds until the server has noticed that the program before was killed
_LOCK = "7665301, 1"     # the two numbers by which programs of ours know the advisory lock of a database
# A machine that lost its power says no goodbye: the server notices after 90 s, not after two hours.
_SETTINGS = ("tcp_keepalives_idle = 60", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")
_HOLDERS = f"""
    SELECT activity.application_name FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'advisory' AND (held.classid, held.objid) = ({_LOCK}) AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def prepare(engine: Engine) -> None:
    """Settings for every connection to come."""
    event.listen(engine, "connect", _set)


def check_encoding(engine: Engine) -> None:
    """Raises `BackendUnavailable` where Chinese text cannot be kept."""
    with engine.connect() as connection:
        encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise BackendUnavailable(
            f"数据库 {engine.url.render_as_string()} 的编码是 {encoding}，应为 UTF8。"
            "请用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 另建一个库"
        )


@contextmanager
def hold(engine: Engine, bring_up: Callable[[Engine], None]) -> Iterator[None]:
    """Hold the database against other programs; ``bring_up`` makes its tables once it is ours. Raises `HomeLocked`."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
        holder.detach()      # from the pool
        _take(holder, engine.url.render_as_string())
        bring_up(engine)
        refresh_statistics(holder)
        engine.dispose()     # connections made so far do not share the lock
        opening = _count_opening(holder)
        holder.execute(text(f"SELECT pg_advisory_lock_shared({_LOCK})"))
        holder.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
        event.listen(engine, "connect", partial(_share, opening))
        yield


def refresh_statistics(connection: Connection) -> None:
    """Let PostgreSQL count its rows once there are more than twice as many as when it did last.

    Its own worker comes a minute late, and until then a search of 20,000 chunks took nine times as long. On another
    database this does nothing.
    """
    if connection.dialect.name != "postgresql":
        return
    counted = connection.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'chunks'::regclass")) or 0
    there = connection.scalar(text("SELECT count(*) FROM chunks")) or 0
    if there > 2 * max(counted, _FEW):
        connection.execute(text("ANALYZE"))


def _take(holder: Connection, address: str) -> None:
    deadline = time.monotonic() + _WAIT
    while not holder.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})")):
        if time.monotonic() > deadline:
            others = sorted({name or "" for name in holder.scalars(text(_HOLDERS))})
            raise HomeLocked(
                f"数据库 {address} 正被另一个程序使用（{'、'.join(others) or '未知'}：程序名、主机、进程号）。"
                "请先结束它，或在 storage.database 中改用另一个库"
            )
        time.sleep(0.1)


def _count_opening(holder: Connection) -> int:
    counted = text("UPDATE counters SET number = number + 1 WHERE key = 'opened' RETURNING number")
    number: int | None = holder.scalar(counted)
    if number is None:
        holder.execute(text("INSERT INTO counters (key, number) VALUES ('opened', 1)"))
    return number or 1


def _share(opening: int, connection: object, _record: ConnectionPoolEntry) -> None:
    """A new connection of the program that has opened the database for the ``opening``-th time."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"SELECT pg_try_advisory_lock_shared({_LOCK})")
    (shared,) = cursor.fetchone()
    cursor.execute("SELECT number FROM counters WHERE key = 'opened'")
    (number,) = cursor.fetchone()
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]
    if not shared or number != opening:
        connection.close()  # type: ignore[attr-defined]
        raise HomeLocked("与数据库的连接中断期间，另一个程序打开了它。这个程序不再读写，请结束它")


def _set(connection: object, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for setting in _SETTINGS:
        cursor.execute(f"SET {setting}")
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]
