"""The built-in ranker: a small boosted forest over the features of `kb.features`, shipped as text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ConfigError, IndexMismatch
from kb.features import AskedTerms, Candidate, Numbers, feature_matrix

if TYPE_CHECKING:
    from lightgbm import Booster

SHIPPED = Path(__file__).resolve().parent / "assets" / "ranker.txt"
BETWEEN = "\n=== next forest ===\n"


class Ranker:
    """Scores of candidates, higher is better; only their order and their differences within one question mean anything.

    Model: the mean of a few LambdaMART forests that differ by their seed: one alone moves up to two points of R@10
    with its seed. Source: Burges, From RankNet to LambdaRank to LambdaMART, 2010.
    """

    def __init__(self, path: Path = SHIPPED) -> None:
        """Raises `ConfigError` when there is no model at ``path``."""
        try:
            self._texts = path.read_text(encoding="utf-8").split(BETWEEN)
        except (OSError, UnicodeDecodeError) as error:
            raise _no_model(path, error) from error
        if not all(text.startswith("tree\n") for text in self._texts):
            raise _no_model(path, "第一行应为 tree")
        self._path = path

    @cached_property
    def _forests(self) -> list[Booster]:
        """Made by the first question: it takes 0.3 s, and most commands ask none."""
        import lightgbm

        try:
            return [lightgbm.Booster(model_str=text) for text in self._texts]
        except lightgbm.basic.LightGBMError as error:
            raise _no_model(self._path, error) from error

    def score(self, asked: AskedTerms, candidates: Sequence[Candidate]) -> Numbers:
        """Raises `IndexMismatch` when the model was trained on other features than this program computes."""
        names, table = feature_matrix(asked, candidates)
        self._check(names)
        scores = [forest.predict(table, num_threads=1) for forest in self._forests]
        return np.asarray(np.mean(scores, axis=0), dtype=np.float32)

    def explain(self, asked: AskedTerms, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """For each candidate how much every feature added to its score, and ``""``, what all start from.

        Source: Lundberg et al., Consistent individualized feature attribution for tree ensembles, 2018.
        """
        names, table = feature_matrix(asked, candidates)
        self._check(names)
        each = [forest.predict(table, pred_contrib=True, num_threads=1) for forest in self._forests]
        parts = np.mean(each, axis=0)
        return [dict(zip((*names, ""), row, strict=True)) for row in parts.tolist()]

    def _check(self, names: tuple[str, ...]) -> None:
        trained = tuple(self._forests[0].feature_name())
        if names != trained:
            missing = sorted(set(names) ^ set(trained))
            raise IndexMismatch(
                f"排序模型 {self._path} 用的特征与本程序不同（{'、'.join(missing) or '次序不同'}）。"
                "请用 policydesk train reranker 重新训练，或换回自带的模型（search.reranker: built-in）"
            )


def _no_model(path: Path, why: object) -> ConfigError:
    return ConfigError(f"search.reranker：{path} 不是排序模型（{why}）。请用 policydesk train reranker 训练")
