"""One file's bytes -> documents: the whole of reading, in one function that runs in a child process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import IngestConfig
from core.errors import IngestError
from core.records import Document, Reject, Skipped
from ingest.compose import compose
from ingest.detect import UNREADABLE, detect
from ingest.document import make_document
from ingest.read_text import read_text
from ingest.reading import Attachment, PageLines, Reader, Reading, ReadOptions

ARCHIVE_KINDS = ("zip", "tar")
TEXT_KINDS = ("md", "txt")
_CONVERTED = ("doc", "wps", "xls", "ppt", "rtf", "odt", "ods", "odp")
_READABLE = "PDF、DOCX、DOC、WPS、XLSX、PPTX、OFD、HTML、MD、TXT、CSV、EML、图片、JSONL 及 ZIP、TAR 压缩包"
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One file to read. ``data`` is a path where the bytes lie on disk already."""

    data: bytes | Path
    source: str                  # its place, whose suffix decides between types of plain text
    recognised: Mapping[int, PageLines] | None = None    # pages that a recogniser has read; None: not tried


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What became of one file. An archive comes back as its kind alone: its members are read one by one."""

    items: tuple[Document | Skipped, ...]
    kind: str = ""
    pages: int = 0
    needs_ocr: tuple[int, ...] = ()
    unread_pages: tuple[int, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def read_one(request: ReadRequest, limits: IngestConfig, regions: Mapping[str, str]) -> ReadResult:
    """Documents, or the reason why there are none. Nothing that a file can hold makes it raise."""
    kind = ""
    try:
        data = _bytes(request, limits)
        kind = detect(data, request.source)
        return _read(data, kind, request, limits, regions)
    except IngestError as error:
        return ReadResult((Skipped(error.place or request.source, error.reason, code=error.code),), kind)
    except MemoryError:
        reason = f"读取时内存超过 {limits.read_memory_mb} MB（ingest.read_memory_mb）。请拆分文件，或调高上限"
        return ReadResult((Skipped(request.source, reason, code=Reject.OUT_OF_MEMORY),), kind)
    except RecursionError:
        reason = "内部嵌套过深，读不出来。请另存为新文件后重试"
        return ReadResult((Skipped(request.source, reason, code=Reject.DAMAGED),), kind)
    except OSError as error:
        reason = f"文件读不出来：{error}。请检查文件和权限"
        return ReadResult((Skipped(request.source, reason, code=Reject.UNREADABLE),), kind)


def _bytes(request: ReadRequest, limits: IngestConfig) -> bytes:
    if isinstance(request.data, bytes):
        return request.data
    if request.data.stat().st_size > limits.max_file_mb * _MB:
        raise IngestError(
            f"超过 {limits.max_file_mb} MB（ingest.max_file_mb）。请拆分，或调高上限",
            place=request.source, code=Reject.TOO_LARGE,
        )
    return request.data.read_bytes()


def _read(
    data: bytes, kind: str, request: ReadRequest, limits: IngestConfig, regions: Mapping[str, str]
) -> ReadResult:
    if kind in ARCHIVE_KINDS:
        return ReadResult((), kind)
    if kind in TEXT_KINDS:
        return ReadResult((read_text(data, request.source, regions=regions, chunk_chars=limits.chunk_chars),), kind)
    options = ReadOptions(
        max_pages=limits.max_pages, max_cells=limits.max_cells, seconds=limits.read_seconds * 0.8,
        recognised=request.recognised or {},
    )
    if kind in _CONVERTED:
        from ingest.convert import convert

        data, converted = convert(data, kind, request.source, options)
        reading = _reader(converted, request.source)(data, request.source, options)
    else:
        reading = _reader(kind, request.source)(data, request.source, options)
    return _result(reading, kind, request, limits, regions)


def _result(
    reading: Reading, kind: str, request: ReadRequest, limits: IngestConfig, regions: Mapping[str, str]
) -> ReadResult:
    result = ReadResult(
        (), kind, reading.pages, reading.needs_ocr, tuple(sorted({*reading.unread_pages, *reading.needs_ocr})),
        reading.attachments,
    )
    if not any(block.text.strip() for block in reading.blocks if not block.kind.is_furniture):
        if reading.needs_ocr and request.recognised is None:
            return result           # the caller has the pages recognised and comes again, or reports them
        if not reading.attachments:
            raise IngestError(
                "没有可读的文字。请确认文件内容；扫描件请确认图像清晰", place=request.source, code=Reject.EMPTY
            )
        return result
    from ingest.official import read_official

    composed = compose(reading)
    hints = dict(reading.hints)
    if composed.title:
        hints.setdefault("title", composed.title)
    body = (0, composed.body_end)
    official = read_official(composed.text, body, hints, request.source, regions)
    document = make_document(
        official.facts, composed.text, request.source, name=None, chunk_chars=limits.chunk_chars,
        body=body, fields=official.fields, furniture=composed.furniture, places=composed.places,
    )
    return replace(result, items=(document,))


def _reader(kind: str, source: str) -> Reader:
    """The reader of a type, imported when it is first needed: a folder of Markdown never loads a PDF library."""
    match kind:
        case "pdf":
            from ingest.read_pdf import read_pdf

            return read_pdf
        case "image":
            from ingest.read_image import read_image

            return read_image
        case "docx":
            from ingest.read_docx import read_docx

            return read_docx
        case "xlsx":
            from ingest.read_sheet import read_xlsx

            return read_xlsx
        case "csv" | "tsv":
            from ingest.read_sheet import read_csv

            return read_csv
        case "pptx":
            from ingest.read_pptx import read_pptx

            return read_pptx
        case "ofd":
            from ingest.read_ofd import read_ofd

            return read_ofd
        case "html":
            from ingest.read_html import read_html

            return read_html
        case "eml":
            from ingest.read_mail import read_mail

            return read_mail
        case _:
            unknown = f"还不能读取这种文件（{Path(source).suffix or '无扩展名'}）。可读的有 {_READABLE}"
            raise IngestError(UNREADABLE.get(kind, unknown), place=source, code=Reject.UNKNOWN_TYPE)
