"""Archives are read in memory; one that could do harm is refused whole, by name, and nothing touches the disk."""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import Config, IngestConfig
from core.errors import IngestError
from core.records import Document, Skipped
from ingest.archive import read_archive
from ingest.read import ReadSettings, read_files

TEXT = "第一条　甲。\n第二条　乙。\n"
Files = dict[str, bytes]


def make_zip(path: Path, files: Files) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: Files) -> Path:
    with tarfile.open(path, f"w:{path.suffix[1:]}") as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def make_link(path: Path, kind: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("链接.md")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    return path


def refusal(path: Path, limits: IngestConfig) -> str:
    """The reason; nothing of the archive may have come out before it."""
    members = read_archive(path, limits)
    with pytest.raises(IngestError) as caught:
        next(members)
    assert caught.value.place == str(path)
    return caught.value.reason


MAKERS = [
    pytest.param(make_zip, "a.zip", id="zip"),
    pytest.param(make_tar, "a.tar.gz", id="tar.gz"),
    pytest.param(make_tar, "a.tar.xz", id="tar.xz"),
]
Make = Callable[[Path, Files], Path]


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_members_come_in_order_with_folders(tmp_path: Path, config: Config, make: Make, name: str) -> None:
    path = make(tmp_path / name, {"法律/甲.md": b"1", "法律/上海/乙.md": b"2", "丙.txt": b"3"})
    expected = [("法律/甲.md", b"1"), ("法律/上海/乙.md", b"2"), ("丙.txt", b"3")]
    assert list(read_archive(path, config.ingest)) == expected
    assert [file.name for file in tmp_path.iterdir()] == [name]     # nothing was unpacked


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_documents_of_an_archive_name_their_member(tmp_path: Path, config: Config, make: Make, name: str) -> None:
    files = {"法律/甲法.md": f"甲法\n{TEXT}".encode(), "程序.exe": b"MZ\x90\x00\x03", "空.md": b""}
    path = make(tmp_path / name, files)
    settings = ReadSettings(config.ingest, config.regions.names, lambda source, digest: False, lambda count: None)
    items = list(read_files([path], settings))
    assert [item.source for item in items if isinstance(item, Document)] == [f"{path}!/法律/甲法.md"]
    assert [(item.place, item.failed) for item in items if isinstance(item, Skipped)] == [
        (f"{path}!/程序.exe", False), (f"{path}!/空.md", True)
    ]


def test_names_in_gbk_are_read(tmp_path: Path, config: Config) -> None:
    path = make_zip(tmp_path / "a.zip", {"ABCD.md": b"1"})
    path.write_bytes(path.read_bytes().replace(b"ABCD.md", "甲乙".encode("gbk") + b".md"))
    assert [name for name, _ in read_archive(path, config.ingest)] == ["甲乙.md"]


def test_a_member_without_a_name_is_read_like_any_other(tmp_path: Path, config: Config) -> None:
    path = make_zip(tmp_path / "a.zip", {"A": TEXT.encode()})
    data = bytearray(path.read_bytes())
    start, entry = 0, data.index(b"PK\x01\x02")
    data[entry + 28 : entry + 30] = data[start + 26 : start + 28] = b"\0\0"     # lengths of the name
    path.write_bytes(bytes(data[:30] + data[31 : entry + 46] + data[entry + 47 :]))
    data = bytearray(path.read_bytes())
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 20] = (46).to_bytes(4, "little") + (end - 46).to_bytes(4, "little")
    path.write_bytes(data)
    assert list(read_archive(path, config.ingest)) == [("", TEXT.encode())]


@pytest.mark.parametrize(("make", "name"), MAKERS)
@pytest.mark.parametrize("member", [
    "../甲.md", "法律/../../甲.md", "/etc/甲.md", "C:\\甲.md", "..\\甲.md", "\\\\host\\甲.md",
])
def test_a_member_that_points_outside_refuses_the_archive(
    tmp_path: Path, config: Config, make: Make, name: str, member: str
) -> None:
    reason = refusal(make(tmp_path / name, {"好.md": b"1", member: b"2"}), config.ingest)
    assert "甲.md" in reason
    assert "之外" in reason
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, config: Config, kind: bytes) -> None:
    assert "链接.md" in refusal(make_link(tmp_path / "a.tar.gz", kind), config.ingest)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, config: Config) -> None:
    member = zipfile.ZipInfo("链接.md")
    member.create_system, member.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    assert "链接.md 是链接" in refusal(tmp_path / "a.zip", config.ingest)


def test_an_encrypted_zip_is_refused(tmp_path: Path, config: Config) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.md": b"1"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1     # the flag in the central directory
    path.write_bytes(data)
    assert "是加密的" in refusal(path, config.ingest)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path, config: Config) -> None:
    reason = refusal(make_zip(tmp_path / "a.zip", {"弹.md": b"0" * 5_000_000}), config.ingest)
    assert "弹.md" in reason
    assert "压缩炸弹" in reason


@pytest.mark.parametrize(("make", "name"), MAKERS)
@pytest.mark.parametrize(("limit", "value"), [("max_archive_members", 2), ("max_archive_mb", 1), ("max_file_mb", 1)])
def test_too_many_or_too_large_members_are_refused(
    tmp_path: Path, config: Config, make: Make, name: str, limit: str, value: int
) -> None:
    limits = config.ingest.model_copy(update={"max_archive_ratio": 10_000, limit: value})
    reason = refusal(make(tmp_path / name, {"a.md": b"1", "b.md": b"2", "c.md": b"0" * 1_500_000}), limits)
    assert limit in reason


def test_a_tar_with_very_many_members_is_refused_before_all_are_listed(tmp_path: Path, config: Config) -> None:
    limits = config.ingest.model_copy(update={"max_archive_members": 2})
    path = make_tar(tmp_path / "a.tar.gz", {f"{n}.md": bytes(str(n**99), "ascii") for n in range(999)})
    path.write_bytes(path.read_bytes()[:20_000])    # the end is missing, and is never reached
    assert "max_archive_members" in refusal(path, limits)


@pytest.mark.parametrize("name", ["a.tar.xz", "a.tar.gz"])
def test_a_truncated_tar_is_a_clear_error(tmp_path: Path, config: Config, name: str) -> None:
    path = make_tar(tmp_path / name, {f"{n}.md": bytes(str(n**99), "ascii") * 9 for n in range(99)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(IngestError, match="重新下载"):
        list(read_archive(path, config.ingest))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_a_flipped_byte_is_a_clear_error(tmp_path: Path, config: Config, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.md", TEXT * 50)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(IngestError, match="重新下载"):
        list(read_archive(path, config.ingest))


def test_a_zip_packed_by_an_unknown_method_is_a_clear_error(tmp_path: Path, config: Config) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.md": b"1"})
    data = bytearray(path.read_bytes())
    data[8] = data[data.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(data)
    with pytest.raises(IngestError, match="重新"):
        list(read_archive(path, config.ingest))


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz", "a.tar"])
def test_what_is_no_archive_is_a_clear_error(tmp_path: Path, config: Config, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive at all" * 99)
    with pytest.raises(IngestError, match="重新下载"):
        list(read_archive(tmp_path / name, config.ingest))


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_an_empty_archive_is_a_failure(tmp_path: Path, config: Config, make: Make, name: str) -> None:
    settings = ReadSettings(config.ingest, config.regions.names, lambda source, digest: False, lambda count: None)
    items = list(read_files([make(tmp_path / name, {})], settings))
    assert isinstance(items[0], Skipped)
    assert items[0].failed
    assert "空的" in items[0].reason
