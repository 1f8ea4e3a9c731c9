"""``policydesk conflicts``: passages of rules in force that say different things on one matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from policydesk.options import AsJson, AsOf, ConfigFile, Home, Region, opened_desk, write_lines

if TYPE_CHECKING:
    from kb.conflicts.find import Conflict, Side
    from policydesk.app import Desk

def conflicts(
    document: Annotated[str | None, typer.Option("--document", help="只看这份文件（已发布或草稿）与其他文件")] = None,
    region: Region = None,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出就同一事项规定不一致的现行文件，两边并列，并说明以哪一条为准，或请责任单位确认；回答引用其中一方时会提示。"""
    from policydesk.batch import to_line
    from qa.scope import today

    day = as_of or today()
    with opened_desk(config, home) as desk:
        found = _found(desk, document, day=day, region=region)
    if as_json:
        write_lines(None, (to_line(asdict(one)) for one in found))
    else:
        write_lines(None, _lines(found))


def _found(desk: Desk, document: str | None, *, day: date, region: str | None) -> list[Conflict]:
    from kb.conflicts.clause_rows import complete_clauses
    from kb.conflicts.find import conflicts_of, find_conflicts
    from kb.conflicts.rows import keep_conflicts
    from qa.scope import today

    names = desk.config.regions.names
    whole = desk.document(document) if document else None
    with desk.base.writing() as connection:
        complete_clauses(connection)
    with desk.base.reading() as connection:
        if whole is not None:
            return conflicts_of(connection, whole, today=day, names=names, region=region)
        found = find_conflicts(connection, today=day, names=names, region=region)
    if region is None and day == today():
        with desk.base.writing() as connection:
            keep_conflicts(connection, found)
    return found


def _lines(found: list[Conflict]) -> Iterator[str]:
    from kb.conflicts.rows import KINDS

    if not found:
        yield "没有发现不一致的规定"
    for number, one in enumerate(found, start=1):
        kinds = "、".join(KINDS[kind] for kind in one.kinds)
        yield f"{number}. {kinds}不一致  [{one.id}]"
        for side, letter in zip(one.sides, "甲乙", strict=True):
            place = f"{side.document} {side.start}~{side.end}"
            yield f"   {letter} 《{side.title}》{side.doc_no or ''} {side.address}  {place}"
            lead = f"{side.lead} " if side.lead else ""
            yield f"      {lead}{marked(side)}".replace("\n", " ")
        prefers = f"以{'甲乙'[one.decision.prefers]}为准：" if one.decision.prefers is not None else ""
        yield f"   {prefers}{one.decision.reason}"


def marked(side: Side) -> str:
    """The passage with what differs in 【】."""
    text, at, pieces = side.quote, 0, []
    for start, end in sorted(side.values):
        pieces += [text[at : start - side.start], "【", text[start - side.start : end - side.start], "】"]
        at = end - side.start
    return "".join([*pieces, text[at:]])
