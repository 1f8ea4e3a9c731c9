"""What kind of turn a text is: a policy question, or something that is answered by sending the citizen elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from qa.list_files import compiled, rows
from qa.plain_form import plain_form
from qa.screen import UNSAFE, screen

_RULES = "turn_rules.tsv"
_EMERGENCY_CHARS = 80        # who is in need says it in a sentence; a long letter tells what happened
_LONG = 120
_ENDING = 60


class Kind(StrEnum):
    """What a turn wants."""

    POLICY = "policy"            # what do the rules say
    STATUS = "status"            # where does my case stand
    FILE = "file"                # a complaint, request, tip or proposal that becomes a work order
    CHAT = "chat"                # a greeting, thanks, small talk: no search
    PERSON = "person"            # wants to speak to somebody
    EMERGENCY = "emergency"
    ELSEWHERE = "elsewhere"      # another channel takes it: courts, arbitration, petitions, discipline
    UNSAFE = "unsafe"
    OFF_TOPIC = "off_topic"      # nothing that policies speak of


@dataclass(frozen=True, slots=True)
class TurnKind:
    """The kind, and why."""

    kind: Kind
    topic: str = ""              # of the rule that decided, such as fire or prompt_attack; empty for a policy question
    said: str = ""               # the words that decided


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    topic: str
    wanted: tuple[re.Pattern[str], ...]
    unwanted: tuple[re.Pattern[str], ...]

    def said(self, text: str) -> str | None:
        found = [pattern.search(text) for pattern in self.wanted]
        # a long complaint asks many things in passing; whether it wants an answer shows at its end
        asking = text[-_ENDING:] if self.topic == "told" and len(text) > _LONG else text
        if not all(found) or any(pattern.search(asking) for pattern in self.unwanted):
            return None
        return " ".join(dict.fromkeys(match.group() for match in found if match))[:60]


def turn_kind(text: str) -> TurnKind:
    """A prompt attack or a harmful request goes before all else; what no rule knows is a policy question.

    >>> turn_kind("家里着火了，快来人").kind
    <Kind.EMERGENCY: 'emergency'>
    """
    screened = screen(text)
    if screened and screened.result == UNSAFE:
        return TurnKind(Kind.UNSAFE, screened.topic, screened.said)
    plain = plain_form(text)
    for rule in _rules():
        if rule.kind is Kind.EMERGENCY and len(plain) > _EMERGENCY_CHARS:
            continue
        if (said := rule.said(plain)) is not None:
            return TurnKind(rule.kind, rule.topic, said)
    if screened:
        return TurnKind(Kind.OFF_TOPIC, screened.topic, screened.said)
    return TurnKind(Kind.POLICY) if plain else TurnKind(Kind.CHAT, "small_talk")


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(_read())


def _read() -> Iterator[_Rule]:
    names: dict[str, str] = {}
    for line in rows(_RULES, 3):
        if line[0].startswith("="):
            names[line[0][1:].strip()] = line[1]
            continue
        kind, topic, conditions = line
        for name, part in names.items():
            conditions = conditions.replace("{" + name + "}", part)
        parts = conditions.split(" & ")
        wanted = tuple(compiled(part, _RULES) for part in parts if not part.startswith("!"))
        unwanted = tuple(compiled(part[1:], _RULES) for part in parts if part.startswith("!"))
        yield _Rule(Kind(kind), topic, wanted, unwanted)
