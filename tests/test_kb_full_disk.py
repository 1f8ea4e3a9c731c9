"""A full disk: writes are refused and told before anything is harmed, reads go on, and all resumes without a restart.

The writing is done by full_disk_trials.py in a process of its own, which a mistake would end with SIGBUS.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.test_policydesk_cli import mounted

REFUSED = {"ingest", "draft", "publish", "edit", "reindex", "backup"}


def run(folder: Path, what: str, count: int = 1) -> list[dict[str, Any]]:
    disk = folder / "disk"
    with mounted(disk, "-o", "size=700m"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.full_disk_trials", str(disk), what, str(count)],
            cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
        )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """On a disk with 30 MB where 60 are to be kept free, and on one without a byte."""
    return run(tmp_path_factory.mktemp("rest"), "rest")


@pytest.mark.parametrize("left", [30_000_000, 0])
def test_every_write_is_refused_and_changes_nothing(rest: list[dict[str, Any]], left: int) -> None:
    tried = {trial["what"]: trial for trial in rest if trial.get("left") == left and "same" in trial}
    assert tried.keys() == REFUSED
    assert all(trial["free"] <= left + 4096 for trial in tried.values())
    assert [name for name, trial in tried.items() if not trial["told"].startswith("StorageFull")] == []
    assert [name for name, trial in tried.items() if "磁盘" not in trial["told"]] == []
    assert [name for name, trial in tried.items() if not trial["same"]] == []


@pytest.mark.parametrize("left", [30_000_000, 0])
def test_questions_are_answered_and_documents_can_be_taken_out(rest: list[dict[str, Any]], left: int) -> None:
    tried = {trial["what"]: trial for trial in rest if trial.get("left") == left}
    assert tried["ask"]["status"] == "answered"
    assert tried["ask"]["kept"] == (left > 0)
    assert (tried["withdraw"]["told"], tried["withdraw"]["gone"]) == ("", True)


def test_all_writes_resume_in_the_same_process_once_there_is_space(rest: list[dict[str, Any]]) -> None:
    resumed = [trial for trial in rest if "left" in trial and trial["left"] is None]
    assert {trial["what"] for trial in resumed} == REFUSED | {"ask"}
    assert [trial for trial in resumed if trial.get("told")] == []
    assert [trial["found"] for trial in rest if trial["what"] == "doctor"] == [[], []]


def test_a_home_can_be_opened_and_asked_without_a_byte_to_spare(tmp_path: Path) -> None:
    opened, asked = run(tmp_path, "opening")
    assert opened["free"] <= 1_100_000       # what is kept for this, and given up
    assert opened["same"]
    assert asked["status"] == "answered"


@pytest.mark.parametrize("count", [4, pytest.param(40, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_disk_that_is_filled_during_an_ingest_leaves_no_partial_document(
    count: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if count > 4 and "slow" not in str(request.config.getoption("-m")):
        pytest.skip("takes minutes; run with -m slow")
    trials = run(tmp_path, "midway", count)
    assert any(trial["during"] for trial in trials)      # an ingest may be done before the disk is full
    assert [trial for trial in trials if trial["strange"] or not trial["whole"]] == []
    assert [trial for trial in trials if not trial["again"] or trial["doctor"]] == []
    assert [trial for trial in trials if trial["told"] and "StorageFull" not in trial["told"]] == []
