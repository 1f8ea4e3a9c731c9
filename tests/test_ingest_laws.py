"""Real laws against the reference split: every eleventh of 3,421 files, and where their articles begin and end."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from core.records import Facts
from eval.boundaries import Boundaries, compare, main, read_reference, split_laws
from ingest.document import make_document
from tests.conftest import SHARED, needs_shared

STEP = 11               # 311 files
FLOOR = 0.9985          # reached: 0.9997 here, 0.9996 on all files


@pytest.fixture(scope="module")
def scores() -> Boundaries:
    reference = read_reference(SHARED / "data/statutes/corpus.jsonl.gz")
    return compare(split_laws(SHARED / "data/laws/laws.tar.xz", step=STEP), reference)


@needs_shared
def test_articles_of_real_laws_begin_and_end_where_the_reference_says(scores: Boundaries) -> None:
    assert scores.files > 280
    assert min(scores.precision, scores.recall, scores.f1) >= FLOOR


@needs_shared
def test_the_reference_only_differs_where_it_adds_an_annex_or_a_heading_to_an_article(scores: Boundaries) -> None:
    assert {each.kind for each in scores.disagreements} <= {"the reference goes on into an annex or a heading"}


# by hand


def reference(path: Path, *articles: tuple[str, str]) -> Path:
    rows = [{"id": f"甲法@2020-01-01#{address}", "article": address, "text": text} for address, text in articles]
    path.write_bytes(gzip.compress("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()))
    return path


def scored(tmp_path: Path, *articles: tuple[str, str]) -> Boundaries:
    text = "第一章 总则\n第一条　甲。\n第二条　乙 乙：\n（一）丙。\n第三条　丁。\n附则"
    document = make_document(Facts("甲法"), text, "a", name=None, chunk_chars=1200)
    known = read_reference(reference(tmp_path / "corpus.jsonl.gz", *articles))
    return compare([("法律/甲法(2020-01-01).md", document), ("没有的法.md", document)], known)


def test_scores_count_articles_whose_whole_text_agrees(tmp_path: Path) -> None:
    theirs = ("第一条", "甲。"), ("第二条", "乙乙（一）丙。"), ("第三条", "丁。附则"), ("第四条", "戊。")
    found = scored(tmp_path, *theirs)
    assert (found.files, found.both, found.found, found.wanted) == (1, 2, 3, 4)
    assert (found.precision, found.recall, found.f1) == (2 / 3, 2 / 4, 4 / 7)
    assert [(each.address, each.ours, each.theirs, each.kind) for each in found.disagreements] == [
        ("第三条", "丁。", "丁。附则", "the reference goes on into an annex or a heading"),
        ("第四条", "", "戊。", "only the reference's"),
    ]


@pytest.mark.parametrize(("theirs", "kind"), [
    ("甲", "ours goes on"), ("甲。乙。", "the reference goes on"), ("乙。", "texts differ"), (None, "only ours"),
])
def test_each_disagreement_has_a_class(tmp_path: Path, theirs: str | None, kind: str) -> None:
    rest = [("第二条", "乙乙（一）丙。"), ("第三条", "丁。")]
    found = scored(tmp_path, *([("第一条", theirs)] if theirs is not None else []), *rest)
    assert [each.kind for each in found.disagreements] == [kind]


@needs_shared
def test_the_command_prints_scores_and_classes(capsys: pytest.CaptureFixture[str]) -> None:
    data = SHARED / "data"
    assert main([str(data / "laws/laws.tar.xz"), str(data / "statutes/corpus.jsonl.gz"), "--step", "200"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("files 18  articles ")
    assert "F1 " in out
