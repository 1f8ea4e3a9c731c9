"""The home folder: one process at a time, and never filled to the brim."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import portalocker

from core.errors import HomeLocked, PolicyDeskError, StorageFull

_RESERVE = 1_000_000
_SPARE = 20


@contextmanager
def hold_home(home: Path) -> Iterator[None]:
    """Hold ``home`` (made when missing) against other processes. Raises `HomeLocked` when one has it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise PolicyDeskError(f"不能使用目录 {home}：{error.strerror}。请用 --home 指定一个可写的目录") from error
    with lock:
        try:
            portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.LockException as error:
            lock.seek(0)
            raise HomeLocked(
                f"{home} 正被进程 {lock.read().strip() or '（未知）'} 使用。请先结束它，或用 --home 指定另一个目录"
            ) from error
        with suppress(OSError):      # on a full disk
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        use_reserve(home)
        try:
            yield
        finally:
            use_reserve(home)


def use_reserve(home: Path) -> None:
    """Keep a megabyte, and give it up where there is none left.

    SQLite needs some to open a database for reading, and to take a document out.
    """
    reserve = home / "reserve"
    with suppress(OSError):
        free = shutil.disk_usage(home).free
        if free < _RESERVE:
            reserve.unlink(missing_ok=True)
        elif free > _SPARE * _RESERVE and not reserve.exists():
            reserve.write_bytes(bytes(_RESERVE))


def check_free_space(home: Path, min_free_mb: int) -> None:
    """Raise `StorageFull` when fewer than ``min_free_mb`` megabytes are free: a full disk kills the index."""
    free = free_mb(home)
    if free < min_free_mb:
        raise StorageFull(
            f"{home} 所在磁盘只剩 {free} MB，写入需要至少 {min_free_mb} MB（storage.min_free_mb）。"
            "没有写入任何内容，查询不受影响；请清理磁盘后重试"
        )


def free_mb(home: Path) -> int:
    """Free megabytes on the disk of ``home``."""
    return shutil.disk_usage(home).free // 1_000_000
