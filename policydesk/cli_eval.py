"""The verbs of ``policydesk eval``: each measures one quality on labelled or real data and prints figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PolicyDeskError
from core.records import Question, State
from policydesk.cli_attacks import eval_attacks
from policydesk.cli_eval_answers import eval_answers
from policydesk.cli_eval_graph import eval_graph
from policydesk.cli_validity import eval_validity
from policydesk.options import (
    AsJson,
    AsOf,
    ConfigFile,
    Home,
    National,
    Questions,
    Region,
    opened_desk,
    read_config,
    write_lines,
)

if TYPE_CHECKING:
    from eval.ablation import AblationRow
    from eval.gold import GoldQuestion
    from eval.home_check import HomeCheck
    from eval.retrieval import Loss, RetrievalResult
    from policydesk.app import Desk

eval_app = typer.Typer(help="用标注问题衡量质量。", no_args_is_help=True)
eval_app.command("validity")(eval_validity)
eval_app.command("answers")(eval_answers)
eval_app.command("graph")(eval_graph)
eval_app.command("attacks")(eval_attacks)

Split = Annotated[str | None, typer.Option("--split", help="只用问题文件中 split 为此值的行，如 dev、test")]
AnyDate = Annotated[bool, typer.Option("--any-date", help="不限日期：已失效和未施行的也查")]


@eval_app.command("retrieval")
def eval_retrieval(
    questions: Questions,
    split: Split = None,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    any_date: AnyDate = False,
    depth: Annotated[int, typer.Option("--depth", min=10, help="每个问题取多少条")] = 100,
    ablation: Annotated[bool, typer.Option("--ablation", help="另给出各检索环节的作用")] = False,
    losses: Annotated[Path | None, typer.Option("--losses", help="落空的问题写到这个 JSON Lines 文件")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="报告写到这个 HTML 文件")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="另写成 TREC run 文件")] = None,
    name: Annotated[str | None, typer.Option("--name", help="写入 eval/results 的结果名称；缺省不写")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检索质量：R@k、命中率、MRR@10、nDCG@10，标准为文件时文件与答案位置的命中，带 95 % 区间。"""
    from eval.ablation import ablate, ablation_lines, settings
    from eval.record import Measured, as_record, write_result
    from eval.retrieval import evaluate_retrieval, write_trec
    from policydesk.batch import to_line
    from policydesk.eval_search import available_stages, measured_search

    gold = _gold(questions, split, Question("", region=region, national=national, as_of=as_of))
    with opened_desk(config, home) as desk:
        check = _checked_home(desk, gold)
        result = evaluate_retrieval(gold, measured_search(desk, any_date=any_date), depth=depth)
        stages = settings(available_stages(desk.config)) if ablation else {}
        searches = {label: measured_search(desk, any_date=any_date, stages=on) for label, on in stages.items()}
        rows = ablate(gold, searches, depth=depth)
        lost = _with_wanted(desk, gold, result) if losses or html else result.losing
        if name:
            path = write_result(result, Measured(name, result.digest, len(gold), result.seed), desk.config)
            typer.echo(f"结果写入 {path}", err=True)
    if run:
        write_trec(run, result.run, "policydesk")
    if losses:
        write_lines(losses, (to_line(asdict(loss)) for loss in lost))
    if html:
        write_lines(html, [_page(name or questions.stem, result, check, rows, lost)])
    if as_json:
        write_lines(None, [to_line(as_record(result) | {"ablation": [asdict(row) for row in rows], **asdict(check)})])
    else:
        write_lines(None, [*_score_lines(result), *ablation_lines(rows, by_document=result.by_document)])


@eval_app.command("gate")
def eval_gate(
    name: Annotated[str, typer.Argument(help="门槛的名称，如 samples")],
    questions: Questions,
    split: Split = None,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    update: Annotated[bool, typer.Option("--update", help="把门槛提高到现在测得的值，没有就定下")] = False,
    allow_lower: Annotated[bool, typer.Option("--allow-lower", help="与 --update 同用：允许降低门槛")] = False,
    gate: Annotated[Path | None, typer.Option("--gate", help="门槛文件，缺省为 eval/gate.json")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检索质量不得低于定下的门槛；低于任何一项以状态 1 结束。"""
    from eval.gate import GATE, check, gate_lines, read_pins, updated, write_pins
    from eval.retrieval import evaluate_retrieval
    from policydesk.batch import to_line
    from policydesk.eval_search import measured_search

    if allow_lower and not update:
        raise typer.BadParameter("--allow-lower 只与 --update 同用")
    path = gate or GATE
    pins = read_pins(path)
    gold = _gold(questions, split, Question("", region=region, national=national, as_of=as_of))
    with opened_desk(config, home) as desk:
        _checked_home(desk, gold)
        result = evaluate_retrieval(gold, measured_search(desk))
    if update:
        pins = updated(pins, name, result, allow_lower=allow_lower)
        write_pins(pins, path)
        typer.echo(f"门槛写入 {path}", err=True)
    checked = check(name, pins, result)
    write_lines(None, (to_line(asdict(row) | {"ok": row.ok}) for row in checked) if as_json else gate_lines(checked))
    if not all(row.ok for row in checked):
        raise PolicyDeskError(f"{name} 未达门槛。请用 policydesk eval retrieval --losses 查看落空的问题")


@eval_app.command("generalisation")
def eval_generalisation(
    questions: Questions,
    split: Split = None,
    national: National = False,
    as_of: AsOf = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="法律分几组；民法典自成一组")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="训练的随机种子")] = 17,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """没有训练过的法律上的检索质量：每组法律由不知道它们的排序模型来查，与 BM25 相比。"""
    from eval.generalisation import generalisation, generalisation_lines, law_of
    from policydesk.batch import to_line
    from policydesk.eval_search import FoldSearches

    gold = _gold(questions, split, Question("", national=national, as_of=as_of))
    with opened_desk(config, home) as desk:
        laws = {law_of(ref) for ref, _ in desk.base.article_texts(national=national)}
    searches = FoldSearches(read_config(config), home, gold, seed)
    result = generalisation(
        gold, laws, searches.trained, searches.plain, folds=folds,
        progress=lambda fold: typer.echo(f"第 {fold.name} 组完成：{fold.trained.n} 个问题", err=True),
    )
    write_lines(None, [to_line(asdict(result))] if as_json else generalisation_lines(result))


@eval_app.command("table")
def eval_table(
    readme: Annotated[list[Path], typer.Argument(help="含 measured:begin / measured:end 标记的 Markdown 文件")],
) -> None:
    """用 eval/results 中的结果重写 README 的数字表。"""
    from eval.record import RESULTS
    from eval.report import measured_table, refresh_table

    table = measured_table(sorted(RESULTS.glob("*.json")))
    for path in readme:
        typer.echo(f"{path}：{'已更新' if refresh_table(path, table) else '没有变化'}", err=True)


# shared by the verbs


def _gold(path: Path, split: str | None, defaults: Question) -> list[GoldQuestion]:
    from eval.gold import read_gold, with_defaults

    return with_defaults(read_gold(path, split=split), defaults)


def _checked_home(desk: Desk, gold: list[GoldQuestion]) -> HomeCheck:
    """What the base lacks of the gold's documents, told on stderr as well."""
    from eval.home_check import check_home
    from qa.scope import today

    check = check_home(gold, desk.base.documents([State.PUBLISHED]), lambda id_: desk.document(id_).text, today=today())
    for line in check.lines():
        typer.echo(line, err=True)
    return check


def _with_wanted(desk: Desk, gold: list[GoldQuestion], result: RetrievalResult) -> tuple[Loss, ...]:
    from eval.home_check import with_wanted

    documents = desk.base.documents([State.PUBLISHED])
    articles = desk.base.article_texts(national=False)
    return with_wanted(result.losing, gold, documents, lambda id_: desk.document(id_).text, articles)


def _page(
    title: str, result: RetrievalResult, check: HomeCheck, rows: list[AblationRow], losing: tuple[Loss, ...]
) -> str:
    from eval.machine import commit
    from eval.page import PageFacts, retrieval_page
    from qa.scope import today

    facts = PageFacts(title, f"{today()}，{commit()}", tuple(check.lines()))
    return retrieval_page(result, facts, rows=rows, losing=losing)


def _score_lines(result: RetrievalResult) -> Iterator[str]:
    from eval.measures import headline

    yield f"{result.n} 个有答案的问题，{result.scores.without_gold} 个无答案的未计；用时 {result.seconds:.1f} 秒"
    names = headline(result.scores.overall, by_document=result.by_document)
    for kind, group in {"全部": result.scores.overall, **result.scores.kinds}.items():
        yield f"{kind}（{group.n}）"
        for measure in group.means if kind == "全部" else names:
            if measure in group.means:
                low, high = group.intervals[measure]
                line = f"  {measure:<10} {group.means[measure]:.3f}  [{low:.3f}, {high:.3f}]"
                yield f"{line}  {names.get(measure, '')}".rstrip()
