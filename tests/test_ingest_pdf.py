"""PDF files as programs make them: text, bold, tables, watermarks, scans, locked and damaged ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from core.errors import IngestError
from core.records import Reject
from ingest.glyphs import full_width, garbled_share, plain, without_quarter_blanks
from ingest.read_image import read_image
from ingest.read_pdf import read_pdf
from ingest.reading import BlockKind, PageLines, Reading, ReadOptions, TextLine
from tests.conftest import SHARED, needs_shared

OPTIONS = ReadOptions()
ARTICLES = (
    "第一条　为了规范住房保障工作，根据有关法律，制定本办法。",
    "第二条　本市行政区域内的住房保障工作，适用本办法。法律另有规定的，按照其规定执行；没有规定的，由主管部门"
    "会同有关部门另行制定。",
    "第三条　申请人应当年满十八周岁。",
)
Draw = Callable[[pymupdf.Page], object]


def write(page: pymupdf.Page, x: float, y: float, text: str, size: float = 12, color: float = 0) -> None:
    page.insert_text((x, y), text, fontname="china-s", fontsize=size, color=(color, color, color))


def make_pdf(*pages: Draw) -> bytes:
    with pymupdf.open() as document:
        for draw in pages:
            draw(document.new_page(width=595, height=842))
        return document.tobytes()


def articles(page: pymupdf.Page) -> None:
    y = 100.0
    for article in ARTICLES:
        for start in range(0, len(article) + 2, 36):
            text = f"　　{article}"[start:start + 36]
            write(page, 80, y, text)
            y += 20


def scan(page: pymupdf.Page) -> None:
    """Nothing but a picture over the whole page."""
    pixels = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 595, 842))
    pixels.clear_with(250)
    page.insert_image(page.rect, pixmap=pixels)


def read(data: bytes, options: ReadOptions = OPTIONS) -> Reading:
    return read_pdf(data, "甲.pdf", options)


def texts(reading: Reading, kind: BlockKind = BlockKind.PARAGRAPH) -> list[str]:
    return [block.text for block in reading.blocks if block.kind is kind]


def refusal(data: bytes, options: ReadOptions = OPTIONS) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read(data, options)
    assert caught.value.place == "甲.pdf"
    return caught.value


def test_articles_come_out_as_a_reader_would_type_them() -> None:
    reading = read(make_pdf(articles, articles))
    assert texts(reading) == [*ARTICLES, *ARTICLES]
    assert (reading.pages, reading.needs_ocr, reading.unread_pages) == (2, (), ())


def test_a_place_on_paper_is_given_in_points_from_the_top() -> None:
    piece = read(make_pdf(articles)).blocks[0].pieces[0]
    x0, y0, x1, y1 = piece.box
    assert piece.page == 1
    assert (x0, x1) == (pytest.approx(80 + 24, abs=1), pytest.approx(80 + 12 * (len(ARTICLES[0]) + 2), abs=1))
    assert 85 < y0 < 92
    assert 100 < y1 < 105


def test_bold_that_is_printed_twice_is_read_once() -> None:
    def draw(page: pymupdf.Page) -> None:
        for shift in (0, 0.3, 0.6):
            write(page, 80 + shift, 100, "第一条　甲乙丙丁。")

    assert texts(read(make_pdf(draw))) == ["第一条　甲乙丙丁。"]


def test_a_line_within_another_is_put_where_it_is_printed() -> None:
    """LibreOffice writes a text without its quotation marks, leaves gaps for them, and writes them before it."""
    def draw(page: pymupdf.Page) -> None:
        write(page, 140, 100, "“")
        write(page, 176, 100, "”")
        for x, text in ((80, "第一条　甲"), (152, "其他"), (188, "形式的合同。")):
            write(page, x, 100, text)

    assert texts(read(make_pdf(draw))) == ["第一条　甲“其他”形式的合同。"]


def rule(page: pymupdf.Page, x0: float, y0: float, x1: float, y1: float) -> None:
    page.draw_line((x0, y0), (x1, y1), width=0.7)


def draw_table(page: pymupdf.Page) -> None:
    """Two rows of head with merged cells, a row of two lines."""
    write(page, 80, 90, "补贴标准如下：")
    for y, x in ((100, 80), (130, 200), (160, 80), (210, 80)):
        rule(page, x, y, 500, y)
    for x, y in ((80, 100), (200, 100), (350, 130), (500, 100)):
        rule(page, x, y, x, 210)
    for x, y, text in (
        (90, 135, "类别"), (330, 120, "标准"), (260, 150, "市区"), (410, 150, "县"), (90, 180, "单人户"),
        (210, 180, "每月三百元，特殊情"), (210, 198, "况另行规定"), (360, 180, "二百元"),
    ):
        write(page, x, y, text)
    write(page, 80, 240, "本办法自公布之日起施行。")


TABLE = """\
| 类别 | 标准 | 标准 |
| 类别 | 市区 | 县 |
| --- | --- | --- |
| 单人户 | 每月三百元，特殊情况另行规定 | 二百元 |"""


def test_a_ruled_table_keeps_merged_cells_and_its_place() -> None:
    reading = read(make_pdf(draw_table))
    assert [block.text for block in reading.blocks] == ["补贴标准如下：", TABLE, "本办法自公布之日起施行。"]
    assert reading.blocks[1].pieces[0].box == (pytest.approx(80, abs=1), pytest.approx(100, abs=1),
                                               pytest.approx(500, abs=1), pytest.approx(210, abs=1))


def test_rules_drawn_as_thin_boxes_or_outlined_cells_make_the_same_table() -> None:
    def boxes(page: pymupdf.Page) -> None:
        for y in (100, 130, 160):
            page.draw_rect((80, y, 400, y + 0.5), fill=(0, 0, 0), width=0)
        for x in (80, 240, 400):
            page.draw_rect((x, 100, x + 0.5, 160.5), fill=(0, 0, 0), width=0)

    def cells(page: pymupdf.Page) -> None:
        for x in (80, 240):
            for y in (100, 130):
                page.draw_rect((x, y, x + 160, y + 30))

    def content(page: pymupdf.Page) -> None:
        for x, y, text in ((90, 120, "区"), (250, 120, "标准"), (90, 150, "东区"), (250, 150, "三百元")):
            write(page, x, y, text)

    for lines in (boxes, cells):
        reading = read(make_pdf(lambda page, lines=lines: (lines(page), content(page))))  # type: ignore[misc]
        assert texts(reading, BlockKind.TABLE) == ["| 区 | 标准 |\n| --- | --- |\n| 东区 | 三百元 |"]


def test_a_frame_and_an_underline_are_no_table() -> None:
    def draw(page: pymupdf.Page) -> None:
        articles(page)
        page.draw_rect((60, 60, 535, 780))
        rule(page, 80, 104, 300, 104)

    assert texts(read(make_pdf(draw))) == list(ARTICLES)


def test_watermarks_leave_the_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        articles(page)
        write(page, 120, 130, "征求意见稿", size=60, color=0.85)
        page.insert_text((200, 500), "内部", fontname="china-s", fontsize=50, rotate=90)

    reading = read(make_pdf(draw))
    assert texts(reading) == list(ARTICLES)
    assert sorted(texts(reading, BlockKind.WATERMARK)) == ["内部", "征求意见稿"]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_page_that_lies_on_its_side_is_read_upright(angle: int) -> None:
    with pymupdf.open(stream=make_pdf(articles)) as upright, pymupdf.open() as document:
        page = document.new_page(width=842, height=842)
        page.show_pdf_page(page.rect, upright, 0, rotate=angle)
        assert texts(read(document.tobytes())) == list(ARTICLES)
        page.set_rotation(angle)
        assert texts(read(document.tobytes())) == list(ARTICLES)


def test_the_title_of_the_file_is_a_hint_only_when_it_is_one() -> None:
    def titled(title: str) -> dict[str, str]:
        with pymupdf.open(stream=make_pdf(articles)) as document:
            document.set_metadata({"title": title})
            return dict(read(document.tobytes()).hints)

    assert titled("云州市住房保障办法_云州市人民政府") == {"title": "云州市住房保障办法"}
    assert titled("Microsoft Word - 住房保障办法终稿.docx") == {}
    assert titled("住房保障办法终稿二版.pdf") == {}
    assert titled("scan_20240403") == {}


def test_the_address_of_a_printed_web_page_is_a_hint() -> None:
    def draw(page: pymupdf.Page) -> None:
        articles(page)
        page.insert_text((24, 825), "https://www.example.gov.cn/zc/content_1.htm", fontsize=8)

    assert read(make_pdf(draw)).hints == {"url": "https://www.example.gov.cn/zc/content_1.htm"}


def recognised(number: int, text: str, y: float = 100) -> PageLines:
    return PageLines(number, 595, 842, (TextLine(text, (104, y, 400, y + 12), 12, confidence=0.99),))


def test_scanned_pages_are_named_until_they_are_recognised() -> None:
    data = make_pdf(articles, scan)
    assert (read(data).needs_ocr, texts(read(data))) == ((2,), list(ARTICLES))
    again = read(data, replace(OPTIONS, recognised={2: recognised(2, "第四条　另行规定。")}))
    assert (again.needs_ocr, texts(again)) == ((), [*ARTICLES, "第四条　另行规定。"])


def test_a_picture_beside_text_is_recognised_into_the_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        articles(page)
        pixels = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 400, 400))
        pixels.clear_with(240)
        page.insert_image((80, 300, 500, 700), pixmap=pixels)

    data = make_pdf(draw)
    assert (read(data).needs_ocr, texts(read(data))) == ((1,), list(ARTICLES))
    lines = recognised(1, ARTICLES[0]).lines + recognised(1, "图中的文字。", y=400).lines
    again = read(data, replace(OPTIONS, recognised={1: replace(recognised(1, ""), lines=lines)}))
    assert (again.needs_ocr, texts(again)) == ((), [*ARTICLES, "图中的文字。"])


def test_a_small_picture_such_as_a_seal_asks_for_nothing() -> None:
    def draw(page: pymupdf.Page) -> None:
        articles(page)
        pixels = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 100, 100))
        pixels.clear_with(240)
        page.insert_image((400, 600, 520, 720), pixmap=pixels)

    assert read(make_pdf(draw)).needs_ocr == ()


def test_a_text_layer_of_unmapped_letters_needs_recognition() -> None:
    with pymupdf.open() as document:
        writer = pymupdf.TextWriter((0, 0, 595, 842))
        writer.append((80, 100), ARTICLES[0], font=pymupdf.Font("cjk"))
        writer.write_text(document.new_page())
        for number in range(1, document.xref_length()):
            if document.xref_get_key(number, "ToUnicode")[0] != "null":
                document.xref_set_key(number, "ToUnicode", "null")
        data = document.tobytes()
    assert read(data).needs_ocr == (1,)
    assert texts(read(data, replace(OPTIONS, recognised={1: recognised(1, "第一条　甲。")}))) == ["第一条　甲。"]


def test_an_empty_page_needs_nothing() -> None:
    assert read(make_pdf(lambda page: None)) == Reading((), pages=1)


def test_a_locked_file_is_refused_and_one_that_only_forbids_printing_is_read() -> None:
    with pymupdf.open(stream=make_pdf(articles)) as document:
        locked = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="a", owner_pw="b")
        open_ = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="b", permissions=0)
    assert refusal(locked).code is Reject.ENCRYPTED
    assert texts(read(open_)) == list(ARTICLES)


def test_too_many_pages_are_refused() -> None:
    error = refusal(make_pdf(articles, articles, articles), replace(OPTIONS, max_pages=2))
    assert error.code is Reject.TOO_LARGE
    assert "3 页" in error.reason


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"no pdf", bytes(2000)])
def test_what_is_no_pdf_is_damaged(data: bytes) -> None:
    assert refusal(data).code is Reject.DAMAGED


def changed(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(made))
        match chance.randrange(4):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                del made[at:at + chance.randint(1, 400)]
            case 2:
                made[at:at] = chance.randbytes(chance.randint(1, 40))
            case _:
                made[at:at + 8] = chance.choice([b"<<>>", b"endobj", b"99999999", b"stream\n", b"/Kids []", b"-1 0 R "])
    return bytes(made)


def test_changed_bytes_end_in_a_reading_or_a_clear_error() -> None:
    chance = random.Random(7)
    samples = [make_pdf(articles, draw_table, scan), make_pdf(draw_table)]
    outcomes = set()
    for number in range(150):
        try:
            reading = read(changed(samples[number % 2], chance))
            outcomes.add("read" if reading.blocks else "empty")
        except IngestError as error:
            outcomes.add(str(error.code))
    assert {"read", "damaged"} <= outcomes


def test_a_picture_needs_recognition_and_then_reads_like_a_page() -> None:
    pixels = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 300, 200))
    pixels.clear_with(255)
    for kind in ("png", "jpg"):
        data = pixels.tobytes(kind)
        assert read_image(data, "甲.png", OPTIONS) == Reading((), pages=1, needs_ocr=(1,))
        found = read_image(data, "甲.png", replace(OPTIONS, recognised={1: recognised(1, "第一条　甲。")}))
        assert (texts(found), found.needs_ocr) == (["第一条　甲。"], ())


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"\xff\xd8\xff\xe0"])
def test_a_damaged_picture_is_a_clear_error(data: bytes) -> None:
    with pytest.raises(IngestError, match="损坏"):
        read_image(data, "甲.png", OPTIONS)


def test_radicals_and_letters_without_width_become_what_was_meant() -> None:
    assert plain("⾏政⻓官\u200b\xa0⺠政") == "行政长官 民政"
    typed = without_quarter_blanks("第三条 自 2024 年 5 月 1 日起，凭 ID 卡办理 A B")
    assert typed == "第三条 自2024年5月1日起，凭ID卡办理A B"
    assert full_width("（一)甲(乙):1:2") == "（一）甲（乙）：1:2"
    assert garbled_share("甲\ufffd\ue000 乙") == 0.5


@needs_shared
def test_the_printed_notices_are_read_without_what_the_browser_added() -> None:
    for path in sorted((SHARED / "data/policy_files/pdf").glob("*.pdf")):
        reading = read_pdf(path.read_bytes(), path.name, OPTIONS)
        body = [block for block in reading.blocks if not block.kind.is_furniture]
        assert sum(block.kind is BlockKind.TITLE for block in body) == 1, path.name
        assert not [block.text for block in body if "gov.cn" in block.text or block.text.startswith("2026/7/2")]
        assert len(texts(reading, BlockKind.PAGE_NUMBER)) == reading.pages
        assert reading.hints["url"].startswith("https://www.gov.cn/"), path.name


@needs_shared
def test_a_scanned_book_needs_recognition_on_every_page() -> None:
    path = Path(SHARED / "data/policy_files/pdf_scanned/small_ocr.pdf")
    assert read_pdf(path.read_bytes(), path.name, OPTIONS).needs_ocr == tuple(range(1, 9))
