"""Nodes and edges of the graph as they are asked for, exported and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DOCUMENT_KINDS = frozenset((
    "cites", "basis", "amends", "implements", "repeals", "supersedes", "prevails",
))
KIND_NAMES = {                   # as people read them; a kind that is not here is shown as it is written
    "cites": "引用",
    "basis": "依据",
    "amends": "修改",
    "implements": "实施",
    "repeals": "废止",
    "supersedes": "替代",
    "prevails": "优先于",
    "defines": "定义",
    "issued_by": "发布机关",
    "responsible": "负责部门",
    "applies_to": "适用对象",
    "material": "材料",
    "condition": "条件",
    "part_of": "属于",
}


class Sort(StrEnum):
    """What a node is."""

    DOCUMENT = "document"
    ARTICLE = "article"
    BODY = "body"                # 机关
    TERM = "term"
    GROUP = "group"              # 适用对象
    MATERIAL = "material"
    CONDITION = "condition"
    THING = "thing"              # what an edge of a kind of somebody else's leads to
    OPEN = "open"                # a document that is cited and not stored
    UNCLEAR = "unclear"          # a name that several rules bear


_SORTS = {
    "defines": Sort.TERM,
    "issued_by": Sort.BODY,
    "responsible": Sort.BODY,
    "applies_to": Sort.GROUP,
    "material": Sort.MATERIAL,
    "condition": Sort.CONDITION,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A document, an article, or what is known by its name alone."""

    id: str                      # document id, ``id#position`` of an article, ``sort:name`` of all else
    sort: Sort
    label: str                   # title; title and address of an article; the name of all else
    document: str | None = None  # id
    article: int | None = None   # position
    address: str | None = None   # of an article


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` says something of ``target``: the text of the document ``document`` from ``start`` to ``end``."""

    document: str                # id of the document that says it
    number: int                  # with `document` its key
    kind: str
    method: str                  # rule, llm
    source: Node                 # the document, or the article that says it
    target: Node
    start: int
    end: int
    part: str                    # 第二款第（三）项, as written


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """What limits a question to the graph."""

    kinds: frozenset[str] | None = None      # None: all
    as_of: date | None = None                # what is in force then speaks, and is meant; None: all, and the newest
    outgoing: bool = True                    # what is said there
    incoming: bool = True                    # what others say of it
    limit: int = 100                         # edges of one hop, of the first one in each direction


def sort_of(kind: str) -> Sort:
    """What an edge of ``kind`` leads to, of a kind that leads to no document."""
    return _SORTS.get(kind, Sort.THING)


def document_node(document: str, title: str) -> Node:
    return Node(document, Sort.DOCUMENT, title, document)


def article_node(document: str, title: str, position: int, address: str) -> Node:
    return Node(f"{document}#{position}", Sort.ARTICLE, f"{title} {address}".rstrip(), document, position, address)


def named_node(sort: Sort, name: str) -> Node:
    return Node(f"{sort}:{name}", sort, name)
