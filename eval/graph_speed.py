"""How fast the graph answers: one hop, two hops, paths, over nodes drawn by chance from a home."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection, select

from core.errors import PolicyDeskError
from core.records import State
from eval.latency import latency
from kb.graph.paths import path
from kb.graph.queries import neighbours
from kb.graph.records import GraphOptions, Node, article_node, document_node
from kb.rows import in_state
from kb.schema import documents, edges

_PATHS = 60                      # pairs of documents: each costs some tens of milliseconds
_WARMED = 20                     # calls before measuring: SQLAlchemy compiles its statements in the first ones


_Asked = TypeVar("_Asked")


@dataclass(frozen=True, slots=True)
class GraphTimes:
    """Milliseconds of one kind of question: on the clock, and of this process's own computing."""

    what: str
    count: int
    p50_ms: float
    p95_ms: float
    cpu_p50_ms: float
    cpu_p95_ms: float
    found: float                 # edges of an answer, on average


def graph_times(connection: Connection, *, count: int, seed: int, as_of: date | None) -> list[GraphTimes]:
    """From articles and documents that say something. Raises `PolicyDeskError` for a home without edges."""
    chance = random.Random(seed)
    said = select(edges.c.document_id, edges.c.article).distinct().join(documents).where(in_state(State.PUBLISHED))
    rows = connection.execute(said.where(edges.c.article.is_not(None))).all()
    if not rows:
        raise PolicyDeskError("这个知识库里没有关系可以测量。请先 ingest 文件")
    parts = [article_node(document, "", article, "") for document, article in chance.choices(sorted(rows), k=count)]
    wholes = [document_node(id_, "") for id_ in chance.choices(sorted({row[0] for row in rows}), k=count)]
    options = GraphOptions(as_of=as_of)

    def hops(number: int) -> Callable[[Node], int]:
        return lambda node: len(neighbours(connection, node, options, hops=number))

    def way(pair: tuple[Node, Node]) -> int:
        return len(path(connection, pair[0].id, pair[1].id, options) or ())

    pairs = [(one, other) for one, other in zip(wholes, reversed(wholes), strict=True) if one != other][:_PATHS]
    return [
        _times("一条的一步", hops(1), parts),
        _times("一条的两步", hops(2), parts),
        _times("一份文件的一步", hops(1), wholes),
        _times("一份文件的两步", hops(2), wholes),
        *([_times("两份文件的路径", way, pairs)] if pairs else []),
    ]


def time_lines(times: Sequence[GraphTimes]) -> Iterator[str]:
    for row in times:
        yield (
            f"{row.what}：p50 {row.p50_ms:.2f} ms，p95 {row.p95_ms:.2f} ms"
            f"（只算处理器 {row.cpu_p50_ms:.2f}、{row.cpu_p95_ms:.2f}），平均 {row.found:.1f} 条关系，{row.count} 次"
        )


def _times(what: str, ask: Callable[[_Asked], int], asked: Sequence[_Asked]) -> GraphTimes:
    wall, cpu, found = [], [], []
    for one in asked[:_WARMED]:
        ask(one)
    for one in asked:
        began, computed = time.perf_counter(), time.process_time()
        found.append(ask(one))
        cpu.append(time.process_time() - computed)
        wall.append(time.perf_counter() - began)
    own, computed_only = latency(wall), latency(cpu)
    return GraphTimes(
        what, len(asked), own.p50_ms, own.p95_ms, computed_only.p50_ms, computed_only.p95_ms, statistics.fmean(found)
    )
