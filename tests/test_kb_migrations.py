"""A database of the first release comes to the newest schema with its rows, step by step, and through every kill.

The killing is done by kb_migration_writer.py in a process of its own for each kind of database.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from core.config import Config
from core.records import SearchOptions, State
from kb.database import MIGRATIONS, migrate, open_database
from kb.schema import HEAD, metadata
from policydesk.app import open_desk, reindex_home
from tests.conftest import DATABASES
from tests.crash_trials import Trial, run_trials
from tests.kb_migration_writer import driver
from tests.old_database import DOCUMENTS, fill, hashes

STATEMENTS = 70          # of an upgrade from 0001; fewer: they are not watched any more


@pytest.fixture
def oldest(empty_database: str) -> Iterator[Engine]:
    """Of the first release, with rows."""
    engine = create_engine(driver(empty_database))
    migrate(engine, "0001")
    fill(engine)
    yield engine
    engine.dispose()


def rows(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return hashes(connection)


def revisions() -> list[str]:
    """From the second to the newest."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    steps = ScriptDirectory.from_config(settings).walk_revisions()
    return [step.revision for step in reversed(list(steps))][1:]


def test_every_step_keeps_every_row(oldest: Engine) -> None:
    first = rows(oldest)
    after = {}
    for revision in revisions():
        migrate(oldest, revision)
        after[revision] = rows(oldest)
    assert list(after)[-1] == HEAD
    assert {revision: seen for revision, seen in after.items() if seen != first} == {}


def test_an_upgraded_database_has_exactly_the_tables_of_the_schema(oldest: Engine, empty_database: str) -> None:
    engine = open_database(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexes = {index["name"] for name in metadata.tables for index in inspect(connection).get_indexes(name)}
    engine.dispose()
    assert indexes == {index.name for table in metadata.sorted_tables for index in table.indexes}


def test_the_documents_of_an_old_database_are_found_once_it_is_reindexed(
    oldest: Engine, empty_database: str, config: Config, tmp_path: Path
) -> None:
    """Its index has the terms of then, and is made again from the rows."""
    storage = {"database": empty_database, "vectors": ":memory:", "min_free_mb": 0}
    config = config.model_copy(update={
        "storage": config.storage.model_copy(update=storage),
        "index": config.index.model_copy(update={"embedder": "none"}),
    })
    done = reindex_home(config, tmp_path / "home", lambda there, coming: None)
    assert done is not None
    assert done.written == 2 * DOCUMENTS - 2
    with open_desk(config, tmp_path / "home") as desk:
        assert desk.base.counts() == (DOCUMENTS - 1, 2 * DOCUMENTS - 2, 2 * DOCUMENTS - 2)
        hits = desk.base.search("犬只登记之7", SearchOptions(top=1))
        assert [(hit.document.id, hit.document.state) for hit in hits] == [(f"{7:016x}", State.PUBLISHED)]


@pytest.fixture(scope="module", params=DATABASES)
def trials(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    return run_trials("kb_migration_writer.py", [request.param], tmp_path_factory)[request.param]


def test_an_upgrade_was_killed_before_each_of_its_statements_and_then_came_through(trials: list[Trial]) -> None:
    assert [trial["ended"] for trial in trials] == [0, *[-9] * (len(trials) - 2), 0]
    assert len(trials) > STATEMENTS


def test_a_killed_upgrade_leaves_the_old_schema_or_the_new_one(trials: list[Trial]) -> None:
    assert {trial["version"] for trial in trials[:-1]} <= {"0001", HEAD}
    assert trials[-1]["version"] == HEAD


def test_no_kill_changes_a_row(trials: list[Trial]) -> None:
    assert [trial["step"] for trial in trials if trial["rows"] != trials[0]["rows"]] == []
    assert trials[0]["rows"]["documents"].startswith(f"{DOCUMENTS} ")
