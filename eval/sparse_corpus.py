"""A home's published chunks, with the words that the index holds of each and the hit that each would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config import Config
from core.records import Document, SearchOptions, State, StoredDocument
from eval.gold import document_name
from eval.retrieval import Found
from kb import lookup
from kb.database import open_database
from kb.encode import Fields
from kb.graph.definitions import defined_terms
from kb.home import hold_home
from kb.points import index_entries
from kb.steps import words_of
from kb.versions import Span, short_title

_LONGEST_WORD = 12       # characters: a longer title is a sentence, and nobody asks for it as one word


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk."""

    found: Found
    fields: Fields
    document: StoredDocument


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything published in one home."""

    pieces: tuple[Piece, ...]
    user_words: frozenset[str]   # short titles and terms that an article defines


def read_corpus(config: Config, home: Path) -> Corpus:
    """All published chunks, in force or not. Raises `HomeLocked`."""
    pieces: list[Piece] = []
    words: set[str] = set()
    with hold_home(home):
        engine = open_database(config.storage.database or f"sqlite:///{home.resolve() / 'policydesk.db'}")
        with engine.connect() as connection:
            for stored in lookup.stored_documents(connection, [State.PUBLISHED]):
                document = lookup.load(connection, stored.id)
                if document is not None:
                    pieces += _pieces(document, stored)
                    words |= _user_words(document)
        engine.dispose()
    return Corpus(tuple(pieces), frozenset(words))


def within(document: StoredDocument, options: SearchOptions) -> bool:
    """The conditions of a search, as the store applies them."""
    facts = document.facts
    return (
        (options.regions is None or facts.region in options.regions)
        and (options.as_of is None or document.in_force(options.as_of))
        and (facts.public or not options.public_only)
        and (options.ranks is None or facts.rank in options.ranks)
    )


def _pieces(document: Document, stored: StoredDocument) -> list[Piece]:
    names = {chunk.id: chunk.id for chunk in document.chunks}
    entries: Sequence[Fields] = [
        words_of(entry) for entry in index_entries([document], names, {document.id: Span(None, None)})
    ]
    return [
        Piece(
            Found(
                (article := document.articles[chunk.article]).ref, document_name(document.source),
                article.start, article.end, (chunk.start, chunk.end), document.facts.title, article.address,
            ),
            fields, stored,
        )
        for chunk, fields in zip(document.chunks, entries, strict=True)
    ]


def _user_words(document: Document) -> set[str]:
    words = {short_title(document.facts.title)}
    for article in document.articles:
        words |= {term for _, _, term in defined_terms(document.text[article.start : article.end])}
    return {word for word in words if 2 <= len(word) <= _LONGEST_WORD}
