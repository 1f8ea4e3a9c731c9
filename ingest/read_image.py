"""Pictures (PNG, JPEG, TIFF, BMP, GIF, WebP) -> Reading, once their frames have been recognised."""

from __future__ import annotations

import io
from typing import Any

import pymupdf

from core.errors import IngestError
from core.records import Reject
from ingest.layout import blocks_of
from ingest.reading import Reading, ReadOptions

PICTURE_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError)
_MAX_SIDE = 30_000          # pixels: a picture that would fill the memory


def read_image(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Every frame is in `needs_ocr` until its lines are in ``options.recognised``.

    Raises `IngestError` for a picture that is damaged or has more than ``options.max_pages`` frames.
    """
    try:
        with open_picture(data, "image") as document:
            frames = int(document.page_count)
            if frames:
                document.load_page(0)
    except PICTURE_ERRORS as error:
        raise IngestError(f"图片已损坏，打不开（{error}）。请重新扫描或重新导出", place=source) from error
    if not frames:
        raise IngestError("图片里没有画面。请重新扫描或重新导出", place=source)
    if frames > options.max_pages:
        reason = f"有 {frames} 页，上限 {options.max_pages} 页（ingest.max_pages）。请拆分，或调高上限"
        raise IngestError(reason, place=source, code=Reject.TOO_LARGE)
    pages = [options.recognised[number] for number in range(1, frames + 1) if number in options.recognised]
    missing = tuple(number for number in range(1, frames + 1) if number not in options.recognised)
    return Reading(tuple(blocks_of(pages)), pages=frames, needs_ocr=missing)


def open_picture(data: bytes, kind: str) -> Any:  # noqa: ANN401
    """The library's document of a ``"pdf"`` or an ``"image"``; raises one of `PICTURE_ERRORS`."""
    pymupdf.TOOLS.mupdf_display_errors(False)  # type: ignore[no-untyped-call]
    pymupdf.TOOLS.mupdf_display_warnings(False)  # type: ignore[no-untyped-call]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        data = _png(data)
    return pymupdf.open(stream=data, filetype="pdf" if kind == "pdf" else None)  # type: ignore[no-untyped-call]


def _png(data: bytes) -> bytes:
    """WebP as PNG: the one kind of picture that the library does not know."""
    from PIL import Image

    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
            if max(picture.size) > _MAX_SIDE:
                raise ValueError(f"{picture.size[0]} × {picture.size[1]} 像素")
            picture.convert("RGB").save(made, "PNG", compress_level=1)
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error
    return made.getvalue()
