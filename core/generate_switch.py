"""The switch that turns the language model off while programs run: a file in the home folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from core.errors import PolicyDeskError

FOLDER = "generate"
_FILE = "off.json"
_HISTORY = "switched.jsonl"       # who turned it when; not in the log of the home, which a running `serve` holds


@dataclass(frozen=True, slots=True)
class Off:
    """Since when and by whom the language model is switched off."""

    who: str
    at: str           # local time
    reason: str

    def __str__(self) -> str:
        why = f"：{self.reason}" if self.reason else ""
        return f"由 {self.who or '未知的人'} 于 {self.at or '未知的时间'} 停用{why}"


def read_switch(home: Path) -> Off | None:
    """None when it is on. A file that cannot be read switches off too."""
    try:
        row = json.loads((home / FOLDER / _FILE).read_text(encoding="utf-8"))
        return Off(str(row["who"]), str(row["at"]), str(row["reason"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        return Off("", "", "")


def switch_off(home: Path, who: str, reason: str) -> Off:
    """For every program that uses this home folder, from its next call on."""
    off = Off(who, _now(), reason)
    path = home / FOLDER / _FILE
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(asdict(off), ensure_ascii=False), encoding="utf-8")
        partial.replace(path)
        _write_down(home, "off", off)
    except OSError as error:
        raise PolicyDeskError(f"写不了 {path}：{error.strerror}。请检查目录是否可写") from error
    return off


def switch_on(home: Path, who: str) -> Off | None:
    """What was switched off until now."""
    off = read_switch(home)
    path = home / FOLDER / _FILE
    try:
        if off is not None:
            _write_down(home, "on", Off(who, _now(), ""))
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PolicyDeskError(f"删不了 {path}：{error.strerror}。请检查目录是否可写") from error
    return off


def _write_down(home: Path, turned: str, by: Off) -> None:
    with (home / FOLDER / _HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"turned": turned, **asdict(by)}, ensure_ascii=False) + "\n")


def _now() -> str:
    return datetime.now().isoformat(sep=" ", timespec="seconds")
