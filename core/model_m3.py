"""bge-m3's three outputs: a dense vector, a weight for each token, and a vector for each token.

Written on transformers alone. FlagEmbedding 1.4.2 does not import beside transformers 5, reads its two small heads from
pickle only and turns bf16 off on a CPU; a test compares the numbers with it where it is installed. Source: Chen et
al., BGE M3-Embedding, 2024.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.config import ModelsConfig
from core.errors import MissingExtra
from core.model_store import ModelFolder
from core.model_torch import loading, runtime, to_int8
from core.ports import Scores, Vectors

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class M3Output:
    """Of one text."""

    dense: Vectors                 # shape (dim,), L2 norm 1
    lexical: dict[int, float]      # token id -> weight above 0; special tokens left out
    tokens: Vectors                # shape (tokens, dim), rows of norm 1; the first token left out


class M3Model:
    """Loaded once for the embedder and the reranker. Threads take turns: fast tokenizers cannot be shared."""

    def __init__(self, folder: ModelFolder, config: ModelsConfig) -> None:
        """Raises `MissingExtra`, `ConfigError`, `ModelRefused`."""
        self.folder = folder
        self._batch = config.batch
        self._turn = threading.Lock()
        self._runtime = runtime(config)
        try:
            from safetensors.torch import load_file
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise MissingExtra("transformers", "models") from error
        import torch

        path, dtype, device = str(folder.path), self._runtime.dtype, self._runtime.device
        with loading(folder):
            self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model = AutoModel.from_pretrained(path, local_files_only=True, use_safetensors=True, dtype=dtype)
            heads = {}
            for name in ("colbert", "sparse"):
                state = load_file(folder.path / f"{name}_linear.safetensors")
                sides = state["weight"].shape
                heads[name] = torch.nn.Linear(sides[1], sides[0], dtype=dtype)
                heads[name].load_state_dict(state)
            if self._runtime.int8:
                to_int8(model)
            self._model = model.to(device).eval()
            self._colbert = heads["colbert"].to(device)
            self._sparse = heads["sparse"].to(device)
        self.dim = int(model.config.hidden_size)
        tokenizer = self._tokenizer
        self._special = {tokenizer.cls_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id}
        self._max_tokens = min(config.max_tokens, int(tokenizer.model_max_length))

    def dense(self, texts: Sequence[str]) -> Vectors:
        """One row a text, in order, of norm 1."""
        import torch

        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        with self._turn, torch.inference_mode():
            for rows, batch in self._batches(texts):
                first = self._model(**batch).last_hidden_state[:, 0]
                out[rows] = _numpy(torch.nn.functional.normalize(first.float(), dim=-1))
        return out

    def encode(self, texts: Sequence[str]) -> list[M3Output]:
        """All three outputs of each text, in order."""
        import torch

        normal = torch.nn.functional.normalize
        found: dict[int, M3Output] = {}
        with self._turn, torch.inference_mode():
            for rows, batch in self._batches(texts):
                hidden = self._model(**batch).last_hidden_state
                dense = _numpy(normal(hidden[:, 0].float(), dim=-1))
                weights = _numpy(torch.relu(self._sparse(hidden)).squeeze(-1))
                tokens = _numpy(normal(self._colbert(hidden[:, 1:]).float(), dim=-1))
                ids, lengths = batch["input_ids"].tolist(), batch["attention_mask"].sum(1).tolist()
                for place, row in enumerate(rows):
                    lexical = self._lexical(ids[place], weights[place])
                    found[row] = M3Output(dense[place], lexical, tokens[place, : lengths[place] - 1])
        return [found[row] for row in range(len(texts))]

    def _batches(self, texts: Sequence[str]) -> list[tuple[list[int], dict[str, torch.Tensor]]]:
        """(rows, model input), long texts first, so that little is padding and a lack of memory shows at once."""
        cut = self._tokenizer(list(texts), truncation=True, max_length=self._max_tokens)["input_ids"] if texts else []
        order = sorted(range(len(texts)), key=lambda row: -len(cut[row]))
        out = []
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            batch = self._tokenizer.pad({"input_ids": [cut[row] for row in rows]}, return_tensors="pt")
            out.append((rows, {name: batch[name].to(self._runtime.device) for name in ("input_ids", "attention_mask")}))
        return out

    def _lexical(self, ids: list[int], weights: Vectors) -> dict[int, float]:
        out: dict[int, float] = {}
        for token, weight in zip(ids, weights.tolist(), strict=True):
            if weight > 0 and token not in self._special:
                out[token] = max(weight, out.get(token, 0.0))
        return out


def m3_scores(question: M3Output, texts: Sequence[M3Output], weights: tuple[float, float, float]) -> Scores:
    """Weighted mean of dense, lexical and token-by-token similarity.

    Lexical: the sum over shared tokens of the product of their weights. Tokens: the mean over the question's tokens of
    the best match among the text's.
    """
    total = sum(weights) or 1.0
    out = np.zeros(len(texts), dtype=np.float32)
    for row, text in enumerate(texts):
        dense = float(question.dense @ text.dense)
        lexical = sum(weight * text.lexical.get(token, 0.0) for token, weight in question.lexical.items())
        tokens = float((question.tokens @ text.tokens.T).max(axis=1).mean())
        out[row] = (weights[0] * dense + weights[1] * lexical + weights[2] * tokens) / total
    return out


def _numpy(tensor: torch.Tensor) -> Vectors:
    array: Vectors = tensor.float().cpu().numpy()
    return array
