"""What the language model was asked and what it cost: one line a call, a file a day, no word of what was said."""

from __future__ import annotations

import json
import statistics
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.generate_switch import FOLDER

_RECENT = 1000          # calls kept in memory
_NAME = "calls-{}.jsonl"


@dataclass(frozen=True, slots=True)
class Call:
    at: str                        # UTC
    task: str
    prompt: str                    # version of the prompt
    model: str
    step: str                      # ask, repair: the reply was shown once more; read: neither could be read
    fault: str                     # "" when it went well, a `Fault`, or "left": nobody waited for the rest
    tries: int                     # times that the server was asked
    first_seconds: float | None    # to the first piece
    seconds: float                 # in all
    prompt_tokens: int
    reply_tokens: int
    estimated: bool                # the tokens, because the server did not say


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one task and one model together."""

    task: str
    model: str
    calls: int
    repairs: int
    faults: Mapping[str, int]
    prompt_tokens: int
    reply_tokens: int
    estimated: int                 # calls whose tokens are estimated
    first_seconds: float | None    # the median
    seconds: float                 # the median of calls that went well; of all when none did
    most_seconds: float


class Ledger:
    """Threads and processes may share a folder: each line is one short write at the end of a file."""

    def __init__(self, home: Path | None, keep_days: int) -> None:
        """None keeps the last calls in memory only. Files older than ``keep_days`` are removed at the next new day."""
        self.recent: deque[Call] = deque(maxlen=_RECENT)
        self.unwritten = 0
        self._folder = home / FOLDER if home else None
        self._keep_days = keep_days
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """A full disk costs the line and not the answer; `unwritten` counts them."""
        with self._lock:
            self.recent.append(call)
            if self._folder is None:
                return
            path = self._folder / _NAME.format(call.at[:10])
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    _remove_old(self._folder, self._keep_days)
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")
            except OSError:
                self.unwritten += 1


def read_calls(home: Path, since: date) -> Iterator[Call]:
    """Those of ``since`` and later, day by day; a line that a crash cut is passed over."""
    for path in sorted((home / FOLDER).glob(_NAME.format("*"))):
        if path.name < _NAME.format(since.isoformat()):
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield Call(**json.loads(line))
            except (ValueError, TypeError):
                continue


def summed(calls: Iterable[Call]) -> list[Usage]:
    """By task and model, in the order of their names."""
    groups: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        groups.setdefault((call.task, call.model), []).append(call)
    return [_usage(task, model, group) for (task, model), group in sorted(groups.items())]


def _usage(task: str, model: str, group: list[Call]) -> Usage:
    asked = [call for call in group if call.step != "read"]
    faults = sorted(call.fault for call in group if call.fault)
    firsts = [call.first_seconds for call in asked if call.first_seconds is not None]
    seconds = [call.seconds for call in asked if not call.fault] or [call.seconds for call in group]
    return Usage(
        task=task,
        model=model,
        calls=len(asked),
        repairs=sum(call.step == "repair" for call in asked),
        faults={fault: faults.count(fault) for fault in dict.fromkeys(faults)},
        prompt_tokens=sum(call.prompt_tokens for call in asked),
        reply_tokens=sum(call.reply_tokens for call in asked),
        estimated=sum(call.estimated for call in asked),
        first_seconds=statistics.median(firsts) if firsts else None,
        seconds=statistics.median(seconds),
        most_seconds=max(call.seconds for call in group),
    )


def _remove_old(folder: Path, keep_days: int) -> None:
    oldest = _NAME.format((datetime.now(UTC).date() - timedelta(days=keep_days)).isoformat())
    for path in folder.glob(_NAME.format("*")):
        if path.name < oldest:
            path.unlink(missing_ok=True)
