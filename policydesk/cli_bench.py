"""The verbs of ``policydesk bench``: speed and resources, alone and beside the engines of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from core.errors import PolicyDeskError
from core.records import Question, State
from policydesk.options import (
    AsJson,
    AsOf,
    BenchPaths,
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
    from core.config import Config
    from eval.bench import OpenBase
    from eval.gold import GoldQuestion
    from eval.latency import RefSearch
    from eval.peer_export import Exported
    from policydesk.app import Desk


class _SpeedUnlessNamed(TyperGroup):
    """``policydesk bench FILE...`` is ``policydesk bench speed FILE...``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - its type is typer's private one
        named = args[:1] and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["speed", *args])


class Peer(StrEnum):
    """Names as `eval.peers.PEERS` has them, which is imported only when it is needed."""

    TANTIVY = "tantivy"
    LANCEDB = "lancedb"
    LLAMAINDEX_BM25 = "llamaindex-bm25"
    LLAMAINDEX_QDRANT = "llamaindex-qdrant"


bench_app = typer.Typer(cls=_SpeedUnlessNamed, help="速度与资源；不写动词即为 speed。", no_args_is_help=False)


@bench_app.command("speed")
def bench_speed(
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

    settings = read_config(config)
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
    write_lines(None, [to_line(as_record(result)) if as_json else measured_table([path])])


@bench_app.command("growth")
def bench_growth(
    homes: Annotated[list[Path], typer.Argument(help="状态目录，由小到大")],
    questions: Questions,
    national: National = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """多大的知识库查询多慢：同一批问题轮流问几个状态目录，忙闲对它们相同。"""
    from eval.gold import read_gold, with_defaults
    from eval.latency import side_by_side
    from policydesk.batch import to_line

    gold = with_defaults(read_gold(questions), Question("", national=national))
    with ExitStack() as opened:
        desks = [opened.enter_context(opened_desk(config, home)) for home in homes]
        searches = [_refs(desk) for desk in desks]
        times = side_by_side(gold, searches, top=10)
        sizes = [desk.base.counts() for desk in desks]
    rows = [
        {"home": str(home), "articles": articles, "chunks": chunks, **asdict(own),
         "p95_ratio": own.p95_ms / times[0].p95_ms}
        for home, (_, articles, chunks), own in zip(homes, sizes, times, strict=True)
    ]
    write_lines(None, map(to_line, rows) if as_json else (
        f"{row['articles']:>10} 条  {row['chunks']:>10} 片段  p50 {row['p50_ms']:.1f} ms  p95 {row['p95_ms']:.1f} ms"
        f"  p95 之比 {row['p95_ratio']:.2f}" for row in rows
    ))


@bench_app.command("graph")
def bench_graph(
    count: Annotated[int, typer.Option("--count", min=1, help="每种问题问多少次")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="抽取起点的随机种子")] = 1,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """关系图的速度：从随机抽取的条和文件走一步、两步，和两份文件之间的路径。"""
    from eval.graph_speed import graph_times, time_lines
    from policydesk.batch import to_line

    with opened_desk(config, home) as desk, desk.base.reading() as connection:
        times = graph_times(connection, count=count, seed=seed, as_of=as_of)
    write_lines(None, (to_line(asdict(row)) for row in times) if as_json else time_lines(times))


@bench_app.command("peers")
def bench_peers(
    questions: Questions,
    python: Annotated[Path | None, typer.Option("--python", help="装有这些引擎的解释器，缺省为本程序的")] = None,
    peer: Annotated[list[Peer] | None, typer.Option("--peer", help="只比较这个引擎，可多次给出；缺省全部")] = None,
    corpus: Annotated[list[Path] | None, typer.Option("--corpus", help="用这些文件而不是知识库，可多次给出")] = None,
    articles: Annotated[int | None, typer.Option("--articles", min=1, help="至多取多少条文；有答案的文件全留")] = None,
    split: Annotated[str | None, typer.Option("--split", help="只用问题文件中 split 为此值的行")] = None,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("--out", help="结果另写到这个 JSON 文件")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """与 tantivy、LanceDB、LlamaIndex 相比：同样的条文和问题，各用一个核，质量与速度。"""
    from eval.gold import gold_digest, read_gold, with_defaults
    from eval.peers import PeerPlan, peer_lines, run_peers
    from eval.record import Measured, circumstances
    from policydesk.batch import to_line

    interpreter = (python or Path(sys.executable)).absolute()     # not resolved: a venv is known by its link
    if not interpreter.is_file():
        raise typer.BadParameter(f"找不到解释器 {interpreter}")
    gold = with_defaults(read_gold(questions, split=split), Question("", region=region, national=national, as_of=as_of))
    settings = read_config(config)
    peers = tuple(name.value for name in peer or Peer)
    with TemporaryDirectory(prefix="policydesk-peers-") as name:
        folder = Path(name)
        with _source(corpus, settings, home, folder) as desk:
            exported = _exported(gold, desk, folder, articles=articles, peers=peers)
        plan = PeerPlan(
            tuple(gold), folder, exported, own=(sys.executable, "-m", "policydesk.own_engine"),
            own_arguments=(str(config.resolve()),) if config else (), python=str(interpreter), peers=peers,
            progress=lambda label: typer.echo(f"正在测量 {label}", err=True),
        )
        result = run_peers(plan)
    measured = Measured("peers", gold_digest(gold), len(gold), 0)
    record = {"what": "peers", **circumstances(measured, settings), "result": asdict(result)}
    if out:
        write_lines(out, [to_line(record)])
    write_lines(None, [to_line(record)] if as_json else peer_lines(result))


# shared by the verbs


def _refs(desk: Desk) -> RefSearch:
    return lambda question, top: [hit.ref for hit in desk.search(question, top)]


@contextmanager
def _bench_base(config: Path | None, home: Path | None, *, national: bool) -> Iterator[OpenBase]:
    from eval.bench import OpenBase

    with opened_desk(config, home) as desk:
        yield OpenBase(
            _refs(desk), lambda: desk.base.article_texts(national=national),
        )


@contextmanager
def _source(corpus: list[Path] | None, settings: Config, home: Path | None, folder: Path) -> Iterator[Desk]:
    """Where the documents come from: the home, or these files in a home of their own, which nobody searches."""
    from policydesk.app import open_desk

    if not corpus:
        with open_desk(settings, home) as desk:
            yield desk
        return
    index = settings.index.model_copy(update={"embedder": "none"})
    storage = settings.storage.model_copy(update={"database": "", "vectors": "edge"})
    with open_desk(settings.model_copy(update={"index": index, "storage": storage}), folder / "corpus") as desk:
        report = desk.ingest(corpus, publish=True, on_bytes=lambda count: None)
        if report.failed:
            first = next(item for item in report.skipped if item.failed)
            raise PolicyDeskError(f"{first.place}：{first.reason}")
        yield desk


def _exported(
    gold: list[GoldQuestion], desk: Desk, folder: Path, *, articles: int | None, peers: tuple[str, ...]
) -> Exported:
    from eval.peer_engines import TOP
    from eval.peer_export import Base, export
    from eval.peers import NEED_VECTORS
    from kb.static_encoder import StaticEncoder
    from qa.scope import scope

    home_region = desk.config.regions.home
    base = Base(
        desk.base.documents([State.PUBLISHED]), desk.document,
        lambda question: scope(question, top=TOP, home_region=home_region),
    )
    encoder = StaticEncoder() if NEED_VECTORS & set(peers) else None
    return export(base, gold, folder, articles=articles, encoder=encoder)
