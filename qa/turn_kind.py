"""What kind of turn a text is: a policy question, or something that is answered by sending the citizen elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from qa.conditions import Conditions, read_rules
from qa.plain_form import plain_form
from qa.screen import UNSAFE, screen

_SHORT_CHARS = 80            # who is in need, chats or wants a human says it in a sentence; a long letter tells a story
_LONGEST = 8000
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


_SHORT = (Kind.EMERGENCY, Kind.PERSON, Kind.CHAT)


def turn_kind(text: str) -> TurnKind:
    """A prompt attack or a harmful request goes before all else; what no rule knows is a policy question.

    >>> turn_kind("家里着火了，快来人").kind
    <Kind.EMERGENCY: 'emergency'>
    """
    screened = screen(text)
    if screened and screened.result == UNSAFE:
        return TurnKind(Kind.UNSAFE, screened.topic, screened.said)
    plain = plain_form(text)[:_LONGEST]
    for kind, topic, conditions in _rules():
        if kind in _SHORT and len(plain) > _SHORT_CHARS:
            continue
        # a long complaint asks many things in passing; whether it wants an answer shows at its end
        asking = plain[-_ENDING:] if topic == "told" and len(plain) > _LONG else plain
        if (said := conditions.said(plain, asking)) is not None:
            return TurnKind(kind, topic, said)
    if screened:
        return TurnKind(Kind.OFF_TOPIC, screened.topic, screened.said)
    return TurnKind(Kind.POLICY) if plain else TurnKind(Kind.CHAT, "small_talk")


@cache
def _rules() -> tuple[tuple[Kind, str, Conditions], ...]:
    return tuple((Kind(kind), topic, conditions) for (kind, topic), conditions in read_rules("turn_rules.tsv", 3))
