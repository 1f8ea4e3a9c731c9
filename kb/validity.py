"""When the documents in SQL hold: what they say of themselves, of each other, and what editors decided.

A document is ended by another that is published, names it as a whole (in 《》 or by its 发文字号) as repealed or
replaced, is made for the same region, and begins later than it. An editor's ruling goes before all of that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from core.records import Document, Facts, State
from kb.graph.links import names_of
from kb.graph.relations import Relation
from kb.rows import STORED, facts_of, in_state, span_of, span_values
from kb.schema import documents, edges, names, rulings
from kb.versions import Ending, Span, spans, start_of, version_key

_SEEN = (State.PUBLISHED, State.STAGED)
_ENDING = (Relation.REPEALS, Relation.SUPERSEDES)
_AT_ONCE = 500               # SQLite binds a limited number of values


@dataclass(frozen=True, slots=True)
class _Rule:
    """What decides when a document holds."""

    id: str
    source: str
    facts: Facts
    names: tuple[str, ...]       # under which others may speak of it


def spans_with(connection: Connection, batch: Sequence[Document]) -> dict[str, Span]:
    """When the documents of ``batch`` hold, given those that are published or about to be.

    Published ones that ``batch`` replaces do not count.
    """
    sources = {document.source for document in batch}
    mine = [
        _Rule(document.id, document.source, document.facts, names_of(document.facts.title)) for document in batch
    ]
    keys = {key for document in batch if (key := version_key(document.facts)) is not None}
    others = [rule for rule in _family_members(connection, keys) if rule.source not in sources]
    held = _spans(connection, [*others, *mine])
    return {rule.id: held[rule.id] for rule in mine}


def refresh(connection: Connection, ids: Collection[str]) -> list[str]:
    """Write the dates of documents and of all their versions; those that change are marked for the index, and named."""
    rows: dict[str, Row[Any]] = {row.id: row for row in _rows(connection, documents.c.id, ids)}
    keys = {row.version_key for row in rows.values() if row.version_key is not None}
    rows |= {row.id: row for row in _rows(connection, documents.c.version_key, keys)}
    held = _spans(connection, _with_names(connection, rows.values()))
    changed = [name for name, span in held.items() if span != span_of(rows[name])]
    if changed:
        connection.execute(
            update(documents).where(documents.c.id == bindparam("name")),
            [{"name": name, "index_stale": True, **span_values(held[name])} for name in changed],
        )
    return changed


def ended_by(connection: Connection, ids: Collection[str]) -> set[str]:
    """Published documents that those of ``ids`` may end by what they say."""
    c = edges.c
    found: set[str] = set()
    for some in _parts(ids):
        said = connection.execute(
            select(c.name, c.doc_no).where(c.document_id.in_(some), c.kind.in_(_ENDING), c.address.is_(None)).distinct()
        ).all()
        for part in _parts(row.name for row in said):
            called = select(names.c.document_id).join(documents).where(names.c.name.in_(part), in_state(*_SEEN))
            found.update(connection.scalars(called))
        for part in _parts(row.doc_no for row in said if row.doc_no):
            numbered = select(documents.c.id).where(documents.c.doc_no.in_(part), in_state(*_SEEN))
            found.update(connection.scalars(numbered))
    return found


def _spans(connection: Connection, rules: Sequence[_Rule]) -> dict[str, Span]:
    decided = _rulings(connection, [rule.source for rule in rules])
    endings = _endings(connection, rules)
    families: defaultdict[str, list[tuple[str, Facts]]] = defaultdict(list)
    for rule in rules:
        facts = rule.facts
        if rule.source in decided:
            endings.pop(rule.id, None)
            if (ending := decided[rule.source]) is not None:
                endings[rule.id] = ending
            facts = replace(facts, validity=None)
        families[version_key(facts) or f"only {rule.id}"].append((rule.id, facts))
    held: dict[str, Span] = {}
    for family in families.values():
        held |= spans(family, endings)
    return held


def _endings(connection: Connection, rules: Sequence[_Rule]) -> dict[str, Ending]:
    """By id of the document that is ended, the earliest of its ends."""
    by_name: defaultdict[str, list[_Rule]] = defaultdict(list)
    by_number: defaultdict[str, list[_Rule]] = defaultdict(list)
    for rule in rules:
        for name in rule.names:
            by_name[name].append(rule)
        if rule.facts.doc_no:
            by_number[rule.facts.doc_no].append(rule)
    found: dict[str, Ending] = {}
    for column, wanted in ((edges.c.name, by_name), (edges.c.doc_no, by_number)):
        for row in _ending_edges(connection, column, wanted):
            for rule in wanted[row.called]:
                ending = _ending(row, rule)
                if ending is not None and (rule.id not in found or ending.day < found[rule.id].day):
                    found[rule.id] = ending
    return found


def _ending_edges(connection: Connection, column: ColumnElement[Any], wanted: Iterable[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    c = edges.c
    for some in _parts(wanted):
        query = (
            select(column.label("called"), c.doc_no.label("number"), c.day.label("ends_on"), *STORED)
            .join(documents, documents.c.id == c.document_id)
            .where(column.in_(some), c.kind.in_(_ENDING), c.address.is_(None), c.method == "rule", in_state(*_SEEN))
            .order_by(documents.c.id)
        )
        found.extend(connection.execute(query))
    return found


def _ending(row: Row[Any], rule: _Rule) -> Ending | None:
    """None when the document of ``row`` cannot have meant this one: another region's, a later one, or itself."""
    says, number = facts_of(row), rule.facts.doc_no
    if row.id == rule.id or row.source == rule.source:
        return None
    if row.number and number and row.number != number and "〔" in row.number and "〔" in number:
        return None              # another document of that name
    if says.region != rule.facts.region and (number is None or row.number != number):
        return None
    stated = date.fromisoformat(row.ends_on) if row.ends_on else None
    day = stated or says.effective_from or says.dated or says.published_on or start_of(rule.facts)
    return Ending(day, row.id, None) if start_of(rule.facts) < day or day == date.min else None


def _rulings(connection: Connection, sources: Iterable[str]) -> dict[str, Ending | None]:
    """The newest decision on each source; None: that nothing others say ends it."""
    decided: dict[str, Ending | None] = {}
    c = rulings.c
    for some in _parts(sources):
        query = select(rulings).where(c.source.in_(some), c.undone_at.is_(None)).order_by(c.number)
        for row in connection.execute(query):
            decided[row.source] = Ending(row.day, None, row.by_name) if row.kind == "repealed" else None
    return decided


def _family_members(connection: Connection, keys: Collection[str]) -> list[_Rule]:
    return _with_names(connection, _rows(connection, documents.c.version_key, keys))


def _rows(connection: Connection, column: ColumnElement[str | None], values: Collection[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for some in _parts(values):
        query = select(*STORED, documents.c.version_key).where(column.in_(some), in_state(*_SEEN))
        found.extend(connection.execute(query))
    return found


def _with_names(connection: Connection, rows: Iterable[Row[Any]]) -> list[_Rule]:
    kept = {row.id: row for row in rows}
    called: defaultdict[str, list[str]] = defaultdict(list)
    for some in _parts(kept):
        for row in connection.execute(select(names).where(names.c.document_id.in_(some)).order_by(names.c.name)):
            called[row.document_id].append(row.name)
    return [_Rule(name, row.source, facts_of(row), tuple(called[name])) for name, row in kept.items()]


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
