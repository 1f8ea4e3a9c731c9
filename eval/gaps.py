"""Whether questions about one matter come together, and only those: pairwise F1 over eval/gap_questions.jsonl.

``python -m eval.gaps``: by split. The split dev chose `gaps.likeness`; the split test did not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from core.config import load_config
from kb.background import read_background
from kb.curation.gap_groups import groups, likeness
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.static_encoder import StaticEncoder

QUESTIONS = Path(__file__).with_name("gap_questions.jsonl")


@dataclass(frozen=True, slots=True)
class Grouped:
    """Of all pairs of questions: how many were put together, rightly, and how many should have been."""

    together: int
    right: int
    wanted: int

    @property
    def precision(self) -> float:
        return self.right / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def read_matters(split: str, path: Path = QUESTIONS) -> list[list[str]]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [row["questions"] for row in rows if row["split"] == split]


def grouped(matters: Sequence[Sequence[str]], least: float) -> Grouped:
    """By the shipped encoder."""
    encoder = StaticEncoder(terms=read_terms([TERMS]))
    texts = [text for matter in matters for text in matter]
    matter_of = [n for n, matter in enumerate(matters) for _ in matter]
    found = groups(likeness(texts, encoder.embed_questions, read_background()), least)
    pairs = [(one, other) for group in found for one, other in combinations(group, 2)]
    return Grouped(
        len(pairs), sum(matter_of[one] == matter_of[other] for one, other in pairs),
        sum(len(matter) * (len(matter) - 1) // 2 for matter in matters),
    )


def main() -> None:
    least = load_config().gaps.likeness
    for split in ("dev", "test"):
        matters = read_matters(split)
        found = grouped(matters, least)
        sys.stdout.write(
            f"{split}: {len(matters)} matters, {sum(map(len, matters))} questions, likeness {least}: "
            f"precision {found.precision:.3f}  recall {found.recall:.3f}  F1 {found.f1:.3f}\n"
        )


if __name__ == "__main__":
    main()
