"""What refusing below a confidence would do, for every confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.measures import RESAMPLES, SEED

WRONGLY_REFUSED = (0.05, 0.08)       # shares of answerable questions that the issue lets be refused
_POINTS = 200


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Everything below the threshold refused, everything else answered; shares from 0 to 1."""

    threshold: float
    false_refusals: float        # of the questions that have an answer
    right_refusals: float        # of those that have none; the rest are false answers
    right_answers: float         # of the answerable questions that are answered, those rightly answered


@dataclass(frozen=True, slots=True)
class At:
    """The most that can be refused while at most ``limit`` of the answerable questions are."""

    limit: float
    point: CurvePoint
    right_refusals: tuple[float, float]      # 95 % interval: the threshold is chosen anew in each draw


@dataclass(frozen=True, slots=True)
class Curve:
    """By the confidence of each answer, whether it was given or refused."""

    answerable: int
    unanswerable: int
    points: tuple[CurvePoint, ...]               # threshold rising
    area: float                                  # chance that an answerable question has the higher confidence
    area_interval: tuple[float, float]
    at: tuple[At, ...]                           # for each of `WRONGLY_REFUSED`
    now: CurvePoint                              # as the answers were: ``threshold`` says nothing here

    @property
    def false_answers_now(self) -> float:
        return 1 - self.now.right_refusals


def curve(
    able: Sequence[float], unable: Sequence[float], *, right: Sequence[bool], refused: Sequence[bool],
    refused_unable: Sequence[bool], seed: int = SEED,
) -> Curve:
    """Confidences of answerable and unanswerable questions, at least one of each; ``right`` and ``refused`` of the
    former, ``refused_unable`` of the latter. What was refused counts as not right."""
    known, unknown, good = np.array(able), np.array(unable), np.array(right)
    every = np.unique(np.concatenate([known, unknown]))
    # above the highest all is refused; few enough thresholds to draw, the extremes always among them
    picked = every[np.unique(np.linspace(0, len(every) - 1, min(_POINTS, len(every))).astype(int))]
    thresholds = [*picked.tolist(), float(np.nextafter(every[-1], np.inf))]
    points = tuple(_point(threshold, known, unknown, good) for threshold in thresholds)
    given = ~np.array(refused)
    now = CurvePoint(
        0.0, float(np.mean(refused)), float(np.mean(refused_unable)), float(good[given].mean()) if given.any() else 0.0
    )
    area, *intervals = _intervals(known, unknown, seed)
    at = tuple(
        At(limit, _point(_threshold(known, limit), known, unknown, good), interval)
        for limit, interval in zip(WRONGLY_REFUSED, intervals, strict=True)
    )
    return Curve(len(able), len(unable), points, _area(known, unknown), area, at, now)


def _threshold(known: np.ndarray, limit: float) -> float:
    """The highest below which at most ``limit`` of ``known`` lie: one of them, since beyond it that one is refused."""
    return float(np.sort(known)[int(limit * len(known))])


def _intervals(known: np.ndarray, unknown: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """Of the area and of the right refusals at each of `WRONGLY_REFUSED`; both kinds of question are drawn anew."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(RESAMPLES):
        able, unable = (some[random.integers(0, len(some), len(some))] for some in (known, unknown))
        refused = [float((unable < _threshold(able, limit)).mean()) for limit in WRONGLY_REFUSED]
        rows.append([_area(able, unable), *refused])
    low, high = np.percentile(np.array(rows), [2.5, 97.5], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _point(threshold: float, known: np.ndarray, unknown: np.ndarray, good: np.ndarray) -> CurvePoint:
    kept = known >= threshold
    return CurvePoint(
        threshold, float((~kept).mean()), float((unknown < threshold).mean()),
        float(good[kept].mean()) if kept.any() else 0.0,
    )


def _area(known: np.ndarray, unknown: np.ndarray) -> float:
    """Ties count half. Source: Hanley and McNeil 1982."""
    order = np.sort(unknown)
    below = np.searchsorted(order, known, side="left")
    upto = np.searchsorted(order, known, side="right")
    return float(((below + upto) / 2).mean() / len(unknown))
