"""The sample files of every format are what `eval.make_samples` makes, small, and of the invented city."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pymupdf
import pytest

from core.config import Config
from core.records import Document
from eval.make_samples import SAMPLES as MADE
from eval.make_samples import write_samples
from ingest.one_file import ReadRequest, ReadResult, read_one

ROOT = Path(__file__).resolve().parent.parent / "data_samples"
SOURCES = ("make_samples.py", "sample_pages.py", "sample_papers.py")
CONTENT = ("word/document.xml", "xl/worksheets/", "xl/sharedStrings", "ppt/slides/slide", "Doc_0/")
QUESTION_KEYS = {"id", "question", "kind", "region", "as_of", "document", "answer", "expect"}


def questions(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


def test_the_committed_files_are_those_the_script_names() -> None:
    found = {str(path.relative_to(ROOT)) for name in ("formats", "scanned") for path in (ROOT / name).iterdir()}
    assert found == set(MADE)


def test_a_second_run_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    for path in write_samples(tmp_path):
        assert path.read_bytes() == (made / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_committed_text_files_are_those_of_the_script(made: Path) -> None:
    for name in MADE:
        if name.endswith((".html", ".csv", ".txt")):    # packed ones depend on the version of zlib
            assert (ROOT / name).read_bytes() == (made / name).read_bytes(), name


def test_the_committed_packed_files_hold_what_the_script_makes(made: Path) -> None:
    for name in MADE:
        if name.endswith((".docx", ".xlsx", ".pptx", ".ofd")):
            with zipfile.ZipFile(ROOT / name) as old, zipfile.ZipFile(made / name) as new:
                assert old.namelist() == new.namelist()
                texts = [member for member in old.namelist() if member.startswith(CONTENT)]
                assert texts
                assert all(old.read(member) == new.read(member) for member in texts), name


def test_samples_are_small() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in MADE}
    assert sum(sizes.values()) < 1_500_000
    assert sizes["scanned/49_货运车辆通行通告.pdf"] < 250_000


def test_the_scan_is_two_pictures_without_text() -> None:
    with pymupdf.open(ROOT / "scanned/49_货运车辆通行通告.pdf") as document:
        assert [(page.get_text(), len(page.get_images())) for page in document] == [("", 1), ("", 1)]
        width = document.extract_image(document[0].get_images()[0][0])["width"]
    assert width == pytest.approx(8.27 * 150, abs=20)


def test_no_telephone_number_is_a_real_one() -> None:
    written = [(ROOT.parent / "eval" / name).read_text(encoding="utf-8") for name in SOURCES]
    numbers = re.findall(r"\d{3,4}-\d{7,8}|1\d{10}", "".join(written))
    assert len(numbers) > 20
    assert all(re.fullmatch(r"0900-12345\d\d", number) for number in numbers)


def test_questions_on_the_formats_have_the_fields_of_the_others() -> None:
    new, old = questions("questions_formats.jsonl"), questions("questions.jsonl")
    assert all(set(row) == QUESTION_KEYS for row in new)
    assert not {row["id"] for row in new} & {row["id"] for row in old}
    assert {row["document"] for row in new} == {name for name in MADE if name.startswith("formats/")}


def read(data: bytes, name: str, config: Config) -> ReadResult:
    return read_one(ReadRequest(data, name), config.ingest, config.regions.names)


def read_texts(path: Path, config: Config) -> str:
    """Everything that is read of a file and of what is inside it."""
    outer = read(path.read_bytes(), path.name, config)
    inside = [read(part.data, part.name, config) for part in outer.attachments if part.data is not None]
    documents = [item for one in (outer, *inside) for item in one.items]
    return "\n".join(item.text for item in documents if isinstance(item, Document))


def test_answers_are_pieces_of_lines_of_the_documents_as_they_are_read(config: Config) -> None:
    texts = {name: read_texts(ROOT / name, config) for name in MADE if name.startswith("formats/")}
    missing = [row for row in questions("questions_formats.jsonl") if row["answer"] not in texts[row["document"]]]
    assert missing == []


def test_every_sample_is_read_as_its_own_type_and_the_scan_asks_to_be_recognised(config: Config) -> None:
    results = {name: read((ROOT / name).read_bytes(), name, config) for name in MADE}
    assert {name: one.kind for name, one in results.items()} == {name: name.rpartition(".")[2] for name in MADE}
    assert [name for name, one in results.items() if one.needs_ocr] == ["scanned/49_货运车辆通行通告.pdf"]
    assert all(isinstance(item, Document) for one in results.values() for item in one.items)
