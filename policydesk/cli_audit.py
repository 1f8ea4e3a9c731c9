"""The verbs of the log: check it, list it, make a checkpoint, purge what is old, and replay an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, parse_date, write_lines

if TYPE_CHECKING:
    from kb.log.audit_check import Checked
    from policydesk.replaying import Replay

audit_app = typer.Typer(help="审计日志：校验、查阅、做检查点、清理。", no_args_is_help=True)

_Before = Annotated[date, typer.Option("--before", parser=parse_date, help="清理这一天之前的日志，如 2026-01-01")]
_Since = Annotated[date | None, typer.Option("--since", parser=parse_date, help="从这一天起，如 2026-05-01")]


@audit_app.command("verify")
def verify(
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="对照这个检查点文件（如另存的一份），缺省取 audit.checkpoints")
    ] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """从第一行起核对日志、检查点和每个回答；有不符即指出，退出码 1。"""
    from kb.log.audit_check import check
    from kb.log.checkpoints import Checkpoints
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        by = desk.base.ledger.checkpoints
        if checkpoints is not None:
            by = Checkpoints(checkpoints, desk.config.audit.key.get_secret_value())
        found = check(connection, by)
    write_lines(None, [to_line(asdict(found))] if as_json else _checked_lines(found))
    if found.problems:
        raise typer.Exit(1)


@audit_app.command("list")
def list_rows(
    subject: Annotated[str | None, typer.Option("--subject", help="对象的编号：文件、回答、条目……")] = None,
    action: Annotated[str | None, typer.Option("--action", help="动作，如 publish、answer、faq.edit")] = None,
    since: _Since = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多列出最近的多少行")] = 1000,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出日志：何时、谁、做了什么。"""
    from kb.log.audit import Wanted, listed, local_time
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        rows = listed(connection, Wanted(subject, action, since), limit=limit)
    for row in rows:
        when = local_time(row.at).isoformat(" ", "seconds")
        line = f"{row.seq}  {when}  {row.who}  {row.action}  {row.subject}  {to_line(row.detail)}"
        write_lines(None, [to_line(asdict(row)) if as_json else line])


@audit_app.command("checkpoint")
def checkpoint(home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """现在就做一个检查点：最后一行的序号和散列值，以 audit.key 签名，写到数据库之外。"""
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        made = desk.base.ledger.make_checkpoint()
        file = desk.base.ledger.checkpoints.path
    if made is None:
        typer.echo("日志还是空的，没有检查点可做", err=True)
        return
    signed = "已签名" if made.signature else "没有密钥，未签名（设 POLICYDESK_AUDIT__KEY）"
    typer.echo(to_line(asdict(made)) if as_json else f"检查点：第 {made.seq} 行，{signed}，写入 {file}")


@audit_app.command("purge")
def purge(before: _Before, by: By = "", home: Home = None, config: ConfigFile = None) -> None:
    """删去某天之前的日志和其中的回答；不足 audit.keep_days 天的一律拒绝，清理本身记入日志。"""
    from kb.log import audit

    with opened_desk(config, home) as desk:
        ledger = desk.base.ledger
        with ledger.noting() as connection:
            old = audit.purgeable(connection, before, desk.config.audit.keep_days)
            if old is not None:
                ledger.allow_purge(connection, old)
                audit.purge(connection, by, old, before)
    if old is None:
        typer.echo(f"{before} 之前没有日志", err=True)
    else:
        typer.echo(f"已清理 {old.rows} 行日志和 {old.answers} 个回答，日志从第 {old.through.seq + 1} 行开始", err=True)


def replay(
    answer: Annotated[str, typer.Argument(help="回答的编号，见 ask --json 的 id")],
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="按当时的库再问一次；要把那时的文件重建一次索引")] = True,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """重放一个回答：当时的问题和回答、依据的文件版本，引文是否逐字可查，再问一次是否相同。"""
    from policydesk.batch import to_line
    from policydesk.replaying import replayed

    with opened_desk(config, home) as desk:
        found = replayed(desk, answer, ask=ask)
    write_lines(None, [to_line(asdict(found))] if as_json else _replay_lines(found))
    if found.broken:
        raise typer.Exit(1)


def _checked_lines(found: Checked) -> Iterator[str]:
    span = f"第 {found.first} 到 {found.last} 行"
    yield f"日志 {found.rows} 行（{span}），检查点 {found.checkpoints} 个，回答 {found.answers} 个"
    if found.last > found.covered:
        yield f"第 {found.covered + 1} 行起还没有检查点"
    if not found.signed:
        yield "检查点没有用现在的密钥签名：能写检查点文件的人可以伪造它。请设 POLICYDESK_AUDIT__KEY"
    yield from (f"不符：{problem.reason}" for problem in found.problems)
    if not found.problems:
        yield "完整：每一行、每个检查点、每个回答都相符"


def _replay_lines(found: Replay) -> Iterator[str]:
    from kb.log.audit import local_time

    kept = found.kept
    yield f"回答 {kept.id}  {local_time(kept.at).isoformat(' ', 'seconds')}  {kept.answer.status.value}"
    question = kept.question
    about = "  ".join(str(value) for value in (question.region, question.as_of, question.role.value) if value)
    yield f"问：{question.text}  （{about}）"
    yield f"答：{kept.answer.text}"
    for revision in found.revisions:
        yield f"依据 {revision.id}《{revision.facts.title}》{revision.facts.doc_no or ''}  现在：{revision.state.value}"
    numbers = "、".join(map(str, found.broken))
    yield f"引文 {numbers} 与库中的版本不符" if found.broken else f"{len(kept.answer.citations)} 条引文逐字可查"
    if found.again is not None:
        yield "按当时的库再问一次：相同" if found.same else f"按当时的库再问一次：不同。现在的回答：{found.again.text}"
