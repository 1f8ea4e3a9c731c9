"""Rerankers that compute here, from a checked folder. Their packages are imported when one is made, never before."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

import numpy as np

from core.config import ModelsConfig
from core.errors import ConfigError, MissingExtra
from core.model_m3 import M3Model, m3_scores
from core.model_store import ModelFolder
from core.model_torch import loading, runtime, to_int8
from core.ports import Scores


class CrossEncoderReranker:
    """A model that reads question and text together, such as bge-reranker-v2-m3: probabilities from 0 to 1."""

    def __init__(self, folder: ModelFolder, config: ModelsConfig) -> None:
        """Raises `MissingExtra`, `ConfigError`, `ModelRefused`."""
        _check_architecture(folder)
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise MissingExtra("sentence-transformers", "models") from error
        import torch

        how = runtime(config)
        with loading(folder):
            self._model = CrossEncoder(
                str(folder.path), device=how.device, local_files_only=True, activation_fn=torch.nn.Sigmoid(),
                model_kwargs={"dtype": how.dtype, "use_safetensors": True},
            )
            if how.int8:
                to_int8(self._model)
        if self._model.num_labels != 1:
            raise ConfigError(f"search.reranker：{folder.path} 的模型给出 {self._model.num_labels} 类，应为 1 个分数")
        own = self._model.max_seq_length
        self._model.max_seq_length = min(int(own), config.max_tokens) if own else config.max_tokens
        self._name = folder.name
        self._batch = config.batch
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        if not texts:
            return np.zeros(0, dtype=np.float32)
        pairs = [(question, text) for text in texts]
        with self._turn:
            scores = self._model.predict(pairs, batch_size=self._batch, show_progress_bar=False, convert_to_tensor=True)
        return np.asarray(scores.float().cpu().numpy(), dtype=np.float32)


class M3Reranker:
    """bge-m3's dense, lexical and token vectors together: about 0 to 1, with many shared words above."""

    def __init__(self, model: M3Model, config: ModelsConfig) -> None:
        self._model = model
        self._weights = (config.m3_dense, config.m3_lexical, config.m3_colbert)
        if not any(self._weights):
            raise ConfigError("models.m3_dense、m3_lexical、m3_colbert 都是 0，分数没有意义")

    @property
    def name(self) -> str:
        return f"{self._model.folder.name} {' '.join(f'{weight:g}' for weight in self._weights)}"

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        asked, *outputs = self._model.encode([question, *texts])
        return m3_scores(asked, outputs, self._weights)


def _check_architecture(folder: ModelFolder) -> None:
    """A bare encoder loads too, under a random head: its scores would be noise."""
    file = folder.path / "config.json"
    tree = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kinds = tree.get("architectures") or []
    if not any(str(kind).endswith("ForSequenceClassification") for kind in kinds):
        raise ConfigError(
            f"search.reranker：{folder.path} 的模型（{'、'.join(map(str, kinds)) or '未写明'}）不给问题和文本打分，"
            "应为 bge-reranker-v2-m3 一类的模型"
        )
