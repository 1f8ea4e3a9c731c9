"""Where the graph begins and ends: the node that somebody means, open ends, and who is responsible for a matter."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import Connection, func, select

from core.errors import NotFound
from core.records import Hit, State
from kb.graph.names import VALUES, Bearer, bearers, in_force_first, in_list, of_kind, the_one
from kb.graph.nodes import articles_at
from kb.graph.queries import EDGES, Meanings, Resolving, on_day
from kb.graph.records import DOCUMENT_KINDS, Edge, Node, article_node, document_node
from kb.law_names import name_key
from kb.rows import in_state
from kb.schema import articles, documents, edges, names

_PUBLISHED = in_state(State.PUBLISHED)
_BEARER = documents.alias()
_BORNE = (
    select(names.c.name).join(_BEARER, _BEARER.c.id == names.c.document_id)
    .where(names.c.name == edges.c.name, in_state(State.PUBLISHED, of=_BEARER))
)
_NUMBERED = select(_BEARER.c.id).where(_BEARER.c.doc_no == edges.c.name, in_state(State.PUBLISHED, of=_BEARER))
_PHONE = re.compile(r"(?<!\d)(?:0\d{2,3}[-－—]?\d{7,8}|1\d{10}|12\d{3}|400[-－—]?\d{3}[-－—]?\d{4})(?!\d)")
_SHORTEST_END = 4                # of a name that its end alone tells
_MOST_ENDING = 200
_PHONE_WITHIN = 60               # characters after the name of a body in which its number may stand
_NO_NAME = re.compile(
    r"(?:实施|暂行|有关|本|该)?(?:法|条例|办法|规定|细则|规则|意见|通知|决定|方案|标准|目录|公告|通告)"
)


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """A name that documents cite and no stored document bears."""

    name: str
    edges: int
    documents: int               # that cite it
    first: str                   # id of one of them


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who is responsible, by which words."""

    body: str
    what: str                    # for what, as the text says it
    phone: str | None            # of the body where the text gives one, else the document's 咨询电话
    edge: Edge
    quote: str
    hit: bool                    # said by an article that was asked for, not elsewhere in its document
    likeness: float              # of what was asked and what the body is responsible for: 0 to 1


def find_node(connection: Connection, text: str, *, address: str | None = None, as_of: date | None = None) -> Node:
    """The published document, or its article, that an id, a title or its end, or a 发文字号 means.

    Raises `NotFound`, also when several are meant, which it names.
    """
    row = connection.execute(
        select(documents.c.id, documents.c.title).where(documents.c.id == text, _PUBLISHED)
    ).first()
    if row is None:
        several = in_force_first(_called(connection, text), as_of)
        bearer = the_one(several)
        if bearer is None:
            raise NotFound(_unknown(text, [f"{one.id} {one.title}" for one in several]))
        node = document_node(bearer.id, bearer.title)
    else:
        node = document_node(row.id, row.title)
    return node if address is None else _article(connection, node, address)


def _called(connection: Connection, text: str) -> list[Bearer]:
    """Those that are called so; else those whose names end so, since people leave out 某市."""
    key, number = name_key(text), text.strip()
    found = bearers(connection, {key, number})
    if not found and len(key) >= _SHORTEST_END:
        ending = select(names.c.name).where(names.c.name.endswith(key, autoescape=True)).order_by(names.c.name)
        found = bearers(connection, set(connection.scalars(ending.limit(_MOST_ENDING))))
    return list({one.id: one for several in found.values() for one in several}.values())


def _unknown(text: str, several: Sequence[str]) -> str:
    if several:
        return f"“{text}”可以指几份不同的文件：{'；'.join(several[:5])}。请用编号"
    return f"没有编号或名称为“{text}”的已发布文件。用 policydesk documents 查看"


def _article(connection: Connection, node: Node, address: str) -> Node:
    position = connection.scalar(
        select(articles.c.position)
        .where(articles.c.document_id == node.document, articles.c.address == address)
        .order_by(articles.c.position)
    )
    if position is None or node.document is None:
        raise NotFound(f"《{node.label}》没有{address}。用 policydesk show {node.document} --tree 查看条号")
    return article_node(node.document, node.label, position, address)


def open_ends(connection: Connection, *, limit: int = 100) -> list[OpenEnd]:
    """The most cited first; 《办法》 and 《通知》, which name nothing by themselves, are left out."""
    query = (
        select(
            edges.c.name, func.count().label("count"), func.count(edges.c.document_id.distinct()).label("citing"),
            func.min(edges.c.document_id).label("first"),
        )
        .join(documents, documents.c.id == edges.c.document_id)
        .where(of_kind(DOCUMENT_KINDS), edges.c.name != "", _PUBLISHED, ~_BORNE.exists(), ~_NUMBERED.exists())
        .group_by(edges.c.name)
        .order_by(func.count().desc(), edges.c.name)
    )
    found = (OpenEnd(*row) for row in connection.execute(query))
    named = [end for end in found if not _NO_NAME.fullmatch(end.name)]
    return named[:limit]


def responsible_by(
    connection: Connection, hits: Sequence[Hit], matter: str, *, as_of: date | None = None
) -> list[Responsible]:
    """The same for the articles that a search found, the best first."""
    starts = [(hit.document.id, hit.start) for hit in hits]
    nodes = articles_at(connection, set(starts)) if starts else {}
    places = [(start[0], nodes[start].article or 0) for start in starts if start in nodes]
    return responsible(connection, places, matter, as_of=as_of)


def responsible(
    connection: Connection, places: Sequence[tuple[str, int]], matter: str = "", *, as_of: date | None = None,
    limit: int = 20,
) -> list[Responsible]:
    """Bodies that the documents of ``places`` name as responsible, first those for what is most like ``matter``.

    A place is a document and the position of an article in it, the best first. Equally like are those of ``places``
    before the other articles of these documents, whose general part often names the body that all else is about.
    """
    order = {place: number for number, place in reversed(list(enumerate(places)))}
    in_order = {document: number for number, (document, _) in reversed(list(enumerate(places)))}
    if not places:
        return []
    query = EDGES.where(of_kind(["responsible"]), in_list(edges.c.document_id, "documents"))
    rows = connection.execute(query, {"documents": sorted(in_order), **on_day(as_of)}).all()
    resolving = Resolving(connection, Meanings(connection, (), as_of), rows)
    asked = _pairs(matter)
    found = [(_likeness(asked, _pairs(row.part)), resolving.edge(row)) for row in rows]
    found.sort(key=lambda one: (
        -one[0], order.get((one[1].document, one[1].source.article or 0), len(places)), in_order[one[1].document],
        one[1].number,
    ))
    found = found[:limit]
    texts = _texts(connection, {edge.document for _, edge in found})
    return [
        Responsible(
            edge.target.label, edge.part, _phone(text, edge) or phone, edge, text[edge.start : edge.end],
            (edge.document, edge.source.article) in order, round(likeness, 3),
        )
        for likeness, edge in found
        for text, phone in [texts[edge.document]]
    ]


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise("".join(text.split())))


def _likeness(asked: frozenset[tuple[str, str]], what: frozenset[tuple[str, str]]) -> float:
    """Shared pairs of characters over all (Dice)."""
    total = len(asked) + len(what)
    return 2 * len(asked & what) / total if total else 0.0


def quotes(connection: Connection, found: Collection[Edge]) -> dict[tuple[str, int], str]:
    """(document, number) -> the words of each edge."""
    texts = _texts(connection, {edge.document for edge in found})
    return {(edge.document, edge.number): texts[edge.document][0][edge.start : edge.end] for edge in found}


def _texts(connection: Connection, wanted: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Text and 咨询电话 by id."""
    ordered = sorted(wanted)
    found: dict[str, tuple[str, str | None]] = {}
    query = select(documents.c.id, documents.c.text, documents.c.phone).where(in_list(documents.c.id, "documents"))
    for at in range(0, len(ordered), VALUES):
        rows = connection.execute(query, {"documents": ordered[at : at + VALUES]})
        found |= {id_: (text, phone) for id_, text, phone in rows}
    return found


def _phone(text: str, edge: Edge) -> str | None:
    """A number right behind the name of the body, in the same paragraph."""
    at = text.find(edge.target.label, edge.start)
    if at < 0:
        return None
    after = text[at : at + len(edge.target.label) + _PHONE_WITHIN].split("\n")[0]
    match = _PHONE.search(after)
    return match.group() if match else None


