"""Damage done to files is repeatable and varied, and every damaged file ends in a clear outcome."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from core.config import Config
from core.errors import IngestError
from eval import mutate as m
from eval.fuzz import FuzzReport, Outcome, fuzz, load_samples, mutant, shown
from eval.mutate import Sample

SAMPLES = Path(__file__).resolve().parent.parent / "data_samples"
COUNT = 60


@pytest.fixture(scope="module")
def samples() -> dict[str, list[Sample]]:
    return load_samples(SAMPLES)


@pytest.fixture(scope="module")
def report(samples: dict[str, list[Sample]], config: Config) -> FuzzReport:
    return fuzz(samples, config, count=COUNT, seed=5)


def packed(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", text)
    return buffer.getvalue()


def test_samples_of_every_format_are_found(samples: dict[str, list[Sample]]) -> None:
    formats = {"pdf", "docx", "ofd", "xlsx", "csv", "pptx", "html", "eml", "txt", "md", "jsonl", "zip", "tar.gz"}
    assert formats <= set(samples)


def test_a_mutant_follows_from_seed_and_number_and_formats_take_turns(samples: dict[str, list[Sample]]) -> None:
    made = [mutant(samples, 5, number) for number in range(2 * len(samples))]
    assert [one.format for one in made] == list(samples) * 2
    assert made == [mutant(samples, 5, number) for number in range(2 * len(samples))]
    assert made[0] != mutant(samples, 6, 0)


def test_mutants_differ_from_their_samples(samples: dict[str, list[Sample]]) -> None:
    whole = {sample.data for group in samples.values() for sample in group}
    made = [mutant(samples, 5, number) for number in range(200)]
    assert sum(one.data in whole for one in made) < 20      # exchanging equal blocks changes nothing
    assert len({change for one in made for change in one.how.split("+")}) > 20


def test_damage_inside_an_archive_is_packed_again() -> None:
    made = m.change_member(packed("<a>甲</a>"), Random(1))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert archive.read("word/document.xml") != "<a>甲</a>".encode()


def test_entities_are_declared_and_used() -> None:
    made = m.entities("<?xml version='1.0'?><a>甲</a>".encode(), Random(1)).decode()
    assert "<!DOCTYPE" in made
    assert made.index("<!DOCTYPE") > made.index("?>")
    assert made.count("&i;") + made.count("&a;") >= 1


def test_nesting_is_closed_again() -> None:
    made = m.nest(b"<p>x</p>", Random(3))
    assert made.count(b"<p>") == made.count(b"</p>") > 50


def test_every_damaged_file_ends_in_a_clear_outcome(report: FuzzReport) -> None:
    assert [outcome.number for outcome in report.outcomes] == list(range(COUNT))
    assert report.bad == [], shown(report)
    assert all(outcome.reason for outcome in report.outcomes if outcome.code != "documents")


def test_counts_are_of_every_file(report: FuzzReport) -> None:
    assert sum(sum(row.values()) for row in report.counts.values()) == COUNT


def test_a_broken_reader_nothing_at_all_and_a_slow_file_are_bad_ends() -> None:
    ends = [("crashed", "甲", 0.1), ("nothing", "", 0.1), ("documents", "", 61.0), ("damaged", "乙", 0.1)]
    outcomes = [Outcome(n, "pdf", "flip", code, reason, seconds) for n, (code, reason, seconds) in enumerate(ends)]
    found = FuzzReport(1, 1.0, tuple(outcomes))
    assert [outcome.number for outcome in found.bad] == [0, 1, 2]
    assert found.slowest[0].number == 2
    assert "without a clear end: 3" in shown(found)


def test_an_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="data_samples"):
        load_samples(tmp_path)
