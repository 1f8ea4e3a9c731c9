"""Markdown and plain text -> one `Document`."""

from __future__ import annotations

import codecs

from core.errors import IngestError
from core.records import Document
from ingest.document import make_document
from ingest.official import Regions, facts_from_law, read_front_matter

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(data: bytes, source: str, *, regions: Regions, chunk_chars: int) -> Document:
    """Raises `IngestError` when the bytes are no text, or hold nothing."""
    text = decode(data, source)
    if not text.strip():
        raise IngestError("文件是空的。请检查是否导出或上传不完整", place=source)
    facts, start = read_front_matter(text, source, regions)
    if facts is None:
        facts, start = facts_from_law(text, source, regions)
    body = text[start:].strip("\n")
    if not body.strip():
        raise IngestError("文件只有文件头，没有正文", place=source)
    return make_document(facts, body, source, name=None, chunk_chars=chunk_chars)


def decode(data: bytes, place: str) -> str:
    """Text of UTF-8, UTF-16, UTF-32 or GB18030 bytes, line ends as ``\\n``. Raises `IngestError` for other bytes."""
    text = _decode(data, place)
    if "\x00" in text:
        raise IngestError("含有空字节，不是文本文件。请确认文件类型", place=place)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes, place: str) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding, place)
    if unmarked := _unmarked_utf16(data):
        return _strict(data, unmarked, place)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError:
            raise IngestError(
                f"第 {error.start} 字节起不是 UTF-8、UTF-16 或 GB18030 文本。请另存为 UTF-8 后重试", place=place
            ) from error


def _strict(data: bytes, encoding: str, place: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"第 {error.start} 字节起不是有效的 {encoding} 文本。请另存为 UTF-8 后重试"
        raise IngestError(reason, place=place) from error


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark betrays itself by zero bytes beside ASCII (digits, line ends) on one side only."""
    head = data[:4000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 200 and even == 0:
        return "utf-16-le"
    if even > len(head) // 200 and odd == 0:
        return "utf-16-be"
    return None
