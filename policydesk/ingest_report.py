"""What an ingest run says at its end: a table for people, and the same as JSON in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from core.errors import PolicyDeskError
from core.records import FileOutcome, IngestReport, Outcome

OUTCOME_NAMES = {
    Outcome.INDEXED: "已收录",
    Outcome.PARTIAL: "部分收录",
    Outcome.UNCHANGED: "未变",
    Outcome.REJECTED: "未收录",
    Outcome.LEFT_OUT: "略过",
}
_SHOWN = 40      # rows and duplicates printed; the file has them all


def report_lines(report: IngestReport) -> Iterator[str]:
    """Counts by type and outcome, then a line for each file that is not simply there, then what changed."""
    yield (
        f"新收入 {report.documents} 份文件、{report.articles} 条；{report.unchanged_documents} 份已有，"
        f"{report.unchanged_files} 个文件未变，取代旧稿 {report.replaced} 份；"
        f"未收录 {sum(item.failed for item in report.skipped)} 处；用时 {report.seconds:.1f} 秒"
    )
    yield from _counts(report.files)
    told = [row for row in report.files if row.outcome not in (Outcome.INDEXED, Outcome.UNCHANGED)]
    yield from (_row(row) for row in told[:_SHOWN])
    if len(told) > _SHOWN:
        yield f"…… 另有 {len(told) - _SHOWN} 行，见报告文件"


def write_report(report: IngestReport, home: Path) -> Path:
    """The report as ``reports/ingest-<time>.json`` in the home folder; its path."""
    folder = home / "reports"
    path = folder / f"ingest-{datetime.now():%Y%m%d-%H%M%S-%f}.json"
    try:
        folder.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(report), ensure_ascii=False, indent=1, default=str), encoding="utf-8")
    except OSError as error:
        raise PolicyDeskError(f"文件已入库，但报告写不了 {path}：{error.strerror}。请检查磁盘和权限") from error
    return path


def _counts(files: tuple[FileOutcome, ...]) -> Iterator[str]:
    """A line per true type: how many files ended how."""
    count = Counter((row.kind or "—", row.outcome) for row in files)
    kinds = sorted({kind for kind, _ in count})
    if not kinds:
        return
    yield "类型      " + "".join(f"{name:　>5}" for name in OUTCOME_NAMES.values())
    for kind in kinds:
        yield f"{kind:<10}" + "".join(f"{count[kind, outcome] or '-':>10}" for outcome in OUTCOME_NAMES)


def _row(row: FileOutcome) -> str:
    pages = f"（缺第 {'、'.join(map(str, row.unread_pages))} 页，共 {row.pages} 页）" if row.unread_pages else ""
    code = f" [{row.code}]" if row.code else ""
    more = f"；等 {len(row.reasons)} 处" if len(row.reasons) > 1 else ""
    reason = f"：{row.reasons[0]}{more}" if row.reasons else ""
    return f"{OUTCOME_NAMES[row.outcome]}{code} {row.source}{pages}{reason}"
