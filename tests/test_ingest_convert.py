"""Older formats become DOCX, XLSX or PPTX by LibreOffice, whose processes and folders do not outlive the call."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import pytest
from docx import Document as new_docx
from openpyxl import Workbook
from pptx import Presentation

from core.errors import IngestError
from core.records import Reject
from ingest.convert import convert, converter
from ingest.detect import detect
from ingest.read_docx import read_docx
from ingest.read_pptx import read_pptx
from ingest.read_sheet import read_xlsx
from ingest.reading import ReadOptions

needs_libreoffice = pytest.mark.skipif(converter() is None, reason="LibreOffice is not installed")
OPTIONS = ReadOptions(seconds=100)
SCRIPT = "#!/bin/sh\n"


def letter() -> bytes:
    document = new_docx()
    document.add_heading("某市补贴办法", 0)
    document.add_heading("第一章　总则", 1)
    document.add_paragraph("第一条　甲。")
    document.add_paragraph("列表项", style="List Number")
    table = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"格{number}"
    document.add_paragraph("第二条　乙。")
    return saved(document)


def workbook() -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in (["区", "金额"], ["甲", 0.5], ["乙", 80]):
        book.active.append(row)
    book.active["B2"].number_format = "0%"
    return saved(book)


def slides() -> bytes:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "办事指引"
    slide.placeholders[1].text = "带身份证"
    return saved(deck)


def saved(document: object) -> bytes:
    stream = io.BytesIO()
    document.save(stream)  # type: ignore[attr-defined]
    return stream.getvalue()


def old_format(data: bytes, kind: str, folder: Path) -> bytes:
    """A new format made an old one by the same program."""
    program = converter()
    assert program is not None
    (folder / "new").write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, profile, "--headless", "--convert-to", kind, "--outdir", str(folder), str(folder / "new")]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return (folder / f"new.{kind}").read_bytes()


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("policydesk-*"))


@needs_libreoffice
def test_an_old_letter_is_read_like_a_new_one(tmp_path: Path) -> None:
    old = old_format(letter(), "doc", tmp_path)
    assert detect(old, "a.doc") == "doc"
    data, made = convert(old, detect(old, "a.wps"), "a.wps", OPTIONS)
    assert made == detect(data, "a.wps") == "docx"
    assert [(block.kind.value, block.text) for block in read_docx(data, "a.wps", OPTIONS).blocks] == [
        ("title", "某市补贴办法"), ("heading", "第一章　总则"), ("paragraph", "第一条　甲。"),
        ("paragraph", "1.列表项"), ("table", "| 格0 | 格1 |\n| --- | --- |\n| 格2 | 格3 |"),
        ("paragraph", "第二条　乙。"),
    ]


@needs_libreoffice
def test_a_rich_text_file_under_the_name_of_another_is_converted() -> None:
    text = rb"{\rtf1\ansi\ansicpg936 \u31532?\u19968?\u26465?\par\pard\u20057?\par}"
    data, _ = convert(text, detect(text, "a.doc"), "a.doc", OPTIONS)
    assert [block.text for block in read_docx(data, "a.doc", OPTIONS).blocks] == ["第一条", "乙"]


@needs_libreoffice
def test_an_old_workbook_is_read_like_a_new_one(tmp_path: Path) -> None:
    old = old_format(workbook(), "xls", tmp_path)
    data, made = convert(old, detect(old, "a.et"), "a.et", OPTIONS)
    assert made == "xlsx"
    assert read_xlsx(data, "a.et", OPTIONS).blocks[-1].text.split("\n")[2:] == ["| 甲 | 50% |", "| 乙 | 80 |"]


@needs_libreoffice
def test_old_slides_are_read_like_new_ones(tmp_path: Path) -> None:
    old = old_format(slides(), "ppt", tmp_path)
    data, made = convert(old, detect(old, "a.dps"), "a.dps", OPTIONS)
    assert made == "pptx"
    assert [block.text for block in read_pptx(data, "a.dps", OPTIONS).blocks] == ["办事指引", "带身份证"]


@needs_libreoffice
def test_a_word_file_of_2003_xml_is_converted() -> None:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Word.Document"?>'
        '<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body>'
        "<w:p><w:r><w:t>第一条</w:t></w:r></w:p></w:body></w:wordDocument>"
    ).encode()
    data, _ = convert(text, detect(text, "a.doc"), "a.doc", OPTIONS)
    assert [block.text for block in read_docx(data, "a.doc", OPTIONS).blocks] == ["第一条"]


@needs_libreoffice
def test_a_file_that_libreoffice_cannot_open_is_a_clear_error() -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000)
    before = folders()
    with pytest.raises(IngestError, match=r"a\.ppt: LibreOffice 打不开这个 PPT 文件.*另存为 PPTX") as caught:
        convert(data, "ppt", "a.ppt", OPTIONS)
    assert caught.value.code is Reject.DAMAGED
    assert folders() <= before


def test_without_libreoffice_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IngestError, match=r"读取 DOC 需要 LibreOffice.*另存为 DOCX") as caught:
        convert(b"x", "doc", "a.doc", OPTIONS)
    assert caught.value.code is Reject.MISSING_TOOL


def test_a_conversion_that_takes_too_long_ends_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A script stands for LibreOffice, which is a script that starts other programs as well."""
    program = tmp_path / "soffice"
    program.write_text(f'{SCRIPT}sleep 1000 & echo "$!" > {tmp_path}/child\nsleep 1000\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    before = folders()
    with pytest.raises(IngestError, match="超过 1 秒") as caught:
        convert(b"x", "doc", "a.doc", ReadOptions(seconds=0.6))
    assert caught.value.code is Reject.TIMEOUT
    child = Path("/proc") / (tmp_path / "child").read_text(encoding="utf-8").strip() / "stat"
    assert not child.exists() or child.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    assert folders() <= before
