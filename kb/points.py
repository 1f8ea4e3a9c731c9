"""What the vector index holds of a document: a point per chunk, named after everything that it is made of.

A point does not know its document. A new revision of a source so finds the points of its unchanged articles
in the index already, and which document a point speaks for is told by SQL alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.records import Chunk, Document
from kb.rows import words_in
from kb.versions import Span


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One chunk with what the index needs to know of it."""

    point: str
    title: str
    heading: str
    text: str                    # with its address and the header rows of its table
    region: str | None
    rank: int
    span: Span
    public: bool


def point_ids(document: Document) -> list[str]:
    """For each chunk 16 hex digits of sha256 over its words, its source and what a query filters by.

    The n-th of equal chunks of one document gets n into its name, so no two share a point.
    """
    f = document.facts
    base = hashlib.sha256(repr((
        document.source, f.title, f.region, int(f.rank), f.public, f.dated, f.effective_from, f.effective_to, f.validity
    )).encode())
    names: list[str] = []
    met: dict[str, int] = {}
    for chunk in document.chunks:
        digest = base.copy()
        heading, text = _heading(document, chunk), _text(document, chunk)
        digest.update(f"{len(heading)} {heading}{text}".encode())
        name = digest.hexdigest()[:16]
        met[name] = met.get(name, 0) + 1
        if met[name] > 1:
            digest.update(f"#{met[name]}".encode())
            name = digest.hexdigest()[:16]
        names.append(name)
    return names


def index_entries(
    batch: Sequence[Document], points: Mapping[str, str], held: Mapping[str, Span]
) -> Iterator[IndexEntry]:
    """An entry for each chunk of ``batch`` that ``points`` (chunk id -> point) names."""
    for document in batch:
        facts, span = document.facts, held[document.id]
        for chunk in document.chunks:
            if (point := points.get(chunk.id)) is not None:
                yield IndexEntry(
                    point, facts.title, _heading(document, chunk), _text(document, chunk), facts.region, facts.rank,
                    span, facts.public,
                )


def _heading(document: Document, chunk: Chunk) -> str:
    return "\n".join(document.articles[chunk.article].heading)


def _text(document: Document, chunk: Chunk) -> str:
    address = chunk.address or document.articles[chunk.article].address
    return f"{address} {words_in(chunk, document.text)}"
