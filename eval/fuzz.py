"""Damaged files of every format through the product's own reading: each must end as documents or with a reason.

``python -m eval.fuzz SAMPLES_DIR [--count 10000] [--seed 1] [--workers 2] [--json]``; the exit status is 1 when a file
broke its reader in an unforeseen way, took too long, or ended as nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from core.config import Config, load_config
from core.errors import IngestError
from core.records import Document, FileRead, Reject, Skipped
from eval.mutate import Mutant, Sample, mutate, old_office_samples, packed_samples, pictures
from ingest.one_file import ReadRequest, ReadResult
from ingest.read import ReadSettings, find_files, read_files
from ingest.workers import ReadPool, Submitted

LIMIT_SECONDS = 60.0
DOCUMENTS, NOTHING = "documents", "nothing"
_CONTAINERS = ("zip", "tar", "gz", "jsonl", "jsonl.gz")
_CONTAINER_NAMES = (".zip", ".gz", ".jsonl")    # their reader is chosen by the name
_SLOWEST = 10
_BATCH = 200                    # containers read by one call of `read_files`


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one mutant ended."""

    number: int                 # with the seed it makes the mutant again
    format: str
    how: str                    # the changes, in order
    code: str                   # ``documents``, a code of `core.records.Reject`, or ``nothing``
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    made: Mutant
    submitted: Submitted
    began: float
    ended: list[float]          # filled when the child has answered


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """Every outcome of one run."""

    seed: int
    seconds: float
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """format -> code -> how many."""
        table: dict[str, Counter[str]] = defaultdict(Counter)
        for outcome in self.outcomes:
            table[outcome.format][outcome.code] += 1
        return {name: dict(sorted(table[name].items())) for name in sorted(table)}

    @property
    def slowest(self) -> list[Outcome]:
        return sorted(self.outcomes, key=lambda outcome: (-outcome.seconds, outcome.number))[:_SLOWEST]

    @property
    def bad(self) -> list[Outcome]:
        """Those that ended in no clear way: by number."""
        unclear = (Reject.CRASHED, NOTHING)
        return [o for o in self.outcomes if o.code in unclear or o.seconds > LIMIT_SECONDS]


def load_samples(folder: Path, *, libreoffice: bool = False) -> dict[str, list[Sample]]:
    """format -> files of it under ``folder``, archives of some, pictures of one. Raises `IngestError` without any.

    With ``libreoffice`` also what it converts, which takes seconds a file.
    """
    samples = [Sample(path.name, path.read_bytes()) for path in find_files([folder])]
    by_format: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_format[sample.format].append(sample)
    if not samples:
        raise IngestError("文件夹是空的。请给出 data_samples", place=str(folder))
    smallest = {name: min(group, key=lambda sample: len(sample.data)) for name, group in sorted(by_format.items())}
    photographed = pictures(smallest["pdf"].data) if "pdf" in smallest else []
    packed = packed_samples(sorted(smallest.values(), key=lambda sample: len(sample.data))[:4])
    old = old_office_samples(samples) if libreoffice else []
    for sample in (*photographed, *packed, *old):
        by_format[sample.format].append(sample)
    return dict(sorted(by_format.items()))


def mutant(samples: dict[str, list[Sample]], seed: int, number: int) -> Mutant:
    """The mutant of that number: formats take turns, all else is by chance."""
    chance = Random(f"{seed} {number}")
    formats = list(samples)
    everything = [sample for group in samples.values() for sample in group]
    return mutate(chance.choice(samples[formats[number % len(formats)]]), everything, chance)


def fuzz(samples: dict[str, list[Sample]], config: Config, *, count: int, seed: int, workers: int = 2) -> FuzzReport:
    """Read ``count`` mutants in child processes, as an ingest does; pictures of text are not recognised."""
    limits = config.ingest.model_copy(update={"workers": workers, "ocr": "off"})
    settings = ReadSettings(limits, config.regions.names, lambda source, digest: False, lambda read: None)
    outcomes: list[Outcome] = []
    containers: list[int] = []
    started = time.perf_counter()
    with ReadPool(limits, config.regions.names) as pool:
        for number, made, read, seconds in _read_all(pool, samples, seed, count, workers):
            inside = any(part.data is not None for part in read.attachments)
            if inside or read.kind in _CONTAINERS or made.name.endswith(_CONTAINER_NAMES):
                containers.append(number)
            else:
                code, reason = _ending(read.items)
                outcomes.append(Outcome(number, made.format, made.how, code, reason, seconds))
            if number % 500 == 499:
                sys.stderr.write(f"{number + 1} / {count}\n")
    for first in range(0, len(containers), _BATCH):
        outcomes += _read_containers(samples, seed, containers[first : first + _BATCH], settings)
    outcomes.sort(key=lambda outcome: outcome.number)
    return FuzzReport(seed, time.perf_counter() - started, tuple(outcomes))


def _read_all(
    pool: ReadPool, samples: dict[str, list[Sample]], seed: int, count: int, workers: int
) -> Iterator[tuple[int, Mutant, ReadResult, float]]:
    """Each mutant with what became of it and how long that took; as many are under way as there are workers, so
    that none waits for another."""
    under_way: deque[_Job] = deque()
    for number in range(count):
        if len(under_way) == workers:
            yield _finished(pool, under_way.popleft())
        made = mutant(samples, seed, number)
        submitted = pool.submit(ReadRequest(made.data, made.name))
        job = _Job(number, made, submitted, time.perf_counter(), [])
        submitted.future.add_done_callback(partial(_note_end, job))
        under_way.append(job)
    for job in under_way:
        yield _finished(pool, job)


def _note_end(job: _Job, _: object) -> None:
    job.ended.append(time.perf_counter())


def _finished(pool: ReadPool, job: _Job) -> tuple[int, Mutant, ReadResult, float]:
    read = pool.result(job.submitted)
    ended = job.ended[0] if job.ended else time.perf_counter()
    return job.number, job.made, read, ended - job.began


def _read_containers(
    samples: dict[str, list[Sample]], seed: int, numbers: Sequence[int], settings: ReadSettings
) -> list[Outcome]:
    """Archives, mails and JSON Lines with all that is in them, as an ingest of a folder reads them."""
    outcomes = []
    with TemporaryDirectory(prefix="policydesk-fuzz-") as name:
        made = {}
        for number in numbers:
            one = mutant(samples, seed, number)
            path = Path(name).resolve() / f"{number:06}" / one.name
            path.parent.mkdir()
            path.write_bytes(one.data)
            made[str(path)] = number, one
        files = [Path(path) for path in made]
        items: list[Document | Skipped] = []
        began = time.perf_counter()
        for item in read_files(files, settings, named=files):
            if not isinstance(item, FileRead):
                items.append(item)
            elif item.source in made:
                number, one = made[item.source]
                code, reason = _ending(items)
                now = time.perf_counter()
                outcomes.append(Outcome(number, one.format, one.how, code, reason, now - began))
                items, began = [], now
    return outcomes


def _ending(items: Sequence[Document | Skipped]) -> tuple[str, str]:
    """``documents`` when there is one, else why not; a reader that broke counts before anything else."""
    skipped = [item for item in items if isinstance(item, Skipped)]
    broken = next((item for item in skipped if item.code is Reject.CRASHED), None)
    if broken:
        return Reject.CRASHED, broken.reason
    if len(skipped) < len(items):
        return DOCUMENTS, ""
    return (skipped[0].code, skipped[0].reason) if skipped else (NOTHING, "")


def shown(report: FuzzReport) -> str:
    """Format by outcome, the slowest, and every bad ending."""
    codes = sorted({code for row in report.counts.values() for code in row})
    width = max(len(code) for code in codes) + 2
    lines = [f"{'format':10}{'files':>7}" + "".join(f"{code:>{width}}" for code in codes)]
    for name, row in report.counts.items():
        cells = "".join(f"{row.get(code, 0) or '':>{width}}" for code in codes)
        lines.append(f"{name:10}{sum(row.values()):7}{cells}")
    lines += ["", f"{len(report.outcomes)} files, seed {report.seed}, {report.seconds:.0f} s; the slowest:"]
    lines += [f"{o.seconds:7.2f} s  {o.number:6}  {o.format:9}  {o.code:14}  {o.how}" for o in report.slowest]
    lines += ["", f"without a clear end: {len(report.bad)}"]
    lines += [f"{o.number:6}  {o.format:9}  {o.code}  {o.how}  {o.seconds:.1f} s  {o.reason[:200]}" for o in report.bad]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--libreoffice", action="store_true", help="also DOC, XLS, PPT, RTF and ODT: seconds a file")
    parser.add_argument("--json", action="store_true", help="one object: counts, slowest, and every bad ending")
    parser.add_argument("--write", type=int, metavar="NUMBER", help="only write that mutant to the current folder")
    asked = parser.parse_args()
    samples = load_samples(asked.folder, libreoffice=asked.libreoffice)
    if asked.write is not None:
        made = mutant(samples, asked.seed, asked.write)
        Path(made.name).write_bytes(made.data)
        sys.stdout.write(f"{made.name}  {made.format}  {made.how}\n")
        return 0
    report = fuzz(samples, load_config(), count=asked.count, seed=asked.seed, workers=asked.workers)
    if asked.json:
        found = {
            "files": len(report.outcomes), "seed": report.seed, "seconds": round(report.seconds, 1),
            "counts": report.counts, "slowest": [asdict(o) for o in report.slowest],
            "bad": [asdict(o) for o in report.bad],
        }
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(shown(report) + "\n")
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
