"""Bytes and headers of a mail -> text, as lenient as mail programs are: wrong charsets, raw GBK headers, cut words."""

from __future__ import annotations

import base64
import binascii
import quopri
import re

_WORD = re.compile(r"=\?([\w.:*-]{1,40})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)\s+(?==\?)")
# Seven-bit codes: their bytes are valid UTF-8 as well, but mean something else.
_SEVEN_BIT = tuple("hz hz-gb-2312 utf-7 iso-2022-cn iso-2022-jp iso-2022-kr utf-16 utf-16le utf-16be".split())
_ANY_BYTES = ("iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252", "us-ascii", "ascii")
_CHINESE = ("gb2312", "gbk", "gb_2312-80", "x-gbk", "cp936", "gb18030")


def decode_bytes(data: bytes, charset: str) -> str | None:
    """The text of a part: UTF-8 where it is valid, else the declared charset, else GB18030; None when all fail.

    Programs declare gb2312 for GBK, and latin-1 or nothing at all for Chinese, which therefore comes last.
    """
    declared = charset.strip().lower()
    if declared in _SEVEN_BIT:
        order = [declared, "utf-8", "gb18030"]
    elif declared in _ANY_BYTES:
        order = ["utf-8", "gb18030", declared]
    else:
        order = ["utf-8", "gb18030" if declared in _CHINESE else declared, "gb18030"]
    for encoding in filter(None, order):
        try:
            return data.decode("hz" if encoding == "hz-gb-2312" else encoding)
        except (UnicodeError, LookupError):
            continue
    return None


def decode_header(raw: str) -> str:
    """The text of a header or file name as the parser hands it on: encoded words, and bytes kept as surrogates."""
    raw = re.sub(r"\r?\n[ \t]+", " ", without_surrogates(raw))
    raw = _BETWEEN.sub(r"\1", raw)
    text: list[str] = []
    pending: tuple[str, bytes] | None = None      # neighbours in one charset: a character may be cut between them
    end = 0
    for word in _WORD.finditer(raw):
        charset, data = word.group(1).partition("*")[0].lower(), _word_bytes(word.group(2), word.group(3))
        if pending and (word.start() > end or pending[0] != charset):
            text.append(_shown(pending))
            pending = None
        text.append(raw[end:word.start()])
        pending = (charset, (pending[1] if pending else b"") + data)
        end = word.end()
    if pending:
        text.append(_shown(pending))
    text.append(raw[end:])
    return "".join(text).encode("utf-8", "replace").decode("utf-8")


def without_surrogates(raw: str) -> str:
    """Bytes that are no ASCII, which the parser keeps as surrogates, as the characters that they were meant for."""
    if not any("\udc80" <= char <= "\udcff" for char in raw):
        return raw
    data = raw.encode("utf-8", "surrogateescape")
    text = decode_bytes(data, "")
    return data.decode("utf-8", "replace") if text is None else text


def _shown(pending: tuple[str, bytes]) -> str:
    charset, data = pending
    text = decode_bytes(data, charset)
    return data.decode("utf-8", "replace") if text is None else text


def _word_bytes(kind: str, content: str) -> bytes:
    plain = content.encode("ascii", "replace")
    if kind in "qQ":
        return quopri.decodestring(plain, header=True)
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except binascii.Error:
        return b""
