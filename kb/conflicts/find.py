"""Pairs of passages of rules in force that say different things on one matter, and the rule that decides between them.

Nothing is decided here: an editor sees both passages and what follows from rank, maker and date.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from math import log

from sqlalchemy import Connection, select

from core.records import Document, Rank, State, StoredDocument
from core.regions import region_chain
from kb.conflicts.clause_rows import ClauseIndex, Pairs, clauses_of_document, load_clauses, meetings, meetings_with
from kb.conflicts.clauses import Clause, make_clause
from kb.conflicts.differences import Likeness, compare_clauses, likeness, names_years
from kb.conflicts.precedence import Decision, decide, may_meet
from kb.conflicts.rules import COMMON, ONE_TITLE, Rule, apart, linked, rule_of, rules_in_force
from kb.schema import chunks, documents
from kb.versions import version_key

_ALIKE = 0.53                # shared character pairs over all (Dice) of two sentences
_ALIKE_CONDITION = 0.72      # where they differ in a condition only
_SAME_MATTER = 0.34          # of the rarer words of the shorter title, what the other title shares
_SAME_MATTER_OFTEN = 0.5     # for a sentence that several documents have alike
_OFTEN = 3                   # such documents
_SURE = 0.95                 # likeness plus matter
_NARROWER = 1.3              # so much more does the title of a special rule say
_FREQUENT = 5                # times that a document speaks of its own subject, and so much oftener than another one
_TOGETHER = 31               # days
_PER_PAIR = 20               # of two documents; more are two versions of one text
_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two passages: ``text of document[start:end] == quote``."""

    document: str                # id
    title: str
    doc_no: str | None
    issuer: str | None
    rank: Rank
    region: str | None
    dated: date | None
    address: str
    start: int
    end: int
    quote: str
    lead: str                    # what introduces an item of a list; "" otherwise
    values: tuple[tuple[int, int], ...]      # spans of what differs, in the document's text


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two passages on one matter that differ."""

    id: str                      # of the two passages; the same whichever document was asked about
    kinds: tuple[str, ...]       # money share period date age area count condition, for each pair of values
    sides: tuple[Side, Side]
    decision: Decision
    score: float                 # how sure it is that both speak of one matter, 0 to 1


_Span = tuple[int, int, tuple[int, int] | None]
_Row = tuple[Clause, Clause, Likeness]


# A fine for 下列行为之一, which stand elsewhere.
_ELSEWHERE = re.compile(r"(?:下列|有[前上][款条项]|[前上]款第).*(?:罚款|拘留)")
_OWN_ARTICLE = re.compile(r"违反本\w{1,4}第\w{1,8}条")
_ALLOWS = re.compile(
    r"可以?[^。；]{0,24}(?:提高|另行|自行|适当|调整|上浮|制定)|结合(?:当地|本地|实际)[^。；]{0,20}(?:确定|制定|规定|提高)"
)
_LABEL = re.compile(r"^(?:[（(]\w{1,3}[）)]|\d{1,2}[.．、]|\w{1,3}、)")
_NEAR = 200                  # letters around a passage in which it says that others may depart from it


def find_conflicts(
    connection: Connection, *, today: date, names: Mapping[str, str], document: str | None = None,
    region: str | None = None,
) -> list[Conflict]:
    """Of published documents in force, the surest first; of one ``document``, or such as both hold in ``region``.

    Run `kb.conflicts.clause_rows.complete_clauses` before: what it keeps has to be read again otherwise.
    """
    rules = rules_in_force(connection, today, names)
    if region is not None:
        chain = region_chain(region)
        rules = {name: rule for name, rule in rules.items() if rule.place in chain}
    finder = _Finder(connection, rules, names)
    if document is None:
        return finder.all()
    return finder.of(load_clauses(connection, [document])) if document in rules else []


def conflicts_of(
    connection: Connection, document: Document, *, today: date, names: Mapping[str, str], region: str | None = None
) -> list[Conflict]:
    """Of a document that need not be published, with published ones in force, as if it held today.

    Left out is what it is about to replace: an earlier revision of its source, an earlier version of its rule.
    """
    rules = rules_in_force(connection, today, names)
    if region is not None:
        chain = region_chain(region)
        rules = {name: rule for name, rule in rules.items() if rule.place in chain}
    key, source = version_key(document.facts), document.source
    rules = {
        name: rule for name, rule in rules.items()
        if rule.stored.source != source and (key is None or version_key(rule.stored.facts) != key)
    }
    own = StoredDocument(document.id, document.facts, source, State.DRAFT, None, None, None)
    rules[document.id] = rule_of(own, names)
    finder = _Finder(connection, rules, names)
    finder.texts[document.id] = document.text
    finder.addresses[document.id] = [
        (chunk.start, chunk.end, chunk.address or document.articles[chunk.article].address) for chunk in document.chunks
    ]
    return finder.of(clauses_of_document(document))


class _Finder:
    """Compares the sentences of some rules; holds what it has read of their texts."""

    def __init__(self, connection: Connection, rules: Mapping[str, Rule], names: Mapping[str, str]) -> None:
        self._connection = connection
        self._rules = rules
        self._names = names
        self.texts: dict[str, str] = {}
        self.addresses: dict[str, list[tuple[int, int, str]]] = {}      # of chunks
        counts = Counter(word for rule in rules.values() for word in rule.words)
        self._weights = {word: log((len(rules) + 1) / count) for word, count in counts.items()}
        self._weight = {name: self._weigh(rule.words) for name, rule in rules.items()}
        self._linked = linked(connection)
        self._clause = lru_cache(maxsize=100_000)(self._make_clause)

    def all(self) -> list[Conflict]:
        index = load_clauses(self._connection, list(self._rules))
        return self._compare(index, index, meetings(index, [self._rarest(name) for name in index.ids]))

    def of(self, one: ClauseIndex) -> list[Conflict]:
        others = load_clauses(self._connection, [name for name in self._rules if name not in one.ids])
        return self._compare(one, others, meetings_with(one, others))

    def _weigh(self, words: Iterable[str]) -> float:
        return sum(map(self._weights.__getitem__, words))

    def _matter(self, one: str, other: str) -> float:
        """How much of the rarer words of the shorter title the other one has, 0 to 1; a rule and the one on which
        it is based speak of one matter."""
        smaller = min(self._weight[one], self._weight[other])
        shared = self._weigh(self._rules[one].words & self._rules[other].words) / smaller if smaller else 0.0
        return max(shared, _SAME_MATTER_OFTEN) if (one, other) in self._linked else shared

    def _rarest(self, name: str) -> int:
        words = sorted(self._rules[name].words, key=lambda word: (-self._weights[word], word))
        return hash_of("".join(words[:1]))

    def _compare(self, one: ClauseIndex, other: ClauseIndex, pairs: Pairs) -> list[Conflict]:
        meeting: defaultdict[tuple[str, str], list[tuple[_Span, _Span]]] = defaultdict(list)
        for a, b in pairs.tolist():
            names = one.ids[one.document[a]], other.ids[other.document[b]]
            meeting[names].append((one.span(a), other.span(b)))
        matters = {
            names: matter for names in meeting
            if may_meet(*(self._rules[name].place for name in names))
            and (matter := self._matter(*names)) >= _SAME_MATTER
            and not apart(self._rules[names[0]], self._rules[names[1]], matter)
        }
        self._load_texts({name for names in matters for name in names})
        compared = {names: self._compared(*names, meeting[names]) for names in matters}
        alike = Counter(
            (name, clause) for names, rows in compared.items()
            for name, clause in {(names[side], place) for row in rows for side, place in _ends(row)}
        )
        found = [
            self._conflict(names, matters[names], row)
            for names, rows in compared.items()
            for row in _best(rows)[:_PER_PAIR]
            if self._contradict(names, matters[names], row, often=max(
                alike[name, place] for name, (_, place) in zip(names, _ends(row), strict=True)
            ) >= _OFTEN)
        ]
        return _once(sorted(found, key=lambda conflict: (-conflict.score, conflict.id)))

    def _compared(self, one: str, other: str, spans: Iterable[tuple[_Span, _Span]]) -> list[_Row]:
        rows = []
        for first, second in spans:
            mine, theirs = self._clause(one, *first), self._clause(other, *second)
            if likeness(mine, theirs) >= _ALIKE:
                rows.append((mine, theirs, compare_clauses(mine, theirs, self.texts[one], self.texts[other])))
        return rows

    def _contradict(self, names: tuple[str, str], matter: float, row: _Row, *, often: bool) -> bool:
        mine, theirs, like = row
        if not like.differences or like.dice + matter < _SURE or (often and matter < _SAME_MATTER_OFTEN):
            return False
        if names_years(mine.quantities) != names_years(theirs.quantities):
            return False             # what holds in one year and what holds in another
        if like.differences[0].kind == "condition" and like.dice < _ALIKE_CONDITION:
            return False
        if any(_ELSEWHERE.search(clause.opening + clause.shape) for clause in (mine, theirs)):
            return False
        if matter >= ONE_TITLE:
            return True
        if _OWN_ARTICLE.search(mine.shape) and _OWN_ARTICLE.search(theirs.shape):
            return False             # of articles that say different things
        first, second = (self._rules[name].words for name in names)
        if _holds(mine, theirs, first - second) and _holds(theirs, mine, second - first):
            return False
        return not (
            self._named_by_subject(*names)
            and self._speaks_of(first - second, *names) and self._speaks_of(second - first, *names[::-1])
        )

    def _named_by_subject(self, one: str, other: str) -> bool:
        """The title of a law is its subject; of two notices of one place it is when they came within a month."""
        facts, others = (self._rules[name].stored.facts for name in (one, other))
        if max(facts.rank, others.rank) <= Rank.LOCAL_RULE:
            return True
        first, second = facts.dated, others.dated
        near = first is not None and second is not None and abs((first - second).days) <= _TOGETHER
        return near and self._rules[one].place == self._rules[other].place

    def _speaks_of(self, words: Iterable[str], own: str, other: str) -> bool:
        """Whether a word that only its title has is frequent in its text alone: 职业年金 against 养老保险."""
        mine, theirs = self.texts[own], self.texts[other]
        return any(
            (count := mine.count(word)) >= _FREQUENT and theirs.count(word) * _FREQUENT <= count for word in words
        )

    def _conflict(self, names: tuple[str, str], matter: float, row: _Row) -> Conflict:
        mine, theirs, like = row
        differences = like.differences
        sides = [self._side(names[0], mine, [d.one for d in differences]),
                 self._side(names[1], theirs, [d.other for d in differences])]
        if sides[1].document < sides[0].document:
            sides.reverse()
        first, second = (self._rules[side.document].stored.facts for side in sides)
        decision = decide(first, second, special=self._special(sides[0].document, sides[1].document), names=self._names)
        if remark := self._allowed(sides):
            decision = replace(decision, reason=decision.reason + remark)
        key = "".join(f"{side.document}{side.start}-{side.end}" for side in sides)
        return Conflict(
            hashlib.sha256(key.encode()).hexdigest()[:16],
            tuple(dict.fromkeys(str(difference.kind) for difference in differences)), (sides[0], sides[1]),
            decision, round((like.dice + min(matter, 1.0)) / 2, 4),
        )

    def _special(self, one: str, other: str) -> int | None:
        """Which title says all that the other says, and more."""
        if self._matter(one, other) < ONE_TITLE:
            return None
        mine, theirs = self._weight[one], self._weight[other]
        if max(mine, theirs) < _NARROWER * min(mine, theirs):
            return None
        return int(theirs > mine)

    def _allowed(self, sides: Sequence[Side]) -> str:
        """A remark where the rule of the wider region says that others may depart from it."""
        wide, narrow = sides if sides[0].region is None or _contains(sides[0].region, sides[1].region) else sides[::-1]
        if wide.region == narrow.region or not (wide.region is None or _contains(wide.region, narrow.region)):
            return ""
        around = self.texts[wide.document][max(0, wide.start - _NEAR) : wide.end + _NEAR]
        return f"。《{wide.title}》在此处允许下级另行规定" if _ALLOWS.search(around) else ""

    def _side(self, name: str, clause: Clause, values: Sequence[tuple[int, int]]) -> Side:
        facts, text = self._rules[name].stored.facts, self.texts[name]
        start, end = trimmed(text, clause.start, clause.end)
        return Side(
            name, facts.title, facts.doc_no, facts.issuer, facts.rank, self._rules[name].place, facts.dated,
            self._address(name, start), start, end, text[start:end],
            text[slice(*clause.lead)].strip() if clause.lead else "", tuple(values),
        )

    def _address(self, name: str, place: int) -> str:
        if name not in self.addresses:
            c = chunks.c
            rows = self._connection.execute(
                select(c.start, c.end, c.address).where(c.document_id == name).order_by(c.start)
            )
            self.addresses[name] = [(row.start, row.end, row.address) for row in rows]
        return next((address for start, end, address in self.addresses[name] if start <= place < end), "")

    def _make_clause(self, name: str, start: int, end: int, lead: tuple[int, int] | None) -> Clause:
        made = make_clause(self.texts[name], start, end, lead)
        assert made is not None      # by the same rules as when the row was written
        return made

    def _load_texts(self, names: Iterable[str]) -> None:
        wanted = sorted(set(names) - self.texts.keys())
        for start in range(0, len(wanted), _VALUES):
            some = documents.c.id.in_(wanted[start : start + _VALUES])
            for row in self._connection.execute(select(documents.c.id, documents.c.text).where(some)):
                self.texts[row.id] = row.text


def _best(rows: Sequence[_Row]) -> list[_Row]:
    """Sentences each of which is the other's best match, and one of which has no equal match that says another thing:
    三等奖七人 meets 二等奖八人 and 一等奖九人 alike."""
    best: dict[tuple[int, int], float] = {}
    for row in rows:
        for key in _ends(row):
            best[key] = max(row[2].score, best.get(key, 0.0))
    mutual = [row for row in rows if all(row[2].score == best[key] for key in _ends(row))]
    partners: defaultdict[tuple[int, int], set[tuple[Decimal, ...]]] = defaultdict(set)
    for row in mutual:
        for (side, place), other in zip(_ends(row), (row[1], row[0]), strict=True):
            partners[side, place].add(tuple(quantity.value for quantity in other.quantities))
    return [row for row in mutual if all(len(partners[key]) == 1 for key in _ends(row))]


def _ends(row: _Row) -> tuple[tuple[int, int], tuple[int, int]]:
    return (0, row[0].start), (1, row[1].start)


def _holds(clause: Clause, other: Clause, words: Iterable[str]) -> bool:
    """Whether it names what only its own title speaks of, and the other sentence does not."""
    return any(word in clause.shape and word not in other.shape for word in words)


def _once(found: Iterable[Conflict]) -> list[Conflict]:
    """The same passages of the same rules once: sites publish a rule several times."""
    seen: set[frozenset[tuple[str, str]]] = set()
    kept = []
    for conflict in found:
        key = frozenset(
            (COMMON.sub("", side.title), _LABEL.sub("", "".join(side.quote.split()))) for side in conflict.sides
        )
        if key not in seen:
            seen.add(key)
            kept.append(conflict)
    return kept


def _contains(wide: str, narrow: str | None) -> bool:
    return narrow is not None and wide != narrow and wide in region_chain(narrow)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
