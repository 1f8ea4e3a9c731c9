"""The `Store` over qdrant-client: a server or cluster by URL, ``:memory:`` for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from qdrant_client import QdrantClient, models

from core.config import StorageConfig
from core.errors import ConfigError, PolicyDeskError
from core.ports import Point, PointFilter, Sparse, StoredPoint
from kb.qdrant_calls import Patience, Result, ask, patience_of
from kb.store import DENSE, INDEXES, SPARSE, payload, point_id, point_name

# A server takes requests of up to 32 MB; 500 points with 1,024 dimensions and 300 terms are 15 MB of JSON.
_REQUEST_POINTS = 500
_HERE = Patience(":memory:", 1, 1)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a collection lies on the nodes of a cluster."""

    shards: int | None           # None, here and below: as the server does it
    replicas: int | None         # of each shard
    write_consistency: int | None    # replicas that must have a write before it is acknowledged

    @property
    def read_consistency(self) -> int | None:
        """Replicas to be asked, so that one of them has every acknowledged write."""
        if self.replicas is None or self.write_consistency is None or self.write_consistency == self.replicas:
            return None
        return self.replicas - self.write_consistency + 1

    @property
    def ordering(self) -> models.WriteOrdering | None:
        """Writes reach every replica in the order in which they were made: a deleted point does not come back."""
        return models.WriteOrdering.STRONG if self.replicas is not None and self.replicas > 1 else None


ONE_NODE = Spread(None, None, None)


class QdrantStore:
    """One collection. The client's local mode is not thread-safe, so its calls take turns."""

    def __init__(
        self, client: QdrantClient, collection: str, *, dim: int | None, spread: Spread = ONE_NODE,
        patience: Patience = _HERE,
    ) -> None:
        """Open ``collection``, or make it. ``dim`` is the dense vectors' length, or None for none."""
        self._client = client
        self._collection = collection
        self._spread = spread
        self._patience = patience
        self._turn = threading.Lock() if self._is_local else nullcontext()
        try:
            self._write(lambda: self._make_if_missing(dim))
            self._write(self._fit)
        except PolicyDeskError:
            client.close()
            raise

    def _make_if_missing(self, dim: int | None) -> None:
        if self._client.collection_exists(self._collection):
            return
        quantized = models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8))
        dense = models.VectorParams(size=dim or 1, distance=models.Distance.DOT, quantization_config=quantized)
        self._client.create_collection(
            self._collection,
            vectors_config={DENSE: dense} if dim else {},
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            shard_number=self._spread.shards,
            replication_factor=self._spread.replicas,
            write_consistency_factor=self._spread.write_consistency,
        )

    def _fit(self) -> None:
        """Give it what the configuration says now, and the payload indexes that a crash after its making left out."""
        if self._is_local:
            return  # local mode has no payload indexes and warns when asked for one
        there = self._client.get_collection(self._collection)
        params, spread = there.config.params, self._spread
        wanted = (
            spread.replicas or params.replication_factor, spread.write_consistency or params.write_consistency_factor
        )
        if wanted != (params.replication_factor, params.write_consistency_factor):
            changed = models.CollectionParamsDiff(replication_factor=wanted[0], write_consistency_factor=wanted[1])
            self._client.update_collection(self._collection, collection_params=changed)
        for field, kind in INDEXES.items():
            if field not in there.payload_schema:
                self._client.create_payload_index(
                    self._collection, field, models.PayloadSchemaType(kind), wait=True, ordering=spread.ordering
                )

    @property
    def _is_local(self) -> bool:
        return type(self._client._client).__name__ == "QdrantLocal"

    def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _REQUEST_POINTS):
            self._upsert([_point(point) for point in points[start : start + _REQUEST_POINTS]])

    def _upsert(self, points: list[models.PointStruct]) -> None:
        self._write(lambda: self._client.upsert(
            self._collection, points, wait=True, ordering=self._spread.ordering
        ))

    def set_validity(self, ids: Sequence[str], *, in_force_from: int, in_force_to: int) -> None:
        if not ids:
            return  # the server refuses an empty request
        dates, points = {"from": in_force_from, "to": in_force_to}, models.PointIdsList(points=list(map(point_id, ids)))
        self._write(lambda: self._client.set_payload(
            self._collection, dates, points=points, wait=True, ordering=self._spread.ordering
        ))

    def delete(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        selector = models.PointIdsList(points=[point_id(i) for i in ids])
        self._write(lambda: self._client.delete(
            self._collection, selector, wait=True, ordering=self._spread.ordering
        ))

    def flush(self) -> None:
        """Nothing to do: every write waits for the server's write-ahead log."""

    def query(self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int) -> list[tuple[str, float]]:
        asked: models.SparseVector | list[float]
        if isinstance(vector, Sparse):
            asked, using = models.SparseVector(indices=vector.indices, values=vector.values), SPARSE
        else:
            asked, using = list(vector), DENSE
        found = self._read(lambda: self._client.query_points(
            self._collection, asked, using=using, query_filter=_filter(where), limit=limit, with_payload=False,
            consistency=self._spread.read_consistency,
        ))
        return [(point_name(point.id), point.score) for point in found.points]

    def count(self) -> int:
        return self._read(lambda: self._client.count(self._collection, exact=True)).count

    def read(self, ids: Sequence[str] | None = None, *, vectors: bool = False) -> Iterator[StoredPoint]:
        if ids is not None:
            wanted: list[models.ExtendedPointId] = [point_id(name) for name in dict.fromkeys(ids)]
            for start in range(0, len(wanted), _REQUEST_POINTS):
                yield from map(_stored, self._retrieve(wanted[start : start + _REQUEST_POINTS], vectors=vectors))
            return
        offset: models.ExtendedPointId | None = None
        while True:
            found, offset = self._scroll(offset, vectors=vectors)
            yield from map(_stored, found)
            if offset is None:
                return

    def _retrieve(self, ids: Sequence[models.ExtendedPointId], *, vectors: bool) -> list[models.Record]:
        return self._read(lambda: self._client.retrieve(
            self._collection, ids, with_payload=True, with_vectors=vectors, consistency=self._spread.read_consistency
        ))

    def _scroll(
        self, offset: models.ExtendedPointId | None, *, vectors: bool
    ) -> tuple[list[models.Record], models.ExtendedPointId | None]:
        return self._read(lambda: self._client.scroll(
            self._collection, offset=offset, limit=_REQUEST_POINTS, with_payload=True, with_vectors=vectors,
            consistency=self._spread.read_consistency,
        ))

    def close(self) -> None:
        self._client.close()

    def _read(self, call: Callable[[], Result]) -> Result:
        with self._turn:
            return ask(self._patience, call)

    def _write(self, call: Callable[[], Result]) -> Result:
        """Every write of ours may be made twice."""
        with self._turn:
            return ask(self._patience, call, wait_again=True)


def open_qdrant(config: StorageConfig, *, dim: int | None) -> QdrantStore:
    """The store at ``config.vectors``. Raises `BackendUnavailable` when nothing answers there, and `ConfigError`."""
    return QdrantStore(
        _client(config), config.collection, dim=dim, spread=_spread(config), patience=patience_of(config)
    )


def remove_collection(config: StorageConfig, name: str) -> None:
    """Raises `BackendUnavailable`; a collection that is not there is none to remove."""
    client = _client(config)
    try:
        ask(patience_of(config), lambda: client.delete_collection(name), wait_again=True)
    finally:
        client.close()


def _client(config: StorageConfig) -> QdrantClient:
    if config.vectors == ":memory:":
        return QdrantClient(":memory:")
    key = config.vectors_api_key.get_secret_value() or None
    return QdrantClient(url=config.vectors, api_key=key, timeout=config.answer_seconds, check_compatibility=False)


def _spread(config: StorageConfig) -> Spread:
    """Where nothing else is said, more than half of the replicas must have a write."""
    replicas, consistency = config.replicas or None, config.write_consistency or None
    if replicas is not None and replicas > 1 and consistency is None:
        consistency = replicas // 2 + 1
    if consistency is not None and consistency > (replicas or 1):
        raise ConfigError(
            f"storage.write_consistency 为 {consistency}，大于 storage.replicas（{replicas or 1}），"
            "任何写入都不会成功。请改为不大于它的数"
        )
    return Spread(config.shards or None, replicas, consistency)


def _point(point: Point) -> models.PointStruct:
    words = models.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
    vectors: dict[str, models.Vector] = {SPARSE: words}
    if point.dense is not None:
        vectors[DENSE] = point.dense
    return models.PointStruct(id=point_id(point.id), vector=vectors, payload=payload(point))


def _stored(record: models.Record) -> StoredPoint:
    vectors = record.vector if isinstance(record.vector, dict) else {}
    words, dense = vectors.get(SPARSE), vectors.get(DENSE)
    sparse = Sparse(list(words.indices), list(words.values)) if isinstance(words, models.SparseVector) else None
    meaning = [float(number) for number in dense if isinstance(number, float)] if isinstance(dense, list) else None
    return StoredPoint(point_name(record.id), record.payload or {}, sparse, meaning)


def _filter(where: PointFilter) -> models.Filter:
    must: list[models.Condition] = []
    if where.regions is not None:
        must.append(models.FieldCondition(key="region", match=models.MatchAny(any=list(where.regions))))
    if where.ranks is not None:
        must.append(models.FieldCondition(key="rank", match=models.MatchAny(any=list(where.ranks))))
    if where.public_only:
        must.append(models.FieldCondition(key="public", match=models.MatchValue(value=1)))
    if where.as_of is not None:
        must.append(models.FieldCondition(key="from", range=models.Range(lte=where.as_of)))
        must.append(models.FieldCondition(key="to", range=models.Range(gt=where.as_of)))
    if where.only is not None:
        must.append(models.HasIdCondition(has_id=[point_id(i) for i in where.only]))
    must_not: list[models.Condition] = []
    if where.without_generations:
        generations = models.MatchAny(any=list(where.without_generations))
        must_not.append(models.FieldCondition(key="generation", match=generations))
    return models.Filter(must=must, must_not=must_not)
