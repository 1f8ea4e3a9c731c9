"""Questions with the sentences and words that answer them -> the forests and the curve of `qa.select`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import PolicyDeskError
from kb.features import Numbers
from kb.ranker import BETWEEN

# Few leaves: some 550 questions of people teach it, and 2,400 made ones. A sentence that holds the kind of thing that
# is asked for is never the worse for it.
_SENTENCES = {
    "objective": "lambdarank", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 30,
    "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "lambdarank_truncation_level": 10,
    "label_gain": list(range(21)), "verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True,
}
_WORDS = {
    "objective": "binary", "num_leaves": 7, "learning_rate": 0.05, "min_data_in_leaf": 60, "feature_fraction": 0.6,
    "bagging_fraction": 0.7, "bagging_freq": 1, "verbosity": -1, "num_threads": 1, "deterministic": True,
    "force_row_wise": True,
}
_FORESTS = 3                 # of sentences: one alone moves by a point of ROUGE-L with its seed
_WORD_FORESTS = 2
_SENTENCE_TREES, _WORD_TREES = 200, 200
_RISING = ("phrase", "first_kind", "t_hit")
_STEPS = 20                  # of a gain from 0 to 1
_PART = 0.7                  # gain of a sentence that holds the whole answer among much else

EVIDENCE = (
    "sentence_holds", "document_holds", "document_lacks", "doc_p", "dense_h", "t_share", "pl_art", "pl_clash",
    "phrase", "first_kind", "beside", "best", "lacks_much",
)
WORDING = ("rarity", "odd", "talk", "formal", "kind_rank", "pl_n")
_MODELLED = (*EVIDENCE, "rarity", "talk", "kind_rank")
_L2 = 0.02
_REFUSED = 0.07              # of the questions that have an answer, in every wording
_WEIGHTS = {"made": 0.5, "question": 0.5}     # where questions of a kind are many, or few


@dataclass(frozen=True, slots=True)
class SentenceExample:
    """One question's sentences as numbers, and how well each answers, from 0 to 1."""

    names: tuple[str, ...]
    table: Numbers
    gains: Numbers


@dataclass(frozen=True, slots=True)
class WordExample:
    """The words around one answer, and which belong to it."""

    names: tuple[str, ...]
    table: Numbers
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SignExample:
    """What `qa.select_confidence.signs_of` found for a question."""

    kind: str                    # of the question: policy, everyday, question (of law), made
    signs: Mapping[str, float]
    answerable: bool             # its document is among those searched
    found: bool                  # and among those found


def gain_of(overlap: int, sentence: int, answer: int) -> float:
    """Of a sentence of so many characters that shares ``overlap`` with an answer."""
    return max(2 * overlap / (sentence + answer), _PART * overlap / answer)


def train_sentences(examples: Sequence[SentenceExample], out: Path, *, seed: int) -> None:
    """Raises `PolicyDeskError` when there is nothing to learn from."""
    import lightgbm

    if not any(example.gains.any() for example in examples):
        raise PolicyDeskError("没有一个问题的答案在候选句子中，学不到排序。请确认 --home 已收入这些问题所引的文件")
    names = examples[0].names
    gains = np.concatenate([example.gains for example in examples])
    forests = []
    for number in range(_FORESTS):
        data = lightgbm.Dataset(
            np.concatenate([example.table for example in examples]), np.round(gains * _STEPS).astype(int),
            group=[len(example.gains) for example in examples], feature_name=list(names),
        )
        rising = [int(name in _RISING) for name in names]
        parameters = {**_SENTENCES, "seed": seed + number, "monotone_constraints": rising}
        forests.append(lightgbm.train(parameters, data, num_boost_round=_SENTENCE_TREES).model_to_string())
    out.write_text(BETWEEN.join(forests), encoding="utf-8")


def train_words(examples: Sequence[WordExample], out: Path, *, seed: int) -> None:
    """Raises `PolicyDeskError` when there is nothing to learn from."""
    import lightgbm

    if not examples:
        raise PolicyDeskError("没有一个问题找到了它的答案，学不到答案的起止。请增加 --made 或换一个知识库")
    forests = []
    for number in range(_WORD_FORESTS):
        data = lightgbm.Dataset(
            np.concatenate([example.table for example in examples]),
            np.concatenate([example.inside for example in examples]).astype(int),
            feature_name=list(examples[0].names),
        )
        forest = lightgbm.train({**_WORDS, "seed": seed + number}, data, num_boost_round=_WORD_TREES)
        forests.append(forest.model_to_string())
    out.write_text(BETWEEN.join(forests), encoding="utf-8")


def train_curve(examples: Sequence[SignExample], out: Path) -> None:
    """A logistic curve of the evidence, less what one answerable question in twenty stays below in its wording.

    At 0.5 lies that limit. Raises `PolicyDeskError` when there is nothing to learn from.
    """
    known = [example for example in examples if example.found or not example.answerable]
    right = np.array([example.found for example in known])
    if right.all() or not right.any():
        raise PolicyDeskError("需要有答案和没有答案的问题各一些，才学得到何时拒答")
    weights = np.array([_weight(example, everyday=1.0) for example in known])
    modelled, means, deviations = _scaled(_table(known, _MODELLED))
    slopes = _logistic(modelled, right.astype(np.float64), weights)
    answerable = [example for example in examples if example.answerable]
    score = (_table(answerable, _MODELLED) - means) / deviations @ slopes[:-1] + slopes[-1]
    wording, wording_means, wording_deviations = _scaled(_table(answerable, WORDING))
    lowest = _quantile(score, wording, np.array([_weight(e, everyday=3.0) for e in answerable]))
    names = tuple(dict.fromkeys((*_MODELLED, *WORDING)))
    per_unit = dict.fromkeys(names, 0.0)
    for name, slope, deviation in zip(_MODELLED, slopes[:-1], deviations, strict=True):
        per_unit[name] += slope / deviation
    for name, slope, deviation in zip(WORDING, lowest[:-1], wording_deviations, strict=True):
        per_unit[name] -= slope / deviation
    start = slopes[-1] - (slopes[:-1] * means / deviations).sum()
    start -= lowest[-1] - (lowest[:-1] * wording_means / wording_deviations).sum()
    stored = {
        "names": list(names), "means": [0.0] * len(names), "deviations": [1.0] * len(names),
        "weights": [round(float(per_unit[name]), 6) for name in names], "start": round(float(start), 6),
    }
    out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def _weight(example: SignExample, *, everyday: float) -> float:
    return everyday if example.kind == "everyday" else _WEIGHTS.get(example.kind, 1.0)


def _table(examples: Sequence[SignExample], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[example.signs[name] for name in names] for example in examples], dtype=np.float64)


def _scaled(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    means, deviations = table.mean(axis=0), table.std(axis=0) + 1e-9
    return (table - means) / deviations, means, deviations


def _logistic(table: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]) -> Numbers:
    """Slopes and, last, the constant; by plain descent, which some thousand rows need no better than."""
    rows, shares = np.c_[table, np.ones(len(table))], weights / weights.sum()
    slopes = np.zeros(rows.shape[1])
    for _ in range(1_500):
        likely = 1 / (1 + np.exp(-rows @ slopes))
        slope = rows.T @ (shares * (likely - right))
        slope[:-1] += _L2 * slopes[:-1]
        slopes -= slope
    return np.asarray(slopes)


def _quantile(score: NDArray[np.float64], table: NDArray[np.float64], weights: NDArray[np.float64]) -> Numbers:
    """Slopes and constant of the line below which `_REFUSED` of the scores lie, whatever the columns are.

    Source: Koenker and Bassett, Regression Quantiles, 1978; by descent along its pinball loss.
    """
    rows, shares = np.c_[table, np.ones(len(table))], weights / weights.sum()
    slopes = np.zeros(rows.shape[1])
    slopes[-1] = np.quantile(score, _REFUSED)
    for step in range(8_000):
        above = score > rows @ slopes
        slope = rows.T @ (shares * np.where(above, _REFUSED, _REFUSED - 1))
        slopes += (0.2 if step < 4_000 else 0.04) * slope
    return np.asarray(slopes)
