"""Question files: what a line may hold, and how a wrong one is named."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from core.errors import IngestError
from core.records import Question, Role
from policydesk.batch import read_questions

DEFAULTS = Question("", region="900100", as_of=date(2026, 11, 23))


def read(folder: Path, *lines: object) -> list[tuple[str, Question]]:
    path = folder / "q.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text), encoding="utf-8")
    return list(read_questions(path, DEFAULTS))


def test_a_line_overrides_the_defaults_and_only_what_it_names(tmp_path: Path) -> None:
    line = {"id": "a", "question": "问", "region": "900200", "as_of": "2024-01-02", "role": "citizen", "national": True}
    full, bare = read(tmp_path, line, {"id": "b", "question": "问"})
    assert full == ("a", Question("问", "900200", national=True, as_of=date(2024, 1, 2), role=Role.CITIZEN))
    assert bare == ("b", Question("问", "900100", as_of=date(2026, 11, 23)))


def test_title_and_text_are_a_question_too_and_a_missing_id_is_the_line_number(tmp_path: Path) -> None:
    assert read(tmp_path, "", {"title": "题", "text": "文"}, {"id": None, "question": "问"}) == [
        ("2", Question("题\n文", "900100", as_of=date(2026, 11, 23))),
        ("3", Question("问", "900100", as_of=date(2026, 11, 23))),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        {"id": "a"},
        {"question": "   "},
        {"question": 5},
        {"question": "\ud800"},
        {"question": "问", "region": "9"},
        {"question": "问", "as_of": "昨天"},
        {"question": "问", "role": "mayor"},
        {"question": "问", "national": "false"},
    ],
)
def test_a_wrong_line_is_named_by_file_and_number(tmp_path: Path, line: object) -> None:
    with pytest.raises(IngestError, match=r"q\.jsonl:2: "):
        read(tmp_path, {"question": "问"}, line)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "gbk.jsonl").write_bytes('{"question": "问"}'.encode("gbk"))
    for name in ("", "missing.jsonl", "gbk.jsonl"):
        with pytest.raises(IngestError) as caught:
            list(read_questions(tmp_path / name, DEFAULTS))
        assert str(tmp_path / name) in str(caught.value)
