"""Policy cards in SQL: what the rules read is kept with the document, what editors say with its source.

An editor's value stands in for the one that the rules read, as long as they read the same: it is anchored to that value
by source and name. When a new revision reads otherwise, both are shown until somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, select

from core.errors import NotFound, PolicyDeskError
from core.records import Document, EditKind, EditorChange, StoredEdit
from kb.curation.cards import NAMES, Card, cards
from kb.curation.edits import edits_of
from kb.database import insert_rows
from kb.schema import cards as card_table

_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of a card as it is shown."""

    number: int                  # among the lines of its name, from 1
    name: str
    value: str
    start: int | None            # of what the rules read; None: an editor's own line, or a number of the page
    end: int | None
    address: str
    method: str                  # rule, editor
    edit: int | None = None      # number of the edit that gave the value
    extracted: str | None = None     # what the rules read, where an editor says otherwise
    conflict: bool = False       # an editor's value that was made for another one than the rules read now


def save_cards(connection: Connection, batch: Sequence[Document]) -> None:
    """Keep what the rules read of documents, instead of what they read before."""
    ids = [document.id for document in batch]
    for start in range(0, len(ids), _VALUES):
        connection.execute(delete(card_table).where(card_table.c.document_id.in_(ids[start : start + _VALUES])))
    insert_rows(connection, card_table, [
        {"document_id": document.id, "number": number, "name": card.name, "value": card.value, "start": card.start,
         "end": card.end, "address": card.address, "method": "rule"}
        for document in batch for number, card in enumerate(cards(document))
    ])


def card_lines(connection: Connection, document: Document) -> list[CardLine]:
    """Of a document; read now when `save_cards` was never told of it."""
    c = card_table.c
    rows = connection.execute(select(card_table).where(c.document_id == document.id).order_by(c.number)).all()
    read = [Card(row.name, row.value, row.start, row.end, row.address) for row in rows] or cards(document)
    return with_edits(read, edits_of(connection, document.source))


def with_edits(read: Sequence[Card], edits: Sequence[StoredEdit]) -> list[CardLine]:
    """What the rules read, with what editors made of it. Of two edits of one value the later counts."""
    live = [edit for edit in edits if edit.change.kind is EditKind.CARD and edit.undone_at is None]
    latest = {(edit.change.name, edit.change.old): edit for edit in live if edit.change.old}
    own = [(Card(edit.change.name, edit.change.new, None, None, ""), edit) for edit in live if not edit.change.old]
    there = {(card.name, card.value) for card in (*read, *(card for card, _ in own))}
    lines = []
    for name in NAMES:
        mine = [_line(card, None, latest) for card in read if card.name == name]
        mine += [_line(card, edit, latest) for card, edit in own if card.name == name]
        mine += [
            CardLine(0, name, edit.change.new, None, None, "", "editor", edit.number, old, conflict=True)
            for (called, old), edit in latest.items() if called == name and (name, old) not in there
        ]
        lines += [replace(line, number=number) for number, line in enumerate(mine, start=1)]
    return lines


def _line(card: Card, added: StoredEdit | None, latest: Mapping[tuple[str, str], StoredEdit]) -> CardLine:
    """``added``: the edit by which an editor added the line."""
    edit = latest.get((card.name, card.value))
    if edit is not None:
        return CardLine(
            0, card.name, edit.change.new, card.start, card.end, card.address, "editor", edit.number, card.value
        )
    number, method = (added.number, "editor") if added else (None, "rule")
    return CardLine(0, card.name, card.value, card.start, card.end, card.address, method, number)


def card_change(lines: Sequence[CardLine], name: str, number: int | None, value: str) -> EditorChange:
    """``value`` instead of line ``number`` of ``name``, or as a line of its own without a number.

    An empty value takes the line out. Raises `PolicyDeskError` for a name that no card has, `NotFound` for a line that
    is not there.
    """
    if name not in NAMES:
        raise PolicyDeskError(f"政策卡片没有“{name}”一栏。可用：{'、'.join(NAMES)}")
    if number is None:
        if not value:
            raise PolicyDeskError("新增的一行不能是空的")
        return EditorChange(EditKind.CARD, name, "", value)
    line = card_line(lines, name, number)
    return EditorChange(EditKind.CARD, name, line.extracted or line.value, value)


def card_line(lines: Sequence[CardLine], name: str, number: int) -> CardLine:
    """Raises `NotFound`."""
    for line in lines:
        if (line.name, line.number) == (name, number):
            return line
    raise NotFound(f"卡片的“{name}”没有第 {number} 行。用 policydesk cards show 查看")
