"""Two revisions of a document, article by article."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from operator import itemgetter

from core.records import ArticleChange, Change, Comparison, Document, Edit, RevisionChange

_ALIKE = 0.6             # shared character pairs: two articles below are two articles, not one that was changed
_SAME_ADDRESS = 0.1      # is worth so much likeness when two old articles could have become one new one
_RUN = 6                 # characters in a row that two articles share make them candidates for each other
_COMMON = 24             # a run that more articles have says nothing about which became which
_CANDIDATES = 4          # old articles looked at for one new article
_EXACT_CELLS = 250_000   # characters times characters that are compared one by one; above, clause by clause
_CLAUSE = re.compile(r"[^，。；：！？、,;:!?\n]*[，。；：！？、,;:!?\n]?")
_WORD = re.compile(r"[0-9A-Za-z.]+|\s+|.", re.DOTALL)
_WORDY = re.compile(r"[0-9A-Za-z.]")


@dataclass(frozen=True, slots=True)
class _Part:
    """An article: ``nth`` counts the articles of one document that share an address."""

    position: int
    address: str
    nth: int
    heading: tuple[str, ...]
    text: str

    @property
    def key(self) -> tuple[str, int]:
        return self.address, self.nth


def compare(old: Document, new: Document) -> Comparison:
    """Matched by address and text, then by text alone, then by likeness; what is left by address.

    Equal texts are found by their hash, and likeness is measured only between articles that share a rare run of
    characters or an address, so the time grows with the length and not with its square.
    """
    before, after = _parts(old), _parts(new)
    pairs = _match(before, after)
    return Comparison(old.id, new.id, tuple(_rows(before, after, pairs)))


def revision_change(old: Document, new: Document) -> RevisionChange:
    """The addresses that are new, gone, or hold something else; cheaper than `compare`, without a match by text."""
    before = {part.key: part for part in _parts(old)}
    after = {part.key: part for part in _parts(new)}
    both = [key for key in after if key in before]
    changed = [key for key in both if _content(before[key]) != _content(after[key])]
    return RevisionChange(
        new.source, new.facts.title, old.id, new.id,
        added=tuple(address for address, nth in after if (address, nth) not in before),
        changed=tuple(address for address, _ in changed),
        removed=tuple(address for address, nth in before if (address, nth) not in after),
        unchanged=len(both) - len(changed),
    )


def edits_between(old: str, new: str) -> tuple[Edit, ...]:
    """Spans that were replaced, inserted or deleted, in order; numbers and Latin words are replaced whole."""
    start = _between_words(old, new, _shared_start(old, new))
    end = _between_words(old[::-1], new[::-1], _shared_start(old[start:][::-1], new[start:][::-1]))
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    if not a and not b:
        return ()
    if not a or not b:
        return (Edit(start, start + len(a), start, start + len(b)),)
    cut = _WORD if len(a) * len(b) <= _EXACT_CELLS else _CLAUSE
    first, second = _cut(cut, a), _cut(cut, b)
    from_old, from_new = _offsets(first, start), _offsets(second, start)
    # Clauses that come back hundreds of times would make it quadratic; a change between them shows larger instead.
    matcher = SequenceMatcher(None, first, second, autojunk=cut is _CLAUSE)
    return tuple(
        Edit(from_old[i1], from_old[i2], from_new[j1], from_new[j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"
    )


# which became which


def _match(before: Sequence[_Part], after: Sequence[_Part]) -> dict[int, int]:
    """Position in the old document -> position in the new one."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()

    def match(one: _Part, other: _Part) -> None:
        if one.position not in pairs and other.position not in taken:
            pairs[one.position] = other.position
            taken.add(other.position)

    def left() -> tuple[list[_Part], list[_Part]]:
        return [p for p in before if p.position not in pairs], [p for p in after if p.position not in taken]

    at = {part.key: part for part in after}
    for part in before:
        if (there := at.get(part.key)) is not None and there.text == part.text:
            match(part, there)
    olds, news = left()
    for one, other in _same_text(olds, news):
        match(one, other)
    olds, news = left()
    for one, other in _most_alike(olds, news):
        match(one, other)
    olds, news = left()
    at = {part.key: part for part in news}
    for part in olds:
        if (there := at.get(part.key)) is not None:
            match(part, there)
    return pairs


def _same_text(olds: Sequence[_Part], news: Sequence[_Part]) -> Iterator[tuple[_Part, _Part]]:
    """The first of equal texts with the first, the second with the second."""
    by_text: defaultdict[str, list[_Part]] = defaultdict(list)
    for part in reversed(olds):
        by_text[part.text].append(part)
    for part in news:
        if by_text.get(part.text):
            yield by_text[part.text].pop(), part


def _most_alike(olds: Sequence[_Part], news: Sequence[_Part]) -> list[tuple[_Part, _Part]]:
    """Pairs that are alike enough, the most alike first."""
    profiles = {part.position: _profile(part.text) for part in olds}
    having: defaultdict[str, list[_Part]] = defaultdict(list)
    for part in olds:
        for run in _runs(part.text):
            having[run].append(part)
    at = {part.key: part for part in olds}
    scored = []
    for part in news:
        sharing = Counter(
            other.position for run in _runs(part.text)
            if len(others := having.get(run, ())) <= _COMMON for other in others
        )
        candidates = {position for position, _ in sharing.most_common(_CANDIDATES)}
        if part.key in at:
            candidates.add(at[part.key].position)
        mine = _profile(part.text) if candidates else Counter()
        for position in candidates:
            likeness = _likeness(profiles[position], mine)
            if likeness >= _ALIKE:
                bonus = _SAME_ADDRESS if part.key in at and at[part.key].position == position else 0.0
                scored.append((likeness + bonus, -position, part))
    by_position = {part.position: part for part in olds}
    scored.sort(key=itemgetter(0, 1), reverse=True)
    return [(by_position[-position], part) for _, position, part in scored]


def _runs(text: str) -> set[str]:
    return {text[i : i + _RUN] for i in range(max(1, len(text) - _RUN + 1))}


def _profile(text: str) -> Counter[str]:
    return Counter(map("".join, pairwise(text)))


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """Shared character pairs over all, 0 to 1 (Dice)."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


# rows


def _rows(before: Sequence[_Part], after: Sequence[_Part], pairs: dict[int, int]) -> Iterator[ArticleChange]:
    """In the order of the new document; what was removed follows what stood before it."""
    source = {new: old for old, new in pairs.items()}
    waiting = iter([part for part in before if part.position not in pairs])
    removed = next(waiting, None)
    for part in after:
        old = before[source[part.position]] if part.position in source else None
        while removed is not None and old is not None and removed.position < old.position:
            yield ArticleChange(Change.REMOVED, removed.address, "", removed.text, "")
            removed = next(waiting, None)
        yield _row(old, part)
    while removed is not None:
        yield ArticleChange(Change.REMOVED, removed.address, "", removed.text, "")
        removed = next(waiting, None)


def _row(old: _Part | None, new: _Part) -> ArticleChange:
    if old is None:
        return ArticleChange(Change.ADDED, "", new.address, "", new.text)
    if old.text != new.text:
        edits = edits_between(old.text, new.text)
        return ArticleChange(Change.CHANGED, old.address, new.address, old.text, new.text, edits)
    kind = Change.UNCHANGED if old.address == new.address else Change.MOVED
    return ArticleChange(kind, old.address, new.address, old.text, new.text)


def _parts(document: Document) -> list[_Part]:
    count: Counter[str] = Counter()
    parts = []
    for position, article in enumerate(document.articles):
        count[article.address] += 1
        text = document.text[article.start : article.end]
        parts.append(_Part(position, article.address, count[article.address], article.heading, text))
    return parts


def _content(part: _Part) -> tuple[tuple[str, ...], str]:
    return part.heading, part.text


# texts


def _shared_start(one: str, other: str) -> int:
    """Length of the common beginning, found by halving: slices are compared in C."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _between_words(one: str, other: str, at: int) -> int:
    """``at``, or before the number or Latin word that it lies in."""
    while at and _WORDY.match(one[at - 1]) and (_WORDY.match(one[at : at + 1]) or _WORDY.match(other[at : at + 1])):
        at -= 1
    return at


def _cut(pattern: re.Pattern[str], text: str) -> list[str]:
    return [piece for piece in pattern.findall(text) if piece]


def _offsets(pieces: Sequence[str], start: int) -> list[int]:
    """Where each piece begins, and where the last one ends."""
    offsets = [start]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets
