"""Nodes by whatever somebody calls them, and the words that stand behind them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.records import State
from kb.graph.names import bearers, in_list
from kb.graph.records import DOCUMENT_KINDS, Node, Sort, article_node, document_node, named_node, sort_of
from kb.law_names import name_key
from kb.rows import in_state
from kb.schema import articles, documents, edges

_KEY = re.compile(r"(?:.*\[)?([0-9a-f]{16})(?:#(\d+))?\]?", re.DOTALL)
_LONGEST_BEGINNING = 600         # characters of a document before its first article
_PUBLISHED = in_state(State.PUBLISHED)
_TITLES = select(documents.c.id, documents.c.title).where(in_list(documents.c.id, "documents"), _PUBLISHED)
_ARTICLES = (
    select(articles.c.document_id, articles.c.position, articles.c.address, articles.c.start, articles.c.end,
           documents.c.title)
    .join(documents)
    .where(in_list(articles.c.document_id, "documents"), _PUBLISHED)
    .order_by(articles.c.document_id, articles.c.position)
)
_SAID = (
    select(edges.c.name, edges.c.kind).distinct().join(documents)
    .where(in_list(edges.c.name, "names"), _PUBLISHED)
)

Place = tuple[str, int | None]   # document id; position of an article, None: the whole document


@dataclass(frozen=True, slots=True)
class Words:
    """``document.text[start:end]`` of an article, or of the beginning of a document."""

    title: str
    address: str
    words: str
    start: int
    end: int


def place_of(text: str) -> Place | None:
    """Of ``id``, ``id#position``, and either at the end of a name: 某办法 第八条 [id#7]."""
    match = _KEY.fullmatch(text.strip())
    return (match.group(1), int(match.group(2)) if match.group(2) else None) if match else None


def known_nodes(connection: Connection, called: Sequence[str]) -> list[Node]:
    """The nodes that ids, titles, 发文字号 and names mean, each once, in order; all documents that share a name."""
    places = [place for place in map(place_of, called) if place is not None]
    found: dict[str, list[Node]] = {}
    for node in _at_places(connection, places):
        found.setdefault(node.id, []).append(node)
    names = {text: (name_key(text), text.strip()) for text in called if place_of(text) is None}
    wanted = {name for both in names.values() for name in both if name}
    borne = bearers(connection, wanted)
    said: dict[str, list[Node]] = {}
    for name, kind in connection.execute(_SAID, {"names": sorted(wanted)}) if wanted else ():
        if kind not in DOCUMENT_KINDS:
            said.setdefault(name, []).append(named_node(sort_of(kind), name))
        elif name not in borne:
            said.setdefault(name, []).append(named_node(Sort.OPEN, name))
    nodes: dict[str, Node] = {}
    for text in called:
        place = place_of(text)
        if place is not None:
            mine = found.get(place[0] if place[1] is None else f"{place[0]}#{place[1]}", [])
        else:
            mine = [document_node(one.id, one.title) for name in names[text] for one in borne.get(name, ())]
            mine += [node for name in names[text] for node in said.get(name, ())]
        nodes |= {node.id: node for node in mine if node.id not in nodes}
    return list(nodes.values())


def articles_at(connection: Connection, starts: Collection[tuple[str, int]]) -> dict[tuple[str, int], Node]:
    """(document, start) -> the article that begins there."""
    return {
        (row.document_id, row.start): article_node(row.document_id, row.title, row.position, row.address)
        for row in connection.execute(_ARTICLES, {"documents": sorted({document for document, _ in starts})})
        if (row.document_id, row.start) in starts
    }


def words_at(connection: Connection, places: Iterable[Place]) -> dict[Place, Words]:
    """Of articles, and of whole documents what stands before their first article."""
    wanted = dict.fromkeys(places)
    found: dict[Place, Words] = {}
    spans = connection.execute(_ARTICLES, {"documents": sorted({document for document, _ in wanted})}).all()
    for row in spans:
        if (row.document_id, row.position) in wanted:
            words = _slice(connection, row.document_id, row.start, row.end)
            found[row.document_id, row.position] = Words(row.title, row.address, words, row.start, row.end)
    first = {row.document_id: row.start for row in reversed(spans)}
    for document, title in connection.execute(_TITLES, {"documents": sorted(d for d, at in wanted if at is None)}):
        end = min(first.get(document, _LONGEST_BEGINNING), _LONGEST_BEGINNING)
        words = _slice(connection, document, 0, end)
        found[document, None] = Words(title, "", words, 0, len(words))
    return {place: found[place] for place in wanted if place in found}


def articles_of(connection: Connection, document: str) -> list[Place]:
    """All of a published document."""
    return [(row.document_id, row.position) for row in connection.execute(_ARTICLES, {"documents": [document]})]


def _at_places(connection: Connection, places: Sequence[Place]) -> list[Node]:
    whole = sorted({document for document, at in places if at is None})
    found = [document_node(*row) for row in connection.execute(_TITLES, {"documents": whole})] if whole else []
    parts = {place for place in places if place[1] is not None}
    if parts:
        rows = connection.execute(_ARTICLES, {"documents": sorted({document for document, _ in parts})})
        found += [
            article_node(row.document_id, row.title, row.position, row.address)
            for row in rows if (row.document_id, row.position) in parts
        ]
    return found


def _slice(connection: Connection, document: str, start: int, end: int) -> str:
    text = func.substr(documents.c.text, start + 1, end - start)
    return str(connection.scalar(select(text).where(documents.c.id == document)) or "")
