"""When raw laws hold, by their file names, histories and own last clauses: read here without our own readers.

A date that `ingest` or `kb.versions` gets wrong must show, so nothing of theirs is used. What a file tells: the day
of its version stands in its name, ``某条例(2022-03-29).md``; the lines above ``<!-- INFO END -->`` are its history;
its last article says 自…起施行, which for a version that was only amended is the day of the first one; and
《…》同时废止 says what it ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath

_INFO_END = "<!-- INFO END -->"
_NAME_DATE = re.compile(r"\((\d{4})-(\d\d)-(\d\d)\)$")
_DAY = r"(\d{4})年(\d{1,2})月(\d{1,2})日"
_HISTORY_DAY = re.compile(_DAY)
_HISTORY_START = re.compile(rf"{_DAY}\s*(?:起)?施行\s*$", re.M)
_MADE_BY = re.compile(rf"^{_DAY}\s+((?:(?!修[正订]|{_DAY}).){{4,80}}(?:通过|公布|发布))\s*$", re.M)
_CLAUSE_START = re.compile(rf"本[\u4e00-\u9fff]{{1,4}}[自从于]{_DAY}(?:零时)?(?:起|正式)*(?:施行|实施|执行|生效)")
_ARTICLE = re.compile(r"^第[一二三四五六七八九十百千零〇]+条(?:之[一二三四五六七八九十]+)?[ 　]+", re.M)
_HEADING = re.compile(r"^#.*$", re.M)
_NOT_NAME = re.compile(r"[《》〈〉<>\s]|中华人民共和国|[（(](?![一二三四五六七八九十]{1,3}[）)])[^（）()]*[）)]")
_QUOTED = re.compile(r"《((?:[^《》]|《[^《》]*》)+)》")
_ENDS = re.compile(r"(?:，?自本[\u4e00-\u9fff]{2,4}施行之日起)?(?:同时|予以|即行|一并)?(?:予以)?废止|停止执行")
_LISTED = re.compile(
    r"(?:[（(][^（）()]*(?:[（(][^（）()]*[）)][^（）()]*)*[）)])?(?:等\d*[^，。]{0,6})?[、，和及与以]*"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One file: one version of a rule."""

    path: str                              # in the collection
    title: str
    name: str                              # title as people write it
    region: str                            # name of the folder of a local rule, else ""
    version: date                          # day of this version: in the file's name, else the last of its history
    start: date                            # from when this version holds
    exact: bool                            # its own text names that day; else the version's day stands for it
    first: date                            # on which its own text says the rule began, whatever the version
    maker: str                             # first line of its history without the day: 某市人大常委会通过; or ""
    articles: tuple[str, ...]              # texts without their numbers
    ends: tuple[str, ...]                  # names of what it repeals


@dataclass(frozen=True, slots=True)
class Held:
    """From when to before when a file's text was the rule, and what came after."""

    start: date
    end: date | None = None
    by: str | None = None                  # path of what ended it


def plain_name(title: str) -> str:
    """A title without 《》, remarks in brackets, and 中华人民共和国."""
    return _NOT_NAME.sub("", title)


def read_rule(path: str, text: str) -> Rule | None:
    """None for a file without articles or without any date, and for an amendment, which is no version of itself."""
    head, _, body = text.partition(_INFO_END)
    title = next((line.lstrip("# ").strip() for line in text.splitlines() if line.strip()), "")
    articles = _articles(body)
    version = _version(path, head, body)
    if not articles or version is None or not title or "修正案" in title:
        return None
    stated = [day for day in map(_day, [*_HISTORY_START.findall(head), *_CLAUSE_START.findall(body)]) if day]
    later = [day for day in stated if day >= version]
    folders = PurePosixPath(path).parts
    return Rule(
        path, title, plain_name(title), folders[-2] if "地方性法规" in folders else "", version,
        min(later, default=version), bool(later), min(stated, default=version),
        made.group(4) if (made := _MADE_BY.search(head)) else "", articles, repealed_names(body),
    )


def _articles(body: str) -> tuple[str, ...]:
    found = list(_ARTICLE.finditer(body))
    ends = [*(match.start() for match in found[1:]), len(body)]
    texts = (body[match.end() : end] for match, end in zip(found, ends, strict=False))
    return tuple("\n".join(_HEADING.sub("", text).split()) for text in texts)


def _version(path: str, head: str, body: str) -> date | None:
    if named := _NAME_DATE.search(PurePosixPath(path).stem):
        return _day(named.groups())
    days = [day for day in map(_day, _HISTORY_DAY.findall(_HISTORY_START.sub("", head))) if day]
    return max(days, default=None) or next((_day(match) for match in _CLAUSE_START.findall(body)), None)


def _day(parts: Sequence[str]) -> date | None:
    year, month, day = map(int, parts)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def repealed_names(body: str) -> tuple[str, ...]:
    """The names right before 同时废止 and its like; not what was amended on the way, nor a rule's single article."""
    found: list[str] = []
    for sentence in re.split(r"[。；\n]", body):
        end = _ENDS.search(sentence)
        if end is None or "《" not in sentence:
            continue
        names = list(_QUOTED.finditer(sentence, 0, end.start()))
        for name, following in zip(names, [*(n.start() for n in names[1:]), end.start()], strict=False):
            gap = sentence[name.end() : following]
            joined = _LISTED.match(gap)
            last = following == end.start()
            if joined and (joined.end() == len(gap) if last else joined.end() > 0 or not gap):
                found.append(name.group(1))
    return tuple(dict.fromkeys(found))


def held(rules: Sequence[Rule]) -> dict[str, Held]:
    """When each file held: until a later version begins, or what repeals it by name does.

    Files of one version stand side by side. Where the next version that is there says that the rule began anew on an
    earlier day, a version between is missing: the text before ended on that day. A repeal reaches the versions made
    before it: a younger rule of the same name is another one, or what replaced the repealed one.
    """
    spans = {rule.path: Held(rule.start) for rule in rules}
    families: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        families.setdefault((rule.region, rule.name), []).append(rule)
    for family in families.values():
        for rule in family:
            later = [other for other in family if other.start > rule.start and other.version > rule.version]
            if following := min(later, key=lambda other: (other.start, other.path), default=None):
                _end(spans, rule, following, following.first if following.first > rule.start else following.start)
    for repealer in rules:
        for name in repealer.ends:
            for rule in families.get((repealer.region, plain_name(name)), ()):
                if max(rule.version, rule.start) < repealer.first and rule.name != repealer.name:
                    _end(spans, rule, repealer, repealer.first)
    return spans


def _end(spans: dict[str, Held], rule: Rule, following: Rule, day: date) -> None:
    known = spans[rule.path]
    if known.end is None or day < known.end:
        spans[rule.path] = replace(known, end=day, by=following.path)


def in_force(spans: Mapping[str, Held], path: str, day: date) -> bool:
    span = spans[path]
    return span.start <= day and (span.end is None or day < span.end)
