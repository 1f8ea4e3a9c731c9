"""A Qdrant server in miniature: the REST calls that our store makes, over real HTTP, done by the client's local mode.

It keeps every call for a test to look at, and fails when it is told to.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

from tests.http_servers import serving

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    method: str
    path: str                    # below /collections/NAME
    query: dict[str, str]
    body: Body


@dataclass
class Failure:
    """The next ``times`` calls to which ``of`` applies are answered so; ``seconds`` late, if at all."""

    status: int = 503
    content: bytes = b'{"status": {"error": "not ready"}}'
    times: int = 1
    seconds: float = 0.0
    done_first: bool = False     # the work is done although it is not acknowledged
    of: Callable[[Call], bool] = lambda call: True


@dataclass
class QdrantServer:
    key: str = ""                # asked for as api-key, if not empty
    calls: list[Call] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    address: str = ""
    params: dict[str, Body] = field(default_factory=dict)      # of each collection, as a cluster keeps them
    indexes: dict[str, Body] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)
    local: QdrantClient = field(default_factory=lambda: QdrantClient(":memory:"))

    @contextmanager
    def serve(self) -> Iterator[QdrantServer]:
        of = self

        class Handler(_Handler):
            server_of = of

        with serving(Handler) as self.address:
            yield self
        self.local.close()

    def made(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]

    def answer(self, name: str, call: Call) -> object:
        """The ``result`` of the call."""
        with self.turn:
            return _COLLECTION[call.method, call.path](self, name, call.body)

    def next_failure(self, call: Call) -> Failure | None:
        for failure in self.failures:
            if failure.times and failure.of(call):
                failure.times -= 1
                return failure
        return None


def _create(server: QdrantServer, name: str, body: Body) -> bool:
    made = models.CreateCollection.model_validate(body)
    server.local.create_collection(
        name, vectors_config=made.vectors, sparse_vectors_config=made.sparse_vectors
    )
    server.params[name] = {
        "shard_number": made.shard_number or 1, "replication_factor": made.replication_factor or 1,
        "write_consistency_factor": made.write_consistency_factor or 1,
    }
    server.indexes[name] = {}
    return True


def _remove(server: QdrantServer, name: str, _: Body) -> bool:
    return server.local.delete_collection(name)


def _change(server: QdrantServer, name: str, body: Body) -> bool:
    changed = models.UpdateCollection.model_validate(body)
    assert changed.params is not None
    server.params[name] |= changed.params.model_dump(exclude_none=True)
    return True


def _describe(server: QdrantServer, name: str, _: Body) -> Body:
    info = server.local.get_collection(name).model_dump()
    info["config"]["params"] |= server.params[name]
    return info | {"payload_schema": server.indexes[name]}


def _index(server: QdrantServer, name: str, body: Body) -> Body:
    asked = models.CreateFieldIndex.model_validate(body)
    server.indexes[name][asked.field_name] = {"data_type": asked.field_schema, "points": 0}
    return {"operation_id": 1, "status": "completed"}


def _upsert(server: QdrantServer, name: str, body: Body) -> object:
    return server.local.upsert(name, models.PointsList.model_validate(body).points)


def _set_payload(server: QdrantServer, name: str, body: Body) -> object:
    asked = models.SetPayload.model_validate(body)
    assert asked.points is not None
    return server.local.set_payload(name, asked.payload, asked.points)


def _delete(server: QdrantServer, name: str, body: Body) -> object:
    return server.local.delete(name, models.PointIdsList.model_validate(body))


def _query(server: QdrantServer, name: str, body: Body) -> object:
    asked = models.QueryRequest.model_validate(body)
    assert isinstance(asked.query, models.NearestQuery | models.SparseVector | list)
    return server.local.query_points(
        name, asked.query, using=asked.using, query_filter=asked.filter, limit=asked.limit or 10,
        with_payload=bool(asked.with_payload),
    )


def _count(server: QdrantServer, name: str, body: Body) -> object:
    asked = models.CountRequest.model_validate(body)
    return server.local.count(name, exact=bool(asked.exact))


def _scroll(server: QdrantServer, name: str, body: Body) -> Body:
    asked = models.ScrollRequest.model_validate(body)
    found, following = server.local.scroll(
        name, limit=asked.limit or 10, offset=asked.offset, with_payload=bool(asked.with_payload),
        with_vectors=bool(asked.with_vector),
    )
    return {"points": found, "next_page_offset": following}


def _retrieve(server: QdrantServer, name: str, body: Body) -> object:
    asked = models.PointRequest.model_validate(body)
    return server.local.retrieve(
        name, asked.ids, with_payload=bool(asked.with_payload), with_vectors=bool(asked.with_vector)
    )


_COLLECTION: dict[tuple[str, str], Callable[[QdrantServer, str, Body], object]] = {
    ("GET", "/exists"): lambda server, name, _: {"exists": server.local.collection_exists(name)},
    ("GET", ""): _describe,
    ("PUT", ""): _create,
    ("PATCH", ""): _change,
    ("DELETE", ""): _remove,
    ("PUT", "/index"): _index,
    ("PUT", "/points"): _upsert,
    ("POST", "/points/payload"): _set_payload,
    ("POST", "/points/delete"): _delete,
    ("POST", "/points/query"): _query,
    ("POST", "/points/count"): _count,
    ("POST", "/points/scroll"): _scroll,
    ("POST", "/points"): _retrieve,
}
_JSON = TypeAdapter(Any)


class _Handler(BaseHTTPRequestHandler):
    server_of: QdrantServer

    def _answer(self) -> None:
        server = self.server_of
        asked = urlsplit(self.path)
        name, _, rest = asked.path.removeprefix("/collections/").partition("/")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        call = Call(self.command, f"/{rest}" if rest else "", dict(parse_qsl(asked.query)), body)
        server.calls.append(call)
        if server.key and self.headers.get("api-key") != server.key:
            self._send(401, b"Must provide an API key or an Authorization bearer token")
        elif failure := server.next_failure(call):
            if failure.done_first:
                server.answer(name, call)
            time.sleep(failure.seconds)
            self._send(failure.status, failure.content)
        else:
            result = server.answer(name, call)
            self._send(200, _JSON.dump_json({"result": result, "status": "ok", "time": 0.0}))

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _answer

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
