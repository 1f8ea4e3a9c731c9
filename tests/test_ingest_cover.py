"""Chunks and furniture cover every text exactly once, and no furniture is what it does not say."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import Config
from core.records import Document, Facts, Furniture
from ingest.archive import read_archive
from ingest.cover import tile, verify_cover
from ingest.document import make_document
from ingest.read import ReadSettings, find_files, read_files
from ingest.read_jsonl import read_jsonl
from ingest.read_text import read_text
from tests.conftest import SAMPLES, SHARED, needs_shared

ALL = pytest.param(1, marks=pytest.mark.slow)       # 3,421 laws and 1,457 web pages
_LINES = st.sampled_from([
    "第一条　甲乙。", "第二条　甲：", "第二条之一　乙", "第三条", "第三条规定的甲乙，", "第一章 甲", "第二节 乙乙",
    "# 甲乙", "## 乙", "一、甲乙", "二、甲乙。", "三、", "（一）甲；", "（二）乙。", "1. 甲", "（1）乙", "问：甲？",
    "答：乙。", "附件：甲乙", "附件：", "附则", "甲乙。", "", "\u200b", "| 甲 | 乙 |", "| --- | --- |", "目录",
    "申请条件：甲", "申请材料", "三、办理时限", "【收费标准】", "甲" * 60,
    "1. 甲乙？", "2. 乙？", "01 甲？", "甲。一、乙。（一）甲。（二）乙。二、甲乙第一章甲第一条乙。第二条甲。" * 9,
])
TEXTS = st.one_of(
    st.lists(_LINES, max_size=30).map("\n".join),
    st.text("第一二三条章节附件表、（）。；：#* \n　问答甲乙\u200b|-1.？", max_size=200),
)


def make(text: str, title: str = "", *, chunk_chars: int = 40, body: tuple[int, int] | None = None) -> Document:
    return make_document(Facts(title), text, "a.md", name=None, chunk_chars=chunk_chars, body=body)


@given(TEXTS, st.sampled_from(["", "甲乙", "甲乙。"]), st.integers(5, 60))
def test_every_text_is_covered(text: str, title: str, chunk_chars: int) -> None:
    document = make(text, title, chunk_chars=chunk_chars)
    verify_cover(document)
    assert all(chunk.end - chunk.start <= chunk_chars for chunk in document.chunks)


@given(TEXTS, TEXTS, st.lists(st.text("甲1 \n", min_size=1, max_size=5), max_size=4))
def test_front_matter_and_what_was_taken_out_are_covered_too(front: str, body: str, after: list[str]) -> None:
    text, furniture = front + body, []
    for piece in after:
        text += "\n"
        furniture.append(Furniture("footer", len(text), len(text) + len(piece)))
        text += piece
    document = make_document(
        Facts(""), text, "a.pdf", name=None, chunk_chars=40, body=(len(front), len(front) + len(body)),
        furniture=furniture,
    )
    verify_cover(document)
    assert all(len(front) <= chunk.start < chunk.end <= len(front) + len(body) for chunk in document.chunks)


def test_kinds_of_furniture() -> None:
    text = "---\n标题: 办法\n---\n办法\n第一章 总则\n第一条　甲。\n第二条　乙。\n"
    document = make(text, "办法", body=(text.index("办法\n第"), len(text)))
    said = [(piece.kind, text[piece.start : piece.end].strip()) for piece in document.furniture]
    assert said == [
        ("front_matter", "---\n标题: 办法\n---"), ("title", "办法"), ("heading", "第一章 总则"), ("label", "第一条"),
        ("label", "第二条"), ("blank", ""),
    ]


@pytest.mark.parametrize("text", [
    "第一条\n第二条　乙。", "第一条　甲。\n第二条　乙。\n附件：", "一、\n二、甲。",
    "第一章 总则\n第二章 分则\n第一条 甲\n第二条 乙", "第一条　甲。\n第二条　乙。\n第三章 附则", "# 甲\n# 乙",
    "| 甲 |\n| --- |", "| --- |\n| 甲 |", "申请条件：\n申请材料：\n办理流程：",
])
def test_a_label_or_heading_without_a_text_is_a_part_of_its_own(text: str) -> None:
    document = make(text)
    verify_cover(document)
    held = "".join(text[chunk.start : chunk.end] for chunk in document.chunks)
    headings = "".join(heading for article in document.articles for heading in article.heading)
    for line in text.splitlines():
        assert line in held or line in headings or any(
            text[piece.start : piece.end].strip() in line for piece in document.furniture if piece.kind == "label"
        )


def test_text_in_no_piece_is_named_with_its_place() -> None:
    document = make("第一条　甲。\n第二条　乙。")
    with pytest.raises(ValueError, match=r"a\.md: text in no piece or in two.*乙"):
        verify_cover(replace(document, chunks=document.chunks[:1]))


@pytest.mark.parametrize(("kind", "said"), [
    ("blank", "第一条"), ("label", "第三条"), ("heading", "第一章"), ("title", "办法"), ("footer", "1"), ("other", "1"),
])
def test_furniture_that_is_not_what_it_says_is_found(kind: str, said: str) -> None:
    text = f"{said}\n甲。"
    document = make(text, body=(len(said) + 1, len(text)))
    wrong = replace(document, furniture=(Furniture(kind, 0, len(said) + 1),))
    with pytest.raises(ValueError, match=f"no {kind}"):
        verify_cover(wrong)


def test_two_pieces_at_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two pieces hold '乙' at 1"):
        tile("甲乙", (), [Furniture("footer", 0, 2), Furniture("footer", 1, 2)])


def test_something_that_nothing_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing holds '甲乙' at 0"):
        tile("甲乙", (), [])


def test_every_sample_is_covered(config: Config) -> None:
    options = ReadSettings(config.ingest, config.regions.names, lambda source, digest: False, lambda count: None)
    documents = [
        item for item in read_files(find_files([SAMPLES / "policies"]), options) if isinstance(item, Document)
    ]
    assert len(documents) > 40
    for document in documents:
        verify_cover(document)


def real_documents(config: Config, step: int) -> Iterator[Document]:
    regions, chars = config.regions.names, config.ingest.chunk_chars
    for number, (name, data) in enumerate(read_archive(SHARED / "data/laws/laws.tar.xz", config.ingest)):
        if number % step == 0:
            yield read_text(data, name, regions=regions, chunk_chars=chars)
    rows = gzip.decompress((SHARED / "data/policy_hebei/documents.jsonl.gz").read_bytes()).splitlines()[::step]
    lines = io.BytesIO(b"\n".join(rows))
    for item in read_jsonl(lines, "documents.jsonl", regions=regions, chunk_chars=chars, max_line=16_000_000):
        assert isinstance(item, Document)
        yield item


@needs_shared
@pytest.mark.parametrize("step", [11, ALL])
def test_real_laws_and_web_pages_are_covered(config: Config, request: pytest.FixtureRequest, step: int) -> None:
    if step == 1 and "slow" not in request.config.getoption("-m"):
        pytest.skip("every eleventh is covered; run with -m slow for all 4,878")
    count = 0
    for document in real_documents(config, step):
        verify_cover(document)
        count += 1
    assert count >= 4878 // step
