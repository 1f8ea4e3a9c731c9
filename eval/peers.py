"""The benchmark of ``policydesk bench peers``: the same articles and questions to our search and to other engines.

Every engine is a fresh process, one after another: it indexes what was exported, and answers every question once,
for the first 100 articles. Thread pools are held to one thread, and where the system can, the process to one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from core.errors import PolicyDeskError
from eval.children import failure, run_child
from eval.gold import GoldQuestion
from eval.latency import Latency, latency
from eval.measures import score
from eval.peer_export import Exported
from eval.report import markdown

SCRIPT = Path(__file__).resolve().parent / "peer_engines.py"
REQUIREMENTS = "eval/peers-requirements.txt"
OURS = "policydesk"
PEERS = {
    "tantivy": "tantivy + rjieba",
    "lancedb": "LanceDB full text (icu)",
    "llamaindex-bm25": "LlamaIndex BM25 retriever",
    "llamaindex-qdrant": "LlamaIndex + Qdrant hybrid (in process)",
}
NEED_VECTORS = frozenset({"llamaindex-qdrant"})
SHOWN = {"R@10": "R@10", "R@100": "R@100", "RR@10": "MRR@10"}
_RATIOS = {
    "index_seconds": "index", "peak_mb": "memory", "p50": "p50", "p95": "p95", "cpu_p95": "processor p95", **SHOWN,
}
_ONE_THREAD = tuple(
    f"{name}=1" for name in (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS",
        "TOKIO_WORKER_THREADS", "LANCE_CPU_THREADS",
    )
)


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """What to measure on the files in ``folder``. ``own`` is the command of our engine; the folder is added to it."""

    questions: tuple[GoldQuestion, ...]
    folder: Path
    exported: Exported
    own: tuple[str, ...]
    own_arguments: tuple[str, ...] = ()                # after the folder
    python: str = sys.executable                       # the interpreter of the others
    peers: tuple[str, ...] = tuple(PEERS)
    progress: Callable[[str], None] = lambda line: None


@dataclass(frozen=True, slots=True)
class Measure:
    """One engine's numbers."""

    index_seconds: float                               # from texts to ready for the first question
    peak_mb: float                                     # resident, of the whole process: reading, indexing, answering
    queries: Latency
    processor: Latency                                 # the same in processor time, all threads together
    means: Mapping[str, float]                         # R@10, R@100, RR@10; empty when no question has gold
    intervals: Mapping[str, tuple[float, float]]       # 95 %


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One line of the result: an engine that was measured, or why it was not."""

    name: str
    label: str
    measure: Measure | None
    note: str                                          # empty when measured
    versions: Mapping[str, str]
    ratio: Mapping[str, float | None]                  # ours / theirs; empty for ours and for what was not measured


@dataclass(frozen=True, slots=True)
class PeerResult:
    """Ours first."""

    documents: int
    articles: int
    rows: tuple[PeerRow, ...]


class _Report(BaseModel):
    """What an engine writes."""

    index_seconds: float = 0.0
    seconds: tuple[float, ...] = ()
    cpu_seconds: tuple[float, ...] = ()
    run: dict[str, tuple[str, ...]] = {}
    versions: dict[str, str] = {}
    missing: str | None = None


def run_peers(plan: PeerPlan) -> PeerResult:
    """Measure ours, then each of the others. One of them that is not installed or fails is a row that says so.

    Raises `PolicyDeskError` when ours fails or there is no question.
    """
    if not plan.questions:
        raise PolicyDeskError("没有问题可问；请给出一个问题文件（JSON Lines，每行含 id 和 question）")
    command = [*plan.own, str(plan.folder), *plan.own_arguments]
    ours = _measured(plan, OURS, "PolicyDesk", command)
    if ours.measure is None:
        raise PolicyDeskError(ours.note)
    rows = [ours]
    for name in plan.peers:
        theirs = _measured(plan, name, PEERS[name], [plan.python, "-I", str(SCRIPT), name, str(plan.folder)])
        rows.append(_beside(theirs, ours.measure))
    return PeerResult(plan.exported.documents, plan.exported.articles, tuple(rows))


def peer_lines(result: PeerResult) -> Iterator[str]:
    """A Markdown table, an engine a line; the last column is ours divided by theirs."""
    header = ["Engine", "Index", "Peak memory", "Query p50 / p95", "In processor time",
              *SHOWN.values(), f"Ours / theirs: {', '.join(_RATIOS.values())}"]
    yield markdown(header, [_cells(row) for row in result.rows])
    yield ""
    counted = f"{result.articles:,} articles of {result.documents:,} documents"
    yield f"{counted}, the same for each engine; one core each, one after another."
    versions = {name: number for row in result.rows for name, number in row.versions.items()}
    yield f"Versions: {', '.join(f'{name} {number}' for name, number in versions.items())}."


def _measured(plan: PeerPlan, name: str, label: str, command: Sequence[str]) -> PeerRow:
    plan.progress(label)
    child = run_child(["env", *_ONE_THREAD, *command])
    try:
        report = None if child.code else _Report.model_validate_json((plan.folder / f"{name}.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        report = None
    if report is None:
        return PeerRow(name, label, None, str(failure(command, child)), {}, {})
    if report.missing:
        note = f"{report.missing} is not installed there. Type: {plan.python} -m pip install -r {REQUIREMENTS}"
        return PeerRow(name, label, None, note, {}, {})
    overall = score(plan.questions, _counted(plan, report.run)).overall
    means = {measure: overall.means[measure] for measure in SHOWN if measure in overall.means}
    intervals = {measure: overall.intervals[measure] for measure in means}
    queries, processor = latency(report.seconds), latency(report.cpu_seconds)
    measure = Measure(report.index_seconds, child.peak_mb, queries, processor, means, intervals)
    return PeerRow(name, label, measure, "", report.versions, {})


def _counted(plan: PeerPlan, run: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Refs, or the names of their documents where the gold of a question names documents."""
    names = plan.exported.names
    return {
        question.id: [names[ref] if question.by_document else ref for ref in run[question.id]]
        for question in plan.questions
    }


def _beside(row: PeerRow, ours: Measure) -> PeerRow:
    if row.measure is None:
        return row
    mine, theirs = _numbers(ours), _numbers(row.measure)
    ratio = {name: mine[name] / theirs[name] if theirs.get(name) else None for name in mine}
    return replace(row, ratio=ratio)


def _numbers(measure: Measure) -> dict[str, float]:
    return {
        "index_seconds": measure.index_seconds, "peak_mb": measure.peak_mb, "p50": measure.queries.p50_ms,
        "p95": measure.queries.p95_ms, "cpu_p50": measure.processor.p50_ms, "cpu_p95": measure.processor.p95_ms,
        **measure.means,
    }


def _cells(row: PeerRow) -> list[str]:
    measure = row.measure
    if measure is None:
        return [row.label, _one_line(row.note), *["–"] * (4 + len(SHOWN))]
    means = [f"{measure.means[name]:.3f}" if name in measure.means else "–" for name in SHOWN]
    ratios = " / ".join(_times(row.ratio.get(name)) for name in _RATIOS) if row.ratio else "–"
    return [
        row.label, f"{measure.index_seconds:.1f} s", f"{measure.peak_mb:,.0f} MB",
        _percentiles(measure.queries), _percentiles(measure.processor), *means, ratios,
    ]


def _percentiles(value: Latency) -> str:
    return f"{value.p50_ms:.1f} / {value.p95_ms:.1f} ms"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
