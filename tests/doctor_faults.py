"""Ways in which a home can stop fitting together: each does one thing to it, and says what a doctor has to tell."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from core.numerals import chinese_number
from core.ports import Point, Sparse, Store
from core.records import Document, Facts, Rank
from ingest.document import make_document
from kb.upkeep.doctor import Case

Expected = tuple[str, str]       # code, place
NOWHERE = "ffffffffffffffff"


def make(facts: Facts, *articles: str, source: str) -> Document:
    lines = [f"第{chinese_number(n)}条　{text}" for n, text in enumerate(articles, start=1)]
    return make_document(facts, "\n".join([facts.title, *lines]), source, name=None, chunk_chars=1200)


def documents() -> list[list[Document]]:
    """Batches: the second one replaces a revision of the first."""
    law = Facts("中华人民共和国动物防疫法", rank=Rank.LAW, effective_from=date(2021, 5, 1))
    city = Facts("临江市养犬管理条例", rank=Rank.LOCAL_REGULATION, region="900100", effective_from=date(2022, 1, 1))
    water = Facts("临江市供水用水办法", rank=Rank.LOCAL_RULE, region="900100", effective_from=date(2010, 1, 1))
    newer = replace(water, effective_from=date(2024, 3, 1))
    inner = Facts("内部值班规定", rank=Rank.OTHER, region="900100", public=False, dated=date(2023, 2, 1))
    heat = Facts("临江市供热条例", rank=Rank.LOCAL_REGULATION, region="900100", effective_from=date(2020, 10, 1))
    duty = "饲养动物的单位和个人应当履行动物疫病强制免疫义务。"
    first = [
        make(law, duty, "不履行本法第一条义务的，由兽医主管部门代为免疫。", source="law.md"),
        make(city, "根据《中华人民共和国动物防疫法》，制定本条例。", "本条例所称犬只，是指家养的犬。",
             f"{duty}为犬只登记。", "违反本条例第三条的，处五百元罚款。", source="dogs.md"),
        make(water, "用水应当装表计量。", "水价由物价部门制定。", source="water-2010.md"),
        make(newer, "用水应当装智能水表计量。", "水价由市人民政府制定，听证后公布。", source="water-2024.md"),
        make(inner, "值班人员应当在岗。", "电话应当记录。", source="inner.md"),
        make(heat, "供热期自十一月八日起。", "室温不低于十八度。", source="heat.md"),
    ]
    parks = [
        make(Facts(f"关于第{n}号公园开放时间的通知", region="900100", dated=date(2022, n, 1)),
             f"第{n}号公园六时开放。", f"第{n}号公园二十二时关闭，节假日延长{n}小时。", source=f"park-{n}.md")
        for n in range(1, 9)
    ]
    return [[*first, *parks], [make(heat, "供热期自十一月一日起。", "室温不低于二十度。", source="heat.md")]]


@dataclass(frozen=True, slots=True)
class World:
    """A home whose lock the test holds, and whom each fault hits."""

    case: Case
    random: random.Random

    @property
    def home(self) -> Path:
        return self.case.home

    @contextmanager
    def sql(self) -> Iterator[sqlite3.Connection]:
        """Past everything that keeps rows together."""
        with closing(sqlite3.connect(self.home / "policydesk.db")) as connection, connection:
            yield connection

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self.sql() as connection:
            return connection.execute(query, values).fetchall()

    def run(self, statement: str, *values: object) -> None:
        with self.sql() as connection:
            done = connection.execute(statement, values)
            assert done.rowcount != 0, statement

    @property
    def place(self) -> str:
        rows = self.rows("SELECT value FROM index_facts WHERE key = 'place'")
        return str(rows[0][0]) if rows else ""

    @contextmanager
    def store(self) -> Iterator[Store]:
        with closing(self.case.settings.open(self.place).store) as store:
            yield store
            store.flush()

    def point(self, name: str) -> str:
        """One of a document."""
        found = self.rows("SELECT point FROM chunks WHERE document_id = ? ORDER BY point", name)
        return str(self.random.choice(found)[0])

    def rewrite(self, name: str, change: Callable[[Point], Point]) -> None:
        point = self.point(name)
        with self.store() as store:
            (one,) = store.read([point], vectors=True)
            assert one.sparse is not None
            number = {key: int(str(one.payload[key])) for key in ("generation", "rank", "from", "to", "public")}
            stored = Point(
                one.id, one.sparse, one.dense, number["generation"], str(one.payload["region"]), number["rank"],
                number["from"], number["to"], bool(number["public"]),
            )
            store.upsert([change(stored)])


Fault = Callable[[World, str], Expected]


def changed(statement: str, code: str) -> Fault:
    """A fault of the rows of one document; the code names it."""

    def fault(world: World, name: str) -> Expected:
        world.run(statement, name)
        return code, name

    return fault


def orphan(table: str, columns: str, values: Sequence[object]) -> Fault:
    def fault(world: World, name: str) -> Expected:
        owner = f"{world.random.getrandbits(64):016x}"
        marks = ", ".join("?" * (len(values) + 1))
        world.run(f"INSERT INTO {table} (document_id, {columns}) VALUES ({marks})", owner, *values)
        return "orphan", f"{table}:{owner}"

    return fault


def payload(**values: object) -> Fault:
    def fault(world: World, name: str) -> Expected:
        world.rewrite(name, lambda point: replace(point, **values))  # type: ignore[arg-type]
        return "point_payload", name

    return fault


def other_terms(world: World, name: str) -> Expected:
    world.rewrite(name, lambda point: replace(point, sparse=Sparse(point.sparse.indices[1:], point.sparse.values[1:])))
    return "point_vector", name


def other_meaning(world: World, name: str) -> Expected:
    def turn(point: Point) -> Point:
        assert point.dense is not None
        return replace(point, dense=[*point.dense[1:], point.dense[0]])

    world.rewrite(name, turn)
    return "point_vector", name


def lose_point(world: World, name: str) -> Expected:
    point = world.point(name)
    with world.store() as store:
        store.delete([point])
    return "point_missing", name


def foreign_point(world: World, name: str) -> Expected:
    with world.store() as store:
        new = f"{world.random.getrandbits(64):016x}"
        dim = world.case.settings.embedder.dim if world.case.settings.embedder else 0
        store.upsert([Point(new, Sparse([7], [1.0]), [1.0, *[0.0] * (dim - 1)], 1, "", 60, 0, 99991231, True)])
    return "point_foreign", "index"


def other_sketch(world: World, name: str) -> Expected:
    world.run("UPDATE sketches SET sentences = ? WHERE document_id = ?", b"\1\0\0\0", name)
    return "sketches_wrong", name


def twice(world: World, name: str) -> Expected:
    world.run("UPDATE documents SET state = 'published' WHERE state = 'removed' AND source = 'heat.md'")
    return "published_twice", "heat.md"


def no_counter(world: World, name: str) -> Expected:
    world.run("DELETE FROM counters WHERE key = 'commits'")
    return "counter_missing", "commits"


def next_point(world: World, name: str) -> Expected:
    world.run("INSERT INTO next_points (point, written) VALUES (?, 1)", f"{world.random.getrandbits(64):016x}")
    return "next_points_left", "next_points"


def unfinished(world: World, name: str) -> Expected:
    world.run("INSERT INTO index_facts (key, value) VALUES ('next', 'abcdef01')")
    return "reindex_unfinished", "abcdef01"


def no_facts(world: World, name: str) -> Expected:
    world.run("DELETE FROM index_facts")
    return "index_facts", "index_facts"


def other_facts(world: World, name: str) -> Expected:
    world.run("UPDATE index_facts SET value = 'none' WHERE key = 'embedder'")
    return "index_mismatch", world.place


def no_sql_index(world: World, name: str) -> Expected:
    world.run("DROP INDEX chunks_point")
    return "sql_index_missing", "chunks_point"


def no_folder(world: World, name: str) -> Expected:
    folder = next(world.home.glob("vectors*"))
    shutil.rmtree(folder)
    return "index_missing", folder.name


def broken_folder(world: World, name: str) -> Expected:
    (next(world.home.glob("vectors*")) / "edge_config.json").write_text("{", encoding="utf-8")
    return "index_broken", world.place


def stray_folder(world: World, name: str) -> Expected:
    folder = world.home / f"vectors-{world.random.getrandbits(32):08x}"
    (folder / "segments").mkdir(parents=True)
    return "folder_left", folder.name


def faq(world: World, name: str) -> Expected:
    new = f"{world.random.getrandbits(64):016x}"
    citations = json.dumps([{"source": "dogs.md", "address": "第三条", "quote": "没有这句话"}])
    columns = "id, kind, state, question, similar, negative, answer, citations, threshold, public, changed_at"
    values = "?, 'faq', 'published', '养犬要登记吗', '[]', '[]', '要', ?, 0.9, 1, '2026-01-01 00:00:00'"
    world.run(f"INSERT INTO faqs ({columns}) VALUES ({values})", new, citations)
    return "faq_citation", new


def lost_file(world: World, name: str) -> Expected:
    source = f"gone-{world.random.getrandbits(32):08x}.md"
    world.run("INSERT INTO files (source, sha256, settings) VALUES (?, ?, '')", source, "0" * 64)
    return "file_without_document", source


_ONE = "WHERE rowid = (SELECT min(rowid) FROM {0} WHERE document_id = ?)"
LOCAL: dict[str, Fault] = {      # of one document each: several may hit a home at once
    "edges deleted": changed("DELETE FROM edges WHERE document_id = ?", "edges_wrong"),
    "an edge renamed": changed(f"UPDATE edges SET name = '别的办法' {_ONE.format('edges')}", "edges_wrong"),
    "an edge moved": changed(f"UPDATE edges SET start = start + 1 {_ONE.format('edges')}", "edges_wrong"),
    "names deleted": changed("DELETE FROM names WHERE document_id = ?", "names_wrong"),
    "a name changed": changed(f"UPDATE names SET name = name || '（旧）' {_ONE.format('names')}", "names_wrong"),
    "sketch deleted": changed("DELETE FROM sketches WHERE document_id = ?", "sketches_wrong"),
    "sketch changed": other_sketch,
    "bands deleted": changed("DELETE FROM bands WHERE document_id = ?", "bands_wrong"),
    "a band changed": changed(f"UPDATE bands SET key = key + 1 {_ONE.format('bands')}", "bands_wrong"),
    "a card of no words": changed(
        "INSERT INTO cards (document_id, number, name, value, address, method)"
        " VALUES (?, 77, '期限', '十日', '', 'rule')",
        "cards_wrong",
    ),
    "clauses changed": changed("UPDATE clauses SET packed = x'' WHERE document_id = ?", "clauses_wrong"),
    "first day lost": changed("UPDATE documents SET in_force_from = NULL WHERE id = ?", "dates_wrong"),
    "last day changed": changed("UPDATE documents SET in_force_to = '2031-01-01' WHERE id = ?", "dates_wrong"),
    "successor changed": changed(f"UPDATE documents SET superseded_by = '{NOWHERE}' WHERE id = ?", "dates_wrong"),
    "version changed": changed("UPDATE documents SET version_key = 'x' WHERE id = ?", "version_key"),
    "a point renamed": changed(f"UPDATE chunks SET point = '00000000000000aa' {_ONE.format('chunks')}", "chunks_wrong"),
    "words changed": changed(f"UPDATE chunks SET plain = '别的字' {_ONE.format('chunks')}", "chunks_wrong"),
    "a chunk deleted": changed(f"DELETE FROM chunks {_ONE.format('chunks')}", "chunks_wrong"),
    "a chunk moved": changed(f"UPDATE chunks SET start = start + 1 {_ONE.format('chunks')}", "chunks_wrong"),
    "a chunk outside": changed(f"UPDATE chunks SET \"end\" = 99999 {_ONE.format('chunks')}", "chunk_outside"),
    "a chunk of no article": changed(f"UPDATE chunks SET article = 77 {_ONE.format('chunks')}", "chunks_wrong"),
    "state unknown": changed("UPDATE documents SET state = 'gone' WHERE id = ?", "state_unknown"),
    "publishing cut short": changed("UPDATE documents SET state = 'staged' WHERE id = ?", "staged_left"),
    "index not told": changed("UPDATE documents SET index_stale = 1 WHERE id = ?", "index_stale"),
    "a point lost": lose_point,
    "region of a point": payload(region="110000"),
    "rank of a point": payload(rank=10),
    "start of a point": payload(in_force_from=20300101),
    "end of a point": payload(in_force_to=20200101),
    "generation of a point": payload(generation=999_999),
    "terms of a point": other_terms,
    "meaning of a point": other_meaning,
}
COMMON: dict[str, Fault] = {     # of no document, several at once
    "foreign point": foreign_point,
    "orphan article": orphan("articles", 'position, ref, address, heading, start, "end"', [0, "r", "第一条", "", 0, 1]),
    "orphan name": orphan("names", "name", ["别的办法"]),
    "orphan band": orphan("bands", "key", [4]),
    "orphan edge": orphan("edges", 'number, start, "end", kind, name', [0, 0, 1, "cites", ""]),
    "orphan sketch": orphan("sketches", "sentences", [b""]),
    "published twice": twice,
    "counter lost": no_counter,
    "row of a reindex": next_point,
    "reindex cut short": unfinished,
    "SQL index lost": no_sql_index,
    "stray folder": stray_folder,
    "citation of a FAQ": faq,
    "file without document": lost_file,
}
WHOLE: dict[str, Fault] = {      # of the whole index, one at a time and without faults of points
    "folder lost": no_folder,
    "folder broken": broken_folder,
    "facts lost": no_facts,
    "other facts": other_facts,
}
