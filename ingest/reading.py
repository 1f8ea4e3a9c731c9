"""What every reader makes of a file: blocks in reading order, before anything is understood of them.

A reader is a function ``(data, source, options) -> Reading`` in ``read_<type>.py``. Readers of paged files
make `PageLines` first, and `ingest.layout` makes blocks of them, for PDF, OFD and recognised pictures alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.records import Box


class BlockKind(StrEnum):
    """TITLE to TABLE are running text; the others are furniture, which ends up after it."""

    TITLE = "title"              # the document's own title, all its lines joined
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    TABLE = "table"              # Markdown rows, see `table_text`
    HEADER = "header"
    FOOTER = "footer"
    PAGE_NUMBER = "page_number"
    WATERMARK = "watermark"
    NAVIGATION = "navigation"    # menus, breadcrumbs, share buttons of a web page

    @property
    def is_furniture(self) -> bool:
        return self in (
            BlockKind.HEADER, BlockKind.FOOTER, BlockKind.PAGE_NUMBER, BlockKind.WATERMARK, BlockKind.NAVIGATION
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """``block.text[start:end]`` stands in ``box`` of ``page``: one line of print."""

    start: int
    end: int
    page: int                    # from 1
    box: Box


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading or table. Only a table's text holds line breaks."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0               # of a heading, 1 outermost; 0 for anything else
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of print, as a text layer or a recogniser gives it."""

    text: str
    box: Box
    size: float                  # font size in points
    rotated: bool = False        # not horizontal: a watermark or a margin note
    faint: bool = False          # light grey or nearly transparent
    confidence: float = 1.0      # of a recogniser


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table found on a page: rows of cells; a merged cell's text stands in each place it covers."""

    rows: tuple[tuple[str, ...], ...]
    box: Box
    header_rows: int = 1


@dataclass(frozen=True, slots=True)
class PageLines:
    """One page: its lines in any order, without those that lie in one of its tables."""

    number: int                  # from 1
    width: float                 # points
    height: float
    lines: tuple[TextLine, ...]
    tables: tuple[PageTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file (a mail's attachment), or one that a page links to, which is listed and not fetched."""

    name: str
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may need besides the bytes."""

    max_pages: int = 2000
    max_cells: int = 2_000_000                    # of a spreadsheet
    seconds: float = 50.0                         # for a converter that is a program of its own
    # page -> recognised lines; a page that is missing here and has no text layer is reported in `needs_ocr`
    recognised: Mapping[int, PageLines] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as blocks."""

    blocks: tuple[Block, ...]
    # what the container says of the document, by field name of `core.records.Facts`: title, issuer, doc_no,
    # published_on, url …, as text
    hints: Mapping[str, str] = field(default_factory=dict)
    pages: int = 0
    needs_ocr: tuple[int, ...] = ()               # pages that hold a picture of text and no text
    unread_pages: tuple[int, ...] = ()            # pages that could not be read
    attachments: tuple[Attachment, ...] = ()


Reader = Callable[[bytes, str, ReadOptions], Reading]     # (data, source, options); raises IngestError


def table_text(rows: tuple[tuple[str, ...], ...], header_rows: int = 1) -> str:
    """Rows as a Markdown table: a line per row, a separator line after the header rows.

    White space in a cell becomes one space and ``|`` becomes ``｜``, so that a row is a line. ``header_rows``
    0 puts an empty header row there.
    """
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    lines = [_row(row, width) for row in rows]
    if header_rows == 0:
        lines.insert(0, _row((), width))
    lines.insert(max(header_rows, 1), "|" + " --- |" * width)
    return "\n".join(lines)


def _row(cells: tuple[str, ...], width: int) -> str:
    padded = [*cells, *[""] * (width - len(cells))]
    return "| " + " | ".join(" ".join(cell.replace("|", "｜").split()) for cell in padded) + " |"
