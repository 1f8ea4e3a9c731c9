"""Everything that rules read off a document for the graph."""

from __future__ import annotations

from core.records import Document
from kb.duties import duties
from kb.references import references
from kb.relations import Reference
from kb.requirements import requirements


def edges_of(document: Document) -> list[Reference]:
    """References to documents and articles, bodies, those concerned, materials and conditions, as the text runs."""
    found = [*references(document), *duties(document), *requirements(document)]
    return sorted(found, key=lambda reference: reference.start)
