"""Editors' changes: each makes a revision, is made again on a new reading or shown as a conflict, and can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from core.config import Config
from core.errors import NotFound, PolicyDeskError
from core.records import Document, EditorChange, Facts, Rank, SearchOptions, State
from ingest.correct import field_change, merge_change, split_change, text_change
from ingest.cover import verify_cover
from ingest.document import make_document
from kb.base import KnowledgeBase
from kb.schema import documents
from policydesk.app import open_desk


@pytest.fixture(params=["edge", ":memory:"])
def base(request: pytest.FixtureRequest, each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    storage = each_database.storage.model_copy(update={"min_free_mb": 0, "vectors": request.param})
    ingest = each_database.ingest.model_copy(update={"chunk_chars": 60})
    with open_desk(each_database.model_copy(update={"storage": storage, "ingest": ingest}), tmp_path / "home") as desk:
        yield desk.base


def reading(*articles: str, title: str = "停车管理办法") -> Document:
    body = "\n".join(f"第{'一二三四五六'[n]}条 {text}" for n, text in enumerate(articles))
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=date(2020, 1, 1))
    return make_document(facts, f"{title}\n{body}", "park.md", name=None, chunk_chars=60)


FIRST = "停车收费每小时五圆。"
LONG = "停车场应当公示收费标准。\n停车场应当开具发票。\n停车场应当保持畅通，设置明显标志，安排人员值守，配备充电设施。"
DOCUMENT = reading(FIRST, LONG)


def live(base: KnowledgeBase) -> Document:
    published = base.documents([State.PUBLISHED])
    assert len(published) == 1
    return base.document(published[0].id)


def texts(base: KnowledgeBase) -> set[str]:
    return {hit.text for hit in base.search("停车收费", SearchOptions(top=9))}


def change(base: KnowledgeBase, wanted: EditorChange) -> str:
    return base.editing.edit(live(base).id, wanted, "王编辑")


def test_a_corrected_article_is_found_at_once_and_the_old_words_are_not(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    new = change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    assert live(base).id == new
    assert texts(base) == {"停车收费每小时五元。", LONG}
    verify_cover(live(base))


def test_an_edit_outlives_a_new_reading_that_changes_another_article(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    report = base.add([reading(FIRST, LONG, "停车超过一天的另行收费。")], publish=True)
    assert report.held == ()
    assert texts(base) == {"停车收费每小时五元。", LONG, "停车超过一天的另行收费。"}


def test_the_same_reading_again_changes_nothing(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    new = change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    assert base.add([DOCUMENT], publish=True).unchanged_documents == 1
    assert live(base).id == new


def test_a_reading_that_says_otherwise_waits_as_a_draft_and_the_edit_goes_on_answering(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    wanted = text_change(DOCUMENT, "第一条", "停车收费每小时五元。")
    new = change(base, wanted)
    report = base.add([reading("停车收费每小时六元。", LONG)], publish=True)
    assert [held.conflicts for held in report.held] == [(wanted,)]
    assert live(base).id == new
    draft = base.documents([State.DRAFT])[0].id
    assert base.editing.conflicts(draft) == (wanted,)
    base.editing.undo(base.editing.edits("park.md")[0].number, "王编辑")
    base.publish([draft], "王编辑")
    assert "停车收费每小时六元。" in texts(base)


def test_a_reading_that_brings_the_correction_itself_needs_no_edit(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    assert base.add([reading("停车收费每小时五元。", LONG)], publish=True).held == ()
    assert texts(base) == {"停车收费每小时五元。", LONG}


def test_an_undone_edit_leaves_the_document_as_it_was_read(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    change(base, field_change(live(base), "phone", "8888-1234"))
    edits = base.editing.edits("park.md")
    base.editing.undo(edits[0].number, "李编辑")
    assert live(base).facts.phone == "8888-1234"
    assert texts(base) == {FIRST, LONG}
    base.editing.undo(edits[1].number, "李编辑")
    assert live(base).id == DOCUMENT.id
    assert [edit.undone_by for edit in base.editing.edits("park.md")] == ["李编辑", "李编辑"]
    with pytest.raises(NotFound):
        base.editing.undo(edits[0].number, "李编辑")


def test_a_corrected_date_moves_the_days_on_which_the_document_holds(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, field_change(DOCUMENT, "effective_from", "2024-05-01"))
    assert base.search("停车收费", SearchOptions(as_of=date(2024, 4, 30))) == []
    assert base.search("停车收费", SearchOptions(as_of=date(2024, 5, 1))) != []


def test_chunks_are_split_and_merged_and_stay_citable(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    before = len(live(base).chunks)
    change(base, split_change(live(base), "第一条", "每小时"))
    assert len(live(base).chunks) == before + 1
    verify_cover(live(base))
    change(base, merge_change(live(base), "第一条", 1))
    assert len(live(base).chunks) == before
    verify_cover(live(base))
    assert base.counts()[2] == before
    assert texts(base) == {FIRST, LONG}


def test_a_split_outlives_a_new_reading(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, split_change(live(base), "第一条", "每小时"))
    base.add([reading(FIRST, LONG, "停车超过一天的另行收费。")], publish=True)
    first = [chunk for chunk in live(base).chunks if chunk.article == 0]
    assert [live(base).text[chunk.start : chunk.end] for chunk in first] == ["停车收费", "每小时五圆。"]


def test_a_draft_is_edited_as_a_draft(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=False)
    new = base.editing.edit(DOCUMENT.id, field_change(DOCUMENT, "phone", "12345"), "王编辑")
    assert [draft.id for draft in base.documents([State.DRAFT])] == [new]
    base.publish([new])
    assert live(base).facts.phone == "12345"


@pytest.mark.parametrize(
    ("name", "written"),
    [("colour", "red"), ("effective_from", "明天"), ("rank", "皇帝"), ("title", " "), ("public", "x")],
)
def test_a_value_that_a_field_cannot_have_is_refused(name: str, written: str) -> None:
    with pytest.raises(PolicyDeskError):
        field_change(DOCUMENT, name, written)


def test_an_edit_of_what_is_not_there_is_refused_and_nothing_changes(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    wrong = replace(text_change(DOCUMENT, "第一条", "停车免费。"), old="从来没有过的文字")
    with pytest.raises(PolicyDeskError):
        change(base, wrong)
    assert live(base).id == DOCUMENT.id
    assert base.editing.edits("park.md") == []
    with pytest.raises(PolicyDeskError, match="没有 第九条"):
        text_change(DOCUMENT, "第九条", "停车免费。")


# beside a draft


NEWER = reading(FIRST, LONG, "停车超过一天的另行收费。")


def test_an_edit_reaches_a_draft_that_waits_beside_the_published_text(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    base.add([NEWER], publish=False)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    (draft,) = base.documents([State.DRAFT])
    base.publish([draft.id])
    assert texts(base) == {"停车收费每小时五元。", LONG, "停车超过一天的另行收费。"}


def test_undoing_an_edit_changes_the_published_text_and_the_draft_that_came_after_it(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    base.add([NEWER], publish=False)
    base.editing.undo(base.editing.edits("park.md")[0].number, "王编辑")
    assert texts(base) == {FIRST, LONG}
    (draft,) = base.documents([State.DRAFT])
    assert draft.id == NEWER.id


def test_undoing_an_edit_that_the_source_took_over_leaves_what_the_source_says(base: KnowledgeBase) -> None:
    base.add([DOCUMENT], publish=True)
    change(base, text_change(DOCUMENT, "第一条", "停车收费每小时五元。"))
    assert base.add([reading("停车收费每小时五元。", LONG)], publish=True).unchanged_documents == 1
    base.editing.undo(base.editing.edits("park.md")[0].number, "王编辑")
    assert texts(base) == {"停车收费每小时五元。", LONG}


def test_the_days_of_a_draft_that_was_taken_out_before_reach_no_point_of_the_published_revision(
    base: KnowledgeBase,
) -> None:
    base.add([DOCUMENT], publish=True)
    draft = reading(FIRST, LONG, "停车超过一天的另行收费。")     # it shares the points of two articles
    base.add([draft], publish=False)

    def as_when_it_came_back(connection: Connection) -> None:
        row = update(documents).where(documents.c.id == draft.id)
        connection.execute(row.values(index_stale=True, in_force_to=date(2024, 1, 1)))

    base.change(as_when_it_came_back)
    assert len(base.search("停车收费", SearchOptions(as_of=date(2026, 1, 1)))) == 2
