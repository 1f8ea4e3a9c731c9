"""Pages that are pictures are recognised with RapidOCR where it is installed."""

from __future__ import annotations

import difflib
import importlib.util
import subprocess
import sys
from dataclasses import replace

import pymupdf
import pytest

from core.errors import IngestError, MissingExtra
from core.records import Reject
from ingest.ocr import ocr_available, recognise_page
from ingest.read_image import read_image
from ingest.read_pdf import read_pdf
from ingest.reading import BlockKind, PageLines, ReadOptions

needs_ocr = pytest.mark.skipif(
    not ocr_available(), reason='RapidOCR is not installed; type: pip install -e ".[ocr]"'
)
PARAGRAPHS = (
    "第一条　为了完善住房保障制度，明确申请人和主管部门的权利和义务，保障居民的合法权益，制定本办法。",
    "第二条　中华人民共和国境内的住房保障工作，适用本办法。",
    "国家机关和事业单位依照本办法执行，法律另有规定的除外。",
    "第三条　申请人应当符合下列条件：",
    "（一）具有本市户籍，或者持有本市居住证满三年；",
    "（二）家庭人均住房建筑面积低于十五平方米，并且在本市没有享受过其他住房保障政策。",
)
RED = (0.85, 0.05, 0.05)


def write(page: pymupdf.Page, x: float, y: float, text: str, size: float, color: tuple[float, ...] = (0,)) -> None:
    page.insert_text((x, y), text, fontname="china-ss", fontsize=size, color=color)


def draw_page(page: pymupdf.Page) -> None:
    write(page, 150, 100, "云州市人民政府文件", 32, RED)
    write(page, 170, 170, "云州市住房保障若干措施", 22)
    y = 220.0
    for paragraph in PARAGRAPHS:
        text = f"　　{paragraph}"
        for start in range(0, len(text), 27):
            write(page, 82, y, text[start:start + 27], 16)
            y += 28
    write(page, 390, y + 20, "云州市人民政府", 16)
    write(page, 405, y + 48, "二〇二四年四月", 16)
    page.draw_circle((445, y + 26), 58, color=RED, width=3)
    write(page, 424, y, "住房公章", 11, RED)


def pictured(degrees: float = 0.0) -> bytes:
    """The page as a scanner gives it: a JPEG at 150 dpi."""
    with pymupdf.open() as drawn:
        page = drawn.new_page(width=595, height=842)
        draw_page(page)
        matrix = pymupdf.Matrix(150 / 72, 150 / 72).prerotate(degrees)
        return page.get_pixmap(matrix=matrix, clip=page.rect, alpha=False).tobytes("jpg", jpg_quality=80)


def scanned_pdf(degrees: float = 0.0) -> bytes:
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        page.insert_image(page.rect, stream=pictured(degrees), keep_proportion=False)
        return document.tobytes()


@pytest.fixture(scope="module")
def scanned() -> tuple[bytes, PageLines]:
    """The page and its lines: recognising takes seconds."""
    data = scanned_pdf()
    return data, recognise_page(data, "pdf", 1)


def body(data: bytes, page: PageLines) -> list[str]:
    reading = read_pdf(data, "甲.pdf", ReadOptions(recognised={1: page}))
    assert reading.needs_ocr == ()
    return [block.text for block in reading.blocks if not block.kind.is_furniture]


def right_share(found: str) -> float:
    """Share of the page's characters that were found, in order."""
    wanted = "".join("".join(PARAGRAPHS).split())
    matcher = difflib.SequenceMatcher(None, wanted, "".join(found.split()), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(wanted)


def test_asking_whether_it_is_there_imports_nothing() -> None:
    code = (
        "import sys; from ingest.ocr import ocr_available; ocr_available(); "
        "print([name for name in ('rapidocr', 'onnxruntime', 'cv2', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is not None, reason="RapidOCR is installed")
def test_without_it_the_command_that_installs_it_is_named() -> None:
    with pytest.raises(MissingExtra, match=r"\.\[ocr\]"):
        recognise_page(scanned_pdf(), "pdf", 1)


@needs_ocr
def test_a_clean_scan_is_read_whole_and_parted_into_its_paragraphs(scanned: tuple[bytes, PageLines]) -> None:
    data, page = scanned
    found = body(data, page)
    assert right_share("".join(found)) >= 0.98
    assert found[:2] == ["云州市人民政府文件", "云州市住房保障若干措施"]
    assert [text[:3] for text in found[2:8]] == [text[:3] for text in PARAGRAPHS]
    assert found[-2:] == ["云州市人民政府", "二〇二四年四月"]
    assert (page.width, page.height) == (pytest.approx(595, abs=1), pytest.approx(842, abs=1))


@needs_ocr
def test_boxes_lie_in_points_around_the_letters(scanned: tuple[bytes, PageLines]) -> None:
    title = next(line for line in scanned[1].lines if "若干措施" in line.text)
    assert title.box[0] == pytest.approx(170, abs=6)
    assert title.box[2] == pytest.approx(170 + 11 * 22, abs=8)
    assert title.box[1] < 160 < title.box[3]


@needs_ocr
def test_a_page_that_lies_askew_is_parted_into_the_same_paragraphs() -> None:
    data = scanned_pdf(1.0)
    found = body(data, recognise_page(data, "pdf", 1))
    assert [text[:3] for text in found if text.startswith(("第", "（", "国"))] == [text[:3] for text in PARAGRAPHS]


@needs_ocr
def test_the_letters_of_a_seal_are_no_part_of_the_text(scanned: tuple[bytes, PageLines]) -> None:
    data, page = scanned
    reading = read_pdf(data, "甲.pdf", ReadOptions(recognised={1: page}))
    running = "".join(block.text for block in reading.blocks if not block.kind.is_furniture)
    assert "公章" not in running
    assert any("公章" in block.text for block in reading.blocks if block.kind is BlockKind.WATERMARK)


@needs_ocr
def test_a_table_in_a_scan_keeps_its_cells() -> None:
    with pymupdf.open() as drawn:
        page = drawn.new_page(width=595, height=842)
        for y in (100, 140, 200):
            page.draw_line((80, y), (500, y), width=0.6)
        for x in (80, 220, 500):
            page.draw_line((x, 100), (x, 200), width=0.6)
        for x, y, text in ((100, 126, "区域"), (240, 126, "补贴标准"), (100, 172, "东城区"),
                           (240, 164, "每户每月三百元，特殊"), (240, 188, "情况另行规定")):
            write(page, x, y, text, 16)
        write(page, 112, 240, "本标准自公布之日起施行。", 16)
        picture = page.get_pixmap(dpi=150).tobytes("png")
    lines = recognise_page(picture, "image", 1)
    blocks = read_image(picture, "甲.png", ReadOptions(recognised={1: lines})).blocks
    assert [block.text for block in blocks] == [
        "| 区域 | 补贴标准 |\n| --- | --- |\n| 东城区 | 每户每月三百元，特殊情况另行规定 |",
        "本标准自公布之日起施行。",
    ]


@needs_ocr
def test_a_picture_file_is_read_like_a_page() -> None:
    data = pictured()
    page = recognise_page(data, "image", 1)
    reading = read_image(data, "甲.jpg", replace(ReadOptions(), recognised={1: page}))
    assert right_share("".join(block.text for block in reading.blocks)) >= 0.98


@needs_ocr
def test_a_blank_page_has_no_lines() -> None:
    pixels = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 600, 800))
    pixels.clear_with(255)
    assert recognise_page(pixels.tobytes("png"), "image", 1).lines == ()


@needs_ocr
@pytest.mark.parametrize(("data", "kind"), [(b"no pdf", "pdf"), (b"", "image"), (b"\xff\xd8\xff", "image")])
def test_a_page_that_cannot_be_drawn_is_a_clear_error(data: bytes, kind: str) -> None:
    with pytest.raises(IngestError) as caught:
        recognise_page(data, kind, 1)
    assert caught.value.code is Reject.DAMAGED


@needs_ocr
def test_a_page_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(IngestError, match="第 2 页"):
        recognise_page(scanned_pdf(), "pdf", 2)
