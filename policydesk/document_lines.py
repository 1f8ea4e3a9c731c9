"""A document's tree and the difference of two documents, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.records import ArticleChange, Change, Comparison, Document
from ingest.tree import Node

CHANGE_NAMES = {
    Change.UNCHANGED: "未变",
    Change.CHANGED: "修改",
    Change.MOVED: "移动",
    Change.ADDED: "增加",
    Change.REMOVED: "删除",
}
_PREVIEW = 40


def tree_lines(document: Document, nodes: Sequence[Node]) -> Iterator[str]:
    """One line per node, indented by depth: kind, address, the beginning of its text."""
    for node in nodes:
        text = " ".join(document.text[node.start : node.end].split())
        shown = text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"
        yield f"{'  ' * node.depth}{node.kind} {node.address}  {shown}"


def change_lines(comparison: Comparison) -> Iterator[str]:
    """Counts, then each article that is not the same; deleted words as ［-…-］, new ones as ［+…+］."""
    counts = {kind: sum(row.kind is kind for row in comparison.rows) for kind in Change}
    yield "，".join(f"{CHANGE_NAMES[kind]} {count} 条" for kind, count in counts.items())
    for row in comparison.rows:
        if row.kind is Change.UNCHANGED:
            continue
        address = row.new_address or row.old_address
        if row.old_address and row.new_address and row.old_address != row.new_address:
            address = f"{row.old_address} → {row.new_address}"
        yield f"{CHANGE_NAMES[row.kind]} {address}"
        if row.kind is not Change.MOVED:
            yield "   " + _marked(row).replace("\n", "\n   ")


def _marked(row: ArticleChange) -> str:
    if row.kind is not Change.CHANGED:
        return row.new_text or row.old_text
    pieces = []
    at = 0
    for edit in row.edits:
        pieces.append(row.new_text[at : edit.new_start])
        if removed := row.old_text[edit.old_start : edit.old_end]:
            pieces.append(f"［-{removed}-］")
        if added := row.new_text[edit.new_start : edit.new_end]:
            pieces.append(f"［+{added}+］")
        at = edit.new_end
    return "".join([*pieces, row.new_text[at:]])
