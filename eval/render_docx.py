"""A paper written as DOCX after GB/T 9704, and office files made repeatable."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as Docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.text.font import CT_RPr
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from eval.paper import Paper, Part, Role

_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_ZIP_DAY = (2026, 1, 1, 0, 0, 0)
_BODY, _TITLE, _BANNER = 16.0, 22.0, 44.0
_FONTS = {Role.TITLE: "方正小标宋简体", Role.BANNER: "方正小标宋简体"}
_CENTRED = (Role.TITLE, Role.BANNER, Role.DOC_NO)
_NUMBER_ID = 77
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


def docx_of(paper: Paper) -> bytes:
    """The file's bytes, equal for equal papers. Parts with a ``number`` are numbered by Word, not in their text."""
    document = Document()
    _prepare(document, paper)
    if any(part.number for part in paper.parts):
        _define_numbering(document)
    for part in paper.parts:
        if part.role is Role.TABLE:
            _table(document, part)
        else:
            _paragraph(document, part)
    buffer = io.BytesIO()
    document.save(buffer)
    return repeatable(buffer.getvalue())


def repeatable(office_file: bytes) -> bytes:
    """A DOCX, XLSX or PPTX without the moment it was made: fixed dates in the archive and in the properties."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(office_file)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>2026-01-01T00:00:00Z\g<3>", data)
            target.writestr(zipfile.ZipInfo(name, _ZIP_DAY), data, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _prepare(document: Docx, paper: Paper) -> None:
    properties = document.core_properties
    properties.created = properties.modified = _DAY
    properties.author = properties.last_modified_by = "policydesk"
    properties.title, properties.comments = "", ""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    normal = document.styles["Normal"]
    normal.font.size = Pt(_BODY)
    _east_asian(normal.element.get_or_add_rPr(), "仿宋_GB2312")
    if paper.running_header:
        section.header.paragraphs[0].text = paper.running_header
    if paper.page_numbers:
        _page_number(section.footer.paragraphs[0])


def _paragraph(document: Docx, part: Part) -> None:
    style = f"Heading {min(part.level, 9)}" if part.role is Role.HEADING and part.level else None
    paragraph = document.add_paragraph(style=style)
    if part.role is Role.ANNEX:
        paragraph.add_run().add_break(WD_BREAK.PAGE)
    run = paragraph.add_run(part.text)
    run.font.size = Pt({Role.TITLE: _TITLE, Role.BANNER: _BANNER, Role.NOTE: 14.0}.get(part.role, _BODY))
    _east_asian(run._r.get_or_add_rPr(), _FONTS.get(part.role, "仿宋_GB2312"))
    layout = paragraph.paragraph_format
    layout.line_spacing = Pt(29) if part.role is not Role.BANNER else None
    if part.role in _CENTRED or style:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif part.role in (Role.SIGNATURE, Role.DATE):
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        layout.right_indent = Pt(4 * _BODY)
    elif part.role is Role.PARAGRAPH:
        layout.first_line_indent = Pt(2 * _BODY)
    if part.role is Role.BANNER:
        run.font.color.rgb = RGBColor(0xD9, 0, 0)
    if part.number:
        _numbered(paragraph, part.number)


def _table(document: Docx, part: Part) -> None:
    table = document.add_table(rows=len(part.rows), cols=len(part.rows[0]))
    table.style = "Table Grid"
    covered = set()
    for first_row, first, last_row, last in part.merged:
        table.cell(first_row, first).merge(table.cell(last_row, last))
        covered |= {(r, c) for r in range(first_row, last_row + 1) for c in range(first, last + 1)} - {
            (first_row, first)
        }
    for r, row in enumerate(part.rows):
        for c, text in enumerate(row):
            if (r, c) not in covered:
                table.cell(r, c).text = text
    for row in table.rows[: part.header_rows]:
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _east_asian(properties: CT_RPr, font: str) -> None:
    fonts = properties.get_or_add_rFonts()
    fonts.set(qn("w:ascii"), "Times New Roman")
    fonts.set(qn("w:hAnsi"), "Times New Roman")
    fonts.set(qn("w:eastAsia"), font)


def _page_number(paragraph: Paragraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run("— ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    field.append(parse_xml(f"<w:r {nsdecls('w')}><w:t>1</w:t></w:r>"))
    paragraph._p.append(field)
    paragraph.add_run(" —")


def _define_numbering(document: Docx) -> None:
    """Levels 一、 （一） 1． as Word's own list numbering."""
    kinds = (("chineseCountingThousand", "%1、"), ("chineseCountingThousand", "（%2）"), ("decimal", "%3．"))
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:suff w:val="nothing"/>'
        f'<w:lvlText w:val="{text}"/><w:pPr><w:ind w:left="0" w:firstLine="640"/></w:pPr></w:lvl>'
        for n, (kind, text) in enumerate(kinds)
    )
    numbering = document.part.numbering_part.element
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{_NUMBER_ID}">'
        f'<w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
    )
    numbering.insert(0, abstract)     # the schema wants every abstractNum before the first num
    numbering.append(parse_xml(
        f'<w:num {nsdecls("w")} w:numId="{_NUMBER_ID}"><w:abstractNumId w:val="{_NUMBER_ID}"/></w:num>'
    ))


def _numbered(paragraph: Paragraph, level: int) -> None:
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = level - 1
    properties.get_or_add_numId().val = _NUMBER_ID
