"""Facts and text -> chunks with address, header rows, page and box."""

from __future__ import annotations

from core.records import Chunk, Document, Facts, Furniture, Place
from ingest.cover import verify_cover
from ingest.document import assemble, make_document

HEADER = "| 档 | 价 |"
TABLE = f"{HEADER}\n| --- | --- |\n| 甲 | 3 |\n| 乙 | 4 |\n| 丙 | 5 |"


def make(text: str, *, chunk_chars: int = 1200, places: tuple[Place, ...] = ()) -> Document:
    document = make_document(Facts("办法"), text, "a.md", name=None, chunk_chars=chunk_chars, places=places)
    verify_cover(document)
    return document


def said(document: Document) -> list[tuple[str, str]]:
    return [(chunk.address, document.text[chunk.start : chunk.end]) for chunk in document.chunks]


# long articles


def test_a_short_article_is_one_chunk_with_its_address() -> None:
    assert said(make("第一条　甲。\n乙。\n第二条　丙。")) == [("第一条", "甲。\n乙。"), ("第二条", "丙。")]


def test_a_long_article_is_divided_at_its_paragraphs() -> None:
    text = f"第一条　{'甲' * 9}。\n{'乙' * 9}。\n{'丙' * 9}。\n第二条　丁。"
    assert said(make(text, chunk_chars=22)) == [
        ("第一条第一款至第二款", f"{'甲' * 9}。\n{'乙' * 9}。"), ("第一条第三款", f"{'丙' * 9}。"), ("第二条", "丁。")
    ]


def test_a_long_paragraph_is_divided_at_its_items_and_a_long_item_at_its_own() -> None:
    long = "（二）丙：\n1.丁丁丁丁丁；\n2.戊戊戊戊戊。"
    text = f"第一条　总。\n甲：\n（一）乙乙乙；\n{long}\n（三）己己；\n（四）庚庚。\n第二条　辛。"
    assert said(make(text, chunk_chars=18)) == [
        ("第一条第一款", "总。"),
        ("第一条第二款第（一）项", "甲：\n（一）乙乙乙；"),
        ("第一条第二款第（二）项第1目", "（二）丙：\n1.丁丁丁丁丁；"),
        ("第一条第二款第（二）项第2目", "2.戊戊戊戊戊。"),
        ("第一条第二款第（三）项至第（四）项", "（三）己己；\n（四）庚庚。"),
        ("第二条", "辛。"),
    ]


def test_a_paragraph_without_items_is_divided_at_sentences() -> None:
    text = f"第一条　{'甲' * 9}。{'乙' * 9}。\n第二条　丁。"
    assert said(make(text, chunk_chars=12)) == [
        ("第一条", f"{'甲' * 9}。"), ("第一条", f"{'乙' * 9}。"), ("第二条", "丁。")
    ]


def test_a_long_section_of_a_notice_is_divided_at_its_numbers() -> None:
    text = "一、条件\n（一）甲：\n1.乙乙乙；\n2.丙丙丙；\n3.丁丁丁丁丁丁。\n（二）戊。"
    assert said(make(text, chunk_chars=18))[:2] == [
        ("一（一）1至2", "甲：\n1.乙乙乙；\n2.丙丙丙；"), ("一（一）3", "3.丁丁丁丁丁丁。")
    ]


def test_a_chunk_carries_the_heading_path_of_its_article() -> None:
    document = make(f"第一章 总则\n第一条　{'甲' * 9}。\n{'乙' * 9}。\n第二条　丙。", chunk_chars=12)
    assert {document.articles[chunk.article].heading for chunk in document.chunks} == {("第一章 总则",)}


# tables


def rows(document: Document) -> list[tuple[str, str, str | None]]:
    """Address, text, and text of the header rows of every chunk."""
    text = document.text
    return [
        (chunk.address, text[chunk.start : chunk.end], text[slice(*chunk.header)] if chunk.header else None)
        for chunk in document.chunks
    ]


def test_each_row_of_a_table_is_a_chunk_with_the_header_beside_it() -> None:
    assert rows(make(f"第一条　甲。\n第二条　按下表：\n{TABLE}\n表中不含税。")) == [
        ("第一条", "甲。", None),
        ("第二条第一款", "按下表：", None),
        ("第二条第一款表第1行", f"{HEADER}\n| --- | --- |\n| 甲 | 3 |", None),
        ("第二条第一款表第2行", "| 乙 | 4 |", HEADER),
        ("第二条第一款表第3行", "| 丙 | 5 |", HEADER),
        ("第二条第二款", "表中不含税。", None),
    ]


def test_a_table_of_two_header_rows_repeats_both() -> None:
    header = "| 档 | 价 | 价 |\n| 档 | 月 | 年 |"
    document = make(f"{header}\n| --- | --- | --- |\n| 甲 | 3 | 4 |\n| 乙 | 5 | 6 |")
    assert rows(document)[1] == ("表1第2行", "| 乙 | 5 | 6 |", header)


def test_an_empty_header_row_is_not_repeated() -> None:
    document = make("|  |  |\n| --- | --- |\n| 甲 | 3 |\n| 乙 | 5 |")
    assert [chunk.header for chunk in document.chunks] == [None, None]


def test_a_table_is_never_cut_where_its_article_is() -> None:
    text = f"一、价格\n{'甲' * 3970}。\n{TABLE}\n乙。"
    document = make(text)
    assert [article.address for article in document.articles] == ["一", "一(2)"]
    assert document.text[document.articles[1].start : document.articles[1].end] == f"{TABLE}\n乙。"


def test_a_spreadsheet_becomes_parts_that_all_know_its_header() -> None:
    lines = "\n".join(f"| {n} | {'甲' * 90} |" for n in range(100))
    document = make(f"## 名册\n{HEADER}\n| --- | --- |\n{lines}\n")
    assert [article.address for article in document.articles] == ["名册", "名册(2)", "名册(3)"]
    assert len(document.chunks) == 100
    assert {chunk.header for chunk in document.chunks[1:]} == {(6, 6 + len(HEADER))}
    assert document.chunks[-1].address == "名册(3)第100行"


def test_a_table_without_a_heading_is_called_by_its_number() -> None:
    document = make(f"{TABLE}\n\n说明。\n\n{TABLE}")
    assert [article.address for article in document.articles] == ["表1", "段1", "表2"]


def test_a_row_that_is_too_long_is_divided_and_keeps_its_header() -> None:
    document = make(f"{HEADER}\n| --- | --- |\n| 甲 | 3 |\n| {'乙' * 20}。{'丙' * 20} | 5 |", chunk_chars=40)
    assert [(chunk.address, chunk.header) for chunk in document.chunks] == [
        ("表1第1行", None), ("表1第2行", (0, len(HEADER))), ("表1第2行", (0, len(HEADER))),
    ]


def test_numbering_inside_a_table_opens_nothing() -> None:
    table = f"| 一、甲 | 第一条 |\n| --- | --- |\n| （一）{'乙' * 600}。二、丙 | {'丁' * 600}。第二条 戊 |"
    assert [article.address for article in make(f"一、表\n{table}\n二、其他事项由我局解释。").articles] == ["一", "二"]


def test_one_line_that_begins_with_a_bar_is_text() -> None:
    assert rows(make("一、甲\n| 乙 |\n二、丙由我局解释。"))[0] == ("一", "| 乙 |", None)


# places


def test_page_and_box_are_of_the_page_on_which_the_chunk_begins() -> None:
    text = "第一条　甲甲。\n第二条　乙乙。\n丙丙。"
    places = (
        Place(0, 7, 1, (10, 10, 60, 20)), Place(8, 15, 1, (10, 30, 60, 40)), Place(16, 19, 2, (10, 50, 90, 60)),
    )
    first, second = make(text, places=places).chunks
    assert (first.page, first.box) == (1, (10, 10, 60, 20))
    assert (second.page, second.box) == (1, (10, 30, 60, 40))
    third = make(text, places=places, chunk_chars=4).chunks[-1]
    assert (third.address, third.page, third.box) == ("第二条第二款", 2, (10, 50, 90, 60))


def test_the_box_goes_around_all_lines_of_the_chunk() -> None:
    places = (Place(4, 6, 3, (10, 10, 60, 20)), Place(6, 8, 3, (5, 22, 40, 32)))
    document = make("第一条　甲乙。丙\n第二条　丁。", places=places)
    assert (document.chunks[0].page, document.chunks[0].box) == (3, (5, 10, 60, 32))
    assert (document.chunks[1].page, document.chunks[1].box) == (None, None)


# documents


def test_what_was_taken_out_stands_after_the_text_with_its_mark() -> None:
    text = "一、甲由我局负责。\n## 首页\n- 1 -\n"
    end = text.index("##")
    furniture = [Furniture("navigation", end + 3, end + 5), Furniture("page_number", end + 6, end + 11)]
    document = make_document(
        Facts("甲"), text, "a.html", name=None, chunk_chars=100, body=(0, end), furniture=furniture
    )
    verify_cover(document)
    assert [(p.kind, text[p.start : p.end]) for p in document.furniture if p.kind not in ("label", "blank")] == [
        ("navigation", "## 首页"), ("page_number", "- 1 -")
    ]


def test_ids_follow_from_facts_text_and_articles() -> None:
    one, two = make("第一条　甲。\n第二条　乙。"), make("第一条　甲。\n第二条　乙。")
    other = make("第一条　甲。\n第二条　丙。")
    assert one.id == two.id != other.id
    assert [chunk.id for chunk in one.chunks] == [chunk.id for chunk in two.chunks]


def test_known_articles_are_assembled_without_being_cut_again() -> None:
    whole = make("一、甲由我局负责。\n二、乙由你局负责。")
    again = assemble(
        whole.facts, whole.text, whole.articles, "b.md", chunk_chars=1200,
        furniture=[piece for piece in whole.furniture if piece.kind != "blank"],
    )
    assert (again.id, again.chunks, again.furniture) == (whole.id, whole.chunks, whole.furniture)


def test_chunks_name_their_document_and_article() -> None:
    document = make("第一条　甲。\n第二条　乙。")
    assert [(c.document_id, c.article) for c in document.chunks] == [(document.id, 0), (document.id, 1)]
    assert all(isinstance(chunk, Chunk) and len(chunk.id) == 16 for chunk in document.chunks)
