"""Facts and text -> `Document`: parts, chunks, references and the id that follows from all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from core.records import Article, Document, Facts, Furniture, OfficialField, Place
from ingest.chunks import make_chunks
from ingest.cover import tile
from ingest.lines import Table, tables_of
from ingest.split import cut


def make_document(
    facts: Facts,
    text: str,
    source: str,
    *,
    name: str | None,
    chunk_chars: int,
    body: tuple[int, int] | None = None,
    fields: Sequence[OfficialField] = (),
    furniture: Sequence[Furniture] = (),
    places: Sequence[Place] = (),
) -> Document:
    """A document split into its citable parts; ``name`` is the source's own id, if it has one.

    ``text[body[0]:body[1]]`` is the running text, by default all of it. What stands before is front matter;
    what stands after are pieces that ``furniture`` names.
    """
    start, end = body or (0, len(text))
    stem = re.sub(r"\s", "", name or f"{facts.title}@{facts.dated or ''}")
    parts, between, tables = cut(text, facts.title, start, end)
    articles = [
        Article(f"{stem}#{re.sub(_SPACE, '', part.address)}", part.address, part.heading, part.start, part.end)
        for part in parts
    ]
    front = [Furniture("front_matter", 0, start)] if start else []
    return assemble(
        facts, text, articles, source, chunk_chars=chunk_chars, fields=fields,
        furniture=[*front, *between, *_after(text, end, furniture)], places=places, tables=tables,
    )


def assemble(
    facts: Facts,
    text: str,
    articles: Sequence[Article],
    source: str,
    *,
    chunk_chars: int,
    fields: Sequence[OfficialField] = (),
    furniture: Sequence[Furniture] = (),
    places: Sequence[Place] = (),
    tables: Sequence[Table] | None = None,
) -> Document:
    """A document from parts that are known already. ``furniture`` names everything that stands between them
    and is not blank; ``tables`` are looked for when they are not given."""
    digest = hashlib.sha256(repr((facts, tuple(articles))).encode())
    digest.update(text.encode())
    document_id = digest.hexdigest()[:16]
    found = tables_of(text, 0, len(text)) if tables is None else tables
    chunks = make_chunks(document_id, text, articles, chunk_chars, tables=found, places=places)
    tiles = tile(text, chunks, furniture)
    return Document(document_id, facts, text, tuple(articles), chunks, source, tuple(fields), tiles, tuple(places))


_SPACE = re.compile(r"\s")
_MARK = re.compile(r"#{1,6} $")


def _after(text: str, end: int, furniture: Sequence[Furniture]) -> list[Furniture]:
    """What was taken out of the running text, each piece with the Markdown mark that may stand before it."""
    pieces = []
    for piece in furniture:
        mark = _MARK.search(text, max(end, piece.start - 7), piece.start)
        pieces.append(Furniture(piece.kind, mark.start() if mark else piece.start, piece.end))
    return [piece for piece in pieces if piece.start < piece.end]
