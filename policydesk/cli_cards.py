"""``policydesk cards``: what a citizen asks of a policy, line by line, and what editors correct in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PolicyDeskError
from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, write_lines

if TYPE_CHECKING:
    from kb.curation.card_rows import CardLine
    from policydesk.app import Desk

cards_app = typer.Typer(help="政策卡片：对象、条件、标准、材料、期限、渠道、咨询电话。", no_args_is_help=True)

DocumentId = Annotated[str, typer.Argument(help="文件编号，见 policydesk documents")]
Name = Annotated[str, typer.Argument(help="对象、条件、标准、材料、期限、渠道或咨询电话")]
Line = Annotated[int | None, typer.Option("--line", min=1, help="这一栏的第几行；只有一行时可以不写")]


@cards_app.command("show")
def show(document: DocumentId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """显示一份文件的政策卡片；每行有原文中的位置。"""
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        lines = card_lines_of(desk, document)
    write_lines(None, (to_line(asdict(line)) for line in lines) if as_json else shown(lines))


@cards_app.command("set")
def set_value(
    document: DocumentId,
    name: Name,
    value: Annotated[str, typer.Argument(help="新的内容；空字符串表示去掉这一行")],
    line: Line = None,
    new: Annotated[bool, typer.Option("--new", help="另加一行")] = False,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """改一行，或另加一行。重新读取同一来源时保留；原文读出的内容变了，则两边并列。"""
    from kb.curation.card_rows import card_change

    with opened_desk(config, home) as desk:
        lines = card_lines_of(desk, document)
        number = None if new else _number(lines, name, line)
        desk.base.editing.edit(document, card_change(lines, name, number, value), by)
        changed = card_lines_of(desk, document)
    write_lines(None, shown([one for one in changed if one.name == name]))


@cards_app.command("revert")
def revert(
    document: DocumentId,
    name: Name,
    line: Line = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """撤销对一行的修改，恢复原文读出的内容。"""
    from kb.curation.card_rows import card_line

    with opened_desk(config, home) as desk:
        lines = card_lines_of(desk, document)
        number = _number(lines, name, line)
        edit = card_line(lines, name, number).edit if number else None
        if edit is None:
            raise PolicyDeskError(f"“{name}”的这一行没有人改过")
        desk.base.editing.undo(edit, by)
        changed = card_lines_of(desk, document)
    write_lines(None, shown([one for one in changed if one.name == name]))


def card_lines_of(desk: Desk, document: str) -> list[CardLine]:
    from kb.curation.card_rows import card_lines

    whole = desk.document(document)
    return desk.base.read(lambda connection: card_lines(connection, whole))


def shown(lines: Sequence[CardLine]) -> Iterator[str]:
    if not lines:
        yield "没有卡片内容"
    for line in lines:
        place = f"{line.address} {line.start}~{line.end}".strip() if line.start is not None else "原文之外"
        who = {"editor": "（编辑修改）", "rule": ""}[line.method]
        yield f"{line.name} {line.number}. {line.value or '（已去掉）'}  [{place}]{who}".replace("\n", " ")
        if line.conflict:
            yield f"    冲突：这项修改针对的原文已不存在：{line.extracted}".replace("\n", " ")


def _number(lines: Sequence[CardLine], name: str, line: int | None) -> int | None:
    """The line that is meant; None for a name that has no line yet."""
    mine = [one for one in lines if one.name == name]
    if line is not None or not mine:
        return line
    if len(mine) > 1:
        raise PolicyDeskError(f"“{name}”有 {len(mine)} 行，请用 --line 指明一行，或用 --new 另加一行")
    return mine[0].number
