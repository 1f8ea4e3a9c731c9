"""Opening the SQL database and bringing it to the newest schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import BackendUnavailable, ConfigError, MissingExtra, PolicyDeskError, StorageFull
from kb import postgres
from kb.schema import HEAD

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

_DISK_FULL = "53100"     # as PostgreSQL numbers it
_SQLITE_FAILURES = (     # other numbers are mistakes in SQL
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
)


@contextmanager
def held_database(url: str) -> Iterator[Engine]:
    """`open_database`, and nobody else can hold the database meanwhile. Raises `HomeLocked`, too.

    A SQLite file is not held: it lies in a home folder, which is.
    """
    engine = _engine(url)
    try:
        with ExitStack() as held:
            if engine.dialect.name == "postgresql":
                held.enter_context(postgres.hold(engine, _bring_up))
            else:
                _bring_up(engine)
            yield engine
    finally:
        engine.dispose()


def open_database(url: str) -> Engine:
    """An engine on the newest schema, for who looks on.

    Raises `ConfigError` for a URL that names no database we know, `MissingExtra` without its driver, and
    `BackendUnavailable` when the server does not answer or its schema is newer than this program.
    """
    engine = _engine(url)
    try:
        _bring_up(engine)
    except PolicyDeskError:
        engine.dispose()
        raise
    return engine


def open_unchanged(url: str) -> Engine:
    """An engine on the schema as it is, for who copies it."""
    return _engine(url)


def _bring_up(engine: Engine) -> None:
    shown = engine.url.render_as_string()
    if engine.dialect.name == "postgresql":
        postgres.check_encoding(engine)
    try:
        with engine.connect() as connection:
            version = _version(connection)
    except DBAPIError as error:
        raise BackendUnavailable(f"数据库 {shown} 打不开：{error.orig}。请检查 storage.database") from error
    if version is not None and version > HEAD:
        raise BackendUnavailable(
            f"数据库 {shown} 的结构版本是 {version}，这个程序只认识到 {HEAD}。请升级 PolicyDesk"
        )
    if version != HEAD:
        migrate(engine)


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() != "postgresql":
            engine = create_engine(address)
        else:
            if address.drivername == "postgresql":  # which driver that means differs between releases of SQLAlchemy
                address = address.set(drivername="postgresql+psycopg")
            settings = {key: value for key, value in postgres.CONNECTING.items() if key not in address.query}
            # A ping before each use takes 0.1 ms, and a restarted server fails no question.
            engine = create_engine(address, connect_args=settings, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "psycopg", "postgres") from error
    except ArgumentError as error:  # also an unknown dialect
        raise ConfigError(
            "storage.database 应为 SQLAlchemy 地址，例如 postgresql://用户:密码@主机/库名，或留空使用 SQLite"
        ) from error
    event.listen(engine, "handle_error", partial(_as_ours, engine.url.render_as_string()))
    if engine.dialect.name == "postgresql":
        postgres.prepare(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    return engine


def _as_ours(address: str, failed: ExceptionContext) -> None:
    """A database that cannot do its work raises `StorageFull` or `BackendUnavailable`; mistakes of ours stay."""
    if failed.is_pre_ping or not isinstance(failed.sqlalchemy_exception, OperationalError):
        return       # after a failed ping SQLAlchemy connects anew
    cause = failed.original_exception
    number = getattr(cause, "sqlite_errorcode", None)
    if number is not None and number & 0xFF not in _SQLITE_FAILURES:
        return
    if number == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == _DISK_FULL:
        raise StorageFull(f"数据库 {address} 所在磁盘已满：{cause}。没有写入任何内容；请清理磁盘后重试") from cause
    raise BackendUnavailable(
        f"数据库 {address} 没有正常应答：{cause}。请检查 storage.database 和数据库的状态"
    ) from cause


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision`` in one transaction: a program that is killed meanwhile leaves it as it was."""
    from alembic import command  # 0.2 s, needed only when the schema changes
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":      # whose driver begins none for CREATE and ALTER
            connection.exec_driver_sql("BEGIN IMMEDIATE")
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
