"""A turn understood before anything is searched: its kind, its matters, its place and day, said in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.records import Turn
from qa.conversation import Rewritten, rewrite
from qa.dates_said import asked_day
from qa.matters import matters
from qa.places import Place, abroad, other_region, places, region_asked
from qa.turn_kind import Kind, TurnKind, turn_kind


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to answer."""

    text: str                    # said in full: what earlier turns or matters said is in it
    region: str | None           # that it names, of the asker's own; None: the asker's
    as_of: date | None           # the day that it asks about; None: today
    elsewhere: Place | None      # another region, whose rules it asks about


@dataclass(frozen=True, slots=True)
class Understood:
    """A turn, before anything is searched."""

    turn: TurnKind
    matters: tuple[Matter, ...]  # of a policy question, complaint or tip; else empty
    carried: str = ""            # what was taken from earlier turns
    new_topic: bool = False      # speaks of something else than the turn before

    @property
    def search(self) -> bool:
        """Whether documents are looked for. Thanks, attacks and orders to file need none."""
        return self.turn.kind is Kind.POLICY and any(not matter.elsewhere for matter in self.matters)


def understand(
    question: str,
    history: Sequence[Turn] = (),
    *,
    home: str,
    names: Mapping[str, str],
    today: date,
) -> Understood:
    """``home`` is the asker's 区划代码, or empty; ``names`` the configured regions; ``history`` oldest first."""
    turn = turn_kind(question)
    if turn.kind is not Kind.POLICY and not (history and history[-1].choices and turn.kind is Kind.CHAT):
        said = (question,) if turn.kind in (Kind.FILE, Kind.STATUS) else ()
        return Understood(turn, tuple(_matter(text, home, names, today) for text in said))
    parts = matters(question)
    first = rewrite(parts[0], history, names=names)
    turn = TurnKind(Kind.POLICY) if first.carried else turn
    if turn.kind is not Kind.POLICY:
        return Understood(turn, ())
    texts = [first.text, *_later(parts[1:], first, names)]
    found = tuple(_matter(text, home, names, today) for text in texts)
    return Understood(turn, found, first.carried, first.new_topic)


def _later(parts: Sequence[str], first: Rewritten, names: Mapping[str, str]) -> list[str]:
    """Later matters of the turn; one that leaves its topic unsaid takes it from the matter before."""
    texts: list[str] = []
    for part in parts:
        before = Turn(texts[-1] if texts else first.text)
        texts.append(rewrite(part, [before], names=names).text)
    return texts


def _matter(text: str, home: str, names: Mapping[str, str], today: date) -> Matter:
    named = places(text, home=home, names=names)
    elsewhere = other_region(text, named, home) or abroad(text)
    region = None if elsewhere else region_asked(named, home)
    return Matter(text, region, asked_day(text, today), elsewhere)
