"""A saved web page -> its document as running text, and what stands around it as furniture."""

from __future__ import annotations

from collections.abc import Sequence, Set

from core.errors import IngestError
from core.records import Reject
from ingest.html_content import split_page
from ingest.html_facts import attachments_of, find_title, issuer_of_source, metas, official_row
from ingest.html_text import Item, items_of
from ingest.html_tree import parse_html
from ingest.reading import Block, BlockKind, Reading, ReadOptions, table_text


def read_html(data: bytes, source: str, options: ReadOptions) -> Reading:
    """The page's document; raises `IngestError` when the page shows no text, as pages do that a script fills."""
    root = parse_html(data, source)
    items = items_of(root, max_cells=options.max_cells, source=source)
    if not items:
        raise IngestError(
            "网页里没有文字，内容可能要由脚本载入。请在浏览器中打开，等内容显示后另存为 PDF",
            place=source, code=Reject.EMPTY,
        )
    split = split_page(items)
    if not split.body:
        raise IngestError(
            "网页里只有菜单和链接，没有正文。请打开具体的文件页面后保存", place=source, code=Reject.EMPTY
        )
    body = set(split.body)
    named = metas(root)
    row = official_row(item for position, item in enumerate(items) if position not in body)
    hints = {**named, **row}
    title, shown = find_title(items, split.body, root, named.get("title") or row.get("title"))
    if title:
        hints["title"] = title
    if "issuer" not in hints and (issuer := issuer_of_source(root)):
        hints["issuer"] = issuer
    blocks = _blocks(items, body, shown, title)
    if title and not shown:
        blocks.insert(0, Block(title, BlockKind.TITLE))
    return Reading(
        tuple(blocks), hints, attachments=attachments_of(root, split.container, named.get("url"))
    )


def whole_page(data: bytes, source: str, options: ReadOptions) -> list[Block]:
    """Every visible text as running text, for pages that have no menus: the HTML of a mail."""
    items = items_of(parse_html(data, source), max_cells=options.max_cells, source=source)
    return _blocks(items, set(range(len(items))), (), None)


def _blocks(items: Sequence[Item], body: Set[int], shown: Sequence[int], title: str | None) -> list[Block]:
    """The title and the running text in their order, then what is around it."""
    levels = sorted({items[position].level for position in body if items[position].level and position not in shown})
    running: list[Block] = []
    around: list[Block] = []
    for position, item in enumerate(items):
        if position in shown:
            if position == shown[0] and title:
                running.append(Block(title, BlockKind.TITLE))    # its lines joined
        elif position in body:
            running.append(_running(item, levels))
        elif item.grid is not None:
            rows = (" ".join(filter(None, row)) for row in item.grid.rows)
            around.extend(Block(row, BlockKind.NAVIGATION) for row in rows if row)
        else:
            around.append(Block(item.text, BlockKind.NAVIGATION))
    return [*running, *around]


def _running(item: Item, levels: Sequence[int]) -> Block:
    if item.grid is not None:
        return Block(table_text(item.grid.rows, item.grid.header_rows), BlockKind.TABLE)
    if item.level:
        return Block(item.text, BlockKind.HEADING, levels.index(item.level) + 1)
    return Block(item.text)
