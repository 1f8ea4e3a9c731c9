"""Opening the SQL database and bringing it to the newest schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import BackendUnavailable, ConfigError, MissingExtra
from kb.schema import HEAD

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def open_database(url: str) -> Engine:
    """An engine on the newest schema.

    Raises `ConfigError` for a URL that names no database we know, `MissingExtra` without its driver, and
    `BackendUnavailable` when the server does not answer or its schema is newer than this program.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    try:
        with engine.connect() as connection:
            version = _version(connection)
    except DBAPIError as error:
        engine.dispose()
        raise BackendUnavailable(
            f"数据库 {engine.url.render_as_string()} 打不开：{error.orig}。请检查 storage.database"
        ) from error
    if version is not None and version > HEAD:
        engine.dispose()
        raise BackendUnavailable(
            f"数据库 {engine.url.render_as_string()} 的结构版本是 {version}，这个程序只认识到 {HEAD}。请升级 PolicyDesk"
        )
    if version != HEAD:
        migrate(engine)
    return engine


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.drivername == "postgresql":  # which driver that means differs between releases of SQLAlchemy
            address = address.set(drivername="postgresql+psycopg")
        return create_engine(address)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "psycopg", "postgres") from error
    except ArgumentError as error:  # also an unknown dialect
        raise ConfigError(
            "storage.database 应为 SQLAlchemy 地址，例如 postgresql://用户:密码@主机/库名，或留空使用 SQLite"
        ) from error


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision``, one transaction per step."""
    from alembic import command  # 0.2 s, needed only when the schema changes
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, int | str | None]]) -> None:
    """Many rows of plain numbers and texts, all with the same keys.

    Handed to the driver as they are: SQLAlchemy's own way asks for each value's type, and takes three times as long.
    """
    if not rows:
        return
    compiled = insert(table).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    if compiled.positiontup is None:
        connection.exec_driver_sql(str(compiled), [dict(row) for row in rows])
    else:
        values = itemgetter(*compiled.positiontup)
        connection.exec_driver_sql(str(compiled), [values(row) for row in rows])


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
