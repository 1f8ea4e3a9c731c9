"""Damage done to sample files on purpose: bytes, packed members, XML, sizes, encodings and names.

Every mutation follows from a `random.Random`, so that a run can be repeated and one mutant made again.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from random import Random
from tempfile import TemporaryDirectory

from core.errors import IngestError
from core.records import Reject
from ingest.convert import converter

_ODD_TEXT = (
    "\x00", "\x0b", "\ufeff", "\u200b", "\u202e", "\ufffd", "\ue5f9", "\U0001f600", "\U000e0001", "\r\r\n", "\t" * 2000,
    "第" * 5000, "第一条" * 300, "（一）" * 300, "|" * 300, "&#x110000;", "&#0;", "&undefined;",
    "]]>", "<!--", "<![CDATA[",
)
_NUMBERS = (b"0", b"-1", b"65535", b"2147483647", b"4294967296", b"99999999999999999999", b"1e308", b"NaN", b"")
_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "' + "笑" * 50 + '">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8))
    + ']>'
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
_OLD_OFFICE = {"docx": ("doc", "rtf", "odt"), "xlsx": ("xls",), "pptx": ("ppt",)}
_DEEP = 20_000                  # nested elements; the C stack of a careless parser ends well below
_MEMBER_NAMES = ("../x.xml", "/etc/x.xml", "word/document.xml", "a" * 5000, "\\\\host\\x")
_XML_NAMES = (".xml", ".rels")


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole file to begin from."""

    name: str
    data: bytes

    @property
    def format(self) -> str:
        suffixes = PurePath(self.name.lower()).suffixes
        return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:]).lstrip(".")


@dataclass(frozen=True, slots=True)
class Mutant:
    """What became of a sample; ``format`` is the sample's, whatever the name says now."""

    name: str
    data: bytes
    format: str
    how: str


Change = Callable[[bytes, Random], bytes]


def mutate(sample: Sample, others: Sequence[Sample], chance: Random) -> Mutant:
    """One to three changes to a sample, of its bytes or of what is inside it; sometimes another suffix too."""
    data, how = sample.data, []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        changes = _changes_for(data)
        change = chance.choice(changes)
        try:
            data = change(data, chance)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError, OSError, zlib.error):
            change = flip             # an earlier change has broken the archive: go on with its bytes
            data = flip(data, chance)
        how.append(change.__name__)
    if chance.random() < 0.05:
        other = chance.choice(others).data
        data = data[: len(data) // 2] + other[len(other) // 2:]
        how.append("splice")
    name = sample.name
    if chance.random() < 0.1:
        name = str(PurePath(name).with_suffix(PurePath(chance.choice(others).name).suffix))
        how.append("rename")
    return Mutant(name, data, sample.format, "+".join(how))


def _changes_for(data: bytes) -> tuple[Change, ...]:
    if data.startswith(b"PK"):
        return (*_BYTES, *_ZIP, *_ZIP)        # twice: most bytes of an archive are compressed, and only break it
    if data.startswith(b"%PDF"):
        return (*_BYTES, *_PDF, *_PDF)
    if data.startswith((b"\x1f\x8b", b"\x89PNG", b"\xff\xd8", b"\xd0\xcf")):
        return _BYTES
    return (*_BYTES, *_TEXT, *_TEXT)


# bytes


def flip(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    for _ in range(chance.choice((1, 4, 64))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def insert(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 16, 4096))) + data[at:]


def duplicate(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 20)) + data[end:]


def zero(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + bytes(end - start) + data[end:]


def truncate(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def exchange(data: bytes, chance: Random) -> bytes:
    """Two neighbouring blocks change places."""
    start, end = _span(data, chance)
    middle = (start + end) // 2
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


_BYTES: tuple[Change, ...] = (flip, cut, insert, duplicate, zero, truncate, exchange)


def _span(data: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 8, 64, 1024, 16_384)))


# archives


def change_member(data: bytes, chance: Random) -> bytes:
    """One member's bytes are changed before they are packed again, so that the damage reaches the XML reader."""
    members = _members(data)
    if not members:
        return flip(data, chance)
    at = chance.randrange(len(members))
    name, content = members[at]
    changes = (*_TEXT, *_XML, *_XML) if name.endswith(_XML_NAMES) else _BYTES
    members[at] = name, chance.choice(changes)(content, chance)
    return _pack(members)


def drop_member(data: bytes, chance: Random) -> bytes:
    members = _members(data)
    if members:
        del members[chance.randrange(len(members))]
    return _pack(members)


def rename_member(data: bytes, chance: Random) -> bytes:
    members = _members(data)
    if members:
        at = chance.randrange(len(members))
        members[at] = chance.choice(_MEMBER_NAMES), members[at][1]
    return _pack(members)


def repeat_member(data: bytes, chance: Random) -> bytes:
    members = _members(data)
    return _pack([*members, *[chance.choice(members)] * chance.choice((1, 500))] if members else [])


def swell_member(data: bytes, chance: Random) -> bytes:
    """A member of 30 MB that packs to 30 KB."""
    members = _members(data)
    if members:
        at = chance.randrange(len(members))
        members[at] = members[at][0], members[at][1] + b" " * 30_000_000
    return _pack(members)


def lie_in_header(data: bytes, chance: Random) -> bytes:
    """A field of the central directory says something else: flags, method, checksum, sizes, offset."""
    entries = [match.start() for match in re.finditer(b"PK\x01\x02", data)]
    if not entries:
        return flip(data, chance)
    changed = bytearray(data)
    offset, width = chance.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4)))
    at = chance.choice(entries) + offset
    changed[at : at + width] = chance.choice((b"\xff" * width, bytes(width), chance.randbytes(width)))
    return bytes(changed)


_ZIP: tuple[Change, ...] = (
    change_member, change_member, change_member, change_member, drop_member, rename_member, repeat_member, swell_member,
    lie_in_header,
)


def _members(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _pack(members: Sequence[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        warnings.simplefilter("ignore")       # a repeated name is what we want
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()


# text and XML


def odd_text(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_ODD_TEXT).encode("utf-8") + data[at:]


def odd_number(data: bytes, chance: Random) -> bytes:
    """A number becomes huge, negative or nothing: a size, a span of cells, a position."""
    numbers = list(re.finditer(rb"\d+", data[:2_000_000]))
    if not numbers:
        return flip(data, chance)
    match = chance.choice(numbers)
    return data[: match.start()] + chance.choice(_NUMBERS) + data[match.end():]


def other_encoding(data: bytes, chance: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(chance.choice(("utf-16", "utf-16-be", "gb18030", "utf-32", "utf-7", "big5")), "replace")


def drop_tag(data: bytes, chance: Random) -> bytes:
    tags = list(re.finditer(rb"<[^<>]{1,300}>", data[:2_000_000]))
    if not tags:
        return cut(data, chance)
    match = chance.choice(tags)
    return data[: match.start()] + data[match.end():]


def nest(data: bytes, chance: Random) -> bytes:
    """An element inside itself, many thousand deep."""
    tags = list(re.finditer(rb"<([A-Za-z][\w:]*)[^<>/]{0,200}>", data[:2_000_000]))
    if not tags:
        return data + b"<div>" * _DEEP
    match = chance.choice(tags)
    closing = b"</" + match.group(1) + b">"
    depth = chance.choice((50, _DEEP))
    return data[: match.start()] + match.group() * depth + closing * depth + data[match.start():]


def repeat_lines(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[start:end] * chance.choice((10, 200)) + data[end:]


_TEXT: tuple[Change, ...] = (odd_text, odd_text, odd_number, other_encoding, drop_tag, nest, repeat_lines)


def entities(data: bytes, chance: Random) -> bytes:
    """Entities that grow a thousand million times, or that name a file of this machine."""
    head = chance.choice((_LAUGHS, _OUTSIDE)).encode("utf-8")
    used = b"&i;" if b"ENTITY i" in head else b"&a;"
    declaration = re.match(rb"\s*<\?xml[^>]*\?>", data)
    at = declaration.end() if declaration else 0
    texts = [match.start() for match in re.finditer(rb"(?<=>)[^<>]+(?=<)", data[at:])]
    inside = at + (chance.choice(texts) if texts else 0)
    return data[:at] + head + data[at:inside] + used + data[inside:]


def odd_attribute(data: bytes, chance: Random) -> bytes:
    values = list(re.finditer(rb'="([^"]*)"', data[:2_000_000]))
    if not values:
        return odd_text(data, chance)
    match = chance.choice(values)
    value = chance.choice((*_NUMBERS, b"../../../etc/hostname", b"rId999", b"\xff\xfe", b"A1:XFD1048576"))
    return data[: match.start(1)] + value + data[match.end(1):]


_XML: tuple[Change, ...] = (entities, odd_attribute, odd_attribute, drop_tag, nest)


# PDF


def odd_pdf_number(data: bytes, chance: Random) -> bytes:
    """A number outside the streams: an object's number, an offset, a length, a page's size, a count of pages."""
    numbers = []
    at = 0
    while at < len(data):
        stream = data.find(b"stream", at)
        end = stream if stream >= 0 else len(data)
        numbers += [(at + match.start(), at + match.end()) for match in re.finditer(rb"\d+", data[at:end])]
        after = data.find(b"endstream", end)
        at = after + len(b"endstream") if after >= 0 else len(data)
    if not numbers:
        return flip(data, chance)
    start, end = chance.choice(numbers)
    number = chance.choice((*_NUMBERS, *(str(chance.randrange(60)).encode(),) * 4))
    return data[:start] + number + data[end:]


def drop_pdf_word(data: bytes, chance: Random) -> bytes:
    words = list(re.finditer(rb"endobj|endstream|stream|xref|trailer|/[A-Z]\w+|<<|>>|\bR\b", data))
    if not words:
        return cut(data, chance)
    match = chance.choice(words)
    return data[: match.start()] + data[match.end():]


def change_stream(data: bytes, chance: Random) -> bytes:
    """The inside of a packed stream is changed, so that the damage reaches fonts and page descriptions."""
    streams = list(re.finditer(rb"(?s)/Length (\d+)[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", data))
    if not streams:
        return flip(data, chance)
    match = chance.choice(streams)
    content = chance.choice((*_BYTES, odd_number))(zlib.decompress(match.group(2)), chance)
    packed = zlib.compress(content)
    length = str(len(packed)).encode()
    between = data[match.end(1) : match.start(2)]
    return data[: match.start(1)] + length + between + packed + data[match.end(2):]


_PDF: tuple[Change, ...] = (odd_pdf_number, odd_pdf_number, drop_pdf_word, change_stream, change_stream)


# samples that are made rather than found


def pictures(pdf: bytes) -> list[Sample]:
    """The first page as PNG and as JPEG: a photographed document."""
    import pymupdf

    with pymupdf.open("pdf", pdf) as document:  # type: ignore[no-untyped-call]
        page = document[0].get_pixmap(dpi=60)
    return [Sample("照片.png", page.tobytes("png")), Sample("照片.jpg", page.tobytes("jpeg"))]


def old_office_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The DOCX, XLSX and PPTX among the samples as LibreOffice writes them in the formats before."""
    program = converter()
    if program is None:
        raise IngestError("这台机器没有 LibreOffice。请安装，或去掉 --libreoffice", code=Reject.MISSING_TOOL)
    made = []
    with TemporaryDirectory(prefix="policydesk-fuzz-") as name:
        folder = Path(name)
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        for sample in samples:
            for target in _OLD_OFFICE.get(sample.format, ()):
                original = folder / sample.name
                original.write_bytes(sample.data)
                subprocess.run(
                    [program, profile, "--headless", "--convert-to", target, "--outdir", name, str(original)],
                    check=True, capture_output=True, timeout=120,
                )
                path = original.with_suffix(f".{target}")
                made.append(Sample(path.name, path.read_bytes()))
    return made


def packed_samples(samples: Sequence[Sample]) -> list[Sample]:
    """A ZIP and a TAR.GZ that hold a few of the samples, one of them in a folder and one in an inner archive."""
    inner = [(f"文件/{sample.name}", sample.data) for sample in samples]
    nested = _pack([*inner[:1], ("内层.zip", _pack(inner[1:2])), *inner[2:]])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in inner:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return [Sample("若干文件.zip", nested), Sample("若干文件.tar.gz", buffer.getvalue())]
