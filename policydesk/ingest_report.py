"""What an ingest run says at its end: a table for people, and the same as JSON in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from core.errors import PolicyDeskError
from core.records import Duplicate, FileOutcome, Held, IngestReport, Likeness, Outcome, RevisionChange

OUTCOME_NAMES = {
    Outcome.INDEXED: "已收录",
    Outcome.PARTIAL: "部分收录",
    Outcome.UNCHANGED: "未变",
    Outcome.REJECTED: "未收录",
    Outcome.LEFT_OUT: "略过",
}
LIKENESS_NAMES = {
    Likeness.SAME_TEXT: "与已有文件同文",
    Likeness.SAME_NUMBER: "与已有文件同文号",
    Likeness.VERSION: "已有文件的另一版本",
    Likeness.NEAR: "与已有文件近似",
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
    yield from (_revision(change) for change in report.revisions[:_SHOWN])
    yield from (_held(held) for held in report.held)
    likely = [found for found in report.duplicates if found.kind is not Likeness.VERSION]
    yield from (_likeness(found) for found in likely[:_SHOWN])


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


def _revision(change: RevisionChange) -> str:
    parts = [
        f"{name} {'、'.join(addresses[:6])}{'等' if len(addresses) > 6 else ''}（{len(addresses)} 条）"
        for name, addresses in (("修改", change.changed), ("增加", change.added), ("删除", change.removed)) if addresses
    ]
    return f"更新 《{change.title}》：{'，'.join(parts) or '条文未变'}，未变 {change.unchanged} 条"


def _held(held: Held) -> str:
    names = "、".join(change.name for change in held.conflicts)
    return (
        f"与编辑的修改冲突（{names}），存为草稿 {held.document}，已发布的版本不变：{held.source}。"
        f"用 policydesk review show {held.document} 查看"
    )


def _likeness(found: Duplicate) -> str:
    return f"{LIKENESS_NAMES[found.kind]}（相似度 {found.similarity:.0%}）：{found.source} ～ {found.of_source}"
