"""How search does on laws it was never trained on: by folds of laws, each trained without its own.

A law's fold follows from its name alone, so that two programs that never met make the same folds. 民法典 is a
fold of its own, since half of all gold lies in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PolicyDeskError
from eval.gold import GoldQuestion
from eval.measures import Group, PerQuery, paired, summarise
from eval.retrieval import Search, evaluate_retrieval

CIVIL_CODE = ("民法典", "中华人民共和国民法典")
SHOWN = ("R@10", "R@100", "RR@10")
_MUST_HOLD = ("R@10", "R@100")       # no fold may fall below BM25 in these

OpenSearch = Callable[[], AbstractContextManager[Search]]
"""Opens a search, and is closed before the next one is opened: they share one home."""
TrainFold = Callable[[Path], AbstractContextManager[Search]]
"""File with the names of the laws to leave out, one a line -> a search that was trained without them."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Some laws, and the questions whose gold lies in them alone."""

    number: int
    laws: tuple[str, ...]
    questions: tuple[GoldQuestion, ...]


@dataclass(frozen=True, slots=True)
class FoldScores:
    """One fold, or all of them pooled: the trained search, BM25, and their difference question by question."""

    name: str
    laws: int
    trained: Group
    plain: Group
    gain: Group

    @property
    def below(self) -> tuple[str, ...]:
        """Measures in which the trained search is worse than BM25."""
        return tuple(name for name in _MUST_HOLD if self.trained.n and self.gain.means[name] < 0)


@dataclass(frozen=True, slots=True)
class Generalisation:
    """All folds, and their questions pooled."""

    folds: tuple[FoldScores, ...]
    pooled: FoldScores
    left_out: int                     # questions whose gold lies in several folds, or that have none


def law_of(ref: str) -> str:
    """民法典 of ``民法典@2020-05-28#第五十四条``."""
    return ref.split("#", 1)[0].split("@", 1)[0]


def fold_of(law: str, folds: int) -> int:
    """``int(md5(name)) % (folds - 1)``; the last fold is 民法典 alone."""
    if law in CIVIL_CODE:
        return folds - 1
    return int(hashlib.md5(law.encode(), usedforsecurity=False).hexdigest(), 16) % (folds - 1)


def make_folds(questions: Iterable[GoldQuestion], laws: Iterable[str], *, folds: int = 5) -> list[Fold]:
    """``folds`` of them; ``laws`` are the names of all laws of the base, so that nothing of a fold is trained on."""
    if folds < 2:
        raise PolicyDeskError(f"至少要分 2 组，实际是 {folds}")
    asked = list(questions)
    inside: list[list[GoldQuestion]] = [[] for _ in range(folds)]
    for question in asked:
        where = {fold_of(law_of(ref), folds) for group in question.gold for ref in group}
        if len(where) == 1:
            inside[where.pop()].append(question)
    names = sorted({*laws, *(law_of(ref) for question in asked for group in question.gold for ref in group)})
    return [
        Fold(number, tuple(law for law in names if fold_of(law, folds) == number), tuple(inside[number]))
        for number in range(folds)
    ]


def generalisation(
    questions: Sequence[GoldQuestion],
    laws: Iterable[str],
    train: TrainFold,
    plain: OpenSearch,
    *,
    folds: int = 5,
    depth: int = 100,
    progress: Callable[[FoldScores], None] = lambda fold: None,
) -> Generalisation:
    """Train and ask every fold in turn; ``plain`` is BM25 over the same store. A fold without a question is left out.

    Raises `PolicyDeskError` when no question lies in a single fold.
    """
    parts = [fold for fold in make_folds(questions, laws, folds=folds) if fold.questions]
    if not parts:
        raise PolicyDeskError("没有一个问题的标准条文全在同一组法律中；标准集的 id 应形如 民法典@2020-05-28#第五条")
    asked = [question for fold in parts for question in fold.questions]
    with plain() as search:
        base = evaluate_retrieval(asked, search, depth=depth).scores.per_query
    pooled: dict[str, Mapping[str, float]] = {}
    scored: list[FoldScores] = []
    with TemporaryDirectory() as folder:
        for fold in parts:
            file = Path(folder) / f"laws-{fold.number}.txt"
            file.write_text("".join(f"{law}\n" for law in fold.laws), encoding="utf-8")
            with train(file) as search:
                own = evaluate_retrieval(fold.questions, search, depth=depth).scores.per_query
            pooled.update(own)
            scored.append(_compared(f"{fold.number}", len(fold.laws), own, base))
            progress(scored[-1])
    together = _compared("合计", sum(fold.laws for fold in scored), pooled, base)
    return Generalisation(tuple(scored), together, len(questions) - len(asked))


def generalisation_lines(result: Generalisation) -> Iterator[str]:
    """Markdown: trained / BM25 per fold and pooled, the pooled gain with its interval, and folds below BM25."""
    yield "| 组 | 法律 | 问题 | " + " | ".join(f"{name} 训练 / BM25" for name in SHOWN) + " |"
    yield "|" + " --- |" * (3 + len(SHOWN))
    for fold in (*result.folds, result.pooled):
        cells = [f"{fold.trained.means[name]:.3f} / {fold.plain.means[name]:.3f}" for name in SHOWN]
        yield f"| {fold.name} | {fold.laws} | {fold.trained.n} | " + " | ".join(cells) + " |"
    gain = result.pooled.gain
    yield "合计之差：" + "，".join(
        f"{name} {gain.means[name]:+.3f} [{gain.intervals[name][0]:+.3f}, {gain.intervals[name][1]:+.3f}]"
        for name in SHOWN
    )
    if result.left_out:
        yield f"{result.left_out} 个问题的标准条文分属几组或没有标准条文，未计"
    below = [f"第 {fold.name} 组 {'、'.join(fold.below)}" for fold in result.folds if fold.below]
    yield f"低于 BM25：{'；'.join(below)}" if below else "没有一组低于 BM25"


def _compared(name: str, laws: int, ours: PerQuery, base: PerQuery) -> FoldScores:
    plain = [base[question] for question in ours]
    return FoldScores(name, laws, summarise(list(ours.values())), summarise(plain), paired(ours, base))
