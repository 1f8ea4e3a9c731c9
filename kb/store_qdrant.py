"""The `Store` over qdrant-client: a server or cluster by URL, ``:memory:`` for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from core.config import StorageConfig
from core.errors import BackendUnavailable
from core.ports import Point, PointFilter, Sparse, StoredPoint
from kb.store import DENSE, INDEXES, SPARSE, payload, point_id, point_name

# A server takes requests of up to 32 MB; 500 points with 1,024 dimensions and 300 terms are 15 MB of JSON.
_REQUEST_POINTS = 500


class QdrantStore:
    """One collection. The client's local mode is not thread-safe, so calls take turns."""

    def __init__(self, client: QdrantClient, collection: str, *, dim: int | None) -> None:
        """Open ``collection``, or make it. ``dim`` is the dense vectors' length, or None for none."""
        self._client = client
        self._collection = collection
        self._turn = threading.Lock()
        try:
            with self._asking():
                if not client.collection_exists(collection):
                    self._create(dim)
                self._index_payload()
        except BackendUnavailable:
            client.close()
            raise

    def _create(self, dim: int | None) -> None:
        quantized = models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8))
        dense = models.VectorParams(size=dim or 1, distance=models.Distance.DOT, quantization_config=quantized)
        self._client.create_collection(
            self._collection,
            vectors_config={DENSE: dense} if dim else {},
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )

    def _index_payload(self) -> None:
        """Also those that a crash after the making of the collection left out."""
        if self._is_local:
            return  # local mode has no payload indexes and warns when asked for one
        there = self._client.get_collection(self._collection).payload_schema
        for field, kind in INDEXES.items():
            if field not in there:
                self._client.create_payload_index(self._collection, field, models.PayloadSchemaType(kind))

    @property
    def _is_local(self) -> bool:
        return type(self._client._client).__name__ == "QdrantLocal"

    def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _REQUEST_POINTS):
            some = [_point(point) for point in points[start : start + _REQUEST_POINTS]]
            with self._asking():
                self._client.upsert(self._collection, some, wait=True)

    def set_validity(self, ids: Sequence[str], *, in_force_from: int, in_force_to: int) -> None:
        if not ids:
            return  # the server refuses an empty request
        dates = {"from": in_force_from, "to": in_force_to}
        with self._asking():
            self._client.set_payload(self._collection, dates, points=[point_id(i) for i in ids], wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        selector = models.PointIdsList(points=[point_id(i) for i in ids])
        with self._asking():
            self._client.delete(self._collection, selector, wait=True)

    def flush(self) -> None:
        """Nothing to do: every write waits for the server's write-ahead log."""

    def query(self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int) -> list[tuple[str, float]]:
        asked: models.SparseVector | list[float]
        if isinstance(vector, Sparse):
            asked, using = models.SparseVector(indices=vector.indices, values=vector.values), SPARSE
        else:
            asked, using = list(vector), DENSE
        with self._asking():
            found = self._client.query_points(
                self._collection, asked, using=using, query_filter=_filter(where), limit=limit, with_payload=False
            )
        return [(point_name(point.id), point.score) for point in found.points]

    def count(self) -> int:
        with self._asking():
            return self._client.count(self._collection, exact=True).count

    def read(self, ids: Sequence[str] | None = None, *, vectors: bool = False) -> Iterator[StoredPoint]:
        if ids is not None:
            wanted: list[models.ExtendedPointId] = [point_id(name) for name in dict.fromkeys(ids)]
            for start in range(0, len(wanted), _REQUEST_POINTS):
                some = wanted[start : start + _REQUEST_POINTS]
                with self._asking():
                    found = self._client.retrieve(self._collection, some, with_payload=True, with_vectors=vectors)
                yield from map(_stored, found)
            return
        offset: models.ExtendedPointId | None = None
        while True:
            with self._asking():
                found, offset = self._client.scroll(
                    self._collection, offset=offset, limit=_REQUEST_POINTS, with_payload=True, with_vectors=vectors
                )
            yield from map(_stored, found)
            if offset is None:
                return

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """One call at a time, its failures as ours."""
        with self._turn, _answering():
            yield


def open_qdrant(config: StorageConfig, *, dim: int | None) -> QdrantStore:
    """The store at ``config.vectors``. Raises `BackendUnavailable` when nothing answers there."""
    return QdrantStore(_client(config), config.collection, dim=dim)


def remove_collection(config: StorageConfig, name: str) -> None:
    """Raises `BackendUnavailable`; a collection that is not there is none to remove."""
    client = _client(config)
    try:
        with _answering():
            client.delete_collection(name)
    finally:
        client.close()


def _client(config: StorageConfig) -> QdrantClient:
    if config.vectors == ":memory:":
        return QdrantClient(":memory:")
    key = config.vectors_api_key.get_secret_value() or None
    return QdrantClient(url=config.vectors, api_key=key, timeout=30, check_compatibility=False)


@contextmanager
def _answering() -> Iterator[None]:
    """A server's failures as ours."""
    try:
        yield
    except (ApiException, QdrantException, httpx.HTTPError, json.JSONDecodeError) as error:
        raise BackendUnavailable(
            f"Qdrant 服务没有正常应答：{error}。请检查 storage.vectors 的地址和服务状态"
        ) from error


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
