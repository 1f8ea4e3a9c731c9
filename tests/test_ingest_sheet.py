"""A sheet gives its tables as it shows them: merged cells filled, dates as ISO, captions apart from rows."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook

from core.errors import IngestError
from core.records import Reject
from ingest.read_sheet import read_csv, read_xlsx
from ingest.reading import Block, BlockKind, Reading, ReadOptions
from ingest.sheet_numbers import shown

OPTIONS = ReadOptions()
Cells = Sequence[Sequence[object]]


def saved(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def make_xlsx(cells: Cells, *merged: str, name: str = "Sheet1", formats: dict[str, str] | None = None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = name
    for row in cells:
        sheet.append(list(row))
    for area in merged:
        sheet.merge_cells(area)
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    return saved(workbook)


def read(data: bytes, options: ReadOptions = OPTIONS) -> Reading:
    return read_xlsx(data, "a.xlsx", options)


def table(data: bytes) -> list[str]:
    (block,) = [block for block in read(data).blocks if block.kind is BlockKind.TABLE]
    return block.text.split("\n")


def changed(data: bytes, part: str, before: str, after: str) -> bytes:
    """The package with a text of one part replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        assert before.encode() in old.read(part)
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(*(t.encode() for t in (before, after))) if name == part
                         else old.read(name))
    return stream.getvalue()


def make_plain_xlsx(rows: str, strings: str = "") -> bytes:
    """A workbook of as few parts as can be, its strings shared, as Excel and WPS write them."""
    main, links = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{links}/officeDocument/2006/relationships"><sheets>'
            '<sheet name="表" r:id="a"/><sheet name="图" r:id="c"/></sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{links}/package/2006/relationships">'
                         '<Relationship Id="a" Type="x/worksheet" Target="/xl/sheet.xml"/>'
                         '<Relationship Id="b" Type="x/sharedStrings" Target="strings.xml"/>'
                         '<Relationship Id="c" Type="x/chartsheet" Target="chart.xml"/></Relationships>')
        archive.writestr("xl/sheet.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>')
        archive.writestr("xl/strings.xml", f'<sst xmlns="{main}">{strings}</sst>')
    return stream.getvalue()


def test_a_sheet_is_a_heading_and_its_table() -> None:
    blocks = read(make_xlsx([["项目", "元"], ["甲", 80]], name="收费")).blocks
    assert blocks == (
        Block("收费", BlockKind.HEADING, 2), Block("| 项目 | 元 |\n| --- | --- |\n| 甲 | 80 |", BlockKind.TABLE)
    )


def test_a_sheet_with_a_name_that_says_nothing_has_no_heading() -> None:
    assert [block.kind for block in read(make_xlsx([["项目", "元"], ["甲", 80]])).blocks] == [BlockKind.TABLE]


def test_the_line_above_the_only_table_is_the_title_and_remarks_are_paragraphs() -> None:
    cells = [["收费标准", None], ["单位：元", None], ["项目", "标准"], ["甲", 80], ["乙", 90], ["注：含税", None]]
    blocks = read(make_xlsx(cells, "A1:B1", "A6:B6")).blocks
    assert [(block.kind.value, block.text.split("\n")[0]) for block in blocks] == [
        ("title", "收费标准"), ("paragraph", "单位：元"), ("table", "| 项目 | 标准 |"), ("paragraph", "注：含税")
    ]


def test_merged_cells_are_filled() -> None:
    cells = [["区", "金额", None], ["甲", 1, 2], [None, 3, 4], ["乙", 5, 6]]
    assert table(make_xlsx(cells, "B1:C1", "A2:A3")) == [
        "| 区 | 金额 | 金额 |", "| --- | --- | --- |", "| 甲 | 1 | 2 |", "| 甲 | 3 | 4 |", "| 乙 | 5 | 6 |"
    ]


def test_a_header_of_two_rows_is_known_by_its_merged_cells() -> None:
    cells = [["区", "金额", None], [None, "一季", "二季"], ["甲", 1, 2]]
    assert table(make_xlsx(cells, "A1:A2", "B1:C1"))[:3] == [
        "| 区 | 金额 | 金额 |", "| 区 | 一季 | 二季 |", "| --- | --- | --- |"
    ]


def test_a_category_merged_over_many_rows_is_no_header() -> None:
    cells = [["申请人", "姓名", None], [None, "甲", "x"], [None, "乙", "y"], [None, "丙", "z"], ["其他", "丁", "w"]]
    assert table(make_xlsx(cells, "A1:A4", "B1:C1"))[1] == "| --- | --- | --- |"


def test_empty_rows_divide_tables_and_empty_edges_are_trimmed() -> None:
    first: Cells = [[], [None, "甲", None, "乙"], [None, 1, None, 2], []]
    cells: Cells = [*first, [], [None, "丙", None, "丁"], [None, 3, None, 4]]
    assert [block.text for block in read(make_xlsx(cells)).blocks] == [
        "| 甲 | 乙 |\n| --- | --- |\n| 1 | 2 |", "| 丙 | 丁 |\n| --- | --- |\n| 3 | 4 |"
    ]


def test_every_sheet_is_read_hidden_or_not_and_empty_ones_are_left_out() -> None:
    workbook = Workbook()
    for name, state in (("隐", "hidden"), ("深", "veryHidden"), ("空", "visible")):
        sheet = workbook.create_sheet(name)
        sheet.sheet_state = state
        if name != "空":
            sheet.append(["甲", "乙"])
    headings = [block.text for block in read(saved(workbook)).blocks if block.kind is BlockKind.HEADING]
    assert headings == ["隐", "深"]


def test_values_are_shown_as_the_sheet_shows_them() -> None:
    values = [date(2024, 5, 1), datetime(2024, 5, 1, 8, 30), time(8, 30), 0.125, 0.1 + 0.2, 1234.5, True,
              110101199001011234, "007"]
    formats = {"A1": "yyyy-mm-dd", "D1": "0.0%", "F1": '"¥"#,##0.00'}
    assert table(make_xlsx([values, ["甲", "乙"]], formats=formats))[0] == (
        "| 2024-05-01 | 2024-05-01 08:30 | 08:30 | 12.5% | 0.3 | ¥1,234.50 | TRUE | 1.10101199001011e+17 | 007 |"
    )


@pytest.mark.parametrize(("value", "number_format", "text"), [
    (0.5, "0%", "50%"), (0.12345, "0.00%", "12.35%"), (3, "0.00", "3.00"), (1234567, "#,##0", "1,234,567"),
    (5, "000", "005"), (1.5, "0.##", "1.5"), (2, "0.##", "2"), (80, '0"元/件"', "80元/件"), (80, "0\\ \\元", "80 元"),
    (-5, "0.0;(0.0)", "(5.0)"), (-5, "0.0", "-5.0"), (0, '0;-0;"免收"', "免收"), (1234567, "0.0,", "1234.6"),
    (12, "[$￥-804]#,##0", "￥12"), (12, "_ * #,##0.00_ ", "12.00"), (12, "[红色]0", "12"), (1e20, "0.00E+00", "1e+20"),
    (0.5, "# ?/?", "0.5"), (7, "@", "7"), (7, "General", "7"), (7, "G/通用格式", "7"), (7, '"第"0"号"', "第7号"),
    (45413, "yyyy/m/d", "2024-05-01"), (45413, 'yyyy"年"m"月"d"日"', "2024-05-01"), (45413, 'yyyy"年"m"月"', "2024-05"),
    (45413, "m月d日", "2024-05-01"), (45413.25, "yyyy-m-d h:mm", "2024-05-01 06:00"), (0.25, "h:mm", "06:00"),
    (1.5, "[h]:mm", "36:00"), (45413, "[$-804]yyyy年m月d日;@", "2024-05-01"), (1, "yyyy-m-d", "1900-01-01"),
    (-1, "yyyy-m-d", "-1"), (1e9, "yyyy-m-d", "1000000000"), (0, "0.00", "0.00"), (-0.001, "0.00", "0.00"),
])
def test_number_formats(value: float, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


def test_days_of_the_other_epoch() -> None:
    assert shown(0, "yyyy-m-d", since_1904=True) == "1904-01-01"
    workbook = Workbook()
    workbook.epoch = datetime(1904, 1, 1)
    assert workbook.active is not None
    workbook.active.append([date(2024, 5, 1), timedelta(hours=30)])
    assert table(saved(workbook))[0] == "| 2024-05-01 | 30:00 |"


def test_formulas_stand_as_their_stored_value_else_as_they_are() -> None:
    data = make_xlsx([["甲", "=1+1", "=A1"]])
    stored = changed(data, "xl/worksheets/sheet1.xml", "<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")
    assert table(stored)[0] == "| 甲 | 2 | =A1 |"


def test_shared_strings_hold_runs_reading_aids_and_escapes() -> None:
    strings = ("<si><r><t>甲</t></r><r><t>_x4E59_</t></r><rPh sb='0' eb='1'><t>jia</t></rPh></si>"
               "<si><t xml:space='preserve'> 丙 </t></si>")
    rows = ('<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="s"><v>9</v></c></row>'
            '<row><c><v>1</v></c><c t="str"><f>x</f><v>丁</v></c></row>'
            '<row><c><v>2</v></c><c t="e"><v>#N/A</v></c></row>')
    assert table(make_plain_xlsx(rows, strings)) == ["| 甲乙 | 丙 |", "| --- | --- |", "| 1 | 丁 |", "| 2 | #N/A |"]


def test_page_headers_are_furniture() -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["甲", "乙"])
    sheet.oddHeader.center.text = "内部资料"
    sheet.oddFooter.center.text = "&P"
    assert read(saved(workbook)).blocks[1:] == (Block("内部资料", BlockKind.HEADER),)


def test_styles_that_openpyxl_refuses_do_not_matter() -> None:
    data = make_xlsx([["甲", "乙"]])
    wrong = changed(data, "xl/styles.xml", "<fills", "<fills><fill/><wrong/></fills><fills")
    assert table(wrong)[0] == "| 甲 | 乙 |"


@pytest.mark.parametrize("merged", ["A1:B1", "A1:XFD1048576"])
@pytest.mark.parametrize("columns", [4, 9])
def test_more_cells_than_allowed_are_refused(merged: str, columns: int) -> None:
    data = make_xlsx([["甲", *range(columns)] for _ in range(20)], "A1:B1")
    data = changed(data, "xl/worksheets/sheet1.xml", "A1:B1", merged)
    if columns == 4 and merged == "A1:B1":
        assert table(data)      # 100 cells
        return
    with pytest.raises(IngestError, match=r"ingest\.max_cells") as caught:
        read(data, ReadOptions(max_cells=100))
    assert caught.value.code is Reject.TOO_LARGE


def test_far_apart_cells_do_not_fill_the_sheet_between_them() -> None:
    workbook = Workbook()
    assert workbook.active is not None
    workbook.active["A1"], workbook.active["XFD1048576"] = "甲", "乙"
    assert [block.text for block in read(saved(workbook)).blocks] == ["甲", "乙"]


def test_an_empty_workbook_is_refused() -> None:
    with pytest.raises(IngestError) as caught:
        read(make_xlsx([]))
    assert caught.value.code is Reject.EMPTY


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_encoding_and_delimiter_of_a_text_table_are_found(encoding: str, delimiter: str) -> None:
    text = delimiter.join(("名称", "地址")) + "\r\n" + delimiter.join(("东塔书房", "12号")) + "\r\n"
    expected = "| 名称 | 地址 |\n| --- | --- |\n| 东塔书房 | 12号 |"
    assert read_csv(text.encode(encoding), "a.csv", OPTIONS).blocks == (Block(expected, BlockKind.TABLE),)


def test_quoted_fields_hold_delimiters_breaks_and_marks() -> None:
    text = 'a,b\n"1,2","三\n""四"""\n="007",x\n'
    rows = read_csv(text.encode(), "a.csv", OPTIONS).blocks[0].text.split("\n")[2:]
    assert rows == ['| 1,2 | 三 "四" |', "| 007 | x |"]


def test_a_stray_quote_mark_does_not_swallow_the_file() -> None:
    text = 'a,b\n"甲,1\n' + "乙,2\n" * 50_000
    assert read_csv(text.encode(), "a.csv", OPTIONS).blocks[0].text.count("| 乙 | 2 |") == 50_000


def test_a_stated_delimiter_and_a_caption_of_a_text_table() -> None:
    blocks = read_csv("sep=;\n名录,全市\na;b\n1;2\n".encode(), "a.csv", OPTIONS).blocks
    assert [block.kind.value for block in blocks] == ["title", "table"]


def test_a_text_table_with_too_many_cells_is_refused() -> None:
    with pytest.raises(IngestError, match=r"ingest\.max_cells"):
        read_csv(b"1,2,3\n" * 50, "a.csv", ReadOptions(max_cells=100))


def test_changed_bytes_give_a_reading_or_an_ingest_error() -> None:
    chance = random.Random(7)
    sample = make_xlsx([["区", "金额", None], ["甲", 1, date(2024, 1, 1)], [None, 0.5, "x"]], "B1:C1", "A2:A3",
                       formats={"B2": "0.00", "B3": "0%"})
    for turn in range(400):
        data = bytearray(sample)
        if turn % 4:
            data = bytearray(changed_part(sample, chance))
        else:
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(IngestError):
            read_xlsx(bytes(data), "a.xlsx", OPTIONS)
        with contextlib.suppress(IngestError):
            read_csv(bytes(data[: chance.randrange(len(data))]), "a.csv", OPTIONS)


def changed_part(data: bytes, chance: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        target = chance.choice(old.namelist())
        for name in old.namelist():
            text = old.read(name)
            if name == target:
                places = [place for place, byte in enumerate(text) if chr(byte).isalnum()]
                for place in chance.sample(places, min(len(places), chance.randint(1, 3))):
                    text = text[:place] + chance.choice((b"9", b"-1", b"999999999", b"", b"w")) + text[place + 1 :]
            new.writestr(name, text)
    return stream.getvalue()


def test_a_table_without_a_caption_is_called_as_its_file_without_the_leading_number() -> None:
    data = "名称,电话\n甲,1\n".encode()
    assert read_csv(data, "/资料/45_城市书房名录.csv", OPTIONS).hints == {"title": "城市书房名录"}
    assert read_csv(data, "2026年名录.csv", OPTIONS).hints == {"title": "2026年名录"}


def test_a_field_longer_than_the_csv_module_allows_is_read() -> None:
    reading = read_csv(f"名称,说明\n甲,{'长' * 140_000}\n".encode(), "a.csv", OPTIONS)
    assert "长" * 140_000 in reading.blocks[0].text
