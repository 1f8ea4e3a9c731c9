"""Slides give their titles, their text from top to bottom, tables and notes, each with its place on the slide."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile

import pytest
from pptx import Presentation
from pptx.presentation import Presentation as Deck
from pptx.shapes.autoshape import Shape
from pptx.shapes.shapetree import GroupShapes, SlideShapes
from pptx.slide import Slide
from pptx.util import Emu, Pt

from core.errors import IngestError
from core.records import Reject
from ingest.read_pptx import read_pptx
from ingest.reading import BlockKind, Reading, ReadOptions

OPTIONS = ReadOptions()
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001e221bc33"
    "0000000049454e44ae426082"
)
TITLE_AND_TEXT, BLANK = 1, 6


def new_deck() -> Deck:
    return Presentation()


def add_slide(deck: Deck, layout: int = BLANK) -> Slide:
    return deck.slides.add_slide(deck.slide_layouts[layout])


def add_box(
    shapes: SlideShapes | GroupShapes, text: str, left: float, top: float, width: float = 100, height: float = 30
) -> Shape:
    box = shapes.add_textbox(Pt(left), Pt(top), Pt(width), Pt(height))
    box.text_frame.text = text
    return box


def saved(deck: Deck) -> bytes:
    stream = io.BytesIO()
    deck.save(stream)
    return stream.getvalue()


def read(deck: Deck, options: ReadOptions = OPTIONS) -> Reading:
    return read_pptx(saved(deck), "a.pptx", options)


def texts(deck: Deck) -> list[str]:
    return [block.text for block in read(deck).blocks]


def test_the_first_title_is_the_document_and_the_others_are_headings() -> None:
    deck = new_deck()
    for title, text in (("办事指引", "某市\n2024年"), ("材料", "身份证")):
        slide = add_slide(deck, TITLE_AND_TEXT)
        slide.shapes.title.text, slide.placeholders[1].text = title, text
    blocks = read(deck).blocks
    assert [(block.kind.value, block.level, block.text) for block in blocks] == [
        ("title", 0, "办事指引"), ("paragraph", 0, "某市"), ("paragraph", 0, "2024年"), ("heading", 2, "材料"),
        ("paragraph", 0, "身份证"),
    ]
    assert [block.pieces[0].page for block in blocks] == [1, 1, 1, 2, 2]
    assert read(deck).pages == 2


def test_text_is_read_from_top_to_bottom_and_side_by_side_from_the_left() -> None:
    slide = add_slide(deck := new_deck())
    for text, left, top in (("丁", 50, 200), ("乙", 300, 95), ("丙", 500, 105), ("甲", 50, 100)):
        add_box(slide.shapes, text, left, top)
    assert texts(deck) == ["甲", "乙", "丙", "丁"]


def test_a_piece_lies_where_the_text_box_lies() -> None:
    slide = add_slide(deck := new_deck())
    add_box(slide.shapes, "甲", 50, 100, 200, 30)
    (piece,) = read(deck).blocks[0].pieces
    assert (piece.start, piece.end, piece.box) == (0, 1, (50.0, 100.0, 250.0, 130.0))


def test_a_placeholder_without_a_place_has_that_of_its_layout() -> None:
    slide = add_slide(deck := new_deck(), TITLE_AND_TEXT)
    slide.shapes.title.text = "题"
    assert slide.shapes.title._element.spPr.find(f"{{{A}}}xfrm") is None
    title = slide.shapes.title
    expected = (title.left, title.top, title.left + title.width, title.top + title.height)
    assert read(deck).blocks[0].pieces[0].box == pytest.approx([edge / 12_700 for edge in expected], abs=0.01)


def test_a_group_stays_together_and_its_scale_counts() -> None:
    slide = add_slide(deck := new_deck())
    group = slide.shapes.add_group_shape()
    add_box(group.shapes, "组下", 0, 50)
    add_box(group.shapes, "组上", 0, 0)
    add_box(slide.shapes, "旁", 400, 110)
    place = group._element.grpSpPr.find(f"{{{A}}}xfrm")
    for name, values in (("off", (Pt(50), Pt(100))), ("ext", (Pt(200), Pt(160)))):
        for key, value in zip(("x", "y") if name == "off" else ("cx", "cy"), values, strict=True):
            place.find(f"{{{A}}}{name}").set(key, str(int(value)))
    reading = read(deck)
    assert [block.text for block in reading.blocks] == ["组上", "组下", "旁"]
    assert reading.blocks[1].pieces[0].box == (50.0, 200.0, 250.0, 260.0)     # twice as large as in the group


def test_merged_cells_of_a_table_repeat_their_text() -> None:
    slide = add_slide(deck := new_deck())
    table = slide.shapes.add_table(3, 3, Emu(0), Emu(0), Pt(300), Pt(90)).table
    for row, values in enumerate((("区", "金额", ""), ("甲", "1", "2"), ("", "3", "4"))):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    (block,) = read(deck).blocks
    assert block.kind is BlockKind.TABLE
    assert block.text == "| 区 | 金额 | 金额 |\n| --- | --- | --- |\n| 甲 | 1 | 2 |\n| 甲 | 3 | 4 |"
    assert block.pieces[0].end == len(block.text)


def test_notes_follow_their_slide() -> None:
    deck = new_deck()
    add_box(add_slide(deck).shapes, "甲", 0, 0)
    deck.slides[0].notes_slide.notes_text_frame.text = "讲解"
    add_box(add_slide(deck).shapes, "乙", 0, 0)
    assert texts(deck) == ["甲", "讲解", "乙"]


@pytest.mark.parametrize(("kind", "shown"), [
    ("arabicPeriod", ["1.甲", "2.乙", "(a)丙", "3.丁", "戊", "1.己"]),
    ("ea1ChsPeriod", ["一、甲", "二、乙", "(a)丙", "三、丁", "戊", "一、己"]),
    ("circleNumDbPlain", ["①　甲", "②　乙", "(a)丙", "③　丁", "戊", "①　己"]),
    ("romanUcParenR", ["I)甲", "II)乙", "(a)丙", "III)丁", "戊", "I)己"]),
])
def test_automatic_numbers_are_text(kind: str, shown: list[str]) -> None:
    box = add_box(add_slide(deck := new_deck()).shapes, "甲\n乙\n丙\n丁\n戊\n己", 0, 0)
    for paragraph in box.text_frame.paragraphs:
        properties = paragraph._p.get_or_add_pPr()
        inner = paragraph.text == "丙"
        if inner:
            properties.set("lvl", "1")
        if paragraph.text != "戊":
            number = properties.makeelement(f"{{{A}}}buAutoNum", {"type": "alphaLcParenBoth" if inner else kind})
            properties.append(number)
    assert texts(deck) == shown


def test_a_line_break_makes_paragraphs_but_not_in_a_title() -> None:
    slide = add_slide(deck := new_deck(), TITLE_AND_TEXT)
    slide.shapes.title.text, slide.placeholders[1].text = "办事\v指引", "甲\v乙"
    assert texts(deck) == ["办事指引", "甲", "乙"]


def test_footers_and_slide_numbers_are_furniture() -> None:
    slide = add_slide(deck := new_deck())
    add_box(slide.shapes, "甲", 0, 0)
    for kind, text in (("ftr", "某市"), ("sldNum", "1")):
        box = add_box(slide.shapes, text, 0, 500)
        properties = box._element.nvSpPr.find("{http://schemas.openxmlformats.org/presentationml/2006/main}nvPr")
        properties.append(properties.makeelement(
            "{http://schemas.openxmlformats.org/presentationml/2006/main}ph", {"type": kind}
        ))
    kinds = [block.kind for block in read(deck).blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.FOOTER, BlockKind.PAGE_NUMBER]


def test_a_slide_of_one_picture_is_reported_and_a_deck_of_them_needs_recognition() -> None:
    deck = new_deck()
    add_slide(deck).shapes.add_picture(io.BytesIO(PIXEL), 0, 0, Pt(100), Pt(100))
    with pytest.raises(IngestError, match="1 张幻灯片都是图片") as caught:
        read(deck)
    assert caught.value.code is Reject.NEEDS_OCR
    add_box(add_slide(deck).shapes, "甲", 0, 0)
    assert read(deck).unread_pages == (1,)


def test_an_empty_deck_and_one_with_too_many_slides_are_refused() -> None:
    deck = new_deck()
    with pytest.raises(IngestError) as caught:
        read(deck)
    assert caught.value.code is Reject.EMPTY
    for _ in range(3):
        add_box(add_slide(deck).shapes, "甲", 0, 0)
    with pytest.raises(IngestError, match=r"ingest\.max_pages") as caught:
        read(deck, ReadOptions(max_pages=2))
    assert caught.value.code is Reject.TOO_LARGE


def test_changed_bytes_give_a_reading_or_an_ingest_error() -> None:
    chance = random.Random(11)
    deck = new_deck()
    slide = add_slide(deck, TITLE_AND_TEXT)
    slide.shapes.title.text, slide.placeholders[1].text = "题", "甲\n乙"
    table = slide.shapes.add_table(2, 2, Emu(0), Emu(0), Pt(300), Pt(90)).table
    table.cell(0, 0).merge(table.cell(0, 1))
    add_box(slide.shapes.add_group_shape().shapes, "组", 10, 10)
    sample = saved(deck)
    for turn in range(300):
        data = bytearray(sample)
        if turn % 4:
            data = bytearray(changed_part(sample, chance))
        else:
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(IngestError):
            read_pptx(bytes(data), "a.pptx", OPTIONS)


def changed_part(data: bytes, chance: random.Random) -> bytes:
    """The first slide or what leads to it changed, the layouts left out of the copy where they are not needed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        names = [name for name in old.namelist() if "slide1.xml" in name or "presentation.xml" in name]
        target = chance.choice(names)
        for name in (*names, "_rels/.rels", "ppt/slideLayouts/slideLayout2.xml"):
            text = old.read(name)
            if name == target:
                places = [place for place, byte in enumerate(text) if chr(byte).isalnum()]
                for place in chance.sample(places, min(len(places), chance.randint(1, 3))):
                    text = text[:place] + chance.choice((b"9", b"-1", b"999999999", b"", b"w")) + text[place + 1 :]
            if name not in new.namelist():
                new.writestr(name, text)
    return stream.getvalue()
