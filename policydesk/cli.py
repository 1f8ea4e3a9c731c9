"""The command line: each verb parses, calls one function, prints. Data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from datetime import datetime
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PolicyDeskError
from core.records import Hit, IngestReport, Question, Role, State, Turn
from policydesk.answer_lines import answer_lines
from policydesk.cli_audit import audit_app, replay
from policydesk.cli_bench import bench_app
from policydesk.cli_busy import bench_busy
from policydesk.cli_cards import cards_app
from policydesk.cli_chat import chat
from policydesk.cli_conflicts import conflicts
from policydesk.cli_edit import edit_app
from policydesk.cli_eval import eval_app
from policydesk.cli_eval_answers import bench_answers
from policydesk.cli_faq import faq_app
from policydesk.cli_gaps import feedback, gaps_app
from policydesk.cli_graph import graph_app
from policydesk.cli_index import reindex, reindexing
from policydesk.cli_jobs import jobs_app
from policydesk.cli_lifecycle import care, history, impact, repeal, unrule
from policydesk.cli_models import models_app
from policydesk.cli_ops import backup, doctor, restore
from policydesk.cli_review import review_app
from policydesk.cli_train import train_app
from policydesk.cli_understand import understand
from policydesk.options import (
    AsJson,
    Asked,
    AsOf,
    AsRole,
    Batch,
    Before,
    By,
    ConfigFile,
    Home,
    KnownAt,
    National,
    Region,
    Workers,
    opened_desk,
    read_config,
    write_lines,
)

if TYPE_CHECKING:
    from kb.expansion import Expansion
    from policydesk.app import Desk

app = typer.Typer(
    help="政策台：政策文件入库、检索与有出处的问答。", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)
config_app = typer.Typer(help="查看与检查配置。", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(audit_app, name="audit")
app.add_typer(cards_app, name="cards")
app.add_typer(faq_app, name="faq")
app.add_typer(gaps_app, name="gaps")
app.add_typer(graph_app, name="graph")
app.add_typer(bench_app, name="bench")
bench_app.command("busy")(bench_busy)
bench_app.command("answers")(bench_answers)
app.add_typer(eval_app, name="eval")
app.add_typer(models_app, name="models")
app.add_typer(train_app, name="train")
app.add_typer(edit_app, name="edit")
app.add_typer(review_app, name="review")
app.add_typer(jobs_app, name="jobs")
for verb in (
    reindex, doctor, backup, restore, repeal, unrule, impact, history, care, replay, feedback, conflicts, understand,
    chat,
):
    app.command()(verb)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="文件、文件夹、.zip、.tar.*、.jsonl(.gz)")],
    publish: Annotated[bool, typer.Option("--publish/--draft", help="直接发布，或存为草稿")] = True,
    workers: Workers = None,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """把文件收入知识库；已收入过的不会重复。"""
    from policydesk.ingest_report import write_report

    with _progress(paths) as on_bytes, opened_desk(config, home, workers=workers) as desk:
        report = desk.ingest(paths, publish=publish, who=by, on_bytes=on_bytes)
        written = write_report(report, home or desk.config.home)
    _print_report(report, as_json=as_json)
    typer.echo(f"逐个文件的结果写入 {written}", err=True)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def search(
    question: Asked = None,
    batch: Batch = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="给出几条，缺省取 search.top")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="写成 TREC run 文件")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="显示扩展的规范用语和各环节的分数")] = False,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """检索条文。"""
    from policydesk.batch import hit_json, to_line

    defaults = Question(question or "", region=region, national=national, as_of=as_of)
    asked = _asked(question, batch, defaults)
    with opened_desk(config, home) as now, _then(now, known_at) as desk:
        shown = top or desk.config.search.top
        found = ((name, desk.search(q, shown, explain=explain)) for name, q in asked)
        if run:
            write_lines(run, (line for name, hits in found for line in _trec_lines(name, hits)))
        elif batch:
            write_lines(None, (to_line({"id": name, "hits": [hit_json(hit) for hit in hits]}) for name, hits in found))
        elif as_json:
            write_lines(None, [to_line([hit_json(hit) for _, hits in found for hit in hits])])
        else:
            if explain and question:
                write_lines(None, _expansion_lines(desk.base.searcher.expansions(question)))
            write_lines(None, (line for _, hits in found for line in _hit_lines(hits)))


@app.command()
def ask(
    question: Asked = None,
    batch: Batch = None,
    out: Annotated[Path | None, typer.Option("--out", help="批量结果写到这个 JSON Lines 文件")] = None,
    role: AsRole = Role.AGENT,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    before: Before = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """回答问题，每句都有出处；没有依据时说明去处。"""
    from policydesk.batch import answer_json, to_line

    history = tuple(map(Turn, before or ()))
    defaults = Question(question or "", region=region, national=national, as_of=as_of, role=role, history=history)
    asked = _asked(question, batch, defaults)
    with opened_desk(config, home) as now, _then(now, known_at) as desk:
        named, wanted = tee(asked)
        questions = (q for _, q in wanted)
        given = desk.ask_all(questions) if known_at is None else map(desk.answerer.answer, questions)
        answers = zip((name for name, _ in named), given, strict=True)
        if batch:
            rows = ({**answer_json(answer), "id": name, "answer_id": answer.id} for name, answer in answers)
            write_lines(out, map(to_line, rows))
        elif as_json or out:
            write_lines(out, (to_line(answer_json(answer)) for _, answer in answers))
        else:
            write_lines(None, (line for _, answer in answers for line in answer_lines(answer)))


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="文件编号，见引文中的 document")],
    tree: Annotated[bool, typer.Option("--tree", help="显示编章节条款项目的结构树，而不是全文")] = False,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """显示一份文件的全文；引文的 start、end 就是这份全文中的位置。"""
    from ingest.tree import structure_tree
    from policydesk.batch import to_line
    from policydesk.document_lines import tree_lines

    with opened_desk(config, home) as desk:
        found = desk.document(document)
    if tree:
        nodes = structure_tree(found)
        lines = (to_line(asdict(node)) for node in nodes) if as_json else tree_lines(found, nodes)
        write_lines(None, lines)
    else:
        write_lines(None, [to_line(asdict(found)) if as_json else found.text])


@app.command()
def compare(
    old: Annotated[str, typer.Argument(help="旧文件编号，见 policydesk documents")],
    new: Annotated[str, typer.Argument(help="新文件编号")],
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """逐条比较两份文件：增加、删除、移动和修改的条文。"""
    from policydesk.batch import to_line
    from policydesk.document_lines import change_lines

    with opened_desk(config, home) as desk:
        comparison = desk.base.compare(old, new)
    write_lines(None, [to_line(asdict(comparison))] if as_json else change_lines(comparison))


@app.command()
def documents(
    state: Annotated[State, typer.Option("--state", help="状态")] = State.PUBLISHED,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出文件及其编号。"""
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk:
        rows = desk.base.documents([state])
    for row in rows:
        facts = row.facts
        line = f"{row.id}  {facts.title}  {facts.doc_no or ''}  {row.in_force_from or ''}~{row.in_force_to or ''}"
        write_lines(None, [to_line(asdict(row)) if as_json else line.rstrip()])


@app.command()
def publish(
    ids: Annotated[list[str], typer.Argument(help="草稿编号，见 policydesk documents --state draft")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """发布草稿，或重新发布已撤下的文件：一次全部可见。"""
    with opened_desk(config, home) as desk:
        desk.base.publish(ids, by)
    typer.echo(f"已发布 {len(ids)} 份文件", err=True)


@app.command()
def withdraw(
    document: Annotated[str, typer.Argument(help="文件编号，见 policydesk documents")],
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """撤下一份已发布的文件，立即不再出现在任何回答中。"""
    with opened_desk(config, home) as desk:
        desk.base.withdraw(document, by)
    typer.echo(f"已撤下 {document}", err=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="监听地址，缺省取 ui.host")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="缺省取 ui.port；0 为任一端口")] = None,
    rebuild: Annotated[
        bool, typer.Option("--reindex", help="索引与配置不符时先用旧索引服务，同时重建，完成后切换")
    ] = False,
    region: Region = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """打开坐席工作台。"""
    from policydesk.job_runner import doing_jobs, told
    from qa.conversation import turn_of
    from ui import ConsoleParts, make_app, serve_app

    with (
        opened_desk(config, home, as_made=rebuild) as desk,
        reindexing(desk) if rebuild else nullcontext(),
        doing_jobs(desk, lambda job: typer.echo(told(job), err=True)),
    ):
        settings = desk.config
        for example in settings.ui.examples[:1]:
            desk.answerer.answer(Question(example))      # loads what answers are chosen with: 1 s, before anybody waits
        parts = ConsoleParts(
            desk.ask_in_parts, turn_of, desk.document, settings.regions.names, region or settings.regions.home,
            tuple(settings.ui.examples),
        )
        serve_app(
            make_app(parts), host or settings.ui.host, settings.ui.port if port is None else port,
            lambda address: typer.echo(f"政策台已就绪：{address}（按 Ctrl+C 结束）", err=True),
        )


@config_app.command("check")
def config_check(config: ConfigFile = None) -> None:
    """检查配置；有误则指出键的路径和最接近的键。"""
    read_config(config)
    typer.echo("配置正确", err=True)


@config_app.command("show")
def config_show(config: ConfigFile = None) -> None:
    """打印生效的配置，密钥以星号代替。"""
    from core.config import show_config

    typer.echo(show_config(read_config(config)), nl=False)


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


def _then(desk: Desk, known_at: datetime | None) -> AbstractContextManager[Desk]:
    """A desk that knows what was published at a moment, or the desk itself."""
    from policydesk.review import desk_at

    return nullcontext(desk) if known_at is None else desk_at(desk, known_at)


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
    from policydesk.ingest_report import report_lines

    if not as_json:
        write_lines(None, report_lines(report))
        return
    for item in report.skipped:
        typer.echo(f"{'未收录' if item.failed else '略过'} {item.place}：{item.reason}", err=True)
    typer.echo(to_line(asdict(report)))


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
        if hit.scores:
            yield "   " + "  ".join(f"{name}={value:.3f}" for name, value in hit.scores)


def _expansion_lines(expansions: Sequence[Expansion]) -> Iterator[str]:
    for found in expansions:
        yield f"扩展：{found.because} → {found.term}（{found.weight:.2f}）"
