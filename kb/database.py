"""Opening the SQL database and bringing it to the newest schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import BackendUnavailable
from kb.schema import HEAD

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def open_database(url: str) -> Engine:
    """An engine on the newest schema. Raises `BackendUnavailable` when the server does not answer."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    try:
        with engine.connect() as connection:
            version = _version(connection)
    except OperationalError as error:
        raise BackendUnavailable(
            f"数据库 {engine.url.render_as_string()} 打不开：{error.orig}。请检查 storage.database"
        ) from error
    if version != HEAD:
        migrate(engine)
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision``, one transaction per step."""
    from alembic import command  # 0.2 s, needed only when the schema changes
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _sqlite_settings(connection: object, _record: ConnectionPoolEntry) -> None:
    """WAL lets readers go on while one writes; FULL makes an acknowledged commit survive a power cut."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
