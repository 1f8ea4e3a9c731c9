"""A real PostgreSQL server for tests, thrown away afterwards: the machine's own program on a socket of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypedDict

from sqlalchemy import create_engine

from kb.database import open_database
from kb.schema import metadata

MISSING = "no PostgreSQL server program is here; on Debian: apt-get install postgresql"
_ACCOUNTS = ("postgres", "nobody")      # the server refuses to run as root


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, of the newest release that is here."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass
class Server:
    """One that runs."""

    programs: Path
    folder: Path
    fsync: bool
    number: Iterator[int] = field(default_factory=lambda: count(1))

    def address(self, database: str) -> str:
        return f"postgresql://policydesk@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The address of a database without tables."""
        name = f"test_{next(self.number)}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
        return self.address(name)

    def emptied_database(self) -> str:
        """The address of the one with tables; whoever used it before has closed it. A new one each time takes 0.5 s."""
        names = ", ".join(metadata.tables)
        self.execute("shared", f"TRUNCATE {names}", "INSERT INTO counters (key, number) VALUES ('commits', 0)")
        return self.address("shared")

    def execute(self, database: str, *statements: str) -> None:
        engine = create_engine(self.address(database).replace("postgresql", "postgresql+psycopg", 1))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def make_shared(self) -> None:
        self.execute("postgres", "CREATE DATABASE shared TEMPLATE template0")
        open_database(self.address("shared")).dispose()

    def start(self) -> None:
        settings = {
            "listen_addresses": "", "unix_socket_directories": self.folder, "shared_buffers": "32MB",
            "fsync": "on" if self.fsync else "off", "max_connections": 60, "lc_messages": "C",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self.run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        self.run("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Stopped and removed in the end, also when the tests are killed: a shell waits for its input to end."""
        clean = f"read _; '{self.programs}/pg_ctl' -D '{self.data}' -m immediate -w stop; rm -rf '{self.folder}'"
        with subprocess.Popen(
            ["/bin/sh", "-c", clean], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, **_as_account(),
        ):
            yield

    def run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.programs / program, *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
            **_as_account(),
        )

    @property
    def data(self) -> Path:
        return self.folder / "data"


@contextmanager
def running(*, fsync: bool = False) -> Iterator[Server]:
    """A new server. `programs` must not be None."""
    there = programs()
    assert there is not None
    # Not below pytest's folder, which is for its own user only; and a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="policydesk-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _account())
    server = Server(there, folder, fsync)
    with server.guarded():
        server.run("initdb", "-D", server.data, "-U", "policydesk", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        server.start()
        server.make_shared()
        yield server


class _User(TypedDict):
    user: str | None
    group: int | None
    extra_groups: list[int] | None


def _as_account() -> _User:
    """Of whom the server's processes are."""
    if os.geteuid() != 0:
        return {"user": None, "group": None, "extra_groups": None}
    name = _account()
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _account() -> str:
    return next(name for name in _ACCOUNTS if name in _names())


def _names() -> Sequence[str]:
    return [entry.pw_name for entry in pwd.getpwall()]
