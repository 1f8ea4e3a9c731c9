"""The structure of a document as a tree, and the finest address that holds a span. Both are worked out from the
text and the articles, and stored nowhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.records import Article, Document
from ingest.inside import Item, items_of, join, locate
from ingest.lines import CN, Table, tables_of
from ingest.questions import FIELD
from ingest.sections import ANNEX, annex_address

_REPEAT = re.compile(r"\(\d+\)$")
_DIVISION = re.compile(rf"第[{CN}\d]+(编|分编|章|节)")
_NUMBERED = (("一级", re.compile(rf"([{CN}]{{1,4}})、")), ("二级", re.compile(rf"[（(]([{CN}]{{1,4}})[）)]")))
_ARTICLE_KINDS = (
    ("条", re.compile(rf"第[{CN}\d]+条(?:之[{CN}]+)?$")),
    ("问", re.compile(r"问\d+$")),
    ("附件", re.compile(rf"附[件表录图则]?[\d{CN}]{{0,2}}$")),
    ("表", re.compile(r"表\d+$")),
    ("二级", re.compile(rf"(?:.*[·{CN}])?（[{CN}]{{1,4}}）$")),
    ("一级", re.compile(rf"(?:.*·)?[{CN}]{{1,4}}$")),
)


@dataclass(frozen=True, slots=True)
class Node:
    """One node; the nodes that follow it with a greater ``depth`` stand inside it, and so do their spans."""

    # 编 分编 章 节 条 款 项 目; 一级 二级 三级 四级 of a notice; 问, 字段, 表, 行; 附件; 标题 for any other
    # heading, 段 for any other part
    kind: str
    address: str
    start: int                   # ``document.text[start:end]``; of an article without its label
    end: int
    depth: int                   # 0 outermost


def structure_tree(document: Document) -> tuple[Node, ...]:
    """All nodes, each before those inside it."""
    tables = tables_of(document.text, 0, len(document.text))
    roots: list[_Growing] = []
    path: list[_Growing] = []
    before = 0
    for article in document.articles:
        kept = _common([node.title for node in path], article.heading)
        del path[kept:]
        for title in article.heading[kept:]:
            start = _find(document.text, title, before, article.start)
            before = start
            node = _heading(title, path, article, start)
            (path[-1].inside if path else roots).append(node)
            path.append(node)
        for node in path:
            node.end = article.end
        before = article.end
        items = _grown(items_of(document.text, article.address, article.start, article.end, tables), article.address)
        if path and path[-1].address == _REPEAT.sub("", article.address):
            path[-1].inside += items
        else:
            own = _Growing(_article_kind(article, tables), article.address, article.start, article.end, inside=items)
            (path[-1].inside if path else roots).append(own)
    return tuple(_flat(roots, 0))


def address_at(document: Document, start: int, end: int) -> str:
    """The finest address that holds ``[start, end)``: 第八条第二款第（三）项. A span that touches several articles
    is 第八条至第九条; one between two articles, in a heading or a label, has the address of the article after it;
    one after the last article has none."""
    articles = document.articles
    place = bisect_right(articles, start, key=lambda article: article.start) - 1
    if place < 0 or articles[place].end <= start:
        place += 1
    if place >= len(articles):
        return ""
    first = articles[place]
    last = articles[max(place, bisect_right(articles, end - 1, key=lambda article: article.start) - 1)]
    if last is not first:
        return f"{first.address}至{last.address}"
    text = document.text[first.start : first.end]
    if start <= first.start and end >= first.start + len(text.rstrip()):
        return first.address
    tables = tables_of(document.text, 0, len(document.text)) if "|" in text else ()
    items = items_of(document.text, first.address, first.start, first.end, tables)
    return locate(first.address, items, max(start, first.start), max(end, first.start + 1))


# nodes


@dataclass(slots=True)
class _Growing:
    kind: str
    address: str
    start: int
    end: int
    title: str = ""
    inside: list[_Growing] = field(default_factory=list)


def _flat(nodes: Sequence[_Growing], depth: int) -> Iterator[Node]:
    for node in nodes:
        yield Node(node.kind, node.address, node.start, node.end, depth)
        yield from _flat(node.inside, depth + 1)


def _grown(items: Sequence[Item], address: str) -> list[_Growing]:
    nodes = []
    for item in items:
        own = join(address, [item.step])
        nodes.append(_Growing(item.kind, own, item.start, item.end, inside=_grown(item.items, own)))
    return nodes


def _common(titles: Sequence[str], heading: Sequence[str]) -> int:
    same = 0
    while same < min(len(titles), len(heading)) and titles[same] == heading[same]:
        same += 1
    return same


def _find(text: str, title: str, start: int, end: int) -> int:
    """Where the heading stands between two articles; white space may have changed in it."""
    pattern = r"\s*".join(re.escape(char) for char in title if not char.isspace())
    match = re.compile(pattern).search(text, start, end)
    return match.start() if match else end


def _heading(title: str, path: Sequence[_Growing], article: Article, start: int) -> _Growing:
    kind, address = _named(title, path, _REPEAT.sub("", article.address))
    return _Growing(kind, address, start, article.end, title=title)


def _named(title: str, path: Sequence[_Growing], under: str) -> tuple[str, str]:
    """Kind and address of a heading, from its title and the address of the first article under it."""
    if division := _DIVISION.match(title):
        above = path[-1].address if path and path[-1].kind in ("编", "分编", "章") else ""
        return division.group(1), above + division.group(0)
    for kind, pattern in _NUMBERED:
        if match := pattern.match(title):
            label = match.group(1) if kind == "一级" else f"（{match.group(1)}）"
            field_name = FIELD.match(title)
            if field_name and under.endswith(field_name.group("name")):
                return "字段", under
            found = re.match(rf"(?:.*·)?(?:[{CN}]{{1,4}})?{re.escape(label)}(?![{CN}])", under)
            return kind, found.group(0) if found else label
    if (annex := ANNEX.match(title)) and annex_address(annex) == under.split("·", 1)[0]:
        return "附件", annex_address(annex)
    named = FIELD.match(title)
    own = named.group("name") if named else title
    return "字段" if named else "标题", under if under.endswith(own) else own


def _article_kind(article: Article, tables: Sequence[Table]) -> str:
    address = _REPEAT.sub("", article.address)
    for kind, pattern in _ARTICLE_KINDS:
        if pattern.match(address):
            return kind
    if any(table.start <= article.start and article.end <= table.end for table in tables):
        return "表"
    return "字段" if FIELD.match(address.rsplit("·", 1)[-1]) else "段"
