"""What the knowledge base promises: adding, replacing, versions, withdrawing, and searching meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.errors import BackendUnavailable, HomeLocked, IndexMismatch, NotFound, StorageFull
from core.ports import Point, PointFilter, Sparse, Store
from core.records import Document, Facts, FileRead, Furniture, OfficialField, Place, Rank, SearchOptions, State
from ingest.document import make_document
from kb import catalogue
from kb.base import KnowledgeBase
from kb.steps import encode, make_points
from policydesk.app import open_desk

ROOT = Path(__file__).resolve().parent.parent
TODAY = date(2026, 6, 1)
LONG = "租金减免的具体情形如下。" * 12


def changed(config: Config, section: str, **values: object) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


@pytest.fixture
def small(each_database: Config) -> Config:
    """Vectors in memory, and no demand on the machine's disk."""
    return changed(each_database, "storage", min_free_mb=0, vectors=":memory:")


@pytest.fixture
def base(small: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with open_desk(small, tmp_path / "home") as desk:
        yield desk.base


def make(
    word: str, *, title: str = "养犬管理办法", source: str = "", since: date | None = date(2020, 1, 1),
    validity: str | None = None, articles: int = 2,
) -> Document:
    body = "\n".join(f"第{'一二三四五六七八九'[n]}条 {word}由主管部门办理。" for n in range(articles))
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=since, validity=validity)
    return make_document(facts, f"{title}\n{body}", source or f"{title}{since}.md", name=None, chunk_chars=1200)


def add(base: KnowledgeBase, *documents: Document) -> None:
    base.add(documents, publish=True)


def find(base: KnowledgeBase, word: str, day: date | None = TODAY, top: int = 50) -> list[str]:
    """The documents found whose text holds the word, one entry per article."""
    hits = base.search(word, SearchOptions(top=top, as_of=day))
    return [hit.document.id for hit in hits if word in hit.text]


# adding


def test_adding_twice_changes_nothing(base: KnowledgeBase) -> None:
    documents = [make("犬只"), make("供水", title="供水办法")]
    first = base.add(documents, publish=True)
    counts, points = base.counts(), base._steps.index.store.count()
    second = base.add(documents, publish=True)
    assert (first.documents, first.articles, first.chunks, first.unchanged_documents) == (2, 4, 4, 0)
    assert (second.documents, second.articles, second.chunks, second.unchanged_documents) == (0, 0, 0, 2)
    assert (base.counts(), base._steps.index.store.count()) == (counts, points) == ((2, 4, 4), 4)


def test_the_same_document_twice_in_one_run_is_stored_once(base: KnowledgeBase) -> None:
    add(base, make("犬只"), make("犬只"))
    assert base.counts() == (1, 2, 2)
    assert len(find(base, "犬只")) == 2


def test_a_changed_revision_replaces_the_one_before(base: KnowledgeBase) -> None:
    old, new = make("犬只", source="a.md"), make("犬证", source="a.md")
    add(base, old)
    report = base.add([new], publish=True)
    assert (report.replaced, report.documents) == (1, 1)
    assert find(base, "犬只", None) == []
    assert find(base, "犬证") == [new.id] * 2
    assert (base.counts(), base._steps.index.store.count()) == ((1, 2, 2), 2)


def test_going_back_to_an_earlier_revision_brings_it_back(base: KnowledgeBase) -> None:
    old, new = make("犬只", source="a.md"), make("犬证", source="a.md")
    add(base, old)
    add(base, new)
    add(base, old)
    assert find(base, "犬只") == [old.id] * 2
    assert find(base, "犬证", None) == []
    with base._engine.connect() as connection:
        known_to = connection.execute(
            catalogue.select(catalogue.documents.c.known_to).where(catalogue.documents.c.id == old.id)
        ).scalar_one()
    assert known_to is None


def test_a_document_without_parts_is_stored_and_can_be_replaced(base: KnowledgeBase) -> None:
    empty = make_document(Facts("空白通知"), "", "a.md", name=None, chunk_chars=1200)
    add(base, empty)
    assert base.add([make("犬只", source="a.md")], publish=True).replaced == 1
    assert base.counts()[0] == 1


def test_small_batches_give_what_one_batch_gives(small: Config, tmp_path: Path) -> None:
    documents = [make(f"事项{n}号", title=f"办法{n}通知") for n in range(12)]
    with open_desk(changed(small, "ingest", batch_chunks=3), tmp_path / "home") as desk:
        report = desk.base.add(documents, publish=True)
        assert (report.documents, desk.base._steps.index.store.count()) == (12, 24)
        assert find(desk.base, "事项7号") == [documents[7].id] * 2


def test_a_version_staged_in_the_next_batch_is_not_touched_by_the_batch_before(small: Config, tmp_path: Path) -> None:
    """Batch one replaces a revision of a rule of which batch two, staged meanwhile, holds another version."""
    in_2018, revised = make("旧规", since=date(2018, 1, 1)), make("犬证", source="a.md", since=date(2023, 1, 1))
    with open_desk(changed(small, "ingest", batch_chunks=2), tmp_path / "home") as desk:
        add(desk.base, make("犬只", source="a.md", since=date(2021, 1, 1)))
        add(desk.base, revised, in_2018)
        assert find(desk.base, "旧规", date(2022, 1, 1)) == [in_2018.id] * 2
        assert find(desk.base, "旧规", date(2023, 1, 1)) == []


def full_document() -> Document:
    """One with everything that a record can hold."""
    plain = make("犬只", articles=3)
    chunks = tuple(
        replace(chunk, address=f"第{n}款", header=(0, 3) if n else None, page=n + 1, box=(56.0, 71.25, 538.5, 90.0))
        for n, chunk in enumerate(plain.chunks)
    )
    return replace(
        plain, chunks=chunks, facts=replace(plain.facts, level="市", dated=date(2020, 1, 1)),
        fields=(OfficialField("文种", "办法", 2, 14, 0.98), OfficialField("来源", "x", None, None, 1.0)),
        furniture=(Furniture("title", 0, 6), Furniture("page_number", 40, 41)),
        places=(Place(0, 6, 1, (56.7, 71.1, 538.0, 90.0)), Place(7, 20, 2, (56.0, 71.0, 538.0, 90.123456789))),
    )


def test_a_document_comes_back_as_it_was_stored(base: KnowledgeBase) -> None:
    document = full_document()
    add(base, document)
    stored = base.document(document.id)
    assert stored == document
    assert {type(number) for place in stored.places for number in place.box} == {float}
    assert {type(number) for chunk in stored.chunks for number in chunk.box or ()} == {float}


def test_table_rows_are_found_by_the_words_of_their_header(base: KnowledgeBase) -> None:
    text = "补贴通知\n一、标准\n| 对象 | 金额 |\n| --- | --- |\n| 老人 | 200 |"
    document = make_document(Facts("补贴通知"), text, "a.md", name=None, chunk_chars=1200)
    row, head = text.index("| 老人"), text.index("| 对象")
    chunk = replace(document.chunks[0], start=row, end=len(text), header=(head, row), article=0)
    add(base, replace(document, chunks=(chunk,)))
    assert [hit.document.id for hit in base.search("对象", SearchOptions())] == [document.id]


# drafts


def test_a_draft_is_not_found_until_it_is_published(base: KnowledgeBase) -> None:
    draft = make("犬只")
    base.add([draft], publish=False)
    assert (find(base, "犬只", None), base.counts()) == ([], (0, 0, 0))
    base.publish([draft.id])
    assert find(base, "犬只") == [draft.id] * 2


def test_a_published_draft_replaces_the_revision_before(base: KnowledgeBase) -> None:
    draft = make("犬证", source="a.md")
    add(base, make("犬只", source="a.md"))
    base.add([draft], publish=False)
    assert len(find(base, "犬只")) == 2
    base.publish([draft.id])
    assert (find(base, "犬只"), find(base, "犬证")) == ([], [draft.id] * 2)


def test_publishing_what_is_no_draft_names_it_and_publishes_nothing(base: KnowledgeBase) -> None:
    draft, published = make("犬只"), make("供水", title="供水办法")
    base.add([draft], publish=False)
    add(base, published)
    with pytest.raises(NotFound, match=published.id):
        base.publish([draft.id, published.id])
    assert find(base, "犬只") == []


# withdrawing


def test_a_withdrawn_document_is_not_found_any_more(base: KnowledgeBase) -> None:
    document = make("犬只")
    add(base, document, make("供水", title="供水办法"))
    base.withdraw(document.id)
    assert find(base, "犬只", None) == []
    assert (base.counts(), base._steps.index.store.count()) == ((1, 2, 2), 2)
    assert [stored.id for stored in base.documents([State.REMOVED])] == [document.id]


def test_withdrawing_a_version_puts_the_one_before_in_force_again(base: KnowledgeBase) -> None:
    old, new = make("犬只"), make("犬证", since=date(2025, 1, 1))
    add(base, old, new)
    assert find(base, "犬只") == []
    base.withdraw(new.id)
    assert find(base, "犬只") == [old.id] * 2
    assert base.documents([State.PUBLISHED])[0].superseded_by is None


def test_a_withdrawn_document_can_be_published_again(base: KnowledgeBase) -> None:
    document = make("犬只")
    add(base, document)
    base.withdraw(document.id)
    base.publish([document.id])
    assert len(find(base, "犬只")) == 2


def test_a_lost_index_is_made_again_from_the_database(config: Config, tmp_path: Path) -> None:
    home = tmp_path / "home"
    edge = changed(config, "storage", min_free_mb=0)
    with open_desk(edge, home) as desk:
        add(desk.base, make("旧文", since=date(2020, 1, 1)), make("新文", since=date(2025, 1, 1)))
    shutil.rmtree(home / "vectors")
    with open_desk(edge, home) as desk:
        assert (len(find(desk.base, "新文")), find(desk.base, "旧文")) == (2, [])
        assert len(find(desk.base, "旧文", date(2021, 1, 1))) == 2


def test_withdrawing_the_unknown_or_the_withdrawn_is_an_error(base: KnowledgeBase) -> None:
    document = make("犬只")
    add(base, document)
    base.withdraw(document.id)
    for name in (document.id, "0123456789abcdef"):
        with pytest.raises(NotFound, match=name):
            base.withdraw(name)


def test_a_withdrawn_document_that_is_added_again_is_found_again(base: KnowledgeBase) -> None:
    document = make("犬只")
    add(base, document)
    base.withdraw(document.id)
    add(base, document)
    assert find(base, "犬只") == [document.id] * 2


# versions


def in_one_go(base: KnowledgeBase, documents: Sequence[Document]) -> None:
    add(base, *documents)


def one_by_one(base: KnowledgeBase, documents: Sequence[Document]) -> None:
    for document in documents:
        add(base, document)


@pytest.mark.parametrize("order", [1, -1], ids=["older first", "newer first"])
@pytest.mark.parametrize("arrive", [in_one_go, one_by_one])
def test_a_day_finds_the_version_of_that_day_whatever_came_first(
    base: KnowledgeBase, order: int, arrive: Callable[[KnowledgeBase, Sequence[Document]], None]
) -> None:
    versions = [make("登记", since=date(year, 7, 1)) for year in (2015, 2020, 2027)]
    arrive(base, versions[::order])
    asked = {date(2015, 6, 30): None, date(2015, 7, 1): 0, date(2020, 6, 30): 0, date(2020, 7, 1): 1,
             TODAY: 1, date(2027, 6, 30): 1, date(2027, 7, 1): 2}
    for day, n in asked.items():
        assert find(base, "登记", day) == ([] if n is None else [versions[n].id] * 2), day
    assert len(find(base, "登记", None)) == 6


def test_a_rule_that_is_not_yet_in_force_is_found_from_its_first_day(base: KnowledgeBase) -> None:
    add(base, make("犬只", since=date(2026, 12, 1)))
    assert (find(base, "犬只"), len(find(base, "犬只", date(2026, 12, 1)))) == ([], 2)


def test_a_rule_that_arrives_repealed_is_in_force_on_no_day(base: KnowledgeBase) -> None:
    add(base, make("犬只", validity="已废止"), make("供水", title="供水办法", since=None, validity="失效"))
    for day in (date(1990, 1, 1), date(2020, 1, 1), TODAY, date(2090, 1, 1)):
        assert find(base, "犬只", day) + find(base, "供水", day) == []


def test_next_years_notice_of_the_same_name_does_not_end_this_years(base: KnowledgeBase) -> None:
    notices = [make("入学", title="入学工作通知", since=date(year, 3, 1)) for year in (2025, 2026)]
    add(base, *notices)
    assert sorted(set(find(base, "入学"))) == sorted(notice.id for notice in notices)


def test_a_revision_under_another_title_frees_the_version_it_had_ended(base: KnowledgeBase) -> None:
    old, new = make("犬只"), make("犬证", source="a.md", since=date(2025, 1, 1))
    add(base, old, new)
    add(base, make("停车", title="停车管理办法", source="a.md", since=date(2025, 1, 1)))
    assert find(base, "犬只") == [old.id] * 2


# searching


def test_an_article_found_by_several_chunks_comes_once(base: KnowledgeBase) -> None:
    text = f"租金办法\n第一条 {LONG}\n{LONG}\n{LONG}\n第二条 租金按月缴纳。"
    document = make_document(Facts("租金办法"), text, "a.md", name=None, chunk_chars=150)
    add(base, document)
    assert len(document.chunks) >= 4
    addresses = [hit.address for hit in base.search("租金", SearchOptions(top=10))]
    assert sorted(addresses) == ["第一条", "第二条"]


def test_many_chunks_of_one_article_do_not_crowd_out_another_document(base: KnowledgeBase) -> None:
    crowd = make_document(
        Facts("租金租金"), "\n".join(["租金租金", *[f"第一条 {LONG}"], *[LONG] * 40, "第二条 无。"]), "a.md",
        name=None, chunk_chars=100,
    )
    other = make("租金", title="杂项通知")
    add(base, crowd, other)
    assert other.id in find(base, "租金", None, top=5)


def test_an_article_that_is_named_outright_comes_first_and_only_in_its_day(base: KnowledgeBase) -> None:
    add(base, make("旧文", since=date(2020, 1, 1)), make("新文", since=date(2025, 1, 1)))
    hits = base.search("《养犬管理办法》第二条说了什么", SearchOptions(as_of=TODAY))
    assert (hits[0].address, hits[0].text[:2]) == ("第二条", "新文")
    earlier = base.search("养犬管理办法第二条", SearchOptions(as_of=date(2021, 1, 1)))
    assert (earlier[0].address, earlier[0].text[:2]) == ("第二条", "旧文")
    assert base.search("养犬管理办法第二条", SearchOptions(as_of=TODAY, regions=("900200",))) == []


def test_a_question_without_words_finds_nothing(base: KnowledgeBase) -> None:
    add(base, make("犬只"))
    assert [base.search(text, SearchOptions()) for text in ("", "　，。？", "qwertyuiop")] == [[], [], []]


@pytest.mark.parametrize("vectors", ["edge", ":memory:"])
def test_searches_meanwhile_never_fail_and_never_see_half_a_document(
    small: Config, tmp_path: Path, vectors: str
) -> None:
    documents = [make("登记", title=f"第{n}号通知", articles=6) for n in range(16)]
    done = threading.Event()

    def search(base: KnowledgeBase) -> set[int]:
        """How many articles of a document were ever seen together."""
        seen: set[int] = set()
        while not done.is_set():
            found = find(base, "登记", top=200)
            seen |= {found.count(name) for name in found}
        return seen

    there = changed(small, "storage", vectors=vectors)
    with open_desk(there, tmp_path / "home") as desk, ThreadPoolExecutor(8) as pool:
        add(desk.base, make("登记", title="早先的通知", articles=6))
        searches = [pool.submit(search, desk.base) for _ in range(8)]
        try:
            for document in documents:
                add(desk.base, document)
        finally:
            done.set()
        assert set.union(*[search.result() for search in searches]) == {6}
        assert len(find(desk.base, "登记", top=200)) == 17 * 6


class MeanwhileStore:
    """The real store; its first query runs while half of a document is written, which is published before it ends."""

    def __init__(self, base: KnowledgeBase, document: Document) -> None:
        self._steps, self._store = base._steps, base._steps.index.store
        self._coming = [document]
        self.searches = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def query(
        self, vector: Sparse | Sequence[float], *, where: PointFilter, limit: int
    ) -> list[tuple[str, float]]:
        self.searches += isinstance(vector, Sparse) and where.only is None
        coming, self._coming = self._coming, []
        if not coming:
            return self._store.query(vector, where=where, limit=limit)
        staged = self._steps.stage(coming, "某人")
        words = encode(staged.index, staged.entries)
        self._store.upsert(make_points(staged.entries, words, staged.generation)[:1])
        scored = self._store.query(vector, where=where, limit=limit)
        self._steps.write(staged, lambda: words)
        return scored


def test_a_document_published_during_a_search_is_not_seen_by_half(base: KnowledgeBase) -> None:
    document, real = make("犬只", articles=4), base._steps.index.store
    meanwhile = MeanwhileStore(base, document)
    base._steps.index = replace(base._steps.index, store=meanwhile)  # type: ignore[arg-type]
    assert find(base, "犬只") == [document.id] * 4
    assert meanwhile.searches == 2
    base._steps.index = replace(base._steps.index, store=real)
    assert find(base, "犬只") == [document.id] * 4


def test_two_threads_may_write_at_once(base: KnowledgeBase) -> None:
    documents = [make("登记", title=f"第{n}号办法") for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        for result in [pool.submit(base.add, documents[n::4], publish=True) for n in range(4)]:
            assert result.result().documents == 6
        for result in [pool.submit(base.withdraw, document.id) for document in documents[:12]]:
            result.result()
    assert sorted(set(find(base, "登记"))) == sorted(document.id for document in documents[12:])
    assert base._steps.index.store.count() == base.counts()[2] == 24


# when something is wrong


class FailingStore:
    """The real store, whose next upserts fail as a server that went away does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failing = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def upsert(self, points: Sequence[Point]) -> None:
        if self.failing:
            raise BackendUnavailable("gone")
        self._store.upsert(points)


def broken_while(base: KnowledgeBase, documents: Iterable[Document | FileRead]) -> None:
    real = base._steps.index.store
    base._steps.index = replace(base._steps.index, store=FailingStore(real))  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailable):
        base.add(documents, publish=True)
    base._steps.index = replace(base._steps.index, store=real)


def test_what_failed_half_way_can_be_added_again(base: KnowledgeBase) -> None:
    document = make("犬只")
    broken_while(base, [document])
    assert find(base, "犬只") == []
    add(base, document)
    assert find(base, "犬只") == [document.id] * 2


def test_a_revision_that_failed_does_not_come_back_over_a_later_one(small: Config, tmp_path: Path) -> None:
    on_disk = changed(small, "storage", vectors="edge")
    with open_desk(on_disk, tmp_path / "home") as desk:
        broken_while(desk.base, [make("犬只", source="a.md")])
        later = make("犬证", source="a.md")
        add(desk.base, later)
    with open_desk(on_disk, tmp_path / "home") as desk:
        assert (find(desk.base, "犬只", None), find(desk.base, "犬证")) == ([], [later.id] * 2)


def test_an_index_of_other_terms_is_refused(small: Config, tmp_path: Path) -> None:
    with open_desk(small, tmp_path / "home"):
        pass
    for other in (changed(small, "index", bigrams=False), changed(small, "index", k1=0.9)):
        with pytest.raises(IndexMismatch, match="terms"), open_desk(other, tmp_path / "home"):
            pass
    with open_desk(small, tmp_path / "home"):
        pass


def test_a_home_is_open_in_one_process_at_a_time(small: Config, tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from kb.home import hold_home\n"
            "with hold_home(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()")
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HomeLocked, match=str(other.pid)), open_desk(small, tmp_path / "home"):
            pass
        other.communicate()
    with open_desk(small, tmp_path / "home"):
        pass


def test_a_nearly_full_disk_refuses_writes_and_goes_on_answering(small: Config, tmp_path: Path) -> None:
    on_disk = changed(small, "storage", vectors="edge")
    document, draft = make("犬只"), make("停车", title="停车办法")
    with open_desk(on_disk, tmp_path / "home") as desk:
        add(desk.base, document)
    with open_desk(changed(on_disk, "storage", min_free_mb=10**9), tmp_path / "home") as desk:
        for publish in (True, False):
            with pytest.raises(StorageFull, match="min_free_mb"):
                desk.base.add([draft], publish=publish)
        assert desk.base.counts() == (1, 2, 2)
        assert len(desk.base.documents(list(State))) == 1
        assert find(desk.base, "犬只") == [document.id] * 2


# files


def test_files_that_were_read_whole_are_known_next_time_with_the_same_settings(small: Config, tmp_path: Path) -> None:
    files = [FileRead("a.md", "1" * 64), FileRead("z.zip!/b.md", "2" * 64), FileRead("z.zip", "3" * 64, failed=True)]
    with open_desk(small, tmp_path / "home") as desk:
        desk.base.add([make("犬只"), *files], publish=True)
        assert desk.base.known_files(publish=True) == {"a.md": "1" * 64, "z.zip!/b.md": "2" * 64}
        assert desk.base.known_files(publish=False) == {}
        report = desk.base.add([FileRead("a.md", "4" * 64), replace(files[1], unchanged=True)], publish=True)
        assert report.unchanged_files == 1
    with open_desk(small, tmp_path / "home") as desk:
        assert desk.base.known_files(publish=True) == {"a.md": "4" * 64, "z.zip!/b.md": "2" * 64}
    with open_desk(changed(small, "ingest", chunk_chars=500), tmp_path / "home") as desk:
        assert desk.base.known_files(publish=True) == {}


@pytest.mark.parametrize("batch_chunks", [2, 1000])
def test_a_file_whose_documents_were_not_written_is_not_known(
    small: Config, tmp_path: Path, batch_chunks: int
) -> None:
    """The first batch fails while the next one is read."""
    def items() -> Iterator[Document | FileRead]:
        for n in range(3):
            yield make("犬只", title=f"第{n}号办法")
            yield FileRead(f"{n}.md", f"{n}" * 64)

    with open_desk(changed(small, "ingest", batch_chunks=batch_chunks), tmp_path / "home") as desk:
        broken_while(desk.base, items())
        assert desk.base.known_files(publish=True) == {}
        desk.base.add(items(), publish=True)
        assert len(desk.base.known_files(publish=True)) == 3
        assert desk.base.counts() == (3, 6, 6)
