"""Small boosted forests, shipped as text: they order sentences and say which words of them answer."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import IndexMismatch
from kb.features import Numbers
from kb.ranker import BETWEEN

if TYPE_CHECKING:
    from lightgbm import Booster

ASSETS = Path(__file__).resolve().parent / "assets"


class Forest:
    """The mean of a few forests that differ by their seed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _forests(self) -> list[Booster]:
        """Made by the first question: most commands ask none."""
        import lightgbm

        return [lightgbm.Booster(model_str=text) for text in self._path.read_text(encoding="utf-8").split(BETWEEN)]

    def score(self, names: tuple[str, ...], table: Numbers) -> Numbers:
        """One number per row. Raises `IndexMismatch` when it was trained on other columns."""
        trained = tuple(self._forests[0].feature_name())
        if names != trained:
            raise IndexMismatch(
                f"{self._path} 用的特征与本程序不同。请用 policydesk train evidence 重新训练，或重新安装"
            )
        return np.asarray(
            np.mean([forest.predict(table, num_threads=1) for forest in self._forests], axis=0), dtype=np.float32
        )
