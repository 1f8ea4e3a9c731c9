"""Text -> parts -> chunks: addresses, headings, and that no character is lost on the way."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import Config
from core.records import Document
from ingest.chunks import make_chunks
from ingest.cover import verify_cover
from ingest.read import ReadSettings, find_files, read_files
from ingest.split import Part, cut, split
from tests.conftest import SAMPLES

# file or docid, number of articles, first address, the one in the middle, the last
GOLDEN = [
    ("01", 18, "第一条", "第十条", "第十八条"),
    ("02", 17, "序言", "第八条", "第十六条"),
    ("03", 30, "第一条", "第十五条之一", "第二十九条"),
    ("04", 16, "第一条", "第九条", "第十六条"),
    ("05", 24, "第一条", "第十三条", "第二十四条"),
    ("06", 12, "第一条", "第七条", "第十二条"),
    ("07", 8, "事项名称", "办理时限", "咨询电话"),
    ("08", 22, "第一条", "第十二条", "第二十二条"),
    ("09", 10, "第一条", "第六条", "第十条"),
    ("10", 24, "第一条", "第十三条", "第二十四条"),
    ("11", 12, "第一条", "第七条", "第十二条"),
    ("12", 15, "第一条", "第八条", "第十五条"),
    ("13", 18, "第一条", "第十条", "第十八条"),
    ("14", 15, "第一条", "第八条", "第十五条"),
    ("15", 13, "序言", "二（三）", "五"),
    ("16", 14, "第一条", "第八条", "第十四条"),
    ("17", 8, "事项名称", "办理时限", "咨询电话"),
    ("18", 14, "第一条", "第八条", "第十四条"),
    ("19", 10, "序言", "三", "七"),
    ("20", 15, "序言", "三（二）", "六"),
    ("21", 8, "事项名称", "办理时限", "咨询电话"),
    ("22", 9, "问1", "问5", "问9"),
    ("23", 15, "序言", "二（三）", "六"),
    ("24", 13, "第一条", "第七条", "第十三条"),
    ("25", 9, "序言", "四（一）", "六"),
    ("26", 13, "序言", "二（三）", "五"),
    ("27", 16, "第一条", "第九条", "第十六条"),
    ("28", 9, "事项名称", "办理流程", "咨询电话"),
    ("29", 10, "问1", "问6", "问10"),
    ("30", 14, "序言", "四（一）", "六"),
    ("31", 13, "第一条", "第七条", "第十三条"),
    ("32", 9, "问1", "问5", "问9"),
    ("33", 8, "事项名称", "办理时限", "咨询电话"),
    ("34", 8, "事项名称", "办理时限", "咨询电话"),
    ("35", 10, "第一条", "第六条", "第十条"),
    ("36", 10, "第一条", "第六条", "第十条"),
    ("37", 12, "第一条", "第七条", "第十二条"),
    ("38", 8, "序言", "二（一）", "三"),
    ("39", 11, "第一条", "第六条", "第十一条"),
    ("n-001", 5, "序言", "二", "四"),
    ("n-002", 5, "序言", "二", "四"),
    ("n-003", 5, "序言", "二", "四"),
]
_CN = "一二三四五六七八九十"
_HEADING = re.compile(rf"[#\s　]*第[{_CN}]+(编|分编|章|节)")
_LABEL = re.compile(rf"[#*\s　]*(第[{_CN}\d]+条(之[{_CN}]+)?|[{_CN}]{{1,4}}、|[（(][{_CN}]{{1,4}}[）)])")
_LINES = st.sampled_from([
    "第一条　甲乙。", "第二条　甲：", "第二条之一　乙", "第三条规定的甲乙，", "第一章 甲", "第二节 乙乙", "# 甲乙",
    "## 乙", "一、甲乙", "二、甲乙。", "（一）甲；", "（二）乙。", "问：甲？", "答：乙。", "附件：甲乙", "附则",
    "甲乙。", "", "\u200b", "| 甲 | 乙 |", "| --- | --- |",
])
_TEXTS = st.one_of(
    st.lists(_LINES, max_size=30).map("\n".join),
    st.text("第一二三条章节附件表、（）。；：#* \n　问答甲乙\u200b", max_size=200)
)


def parts_of(text: str, title: str = "") -> list[tuple[str, str]]:
    """(address, text) of every part."""
    return [(part.address, text[part.start : part.end]) for part in split(text, title)]


def outside(text: str, parts: list[Part], title: str = "") -> str:
    """What stands in no part, without headings that are chapters or stand in a part's path, labels and the title."""
    known = {re.sub(r"[#\s　]", "", heading) for part in parts for heading in part.heading} | {title}
    ends, starts = [0, *(part.end for part in parts)], [*(part.start for part in parts), len(text)]
    left = ""
    for start, end in zip(ends, starts, strict=True):
        for line in text[start:end].splitlines():
            if not _HEADING.match(line) and re.sub(r"[#\s　]", "", line) not in known:
                left += re.sub(r"[#*\s　：:\u200b]|^附[件表]?", "", _LABEL.sub("", line))
    return left


@pytest.fixture(scope="module")
def samples(config: Config) -> dict[str, Document]:
    settings = ReadSettings(config.ingest, config.regions.names, lambda source, digest: False, lambda count: None)
    items = read_files(find_files([SAMPLES / "policies"]), settings)
    documents = [item for item in items if isinstance(item, Document)]
    return {re.split(r"#|/(?=\d\d_)", document.source)[-1].split("_")[0]: document for document in documents}


# laws


def test_articles_are_parts_without_their_labels() -> None:
    assert parts_of("第一条　甲。\n第二条　乙。\n丙。") == [("第一条", "甲。"), ("第二条", "乙。\n丙。")]


def test_an_inserted_article_keeps_its_number() -> None:
    text = "第一条　甲。\n第二条　乙。\n第二条之一　丙。\n第三条　丁。"
    assert [address for address, _ in parts_of(text)] == ["第一条", "第二条", "第二条之一", "第三条"]


def test_arabic_numbers_and_full_width_spaces_are_articles_too() -> None:
    assert parts_of("　　第1条　甲。\n　　第2条  乙。") == [("第1条", "甲。"), ("第2条", "乙。")]


def test_chapters_and_sections_are_the_heading_path() -> None:
    text = "第一章 总则\n第一条　甲。\n第二章 分则\n第一节 其一\n第二条　乙。\n第三章 附则\n第三条　丙。"
    assert [part.heading for part in split(text, "")] == [
        ("第一章 总则",), ("第二章 分则", "第一节 其一"), ("第三章 附则",)
    ]


def test_a_marked_section_without_a_space_stays_under_its_chapter() -> None:
    text = "## 第三章　实施\n### 第一节一般规定\n第一条　甲。\n### 第二节　管理\n第二条　乙。"
    paths = [part.heading for part in split(text, "")]
    assert paths == [("第三章 实施", "第一节一般规定"), ("第三章 实施", "第二节 管理")]


def test_a_chapter_line_that_goes_on_with_sentences_is_text() -> None:
    text = "第一条　甲。\n第二章 分则第九条 工会各级组织建立。委员会由选举产生。\n第二条　乙。"
    assert parts_of(text)[0] == ("第一条", "甲。\n第二章 分则第九条 工会各级组织建立。委员会由选举产生。")


@pytest.mark.parametrize("reference", ["第五条规定的条件，不适用。", "第三十八条第一款所列除外。", "第一条、第三条同"])
def test_a_cross_reference_at_the_start_of_a_line_opens_no_article(reference: str) -> None:
    text = f"第一条　甲。\n第二条　有下列情形的：\n{reference}\n第三条　乙。"
    assert [address for address, _ in parts_of(text)] == ["第一条", "第二条", "第三条"]


def test_an_annex_with_its_own_first_article_gets_a_distinct_address() -> None:
    text = "第一条　甲。\n第二条　乙。\n附件：章程\n第一条　丙。\n第二条　丁。"
    parts = split(text, "")
    assert [part.address for part in parts] == ["第一条", "第二条", "第一条(2)", "第二条(2)"]
    assert parts[2].heading == ("附件：章程",)


def test_an_annex_that_is_only_named_is_still_a_part() -> None:
    assert parts_of("第一条　甲。\n第二条　乙。\n附件：税目税率表")[-1] == ("附件", "税目税率表")


@pytest.mark.parametrize("line", ["附近居民可以参加", "附加费按照规定收取"])
def test_a_line_that_only_begins_like_an_annex_is_none(line: str) -> None:
    assert parts_of(f"第一条　甲。\n第二条　乙。\n{line}\n丙")[-1] == ("第二条", f"乙。\n{line}\n丙")


def test_zero_width_marks_alone_are_no_part() -> None:
    assert parts_of("第一章 总则\n\u200b\n第一条　甲。\n第二条　乙。\u200b") == [("第一条", "甲。"), ("第二条", "乙。")]


# notices, guides, questions, plain text


def test_a_notice_is_cut_at_sections_and_subsections() -> None:
    text = "各单位：\n一、价格\n（一）甲。\n（二）乙。\n二、电话由各区公布。"
    assert parts_of(text) == [
        ("序言", "各单位："), ("一（一）", "甲。"), ("一（二）", "乙。"), ("二", "电话由各区公布。")
    ]
    assert split(text, "")[1].heading == ("一、价格",)


def test_items_after_a_colon_stay_in_their_section() -> None:
    text = "一、应当提交以下文书：\n（一）申请书；\n（二）裁决书。\n二、其他\n（一）甲。"
    assert [address for address, _ in parts_of(text)] == ["一", "二（一）"]


def test_short_sections_without_text_are_not_lost() -> None:
    assert parts_of("所需材料\n一、申请书\n二、身份证\n三、照片") == [
        ("序言", "所需材料"), ("一", "申请书"), ("二", "身份证"), ("三", "照片")
    ]


def test_each_question_is_a_part_with_its_answer() -> None:
    text = "常见问题\n问：能领吗？\n答：能。\n问：多少？\n答：一百元。"
    assert parts_of(text, "常见问题") == [("问1", "问：能领吗？\n答：能。"), ("问2", "问：多少？\n答：一百元。")]


def test_a_guide_is_cut_at_markdown_headings_and_its_table_is_whole() -> None:
    table = "| 档 | 价 |\n|---|---|\n| 一 | 3 |\n| 二 | 4 |"
    assert parts_of(f"# 指南\n\n## 收费\n\n{table}\n\n## 时限\n\n五日", "指南") == [("收费", table), ("时限", "五日")]


def test_what_stands_above_the_title_is_a_part() -> None:
    assert parts_of("临政规〔2024〕3号\n办法\n第一条　甲。\n第二条　乙。", "办法")[0] == ("题前", "临政规〔2024〕3号")


def test_a_run_together_page_is_cut_where_numbering_follows_a_full_stop_or_a_space() -> None:
    filler = "按规定办理" * 250
    text = f"各单位：一、甲{filler}。（一）乙。（二）丙。 二、丁 （一）戊。"
    assert [address for address, _ in parts_of(text)] == ["序言", "一", "一（一）", "一（二）", "二（一）"]


def test_a_run_together_law_is_cut_at_its_articles() -> None:
    text = "第一章 总则 第一条 " + "甲" * 1000 + "。第二条 依照本法第一条的规定。第三条 乙。"
    assert [address for address, _ in parts_of(text)] == ["第一条", "第二条", "第三条"]


def test_plain_text_is_packed_to_half_pages() -> None:
    parts = parts_of("\n".join("甲乙丙丁。" * 30 for _ in range(10)))
    assert [address for address, _ in parts] == [f"段{n}" for n in range(1, 6)]
    assert max(len(text) for _, text in parts) <= 400


def test_no_part_is_a_giant() -> None:
    assert [len(text) for _, text in parts_of("一、" + "甲" * 9000)] == [4000, 4000, 1000]


def test_blank_text_has_no_parts() -> None:
    assert split(" \n　\n", "") == []


@pytest.mark.parametrize(("one", "two"), [
    ("1.问：能领吗？", "2.问：多少？"), ("问题一：能领吗？", "问题二：多少？"), ("Q1 能领吗？", "Q2 多少？"),
    ("Q1：能领吗", "Q2：多少"), ("一、能领吗？", "二、多少？"), ("（一）能领吗？", "（二）多少？"),
    ("1．能领吗？", "2．多少？"), ("01 能领吗？", "02 多少？"), ("【问】能领吗", "【问】多少"),
    ("**问：能领吗？**", "**问：多少？**"),
])
def test_questions_come_in_many_forms(one: str, two: str) -> None:
    text = f"{one}\n能。\n（1）凭身份证。\n{two}\n一百元。"
    assert parts_of(text) == [("问1", f"{one}\n能。\n（1）凭身份证。"), ("问2", f"{two}\n一百元。")]


def test_numbered_sections_of_which_some_ask_are_sections() -> None:
    text = "一、条件\n甲。\n二、材料\n乙。\n三、流程\n丙。\n四、多少钱？\n丁。\n五、多久？\n戊。"
    assert [address for address, _ in parts_of(text)] == ["一", "二", "三", "四", "五"]


def test_sections_above_questions_stay_sections() -> None:
    one, two = "问：能领吗？\n答：能。", "问：多少？\n答：百元：\n（一）甲。"
    text = f"一、条件\n本市户籍。\n二、问答\n{one}\n{two}\n三、其他\n（一）乙。"
    assert parts_of(text) == [("一", "本市户籍。"), ("问1", one), ("问2", two), ("三（一）", "乙。")]


def test_numbering_inside_an_answer_is_the_answers() -> None:
    text = "问：材料？\n答：\n一、身份证；\n二、户口簿。\n问：多少？\n答：百元。"
    assert [address for address, _ in parts_of(text)] == ["问1", "问2"]


@pytest.mark.parametrize("form", [
    "{}\n{}", "【{}】\n{}", "一、{}\n{}", "1. {}\n{}", "{}：{}", "【{}】：{}", "【{}】{}", "（一）{}：\n{}",
    "## {}\n{}",
    "**{}**\n{}",
])
def test_fields_of_a_guide_are_parts(form: str) -> None:
    fields = [("申请条件", "本市户籍。"), ("申请材料", "身份证。"), ("办理流程", "网上提交。"), ("咨询电话", "12345")]
    assert parts_of("\n".join(form.format(*each) for each in fields)) == fields


def test_fields_under_a_section_carry_its_number() -> None:
    fields = "申请条件\n甲。\n申请材料：乙。\n办理时限\n丙。"
    addresses = [address for address, _ in parts_of(f"一、新办\n{fields}\n二、换发\n{fields}")]
    assert addresses == [
        "一·申请条件", "一·申请材料", "一·办理时限", "二·申请条件", "二·申请材料", "二·办理时限",
    ]


def test_a_telephone_number_in_a_notice_is_no_field() -> None:
    text = "一、甲由我局负责。\n联系电话：12345\n二、乙由你局负责。"
    assert [address for address, _ in parts_of(text)] == ["一", "二"]


def test_a_table_of_contents_is_one_part() -> None:
    text = "目　录\n第一章 总则……1\n第二章 分则……2\n第一章 总则\n第一条　甲。\n第二章 分则\n第二条　乙。"
    parts = split(text, "")
    assert [(part.address, part.heading) for part in parts] == [
        ("目录", ()), ("第一条", ("第一章 总则",)), ("第二条", ("第二章 分则",))
    ]


def test_an_article_without_a_text_is_its_label() -> None:
    assert parts_of("第一条　甲。\n第二条\n第三条　乙。")[1] == ("第二条", "第二条")


def test_a_chapter_with_nothing_under_it_is_a_part() -> None:
    assert parts_of("第一条　甲。\n第二条　乙。\n第二章 附则")[-1] == ("第二章 附则", "第二章 附则")


def test_sections_before_a_law_are_parts() -> None:
    sections = "一、甲由我局负责。\n二、乙由你局负责。\n三、丙由他局负责。"
    text = f"现决定：\n{sections}\n第一章 总则\n第一条　丁。\n第二条　戊。"
    assert [address for address, _ in parts_of(text)] == ["序言", "一", "二", "三", "第一条", "第二条"]
    assert split(text, "")[4].heading == ("第一章 总则",)


def test_a_title_over_several_lines_is_the_title() -> None:
    text = "临澜市人民政府文件\n临政发〔2024〕1号\n关于发放\n高龄津贴的通知\n各区：\n一、甲由我局负责。"
    assert parts_of(text, "关于发放高龄津贴的通知")[:2] == [
        ("题前", "临澜市人民政府文件\n临政发〔2024〕1号"), ("序言", "各区：")
    ]


def test_a_text_without_sections_is_cut_at_its_subsections() -> None:
    assert [address for address, _ in parts_of("各区：\n（一）甲。\n（二）乙。")] == ["序言", "（一）", "（二）"]
    assert [address for address, _ in parts_of("下列行为：\n（一）甲；\n（二）乙。")] == ["段1"]


# run-together pages

FILLER = "按规定办理" * 50


@pytest.mark.parametrize(("text", "addresses"), [
    ("通知如下：一、甲目的{}。二、乙主题三、丙时间四、丁{}。", ["序言", "一", "二", "三", "四"]),
    ("一、甲要求（一）乙思想。{}。（二）丙。二、丁任务(一)戊{}。", ["一（一）", "一（二）", "二（一）"]),
    ("应当坚持统一、公开的原则。{}其一、甲。其二、乙。一、二线城市。{}", ["段1", "段2"]),
    ("甲通知第一章总则第一条为了乙{}。第二章甲的责任第二条丙{}。第三条规章。", ["序言", "第一条", "第二条", "第三条"]),
    ("目录第一章甲第二章乙第一章甲第一条丙{}。第二章乙第二条丁{}。", ["目录", "第一条", "第二条"]),
    ("第一条甲{}。第二条中华乙。第三条规定的除外，依照本法第三条办理。第三条丙{}。", ["第一条", "第二条", "第三条"]),
    ("近日，记者提问。问:甲？答:乙{}。问:丙？答：丁{}。", ["序言", "问1", "问2"]),
    ("说明。1.甲乙？答：丙{}。2.丁戊？答：己{}。", ["序言", "问1", "问2"]),
])
def test_numbering_inside_a_line_is_counted(text: str, addresses: list[str]) -> None:
    assert [address for address, _ in parts_of(text.format(FILLER, FILLER))] == addresses


# all samples


@pytest.mark.parametrize("expected", GOLDEN, ids=lambda row: row[0])
def test_a_sample_has_its_articles(samples: dict[str, Document], expected: tuple[str, int, str, str, str]) -> None:
    addresses = [article.address for article in samples[expected[0]].articles]
    assert (len(addresses), addresses[0], addresses[len(addresses) // 2], addresses[-1]) == expected[1:]


def test_every_sample_is_pinned(samples: dict[str, Document]) -> None:
    assert sorted(samples) == sorted(row[0] for row in GOLDEN)


def test_no_character_of_a_sample_is_lost(samples: dict[str, Document]) -> None:
    for document in samples.values():
        verify_cover(document)


# properties


@given(_TEXTS)
def test_parts_lie_in_order_inside_the_text_and_are_not_blank(text: str) -> None:
    end = 0
    for part in split(text, ""):
        assert end <= part.start < part.end <= len(text)
        assert text[part.start : part.end].strip()
        end = part.end


@given(_TEXTS)
def test_what_is_outside_the_parts_is_blank_a_heading_or_a_label(text: str) -> None:
    assert not set(outside(text, split(text, ""))) & set("甲乙")


@given(_TEXTS)
def test_addresses_do_not_repeat(text: str) -> None:
    addresses = [part.address for part in split(text, "")]
    assert len(set(addresses)) == len(addresses)


@given(_TEXTS, st.integers(5, 60))
def test_chunks_tile_their_part_up_to_white_space(text: str, max_chars: int) -> None:
    parts, _, tables = cut(text, "", 0, len(text))
    chunks = make_chunks("d", text, parts, max_chars, tables=tables)
    for number, (start, end) in enumerate((part.start, part.end) for part in parts):
        own = [chunk for chunk in chunks if chunk.article == number]
        whole = "".join(text[chunk.start : chunk.end] for chunk in own)
        assert re.sub(r"[\s\u200b]", "", whole) == re.sub(r"[\s\u200b]", "", text[start:end])
        assert all(start <= chunk.start < chunk.end <= end and chunk.end - chunk.start <= max_chars for chunk in own)
        assert all(one.end <= two.start for one, two in pairwise(own))


@given(_TEXTS)
def test_chunk_ids_are_stable_and_differ(text: str) -> None:
    parts = split(text, "")
    ids = [chunk.id for chunk in make_chunks("d", text, parts, 20)]
    assert ids == [chunk.id for chunk in make_chunks("d", text, parts, 20)]
    assert len(set(ids)) == len(ids)
