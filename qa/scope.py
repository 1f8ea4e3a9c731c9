"""Which documents may answer a question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from core.records import Question, Role, SearchOptions
from core.regions import region_chain, region_name


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


def searched(options: SearchOptions, names: Mapping[str, str]) -> str:
    """What was searched, for somebody who gets no answer: 临澜市、江岳省和全国在 2026-11-26 有效的公开文件."""
    codes = reversed(options.regions or ())
    places = [(region_name(code, names) or code) if code else "全国" for code in codes]
    listed = "和".join(filter(None, ("、".join(places[:-1]), places[-1]))) if places else "各地"
    day = f"在 {options.as_of} 有效的" if options.as_of else ""
    return f"{listed}{day}{'公开' if options.public_only else '已发布'}文件"


def today() -> date:
    """The local day: rules begin and end at local midnight."""
    return date.today()
