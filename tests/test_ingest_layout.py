"""Lines on pages become paragraphs in reading order; what is no text of the document becomes furniture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.layout import blocks_of
from ingest.reading import Block, BlockKind, PageLines, PageTable, TextLine
from ingest.rows import text_width

LEFT, RIGHT, EM, PITCH = 80.0, 512.0, 16.0, 28.0        # 27 characters to a line
WIDTH, HEIGHT = 592.0, 842.0


def line(text: str, y: float, *, x: float = LEFT, size: float = EM) -> TextLine:
    return TextLine(text, (x, y, x + text_width(text) * size, y + size), size)


def centred(text: str, y: float, *, size: float = EM) -> TextLine:
    return line(text, y, x=(LEFT + RIGHT - text_width(text) * size) / 2, size=size)


def to_the_right(text: str, y: float) -> TextLine:
    return line(text, y, x=RIGHT - text_width(text) * EM)


def paragraph(text: str, y: float, *, indent: int = 2, x: float = LEFT, columns: int = 27) -> list[TextLine]:
    """As a typesetter breaks it: the first line indented, the others full."""
    lines, start = [], 0
    while start < len(text):
        room = columns - (indent if not lines else 0)
        shift = indent * EM if not lines else 0.0
        lines.append(line(text[start:start + room], y + PITCH * len(lines), x=x + shift))
        start += room
    return lines


def page(number: int, lines: Sequence[TextLine], tables: Sequence[PageTable] = ()) -> PageLines:
    return PageLines(number, WIDTH, HEIGHT, tuple(lines), tuple(tables))


def texts(blocks: Sequence[Block], *kinds: BlockKind) -> list[str]:
    return [block.text for block in blocks if (block.kind in kinds if kinds else not block.kind.is_furniture)]


LONG = (
    "申请人应当具有本市户籍或者持有本市居住证满三年，家庭人均住房面积低于十五平方米，"
    "并且在本市没有其他住房，也没有享受过其他住房保障"
)


def test_the_lines_of_a_paragraph_become_one_without_blanks() -> None:
    blocks = blocks_of([page(1, [*paragraph(LONG + "。", 100), *paragraph("本办法自公布之日起施行。", 200)])])
    assert texts(blocks) == [LONG + "。", "本办法自公布之日起施行。"]


def test_every_line_of_print_has_its_piece() -> None:
    lines = paragraph(LONG + "。", 100)
    block = blocks_of([page(3, lines)])[0]
    assert [block.text[piece.start:piece.end] for piece in block.pieces] == [one.text for one in lines]
    assert [(piece.page, piece.box) for piece in block.pieces] == [(3, one.box) for one in lines]


def test_a_paragraph_goes_on_over_the_page() -> None:
    lines = paragraph(LONG + "。", 700)
    moved = [line(one.text, 80 + 28 * number) for number, one in enumerate(lines[2:])]
    blocks = blocks_of([page(1, lines[:2]), page(2, [*moved, *paragraph("第二条　另有规定的除外。", 300)])])
    assert texts(blocks) == [LONG + "。", "第二条　另有规定的除外。"]
    assert [piece.page for piece in blocks[0].pieces] == [1, 1, 2]


def test_words_of_latin_script_are_joined_with_a_blank() -> None:
    words = "the applicant shall submit the application form"
    rest = "within thirty days of the decision."
    blocks = blocks_of([page(1, [line(words, 100, size=17), line(rest, 128, size=17)])])
    assert texts(blocks) == [f"{words} {rest}"]


def test_an_article_named_at_the_start_of_a_wrapped_line_does_not_split_the_paragraph() -> None:
    head = "第九条　有下列情形之一，违反本条例第六条、第七条或者"        # 27 characters with the indentation
    text = head[:25] + "第八条规定的，由主管部门责令改正，并且处以罚款。"
    lines = paragraph(text, 100)
    assert lines[1].text.startswith("第八条")
    blocks = blocks_of([page(1, [*lines, *paragraph("第十条　本条例自公布之日起施行。", 300)])])
    assert texts(blocks) == [text, "第十条　本条例自公布之日起施行。"]


def test_numbered_items_start_paragraphs_without_indentation_after_a_full_line() -> None:
    full = "一、" + "申" * 24 + "。"
    next_item = "二、补贴标准按照年度执行，每年公布一次，由主管部门负责解"
    lines = [line(full, 100), line(next_item, 128), line("释。", 156)]
    assert texts(blocks_of([page(1, lines)])) == [full, next_item + "释。"]


def test_items_that_fill_their_line_stay_apart() -> None:
    items = [f"（{number}）" + "项" * 21 + "；" for number in "一二三四五六"]
    lines = [line(item, 100 + PITCH * at, x=LEFT + 2 * EM) for at, item in enumerate(items)]
    blocks = blocks_of([page(1, [*paragraph(LONG + LONG + "：", 300), *lines])])
    assert texts(blocks)[:6] == items


def test_blanks_that_stand_for_indentation_count_as_indentation() -> None:
    lines = [line("　　" + LONG[:25], 100), line(LONG[25:52], 128), line("　　" + "另" * 25, 156), line("行。", 184)]
    assert texts(blocks_of([page(1, lines)])) == [LONG[:52], "另" * 25 + "行。"]


OFFICIAL = [
    centred("云州市人民政府文件", 90, size=36),
    centred("云政发〔2024〕12号", 160),
    centred("云州市人民政府关于印发住房保障", 210, size=22),
    centred("若干措施（2024—2026年）的通知", 240, size=22),
    line("各区人民政府，市政府各部门：", 300),
    *paragraph("现将《住房保障若干措施》印发给你们，请认真贯彻执行。执行中的问题，请及时报告。", 328),
    to_the_right("云州市人民政府", 440),
    to_the_right("2024年4月3日", 468),
    centred("住房保障若干措施", 540, size=22),
    *paragraph("一、" + LONG + "。", 600),
]


def test_an_official_document_is_parted_as_it_is_set() -> None:
    blocks = blocks_of([page(1, OFFICIAL)])
    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.PARAGRAPH, "云州市人民政府文件"),
        (BlockKind.PARAGRAPH, "云政发〔2024〕12号"),
        (BlockKind.TITLE, "云州市人民政府关于印发住房保障若干措施（2024—2026年）的通知"),
        (BlockKind.PARAGRAPH, "各区人民政府，市政府各部门："),
        (BlockKind.PARAGRAPH, "现将《住房保障若干措施》印发给你们，请认真贯彻执行。执行中的问题，请及时报告。"),
        (BlockKind.PARAGRAPH, "云州市人民政府"),
        (BlockKind.PARAGRAPH, "2024年4月3日"),
        (BlockKind.HEADING, "住房保障若干措施"),
        (BlockKind.PARAGRAPH, "一、" + LONG + "。"),
    ]


def test_a_title_in_the_size_of_the_text_is_the_centred_line_on_top() -> None:
    lines = [centred("云州市住房保障办法", 90), centred("第一章　总则", 130), *paragraph("第一条　" + LONG + "。", 170)]
    blocks = blocks_of([page(1, lines)])
    assert texts(blocks, BlockKind.TITLE) == ["云州市住房保障办法"]
    assert texts(blocks)[1:] == ["第一章　总则", "第一条　" + LONG + "。"]


def body(number: int) -> list[TextLine]:
    """A page of two paragraphs that differ from page to page."""
    sign = "甲乙丙丁戊己庚辛壬癸"[number]
    return [*paragraph(f"{sign}、{LONG}。", 120), *paragraph(f"{sign}类另行规定。{LONG}。", 260)]


def test_running_heads_and_page_numbers_become_furniture() -> None:
    pages = [
        page(n, [line("云州市政府公报　2024年第3期", 40, size=9), *body(n), centred(f"— {n} —", 800, size=12)])
        for n in range(1, 6)
    ]
    blocks = blocks_of(pages)
    assert len(texts(blocks)) == 10
    assert texts(blocks, BlockKind.HEADER) == ["云州市政府公报　2024年第3期"] * 5
    assert texts(blocks, BlockKind.PAGE_NUMBER) == [f"— {n} —" for n in range(1, 6)]


@pytest.mark.parametrize("form", ["- {} -", "—{}—", "{}", "第{}页 共8页", "第 {} 页", "{}/8", "Page {} of 8", "·{}·"])
def test_page_numbers_of_many_forms_are_known(form: str) -> None:
    pages = [page(n, [*body(n), centred(form.format(n), 805, size=10)]) for n in (1, 2, 3)]
    blocks = blocks_of(pages)
    assert texts(blocks, BlockKind.PAGE_NUMBER) == [form.format(n) for n in (1, 2, 3)]
    assert len(texts(blocks)) == 6


def test_a_page_number_in_three_fragments_is_one() -> None:
    fragments = [line("—", 800, x=280), line("7", 800, x=300), line("—", 800, x=315)]
    blocks = blocks_of([page(1, [*body(1), *fragments])])
    assert Counter(texts(blocks, BlockKind.PAGE_NUMBER)) == {"—": 2, "7": 1}


def test_numbers_at_the_foot_that_do_not_count_pages_stay() -> None:
    pages = [page(n, [*body(n), line(str(number), 790)]) for n, number in ((1, 1200), (2, 37), (3, 815))]
    assert not texts(blocks_of(pages), BlockKind.PAGE_NUMBER)


def test_the_print_of_a_web_page_is_freed_of_what_the_browser_adds() -> None:
    added = [
        line("2026/7/24 15:30", 15, x=24, size=8), line("住房保障办法_云州市人民政府网站", 16, x=200, size=8),
        line("https://www.example.gov.cn/content_1.htm", 819, x=24, size=8), line("1/1", 819, x=560, size=8),
    ]
    blocks = blocks_of([page(1, [*body(1), *added])])
    assert texts(blocks, BlockKind.HEADER) == [added[0].text, added[1].text]
    assert texts(blocks, BlockKind.FOOTER) == [added[2].text]
    assert texts(blocks, BlockKind.PAGE_NUMBER) == ["1/1"]


@pytest.mark.parametrize("mark", ["秘密★1年", "机密★10年", "特急", "000123"])
def test_marks_of_secrecy_and_haste_are_never_furniture(mark: str) -> None:
    pages = [page(n, [line(mark, 30, size=10), *body(n)]) for n in (1, 2, 3, 4)]
    assert texts(blocks_of(pages)).count(mark) == 4


def test_rotated_and_large_faint_lines_are_watermarks() -> None:
    slanted = TextLine("内部资料注意保存", (100, 200, 400, 500), 40, rotated=True)
    faint = TextLine("征求意见稿", (150, 300, 450, 360), 60, faint=True)
    blocks = blocks_of([page(1, [*body(1), slanted, faint])])
    assert texts(blocks, BlockKind.WATERMARK) == ["内部资料注意保存", "征求意见稿"]
    assert len(texts(blocks)) == 2


def column(text: str, x: float, y: float) -> list[TextLine]:
    return paragraph(text, y, x=x, columns=13)


def test_two_columns_are_read_one_after_the_other_below_a_common_title() -> None:
    left, right = "左" * 99 + "。", "右" * 99 + "。"
    title = centred("云州市政府公报目录", 60, size=24)
    lines = [title, *column(left, LEFT, 120), *column(right, LEFT + 15 * EM, 120)]
    assert texts(blocks_of([page(1, lines)])) == ["云州市政府公报目录", left, right]


def test_a_paragraph_goes_on_in_the_next_column() -> None:
    text = "续" * 230 + "。"
    rows = column(text, LEFT, 0)
    half = len(rows) // 2
    lines = [line(one.text, 100 + PITCH * at, x=one.box[0]) for at, one in enumerate(rows[:half])]
    lines += [line(one.text, 100 + PITCH * at, x=LEFT + 15 * EM) for at, one in enumerate(rows[half:])]
    assert texts(blocks_of([page(1, lines)])) == [text]


def test_short_cells_beside_each_other_are_no_columns() -> None:
    rows = [(100 + PITCH * at, f"项{at}", f"{at}元") for at in range(8)]
    cells = [one for y, name, price in rows for one in (line(name, y), line(price, y, x=320.0))]
    assert texts(blocks_of([page(1, [*cells, *paragraph(LONG, 400)])]))[:2] == ["项0 0元", "项1 1元"]


def test_labelled_cells_keep_their_values_when_labels_stand_beside_the_middle() -> None:
    rows = [
        line("关于加快推进住房", 100, x=150), line("标题：", 114, x=LEFT), line("保障的实施意见", 128, x=150),
        line("云州市住房局　云州市", 100, x=370), line("发文机关：", 114, x=300), line("财政局", 128, x=370),
        line("文号：", 170, x=LEFT), line("云政发〔2024〕12号", 170, x=150),
        line("成文日期：", 170, x=300), line("2024年4月3日", 170, x=380),
    ]
    assert texts(blocks_of([page(1, rows)])) == [
        "标题：关于加快推进住房保障的实施意见", "发文机关：云州市住房局　云州市财政局",
        "文号：云政发〔2024〕12号", "成文日期：2024年4月3日",
    ]


HEAD = ("区", "标准")


def table(rows: Sequence[tuple[str, ...]], y0: float, y1: float) -> PageTable:
    return PageTable(tuple(rows), (LEFT, y0, RIGHT, y1))


def test_a_table_stands_where_it_stands_on_the_page() -> None:
    lines = [*paragraph("一、标准如下：", 100), *paragraph("二、自公布之日起执行。", 300)]
    blocks = blocks_of([page(1, lines, [table([HEAD, ("东区", "300")], 130, 280)])])
    assert texts(blocks) == ["一、标准如下：", "| 区 | 标准 |\n| --- | --- |\n| 东区 | 300 |", "二、自公布之日起执行。"]
    assert blocks[1].pieces[0].box == (LEFT, 130, RIGHT, 280)


def test_a_table_over_two_pages_is_one_and_its_repeated_head_furniture() -> None:
    first = page(1, paragraph("一、标准如下：", 100), [table([HEAD, ("东区", "300")], 130, 780)])
    second = page(2, paragraph("二、自公布之日起执行。", 300), [table([HEAD, ("西区", "200")], 80, 280)])
    blocks = blocks_of([first, second])
    assert texts(blocks, BlockKind.TABLE) == ["| 区 | 标准 |\n| --- | --- |\n| 东区 | 300 |\n| 西区 | 200 |"]
    assert texts(blocks, BlockKind.HEADER) == ["区 标准"]
    block = next(block for block in blocks if block.kind is BlockKind.TABLE)
    assert [(piece.page, block.text[piece.start:piece.end][-12:]) for piece in block.pieces] == [
        (1, "| 东区 | 300 |"[-12:]), (2, "| 西区 | 200 |"[-12:])
    ]


def test_tables_of_other_columns_stay_apart() -> None:
    first = page(1, [], [table([HEAD, ("东区", "300")], 130, 780)])
    second = page(2, [], [table([("区", "标准", "备注")], 80, 280)])
    assert len(texts(blocks_of([first, second]), BlockKind.TABLE)) == 2


def test_no_page_gives_no_block() -> None:
    assert blocks_of([]) == []
    assert blocks_of([page(1, [line("   ", 100)])]) == []


LINES = st.builds(
    TextLine,
    st.one_of(
        st.sampled_from([
            "- 3 -", "第一条　总则", "二、", "（一）甲", "2026/7/24 15:30", "标题：", "文号：甲", "3", "———————",
        ]),
        st.text("甲乙丙 ，。：（）ab1-　〔《", max_size=30),
    ),
    st.tuples(st.floats(0, 500), st.floats(0, 800), st.floats(0, 300), st.floats(1, 40)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    st.sampled_from([6.0, 10.5, 16.0, 22.0]), st.booleans(), st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(LINES, max_size=25), max_size=4))
def test_no_letter_is_lost_and_none_is_added(content: list[list[TextLine]]) -> None:
    pages = [page(number, lines) for number, lines in enumerate(content, start=1)]
    blocks = blocks_of(pages)
    given_letters = Counter("".join("".join(one.text.split()) for lines in content for one in lines))
    assert Counter("".join("".join(block.text.split()) for block in blocks)) == given_letters
    assert all(block.text[piece.start:piece.end].strip() for block in blocks for piece in block.pieces)
