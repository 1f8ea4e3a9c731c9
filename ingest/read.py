"""Paths -> documents: folders are walked, archives opened, each file read by a child process, in order.

Files and members of archives are handed to the `ReadPool` some way ahead of what is given out, so that reading
goes on while the receiver stores. What cannot be read is a `Skipped` in its place; a run never stops for it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from core.config import IngestConfig
from core.errors import IngestError
from core.records import Document, FileRead, Reject, Skipped
from ingest.archive import SUFFIXES as ARCHIVES
from ingest.archive import read_archive
from ingest.detect import DOCUMENT_SUFFIXES
from ingest.one_file import ARCHIVE_KINDS, ReadRequest
from ingest.read_jsonl import read_jsonl
from ingest.workers import ReadPool, Submitted

if TYPE_CHECKING:
    BufferedReader = io.BufferedReader[Any]     # of anything: files, members of archives, unpacked gzip

Item = Document | Skipped | FileRead
_MB = 1_000_000
_AHEAD_FILES = 256       # files in the pool and results not yet given out: a second's work of two children
_AHEAD_BYTES = 64 * _MB
_MAX_DEPTH = 3           # an archive in a mail in an archive
_JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What reading needs to know besides the paths."""

    limits: IngestConfig
    regions: Mapping[str, str]                     # code -> name
    seen: Callable[[str, str], bool]               # (source, sha256): ingested whole before
    on_bytes: Callable[[int], None]                # told how much of the input was read since the last call


@dataclass(frozen=True, slots=True)
class _File:
    """A file on disk, or a member of an archive or mail by its bytes."""

    data: bytes | Path
    name: str
    source: str
    depth: int
    named: bool                  # the user pointed at it: a type we cannot read is a failure, not left out


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files to read, in name order within a folder; hidden ones and links are left out.

    Raises `IngestError` for a path that does not exist, before anything is read.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(
                file for file in path.rglob("*")
                if file.is_file() and not file.is_symlink()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        elif path.is_file():
            files.append(path)
        else:
            reason = "路径不存在。请检查拼写，或用引号括住含空格的路径"
            raise IngestError(reason, place=str(path), code=Reject.UNREADABLE)
    return files


def read_files(files: Sequence[Path], settings: ReadSettings, *, named: Sequence[Path] = ()) -> Iterator[Item]:
    """Everything in ``files``, a `FileRead` after each file and each member of an archive. A type we cannot read
    is a failure only when the user named the file itself (``named``); in a folder it is left out and listed."""
    with ReadPool(settings.limits, settings.regions) as pool:
        given = (_File(path, path.name, str(path.resolve()), 0, path in named) for path in files)
        yield from _Run(pool, settings).files(given)


class _Run:
    """One call of `read_files`."""

    def __init__(self, pool: ReadPool, settings: ReadSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._unpacked = 0      # bytes that came out of archives within the given file of now

    def files(self, given: Iterable[_File]) -> Iterator[Item]:
        """What becomes of each file, in order; the pool reads ahead of what is given out."""
        begun: deque[tuple[Iterator[Item], int]] = deque()
        waiting = 0
        for file in given:
            begun.append(self._begin(file))
            waiting += begun[-1][1]
            while len(begun) > _AHEAD_FILES or waiting > _AHEAD_BYTES:
                items, size = begun.popleft()
                waiting -= size
                yield from items
        for items, _ in begun:
            yield from items

    def _begin(self, file: _File) -> tuple[Iterator[Item], int]:
        """Start reading; the items come when they are asked for. The size is of what waits in memory."""
        try:
            digest, size = _sha256(file.data), _size(file.data)
        except OSError as error:
            problem = Skipped(file.source, f"文件读不出来：{error}。请检查文件和权限")
            return iter([problem, FileRead(file.source, "", failed=True)]), 0
        if self._settings.seen(file.source, digest):
            self._told(file, size)
            return iter([FileRead(file.source, digest, unchanged=True)]), 0
        lower = file.name.lower()
        if lower.endswith(_JSON_LINES):
            return self._guarded(file, digest, "jsonl", self._json_lines(file)), 0
        if lower.endswith(ARCHIVES):
            return self._guarded(file, digest, "archive", self._members(file)), 0
        return self._one(file, digest, size, self._pool.submit(ReadRequest(file.data, file.source))), size

    def _one(self, file: _File, digest: str, size: int, submitted: Submitted) -> Iterator[Item]:
        read = self._pool.result(submitted)
        self._told(file, size)
        if read.kind in ARCHIVE_KINDS:
            yield from self._guarded(file, digest, read.kind, self._members(file))
            return
        inside = [
            _File(part.data, part.name, f"{file.source}!/{part.name}", file.depth + 1, named=False)
            for part in read.attachments if part.data is not None
        ]
        failed = bool(read.unread_pages)
        for item in chain(read.items, self.files(inside)):
            if isinstance(item, Skipped) and item.code is Reject.UNKNOWN_TYPE:
                promised = file.named or file.name.lower().endswith(DOCUMENT_SUFFIXES)
                item = replace(item, failed=promised)
            failed |= _is_failure(item)
            yield item
        unread = read.unread_pages if read.items else ()
        yield FileRead(file.source, digest, failed=failed, kind=read.kind, pages=read.pages, unread_pages=unread)

    def _guarded(self, file: _File, digest: str, kind: str, items: Iterator[Item]) -> Iterator[Item]:
        """The items of a container, the reason why it broke off if it did, and its own `FileRead`."""
        failed = False
        try:
            for item in items:
                failed |= _is_failure(item)
                yield item
        except IngestError as error:
            failed = True
            yield Skipped(error.place or file.source, error.reason, code=error.code)
        except OSError as error:
            failed = True
            yield Skipped(file.source, f"文件读不出来：{error}。请检查文件和权限")
        yield FileRead(file.source, digest, failed=failed, kind=kind)

    def _members(self, file: _File) -> Iterator[Item]:
        if file.depth >= _MAX_DEPTH:
            reason = f"压缩包嵌套超过 {_MAX_DEPTH} 层。请解压后重新打包"
            raise IngestError(reason, place=file.source, code=Reject.UNSAFE_ARCHIVE)
        members = 0

        def unpacked() -> Iterator[_File]:
            nonlocal members
            size, told = _size(file.data), 0
            for name, data in read_archive(file.data, self._settings.limits, place=file.source):
                members += 1
                self._check_unpacked(file, len(data))
                yield _File(data, PurePosixPath(name).name, f"{file.source}!/{name}", file.depth + 1, named=False)
                step = min(len(data) // 6, size - told)  # law text packs to a sixth; only the progress bar cares
                self._told(file, step)
                told += step
            self._told(file, size - told)

        yield from self.files(unpacked())
        if not members:
            raise IngestError("压缩包是空的。请检查是否打包不完整", place=file.source, code=Reject.EMPTY)

    def _check_unpacked(self, file: _File, size: int) -> None:
        self._unpacked = size if file.depth == 0 else self._unpacked + size
        limit = self._settings.limits.max_archive_mb
        if self._unpacked > limit * _MB:
            reason = f"连同内层压缩包解压后超过 {limit} MB（ingest.max_archive_mb）。请分包"
            raise IngestError(reason, place=file.source, code=Reject.UNSAFE_ARCHIVE)

    def _json_lines(self, file: _File) -> Iterator[Item]:
        limits = self._settings.limits
        lines = partial(
            read_jsonl, source=file.source, regions=self._settings.regions, chunk_chars=limits.chunk_chars,
            max_line=limits.max_line_mb * _MB,
        )
        with file.data.open("rb") if isinstance(file.data, Path) else io.BytesIO(file.data) as opened:
            told = self._settings.on_bytes if file.depth == 0 else _told_nobody
            stream = io.BufferedReader(_Counted(opened, told), _MB)
            packed = file.name.lower().endswith(".gz")
            yield from _from_gzip(stream, file.source, lines) if packed else lines(_not_empty(stream, file.source))

    def _told(self, file: _File, size: int) -> None:
        if file.depth == 0:
            self._settings.on_bytes(size)


def _is_failure(item: Item) -> bool:
    return isinstance(item, Skipped | FileRead) and item.failed


def _told_nobody(count: int) -> None:
    """For a member of an archive, whose bytes the archive has counted."""


def _from_gzip(
    stream: BufferedReader, source: str, lines: Callable[[BufferedReader], Iterator[Document | Skipped]]
) -> Iterator[Document | Skipped]:
    try:
        with gzip.open(stream, "rb") as unpacked:
            yield from lines(_not_empty(io.BufferedReader(unpacked, _MB), source))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise IngestError(f"gzip 文件已损坏（{error}）。请重新下载", place=source) from error


def _not_empty(stream: BufferedReader, source: str) -> BufferedReader:
    if not stream.peek(1):
        raise IngestError("文件是空的。请检查是否导出或上传不完整", place=source, code=Reject.EMPTY)
    return stream


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._on_bytes(len(data))
        return len(data)


def _size(data: bytes | Path) -> int:
    return len(data) if isinstance(data, bytes) else data.stat().st_size


def _sha256(data: bytes | Path) -> str:
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
