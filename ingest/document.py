"""Facts and text -> `Document`: parts, chunks, references and the id that follows from all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from core.records import Article, Document, Facts
from ingest.split import make_chunks, split


def make_document(facts: Facts, text: str, source: str, *, name: str | None, chunk_chars: int) -> Document:
    """A document split into its citable parts; ``name`` is the source's own id, if it has one."""
    stem = name or f"{facts.title}@{facts.dated or ''}"
    articles = [
        Article(re.sub(r"\s", "", f"{stem}#{part.address}"), part.address, part.heading, part.start, part.end)
        for part in split(text, facts.title)
    ]
    return assemble(facts, text, articles, source, chunk_chars=chunk_chars)


def assemble(facts: Facts, text: str, articles: Sequence[Article], source: str, *, chunk_chars: int) -> Document:
    """A document from parts that are known already."""
    digest = hashlib.sha256(repr((facts, articles)).encode())
    digest.update(text.encode())
    document_id = digest.hexdigest()[:16]
    chunks = make_chunks(document_id, text, [(a.start, a.end) for a in articles], chunk_chars)
    return Document(document_id, facts, text, tuple(articles), chunks, source)
