"""A PostgreSQL database belongs to one program at a time, however the one before ended, and its failures are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from core.config import Config
from core.errors import BackendUnavailable, HomeLocked, StorageFull
from core.numerals import chinese_number
from core.records import Document, Facts, SearchOptions
from ingest.document import make_document
from kb.database import held_database, open_database
from kb.upkeep.doctor import examine, repair
from policydesk.app import Desk, open_desk
from policydesk.ops import back_up, open_case, restore_home
from tests.conftest import ROOT, needs_postgres
from tests.postgres import Server, running

pytestmark = needs_postgres
HOLDING = """
import sys
from kb.database import held_database
with held_database(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """One that a test may stop."""
    with running() as started:
        yield started


def with_database(config: Config, address: str) -> Config:
    storage = {"database": address, "vectors": ":memory:", "min_free_mb": 0}
    return config.model_copy(update={
        "storage": config.storage.model_copy(update=storage),
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"terms": False}),
    })


@pytest.fixture
def address(postgres_server: Server) -> str:
    return postgres_server.emptied_database()


@pytest.fixture
def other_program(address: str) -> Iterator[subprocess.Popen[str]]:
    """That holds the database."""
    command = [sys.executable, "-c", HOLDING, address]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other


def dogs() -> Document:
    return make_document(Facts("养犬办法"), "养犬办法\n第一条 犬只登记。", "a.md", name=None, chunk_chars=1200)


@contextmanager
def desk_with_dogs(config: Config, home: Path) -> Iterator[Desk]:
    with open_desk(config, home) as desk:
        desk.base.add([dogs()], publish=True)
        yield desk


def found(desk: Desk) -> int:
    return len(desk.base.search("犬只登记", SearchOptions()))


def test_a_database_that_another_program_holds_is_refused_and_names_it(
    config: Config, address: str, other_program: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Each has a home of its own."""
    with pytest.raises(HomeLocked, match=rf"policydesk \S+ {other_program.pid}"):
        with open_desk(with_database(config, address), tmp_path / "home"):
            pass
    other_program.communicate()
    with desk_with_dogs(with_database(config, address), tmp_path / "home") as desk:
        assert found(desk) == 1


def test_a_database_whose_program_was_killed_opens_again(
    config: Config, address: str, other_program: subprocess.Popen[str], tmp_path: Path
) -> None:
    os.kill(other_program.pid, signal.SIGKILL)
    with open_desk(with_database(config, address), tmp_path / "home") as desk:
        assert found(desk) == 0


def test_who_looks_on_is_not_kept_out(address: str) -> None:
    with held_database(address):
        engine = open_database(address)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT number FROM counters WHERE key = 'opened'")) == 1
        engine.dispose()


def test_many_connections_at_once_belong_to_the_same_program(address: str) -> None:
    with held_database(address) as engine, engine.connect() as one, engine.connect() as two:
        assert {one.scalar(text("SELECT 1")), two.scalar(text("SELECT 1"))} == {1}
    with held_database(address):       # and none of them is left behind
        pass


def test_a_restarted_server_is_used_again_and_still_held(config: Config, server: Server, tmp_path: Path) -> None:
    address = server.emptied_database()
    with desk_with_dogs(with_database(config, address), tmp_path / "home") as desk:
        server.stop()
        with pytest.raises(BackendUnavailable, match=r"storage\.database"):
            found(desk)
        server.start()
        assert found(desk) == 1
        with pytest.raises(HomeLocked), held_database(address):
            pass


def test_who_lost_the_database_to_another_program_does_not_touch_it_again(
    config: Config, server: Server, tmp_path: Path
) -> None:
    address = server.emptied_database()
    with desk_with_dogs(with_database(config, address), tmp_path / "home") as desk:
        server.stop()
        server.start()
        with held_database(address):
            pass
        for _ in range(2):
            with pytest.raises(HomeLocked, match="另一个程序"):
                found(desk)


def test_what_was_acknowledged_is_there_after_a_crash_of_the_server(config: Config, tmp_path: Path) -> None:
    with running(fsync=True) as server:
        settings = with_database(config, server.emptied_database())
        with desk_with_dogs(settings, tmp_path / "home"):
            server.stop("immediate")       # as a crash: its log is read again at the start
        server.start()
        with open_desk(settings, tmp_path / "home") as desk:
            assert found(desk) == 1


def test_a_full_disk_of_the_server_is_told(address: str) -> None:
    """As the server itself tells it: the error of this number."""
    with held_database(address) as engine, engine.connect() as connection:
        with pytest.raises(StorageFull, match="已满"):
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"))


def test_a_database_that_cannot_keep_chinese_is_refused(postgres_server: Server) -> None:
    postgres_server.execute("postgres", "CREATE DATABASE ascii_only ENCODING 'SQL_ASCII' TEMPLATE template0")
    with pytest.raises(BackendUnavailable, match=r"SQL_ASCII.*UTF8"):
        open_database(postgres_server.address("ascii_only"))


def test_a_database_that_is_not_there_is_named(postgres_server: Server) -> None:
    with pytest.raises(BackendUnavailable, match="nowhere"), held_database(postgres_server.address("nowhere")):
        pass


def test_the_index_of_a_home_that_was_overtaken_by_another_home_is_made_again(
    config: Config, address: str, tmp_path: Path
) -> None:
    settings = with_database(config, address)
    settings = settings.model_copy(update={"storage": settings.storage.model_copy(update={"vectors": "edge"})})
    water = make_document(Facts("供水办法"), "供水办法\n第一条 犬只不得入内。", "b.md", name=None, chunk_chars=1200)
    with desk_with_dogs(settings, tmp_path / "one"):
        pass
    with open_desk(settings, tmp_path / "two") as desk:
        desk.base.withdraw(dogs().id, "某人")
        desk.base.add([water], publish=True)
    with open_desk(settings, tmp_path / "one") as desk:
        assert [hit.document.id for hit in desk.base.search("犬只", SearchOptions())] == [water.id]
        assert desk.base._steps.index.store.count() == 1
        kept = (tmp_path / "one" / "vectors").stat().st_ino
    with open_desk(settings, tmp_path / "one"):
        assert (tmp_path / "one" / "vectors").stat().st_ino == kept


def test_the_server_has_counted_its_rows_after_a_large_ingest(config: Config, address: str, tmp_path: Path) -> None:
    """Else the searches of the first minute take bad plans."""
    lines = ["养犬办法", *(f"第{chinese_number(n)}条 犬只登记之{n}。" for n in range(1, 1201))]
    long = make_document(Facts("养犬办法"), "\n".join(lines), "a.md", name=None, chunk_chars=1200)
    with open_desk(with_database(config, address), tmp_path / "home") as desk:
        desk.base.add([long], publish=True)
        with desk.base._engine.connect() as connection:
            counted = connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'chunks'"))
    assert counted == len(long.chunks) == 1200


def test_a_doctor_finds_and_repairs_what_is_wrong_in_the_tables(config: Config, address: str, tmp_path: Path) -> None:
    settings = with_database(config, address)
    settings = settings.model_copy(update={"storage": settings.storage.model_copy(update={"vectors": "edge"})})
    with desk_with_dogs(settings, tmp_path / "home") as desk, desk.base._engine.begin() as connection:
        for statement in ("DELETE FROM names", "DELETE FROM bands", "UPDATE chunks SET point = '0123456789abcdef'",
                          "DROP INDEX articles_ref"):
            connection.execute(text(statement))
    with open_case(settings, tmp_path / "home", lambda done, total: None) as case:
        wrong = examine(case, deep=True)
        assert {"names_wrong", "bands_wrong", "sql_index_missing"} <= {one.code for one in wrong}
        assert repair(case, wrong, "某人") == []
    with open_desk(settings, tmp_path / "home") as desk:
        assert found(desk) == 1


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
@pytest.mark.parametrize("out_of", ["sqlite", "postgresql"])
def test_a_backup_of_either_database_is_restored_into_either(
    config: Config, postgres_server: Server, tmp_path: Path, out_of: str, into: str
) -> None:
    addresses = {"sqlite": lambda: "", "postgresql": postgres_server.new_database}
    settings = with_database(config, addresses[out_of]())
    with desk_with_dogs(settings, tmp_path / "home"):
        back_up(settings, tmp_path / "home", tmp_path / "backup.tar.gz")
    other = with_database(config, addresses[into]())
    restored = restore_home(other, tmp_path / "backup.tar.gz", tmp_path / "other", "某人")
    assert (restored.documents, restored.articles) == (1, 1)
    with open_desk(other, tmp_path / "other") as desk:
        assert found(desk) == 1
