"""Editors at work: a change makes a new revision of its source, which goes the way of every revision.

The revision as it was read is kept beside it, and all changes of the source are made on that one again whenever one is
added or undone, or the source is read anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from core.errors import NotFound, PolicyDeskError
from core.records import Corrected, Document, EditKind, EditorChange, State, StoredEdit
from kb import catalogue
from kb.curation.duplicates import save_sketches, sketches_of
from kb.curation.edits import changes_of, edit_numbered, edits_of, parsed_of, save_edit, set_parsed, undo_edit
from kb.points import point_ids
from kb.rows import Standing, in_state
from kb.schema import documents
from kb.steps import Steps
from kb.versions import Span

Correct = Callable[[Document, Sequence[EditorChange]], Corrected]
_CURRENT = (State.PUBLISHED, State.DRAFT, State.REVIEW)


class Editing:
    """Threads may share it."""

    def __init__(self, steps: Steps, correct: Correct, *, reviewed: bool) -> None:
        """With ``reviewed`` the revisions that edits make are drafts, which somebody has to approve."""
        self._reviewed = reviewed
        self._steps = steps
        self._correct = correct
        # From reading the changes of a source until the revision with them is staged: none must come between.
        self.lock = threading.RLock()

    def edit(self, document_id: str, change: EditorChange, who: str) -> str:
        """The id of the new revision: published when the old one was, else a draft.

        Raises `NotFound` when the document is no current revision, `PolicyDeskError` when what the change replaces is
        not there or nothing changes.
        """
        with self.lock:
            document, state = self._current(document_id)
            changes = [*self._changes(document.source), change]

            def also(connection: Connection) -> None:
                save_edit(connection, document.source, document_id, change, who)

            new = self._make(document, state, changes, also, who, wanted=change)
            if state is State.PUBLISHED:
                self._make_drafts_again(document.source, changes, who, but=new)
            return new

    def undo(self, number: int, who: str) -> str:
        """The id of the revision without edit ``number``: the published one, else the newest draft."""
        with self.lock:
            with self._steps.engine.connect() as connection:
                edit = edit_numbered(connection, number)
                found = connection.execute(
                    select(documents.c.id).where(documents.c.source == edit.source, in_state(*_CURRENT))
                    .order_by(documents.c.state != State.PUBLISHED, documents.c.added.desc())
                ).first() if edit else None
            if edit is None or edit.undone_at is not None or found is None:
                raise NotFound(f"没有编号为 {number} 的有效修改。用 policydesk edit list 查看编号")
            left = [e.change for e in self.edits(edit.source) if e.undone_at is None and e.number != number]
            document, state = self._current(found.id)

            def also(connection: Connection) -> None:
                undo_edit(connection, edit, found.id, who)

            new = self._make(document, state, left, also, who, wanted=None)
            self._make_drafts_again(edit.source, left, who, but=new)
            return new

    def edits(self, source: str) -> list[StoredEdit]:
        with self._steps.engine.connect() as connection:
            return edits_of(connection, source)

    def again(self, batch: Sequence[Document]) -> list[Corrected]:
        """New readings with the changes of their sources; the caller holds the lock until they are staged."""
        with self._steps.engine.connect() as connection:
            changes = changes_of(connection, [document.source for document in batch])
        return [
            self._correct(document, changes[document.source]) if document.source in changes
            else Corrected(document, document, ())
            for document in batch
        ]

    def conflicts(self, document_id: str) -> tuple[EditorChange, ...]:
        """What editors changed and the reading behind this revision says otherwise."""
        document = self._steps.load(document_id)
        return self._correct(self._parsed(document), self._changes(document.source)).conflicts

    def _current(self, document_id: str) -> tuple[Document, State]:
        with self._steps.engine.connect() as connection:
            state = connection.scalar(select(documents.c.state).where(documents.c.id == document_id))
        if state not in _CURRENT:
            raise NotFound(f"没有编号为 {document_id} 的已发布文件或草稿。用 policydesk documents 查看编号")
        return self._steps.load(document_id), State(state)

    def _changes(self, source: str) -> list[EditorChange]:
        with self._steps.engine.connect() as connection:
            return changes_of(connection, [source]).get(source, [])

    def _parsed(self, document: Document) -> Document:
        with self._steps.engine.connect() as connection:
            name = parsed_of(connection, document.id)
        return self._steps.load(name) if name else document

    def _make_drafts_again(self, source: str, changes: Sequence[EditorChange], who: str, *, but: str) -> None:
        """What waits to be published gets the changes of now; what was in review has to be handed in again."""
        with self._steps.engine.connect() as connection:
            waiting = list(connection.scalars(
                select(documents.c.id).where(documents.c.source == source, in_state(State.DRAFT, State.REVIEW))
                .order_by(documents.c.added)
            ))
        for name in waiting:
            document = self._steps.load(name)
            made = self._correct(replace(self._parsed(document), source=source), changes)
            if name != but and made.document.id != name:
                self._steps.save_drafts(
                    [made.document], who, again=[made.document.id], also=partial(save_parsed, made=[made]),
                    instead_of=[name],
                )

    def _make(
        self, document: Document, state: State, changes: Sequence[EditorChange],
        also: Callable[[Connection], None], who: str, *, wanted: EditorChange | None,
    ) -> str:
        made = self._correct(replace(self._parsed(document), source=document.source), changes)
        if wanted is not None and wanted in made.conflicts:
            raise PolicyDeskError(f"{wanted.name} 与要修改的原文不一致，没有修改。请先用 policydesk show 看现在的文字")
        if made.document.id == document.id:
            if wanted is not None and wanted.kind is not EditKind.CARD:
                raise PolicyDeskError("这项修改不会改变文件，没有修改")
            with self._steps.turn, self._steps.engine.begin() as connection:
                also(connection)
            return document.id

        def with_document(connection: Connection) -> None:
            there = connection.scalar(select(documents.c.state).where(documents.c.id == document.id))
            if state is State.PUBLISHED and there != State.PUBLISHED:
                raise PolicyDeskError("文件刚刚被撤下或替换，没有修改。请重新查看后再试")
            save_parsed(connection, [made])
            also(connection)

        if state is State.PUBLISHED and not self._reviewed:
            self._steps.publish([made.document], who, also=with_document)
        else:
            ids, earlier = [made.document.id], [] if state is State.PUBLISHED else [document.id]
            self._steps.save_drafts([made.document], who, again=ids, also=with_document, instead_of=earlier)
        return made.document.id


def save_parsed(connection: Connection, made: Sequence[Corrected]) -> None:
    """Keep the reading behind each corrected document that is stored already, and tell which it is."""
    changed = [one for one in made if one.document.id != one.parsed.id]
    known = catalogue.known(connection, [one.parsed.id for one in changed])
    fresh = {one.parsed.id: one.parsed for one in changed if one.parsed.id not in known}
    points = {
        chunk.id: point for document in fresh.values()
        for chunk, point in zip(document.chunks, point_ids(document), strict=True)
    }
    standing = Standing(State.PARSED, None, Span(None, None))
    catalogue.save(connection, list(fresh.values()), dict.fromkeys(fresh, standing), points)
    save_sketches(connection, list(fresh.values()), sketches_of(fresh.values()))
    for name, parsed in _readings(connection, made).items():
        set_parsed(connection, name, parsed)


def read_otherwise(connection: Connection, made: Sequence[Corrected]) -> list[Corrected]:
    """Those whose document is there already, made of another reading: perhaps the source took over an edit."""
    wanted = _readings(connection, made)
    return [one for one in made if one.document.id in wanted]


def _readings(connection: Connection, made: Sequence[Corrected]) -> dict[str, str | None]:
    """By stored document the reading behind it, None: itself; only where another one is recorded.

    The same content from another place says nothing of the readings of this one.
    """
    c = documents.c
    by_id = {one.document.id: one for one in made}
    rows = connection.execute(select(c.id, c.source, c.parsed).where(c.id.in_(by_id)))
    found: dict[str, str | None] = {}
    for row in rows:
        one = by_id[row.id]
        parsed = one.parsed.id if one.parsed.id != row.id else None
        if row.source == one.document.source and row.parsed != parsed:
            found[row.id] = parsed
    return found
