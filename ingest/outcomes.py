"""The table that an ingest ends with: one row per file and archive member, made while the items pass by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.records import Document, FileOutcome, FileRead, Outcome, Skipped

_CONTAINERS = ("archive", "zip", "tar")


class OutcomeLog:
    """Watches the items of one run; `rows` is complete when they have all passed."""

    def __init__(self) -> None:
        self.rows: list[FileOutcome] = []

    def watch(self, items: Iterable[Document | Skipped | FileRead]) -> Iterator[Document | Skipped | FileRead]:
        documents: list[Document] = []
        problems: list[Skipped] = []
        for item in items:
            if isinstance(item, Document):
                documents.append(item)
            elif isinstance(item, Skipped):
                problems.append(item)
            else:
                row = _row(item, documents, problems)
                if row is not None:
                    self.rows.append(row)
                documents, problems = [], []
            yield item


def _row(file: FileRead, documents: list[Document], problems: list[Skipped]) -> FileOutcome | None:
    """None for an archive that gave out its members: they have rows of their own."""
    if file.unchanged:
        return FileOutcome(file.source, Outcome.UNCHANGED)
    if file.kind in _CONTAINERS and not problems:
        return None
    failures = [problem for problem in problems if problem.failed]
    if documents:
        outcome = Outcome.PARTIAL if failures or file.unread_pages else Outcome.INDEXED
    elif failures:
        outcome = Outcome.REJECTED
    else:
        outcome = Outcome.LEFT_OUT if problems else Outcome.INDEXED     # a mail whose attachments are all there is
    first = (failures or problems)[:1]
    return FileOutcome(
        file.source, outcome, file.kind, first[0].code if first else None,
        tuple(problem.reason for problem in problems), len(documents),
        sum(len(document.articles) for document in documents), file.pages, file.unread_pages,
    )
