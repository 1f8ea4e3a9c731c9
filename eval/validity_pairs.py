"""Pairs of an old and a new text from raw laws, and the questions that only one of the two may answer.

Every choice is by order and even spacing, so that a collection always gives the same questions. A question names the
rule and holds a clause that stands in both texts: it says what is asked about, and not which of the two is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from eval.validity_terms import FILE, Term
from eval.validity_truth import Held, Rule, held, in_force, plain_name, read_rule

_T = TypeVar("_T")
_ARTICLES = 3              # pairs of one change of one rule
_MADE = 60                 # old rules written for names that a repeal states and the collection lacks
_MADE_ARTICLES = 8
_MADE_FOLDER = "旧规定/"
_ADOPTED = timedelta(60)   # before its first day
_OWN_NAMES = 40            # rules that say 同时废止 of an older one of their own name
_COMING = 30
_DISTRACTORS = 300
_LEAST_DAYS = 60           # an old version that held for less has no day that is safely its own
_SAME, _LIKE = 0.98, 0.4   # shares of common pairs of characters between which two articles are old and new text
_CLAUSE = re.compile(r"《[^》]*》|[，。；：、\n（）()《》〈〉“”]+")
_NO_CLAUSE = re.compile(
    r"本(?:法|条例|办法|规定|细则|解释|规则)|第[一二三四五六七八九十百]+[条款项]|前款|\d|下列|以下|施行"
    r"|^(?:根据|依照|为了?|中华人民共和国.+(?:法|条例)$)"
)
_SHORTEST, _LONGEST = 8, 26
_TELLING = 14              # characters of a clause that alone, without the rule's name, says what is asked about
_MADE_ENDS = ("条例", "办法", "规定", "细则", "规则")
_ASKS = ("《{}》里“{}”这方面是怎么规定的？", "{}对{}有什么规定？", "关于{1}，{0}是怎么规定的？")
_MATTER = "关于{}，现在是怎么规定的？"
_PUNCTUATION = re.compile(r"[^\u4e00-\u9fff0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Case:
    """One question on one day, and what the dates say of the answer."""

    pair: str                              # cases of one pair share it
    kind: str                              # version, repeal, made, namesake, coming, term
    question: str
    as_of: date | None                     # None: today
    right: frozenset[str]                  # paths of which one has to be found; empty: none has to be
    wrong: frozenset[str]                  # paths of the pair that must not answer
    named: str | None = None               # title that has to be named as not in force
    by: str | None = None                  # title of what came in its place, to be named with it


@dataclass(frozen=True, slots=True)
class Collection:
    """What is ingested, by path, with the dates of the laws in it."""

    texts: Mapping[str, str]
    rules: Mapping[str, Rule]
    spans: Mapping[str, Held]
    terms: Sequence[Term] = ()


def collect(texts: Mapping[str, str], terms: Sequence[Term] = ()) -> Collection:
    """The laws that pairs are made of, some others, and old rules written for what repeals name."""
    read = {path: rule for path, text in sorted(texts.items()) if (rule := read_rule(path, text))}
    known = held(list(read.values()))
    wanted = {path for path, span in known.items() if span.end} | {span.by for span in known.values() if span.by}
    families = _families(read.values())
    wanted |= {rule.path for path in wanted for rule in families[_family(read[path])]}
    own = [rule for rule in read.values() if _own_name(rule)]
    wanted |= {rule.path for rule in _spread(own, _OWN_NAMES)}
    made = _made_rules(read)
    wanted |= {path for path, _, _ in made}
    wanted |= set(_spread([path for path in read if path not in wanted], _DISTRACTORS))
    chosen = {path: texts[path] for path in sorted(wanted)} | {old: text for _, old, text in made}
    rules = {path: rule for path, text in chosen.items() if (rule := read_rule(path, text))}
    spans = held(list(rules.values())) | {term.path: term.held for term in terms}
    policies = {FILE: "".join(f"{term.line}\n" for term in terms)} if terms else {}
    return Collection(chosen | policies, rules, spans, terms)


def cases(collection: Collection, today: date) -> list[Case]:
    """All questions, a pair after the other. What has not ended by ``today`` gives none."""
    found: list[Case] = []
    for path in collection.rules:
        span = collection.spans[path]
        if span.by is None or span.end is None or span.end > today:
            continue
        old, new = collection.rules[path], collection.rules[span.by]
        if _family(old) == _family(new):
            found += _version_cases(collection, old, new, today)
        else:
            found += _repeal_cases(collection, old, new, span)
    found += _namesake_cases(collection, today)
    return [*found, *_coming_cases(collection, today), *_term_cases(collection.terms, today)]


# changes


def _version_cases(collection: Collection, old: Rule, new: Rule, today: date) -> list[Case]:
    clauses = _changed_clauses(old, new)
    days = _days(collection.spans[old.path])
    found: list[Case] = []
    for n, clause in enumerate(clauses):
        asked = Case(f"{new.path} {n}", "version", _ask(n, new.name, clause), None, frozenset(), frozenset())
        for day in (None, *(days if n == 0 else ())):
            found.append(_of_family(collection, replace(asked, as_of=day), new, today))
    return [case for case in found if case.right]      # on the first day of a version that is missing none is


def _of_family(collection: Collection, case: Case, rule: Rule, today: date) -> Case:
    """The versions of a rule that hold on the day are right, all others wrong."""
    family = [other.path for other in collection.rules.values() if _family(other) == _family(rule)]
    right = frozenset(path for path in family if in_force(collection.spans, path, case.as_of or today))
    return replace(case, right=right, wrong=frozenset(family) - right)


def _repeal_cases(collection: Collection, old: Rule, new: Rule, span: Held) -> list[Case]:
    """Asked by name for today and in its days, and by its matter alone where the new rule speaks of it, too."""
    made = old.path.startswith(_MADE_FOLDER)
    clauses = _changed_clauses(old, new)
    asked = next(reversed(clauses or _own_clauses(old)), None)   # the first ones speak of its purpose
    if asked is None:
        return []
    case = Case(
        old.path, "made" if made else "repeal", _ask(len(old.articles), old.name, asked), None, frozenset(),
        frozenset({old.path}), named=old.title, by=new.title,
    )
    found = [case]
    if clauses and len(matter := max(clauses, key=len)) >= _TELLING:
        found.append(replace(
            case, question=_MATTER.format(matter), right=frozenset({new.path}), named=None, by=None
        ))
    for day in _days(span):
        then = in_force(collection.spans, old.path, day)
        mine = frozenset({old.path})
        found.append(replace(
            case, as_of=day, right=mine if then else frozenset(), wrong=frozenset() if then else mine,
            named=None if then else old.title, by=None if then else new.title,
        ))
    return found


def _days(span: Held) -> tuple[date, ...]:
    """The middle of the old text's time, its last day, and the first day of the new one; none for a short time."""
    assert span.end is not None
    length = span.end - span.start
    return (span.start + length / 2, span.end - timedelta(1), span.end) if length.days >= _LEAST_DAYS else ()


# what must stay and what is to come


def _namesake_cases(collection: Collection, today: date) -> list[Case]:
    """Rules in force whose name a repeal states, of an older rule: they answer for today."""
    ends: dict[tuple[str, str], list[Rule]] = {}
    for rule in collection.rules.values():
        for name in rule.ends:
            ends.setdefault((rule.region, plain_name(name)), []).append(rule)
    found = []
    for rule in collection.rules.values():
        if _family(rule) in ends and in_force(collection.spans, rule.path, today):
            for clause in _own_clauses(rule)[:1]:
                case = Case(rule.path, "namesake", _ask(0, rule.name, clause), None, frozenset(), frozenset())
                found.append(_of_family(collection, case, rule, today))
    return found


def _coming_cases(collection: Collection, today: date) -> list[Case]:
    """Rules without an earlier version, on the eve of their first day and on that day."""
    families = _families(collection.rules.values())
    new = [
        rule for rule in collection.rules.values()
        if rule.exact and _LEAST_DAYS / 2 <= (rule.start - rule.version).days and rule.start <= today
        and len(families[_family(rule)]) == 1 and not rule.path.startswith(_MADE_FOLDER)
    ]
    found = []
    for rule in _spread(new, _COMING):
        for clause in _own_clauses(rule)[:1]:
            own = frozenset({rule.path})
            case = Case(rule.path, "coming", _ask(1, rule.name, clause), rule.start, own, frozenset())
            eve = replace(case, as_of=rule.start - timedelta(1), right=frozenset(), wrong=own, named=rule.title)
            found += [eve, case]
    return found


def _term_cases(terms: Sequence[Term], today: date) -> list[Case]:
    """On the last day of their term, on the day after, and today where the term is over."""
    found = []
    for term in terms:
        assert term.held.end is not None
        clause = _clause(term.text, term.text, (term.text,))
        if clause is None or not term.held.start < term.held.end - timedelta(1):
            continue
        own = frozenset({term.path})
        last = Case(
            term.path, "term", _ask(0, plain_name(term.title), clause), term.held.end - timedelta(1), own, frozenset()
        )
        after = replace(last, as_of=term.held.end, right=frozenset(), wrong=own, named=term.title)
        found += [last, after]
        if term.held.end <= today:
            found.append(replace(after, as_of=None))
    return found


# old rules written for what repeals name


def _made_rules(rules: Mapping[str, Rule]) -> list[tuple[str, str, str]]:
    """(path of the repealer, path, text) of old rules: the first articles of the repealer under the old name."""
    names = {rule.name for rule in rules.values()}
    absent = [
        (rule, name) for rule in rules.values() if rule.exact
        if (name := next((n for n in rule.ends if _fit_to_make(n) and plain_name(n) not in names), None))
    ]
    made = []
    for rule, name in _spread(absent, _MADE):
        start = date(rule.version.year - 8, 3, 1)
        folder = f"地方性法规/{rule.region}/" if rule.region else ""
        file = re.sub(r"[/〈〉《》]", "", name)
        path = f"{_MADE_FOLDER}{folder}{file}({start - _ADOPTED}).md"
        made.append((rule.path, path, _made_text(rule, name, start)))
    return made


def _fit_to_make(name: str) -> bool:
    return name.endswith(_MADE_ENDS) and 8 <= len(name) <= 40


def _made_text(rule: Rule, name: str, start: date) -> str:
    kind = name[-2:]
    own = rule.name[-2:] if rule.name.endswith(_MADE_ENDS) else "法"
    texts = [
        text.replace(rule.name, plain_name(name)).replace(f"本{own}", f"本{kind}")
        for text in rule.articles[:_MADE_ARTICLES] if "废止" not in text and "施行" not in text
    ]
    texts = [f"{text}具体事项由原主管部门解释。" for text in texts]
    texts.append(f"本{kind}自{start.year}年{start.month}月{start.day}日起施行。")
    articles = "\n\n".join(f"第{number}条 {text}" for number, text in zip("一二三四五六七八九", texts, strict=False))
    adopted = start - _ADOPTED
    history = f"{adopted.year}年{adopted.month}月{adopted.day}日 {rule.maker}\n\n" if rule.maker else ""
    return f"# {name}\n\n{history}<!-- INFO END -->\n\n{articles}\n"


# clauses


def _changed_clauses(old: Rule, new: Rule) -> list[str]:
    """A clause of each of the articles whose text changed, at most `_ARTICLES`, evenly spaced in the new text."""
    before = {_bare(text): text for text in old.articles}
    after = {_bare(text): text for text in new.articles}
    gone = [(text, _pairs(bare)) for bare, text in before.items() if bare not in after]
    found = []
    for bare, text in after.items():
        if bare in before or not gone:
            continue
        mine = _pairs(bare)
        share, like = max((_dice(mine, theirs), was) for was, theirs in gone)
        if _LIKE <= share <= _SAME and (clause := _clause(text, like, (*old.articles, *new.articles))):
            found.append(clause)
    return _spread(list(dict.fromkeys(found)), _ARTICLES)


def _own_clauses(rule: Rule) -> list[str]:
    """Of articles from the middle of a rule on: the first ones speak of its purpose."""
    middle = rule.articles[len(rule.articles) // 3 :]
    return [clause for text in middle if (clause := _clause(text, text, rule.articles))]


def _clause(text: str, other: str, articles: Sequence[str]) -> str | None:
    """What both texts hold and the fewest articles; the longest of these, then the first."""
    both = [
        clause for clause in dict.fromkeys(_CLAUSE.split(text))
        if _SHORTEST <= len(clause) <= _LONGEST and clause in other and not _NO_CLAUSE.search(clause)
    ]
    return min(both, key=lambda clause: (sum(clause in a for a in articles), -len(clause)), default=None)


def _ask(n: int, name: str, clause: str) -> str:
    return _ASKS[n % len(_ASKS)].format(name, clause)


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", text)


def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


# small


def _family(rule: Rule) -> tuple[str, str]:
    return rule.region, rule.name


def _families(rules: Iterable[Rule]) -> dict[tuple[str, str], list[Rule]]:
    families: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        families.setdefault(_family(rule), []).append(rule)
    return families


def _own_name(rule: Rule) -> bool:
    return any(plain_name(name) == rule.name for name in rule.ends)


def _spread(items: Sequence[_T], count: int) -> list[_T]:
    """At most so many of them, evenly spaced."""
    step = max(len(items) / count, 1.0)
    return [items[int(i * step)] for i in range(min(count, len(items)))]

