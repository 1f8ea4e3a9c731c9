"""How sure it is that the best sentence answers: a logistic curve over what of the question stands where."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.records import Hit
from kb.background import Background
from kb.features import Numbers
from qa.evidence import Terms
from qa.select_features import Sentences
from qa.select_wording import wording_of

_COLUMNS = (
    "doc_p", "dense_h", "t_share", "pl_art", "pl_clash", "pl_n", "kind_rank",
    "phrase", "first_kind", "beside",
)
_MUCH = 0.25                 # of the question's weight in one word: without it the text speaks of something else
_CLIPPED = 3.0               # scores beyond are as good, or as bad


@dataclass(frozen=True, slots=True)
class Curve:
    """Weights of the signs, each brought to mean 0 and deviation 1 first."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    start: float

    def value(self, signs: Mapping[str, float]) -> float:
        """From 0 to 1."""
        found = np.array([signs[name] for name in self.names])
        score = float(((found - self.means) / self.deviations) @ np.array(self.weights)) + self.start
        return float(1 / (1 + np.exp(-score)))


def read_curve(path: Path) -> Curve:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Curve(
        tuple(stored["names"]), tuple(stored["means"]), tuple(stored["deviations"]), tuple(stored["weights"]),
        stored["start"],
    )


def signs_of(
    question: str, terms: Terms, hits: Sequence[Hit], sentences: Sentences, scores: Numbers, best: int,
    background: Callable[[], Background],
) -> dict[str, float]:
    """What tells an answer from a passage that is merely near, of the sentence ``best``; and how it is asked."""
    hit = sentences.hits[sentences.article[best]]
    title = hit.document.facts.title
    sentence = "\n".join((title, *hit.heading, sentences.above[best], sentences.text(best)))
    beside = [other for other in hits if other.document.id == hit.document.id]
    document = "\n".join((title, *(part for other in beside for part in (*other.heading, other.text))))
    signs = {
        "sentence_holds": terms.coverage(sentence), "document_holds": terms.coverage(document),
        "document_lacks": terms.missing(document), "best": float(np.clip(scores[best], -_CLIPPED, _CLIPPED)),
        **{name: float(sentences.column(name)[best]) for name in _COLUMNS},
    }
    signs["lacks_much"] = max(0.0, signs["document_lacks"] - _MUCH)
    return signs | wording_of(question, terms, background)
