"""Conflicts as they were last found, for whoever quotes one of the two rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, delete, insert, or_, select

from core.records import Citation, State
from core.regions import region_chain
from kb.conflicts.find import Conflict
from kb.rows import in_state
from kb.schema import conflicts, documents

KINDS = {
    "money": "金额", "share": "比例", "period": "期限", "date": "日期", "age": "年龄", "area": "面积", "count": "数量",
    "condition": "条件",
}


@dataclass(frozen=True, slots=True)
class KnownConflict:
    """What a citation meets: another rule on its matter that differs."""

    n: int                       # of the citation
    title: str                   # of the other rule
    address: str
    kinds: tuple[str, ...]       # as in `Conflict`
    decision: str


def keep_conflicts(connection: Connection, found: Sequence[Conflict]) -> None:
    """In place of those that were found before."""
    connection.execute(delete(conflicts))
    rows = [
        {
            "id": one.id, "kinds": " ".join(one.kinds), "decision": decision_of(one),
            **{
                f"{name}_{part}": value
                for name, side in zip(("one", "other"), one.sides, strict=True)
                for part, value in (
                    ("document", side.document), ("start", side.start), ("end", side.end), ("address", side.address),
                )
            },
        }
        for one in found
    ]
    if rows:
        connection.execute(insert(conflicts), rows)


def decision_of(conflict: Conflict) -> str:
    """Which of the two goes before, by its title, and why."""
    prefers = conflict.decision.prefers
    before = f"以《{conflict.sides[prefers].title}》为准：" if prefers is not None else ""
    return before + conflict.decision.reason


def known_conflicts(
    connection: Connection, citations: Sequence[Citation], day: date, region: str
) -> list[KnownConflict]:
    """Of what is cited, with rules that are published and in force on ``day`` and hold in ``region``, which may be
    empty, or in a part of it."""
    if not citations:
        return []
    ids = {citation.document for citation in citations}
    c = conflicts.c
    rows = connection.execute(
        select(conflicts).where(or_(c.one_document.in_(ids), c.other_document.in_(ids))).order_by(c.id)
    ).mappings().all()
    met = []
    for row in rows:
        for mine, theirs in (("one", "other"), ("other", "one")):
            met += [
                (citation.n, row, theirs) for citation in citations
                if citation.document == row[f"{mine}_document"]
                and citation.start < row[f"{mine}_end"] and row[f"{mine}_start"] < citation.end
            ]
    titles = _in_force(connection, {row[f"{theirs}_document"] for _, row, theirs in met}, day, region)
    return [
        KnownConflict(
            n, titles[row[f"{theirs}_document"]], row[f"{theirs}_address"], tuple(row["kinds"].split()), row["decision"]
        )
        for n, row, theirs in met if row[f"{theirs}_document"] in titles
    ]


def _in_force(connection: Connection, ids: set[str], day: date, region: str) -> dict[str, str]:
    if not ids:
        return {}
    c = documents.c
    query = select(c.id, c.title, c.region).where(
        c.id.in_(ids), in_state(State.PUBLISHED),
        or_(c.in_force_from.is_(None), c.in_force_from <= day), or_(c.in_force_to.is_(None), c.in_force_to > day),
    )
    return {row.id: row.title for row in connection.execute(query) if _meet(row.region, region)}


def _meet(rule: str | None, region: str) -> bool:
    return not rule or not region or rule in region_chain(region) or region in region_chain(rule)
