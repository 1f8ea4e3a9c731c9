"""Paths -> documents: folders are walked, archives opened, each file given to the reader of its type."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.config import IngestConfig
from core.errors import IngestError
from core.records import Document, FileRead, Skipped
from ingest.archive import SUFFIXES as ARCHIVES
from ingest.archive import read_archive
from ingest.read_jsonl import read_jsonl
from ingest.read_text import read_text

if TYPE_CHECKING:
    BufferedReader = io.BufferedReader[Any]     # of anything: files, members of archives, unpacked gzip

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What reading needs to know besides the paths."""

    limits: IngestConfig
    regions: Mapping[str, str]                     # code -> name
    seen: Callable[[str, str], bool]               # (source, sha256): ingested whole before
    on_bytes: Callable[[int], None]                # told how much of the input was read since the last call


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files to read, in name order within a folder; hidden ones are left out.

    Raises `IngestError` for a path that does not exist, before anything is read.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(
                file for file in path.rglob("*")
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        elif path.is_file():
            files.append(path)
        else:
            raise IngestError("路径不存在。请检查拼写，或用引号括住含空格的路径", place=str(path))
    return files


def read_files(
    files: Sequence[Path], settings: ReadSettings, *, named: Sequence[Path] = ()
) -> Iterator[Document | Skipped | FileRead]:
    """Everything in ``files``, a `FileRead` after each. A type we cannot read is a failure only when the user
    named the file itself (``named``); in a folder it is left out and listed."""
    for path in files:
        source = str(path.resolve())
        if not _readable(path.name):
            yield Skipped(source, _unknown_type(path.suffix), failed=path in named)
            settings.on_bytes(path.stat().st_size)
            continue
        digest = _sha256(path)
        if settings.seen(source, digest):
            settings.on_bytes(path.stat().st_size)
            yield FileRead(source, digest, unchanged=True)
            continue
        failed = False
        for item in _read(path, source, settings):
            failed |= isinstance(item, Skipped) and item.failed
            yield item
        yield FileRead(source, digest, failed=failed)


def _read(path: Path, source: str, settings: ReadSettings) -> Iterator[Document | Skipped]:
    try:
        if path.name.lower().endswith(ARCHIVES):
            yield from _from_archive(path, source, settings)
        else:
            with path.open("rb") as file:
                counted = io.BufferedReader(_Counted(file, settings.on_bytes), _MB)
                yield from _from_stream(counted, path.name, source, settings)
    except IngestError as error:
        yield Skipped(error.place or source, error.reason)
    except OSError as error:
        yield Skipped(source, f"文件读不出来：{error}。请检查文件和权限")


def _from_archive(path: Path, source: str, settings: ReadSettings) -> Iterator[Document | Skipped]:
    size, told = path.stat().st_size, 0
    members = 0
    for name, data in read_archive(path, settings.limits):
        members += 1
        place = f"{source}!/{name}"
        if _readable(name) and not name.lower().endswith(ARCHIVES):
            try:
                yield from _from_stream(io.BufferedReader(io.BytesIO(data)), name, place, settings)
            except IngestError as error:
                yield Skipped(error.place or place, error.reason)
        else:
            yield Skipped(place, _unknown_type(Path(name).suffix), failed=False)
        step = min(len(data) // 6, size - told)  # law text packs to about a sixth; only the progress bar cares
        settings.on_bytes(step)
        told += step
    settings.on_bytes(size - told)
    if not members:
        raise IngestError("压缩包是空的。请检查是否打包不完整", place=source)


def _from_stream(
    stream: BufferedReader, name: str, source: str, settings: ReadSettings
) -> Iterator[Document | Skipped]:
    limits = settings.limits
    if name.lower().endswith((".jsonl", ".jsonl.gz")):
        lines = partial(
            read_jsonl, source=source, regions=settings.regions, chunk_chars=limits.chunk_chars,
            max_line=limits.max_line_mb * _MB,
        )
        packed = name.lower().endswith(".gz")
        yield from _from_gzip(stream, source, lines) if packed else lines(_not_empty(stream, source))
        return
    data = stream.read(limits.max_file_mb * _MB + 1)
    if len(data) > limits.max_file_mb * _MB:
        raise IngestError(f"超过 {limits.max_file_mb} MB（ingest.max_file_mb）。请拆分，或调高上限", place=source)
    yield read_text(data, source, regions=settings.regions, chunk_chars=limits.chunk_chars)


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
        raise IngestError("文件是空的。请检查是否导出或上传不完整", place=source)
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


READABLE = (".md", ".markdown", ".txt", ".jsonl", ".jsonl.gz", *ARCHIVES)


def _readable(name: str) -> bool:
    return name.lower().endswith(READABLE)


def _unknown_type(suffix: str) -> str:
    return f"还不能读取 {suffix or '无扩展名'} 文件；现在可读：{' '.join(READABLE)}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
