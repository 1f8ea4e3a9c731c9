"""Files that take too long, too much memory or the process itself: each ends in a reason, and the next is read."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest

from core.config import Config
from core.records import Document, Reject, Skipped
from eval.paper import Paper, Part, Role
from eval.render_pdf import pdf_of
from ingest.ocr import ocr_available
from ingest.one_file import ReadRequest
from ingest.workers import ReadPool
from tests.conftest import SAMPLES

needs_ocr = pytest.mark.skipif(not ocr_available(), reason='needs RapidOCR: pip install -e ".[ocr]"')

TEXT = "临澜市供热办法\n\n第一条　供热期自11月8日起。\n第二条　室温不低于18度。\n".encode()
LINE = "一、按期完成供热，室温不低于18度，自2024年5月1日起施行。\n".encode()
LONG = "# 一份很长的通知\n\n".encode() + LINE * 400_000     # 34 MB


def pool_with(config: Config, **changed: object) -> ReadPool:
    return ReadPool(config.ingest.model_copy(update={"workers": 1, **changed}), config.regions.names)


def read(pool: ReadPool, data: bytes | Path, source: str = "甲.md") -> Document | Skipped:
    (item,) = pool.result(pool.submit(ReadRequest(data, source))).items
    return item


def children() -> Iterator[int]:
    """The processes below this one, whatever started them."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            above = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1]
            command = (folder / "cmdline").read_text(encoding="utf-8")
        except OSError:
            continue        # it ended meanwhile
        if "forkserver" in command or "spawn_main" in command:
            yield from [int(folder.name)] if int(above) != os.getpid() else []


def test_a_file_is_read_in_another_process_as_it_would_be_here(config: Config) -> None:
    with pool_with(config) as pool:
        document = read(pool, TEXT)
    assert isinstance(document, Document)
    assert [article.address for article in document.articles] == ["第一条", "第二条"]


def test_a_file_on_disk_above_the_limit_is_refused_unread(config: Config, tmp_path: Path) -> None:
    (tmp_path / "甲.md").write_bytes(TEXT * 30_000)
    with pool_with(config, max_file_mb=1) as pool:
        problem = read(pool, tmp_path / "甲.md")
    assert isinstance(problem, Skipped)
    assert (problem.code, "max_file_mb" in problem.reason) == (Reject.TOO_LARGE, True)


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read(config: Config) -> None:
    with pool_with(config, read_seconds=1) as pool:
        slow = read(pool, LONG)
        assert isinstance(slow, Skipped)
        assert (slow.code, "read_seconds" in slow.reason) == (Reject.TIMEOUT, True)
        assert isinstance(read(pool, TEXT), Document)


def test_a_file_that_needs_too_much_memory_is_named_and_the_next_is_read(config: Config) -> None:
    with pool_with(config, read_memory_mb=512) as pool:
        greedy = read(pool, b"\xe4\xb8\x80\n" * 60_000_000)       # 240 MB
        assert isinstance(greedy, Skipped)
        assert greedy.code in (Reject.OUT_OF_MEMORY, Reject.CRASHED)
        assert isinstance(read(pool, TEXT), Document)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the child process in /proc")
def test_a_child_that_is_killed_is_a_row_and_the_next_file_is_read(config: Config) -> None:
    with pool_with(config) as pool:
        read(pool, TEXT)
        submitted = pool.submit(ReadRequest(LONG, "乙.md"))
        while not submitted.future.running():
            time.sleep(0.01)
        killed = list(children())
        for process in killed:
            os.kill(process, signal.SIGKILL)
        (problem,) = pool.result(submitted).items
        assert killed
        assert isinstance(problem, Skipped)
        assert problem.code is Reject.CRASHED
        assert isinstance(read(pool, TEXT), Document)


SCANNED = SAMPLES / "scanned" / "49_货运车辆通行通告.pdf"


def test_a_scan_is_reported_and_never_published_empty_without_recognition(config: Config) -> None:
    with pool_with(config, ocr="off") as pool:
        read_ = pool.result(pool.submit(ReadRequest(SCANNED, str(SCANNED))))
    (problem,) = read_.items
    assert isinstance(problem, Skipped)
    assert (problem.code, "扫描件" in problem.reason) == (Reject.NEEDS_OCR, True)
    assert read_.needs_ocr == (1, 2)


@needs_ocr
def test_a_scan_becomes_a_document_with_pages_and_boxes(config: Config) -> None:
    with pool_with(config) as pool:
        read_ = pool.result(pool.submit(ReadRequest(SCANNED, str(SCANNED))))
    (document,) = read_.items
    assert isinstance(document, Document)
    assert read_.unread_pages == ()
    assert "货运" in document.facts.title
    assert {chunk.page for chunk in document.chunks} == {1, 2}
    assert all(chunk.box for chunk in document.chunks)


@needs_ocr
def test_a_page_of_an_ofd_file_that_is_a_picture_is_recognised(config: Config) -> None:
    paper = Paper((Part("供热通知", Role.TITLE), Part("供热期自11月8日起，室温不低于十八度。")))
    with pymupdf.open(stream=pdf_of(paper), filetype="pdf") as pdf:
        picture = pdf[0].get_pixmap(dpi=150).tobytes("png")
    with pool_with(config) as pool:
        document = read(pool, scanned_ofd(picture), "甲.ofd")
    assert isinstance(document, Document)
    assert "室温不低于十八度" in document.text


def scanned_ofd(picture: bytes) -> bytes:
    """An OFD file of one page that holds a picture and no text."""
    name = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    image = '<ofd:ImageObject ID="5" ResourceID="8" Boundary="0 0 210 297" CTM="210 0 0 297 0 0"/>'
    parts = {
        "OFD.xml": f"<ofd:OFD {name}><ofd:DocBody><ofd:DocRoot>D/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "D/Document.xml": (
            f"<ofd:Document {name}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"
            "</ofd:PageArea><ofd:DocumentRes>Res.xml</ofd:DocumentRes></ofd:CommonData>"
            '<ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages></ofd:Document>'
        ),
        "D/Res.xml": (
            f'<ofd:Res {name} BaseLoc="Res"><ofd:MultiMedias><ofd:MultiMedia ID="8" Type="Image">'
            "<ofd:MediaFile>p.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>"
        ),
        "D/Page.xml": f'<ofd:Page {name}><ofd:Content><ofd:Layer ID="2">{image}</ofd:Layer></ofd:Content></ofd:Page>',
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in parts.items():
            archive.writestr(path, text)
        archive.writestr("D/Res/p.png", picture)
    return packed.getvalue()
