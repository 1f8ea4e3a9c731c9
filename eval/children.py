"""A command in a fresh child process -> its output, wall seconds and peak memory.

The command is started by a small process in between, this module run as ``python -m eval.children``. On
Linux a child's peak counts the memory of the process that started it, up to the moment it runs its own
program: measured 511 MB for an empty Python started from one of 500 MB, and 11 MB through one in between.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import PolicyDeskError

ROOT = Path(__file__).resolve().parent.parent  # where `python -m policydesk` works, installed or not


@dataclass(frozen=True, slots=True)
class Child:
    """A child process that ended."""

    code: int            # exit status; negative: the signal that ended it
    seconds: float       # wall time from start to end
    peak_mb: float       # largest resident size, of the child or of one process that it waited for
    stdout: str
    stderr: str


def run_child(command: Sequence[str]) -> Child:
    """Run it in `ROOT` without input and wait. Raises `PolicyDeskError` when it cannot be started. POSIX only."""
    with tempfile.TemporaryDirectory(prefix="policydesk-bench-") as name:
        folder = Path(name)
        between = [sys.executable, "-m", "eval.children", name, *command]
        started = subprocess.run(between, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if started.returncode:
            why = started.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise PolicyDeskError(f"无法启动 {_shown(command)}：{' '.join(why)}")
        usage = json.loads((folder / "usage.json").read_text(encoding="utf-8"))
        return Child(stdout=_text(folder / "stdout"), stderr=_text(folder / "stderr"), **usage)


def checked(command: Sequence[str]) -> Child:
    """`run_child`, raising `PolicyDeskError` with the end of stderr unless the exit status is 0."""
    child = run_child(command)
    if child.code:
        raise failure(command, child)
    return child


def failure(command: Sequence[str], child: Child) -> PolicyDeskError:
    """The error that says which command ended how, and the last five lines it wrote."""
    last = "\n".join((child.stderr or child.stdout).strip().splitlines()[-5:])
    what = f"{_shown(command)} 以退出码 {child.code} 结束，或输出不是所要的 JSON"
    return PolicyDeskError(f"{what}。请先单独运行它。它最后写的是：\n{last}")


def _shown(command: Sequence[str]) -> str:
    return " ".join(command[:8]) + (" …" if len(command) > 8 else "")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _measure(folder: Path, command: Sequence[str]) -> None:
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)  # else its destructor warns that it still runs
    units = 1024 * 1024 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    usage = {"code": process.returncode, "seconds": seconds, "peak_mb": used.ru_maxrss / units}
    (folder / "usage.json").write_text(json.dumps(usage), encoding="utf-8")


if __name__ == "__main__":
    _measure(Path(sys.argv[1]), sys.argv[2:])
