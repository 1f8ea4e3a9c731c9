"""The verbs on what nobody could answer well: feedback, and gaps as tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from core.records import Verdict
from policydesk.options import AsJson, By, ConfigFile, Home, opened_desk, parse_date, write_lines

if TYPE_CHECKING:
    from kb.curation.gaps import Concern, Gap, Retried

gaps_app = typer.Typer(help="知识缺口：没答上、把握小或有争议的问题，归并成任务。", no_args_is_help=True)

GapId = Annotated[str, typer.Argument(help="缺口编号，见 policydesk gaps list")]
_Due = Annotated[date | None, typer.Option("--due", parser=parse_date, help="办理期限，如 2026-12-31")]


def feedback(
    answer: Annotated[str, typer.Argument(help="回答的编号，见 ask --json 的 id")],
    verdict: Annotated[Verdict, typer.Argument(help="good 正确，wrong 错误，incomplete 不全，outdated 过时")],
    comment: Annotated[str, typer.Option("--comment", help="说明")] = "",
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """评价一个回答；错误或过时的由 gaps mine 归入缺口。"""
    from kb.log.answers import judge

    with opened_desk(config, home) as desk, desk.base.ledger.changing() as connection:
        judge(connection, by, answer, verdict, comment)
    typer.echo(f"已记录对 {answer} 的评价", err=True)


@gaps_app.command("mine")
def mine(
    since: Annotated[
        date | None, typer.Option("--since", parser=parse_date, help="只看这一天起的回答，缺省为全部")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="新缺口都交给这个单位，缺省为最相近文件的责任单位")
    ] = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """把没答上、把握小、有争议的问题归并成缺口；与未办结缺口相同或相近的并入其中。"""
    from kb.curation import gaps
    from policydesk.batch import to_line
    from policydesk.gap_work import mine_gaps, mined_line

    with opened_desk(config, home) as desk:
        mined = mine_gaps(desk, by, since=since, owner=owner)
        with desk.base.ledger.reading() as connection:
            opened = [gaps.load_gap(connection, name) for name in mined.opened]
    if as_json:
        write_lines(None, [to_line(asdict(mined))])
    else:
        write_lines(None, map(_short, opened))
    typer.echo(mined_line(mined), err=True)


@gaps_app.command("list")
def list_gaps(
    everything: Annotated[bool, typer.Option("--all", help="也列出已办结的")] = False,
    owner: Annotated[str | None, typer.Option("--owner", help="只列这个单位的")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出缺口，先到期的在前。"""
    from kb.curation import gaps
    from policydesk.batch import to_line

    states = list(gaps.GapState) if everything else [gaps.GapState.OPEN]
    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        found = [gap for gap in gaps.list_gaps(connection, states) if owner in (None, gap.owner)]
    write_lines(None, (to_line(asdict(gap)) if as_json else _short(gap) for gap in found))


@gaps_app.command("show")
def show(gap: GapId, home: Home = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """显示一个缺口和其中的问题。"""
    from kb.curation import gaps
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.ledger.reading() as connection:
        found = gaps.load_gap(connection, gap)
        concerns = gaps.concerns_of(connection, gap)
    if as_json:
        asked = [asdict(one.kept) | {"kind": one.kind} for one in concerns]
        write_lines(None, [to_line(asdict(found) | {"answers": asked})])
    else:
        write_lines(None, _lines(found, concerns))


@gaps_app.command("assign")
def assign(
    gap: GapId,
    owner: Annotated[str, typer.Option("--owner", help="责任单位")],
    due: _Due = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把缺口交给一个单位，可另定期限。"""
    from kb.curation import gaps

    with opened_desk(config, home) as desk, desk.base.ledger.changing() as connection:
        gaps.assign(connection, by, gap, owner, due)
    typer.echo(f"已交 {owner}", err=True)


@gaps_app.command("close")
def close(
    gap: GapId,
    note: Annotated[str, typer.Option("--note", help="怎么解决的")] = "",
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """重新问一遍其中的问题，全部通过才办结；否则列出没有通过的，退出码 1。"""
    from policydesk.batch import to_line
    from policydesk.gap_work import close_gap

    with opened_desk(config, home) as desk:
        retried = close_gap(desk, by, gap, note)
    write_lines(None, [to_line([asdict(one) for one in retried])] if as_json else _retried_lines(retried))
    failing = sum(not one.passed for one in retried)
    if failing:
        typer.echo(f"没有办结：{failing} 个问题还没有通过", err=True)
        raise typer.Exit(1)
    typer.echo(f"已办结 {gap}", err=True)


def _short(gap: Gap) -> str:
    return (
        f"{gap.id}  {gap.state.value}  {gap.kind.value}  {gap.questions} 问  {gap.owner or '未定单位'}  "
        f"{gap.due or ''}  {gap.title}"
    )


def _lines(gap: Gap, concerns: Sequence[Concern]) -> Iterator[str]:
    yield _short(gap)
    if gap.note:
        yield f"办结说明：{gap.note}"
    for one in concerns:
        yield f"  {one.kept.id}  {one.kind.value}  {one.kept.question.text}"


def _retried_lines(retried: Sequence[Retried]) -> Iterator[str]:
    for one in retried:
        yield f"{'通过' if one.passed else '未通过'}  {one.question.text}"
        if not one.passed:
            yield f"    {one.kind.value}：现在的回答（{one.answer.status.value}）{one.answer.text}"
