"""The sentences of a document that say how much, how long or on what condition, and the keys by which alike ones meet.

Two sentences that differ in their values only have the same *shape*. Shapes that share a third of their character
pairs or more are likely to share a key: with 12 keys of two minima each, two that share half meet 97 times in 100, a
third 76 times (Broder 1997, as in `kb.curation.sketch`). So sentences on one matter are found without comparing all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Document
from kb.conflicts.quantities import Dimension, Quantity, quantities

KEYS = 12
_ROWS = 2
_MULTIPLIERS = np.random.default_rng(2015).integers(0, 2**63, size=KEYS * _ROWS, dtype=np.uint64) << 1 | 1
_SHORTEST, _LONGEST = 6, 400         # letters of a shape

_SENTENCE = re.compile(r"[^。；;！？\n]+")
_ITEM = re.compile(                  # one group for each level
    r"[\s　]*(?:([一二三四五六七八九十]{1,3}、)|([（(][一二三四五六七八九十]{1,3}[）)])|(\d{1,2}[.．、)](?!\d))"
    r"|([（(]\d{1,2}[）)])|([①-⑳]))\s*"
)
_CONDITION = re.compile(
    r"应当|可以|不得|必须|无需|不需|免费|免收|免予|不收|户籍|常住|不予|禁止|不可|不能|超过|低于|少于|以[上下内]|不计入|计入"
)
# A date on which a rule begins or was signed, and a goal of a plan, are no rule that another could contradict.
_NO_RULE = re.compile(
    r"起(?:正式)?(?:施行|实施|执行)|有效期|同时废止|印发之日|发布之日起|公布之日起|力争|到20[\d]{2}年|同比|增长|年均|据统计|我省现有"
    r"|目标|修[改订]为|改为|调整[为至到]|提高[到至]|降低[到至]|降至|由.{1,20}[为至到]"
)
# Says what follows when the sentence before it is not kept to.
_GOES_ON = re.compile(r"\s*(?:逾期|拒不|情节|造成|构成|[没有]*违法所得|其中|对直接|对其|[前上]述|前款|但)")
_NO_SENTENCE = re.compile(r"更多信息请关注|附件\s?[:：]|联系电话|联系人|公开程序|新华社|此件|网址|电子邮箱")
_LETTERS = re.compile(r"\W+|_")
# One private character for each dimension.
MARKS = {dimension: chr(0xE000 + n) for n, dimension in enumerate(Dimension)}
_MARK = re.compile("[\uE000-\uE00F]")

Keys = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of a document, or an item of a list together with what introduces it."""

    start: int                   # ``document.text[start:end]``
    end: int
    lead: tuple[int, int] | None     # span of 高龄津贴按照下列标准发放： above an item
    shape: str                   # its letters, each quantity as one mark
    opening: str                 # the letters of the lead
    quantities: tuple[Quantity, ...]     # with spans in the text

    def marks(self) -> list[int]:
        """Where the quantities stand in the shape."""
        return [match.start() for match in _MARK.finditer(self.shape)]


def clauses(document: Document) -> Iterator[Clause]:
    """Those with a quantity or a condition."""
    for article in document.articles:
        yield from clauses_of(document.text, article.start, article.end)


def clauses_of(text: str, start: int, end: int) -> Iterator[Clause]:
    """Of ``text[start:end]``."""
    leads: list[tuple[int, tuple[int, int]]] = []        # level and span of what introduces the items here
    before: tuple[int, int] | None = None
    for match in _SENTENCE.finditer(text, start, end):
        sentence = match.group()
        item = _ITEM.match(sentence)
        level = item.lastindex or 0 if item else 0
        leads = [lead for lead in leads if lead[0] < level]
        if sentence.rstrip().endswith(("：", ":")):
            leads.append((level, match.span()))
        elif sentence.count("|") < 3:
            above = leads[-1][1] if leads else before if _GOES_ON.match(sentence) else None
            found = make_clause(text, match.start(), match.end(), above)
            if found is not None:
                yield found
        if not _GOES_ON.match(sentence):
            before = match.span()


def make_clause(text: str, start: int, end: int, lead: tuple[int, int] | None) -> Clause | None:
    """None when it is too short or too long, or says no rule."""
    sentence = text[start:end]
    if not _SHORTEST <= len(sentence) <= 2 * _LONGEST or _NO_RULE.search(sentence) or _NO_SENTENCE.search(sentence):
        return None
    label = _ITEM.match(sentence)
    begin = label.end() if label else 0
    found = tuple(quantities(sentence[begin:]))
    if not found and not _CONDITION.search(sentence):
        return None
    pieces, at = [], begin
    for quantity in found:
        pieces += [_LETTERS.sub("", sentence[at : begin + quantity.start]), MARKS[quantity.dimension]]
        at = begin + quantity.end
    shape = "".join([*pieces, _LETTERS.sub("", sentence[at:])])
    if not _SHORTEST <= len(shape) <= _LONGEST:
        return None
    offset = start + begin
    moved = tuple(
        Quantity(q.start + offset, q.end + offset, q.dimension, q.value, q.unit) for q in found
    )
    opening = _LETTERS.sub("", text[lead[0] : lead[1]]) if lead else ""
    return Clause(start, end, lead, shape, opening, moved)


def letter_pairs(text: str) -> NDArray[np.uint32]:
    """Distinct numbers of the character pairs of ``text``, sorted."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    return np.unique((codes[:-1] << 16) ^ codes[1:])


def clause_keys(some: Sequence[Clause]) -> Keys:
    """One row of `KEYS` numbers for each."""
    if not some:
        return np.zeros((0, KEYS), dtype=np.uint32)
    pairs = [letter_pairs(clause.opening + clause.shape).astype(np.uint64) for clause in some]
    starts = np.cumsum([0] + [len(one) for one in pairs[:-1]])
    codes = np.concatenate(pairs) * np.uint64(0x9E3779B97F4A7C15)
    codes ^= codes >> np.uint64(29)
    keys = np.empty((len(some), KEYS), dtype=np.uint32)
    for key in range(KEYS):
        mixed = np.zeros(len(some), dtype=np.uint64)
        for row in range(_ROWS):
            minima = np.minimum.reduceat((codes * _MULTIPLIERS[key * _ROWS + row]) >> np.uint64(32), starts)
            mixed = (mixed ^ minima) * np.uint64(0xBF58476D1CE4E5B9)
        keys[:, key] = (mixed >> np.uint64(32)).astype(np.uint32)
    return keys
