"""The benchmark of ``policydesk bench``: fresh processes, queries in process, and a plain alternative.

Order matters: child processes run first, since only one process may have a home folder open.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from core.errors import MissingExtra, PolicyDeskError
from eval.children import Child, checked, failure, run_child
from eval.gold import GoldQuestion
from eval.latency import Latency, RefSearch, latency, throughput, timed_pass
from eval.measures import score
from eval.plain import PlainIndex, build_plain

THREADS = (1, 4)


@dataclass(frozen=True, slots=True)
class OpenBase:
    """An open base, as the composition root hands it over."""

    search: RefSearch
    # (ref, title and text) of every article that a query may find; None: measure no plain alternative
    articles: Callable[[], Iterable[tuple[str, str]]] | None = None


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What to measure. ``paths`` empty: no ingest, the home is measured as it is."""

    questions: tuple[GoldQuestion, ...]
    home: Path                                                    # must be empty or new when there are paths
    open_base: Callable[[], AbstractContextManager[OpenBase]]     # called once, after the child processes
    paths: tuple[Path, ...] = ()
    program: tuple[str, ...] = (sys.executable, "-m", "policydesk")
    imports: tuple[str, ...] = (sys.executable, "-c", "import policydesk")
    arguments: tuple[str, ...] = ()                               # added to ingest and ask, as ("--config", "FILE")
    top: int = 10
    runs: int = 3                                                 # of each cold start


@dataclass(frozen=True, slots=True)
class IngestCost:
    """One ingest by a fresh process; ``seconds`` is wall time including its start."""

    documents: int
    articles: int
    chunks: int
    skipped: int
    seconds: float
    again_seconds: float            # the same command once more: nothing has changed
    articles_per_second: float
    peak_mb: float                  # largest process
    disk_mb: float                  # the home folder afterwards, as allocated


@dataclass(frozen=True, slots=True)
class Starts:
    """One command started afresh several times; files are in the system's cache after the first."""

    seconds: tuple[float, ...]      # in order
    median_seconds: float
    peak_mb: float                  # highest of the runs


@dataclass(frozen=True, slots=True)
class QueryCost:
    """Queries in this process. Cold: each question for the first time; warm: the same ones again."""

    top: int
    open_seconds: float
    first_ms: float                                  # the very first query after opening
    cold: Latency
    warm: Latency
    per_second: Mapping[str, float]                  # number of threads -> queries per second
    recall_at_10: float | None                       # None: no question has gold, or fewer than ten were asked for


@dataclass(frozen=True, slots=True)
class PlainCost:
    """The plain alternative, and ours divided by it; a ratio is None where one of the two is unknown."""

    made_of: str
    articles: int
    index_seconds: float
    warm: Latency
    recall_at_10: float | None
    ratio: Mapping[str, float | None]                # ingest_seconds, p50, p95, recall_at_10


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One benchmark; ``eval.record.as_record`` makes it JSON."""

    ingest: IngestCost | None
    starts: Mapping[str, Starts]                     # ask, help, import
    queries: QueryCost
    plain: PlainCost | None
    notes: tuple[str, ...]                           # what was left out and why


class _Ingested(BaseModel):
    """What ``ingest --json`` prints."""

    documents: int
    articles: int
    chunks: int
    skipped: int | list[object] = 0


def run_bench(plan: BenchPlan) -> BenchResult:
    """Measure everything in ``plan``. Raises `PolicyDeskError` when a command fails or there is no question."""
    if not plan.questions:
        raise PolicyDeskError("没有问题可问；请给出一个问题文件（JSON Lines，每行含 id 和 question）")
    ingest = measure_ingest(plan) if plan.paths else None
    starts = measure_starts(plan)
    started = time.perf_counter()
    with plan.open_base() as base:
        opened = time.perf_counter() - started
        queries = measure_queries(plan, base.search, open_seconds=opened)
        plain, notes = _plain_or_note(plan, base, ingest, queries)
    return BenchResult(ingest, starts, queries, plain, notes)


def measure_ingest(plan: BenchPlan) -> IngestCost:
    """Ingest into an empty home by the product's own command line."""
    if plan.home.exists() and any(plan.home.iterdir()):
        raise PolicyDeskError(f"{plan.home} 不是空文件夹，测不出入库时间；请换一个 --home，或不给文件只测查询")
    paths = [str(path.resolve()) for path in plan.paths]
    command = [*plan.program, "ingest", *paths, *_home(plan), *plan.arguments]
    child = run_child(command)
    done = _ingested(command, child)
    again = run_child(command)
    _ingested(command, again)
    return IngestCost(
        documents=done.documents,
        articles=done.articles,
        chunks=done.chunks,
        skipped=done.skipped if isinstance(done.skipped, int) else len(done.skipped),
        seconds=child.seconds,
        again_seconds=again.seconds,
        articles_per_second=done.articles / child.seconds,
        peak_mb=child.peak_mb,
        disk_mb=disk_mb(plan.home),
    )


def measure_starts(plan: BenchPlan) -> dict[str, Starts]:
    """Fresh processes: a question answered, the help page, and the import alone."""
    texts = [plan.questions[run % len(plan.questions)].question.text for run in range(plan.runs)]
    asks = [[*plan.program, "ask", text, *_home(plan), *plan.arguments] for text in texts]
    return {
        "ask": _starts(asks),
        "help": _starts([[*plan.program, "--help"]] * plan.runs),
        "import": _starts([plan.imports] * plan.runs),
    }


def measure_queries(plan: BenchPlan, search: RefSearch, *, open_seconds: float) -> QueryCost:
    """Two passes by one thread, then one pass per number of threads."""
    cold = timed_pass(plan.questions, search, top=plan.top)
    warm = timed_pass(plan.questions, search, top=plan.top)
    per_second = {str(n): throughput(plan.questions, search, top=plan.top, threads=n) for n in THREADS}
    return QueryCost(
        top=plan.top,
        open_seconds=open_seconds,
        first_ms=cold.seconds[0] * 1000,
        cold=latency(cold.seconds),
        warm=latency(warm.seconds),
        per_second=per_second,
        recall_at_10=_recall_at_10(plan, warm.run),
    )


def measure_plain(plan: BenchPlan, index: PlainIndex, ingest: IngestCost | None, ours: QueryCost) -> PlainCost:
    """The same questions to the plain index, the second of two passes timed, as ours."""
    timed_pass(plan.questions, index.search, top=plan.top)
    warm = timed_pass(plan.questions, index.search, top=plan.top)
    theirs, recall = latency(warm.seconds), _recall_at_10(plan, warm.run)
    ratio = {
        "ingest_seconds": _ratio(ingest.seconds if ingest else None, index.seconds),
        "p50": _ratio(ours.warm.p50_ms, theirs.p50_ms),
        "p95": _ratio(ours.warm.p95_ms, theirs.p95_ms),
        "recall_at_10": _ratio(ours.recall_at_10, recall),
    }
    return PlainCost(index.made_of, index.articles, index.seconds, theirs, recall, ratio)


def disk_mb(folder: Path) -> float:
    """Megabytes (2**20) the folder's files take on disk; holes in sparse files do not count."""
    blocks = sum(path.stat().st_blocks for path in folder.rglob("*") if path.is_file())
    return blocks * 512 / 2**20


def _plain_or_note(
    plan: BenchPlan, base: OpenBase, ingest: IngestCost | None, ours: QueryCost
) -> tuple[PlainCost | None, tuple[str, ...]]:
    """A missing bm25s is noted in the result: by now the long part of the benchmark has been done."""
    if base.articles is None:
        return None, ("plain alternative: not asked for",)
    try:
        index = build_plain(base.articles())
    except MissingExtra as error:
        return None, (f"plain alternative left out: {error}",)
    return measure_plain(plan, index, ingest, ours), ()


def _home(plan: BenchPlan) -> list[str]:
    return ["--home", str(plan.home.resolve()), "--json"]


def _starts(commands: Sequence[Sequence[str]]) -> Starts:
    children = [checked(command) for command in commands]
    seconds = tuple(child.seconds for child in children)
    return Starts(seconds, statistics.median(seconds), max(child.peak_mb for child in children))


def _ingested(command: Sequence[str], child: Child) -> _Ingested:
    """What the command printed. It exits 1 when a file was skipped and still reports: that is a result."""
    try:
        return _Ingested.model_validate_json(child.stdout)
    except ValidationError as error:
        raise failure(command, child) from error


def _recall_at_10(plan: BenchPlan, run: Mapping[str, Sequence[str]]) -> float | None:
    return score(plan.questions, run).overall.means.get("R@10") if plan.top >= 10 else None


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None
