"""Files of ``eval/results`` -> the table of measured numbers in a README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.errors import NotFound, PolicyDeskError

BEGIN = "<!-- measured:begin -->"
END = "<!-- measured:end -->"
_ANSWERS = {
    "in_quotes": "Gold in answer or quotes", "at_place": "Gold passage quoted", "rouge_l": "ROUGE-L",
    "rouge_l_recall": "ROUGE-L recall", "citation_precision": "Citation precision", "false_refusal": "Wrongly refused",
    "right_refusal": "Rightly refused", "turned_away": "Turned away", "from_here": "Answered from elsewhere",
}
_SHOWN = ("R@10", "R@100", "RR@10", "nDCG@10", "Success@1")


class _Group(BaseModel):
    n: int
    means: dict[str, float]
    intervals: dict[str, tuple[float, float]]


class _Retrieval(BaseModel):
    overall: _Group
    kinds: dict[str, _Group]


class _Latency(BaseModel):
    p50_ms: float
    p95_ms: float


class _Ingest(BaseModel):
    articles: int
    seconds: float
    again_seconds: float | None = None      # results before 2026-11-25 lack it
    articles_per_second: float
    peak_mb: float
    disk_mb: float


class _Starts(BaseModel):
    median_seconds: float


class _Queries(BaseModel):
    first_ms: float
    cold: _Latency
    warm: _Latency
    per_second: dict[str, float]
    recall_at_10: float | None


class _Plain(BaseModel):
    made_of: str
    index_seconds: float
    warm: _Latency
    recall_at_10: float | None
    ratio: dict[str, float | None]       # in the order of `eval.bench.measure_plain`


class _Bench(BaseModel):
    ingest: _Ingest | None
    starts: dict[str, _Starts]
    queries: _Queries
    plain: _Plain | None


class _Answers(BaseModel):
    groups: dict[str, dict[str, _Group]]
    totals: dict[str, int]
    faults: dict[str, int]


class _Machine(BaseModel):
    cpu: str
    cores: int
    memory_gb: float
    python: str


class _File(BaseModel):
    """One result file, as far as the tables show it."""

    name: str
    count: int
    date: str
    commit: str
    changed: bool
    machine: _Machine


class _RetrievalFile(_File):
    what: Literal["retrieval"]
    result: _Retrieval


class _BenchFile(_File):
    what: Literal["bench"]
    result: _Bench


class _AnswersFile(_File):
    what: Literal["answers"]
    result: _Answers


_Kinds = _RetrievalFile | _BenchFile | _AnswersFile
_AnyFile = Annotated[_Kinds, Field(discriminator="what")]


def measured_table(paths: Iterable[Path]) -> str:
    """Markdown: retrieval, answers, speed, and where they were measured. Of files with one name the newest is shown."""
    files = _newest(_read(path) for path in sorted(paths))
    if not files:
        return "还没有测量结果 / nothing measured yet"
    retrieval = [file for file in files if isinstance(file, _RetrievalFile)]
    answers = [file for file in files if isinstance(file, _AnswersFile)]
    speed = [file for file in files if isinstance(file, _BenchFile)]
    parts = [_retrieval_table(retrieval)] if retrieval else []
    parts += [_answers_table(answers)] if answers else []
    parts += [_speed_table(speed)] if speed else []
    return "\n\n".join([*parts, _places(files)])


def refresh_table(readme: Path, table: str) -> bool:
    """Put the table between the markers; whether the file changed.

    Raises `NotFound` when there is no such file, `PolicyDeskError` unless each marker stands there once, in order.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"找不到 {readme}；请检查路径") from error
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise PolicyDeskError(f"{readme} 里应先后各有一行 {BEGIN} 和 {END}；请在放表格的地方写上这两行后重试")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    fresh = f"{before}{BEGIN}\n{table.strip()}\n{END}{after}"
    if fresh == text:
        return False
    readme.write_text(fresh, encoding="utf-8")
    return True


def _read(path: Path) -> _Kinds:
    reader: TypeAdapter[_Kinds] = TypeAdapter(_AnyFile)
    try:
        return reader.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "整个文件"
        raise PolicyDeskError(f"测量结果 {path} 读不懂：{where}：{first['msg']}；请删除它，重新测量") from error


def _newest(files: Iterable[_Kinds]) -> list[_Kinds]:
    newest: dict[tuple[str, str], _Kinds] = {}
    for file in files:
        key = (file.what, file.name)
        if key not in newest or file.date > newest[key].date:
            newest[key] = file
    return [newest[key] for key in sorted(newest)]


def _retrieval_table(files: Sequence[_RetrievalFile]) -> str:
    header = ["Gold set", "Questions", "R@10", "R@100", "MRR@10", "nDCG@10", "Hit@1", "None in first 10", "Measured"]
    rows = []
    for file in files:
        rows.append(_scores_row(file.name, file.result.overall, _when(file)))
        if len(file.result.kinds) > 1:
            rows += [_scores_row(f"– {kind}", group, "") for kind, group in file.result.kinds.items()]
    return markdown(header, rows)


def _scores_row(name: str, group: _Group, when: str) -> list[str]:
    missed = round(group.n * (1 - group.means.get("Success@10", 1.0)))
    return [name, f"{group.n}", *(_interval(group, measure) for measure in _SHOWN), f"{missed}", when]


def _interval(group: _Group, measure: str) -> str:
    if measure not in group.means:
        return "–"
    low, high = group.intervals[measure]
    return f"{group.means[measure]:.3f} ({low:.3f}–{high:.3f})"


def _answers_table(files: Sequence[_AnswersFile]) -> str:
    """One row per set, and one per file or label of it."""
    some = [file.result.groups for file in files]
    shown = [name for name in _ANSWERS if any(name in group for groups in some for group in groups.values())]
    header = ["Answers", "Questions", *(_ANSWERS[name] for name in shown), "Faults", "Measured"]
    rows = []
    for file in files:
        for name, group in file.result.groups.items():
            whole = name == next(iter(file.result.groups))
            count = max((own.n for own in group.values()), default=0)
            label = file.name if whole else f"– {name}"
            cells = [_interval(group[measure], measure) if measure in group else "–" for measure in shown]
            last = [f"{sum(file.result.faults.values())}", _when(file)] if whole else ["", ""]
            rows.append([label, f"{file.result.totals['questions'] if whole else count}", *cells, *last])
    return markdown(header, rows)


def _speed_table(files: Sequence[_BenchFile]) -> str:
    """One row per number and one column per run."""
    columns = [_speed_column(file.result) for file in files]
    rows = [[label, *(column[label] for column in columns)] for label in columns[0]]
    rows.append(["Measured", *map(_when, files)])
    return markdown(["Speed", *(f"{file.name}, {file.count} questions" for file in files)], rows)


def _again(ingest: _Ingest) -> str:
    again = ingest.again_seconds
    return f"{again:.1f} s, {ingest.seconds / again:.0f} times faster" if again else "–"


def _speed_column(bench: _Bench) -> dict[str, str]:
    ingest, queries, plain = bench.ingest, bench.queries, bench.plain
    return {
        "Ingest": f"{ingest.articles:,} articles in {ingest.seconds:.1f} s" if ingest else "–",
        "Ingest again, unchanged": _again(ingest) if ingest else "–",
        "Articles per second": f"{ingest.articles_per_second:,.0f}" if ingest else "–",
        "Peak memory of ingest / home on disk": f"{ingest.peak_mb:,.0f} / {ingest.disk_mb:,.0f} MB" if ingest else "–",
        "Fresh process: ask / --help / import": " / ".join(
            f"{bench.starts[name].median_seconds:.2f}" for name in ("ask", "help", "import")
        ) + " s",
        "First query": f"{queries.first_ms:.1f} ms",
        "Query cold, p50 / p95": _percentiles(queries.cold),
        "Query warm, p50 / p95": _percentiles(queries.warm),
        "Queries per second (threads)": ", ".join(f"{qps:,.0f} ({n})" for n, qps in queries.per_second.items()),
        "R@10": _share(queries.recall_at_10),
        "Plain alternative": plain.made_of if plain else "–",
        "– index": f"{plain.index_seconds:.1f} s" if plain else "–",
        "– query warm, p50 / p95": _percentiles(plain.warm) if plain else "–",
        "– R@10": _share(plain.recall_at_10) if plain else "–",
        "Ours / plain: ingest, p50, p95, R@10": " / ".join(map(_times, plain.ratio.values())) if plain else "–",
    }


def _percentiles(value: _Latency) -> str:
    return f"{value.p50_ms:.1f} / {value.p95_ms:.1f} ms"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _when(file: _File) -> str:
    return f"{file.date[:10]}, {file.commit}{' + changes' if file.changed else ''}"


def _places(files: Sequence[_File]) -> str:
    """The machines, each once."""
    places = dict.fromkeys(
        f"{file.machine.cpu}, {file.machine.cores} cores, {file.machine.memory_gb:g} GB, Python {file.machine.python}"
        for file in files
    )
    return "Intervals: 95 %, bootstrap over questions. Measured on " + "; ".join(places) + "."


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a | in a cell is written so that it does not end it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
