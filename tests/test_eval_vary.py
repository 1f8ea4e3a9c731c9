"""A corpus made larger by variation."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from eval.vary import main, read_rows, thinned, varied

ROWS = [
    {
        "id": f"供热条例@2020#第{n}条", "title": "供热条例", "law": "供热条例",
        "text": f"供热单位应当在第{n}个工作日内检修供热设施并且通知用户。",
    }
    for n in range(1, 30)
]


def test_the_first_copy_is_the_corpus_and_the_others_say_something_else() -> None:
    rows = list(varied(ROWS, 3))
    assert rows[: len(ROWS)] == ROWS
    assert len({row["id"] for row in rows}) == 3 * len(ROWS)
    assert len({row["text"] for row in rows}) > 2 * len(ROWS)
    assert {row["title"] for row in rows} == {"供热条例", "供热条例（之2）", "供热条例（之3）"}
    assert list(varied(ROWS, 3)) == rows


def test_every_third_document_is_kept_whole() -> None:
    rows = [row | {"id": f"d{n}#{row['id']}"} for n in range(7) for row in ROWS]
    kept = thinned(rows, 3)
    assert {row["id"].partition("#")[0] for row in kept} == {"d0", "d3", "d6"}
    assert len(kept) == 3 * len(ROWS)


def test_the_command_writes_a_corpus(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    assert main([str(tmp_path / "a.jsonl.gz"), "--times", "2", "--out", str(tmp_path / "b.jsonl.gz")]) == 0
    assert read_rows(tmp_path / "b.jsonl.gz") == list(varied(ROWS, 2))
