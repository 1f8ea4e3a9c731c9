"""Where the sentences that a rule may contradict are kept, and which of them meet.

A document's row is made when somebody first asks for conflicts after it came, so ingest does not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from core.records import Document, State
from kb.conflicts.clauses import KEYS, Clause, clause_keys, clauses, clauses_of
from kb.rows import in_state
from kb.schema import articles, documents
from kb.schema import clauses as clause_table

_COLUMNS = 4 + KEYS
_AT_ONCE = 200
_VALUES = 10_000
_CROWD = 40                  # sentences of one key; more are boilerplate, told apart by the matter of their documents
_NO_LEAD = 0xFFFFFFFF

Numbers = NDArray[np.uint32]
Pairs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClauseIndex:
    """Sentences of several documents, one row each."""

    ids: tuple[str, ...]         # of the documents
    document: NDArray[np.int64]  # of each row, its place in ``ids``
    rows: Numbers                # start, end, start and end of the lead, keys

    def span(self, row: int) -> tuple[int, int, tuple[int, int] | None]:
        start, end, lead_start, lead_end = (int(value) for value in self.rows[row, :4])
        return start, end, None if lead_start == _NO_LEAD else (lead_start, lead_end)


def complete_clauses(connection: Connection) -> int:
    """Make the rows of published documents that have none; how many."""
    there = select(clause_table.c.document_id).where(clause_table.c.document_id == documents.c.id)
    missing = connection.scalars(select(documents.c.id).where(in_state(State.PUBLISHED), ~there.exists())).all()
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        found = _read(connection, some)
        rows = [{"document_id": name, "packed": _packed(found[name]).tobytes()} for name in some]
        connection.execute(insert(clause_table), rows)
    return len(missing)


def load_clauses(connection: Connection, ids: Sequence[str]) -> ClauseIndex:
    """Of stored documents; those that have no rows yet are read now, 3 ms each."""
    blobs: dict[str, bytes] = {}
    for start in range(0, len(ids), _VALUES):
        query = select(clause_table).where(clause_table.c.document_id.in_(ids[start : start + _VALUES]))
        blobs |= {row.document_id: row.packed for row in connection.execute(query)}
    missing = [name for name in ids if name not in blobs]
    for start in range(0, len(missing), _AT_ONCE):
        found = _read(connection, missing[start : start + _AT_ONCE])
        blobs |= {name: _packed(some).tobytes() for name, some in found.items()}
    return _index([(name, np.frombuffer(blobs[name], dtype="<u4").reshape(-1, _COLUMNS)) for name in ids])


def clauses_of_document(document: Document) -> ClauseIndex:
    """Of one that need not be stored."""
    return _index([(document.id, _packed(list(clauses(document))))])


def meetings(index: ClauseIndex, matters: Sequence[int]) -> Pairs:
    """Pairs of rows of different documents that share a key, each once, shape (n, 2).

    ``matters`` gives one number for each document; of a crowd of sentences only those of equal ones meet.
    """
    found = [_together(index, index.rows[:, 4 + key].astype(np.uint64), np.array(matters)) for key in range(KEYS)]
    return np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), dtype=np.int64)


def meetings_with(one: ClauseIndex, others: ClauseIndex) -> Pairs:
    """(row of ``one``, row of ``others``) that share a key, each once."""
    found = []
    for key in range(KEYS):
        mine, theirs = one.rows[:, 4 + key], others.rows[:, 4 + key]
        shared = np.flatnonzero(np.isin(theirs, mine))
        order = np.argsort(mine, kind="stable")
        left = np.searchsorted(mine[order], theirs[shared], side="left")
        right = np.searchsorted(mine[order], theirs[shared], side="right")
        for row, first, last in zip(shared.tolist(), left.tolist(), right.tolist(), strict=True):
            found += [(int(order[n]), row) for n in range(first, last)]
    return np.unique(np.array(found, dtype=np.int64).reshape(-1, 2), axis=0)


def _together(index: ClauseIndex, keys: NDArray[np.uint64], matters: NDArray[np.int64]) -> Pairs:
    pairs: list[Pairs] = []
    crowds: list[NDArray[np.int64]] = []
    for group in _groups(keys):
        (pairs if len(group) <= _CROWD else crowds).append(_pairs(group) if len(group) <= _CROWD else group)
    for crowd in crowds:
        own = matters[index.document[crowd]].astype(np.uint64)
        pairs += [_pairs(crowd[group]) for group in _groups(own) if len(group) <= _CROWD]
    if not pairs:
        return np.zeros((0, 2), dtype=np.int64)
    every: Pairs = np.concatenate(pairs)
    apart: NDArray[np.bool_] = index.document[every[:, 0]] != index.document[every[:, 1]]
    return every[apart]


def _groups(values: NDArray[np.uint64]) -> Iterable[NDArray[np.int64]]:
    """Places of equal values, where there are several, in order."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    borders = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    for place in np.flatnonzero(np.diff(borders) > 1):
        yield order[borders[place] : borders[place + 1]]


def _pairs(group: NDArray[np.int64]) -> Pairs:
    first, second = np.triu_indices(len(group), 1)
    return np.stack([group[first], group[second]], axis=1)


def _index(parts: Sequence[tuple[str, Numbers]]) -> ClauseIndex:
    counts = [len(rows) for _, rows in parts]
    rows = np.concatenate([rows for _, rows in parts]) if parts else np.zeros((0, _COLUMNS), dtype=np.uint32)
    return ClauseIndex(tuple(name for name, _ in parts), np.repeat(np.arange(len(parts)), counts), rows)


def _packed(some: Sequence[Clause]) -> Numbers:
    spans = [(c.start, c.end, *(c.lead or (_NO_LEAD, _NO_LEAD))) for c in some]
    return np.hstack([np.array(spans, dtype="<u4").reshape(-1, 4), clause_keys(some).astype("<u4")])


def _read(connection: Connection, ids: Sequence[str]) -> dict[str, list[Clause]]:
    texts = {row.id: row.text for row in connection.execute(
        select(documents.c.id, documents.c.text).where(documents.c.id.in_(ids))
    )}
    found: dict[str, list[Clause]] = {name: [] for name in ids}
    c = articles.c
    query = select(c.document_id, c.start, c.end).where(c.document_id.in_(ids)).order_by(c.document_id, c.position)
    for row in connection.execute(query):
        found[row.document_id] += clauses_of(texts[row.document_id], row.start, row.end)
    return found
