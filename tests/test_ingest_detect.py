"""The type of a file is what it holds; its name only decides between kinds of plain text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile

import pytest

from core.errors import IngestError
from core.records import Reject
from ingest import ole
from ingest.detect import UNREADABLE, detect

LETTER = "关于发放补贴的通知\n\n各区人民政府：\n现将有关事项通知如下。\n"


def make_zip(*names: str, **contents: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, contents.get(name, "<x/>"))
    return stream.getvalue()


def make_ole(streams: dict[str, bytes], *, inside: dict[str, bytes] | None = None) -> bytes:
    """A compound file of 512-byte sectors: FAT, directory, then each stream; ``inside`` lies in a storage."""
    entries = [("Root Entry", 5, b"")] + [(name, 2, data) for name, data in streams.items()]
    storage = len(entries)
    if inside:
        entries += [("ObjectPool", 1, b"")] + [(name, 2, data) for name, data in inside.items()]
    while len(entries) % 4:
        entries.append(("", 0, b""))
    sectors = [0xFFFFFFFD, *range(2, len(entries) // 4 + 1), 0xFFFFFFFE]     # FAT itself, then directory
    directory, body = b"", b""
    for number, (name, kind, data) in enumerate(entries):
        chain = [0xFFFFFFFF] * 3                                                  # left, right, child
        top = number <= storage if inside else number < storage
        if number and kind and (number + 1 < storage + bool(inside) if top else number + 1 < len(entries)):
            chain[1] = number + 1
        if number == 0:
            chain[2] = 1
        if kind == 1:
            chain[2] = number + 1
        start = len(sectors)
        if data:
            count = -(-len(data) // 512)
            sectors += [*range(start + 1, start + count), 0xFFFFFFFE]
            body += data.ljust(count * 512, b"\0")
        encoded = name.encode("utf-16-le") + b"\0\0"
        directory += struct.pack("<64sHBB3I16s4sQQIQ", encoded, len(encoded), kind, 1, *chain, b"", b"", 0, 0,
                                 start, len(data))
    fat = struct.pack("<128I", *sectors, *[0xFFFFFFFF] * (128 - len(sectors)))
    header = ole.MAGIC + bytes(16) + struct.pack("<HHHHH6xIIIIIIIII", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                                                 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    return header + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108) + fat + directory + body


def make_tar(mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("甲.pdf")
        member.size = 8
        archive.addfile(member, io.BytesIO(b"%PDF-1.7"))
    return stream.getvalue()


FIB = b"\xec\xa5" + bytes(4094)
BOF = struct.pack("<HH", 0x809, 16) + bytes(16)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(("data", "name", "kind"), [
    (b"%PDF-1.7\n...", "a.doc", "pdf"),
    (b"\r\n junk %PDF-1.4\n", "a.pdf", "pdf"),
    (make_zip("[Content_Types].xml", "word/document.xml", "word/embeddings/xl.xlsx"), "a.doc", "docx"),
    (make_zip("[Content_Types].xml", "xl/workbook.xml"), "a.xls", "xlsx"),
    (make_zip("[Content_Types].xml", "xl/workbook.bin"), "a.xlsb", "xls"),
    (make_zip("[Content_Types].xml", "ppt/presentation.xml"), "a.zip", "pptx"),
    (make_zip("OFD.xml", "Doc_0/Document.xml"), "a.pdf", "ofd"),
    (make_zip("mimetype", "content.xml", mimetype="application/vnd.oasis.opendocument.text"), "a.odt", "odt"),
    (make_zip("甲.docx", "乙/word/x.txt"), "a.docx", "zip"),
    (make_zip("[Content_Types].xml", "word/document.xml")[:-40], "a.bin", "docx"),     # cut off
    (make_ole({"WordDocument": FIB}), "a.docx", "doc"),
    (make_ole({"WordDocument": FIB}), "a.wps", "wps"),
    (make_ole({"WordDocument": FIB}, inside={"Workbook": BOF + bytes(5000)}), "a.doc", "doc"),
    (make_ole({"Workbook": BOF + bytes(5000)}, inside={"WordDocument": FIB}), "a.doc", "xls"),
    (make_ole({"Book": BOF + bytes(5000)}), "a.et", "xls"),
    (make_ole({"PowerPoint Document": bytes(5000)}), "a.dps", "ppt"),
    (make_ole({"__properties_version1.0": bytes(5000)}), "a.msg", "msg"),
    (make_ole({"Other": bytes(5000)}), "a.doc", ""),
    (make_ole({"WordDocument": FIB})[:600], "a.doc", "doc"),
    (make_ole({"WordDocument": FIB})[:600], "thumbs.db", ""),
    (b"{\\rtf1\\ansi hello}", "a.doc", "rtf"),
    (make_tar(), "a.pdf", "tar"),
    (make_tar("w:gz"), "a", "tar"),
    (make_tar("w:xz"), "a.xz", "tar"),
    (bz2.compress(make_tar()), "a.tbz", "tar"),
    (lzma.compress(b"abc"), "a.xz", ""),
    (gzip.compress(b'{"id": 1}\n'), "a.gz", "jsonl.gz"),
    (gzip.compress(LETTER.encode()), "a.txt.gz", "gz"),
    (gzip.compress(b'{"id": 1}\n' * 9)[:20], "a.jsonl.gz", "jsonl.gz"),
    (PNG, "a.pdf", "image"),
    (b"\xff\xd8\xff\xe0" + bytes(20), "a.jpg", "image"),
    (b"BM" + struct.pack("<IIII", 100, 0, 54, 40) + bytes(80), "a", "image"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "a", "image"),
    (b"II*\0" + bytes(20), "a.tif", "image"),
    (b"GIF89a" + bytes(20), "a", "image"),
    (b"Rar!\x1a\x07\x01\0", "a.zip", "rar"),
    (b"7z\xbc\xaf\x27\x1c\0", "a.7z", "7z"),
    (b"\x7fELF\x02\x01\x01" + bytes(99), "a.txt", ""),
    (b"MZ\x90\0\x03\0\0\0" + bytes(99), "a.doc", ""),
    (b"ID3\x03" + bytes(range(256)) * 9, "a.mp3", ""),
])
def test_a_container_is_known_by_its_content(data: bytes, name: str, kind: str) -> None:
    assert detect(data, name) == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize(("name", "kind"), [
    ("a.md", "md"), ("a.txt", "txt"), ("a.CSV", "csv"), ("a.tsv", "tsv"), ("a.jsonl", "jsonl"), ("a", "txt"),
    ("a.docx", "txt"), ("关于通知.2024年", "txt"), ("a.html", "txt"), ("a.py", ""), ("a.json", ""),
])
def test_plain_text_of_any_encoding_is_what_its_name_says(encoding: str, name: str, kind: str) -> None:
    assert detect((LETTER * 3).encode(encoding), name) == kind


@pytest.mark.parametrize(("text", "name", "kind"), [
    ("<!DOCTYPE html>\n<html><body>甲</body></html>", "a.txt", "html"),
    ("\n\n<!-- 注 -->\n<HTML xmlns:o='x'><body>甲</body></HTML>", "a.doc", "html"),
    ("<table border=1><tr><td>甲</td></tr></table>", "a.xls", "html"),
    ('<?xml version="1.0"?>\n<html xmlns="x">甲</html>', "a.xhtml", "html"),
    ("甲<p>乙</p>", "a.htm", "html"),
    ("甲<p>乙</p>", "a.txt", "txt"),
    ("<div>甲</div>\n\n# 题", "a.md", "md"),
    ("# 某法\n\n2021年1月1日\n\n<!-- INFO END -->\n\n第一条　甲", "a.md", "md"),
    ("《某办法》<试行>", "a.txt", "txt"),
    ('<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?>\n<w:wordDocument/>', "a.doc", "doc"),
    ('<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook/>', "a.xls", "xls"),
    ("From: a@b.cn\nTo: c@d.cn\nSubject: =?utf-8?B?5rWL?=\n\n<html>正文</html>", "a.txt", "eml"),
    ("Received: from x\n by y\nDate: Mon, 1 Jan 2024\nSubject: a\n\n甲", "a.eml", "eml"),
    ("MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n", "a.doc", "eml"),
    ("Date: 2024-01-01\n说明：甲\n", "a.txt", "txt"),
    ("BM 是一种方法，见下文说明。", "a.txt", "txt"),
])
def test_pages_and_mails_are_known_whatever_they_are_called(text: str, name: str, kind: str) -> None:
    assert detect(text.encode(), name) == kind


def test_a_long_text_may_be_cut_inside_a_character() -> None:
    for shift in range(4):
        for encoding in ("utf-8", "gb18030", "utf-16"):
            assert detect(("a" * shift + LETTER * 3000).encode(encoding), "a.txt") == "txt"


def test_a_text_of_mixed_encoding_is_left_to_its_reader() -> None:
    data = LETTER.encode() * 9 + b"\xff\xff" + LETTER.encode("gb18030") + b"\xff"
    assert detect(data, "a.txt") == "txt"
    assert detect(data, "a.bin") == ""


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf\n", bytes(5000)])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(IngestError, match="文件是空的") as caught:
        detect(data, "a.docx")
    assert caught.value.code is Reject.EMPTY


@pytest.mark.parametrize(("data", "name"), [
    (make_ole({"EncryptedPackage": bytes(5000), "EncryptionInfo": bytes(5000)}), "a.docx"),
    (make_ole({"WordDocument": b"\xec\xa5" + bytes(9) + b"\x01" + bytes(4090)}), "a.doc"),
    (make_ole({"Workbook": BOF + struct.pack("<HH", 0x2F, 54) + bytes(5000)}), "a.xls"),
    (make_ole({"PowerPoint Document": bytes(5000), "EncryptedSummary": bytes(5000)}), "a.ppt"),
])
def test_a_file_with_a_password_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(IngestError, match="打开密码") as caught:
        detect(data, name)
    assert caught.value.code is Reject.ENCRYPTED
    assert caught.value.place == name


def test_a_directory_whose_links_run_in_a_ring_ends() -> None:
    data = bytearray(make_ole({"WordDocument": FIB}))
    struct.pack_into("<I", data, 512 + 4, 1)             # the directory sector follows itself
    struct.pack_into("<II", data, 1024 + 128 + 68, 1, 1)  # and so does its first entry
    assert detect(bytes(data), "a.doc") == "doc"


def test_changed_bytes_give_a_kind_or_an_ingest_error() -> None:
    chance = random.Random(3)
    samples = [make_zip("[Content_Types].xml", "word/document.xml"), make_ole({"WordDocument": FIB}), make_tar("w:gz"),
               make_zip("mimetype", mimetype="application/vnd.oasis.opendocument.text"), LETTER.encode(), PNG]
    for sample in samples:
        for _ in range(300):
            data = bytearray(sample)
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(min(len(data), 1500))] = chance.randrange(256)
            try:
                kind = detect(bytes(data[: chance.choice((len(data), chance.randrange(1, len(data))))]), "a.doc")
            except IngestError:
                continue
            assert kind in {"docx", "zip", "doc", "tar", "gz", "odt", "txt", "image", "html", "", "jsonl.gz", "pdf",
                            "xlsx", "pptx", "rtf", "ofd", *UNREADABLE}
