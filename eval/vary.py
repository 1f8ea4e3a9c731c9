"""A corpus many times its size, to see how search grows: every copy says other things in the same shapes.

    python -m eval.vary corpus.jsonl.gz --times 10 --out large.jsonl.gz

The first copy is the corpus as it is, so that questions keep their answers. In each further one a part of the words of
an article is exchanged for words of other articles, drawn as often as they stand there, so that the lengths of lists
grow as they would with as many real documents, and no copy counts as a near-duplicate of another.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kb.tokens import open_tokenizer

_EXCHANGED = 0.4                 # of the words of two characters or more: what is left still reads like law
_POOL = 200_000                  # words to draw from
_SEED = 17


def read_rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def thinned(rows: list[dict[str, Any]], one_in: int) -> list[dict[str, Any]]:
    """The rows of every so many documents, whole documents in their order."""
    numbers: dict[str, int] = {}
    for row in rows:
        numbers.setdefault(row["id"].partition("#")[0], len(numbers))
    return [row for row in rows if numbers[row["id"].partition("#")[0]] % one_in == 0]


def varied(rows: list[dict[str, Any]], times: int, *, seed: int = _SEED) -> Iterator[dict[str, Any]]:
    """``rows`` with id, law, title and text, and ``times`` - 1 variations of each, copy after copy."""
    yield from rows
    cut = open_tokenizer("auto", bigrams=False).cut
    rng = random.Random(seed)
    pool = [word for row in rng.sample(rows, min(len(rows), 20_000)) for word in cut(row["text"]) if len(word) > 1]
    pool = rng.sample(pool, min(len(pool), _POOL))
    for copy in range(2, times + 1):
        for row in rows:
            text = "".join(
                rng.choice(pool) if len(word) > 1 and rng.random() < _EXCHANGED else word for word in cut(row["text"])
            )
            document, _, address = row["id"].partition("#")
            law, title = (f"{name}（之{copy}）" for name in (row.get("law") or row["title"], row["title"]))
            yield row | {"id": f"{document}~{copy}#{address}", "law": law, "title": title, "text": text}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.vary", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="JSON Lines of articles, packed as .gz")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--one-in", type=int, default=1, help="of the documents, for a smaller corpus")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    with gzip.open(given.out, "wt", encoding="utf-8", compresslevel=1) as file:
        file.writelines(
            json.dumps(row, ensure_ascii=False) + "\n"
            for row in varied(thinned(read_rows(given.corpus), given.one_in), given.times)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
