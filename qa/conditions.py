"""Rules of the lists: expressions joined by " & ", all of which must be found; those after ! must not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.list_files import compiled, rows

_SAID_CHARS = 60


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule holds."""

    wanted: tuple[re.Pattern[str], ...]
    unwanted: tuple[re.Pattern[str], ...]

    def said(self, text: str, against: str | None = None) -> str | None:
        """The words that make the rule hold for ``text``, or None. ``against``: where what must not be found is
        looked for, when that is a part of the text."""
        found = [pattern.search(text) for pattern in self.wanted]
        if not all(found) or any(pattern.search(text if against is None else against) for pattern in self.unwanted):
            return None
        return " ".join(dict.fromkeys(match.group() for match in found if match))[:_SAID_CHARS]


def read_rules(name: str, fields: int) -> Iterator[tuple[Sequence[str], Conditions]]:
    """The rows of a list with the conditions of their last field. Its lines "=name TAB expression" name parts,
    which later rows use as {name}. Raises `ConfigError`."""
    parts: dict[str, str] = {}
    for line in rows(name, fields):
        if line[0].startswith("="):
            parts[line[0][1:].strip()] = line[1]
            continue
        conditions = line[-1]
        for part, expression in parts.items():
            conditions = conditions.replace("{" + part + "}", expression)
        yield line[:-1], _conditions(conditions.split(" & "), name)


def _conditions(parts: Sequence[str], where: str) -> Conditions:
    return Conditions(
        tuple(compiled(part, where) for part in parts if not part.startswith("!")),
        tuple(compiled(part[1:], where) for part in parts if part.startswith("!")),
    )
