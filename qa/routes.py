"""Where to go: for every kind of turn and every refusal, one or two short sentences with the numbers to call."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from core.records import Role
from qa.list_files import rows
from qa.turn_kind import Kind, TurnKind

OTHER_REGION = "other_region"
_GAS = "燃气抢修"
_BY_A_PERSON = re.compile(r"[，；]也可以转人工坐席(?:登记)?")


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who is charged with a matter."""

    body: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What is said, and the numbers in it."""

    text: str
    numbers: tuple[str, ...]
    body: str | None = None      # responsible, where somebody is known to be


FindResponsible = Callable[[str], Responsible | None]


def route(
    turn: TurnKind, matter: str, *, role: Role, responsible: FindResponsible, person: bool = True
) -> Route:
    """For a turn that is not answered from documents, or a policy question that nothing answers.

    ``responsible`` finds who is charged with a matter, such as the first of ``policydesk graph responsible``; it is
    asked only where its answer is said. ``person``: whether a human can take over.
    """
    row = _row(turn.kind.value, turn.topic)
    gas = responsible(_GAS) if "{gas}" in row.said(role) else None
    asked = responsible(matter) if "{ask}" in row.said(role) and matter else None
    text = row.said(role).replace("{gas}", _or_call(gas)).replace("{ask}", _ask(asked, role))
    if not person:
        text = _BY_A_PERSON.sub("", text)
    known = asked or gas
    phones = (known.phone,) if known and known.phone else ()
    return Route(text, tuple(dict.fromkeys((*row.numbers, *phones))), known.body if known else None)


def route_elsewhere(place: str, role: Role, *, abroad: bool = False) -> Route:
    """For a question about the rules of another region, or of another country."""
    row = _row(OTHER_REGION, "abroad" if abroad else "*")
    return Route(row.said(role).replace("{place}", place), row.numbers)


@dataclass(frozen=True, slots=True)
class _Row:
    numbers: tuple[str, ...]
    citizen: str
    agent: str

    def said(self, role: Role) -> str:
        return self.agent if role is Role.AGENT else self.citizen


def _or_call(who: Responsible | None) -> str:
    return f"，或{who.body}电话{who.phone}" if who and who.phone else "，并联系当地燃气公司抢修电话（见燃气费账单）"


def _ask(who: Responsible | None, role: Role) -> str:
    if not who:
        return ""
    phone = f"，电话{who.phone}" if who.phone else ""
    return f"；责任单位：{who.body}{phone}" if role is Role.AGENT else f"；负责的单位是{who.body}{phone}"


def _row(kind: str, topic: str) -> _Row:
    table = _table()
    return table.get((kind, topic)) or table.get((kind, "*")) or table[(Kind.POLICY.value, "*")]


@cache
def _table() -> dict[tuple[str, str], _Row]:
    return {
        (kind, topic): _Row(() if numbers == "-" else tuple(numbers.split(" ")), citizen, agent)
        for kind, topic, numbers, citizen, agent in rows("routes.tsv", 5)
    }
