"""Checkpoints of the log: lines of JSON in a file outside the database, each signed.

A chain of hashes shows a change in its middle, but not that its end was cut off, nor that all of it was written
anew. A checkpoint says which row had which hash at a time; whoever cannot write its file, or does not know the key,
cannot hide either. Beside the file lies another one with the newest place alone, written after every commit.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from core.config import AuditConfig
from core.errors import PolicyDeskError
from kb.log.audit import Place, newest, utc_now
from kb.schema import audit

EVERY = 1000                     # rows: after so many a checkpoint is made
_HEAD = ".head"                  # ending of the file with the newest place


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log was at a moment."""

    seq: int
    hash: str
    count: int                   # rows that the table held
    at: str
    purge: bool = False          # the rows up to this one may be gone
    key: str = ""                # which key signed it; empty: none
    signature: str = ""

    @property
    def place(self) -> Place:
        return Place(self.seq, self.hash)


class Checkpoints:
    """The checkpoints of one base. One thread at a time may call it."""

    def __init__(self, path: Path, key: str) -> None:
        """Nothing is read or written yet."""
        self.path = path
        self._key = key
        self._opened = False                 # the next two are read
        self._noted: Place | None = None     # the newest place that a file holds
        self._line_seq = 0                   # of the newest checkpoint

    @property
    def head_path(self) -> Path:
        return self.path.with_name(self.path.name + _HEAD)

    @property
    def key_name(self) -> str:
        """Tells keys apart without giving one away."""
        return hashlib.sha256(f"audit key {self._key}".encode()).hexdigest()[:8] if self._key else ""

    def read(self) -> list[Checkpoint]:
        """Every line, and the newest place last. Raises `PolicyDeskError` for a file that is none of ours."""
        return [*_read(self.path), *_read(self.head_path)]

    def make(self, connection: Connection) -> Checkpoint | None:
        """Write one now; None for an empty log. Raises `PolicyDeskError` when the file cannot be written."""
        place = newest(connection)
        if place is None:
            return None
        checkpoint = self._signed(_now(connection, place))
        try:
            self._append(checkpoint)
        except OSError as error:
            raise PolicyDeskError(
                f"写不了检查点文件 {self.path}：{error.strerror}。请检查 audit.checkpoints"
            ) from error
        return checkpoint

    def allow_purge(self, connection: Connection, through: Place) -> Checkpoint:
        """Where the chain begins once the rows up to ``through`` are gone."""
        checkpoint = self._signed(replace(_now(connection, through), purge=True))
        try:
            self._append(checkpoint)
        except OSError as error:
            raise PolicyDeskError(
                f"写不了检查点文件 {self.path}：{error.strerror}。没有删除任何日志；请检查 audit.checkpoints"
            ) from error
        return checkpoint

    def keep_up(self, connection: Connection, *, least: int = EVERY) -> bool:
        """After a commit: note the newest place; make a checkpoint when ``least`` rows have come since the last.

        False when a file cannot be written, which stops nobody. Where the log has lost what was noted before, nothing
        is noted any more, so that `kb.log.audit_check.check` finds it.
        """
        place = newest(connection)
        try:
            if place is None or not self._continues(connection):
                return place is None
            if place.seq - self._line_seq >= least:
                self._append(self._signed(_now(connection, place)))
            if self._noted != place:
                self._write_head(self._signed(Checkpoint(place.seq, place.hash, 0, utc_now().isoformat())))
                self._noted = place
        except (OSError, PolicyDeskError):
            return False
        return True

    def genuine(self, checkpoint: Checkpoint) -> bool:
        """Whether the key of now signed it."""
        return hmac.compare_digest(self._signed(checkpoint).signature, checkpoint.signature)

    def _signed(self, checkpoint: Checkpoint) -> Checkpoint:
        bare = asdict(replace(checkpoint, key=self.key_name, signature=""))
        text = json.dumps(bare, sort_keys=True).encode()
        signature = hmac.new(self._key.encode(), text, hashlib.sha256).hexdigest() if self._key else ""
        return replace(checkpoint, key=self.key_name, signature=signature)

    def _continues(self, connection: Connection) -> bool:
        """Whether the log still holds the newest place that was noted, in this process or before."""
        if not self._opened:
            lines = _read(self.path)
            self._line_seq = max((line.seq for line in lines), default=0)
            head = _read(self.head_path)
            if not all(_holds(connection, line.place) for line in [*lines[-1:], *head] if not line.purge):
                return False
            # One that another key signed is written anew.
            self._noted = head[0].place if head and head[0].key == self.key_name else None
            self._opened = True
        return self._noted is None or _holds(connection, self._noted)

    def _append(self, checkpoint: Checkpoint) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        self._line_seq = max(checkpoint.seq, self._line_seq)

    def _write_head(self, checkpoint: Checkpoint) -> None:
        """Whole or not at all; not waited for, since a lost one only loses the newest place."""
        partial = self.head_path.with_name(self.head_path.name + ".partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_line(checkpoint), encoding="utf-8")
        partial.replace(self.head_path)


def _holds(connection: Connection, place: Place) -> bool:
    return connection.scalar(select(audit.c.hash).where(audit.c.seq == place.seq)) == place.hash


def _now(connection: Connection, place: Place) -> Checkpoint:
    first = connection.scalar(select(func.min(audit.c.seq))) or place.seq
    return Checkpoint(place.seq, place.hash, place.seq - first + 1, utc_now().isoformat())


def _line(checkpoint: Checkpoint) -> str:
    return json.dumps(asdict(checkpoint)) + "\n"


def _read(path: Path) -> Sequence[Checkpoint]:
    """A last line that a crash cut short is passed over."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyDeskError(f"检查点文件 {path} 读不出来。请检查 audit.checkpoints 指向的文件") from error
    found = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            found.append(Checkpoint(**json.loads(line)))
        except (TypeError, json.JSONDecodeError) as error:
            raise PolicyDeskError(f"{path}:{number} 不是检查点。文件可能被改动过，请用备份核对") from error
    return found


def checkpoints_of(config: AuditConfig, home: Path) -> Checkpoints:
    """In the file that is configured, else in the home folder."""
    path = Path(config.checkpoints) if config.checkpoints else home / "audit-checkpoints.jsonl"
    return Checkpoints(path, config.key.get_secret_value())
