"""Files that take too long, too much memory or the process itself: each ends in a reason, and the next is read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Config
from core.records import Document, Reject, Skipped
from ingest.one_file import ReadRequest
from ingest.workers import ReadPool

TEXT = "临澜市供热办法\n\n第一条　供热期自11月8日起。\n第二条　室温不低于18度。\n".encode()
LINE = "一、按期完成供热，室温不低于18度，自2024年5月1日起施行。\n".encode()
LONG = "# 一份很长的通知\n\n".encode() + LINE * 400_000     # 34 MB


def pool_with(config: Config, **changed: object) -> ReadPool:
    return ReadPool(config.ingest.model_copy(update={"workers": 1, **changed}), config.regions.names)


def read(pool: ReadPool, data: bytes | Path, source: str = "甲.md") -> Document | Skipped:
    (item,) = pool.result(pool.submit(ReadRequest(data, source))).items
    return item


def children() -> Iterator[int]:
    """The processes below this one, whatever started them."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            above = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1]
            command = (folder / "cmdline").read_text(encoding="utf-8")
        except OSError:
            continue        # it ended meanwhile
        if "forkserver" in command or "spawn_main" in command:
            yield from [int(folder.name)] if int(above) != os.getpid() else []


def test_a_file_is_read_in_another_process_as_it_would_be_here(config: Config) -> None:
    with pool_with(config) as pool:
        document = read(pool, TEXT)
    assert isinstance(document, Document)
    assert [article.address for article in document.articles] == ["第一条", "第二条"]


def test_a_file_on_disk_above_the_limit_is_refused_unread(config: Config, tmp_path: Path) -> None:
    (tmp_path / "甲.md").write_bytes(TEXT * 30_000)
    with pool_with(config, max_file_mb=1) as pool:
        problem = read(pool, tmp_path / "甲.md")
    assert isinstance(problem, Skipped)
    assert (problem.code, "max_file_mb" in problem.reason) == (Reject.TOO_LARGE, True)


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read(config: Config) -> None:
    with pool_with(config, read_seconds=1) as pool:
        slow = read(pool, LONG)
        assert isinstance(slow, Skipped)
        assert (slow.code, "read_seconds" in slow.reason) == (Reject.TIMEOUT, True)
        assert isinstance(read(pool, TEXT), Document)


def test_a_file_that_needs_too_much_memory_is_named_and_the_next_is_read(config: Config) -> None:
    with pool_with(config, read_memory_mb=512) as pool:
        greedy = read(pool, b"\xe4\xb8\x80\n" * 60_000_000)       # 240 MB
        assert isinstance(greedy, Skipped)
        assert greedy.code in (Reject.OUT_OF_MEMORY, Reject.CRASHED)
        assert isinstance(read(pool, TEXT), Document)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the child process in /proc")
def test_a_child_that_is_killed_is_a_row_and_the_next_file_is_read(config: Config) -> None:
    with pool_with(config) as pool:
        read(pool, TEXT)
        submitted = pool.submit(ReadRequest(LONG, "乙.md"))
        while not submitted.future.running():
            time.sleep(0.01)
        killed = list(children())
        for process in killed:
            os.kill(process, signal.SIGKILL)
        (problem,) = pool.result(submitted).items
        assert killed
        assert isinstance(problem, Skipped)
        assert problem.code is Reject.CRASHED
        assert isinstance(read(pool, TEXT), Document)
