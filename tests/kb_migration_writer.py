"""Run by test_kb_migrations.py in a clean process: kill an upgrade with SIGKILL before its n-th statement, for every n.

Each kill is followed by a look from outside. All go on in one database, which so is opened again after each of them.
Prints one JSON line per trial.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, event, make_url
from sqlalchemy import text as sql

from kb import database
from tests import postgres
from tests.kb_crash_writer import Killer, in_fork
from tests.old_database import fill, hashes


@contextmanager
def address(folder: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'policydesk.db'}"
    else:
        with postgres.running() as server:
            yield server.new_database()


def upgrade(url: str, kill: Killer) -> None:
    made = database._engine

    def watched(url: str) -> database.Engine:
        engine = made(url)
        event.listen(engine, "before_cursor_execute", lambda *_: kill())
        event.listen(engine, "commit", lambda _: kill())
        return engine

    database._engine = watched
    database.open_database(url).dispose()


def prepare(url: str) -> None:
    engine = create_engine(driver(url))
    database.migrate(engine, "0001")
    fill(engine)
    engine.dispose()


def look(url: str) -> dict[str, object]:
    engine = create_engine(driver(url))
    with engine.connect() as connection:
        version = connection.scalar(sql("SELECT version_num FROM alembic_version"))
        seen = hashes(connection)
    engine.dispose()
    return {"version": version, "rows": seen}


def driver(url: str) -> str:
    return make_url(url).render_as_string(hide_password=False).replace("postgresql:", "postgresql+psycopg:")


def trials(url: str) -> Iterator[dict[str, object]]:
    prepare(url)
    yield {"step": 0, "ended": 0, **look(url)}
    step, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        step += 1
        ended = in_fork(partial(upgrade, url, Killer(step)))
        yield {"step": step, "ended": ended, **look(url)}


if __name__ == "__main__":
    with address(Path(sys.argv[1]), sys.argv[2]) as url:
        for trial in trials(url):
            sys.stdout.write(json.dumps(trial) + "\n")
            sys.stdout.flush()
