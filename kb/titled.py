"""Documents by what their titles and their facts say, and where citations stand on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, or_, select

from core.paper import Paper
from core.records import Citation, SearchOptions, State, StoredDocument
from kb.lookup import conditions
from kb.packed import unpack_places
from kb.rows import STORED, in_state, stored_of
from kb.schema import articles, documents

_TITLE_STANDS = 3_000            # characters: at the beginning of a document


@dataclass(frozen=True, slots=True)
class Titled:
    """A document with words of its text that name it: ``text[start:end] == quote``."""

    document: StoredDocument
    address: str                 # of its first article, where there is one
    ref: str
    quote: str                   # its title; the first line of its text where that does not hold the title
    start: int


def documents_titled(connection: Connection, words: Sequence[str], options: SearchOptions) -> list[StoredDocument]:
    """Published documents within ``options`` whose title, issuer or number holds one of ``words``, the newest first;
    without words all of them."""
    c = documents.c
    holds = [column.contains(word, autoescape=True) for word in words for column in (c.title, c.issuer, c.doc_no)]
    query = select(*STORED).where(in_state(State.PUBLISHED), *conditions(options))
    query = query.where(or_(*holds)) if holds else query
    return [stored_of(row) for row in connection.execute(query.order_by(c.dated.desc(), c.title))]


def with_titles(connection: Connection, some: Sequence[StoredDocument]) -> list[Titled]:
    """The same documents, in order, each with where its title stands."""
    head = func.substr(documents.c.text, 1, _TITLE_STANDS).label("head")
    ids = [document.id for document in some]
    rows = connection.execute(select(documents.c.id, head).where(documents.c.id.in_(ids)))
    heads = {row.id: row.head for row in rows}
    firsts = {
        row.document_id: row
        for row in connection.execute(
            select(articles.c.document_id, articles.c.address, articles.c.ref)
            .where(articles.c.document_id.in_(ids), articles.c.position == 0)
        )
    }
    found = []
    for document in some:
        text, title, first = heads[document.id], document.facts.title, firsts.get(document.id)
        quote = title if title in text else text.lstrip().partition("\n")[0]
        address, ref = (first.address, first.ref) if first else ("", document.id)
        found.append(Titled(document, address, ref, quote, text.index(quote)))
    return found


def on_paper(connection: Connection, citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """With page and box, where the document was read from paper."""
    ids = {citation.document for citation in citations}
    query = select(documents.c.id, documents.c.places).where(documents.c.id.in_(ids), documents.c.places.is_not(None))
    papers = {row.id: Paper(unpack_places(row.places)) for row in connection.execute(query)}
    placed = []
    for citation in citations:
        paper = papers.get(citation.document)
        page, box = paper.find(citation.start, citation.end) if paper else (None, None)
        placed.append(replace(citation, page=page, box=box))
    return tuple(placed)
