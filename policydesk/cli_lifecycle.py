"""Verbs on the standing of one document: rule on its validity, see what depends on it, its history and its care."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import Connection

from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, parse_date, write_lines

if TYPE_CHECKING:
    from sqlalchemy import Row

    from kb.curation.lifecycle import Impact, Revision, Ruling

DocumentId = Annotated[str, typer.Argument(help="文件编号，见 policydesk documents")]


def repeal(
    document: DocumentId,
    day: Annotated[date | None, typer.Option("--from", parser=parse_date, help="从哪天起不再有效")] = None,
    by_name: Annotated[str | None, typer.Option("--replaced-by", help="替代它的文件名称")] = None,
    reason: Annotated[str, typer.Option("--reason", help="依据")] = "",
    in_force: Annotated[bool, typer.Option("--in-force", help="相反的裁定：别的文件的废止表述不适用于它")] = False,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """裁定一份已发布文件废止（或仍然有效）；先列出受影响的内容。裁定优先于文件中的表述，可以撤销。"""
    from kb.curation import lifecycle

    if (day is None) != in_force:
        raise typer.BadParameter("请用 --from 给出日期，或用 --in-force 裁定仍然有效，二者取一")

    def decide(connection: Connection) -> int:
        return lifecycle.rule(
            connection, document, by, repealed=not in_force, day=day, by_name=by_name, reason=reason
        )

    with opened_desk(config, home) as desk:
        affected = desk.base.read(lambda connection: lifecycle.impact(connection, document))
        number = desk.base.change(decide)
    write_lines(None, _impact_lines(affected))
    typer.echo(f"已裁定，编号 {number}。撤销：policydesk unrule {number}", err=True)


def unrule(
    number: Annotated[int, typer.Argument(help="裁定的编号，见 policydesk history")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """撤销一项裁定：文件的效力重新按文件中的表述确定。"""
    from kb.curation import lifecycle

    with opened_desk(config, home) as desk:
        desk.base.change(lambda connection: lifecycle.undo_ruling(connection, number, by))
    typer.echo(f"已撤销裁定 {number}", err=True)


def impact(document: DocumentId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """一份文件废止或撤下会影响什么：引用它的文件、问答条目、给出过的答案。"""
    from kb.curation import lifecycle
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        found = desk.base.read(lambda connection: lifecycle.impact(connection, document))
    write_lines(None, [to_line(asdict(found))] if as_json else _impact_lines(found))


def history(document: DocumentId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """一份文件来源的全部版本、裁定和操作记录。"""
    from kb.curation import lifecycle
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        source = desk.document(document).source
        revisions = desk.base.read(lambda connection: lifecycle.revisions(connection, source))
        rulings = desk.base.read(lambda connection: lifecycle.rulings_on(connection, source))
        rows = desk.base.read(
            lambda connection: [row for one in revisions for row in lifecycle.notes_on(connection, one.id)]
        )
    if as_json:
        write_lines(None, [to_line({
            "source": source, "revisions": [asdict(one) for one in revisions],
            "rulings": [asdict(one) for one in rulings], "log": [row._asdict() for row in rows],
        })])
    else:
        write_lines(None, _history_lines(revisions, rulings, rows))


def care(
    document: DocumentId,
    owner: Annotated[str | None, typer.Option("--owner", help="责任单位")] = None,
    review_due: Annotated[date | None, typer.Option("--review-due", parser=parse_date, help="复核到期日")] = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """指定一份文件由谁维护、什么时候复核；没有给出的一项保持不变。"""
    from kb.curation import lifecycle

    def change(connection: Connection) -> None:
        before = lifecycle.care_of(connection, source)
        wanted = lifecycle.Care(owner or before.owner, review_due or before.review_due)
        lifecycle.set_care(connection, document, wanted, by)

    with opened_desk(config, home) as desk:
        source = desk.document(document).source
        desk.base.change(change)
    typer.echo(f"已更新 {document}", err=True)


def _impact_lines(found: Impact) -> Iterator[str]:
    yield f"引用它的文件 {len(found.citing)} 处，问答条目 {len(found.faqs)} 条，给出过的答案 {found.answers} 个"
    for one in found.citing:
        yield f"   {one.kind}  {one.document.id}  《{one.document.facts.title}》 {one.start}–{one.end}"
    for entry in found.faqs:
        yield f"   faq  {entry}"


def _history_lines(
    revisions: Sequence[Revision], rulings: Sequence[Ruling], rows: Sequence[Row[Any]]
) -> Iterator[str]:
    for one in revisions:
        known = f"{one.known_from or ''}~{one.known_to or ''}"
        made = f"（由编辑在 {one.parsed} 上修改）" if one.parsed else ""
        yield f"版本 {one.id}  {one.state}  {known}  《{one.title}》{made}"
    for ruling in rulings:
        what = f"自 {ruling.day} 起废止，{ruling.by_name or ''}" if ruling.repealed else "仍然有效"
        undone = "（已撤销）" if ruling.undone_at else ""
        yield f"裁定 {ruling.number}  {ruling.at:%Y-%m-%d %H:%M} UTC  {ruling.who}  {what} {ruling.reason}{undone}"
    for row in sorted(rows, key=lambda row: row.seq):
        yield f"记录 {row.seq}  {row.at:%Y-%m-%d %H:%M} UTC  {row.who}  {row.action}  {row.subject}"
