"""A Qdrant server or cluster by URL: what it is asked for, and what happens when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.config import Config
from core.errors import BackendUnavailable, ConfigError, StorageFull
from core.ports import Point, PointFilter, Sparse
from core.records import Facts, SearchOptions
from ingest.document import make_document
from kb.store import INDEXES
from kb.store_qdrant import QdrantStore, open_qdrant
from policydesk.app import open_desk
from tests.qdrant_server import Call, Failure, QdrantServer

WORD = Sparse([11], [1.0])
WRITES = [("PUT", "/points"), ("POST", "/points/payload"), ("POST", "/points/delete"), ("PUT", "/index")]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer().serve() as serving:
        yield serving


def storage(config: Config, server: QdrantServer, **values: object) -> Config:
    values = {"vectors": server.address, "min_free_mb": 0, "collection": "policies", **values}
    return config.model_copy(update={"storage": config.storage.model_copy(update=values)})


def opened(config: Config, server: QdrantServer, **values: object) -> QdrantStore:
    return open_qdrant(storage(config, server, **values).storage, dim=None)


def point(number: int) -> Point:
    return Point(f"{number:016x}", WORD, None, 1, "", 60, 0, 99991231, True)


def use(store: QdrantStore) -> None:
    """Every kind of call."""
    store.upsert([point(n) for n in (1, 2, 3)])
    store.set_validity([point(1).id], in_force_from=20200101, in_force_to=20210101)
    store.delete([point(2).id])
    assert store.query(WORD, where=PointFilter(as_of=20260101), limit=5) == [(point(3).id, pytest.approx(1, abs=1))]
    assert sorted(one.id for one in store.read()) == [point(1).id, point(3).id]
    assert [one.id for one in store.read([point(3).id])] == [point(3).id]
    assert store.count() == 2


def is_write(call: Call) -> bool:
    return (call.method, call.path) in WRITES


# a cluster


def test_shards_replicas_and_consistency_are_asked_for_when_the_collection_is_made(
    config: Config, server: QdrantServer
) -> None:
    opened(config, server, shards=6, replicas=3, write_consistency=2).close()
    (made,) = server.made("PUT", "")
    asked = {key: made.body.get(key) for key in ("shard_number", "replication_factor", "write_consistency_factor")}
    assert asked == {"shard_number": 6, "replication_factor": 3, "write_consistency_factor": 2}


def test_what_is_not_configured_is_left_to_the_server(config: Config, server: QdrantServer) -> None:
    store = opened(config, server)
    use(store)
    store.close()
    (made,) = server.made("PUT", "")
    assert {made.body.get(key) for key in ("shard_number", "replication_factor", "write_consistency_factor")} == {None}
    assert {key for call in server.calls for key in call.query} == {"wait"}
    assert server.made("PATCH", "") == []


def test_every_write_waits_and_keeps_its_order_and_reads_ask_enough_replicas(
    config: Config, server: QdrantServer
) -> None:
    """3 replicas, 2 of which have a write: of any 2 at least one has it."""
    store = opened(config, server, replicas=3, write_consistency=2)
    use(store)
    store.close()
    for method, path in WRITES:
        calls = server.made(method, path)
        assert calls != []
        assert [call.query for call in calls] == [{"wait": "true", "ordering": "strong"}] * len(calls)
    for path in ("/points/query", "/points/scroll", "/points"):
        calls = server.made("POST", path)
        assert [call.query for call in calls] == [{"consistency": "2"}] * len(calls)
        assert calls != []


@pytest.mark.parametrize(("replicas", "written", "read"), [(1, None, None), (2, 2, None), (3, 2, "2"), (5, 3, "3")])
def test_more_than_half_of_the_replicas_have_a_write_when_nothing_is_said(
    config: Config, server: QdrantServer, replicas: int, written: int | None, read: str | None
) -> None:
    store = opened(config, server, replicas=replicas)
    store.query(WORD, where=PointFilter(), limit=1)
    store.close()
    assert server.made("PUT", "")[0].body.get("write_consistency_factor") == written
    assert server.made("POST", "/points/query")[0].query.get("consistency") == read


def test_a_collection_that_is_there_gets_the_factors_that_are_configured_now(
    config: Config, server: QdrantServer
) -> None:
    opened(config, server).close()
    opened(config, server, replicas=2).close()
    opened(config, server, replicas=2).close()
    (change,) = server.made("PATCH", "")
    assert change.body == {"params": {"replication_factor": 2, "write_consistency_factor": 2}}
    assert len(server.made("PUT", "")) == 1


@pytest.mark.parametrize("replicas", [0, 2])
def test_more_acknowledgements_than_replicas_are_a_configuration_error(
    config: Config, server: QdrantServer, replicas: int
) -> None:
    with pytest.raises(ConfigError, match=r"storage\.write_consistency.*storage\.replicas"):
        opened(config, server, replicas=replicas, write_consistency=3)
    assert server.calls == []


def test_payload_indexes_that_are_missing_are_made(config: Config, server: QdrantServer) -> None:
    opened(config, server).close()
    server.indexes["policies"].pop("rank")
    opened(config, server).close()
    made = [call.body["field_name"] for call in server.made("PUT", "/index")]
    assert made == [*INDEXES, "rank"]


# failures


def test_the_key_is_sent_and_a_wrong_one_is_told(config: Config) -> None:
    with QdrantServer(key="secret").serve() as server:
        with pytest.warns(UserWarning, match="insecure"):        # the client's: a key without https
            opened(config, server, vectors_api_key=SecretStr("secret")).close()
        with pytest.raises(BackendUnavailable, match="POLICYDESK_STORAGE__VECTORS_API_KEY"):
            opened(config, server)
    assert len(server.made("PUT", "")) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_that_fails_for_a_moment_is_asked_again(config: Config, server: QdrantServer, status: int) -> None:
    store = opened(config, server)
    for number, path in enumerate(("/points", "/points/payload", "/points/delete", "/points/query", "/points/scroll")):
        server.failures.append(Failure(status, times=1 + number % 2, of=lambda call, path=path: call.path == path))
    use(store)
    store.close()
    assert {failure.times for failure in server.failures} == {0}


def test_a_write_that_was_done_but_not_acknowledged_is_there_once(config: Config, server: QdrantServer) -> None:
    store = opened(config, server)
    server.failures.append(Failure(504, times=2, done_first=True, of=is_write))
    store.upsert([point(1), point(2)])
    assert store.count() == 2
    server.failures.append(Failure(504, times=2, done_first=True, of=is_write))
    store.delete([point(1).id])
    assert store.count() == 1
    store.close()


def test_a_collection_whose_making_was_not_acknowledged_is_used(config: Config, server: QdrantServer) -> None:
    server.failures.append(Failure(500, done_first=True, of=lambda call: (call.method, call.path) == ("PUT", "")))
    store = opened(config, server)
    assert (store.count(), len(server.made("PUT", ""))) == (0, 1)
    store.close()


def test_a_server_that_goes_on_failing_is_given_up_after_so_many_tries(config: Config, server: QdrantServer) -> None:
    store = opened(config, server, tries=2)
    server.calls.clear()
    server.failures.append(Failure(503, times=9))
    with pytest.raises(BackendUnavailable, match=rf"{server.address}.*503"):
        store.count()
    assert len(server.calls) == 2
    store.close()


def test_what_asking_again_does_not_help_is_asked_once(config: Config, server: QdrantServer) -> None:
    store = opened(config, server)
    server.calls.clear()
    server.failures.append(Failure(400, b'{"status": {"error": "Wrong input"}}'))
    with pytest.raises(BackendUnavailable, match="Wrong input"):
        store.count()
    assert len(server.calls) == 1
    store.close()


def test_a_slow_answer_ends_a_question_at_once_and_a_write_is_made_again(config: Config, server: QdrantServer) -> None:
    store = opened(config, server, answer_seconds=1)
    store.upsert([point(1)])
    server.failures.append(Failure(200, seconds=1.4))
    with pytest.raises(BackendUnavailable, match=r"1 秒.*storage\.answer_seconds"):
        store.query(WORD, where=PointFilter(), limit=1)
    server.failures.append(Failure(200, seconds=1.4, done_first=True))
    store.upsert([point(1), point(2)])
    assert store.count() == 2
    store.close()


def test_a_full_disk_of_the_server_is_told_and_not_asked_again(config: Config, server: QdrantServer) -> None:
    store = opened(config, server)
    server.calls.clear()
    full = b'{"status": {"error": "Service internal error: No space left on device: WAL buffer size exceeds"}}'
    server.failures.append(Failure(500, full, times=9))
    with pytest.raises(StorageFull, match="已满"):
        store.upsert([point(1)])
    assert len(server.calls) == 1
    store.close()


def test_an_address_is_shown_without_its_password(config: Config, server: QdrantServer) -> None:
    address = server.address.replace("//", "//someone:geheim@")
    server.failures.append(Failure(400))
    with pytest.raises(BackendUnavailable) as caught:
        opened(config, server, vectors=address)
    assert "geheim" not in str(caught.value)


def test_searches_go_on_while_a_write_waits(config: Config, server: QdrantServer) -> None:
    """Nobody queues behind a slow write."""
    store = opened(config, server)
    store.upsert([point(1)])
    done = b'{"result": {"operation_id": 1, "status": "completed"}}'
    server.failures.append(Failure(200, done, seconds=2, of=is_write))
    writing = threading.Thread(target=store.delete, args=([point(2).id],))
    writing.start()
    while not server.made("POST", "/points/delete"):
        time.sleep(0.01)
    assert store.query(WORD, where=PointFilter(), limit=1) != []
    assert writing.is_alive()
    writing.join()
    store.close()


def test_a_home_on_a_server_that_failed_half_way_is_whole_once_it_answers_again(
    config: Config, server: QdrantServer, tmp_path: Path
) -> None:
    settings = storage(config, server, tries=1)
    settings = settings.model_copy(update={"index": config.index.model_copy(update={"embedder": "none"})})
    old, new = (make_document(Facts("养犬办法"), f"养犬办法\n第一条 犬只{word}。", "a.md", name=None, chunk_chars=1200)
                for word in ("登记", "免疫"))
    with open_desk(settings, tmp_path / "home") as desk:
        desk.base.add([old], publish=True)
        server.failures.append(Failure(503, of=is_write))
        with pytest.raises(BackendUnavailable):
            desk.base.add([new], publish=True)
        assert [hit.document.id for hit in desk.base.search("犬只", SearchOptions())] == [old.id]
    with open_desk(settings, tmp_path / "home") as desk:
        assert [hit.document.id for hit in desk.base.search("犬只", SearchOptions())] == [new.id]
        assert desk.base._steps.index.store.count() == 1
