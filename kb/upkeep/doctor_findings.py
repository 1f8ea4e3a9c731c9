"""What a doctor finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit."""

    code: str                    # stable, for programs
    place: str                   # document id, ``table:id``, file or folder
    problem: str                 # what was found
    repair: str                  # what `repair` does about it; "": nothing can be done here
    items: tuple[str, ...] = ()  # points or rows of the place that it concerns
    note: bool = False           # may be as it should be; does not make a home unsound
