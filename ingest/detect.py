"""The true type of a file, from its content. Its name only decides between types that are plain text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from pathlib import PurePath

from core.errors import IngestError
from core.records import Reject
from ingest import ole
from ingest.read_text import decode

# Types that are known and that nothing here can read, with what to do about them.
UNREADABLE: dict[str, str] = {
    "rar": "RAR 压缩包无法读取。请解压后重新打包为 zip",
    "7z": "7z 压缩包无法读取。请解压后重新打包为 zip",
    "msg": "Outlook 邮件（.msg）无法读取。请在 Outlook 中另存为 .eml 或 PDF",
}

# A file so named promises a document: one that cannot be read is a failure, not left out.
DOCUMENT_SUFFIXES = (
    ".md", ".markdown", ".txt", ".csv", ".tsv", ".pdf", ".docx", ".doc", ".wps", ".rtf", ".ofd", ".xlsx", ".xls", ".et",
    ".pptx", ".ppt", ".dps", ".html", ".htm", ".shtml", ".eml", ".odt", ".ods", ".odp",
)
_HEAD = 65_536
_SUFFIX_KINDS = {
    ".md": "md", ".markdown": "md", ".txt": "txt", ".text": "txt", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}
_WEB_SUFFIXES = (".html", ".htm", ".shtml", ".xhtml", ".mhtml", ".mht", ".jsp", ".asp", ".aspx", ".php")
# What is no document though it may decode as text: left out like any unknown type, rather than read as prose.
_NO_DOCUMENT_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".ico", ".mp3", ".mp4", ".wav", ".avi",
    ".mov", ".exe", ".dll", ".so", ".bin", ".dat", ".db", ".ttf", ".woff", ".map",
    ".py", ".js", ".ts", ".css", ".json", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".log", ".svg",
    ".java", ".c", ".h", ".cpp", ".sql", ".sh", ".bat", ".ps1", ".go", ".rs", ".lock",
)
_OLE_SUFFIXES = {".doc": "doc", ".dot": "doc", ".wps": "wps", ".wpt": "wps", ".xls": "xls", ".et": "xls", ".ppt": "ppt",
                 ".dps": "ppt"}
_ZIP_SUFFIXES = {".docx": "docx", ".docm": "docx", ".xlsx": "xlsx", ".xlsm": "xlsx", ".pptx": "pptx", ".ofd": "ofd"}
_ZIP_FOLDERS = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx"))
_OPEN_DOCUMENT = {"text": "odt", "spreadsheet": "ods", "presentation": "odp"}
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_HTML = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HTML_PART = re.compile(
    r"<(?:head|body|meta|title|table|div|p|span|script|style|link|center|font|h[1-6]|ul|ol|br|a|form|section|article)"
    r"(?:\s[^<>]*)?/?>", re.IGNORECASE,
)
_BEFORE_HTML = re.compile(r"\s*(?:<\?xml[^>]*\?>|<!--.*?-->|\s+)*", re.DOTALL)
_MAIL_HEADER = re.compile(
    r"^(?:from|to|date|subject|message-id|mime-version|received|content-type|return-path|delivered-to|reply-to):",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER_LINE = re.compile(r"(?:From .*\n)?(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_OFFICE_XML = (('progid="Word.Document"', "doc"), ('progid="Excel.Sheet"', "xls"))


def detect(data: bytes, name: str) -> str:
    """One of pdf docx xlsx pptx ofd doc xls ppt wps odt ods odp rtf zip tar gz jsonl.gz html eml md txt csv tsv jsonl
    image, a key of `UNREADABLE`, or "" for a type that is not known.

    ``tar`` stands for a compressed one as well. A damaged file of a known container is still that type, so that its
    reader says what is wrong. Raises `IngestError` when the file is empty or needs a password.
    """
    if not data.strip(b"\x00\r\n\t \xef\xbb\xbf\xfe\xff"):
        raise IngestError("文件是空的。请检查是否导出或上传不完整", place=name, code=Reject.EMPTY)
    suffix = PurePath(name).suffix.lower()
    if data.startswith(ole.MAGIC):
        return _ole(data, name, suffix)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip(data, suffix)
    return _by_magic(data, name) or _text_kind(data, name, suffix)


def _by_magic(data: bytes, name: str) -> str:
    if data.startswith((_GZIP, _BZIP2, _XZ)):
        return _compressed(data, name)
    if _is_tar(data):
        return "tar"
    if b"%PDF-" in data[:1024]:         # the standard lets up to 1,024 other bytes come first
        return "pdf"
    if data.lstrip(b"\r\n\t \xef\xbb\xbf").startswith(b"{\\rt"):
        return "rtf"
    if data.startswith(b"Rar!\x1a\x07"):
        return "rar"
    if data.startswith(b"7z\xbc\xaf\x27\x1c"):
        return "7z"
    return "image" if _is_image(data) else ""


def _is_image(data: bytes) -> bool:
    if data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")):
        return True
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    # "BM" may begin a text: the size of the second header tells
    return data[:2] == b"BM" and len(data) > 26 and struct.unpack_from("<I", data, 14)[0] in (12, 40, 52, 56, 108, 124)


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except tarfile.HeaderError:
        return False
    return True


def _compressed(data: bytes, name: str) -> str:
    stream = io.BytesIO(data)
    gzipped = data.startswith(_GZIP)
    unpacked = gzip.open(stream) if gzipped else bz2.open(stream) if data.startswith(_BZIP2) else lzma.open(stream)
    try:
        head = unpacked.read(_HEAD)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        head = b""
    lower = name.lower()
    if _is_tar(head) or lower.endswith((".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")):
        return "tar"
    if not gzipped:
        return ""
    return "jsonl.gz" if head.lstrip().startswith(b"{") or lower.endswith(".jsonl.gz") else "gz"


def _zip(data: bytes, suffix: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _zip_kind(archive)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
            struct.error, IndexError):
        # No list of members: the local headers may still tell, else the name is all there is.
        for folder, kind in _ZIP_FOLDERS:
            if b"[Content_Types].xml" in data and folder.encode() in data:
                return kind
        return "ofd" if b"OFD.xml" in data else _ZIP_SUFFIXES.get(suffix, "zip")


def _zip_kind(archive: zipfile.ZipFile) -> str:
    names = [name.replace("\\", "/").lstrip("/") for name in archive.namelist()]
    if "OFD.xml" in names:
        return "ofd"
    if "[Content_Types].xml" in names:
        if "xl/workbook.bin" in names:
            return "xls"            # XLSB: read by the same converter
        return next((kind for folder, kind in _ZIP_FOLDERS if any(name.startswith(folder) for name in names)), "zip")
    if "mimetype" in names:
        with archive.open("mimetype") as stream:
            stated = stream.read(200).decode("ascii", "replace")
        if stated.startswith("application/vnd.oasis.opendocument."):
            return _OPEN_DOCUMENT.get(stated.rsplit(".", 1)[1].strip(), "")
    return "zip"


def _ole(data: bytes, name: str, suffix: str) -> str:
    streams = ole.top_level(data)
    if streams is None:                     # cut off: the converter says so if the name is that of a document
        return _OLE_SUFFIXES.get(suffix, "")
    workbook = streams.get("Workbook", streams.get("Book"))
    if (
        not streams.keys().isdisjoint({"EncryptedPackage", "EncryptedSummary"})
        or ("WordDocument" in streams and _doc_has_password(data, streams["WordDocument"]))
        or (workbook is not None and _xls_has_password(data, workbook))
    ):
        raise IngestError("文件有打开密码，读不出来。请去掉密码后另存，再重新收录", place=name, code=Reject.ENCRYPTED)
    if "WordDocument" in streams or (suffix == ".wps" and "CONTENTS" in streams):    # the latter is Works
        return "wps" if suffix in (".wps", ".wpt") else "doc"
    if workbook is not None:
        return "xls"
    if "PowerPoint Document" in streams:
        return "ppt"
    return "msg" if "__properties_version1.0" in streams else ""


def _doc_has_password(data: bytes, start: int) -> bool:
    """fEncrypted of the first record, [MS-DOC] 2.5.2."""
    flags = data[start + 10 : start + 12]
    return len(flags) == 2 and bool(flags[1] & 0x01)


def _xls_has_password(data: bytes, start: int) -> bool:
    """A FILEPASS record stands among the first records, all of which lie in the first sector."""
    place, end = start, min(start + 512, len(data) - 4)
    while place < end:
        record, size = struct.unpack_from("<HH", data, place)
        if record == 0x2F:
            return True
        if record not in (0x809, 0x86, 0x5B, 0x5C, 0xE1, 0xC1, 0xE2, 0x42):   # what may come before it
            return False
        place += 4 + size
    return False


def _text_kind(data: bytes, name: str, suffix: str) -> str:
    text = _head_text(data, name, suffix)
    if text is None:
        return ""
    for mark, kind in _OFFICE_XML:
        if mark in text[:2000]:
            return kind
    if _is_html(text, suffix):
        return "html"
    if _is_mail(text):
        return "eml"
    if suffix in _NO_DOCUMENT_SUFFIXES:
        return ""
    return _SUFFIX_KINDS.get(suffix, "txt")


def _head_text(data: bytes, name: str, suffix: str) -> str | None:
    """The beginning as text; None when it is not text in any encoding that `decode` knows."""
    for cut in range(4 if len(data) > _HEAD else 1):        # the head may end inside a character
        try:
            text = decode(data[: _HEAD - cut], name)
        except IngestError:
            continue
        return text if _few_controls(text) else None
    text = data[:_HEAD].decode("utf-8", "replace")
    # A text of bad or mixed encoding is still a text if its name says so; reading it gives the reason.
    named_text = suffix in _SUFFIX_KINDS or suffix in _WEB_SUFFIXES or suffix == ".eml"
    return text if named_text and b"\x00" not in data[:_HEAD] and _few_controls(text) else None


def _few_controls(text: str) -> bool:
    """A stray control character is found in real notices; a binary file that decodes by chance has far more."""
    controls = sum(character < " " and character not in "\t\n\r\f\v\x1b" for character in text[:4000])
    return controls * 50 <= len(text[:4000])


def _is_html(text: str, suffix: str) -> bool:
    match = _BEFORE_HTML.match(text)
    start = match.end() if match else 0
    if _HTML.match(text, start):
        return True
    if suffix in (".md", ".markdown"):          # may begin with a tag or a comment and is Markdown all the same
        return False
    if suffix in _WEB_SUFFIXES:
        return _HTML_PART.search(text) is not None and not _is_mail(text)
    return _HTML_PART.match(text, start) is not None or (suffix == ".doc" and _HTML.search(text) is not None)


def _is_mail(text: str) -> bool:
    """Header lines from the first line on, at least two of them among those of a mail."""
    block = _HEADER_LINE.match(text.lstrip("\n"))
    return block is not None and len(set(_MAIL_HEADER.findall(block.group().lower()))) >= 2
