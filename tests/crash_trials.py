"""Programs that are killed before each of their durable steps, started side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from tests.conftest import ROOT

Trial = dict[str, Any]


def run_trials(
    writer: str, scenarios: Iterable[str], folders: pytest.TempPathFactory
) -> dict[str, list[Trial]]:
    """What the program ``writer`` printed for each scenario: one trial a line, in order."""
    started = {
        name: subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / writer), str(folders.mktemp(name)), name],
            cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )
        for name in scenarios
    }
    outputs = {name: process.communicate()[0] for name, process in started.items()}
    return {name: [json.loads(line) for line in output.splitlines()] for name, output in outputs.items()}
