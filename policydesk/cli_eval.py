"""The verbs of ``policydesk eval``: each measures one quality on labelled or real data and prints figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.records import Question
from policydesk.options import AsJson, AsOf, ConfigFile, Home, National, Questions, Region, opened_desk, write_lines

if TYPE_CHECKING:
    from eval.retrieval import RetrievalResult

eval_app = typer.Typer(help="用标注问题衡量质量。", no_args_is_help=True)


@eval_app.command("retrieval")
def eval_retrieval(
    questions: Questions,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    depth: Annotated[int, typer.Option("--depth", min=1, help="每个问题取多少条")] = 100,
    run: Annotated[Path | None, typer.Option("--run", help="另写成 TREC run 文件")] = None,
    name: Annotated[str | None, typer.Option("--name", help="写入 eval/results 的结果名称；缺省不写")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检索质量：R@k、命中率、MRR@10、nDCG@10，带 95 % 区间。"""
    from eval.gold import read_gold, with_defaults
    from eval.record import Measured, as_record, write_result
    from eval.retrieval import evaluate_retrieval, write_trec
    from policydesk.batch import to_line

    gold = with_defaults(read_gold(questions), Question("", region=region, national=national, as_of=as_of))
    with opened_desk(config, home) as desk:
        result = evaluate_retrieval(gold, lambda q, top: [hit.ref for hit in desk.search(q, top)], depth=depth)
        if run:
            write_trec(run, result.run, "policydesk")
        if name:
            path = write_result(result, Measured(name, result.digest, len(gold), result.seed), desk.config)
            typer.echo(f"结果写入 {path}", err=True)
    write_lines(None, [to_line(as_record(result))] if as_json else _score_lines(result))


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


def _score_lines(result: RetrievalResult) -> Iterator[str]:
    yield f"{result.n} 个有答案的问题，{result.scores.without_gold} 个无答案的未计；用时 {result.seconds:.1f} 秒"
    for kind, group in {"全部": result.scores.overall, **result.scores.kinds}.items():
        yield f"{kind}（{group.n}）"
        for measure, mean in group.means.items():
            low, high = group.intervals[measure]
            yield f"  {measure:<10} {mean:.3f}  [{low:.3f}, {high:.3f}]"
