"""What one way of cutting costs in the real index: building, bytes on disk, memory and milliseconds per question."""

from __future__ import annotations

import multiprocessing
import shutil
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import qdrant_edge as edge

from core.ports import Point, PointFilter, Sparse
from eval.latency import latency
from eval.retrieval import Found
from eval.sparse_corpus import Piece
from eval.sparse_scores import Setting
from eval.sparse_terms import Cut
from kb.steps import OPEN_END, number
from kb.store import payload
from kb.store_edge import EdgeStore

_BATCH = 4000
_DEPTH = 200             # chunks per question, as search.candidates has it
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class IndexCost:
    """One index over all chunks of a corpus."""

    seconds: float           # cutting, weighing and writing, in one thread
    disk_mb: float           # blocks in use, without the log of writes
    memory_mb: float         # resident after all questions, less what the empty process had
    p50_ms: float
    p95_ms: float


def sparse_cost(
    pieces: Sequence[Piece], questions: Sequence[str], cuts: Mapping[str, Cut], setting: Setting, where: PointFilter
) -> IndexCost:
    """Of the sparse vectors of ``cuts`` together, in the store that we use."""
    average = setting.average or 1.0
    weigh = _weigher(cuts, setting, average)
    asked = [_asked(question, cuts, setting.weights) for question in questions]
    with TemporaryDirectory() as name:
        folder = Path(name) / "vectors"
        started = time.perf_counter()
        store = EdgeStore(folder, dim=None)
        for batch in _batches(pieces):
            store.upsert([_point(place, piece, weigh(piece)) for place, piece in batch])
            store.flush()
        store.close()
        seconds = time.perf_counter() - started
        return _cost(folder, seconds, _ask_sparse, (asked, where))


def text_cost(
    pieces: Sequence[Piece], questions: Sequence[str], where: PointFilter
) -> tuple[IndexCost, list[list[Found]]]:
    """Of qdrant-edge's own text index, which cuts and weighs by itself; and what it finds."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "vectors"
        started = time.perf_counter()
        store = EdgeStore(folder, dim=None)     # makes the folder and its other indexes
        store.close()
        shard = edge.EdgeShard.load(str(folder))
        shard.update(edge.UpdateOperation.create_field_index(_TEXT, edge.TextIndexParams(
            tokenizer=edge.TokenizerType.Multilingual, lowercase=True, scoring=True, memory=edge.Memory.Cached,
            stopwords=edge.StopwordsSet(languages=set(), custom=set()),
        )))
        for batch in _batches(pieces):
            shard.update(edge.UpdateOperation.upsert_points([
                edge.Point(
                    place, {}, payload(_point(place, piece, Sparse([], []))) | {_TEXT: "\n".join(piece.fields)}
                )
                for place, piece in batch
            ]))
        shard.optimize()
        shard.flush()
        shard.close()
        seconds = time.perf_counter() - started
        cost = _cost(folder, seconds, _ask_text, (list(questions), where))
        shard = edge.EdgeShard.load(str(folder))
        found = [[pieces[place].found for place in _text_places(shard, question, where)] for question in questions]
        shard.close()
        return cost, found


Ask = Callable[[Path, Sequence[object], PointFilter], list[float]]


def _cost(folder: Path, seconds: float, ask: Ask, arguments: tuple[Sequence[object], PointFilter]) -> IndexCost:
    shutil.rmtree(folder / "wal", ignore_errors=True)
    (folder / "wal").mkdir()
    disk = sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 1e6
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=_child, args=(there, ask, folder, *arguments))
    child.start()
    there.close()
    memory, durations = here.recv()
    child.join()
    spent = latency(durations)
    return IndexCost(seconds, disk, memory, spent.p50_ms, spent.p95_ms)


def _child(answer: Connection, ask: Ask, folder: Path, questions: Sequence[object], where: PointFilter) -> None:
    before = _resident_mb()
    durations = ask(folder, questions, where)
    answer.send((_resident_mb() - before, durations))


def _ask_sparse(folder: Path, questions: Sequence[object], where: PointFilter) -> list[float]:
    store = EdgeStore(folder, dim=None)

    def ask(question: object) -> None:
        assert isinstance(question, Sparse)
        store.query(question, where=where, limit=_DEPTH)

    return _timed(ask, questions)


def _ask_text(folder: Path, questions: Sequence[object], where: PointFilter) -> list[float]:
    shard = edge.EdgeShard.load(str(folder))
    return _timed(lambda question: _text_places(shard, str(question), where), questions)


def _timed(ask: Callable[[object], object], questions: Sequence[object]) -> list[float]:
    """Of the second pass: the first one warms the file cache."""
    durations = []
    for again in (False, True):
        for question in questions:
            started = time.perf_counter()
            ask(question)
            if again:
                durations.append(time.perf_counter() - started)
    return durations


def _text_places(shard: edge.EdgeShard, question: str, where: PointFilter) -> Iterator[int]:
    conditions = _filter(where)
    request = edge.QueryRequest(limit=_DEPTH, query=edge.TextQuery(_TEXT, question), filter=conditions)
    return (int(str(point.id)) for point in shard.query(request))


def _filter(where: PointFilter) -> edge.Filter:
    must: list[edge.FieldCondition] = []
    if where.regions is not None:
        must.append(edge.FieldCondition("region", match=edge.MatchAny(list(where.regions))))
    if where.as_of is not None:
        must.append(edge.FieldCondition("from", range=edge.RangeFloat(lte=where.as_of)))
        must.append(edge.FieldCondition("to", range=edge.RangeFloat(gt=where.as_of)))
    return edge.Filter(must=list(must))


def _batches(pieces: Sequence[Piece]) -> Iterator[list[tuple[int, Piece]]]:
    for start in range(0, len(pieces), _BATCH):
        yield list(enumerate(pieces[start : start + _BATCH], start=start))


def _point(place: int, piece: Piece, sparse: Sparse) -> Point:
    document = piece.document
    return Point(
        f"{place:016x}", sparse, None, 1, document.facts.region or "", int(document.facts.rank),
        number(document.in_force_from, 0), number(document.in_force_to, OPEN_END), document.facts.public,
    )


def _weigher(cuts: Mapping[str, Cut], setting: Setting, average: float) -> Callable[[Piece], Sparse]:
    """As `kb.tokens.SparseEncoder.document` weighs, for any kinds of terms."""
    count = lru_cache(maxsize=1 << 12)(lambda text: Counter(_terms(text, cuts)))

    def weigh(piece: Piece) -> Sparse:
        title, heading, text = piece.fields
        frequency: dict[int, float] = dict(Counter(_terms(text, cuts)))
        for field, weight in ((title, setting.title), (heading, setting.heading)):
            for term, times in count(field).items():
                frequency[term] = frequency.get(term, 0.0) + weight * times
        base = setting.k1 * (1 - setting.b + setting.b * sum(frequency.values()) / average)
        return Sparse(list(frequency), [tf * (setting.k1 + 1) / (tf + base) for tf in frequency.values()])

    return weigh


def _asked(question: str, cuts: Mapping[str, Cut], weights: Sequence[float]) -> Sparse:
    frequency: dict[int, float] = {}
    for (kind, cut), weight in zip(cuts.items(), weights, strict=True):
        for term, times in Counter(_terms(question, {kind: cut})).items():
            frequency[term] = weight * times
    return Sparse(list(frequency), list(frequency.values()))


def _terms(text: str, cuts: Mapping[str, Cut]) -> Iterator[int]:
    for kind, cut in cuts.items():
        for term in cut(text):
            yield zlib.crc32(f"{kind}:{term}".encode())


def _resident_mb() -> float:
    """Of this process; Linux only."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000
