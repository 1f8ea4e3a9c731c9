"""Direct answers of entries: how many paraphrases they answer, and how many questions that only look like one.

``python -m eval.faq``: over eval/faq_questions.jsonl, by split and threshold. The split dev chose the threshold and
the lists of words; the split test was not looked at while they were made.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from kb.background import read_background
from kb.curation.faq_likeness import Features, Likeness
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.static_encoder import StaticEncoder
from kb.tokens import open_tokenizer

QUESTIONS = Path(__file__).with_name("faq_questions.jsonl")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with what is asked about it."""

    split: str
    question: str
    similar: tuple[str, ...]
    negative: tuple[str, ...]
    same: tuple[str, ...]        # other words for the same question
    near: tuple[str, ...]        # other questions that look like it


@dataclass(frozen=True, slots=True)
class Direct:
    """What became of the questions of one split."""

    same: list[tuple[float, bool, str]]      # likeness of the best entry, whether it is the right one, question
    near: list[tuple[float, str]]

    def at(self, threshold: float) -> tuple[int, int]:
        """Right and wrong direct answers."""
        right = sum(value >= threshold and good for value, good, _ in self.same)
        wrong = sum(value >= threshold and not good for value, good, _ in self.same)
        return right, wrong + sum(value >= threshold for value, _ in self.near)


def read_lines(path: Path = QUESTIONS) -> list[Line]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [
        Line(row["split"], row["question"], *(tuple(row[key]) for key in ("similar", "negative", "same", "near")))
        for row in rows
    ]


def shipped_likeness() -> Likeness:
    encoder = StaticEncoder(terms=read_terms([TERMS]))
    cut = open_tokenizer("rjieba", bigrams=False)
    return Likeness(encoder.embed_questions, cut.words, read_background())


def measure(lines: list[Line], likeness: Likeness) -> Direct:
    stored = [
        ([likeness.features(text) for text in (line.question, *line.similar)],
         [likeness.features(text) for text in line.negative])
        for line in lines
    ]

    def best(text: str) -> tuple[float, int]:
        asked = likeness.features(text)
        return max((_value(likeness, asked, *entry), place) for place, entry in enumerate(stored))

    same = [(value, place == n, text) for n, line in enumerate(lines) for text in line.same
            for value, place in [best(text)]]
    near = [(best(text)[0], text) for line in lines for text in line.near]
    return Direct(same, near)


def _value(likeness: Likeness, asked: Features, positive: list[Features], negative: list[Features]) -> float:
    value = max(likeness.same(asked, one) for one in positive)
    return 0.0 if any(likeness.same(asked, one) > value for one in negative) else value


def main() -> None:
    likeness = shipped_likeness()
    for split in ("dev", "test"):
        found = measure([line for line in read_lines() if line.split == split], likeness)
        sys.stdout.write(f"{split}: {len(found.same)} paraphrases, {len(found.near)} near misses\n")
        for threshold in (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85):
            right, wrong = found.at(threshold)
            precision = right / max(1, right + wrong)
            sys.stdout.write(f"  {threshold:.2f}  right {right}  wrong {wrong}  precision {precision:.3f}\n")


if __name__ == "__main__":
    main()
