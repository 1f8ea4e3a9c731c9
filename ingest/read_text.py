"""Markdown and plain text -> one `Document`."""

from __future__ import annotations

import codecs
import re

from core.errors import IngestError
from core.records import Document, Furniture, Reject
from ingest.document import make_document
from ingest.facts import HEADER_END, Regions, front_matter
from ingest.official import read_official

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(data: bytes, source: str, *, regions: Regions, chunk_chars: int) -> Document:
    """The whole file is the document's text. Raises `IngestError` when the bytes are no text, or hold nothing."""
    text = decode(data, source)
    if not text.strip():
        raise IngestError("文件是空的。请检查是否导出或上传不完整", place=source, code=Reject.EMPTY)
    named, start = front_matter(text, source)
    if not named and (history := text.find(HEADER_END)) >= 0:
        start = history + len(HEADER_END)
    official = read_official(text, (0, len(text)), {}, source, regions)
    body, furniture = (start, len(text)), []
    if not text[start:].strip():
        if named:
            raise IngestError("文件只有文件头，没有正文。请补上正文", place=source, code=Reject.EMPTY)
        # 4 of 3,421 laws are a title and a history without articles: these lines are what there is to find
        body, furniture = (0, text.rindex("<!--", 0, start)), [Furniture("front_matter", text.rindex("<!--"), start)]
    return make_document(
        official.facts, text, source, name=None, chunk_chars=chunk_chars, body=body, fields=official.fields,
        furniture=furniture,
    )


def decode(data: bytes, place: str) -> str:
    """Text of UTF-8, UTF-16, UTF-32 or GB18030 bytes, line ends as ``\\n``. Raises `IngestError` for other bytes."""
    text = _decode(data, place)
    if "\x00" in text:
        raise IngestError("含有空字节，不是文本文件。请确认文件类型", place=place, code=Reject.BAD_ENCODING)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes, place: str) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding, place)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(data, place, error)
    if "\x00" in text and data.count(0) * 3 > len(data) and (unmarked := _unmarked_utf16(data)):
        return _strict(data, unmarked, place)   # ASCII alone: every second byte is zero
    return text


def _not_utf8(data: bytes, place: str, error: UnicodeDecodeError) -> str:
    if unmarked := _unmarked_utf16(data):
        return _strict(data, unmarked, place)
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        raise IngestError(
            f"第 {error.start} 字节起不是 UTF-8、UTF-16 或 GB18030 文本。请另存为 UTF-8 后重试", place=place,
            code=Reject.BAD_ENCODING,
        ) from error


def _strict(data: bytes, encoding: str, place: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"第 {error.start} 字节起不是有效的 {encoding} 文本。请另存为 UTF-8 后重试"
        raise IngestError(reason, place=place, code=Reject.BAD_ENCODING) from error


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark holds zero bytes (digits, line ends, but also 一 and the full-width space, on the
    other side), and read in the right order it is nearly all Chinese, ASCII and punctuation."""
    head = data[:4000]
    if 0 not in head or len(data) % 2:
        return None
    share = {encoding: _usual(head.decode(encoding, "replace")) for encoding in ("utf-16-le", "utf-16-be")}
    best = max(share, key=share.__getitem__)
    return best if share[best] > 0.95 else None


def _usual(text: str) -> float:
    usual = re.findall(r"[\n\r\t -~\u2010-\u203f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", text)
    return len(usual) / len(text)
