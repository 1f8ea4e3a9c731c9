"""What is not answered at all: prompt attacks, harm to others, secrets; and what no policy speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from qa.list_files import compiled, expression, rows
from qa.plain_form import plain_form

UNSAFE = "unsafe"
OFF_TOPIC = "off_topic"
LANGUAGE = "language"        # topic of a text without a Chinese character
_RULES = "screen_rules.tsv"
_ALWAYS = frozenset({"prompt_attack", "self_harm", "politics", "advocacy", "writing"})    # topics that no story excuses
_STORY = 60                  # characters: who tells that much of what happened to them is asking for help
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
    wanted: tuple[re.Pattern[str], ...]
    unwanted: tuple[re.Pattern[str], ...]

    def said(self, text: str) -> str | None:
        found = [pattern.search(text) for pattern in self.wanted]
        if not all(found) or any(pattern.search(text) for pattern in self.unwanted):
            return None
        return " ".join(dict.fromkeys(match.group() for match in found if match))[:60]


def screen(text: str) -> Screened | None:
    """None for what may be answered. Questions about law on a bad thing (醉驾怎么处罚) may."""
    plain = plain_form(text)
    if len(plain) > 2 * _LONGEST:
        plain = plain[:_LONGEST] + " " + plain[-_LONGEST:]
    asks_law, story = asked_of_law(plain), _told(plain)
    for rule in _rules():
        if (rule.guarded and asks_law) or (story and rule.topic not in _ALWAYS):
            continue
        if (said := rule.said(plain)) is not None:
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
    found = tuple(_read(rows(_RULES, 4)))
    return tuple(sorted(found, key=lambda rule: rule.result != UNSAFE))


def _read(lines: Sequence[Sequence[str]]) -> Iterator[_Rule]:
    names: dict[str, str] = {}
    for line in lines:
        if line[0].startswith("="):
            names[line[0][1:].strip()] = line[1]
            continue
        result, topic, guard, conditions = line
        for name, part in names.items():
            conditions = conditions.replace("{" + name + "}", part)
        parts = conditions.split(" & ")
        wanted = tuple(compiled(part, _RULES) for part in parts if not part.startswith("!"))
        unwanted = tuple(compiled(part[1:], _RULES) for part in parts if part.startswith("!"))
        yield _Rule(result, topic, guard == "law", wanted, unwanted)
