"""Which documents may answer a question."""

from __future__ import annotations

from datetime import date

from core.records import Question, Role, SearchOptions
from core.regions import region_chain


def scope(question: Question, *, top: int, home_region: str) -> SearchOptions:
    """In force on the day asked for, or today; of the asker's region and those above it; public for citizens.

    Raises `ConfigError` for a malformed region code.
    """
    region = question.region or home_region
    return SearchOptions(
        top=top,
        regions=(None,) if question.national else region_chain(region) if region else None,
        as_of=question.as_of or today(),
        public_only=question.role is Role.CITIZEN,
    )


def today() -> date:
    """The local day: rules begin and end at local midnight."""
    return date.today()
