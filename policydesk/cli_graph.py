"""The verbs of ``policydesk graph``: what documents say of each other, exported, drawn, and read by a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError
from core.records import Question, State
from policydesk.options import (
    AsJson,
    AsOf,
    By,
    ConfigFile,
    Home,
    National,
    Region,
    opened_desk,
    read_config,
    write_lines,
)

if TYPE_CHECKING:
    from core.config import Config
    from kb.graph.extract import Extracted
    from kb.graph.queries import Found
    from kb.graph.records import GraphOptions
    from policydesk.app import Desk
    from policydesk.graph_lines import Quotes


class Format(StrEnum):
    """Of an exported graph."""

    GRAPHML = "graphml"
    JSON = "json"


DocumentName = Annotated[str, typer.Argument(help="文件编号、名称或发文字号")]
Address = Annotated[str | None, typer.Argument(help="条号，如 第八条；不写即整份文件")]
Kind = Annotated[list[str] | None, typer.Option("--kind", help="只要这种关系，如 cites，可多次给出；缺省全部")]
Hops = Annotated[int, typer.Option("--hops", min=1, max=3, help="走几步")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="每一步至多多少条关系")]
OutFile = Annotated[Path | None, typer.Option("--out", help="写到这个文件；不写即打印")]
OfDocument = Annotated[str | None, typer.Option("--document", help="只要这份文件的周围；缺省整个图")]

graph_app = typer.Typer(help="文件之间的关系：引用、依据、实施、修改、废止、负责部门等。", no_args_is_help=True)


@graph_app.command()
def neighbours(
    document: DocumentName,
    address: Address = None,
    hops: Hops = 1,
    incoming: Annotated[bool, typer.Option("--in", help="只要别处对它的关系")] = False,
    outgoing: Annotated[bool, typer.Option("--out", help="只要它对别处的关系")] = False,
    kind: Kind = None,
    limit: Limit = 100,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """一份文件或一条的关系：它说到谁，谁说到它；每条关系都有原文位置。"""
    from kb.graph.ends import find_node, quotes
    from kb.graph.queries import neighbours
    from policydesk.graph_lines import found_lines

    both = incoming == outgoing
    options = _options(kind, as_of, limit, outgoing=outgoing or both, incoming=incoming or both)
    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        start = find_node(connection, document, address=address, as_of=options.as_of)
        found = neighbours(connection, start, options, hops=hops)
        words = quotes(connection, [one.edge for one in found])
    _write_found(words, found, found_lines, as_json=as_json)


@graph_app.command()
def path(
    start: Annotated[str, typer.Argument(help="从这份文件：编号、名称或发文字号")],
    end: Annotated[str, typer.Argument(help="到这份文件")],
    kind: Kind = None,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """两份文件之间的一条最短路径；没有则退出码为 1。"""
    from kb.graph.ends import find_node, quotes
    from kb.graph.paths import path
    from policydesk.graph_lines import path_lines

    options = _options(kind, as_of)
    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        ends = [find_node(connection, name, as_of=options.as_of).document or "" for name in (start, end)]
        way = path(connection, ends[0], ends[1], options)
        words = quotes(connection, [one.edge for one in way or ()])
    _write_found(words, way or [], lambda _, quotes: path_lines(way, quotes), as_json=as_json)
    if way is None:
        raise typer.Exit(1)


@graph_app.command()
def implements(
    document: DocumentName,
    basis: Annotated[bool, typer.Option("--basis", help="根据它制定的文件也算，而不只是名称写明实施的")] = False,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """谁实施谁：一份文件实施的上位文件，和实施它的细则、办法，逐级列出。"""
    from kb.graph.ends import find_node, quotes
    from kb.graph.paths import implementing
    from policydesk.graph_lines import implementing_lines

    options = _options(None, as_of)
    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        start = find_node(connection, document, as_of=options.as_of)
        found = implementing(connection, start, options, basis=basis)
        words = quotes(connection, [one.edge for one in found])
    _write_found(words, found, lambda rows, _: implementing_lines(rows), as_json=as_json)


@graph_app.command()
def responsible(
    matter: Annotated[str, typer.Argument(help="事项或问题，如 养犬登记")],
    top: Annotated[int, typer.Option("--top", min=1, help="看检索到的前几条条文所在的文件")] = 5,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """一件事由谁负责：部门、电话和写明它的条文。"""
    from kb.graph.ends import responsible_by
    from policydesk.batch import to_line
    from policydesk.graph_lines import responsible_json, responsible_lines

    with opened_desk(config, home) as desk:
        hits = desk.search(Question(matter, region=region, national=national, as_of=as_of), top)
        with desk.base.reading() as connection:
            rows = responsible_by(connection, hits, matter, as_of=as_of or date.today())
    write_lines(None, (to_line(responsible_json(row)) for row in rows) if as_json else responsible_lines(rows))


@graph_app.command("open")
def open_(
    limit: Annotated[int, typer.Option("--limit", min=1, help="至多列出多少个")] = 50,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """被引用而没有入库的文件，被引用最多的在前；入库后自动接上。"""
    from kb.graph.ends import open_ends
    from policydesk.batch import to_line
    from policydesk.graph_lines import open_lines

    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        ends = open_ends(connection, limit=limit)
    write_lines(None, (to_line(asdict(end)) for end in ends) if as_json else open_lines(ends))


# out of the house


@graph_app.command()
def export(
    out: OutFile = None,
    form: Annotated[Format, typer.Option("--format", help="graphml 或 json")] = Format.GRAPHML,
    document: OfDocument = None,
    hops: Hops = 2,
    kind: Kind = None,
    limit: Limit = 1000,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """导出整个图，或一份文件周围的部分：文件、条、机关、术语为节点，关系带种类、来源方法和原文位置。"""
    from kb.graph.ends import find_node
    from kb.graph.export import graphml_lines, json_lines, part_of_graph, whole_graph
    from kb.graph.queries import neighbours

    options = _options(kind, as_of, limit)
    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        if document is None:
            graph = whole_graph(connection, options)
        else:
            start = find_node(connection, document, as_of=options.as_of)
            found = neighbours(connection, start, options, hops=hops)
            graph = part_of_graph(connection, start, [one.edge for one in found])
    write_lines(out, graphml_lines(graph) if form is Format.GRAPHML else json_lines(graph))
    typer.echo(f"{len(graph.nodes)} 个节点，{len(graph.edges)} 条关系", err=True)


@graph_app.command()
def picture(
    document: DocumentName,
    out: Annotated[Path, typer.Option("--out", help="写成这个 SVG 文件")],
    hops: Hops = 1,
    most: Annotated[int, typer.Option("--most", min=1, max=120, help="至多画多少个相关节点")] = 40,
    kind: Kind = None,
    limit: Limit = 100,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把一份文件的周围画成 SVG 图。"""
    from kb.graph.ends import find_node
    from kb.graph.picture import picture
    from kb.graph.queries import neighbours

    options = _options(kind, as_of, limit)
    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        start = find_node(connection, document, as_of=options.as_of)
        found = neighbours(connection, start, options, hops=hops, whole=True)
    write_lines(out, picture(start, found, most=most))
    typer.echo(f"图写入 {out}", err=True)


@graph_app.command()
def push(
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把图复制到 graph.store 指定的 Neo4j；上次复制的先删去。"""
    from kb.graph.push import open_neo4j, push

    settings = read_config(config)
    store = open_neo4j(settings.graph)
    with opened_desk(config, home) as desk, _progress("复制") as on_step:
        pushed = push(desk.base, store, _options(None, as_of), on_step=on_step)
    typer.echo(f"已复制 {pushed.nodes} 个节点，{pushed.edges} 条关系", err=True)


# by a language model


@graph_app.command()
def extract(
    documents: Annotated[list[str] | None, typer.Argument(help="文件编号、名称或发文字号；不写须加 --all")] = None,
    llm: Annotated[
        str, typer.Option("--llm", help="模型服务，如 openai:http://10.0.0.5:8000#Qwen3-8B；缺省取 generate.model")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="所有已发布文件")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="同时问几条")] = 4,
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """让语言模型补充规则看不出的关系：标明 llm，引文不在条文中的一律丢弃；重做会替换上次的。"""
    from policydesk.app import open_desk
    from policydesk.batch import to_line

    if bool(documents) == every:
        raise typer.BadParameter("请给出文件，或用 --all 指所有已发布文件，二者取一")
    with open_desk(_with_model(read_config(config), llm), home) as desk:
        ids = _named(desk, documents) if documents else [row.id for row in desk.base.documents([State.PUBLISHED])]
        found = _extracted(desk, ids, who=by, workers=workers)
    if as_json:
        write_lines(None, [to_line(asdict(found) | {"dropped": dict(found.dropped)})])
        return
    dropped = "，".join(f"{reason} {count}" for reason, count in found.dropped) or "无"
    typer.echo(f"读了 {found.articles} 条，加入 {found.kept} 条关系，{found.unreadable} 条的回答读不懂")
    typer.echo(f"丢弃：{dropped}")


# shared by the verbs


def _options(
    kind: list[str] | None, as_of: date | None, limit: int = 100, *, outgoing: bool = True, incoming: bool = True
) -> GraphOptions:
    from kb.graph.records import KIND_NAMES, GraphOptions

    unknown = sorted(set(kind or ()) - KIND_NAMES.keys())
    if unknown:
        known = "、".join(f"{name}（{shown}）" for name, shown in KIND_NAMES.items())
        raise typer.BadParameter(f"没有 {'、'.join(unknown)} 这种关系；有 {known}")
    return GraphOptions(
        frozenset(kind) if kind else None, as_of or date.today(), outgoing=outgoing, incoming=incoming, limit=limit
    )


def _write_found(
    quotes: Quotes, found: Sequence[Found], lines: Callable[[Sequence[Found], Quotes], Iterator[str]], *, as_json: bool
) -> None:
    from policydesk.batch import to_line
    from policydesk.graph_lines import found_json

    write_lines(None, (to_line(found_json(one, quotes)) for one in found) if as_json else lines(found, quotes))


def _named(desk: Desk, documents: list[str]) -> list[str]:
    from kb.graph.ends import find_node

    with desk.base.reading() as connection:
        return [find_node(connection, name).document or "" for name in documents]


def _with_model(config: Config, llm: str) -> Config:
    if llm and not llm.startswith("openai:"):
        raise ConfigError(f"--llm 应如 openai:http://10.0.0.5:8000#模型名，实际是“{llm}”")
    changed = config.generate.model_copy(update={"model": llm} if llm else {})
    return config.model_copy(update={"generate": changed})


def _extracted(desk: Desk, ids: list[str], *, who: str, workers: int) -> Extracted:
    from core.tasks import EXTRACT
    from kb.graph.extract import extract
    from kb.graph.generator_llm import GeneratorLLM

    if desk.generator is None:
        raise ConfigError("没有语言模型：请写明 generate.model，或给出 --llm openai:http://地址:端口#模型名")
    # Its extractor writes a traceback for every answer that it cannot read; we count them.
    logging.getLogger("llama_index.core.indices.property_graph").setLevel(logging.CRITICAL)
    with _progress("读条文") as on_articles:
        llm = GeneratorLLM(desk.generator, EXTRACT)
        return extract(desk.base, llm, ids, who=who, workers=workers, on_articles=on_articles)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda there, of: bar.update(task, completed=there, total=of)
