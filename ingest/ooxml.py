"""DOCX, XLSX and PPTX as packages of parts: opened once, checked for bombs, parts parsed without entities."""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from lxml import etree

from core.errors import IngestError
from core.records import Reject

Element = Any       # lxml has no types of its own

MAX_UNPACKED = 512 * 1024 * 1024
MAX_PARTS = 20_000
MAX_RATIO = 500                 # XML of repeated empty table cells reaches 150; deflate ends at 1,032
_SMALL = 8 * 1024 * 1024        # below this size a high ratio does no harm

DAMAGED = (     # what zipfile and lxml raise for parts with changed bytes; a wrong password flag is a RuntimeError
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, struct.error,
    IndexError, KeyError, etree.LxmlError,
)
_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
# Documents saved as "Strict Open XML" use other names for the same elements.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main",
     b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (b"http://purl.oclc.org/ooxml/presentationml/main", b"http://schemas.openxmlformats.org/presentationml/2006/main"),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships",
     b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (b"http://purl.oclc.org/ooxml/drawingml/main", b"http://schemas.openxmlformats.org/drawingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/diagram", b"http://schemas.openxmlformats.org/drawingml/2006/diagram"),
)
_DECLARATION = re.compile(rb"<\x00?!\x00?(?:D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E|E\x00?N\x00?T\x00?I\x00?T\x00?Y)")
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a reference of one part leads."""

    kind: str                   # last word of its type: header, footnotes, image, hyperlink, package …
    target: str                 # name of a part, or an address when external
    external: bool


class Package:
    """An open package. Part names are found whatever their case and slashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {_plain(member.filename): member for member in archive.infolist()}

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> bytes | None:
        member = self._members.get(_plain(name))
        return None if member is None else self._archive.read(member)

    def part(self, name: str) -> bytes | None:
        """An XML part, its elements under their usual names."""
        data = self.read(name)
        if data is not None and b"purl.oclc.org" in data[:4000]:
            for strict, usual in _STRICT:
                data = data.replace(strict, usual)
        return data

    def xml(self, name: str) -> Element | None:
        """Root of a part, None when there is no such part."""
        data = self.part(name)
        return None if data is None else etree.fromstring(data, etree.XMLParser(**_PARSER_OPTIONS))

    def relations(self, name: str) -> dict[str, Relation]:
        folder, file = posixpath.split(name)
        root = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relation] = {}
        for item in () if root is None else root.iter(_RELATION):
            external = item.get("TargetMode") == "External"
            target = item.get("Target", "")
            if not external:
                target = posixpath.normpath(posixpath.join("/" + folder, target.replace("\\", "/"))).lstrip("/")
            found[item.get("Id", "")] = Relation(item.get("Type", "").rpartition("/")[2], target, external)
        return found

    def main_part(self, otherwise: str) -> str:
        stated = [relation.target for relation in self.relations("").values() if relation.kind == "officeDocument"]
        return next((name for name in stated if _plain(name) in self._members), otherwise)


def open_package(data: bytes, source: str) -> Package:
    """Raises `IngestError` when it is no package, is encrypted or could do harm; nothing large is unpacked yet."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        _check(archive, source)
        return Package(archive)
    except DAMAGED as error:
        raise damaged(error, source) from error


def damaged(error: BaseException, source: str) -> IngestError:
    reason = f"文件已损坏（{type(error).__name__}）。请用 Office 或 WPS 打开后另存，或重新下载"
    return IngestError(reason, place=source, code=Reject.DAMAGED)


def _check(archive: zipfile.ZipFile, source: str) -> None:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > MAX_PARTS or total > MAX_UNPACKED:
        allowed = f"上限 {MAX_PARTS} 个、{MAX_UNPACKED >> 20} MB"
        reason = f"解压后有 {len(members)} 个部件、{total >> 20} MB，{allowed}。请拆分文件"
        raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
    for member in members:
        if member.flag_bits & 0x1:
            raise IngestError("文件有打开密码，读不出来。请去掉密码后另存", place=source, code=Reject.ENCRYPTED)
        if member.file_size > _SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            reason = f"其中 {member.filename} 的压缩比超过 {MAX_RATIO} 倍，疑似压缩炸弹，未收录"
            raise IngestError(reason, place=source, code=Reject.UNSAFE_ARCHIVE)
        if member.filename.lower().endswith((".xml", ".rels", ".vml")):
            with archive.open(member) as stream:
                # The standard forbids a document type; a text cannot hold "<!", only a comment could.
                if _DECLARATION.search(stream.read(65_536)):
                    reason = f"其中 {member.filename} 自定义了 XML 实体，未收录。请用 Office 或 WPS 打开后另存"
                    raise IngestError(reason, place=source, code=Reject.UNSAFE_ARCHIVE)


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
