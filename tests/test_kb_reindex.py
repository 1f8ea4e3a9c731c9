"""Another index takes the place of the one that answers: same results as a fresh home, no search without its documents.

What a killed process leaves behind is in test_kb_reindex_crash.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from core.config import Config
from core.errors import BackendUnavailable, IndexMismatch, PolicyDeskError, StorageFull
from core.fakes import HashEmbedder
from core.ports import Embedder, Point, PointFilter, Sparse, Store
from core.records import Document, Facts, Rank, SearchOptions, State
from ingest.document import make_document
from kb import catalogue, next_index
from kb.base import KnowledgeBase
from kb.index import Index, IndexSettings
from kb.static_encoder import StaticEncoder
from kb.steps import encode
from kb.store import remove_store
from kb.tokens import SparseEncoder, encoder_named, index_tokenizer
from policydesk.app import open_desk, reindex_home
from policydesk.cli_index import every_tenth, reindexing
from tests.conftest import needs_postgres
from tests.http_servers import serving
from tests.postgres import Server
from tests.test_policydesk_cli import failed, run

TODAY = date(2026, 6, 1)
NUMERALS = "一二三四五六七八九"
TOPICS = ("养犬登记", "公租房租金", "高龄津贴", "电梯加装", "燃气价格", "入学安排", "停车收费", "供水用水")
VERBS = ("由主管部门办理", "应当在十五日内办结", "按照下列标准执行", "不得收取费用", "需提交身份证明", "可以网上申请")
QUESTIONS = ("养犬要登记吗", "公租房一个月多少钱", "老人津贴怎么领", "孩子上学", "停车收费标准", "多少日办结")


def changed(config: Config, section: str, **values: object) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


@pytest.fixture
def plain(config: Config) -> Config:
    """Words only, in one process, and no demand on the machine's disk."""
    config = changed(changed(config, "search", reranker="none", terms=False), "ingest", workers=0)
    return changed(changed(config, "storage", min_free_mb=0), "index", embedder="none")


@pytest.fixture(params=["edge", ":memory:", pytest.param("postgresql", marks=needs_postgres)])
def stored(request: pytest.FixtureRequest, plain: Config) -> Config:
    if request.param != "postgresql":
        return changed(plain, "storage", vectors=request.param)
    server: Server = request.getfixturevalue("postgres_server")
    return changed(plain, "storage", database=server.emptied_database())


@pytest.fixture(scope="module")
def static() -> StaticEncoder:
    return StaticEncoder()


def make(n: int, *, source: str = "", word: str = "", since: date = date(2020, 1, 1), articles: int = 6) -> Document:
    topic = word or TOPICS[n % len(TOPICS)]
    title = f"{topic}第{n}号规定"
    lines = [f"第{NUMERALS[a]}条 {topic}{VERBS[(a + n) % 6]}，第{n}号{'事项' * a}。" for a in range(articles)]
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=since)
    return make_document(facts, "\n".join([title, *lines]), source or f"{n}.md", name=None, chunk_chars=1200)


DOCUMENTS = [make(n) for n in range(40)]      # 240 articles: more than the last round writes


def add(base: KnowledgeBase, *documents: Document) -> None:
    base.add(documents, publish=True)


def wanted(config: Config, home: Path, embedder: Embedder | None = None) -> IndexSettings:
    return IndexSettings(config, home, SparseEncoder(index_tokenizer(config.index), config.index), embedder)


def hashed(config: Config, home: Path) -> IndexSettings:
    """Both terms and embedder differ from those of ``plain``."""
    return wanted(changed(config, "index", bigrams=False), home, HashEmbedder())


def nothing(there: int, coming: int) -> None:
    """What a reindex does between its steps."""


def scores(base: KnowledgeBase) -> list[dict[str, float]]:
    """What each question finds."""
    options = SearchOptions(top=20, as_of=TODAY)
    return [{hit.ref: hit.score for hit in base.search(text, options)} for text in QUESTIONS]


def alike(found: list[dict[str, float]]) -> list[object]:
    """Equal to the same finds whose scores differ by the last digits of sums in another order."""
    return [pytest.approx(one, rel=1e-3) for one in found]


def holders(base: KnowledgeBase, word: str, day: date = TODAY) -> list[str]:
    """The document of every article found that holds the word."""
    return [hit.document.id for hit in base.search(word, SearchOptions(top=400, as_of=day)) if word in hit.text]


def recorded(base: KnowledgeBase) -> dict[str, str]:
    with base._engine.connect() as connection:
        return catalogue.read_index_facts(connection)


def is_whole(base: KnowledgeBase) -> bool:
    """The index holds the points of published documents and no more, and nothing is left of its making."""
    with base._engine.connect() as connection:
        rows = next_index.count(connection)
    return base._steps.index.store.count() == base.counts()[2] and rows == 0


# same results as a fresh home


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"embedder": "none"}, {"embedder": "built-in"}),
        ({"embedder": "built-in"}, {"embedder": "none"}),
        ({"bigrams": True}, {"bigrams": False}),
        ({"tokenizer": "rjieba"}, {"tokenizer": "jieba", "k1": 0.9}),
    ],
    ids=["an embedder", "no embedder", "no bigrams", "another tokenizer"],
)
def test_a_reindexed_home_finds_what_a_fresh_one_finds(
    plain: Config, tmp_path: Path, before: dict[str, object], after: dict[str, object]
) -> None:
    home, old, new = tmp_path / "home", changed(plain, "index", **before), changed(plain, "index", **after)
    with open_desk(old, home) as desk:
        add(desk.base, *DOCUMENTS)
        assert "place" not in recorded(desk.base)
    with pytest.raises(IndexMismatch, match=r"policydesk reindex.*--home"), open_desk(new, home):
        pass
    done = reindex_home(new, home, nothing)
    assert done is not None
    assert (done.points, done.written) == (240, 240)
    assert [path.name for path in home.glob("vectors*")] == [f"vectors-{done.index.place}"]
    with open_desk(new, home) as again, open_desk(new, tmp_path / "fresh") as fresh:
        add(fresh.base, *DOCUMENTS)
        assert scores(again.base) == alike(scores(fresh.base))
        assert is_whole(again.base)


def test_a_running_home_finds_what_a_fresh_one_finds(stored: Config, tmp_path: Path, static: StaticEncoder) -> None:
    home, new = tmp_path / "home", changed(stored, "index", bigrams=False, embedder="built-in")
    elsewhere = changed(new, "storage", database="")
    with open_desk(stored, home) as desk, open_desk(elsewhere, tmp_path / "fresh") as fresh:
        add(desk.base, *DOCUMENTS[:30])
        add(fresh.base, *DOCUMENTS)
        done = desk.base.reindex(wanted(new, home, static), nothing)
        assert done is not None
        assert desk.base._steps.index is done.index
        add(desk.base, *DOCUMENTS[30:])
        assert scores(desk.base) == alike(scores(fresh.base))
        assert is_whole(desk.base)
        assert desk.base.reindex(wanted(new, home, static), nothing) is None


def test_many_documents_are_encoded_in_other_processes_with_the_same_result(plain: Config, tmp_path: Path) -> None:
    new = changed(plain, "index", k1=0.9)
    in_two = changed(new, "ingest", batch_chunks=120, workers=1)
    with open_desk(plain, tmp_path / "home") as desk, open_desk(new, tmp_path / "fresh") as fresh:
        for base in (desk.base, fresh.base):
            add(base, *DOCUMENTS)
        assert scores(desk.base) != alike(scores(fresh.base))
        assert desk.base.reindex(wanted(in_two, tmp_path / "home"), nothing) is not None
        assert scores(desk.base) == alike(scores(fresh.base))


def test_an_empty_home_is_reindexed_at_once(plain: Config, tmp_path: Path) -> None:
    with open_desk(plain, tmp_path / "home"):
        pass
    done = reindex_home(changed(plain, "index", bigrams=False), tmp_path / "home", nothing)
    assert done is not None
    assert done.points == 0
    assert reindex_home(plain, tmp_path / "new", nothing) is None


def test_an_encoder_is_known_by_its_name(config: Config) -> None:
    for values in ({}, {"bigrams": False, "k1": 0.95, "average_tokens": 1e-7, "tokenizer": "jieba"}):
        name = wanted(changed(config, "index", **values), Path()).encoder.name
        assert encoder_named(name).name == name
    with pytest.raises(IndexMismatch, match="policydesk reindex"):
        encoder_named("ngram;bm25 1 2 3 4 5")


# while others search


def test_searches_meanwhile_never_fail_or_miss_a_document(stored: Config, tmp_path: Path) -> None:
    """Between two steps of the reindex each thread has searched at least once, and once more during the switch."""
    searched = [0] * 4
    done = threading.Event()
    moved = threading.Condition()

    def search(base: KnowledgeBase, number: int) -> set[int]:
        seen = set()
        while not done.is_set():
            seen.add(len(holders(base, "号")))
            with moved:
                searched[number] += 1
                moved.notify_all()
        return seen

    def wait(there: int, coming: int) -> None:
        with moved:
            before = list(searched)
            assert moved.wait_for(lambda: all(now > then for now, then in zip(searched, before, strict=True)), 60)

    with open_desk(stored, tmp_path / "home") as desk, ThreadPoolExecutor(4) as pool:
        base = desk.base
        add(base, *DOCUMENTS)
        searches = [pool.submit(search, base, number) for number in range(4)]
        try:
            first = base.reindex(hashed(stored, tmp_path / "home"), wait)
            second = base.reindex(wanted(stored, tmp_path / "home"), wait)
        finally:
            done.set()
        assert first is not None
        assert second is not None
        assert set.union(*[one.result() for one in searches]) == {240}


class SlowStore:
    """The real store; its first query is answered once ``until`` is done. Closing is noted."""

    def __init__(self, store: Store, until: Callable[[], object]) -> None:
        self._store, self._until = store, [until]
        self.closed = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def query(self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int) -> list[tuple[str, float]]:
        while self._until:
            self._until.pop()()
        assert not self.closed
        return self._store.query(vector, where=where, limit=limit)

    def close(self) -> None:
        self.closed = True
        self._store.close()


def until_replaced(base: KnowledgeBase, old: object) -> None:
    ends = time.monotonic() + 60
    while base._steps.index is old:
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_a_search_that_the_switch_overtakes_ends_in_the_old_index_and_is_made_again(
    stored: Config, tmp_path: Path
) -> None:
    """A document is published right after the switch: only the new index has it."""
    late = make(99, word="殡葬服务")
    with open_desk(stored, tmp_path / "home") as desk, ThreadPoolExecutor(1) as pool:
        base, jobs = desk.base, []
        add(base, *DOCUMENTS)

        def switch() -> None:
            jobs.append(pool.submit(base.reindex, hashed(stored, tmp_path / "home"), nothing))
            until_replaced(base, old)
            add(base, late)

        slow = SlowStore(base._steps.index.store, switch)
        old = base._steps.index = replace(base._steps.index, store=slow)  # type: ignore[arg-type]
        assert holders(base, "殡葬服务") == [late.id] * 6
        assert jobs[0].result() is not None
        assert slow.closed
        assert is_whole(base)


# while others write


def test_what_is_published_and_withdrawn_meanwhile_is_right_after_the_switch(stored: Config, tmp_path: Path) -> None:
    revised = make(1, source="1.md", articles=7)                 # six of its seven articles stay
    newer = make_document(
        replace(DOCUMENTS[2].facts, effective_from=date(2025, 1, 1)), DOCUMENTS[2].text, "2-new.md",
        name=None, chunk_chars=1200,
    )
    moved = replace(DOCUMENTS[3], source="elsewhere.md")
    new = make(88, word="殡葬服务")
    home = tmp_path / "home"
    with open_desk(changed(stored, "ingest", batch_chunks=60), home) as desk:
        base = desk.base
        actions: list[Callable[[], object]] = [
            lambda: base.withdraw(DOCUMENTS[0].id),
            lambda: add(base, revised, newer, new),
            lambda: (base.withdraw(moved.id), add(base, moved)),
            lambda: (base.withdraw(DOCUMENTS[4].id), base.publish([DOCUMENTS[4].id])),
        ]
        add(base, *DOCUMENTS)

        def act(there: int, coming: int) -> None:
            """Documents 0 to 9 are written by then, others not."""
            if actions and there:
                actions.pop(0)()

        assert base.reindex(hashed(changed(stored, "ingest", batch_chunks=60), home), act) is not None
        assert actions == []
        assert is_whole(base)
        assert holders(base, "第0号") == []
        assert holders(base, "第1号") == [revised.id] * 7
        assert holders(base, "第2号") == [newer.id] * 6
        assert holders(base, "第2号", date(2024, 1, 1)) == [DOCUMENTS[2].id] * 6
        assert holders(base, "第3号") == [moved.id] * 6
        assert len(holders(base, "第4号")) == len(holders(base, "殡葬服务")) == 6
        assert len(holders(base, "号")) == 39 * 6 + 7


def test_a_batch_that_the_switch_overtakes_is_written_to_the_new_index(stored: Config, tmp_path: Path) -> None:
    """Its revision shares points with one that is withdrawn meanwhile, so the new index has none of them."""
    revised = make(1, source="1.md", articles=7)
    home = tmp_path / "home"
    with open_desk(stored, home) as desk, ThreadPoolExecutor(1) as pool:
        base, steps = desk.base, desk.base._steps
        add(base, *DOCUMENTS)
        before = steps.stage([revised], "某人")
        base.withdraw(DOCUMENTS[1].id)
        assert base.reindex(hashed(stored, home), nothing) is not None
        steps.write(before, lambda: pytest.fail("for the old index"))
        assert holders(base, "第1号") == [revised.id] * 7

        during = steps.stage([make(2, source="2.md", articles=7)], "某人")
        assert len(during.entries) == 1
        jobs = []

        def encoded() -> list[Sparse]:
            jobs.append(pool.submit(base.reindex, wanted(stored, home), nothing))
            until_replaced(base, during.index)
            return encode(during.index, during.entries)

        steps.write(during, encoded)
        assert jobs[0].result() is not None
        assert len(holders(base, "第2号")) == 7
        assert is_whole(base)


def test_an_ingest_that_the_switch_overtakes_goes_on_in_the_new_index(plain: Config, tmp_path: Path) -> None:
    """Its pool encodes for the index that answered when it began."""
    config, home = changed(plain, "ingest", batch_chunks=30, workers=1), tmp_path / "home"
    new = wanted(changed(config, "index", bigrams=False), home)
    with open_desk(config, home) as desk, open_desk(new.config, tmp_path / "fresh") as fresh:

        def documents() -> Iterator[Document]:
            for number, document in enumerate(DOCUMENTS):
                if number == 21:
                    desk.base.reindex(new, nothing)
                yield document

        assert desk.base.add(documents(), publish=True).documents == 40
        add(fresh.base, *DOCUMENTS)
        assert scores(desk.base) == alike(scores(fresh.base))
        assert is_whole(desk.base)


def test_one_reindex_at_a_time(plain: Config, tmp_path: Path) -> None:
    with open_desk(plain, tmp_path / "home") as desk:
        add(desk.base, *DOCUMENTS)
        settings = hashed(plain, tmp_path / "home")

        def again(there: int, coming: int) -> None:
            with pytest.raises(PolicyDeskError, match="正在重建"):
                desk.base.reindex(settings, nothing)

        assert desk.base.reindex(settings, again) is not None


# cut short


class Stopped(PolicyDeskError):
    pass


def stop_at(points: int) -> Callable[[int, int], None]:
    def on_step(there: int, coming: int) -> None:
        if there >= points:
            raise Stopped

    return on_step


def test_a_reindex_that_was_stopped_goes_on_where_it_stopped(plain: Config, tmp_path: Path) -> None:
    config, home = changed(plain, "ingest", batch_chunks=60), tmp_path / "home"
    new = changed(config, "index", bigrams=False)
    with open_desk(config, home) as desk:
        add(desk.base, *DOCUMENTS)
        before = scores(desk.base)
    with pytest.raises(Stopped):
        reindex_home(new, home, stop_at(120))
    with open_desk(config, home) as desk:
        assert scores(desk.base) == alike(before)
        desk.base.withdraw(DOCUMENTS[0].id)
        add(desk.base, make(50))
    done = reindex_home(new, home, nothing)
    assert done is not None
    assert (done.points, done.written) == (240, 240 - 120 + 6)
    with open_desk(new, home) as desk:
        assert is_whole(desk.base)
        assert (holders(desk.base, "第0号"), len(holders(desk.base, "第50号"))) == ([], 6)


@pytest.mark.parametrize("next_time", ["other settings", "the settings of before", "its folder was lost"])
def test_an_unfinished_index_that_is_of_no_use_is_thrown_away(plain: Config, tmp_path: Path, next_time: str) -> None:
    config, home = changed(plain, "ingest", batch_chunks=60), tmp_path / "home"
    new = changed(config, "index", bigrams=False)
    with open_desk(config, home) as desk:
        add(desk.base, *DOCUMENTS)
    with pytest.raises(Stopped):
        reindex_home(new, home, stop_at(120))
    unfinished = {folder.name for folder in home.glob("vectors*")} - {"vectors"}
    last = {"other settings": changed(new, "index", k1=0.9), "the settings of before": config}.get(next_time, new)
    if last is new:
        home.joinpath(*unfinished).rename(tmp_path / "lost")
    done = reindex_home(last, home, nothing)
    assert done is None if last is config else done is not None and done.written == 240
    with open_desk(last, home) as desk:
        assert is_whole(desk.base)
        assert "next" not in recorded(desk.base)
    assert len(list(home.glob("vectors*"))) == 1


def test_a_full_disk_leaves_the_old_index_in_use(plain: Config, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_desk(plain, home) as desk:
        add(desk.base, *DOCUMENTS)
    greedy = changed(changed(plain, "storage", min_free_mb=10**9), "index", bigrams=False)
    with pytest.raises(StorageFull, match="min_free_mb"):
        reindex_home(greedy, home, nothing)
    with open_desk(plain, home) as desk:
        assert len(holders(desk.base, "号")) == 240


class LosingStore:
    """The real store, which forgets the last point of every write."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def upsert(self, points: Sequence[Point]) -> None:
        self._store.upsert(points[:-1])


class LosingSettings(IndexSettings):
    def open(self, place: str) -> Index:
        index = super().open(place)
        return replace(index, store=LosingStore(index.store))  # type: ignore[arg-type]


def test_an_index_that_lacks_points_is_not_put_in_use(stored: Config, tmp_path: Path) -> None:
    home, settings = tmp_path / "home", hashed(stored, tmp_path / "home")
    losing = LosingSettings(settings.config, home, settings.encoder, settings.embedder)
    with open_desk(stored, home) as desk:
        add(desk.base, *DOCUMENTS)
        with pytest.raises(BackendUnavailable, match="应有 240 个条目，实际有 238 个"):
            desk.base.reindex(losing, nothing)
        assert len(holders(desk.base, "号")) == 240
        assert desk.base.reindex(settings, nothing) is not None
        assert is_whole(desk.base)


# answering from an index of other settings


def test_a_home_answers_from_its_old_index_until_the_new_one_is_made(
    plain: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, new = tmp_path / "home", changed(plain, "index", embedder="built-in", bigrams=False)
    with open_desk(plain, home) as desk:
        add(desk.base, *DOCUMENTS)
        before = scores(desk.base)
    with open_desk(new, home, as_made=True) as desk:
        old = desk.base._steps.index
        assert scores(desk.base) == alike(before)
        late = make(99, word="殡葬服务")
        add(desk.base, late)
        with reindexing(desk):
            until_replaced(desk.base, old)
        assert len(holders(desk.base, "殡葬服务")) == 6
        assert is_whole(desk.base)
    assert "246 个条目" in capsys.readouterr().err
    with open_desk(new, home):
        pass


def test_an_index_whose_embedder_is_not_there_answers_by_words_and_takes_nothing_in(
    plain: Config, tmp_path: Path, static: StaticEncoder
) -> None:
    home, new = tmp_path / "home", changed(plain, "index", embedder="built-in")
    with open_desk(plain, home) as desk:
        base = desk.base
        base.reindex(wanted(plain, home, HashEmbedder()), nothing)
        add(base, *DOCUMENTS)
        base._steps.stage([make(60, word="殡葬服务")], "某人")      # as a crash leaves it
    with open_desk(new, home, as_made=True) as desk:
        base = desk.base
        assert base._steps.index.embedder is None
        assert len(holders(base, "号")) == 240
        with pytest.raises(PolicyDeskError, match="正在按新的配置重建"):
            add(base, make(61))
        base.withdraw(DOCUMENTS[0].id)
        assert len(holders(base, "号")) == 234
        done = desk.reindex(nothing)
        assert done is not None
        assert base._steps.index.embedder is not None
        assert len(holders(base, "殡葬服务")) == 6
        assert base.documents([State.STAGED]) == []
        add(base, make(61))
        assert is_whole(base)


def test_a_console_that_ends_leaves_the_rest_to_the_next_run(
    plain: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, new = tmp_path / "home", changed(plain, "index", bigrams=False)
    ended = threading.Event()
    ended.set()
    with open_desk(plain, home) as desk:
        add(desk.base, *DOCUMENTS)
    with open_desk(new, home, as_made=True) as desk:
        old = desk.base._steps.index
        with pytest.raises(PolicyDeskError, match="服务已结束"):
            desk.reindex(every_tenth(ended))
        full = changed(new, "storage", min_free_mb=10**9)
        with reindexing(replace(desk, index_settings=replace(desk.index_settings, config=full))):
            pass
        assert desk.base._steps.index is old
        assert "下次接着做" in capsys.readouterr().err


# the command line and a server


def test_the_verb_makes_the_index_that_the_configuration_wants(plain: Config, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_desk(plain, home) as desk:
        add(desk.base, *DOCUMENTS)
    overlay = tmp_path / "desk.yaml"
    overlay.write_text("index: {embedder: built-in}\nstorage: {min_free_mb: 0}\n", encoding="utf-8")
    options = ("--home", home, "--config", overlay)
    failed(run("search", "养犬登记", *options, cwd=tmp_path), 1, "policydesk reindex", "embedder = none")
    done = run("reindex", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "240 个条目" in done.stderr
    assert "养犬登记" in run("search", "养犬登记", *options, cwd=tmp_path).stdout
    again = run("reindex", *options, cwd=tmp_path)
    assert (again.returncode, "不用重建" in again.stderr) == (0, True)


def test_a_replaced_collection_is_removed_from_its_server(plain: Config, tmp_path: Path) -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            asked.append(self.path)
            data = b'{"result": true, "status": "ok", "time": 0.0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with serving(Server) as address:
        config = changed(plain, "storage", vectors=address, collection="policies")
        for place in ("", "0a1b2c3d"):
            remove_store(config, tmp_path, place)
    assert [path.partition("?")[0] for path in asked] == ["/collections/policies", "/collections/policies-0a1b2c3d"]
    with pytest.raises(BackendUnavailable, match=r"storage\.vectors"):
        remove_store(config, tmp_path, "")
