"""A few of the trials of kb_kill_trials.py over each database; `python -m tests.kb_kill_trials` makes hundreds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests import postgres
from tests.conftest import ROOT

TRIALS = 8


@pytest.mark.parametrize("options", [
    pytest.param([], id="sqlite"),
    pytest.param(
        ["--postgres"], id="postgresql",
        marks=pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING),
    ),
])
def test_an_editor_who_is_killed_at_any_moment_leaves_everything_whole(options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kb_kill_trials", "--trials", str(TRIALS), "--seed", "7", *options],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=500,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["ended"] for row in rows] == [-9] * TRIALS, done.stderr
    assert [row for row in rows if row["faults"] or row["findings"]] == []
    assert sum(row["done"] for row in rows) >= TRIALS // 2     # it was not killed before it did anything
