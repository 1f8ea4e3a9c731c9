"""What the tests share: an overlay-free configuration, small builders, and the sample documents ingested once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Config, load_config
from policydesk.app import Desk, open_desk
from tests import postgres

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "data_samples"
SHARED = ROOT.parent / "shared"

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real data folder ../shared is not here")


needs_postgres = pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING)
DATABASES = ["sqlite", pytest.param("postgresql", marks=needs_postgres)]


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def sample_desk(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The sample documents of the invented city, published. Shared: do not write to it."""
    with open_desk(config, tmp_path_factory.mktemp("sample-home")) as desk:
        desk.ingest([SAMPLES / "policies"], publish=True, on_bytes=lambda count: None)
        yield desk


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Started by the first test that needs it."""
    with postgres.running() as server:
        yield server


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'policydesk.db'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(params=DATABASES)
def each_database(request: pytest.FixtureRequest, config: Config) -> Config:
    """SQLite in the home, then an empty PostgreSQL database.

    The latter is searched by words only: to open the models takes four times as long as all the rest of a small home.
    """
    if request.param == "sqlite":
        return config
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return config.model_copy(update={
        "storage": config.storage.model_copy(update={"database": server.emptied_database()}),
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"terms": False}),
    })
