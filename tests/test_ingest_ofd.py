"""OFD files: written by our own small printer, and by hand for what it does not print."""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress

import pytest

from core.errors import IngestError
from core.records import Reject
from eval.render_ofd import ofd_of
from ingest.ofd_text import MM, deltas
from ingest.read_ofd import page_picture, read_ofd
from ingest.reading import BlockKind, PageLines, Reading, ReadOptions, TextLine

NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
TITLE = "云州市人民政府关于印发云州市公共租赁住房保障办法的通知"
PARAGRAPHS = [
    TITLE, "各区人民政府，市政府各部门：",
    "第一条　为了规范公共租赁住房保障，根据WTO和有关规定，结合本市实际（2024年），制定本办法。",
    "（一）符合条件的，每月补贴300元；",
    "第二条　" + "本办法适用于本市行政区域内公共租赁住房的规划、建设、分配、使用、退出及其监督管理。" * 6,
]


def line(text: str, x: float, y: float, *, size: float = 5.0, more: str = "") -> str:
    return (
        f'<ofd:TextObject ID="1" Boundary="{x} {y} {len(text) * size} {size}" Font="1" Size="{size}" {more}>'
        f'<ofd:TextCode X="0" Y="{size * 0.86}" DeltaX="g {max(len(text) - 1, 1)} {size}">{text}</ofd:TextCode>'
        "</ofd:TextObject>"
    )


def page(*objects: str, box: str = "") -> str:
    area = f"<ofd:Area><ofd:PhysicalBox>{box}</ofd:PhysicalBox></ofd:Area>" if box else ""
    layer = f"<ofd:Layer>{''.join(objects)}</ofd:Layer>"
    return f"<ofd:Page {NAMESPACE}>{area}<ofd:Content>{layer}</ofd:Content></ofd:Page>"


def ofd(*pages: str, info: str = "", common: str = "", after: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="Pages/{n}.xml"/>' for n in range(len(pages)))
    members: dict[str, str | bytes] = {
        "OFD.xml": f"<ofd:OFD {NAMESPACE}><ofd:DocBody><ofd:DocInfo>{info}</ofd:DocInfo>"
                   "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {NAMESPACE}><ofd:CommonData><ofd:PageArea>"
                              f"<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>{common}</ofd:CommonData>"
                              f"<ofd:Pages>{listed}</ofd:Pages>{after}</ofd:Document>",
    }
    members.update((f"Doc_0/Pages/{n}.xml", text) for n, text in enumerate(pages))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        members.update(parts or {})
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read(data: bytes, options: ReadOptions | None = None) -> Reading:
    return read_ofd(data, "a.ofd", options or ReadOptions())


def running(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if not block.kind.is_furniture]


def refusal(data: bytes, options: ReadOptions | None = None) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read(data, options)
    assert caught.value.place == "a.ofd"
    return caught.value


def test_what_was_printed_is_read_paragraph_by_paragraph() -> None:
    reading = read(ofd_of(PARAGRAPHS * 5))
    assert running(reading) == PARAGRAPHS * 5
    assert reading.blocks[0].kind is BlockKind.TITLE
    assert reading.pages > 2
    assert [b.text for b in reading.blocks if b.kind is BlockKind.PAGE_NUMBER][:2] == ["- 1 -", "- 2 -"]


def test_lines_know_their_boxes_in_points() -> None:
    piece = read(ofd_of(PARAGRAPHS)).blocks[1].pieces[0]
    assert piece.page == 1
    assert piece.box[0] == pytest.approx((28 + 2 * 5.57) * MM, abs=0.5)
    assert piece.box[2] == pytest.approx((28 + 16 * 5.57) * MM, abs=0.5)
    assert 37 * MM < piece.box[1] < piece.box[3] < 70 * MM


def test_equal_paragraphs_print_equal_files_and_no_mark_begins_a_line() -> None:
    assert ofd_of(PARAGRAPHS) == ofd_of(PARAGRAPHS)
    archive = zipfile.ZipFile(io.BytesIO(ofd_of(["题", "字" * 26 + "，" + "字" * 30])))
    assert ">字，" in archive.read("Doc_0/Pages/Page_0/Content.xml").decode()


@pytest.mark.parametrize(("text", "steps"), [
    ("1 2", [1.0, 2.0]), ("g 3 2.5", [2.5, 2.5, 2.5]), ("1 g 2 3 4", [1.0, 3.0, 3.0, 4.0]), ("g 2", []),
    ("x 1", [1.0]), ("g 1000000 1", [1.0] * 5), (None, []), ("g -3 1 2", [2.0]), ("nan 1", [1.0]),
])
def test_steps_between_characters(text: str | None, steps: list[float]) -> None:
    assert deltas(text, 5) == steps


def test_a_matrix_moves_and_scales_text() -> None:
    scaled = line("放大一倍的文字内容", 10, 20, more='CTM="2 0 0 2 30 40"')
    block = read(ofd(page(scaled))).blocks[0]
    assert block.pieces[0].box[0] == pytest.approx(40 * MM)
    assert block.pieces[0].box[2] == pytest.approx((40 + 9 * 5 * 2) * MM)


def test_a_page_that_does_not_begin_at_zero() -> None:
    block = read(ofd(page(line("原点不在左上角的页面", 130, 220), box="100 200 210 297"))).blocks[0]
    assert block.pieces[0].box[0] == pytest.approx(30 * MM)


def test_characters_that_are_objects_of_their_own_are_joined() -> None:
    chars = "".join(line(char, 28 + 5 * n, 40) for n, char in enumerate("每个字都是一个对象，合成一行。"))
    assert running(read(ofd(page(chars)))) == ["每个字都是一个对象，合成一行。"]


def test_what_is_printed_twice_to_look_bold_is_read_once() -> None:
    twice = line("加粗的标题", 80, 40) + line("加粗的标题", 80.2, 40)
    assert running(read(ofd(page(twice)))) == ["加粗的标题"]


def test_text_across_the_page_is_a_watermark() -> None:
    mark = line("内部资料", 60, 120, more='CTM="0.7 -0.7 0.7 0.7 0 0"')
    reading = read(ofd(page(line("正文第一行。", 28, 40), mark)))
    assert [(b.text, b.kind) for b in reading.blocks] == [
        ("正文第一行。", BlockKind.PARAGRAPH), ("内部资料", BlockKind.WATERMARK),
    ]


def drawing(content: str) -> bytes:
    unit = f'<ofd:CompositeGraphicUnit ID="9"><ofd:Content>{content}</ofd:Content></ofd:CompositeGraphicUnit>'
    return f"<ofd:Res {NAMESPACE}><ofd:CompositeGraphicUnits>{unit}</ofd:CompositeGraphicUnits></ofd:Res>".encode()


def test_templates_and_placed_drawings_are_read() -> None:
    common = '<ofd:TemplatePage ID="7" BaseLoc="Tpls/t.xml"/><ofd:DocumentRes>Res.xml</ofd:DocumentRes>'
    parts = {
        "Doc_0/Tpls/t.xml": page(line("云州市人民政府文件", 60, 20, size=10)).encode(),
        "Doc_0/Res.xml": drawing(line("放进来的图形文字", 0, 0)),
    }
    placed = '<ofd:CompositeObject ID="3" ResourceID="9" Boundary="28 100 100 10"/>'
    content = page(line("正文第一行，在模板之上。", 28, 60), placed)
    content = content.replace("<ofd:Content>", '<ofd:Template TemplateID="7"/><ofd:Content>')
    reading = read(ofd(content, common=common, parts=parts))
    assert running(reading) == ["云州市人民政府文件", "正文第一行，在模板之上。", "放进来的图形文字"]
    assert reading.blocks[-1].pieces[0].box[1] > 99 * MM


def test_a_drawing_placed_in_itself_ends() -> None:
    inner = '<ofd:CompositeObject ID="3" ResourceID="9" Boundary="0 0 10 10"/>' * 3
    parts = {"Doc_0/Res.xml": drawing(line("套", 0, 0) + inner)}
    data = ofd(page(inner), common="<ofd:PublicRes>Res.xml</ofd:PublicRes>", parts=parts)
    assert "套" in "".join(running(read(data)))


def transparent(text: str) -> str:
    return text.replace("<ofd:TextCode", '<ofd:FillColor Value="0 0 0" Alpha="0"/><ofd:TextCode')


def test_objects_that_are_not_visible_are_dropped() -> None:
    clear = transparent(line("透明的文字", 28, 60))
    reading = read(ofd(page(line("正文第一行。", 28, 40), line("隐藏的文字", 28, 50, more='Visible="false"'), clear)))
    assert running(reading) == ["正文第一行。"]


def rule(x0: float, y0: float, x1: float, y1: float) -> str:
    data = f"<ofd:AbbreviatedData>M 0 0 L {x1 - x0} {y1 - y0}</ofd:AbbreviatedData>"
    return f'<ofd:PathObject Boundary="{x0} {y0} {x1 - x0} {y1 - y0}">{data}</ofd:PathObject>'


def test_rules_make_a_table() -> None:
    rules = "".join(rule(30, y, 150, y) for y in (50, 60, 70)) + "".join(rule(x, 50, x, 70) for x in (30, 90, 150))
    cells = "".join(line(text, x, y) for text, x, y in (
        ("项目", 32, 52), ("金额", 92, 52), ("租金补贴", 32, 62), ("三百元", 92, 62),
    ))
    reading = read(ofd(page(line("补贴标准如下：", 28, 40), rules, cells, line("以上为标准。", 28, 80))))
    assert running(reading) == [
        "补贴标准如下：", "| 项目 | 金额 |\n| --- | --- |\n| 租金补贴 | 三百元 |", "以上为标准。",
    ]


IMAGE = '<ofd:ImageObject ID="5" ResourceID="8" Boundary="{}"/>'
MEDIA = f"""<ofd:Res {NAMESPACE} BaseLoc="Res"><ofd:MultiMedias><ofd:MultiMedia ID="8" Type="Image">
    <ofd:MediaFile>p.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>"""


def scanned() -> bytes:
    seal = IMAGE.format("120 200 40 40")
    return ofd(
        page(line("第一页有文字，还有一枚印章。", 28, 40), seal), page(IMAGE.format("0 0 210 297")),
        common="<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>",
        parts={"Doc_0/DocumentRes.xml": MEDIA.encode(), "Doc_0/Res/p.png": b"picture"},
    )


def test_a_page_that_is_a_picture_is_named_for_the_recogniser() -> None:
    reading = read(scanned())
    assert reading.pages == 2
    assert reading.needs_ocr == (2,)
    assert running(reading) == ["第一页有文字，还有一枚印章。"]
    assert page_picture(scanned(), "a.ofd", 2) == b"picture"
    assert page_picture(scanned(), "a.ofd", 3) is None


def test_recognised_lines_take_the_place_of_a_picture() -> None:
    seen = PageLines(2, 595, 842, (TextLine("第二页是识别出来的文字。", (80, 100, 400, 116), 16),))
    reading = read(scanned(), ReadOptions(recognised={2: seen}))
    assert reading.needs_ocr == ()
    assert running(reading)[-1].endswith("第二页是识别出来的文字。")


def test_a_clear_text_layer_over_a_scan_is_read() -> None:
    text = "扫描件上面有一层透明的识别文字，读得到，不必再识别一遍，这一层有三十个字以上。"
    clear = transparent(line(text, 10, 60, size=4))
    reading = read(ofd(page(IMAGE.format("0 0 210 297"), clear)))
    assert reading.needs_ocr == ()
    assert running(reading)[0].startswith("扫描件上面")


def test_a_missing_page_is_reported_and_the_others_are_read() -> None:
    data = ofd(page(line("好的一页。", 28, 40)), "<broken")
    assert read(data).unread_pages == (2,)
    assert running(read(data)) == ["好的一页。"]


def test_a_file_without_a_readable_page_is_damaged() -> None:
    assert refusal(ofd("<broken")).code is Reject.DAMAGED
    assert refusal(ofd()).code is Reject.DAMAGED


def test_an_encrypted_file_is_refused_by_code() -> None:
    data = ofd(page(line("密", 28, 40)), parts={"Encryptions.xml": b"<e/>"})
    assert refusal(data).code is Reject.ENCRYPTED


def test_a_zip_that_is_no_ofd_is_damaged() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "1")
    assert "OFD.xml" in refusal(buffer.getvalue()).reason
    assert refusal(b"no zip at all").code is Reject.DAMAGED


def test_entities_and_bombs_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "y">]>' + page(line("&x;", 28, 40))
    assert refusal(ofd(bomb)).code is Reject.UNSAFE_ARCHIVE
    assert refusal(ofd(page(), parts={"Doc_0/big.xml": b"0" * 40_000_000})).code is Reject.UNSAFE_ARCHIVE


def test_more_pages_than_allowed_are_refused_by_code() -> None:
    assert refusal(ofd(*[page()] * 4), ReadOptions(max_pages=3)).code is Reject.TOO_LARGE


def test_packed_files_are_listed() -> None:
    listing = f"""<ofd:Attachments {NAMESPACE}><ofd:Attachment ID="1" Name="名单.xlsx">
        <ofd:FileLoc>f/1.xlsx</ofd:FileLoc></ofd:Attachment></ofd:Attachments>"""
    data = ofd(
        page(line("正文第一行。", 28, 40)), after="<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>",
        parts={"Doc_0/Attachs/Attachments.xml": listing.encode(), "Doc_0/Attachs/f/1.xlsx": b"table"},
    )
    assert [(a.name, a.data) for a in read(data).attachments] == [("名单.xlsx", b"table")]


@pytest.mark.parametrize(("info", "hints"), [
    ("<ofd:Title>云州市临时救助办法</ofd:Title><ofd:Author>云州市民政局</ofd:Author>",
     {"title": "云州市临时救助办法", "issuer": "云州市民政局"}),
    ("<ofd:Title>新建文档 1.docx</ofd:Title><ofd:Author>admin</ofd:Author>", {}),
])
def test_the_files_own_title_and_author_are_hints_when_they_look_like_it(info: str, hints: dict[str, str]) -> None:
    assert dict(read(ofd(page(line("正文第一行，没有标题。", 28, 40)), info=info)).hints) == hints


@pytest.mark.parametrize("seed", range(40))
def test_changed_bytes_end_in_a_reading_or_a_clear_error(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(ofd_of(PARAGRAPHS))
    for _ in range(chance.choice((1, 5, 50))):
        place = chance.randrange(len(data))
        if chance.random() < 0.6:
            data[place] = chance.randrange(256)
        else:
            del data[place:place + chance.randrange(1, 20)]
    with suppress(IngestError):
        read(bytes(data))


@pytest.mark.parametrize("seed", range(60))
def test_changed_xml_ends_in_a_reading_or_a_clear_error(seed: int) -> None:
    chance = random.Random(seed)
    rules = rule(30, 50, 150, 50) + rule(30, 50, 30, 90)
    content = bytearray(page(line("正文第一行。", 28, 40), rules, IMAGE.format("0 0 9 9")).encode())
    words = (b"-", b"e308", b"nan", b" ", b"0", b"g 9", b"<", b'"', b"99999999999")
    for _ in range(chance.randrange(1, 4)):
        place = chance.choice([n for n, byte in enumerate(content) if byte in b"0123456789. "])
        content[place:place + 1] = chance.choice(words)
    with suppress(IngestError):
        read(ofd(content.decode()))
