"""``policydesk edit``: an editor's changes of a document, each with who, when and what; and how to undo them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PolicyDeskError
from core.records import EditKind
from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, write_lines

if TYPE_CHECKING:
    from core.records import EditorChange, StoredEdit
    from policydesk.app import Desk

edit_app = typer.Typer(help="修改文件：字段、条文文字、切分；每次修改都留痕，可以撤销。", no_args_is_help=True)

DocumentId = Annotated[str, typer.Argument(help="文件编号，见 policydesk documents")]
Address = Annotated[str, typer.Argument(help="条文，如 第八条；同名的第二条写 第八条(2)")]
_KINDS = {EditKind.FIELD: "字段", EditKind.TEXT: "文字", EditKind.SPLIT: "拆分", EditKind.MERGE: "合并",
          EditKind.CARD: "卡片"}
_SHOWN = 60


@edit_app.command("field")
def field(
    document: DocumentId,
    name: Annotated[str, typer.Argument(help="字段名，如 title、doc_no、effective_from、phone")],
    value: Annotated[str, typer.Argument(help="新的值；空字符串表示没有")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """改一个字段。"""
    from ingest.correct import field_change

    with opened_desk(config, home) as desk:
        _done(desk, document, field_change(desk.document(document), name, value), by)


@edit_app.command("text")
def text(
    document: DocumentId,
    address: Address,
    new: Annotated[str, typer.Option("--new", help="这一条改后的全部文字")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """改正一条的文字，例如识别错的字。"""
    from ingest.correct import text_change

    with opened_desk(config, home) as desk:
        _done(desk, document, text_change(desk.document(document), address, new), by)


@edit_app.command("split")
def split(
    document: DocumentId,
    address: Address,
    before: Annotated[str, typer.Option("--before", help="第二个片段开头的原文")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把一个片段分成两个。"""
    from ingest.correct import split_change

    with opened_desk(config, home) as desk:
        _done(desk, document, split_change(desk.document(document), address, before), by)


@edit_app.command("merge")
def merge(
    document: DocumentId,
    address: Address,
    chunk: Annotated[int, typer.Option("--chunk", min=1, help="这一条的第几个片段与下一个合并")] = 1,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把相邻的两个片段合成一个。"""
    from ingest.correct import merge_change

    with opened_desk(config, home) as desk:
        _done(desk, document, merge_change(desk.document(document), address, chunk), by)


@edit_app.command("list")
def edits(document: DocumentId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """列出对这份文件的来源做过的修改，以及与新读入的原文冲突的修改。"""
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        rows = desk.base.editing.edits(desk.document(document).source)
        conflicts = desk.base.editing.conflicts(document)
    lines = [to_line(asdict(row)) for row in rows] if as_json else list(_edit_lines(rows, conflicts))
    write_lines(None, lines)


@edit_app.command("undo")
def undo(
    number: Annotated[int, typer.Argument(help="修改的编号，见 policydesk edit list")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """撤销一次修改，其余修改不变。"""
    with opened_desk(config, home) as desk:
        new = desk.base.editing.undo(number, by)
    typer.echo(f"已撤销，现在的版本是 {new}", err=True)


def _done(desk: Desk, document: str, change: EditorChange, by: str) -> None:
    new = desk.base.editing.edit(document, change, by)
    if new == document:
        raise PolicyDeskError("没有变化")
    typer.echo(f"已修改，新版本是 {new}", err=True)


def _edit_lines(rows: Sequence[StoredEdit], conflicts: Sequence[EditorChange]) -> Iterator[str]:
    for row in rows:
        change = row.change
        state = f"（{row.undone_by} 已撤销）" if row.undone_at else "（冲突）" if change in conflicts else ""
        yield f"{row.number}  {row.at:%Y-%m-%d %H:%M} UTC  {row.who}  {_KINDS[change.kind]} {change.name}{state}"
        yield f"   - {_short(change.old)}"
        yield f"   + {_short(change.new)}"


def _short(text: str) -> str:
    line = text.replace("\n", " ")
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
