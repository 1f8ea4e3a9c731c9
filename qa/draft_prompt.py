"""What a model is told before it drafts an answer: a text of qa/prompts per style, and the shape of its reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

from core.errors import ConfigError
from core.masking import masked
from core.ports import Message
from core.records import Role
from core.tasks import ANSWER, Task
from qa.draft_sources import Offered, as_data, shown

_VERSION = "版本 "
_QUESTION_CHARS = 1_000      # a story told on the telephone; what is longer is cut
_CITED = {                   # a pattern and not this question's tokens: a server keeps the grammar that it makes of it
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 300},
        "cites": {
            "type": "array", "minItems": 1, "maxItems": 4,
            "items": {"type": "string", "pattern": "^A[1-9]-[0-9]{1,2}$"},
        },
    },
    "required": ["text", "cites"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one style of answers is asked for with."""

    version: str                 # kept with each answer and in the ledger
    text: str

    @property
    def task(self) -> Task:
        return replace(ANSWER, prompt=self.version)


@cache
def prompt_for(role: Role) -> Prompt:
    """Raises `ConfigError` when the file does not begin with its version."""
    name = f"{role.value}.txt"
    first, _, text = Path(__file__).with_name("prompts").joinpath(name).read_text(encoding="utf-8").partition("\n")
    if not first.startswith(_VERSION):
        raise ConfigError(f"qa/prompts/{name} 的第一行是 {first[:40]!r}，应为“{_VERSION}…”")
    return Prompt(first.removeprefix(_VERSION).strip(), text.strip())


def messages(question: str, offers: Sequence[Offered], *, role: Role, day: date) -> list[Message]:
    """The question without what is personal in it; it and the articles as data that cannot end what holds them."""
    asked = as_data(masked(question))[:_QUESTION_CHARS]
    told = f"{shown(offers, day)}\n<问题>\n{asked}\n</问题>\n请按说明输出 JSON。"
    return [Message("system", prompt_for(role).text), Message("user", told)]


@cache
def reply_schema(role: Role) -> Mapping[str, object]:
    """The shape of a reply; ``enough`` and the sentences come first, so that they can be read while the rest comes."""
    properties: dict[str, object] = {
        "enough": {"type": "boolean"},
        "sentences": {"type": "array", "items": _CITED, "maxItems": 8 if role is Role.AGENT else 5},
    }
    if role is Role.AGENT:
        properties |= {
            "script": {"type": "array", "items": _CITED, "maxItems": 4},
            "ask_next": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 3},
            "keywords": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 6},
        }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
