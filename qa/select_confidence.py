"""How sure it is that the best sentence answers: a logistic curve over what of the question stands where."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.records import Hit
from kb.features import Numbers
from qa.evidence import Terms
from qa.select_features import Sentences

_COLUMNS = (
    "union_p", "art_p", "doc_p", "dense", "dense_h", "pl_art", "pl_clash", "pl_same", "t_miss", "t_share", "score",
    "restl_cov", "rest_near", "title_p", "terms", "run_share",
)


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


def signs_of(terms: Terms, hits: Sequence[Hit], sentences: Sentences, scores: Numbers, best: int) -> dict[str, float]:
    """What tells an answer from a passage that is merely near, of the sentence ``best``."""
    hit = sentences.hits[sentences.article[best]]
    facts = hit.document.facts
    above = (facts.title, *hit.heading)
    beside = [other for other in hits if other.document.id == hit.document.id]
    places = {
        "sentence": "\n".join((*above, sentences.above[best], sentences.text(best))),
        "article": "\n".join((*above, hit.text)),
        "document": "\n".join((facts.title, *(part for other in beside for part in (*other.heading, other.text)))),
    }
    signs = {f"{name}_holds": terms.coverage(text) for name, text in places.items()}
    signs |= {f"{name}_lacks": terms.missing(text) for name, text in places.items()}
    for name in _COLUMNS:
        signs[name] = float(sentences.column(name)[best])
    top = sorted(scores.tolist())[-2:]
    signs["lead"] = top[-1] - top[0]
    signs["best"] = top[-1]
    signs["top_score"] = float(sentences.column("score").max())
    signs["words"] = float(len(terms.weights))
    return signs
