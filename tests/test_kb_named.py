"""What a question names outright: addresses and document numbers, and that the named document comes first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.records import Document, Facts, Rank, SearchOptions, State
from ingest.document import make_document
from kb.base import KnowledgeBase
from kb.named import named_addresses, named_numbers
from policydesk.app import Desk, open_desk

EVERYTHING = SearchOptions(top=10)
WRITTEN = (
    "国办发〔2023〕15号", "国办发[2023]15号", "国办发［2023］15号", "国办发【2023】15号", "国办发（2023）15号",
    "国办发(2023)15号", "国办发﹝2023﹞15号", "国办发〔２０２３〕１５号", "国办发 〔 2023 〕 15 号",
    "国办发〔2023〕第15号", "国办发〔2023〕015号", "国办发〔2023年〕15号", "国办发2023年15号", "国办发 2023 15号",
    "国办发2023-15号", "国办发〔2023〕15",
)


def exact(text: str) -> tuple[str, ...]:
    return tuple(spelling for one in named_numbers(text) for spelling in one.exact)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_read_however_it_is_written(text: str) -> None:
    assert "国办发〔2023〕15号" in exact(text)
    assert "国办发〔2023〕15号" in exact(f"请问按照{text}的规定怎么办")


@pytest.mark.parametrize("text", ["国务院令第423号", "国务院令423号", "国务院令 第四百二十三号", "国务院令（第423号）",
                                  "国务院第423号令", "国务院423号令"])
def test_an_order_is_read_with_its_number_in_either_numerals(text: str) -> None:
    assert {"国务院令第423号", "国务院令第四百二十三号", "中华人民共和国国务院令第423号"} <= set(exact(text))


DATES = (
    "2023年1月15日起施行", "自2023年5月1日", "穗府2023年5月3号开会", "我1990年12月生，2050年退休",
    "地铁2024年15号线开通吗", "12345号热线", "补贴2000元还是3.5%", "二〇二三年", "",
)


def test_a_notice_is_read_with_its_year() -> None:
    for text in ("国家税务总局公告2019年第60号", "国家税务总局公告（2019年）第60号", "国家税务总局公告〔2019〕60号"):
        assert {"国家税务总局公告2019年第60号", "国家税务总局公告〔2019〕第60号"} <= set(exact(text))
    assert "临澜市人民代表大会常务委员会公告第18号" in exact("临澜市人民代表大会常务委员会第18号公告")


@pytest.mark.parametrize("text", DATES)
def test_dates_amounts_and_lines_are_no_numbers(text: str) -> None:
    assert named_numbers(text) == []


def test_an_address_is_read_in_either_numerals() -> None:
    assert list(named_addresses("《民法典》 第５６３条和第一百零二条之一")) == [
        ("民法典", ("第563条", "第五百六十三条")),
        ("民法典第563条和", ("第一百零二条之一", "第102条之一")),
    ]


@pytest.fixture
def base(each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    storage = each_database.storage.model_copy(update={"vectors": ":memory:", "min_free_mb": 0})
    with open_desk(each_database.model_copy(update={"storage": storage}), tmp_path / "home") as desk:
        yield desk.base


def notice(number: str | None, *articles: str, title: str = "有关工作的通知", until: date | None = None) -> Document:
    body = "\n".join(f"第{'一二三四五六七八九'[n]}条 {text}" for n, text in enumerate(articles))
    facts = Facts(title, doc_no=number, rank=Rank.NORMATIVE_DOCUMENT, effective_to=until)
    return make_document(facts, f"{title}\n{body}", f"{number}{title}.md", name=None, chunk_chars=1200)


def found(base: KnowledgeBase, text: str, options: SearchOptions = EVERYTHING) -> list[tuple[str | None, str]]:
    return [(hit.document.facts.doc_no, hit.address) for hit in base.search(text, options)]


CITING = [
    notice(None, *(f"贯彻国办发〔2023〕15号，落实国办发〔2023〕15号之{n}。" for n in "一二三四五"), title="转发通知"),
    notice("国办函〔2023〕15号", "国办发2023年15号另行通知。"),
    notice("府办发〔2023〕15号", "国办发文件2023年第15号。"),
]


@pytest.mark.parametrize("text", [*WRITTEN, "国办发〔2023〕15号是什么文件"])
def test_a_document_named_by_its_number_comes_before_those_that_cite_it(base: KnowledgeBase, text: str) -> None:
    base.add([*CITING, notice("国办发〔2023〕15号", "各地要抓好落实。", "补贴标准为每月两千元。")], publish=True)
    assert found(base, text)[0][0] == "国办发〔2023〕15号"


def test_of_a_named_document_the_article_comes_first_that_the_question_asks_for(base: KnowledgeBase) -> None:
    articles = ("各地要抓好落实。", "各部门分工负责。", "经费由地方负担。", "稳岗补贴标准为每月两千元。")
    base.add([*CITING, notice("国办发〔2023〕15号", *articles)], publish=True)
    assert found(base, "国办发〔2023〕15号的稳岗补贴标准是多少")[0] == ("国办发〔2023〕15号", "第四条")
    assert found(base, "国办发〔2023〕15号")[0] == ("国办发〔2023〕15号", "第一条")


def test_the_longest_number_that_fits_is_meant(base: KnowledgeBase) -> None:
    base.add([notice("人社发〔2024〕23号", "甲。"), notice("冀人社发〔2024〕23号", "乙。")], publish=True)
    assert found(base, "冀人社发〔2024〕23号")[0][0] == "冀人社发〔2024〕23号"
    assert found(base, "人社发〔2024〕23号")[0][0] == "人社发〔2024〕23号"


def test_a_number_without_its_first_characters_finds_what_ends_with_it(base: KnowledgeBase) -> None:
    base.add([notice("冀人社发〔2024〕23号", "甲。"), notice("津人社字〔2024〕23号", "乙。")], publish=True)
    assert found(base, "人社发〔2024〕23号")[0][0] == "冀人社发〔2024〕23号"


def test_an_order_is_found_under_the_name_of_the_state(base: KnowledgeBase) -> None:
    base.add([
        notice("中华人民共和国国务院令第423号", "劳动保障监察。", title="劳动保障监察条例"),
        notice("中华人民共和国主席令第七十三号", "劳动合同。", title="劳动合同法"),
        notice(None, "国务院令第423号、主席令第73号同时执行。" * 3),
    ], publish=True)
    assert found(base, "国务院令第423号是什么")[0][0] == "中华人民共和国国务院令第423号"
    assert found(base, "主席令第73号")[0][0] == "中华人民共和国主席令第七十三号"


def test_a_named_document_is_found_only_where_and_when_it_holds(base: KnowledgeBase) -> None:
    base.add([notice("国办发〔2023〕15号", "各地要抓好落实。", until=date(2025, 1, 1))], publish=True)
    assert found(base, "国办发〔2023〕15号", SearchOptions(as_of=date(2024, 1, 1))) != []
    assert found(base, "国办发〔2023〕15号", SearchOptions(as_of=date(2026, 1, 1))) == []
    assert found(base, "国办发〔2023〕15号", SearchOptions(regions=("900100",))) == []


def test_an_article_is_found_by_its_address_in_digits(base: KnowledgeBase) -> None:
    base.add([notice(None, "甲。", "乙。", "丙。", title="养犬管理办法")], publish=True)
    assert found(base, "养犬管理办法第3条")[0][1] == "第三条"
    assert found(base, "《养犬管理办法》第２条怎么说")[0][1] == "第二条"


def test_every_sample_with_a_number_comes_first_for_it(sample_desk: Desk) -> None:
    numbered = [d.facts.doc_no for d in sample_desk.base.documents([State.PUBLISHED]) if d.facts.doc_no]
    assert len(numbered) > 5
    assert [found(sample_desk.base, number)[0][0] for number in numbered] == numbered
