"""Passages, answered questions and the term map -> the encoder that ships (`kb.static_encoder`).

A start from co-occurrence is trained on pairs by in-batch negatives with sentence-transformers, and written as int8.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import MissingExtra, PolicyDeskError
from kb.static_encoder import StaticEncoder, TermIds
from train.cooccurrence import Rows, Vocabulary, make_vocabulary, start_vectors, taught_texts
from train.pairs import Pair, answer_pairs, distinct, everyday_pairs, gold_pairs, sentence_pairs, term_pairs
from train.passages import Answered, Passage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_UNKNOWN = "[UNK]"                        # number 0, a row of zeros: model2vec wants one
_BATCH = 1024
_RATE = 0.003                             # of Adam, falling to 0: rows have a length of about 1
_SCALE = 20.0                             # of the cosine: 1 / temperature; 10, with a rate of 0.01, lost three points
_ASKED_TERMS, _TOLD_TERMS = 120, 160      # of a text in a batch, drawn by lot from longer ones: an article has some 400
_ANSWERS = 3                              # times that a question's pairs are seen: they are a twentieth of all
_GOLD = 10                                # times that a question's articles are seen
_NOTHING = "没有可学的内容：至少要有几条有两句话以上的条文。请检查 --corpus 或 --home"

Bag = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """62,000 rows of 256 are 16 MB as int8; 128 numbers lost one point in a hundred, and 92,000 rows gained none."""

    terms: int = 62_000
    dim: int = 256


@dataclass(frozen=True, slots=True)
class Lessons:
    """What an encoder learns from."""

    passages: Sequence[Passage]
    answered: Sequence[Answered]
    terms: Mapping[str, Sequence[str]]    # everyday expression -> official terms, the best first
    with_gold: bool = False               # a question is also paired with the articles that answer it


@dataclass(frozen=True, slots=True)
class Trained:
    name: str                             # of the encoder, with its digest
    terms: int
    pairs: int
    loss: float                           # mean of the last tenth of the batches


def train_encoder(
    lessons: Lessons, out: Path, *, seed: int, shape: EncoderShape | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Write the folder ``out``. The same lessons, seed and machine give the same encoder.

    Raises `MissingExtra`, and `PolicyDeskError` when there is too little to learn from.
    """
    shape = shape or EncoderShape()
    passages = distinct(lessons.passages)
    if not passages:
        raise PolicyDeskError(_NOTHING)
    asked = [text for one in lessons.answered for text in (one.question, one.answer)]
    vocabulary = make_vocabulary(passages, taught_texts(asked, lessons.terms.items()), size=shape.terms)
    progress(f"{len(passages)} 条不同的条文，{len(vocabulary.terms)} 个词、二字组和字")
    rows = start_vectors(passages, vocabulary, dim=shape.dim, seed=seed)
    progress("共现向量完成")
    pairs = _bags(_pairs(lessons, passages, random.Random(seed)), TermIds(vocabulary.terms), random.Random(seed))
    if len(pairs) < 2:
        raise PolicyDeskError(_NOTHING)
    progress(f"{len(pairs)} 对文本")
    rows, loss = _fitted(rows, vocabulary, pairs, seed=seed)
    save_encoder(rows, vocabulary, out)
    return Trained(StaticEncoder(out).name, len(vocabulary.terms), len(pairs), loss)


def _pairs(lessons: Lessons, passages: Sequence[Passage], rng: random.Random) -> Iterable[Pair]:
    yield from sentence_pairs(passages, rng)
    yield from everyday_pairs(passages, lessons.terms, rng)
    yield from term_pairs(lessons.terms)
    for _ in range(_ANSWERS):
        yield from answer_pairs(lessons.answered)
    for _ in range(_GOLD if lessons.with_gold else 0):
        yield from gold_pairs(lessons.answered, lessons.passages)


def _bags(pairs: Iterable[Pair], ids: TermIds, rng: random.Random) -> list[tuple[Bag, Bag]]:
    """The pairs as numbers of terms, 0 being left to the unknown one; without those in which a text has one term."""
    found = []
    for asked, told in pairs:
        bags = _drawn(ids(asked), _ASKED_TERMS, rng), _drawn(ids(told), _TOLD_TERMS, rng)
        if min(map(len, bags)) > 1:
            found.append(bags)
    return found


def _drawn(numbers: list[int], most: int, rng: random.Random) -> Bag:
    kept = numbers if len(numbers) <= most else rng.sample(numbers, most)
    return np.array(kept, dtype=np.int32) + 1


def _fitted(rows: Rows, vocabulary: Vocabulary, pairs: Sequence[tuple[Bag, Bag]], *, seed: int) -> tuple[Rows, float]:
    """One pass over the pairs; each text's counterpart must be nearer than the counterparts of the whole batch."""
    try:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    except ImportError as error:
        raise MissingExtra("sentence-transformers", "train") from error
    torch.manual_seed(seed)
    start = np.concatenate([np.zeros((1, rows.shape[1]), dtype=np.float32), rows])
    static = StaticEmbedding(_tokenizer(vocabulary), embedding_weights=start)
    model = SentenceTransformer(modules=[static], device="cpu")
    loss_of = MultipleNegativesRankingLoss(
        model, scale=_SCALE, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    batches = _batches(len(pairs), seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / len(batches))
    losses = []
    for batch in batches:
        features = [_features([pairs[number][side] for number in batch]) for side in (0, 1)]
        loss = loss_of(features, torch.zeros(len(batch)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    trained = static.embedding.weight.detach().numpy()[1:]
    return np.asarray(trained, dtype=np.float32), float(np.mean(losses[-max(1, len(losses) // 10) :]))


def _batches(pairs: int, seed: int) -> list[NDArray[np.int64]]:
    """Whole batches in an order by lot; the last pairs are left out rather than compared with few others."""
    order = np.random.default_rng(seed).permutation(pairs)
    size = min(_BATCH, pairs)
    return [order[start : start + size] for start in range(0, pairs - size + 1, size)]


def _features(bags: Sequence[Bag]) -> dict[str, Any]:
    import torch

    starts = np.cumsum([0, *map(len, bags[:-1])])
    return {"input_ids": torch.from_numpy(np.concatenate(bags).astype(np.int64)), "offsets": torch.from_numpy(starts)}


def _tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """Terms that were cut and joined by spaces -> numbers."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    numbers = {term: number for number, term in enumerate((_UNKNOWN, *vocabulary.terms))}
    tokenizer = Tokenizer(WordLevel(numbers, unk_token=_UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    return tokenizer


def save_encoder(rows: Rows, vocabulary: Vocabulary, out: Path) -> None:
    """As model2vec lays it out. A scale per term: one for all leaves frequent terms, which are short, few steps."""
    from model2vec.persistence import save_pretrained

    scales = np.concatenate([[0.0], np.abs(rows).max(axis=1) / 127])
    whole = np.concatenate([np.zeros((1, rows.shape[1]), dtype=np.float32), rows])
    steps = np.rint(whole / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    try:
        save_pretrained(
            out, steps, _tokenizer(vocabulary), {"normalize": True, "max_length": None},
            create_model_card=False, weights=scales.astype(np.float32),
        )
        (out / "modules.json").unlink()     # it would promise sentence-transformers a tokenizer that cuts Chinese
        settings = json.loads((out / "config.json").read_text(encoding="utf-8"))
        settings["terms"] = "rjieba words, # pairs, @ characters; NFKC, lower case"
        (out / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise PolicyDeskError(f"写不了 {out}：{error.strerror}。请检查 --out") from error
