"""What a knowledge base ought to hold after some changes: documents, edits, rulings and entries as plain data.

Every rule has articles that hold a word of their own, 代码…, by which they are found; what they cite and repeal is read
out of their words here again, by expressions of this file alone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from core.records import Document, EditKind, EditorChange, Facts, Rank
from ingest.document import make_document

TODAY = date(2026, 6, 1)
SINCE = (date(2020, 1, 1), date(2022, 3, 1), date(2025, 3, 1), date(2030, 1, 1))
DAYS = (date(2021, 1, 1), date(2023, 1, 1), date(2025, 9, 1), date(2031, 1, 1))
# The last two are versions of one rule.
TITLES = {
    "dogs.md": "养犬登记办法", "heat.md": "供热收费规定", "parks.md": "公园开放规则", "graves.md": "公墓管理细则",
    "parking-1.md": "停车场备案条例", "parking-2.md": "停车场备案条例",
}
_WORD = re.compile(r"代码([a-z]+)由")
_CITED = re.compile(r"依照《(.+?)》第([一二三])条")
_REPEALED = re.compile(r"《([^》]+)》(?:自2025年9月1日起废止|同时废止)")
_STATED = date(2025, 9, 1)
_NUMBERS = "一二三"

Cuts = tuple[tuple[int, int, int], ...]      # article, start and end in its text


@dataclass(frozen=True)
class Content:
    """A revision: two of one source with the same content are the same document."""

    texts: tuple[str, ...]       # of its articles
    since: date
    public: bool = True
    cuts: Cuts | None = None     # the chunks where editors divided them; None: each article is one


@dataclass(frozen=True)
class Ruling:
    """An editor's decision that stands."""

    number: int
    day: date | None             # from which it is repealed; None: nothing that others say ends it


@dataclass
class Source:
    """What one source has become."""

    live: Content | None = None
    waiting: dict[Content, None] = field(default_factory=dict)           # drafts, the newest last
    away: set[Content] = field(default_factory=set)                      # replaced or withdrawn
    parsed: dict[Content, Content] = field(default_factory=dict)         # the reading behind a revision with edits
    readings: dict[Content, None] = field(default_factory=dict)
    edits: dict[int, EditorChange] = field(default_factory=dict)         # that stand, by number
    rulings: list[Ruling] = field(default_factory=list)


@dataclass
class Entry:
    """A standard question that quotes the whole of an article."""

    id: str
    source: str
    article: int
    text: str
    published: bool = True


@dataclass(frozen=True)
class Span:
    """When a rule holds, and whether others or an editor end it."""

    start: date
    end: date | None

    def holds(self, day: date | None) -> bool:
        return day is None or (self.start <= day and (self.end is None or day < self.end))


EdgeKey = tuple[str, int, str, str]          # source that says it, article, kind, what it leads to


class World:
    """All sources and entries."""

    def __init__(self) -> None:
        self.sources = {name: Source() for name in TITLES}
        self.entries: dict[str, Entry] = {}

    # what is there

    def published(self) -> dict[str, Content]:
        return {name: source.live for name, source in self.sources.items() if source.live is not None}

    def span(self, name: str) -> Span:
        """Of a published rule."""
        live = self.published()
        mine = live[name]
        ends = [content.since for other, content in live.items()
                if TITLES[other] == TITLES[name] and content.since > mine.since]
        decided = self.sources[name].rulings[-1:]
        if decided:
            ends += [ruling.day for ruling in decided if ruling.day is not None]
        else:
            said = (day for other, content in live.items() if other != name
                    for _, kind, title, day in repeals(content) if kind == "repeals" and title == TITLES[name])
            ends += [day for day in said if mine.since < day]
        return Span(mine.since, min(ends, default=None))

    def found(self, day: date | None, *, public_only: bool = False) -> Counter[str]:
        """The words of the articles that a search of everything has to find, each once."""
        return Counter(
            word_of(text) for name, content in self.published().items()
            if self.span(name).holds(day) and (content.public or not public_only) for text in content.texts
        )

    def edges(self, ids: Mapping[str, str]) -> set[EdgeKey]:
        """Who cites and repeals what; a target is 来源#条, a source, or the title of what is not published.

        Of several versions the newest is meant; of those that begin on one day the one whose id comes last.
        """
        live = self.published()
        in_order = sorted(live, key=lambda name: (live[name].since, ids[name]))
        meant = {TITLES[name]: name for name in in_order}
        found = set()
        for name, content in live.items():
            for number, text in enumerate(content.texts):
                for title, article in cites(text):
                    target = meant.get(title)
                    there = target is not None and article < len(live[target].texts)
                    found.add((name, number, "cites", f"{target}#{article}" if there else target or title))
            found |= {(name, number, kind, meant.get(title) or title) for number, kind, title, _ in repeals(content)}
        return found

    def open_ends(self) -> set[str]:
        live = self.published()
        borne = {TITLES[name] for name in live}
        said = {title for content in live.values() for text in content.texts
                for title in (*(t for t, _ in cites(text)), *_REPEALED.findall(text))}
        return said - borne

    def stands(self, entry: Entry) -> bool:
        live = self.sources[entry.source].live
        if live is None or entry.article >= len(live.texts) or live.texts[entry.article] != entry.text:
            return False
        return self.span(entry.source).end is None

    def answers(self, entry: Entry, day: date) -> bool:
        return entry.published and self.stands(entry) and self.span(entry.source).holds(day)

    # what changes it

    def publish(self, name: str, content: Content) -> None:
        source = self.sources[name]
        if source.live is not None and source.live != content:
            source.away.add(source.live)
        source.live = content
        source.waiting.pop(content, None)
        source.away.discard(content)

    def withdraw(self, name: str) -> None:
        source = self.sources[name]
        if source.live is not None:
            source.away.add(source.live)
        source.live = None

    def keep_draft(self, name: str, content: Content) -> None:
        """A new reading, or one that waits already and is the newest now."""
        source = self.sources[name]
        source.waiting.pop(content, None)
        source.away.discard(content)
        source.waiting[content] = None

    def draft(self, name: str, reading: Content) -> None:
        """A new reading that nobody is to find yet."""
        source = self.sources[name]
        made, _ = corrected(reading, source.edits.values())
        source.readings[reading] = None
        if made != reading:
            source.parsed[made] = reading
        self.keep_draft(name, made)

    def read(self, name: str, reading: Content) -> bool:
        """A reading that is to be published; whether it is, or waits because of what editors changed."""
        source = self.sources[name]
        made, conflicts = corrected(reading, source.edits.values())
        source.readings[reading] = None
        if made != reading:
            source.parsed[made] = reading
        elif not conflicts:
            source.parsed.pop(made, None)
        if not conflicts:
            self.publish(name, made)
        elif made != source.live:
            self.keep_draft(name, made)
        return not conflicts

    def changed(self, name: str, changes: Iterable[EditorChange]) -> tuple[Content, list[EditorChange]]:
        """The published revision with other changes than now."""
        source = self.sources[name]
        assert source.live is not None
        return corrected(source.parsed.get(source.live, source.live), changes)

    def make(self, name: str, content: Content, changes: Sequence[EditorChange]) -> None:
        """``changes`` made this of the published revision; drafts get them as well."""
        source = self.sources[name]
        assert source.live is not None
        reading = source.parsed.get(source.live, source.live)
        if content != reading:
            source.parsed[content] = reading
        if content != source.live:
            self.publish(name, content)
        for draft in list(source.waiting):
            reading = source.parsed.get(draft, draft)
            made, _ = corrected(reading, changes)
            if made == draft:
                continue
            del source.waiting[draft]
            source.away.add(draft)
            if made != reading:
                source.parsed[made] = reading
            else:
                source.parsed.pop(made, None)
            if made != source.live:
                self.keep_draft(name, made)

    def settle(self) -> None:
        """After each change: entries that do not stand any more are suspended."""
        for entry in self.entries.values():
            entry.published = entry.published and self.stands(entry)


# documents


def document_of(name: str, content: Content) -> Document:
    lines = [TITLES[name], *(f"第{_NUMBERS[n]}条 {text}" for n, text in enumerate(content.texts))]
    facts = Facts(TITLES[name], rank=Rank.LOCAL_RULE, effective_from=content.since, public=content.public)
    return make_document(facts, "\n".join(lines), name, name=None, chunk_chars=1200)


def content_of(document: Document) -> Content:
    """Read back. One whose chunks were cut and joined again has an id of its own."""
    facts, parts = document.facts, document.articles
    assert facts.effective_from is not None
    spans = tuple((c.article, c.start - parts[c.article].start, c.end - parts[c.article].start)
                  for c in document.chunks)
    texts = tuple(document.text[part.start : part.end] for part in parts)
    uncut = Content(texts, facts.effective_from, facts.public)
    return uncut if document_of(document.source, uncut).id == document.id else replace(uncut, cuts=spans)


def address(article: int) -> str:
    return f"第{_NUMBERS[article]}条"


def word_of(text: str) -> str:
    (word,) = _WORD.findall(text)
    return str(word)


def cites(text: str) -> Iterator[tuple[str, int]]:
    for match in _CITED.finditer(text):
        yield match.group(1), _NUMBERS.index(match.group(2))


def repeals(content: Content) -> Iterator[tuple[int, str, str, date]]:
    """(article, kind, title, from when on). A repeal that is said twice is one; the others are citations.

    The first of them counts, or the first that tells the day.
    """
    said = [(n, match.group(1), "自2025" in match.group()) for n, text in enumerate(content.texts)
            for match in _REPEALED.finditer(text)]
    for number, title, dated in said:
        same = [one for one in said if one[1] == title]
        first = next((one for one in same if one[2]), same[0])
        kind = "repeals" if first == (number, title, dated) else "cites"
        yield number, kind, title, _STATED if dated else content.since


# edits


def corrected(reading: Content, changes: Iterable[EditorChange]) -> tuple[Content, list[EditorChange]]:
    """``reading`` with ``changes``, and those whose old words are not there."""
    texts = list(reading.texts)
    fields: dict[str, object] = {"effective_from": reading.since.isoformat(), "public": reading.public}
    cuts, conflicts = list[EditorChange](), list[EditorChange]()
    for change in changes:
        if change.kind in (EditKind.SPLIT, EditKind.MERGE):
            cuts.append(change)
        elif change.kind is EditKind.FIELD:
            if fields[change.name] in (json.loads(change.old), json.loads(change.new)):
                fields[change.name] = json.loads(change.new)
            else:
                conflicts.append(change)
        else:
            place = _place(change)
            if place < len(texts) and texts[place] in (change.old, change.new):
                texts[place] = change.new
            else:
                conflicts.append(change)
    spans, missing = _cut(texts, cuts)
    since = date.fromisoformat(str(fields["effective_from"]))
    return Content(tuple(texts), since, bool(fields["public"]), spans), [*conflicts, *missing]


def _place(change: EditorChange) -> int:
    return _NUMBERS.index(change.name[1])


def _cut(texts: Sequence[str], cuts: Sequence[EditorChange]) -> tuple[Cuts | None, list[EditorChange]]:
    """The chunks after all ``cuts`` whose chunks are there; None when none is."""
    spans, missing = [(n, 0, len(text)) for n, text in enumerate(texts)], list[EditorChange]()
    for change in cuts:
        article = _place(change)
        whole = texts[article] if article < len(texts) else ""
        for at, (number, start, end) in enumerate(spans):
            if number != article:
                continue
            if change.kind is EditKind.SPLIT and whole[start:end] == change.old:
                middle = end - len(change.new)
                left = start + len(whole[start:middle].rstrip())
                spans[at : at + 1] = [(number, start, left), (number, middle, end)]
                break
            following = spans[at + 1] if at + 1 < len(spans) else (-1, 0, 0)
            joined = following[0] == number and whole[start : following[2]] == change.old
            if change.kind is EditKind.MERGE and joined:
                spans[at : at + 2] = [(number, start, following[2])]
                break
        else:
            missing.append(change)
    return (tuple(spans) if len(missing) < len(cuts) else None), missing
