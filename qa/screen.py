"""What is not answered at all: prompt attacks, harm to others, secrets; and what no policy speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from qa.conditions import Conditions, read_rules
from qa.list_files import expression
from qa.plain_form import plain_form

UNSAFE = "unsafe"
OFF_TOPIC = "off_topic"
LANGUAGE = "language"        # topic of a text without a Chinese character
_ALWAYS = frozenset({"prompt_attack", "self_harm", "politics", "advocacy", "writing"})    # topics that no story excuses
_STORY = 45                  # characters: who tells that much of what happened to them is asking for help
_HAN = re.compile("[\u3400-\u9fff]")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_LONGEST = 4000              # characters looked at on either end: no question is longer


@dataclass(frozen=True, slots=True)
class Screened:
    """Why a text is not answered."""

    result: str                  # unsafe or off_topic
    topic: str                   # as in qa/lists/screen_rules.tsv
    said: str                    # what decided it, in its plain form


@dataclass(frozen=True, slots=True)
class _Rule:
    result: str
    topic: str
    guarded: bool
    conditions: Conditions


def screen(text: str) -> Screened | None:
    """None for what may be answered. Questions about law on a bad thing (醉驾怎么处罚) may."""
    plain = plain_form(text)
    if len(plain) > 2 * _LONGEST:
        plain = plain[:_LONGEST] + " " + plain[-_LONGEST:]
    asks_law, story = asked_of_law(plain), _told(plain)
    for rule in _rules():
        if (rule.guarded and asks_law) or (story and rule.topic not in _ALWAYS):
            continue
        if (said := rule.conditions.said(plain)) is not None:
            return Screened(rule.result, rule.topic, said)
    if not _HAN.search(plain) and _LETTERS.search(plain):
        return Screened(OFF_TOPIC, LANGUAGE, plain[:60])
    return None


def asked_of_law(plain: str) -> bool:
    """Whether a text, in its plain form, asks what the law says or how to be protected."""
    return bool(expression("law_asked.tsv").search(plain))


def _told(plain: str) -> bool:
    """Whether a citizen tells their own story, in which bad words name what was done to them."""
    return len(plain) > _STORY and bool(expression("civic_told.tsv").search(plain))


@cache
def _rules() -> tuple[_Rule, ...]:
    """What is unsafe comes before what is merely off topic."""
    found = [
        _Rule(result, topic, guard == "law", conditions)
        for (result, topic, guard), conditions in read_rules("screen_rules.tsv", 4)
    ]
    return tuple(sorted(found, key=lambda rule: rule.result != UNSAFE))
