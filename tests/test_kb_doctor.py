"""A doctor finds whatever does not fit, and repairs it without losing anything that SQL holds."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from core.config import Config
from core.errors import PolicyDeskError, StorageFull
from core.records import Question, State
from kb.conflicts.clause_rows import complete_clauses
from kb.upkeep.doctor import Case, examine, repair
from policydesk.app import open_desk
from policydesk.cli import app
from policydesk.ops import open_case
from tests.conftest import needs_postgres
from tests.doctor_faults import COMMON, LOCAL, WHOLE, Expected, Fault, World, documents
from tests.postgres import Server

QUESTIONS = ("养犬要登记吗", "水价由谁制定", "室温不低于多少度", "第3号公园几点关闭", "动物防疫强制免疫")
# What a repair may change: when a document became known, and the number of the step that published it.
MOVING = ("known_from", "known_to", "generation", "index_stale")


def found_now(config: Config, home: Path) -> list[list[tuple[str, float]]]:
    with open_desk(config, home) as desk:
        return [
            [(hit.ref, round(hit.score, 4)) for hit in desk.search(Question(text, region="900102"), 8)]
            for text in QUESTIONS
        ]


def held(world: World) -> dict[str, Any]:
    """Everything that SQL and the index hold, but for what a repair may change."""
    tables = {}
    for table in ("documents", "articles", "chunks", "names", "edges", "sketches", "bands", "cards", "clauses"):
        with world.sql() as connection:
            rows = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            kept = [n for n, name in enumerate(names) if name not in MOVING]
            tables[table] = sorted(repr([row[n] for n in kept]) for row in rows)
    with world.store() as store:
        points = {
            point.id: ({**point.payload, "generation": 0}, point.dense and [round(x, 4) for x in point.dense],
                       point.sparse and sorted(zip(point.sparse.indices, point.sparse.values, strict=True)))
            for point in store.read(vectors=True)
        }
    return {"tables": tables, "points": points}


@pytest.fixture(scope="module")
def light(config: Config) -> Config:
    return config.model_copy(update={"storage": config.storage.model_copy(update={"min_free_mb": 0})})


@pytest.fixture(scope="module")
def home(light: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor") / "home"
    with open_desk(light, folder) as desk:
        for batch in documents():
            desk.base.add(batch, publish=True)
        with desk.base.writing() as connection:
            complete_clauses(connection)
    return folder


@pytest.fixture(scope="module")
def case(light: Config, home: Path) -> Iterator[Case]:
    with open_case(light, home, lambda _done, _total: None) as opened:
        yield opened


@pytest.fixture
def world(case: Case) -> World:
    return World(case, random.Random(5))


def published(world: World) -> list[str]:
    """Those that a fault of any kind changes: each has edges, names, a sketch and points."""
    rows = world.rows("SELECT id FROM documents WHERE state = 'published' AND id IN (SELECT document_id FROM edges)")
    return sorted(str(name) for (name,) in rows)


def seed(world: World, faults: list[tuple[str, Fault]]) -> list[Expected]:
    """Each fault hits another document; few have edges, so their faults come first."""
    everybody = sorted(str(name) for (name,) in world.rows("SELECT id FROM documents WHERE state = 'published'"))
    world.random.shuffle(everybody)
    with_edges = [name for name in everybody if name in published(world)]
    expected = []
    for name, fault in sorted(faults, key=lambda item: "edge" not in item[0]):
        whom = ""
        if name in LOCAL:
            whom = next(iter(with_edges if "edge" in name else everybody))
            everybody.remove(whom)
            with_edges = [one for one in with_edges if one != whom]
        expected.append(fault(world, whom))
    return expected


def check(world: World, before: dict[str, Any], faults: list[tuple[str, Fault]]) -> int:
    """All of them are found, all are repaired, nothing else has changed; how many there were."""
    expected = seed(world, faults)
    found = examine(world.case, deep=True)
    assert set(expected) <= {(one.code, one.place) for one in found}, [name for name, _ in faults]
    left = repair(world.case, found, "测试")
    assert left == [], [name for name, _ in faults]
    assert held(world) == before, [name for name, _ in faults]
    return len(expected)


def mixtures(parts: int) -> list[list[tuple[str, Fault]]]:
    """Every kind once."""
    dealt = sorted({**LOCAL, **COMMON}.items(), key=lambda item: ("edge" not in item[0], item[0]))
    return [dealt[n::parts] for n in range(parts)]


def test_a_home_in_order_has_no_findings(world: World) -> None:
    assert examine(world.case, deep=True) == []


@pytest.mark.parametrize("part", range(4))
def test_faults_of_every_kind_are_found_and_repaired_together(world: World, part: int) -> None:
    faults = mixtures(4)[part]
    assert check(world, held(world), faults) == len(faults) > 10


@pytest.mark.parametrize("name", ["folder lost", "other facts"])
def test_an_index_that_is_lost_or_of_other_settings_is_made_again(world: World, name: str) -> None:
    check(world, held(world), [(name, WHOLE[name])])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hundreds_of_faults_alone_and_in_chance_mixtures_are_all_found_and_all_repaired(
    request: pytest.FixtureRequest, case: Case
) -> None:
    if "slow" not in str(request.config.getoption("-m")):
        pytest.skip("takes two minutes; run with -m slow")
    world = World(case, random.Random(20261125))
    before = held(world)
    count = sum(check(world, before, [item]) for item in {**LOCAL, **COMMON, **WHOLE}.items())
    while count < 400:
        some = {**LOCAL, **COMMON}
        names = world.random.sample(sorted(some), world.random.randint(2, 12))
        if "reindex cut short" in names:     # whose rows such a row may be
            names = [name for name in names if name != "row of a reindex"]
        if sum("edge" in name for name in names) < 3:
            count += check(world, before, [(name, some[name]) for name in names])
    assert count >= 400


def test_searches_find_after_a_repair_what_they_found_before(light: Config, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    with open_desk(light, folder) as desk:
        for batch in documents():
            desk.base.add(batch, publish=True)
    before = found_now(light, folder)
    assert all(before)
    with open_case(light, folder, lambda _done, _total: None) as case:
        world = World(case, random.Random(3))
        names = ("a point lost", "a chunk deleted", "meaning of a point", "last day changed", "names deleted")
        seed(world, [*((name, LOCAL[name]) for name in names), ("foreign point", COMMON["foreign point"])])
        assert repair(case, examine(case, deep=True), "测试") == []
    assert found_now(light, folder) == before


ON_A_SERVER = {              # the server itself lets no row be without its document
    "names_wrong": "DELETE FROM names WHERE document_id = :id",
    "edges_wrong": "UPDATE edges SET name = '别的办法' WHERE document_id = :id AND number = 0",
    "sketches_wrong": "UPDATE sketches SET title_key = 'x' WHERE document_id = :id",
    "bands_wrong": "DELETE FROM bands WHERE document_id = :id",
    "chunks_wrong": "UPDATE chunks SET plain = '别的字' WHERE document_id = :id",
    "version_key": "UPDATE documents SET version_key = 'x' WHERE id = :id",
    "staged_left": "UPDATE documents SET state = 'staged' WHERE id = :id",
}


@needs_postgres
def test_a_home_whose_tables_lie_on_a_server_is_examined_and_repaired(
    light: Config, postgres_server: Server, tmp_path: Path
) -> None:
    server = light.model_copy(update={
        "index": light.index.model_copy(update={"embedder": "none"}),
        "storage": light.storage.model_copy(update={"database": postgres_server.new_database()}),
    })
    with open_desk(server, tmp_path) as desk:
        for batch in documents():
            desk.base.add(batch, publish=True)
        (dogs,) = (row.id for row in desk.base.documents([State.PUBLISHED]) if row.source == "dogs.md")
    with open_case(server, tmp_path, lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []
        for code, statement in ON_A_SERVER.items():
            with case.engine.begin() as connection:
                connection.execute(text(statement), {"id": dogs})
            found = examine(case, deep=True)
            assert (code, dogs) in {(one.code, one.place) for one in found}
            assert repair(case, found, "测试") == [], code


# what cannot be repaired here


def test_a_changed_text_is_told_and_left_alone(world: World) -> None:
    name = str(world.rows("SELECT id FROM documents WHERE source = 'inner.md'")[0][0])
    world.run("UPDATE documents SET text = replace(text, '在岗', '离岗') WHERE id = ?", name)
    found = examine(world.case, deep=True)
    assert [(one.code, one.place, one.repair) for one in found] == [("content_changed", name, "")]
    assert [one.code for one in repair(world.case, found, "测试")] == ["content_changed"]
    world.run("UPDATE documents SET text = replace(text, '离岗', '在岗') WHERE id = ?", name)


def test_a_forged_log_is_told_and_left_alone(world: World) -> None:
    world.run("UPDATE audit SET who = '别人' WHERE seq = 2")
    (found,) = examine(world.case, deep=False)
    assert (found.code, found.repair) == ("audit_broken", "")
    world.run("UPDATE audit SET who = '系统' WHERE seq = 2")


def test_a_repair_is_told_to_the_log_with_who_made_it(world: World) -> None:
    (expected,) = seed(world, [("names deleted", LOCAL["names deleted"])])
    repair(world.case, examine(world.case, deep=True), "王五")
    rows = world.rows("SELECT who, action, subject, detail FROM audit ORDER BY seq DESC LIMIT 1")
    assert rows[0][:3] == ("王五", "repair", "names_wrong")
    assert expected[1] in str(rows[0][3])


def test_rows_of_nobody_that_no_document_gives_back_stand_in_the_log(world: World) -> None:
    (expected,) = seed(world, [("orphan article", COMMON["orphan article"])])
    repair(world.case, examine(world.case, deep=True), "测试")
    details = [str(row[0]) for row in world.rows("SELECT detail FROM audit WHERE subject = 'articles'")]
    assert any(expected[1].removeprefix("articles:") in detail for detail in details)


def test_without_free_space_nothing_is_repaired(light: Config, world: World) -> None:
    full = light.model_copy(update={"storage": light.storage.model_copy(update={"min_free_mb": 10**9})})
    case = replace(world.case, settings=replace(world.case.settings, config=full))
    seed(world, [("names deleted", LOCAL["names deleted"])])
    found = examine(case, deep=True)
    assert {one.code for one in found} == {"disk_full", "names_wrong"}
    with pytest.raises(StorageFull, match="min_free_mb"):
        repair(case, found, "测试")
    assert {one.code for one in examine(case, deep=True)} == {"disk_full", "names_wrong"}
    assert repair(world.case, found, "测试") == []


# the verb


def test_the_verb_ends_with_one_until_the_home_is_repaired(light: Config, tmp_path: Path) -> None:
    folder, overlay = tmp_path / "home", tmp_path / "desk.yaml"
    overlay.write_text("storage: {min_free_mb: 0}\n", encoding="utf-8")
    with open_desk(light, folder) as desk:
        desk.base.add(documents()[0], publish=True)
    with closing(sqlite3.connect(folder / "policydesk.db")) as connection, connection:
        connection.execute("DELETE FROM names")
    verb = ["doctor", "--home", str(folder), "--config", str(overlay)]
    told = CliRunner().invoke(app, [*verb, "--json"])
    assert told.exit_code == 1
    assert {json.loads(line)["code"] for line in told.stdout.splitlines()} == {"names_wrong"}
    repaired = CliRunner().invoke(app, [*verb, "--repair", "--by", "王五"])
    assert (repaired.exit_code, "已修复 14 处" in repaired.stderr) == (0, True)
    again = CliRunner().invoke(app, [*verb, "--deep"])
    assert (again.exit_code, again.stdout) == (0, "")
    assert "没有发现问题" in again.stderr


def test_tables_without_their_revision_are_told_and_repaired(light: Config, tmp_path: Path) -> None:
    with open_desk(light, tmp_path) as desk:
        desk.base.add(documents()[1], publish=True)
    with closing(sqlite3.connect(tmp_path / "policydesk.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    opening = partial(open_case, light, tmp_path, lambda _done, _total: None)
    with pytest.raises(PolicyDeskError, match="doctor --repair"), opening():
        pass
    with opening(repair=True) as case:
        assert examine(case, deep=True) == []
