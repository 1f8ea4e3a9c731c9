"""The command line: each verb parses, calls one function, prints. Data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError, PolicyDeskError
from core.records import Answer, Hit, IngestReport, Question, Role, State
from core.regions import region_chain

if TYPE_CHECKING:
    from core.config import Config
    from eval.bench import OpenBase
    from eval.retrieval import RetrievalResult
    from policydesk.app import Desk

app = typer.Typer(
    help="政策台：政策文件入库、检索与有出处的问答。", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)
config_app = typer.Typer(help="查看与检查配置。", no_args_is_help=True)
eval_app = typer.Typer(help="用标注问题衡量质量。", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(eval_app, name="eval")


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"“{value}”不是日期，应如 2024-05-01") from error


def _region(value: str) -> str:
    try:
        region_chain(value)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    return value


Home = Annotated[Path | None, typer.Option("--home", help="状态目录；缺省取配置中的 home")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="叠加在自带 config.yaml 之上的配置文件")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
Region = Annotated[str | None, typer.Option("--region", parser=_region, help="提问人所在地的 6 位区划代码")]
National = Annotated[bool, typer.Option("--national", help="只查全国性规定")]
AsOf = Annotated[date | None, typer.Option("--as-of", parser=_date, help="所问日期，缺省为今天，如 2024-05-01")]
Batch = Annotated[Path | None, typer.Option("--batch", help="JSON Lines 问题文件，每行含 id 与 question")]
Asked = Annotated[str | None, typer.Argument(help="问题")]
AsRole = Annotated[Role, typer.Option("--role", help="提问身份：agent 坐席，citizen 市民（只看公开文件）")]
BenchPaths = Annotated[list[Path] | None, typer.Argument(help="先入库这些文件并计时；--home 须为空目录")]
Questions = Annotated[Path, typer.Option("--questions", help="标注问题文件（JSON Lines，可为 .gz）")]


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="文件、文件夹、.zip、.tar.*、.jsonl(.gz)")],
    publish: Annotated[bool, typer.Option("--publish/--draft", help="直接发布，或存为草稿")] = True,
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="切词进程数，缺省取 ingest.workers")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """把文件收入知识库；已收入过的不会重复。"""
    with _progress(paths) as on_bytes, _desk(config, home, workers=workers) as desk:
        report = desk.ingest(paths, publish=publish, on_bytes=on_bytes)
    _print_report(report, as_json=as_json)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def search(
    question: Asked = None,
    batch: Batch = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="给出几条，缺省取 search.top")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="写成 TREC run 文件")] = None,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检索条文。"""
    from policydesk.batch import hit_json, to_line

    defaults = Question(question or "", region=region, national=national, as_of=as_of)
    asked = _asked(question, batch, defaults)
    with _desk(config, home) as desk:
        found = ((name, desk.search(q, top or desk.config.search.top)) for name, q in asked)
        if run:
            _write_lines(run, (line for name, hits in found for line in _trec_lines(name, hits)))
        elif batch:
            _write_lines(None, (to_line({"id": name, "hits": [hit_json(hit) for hit in hits]}) for name, hits in found))
        elif as_json:
            _write_lines(None, [to_line([hit_json(hit) for _, hits in found for hit in hits])])
        else:
            _write_lines(None, (line for _, hits in found for line in _hit_lines(hits)))


@app.command()
def ask(
    question: Asked = None,
    batch: Batch = None,
    out: Annotated[Path | None, typer.Option("--out", help="批量结果写到这个 JSON Lines 文件")] = None,
    role: AsRole = Role.AGENT,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """回答问题，每句都有出处；没有依据时说明去处。"""
    from policydesk.batch import answer_json, to_line

    defaults = Question(question or "", region=region, national=national, as_of=as_of, role=role)
    asked = _asked(question, batch, defaults)
    with _desk(config, home) as desk:
        answers = ((name, desk.ask(q)) for name, q in asked)
        if batch:
            _write_lines(out, (to_line({"id": name, **answer_json(answer)}) for name, answer in answers))
        elif as_json or out:
            _write_lines(out, (to_line(answer_json(answer)) for _, answer in answers))
        else:
            _write_lines(None, (line for _, answer in answers for line in _answer_lines(answer)))


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="文件编号，见引文中的 document")],
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """显示一份文件的全文；引文的 start、end 就是这份全文中的位置。"""
    from policydesk.batch import to_line

    with _desk(config, home) as desk:
        found = desk.document(document)
    _write_lines(None, [to_line(asdict(found)) if as_json else found.text])


@app.command()
def documents(
    state: Annotated[State, typer.Option("--state", help="状态")] = State.PUBLISHED,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出文件及其编号。"""
    from policydesk.batch import to_line

    with _desk(config, home) as desk:
        rows = desk.base.documents([state])
    for row in rows:
        facts = row.facts
        line = f"{row.id}  {facts.title}  {facts.doc_no or ''}  {row.in_force_from or ''}~{row.in_force_to or ''}"
        _write_lines(None, [to_line(asdict(row)) if as_json else line.rstrip()])


@app.command()
def publish(
    ids: Annotated[list[str], typer.Argument(help="草稿编号，见 policydesk documents --state draft")],
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """发布草稿，或重新发布已撤下的文件：一次全部可见。"""
    with _desk(config, home) as desk:
        desk.base.publish(ids)
    typer.echo(f"已发布 {len(ids)} 份文件", err=True)


@app.command()
def withdraw(
    document: Annotated[str, typer.Argument(help="文件编号，见 policydesk documents")],
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """撤下一份已发布的文件，立即不再出现在任何回答中。"""
    with _desk(config, home) as desk:
        desk.base.withdraw(document)
    typer.echo(f"已撤下 {document}", err=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="监听地址，缺省取 ui.host")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="缺省取 ui.port；0 为任一端口")] = None,
    region: Region = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """打开坐席工作台。"""
    from ui import ConsoleParts, make_app, serve_app

    with _desk(config, home) as desk:
        settings = desk.config
        parts = ConsoleParts(
            desk.ask, desk.document, settings.regions.names, region or settings.regions.home,
            tuple(settings.ui.examples),
        )
        serve_app(
            make_app(parts), host or settings.ui.host, settings.ui.port if port is None else port,
            lambda address: typer.echo(f"政策台已就绪：{address}（按 Ctrl+C 结束）", err=True),
        )


@config_app.command("check")
def config_check(config: ConfigFile = None) -> None:
    """检查配置；有误则指出键的路径和最接近的键。"""
    _config(config)
    typer.echo("配置正确", err=True)


@config_app.command("show")
def config_show(config: ConfigFile = None) -> None:
    """打印生效的配置，密钥以星号代替。"""
    from core.config import show_config

    typer.echo(show_config(_config(config)), nl=False)


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
    with _desk(config, home) as desk:
        result = evaluate_retrieval(gold, lambda q, top: [hit.ref for hit in desk.search(q, top)], depth=depth)
        if run:
            write_trec(run, result.run, "policydesk")
        if name:
            path = write_result(result, Measured(name, result.digest, len(gold), result.seed), desk.config)
            typer.echo(f"结果写入 {path}", err=True)
    _write_lines(None, [to_line(as_record(result))] if as_json else _score_lines(result))


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


@app.command()
def bench(
    questions: Questions,
    paths: BenchPaths = None,
    national: National = False,
    region: Region = None,
    name: Annotated[str, typer.Option("--name", help="写入 eval/results 的结果名称")] = "bench",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """速度与资源：入库、冷启动、查询延迟与吞吐，并与同一次运行中的普通方案相比。"""
    from eval.bench import BenchPlan, run_bench
    from eval.gold import gold_digest, read_gold, with_defaults
    from eval.record import Measured, as_record, write_result
    from eval.report import measured_table
    from policydesk.batch import to_line

    settings = _config(config)
    gold = with_defaults(read_gold(questions), Question("", region=region, national=national))
    plan = BenchPlan(
        questions=tuple(gold),
        home=(home or settings.home).resolve(),
        open_base=lambda: _bench_base(config, home, national=national),
        paths=tuple(path.resolve() for path in paths or ()),
        arguments=("--config", str(config.resolve())) if config else (),
    )
    result = run_bench(plan)
    path = write_result(result, Measured(name, gold_digest(gold), len(gold), 0), settings)
    typer.echo(f"结果写入 {path}", err=True)
    _write_lines(None, [to_line(as_record(result)) if as_json else measured_table([path])])


def main() -> None:
    """Run the command line; an error that a user can act on prints as one line and ends with status 1."""
    try:
        app()
    except PolicyDeskError as error:
        typer.echo(f"错误：{error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # `policydesk ... | head` closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


# shared by the verbs


def _config(path: Path | None) -> Config:
    from core.config import load_config

    return load_config(path)


@contextmanager
def _desk(config: Path | None, home: Path | None, *, workers: int | None = None) -> Iterator[Desk]:
    from policydesk.app import open_desk

    settings = _config(config)
    if workers is not None:
        settings = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"workers": workers})})
    with open_desk(settings, home) as desk:
        yield desk


@contextmanager
def _bench_base(config: Path | None, home: Path | None, *, national: bool) -> Iterator[OpenBase]:
    from eval.bench import OpenBase

    with _desk(config, home) as desk:
        yield OpenBase(
            lambda question, top: [hit.ref for hit in desk.search(question, top)],
            lambda: desk.base.article_texts(national=national),
        )


def _asked(question: str | None, batch: Path | None, defaults: Question) -> Iterable[tuple[str, Question]]:
    from policydesk.batch import is_text, read_questions

    if (question is None) == (batch is None):
        raise typer.BadParameter("请给出一个问题，或用 --batch 给出问题文件，二者取一")
    if batch is not None:
        return read_questions(batch, defaults)
    if not defaults.text.strip():
        raise typer.BadParameter("问题是空的")
    if not is_text(defaults.text):
        raise typer.BadParameter("问题不是 UTF-8 文字。请检查终端的编码")
    return [("1", defaults)]


@contextmanager
def _progress(paths: list[Path]) -> Iterator[Callable[[int], None]]:
    """A bar on stderr over the bytes of the input, with rate and time left; yields the function to call."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from ingest.read import find_files

    total = sum(file.stat().st_size for file in find_files(paths))
    columns = (TextColumn("入库"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def _print_report(report: IngestReport, *, as_json: bool) -> None:
    from policydesk.batch import to_line

    for item in report.skipped:
        typer.echo(f"{'未收录' if item.failed else '略过'} {item.place}：{item.reason}", err=True)
    if as_json:
        typer.echo(to_line(asdict(report)))
        return
    typer.echo(
        f"新收入 {report.documents} 份文件、{report.articles} 条；{report.unchanged_documents} 份已有，"
        f"{report.unchanged_files} 个文件未变，取代旧稿 {report.replaced} 份；"
        f"未收录 {sum(item.failed for item in report.skipped)} 处；用时 {report.seconds:.1f} 秒"
    )


def _score_lines(result: RetrievalResult) -> Iterator[str]:
    yield f"{result.n} 个有答案的问题，{result.scores.without_gold} 个无答案的未计；用时 {result.seconds:.1f} 秒"
    for kind, group in {"全部": result.scores.overall, **result.scores.kinds}.items():
        yield f"{kind}（{group.n}）"
        for measure, mean in group.means.items():
            low, high = group.intervals[measure]
            yield f"  {measure:<10} {mean:.3f}  [{low:.3f}, {high:.3f}]"


def _trec_lines(name: str, hits: list[Hit]) -> Iterator[str]:
    for rank, hit in enumerate(hits, start=1):
        yield f"{name} Q0 {''.join(hit.ref.split())} {rank} {hit.score:.6f} policydesk"


def _hit_lines(hits: list[Hit]) -> Iterator[str]:
    if not hits:
        yield "没有找到相关条文"
    for number, hit in enumerate(hits, start=1):
        facts = hit.document.facts
        yield f"{number}. 《{facts.title}》{facts.doc_no or ''} {hit.address}  [{hit.score:.2f}]"
        yield "   " + hit.text.replace("\n", "\n   ")


def _answer_lines(answer: Answer) -> Iterator[str]:
    yield answer.text
    for citation in answer.citations:
        source = f"《{citation.title}》{citation.doc_no or ''} {citation.article}"
        validity = "现行有效" if citation.in_force else "非现行"
        yield f"  [{citation.n}] {source}  {validity}  {citation.url or ''}".rstrip()
        if not answer.sentences:
            yield f"      {citation.quote}"
    yield from (f"提示：{notice}" for notice in answer.notices)
    if answer.route:
        yield f"去处：{answer.route}"
    yield f"（{answer.ai_label}）"


def _write_lines(path: Path | None, lines: Iterable[str]) -> None:
    """To a file that is written whole or not at all, or to stdout."""
    if path is None:
        for line in lines:
            typer.echo(line)
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        partial.replace(path)
    except OSError as error:
        raise PolicyDeskError(f"写不了 {path}：{error.strerror}。请检查目录是否存在、是否可写") from error
    finally:
        if partial.is_file():  # the lines broke off
            partial.unlink()
