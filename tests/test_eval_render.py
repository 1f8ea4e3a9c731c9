"""Papers printed to PDF, as pictures, and written as DOCX."""

from __future__ import annotations

import io

import docx
import pymupdf
import pytest

from eval.paper import Paper, Part, Role, chinese_number, paper_of_law, with_labels
from eval.render_docx import docx_of
from eval.render_pdf import pdf_of, scanned_pdf_of

SENTENCE = "申请人应当自收到通知之日起15个工作日内，向居住地街道（镇）便民服务中心提交材料。"
ROWS = (("类别", "项目", "标准（元）"), ("挂号", "普通", "5"), ("挂号", "专家", "20"), ("合计", "合计", "25"))
PAPER = Paper(
    (
        Part("临澜市人民政府文件", Role.BANNER),
        Part("临政发〔2026〕12号", Role.DOC_NO),
        Part("临澜市人民政府关于做好冬季取暖补贴发放工作有关事项的通知", Role.TITLE),
        Part("各区、县人民政府：", Role.ADDRESSEE),
        Part(SENTENCE * 8),
        Part("工作要求", number=1),
        Part("按时发放。", number=2),
        Part(role=Role.TABLE, rows=ROWS, merged=((1, 0, 2, 0), (3, 0, 3, 1))),
        Part("临澜市人民政府", Role.SIGNATURE),
        Part("2026年11月3日", Role.DATE),
        Part("抄送：市委办公室。", Role.NOTE),
    ),
    running_header="临澜市人民政府公报",
    seal=True,
)


def plain(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module")
def printed() -> bytes:
    return pdf_of(PAPER)


def test_numbers_of_the_word_processor_are_counted_by_level() -> None:
    numbers = (1, 2, 2, 1, 2, 3)
    assert [part.text for part in with_labels(Part("甲", number=n) for n in numbers)] == [
        "一、甲", "（一）甲", "（二）甲", "二、甲", "（一）甲", "1．甲",
    ]


@pytest.mark.parametrize(("n", "expected"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九")])
def test_numbers_are_written_in_chinese(n: int, expected: str) -> None:
    assert chinese_number(n) == expected


def test_a_law_becomes_headings_and_paragraphs_under_its_title_once() -> None:
    paper = paper_of_law("甲法", "# 甲法\n\n## 第一章 总则\n\n第一条 甲。\n乙。\n")
    assert [(part.role, part.text) for part in paper.parts] == [
        (Role.TITLE, "甲法"), (Role.HEADING, "第一章 总则"), (Role.PARAGRAPH, "第一条 甲。"), (Role.PARAGRAPH, "乙。"),
    ]


def test_equal_papers_give_equal_bytes(printed: bytes) -> None:
    assert pdf_of(PAPER) == printed
    assert docx_of(PAPER) == docx_of(PAPER)
    assert scanned_pdf_of(printed, dpi=40, seed=1) == scanned_pdf_of(printed, dpi=40, seed=1)


def test_the_pdf_holds_every_character_of_the_paper_in_order(printed: bytes) -> None:
    with pymupdf.open("pdf", printed) as document:
        text = plain("".join(page.get_text() for page in document))
    for furniture in ("临澜市人民政府公报", "—1—", "—2—"):
        text = text.replace(furniture, "")
    cells = "类别项目标准（元）挂号普通5专家20合计25"      # a merged cell is printed once
    assert text == "".join(plain(part.text) or cells for part in with_labels(PAPER.parts))


def test_lines_of_a_paragraph_fill_the_measure_and_no_mark_begins_one(printed: bytes) -> None:
    with pymupdf.open("pdf", printed) as document:
        body = [
            line for block in document[0].get_text("dict")["blocks"] for line in block.get("lines", ())
            if "街道" in line["spans"][0]["text"]
        ]
    assert len(body) > 5
    assert {round(line["bbox"][2]) for line in body[:-1]} == {524}
    assert not any(line["spans"][0]["text"][0] in "，。、）" for line in body)


def test_page_numbers_stand_outside(printed: bytes) -> None:
    with pymupdf.open("pdf", printed) as document:
        first, second = (page.search_for("—")[0].x0 for page in list(document)[:2])
    assert second < 100 < first


def test_merged_cells_have_no_line_inside(printed: bytes) -> None:
    with pymupdf.open("pdf", printed) as document:
        tables = [table.extract() for page in document for table in page.find_tables().tables]
    header = ["类别", "项目", "标准（元）"]
    assert tables == [[header, ["挂号", "普通", "5"], [None, "专家", "20"], ["合计", None, "25"]]]


def test_a_scan_holds_one_picture_a_page_and_no_text(printed: bytes) -> None:
    with pymupdf.open("pdf", scanned_pdf_of(printed, dpi=100, seed=3)) as document:
        assert [(len(page.get_images()), page.get_text()) for page in document] == [(1, "")] * 2


def test_the_docx_holds_the_paragraphs_and_leaves_numbers_to_word() -> None:
    document = docx.Document(io.BytesIO(docx_of(PAPER)))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts == [part.text for part in PAPER.parts if part.role is not Role.TABLE]
    numbered = [p.text for p in document.paragraphs if p._p.pPr is not None and p._p.pPr.numPr is not None]
    assert numbered == ["工作要求", "按时发放。"]
    assert document.tables[0].cell(2, 0).text == "挂号"
