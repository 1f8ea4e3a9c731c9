"""The README.md of a trained encoder: what it is, what it learned from, and the command that makes it again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.errors import PolicyDeskError
from train.encoder import Trained


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was learned from."""

    what: str                    # articles, answered questions, everyday terms
    path: Path
    number: int                  # of what it holds that was used


def write_card(
    folder: Path, trained: Trained, sources: Sequence[Source], *, command: str, seed: int, with_gold: bool
) -> None:
    """Into ``folder``. Files are named without their folders, with the first 12 hex digits of their sha256."""
    rows = [f"| {one.what} | {one.path.name} | {_sha256(one.path)} | {one.number:,} |" for one in sources]
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    gold = "and questions with their articles" if with_gold else "no question was paired with its article"
    text = f"""---
library_name: model2vec
language: zh
---
# {trained.name}

A static encoder for Chinese policy and law: a text's vector is the mean of the vectors of its words (rjieba), character
pairs and characters, of length 1. {trained.terms:,} terms, int8 with a scale per term, {size:.1f} MB. Opened by
`kb.static_encoder.StaticEncoder`, or by model2vec for a text whose terms were cut and joined by spaces.

Made on {date.today()} with seed {seed} from {trained.pairs:,} pairs of texts (mean loss at the end {trained.loss:.3f}):

| What | File | sha256 | Used |
|---|---|---|---|
{chr(10).join(rows)}

```sh
{command}
```

The start is co-occurrence in sentences (positive pointwise mutual information, SVD). Pairs: clauses with the rest of
their article; articles with the everyday words for their official terms; everyday expressions with official terms;
questions with the sentences of their answers; {gold}.
"""
    try:
        (folder / "README.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise PolicyDeskError(f"写不了 {folder}：{error.strerror}。请检查 --out") from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
