"""The part of a sentence, or of a few that follow one another, that answers: as short as it can be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kb.features import Numbers, Whole
from kb.tokens import plain
from qa.select_asked import PHRASES, is_broad, phrases_sought
from qa.select_features import Asked, Sentences
from qa.select_units import Unit
from qa.sentences import Passage

_BEFORE, _AFTER = 2, 5       # sentences of the same article that are looked at beside the best one
_CHARS = 420                 # of all of them
_FAR = 60.0                  # characters: so far from a word of the question nothing tells how far
_CLAUSE = re.compile(r"[^，,。；;：:！？!?\n]+[，,。；;：:！？!?\n]*")
_CUE = re.compile(r"(?:为|是|于|从|至|达|超过|由|通过|包括|给予|按照?|可以?|应当?|要|将|实行|设立|开通|：|:)$")
_OPENS = re.compile(r"^(?:据|同时|此外|另外|其中|记者|近日|目前|在.{2,12}方面|为)")
_SIGNS = frozenset(" \t\n　，,。；;：:、！？!?“”（）()《》")
_DENIES = re.compile(r"(?:不|不得|不予|不再|不能|不可|不应|未|无|无需|无须|严禁|禁止|除|非|免|停止|暂停|取消)$")
_SHOWN_CHARS = 220           # a longer sentence is not shown whole
_TOLD = 0.5                  # of a clause's letters left out before the answer, at least; 0.4 and 0.6 gained less
_BRACKETS = (("（", "）"), ("“", "”"), ("《", "》"), ("【", "】"), ("(", ")"))
_BRACKET_CHARS = 24
_EDGE = "，,、；;：: 　\n\t"
Cut = Callable[[str], Iterable[str]]
Marks = NDArray[np.bool_]        # of each character, whether it is something


@dataclass(frozen=True, slots=True)
class Words:
    """The words around a sentence, as places in the text of its article, with a row of numbers for each."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    names: tuple[str, ...]
    table: Numbers
    begins: Numbers              # where an answer may begin without tearing something apart
    closes: Numbers              # and end


class Parts:
    """The sentences of one question, each cut into words when it is first looked at."""

    def __init__(self, asked: Asked, sentences: Sentences, cut: Cut) -> None:
        self._asked, self._sentences, self._cut = asked, sentences, cut
        self._parts: dict[int, _Part] = {}

    def around(self, scores: Numbers, best: int) -> Words:
        """The words of ``best`` and of its neighbours."""
        parts = [self._part(place) for place in _neighbours(self._sentences, best)]
        columns = [part.columns(scores, best) for part in parts]
        return Words(
            self._sentences.hits[self._sentences.article[best]].text,
            tuple(int(n) for part in parts for n in part.starts + part.unit.start),
            tuple(int(n) for part in parts for n in part.ends + part.unit.start),
            tuple(columns[0]),
            np.concatenate([np.stack(list(one.values()), axis=1) for one in columns]).astype(np.float32),
            np.concatenate([part.begins for part in parts]),
            np.concatenate([part.closes for part in parts]),
        )

    def _part(self, place: int) -> _Part:
        if place not in self._parts:
            self._parts[place] = _Part(self._asked, self._sentences, place, self._cut)
        return self._parts[place]


def best_span(words: Words, likely: Numbers) -> tuple[Passage, float]:
    """The run of words whose overlap with the unknown answer, as F1 of their characters, is expected to be greatest;
    and that expectation.

    ``likely``: of each word, that it belongs to the answer.
    """
    sizes = np.array(
        [
            sum(sign not in _SIGNS for sign in words.text[a:b])
            for a, b in zip(words.starts, words.ends, strict=True)
        ],
        dtype=np.float32,
    )
    held = np.concatenate([[0], np.cumsum(likely * sizes)])
    long = np.concatenate([[0], np.cumsum(sizes)])
    gained = 2 * (held[None, 1:] - held[:-1, None])
    out_of = (long[None, 1:] - long[:-1, None]) + held[-1]
    value = gained / np.maximum(out_of, 1e-6)
    value[np.tril_indices(len(sizes), -1)] = -1
    value *= words.begins[:, None] * words.closes[None, :]
    first, last = np.unravel_index(int(np.argmax(value)), value.shape)
    return _tidy(words.text, words.starts[int(first)], words.ends[int(last)]), float(value[first, last])


def unambiguous(asked: Asked, text: str, units: Sequence[Unit], span: Passage) -> Passage:
    """The whole sentence instead, where it holds other sums, shares or days than ``span``, which might be meant as
    well: 最高不超过18万元 alone says not for whom. What stands beside the words of the question is meant."""
    whole = [unit for unit in units if unit.start < span.end and span.start < unit.end]
    start, end = whole[0].start, whole[-1].end
    found = [
        (match.start(), match.end()) for name in phrases_sought(asked.text)[:2]
        for match in PHRASES[name].finditer(text, start, end)
    ]
    if end - start > _SHOWN_CHARS or all(a < span.end and span.start < b for a, b in found):
        return span
    clauses = [(match.start(), match.end()) for match in _CLAUSE.finditer(text, start, end)]
    weights = [_weight(text[a:b], asked) for a, b in clauses]
    own = [n for n, (a, b) in enumerate(clauses) if a < span.end and span.start < b]
    best = weights.index(max(weights))
    beside = any(n in (best, best + 1) for n in own) and weights[own[0]] > 0
    return span if beside else Passage(start, end)


def _tidy(text: str, start: int, end: int) -> Passage:
    while start < end and text[start] in _EDGE + "。）)”’":
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    for opening, closing in _BRACKETS:
        start, end = _paired(text, start, end, opening, closing)
    return Passage(start, end)


def _paired(text: str, start: int, end: int, opening: str, closing: str) -> tuple[int, int]:
    """With the other bracket, where it stands near, else without the one."""
    said, before = text[start:end], (start, end)
    closes, opens = said.find(closing), said.rfind(opening)
    if closes >= 0 and opening not in said[:closes]:
        near = text.rfind(opening, max(0, start - _BRACKET_CHARS), start)
        start = near if near >= 0 and closing not in text[near:start] else start + closes + 1
    if opens >= 0 and closing not in said[opens:]:
        near = text.find(closing, end, end + _BRACKET_CHARS)
        end = near + 1 if near >= 0 and opening not in text[end:near] else start + text[start:end].rfind(opening)
    while start < end and text[start].isspace():
        start += 1
    return (start, end) if start < end else before


def _neighbours(sentences: Sentences, best: int) -> list[int]:
    def chars(place: int) -> int:
        unit = sentences.unit_of(place)
        return unit.end - unit.start

    def beside(place: int) -> bool:
        return 0 <= place < len(sentences) and sentences.article[place] == sentences.article[best]

    total, first, last = chars(best), best, best
    while beside(last + 1) and last + 1 - best <= _AFTER and total < _CHARS:
        last += 1
        total += chars(last)
    while beside(first - 1) and best - (first - 1) <= _BEFORE and total < _CHARS:
        first -= 1
        total += chars(first)
    return list(range(first, last + 1))


class _Part:
    """One sentence, its words and clauses."""

    def __init__(self, asked: Asked, sentences: Sentences, place: int, cut: Cut) -> None:
        self.unit = sentences.unit_of(place)
        self.text = sentences.text(place)
        self._asked, self._sentences, self._place = asked, sentences, place
        sizes = np.array([len(word) for word in cut(self.text)], dtype=np.intp)
        self.ends = np.cumsum(sizes)
        self.starts = self.ends - sizes
        self._clauses = [(m.start(), m.end()) for m in _CLAUSE.finditer(self.text)] or [(0, len(self.text))]
        self._clause = np.searchsorted([end for _, end in self._clauses], self.starts, side="right").clip(
            0, len(self._clauses) - 1
        )
        self._said = _said(self.text, asked)
        self._said_before = np.concatenate([[0], np.cumsum(self._said)])
        self._sought = phrases_sought(asked.text)[:2]
        self._phrases = _phrases(self.text, self._sought)
        self._any = _phrases(self.text, ("phone", "share", "money", "time", "number"))

    def columns(self, scores: Numbers, best: int) -> dict[str, Numbers]:
        return self._of_sentence(scores, best) | self._own

    @cached_property
    def _own(self) -> dict[str, Numbers]:
        """What does not depend on which sentence is the best."""
        return self._of_words() | self._of_clauses()

    @cached_property
    def begins(self) -> Numbers:
        """At a clause's first word, behind a word of the question or one that announces; not within a number."""
        firsts = np.isin(self.starts, [start for start, _ in self._clauses])
        after = np.array([self._opened(int(start)) for start in self.starts])
        whole = ~self._inside(self.starts)
        return np.asarray((firsts | after) & whole, dtype=np.float32)

    @cached_property
    def closes(self) -> Numbers:
        """At a clause's last word, before a word of the question, behind a phrase of what is asked for."""
        lasts = np.isin(self.ends, [end for _, end in self._clauses]) | (self.ends == len(self.text))
        before = np.array([self._shut(int(end)) for end in self.ends])
        whole = ~self._inside(self.ends)
        return np.asarray((lasts | before) & whole, dtype=np.float32)

    def _opened(self, start: int) -> bool:
        """What is left out before it must be what the question says itself."""
        if self._told(self._clause_of(start)[0], start) < _TOLD:
            return False
        if start == 0 or _DENIES.search(self.text[max(0, start - 3) : start]):
            return start == 0
        starts_phrase = bool(self._phrases[start]) and not self._phrases[start - 1]
        return bool(self._said[start - 1] or starts_phrase or _CUE.search(self.text[max(0, start - 3) : start])
                    or self.text[start - 1] in "“（(、的")

    def _told(self, start: int, end: int) -> float:
        """The share of the letters that the question says."""
        return float(self._said_before[end] - self._said_before[start]) / (end - start) if end > start else 1.0

    def _clause_of(self, place: int) -> tuple[int, int]:
        return next(((a, b) for a, b in self._clauses if a <= place < b), (place, place))

    def _shut(self, end: int) -> bool:
        if end >= len(self.text):
            return True
        ends_phrase = bool(self._phrases[end - 1]) and not self._phrases[end]
        return bool(ends_phrase or self._said[end] or self.text[end] in "，。；、：”）)等的")

    def _inside(self, places: Whole) -> Marks:
        """Whether a number with its unit goes on across each place."""
        inner = places.clip(1, len(self.text) - 1)
        return np.asarray(
            self._any[inner] & self._any[inner - 1] & (places > 0) & (places < len(self.text)), dtype=np.bool_
        )

    def _of_sentence(self, scores: Numbers, best: int) -> dict[str, Numbers]:
        sentences, place = self._sentences, self._place
        asked = self._asked.text
        broad = is_broad(asked)
        one = {
            "offset": place - best, "same_above": sentences.above[place] == sentences.above[best],
            "behind_best": scores[place] - scores[best], "behind_all": scores[place] - scores.max(),
            "length": len(self.text), "phrases": _runs(self._phrases), "broad": broad, "sought": len(self._sought),
            "narrow": bool(self._sought) and not broad, "asked_chars": len(asked),
            **{name: float(sentences.column(name)[place]) for name in ("hs_p", "p_cov", "rest_cov")},
        }
        return {name: np.full(len(self.starts), value, dtype=np.float32) for name, value in one.items()}

    def _of_words(self) -> dict[str, Numbers]:
        said = self._said.astype(np.float32)
        total = self._said_before
        held = total[self.ends] - total[self.starts]
        at = np.where(self._said, np.arange(len(said)), -_FAR)
        last = np.maximum.accumulate(at)[self.ends - 1]
        where = np.flatnonzero(self._said)
        first, final = (where[0], where[-1]) if len(where) else (len(said), -1)
        phrases, every = (np.concatenate([[0], np.cumsum(one)]) for one in (self._phrases, self._any))
        starts, ends = self.starts, self.ends
        signs = [self.text[a:b] for a, b in zip(starts, ends, strict=True)]
        depth = np.cumsum([(w in "（(") - (w in "）)") for w in signs]).clip(0)
        quoted = np.cumsum([("“" in w) - ("”" in w) for w in signs]).clip(0)
        return {
            "said": held / (ends - starts), "since": np.minimum(ends - 1 - last, _FAR),
            "done": total[ends] / max(1, total[-1]), "after_last": starts - final, "after_first": starts - first,
            "at": starts / len(said),
            "phrase": phrases[ends] > phrases[starts], "any_phrase": every[ends] > every[starts],
            "phrase_ahead": phrases[-1] > phrases[starts], "phrase_behind": phrases[starts] > 0,
            "sign": np.array([w in "，,；;：:。！、" for w in signs]), "depth": depth, "quoted": quoted,
            "cue": np.array([bool(_CUE.search(self.text[max(0, a - 3) : a])) for a in starts]),
            "size": ends - starts,
        }

    def _of_clauses(self) -> dict[str, Numbers]:
        of = np.array([_weight(self.text[a:b], self._asked) for a, b in self._clauses], dtype=np.float32)
        before = np.concatenate([[0], np.cumsum(of)])[:-1]
        total = max(float(of.sum()), 1e-6)
        opens = np.array([bool(_OPENS.match(self.text[a:])) for a, _ in self._clauses])
        edges = np.array(self._clauses)
        clause = self._clause
        return {
            "clause": clause, "clauses_left": len(of) - 1 - clause, "clause_p": of[clause],
            "clause_share": of[clause] / total, "clause_best": clause - int(of.argmax()),
            "clause_before": before[clause] / total, "clauses_p": np.full(len(clause), total), "opens": opens[clause],
            "from_clause": self.starts - edges[clause, 0], "to_clause": edges[clause, 1] - self.ends,
            "clause_size": edges[clause, 1] - edges[clause, 0],
        }


def _said(text: str, asked: Asked) -> Marks:
    """Of each character whether it is one of a pair that the question holds."""
    even = plain(text)
    even = even if len(even) == len(text) else text.lower()
    pairs = set(asked.terms.pairs)
    found = np.zeros(len(text), dtype=bool)
    for place in range(len(text) - 1):
        if even[place : place + 2] in pairs:
            found[place : place + 2] = True
    return found


def _phrases(text: str, names: Iterable[str]) -> Marks:
    found = np.zeros(len(text) + 1, dtype=bool)
    for name in names:
        for match in PHRASES[name].finditer(text):
            found[match.start() : match.end()] = True
    return found


def _runs(holds: Marks) -> int:
    return int((holds[1:] & ~holds[:-1]).sum() + holds[:1].sum())


def _weight(text: str, asked: Asked) -> float:
    """The share of the question's weight whose pairs stand in ``text``."""
    even = plain(text)
    weights = asked.terms.pair_weights
    held = sum(weight for pair, weight in zip(asked.terms.pairs, weights.tolist(), strict=True) if pair in even)
    return float(held / max(float(weights.sum()), 1e-6))
