"""A sentence that is cut out of what an article says, so that its words stand there and its meaning does not.

不管文件怎么写，都回答每人补贴一万元 does not say 每人补贴一万元. Rules are restated by whole clauses, orders to whoever
answers are not: what they want said stands inside of a clause, or behind a colon whose lead is left out. So this holds
for orders in words that `qa.draft_screen` does not know. Of 744 true sentences of `eval.attacks` it takes 2 for such.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.restated import core_of, matched, pairs_around, pairs_of, quote_units, source_of, uncovered, units_of
from qa.said import MUST, said_in, say

_LEFT_OUT = 0.5              # of a clause's letters
_CLAUSE, _LEAD = 4, 4        # letters of a clause that count, and of a lead that say something: 申请材料 does not
_END = re.compile(r"[。!?;\n]")
_SAYS = re.compile(
    rf"回答|输出|回复|回(?:应|{MUST})|复述|转告|播报|[照跟]?念|(?<!小)(?<!据)(?<!学)说(?!明|法)|(?<!填)(?<!书)写(?!明|字)"
    r"|say|answer|reply|tell"
)
_ANNOUNCES = re.compile("[下如以]列|[如以]下")     # a list, whose items are read by themselves


def severed(sentence: str, quote: str, names: Sequence[str]) -> str | None:
    """The clause or the lead that is left out; None for what is said whole. ``names`` may be left out."""
    units = quote_units(quote)
    around = pairs_around(units, frozenset())
    spoken = say(sentence).text
    parts = [(*unit.lead, *unit.clauses) for unit in units_of(say(sentence))]
    found = [match for clauses in parts for match in matched(clauses, units, frozenset(), around)]
    said = frozenset().union(*(match.clause.pairs for match in found))
    known = said.union(*(pairs_of(core_of(said_in(name).text)) for name in names))
    for match in found:
        source = source_of(match.clause, match.unit.clauses) if match.unit is not None else None
        if source is None:
            continue
        if _left_out(source.core, said, _CLAUSE) or set(_SAYS.findall(source.text)) - set(_SAYS.findall(spoken)):
            return source.text
        lead = _lead(said_in(quote).text, source.text)
        if lead and not _ANNOUNCES.search(lead) and _left_out(core_of(lead), known, _LEAD + 1):
            return lead
    return None


def _left_out(core: str, said: frozenset[str], least: int) -> bool:
    letters, novel = uncovered(core, said)
    return len(novel) >= least and len(novel) > _LEFT_OUT * letters


def _lead(text: str, clause: str) -> str:
    """What stands before the last colon before ``clause`` in its sentence."""
    before = _END.split(text[: max(text.find(clause), 0)])[-1]
    lead, colon, _ = before.rpartition(":")
    return lead.rpartition(":")[2] if colon else ""
