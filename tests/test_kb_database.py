"""The migrations make exactly the tables of `kb.schema`, and opening fails with a message to act on."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import BackendUnavailable, ConfigError, MissingExtra, StorageFull
from core.records import Chunk
from kb import lookup
from kb.database import MIGRATIONS, migrate, open_database
from kb.schema import HEAD, metadata


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    engine = open_database(empty_database)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'policydesk.db'}")
    yield engine
    engine.dispose()


def script() -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    return settings


def downgrade(engine: Engine, revision: str) -> None:
    settings = script()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_migrations_make_exactly_the_tables_of_the_schema(engine: Engine) -> None:
    assert differences(engine) == []


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(script()).get_heads() == [HEAD]


def test_every_revision_can_be_taken_back_and_made_again(engine: Engine) -> None:
    downgrade(engine, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    revisions = [step.revision for step in ScriptDirectory.from_config(script()).walk_revisions()]
    for revision in reversed(revisions):
        migrate(engine, revision)
    assert differences(engine) == []


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_older_database_is_brought_up_to_date_with_its_rows(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path / 'policydesk.db'}"
    engine = open_database(url)
    downgrade(engine, revision)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO index_facts VALUES ('terms', 'x')"))
        connection.execute(text(
            "INSERT INTO documents (id, source, state, index_stale, title, rank, public, text) "
            "VALUES ('0123456789abcdef', 'a.md', 'published', 0, '养犬办法', 55, 1, '第一条 无。')"
        ))
        connection.execute(text("INSERT INTO articles VALUES ('0123456789abcdef', 0, 'r', '第一条', '', 4, 6)"))
        connection.execute(text("INSERT INTO chunks VALUES ('fedcba9876543210', '0123456789abcdef', 0, 4, 6)"))
    engine.dispose()
    again = open_database(url)
    with again.connect() as connection:
        assert connection.scalar(text("SELECT value FROM index_facts")) == "x"
        document = lookup.load(connection, "0123456789abcdef")
    assert document is not None
    assert (document.text, document.facts.level, document.fields, document.places) == ("第一条 无。", None, (), ())
    assert document.chunks == (Chunk("fedcba9876543210", "0123456789abcdef", 0, 4, 6),)
    assert differences(again) == []
    again.dispose()


def test_a_database_of_a_newer_program_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BackendUnavailable, match="9999"):
        open_database(str(engine.url))


def test_every_connection_has_foreign_keys_a_write_ahead_log_and_full_sync(sqlite: Engine) -> None:
    with sqlite.connect() as one, sqlite.connect() as two:
        for connection in (one, two):
            settings = [connection.scalar(text(f"PRAGMA {name}"))
                        for name in ("foreign_keys", "journal_mode", "synchronous", "busy_timeout")]
            assert settings == [1, "wal", 2, 10000]


def test_a_full_disk_is_told(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))      # no less than there are
        with pytest.raises(StorageFull, match="已满"):
            connection.execute(text("INSERT INTO files VALUES ('a.md', '', :long)"), {"long": "x" * 1_000_000})


def test_a_mistake_in_sql_is_no_failure_of_the_database(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError, match="nothing_there"):
        connection.execute(text("SELECT nothing_there FROM documents"))


def test_an_article_without_its_document_is_refused(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO articles VALUES ('0123456789abcdef', 0, 'r', 'a', '', 0, 1)"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "policydesk.db").write_bytes(b"not a database" * 100)
    with pytest.raises(BackendUnavailable, match=r"policydesk\.db"):
        open_database(f"sqlite:///{tmp_path / 'policydesk.db'}")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="nowhere"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'policydesk.db'}")


@pytest.mark.parametrize("url", ["not an address", "oracel://host/db", "://"])
def test_an_address_that_names_no_database_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.database"):
        open_database(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_postgresql_server_that_cannot_be_reached_says_what_to_do(scheme: str) -> None:
    """With the driver: nothing answers. Without: the command that installs it. Never the password."""
    expected: tuple[type[Exception], str] = (BackendUnavailable, r"storage\.database")
    if importlib.util.find_spec("psycopg") is None:
        expected = MissingExtra, r'psycopg is not installed.*\[postgres\]'
    with pytest.raises(expected[0], match=expected[1]) as caught:
        open_database(f"{scheme}://someone:geheim@127.0.0.1:1/policies")
    assert "geheim" not in str(caught.value)


def test_the_sqlite_of_this_machine_binds_what_a_batch_needs() -> None:
    """`known` binds one value per document of a batch, at most ingest.batch_chunks."""
    connection = sqlite3.connect(":memory:")
    assert connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) >= 32_766
    connection.close()
