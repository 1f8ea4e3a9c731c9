"""Which document a name means: settled when it is asked for, since that document may come later or be taken out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select

from core.records import State
from kb.law_names import name_key
from kb.rows import in_state
from kb.schema import documents, edges, names
from kb.unindexed import unindexed

VALUES = 10_000              # in one query; SQLite binds at most 32,766


@dataclass(frozen=True, slots=True)
class Bearer:
    """A published document that a name may mean."""

    id: str
    title: str
    full_name: str
    region: str | None
    rank: int
    day: date                    # the later, the newer a version
    start: date | None
    end: date | None             # exclusive

    def in_force(self, as_of: date | None) -> bool:
        """On no day at all, every version is."""
        return as_of is None or (
            (self.start is None or self.start <= as_of) and (self.end is None or self.end > as_of)
        )


def in_list(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A condition on a list that is given, under ``name``, when a statement is executed."""
    return column.in_(bindparam(name, expanding=True))


def of_kind(kinds: Collection[str]) -> ColumnElement[bool]:
    """The condition beside another one that finds few rows.

    Without index, as `kb.rows.in_state`: SQLite would begin at all references of a kind (20 ms instead of 0.2).
    """
    return unindexed(edges.c.kind).in_(sorted(kinds))


_D = documents.c
_BORNE = (_D.id, _D.title, _D.region, _D.rank, _D.effective_from, _D.dated, _D.in_force_from, _D.in_force_to)
_PUBLISHED = in_state(State.PUBLISHED)
_BEARERS = select(names.c.name, *_BORNE).join(documents).where(in_list(names.c.name, "names"), _PUBLISHED)
_NUMBERED = select(_D.doc_no, *_BORNE).where(in_list(_D.doc_no, "names"), _PUBLISHED)


def bearers(connection: Connection, wanted: Collection[str]) -> dict[str, list[Bearer]]:
    """The published documents that bear each name: a title as `kb.law_names.name_key` writes it, or a 发文字号."""
    found: defaultdict[str, list[Bearer]] = defaultdict(list)
    numbers = [name for name in wanted if name.endswith("号") and "〔" in name]
    for query, some in ((_BEARERS, wanted), (_NUMBERED, numbers)):
        ordered = sorted(some)
        for start in range(0, len(ordered), VALUES):
            rows = connection.execute(query, {"names": ordered[start : start + VALUES]})
            for name, id_, title, region, rank, effective, dated, begins, ends in rows:
                day = effective or dated or date.min
                found[name].append(Bearer(id_, title, name_key(title), region, rank, day, begins, ends))
    return found


def the_one(several: Sequence[Bearer]) -> Bearer | None:
    """The newest version; None when there is none, or different rules share the name."""
    if len({(bearer.full_name, bearer.region) for bearer in several}) != 1:
        return None
    return max(several, key=lambda bearer: (bearer.day, bearer.id))


def in_force_first(several: Sequence[Bearer], as_of: date | None) -> list[Bearer]:
    """Those in force on a day; where none is, all: a reference to a repealed rule still means that rule."""
    return [bearer for bearer in several if bearer.in_force(as_of)] or list(several)
