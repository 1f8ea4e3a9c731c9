"""Members of .zip and .tar.* archives, read in memory and never unpacked to disk.

An archive that could do harm is refused whole and by name, before anything of it is read.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.config import IngestConfig
from core.errors import IngestError
from core.records import Reject

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
_MB = 1_000_000
_DAMAGED = (    # 12,000 archives with changed bytes raise nothing else; a bad name in a zip is a ValueError
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError,
)


def read_archive(archive: Path | bytes, limits: IngestConfig, *, place: str = "") -> Iterator[tuple[str, bytes]]:
    """(member name, bytes) of every file in order. Raises `IngestError` naming the archive and the member.

    ``place`` names an archive that is given by its bytes, a member of another one.
    """
    place = place or str(archive)
    with archive.open("rb") if isinstance(archive, Path) else io.BytesIO(archive) as file:
        yield from _members(file, place, limits)


def _members(file: BinaryIO, place: str, limits: IngestConfig) -> Iterator[tuple[str, bytes]]:
    zipped = file.read(2) == b"PK"
    file.seek(0)
    opened = _zip(file, place, limits) if zipped else _tar(file, place, limits)
    try:
        yield from opened
    except NotImplementedError as error:
        raise IngestError(f"压缩方法无法读取（{error}）。请用普通 zip 重新打包", place=place) from error
    except _DAMAGED as error:
        raise IngestError(f"压缩包已损坏（{error}）。请重新下载或重新打包", place=place) from error
    except OSError as error:
        raise IngestError(f"压缩包读不出来（{error}）。请重新下载或重新打包", place=place) from error


def _zip(file: BinaryIO, place: str, limits: IngestConfig) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        # not is_dir(), which ends in an IndexError for an empty name (Python 3.11)
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        _check(place, [(member.filename, member.file_size) for member in members], limits)
        for member in members:
            if member.flag_bits & 0x1:
                raise _refused(place, member.filename, "是加密的。请解密后重新打包")
            if (member.external_attr >> 28) == 0o12:
                raise _refused(place, member.filename, "是链接")
            if member.file_size > limits.max_archive_ratio * max(member.compress_size, 1) and member.file_size > _MB:
                raise _refused(place, member.filename, f"的压缩比超过 {limits.max_archive_ratio} 倍，疑似压缩炸弹")
        for member in members:
            yield _zip_name(member), archive.read(member)


def _tar(file: BinaryIO, place: str, limits: IngestConfig) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        members = []
        total = 0
        for member in archive:  # one by one, so that a bomb is noticed before it is unpacked whole
            if member.issym() or member.islnk():
                raise _refused(place, member.name, "是链接")
            if not member.isfile() and not member.isdir():
                raise _refused(place, member.name, "是设备文件")
            total += member.size
            if total > limits.max_archive_mb * _MB:
                raise _too_large(place, limits)
            if member.isfile():
                members.append(member)
            if len(members) > limits.max_archive_members:
                raise _too_many(place, "更多", limits)
        _check(place, [(member.name, member.size) for member in members], limits)
        for member in members:
            stream = archive.extractfile(member)
            assert stream is not None  # a regular file has content
            yield member.name, stream.read()


def _check(place: str, members: list[tuple[str, int]], limits: IngestConfig) -> None:
    if len(members) > limits.max_archive_members:
        raise _too_many(place, str(len(members)), limits)
    if sum(size for _, size in members) > limits.max_archive_mb * _MB:
        raise _too_large(place, limits)
    for name, size in members:
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or name[1:2] == ":":
            raise _refused(place, name, "指向压缩包之外的路径")
        if size > limits.max_file_mb * _MB:
            raise _refused(place, name, f"超过 {limits.max_file_mb} MB（ingest.max_file_mb）")


def _zip_name(member: zipfile.ZipInfo) -> str:
    """Old Chinese zip programs write GBK names without saying so; Python then reads them as cp437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return member.filename


def _refused(place: str, member: str, why: str) -> IngestError:
    return IngestError(f"压缩包中的 {member} {why}，整个压缩包未收录", place=place, code=Reject.UNSAFE_ARCHIVE)


def _too_many(place: str, count: str, limits: IngestConfig) -> IngestError:
    allowed = f"上限 {limits.max_archive_members}（ingest.max_archive_members）"
    return IngestError(f"含有 {count} 个文件，{allowed}。请分包", place=place, code=Reject.UNSAFE_ARCHIVE)


def _too_large(place: str, limits: IngestConfig) -> IngestError:
    reason = f"解压后超过 {limits.max_archive_mb} MB（ingest.max_archive_mb）。请分包"
    return IngestError(reason, place=place, code=Reject.UNSAFE_ARCHIVE)
