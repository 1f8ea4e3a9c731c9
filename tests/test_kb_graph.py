"""References in SQL: written with the document, gone with it, and followed from what a search found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, delete, func, select

from core.config import Config
from core.numerals import chinese_number
from core.records import Document, Facts, Rank
from ingest.document import make_document
from kb.base import KnowledgeBase
from kb.database import open_database
from kb.graph.links import Link, Neighbour, neighbours
from kb.schema import documents, edges, names
from policydesk.app import Desk, open_desk

LAW = Facts("中华人民共和国动物防疫法", rank=Rank.LAW, dated=date(2021, 1, 1), effective_from=date(2021, 5, 1))
CITY = Facts("临江市养犬管理条例", rank=Rank.LOCAL_REGULATION, region="330100", effective_from=date(2022, 1, 1))
DUTY = "饲养动物的单位和个人应当履行动物疫病强制免疫义务，按照兽医主管部门的要求做好强制免疫工作"


class Home(NamedTuple):
    """A knowledge base, and the way past it to its tables."""

    desk: Desk
    folder: Path

    @property
    def base(self) -> KnowledgeBase:
        return self.desk.base

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        engine = open_database(self.desk.config.storage.database or f"sqlite:///{self.folder / 'policydesk.db'}")
        with engine.begin() as connection:
            yield connection
        engine.dispose()


@pytest.fixture
def light(each_database: Config) -> Config:
    storage = each_database.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    return each_database.model_copy(update={"storage": storage})


@pytest.fixture
def home(light: Config, tmp_path: Path) -> Iterator[Home]:
    with open_desk(light, tmp_path / "home") as desk:
        yield Home(desk, tmp_path / "home")


def make(facts: Facts, *articles: str, source: str = "") -> Document:
    lines = [f"第{chinese_number(n)}条　{text}" for n, text in enumerate(articles, start=1)]
    text = "\n".join([facts.title, *lines])
    return make_document(facts, text, source or f"{facts.title}.md", name=None, chunk_chars=1200)


def law(facts: Facts = LAW, source: str = "") -> Document:
    return make(facts, f"{DUTY}。", "甲。", "不履行本法第一条义务，拒不改正的，由兽医主管部门代为免疫。", source=source)


def city() -> Document:
    return make(
        CITY,
        "为了加强养犬管理，根据《中华人民共和国动物防疫法》，制定本条例。",
        "本条例所称犬只，是指家养的犬。",
        f"{DUTY}，为犬只免疫。",
        "违反本条例第三条的，依照动物防疫法第三条处罚。",
    )


def follow(
    home: Home, *hits: tuple[Document, int], question: str = "", as_of: date | None = None
) -> list[tuple[str, int, Link, int]]:
    """(title, number of the article, link, hit)."""
    with home.connection() as connection:
        found = neighbours(connection, [(d.id, n - 1) for d, n in hits], question, as_of=as_of)
        return [(title(connection, one), one.article + 1, one.link, one.hit) for one in found]


def title(connection: Connection, neighbour: Neighbour) -> str:
    return str(connection.scalar(select(documents.c.title).where(documents.c.id == neighbour.document_id)))


def count(home: Home) -> tuple[int, int]:
    """Edges and names."""
    with home.connection() as connection:
        one, other = (connection.scalar(select(func.count()).select_from(table)) for table in (edges, names))
    return one or 0, other or 0


# following


def test_a_citation_leads_both_ways_within_a_document_and_across(home: Home) -> None:
    home.base.add([law(), city()], publish=True)
    assert sorted(follow(home, (city(), 4))) == [(LAW.title, 3, Link.CITED, 0), (CITY.title, 3, Link.CITED, 0)]
    assert sorted(follow(home, (law(), 3))) == [(LAW.title, 1, Link.CITED, 0), (CITY.title, 4, Link.CITING, 0)]


def test_it_does_not_matter_which_document_came_first(home: Home) -> None:
    home.base.add([city()], publish=True)
    assert (LAW.title, 3, Link.CITED, 0) not in follow(home, (city(), 4))
    home.base.add([law()], publish=True)
    assert (LAW.title, 3, Link.CITED, 0) in follow(home, (city(), 4))


def test_a_word_of_the_question_is_defined_in_the_document_of_a_hit(home: Home) -> None:
    home.base.add([city()], publish=True)
    assert (CITY.title, 2, Link.DEFINES, 0) in follow(home, (city(), 3), question="犬只不打疫苗罚多少")
    assert (CITY.title, 2, Link.DEFINES, 0) not in follow(home, (city(), 3), question="猫不打疫苗罚多少")


def test_behind_a_local_article_stands_the_one_of_the_national_law(home: Home) -> None:
    home.base.add([law(), city()], publish=True)
    assert (LAW.title, 1, Link.BEHIND, 0) in follow(home, (city(), 3))
    assert not [row for row in follow(home, (city(), 2)) if row[2] is Link.BEHIND]


def test_neighbours_say_of_which_hit_they_are(home: Home) -> None:
    home.base.add([law(), city()], publish=True)
    found = follow(home, (law(), 2), (city(), 4))
    assert {(row[0], row[1], row[3]) for row in found} == {(CITY.title, 3, 1), (LAW.title, 3, 1)}


def test_no_hits_have_no_neighbours(home: Home) -> None:
    assert follow(home) == []


def test_a_hit_that_is_gone_has_no_neighbours(home: Home) -> None:
    assert follow(home, (city(), 1)) == []


# which document is meant


def test_the_version_in_force_is_meant(home: Home) -> None:
    old = law(replace(LAW, dated=date(2015, 1, 1), effective_from=date(2015, 5, 1)), source="old.md")
    home.base.add([old, law(), city()], publish=True)
    with home.connection() as connection:
        hits = [(city().id, 3)]
        now = {n.document_id for n in neighbours(connection, hits, as_of=date(2024, 1, 1))}
        newest = {n.document_id for n in neighbours(connection, hits)}
        before = {n.document_id for n in neighbours(connection, hits, as_of=date(2016, 1, 1))}
    assert law().id in now & newest
    assert old.id not in now | newest
    assert old.id in before


def test_what_is_not_published_is_nobodys_neighbour(home: Home) -> None:
    home.base.add([city()], publish=True)
    home.base.add([law()], publish=False)
    assert [row[0] for row in follow(home, (city(), 4))] == [CITY.title]
    home.base.publish([law().id])
    home.base.withdraw(city().id)
    assert [row for row in follow(home, (law(), 3)) if row[2] is Link.CITING] == []


def test_a_name_that_two_rules_share_means_neither(home: Home) -> None:
    one = make(Facts("甲市人民政府关于养犬的规定", region="330100"), "甲。", "乙。")
    other = make(Facts("乙市人民政府关于养犬的规定", region="330200"), "甲。", "乙。")
    citing = make(CITY, "依照《关于养犬的规定》第二条执行。", "丙。")
    home.base.add([one, citing], publish=True)
    assert [row[:2] for row in follow(home, (citing, 1))] == [(one.facts.title, 2)]
    home.base.add([other], publish=True)
    assert follow(home, (citing, 1)) == []


def test_an_article_with_many_that_cite_it_gives_some_of_the_highest_rank(home: Home) -> None:
    rules = [
        make(replace(CITY, title=f"第{chinese_number(n)}市养犬条例", rank=Rank.LAW if n == 20 else Rank.LOCAL_RULE),
             "依照动物防疫法第二条。", "丁。")
        for n in range(1, 21)
    ]
    home.base.add([law(), *rules], publish=True)
    found = follow(home, (law(), 2))
    assert len(found) == 8
    assert rules[-1].facts.title in {row[0] for row in found}


# kept with the document


def test_references_go_with_their_document(home: Home) -> None:
    home.base.add([city()], publish=True)
    assert count(home) == (4, 1)      # ground, definition, one article of its own, one of the law
    with home.connection() as connection:
        connection.execute(delete(documents))
    assert count(home) == (0, 0)


def test_documents_of_an_older_program_get_theirs_when_the_home_is_opened(light: Config, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    with open_desk(light, folder) as desk:
        home = Home(desk, folder)
        home.base.add([city()], publish=True)
        before = count(home)
        with home.connection() as connection:
            connection.execute(delete(edges))
            connection.execute(delete(names))
    with open_desk(light, folder) as desk:
        assert count(Home(desk, folder)) == before
