"""A new revision of a source: only changed articles are written, and no search ever sees anything in between."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.errors import BackendUnavailable
from core.ports import Point, PointFilter, Store
from core.records import Document, Facts, Rank, RevisionChange, SearchOptions, State
from ingest.document import make_document
from kb import lookup
from kb.base import KnowledgeBase
from kb.points import point_ids
from kb.steps import encode
from policydesk.app import open_desk

NUMERALS = "一二三四五六七八九"
TODAY = date(2026, 6, 1)


def with_storage(config: Config, vectors: str) -> Config:
    storage = config.storage.model_copy(update={"min_free_mb": 0, "vectors": vectors})
    return config.model_copy(update={"storage": storage})


@pytest.fixture(params=["edge", ":memory:"])
def base(request: pytest.FixtureRequest, each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with open_desk(with_storage(each_database, request.param), tmp_path / "home") as desk:
        yield desk.base


@pytest.fixture
def light(each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with open_desk(with_storage(each_database, ":memory:"), tmp_path / "home") as desk:
        yield desk.base


def revision(
    *articles: str, source: str = "park.md", title: str = "停车规定", since: date | None = None,
    dated: date | None = None,
) -> Document:
    body = "\n".join(f"第{NUMERALS[n]}条 停车{text}。" for n, text in enumerate(articles))
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=since, dated=dated)
    return make_document(facts, f"{title}\n{body}", source, name=None, chunk_chars=1200)


def seen(base: KnowledgeBase, day: date | None = None) -> list[str]:
    """Address and text of every article found, however often it comes."""
    hits = base.search("停车", SearchOptions(top=90, as_of=day))
    return sorted(f"{hit.address} {hit.text}" for hit in hits)


def shown(*documents: Document) -> list[str]:
    return sorted(f"{a.address} {d.text[a.start:a.end]}" for d in documents for a in d.articles)


class Watched:
    """The real store: ``probe`` runs before and after everything that changes it, writes come in halves."""

    def __init__(self, store: Store, probe: Callable[[], object]) -> None:
        self._store, self._probe = store, probe
        self.written: list[str] = []
        self.deleted: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def upsert(self, points: Sequence[Point]) -> None:
        self.written += [point.id for point in points]
        for half in (points[: len(points) // 2], points[len(points) // 2 :]):
            self._store.upsert(half)
            self._probe()

    def delete(self, ids: Sequence[str]) -> None:
        self.deleted += ids
        self._probe()
        self._store.delete(ids)
        self._probe()

    def set_validity(self, ids: Sequence[str], *, in_force_from: int, in_force_to: int) -> None:
        self._probe()
        self._store.set_validity(ids, in_force_from=in_force_from, in_force_to=in_force_to)
        self._probe()

    def flush(self) -> None:
        self._store.flush()
        self._probe()


def watch(base: KnowledgeBase, probe: Callable[[], object] = lambda: None) -> Watched:
    watched = Watched(base._steps.index.store, probe)
    base._steps.index = replace(base._steps.index, store=watched)  # type: ignore[arg-type]
    return watched


def add(base: KnowledgeBase, *documents: Document) -> None:
    base.add(documents, publish=True)


# what is written


def test_a_revision_writes_its_changed_articles_only(base: KnowledgeBase) -> None:
    old, new = revision("收费", "计时", "罚款"), revision("收费", "包月", "罚款")
    add(base, old)
    store = watch(base)
    report = base.add([new], publish=True)
    assert (report.written_points, report.replaced, report.documents) == (1, 1, 1)
    assert (store.written, store.deleted) == ([point_ids(new)[1]], [point_ids(old)[1]])
    assert seen(base) == shown(new)
    assert base._steps.index.store.count() == 3


def test_the_report_names_what_changed(light: KnowledgeBase) -> None:
    old, new = revision("收费", "计时", "罚款"), revision("收费", "包月")
    add(light, old)
    assert light.add([new], publish=True).revisions == (
        RevisionChange("park.md", "停车规定", old.id, new.id, (), ("第二条",), ("第三条",), 1),
    )
    longer = revision("收费", "包月", "罚款", "附则")
    (change,) = light.add([longer], publish=True).revisions
    assert (change.added, change.changed, change.removed, change.unchanged) == (("第三条", "第四条"), (), (), 2)
    assert light.add([longer, revision("收费", source="b.md")], publish=True).revisions == ()


def test_unchanged_articles_are_not_encoded(light: KnowledgeBase) -> None:
    add(light, revision(*["收费"] * 5, "计时"))
    staged = light._steps.stage([revision(*["收费"] * 5, "包月")], "某人")
    assert [entry.text for entry in staged.entries] == ["第六条 停车包月。"]


def test_other_facts_that_a_query_filters_by_make_other_points() -> None:
    same = [revision("收费"), revision("收费", source="b.md"), revision("收费", title="停放规定"),
            revision("收费", since=TODAY), revision("收费", dated=TODAY)]
    assert len({point_ids(document)[0] for document in same}) == len(same)
    assert point_ids(revision("收费", "计时"))[0] == point_ids(revision("收费", "包月", "罚款"))[0]


def test_equal_articles_of_one_document_have_points_of_their_own(base: KnowledgeBase) -> None:
    text = "停车规定\n第一条 停车收费。\n第一条 停车收费。\n第一条 停车收费。"
    document = make_document(Facts("停车规定"), text, "a.md", name=None, chunk_chars=1200)
    add(base, document)
    assert len(set(point_ids(document))) == len(document.chunks) == base._steps.index.store.count()


# at every moment


def test_no_step_of_a_replacement_hides_doubles_or_outlives_an_article(base: KnowledgeBase) -> None:
    old, new = revision("收费", "计时", "罚款", "标志"), revision("收费", "包月", "罚款", "补充")
    add(base, old)
    moments: list[list[str]] = []
    watch(base, lambda: moments.append(seen(base)))
    add(base, new)
    assert len(moments) >= 6
    before = moments.index(shown(new))
    assert moments == [shown(old)] * before + [shown(new)] * (len(moments) - before)


def test_no_moment_of_a_replacement_lacks_a_version_whose_days_change(base: KnowledgeBase) -> None:
    """The revision keeps an article whose last day moves, since a new version of the rule comes with it."""
    old, new = revision("收费", "计时", since=date(2020, 1, 1)), revision("收费", "包月", since=date(2020, 1, 1))
    later = revision("免费", "预约", source="later.md", since=date(2025, 1, 1))
    add(base, old)
    moments: list[tuple[list[str], list[str]]] = []
    watch(base, lambda: moments.append((seen(base, TODAY), seen(base, date(2021, 1, 1)))))
    add(base, new, later)
    assert {tuple(today) for today, _ in moments} == {tuple(shown(old)), tuple(shown(later))}
    assert {tuple(then) for _, then in moments} == {tuple(shown(old)), tuple(shown(new))}
    in_index = base._steps.index.store.query(
        base._steps.index.encoder.query("停车"), where=PointFilter(as_of=20260601), limit=9
    )
    assert sorted(name for name, _ in in_index) == sorted(point_ids(later))


def test_searches_during_a_chain_of_revisions_see_one_revision_each(base: KnowledgeBase) -> None:
    chain = [revision("收费", *[f"第{n}稿{i}" for i in range(3)], "罚款") for n in range(12)]
    whole = {tuple(shown(document)) for document in chain}
    done = threading.Event()

    def search() -> set[tuple[str, ...]]:
        found = set()
        while not done.is_set():
            found.add(tuple(seen(base)))
        return found

    add(base, chain[0])
    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(search) for _ in range(4)]
        try:
            for document in chain[1:]:
                add(base, document)
        finally:
            done.set()
        assert set.union(*[one.result() for one in searches]) <= whole
    assert seen(base) == shown(chain[-1])


def test_revisions_of_one_source_from_several_threads_leave_one_whole(light: KnowledgeBase) -> None:
    chain = [revision("收费", f"第{n}稿", "罚款") for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        for result in [pool.submit(light.add, [document], publish=True) for document in chain]:
            result.result()
    (stored,) = light.documents([State.PUBLISHED])
    assert seen(light) == shown(light.document(stored.id))
    assert light._steps.index.store.count() == 3


# drafts, withdrawing, going back


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_drafts_of_one_source_published_together_the_newest_goes_live(
    light: KnowledgeBase, order: int
) -> None:
    older, newer = revision("收费", "计时"), revision("收费", "包月")
    light.add([older], publish=False)
    light.add([newer], publish=False)
    light.publish([older.id, newer.id][::order])
    assert seen(light) == shown(newer)
    assert [stored.id for stored in light.documents([State.DRAFT, State.STAGED])] == []


def test_a_draft_that_is_read_again_is_the_newest(light: KnowledgeBase) -> None:
    first, second = revision("收费", "计时"), revision("收费", "包月")
    for draft in (first, second, first):
        light.add([draft], publish=False)
    light.publish([first.id, second.id])
    assert seen(light) == shown(first)


@pytest.mark.parametrize("batch_chunks", [1, 1000])
def test_of_two_revisions_in_one_run_the_last_goes_live(config: Config, tmp_path: Path, batch_chunks: int) -> None:
    chosen = with_storage(config, ":memory:")
    chosen = chosen.model_copy(update={"ingest": chosen.ingest.model_copy(update={"batch_chunks": batch_chunks})})
    documents = [revision("收费", word) for word in ("计时", "包月", "减免")]
    with open_desk(chosen, tmp_path / "home") as desk:
        add(desk.base, *documents)
        assert seen(desk.base) == shown(documents[-1])
        assert desk.base._steps.index.store.count() == 2


def test_a_revision_keeps_its_articles_when_the_one_before_is_withdrawn_meanwhile(base: KnowledgeBase) -> None:
    old, new = revision("收费", "计时"), revision("收费", "包月")
    add(base, old)
    steps = base._steps
    staged = steps.stage([new], "某人")
    base.withdraw(old.id)
    assert seen(base) == []
    steps.write(staged, lambda: encode(staged.index, staged.entries))
    assert seen(base) == shown(new)
    assert steps.index.store.count() == 2


def test_a_withdrawn_revision_can_take_the_place_of_the_one_that_replaced_it(base: KnowledgeBase) -> None:
    old, new = revision("收费", "计时"), revision("收费", "包月")
    add(base, old)
    add(base, new)
    base.publish([old.id])
    assert seen(base) == shown(old)
    base.withdraw(old.id)
    assert (seen(base), base._steps.index.store.count()) == ([], 0)
    base.publish([new.id])
    assert (seen(base), base._steps.index.store.count()) == (shown(new), 2)


def test_old_content_that_comes_from_another_place_leaves_the_first_place_alone(light: KnowledgeBase) -> None:
    old, new = revision("收费", "计时"), revision("收费", "包月")
    add(light, old)
    add(light, new)
    add(light, revision("收费", "计时", source="copy.md"))
    assert seen(light) == shown(old, new)
    assert light._steps.index.store.count() == 4


def test_a_revision_that_failed_leaves_the_one_before_whole(light: KnowledgeBase) -> None:
    old, new = revision("收费", "计时", "罚款"), revision("收费", "包月", "标志")
    add(light, old)
    real = light._steps.index.store

    def fail() -> None:
        raise BackendUnavailable("gone")

    light._steps.index = replace(light._steps.index, store=Watched(real, fail))  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailable):
        add(light, new)
    light._steps.index = replace(light._steps.index, store=real)
    assert seen(light) == shown(old)
    add(light, new)
    assert (seen(light), real.count()) == (shown(new), 3)


def test_any_sequence_of_changes_leaves_what_was_asked_for(light: KnowledgeBase) -> None:
    """Against a model: source -> published document; the index holds its distinct points and no more."""
    chance = random.Random(7)
    live: dict[str, Document] = {}
    drafts: dict[str, Document] = {}
    for _ in range(80):
        words = [chance.choice(["收费", "计时", "包月"]) for _ in range(chance.randint(1, 4))]
        source = chance.choice(["a.md", "b.md"])
        document = revision(*words, source=source, title=f"停车{source}规定")
        action = chance.choice(["add", "add", "draft", "publish", "withdraw"])
        if action == "add":
            add(light, document)
            live[source] = document
            drafts = {name: draft for name, draft in drafts.items() if draft.id != document.id}
        elif action == "draft":
            light.add([document], publish=False)
            if [stored.id for stored in light.documents([State.DRAFT]) if stored.id == document.id]:
                drafts[source] = document
        elif action == "publish" and drafts:
            light.publish([draft.id for draft in drafts.values()])
            live, drafts = live | drafts, {}
        elif action == "withdraw" and source in live:
            light.withdraw(live.pop(source).id)
        assert seen(light) == shown(*live.values())
        assert light._steps.index.store.count() == sum(len(document.chunks) for document in live.values())


# old databases and lost indexes


def test_points_that_are_named_after_chunks_are_replaced_by_and_by(config: Config, tmp_path: Path) -> None:
    """As a database from before has them."""
    old, new = revision("收费", "计时"), revision("收费", "包月")
    with open_desk(with_storage(config, "edge"), tmp_path / "home") as desk:
        steps = desk.base._steps
        add(desk.base, old)
        with steps.engine.begin() as connection:
            connection.execute(lookup.chunks.update().values(point=lookup.chunks.c.id))
    with open_desk(with_storage(config, "edge"), tmp_path / "home") as desk:
        assert seen(desk.base) == []      # this test renamed rows only, not points
    (tmp_path / "home" / "vectors").rename(tmp_path / "lost")
    with open_desk(with_storage(config, "edge"), tmp_path / "home") as desk:
        assert seen(desk.base) == shown(old)
        assert desk.base.add([new], publish=True).written_points == 2
        assert (seen(desk.base), desk.base._steps.index.store.count()) == (shown(new), 2)


def test_an_index_that_was_lost_with_dates_to_be_set_is_made_again(config: Config, tmp_path: Path) -> None:
    on_disk = with_storage(config, "edge")
    old = revision("收费", since=date(2020, 1, 1))
    later = revision("免费", source="later.md", since=date(2025, 1, 1))
    with open_desk(on_disk, tmp_path / "home") as desk:
        add(desk.base, old)
        watched = watch(desk.base)
        watched.set_validity = None  # type: ignore[assignment,method-assign]
        with pytest.raises(TypeError):
            add(desk.base, later)
    (tmp_path / "home" / "vectors").rename(tmp_path / "lost")
    with open_desk(on_disk, tmp_path / "home") as desk:
        assert (seen(desk.base, TODAY), seen(desk.base, date(2021, 1, 1))) == (shown(later), shown(old))
