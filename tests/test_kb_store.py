"""One contract for every vector store: in process (qdrant-edge), over qdrant-client, and on a server over HTTP."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from core.config import Config
from core.errors import BackendUnavailable
from core.fakes import HashEmbedder
from core.ports import Point, PointFilter, Sparse, Store
from kb.store import INDEXES, open_store, payload, point_id, point_name
from kb.store_edge import EdgeStore
from kb.store_qdrant import QdrantStore, open_qdrant
from kb.tokens import SparseEncoder, open_tokenizer
from tests.qdrant_server import QdrantServer

COMMON, RARE, OTHER = 11, 22, 4_294_967_295
ANY = PointFilter()
IDS = ("0000000000000000", "00000000000000f1", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff")


def make_point(name: str, words: dict[int, float] | None = None, dense: list[float] | None = None) -> Point:
    terms = words or {COMMON: 1.0}
    sparse = Sparse(list(terms), list(terms.values()))
    return Point(name, sparse, dense, 1, "", 60, 0, 99991231, True)


def make_id(number: int) -> str:
    return f"{number:016x}"


def ask(*terms: int) -> Sparse:
    return Sparse(list(terms), [1.0] * len(terms))


def found(store: Store, where: PointFilter = ANY, *, limit: int = 20) -> list[str]:
    return [name for name, _ in store.query(ask(COMMON), where=where, limit=limit)]


OpenStore = Callable[[int | None], Store]


@pytest.fixture(params=["edge", "qdrant", "qdrant server"])
def make_store(request: pytest.FixtureRequest, config: Config, tmp_path: Path) -> Iterator[OpenStore]:
    with ExitStack() as opened:

        def make(dim: int | None) -> Store:
            store: Store
            if request.param == "edge":
                store = EdgeStore(tmp_path / f"vectors-{dim}", dim=dim)
            elif request.param == "qdrant":
                store = QdrantStore(QdrantClient(":memory:"), "test", dim=dim)
            else:
                server = opened.enter_context(QdrantServer().serve())
                store = open_qdrant(with_vectors(config, server.address).storage, dim=dim)
            opened.callback(store.close)
            return store

        yield make


@pytest.fixture
def store(make_store: OpenStore) -> Store:
    return make_store(None)


class TestStoreContract:
    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert store.count() == 0
        assert found(store) == []

    def test_upsert_overwrites_a_point_of_the_same_id(self, store: Store) -> None:
        store.upsert([make_point(make_id(1)), make_point(make_id(2))])
        store.upsert([make_point(make_id(1), {RARE: 1.0})])
        assert store.count() == 2
        assert found(store) == [make_id(2)]
        assert [name for name, _ in store.query(ask(RARE), where=ANY, limit=9)] == [make_id(1)]

    def test_ids_come_back_as_they_went_in(self, store: Store) -> None:
        store.upsert([make_point(name) for name in IDS])
        assert sorted(found(store)) == sorted(IDS)
        store.delete([IDS[0], IDS[-1]])
        assert sorted(found(store)) == sorted(IDS[1:-1])

    def test_deleting_unknown_ids_changes_nothing(self, store: Store) -> None:
        store.upsert([make_point(make_id(1))])
        store.delete([make_id(2), make_id(1), make_id(3)])
        store.delete([make_id(1)])
        assert store.count() == 0

    def test_empty_requests_do_nothing(self, store: Store) -> None:
        store.upsert([make_point(make_id(1))])
        store.upsert([])
        store.delete([])
        store.set_validity([], in_force_from=1, in_force_to=2)
        store.flush()
        assert found(store, PointFilter(as_of=20260101)) == [make_id(1)]

    def test_a_point_without_terms_is_counted_and_never_found(self, store: Store) -> None:
        store.upsert([replace(make_point(make_id(1)), sparse=Sparse([], [])), make_point(make_id(2))])
        assert store.count() == 2
        assert found(store) == [make_id(2)]

    def test_a_query_without_terms_finds_nothing(self, store: Store) -> None:
        store.upsert([make_point(make_id(1))])
        assert store.query(Sparse([], []), where=ANY, limit=5) == []

    def test_set_validity_changes_what_a_day_finds_and_nothing_else(self, store: Store) -> None:
        store.upsert([replace(make_point(make_id(n)), region="900100") for n in (1, 2)])
        store.set_validity([make_id(1)], in_force_from=20240101, in_force_to=20250101)
        assert sorted(found(store, PointFilter(as_of=20240601))) == [make_id(1), make_id(2)]
        assert found(store, PointFilter(as_of=20250601)) == [make_id(2)]
        assert sorted(found(store, PointFilter(regions=("900100",)))) == [make_id(1), make_id(2)]

    @pytest.mark.parametrize(
        ("day", "holds"),
        [(20231231, False), (20240101, True), (20241231, True), (20250101, False)],
        ids=["the day before", "the first day", "the last day", "the day of the end"],
    )
    def test_validity_includes_its_first_day_and_excludes_its_end(self, store: Store, day: int, holds: bool) -> None:
        store.upsert([replace(make_point(make_id(1)), in_force_from=20240101, in_force_to=20250101)])
        assert found(store, PointFilter(as_of=day)) == [make_id(1)] * holds

    @pytest.mark.parametrize(
        ("allowed", "where"),
        [
            ({"region": ""}, PointFilter(regions=("",))),
            ({"region": "900000"}, PointFilter(regions=("", "900000"))),
            ({"rank": 20}, PointFilter(ranks=(10, 20))),
            ({"public": True}, PointFilter(public_only=True)),
            ({"in_force_to": 20990101}, PointFilter(as_of=20260101)),
            ({"in_force_from": 0}, PointFilter(as_of=20100101)),
            ({"generation": 1}, PointFilter(without_generations=(7, 8))),
            (
                {"region": "", "rank": 20, "public": True, "in_force_to": 20990101, "generation": 1},
                PointFilter(("",), 20260101, True, (20,), (7,)),
            ),
        ],
        ids=["national", "regions", "ranks", "public", "ended", "not begun", "generations", "all at once"],
    )
    def test_every_condition_is_applied_inside_the_query(
        self, store: Store, allowed: dict[str, object], where: PointFilter
    ) -> None:
        """The only allowed point lies behind 200 that score higher, and one result is asked for."""
        forbidden = replace(
            make_point(make_id(1), {COMMON: 9.0}), region="110000", rank=60, public=False,
            in_force_from=20200101, in_force_to=20210101, generation=7,
        )
        good = replace(forbidden, id=make_id(9999), sparse=Sparse([COMMON], [0.1]), **allowed)  # type: ignore[arg-type]
        store.upsert([replace(forbidden, id=make_id(n)) for n in range(200)])
        if where.as_of == 20100101:
            good = replace(good, in_force_to=20210101)
        store.upsert([good])
        assert found(store, where, limit=1) == [make_id(9999)]

    @pytest.mark.parametrize("where", [PointFilter(regions=()), PointFilter(ranks=())])
    def test_a_condition_that_allows_nothing_finds_nothing(self, store: Store, where: PointFilter) -> None:
        store.upsert([make_point(make_id(1))])
        assert found(store, where) == []

    def test_the_rarer_term_wins(self, store: Store) -> None:
        store.upsert([make_point(make_id(n), {COMMON: 1.0}) for n in range(20)])
        store.upsert([make_point(make_id(50), {RARE: 1.0})])
        ranking = store.query(ask(COMMON, RARE), where=ANY, limit=5)
        assert ranking[0][0] == make_id(50)
        assert ranking[0][1] > 2 * ranking[1][1]

    def test_results_are_limited_and_best_first(self, store: Store) -> None:
        store.upsert([make_point(make_id(n), {COMMON: 1.0 + n}) for n in range(30)])
        assert found(store, limit=4) == [make_id(n) for n in (29, 28, 27, 26)]
        assert len(found(store, limit=100)) == 30

    def test_ties_come_back_all_with_equal_scores(self, store: Store) -> None:
        store.upsert([make_point(name) for name in IDS])
        ranking = store.query(ask(COMMON), where=ANY, limit=9)
        assert sorted(name for name, _ in ranking) == sorted(IDS)
        assert len({score for _, score in ranking}) == 1
        assert len(found(store, limit=3)) == 3

    def test_the_largest_term_number_is_found(self, store: Store) -> None:
        store.upsert([make_point(make_id(1), {OTHER: 1.0}), make_point(make_id(2))])
        assert [name for name, _ in store.query(ask(OTHER), where=ANY, limit=5)] == [make_id(1)]

    def test_the_nearest_meaning_comes_first_and_conditions_hold(self, make_store: OpenStore) -> None:
        store = make_store(64)
        texts = ["公租房租金标准", "公租房申请条件", "养犬登记办法"]
        vectors = HashEmbedder().embed(texts).tolist()
        store.upsert([make_point(make_id(n), {OTHER: 1.0}, vector) for n, vector in enumerate(vectors)])
        store.upsert([replace(make_point(make_id(9), {OTHER: 1.0}, vectors[0]), public=False)])
        ranking = store.query(vectors[0], where=PointFilter(public_only=True), limit=3)
        assert [name for name, _ in ranking] == [make_id(0), make_id(1), make_id(2)]
        assert ranking[0][1] == pytest.approx(1, abs=1e-3)
        assert {name for name, _ in store.query(vectors[0], where=ANY, limit=2)} == {make_id(0), make_id(9)}

    def test_some_points_alone_are_scored(self, make_store: OpenStore) -> None:
        store = make_store(64)
        vectors = HashEmbedder().embed(["公租房租金标准", "公租房申请条件", "养犬登记办法"]).tolist()
        store.upsert([make_point(make_id(n), {COMMON: 1.0 + n}, vector) for n, vector in enumerate(vectors)])
        where = PointFilter(only=frozenset({make_id(0), make_id(1), make_id(77)}))
        assert [name for name, _ in store.query(ask(COMMON), where=where, limit=9)] == [make_id(1), make_id(0)]
        meant = dict(store.query(vectors[0], where=where, limit=9))
        assert list(meant) == [make_id(0), make_id(1)]
        assert meant == pytest.approx(
            {make_id(n): float(np.dot(vectors[0], vectors[n])) for n in (0, 1)}, abs=1e-3
        )
        assert store.query(ask(COMMON), where=replace(where, regions=("999999",)), limit=9) == []

    def test_every_point_is_read_once_as_it_was_written(self, make_store: OpenStore) -> None:
        store = make_store(64)
        dense = HashEmbedder().embed(["公租房"])[0].tolist()
        written = {
            name: replace(make_point(name, {RARE: 2.0, COMMON: 1.0 + n}, dense), region="900100", generation=n)
            for n, name in enumerate(IDS)
        }
        store.upsert(list(written.values()))
        store.upsert([make_point(make_id(n), dense=dense) for n in range(1000, 2300)])
        store.set_validity([IDS[1]], in_force_from=20240101, in_force_to=20250101)
        assert len(list(store.read())) == 1305
        read = {point.id: point for point in store.read(vectors=True)}
        assert len(read) == 1305
        for name, point in written.items():
            dates = {"from": 20240101, "to": 20250101} if name == IDS[1] else {}
            assert read[name].payload == payload(point) | dates
            sparse, vector = read[name].sparse, read[name].dense
            assert sparse is not None
            assert vector == pytest.approx(dense)
            assert dict(zip(sparse.indices, sparse.values, strict=True)) == {RARE: 2.0, COMMON: point.sparse.values[1]}

    def test_some_points_alone_are_read_without_their_vectors(self, store: Store) -> None:
        store.upsert([make_point(name) for name in IDS])
        read = list(store.read([IDS[0], make_id(77), IDS[4], IDS[0]]))
        assert sorted(point.id for point in read) == [IDS[0], IDS[4]]
        assert [(point.sparse, point.dense) for point in read] == [(None, None)] * 2
        assert list(store.read([])) == []


def sample_points(encoder: SparseEncoder) -> list[Point]:
    subjects = ("公共租赁住房租金", "养犬登记", "电动自行车停放", "老年人高龄津贴", "居民燃气价格", "随迁子女入学")
    verbs = ("办理条件", "所需材料", "补贴标准", "申请时限", "法律责任")
    texts = [f"{subject}的{verb}由主管部门公布" + "，并及时更新" * n
             for n, subject in enumerate(subjects) for verb in verbs]
    dense = np.random.default_rng(7).normal(size=(len(texts), 64))  # all apart: no ties by chance
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    return [
        replace(make_point(make_id(n)), sparse=encoder.document("", "", text), dense=vector)
        for n, (text, vector) in enumerate(zip(texts, dense.tolist(), strict=True))
    ]


def scores(store: Store, vector: Sparse | list[float]) -> list[tuple[str, float]]:
    """The whole ranking, equal scores in the order of their ids."""
    ranking = store.query(vector, where=ANY, limit=100)
    return sorted(((name, round(score, 3)) for name, score in ranking), key=lambda item: (-item[1], item[0]))


def test_both_stores_give_the_same_ranking(config: Config, tmp_path: Path) -> None:
    encoder = SparseEncoder(open_tokenizer("auto", bigrams=True), config.index)
    points = sample_points(encoder)
    one = EdgeStore(tmp_path / "vectors", dim=64)
    two = QdrantStore(QdrantClient(":memory:"), "test", dim=64)
    for store in (one, two):
        store.upsert(points)
    for question in ("公租房租金的补贴标准", "养犬登记需要哪些材料", "入学申请时限"):
        words = encoder.query(question)
        assert scores(one, words) == scores(two, words)
    for point in points[:3]:
        assert point.dense is not None
        assert scores(one, point.dense) == scores(two, point.dense)
    one.close()
    two.close()


@pytest.mark.parametrize("dim", [None, 64])
def test_a_reopened_edge_store_finds_everything(tmp_path: Path, dim: int | None) -> None:
    dense = HashEmbedder().embed(["公租房"])[0].tolist() if dim else None
    store = EdgeStore(tmp_path / "vectors", dim=dim)
    store.upsert([make_point(name, dense=dense) for name in IDS])
    store.set_validity([IDS[1]], in_force_from=0, in_force_to=20250101)
    store.delete([IDS[2]])
    store.flush()
    store.close()
    again = EdgeStore(tmp_path / "vectors", dim=dim)
    assert sorted(found(again)) == sorted({*IDS} - {IDS[2]})
    assert sorted(found(again, PointFilter(as_of=20260101))) == sorted({*IDS} - {IDS[1], IDS[2]})
    assert again._shard.info().payload_schema.keys() == INDEXES.keys()
    again.close()


def test_an_index_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "vectors.new" / "segments"
    half.mkdir(parents=True)
    store = EdgeStore(tmp_path / "vectors", dim=None)
    assert store.count() == 0
    assert not half.exists()
    store.close()


def test_a_damaged_index_folder_is_named(tmp_path: Path) -> None:
    EdgeStore(tmp_path / "vectors", dim=None).close()
    (tmp_path / "vectors" / "edge_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(BackendUnavailable, match="vectors"):
        EdgeStore(tmp_path / "vectors", dim=None)


def test_a_point_id_is_the_chunk_id_as_a_number() -> None:
    assert [point_name(point_id(name)) for name in IDS] == list(IDS)
    assert max(map(point_id, IDS)) == 2**64 - 1


def with_vectors(config: Config, url: str) -> Config:
    return config.model_copy(update={"storage": config.storage.model_copy(update={"vectors": url})})


def test_the_configuration_chooses_the_store(config: Config, tmp_path: Path) -> None:
    for url, kind in (("edge", EdgeStore), (":memory:", QdrantStore)):
        store = open_store(with_vectors(config, url), tmp_path, dim=None)
        assert isinstance(store, kind)
        store.close()


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    """A server that answers every request with ``status`` and ``body``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"boom"),
        (200, b"<html>welcome</html>"),
        (200, b'{"result": "of another program"}'),
        (200, b"\xff\xfe"),
        (429, b"{}"),
        (401, b"who are you"),
    ],
)
def test_a_server_that_answers_nonsense_is_reported_as_unavailable(config: Config, status: int, body: bytes) -> None:
    with server(status, body) as url:
        storage = with_vectors(config, url).storage
        with pytest.raises(BackendUnavailable, match=r"storage\.vectors"):
            open_qdrant(storage, dim=None)


def test_an_address_where_nothing_listens_is_reported_as_unavailable(config: Config) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    storage = with_vectors(config, f"http://127.0.0.1:{port}").storage
    with pytest.raises(BackendUnavailable, match=r"storage\.vectors"):
        open_qdrant(storage, dim=None)
