"""Real models behind the ports. Their packages are imported when one is made, never before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import ConfigError, MissingExtra
from core.ports import Embedder, Vectors


class SentenceTransformerEmbedder:
    """A sentence-transformers model from a local folder (extra ``models``)."""

    def __init__(self, folder: Path) -> None:
        """Raises `MissingExtra` without the package, `ConfigError` when the folder holds no model."""
        if not (folder / "modules.json").exists():
            raise ConfigError(f"index.embedder：{folder} 中没有 sentence-transformers 模型（缺 modules.json）")
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtra("sentence-transformers", "models") from error
        self._model = SentenceTransformer(str(folder), local_files_only=True)
        self._name = f"sentence-transformers:{folder.name}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        dim = self._model.get_embedding_dimension()
        assert dim is not None
        return int(dim)

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def open_embedder(choice: str) -> Embedder | None:
    """The embedder that ``index.embedder`` names; None for ``none``."""
    return None if choice == "none" else SentenceTransformerEmbedder(Path(choice).expanduser())
