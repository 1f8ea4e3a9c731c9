"""Article-level comparison: what was changed, moved, added, removed, and where in the text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.records import Article, ArticleChange, Change, Document, Edit, Facts
from kb.curation.compare import compare, edits_between, revision_change

WORDS = ("住房租金补贴由区住房保障部门按月发放", "养犬人应当在三十日内到公安机关办理登记",
         "停车场应当公示收费标准和监督电话", "供水单位不得擅自停止供水",
         "燃气价格调整应当依法举行听证", "随迁子女入学由居住地教育部门统筹安排")


def document(*articles: tuple[str, str], name: str = "d") -> Document:
    """From (address, text) pairs."""
    text, parts = "", []
    for address, words in articles:
        start = len(text) + len(address) + 1
        text += f"{address} {words}\n"
        parts.append(Article(f"{name}#{address}", address, (), start, start + len(words)))
    return Document(name, Facts("办法"), text, tuple(parts), (), f"{name}.md")


def rows(old: Document, new: Document) -> list[tuple[str, str, str]]:
    return [(row.kind.value, row.old_address, row.new_address) for row in compare(old, new).rows]


def law(*texts: str) -> Document:
    return document(*[(f"第{n}条", text) for n, text in enumerate(texts, start=1)])


def test_equal_documents_have_unchanged_rows_only() -> None:
    assert {row.kind for row in compare(law(*WORDS), law(*WORDS)).rows} == {Change.UNCHANGED}


def test_a_changed_article_shows_where() -> None:
    old, new = law("租金为每月10元。"), law("租金为每月120元。")
    (row,) = compare(old, new).rows
    assert row == ArticleChange(
        Change.CHANGED, "第1条", "第1条", "租金为每月10元。", "租金为每月120元。", (Edit(5, 7, 5, 8),)
    )


def test_an_inserted_article_moves_those_after_it() -> None:
    old = law(*WORDS[:4])
    new = law(WORDS[0], "新设的条文规定夜间施工的许可条件", *WORDS[1:4])
    assert rows(old, new) == [
        ("unchanged", "第1条", "第1条"), ("added", "", "第2条"), ("moved", "第2条", "第3条"),
        ("moved", "第3条", "第4条"), ("moved", "第4条", "第5条"),
    ]


def test_a_renumbered_article_that_was_changed_too_is_still_found() -> None:
    old = law(WORDS[0], WORDS[1], WORDS[2] + "，违者处以罚款。")
    new = law(WORDS[0], WORDS[2] + "，违者处以警告。")
    assert rows(old, new) == [
        ("unchanged", "第1条", "第1条"), ("removed", "第2条", ""), ("changed", "第3条", "第2条"),
    ]


def test_an_article_rewritten_under_its_address_is_changed() -> None:
    assert rows(law(*WORDS[:2]), law(WORDS[0], WORDS[5])) == [
        ("unchanged", "第1条", "第1条"), ("changed", "第2条", "第2条"),
    ]


def test_what_was_removed_stands_where_it_was() -> None:
    old = law(*WORDS)
    new = document(*[(f"第{n}条", WORDS[n - 1]) for n in (1, 3, 4)])
    assert rows(old, new) == [
        ("unchanged", "第1条", "第1条"), ("removed", "第2条", ""), ("unchanged", "第3条", "第3条"),
        ("unchanged", "第4条", "第4条"), ("removed", "第5条", ""), ("removed", "第6条", ""),
    ]


def test_articles_that_share_an_address_are_told_by_their_order() -> None:
    old = document(("第1条", "甲"), ("第1条", "乙"))
    new = document(("第1条", "甲"), ("第1条", "丙"))
    assert rows(old, new) == [("unchanged", "第1条", "第1条"), ("changed", "第1条", "第1条")]
    assert revision_change(old, new).changed == ("第1条",)


def test_a_document_without_articles_is_compared_too() -> None:
    assert rows(document(), law(WORDS[0])) == [("added", "", "第1条")]
    assert rows(law(WORDS[0]), document()) == [("removed", "第1条", "")]


def test_a_law_of_1500_articles_that_all_changed_is_compared() -> None:
    """Renumbered by one, and a word in each is another: nothing is equal, everything alike."""
    texts = [f"{WORDS[n % 6]}，具体办法由第{n * 7}号文件另行规定，第{n % 90}类除外。" for n in range(1500)]
    changed = ["新条"] + [text.replace("另行规定", "专门规定") for text in texts]
    compared = compare(law(*texts), law(*changed)).rows
    assert compared[0].kind is Change.ADDED
    assert [row.old_address for row in compared[1:]] == [f"第{n}条" for n in range(1, 1501)]
    assert {row.kind for row in compared[1:]} == {Change.CHANGED}


def test_a_very_long_article_is_compared_clause_by_clause() -> None:
    clauses = [f"第{n}项经费由区级财政承担，" for n in range(20_000)]
    old = "".join(clauses)
    clauses[7], clauses[19_000] = "第七项删去，", "第一万九千项删去，"
    edits = edits_between(old, "".join(clauses))
    assert len(edits) == 2


def test_a_very_long_article_of_equal_clauses_is_compared_in_time() -> None:
    assert edits_between("依法办理，" * 30_000 + "甲", "按规定，" + "依法办理，" * 25_000 + "乙")


@given(st.lists(st.sampled_from(WORDS), max_size=8), st.lists(st.sampled_from(WORDS), max_size=8))
def test_every_article_of_both_stands_in_one_row(before: list[str], after: list[str]) -> None:
    old, new = law(*before), law(*after)
    compared = compare(old, new).rows
    assert sorted(r.old_address for r in compared if r.old_address) == sorted(a.address for a in old.articles)
    assert [r.new_address for r in compared if r.new_address] == [a.address for a in new.articles]


@given(st.text(alphabet="甲乙丙，。12 ", max_size=40), st.text(alphabet="甲乙丙，。12 ", max_size=40))
def test_edits_turn_the_old_text_into_the_new_one(old: str, new: str) -> None:
    edits = edits_between(old, new)
    made, at = "", 0
    for edit in edits:
        made += old[at : edit.old_start] + new[edit.new_start : edit.new_end]
        at = edit.old_end
    assert made + old[at:] == new
    assert all(a.old_end < b.old_start or a.new_end < b.new_start for a, b in pairwise(edits))
