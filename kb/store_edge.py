"""The `Store` in process: qdrant-edge, one folder, no server."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import qdrant_edge as edge

from core.errors import BackendUnavailable, StorageFull
from core.ports import Point, PointFilter, Sparse, StoredPoint
from kb.disk import has_room, make_room
from kb.store import DENSE, INDEXES, SPARSE, payload, point_id, point_name

# New points lie in one growing segment whose filters are slow (14 ms) and whose opening is too (6 s for
# 148,864 points). So every 36,000 points it is made into a finished segment (4 s), and finished ones are
# not merged again: that would cost 30 s more and twice the memory. Queries then take 3-5 ms.
_SEGMENT_POINTS = 36_000
# Mapped files instead of the default copies in memory: opening takes 0.8 s instead of 2.0 s, queries the same.
_MAPPED = edge.Memory.Cached
_SEGMENT_KB = 30_000
# Over 148,864 vectors of 256: 1.1 ms a query with 99 % of the exact list (7 ms exactly), 5 s to build. Whole vectors
# instead of int8 take 8 s to build, and m = 16 with ef_construct = 64 finds no more.
_GRAPH = edge.HnswIndexConfig(m=12, ef_construct=32, full_scan_threshold=1_000)
_QUANTIZED = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, memory=_MAPPED)
_READ_AT_ONCE = 5_000    # points; 148,864 take 0.6 s without and 1 s with their vectors
_CLOSER = edge.SearchParams(quantization=edge.QuantizationSearchParams(rescore=True, oversampling=1.5))
_EXACT = edge.SearchParams(exact=True)
_HOLE = bytes(1 << 18)
_NEW_MB = 200            # a new index and its log, once their holes are filled
_FINISHING_MB = 300      # an unfinished segment and what is made of it
_POINTS_A_MB = 100       # 300 terms and 256 dimensions are 4 KB, which are written twice


_Condition = (
    edge.FieldCondition | edge.IsEmptyCondition | edge.IsNullCondition | edge.HasIdCondition
    | edge.HasVectorCondition | edge.NestedCondition | edge.Filter
)


@dataclass(frozen=True, slots=True)
class Written:
    """One write to a store: points, or ids that were deleted or got these dates."""

    points: tuple[Point, ...] = ()
    ids: tuple[str, ...] = ()
    dates: tuple[int, int] | None = None


class EdgeStore:
    """Held by one process at a time; its threads may share it."""

    def __init__(self, folder: Path, *, dim: int | None) -> None:
        """Open ``folder``, or make it. ``dim`` is the dense vectors' length, or None for none."""
        self.folder = folder
        self._unfinished = 0
        self._unflushed = False
        self._writing = threading.RLock()
        self._written: list[Written] | None = None
        if not any(folder.glob("*")):
            make_room(folder.parent, (), _NEW_MB)
            _create(folder, dim)
        make_room(folder, _growing(folder), 0)      # opening maps files, too
        self._shard = _load(folder)

    def upsert(self, points: Sequence[Point]) -> None:
        operation = edge.UpdateOperation.upsert_points([_point(point) for point in points])
        self._write(operation, Written(points=tuple(points)))
        self._unfinished += len(points)

    def set_validity(self, ids: Sequence[str], *, in_force_from: int, in_force_to: int) -> None:
        dates = {"from": in_force_from, "to": in_force_to}
        operation = edge.UpdateOperation.set_payload([point_id(i) for i in ids], dates)
        self._write(operation, Written(ids=tuple(ids), dates=(in_force_from, in_force_to)))

    def delete(self, ids: Sequence[str]) -> None:
        self._write(edge.UpdateOperation.delete_points([point_id(i) for i in ids]), Written(ids=tuple(ids)))

    def flush(self) -> None:
        if not self.finish_full():
            self._flush()

    def finish_full(self) -> bool:
        """`finish` where enough has come for a segment of its own; whether it had."""
        full = self._unfinished >= _SEGMENT_POINTS
        if full:
            self.finish()
        return full

    def finish(self) -> None:
        """Flushed, and with what came last in a finished segment where it is large enough for one."""
        self._flush()
        with self._writing:
            if has_room(self.folder, _FINISHING_MB):     # else later; searches only take longer
                self._shard.optimize()
                self._unfinished = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else writes meanwhile, and the files hold everything; searches go on."""
        with self._writing:
            if self._unflushed:
                self._flush()
            yield

    def record(self) -> None:
        """From now on every write is kept for `written_since`."""
        self._written = []

    def written_since(self) -> Sequence[Written]:
        """What was written since `record`, which ends with this."""
        written, self._written = self._written, None
        return written or ()

    def write_again(self, written: Sequence[Written], *, without: Collection[str]) -> None:
        """What was written to another store after this one was copied from it, leaving out the points ``without``."""
        for one in written:
            ids = [name for name in one.ids if name not in without]
            if points := [point for point in one.points if point.id not in without]:
                self.upsert(points)
            elif ids and one.dates:
                self.set_validity(ids, in_force_from=one.dates[0], in_force_to=one.dates[1])
            elif ids:
                self.delete(ids)

    def _write(self, operation: edge.UpdateOperation, written: Written) -> None:
        with self._writing:
            make_room(self.folder, _growing(self.folder), 1 + len(written.points) // _POINTS_A_MB)
            try:
                self._shard.update(operation)
            except Exception as error:  # the package raises nothing more precise
                raise BackendUnavailable(f"{self.folder} 的索引写不进去：{error}") from error
            self._unflushed = True
            if self._written is not None:
                self._written.append(written)

    def _flush(self) -> None:
        with self._writing:
            self._shard.flush()
            self._unflushed = False

    def query(self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int) -> list[tuple[str, float]]:
        if isinstance(vector, Sparse):
            nearest, params = edge.Query.Nearest(edge.SparseVector(vector.indices, vector.values), using=SPARSE), None
        else:
            nearest = edge.Query.Nearest(list(vector), using=DENSE)
            params = _CLOSER if where.only is None else _EXACT
        request = edge.QueryRequest(limit=limit, query=nearest, filter=_filter(where), params=params)
        return [(point_name(point.id), point.score) for point in self._shard.query(request)]

    def count(self) -> int:
        return self._shard.count(edge.CountRequest(exact=True))

    def read(self, ids: Sequence[str] | None = None, *, vectors: bool = False) -> Iterator[StoredPoint]:
        if ids is not None:
            wanted: list[edge.PointId] = [point_id(name) for name in dict.fromkeys(ids)]
            for start in range(0, len(wanted), _READ_AT_ONCE):
                yield from map(_stored, self._shard.retrieve(wanted[start : start + _READ_AT_ONCE], True, vectors))
            return
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=_READ_AT_ONCE, with_payload=True, with_vector=vectors)
            found, offset = self._shard.scroll(request)
            yield from map(_stored, found)
            if offset is None:
                return

    def close(self) -> None:
        with suppress(StorageFull):      # so that it can be opened when the disk is full
            make_room(self.folder, _growing(self.folder), 0)
        self._shard.close()


def copy_store(source: Path, target: Path, *, durable: bool) -> None:
    """The files of a store that nobody writes to; with ``durable`` they are on the disk, not only in its cache.

    ``target`` is new. Holes stay holes: they are half of its length.
    """
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True)
        for name in names:
            _copy_file(Path(folder, name), there / name, durable=durable)


def _copy_file(source: Path, target: Path, *, durable: bool) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(len(_HOLE)):
            if _HOLE.startswith(block):
                write.seek(len(block), os.SEEK_CUR)
            else:
                write.write(block)
        write.truncate()
        if durable:
            write.flush()
            os.fsync(write.fileno())


def _create(folder: Path, dim: int | None) -> None:
    """Made beside its place and moved there whole, so that a crash halfway leaves no half index behind."""
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    dense = {DENSE: edge.EdgeVectorParams(
        size=dim, distance=edge.Distance.Dot, memory=_MAPPED, quantization_config=_QUANTIZED, hnsw_config=_GRAPH,
    )} if dim else {}
    shard = edge.EdgeShard.create(
        str(unfinished),
        edge.EdgeConfig(
            vectors=dense,
            sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=_MAPPED)},
            optimizers=edge.EdgeOptimizersConfig(max_segment_size=_SEGMENT_KB, indexing_threshold=_SEGMENT_KB // 6),
        ),
    )
    kinds: dict[str, edge.KeywordIndexParams | edge.IntegerIndexParams] = {
        "keyword": edge.KeywordIndexParams(memory=_MAPPED),
        "integer": edge.IntegerIndexParams(memory=_MAPPED),
    }
    for field, kind in INDEXES.items():
        shard.update(edge.UpdateOperation.create_field_index(field, kinds[kind]))
    shard.flush()
    shard.close()
    unfinished.rename(folder)


def _load(folder: Path) -> edge.EdgeShard:
    try:
        return edge.EdgeShard.load(str(folder))
    except Exception as error:  # the package raises nothing more precise
        raise BackendUnavailable(f"{folder} 的索引打不开：{error}") from error


def _growing(folder: Path) -> Iterator[Path]:
    """Files that are written to where they are mapped: of the log, and of segments that are not finished."""
    yield from folder.glob("wal/*")
    for segment in folder.glob("segments/*"):
        if not (segment / f"vector_index-{SPARSE}" / "inverted_index.dat").exists():
            yield from (path for path in segment.rglob("*") if path.is_file())


def _point(point: Point) -> edge.Point:
    vectors: dict[str, list[float] | edge.SparseVector | list[list[float]]] = {
        SPARSE: edge.SparseVector(point.sparse.indices, point.sparse.values)
    }
    if point.dense is not None:
        vectors[DENSE] = point.dense
    return edge.Point(point_id(point.id), vectors, payload(point))


def _stored(record: edge.Record) -> StoredPoint:
    vectors = record.vector if isinstance(record.vector, dict) else {}
    words, dense = vectors.get(SPARSE), vectors.get(DENSE)
    sparse = Sparse(list(words.indices), list(words.values)) if isinstance(words, edge.SparseVector) else None
    meaning = [float(number) for number in dense if isinstance(number, float)] if isinstance(dense, list) else None
    return StoredPoint(point_name(record.id), record.payload or {}, sparse, meaning)


def _filter(where: PointFilter) -> edge.Filter:
    must: list[_Condition] = []
    if where.regions is not None:
        must.append(edge.FieldCondition("region", match=edge.MatchAny(list(where.regions))))
    if where.ranks is not None:
        must.append(edge.FieldCondition("rank", match=edge.MatchAny(list(where.ranks))))
    if where.public_only:
        must.append(edge.FieldCondition("public", match=edge.MatchValue(1)))
    if where.as_of is not None:
        must.append(edge.FieldCondition("from", range=edge.RangeFloat(lte=where.as_of)))
        must.append(edge.FieldCondition("to", range=edge.RangeFloat(gt=where.as_of)))
    if where.only is not None:
        must.append(edge.HasIdCondition({point_id(i) for i in where.only}))
    must_not: list[_Condition] = []
    if where.without_generations:
        must_not.append(edge.FieldCondition("generation", match=edge.MatchAny(list(where.without_generations))))
    return edge.Filter(must=must, must_not=must_not)
