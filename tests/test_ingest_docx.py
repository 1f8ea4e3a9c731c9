"""A Word file gives its text in order, each word once, with the numbers that Word shows and the text does not hold."""

from __future__ import annotations

import contextlib
import io
import random
import re
import zipfile
from collections.abc import Mapping

import pytest
from docx import Document as new_docx
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from core.errors import IngestError
from core.records import Reject
from ingest.docx_numbering import format_number
from ingest.read_docx import read_docx
from ingest.reading import Block, BlockKind, Reading, ReadOptions
from tests.conftest import SHARED, needs_shared

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMES = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)
OPTIONS = ReadOptions()
NO_PARTS: Mapping[str, str | bytes] = {}


def make_docx(body: str, parts: Mapping[str, str | bytes] = NO_PARTS, *, relations: str = "") -> bytes:
    """A package of a body and of parts: XML under its short name ("styles"), bytes under their path."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", f"<w:document {NAMES}><w:body>{body}</w:body></w:document>")
        links = relations
        for name, content in parts.items():
            kind = re.sub(r"\d", "", name)
            root = {"header": "hdr", "footer": "ftr"}.get(kind, kind)
            if isinstance(content, str):
                archive.writestr(f"word/{name}.xml", f"<w:{root} {NAMES}>{content}</w:{root}>")
                links += f'<Relationship Id="{name}" Type="x/{kind}" Target="{name}.xml"/>'
            else:
                archive.writestr(name, content)
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>',
        )
    return stream.getvalue()


def p(text: str, properties: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text) if not text.startswith('<') else text}</w:tc>"


def row(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/>{''.join(rows)}</w:tbl>"


def read(body: str, parts: Mapping[str, str | bytes] = NO_PARTS, *, relations: str = "") -> Reading:
    return read_docx(make_docx(body, parts, relations=relations), "a.docx", OPTIONS)


def texts(body: str, parts: Mapping[str, str | bytes] = NO_PARTS) -> list[str]:
    return [block.text for block in read(body, parts).blocks]


def level(place: int, number_format: str, text: str, more: str = "") -> str:
    return (f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{number_format}"/>'
            f'<w:lvlText w:val="{text}"/>{more}</w:lvl>')


def numbering(*levels: str, nums: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>') -> str:
    return f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>{nums}'


def number(place: int = 0, list_id: int = 1) -> str:
    return f'<w:numPr><w:ilvl w:val="{place}"/><w:numId w:val="{list_id}"/></w:numPr>'


def style(name: str, shown: str, more: str = "", based_on: str = "") -> str:
    base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    return f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{shown}"/>{base}{more}</w:style>'


def styled(name: str) -> str:
    return f'<w:pStyle w:val="{name}"/>'


NOTICE = numbering(level(0, "chineseCountingThousand", "%1、"), level(1, "chineseCounting", "（%2）"),
                   level(2, "decimal", "%3."), level(3, "decimal", "%1.%2.%3.%4", "<w:isLgl/>"))


def test_numbers_of_a_notice_restart_below_each_higher_one() -> None:
    places = [0, 1, 1, 2, 2, 1, 0, 1, 2, 3]
    body = "".join(p("甲", number(place)) for place in places)
    assert texts(body, {"numbering": NOTICE}) == [
        "一、甲", "（一）甲", "（二）甲", "1.甲", "2.甲", "（三）甲", "二、甲", "（一）甲", "1.甲", "2.1.1.1　甲"
    ]


def test_articles_count_on_across_chapters_where_the_list_says_so() -> None:
    lists = numbering(level(0, "chineseCountingThousand", "第%1章"),
                      level(1, "chineseCountingThousand", "第%2条", '<w:lvlRestart w:val="0"/>'))
    body = "".join(p("甲", number(place)) for place in (0, 1, 1, 0, 1))
    assert texts(body, {"numbering": lists}) == ["第一章　甲", "第一条　甲", "第二条　甲", "第二章　甲", "第三条　甲"]


def test_a_number_comes_from_the_style_and_what_it_inherits() -> None:
    styles = (
        style("base", "条", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>') + style("own", "我", "", "base")
        + style("deep", "项", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>')
    )
    lists = numbering(level(0, "decimal", "第%1条"), level(1, "decimal", "（%2）", styled("deep")))
    off = styled("own") + '<w:numPr><w:numId w:val="0"/></w:numPr>'
    body = p("甲", styled("own")) + p("乙", off) + p("丙", styled("deep")) + p("丁", styled("base"))
    assert texts(body, {"styles": styles, "numbering": lists}) == ["第1条　甲", "乙", "（1）丙", "第2条　丁"]


def test_lists_of_one_definition_count_on_unless_they_start_anew() -> None:
    nums = ('<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
            '<w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num>'
            '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
            "</w:lvlOverride></w:num>")
    body = "".join(p("甲", number(0, list_id)) for list_id in (1, 2, 3, 3, 1, 9))
    shown = texts(body, {"numbering": numbering(level(0, "decimal", "%1."), nums=nums)})
    assert shown == ["1.甲", "2.甲", "5.甲", "6.甲", "7.甲", "甲"]


def test_bullets_are_no_text_but_words_set_as_bullets_are() -> None:
    lists = numbering(level(0, "bullet", "\uf0b7"), level(1, "bullet", "◆"), level(2, "bullet", "附件："),
                      level(3, "none", "注"))
    body = "".join(p("甲", number(n)) for n in range(4))
    assert texts(body, {"numbering": lists}) == ["甲", "甲", "附件：甲", "注　甲"]


def test_empty_numbered_paragraphs_are_no_blocks_but_number_cells() -> None:
    body = p("", number()) + table(row(cell("序号"), cell("名")), row(cell(p("", number())), cell("甲")))
    assert texts(body, {"numbering": NOTICE}) == ["| 序号 | 名 |\n| --- | --- |\n| 一、 | 甲 |"]


@pytest.mark.parametrize(("number_format", "value", "shown"), [
    ("decimal", 12, "12"), ("decimalZero", 7, "07"), ("upperRoman", 14, "XIV"), ("lowerRoman", 9, "ix"),
    ("upperLetter", 3, "C"), ("lowerLetter", 28, "bb"), ("decimalFullWidth", 10, "１０"), ("numberInDash", 3, "- 3 -"),
    ("chineseCounting", 10, "十"), ("chineseCounting", 11, "十一"), ("japaneseCounting", 20, "二十"),
    ("chineseCountingThousand", 101, "一百零一"), ("chineseCountingThousand", 110, "一百一十"),
    ("chineseCountingThousand", 1005, "一千零五"), ("chineseCountingThousand", 1260, "一千二百六十"),
    ("ideographDigital", 205, "二〇五"), ("chineseLegalSimplified", 12, "壹拾贰"), ("ideographTraditional", 2, "乙"),
    ("ideographZodiac", 13, "子"), ("decimalEnclosedCircle", 3, "③"), ("decimalEnclosedCircleChinese", 21, "21"),
    ("none", 1, ""), ("hebrew1", 4, "4"), ("chineseCounting", 0, "0"), ("upperLetter", 999_999, "999999"),
])
def test_number_formats(number_format: str, value: int, shown: str) -> None:
    assert format_number(value, number_format) == shown


def test_headings_are_known_by_style_name_outline_and_inheritance() -> None:
    styles = (style("1", "heading 1") + style("a", "标题 2") + style("b", "我的章", based_on="1")
              + style("c", "条标", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>') + style("n", "Normal"))
    body = "".join(p("甲", styled(name)) for name in "1abcn") + p("乙", '<w:outlineLvl w:val="3"/>')
    body += p("丙", styled("1") + '<w:outlineLvl w:val="9"/>')
    levels = [(block.kind.value, block.level) for block in read(body, {"styles": styles}).blocks]
    heading = BlockKind.HEADING.value
    assert levels == [(heading, 1), (heading, 2), (heading, 1), (heading, 3), ("paragraph", 0), (heading, 4),
                      ("paragraph", 0)]


def test_styles_that_inherit_in_a_ring_end() -> None:
    styles = style("a", "甲", based_on="b") + style("b", "乙", based_on="a")
    assert texts(p("甲", styled("a")), {"styles": styles}) == ["甲"]


CENTRED = '<w:jc w:val="center"/>'


def large(size: int, more: str = "") -> str:
    return f'<w:sz w:val="{size}"/>{more}'


def test_a_title_is_the_first_large_centred_lines_below_the_red_head() -> None:
    body = (
        p("某市人民政府文件", CENTRED, large(72, '<w:color w:val="FF0000"/>'))
        + p("某政发〔2024〕1号", CENTRED, large(32))
        + p("某市人民政府", CENTRED, large(44)) + p("关于发放补贴的通知", CENTRED, large(44))
        + p("各区人民政府：", "", large(32)) + p("现将有关事项通知如下。" * 5, "", large(32))
        + p("附件标题", CENTRED, large(44))
    )
    blocks = read(body).blocks
    assert [block.text for block in blocks if block.kind is BlockKind.TITLE] == ["某市人民政府关于发放补贴的通知"]
    assert [block.text for block in blocks][:4] == [
        "某市人民政府文件", "某政发〔2024〕1号", "某市人民政府关于发放补贴的通知", "各区人民政府："
    ]


def test_a_title_style_wins_and_its_lines_are_one() -> None:
    styles = style("t", "Title") + style("1", "heading 1")
    body = p("大字", CENTRED, large(80)) + p("某市补贴", styled("t")) + p("办法", styled("t"))
    body += p("第一章 总则", styled("1")) + p("附件标题", styled("t"))
    kinds = [(block.kind.value, block.text) for block in read(body, {"styles": styles}).blocks]
    assert kinds == [
        ("paragraph", "大字"), ("title", "某市补贴办法"), ("heading", "第一章 总则"), ("heading", "附件标题")
    ]


def test_a_lone_first_heading_is_the_title_unless_it_is_numbered() -> None:
    styles = style("1", "heading 1") + style("2", "heading 2")
    assert read(p("补贴办法", styled("1")) + p("甲", styled("2")), {"styles": styles}).blocks[0].kind is BlockKind.TITLE
    assert read(p("第一章 总则", styled("1")) + p("甲"), {"styles": styles}).blocks[0].kind is BlockKind.HEADING
    assert read(p("甲", styled("1")) + p("乙", styled("1")), {"styles": styles}).blocks[0].kind is BlockKind.HEADING


def test_a_body_text_without_larger_lines_has_no_title() -> None:
    body = p("落款居中", CENTRED) + p("正文" * 30)
    assert all(block.kind is BlockKind.PARAGRAPH for block in read(body).blocks)


def test_merged_cells_repeat_their_text() -> None:
    body = table(
        row(cell("区", '<w:vMerge w:val="restart"/>'), cell("金额", '<w:gridSpan w:val="2"/>')),
        row(cell("", "<w:vMerge/>"), cell("一季"), cell("二季")),
        row(cell("甲"), cell("1"), cell("2")), row(cell("1"), properties='<w:gridBefore w:val="2"/>'),
    )
    assert texts(body) == [
        "| 区 | 金额 | 金额 |\n| 区 | 一季 | 二季 |\n| --- | --- | --- |\n| 甲 | 1 | 2 |\n|  |  | 1 |"
    ]


def test_header_rows_are_those_that_repeat_on_each_page() -> None:
    header = "<w:tblHeader/>"
    body = table(row(cell("甲"), cell("乙"), properties=header), row(cell("丙"), cell("丁"), properties=header),
                 row(cell("1"), cell("2")))
    assert texts(body)[0].split("\n")[2] == "| --- | --- |"


def test_a_caption_over_the_whole_first_row_belongs_to_the_header() -> None:
    caption = row(cell("补贴标准", '<w:gridSpan w:val="2"/>'))
    body = table(caption, row(cell("项目"), cell("元")), row(cell("甲"), cell("1")))
    assert texts(body)[0].split("\n")[:3] == ["| 补贴标准 | 补贴标准 |", "| 项目 | 元 |", "| --- | --- |"]


def test_a_form_drawn_with_cells_of_all_widths_holds_each_cell_once() -> None:
    body = table(row(cell("姓名", '<w:gridSpan w:val="3"/>'), cell("", '<w:gridSpan w:val="9"/>')),
                 row(cell("基本情况", '<w:gridSpan w:val="12"/>')))
    assert texts(body) == ["| 姓名 |  |\n| --- | --- |\n| 基本情况 |  |"]


def test_a_table_inside_a_cell_becomes_its_text_and_a_frame_its_content() -> None:
    inner = table(row(cell("甲"), cell("1")), row(cell("乙"), cell("2")))
    assert texts(table(row(cell("外"), cell(inner + p(""))), row(cell("x"), cell("y")))) == [
        "| 外 | 甲 1 乙 2 |\n| --- | --- |\n| x | y |"
    ]
    assert texts(table(row(cell(p("一") + p("二"))))) == ["一", "二"]


def test_rows_and_text_that_were_deleted_are_left_out_and_inserted_ones_kept() -> None:
    body = (
        "<w:p><w:r><w:t>留</w:t></w:r><w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>增</w:t></w:r></w:ins><w:moveFrom><w:r><w:t>移</w:t></w:r></w:moveFrom>"
        "<w:moveTo><w:r><w:t>移</w:t></w:r></w:moveTo></w:p>"
        + table(row(cell("甲"), cell("乙")), row(cell("旧"), cell("旧"), properties="<w:del/>"),
                row(cell("1"), cell("2")))
    )
    assert texts(body) == ["留增移", "| 甲 | 乙 |\n| --- | --- |\n| 1 | 2 |"]


def test_a_paragraph_whose_end_was_deleted_runs_on() -> None:
    assert texts(p("前", "<w:rPr><w:del/></w:rPr>") + p("后") + p("末", "<w:rPr><w:del/></w:rPr>")) == ["前后", "末"]


def test_hidden_text_is_dropped_by_run_and_by_style() -> None:
    styles = style("h", "隐", "<w:rPr><w:vanish/></w:rPr>")
    body = p("见", "", '<w:vanish w:val="0"/>') + p("隐", "", "<w:vanish/>") + p("隐", styled("h"))
    assert texts(body, {"styles": styles}) == ["见"]


BOX = "<w:txbxContent><w:p><w:r><w:t>框中</w:t></w:r></w:p></w:txbxContent>"
SHAPE = (
    f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{BOX}</wps:txbx></w:drawing></mc:Choice>'
    f"<mc:Fallback><w:pict><v:textbox>{BOX}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)


def test_a_text_box_stands_once_after_its_paragraph() -> None:
    assert texts(f"<w:p><w:r><w:t>外</w:t></w:r>{SHAPE}</w:p>") == ["外", "框中"]
    assert texts(f"<w:p><w:r><w:pict><v:textbox>{BOX}</v:textbox></w:pict></w:r></w:p>") == ["框中"]
    art = '<w:p><w:r><w:pict><v:shape><v:textpath string="某市人民政府文件"/></v:shape></w:pict></w:r></w:p>'
    assert texts(art) == ["某市人民政府文件"]


def test_wrappers_of_any_kind_keep_their_text_in_place() -> None:
    body = (
        p("一") + f"<w:sdt><w:sdtPr/><w:sdtContent>{p('二')}{table(row(cell('甲'), cell('乙')))}</w:sdtContent></w:sdt>"
        '<w:p><w:hyperlink r:id="x"><w:r><w:t>三</w:t></w:r></w:hyperlink><w:sdt><w:sdtContent><w:r><w:t>四</w:t></w:r>'
        "</w:sdtContent></w:sdt><w:smartTag><w:r><w:t>五</w:t></w:r></w:smartTag>"
        '<w:fldSimple w:instr=" REF x "><w:r><w:t>六</w:t></w:r></w:fldSimple></w:p>'
    )
    assert texts(body) == ["一", "二", "| 甲 | 乙 |\n| --- | --- |", "三四五六"]


def test_line_breaks_make_paragraphs_but_not_in_a_heading() -> None:
    broken = "<w:r><w:t>关于</w:t><w:br/><w:t>通知</w:t></w:r>"
    assert texts(f"<w:p>{broken}</w:p>") == ["关于", "通知"]
    assert texts(f"<w:p><w:pPr>{styled('t')}</w:pPr>{broken}</w:p>", {"styles": style("t", "Title")}) == ["关于通知"]


def test_marks_symbols_boxes_and_formulas_are_text() -> None:
    body = (
        '<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="0"/></w:checkBox></w:ffData>'
        "</w:fldChar>"
        "<w:instrText>FORMCHECKBOX</w:instrText></w:r><m:oMath><m:f><m:num><m:d><m:e><m:r><m:t>甲-乙</m:t></m:r></m:e></m:d>"
        "</m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath></w:p>"
    )
    assert texts(body) == ["a\tb-☑□((甲-乙))/2"]


def test_notes_stand_after_the_text_in_the_order_of_their_marks() -> None:
    def mark(kind: str, n: int) -> str:
        return f'<w:r><w:{kind}Reference w:id="{n}"/></w:r>'

    def note(kind: str, n: int, text: str) -> str:
        return f'<w:{kind} w:id="{n}">{p(text)}</w:{kind}>'

    body = f"<w:p><w:r><w:t>甲</w:t></w:r>{mark('endnote', 2)}{mark('footnote', 1)}</w:p>" + p("乙")
    footnotes = '<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>' + note("footnote", 1, "脚")
    parts = {"footnotes": footnotes, "endnotes": note("endnote", 2, "尾") + note("endnote", 3, "无")}
    assert texts(body, parts) == ["甲[注1][注2]", "乙", "[注1] 尾", "[注2] 脚"]


def test_headers_footers_page_numbers_and_watermarks_are_furniture() -> None:
    section = ('<w:sectPr><w:headerReference r:id="header1"/><w:headerReference r:id="header2"/>'
               '<w:footerReference r:id="footer1"/></w:sectPr>')
    water = '<w:p><w:r><w:pict><v:shape><v:textpath string="内部资料"/></v:shape></w:pict></w:r></w:p>'
    page = ('<w:p><w:r><w:t>— </w:t></w:r><w:r><w:instrText> PAGE </w:instrText></w:r><w:r><w:t>3</w:t></w:r>'
            "<w:r><w:t> —</w:t></w:r></w:p>")
    parts = {"header1": p("某市公报"), "header2": p("某市公报") + water, "footer1": page + p("印发")}
    assert read(p("正文") + section, parts).blocks == (
        Block("正文"), Block("某市公报", BlockKind.HEADER), Block("内部资料", BlockKind.WATERMARK),
        Block("— 3 —", BlockKind.PAGE_NUMBER), Block("印发", BlockKind.FOOTER),
    )


def test_a_table_of_contents_is_navigation() -> None:
    styles = style("1", "toc 1") + style("h", "TOC Heading")
    reading = read(p("目录", styled("h")) + p("第一章 总则 1", styled("1")) + p("正文"), {"styles": styles})
    assert [block.kind for block in reading.blocks] == [BlockKind.NAVIGATION, BlockKind.NAVIGATION, BlockKind.PARAGRAPH]


def test_embedded_files_are_listed_and_documents_handed_on() -> None:
    ole = '<w:p><w:r><w:object><o:OLEObject ProgID="{}" r:id="{}"/></w:object></w:r></w:p>'
    objects = (("Excel.Sheet.12", "e1"), ("Package", "e2"), ("Equation.3", "e1"))
    body = p("见附件") + "".join(ole.format(program, link) for program, link in objects)
    relations = ('<Relationship Id="e1" Type="x/package" Target="embeddings/表.xlsx"/>'
                 '<Relationship Id="e2" Type="x/oleObject" Target="embeddings/oleObject1.bin"/>')
    parts = {"word/embeddings/表.xlsx": b"PK", "word/embeddings/oleObject1.bin": b"x"}
    found = [(item.name, item.data) for item in read(body, parts, relations=relations).attachments]
    assert found == [("表格：表.xlsx", b"PK"), ("附件：oleObject1.bin", None)]


def test_pictures_without_text_need_recognition_and_nothing_is_empty() -> None:
    picture = '<w:p><w:r><w:drawing><a:blip r:embed="x"/></w:drawing></w:r></w:p>'
    for body, code in ((picture, Reject.NEEDS_OCR), (p(" "), Reject.EMPTY)):
        with pytest.raises(IngestError) as caught:
            read(body)
        assert caught.value.code is code
        assert caught.value.place == "a.docx"


def test_a_stated_title_counts_only_where_the_text_begins_with_it() -> None:
    core = '<c xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></c>'
    for stated, counts in (("关于发放补贴的通知", True), ("关于另一件事的通知", False), ("Word 文档", False)):
        hints = read(p("关于发放补贴") + p("的通知"), {"docProps/core.xml": core.format(stated).encode()}).hints
        assert hints == ({"title": stated} if counts else {})


def test_strict_open_xml_is_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make_docx(p("甲")))) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            strict = old.read(name).replace(W.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main")
            new.writestr(name, strict)
    assert read_docx(stream.getvalue(), "a.docx", OPTIONS).blocks == (Block("甲"),)


def test_a_bomb_and_entities_are_refused() -> None:
    with pytest.raises(IngestError, match="压缩炸弹") as caught:
        read(p("甲"), {"word/media/a.xml": b"0" * 50_000_000})
    assert caught.value.code is Reject.UNSAFE_ARCHIVE
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for data in (entities, entities.decode().encode("utf-16")):
        with pytest.raises(IngestError, match="XML 实体"):
            read(p("甲"), {"docProps/core.xml": data})


def test_documents_made_by_another_program_keep_their_order() -> None:
    document = new_docx()
    document.add_heading("某办法", 0)
    document.add_heading("第一章　总则", 1)
    document.add_paragraph("第一条　甲。")
    document.add_table(2, 2).cell(0, 0).text = "项目"
    document.add_paragraph("列表项", style="List Number")
    stream = io.BytesIO()
    document.save(stream)
    blocks = read_docx(stream.getvalue(), "a.docx", OPTIONS).blocks
    assert [block.kind.value for block in blocks] == ["title", "heading", "paragraph", "table", "paragraph"]
    assert blocks[4].text == "1.列表项"


WRAPPERS = (
    "<w:p><w:r>{}</w:r></w:p>", "<w:p><w:hyperlink><w:r>{}</w:r></w:hyperlink><w:ins><w:r>{}</w:r></w:ins></w:p>",
    "<w:sdt><w:sdtContent><w:p><w:r>{}<w:br/>{}</w:r></w:p></w:sdtContent></w:sdt>",
    "<w:p><w:pPr><w:pStyle w:val='1'/></w:pPr><w:r>{}</w:r></w:p>",
    "<w:p><w:pPr><w:pStyle w:val='toc'/></w:pPr><w:r>{}</w:r></w:p>",
    "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r>{}</w:r></w:p>",
    "<w:p><w:r>{}</w:r><w:r><w:pict><v:textbox><w:txbxContent><w:p><w:r>{}</w:r></w:p></w:txbxContent></v:textbox>"
    "</w:pict></w:r></w:p>",
    "<w:tbl><w:tr><w:tc><w:p><w:r>{}</w:r></w:p></w:tc><w:tc><w:p><w:r>{}</w:r></w:p></w:tc></w:tr></w:tbl>",
    "<w:tbl><w:tr><w:tc><w:p><w:r>{}</w:r></w:p></w:tc></w:tr></w:tbl>",
    "<w:p><w:pPr><w:jc w:val='center'/></w:pPr><w:r><w:rPr><w:sz w:val='44'/></w:rPr>{}</w:r></w:p>",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WRAPPERS), min_size=1, max_size=12))
def test_every_word_stands_in_the_blocks_exactly_once_and_in_order(wrappers: list[str]) -> None:
    pieces = "".join(wrappers).split("{}")
    words = [f"词{n}号" for n in range(len(pieces) - 1)]
    body = "".join(f"{piece}<w:t>{word}</w:t>" for piece, word in zip(pieces, words, strict=False)) + pieces[-1]
    found = texts(body, {"styles": style("1", "heading 1") + style("toc", "toc 1")})
    assert re.findall(r"词\d+号", "".join(found)) == words


@needs_shared
def test_every_character_of_a_real_document_is_kept() -> None:
    data = (SHARED / "data/policy_files/docx/docx_01.docx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = etree.fromstring(archive.read("word/document.xml"))
    blocks = read_docx(data, "docx_01.docx", OPTIONS).blocks
    kept = "".join("".join(block.text.split()) for block in blocks)
    tables = [t for t in root.iter(f"{{{W}}}tbl") if not list(t.iterancestors(f"{{{W}}}tc"))]
    assert [block.kind for block in blocks].count(BlockKind.TABLE) == len(tables) == 8
    plain = {f"{{{W}}}{name}" for name in ("pPr", "rPr", "r", "t", "bookmarkStart", "bookmarkEnd", "proofErr")}
    paragraphs = [
        "".join("".join(paragraph.itertext()).split()) for paragraph in root.iter(f"{{{W}}}p")
        if all(child.tag in plain for child in paragraph) and all(c.tag in plain for r in paragraph for c in r
                                                                  if r.tag == f"{{{W}}}r")
    ]
    assert len(paragraphs) > 300
    assert [text for text in paragraphs if text not in kept] == []


def test_changed_bytes_give_a_reading_or_an_ingest_error() -> None:
    chance = random.Random(5)
    body = p("一" * 50, number(1)) + SHAPE.join(("<w:p>", "</w:p>"))
    body += table(row(cell("甲", '<w:gridSpan w:val="2"/>')), row(cell("乙"), cell("", "<w:vMerge/>")))
    body += '<w:sectPr><w:headerReference r:id="header1"/></w:sectPr>'
    parts = {"numbering": NOTICE, "styles": style("1", "heading 1", based_on="1"), "header1": p("头")}
    sample = make_docx(body, parts)
    for turn in range(300):
        if turn % 2:    # inside the parts, so that the checksums of the package hold
            data = changed_part(sample, chance)
        else:
            data = changed(sample, chance)
        with contextlib.suppress(IngestError):
            read_docx(data, "a.docx", OPTIONS)


def changed(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                del changed[place : place + chance.randint(1, 40)]
            case _:
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(changed)


def changed_part(data: bytes, chance: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        target = chance.choice(old.namelist())
        for name in old.namelist():
            text = old.read(name)
            if name == target:
                digits = [place for place, byte in enumerate(text) if chr(byte).isalnum()]
                for place in chance.sample(digits, min(len(digits), chance.randint(1, 3))):
                    text = text[:place] + chance.choice((b"9", b"-1", b"999999999", b"", b"w")) + text[place + 1 :]
            new.writestr(name, text)
    return stream.getvalue()
