"""The row that each file gets in the table an ingest ends with."""

from __future__ import annotations

import pytest

from core.records import Document, Facts, FileOutcome, FileRead, Outcome, Reject, Skipped
from ingest.document import make_document
from ingest.outcomes import OutcomeLog

PAPER = make_document(Facts("通知"), "各单位：\n一、供热。", "甲.pdf", name=None, chunk_chars=1200)
BROKEN = Skipped("甲.pdf", "坏了", code=Reject.DAMAGED)
UNKNOWN = Skipped("甲.exe", "不认识", failed=False, code=Reject.UNKNOWN_TYPE)


def rows(*items: Document | Skipped | FileRead) -> list[FileOutcome]:
    log = OutcomeLog()
    assert list(log.watch(items)) == list(items)        # they pass by as they are
    return log.rows


@pytest.mark.parametrize(("items", "outcome", "code"), [
    ([PAPER], Outcome.INDEXED, None),
    ([PAPER, BROKEN], Outcome.PARTIAL, Reject.DAMAGED),
    ([BROKEN], Outcome.REJECTED, Reject.DAMAGED),
    ([UNKNOWN], Outcome.LEFT_OUT, Reject.UNKNOWN_TYPE),
    ([UNKNOWN, BROKEN], Outcome.REJECTED, Reject.DAMAGED),
])
def test_what_a_file_held_decides_its_outcome(
    items: list[Document | Skipped], outcome: Outcome, code: Reject | None
) -> None:
    (row,) = rows(*items, FileRead("甲.pdf", "0", kind="pdf"))
    assert (row.outcome, row.code, row.documents) == (outcome, code, items.count(PAPER))


def test_missing_pages_make_a_document_partial_and_are_named() -> None:
    (row,) = rows(PAPER, FileRead("甲.pdf", "0", failed=True, kind="pdf", pages=3, unread_pages=(2,)))
    assert (row.outcome, row.pages, row.unread_pages) == (Outcome.PARTIAL, 3, (2,))


def test_an_unchanged_file_says_no_more() -> None:
    assert rows(FileRead("甲.pdf", "0", unchanged=True)) == [FileOutcome("甲.pdf", Outcome.UNCHANGED)]


def test_members_have_rows_and_their_archive_only_when_it_breaks() -> None:
    member = FileRead("a.zip!/甲.pdf", "1", kind="pdf")
    assert [row.source for row in rows(PAPER, member, FileRead("a.zip", "0", kind="archive"))] == ["a.zip!/甲.pdf"]
    broken = rows(PAPER, member, BROKEN, FileRead("a.zip", "0", failed=True, kind="archive"))
    assert [(row.source, row.outcome) for row in broken] == [
        ("a.zip!/甲.pdf", Outcome.INDEXED), ("a.zip", Outcome.REJECTED)
    ]
