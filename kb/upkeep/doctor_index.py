"""Does the vector index hold exactly the points of what is published, with what SQL says of them, and their vectors?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, select

from core.errors import BackendUnavailable
from core.ports import Point, Sparse, StoredPoint
from core.records import State
from kb import catalogue, lookup
from kb.home import check_free_space
from kb.index import NEXT, PLACE, Index, IndexSettings
from kb.points import index_entries
from kb.schema import chunks, documents
from kb.steps import OPEN_END, encode, make_points, number
from kb.store import store_folder
from kb.upkeep.doctor_findings import Finding

_SEEN = (State.PUBLISHED, State.STAGED)
_AT_ONCE = 200               # documents whose vectors are made anew together
_FAR = 0.03                  # between unit vectors that ought to be equal; a model on a GPU differs by less than 0.01
_WEIGHT = 1e-4               # of a term, relative: the store keeps 32 bits
_FIELDS = {
    "region": "区域", "rank": "效力级别", "from": "生效日", "to": "失效日", "public": "公开属性", "generation": "批次",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What SQL says of the points of a document."""

    document: str
    published: bool
    generation: int
    payload: Mapping[str, object]


def wanted_points(connection: Connection) -> dict[str, Held]:
    """Every point that a published or a staged document holds; a published one goes first."""
    c = documents.c
    rows = connection.execute(
        select(chunks.c.point, c.id, c.state, c.generation, c.region, c.rank, c.in_force_from, c.in_force_to, c.public)
        .join(documents, c.id == chunks.c.document_id).where(c.state.in_(_SEEN))
    )
    found: dict[str, Held] = {}
    holders: dict[str, Held] = {}
    for point, name, state, generation, region, rank, start, end, public in rows:
        holder = holders.get(name)
        if holder is None:
            holder = holders[name] = Held(name, state == State.PUBLISHED, generation or 0, {
                "region": region or "", "rank": rank, "from": number(start, 0), "to": number(end, OPEN_END),
                "public": int(public),
            })
        if holder.published or point not in found:
            found[point] = holder
    return found


def open_recorded(engine: Engine, settings: IndexSettings) -> Index | Finding:
    """The index that SQL says answers, without changing anything; what is wrong with it where it cannot be opened."""
    with engine.connect() as connection:
        facts = catalogue.read_index_facts(connection)
        there = lookup.published_chunks(connection)
    place = facts.get(PLACE, "")
    if not facts.keys() >= settings.made_with.keys():
        return Finding("index_facts", "index_facts", "没有记录索引是用什么建立的", "按现在的配置重建索引")
    if (difference := settings.difference(facts)) is not None:
        key, made, now = difference
        problem = f"索引是用 {key} = {made} 建立的，现在的配置是 {now}"
        return Finding("index_mismatch", place, problem, "按现在的配置重建索引")
    folder = store_folder(settings.home, place)
    if settings.kind == "edge" and not any(folder.glob("*")) and (there or folder.exists()):
        return Finding("index_missing", folder.name, f"索引不在，应有 {there} 个条目", "由数据库重建")
    try:
        return settings.open(place)
    except BackendUnavailable as error:
        repair = "删除并由数据库重建" if settings.kind == "edge" else ""
        return Finding("index_broken", place, f"索引打不开：{error}", repair)


def point_findings(index: Index, wanted: Mapping[str, Held], staged: Sequence[int]) -> Iterator[Finding]:
    """Of every point: is it there, is it anybody's, does it say what SQL says."""
    missing = {point for point, held in wanted.items() if held.published}
    foreign: list[str] = []
    wrong: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for stored in index.store.read():
        held = wanted.get(stored.id)
        missing.discard(stored.id)
        if held is None:
            foreign.append(stored.id)
        elif fields := _wrong_fields(stored, held, staged):
            wrong[held.document, "、".join(fields)].append(stored.id)
    if foreign:
        problem = f"索引中有 {len(foreign)} 个条目不属于任何已发布的文件"
        yield Finding("point_foreign", "index", problem, "删除", tuple(sorted(foreign)))
    for (name, said), points in sorted(wrong.items()):
        problem = f"文件 {name} 有 {len(points)} 个索引条目的{said}与数据库不符"
        yield Finding("point_payload", name, problem, "重新写入", tuple(points))
    lost: defaultdict[str, list[str]] = defaultdict(list)
    for point in sorted(missing):
        lost[wanted[point].document].append(point)
    for name, points in lost.items():
        problem = f"文件 {name} 有 {len(points)} 个条目不在索引中，检索不到"
        yield Finding("point_missing", name, problem, "重新写入", tuple(points))


def _wrong_fields(stored: StoredPoint, held: Held, staged: Sequence[int]) -> list[str]:
    """A point may have been written for an earlier revision, but by no step that is still to come or unfinished."""
    wrong = [_FIELDS[key] for key, value in held.payload.items() if stored.payload.get(key) != value]
    generation = stored.payload.get("generation")
    if not isinstance(generation, int) or not 0 <= generation <= held.generation:
        wrong.append(_FIELDS["generation"])
    elif held.published and generation in staged:
        wrong.append(_FIELDS["generation"])
    return wrong


def vector_findings(
    connection: Connection, index: Index, ids: Sequence[str], *, look: Callable[[int], None]
) -> Iterator[Finding]:
    """Of published documents: are the vectors what is made of their words now. Points that are missing are not told."""
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        made = {point.id: point for point in _made(connection, index, some, None)}
        owners = _owners(connection, some)
        wrong: defaultdict[str, list[str]] = defaultdict(list)
        for stored in index.store.read(list(made), vectors=True):
            if not _alike(stored, made[stored.id]):
                wrong[owners[stored.id]].append(stored.id)
        for name, points in sorted(wrong.items()):
            problem = f"文件 {name} 有 {len(points)} 个索引条目的向量不是由它的文字得来的"
            yield Finding("point_vector", name, problem, "重新写入", tuple(points))
        look(len(some))


def _owners(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(select(chunks.c.point, chunks.c.document_id).where(chunks.c.document_id.in_(ids)))
    return {row.point: row.document_id for row in rows}


def _made(connection: Connection, index: Index, ids: Sequence[str], only: frozenset[str] | None) -> list[Point]:
    """Points of documents, made anew as a publication makes them; all, or those of ``only``."""
    batch = [document for name in ids if (document := lookup.load(connection, name)) is not None]
    points = catalogue.points_of(connection, [document.id for document in batch])
    spans = catalogue.spans_of(connection, [document.id for document in batch])
    if only is not None:
        points = {chunk: point for chunk, point in points.items() if point in only}
    entries = list(index_entries(batch, points, spans))
    return make_points(entries, encode(index, entries), 0)


def _alike(stored: StoredPoint, made: Point) -> bool:
    if (made.dense is None) != (stored.dense is None):
        return False
    if made.dense is not None and stored.dense is not None:
        one, other = np.array(made.dense), np.array(stored.dense)
        if one.shape != other.shape or float(np.linalg.norm(one - other)) > _FAR:
            return False
    mine, theirs = _weights(made.sparse), _weights(stored.sparse)
    return mine.keys() == theirs.keys() and all(
        abs(theirs[term] - weight) <= _WEIGHT * max(1.0, abs(weight)) for term, weight in mine.items()
    )


def _weights(sparse: Sparse | None) -> dict[int, float]:
    return dict(zip(sparse.indices, sparse.values, strict=True)) if sparse is not None else {}


def folder_findings(engine: Engine, settings: IndexSettings) -> Iterator[Finding]:
    """What lies beside the index and belongs to nothing."""
    with engine.connect() as connection:
        facts = catalogue.read_index_facts(connection)
    if NEXT in facts:
        problem = f"重建索引被中断，留有未完成的 {facts[NEXT]}"
        yield Finding("reindex_unfinished", facts[NEXT], problem, "接着做完，或在配置没有变化时清除")
    for folder in left_over(settings, facts):
        yield Finding("folder_left", folder.name, f"{folder.name} 不属于现在的索引", "删除")


def left_over(settings: IndexSettings, facts: Mapping[str, str]) -> list[Path]:
    """Folders of indexes that nothing names, and what making one left behind."""
    used = {store_folder(settings.home, facts.get(PLACE, "")).name}
    if NEXT in facts:
        name = store_folder(settings.home, facts[NEXT]).name
        used |= {name, f"{name}.new"}        # the second while it was being made
    if settings.kind != "edge":
        used = set()
    found = [path for path in settings.home.glob("vectors*") if path.is_dir() and path.name not in used]
    return sorted(found)


# repairs


def rewrite(
    engine: Engine, index: Index, wrong: Mapping[str, frozenset[str]], *, home: Path, min_free_mb: int
) -> None:
    """Write points again; ``wrong`` holds them by document."""
    ids = sorted(wrong)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        check_free_space(home, min_free_mb)
        with engine.connect() as connection:
            owners, generations = _owners(connection, some), _generations(connection, some)
            only = frozenset(point for name in some for point in wrong[name])
            points = _made(connection, index, some, only)
        index.store.upsert([replace(p, generation=generations[owners[p.id]]) for p in points])
        index.store.flush()


def _generations(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    query = select(documents.c.id, documents.c.generation).where(documents.c.id.in_(ids))
    return {row.id: row.generation or 0 for row in connection.execute(query)}


