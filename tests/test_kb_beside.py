"""Documents added beside a desk that answers: found all at once when their copy takes over, whatever the desk does.

The adding side runs in a thread here, over the pipe that leads to another process otherwise.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest

from core.config import Config
from core.records import Document, Facts, Rank, SearchOptions
from ingest.document import make_document
from kb import catalogue
from kb.index import BESIDE
from kb.steps import encode
from kb.upkeep.beside import CopySteps, LentLock, Line
from kb.upkeep.beside_host import Host
from policydesk.app import Desk, open_desk
from tests.conftest import needs_postgres
from tests.postgres import Server


@pytest.fixture
def plain(config: Config) -> Config:
    return without_models(config)


def without_models(config: Config) -> Config:
    return config.model_copy(update={
        "storage": config.storage.model_copy(update={"min_free_mb": 0}),
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"terms": False}),
    })


@dataclass
class Beside:
    """A desk, and what adds documents beside it."""

    desk: Desk
    steps: CopySteps
    line: Line
    pipe: Pipe
    hosting: threading.Thread
    told: list[tuple[int, int, str]]

    def write(self, *documents: Document) -> None:
        """As far as the copy."""
        staged = self.steps.stage(documents, "王芳")
        self.steps.write(staged, lambda: encode(staged.index, staged.entries))

    def found(self, word: str) -> list[str]:
        return sorted(hit.document.source for hit in self.desk.base.search(word, SearchOptions()) if word in hit.text)

    def is_whole(self) -> bool:
        """The index holds what is published, and nothing else."""
        return self.desk.base.steps.index.store.count() == self.desk.base.counts()[2]


@pytest.fixture
def beside(plain: Config, tmp_path: Path) -> Iterator[Beside]:
    with opened_beside(plain, tmp_path / "home") as opened:
        yield opened


@contextmanager
def opened_beside(config: Config, home: Path) -> Iterator[Beside]:
    with open_desk(config, home) as desk, ExitStack() as opened:
        desk.base.add([document("犬只"), document("车位")], publish=True)
        here, there = multiprocessing.Pipe()
        told: list[tuple[int, int, str]] = []
        host = Host(desk.index_settings, desk.base.steps, desk.base.editing, lambda *step: told.append(step))

        def serve() -> None:
            with closing(host), suppress(EOFError):
                host.serve(here)

        thread = threading.Thread(target=serve)
        thread.start()
        opened.callback(thread.join)
        opened.callback(there.close)
        line = Line(there)
        steps = CopySteps(desk.index_settings, engine=desk.base.steps.engine, line=line)
        yield Beside(desk, steps, line, there, thread, told)


def document(word: str, *, source: str = "", articles: int = 2) -> Document:
    body = "\n".join(f"第{'一二三四五'[n]}条 {word}的事项之{n}，由主管部门办理。" for n in range(articles))
    facts = Facts(f"{word}办法", rank=Rank.LOCAL_RULE)
    return make_document(facts, f"{word}办法\n{body}", source or f"{word}.md", name=None, chunk_chars=1200)


def folders(desk: Desk) -> list[str]:
    return sorted(path.name for path in desk.index_settings.home.glob("vectors*"))


def test_what_is_written_is_found_once_the_copy_takes_over_and_not_before(beside: Beside) -> None:
    beside.write(document("燃气"))
    beside.write(document("供水"))
    assert (beside.found("燃气"), beside.found("供水")) == ([], [])
    beside.steps.complete()
    assert (beside.found("燃气"), beside.found("供水")) == (["燃气.md"] * 2, ["供水.md"] * 2)
    assert beside.found("犬只") == ["犬只.md"] * 2
    assert beside.is_whole()


@needs_postgres
def test_the_same_holds_on_postgresql(postgres_server: Server, config: Config, tmp_path: Path) -> None:
    storage = config.storage.model_copy(update={"database": postgres_server.emptied_database()})
    with opened_beside(without_models(config.model_copy(update={"storage": storage})), tmp_path / "home") as beside:
        beside.write(document("燃气"), document("犬证", source="犬只.md"))
        beside.desk.base.withdraw(document("车位").id)
        assert beside.found("燃气") == []
        assert beside.steps.complete() == 1
        assert [len(beside.found(word)) for word in ("燃气", "犬证", "犬只", "车位")] == [2, 2, 0, 0]
        assert beside.is_whole()


def test_only_the_index_that_answers_is_left(beside: Beside) -> None:
    for word in ("燃气", "供水"):
        beside.write(document(word))
        beside.steps.complete()
    assert folders(beside.desk) == [f"vectors-{beside.desk.base.steps.index.place}"]


def test_a_revision_takes_the_place_of_the_published_one(beside: Beside) -> None:
    beside.write(document("犬证", source="犬只.md"))
    assert beside.found("犬只") == ["犬只.md"] * 2
    assert beside.steps.complete() == 1
    assert (beside.found("犬只"), beside.found("犬证")) == ([], ["犬只.md"] * 2)
    assert beside.is_whole()


def test_what_the_desk_withdraws_and_adds_meanwhile_is_in_the_new_index_too(beside: Beside) -> None:
    beside.write(document("燃气"))
    beside.desk.base.withdraw(document("车位").id)
    beside.desk.base.add([document("路灯")], publish=True)
    beside.steps.complete()
    words = ("燃气", "车位", "路灯", "犬只")
    assert [len(beside.found(word)) for word in words] == [2, 0, 2, 2]
    assert beside.is_whole()


def test_what_was_added_and_withdrawn_before_comes_back_with_the_copy(beside: Beside) -> None:
    beside.write(document("燃气"))
    beside.desk.base.add([document("路灯")], publish=True)
    beside.desk.base.withdraw(document("路灯").id)
    beside.write(document("路灯"))
    beside.steps.complete()
    assert beside.found("路灯") == ["路灯.md"] * 2
    assert beside.is_whole()


def test_a_later_revision_of_what_waits_makes_the_copy_take_over(beside: Beside) -> None:
    beside.write(document("燃气"))
    beside.write(document("天然气", source="燃气.md"))
    assert beside.found("燃气") == ["燃气.md"] * 2
    assert beside.steps.complete() == 1
    assert (beside.found("燃气"), beside.found("天然气")) == ([], ["燃气.md"] * 2)


def test_the_desk_gets_a_source_that_waits_as_soon_as_the_adding_tells_of_itself(beside: Beside) -> None:
    beside.write(document("燃气"))
    later = document("天然气", source="燃气.md")
    editor = threading.Thread(target=beside.desk.base.add, args=([later],), kwargs={"publish": True})
    editor.start()
    while editor.is_alive():
        beside.steps.step(1, 2, "燃气.md")
    assert (beside.found("燃气"), beside.found("天然气")) == ([], ["燃气.md"] * 2)
    assert (1, 2, "燃气.md") in beside.told
    assert beside.is_whole()


def test_files_are_remembered_once_what_came_before_them_is_published(beside: Beside) -> None:
    done: list[str] = []
    beside.steps.when_published(lambda: done.append("at once"))
    beside.write(document("燃气"))
    beside.steps.when_published(lambda: done.append("later"))
    assert done == ["at once"]
    beside.steps.complete()
    assert done == ["at once", "later"]


def test_a_lent_lock_keeps_the_desk_out(beside: Beside) -> None:
    turn = beside.desk.base.steps.turn
    with LentLock(beside.line, "turn"):
        assert not turn.acquire(blocking=False)
    assert turn.acquire(timeout=5)
    turn.release()


def test_an_adding_that_dies_leaves_no_lock_no_name_and_no_copy(beside: Beside) -> None:
    beside.write(document("燃气"))
    LentLock(beside.line, "turn").__enter__()
    beside.pipe.close()
    beside.hosting.join()
    beside.desk.base.add([document("燃气", articles=3)], publish=True)
    assert len(beside.found("燃气")) == 3
    assert len(folders(beside.desk)) == 1


def test_a_copy_that_a_crash_left_behind_is_removed_and_what_waited_is_published(
    plain: Config, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with open_desk(plain, home) as desk:
        desk.base.steps.stage([document("燃气")], "王芳")
        with desk.base.steps.engine.begin() as connection:
            catalogue.write_index_facts(connection, {BESIDE: "abc"})
    for name in ("vectors-abc", "vectors-abc.new"):
        (home / name).mkdir()
    with open_desk(plain, home) as desk:
        assert len(folders(desk)) == 1
        assert len(desk.base.search("燃气", SearchOptions())) == 2
