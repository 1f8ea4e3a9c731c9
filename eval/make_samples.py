"""Write the samples of every file format: ``python -m eval.make_samples [FOLDER]``.

A second run gives the same bytes. The folder is data_samples; its `formats/` and `scanned/` are written.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet
from pptx import Presentation
from pptx.util import Cm, Pt

from eval.render_docx import docx_of, repeatable
from eval.render_ofd import ofd_of
from eval.render_pdf import pdf_of, scanned_pdf_of
from eval.sample_pages import ID_CARD_PAGE, LIBRARY, MAIL, READING_ROOMS, SLIDE_TABLE, SLIDES
from eval.sample_papers import BUS, SNOW, SPORTS, TRUCKS, WASTE

_DAY = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SCAN_SEED = 7
_PHONES = (
    ("单位", "业务", "电话", "服务时间"),
    ("市住房保障中心", "公共租赁住房", "0900-1234520", "工作日9:00—17:00"),
    ("市体育局群众体育科", "体育场馆开放", "0900-1234525", "工作日9:00—17:00"),
    ("市公安局交通警察支队", "货车通行证", "0900-1234526", "全天"),
    ("市城市管理局", "大件垃圾预约收运", "0900-1234528", "7:00—19:00"),
    ("临澜公交集团", "公交失物查找", "0900-1234529", "6:00—22:00"),
    ("市图书馆", "总服务台", "0900-1234531", "周二至周日9:00—20:30"),
    ("市公证处", "公证咨询和预约", "0900-1234537", "工作日9:00—12:00、13:30—17:00"),
    ("市档案馆", "婚姻档案查询", "0900-1234539", "工作日9:00—16:30"),
)
_FEES = (
    ("类别", "事项", "收费标准", "减免"),
    ("身份", "出生、生存、死亡公证", "每件80元", "低保家庭免收"),
    ("身份", "亲属关系公证", "每件80元", "低保家庭免收"),
    ("财产", "继承公证", "按财产价值的百分之零点二收取，最低每件200元", "六十周岁以上老年人减半"),
    ("财产", "遗嘱公证", "每件200元", "七十周岁以上老年人首次免收"),
    ("文书", "毕业证书公证", "每件80元", "在校学生减半"),
    ("其他", "公证书副本", "每份20元", "不减免"),
)


def docx_of_waste() -> bytes:
    return docx_of(WASTE)


def xlsx_of_phones() -> bytes:
    """A directory and a fee table with merged titles, on two sheets."""
    book = Workbook()
    book.properties.creator = "policydesk"
    book.properties.created = book.properties.modified = _DAY
    phones = book.active
    assert isinstance(phones, Worksheet)   # a new workbook has one
    phones.title = "服务电话"
    _fill(phones, "临澜市便民服务电话一览表（2026年10月）", _PHONES, (26, 22, 18, 36))
    fees = book.create_sheet("公证收费")
    _fill(fees, "临澜市公证处公证服务收费标准", _FEES, (12, 26, 46, 26))
    fees.merge_cells("A3:A4")
    fees.merge_cells("A5:A6")
    buffer = io.BytesIO()
    book.save(buffer)
    return repeatable(buffer.getvalue())


def _fill(sheet: Worksheet, title: str, rows: tuple[tuple[str, ...], ...], widths: tuple[int, ...]) -> None:
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(widths))
    sheet["A1"].font, sheet["A1"].alignment = Font(bold=True, size=14), Alignment(horizontal="center")
    for row in rows:
        sheet.append(row)
    for column, width in zip("ABCD", widths, strict=True):
        sheet.column_dimensions[column].width = width


def csv_of_reading_rooms() -> bytes:
    """With the mark that spreadsheet programs write, and their line ends."""
    lines = [",".join(f'"{cell}"' if "," in cell or "、" in cell else cell for cell in row) for row in READING_ROOMS]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def pptx_of_slides() -> bytes:
    deck = Presentation()
    deck.core_properties.author = deck.core_properties.last_modified_by = "policydesk"
    deck.core_properties.created = deck.core_properties.modified = _DAY
    deck.core_properties.title = SLIDES[0][0]
    for number, (title, lines) in enumerate(SLIDES):
        slide = deck.slides.add_slide(deck.slide_layouts[0 if number == 0 else 1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "常用事项办理时限"
    table = slide.shapes.add_table(len(SLIDE_TABLE), 3, Cm(2), Cm(5), Cm(21), Cm(6)).table
    for r, row in enumerate(SLIDE_TABLE):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
            table.cell(r, c).text_frame.paragraphs[0].font.size = Pt(18)
    buffer = io.BytesIO()
    deck.save(buffer)
    return repeatable(buffer.getvalue())


def eml_of_snow() -> bytes:
    """A mail whose DOCX attachment holds the table it speaks of."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "临澜市12345政务服务便民热线中心 <12345@linlan.example>"
    mail["To"] = "各承办单位 <chengban@linlan.example>"
    mail["Subject"] = "关于做好冬季雨雪天气诉求办理工作的函"
    mail["Date"] = "Mon, 09 Nov 2026 09:30:00 +0800"
    mail["Message-ID"] = "<20261109093000.1@linlan.example>"
    mail.set_content(MAIL, cte="base64")
    mail.add_attachment(
        docx_of(SNOW), maintype="application",
        subtype="vnd.openxmlformats-officedocument.wordprocessingml.document",
        filename="附件：冬季雨雪天气道路积雪结冰诉求责任分工表.docx",
    )
    mail.set_boundary("=_policydesk_sample")
    return mail.as_bytes()


SAMPLES: dict[str, Callable[[], bytes]] = {
    "formats/40_体育场馆低收费开放通知.pdf": lambda: pdf_of(SPORTS),
    "formats/41_垃圾分类和大件垃圾方案.docx": docx_of_waste,
    "formats/42_身份证和户口簿补领通告.html": lambda: ID_CARD_PAGE.encode("utf-8"),
    "formats/43_公共汽车票价通知.ofd": lambda: ofd_of(BUS),
    "formats/44_服务电话和公证收费.xlsx": xlsx_of_phones,
    "formats/45_城市书房名录.csv": csv_of_reading_rooms,
    "formats/46_临澜通操作指引.pptx": pptx_of_slides,
    "formats/47_冬季雨雪诉求办理函.eml": eml_of_snow,
    "formats/48_图书馆读者常见问题.txt": lambda: LIBRARY.encode("gb18030"),
    "scanned/49_货运车辆通行通告.pdf": lambda: scanned_pdf_of(pdf_of(TRUCKS), seed=_SCAN_SEED),
}


def write_samples(folder: Path) -> list[Path]:
    """Every sample under ``folder``, in order."""
    written = []
    for name, made in SAMPLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made())
        written.append(path)
    return written


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "data_samples"
    sys.stdout.writelines(f"{path} {path.stat().st_size}\n" for path in write_samples(where))
