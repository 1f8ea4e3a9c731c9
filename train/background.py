"""Texts of a knowledge base -> how many of them hold each term (`kb.background`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kb.background import count_background, write_background
from kb.tokens import Tokenizer, plain

_LEAST = 3               # texts that hold a term: rarer ones weigh as much as unknown ones, and are half of all terms
_HAN = re.compile(r"[\u3400-\u9fff]")


def train_background(texts: Iterable[str], tokenizer: Tokenizer, out: Path) -> int:
    """Count and write; the number of terms kept."""
    number, counts = count_background((_terms(text, tokenizer) for text in texts), least=_LEAST)
    write_background(out, number, counts)
    return len(counts)


def _terms(text: str, tokenizer: Tokenizer) -> Iterator[str]:
    yield from tokenizer.terms(text)
    yield from set(_HAN.findall(plain(text)))
