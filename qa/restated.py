"""Sentences and clauses of what was said, and which of a quote a draft sentence restates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add

from qa.said import BUT, FACT, GAP, ITEM, MAY, MUST, NEG, Fact, Said, said_in

_UNIT_END = re.compile(r"[。!?;\n]+")
_CLAUSE_END = re.compile(r"[,:]+")
_ASIDE = re.compile(rf"\(([^()]*?(?:除外|{NEG}含|{NEG}包括|除[^()]*外)[^()]*)\)")
_SPEAKER = re.compile(r"(?:^|(?<=\n))(?:问|答):")
_CONDITION = re.compile(
    r"^(?:如|若|凡|经|因|遇|逾期|确需|符合|除|对|在.{1,20}期间|满|期满|未经)|(?:的|(?<!\ue010)时|后|前|情况下|情形下"
    r"|期内)$|^(?:持|凭)\w{2,12}$"
)
_EXCEPTION = re.compile(rf"^{BUT}|除外|除.*外|另有规定|{NEG}包括|{NEG}适用|{NEG}受.{{0,12}}限制")
# Words that shape a sentence and say nothing that its source would have to hold.
_FILLER = re.compile(
    r"(?<![申聘邀])请|(?<![理自事案缘])由|(?<![存现])在(?![职校读场籍])|(?<![行作认])为"
    r"|(?<![社协委工])会(?![议计员])|(?<!公)里"
    r"|(?<![核绝相面])对(?!象)|(?<!服)从(?!业|事)|(?<![功职智])能(?!力|源)|(?<![平同对])等(?!级|次|候|待)|(?<!转)让"
    r"|(?<![所具持拥享])有(?![效权限关害])|是(?!否)|(?<![以之])内(?!容)|(?<![原])来(?!源|自)|(?<![目])的"
    r"|(?<!终)了(?!解)"
    r"|(?<!应)该|把(?!握)|将(?!来)|(?<!成)就(?![业近读医餐])|都(?!市)|也|您|你们?|大家|我们|咱们?|他们|她们|它们|哦"
    r"|呢|吧|哈"
    r"|有关|相关|规定|进行|于|从(?=[本])|(?<!所)以(?!上|下|及|外|内)|之(?!前|后|外|内)|上述|前述|本办法|另外|此外"
    r"|那么|如果|的话"
    r"|想要?|这个|这些|这样|那|提醒|注意|即(?!时)|则|各|如下|下列|属|还(?![款清贷])|再|另行?|被(?!告|保)|如|若|凡|按"
    r"|起(?!诉)|到(?!期)"
    r"|均|一律|主要|例如|比如|也就是说|简单来说|一共|总共|情形|情况|之一|(?<![所具持拥享])有(?=[下以])|事项|手续"
    r"|方面|与此|目前|现在|直接|同样"
    r"|凭(?!证|据)|持(?!续|有|证|久)|(?<![地宽])带(?![来头领动薪])|携带?|确实?(?![认定])|完全|需要|给(?!付)"
    r"|要(?![求件点])|作(?=出)|作出|达"
)
_STOP = frozenset("\"()《》〈〉、·.-/〔〕 ")


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands between two commas."""

    text: str
    core: str                    # without fillers and signs
    facts: tuple[Fact, ...]
    condition: bool
    exception: bool
    pairs: frozenset[str]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or a part of one that a semicolon ends, or a list's item with what introduces it."""

    clauses: tuple[Clause, ...]
    lead: tuple[Clause, ...]
    asked: str                   # the question that it answers
    pairs: frozenset[str]        # of the clauses, the lead and the question
    letters: frozenset[str]
    text: str                    # of clauses and lead
    quote: int = 0
    binds_on: bool = False       # begins with 但: an exception to the unit before


def core_of(text: str) -> str:
    return "".join(char for char in _FILLER.sub(GAP, text) if char not in _STOP)


def pairs_of(core: str) -> frozenset[str]:
    bare = core.replace(GAP, "")
    return frozenset(map(add, bare, bare[1:])) | frozenset(map(add, core, core[1:]))


def _clause(text: str, facts: Sequence[Fact], *, asks: bool = False) -> Clause:
    core = core_of(text)
    exception = bool(_EXCEPTION.search(text))
    condition = not exception and bool(_CONDITION.search(text)) and not (
        text[-1:] not in "的时后前" and any(mark in text for mark in (MUST, MAY))
    )
    return Clause(text, core, tuple(facts), condition, exception, pairs_of(core), asks)


def units_of(said: Said, quote: int = 0) -> tuple[Unit, ...]:
    """In the order of the text."""
    text = _SPEAKER.sub("", said.text)
    units: list[Unit] = []
    lead: tuple[Clause, ...] = ()
    asked = ""
    next_fact = start = 0
    ended = False
    for end, sign in [*((m.start(), m.group()) for m in _UNIT_END.finditer(text)), (len(text), "")]:
        piece = text[start:end]
        start = end + len(sign)
        is_item, piece = piece.startswith(ITEM), piece.replace(ITEM, "")
        if not piece:
            continue
        if ended and not is_item:
            lead = ()
        found = []
        for part in _CLAUSE_END.split(_ASIDE.sub(r",\1,", piece)):
            count = part.count(FACT)
            if part:
                found.append(_clause(part, said.facts[next_fact : next_fact + count], asks="?" in sign))
            next_fact += count
        if piece.endswith(":"):
            lead = tuple(found)
        elif "?" in sign:
            asked, lead = core_of(piece), ()
            units.append(_unit(found, (), "", quote, piece))
        elif found:
            units.append(_unit(found, lead, asked, quote, piece))
        ended = "。" in sign
    if lead and not units:
        units.append(_unit(lead, (), asked, quote, ""))
    return tuple(units)


def _unit(clauses: Sequence[Clause], lead: tuple[Clause, ...], asked: str, quote: int, piece: str) -> Unit:
    cores = [clause.core for clause in (*lead, *clauses)]
    whole = "".join(cores)
    pairs = frozenset().union(*(clause.pairs for clause in (*lead, *clauses))) | pairs_of(whole)
    return Unit(
        tuple(clauses), lead, asked, pairs | pairs_of(asked), frozenset(whole + asked),
        "".join(clause.text for clause in (*lead, *clauses)) + asked, quote,
        piece.startswith((BUT, "除")) or all(clause.exception for clause in clauses),
    )


@lru_cache(maxsize=2048)
def quote_units(quote: str) -> tuple[Unit, ...]:
    return units_of(said_in(quote))


def _weight(char: str) -> int:
    return char != GAP and not "\ue000" <= char <= "\ue01f"


def coverage(core: str, pairs: frozenset[str]) -> float:
    """The share of the letters of ``core`` that stand in ``pairs`` beside a neighbour; 1 for nothing at all."""
    bare = core.replace(GAP, "")
    held = [pair in pairs for pair in map(add, bare, bare[1:])]
    total = found = 0
    for char, before, after in zip(bare, (False, *held), (*held, False), strict=False):
        if char < "\ue000" or char > "\ue01f":
            total += 1
            found += before or after
    return found / total if total else 1.0


def uncovered(core: str, pairs: frozenset[str]) -> tuple[int, list[int]]:
    """How many letters there are, and where those are that ``pairs`` does not hold."""
    bare = core.replace(GAP, "")
    held = [pair in pairs for pair in map(add, bare, bare[1:])]
    rows = [
        (n, before or after) for n, (char, before, after) in enumerate(
            zip(bare, (False, *held), (*held, False), strict=False)
        ) if char < "\ue000" or char > "\ue01f"
    ]
    return len(rows), [n for n, known in rows if not known]


@dataclass(frozen=True, slots=True)
class Match:
    """A clause of the draft and the unit that it restates best."""

    clause: Clause
    unit: Unit | None
    share: float                 # of the clause's letters
    around: frozenset[str]       # pairs of all units of the unit's quote
    elsewhere: bool = False      # another unit says it whole, which the condition before it does not belong to


_APART = 0.7                 # so much better must condition and consequence fit two units than one
_FITS, _FITS_MORE = 0.8, 1.8  # for a unit with the same number, the same numbers
_TAIL, _DENIED = 0.4, 0.3
_WHOLE = 0.6                 # of another unit's clause, which then is that unit's rule and no mere topic


def fitting(clause: Clause, others: Sequence[Clause]) -> float:
    """The share of the clause's numbers that the others hold; with another bound a number counts half."""
    if not clause.facts:
        return 0.0
    theirs = [fact for other in others for fact in other.facts]
    exact, loose = {(f.key, f.bound) for f in theirs}, {f.key for f in theirs}
    return sum(1.0 if (f.key, f.bound) in exact else 0.5 * (f.key in loose) for f in clause.facts) / len(clause.facts)


def source_of(clause: Clause, others: Sequence[Clause]) -> Clause | None:
    """Which of the others the clause restates."""
    if not others:
        return None
    return max(others, key=lambda other: (
        (coverage(clause.core, other.pairs) if _has_letters(clause) else 0.0) + 0.5 * fitting(clause,
        (other,)) + 0.2 * (clause.condition == other.condition)
    ))


def _has_letters(clause: Clause) -> bool:
    return any(_weight(char) and char != FACT for char in clause.core)


def held(clause: Clause, pairs: frozenset[str], letters: frozenset[str]) -> float:
    """As `coverage`; of a clause of one to three letters the share that stands anywhere."""
    bare = [char for char in clause.core if _weight(char)]
    if len(bare) <= 3:
        return sum(char in letters for char in bare) / len(bare) if bare else 1.0
    return coverage(clause.core, pairs)


def pairs_around(units: Sequence[Unit], names: frozenset[str]) -> dict[int, frozenset[str]]:
    """Of each quote the pairs of all its units, and those of ``names``."""
    found: dict[int, set[str]] = {}
    for unit in units:
        found.setdefault(unit.quote, set(names)).update(unit.pairs)
    return {quote: frozenset(pairs) for quote, pairs in found.items()}


def matched(
    clauses: Sequence[Clause], units: Sequence[Unit], names: frozenset[str], around: dict[int, frozenset[str]]
) -> list[Match]:
    """The best unit for each clause; of equals that which the whole sentence shares more with."""
    whole = "".join(clause.core for clause in clauses)
    answers = [unit for unit in units if not (unit.clauses and unit.clauses[0].asks)]
    likes = [coverage(whole, unit.pairs) for unit in answers]
    every_fact = frozenset(f.key for unit in answers for c in (*unit.lead, *unit.clauses) for f in c.facts)
    values = [_values(clause, answers, likes, names, every_fact) for clause in clauses]
    picks = [max(range(len(row)), key=lambda n: (row[n], -n)) if row else -1 for row in values]
    apart = set()
    for n in range(len(clauses) - 2, -1, -1):
        if picks[n] == picks[n + 1] or picks[n] < 0 or not clauses[n].condition:
            continue
        both = [one + two for one, two in zip(values[n], values[n + 1], strict=True)]
        best = max(range(len(both)), key=lambda place: (both[place], -place))
        source = source_of(clauses[n + 1], answers[picks[n + 1]].clauses)
        says_whole = source is not None and coverage(source.core, clauses[n + 1].pairs) >= _WHOLE
        if says_whole and both[best] < values[n][picks[n]] + values[n + 1][picks[n + 1]] - _APART:
            apart.add(n + 1)
        else:
            picks[n] = picks[n + 1] = best
    return [
        _match(clause, answers[pick], names, around, n in apart) if pick >= 0 else Match(clause, None, 0.0, names)
        for n, (clause, pick) in enumerate(zip(clauses, picks, strict=True))
    ]


def _match(
    clause: Clause, unit: Unit, names: frozenset[str], around: dict[int, frozenset[str]], elsewhere: bool
) -> Match:
    held_here = unit.pairs | names if names else unit.pairs
    return Match(clause, unit, coverage(clause.core, held_here), around[unit.quote], elsewhere)


def _values(
    clause: Clause, units: Sequence[Unit], likes: Sequence[float], names: frozenset[str], every_fact: frozenset[object]
) -> list[float]:
    known = frozenset(f.key for f in clause.facts) & every_fact
    return [_value(clause, unit, like, names, known) for unit, like in zip(units, likes, strict=True)]


def _value(clause: Clause, unit: Unit, like: float, names: frozenset[str], known: frozenset[object]) -> float:
    """The end of a clause weighs more, since its verb stands there; a number that only others hold counts against."""
    share = coverage(clause.core, unit.pairs | names if names else unit.pairs)
    value = share + 0.4 * like + _TAIL * coverage(clause.core.rstrip(GAP)[-4:], unit.pairs)
    denied = [pair for pair in clause.pairs if pair[0] == NEG]
    if denied:
        value += _DENIED * sum(pair in unit.pairs for pair in denied) / len(denied)
    if not clause.facts:
        return value
    others = (*unit.lead, *unit.clauses)
    held_here = {f.key for other in others for f in other.facts}
    lacking = sum(f.key in known and f.key not in held_here for f in clause.facts) / len(clause.facts)
    return value + (_FITS if len(clause.facts) == 1 else _FITS_MORE) * fitting(clause, others) - 0.8 * lacking
