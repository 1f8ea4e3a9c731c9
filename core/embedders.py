"""Embedders that compute here, from a checked folder. Their packages are imported when one is made, never before."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from core.config import ModelsConfig
from core.errors import ConfigError, MissingExtra
from core.model_m3 import M3Model
from core.model_store import ModelFolder, question_prompt
from core.model_torch import loading, runtime, to_int8
from core.ports import Vectors


class SentenceTransformerEmbedder:
    """A folder that sentence-transformers wrote or reads, such as bge-small-zh. Threads take turns."""

    def __init__(self, folder: ModelFolder, config: ModelsConfig) -> None:
        """Raises `MissingExtra`, `ConfigError`, `ModelRefused`."""
        if not (folder.path / "modules.json").exists():
            raise ConfigError(f"index.embedder：{folder.path} 中没有 sentence-transformers 模型（缺 modules.json）")
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtra("sentence-transformers", "models") from error
        how = runtime(config)
        with loading(folder):
            self._model = SentenceTransformer(
                str(folder.path), device=how.device, local_files_only=True,
                model_kwargs={"dtype": how.dtype, "use_safetensors": True},
            )
            if how.int8:
                to_int8(self._model)
        own = self._model.max_seq_length
        if own is not None:
            self._model.max_seq_length = min(int(own), config.max_tokens)
        dim = self._model.get_embedding_dimension()
        if dim is None:
            raise ConfigError(f"index.embedder：{folder.path} 的模型不给出句向量")
        self._dim = int(dim)
        self._name = folder.name
        self._batch = config.batch
        self._prompt = None if self._has_prompt("query") else question_prompt(folder) or None
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self._dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, question=False)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """With the instruction of the folder's own settings, else that of the model's makers where we know it."""
        return self._encode(texts, question=True)

    def _has_prompt(self, name: str) -> bool:
        return bool((self._model.prompts or {}).get(name))

    def _encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        if not texts:
            return np.zeros((0, self._dim), dtype=np.float32)
        encode = self._model.encode_query if question else self._model.encode_document
        with self._turn:
            vectors = encode(
                list(texts), prompt=self._prompt if question else None, batch_size=self._batch,
                normalize_embeddings=True, show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)


class M3Embedder:
    """bge-m3's dense vectors. It needs no instruction before a question."""

    def __init__(self, model: M3Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.folder.name

    @property
    def dim(self) -> int:
        return self._model.dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._model.dense(texts)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        return self._model.dense(texts)
