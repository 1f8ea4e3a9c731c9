"""The example of docs/graph.md, run as it stands."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.config import load_config
from kb.graph.records import KIND_NAMES
from kb.graph.relations import Relation
from policydesk.app import open_desk
from tests.conftest import ROOT, SAMPLES

PAGE = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")


def test_the_example_retrieves_what_is_said_in_ten_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    with open_desk(load_config(), tmp_path) as desk:
        desk.ingest([SAMPLES / "policies" / "10_养犬管理条例.md"], publish=True, on_bytes=lambda count: None)
    names: dict[str, Any] = {"home": tmp_path}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # llama-index imports raise deprecation warnings of its own
        exec(compile(example, "docs/graph.md", "exec"), names)
    told = capsys.readouterr().out
    assert re.search(r"临澜市养犬管理条例 第四条 \[[0-9a-f]{16}#3\] -> RESPONSIBLE -> 农业农村部门", told)
    assert len([line for line in example.splitlines() if line and "import" not in line]) <= 10


def test_every_kind_has_a_name_and_is_explained() -> None:
    assert set(KIND_NAMES) == {*Relation, "part_of"}
    assert [kind for kind in KIND_NAMES if f"`{kind}`" not in PAGE and kind != "part_of"] == []
