"""Facts and text -> `Document`: parts, chunks, references and the id that follows from all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from core.records import Article, Document, Facts, Furniture, OfficialField, Place
from ingest.split import make_chunks, split


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
    stem = name or f"{facts.title}@{facts.dated or ''}"
    articles = [
        Article(
            re.sub(r"\s", "", f"{stem}#{part.address}"), part.address, part.heading,
            part.start + start, part.end + start,
        )
        for part in split(text[start:end], facts.title)
    ]
    return assemble(
        facts, text, articles, source, chunk_chars=chunk_chars, body=(start, end), fields=fields,
        furniture=furniture, places=places,
    )


def assemble(
    facts: Facts,
    text: str,
    articles: Sequence[Article],
    source: str,
    *,
    chunk_chars: int,
    body: tuple[int, int] | None = None,
    fields: Sequence[OfficialField] = (),
    furniture: Sequence[Furniture] = (),
    places: Sequence[Place] = (),
) -> Document:
    """A document from parts that are known already."""
    digest = hashlib.sha256(repr((facts, articles)).encode())
    digest.update(text.encode())
    document_id = digest.hexdigest()[:16]
    chunks = make_chunks(document_id, text, [(a.start, a.end) for a in articles], chunk_chars)
    return Document(
        document_id, facts, text, tuple(articles), chunks, source, tuple(fields), tuple(furniture), tuple(places)
    )
