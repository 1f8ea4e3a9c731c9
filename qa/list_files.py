"""The lists that say what a turn is: tab-separated files in qa/lists, edited by hand, read once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from core.errors import ConfigError


def folder() -> Path:
    return Path(__file__).with_name("lists")


@cache
def rows(name: str, fields: int) -> tuple[tuple[str, ...], ...]:
    """The lines of a list, split at tabs; comments and empty lines left out. Raises `ConfigError` naming the line."""
    found = []
    for number, line in enumerate((folder() / name).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        row = tuple(line.split("\t"))
        if len(row) != fields and not line.startswith("="):
            raise ConfigError(f"{name} 第 {number} 行有 {len(row)} 栏，应为 {fields} 栏，以制表符分隔")
        found.append(row)
    return tuple(found)


@cache
def expression(name: str) -> re.Pattern[str]:
    """One regular expression out of a list of them, one a line."""
    return compiled("|".join(f"(?:{row[0]})" for row in rows(name, 1)), name)


def compiled(pattern: str, where: str) -> re.Pattern[str]:
    """Raises `ConfigError` when it is no regular expression."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{where} 中的 {pattern!r} 不是正则表达式：{error}") from error
