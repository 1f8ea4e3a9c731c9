"""What a document says about itself becomes its facts, or an error that names the file and the next step."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from core.config import Config
from core.errors import IngestError
from core.records import Facts, Rank
from ingest.facts import facts_from
from ingest.facts import front_matter as block_of
from ingest.official import Official, normal_doc_no, parse_date, read_official
from ingest.read_text import read_text
from tests.conftest import SHARED, needs_shared

LAW = (
    "# 测试市供热条例\n\n2019年3月1日 测试市人大常委会通过\n2023年9月26日 修正\n2024年1月1日 施行\n"
    "<!-- INFO END -->\n\n第一条　甲。\n第二条　乙。\n"
)


def front_matter(block: str, config: Config) -> Facts:
    named, _ = block_of(f"---\n{block}\n---\n正文", "甲.md")
    return facts_from(named, "甲.md", config.regions.names)


@pytest.mark.parametrize("written", [
    "临政规〔2024〕3号", "临政规[2024]3号", "临政规［2024］3号", "临政规【2024】3号",
    "临政规〖2024〗3号", "临政规(2024)3号",
    "临政规（2024）3号", "临政规〔2024〕第3号", "临政规〔2024〕003号",
    "临政规 [2024] 第 03 号", "临政规　〔2024〕　3号",
])
def test_every_way_of_writing_a_document_number_is_the_same_number(written: str) -> None:
    assert normal_doc_no(written) == "临政规〔2024〕3号"


def test_a_number_that_ends_in_zeros_keeps_them() -> None:
    assert normal_doc_no("临政规[2024]100号") == "临政规〔2024〕100号"


def test_order_numbers_without_brackets_stay_as_they_are() -> None:
    assert normal_doc_no("国务院令第379号") == "国务院令第379号"


@pytest.mark.parametrize("written", ["2024-05-01", "2024年5月1日", "2024.5.1", "2024/5/1", "自 2024 年 5 月 1 日起"])
def test_a_date_is_read_in_every_usual_form(written: str) -> None:
    assert parse_date(written) == date(2024, 5, 1)


@pytest.mark.parametrize("written", ["", "2024年", "2024-13-01", "2023-02-29", "五月一日"])
def test_what_is_no_day_is_no_date(written: str) -> None:
    assert parse_date(written) is None


def test_front_matter_gives_the_facts(config: Config) -> None:
    block = "标题: 办法\n发文字号: 临政规[2024]03号\n效力级别: 规范性文件\n适用区域: 上海\n成文日期: 2024-04-18"
    facts = front_matter(block, config)
    assert facts == Facts(
        "办法", doc_no="临政规〔2024〕3号", rank=Rank.NORMATIVE_DOCUMENT, region="310000", dated=date(2024, 4, 18)
    )


@pytest.mark.parametrize(("value", "public"), [
    ("公开", True), ("主动公开", True), ("依申请公开", False), ("内部", False),
])
def test_only_what_is_published_is_public(config: Config, value: str, public: bool) -> None:
    assert front_matter(f"标题: 办法\n公开属性: {value}", config).public is public


def test_values_are_taken_as_they_are_written(config: Config) -> None:
    facts = front_matter("标题: 12345\n适用区域: 010000\n咨询电话: 010\n公开属性:", config)
    assert (facts.title, facts.region, facts.phone, facts.public) == ("12345", "010000", "010", True)


def test_the_body_begins_after_the_front_matter() -> None:
    text = "---\n标题: 办法\n---\n正文"
    assert text[block_of(text, "甲.md")[1] :] == "正文"


def test_text_without_front_matter_has_no_facts_there() -> None:
    assert block_of("正文\n---\n标题: 办法\n---\n", "甲.md") == ({}, 0)


def test_front_matter_stands_above_what_the_text_says(config: Config) -> None:
    text = "---\n标题: 供热办法\n成文日期: 2024-04-18\n---\n关于供热的通知\n临政通〔2026〕14号\n各单位：\n请执行。\n"
    document = read_text(text.encode(), "甲.md", regions=config.regions.names, chunk_chars=600)
    assert (document.facts.title, document.facts.dated) == ("供热办法", date(2024, 4, 18))
    assert document.facts.doc_no == "临政通〔2026〕14号"


@pytest.mark.parametrize(("block", "found", "next_step"), [
    ("标题: 办法\n题目: 甲", "题目", "可用的键"),
    ("标题: 办法\n成文日期: 去年", "去年", "2024-05-01"),
    ("标题: 办法\n适用区域: 亚特兰蒂斯", "亚特兰蒂斯", "regions.names"),
    ("标题: 办法\n效力级别: 圣旨", "圣旨", "规范性文件"),
    ("标题: 办法\n公开属性: 也许", "也许", "主动公开"),
    ("文种: 办法", "标题", "键: 值"),
    ("一句话", "标题", "键: 值"),
    ("标题: [", "YAML", "解析"),
    ("标题: " + "[" * 5000, "YAML", "解析"),
    ("标题: 办法\n成文日期: 2024-13-45", "2024-13-45", "2024-05-01"),
    ("标题: 办法\n文种: [甲, 乙]", "文种", "一行文字"),
])
def test_front_matter_that_is_wrong_names_the_file_and_the_next_step(
    config: Config, block: str, found: str, next_step: str
) -> None:
    with pytest.raises(IngestError) as caught:
        front_matter(block, config)
    assert caught.value.place == "甲.md"
    assert found in caught.value.reason
    assert next_step in caught.value.reason


def read_law(text: str, source: str, config: Config) -> Official:
    return read_official(text, (0, len(text)), {}, source, config.regions.names)


def test_header_lines_of_a_law_are_not_its_text(config: Config) -> None:
    document = read_text(LAW.encode(), "测试市供热条例.md", regions=config.regions.names, chunk_chars=600)
    assert (document.furniture[0].kind, document.furniture[0].start) == ("front_matter", 0)
    assert document.text[document.furniture[0].end :].lstrip().startswith("第一条")
    assert [article.address for article in document.articles] == ["第一条", "第二条"]


def test_the_title_of_a_law_is_its_first_line_as_it_stands(config: Config) -> None:
    law = "# 甲法院 乙检察院关于供热案件适用法律的解释\n\n2021年3月1日 甲法院通过\n\n<!-- INFO END -->\n\n第一条 甲。\n"
    official = read_law(law, "甲.md", config)
    title = next(field for field in official.fields if field.name == "标题")
    assert official.facts.title == title.value == "甲法院 乙检察院关于供热案件适用法律的解释"
    assert title.start is not None
    assert law[title.start : title.end] == title.value


def test_a_law_file_brings_its_official_fields_along(config: Config) -> None:
    document = read_text(LAW.encode(), "上海/测试市供热条例.md", regions=config.regions.names, chunk_chars=600)
    assert {field.name for field in document.fields} >= {"标题", "文种", "施行日期"}
    assert (document.facts.rank, document.facts.effective_from) == (Rank.LOCAL_REGULATION, date(2024, 1, 1))


@pytest.mark.parametrize(("source", "rank", "region"), [
    ("某目录/甲.md", Rank.LAW, None),
    ("地方性法规/上海/甲.md", Rank.LOCAL_REGULATION, "310000"),
])
def test_folders_give_rank_and_region(config: Config, source: str, rank: Rank, region: str | None) -> None:
    law = LAW.replace("测试市人大常委会", "会议")
    facts = read_law(law, source, config).facts
    assert (facts.rank, facts.region) == (rank, region)


def test_plain_text_gives_its_number_and_its_day_of_force(config: Config) -> None:
    text = "关于供热的通知\n临政通[2026] 第014号\n各单位：\n本通知自2026年11月8日起施行。"
    document = read_text(text.encode(), "通知.txt", regions=config.regions.names, chunk_chars=600)
    assert (document.facts.title, document.facts.doc_no) == ("关于供热的通知", "临政通〔2026〕14号")
    assert (document.facts.effective_from, document.facts.kind) == (date(2026, 11, 8), "通知")
    assert document.furniture[0].start > 0 or document.furniture[0].kind != "front_matter"


def test_a_first_line_that_is_a_sentence_is_no_title(config: Config) -> None:
    assert read_law("甲乙丙丁。\n正文", "供热通知(2024-05-01).txt", config).facts.title == "供热通知"


@pytest.mark.parametrize(("source", "rank", "region"), [
    ("地方性法规/上海/甲.md", Rank.LOCAL_REGULATION, "310000"),
    ("laws.tar.xz!/行政法规/甲.md", Rank.ADMINISTRATIVE_REGULATION, None),
    ("测试市供热条例(2021-05-06).md", Rank.LOCAL_REGULATION, None),
])
def test_a_law_file_keeps_the_facts_of_its_header_and_folders(
    config: Config, source: str, rank: Rank, region: str | None
) -> None:
    facts = read_law(LAW, source, config).facts
    assert (facts.title, facts.rank, facts.region) == ("测试市供热条例", rank, region)
    assert facts.effective_from == date(2024, 1, 1)
    assert facts.dated == (date(2021, 5, 6) if "2021" in source else date(2023, 9, 26))   # of this version


def test_a_law_is_issued_by_the_body_that_adopted_it_and_dated_by_the_first_day(config: Config) -> None:
    law = (
        "# 江岳省供热条例\n\n2019年3月1日 江岳省第十届人民代表大会常务委员会第三次会议通过\n\n"
        "2023年9月26日 江岳省第十一届人民代表大会常务委员会第五次会议修正\n\n<!-- INFO END -->\n\n"
        "第一条 为了规范供热，根据《中华人民共和国节约能源法》，制定本条例。\n\n"
        "第九条 本条例自2019年5月1日起施行。《江岳省供热办法》同时废止。\n"
    )
    official = read_law(law, "甲.md", config)
    found = {field.name: field.value for field in official.fields}
    assert (found["发文机关"], found["成文日期"]) == ("江岳省第十届人民代表大会常务委员会", "2019-03-01")
    assert (found["依据"], found["废止"]) == ("中华人民共和国节约能源法", "江岳省供热办法")
    assert (official.facts.region, official.facts.dated) == ("900000", date(2023, 9, 26))
    assert (official.facts.effective_from, official.facts.rank) == (date(2019, 5, 1), Rank.LOCAL_REGULATION)


@pytest.mark.parametrize(("title", "body", "region"), [
    ("临澜市供热条例", "江岳省第十届人民代表大会常务委员会第三次会议批准", "900100"),   # its own is not told
    ("临澜市供热条例", "旧山市第三届人民代表大会常务委员会第三次会议通过", "900100"),   # a part of it today
    ("临澜市供热条例", "望川市第三届人民代表大会常务委员会第三次会议通过", "900100"),
    ("临澜市澜东区供热条例", "江岳省第十届人民代表大会常务委员会第三次会议通过", "900000"),
    ("江岳省供热条例", "江岳省第十届人民代表大会常务委员会第三次会议通过", "900000"),
    ("供热条例", "江岳省第十届人民代表大会常务委员会第三次会议通过", "900000"),
])
def test_a_rule_whose_title_begins_with_a_city_holds_there_whichever_congress_approved_it(
    config: Config, title: str, body: str, region: str
) -> None:
    law = f"# {title}\n\n2019年3月1日 {body}\n\n<!-- INFO END -->\n\n第一条 为了规范供热，制定本条例。\n"
    assert read_law(law, "地方性法规/江岳省/甲.md", config).facts.region == region


def test_what_a_national_congress_makes_for_a_city_has_no_region(config: Config) -> None:
    law = (
        "# 临澜市供热条例\n\n2019年3月1日 第十届全国人民代表大会常务委员会第三次会议通过\n\n<!-- INFO END -->\n\n"
        "第一条 甲。\n"
    )
    assert read_law(law, "甲.md", config).facts.region is None


def test_the_note_under_a_laws_title_gives_body_date_number_and_force(config: Config) -> None:
    text = (
        "供热管理条例\n（2021年7月20日国务院第3次常务会议通过　2021年7月27日中华人民共和国国务院令第746号公布　"
        "自2022年3月1日起施行）\n第一条　甲。\n"
    )
    facts = read_law(text, "甲.txt", config).facts
    assert (facts.issuer, facts.doc_no) == ("中华人民共和国国务院", "中华人民共和国国务院令第746号")
    assert (facts.dated, facts.published_on) == (date(2021, 7, 27), date(2021, 7, 27))
    assert (facts.effective_from, facts.rank) == (date(2022, 3, 1), Rank.ADMINISTRATIVE_REGULATION)


@needs_shared
def test_every_fourth_row_of_the_hebei_notices_has_its_spans_in_order() -> None:
    with gzip.open(SHARED / "data/policy_hebei/documents.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::4]
    for row in rows:
        official = read_official(row["text"], (0, len(row["text"])), {"title": row["title"]}, row["id"], {})
        for field in official.fields:
            assert field.value
            if field.start is not None and field.end is not None and field.name in ("发文机关", "依据", "附件"):
                printed = row["text"][field.start : field.end]
                assert "".join(printed.split()) == "".join(field.value.split())
