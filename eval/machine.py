"""Where a number was measured: machine, package versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eval.children import ROOT

PACKAGES = (
    "qdrant-edge-py", "qdrant-client", "rjieba", "jieba", "numpy", "sqlalchemy", "llama-index-core", "gradio",
    "ir-measures", "bm25s",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the numbers were measured on."""

    cpu: str
    cores: int               # that this process may use
    memory_gb: float
    python: str
    system: str


def machine_facts() -> Machine:
    """This machine. POSIX only."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(_cpu(), cores, round(memory, 1), platform.python_version(), platform.platform())


def package_versions() -> dict[str, str | None]:
    """Version per package; None: not installed."""
    return {name: _version(name) for name in PACKAGES}


def commit() -> str:
    """First 12 digits of the commit of this checkout, or ``unknown``."""
    return _git("rev-parse", "--short=12", "HEAD") or "unknown"


def changed() -> bool:
    """Whether tracked files differ from that commit, so that it does not describe what was measured."""
    return bool(_git("status", "--porcelain", "--untracked-files=no"))


def _git(*arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
