"""A draft sentence and its quotes -> whether they carry it; what they do not carry is not shown.

Facts first (numbers, dates, 文号, names), then what turns a rule round (不得, 应当, 以上, 除外, conditions), then how
much of the sentence its quotes say at all. Nothing in a quote is followed: what reads like an order is text as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from core.records import Citation
from qa.facts_kept import Placed, dropped, foreign_number, missing, placed, quote_facts
from qa.names_kept import strangers, texts, unnamed
from qa.polarity import lost, restated_clauses
from qa.restated import Clause, Match, Unit, matched, pairs_around, quote_units, units_of
from qa.said import FACT, Said, label_of, plain, quote_plain, said_in, say
from qa.support import Likeness, Support

_UNKNOWN = Support()
_END = "。;!?\n"
_TRIM = "。;!,\n\""
_EXCEPTS = re.compile(
    r"(?:\([一二三四五六七八九十\d]+\))?(?:但|除|前款|上述.{0,6}不|不适用|.*(?:除外|不适用|不在此限)$)"
)
_TURNS = re.compile(r"[不无未禁非除]")
_MARK = re.compile(
    r"(?:^|[。;\n:])(?:[-*•]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、)]|[一二三四五六七八九十]{1,3}、|答:"
    r"|第[一二三四五六七八九十百零]+条)$"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the quotes make of a sentence."""

    carried: bool
    reasons: tuple[str, ...]     # Chinese, for the editor and the log; empty when carried
    score: float = 1.0           # support, 0 to 1
    notices: tuple[str, ...] = ()    # told beside the sentence, which they do not drop


def check(sentence: str, quotes: Sequence[str], support: Support = _UNKNOWN, *, names: Sequence[str] = ()) -> Verdict:
    """``names`` are what may be said of the cited documents beside their words: titles, 发文字号, bodies, addresses."""
    if restate_ok(sentence, quotes):
        return Verdict(True, ())
    said = say(sentence)
    units = [unit for n, quote in enumerate(quotes) for unit in _numbered(quote_units(quote), n)]
    if not units or not said.text.strip(_TRIM):
        return Verdict(False, ("没有引文" if not units else "句子是空的",), 0.0)
    names = [*names, *filter(None, map(label_of, quotes))]
    named = [say(name) for name in names]
    quoted = [said_in(quote) for quote in quotes]
    reasons = list(unnamed(
        said.plain, said.text, "\n".join(text.plain for text in (*quoted, *named)),
        "\n".join(text.text for text in (*quoted, *named)),
    ))
    name_pairs = frozenset().union(*(unit.pairs for name in names for unit in quote_units(name)))
    every = [found for quote in quotes for found in quote_facts(quote)]
    facts = {id(unit): found for unit, found in zip(units, every, strict=True)}
    matches: list[Match] = []
    before, around = texts(units), pairs_around(units, name_pairs)
    for clauses in _parts(said):
        found = matched(clauses, units, name_pairs, around)
        reasons += _facts(found, facts, named)
        reasons += _merged(found)
        matches += found
    reasons += _kept(matches, units, before)
    likeness = support.likeness(said.plain, matches, name_pairs)
    score = support.score(likeness)
    if score < support.weights.threshold:
        reasons.append(f"依据不足：引文没有说到其中一部分（{score:.2f}）")
    if not reasons and support.judge is not None and not support.judge(sentence, quotes):
        reasons.append("模型复核：引文不支持这句话")
    return Verdict(not reasons, tuple(dict.fromkeys(reasons)), score)


def matches_of(sentence: str, quotes: Sequence[str], support: Support = _UNKNOWN) -> Likeness:
    """What the score of a sentence is made of, whether or not it stands in a quote word for word."""
    said = say(sentence)
    units = [unit for n, quote in enumerate(quotes) for unit in _numbered(quote_units(quote), n)]
    around = pairs_around(units, frozenset())
    matches = [match for clauses in _parts(said) for match in matched(clauses, units, frozenset(), around)]
    return support.likeness(said.plain, matches, frozenset())


def check_cited(text: str, citations: Sequence[Citation], support: Support = _UNKNOWN) -> Verdict:
    """The sentence against what it cites; a document that is not in force is told, and drops nothing."""
    rows = ((c.title, f"《{c.title}》{c.doc_no or ''}{c.article}", c.doc_no) for c in citations)
    names = [name for row in rows for name in row if name]
    verdict = check(text, [citation.quote for citation in citations], support, names=names)
    old = [f"引用的《{c.title}》在所问日期不是现行有效的规定" for c in citations if not c.in_force]
    return Verdict(verdict.carried, verdict.reasons, verdict.score, tuple(dict.fromkeys(old)))


def restate_ok(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether the sentence is one or several whole sentences of a quote, letter for letter, and nothing that turns
    them round stands right before or behind: a list's 不得有下列行为, a 但…除外."""
    wanted = plain(sentence).strip(_TRIM)
    if not wanted:
        return False
    for quote in quotes:
        text = quote_plain(quote)
        start = text.find(wanted)
        if start >= 0 and _whole(text, start, start + len(wanted)):
            return True
    return False


def _whole(text: str, start: int, end: int) -> bool:
    before = text[:start].rstrip("\"")
    if before and before[-1] not in _END:
        mark = _MARK.search(before[-12:])
        if mark is None:
            return False
        before = before[: len(before) - (mark.end() - mark.start()) + (mark.group()[0] in _END + ":")]
    after = text[end:].lstrip("\"")
    if after and after[0] not in _END:
        return False
    following = re.split(r"[。\n]", after.lstrip(_END), maxsplit=1)[0]
    if text[end - 1 : end] == "?" or _EXCEPTS.match(following):
        return False
    if ":" not in before:
        return True
    lead = re.split(r"[。\n?]", before[: before.rindex(":")])[-1]
    return lead in ("答", "问") or not _TURNS.search(lead)


def _parts(said: Said) -> Iterator[tuple[Clause, ...]]:
    """The clauses of each sentence, what introduces a list once."""
    last: tuple[Clause, ...] = ()
    for unit in units_of(said):
        yield unit.clauses if unit.lead == last else (*unit.lead, *unit.clauses)
        last = unit.lead


def _numbered(units: Sequence[Unit], quote: int) -> Iterator[Unit]:
    for unit in units:
        yield unit if quote == 0 else replace(unit, quote=quote)


def _facts(found: Sequence[Match], facts: Mapping[int, Sequence[Placed]], named: Sequence[Said]) -> Iterator[str]:
    """Numbers beside the words of the clauses that restate the same unit, and no others."""
    every = [fact for some in facts.values() for fact in some]
    for unit, together in groupby(found, key=lambda match: id(match.unit)):
        some = list(together)
        own = iter(placed([match.clause for match in some]))
        for match in some:
            mine = [next(own) for _ in range(match.clause.core.count(FACT))]
            yield from missing(mine, facts.get(unit, ()), every, named)


def _kept(found: Sequence[Match], units: Sequence[Unit], before: dict[int, str]) -> Iterator[str]:
    """What each restated unit loses, its exceptions in the next sentence included."""
    places = {id(unit): n for n, unit in enumerate(units)}
    everything = [match.clause for match in found]
    by_unit: dict[int, list[Match]] = {}
    for match in found:
        if match.unit is not None:
            by_unit.setdefault(places[id(match.unit)], []).append(match)
    for n, some in sorted(by_unit.items()):
        unit = units[n]
        yield from lost(unit, some, everything)
        said = [match.clause for match in some]
        pairs = frozenset().union(*(clause.pairs for clause in said))
        restated = restated_clauses(unit, said, pairs)
        yield from dropped(unit, said, restated)
        text = "".join(clause.text for clause in restated)
        for match in some:
            yield from strangers(match, text, unit, before[n])
        after = units[n + 1] if n + 1 < len(units) else None
        if after is not None and after.quote == unit.quote and after.binds_on and n + 1 not in by_unit:
            yield "例外：漏掉了引文的“但”“除外”"


def _merged(found: Sequence[Match]) -> Iterator[str]:
    """The condition of one rule with the consequence of another, or its subject with another's number."""
    for one, two in pairwise(found):
        if one.unit and two.unit and one.unit is not two.unit and foreign_number(two, one.unit):
            yield f"数字：“{two.clause.facts[0].text}”在引文中说的是另一件事"
    if any(match.elsewhere for match in found):
        yield "条件：条件与结论出自引文中不同的规定"
