"""Everything that rules read off a document for the graph."""

from __future__ import annotations

from core.records import Document
from kb.graph.duties import duties
from kb.graph.references import references
from kb.graph.relations import Reference
from kb.graph.requirements import requirements


def edges_of(document: Document) -> list[Reference]:
    """References to documents and articles, bodies, those concerned, materials and conditions, as the text runs."""
    found = [*references(document), *duties(document), *requirements(document)]
    return sorted(found, key=lambda reference: reference.start)
