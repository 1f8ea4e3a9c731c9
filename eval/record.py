"""A result -> ``eval/results/<name>-<commit>.json``, with everything needed to measure it again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.config import Config, show_config
from core.errors import PolicyDeskError
from eval.bench import BenchResult
from eval.children import ROOT
from eval.machine import changed, commit, machine_facts, package_versions
from eval.retrieval import RetrievalResult

RESULTS = ROOT / "eval" / "results"
_SECTIONS = ("ingest", "index", "search", "answer")  # what moves a number; no addresses, no secrets


@dataclass(frozen=True, slots=True)
class Measured:
    """What a result is of."""

    name: str                # of the gold set or the run, as in ``statutes-dev``: letters, digits, - _ .
    gold_digest: str
    count: int               # questions
    seed: int


def result_path(name: str, folder: Path = RESULTS) -> Path:
    """``<name>-<12 digits of commit>.json``. Raises `PolicyDeskError` for a name that is no file name."""
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise PolicyDeskError(f"名称 {name!r} 不能作文件名；请只用字母、数字、- _ .")
    return folder / f"{name}-{commit()}.json"


def write_result(
    result: RetrievalResult | BenchResult, measured: Measured, config: Config, *, folder: Path = RESULTS
) -> Path:
    """Where it was written. A result of the same name and commit is overwritten."""
    what = "retrieval" if isinstance(result, RetrievalResult) else "bench"
    # questions and gold stay out: their licence may forbid handing them on
    values = {key: value for key, value in as_record(result).items() if key != "losing"}
    return write_record(what, values, measured, config, folder=folder)


def write_record(
    what: str, values: Mapping[str, object], measured: Measured, config: Config, *, folder: Path = RESULTS
) -> Path:
    """The same for the figures of any kind of result, as JSON values."""
    path = result_path(measured.name, folder)
    record = {"what": what, **circumstances(measured, config), "result": dict(values)}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def circumstances(measured: Measured, config: Config) -> dict[str, object]:
    """Of what, when, where and with which settings a result was measured, as JSON values."""
    return {
        **asdict(measured),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "changed": changed(),
        "machine": asdict(machine_facts()),
        "packages": package_versions(),
        "config_digest": config_digest(config),
        "config": config.model_dump(mode="json", include=set(_SECTIONS)),
    }


def config_digest(config: Config) -> str:
    """First 16 hex digits of sha256 over the configuration as `show_config` prints it."""
    return hashlib.sha256(show_config(config).encode()).hexdigest()[:16]


def as_record(result: RetrievalResult | BenchResult) -> dict[str, object]:
    """The result as JSON values. A retrieval result goes without its run, which a TREC file holds."""
    if isinstance(result, BenchResult):
        return asdict(result)
    return {
        "n": result.n,
        "without_gold": result.scores.without_gold,
        "overall": asdict(result.scores.overall),
        "kinds": {kind: asdict(group) for kind, group in result.scores.kinds.items()},
        "depth": result.depth,
        "seconds": result.seconds,
        "losing": [asdict(loss) for loss in result.losing],
    }
