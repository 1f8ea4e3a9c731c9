"""Files that are mapped into memory on a disk that runs short: their holes are filled before anything is written.

A write into the hole of a mapped file asks the disk for a block; where none is left the process is ended (SIGBUS), and
nothing can be done about it then. So below `AMPLE_MB` of free disk the files get their blocks beforehand, which fails
with an error instead. Above that they stay sparse: a new index has 170 MB of holes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from core.errors import StorageFull
from kb.home import free_mb

AMPLE_MB = 2_000
_FLOOR_MB = 48               # what the index may make new files of in one step, and the tables' log beside it


def make_room(folder: Path, files: Iterable[Path], needed_mb: int) -> None:
    """Raises `StorageFull`, before anything is written, where ``files`` cannot have all their blocks.

    ``needed_mb`` is what the next step may add; 0: nothing. Does nothing while the disk has ample space.
    """
    free = free_mb(folder)
    if free >= AMPLE_MB:
        return
    holes = {path: size for path in files if (size := _hole(path))}
    needed = sum(holes.values()) // 1_000_000 + (_FLOOR_MB + needed_mb if needed_mb else 0)
    try:
        if free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for path in holes:
            _fill(path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            f"{folder} 所在磁盘只剩 {free} MB，索引还需要 {needed} MB 才能打开或写入。"
            "索引没有改动，已发布的内容都在；请清理磁盘后重试，不需要重启"
        ) from error


def has_room(folder: Path, needed_mb: int) -> bool:
    return free_mb(folder) >= _FLOOR_MB + needed_mb


def _hole(path: Path) -> int:
    """Bytes without a block."""
    try:
        stat = path.stat()
    except FileNotFoundError:        # a finished segment took its place
        return 0
    return max(0, stat.st_size - stat.st_blocks * 512)


def _fill(path: Path) -> None:
    """What is there stays as it is."""
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
