"""How a home is held against a `World`, and how it is damaged: the hands and eyes of `tests.kb_machine`."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import closing, contextmanager
from datetime import date
from functools import cache
from pathlib import Path

from core.config import Config, load_config
from core.ports import Point, Sparse
from core.records import SearchOptions, State
from kb import lookup
from kb.background import read_background
from kb.base import KnowledgeBase
from kb.curation.faq_likeness import Likeness
from kb.graph.ends import open_ends
from kb.graph.export import whole_graph
from kb.graph.queries import neighbours
from kb.graph.records import Edge, GraphOptions, Node, document_node
from kb.static_encoder import StaticEncoder
from kb.tokens import open_tokenizer
from kb.upkeep.doctor import Case, examine
from kb.upkeep.doctor_index import point_findings, vector_findings, wanted_points
from policydesk.app import open_desk
from policydesk.ops import open_case
from tests.kb_machine_world import DAYS, TITLES, TODAY, EdgeKey, World, content_of, word_of

IN_SQL = {
    "edges": "DELETE FROM edges WHERE document_id = ?",
    "names": "DELETE FROM names WHERE document_id = ?",
    "dates": "UPDATE documents SET in_force_to = '2021-05-05' WHERE id = ?",
    "state": "UPDATE documents SET state = 'lost' WHERE id = ?",
    "words": "UPDATE chunks SET plain = '别的字' WHERE document_id = ?",
}
DAMAGES = ("a point", "all points", "a foreign point", "dates of a point", *IN_SQL)
_ALL = 100                       # more than there can be articles
_KINDS = frozenset(("cites", "repeals"))


@cache
def configuration(vectors: str, *, k1: float) -> Config:
    config = load_config()
    changes: dict[str, dict[str, object]] = {
        "storage": {"min_free_mb": 0, "database": "", "vectors": vectors},
        "index": {"embedder": "none", "k1": k1},
        "search": {"reranker": "none", "terms": False},
        "ingest": {"workers": 0},
        "review": {"required": False},
    }
    sections = {name: getattr(config, name).model_copy(update=values) for name, values in changes.items()}
    return config.model_copy(update=sections)


def likeness() -> Likeness:
    """Made once for all sequences: it takes half a second."""
    encoder = StaticEncoder(terms=None)
    return Likeness(encoder.embed_questions, open_tokenizer("auto", bigrams=True).words, read_background())


def agree(there: object, wanted: object) -> None:
    if there != wanted:
        if isinstance(there, Set) and isinstance(wanted, Set):
            more, less = sorted(map(str, there - wanted)), sorted(map(str, wanted - there))
            raise AssertionError(f"too much is {more}, missing is {less}")
        raise AssertionError(f"there is {there}, wanted is {wanted}")


def empty_database(vectors: str, home: Path) -> Path:
    """Made once and copied for each sequence: its tables take a third of a second."""
    with open_desk(configuration(vectors, k1=1.2), home):
        pass
    return home / "policydesk.db"


# what is seen


def published(base: KnowledgeBase) -> dict[str, str]:
    """Ids by source."""
    stored = base.documents([State.PUBLISHED])
    found = {one.source: one.id for one in stored}
    assert len(found) == len(stored), "a source is published twice"
    return found


def words_found(
    base: KnowledgeBase, day: date | None = None, *, public_only: bool = False, text: str = "事项代码"
) -> Counter[str]:
    hits = base.search(text, SearchOptions(top=_ALL, as_of=day, public_only=public_only))
    return Counter(word_of(hit.text) for hit in hits)


def check_searches(base: KnowledgeBase, world: World, turn: int) -> None:
    """``turn`` chooses one of the days beside today and no day at all."""
    for day in (None, TODAY, DAYS[turn % len(DAYS)]):
        agree(words_found(base, day), world.found(day))
    agree(words_found(base, public_only=True), world.found(None, public_only=True))
    live = world.published()
    documents, articles, chunks = base.counts()
    agree((documents, articles), (len(live), sum(len(content.texts) for content in live.values())))
    agree(chunks, base.steps.index.store.count())


def check_graph(base: KnowledgeBase, world: World) -> None:
    options, live = GraphOptions(kinds=_KINDS), published(base)
    names = {document: source for source, document in live.items()}
    wanted = world.edges(live)
    with base.reading() as connection:
        graph = whole_graph(connection, options)
        agree({one.document for one in graph.nodes} - {None}, set(names))
        agree({_key(edge, names) for edge in graph.edges if edge.kind in _KINDS}, wanted)
        agree({end.name for end in open_ends(connection)}, world.open_ends())
        for source, document in live.items():
            found = neighbours(connection, document_node(document, TITLES[source]), options)
            mine = {key for key in wanted if key[0] == source or key[3].split("#")[0] == source}
            agree({_key(one.edge, names) for one in found}, mine)


def _key(edge: Edge, names: Mapping[str, str]) -> EdgeKey:
    """As `World.edges` tells it."""
    assert edge.source.article is not None
    return names[edge.document], edge.source.article, edge.kind, _target(edge.target, names)


def _target(node: Node, names: Mapping[str, str]) -> str:
    if node.document is None:
        return node.label
    return names[node.document] if node.article is None else f"{names[node.document]}#{node.article}"


def check_revisions(base: KnowledgeBase, world: World) -> None:
    agree({source: content_of(base.document(name)) for source, name in published(base).items()}, world.published())


def check_drafts(base: KnowledgeBase, world: World) -> None:
    drafts = Counter((one.source, content_of(base.document(one.id))) for one in base.documents([State.DRAFT]))
    agree(drafts, Counter((name, content) for name, source in world.sources.items() for content in source.waiting))
    agree(base.documents([State.STAGED]), [])


def check_points(base: KnowledgeBase) -> None:
    """As a doctor does, who cannot see an index in memory."""
    index = base.steps.index
    with base.reading() as connection:
        agree(list(point_findings(index, wanted_points(connection), ())), [])
        ids = list(published(base).values())
        agree(list(vector_findings(connection, index, ids, look=lambda count: None)), [])
        agree(lookup.published_chunks(connection), index.store.count())


# a home that is closed


@contextmanager
def closed_home(vectors: str, k1: float, home: Path) -> Iterator[Case]:
    with open_case(configuration(vectors, k1=k1), home, lambda there, coming: None) as case:
        yield case


def findings(case: Case) -> list[str]:
    """What a doctor finds; points in memory went when the desk was closed."""
    passing = {"disk_full", *(("point_missing",) if case.settings.config.storage.vectors == ":memory:" else ())}
    return [str(one) for one in examine(case, deep=True) if one.code not in passing]


def damage(case: Case, what: str, chance: random.Random) -> bool:
    """Whether there was something to damage."""
    live = _points(case)
    if not live:
        return False
    document, points = chance.choice(live)
    if what in IN_SQL:
        with closing(sqlite3.connect(case.home / "policydesk.db")) as connection, connection:
            return connection.execute(IN_SQL[what], [document]).rowcount > 0
    with case.engine.connect() as rows:
        place = rows.exec_driver_sql("SELECT value FROM index_facts WHERE key = 'place'").scalar() or ""
    with closing(case.settings.open(str(place)).store) as store:
        there = sorted(stored.id for stored in store.read(points))
        if what == "all points":
            store.delete([stored.id for stored in store.read()])
        elif what == "a foreign point":
            store.upsert([Point(f"{chance.getrandbits(64):016x}", Sparse([7], [1.0]), None, 1, "", 60, 0, 1, True)])
        elif not there:
            return False
        elif what == "a point":
            store.delete([chance.choice(there)])
        else:
            store.set_validity([chance.choice(there)], in_force_from=0, in_force_to=20200202)
        store.flush()
    return True


def _points(case: Case) -> list[tuple[str, list[str]]]:
    """(id, points) of published documents."""
    query = ("SELECT d.id, c.point FROM documents d JOIN chunks c ON c.document_id = d.id WHERE d.state = 'published' "
             "ORDER BY d.id, c.point")
    found: dict[str, list[str]] = {}
    with case.engine.connect() as connection:
        for document, point in connection.exec_driver_sql(query):
            found.setdefault(document, []).append(point)
    return list(found.items())
