"""The verbs of standard questions and service guides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from core.errors import PolicyDeskError
from policydesk.options import AsJson, By, ConfigFile, Home, Region, opened_desk, parse_date, write_lines

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kb.curation.faq_entries import FaqEntry
    from kb.log.audit import AuditRow

T = TypeVar("T")

faq_app = typer.Typer(help="标准问答与办事指南：审核过的答复，问到即直接作答。", no_args_is_help=True)

EntryId = Annotated[str, typer.Argument(help="条目编号，见 policydesk faq list")]
_Question = Annotated[str | None, typer.Option("--question", help="标准问题")]
_Answer = Annotated[str | None, typer.Option("--answer", help="答复")]
_Sections = Annotated[
    list[str] | None, typer.Option("--section", help="办事指南的一栏，如 材料=身份证、户口簿；可多次")
]
_Similar = Annotated[list[str] | None, typer.Option("--similar", help="相似问法；可多次")]
_Negative = Annotated[list[str] | None, typer.Option("--negative", help="容易混淆、不应由它作答的问题；可多次")]
_Cite = Annotated[
    list[str] | None, typer.Option("--cite", help="引文，写作 来源|条款|原文，来源也可以是发文字号或标题；可多次")
]
_Threshold = Annotated[
    float | None, typer.Option("--threshold", min=0, max=1, help="直接作答的阈值；0 取 faq.threshold")
]
_Public = Annotated[bool | None, typer.Option("--public/--internal", help="市民可见，或仅供坐席")]
_Owner = Annotated[str | None, typer.Option("--owner", help="责任单位")]
_Due = Annotated[date | None, typer.Option("--review-due", parser=parse_date, help="复核到期日，如 2027-01-01")]


@faq_app.command("add")
def add(
    question: _Question = None,
    answer: _Answer = None,
    section: _Sections = None,
    similar: _Similar = None,
    negative: _Negative = None,
    cite: _Cite = None,
    threshold: _Threshold = None,
    region: Region = None,
    public: _Public = None,
    owner: _Owner = None,
    review_due: _Due = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """新建一个条目（草稿）；给出 --section 即为办事指南。打印编号。"""
    from kb.curation import faq, faq_entries

    given = _given({
        "question": question, "answer": answer, "similar": similar, "negative": negative, "threshold": threshold,
        "region": region, "public": public, "owner": owner, "review_due": review_due,
    }, section, cite)
    entry = faq_entries.entry_of({"question": "", "answer": ""} | given)
    typer.echo(_changed(config, home, lambda connection: faq.add(connection, by, entry)))


@faq_app.command("edit")
def edit(
    entry: EntryId,
    question: _Question = None,
    answer: _Answer = None,
    section: _Sections = None,
    similar: _Similar = None,
    negative: _Negative = None,
    cite: _Cite = None,
    threshold: _Threshold = None,
    region: Region = None,
    public: _Public = None,
    owner: _Owner = None,
    review_due: _Due = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """修改一个条目：只改给出的各项；可多次的选项整组替换。"""
    from kb.curation import faq, faq_entries

    given = _given({
        "question": question, "answer": answer, "similar": similar, "negative": negative, "threshold": threshold,
        "region": region, "public": public, "owner": owner, "review_due": review_due,
    }, section, cite)

    def change(connection: Connection) -> None:
        old = faq_entries.entry_json(faq.load(connection, entry))
        sections = {} if answer else old.get("sections", {}) | given.get("sections", {})
        faq.edit(connection, by, faq_entries.entry_of(old | given | {"sections": sections}))

    _changed(config, home, change)
    typer.echo(f"已修改 {entry}", err=True)


@faq_app.command("list")
def list_entries(
    state: Annotated[
        str | None, typer.Option("--state", help="draft、published、suspended 或 withdrawn，缺省为全部")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="只列复核已到期的")] = False,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出条目及其状态；暂停的附原因。"""
    from kb.curation import faq, faq_entries
    from policydesk.batch import to_line

    try:
        states = [faq_entries.FaqState(state)] if state else list(faq_entries.FaqState)
    except ValueError as error:
        raise typer.BadParameter(f"没有 {state} 这种状态，应为 {'、'.join(faq_entries.FaqState)}") from error
    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        entries = [
            entry for entry in faq.load_all(connection, states)
            if not due or (entry.review_due is not None and entry.review_due <= date.today())
        ]
    lines = (to_line(faq_entries.entry_json(entry)) if as_json else _short(entry) for entry in entries)
    write_lines(None, lines)


@faq_app.command("show")
def show(entry: EntryId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """显示一个条目的全部内容。"""
    from kb.curation import faq, faq_entries
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        found = faq.load(connection, entry)
    write_lines(None, [to_line(faq_entries.entry_json(found))] if as_json else _lines(found))


@faq_app.command("publish")
def publish(
    entries: Annotated[list[str], typer.Argument(help="条目编号，见 policydesk faq list")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """发布条目，或在核对后恢复暂停的条目；引文须逐字在已发布文件中，答复中的数字须在引文中。"""
    from kb.curation import faq

    def change(connection: Connection) -> None:
        for name in entries:
            faq.publish(connection, by, name)

    _changed(config, home, change)
    typer.echo(f"已发布 {len(entries)} 个条目", err=True)


@faq_app.command("withdraw")
def withdraw(entry: EntryId, by: By = "", home: Home = None, config: ConfigFile = None) -> None:
    """撤下一个条目，立即不再作答。"""
    from kb.curation import faq

    _changed(config, home, lambda connection: faq.withdraw(connection, by, entry))
    typer.echo(f"已撤下 {entry}", err=True)


@faq_app.command("import")
def import_entries(
    file: Annotated[Path, typer.Argument(help="JSON Lines，每行一个条目，同 faq export")],
    publish: Annotated[bool, typer.Option("--publish/--draft", help="收入后即发布，或存为草稿")] = False,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """收入条目：编号已有的修改，其余新建；有一行不对则一行也不收。"""
    from kb.curation import faq, faq_entries

    try:
        entries = list(faq_entries.read_entries(file.read_text(encoding="utf-8-sig").splitlines(), str(file)))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyDeskError(f"{file} 读不出来，应为 UTF-8 的 JSON Lines 文件。请检查路径") from error

    def change(connection: Connection) -> list[str]:
        return faq.put_all(connection, by, entries, publish_them=publish)

    ids = _changed(config, home, change)
    write_lines(None, ids)
    typer.echo(f"已收入 {len(ids)} 个条目", err=True)


@faq_app.command("export")
def export_entries(
    file: Annotated[Path, typer.Argument(help="写到这个 JSON Lines 文件")],
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把全部条目写成 JSON Lines 文件。"""
    from kb.curation import faq, faq_entries
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        entries = faq.load_all(connection, list(faq_entries.FaqState))
    write_lines(file, (to_line(faq_entries.entry_json(entry)) for entry in entries))
    typer.echo(f"已写出 {len(entries)} 个条目", err=True)


@faq_app.command("history")
def history(entry: EntryId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """列出一个条目的全部改动：何时、谁、改前改后。"""
    from dataclasses import asdict

    from kb.curation import faq
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        rows = faq.history(connection, entry)
    if not rows:
        raise PolicyDeskError(f"没有条目 {entry} 的历史。用 policydesk faq list 查看编号")
    write_lines(None, (to_line(asdict(row)) for row in rows) if as_json else _history_lines(rows))


@faq_app.command("revert")
def revert(
    entry: EntryId,
    seq: Annotated[int, typer.Argument(help="回到历史中的哪一行，见 policydesk faq history")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把条目的内容恢复成某次改动之后的样子；状态不变。"""
    from kb.curation import faq

    _changed(config, home, lambda connection: faq.revert(connection, by, entry, seq))
    typer.echo(f"已恢复 {entry} 到第 {seq} 行", err=True)


def _changed(config: Path | None, home: Path | None, made: Callable[[Connection], T]) -> T:
    with opened_desk(config, home) as desk, desk.base.ledger.changing() as connection:
        return made(connection)


def _given(
    options: Mapping[str, object], section: Sequence[str] | None, cite: Sequence[str] | None
) -> dict[str, Any]:
    """What was given, as `kb.curation.faq_entries.entry_of` reads it."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if section:
        named = (_split(part, "=", 2, "--section 应如 材料=身份证") for part in section)
        given |= {"kind": "guide", "sections": {part[0]: part[1] for part in named}}
    if cite:
        parts = (_split(part, "|", 3, "--cite 应为 来源|条款|原文") for part in cite)
        given["citations"] = [dict(zip(("source", "address", "quote"), part, strict=True)) for part in parts]
    return given


def _split(text: str, at: str, parts: int, message: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(at, parts - 1))
    if len(found) != parts or not all(found):
        raise typer.BadParameter(f"{message}，实际是 {text!r}")
    return found


def _short(entry: FaqEntry) -> str:
    where = f"  {entry.region}" if entry.region else ""
    why = f"  （{entry.reason}）" if entry.reason else ""
    return f"{entry.id}  {entry.state.value}  {entry.kind.value}{where}  {entry.question}{why}"


def _lines(entry: FaqEntry) -> Iterator[str]:
    yield _short(entry)
    yield f"答：{entry.answer}"
    yield from (f"相似问法：{text}" for text in entry.similar)
    yield from (f"不由它作答：{text}" for text in entry.negative)
    yield from (f"引文：{basis.source} {basis.address}“{basis.quote}”" for basis in entry.citations)
    yield f"阈值：{entry.threshold or '缺省'}  {'公开' if entry.public else '仅供坐席'}"
    if entry.owner or entry.review_due:
        yield f"责任单位：{entry.owner or ''}  复核到期日：{entry.review_due or ''}"


def _history_lines(rows: Sequence[AuditRow]) -> Iterator[str]:
    from kb.log.audit import local_time

    for row in rows:
        yield f"{row.seq}  {local_time(row.at).isoformat(' ', 'seconds')}  {row.who}  {row.action}"
        before, after = row.detail["before"] or {}, row.detail["after"]
        for name, value in after.items():
            if before.get(name) != value and name != "sections" and value not in (None, "", [], 0.0):
                yield f"    {name}：{before.get(name, '')} → {value}"
