"""Policy cards against lines that were read by eye: precision and recall of each name, and what is wrong.

``python -m eval.cards --samples data_samples/policies [--data FOLDER] [--losses]``. A row of ``eval/cards_gold.jsonl``
names a document (samples/07: the file that begins so; else the id of a row of ``policy_hebei`` or ``policy_guangzhou``
in FOLDER) and, for each name, words that a line must hold, and words of lines that may be there, too. A line is right
when it holds words of either kind under its name; what must be there is found when a line of its name holds it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.records import Document
from eval.conflicts import read_documents
from kb.curation.cards import NAMES, Card, cards

GOLD = Path(__file__).with_name("cards_gold.jsonl")
_PLACES = ("policy_hebei/documents.jsonl.gz", "policy_guangzhou/documents.jsonl")


@dataclass(frozen=True, slots=True)
class CardScore:
    """Of one name over all documents."""

    name: str
    wanted: int                  # words that must be there
    found: int                   # of them
    lines: int
    right: int                   # of the lines

    @property
    def precision(self) -> float:
        return self.right / self.lines if self.lines else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.wanted if self.wanted else 1.0


@dataclass(frozen=True, slots=True)
class CardLoss:
    """Words that no line holds, or a line that holds nothing of the gold."""

    key: str
    name: str
    missing: str                 # "" for a wrong line
    line: str                    # "" for missing words


Gold = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]


def read_gold(path: Path = GOLD) -> dict[str, dict[str, dict[str, list[str]]]]:
    """{key: {must: {name: words}, may: {name: words}}}"""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["key"]: {"must": row["must"], "may": row["may"]} for row in rows}


def judge(found: Mapping[str, Sequence[Card]], gold: Gold) -> tuple[list[CardScore], list[CardLoss]]:
    """``found`` by the key of the document; documents that are not there count nothing."""
    losses: list[CardLoss] = []
    scores = []
    for name in NAMES:
        wanted = got = lines = right = 0
        for key, card in found.items():
            must = [_plain(words) for words in gold[key]["must"].get(name, ())]
            may = [_plain(words) for words in gold[key]["may"].get(name, ())]
            values = [_plain(one.value) for one in card if one.name == name]
            missing = [words for words in must if not any(words in value for value in values)]
            wrong = [value for value in values if not any(words in value for words in (*must, *may))]
            wanted, got = wanted + len(must), got + len(must) - len(missing)
            lines, right = lines + len(values), right + len(values) - len(wrong)
            losses += [CardLoss(key, name, words, "") for words in missing]
            losses += [CardLoss(key, name, "", value) for value in wrong]
        scores.append(CardScore(name, wanted, got, lines, right))
    return scores, losses


def _plain(text: str) -> str:
    return "".join(text.split())


def sample_cards(folder: Path, keys: Sequence[str]) -> dict[str, list[Card]]:
    """Of the sample files that ``keys`` name."""
    by_number = {f"samples/{_sample(document)}": document for document in read_documents(folder)}
    return {key: cards(by_number[key]) for key in keys if key in by_number}


def real_cards(data: Path, keys: Sequence[str]) -> dict[str, list[Card]]:
    """Of the rows of the real data that ``keys`` name."""
    wanted = set(keys)
    return {
        name: cards(document)
        for place in _PLACES
        for document in read_documents(data / place)
        if (name := _row(document)) in wanted
    }


def _sample(document: Document) -> str:
    return _row(document) if "#" in document.source else Path(document.source).name[:2]


def _row(document: Document) -> str:
    return document.source.rsplit("#", 1)[-1]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="the folder that holds policy_hebei and policy_guangzhou")
    parser.add_argument("--losses", action="store_true", help="print what is missing or wrong")
    given = parser.parse_args(arguments)
    gold = read_gold()
    found = sample_cards(given.samples, list(gold))
    if given.data:
        found |= real_cards(given.data, list(gold))
    for line in _report(found, gold, losses=given.losses):
        sys.stdout.write(f"{line}\n")
    return 0


def _report(found: Mapping[str, Sequence[Card]], gold: Gold, *, losses: bool) -> Iterator[str]:
    scores, lost = judge(found, gold)
    yield f"{len(found)} documents"
    total = CardScore("all", *(sum(column) for column in zip(
        *((score.wanted, score.found, score.lines, score.right) for score in scores), strict=True
    )))
    for score in (*scores, total):
        yield (f"{score.name:6} precision {score.precision:.3f} ({score.right}/{score.lines})  "
               f"recall {score.recall:.3f} ({score.found}/{score.wanted})")
    if losses:
        for one in lost:
            yield f"{one.key} {one.name} {'missing ' + one.missing if one.missing else 'wrong ' + one.line[:80]}"


if __name__ == "__main__":
    raise SystemExit(main())
