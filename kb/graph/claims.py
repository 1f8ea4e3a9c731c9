"""Edges that a language model proposes: kept, marked as its own, where the text says them word for word."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from core.numerals import chinese_number, number
from core.records import State
from kb.database import insert_rows
from kb.graph.records import DOCUMENT_KINDS, KIND_NAMES
from kb.law_names import name_key
from kb.log.audit import record
from kb.rows import in_state
from kb.schema import articles, documents, edges

LLM = "llm"
# That a claim may be of. Which document has ended is for our rules and for editors to say: such an edge takes it out of
# every answer of today.
KINDS = frozenset(KIND_NAMES) - {"part_of", "repeals", "supersedes"}
_FIRST_NUMBER = 1_000_000        # of edges by a model: those by rules are numbered from 0, and are made anew alone
_SHORTEST_QUOTE = 4
_ARTICLE = re.compile(r"(.*?)第([一二三四五六七八九十百千零〇两]{1,9}|\d{1,4})条(之[一二三四五六七八九十])?(?:第.*)?")

Place = tuple[str, int]          # document id, position of the article


@dataclass(frozen=True, slots=True)
class Claim:
    """An article says something of a thing, by these words."""

    document: str
    article: int
    kind: str
    name: str                    # 《…》第八条, 公安机关, 犬只
    quote: str
    matter: str = ""             # what the thing is responsible for, or asked for


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of claims."""

    kept: int
    dropped: tuple[tuple[Claim, str], ...]      # with the reason


def save_claims(connection: Connection, claims: Sequence[Claim], who: str) -> Claimed:
    """Writes those that hold. A claim is dropped unless its quote stands in the article and names the thing."""
    places = {(claim.document, claim.article) for claim in claims}
    texts = _texts(connection, places)
    known = _known(connection, {document for document, _ in places})
    dropped: list[tuple[Claim, str]] = []
    rows: list[dict[str, int | str | None]] = []
    for claim in claims:
        found = _checked(claim, texts.get((claim.document, claim.article)))
        if isinstance(found, str):
            dropped.append((claim, found))
            continue
        key = (claim.document, claim.article, claim.kind, found["name"], found["address"])
        if key in known:
            dropped.append((claim, "图中已有"))
            continue
        known.add(key)
        rows.append(found)
    _write(connection, rows, who)
    return Claimed(len(rows), tuple(dropped))


def drop_claims(connection: Connection, which: ColumnElement[bool], who: str) -> int:
    """Deletes edges that models made; how many. Those by rules go with their document only."""
    mine = and_(edges.c.method == LLM, which)
    counts = Counter(connection.scalars(select(edges.c.document_id).where(mine)))
    if counts:
        connection.execute(delete(edges).where(mine))
    for document, count in sorted(counts.items()):
        record(connection, who, "graph_drop", document, {"method": LLM, "edges": count})
    return counts.total()


def at_places(places: Collection[Place]) -> ColumnElement[bool]:
    """Edges that these articles say."""
    by_document: defaultdict[str, list[int]] = defaultdict(list)
    for document, article in sorted(places):
        by_document[document].append(article)
    return or_(*(
        and_(edges.c.document_id == document, edges.c.article.in_(positions))
        for document, positions in by_document.items()
    ))


def _write(connection: Connection, rows: list[dict[str, int | str | None]], who: str) -> None:
    newest = select(edges.c.document_id, func.max(edges.c.number)).where(
        edges.c.document_id.in_({str(row["document_id"]) for row in rows}), edges.c.number >= _FIRST_NUMBER
    ).group_by(edges.c.document_id)
    last = {document: number for document, number in connection.execute(newest)} if rows else {}
    counts: Counter[str] = Counter()
    for row in rows:
        document = str(row["document_id"])
        counts[document] += 1
        row["number"] = last.get(document, _FIRST_NUMBER - 1) + counts[document]
    insert_rows(connection, edges, rows)
    for document, count in sorted(counts.items()):
        record(connection, who, "graph_add", document, {"method": LLM, "edges": count})


def _checked(claim: Claim, text: tuple[int, str] | None) -> dict[str, int | str | None] | str:
    """Its row, or why there is none."""
    if text is None:
        return "没有这一条，或文件未发布"
    if claim.kind not in KINDS:
        return f"模型不能说“{claim.kind}”这种关系"
    start, words = text
    span = _find(words, claim.quote)
    if span is None:
        return "引文不在条文中"
    name, address = _named(claim)
    quote = words[slice(*span)]
    said = name_key(quote) if claim.kind in DOCUMENT_KINDS else "".join(quote.split())
    if not name or name not in said:
        return "引文没有说到它"
    return {
        "document_id": claim.document, "number": 0, "article": claim.article, "start": start + span[0],
        "end": start + span[1], "kind": claim.kind, "name": name, "address": address, "part": _part(claim, words),
        "method": LLM,
    }


def _part(claim: Claim, words: str) -> str:
    """The matter, where the article names it so; of a document its part is told by the address alone."""
    return claim.matter if claim.kind not in DOCUMENT_KINDS and claim.matter in words else ""


def _named(claim: Claim) -> tuple[str, str | None]:
    """Name and address as edges hold them."""
    if claim.kind not in DOCUMENT_KINDS:
        return "".join(claim.name.split()), None
    match = _ARTICLE.fullmatch(claim.name.strip())
    if match is None or not match.group(1):
        return name_key(claim.name), None
    return name_key(match.group(1)), f"第{chinese_number(number(match.group(2)))}条{match.group(3) or ''}"


def _find(words: str, quote: str) -> tuple[int, int] | None:
    """Where the quote stands, white space aside, which models write in their own way."""
    wanted = "".join(quote.split())
    if len(wanted) < _SHORTEST_QUOTE:
        return None
    places = [at for at, char in enumerate(words) if not char.isspace()]
    at = "".join(words.split()).find(wanted)
    return (places[at], places[at + len(wanted) - 1] + 1) if at >= 0 else None


def _texts(connection: Connection, places: Collection[Place]) -> dict[Place, tuple[int, str]]:
    """Start and text of articles of published documents."""
    return {
        (document, position): (start, text[start:end])
        for document, position, start, end, text in _article_rows(connection, places)
        if (document, position) in places
    }


def _article_rows(connection: Connection, places: Collection[Place]) -> Iterator[tuple[str, int, int, int, str]]:
    c = articles.c
    for document in sorted({document for document, _ in places}):
        whole = select(documents.c.text).where(documents.c.id == document, in_state(State.PUBLISHED))
        text = connection.scalar(whole)
        if text is not None:
            rows = connection.execute(select(c.position, c.start, c.end).where(c.document_id == document))
            yield from ((document, position, start, end, text) for position, start, end in rows)


def _known(connection: Connection, ids: Collection[str]) -> set[tuple[object, ...]]:
    c = edges.c
    query = select(c.document_id, c.article, c.kind, c.name, c.address).where(c.document_id.in_(sorted(ids)))
    return {(row.document_id, row.article, row.kind, row.name, row.address) for row in connection.execute(query)}
