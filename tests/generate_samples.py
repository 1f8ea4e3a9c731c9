"""Generators over the scripted server, with limits that suit a test."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from core.config import Config, GenerateConfig, load_config
from core.generate import ServerGenerator
from core.models import open_generator
from core.ports import Message

ASKED = (Message("system", "只按资料回答。"), Message("user", "每月补贴多少？"))


class Benefit(BaseModel):
    name: str
    amount: int
    papers: list[str]


def with_model(word: str, *, tasks: dict[str, dict[str, float]] | None = None, **changes: object) -> Config:
    config = load_config()
    section = {**config.generate.model_dump(), "model": word, "tasks": tasks or {}, **changes}
    return config.model_copy(update={"generate": GenerateConfig.model_validate(section)})


def generator(
    word: str, home: Path | None = None, *, limits: dict[str, float] | None = None, **changes: object
) -> ServerGenerator:
    """``limits`` are those of the task `answer`."""
    opened = open_generator(with_model(word, tasks={"answer": limits or {}}, **changes), home)
    assert opened is not None
    return opened
