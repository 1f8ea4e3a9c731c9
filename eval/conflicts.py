"""How many planted contradictions are found, what is found that is none, and how long it takes.

``python -m eval.conflicts planted FOLDER`` plants notices beside the documents of FOLDER (see `eval.planted`) and
prints recall by kind, the notices that say the same and are shown all the same, and what is found without any notice.
``python -m eval.conflicts judged HOME`` prints the precision of what is found in a home, by the verdicts of
``eval/conflicts_judged.jsonl``: {"sides": [two keys of `pair_key`], "verdict": "true" or "false", "corpus", "why"}.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from core.config import load_config
from core.records import Document, Facts, State
from eval.planted import Plant, plant
from ingest.document import make_document
from ingest.read import ReadSettings, find_files, read_files
from kb import catalogue
from kb.conflicts.clause_rows import complete_clauses
from kb.conflicts.find import Conflict, conflicts_of, find_conflicts
from kb.database import open_database
from kb.points import point_ids
from kb.rows import Standing
from kb.versions import Span, spans, version_key

JUDGED = Path(__file__).with_name("conflicts_judged.jsonl")
TODAY = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class PlantScore:
    """Of the notices of one kind."""

    kind: str
    count: int
    found: int


@contextmanager
def published(documents: Iterable[Document]) -> Iterator[Connection]:
    """A database in which the documents are published; without an index."""
    batch = list({document.id: document for document in documents}.values())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'conflicts.db'}")
        with engine.begin() as connection:
            held = _spans(batch)
            standings = {document.id: Standing(State.PUBLISHED, 1, held[document.id]) for document in batch}
            points = {c.id: p for d in batch for c, p in zip(d.chunks, point_ids(d), strict=True)}
            catalogue.save(connection, batch, standings, points)
            complete_clauses(connection)
            yield connection
        engine.dispose()


def _spans(batch: Iterable[Document]) -> dict[str, Span]:
    families: defaultdict[str, list[tuple[str, Facts]]] = defaultdict(list)
    for document in batch:
        families[version_key(document.facts) or document.id].append((document.id, document.facts))
    return {name: span for family in families.values() for name, span in spans(family).items()}


def score(connection: Connection, plants: Sequence[Plant], names: dict[str, str]) -> list[PlantScore]:
    """Of each kind how many notices are shown beside the sentence that they were made of."""
    shown = find_conflicts(connection, today=TODAY, names=names)
    counts, found = Counter(one.kind for one in plants), Counter(one.kind for one in plants if _is_shown(one, shown))
    return [PlantScore(kind, counts[kind], found[kind]) for kind in sorted(counts)]


def _is_shown(one: Plant, shown: Iterable[Conflict]) -> bool:
    for conflict in shown:
        sides = {side.document: side for side in conflict.sides}
        side = sides.get(one.document)
        if one.notice.id in sides and side and side.start < one.span[1] and one.span[0] < side.end:
            return True
    return False


def verdicts(found: Iterable[Conflict], judged: Path = JUDGED) -> Counter[str]:
    """How many have each verdict; "unread" when nobody has judged the pair."""
    known: dict[frozenset[str], str] = {}
    for line in judged.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        known[frozenset(row["sides"])] = row["verdict"]
    return Counter(known.get(pair_key(conflict), "unread") for conflict in found)


def pair_key(conflict: Conflict) -> frozenset[str]:
    """Twelve digits for each passage, by its title and its words, so that another home has the same."""
    return frozenset(
        hashlib.sha256("".join(f"{side.title}/{side.quote}".split()).encode()).hexdigest()[:12]
        for side in conflict.sides
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("planted", "judged"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--most", type=int, default=150, help="notices that are planted")
    parser.add_argument("--top", type=int, default=100)
    parser.add_argument("--region", help="only what holds there")
    given = parser.parse_args(arguments)
    if given.what == "planted":
        lines = _planted(given.path, given.most)
    else:
        lines = _judged(given.path, given.top, given.region)
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return 0


def _planted(folder: Path, most: int) -> Iterator[str]:
    config = load_config()
    names = dict(config.regions.names)

    def make(facts: Facts, text: str, source: str) -> Document:
        return make_document(facts, text, source, name=None, chunk_chars=config.ingest.chunk_chars)

    documents = list(read_documents(folder))
    with published(documents) as connection:
        alone = find_conflicts(connection, today=TODAY, names=names)
    yield f"{len(documents)} documents, {len(alone)} pairs without any notice"
    held = [document for document in documents if holds(document.facts)]
    plants = [*_some(plant(held, make), most)]
    with published([*documents, *(one.notice for one in plants)]) as connection:
        rows = score(connection, plants, names)
        yield from (f"{row.kind:10} {row.found:4} of {row.count:4}" for row in rows)
        yield f"recall {sum(row.found for row in rows) / max(1, len(plants)):.3f} of {len(plants)}"
        started = time.perf_counter()
        conflicts_of(connection, plants[0].notice, today=TODAY, names=names)
        yield f"one document: {time.perf_counter() - started:.3f} s"
    same = [*_some(plant(held, make, same=True), most)]
    with published([*documents, *(one.notice for one in same)]) as connection:
        shown = find_conflicts(connection, today=TODAY, names=names)
    wrong = sum(_is_shown(one, shown) for one in same)
    yield f"{wrong} of {len(same)} notices that say the same in other words are shown"


def _judged(home: Path, top: int, region: str | None) -> Iterator[str]:
    engine = open_database(f"sqlite:///{home / 'policydesk.db'}")
    with engine.begin() as connection:
        started = time.perf_counter()
        made = complete_clauses(connection)
        yield f"{made} documents read in {time.perf_counter() - started:.1f} s"
        started = time.perf_counter()
        found = find_conflicts(connection, today=TODAY, names={}, region=region)
        yield f"{len(found)} pairs in {time.perf_counter() - started:.1f} s"
    engine.dispose()
    counts = verdicts(found[:top])
    read = counts["true"] + counts["false"]
    share = counts["true"] / max(1, read)
    yield f"of the first {min(top, len(found))}: {dict(counts)}; precision {share:.3f} of {read}"


def holds(facts: Facts) -> bool:
    """Whether it is in force on the day of the samples."""
    started = facts.effective_from is None or facts.effective_from <= TODAY
    return started and (facts.effective_to is None or TODAY < facts.effective_to) and facts.validity != "已废止"


def _some(plants: Iterator[Plant], most: int) -> Iterator[Plant]:
    for _, one in zip(range(most), plants, strict=False):
        yield one


def read_documents(folder: Path) -> Iterator[Document]:
    """In this process, as the product reads them."""
    config = load_config()
    limits = config.ingest.model_copy(update={"workers": 0})
    settings = ReadSettings(limits, config.regions.names, lambda source, digest: False, lambda read: None)
    for item in read_files(find_files([folder]), settings):
        if isinstance(item, Document):
            yield item


if __name__ == "__main__":
    raise SystemExit(main())
