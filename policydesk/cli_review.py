"""``policydesk review``: drafts are handed in, looked at, approved or sent back; and what is to be looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.records import State
from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, write_lines

if TYPE_CHECKING:
    from core.records import Document
    from kb.curation.lifecycle import Due
    from policydesk.app import Desk
    from policydesk.review import Preview

review_app = typer.Typer(help="审核：提交、查看、批准、退回，以及到期复核。", no_args_is_help=True)

Ids = Annotated[list[str], typer.Argument(help="文件编号，见 policydesk documents --state draft")]
_SURE = 0.9                      # fields read with less are shown for confirming


@review_app.command("submit")
def submit(ids: Ids, by: By = "", home: Home = None, config: ConfigFile = None) -> None:
    """提交草稿审核。"""
    from kb.curation import lifecycle

    with opened_desk(config, home) as desk:
        desk.base.change(lambda connection: lifecycle.submit(connection, ids, by))
    typer.echo(f"已提交 {len(ids)} 份文件", err=True)


@review_app.command("approve")
def approve(ids: Ids, by: By = "", home: Home = None, config: ConfigFile = None) -> None:
    """批准并发布：一次全部可见。"""
    with opened_desk(config, home) as desk:
        desk.base.publish(ids, by)
    typer.echo(f"已发布 {len(ids)} 份文件", err=True)


@review_app.command("return")
def send_back(
    ids: Ids,
    note: Annotated[str, typer.Option("--note", help="要改什么")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """退回修改。"""
    from kb.curation import lifecycle

    with opened_desk(config, home) as desk:
        desk.base.change(lambda connection: lifecycle.send_back(connection, ids, note, by))
    typer.echo(f"已退回 {len(ids)} 份文件", err=True)


@review_app.command("list")
def waiting(home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """列出待审核的文件。"""
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        rows = desk.base.documents([State.REVIEW])
    for row in rows:
        write_lines(None, [to_line(asdict(row)) if as_json else f"{row.id}  {row.facts.title}  {row.source}"])


@review_app.command("due")
def due(home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """列出复核到期、即将失效和刚失效的文件。"""
    from kb.curation import lifecycle
    from policydesk.batch import to_line
    from qa.scope import today

    with opened_desk(config, home) as desk:
        days = desk.config.review.due_days
        rows = desk.base.read(lambda connection: lifecycle.due(connection, today(), days))
    write_lines(None, [to_line(asdict(row)) for row in rows] if as_json else _due_lines(rows))


@review_app.command("show")
def show(
    document: Annotated[str, typer.Argument(help="草稿或待审核文件的编号")],
    questions: Annotated[
        Path | None, typer.Option("--questions", help="标注问题（JSON Lines）：发布后答案会变的列出来")
    ] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """发布前看一遍：与现行版本逐条比较、待确认的字段、近似文件、相互冲突的规定、会改变的答案。"""
    from policydesk.batch import to_line
    from policydesk.review import preview

    with opened_desk(config, home) as desk:
        found = preview(desk, document, questions)
        lines = [to_line(found.as_json())] if as_json else list(_preview_lines(desk, found))
    write_lines(None, lines)


def _due_lines(rows: Sequence[Due]) -> Iterator[str]:
    for row in rows:
        yield f"{row.day}  {row.why}  {row.document.id}  《{row.document.facts.title}》  {row.owner or ''}".rstrip()


def _preview_lines(desk: Desk, found: Preview) -> Iterator[str]:
    from policydesk.document_lines import change_lines

    yield f"《{found.document.facts.title}》 {found.document.id}"
    if found.comparison is None:
        yield "这个来源没有已发布的版本，是新文件"
    else:
        yield f"与已发布的 {found.comparison.old} 相比："
        yield from change_lines(found.comparison)
    yield from _field_lines(found.document)
    for change in found.edit_conflicts:
        yield f"与编辑的修改冲突：{change.name}，编辑曾将“{change.old[:40]}”改为“{change.new[:40]}”"
    for near in found.similar:
        other = near.of if near.document == found.document.id else near.document
        yield f"近似：{near.kind.value} {near.similarity:.2f} {other} 《{desk.base.title(other)}》"
    for conflict in found.conflicts:
        yield f"规定不一致（{'、'.join(conflict.kinds)}）：{conflict.decision.reason}"
        for side in conflict.sides:
            yield f"   《{side.title}》{side.address}：{side.quote}"
    for answer in found.answers:
        yield f"答案会变：{answer.question}"
        yield f"   现在：{answer.before}"
        yield f"   发布后：{answer.after}"


def _field_lines(document: Document) -> Iterator[str]:
    for field in document.fields:
        if field.confidence < _SURE:
            where = document.text[field.start : field.end].replace("\n", " ") if field.start is not None else ""
            yield f"待确认：{field.name} = {field.value}（{field.confidence:.2f}）{where[:40]}"
