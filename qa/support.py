"""How much of a draft sentence its quotes say, 0 to 1: shared letters and, where there is one, an encoder.

The weights and the threshold were chosen by ``python -m eval.attacks calibrate data_samples/policies DOCUMENTS`` (the
37 documents of policy_guangzhou) on one half of the documents and on what was written by hand; the other half is what
`policydesk eval attacks` measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from core.ports import Embedder
from qa.restated import Clause, Match, Unit, source_of, uncovered
from qa.said import GAP

_LIGHT = frozenset("收交领拿用做去来说看后前又才便")      # say little by themselves: 每证收工本费15元
_ASIDE = 0.25                # a letter that another sentence of the same quote holds

Judge = Callable[[str, Sequence[str]], bool]     # whether the quotes say the sentence; a model's opinion


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the score is made of."""

    novel: float                 # letters that the restated units do not hold; one that stands alone there counts half
    longest: int                 # run of such letters
    replaced: int                # letters of them that stand in the place of others of the quote
    least: float                 # the least share of any clause
    meaning: float               # cosine of sentence and restated text; `Weights.no_meaning` without an encoder


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a logistic score. These are for letters alone."""

    bias: float = 1.166
    novel: float = -1.677
    longest: float = -1.645
    replaced: float = -1.919
    least: float = 1.372
    meaning: float = 1.05
    no_meaning: float = 0.9      # stands for the cosine where there is no encoder
    threshold: float = 0.595


WITH_ENCODER = Weights(1.136, -1.642, -1.655, -1.875, 1.343, 1.173, 0.927, 0.567)


@dataclass(frozen=True, slots=True)
class Support:
    """With ``embedder`` None the letters alone decide."""

    embedder: Embedder | None = None
    weights: Weights = Weights()
    judge: Judge | None = None

    def score(self, likeness: Likeness) -> float:
        w = self.weights
        total = (
            w.bias + w.novel * likeness.novel + w.longest * likeness.longest + w.replaced * likeness.replaced
            + w.least * likeness.least + w.meaning * likeness.meaning
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))

    def likeness(self, sentence: str, matches: Sequence[Match], names: frozenset[str]) -> Likeness:
        novel, longest, replaced, least = 0.0, 0, 0, 1.0
        said = frozenset().union(*(match.clause.pairs for match in matches)) if matches else frozenset()
        for match in matches:
            letters, missing = _novel(match, names)
            alone = match.unit.letters if match.unit else frozenset()
            bare = match.clause.core.replace(GAP, "")
            others = frozenset(missing)
            if missing:
                others -= frozenset(uncovered(match.clause.core, match.around)[1])
            novel += sum(
                _ASIDE if n in others else 0.5 if bare[n] in alone or bare[n] in _LIGHT else 1.0 for n in missing
            )
            missing = [n for n in missing if n not in others and bare[n] not in alone and bare[n] not in _LIGHT]
            longest = max(longest, _run(missing))
            if missing and match.unit:
                replaced += _replaced(bare, missing, match.unit, match.clause, said)
            if letters:
                least = min(least, 1 - len(missing) / letters)
        return Likeness(novel, longest, replaced, least, self._meaning(sentence, matches))

    def _meaning(self, sentence: str, matches: Sequence[Match]) -> float:
        if self.embedder is None:
            return self.weights.no_meaning
        restated = "".join(dict.fromkeys(match.unit.text for match in matches if match.unit))
        one, other = self.embedder.embed([sentence, restated])
        return float(one @ other)


def _novel(match: Match, names: frozenset[str]) -> tuple[int, list[int]]:
    unit: Unit | None = match.unit
    held = names | unit.pairs if unit else names
    return uncovered(match.clause.core, held)


def _replaced(bare: str, missing: Sequence[int], unit: Unit, clause: Clause, said: frozenset[str]) -> int:
    """居民 where the quote says 职工: both sides hold letters that the other does not."""
    source = source_of(clause, (*unit.lead, *unit.clauses))
    if source is None:
        return 0
    theirs = source.core.replace(GAP, "")
    lost = frozenset(uncovered(source.core, said)[1])
    found = 0
    for tag, a, b, c, d in SequenceMatcher(None, bare, theirs, autojunk=False).get_opcodes():
        if tag == "replace" and any(n in lost for n in range(c, d)):
            found += sum(n in missing for n in range(a, b))
    return found


def _run(places: Sequence[int]) -> int:
    best = run = 0
    for n, place in enumerate(places):
        run = run + 1 if n and places[n - 1] == place - 1 else 1
        best = max(best, run)
    return best
