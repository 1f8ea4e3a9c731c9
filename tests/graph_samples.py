"""A small world for tests of the graph: a law, what carries it out, a city's rule, and a notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from core.config import Config
from core.numerals import chinese_number
from core.records import Document, Facts, Rank
from ingest.document import make_document
from kb.base import KnowledgeBase
from policydesk.app import open_desk


def light(config: Config) -> Config:
    return config.model_copy(
        update={"storage": config.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})}
    )


@contextmanager
def opened(config: Config, folder: Path, *documents: Document) -> Iterator[KnowledgeBase]:
    """A knowledge base in which ``documents`` are published."""
    with open_desk(light(config), folder) as desk:
        desk.base.add(documents, publish=True)
        yield desk.base


def make(facts: Facts, *articles: str, source: str = "") -> Document:
    lines = [f"第{chinese_number(n)}条　{text}" for n, text in enumerate(articles, start=1)]
    text = "\n".join([facts.title, *lines])
    return make_document(facts, text, source or f"{facts.title}.md", name=None, chunk_chars=1200)


LAW = make(
    Facts("中华人民共和国动物防疫法", rank=Rank.LAW, dated=date(2021, 1, 22), effective_from=date(2021, 5, 1)),
    "饲养动物的单位和个人应当履行强制免疫义务。",
    "本法所称动物，是指家畜家禽和人工饲养的其他动物。",
    "不履行本法第一条义务的，责令改正。",
)
RULES = make(
    Facts("动物防疫法实施细则", rank=Rank.ADMINISTRATIVE_REGULATION, dated=date(2022, 1, 1)),
    "根据《中华人民共和国动物防疫法》，制定本细则。",
    "免疫按照《中华人民共和国动物防疫法》第一条进行。",
)
CITY = make(
    Facts("临江市养犬管理条例", rank=Rank.LOCAL_REGULATION, region="330100", effective_from=date(2023, 1, 1),
          phone="0571-81234567"),
    "根据《中华人民共和国动物防疫法》，制定本条例。",
    "本条例所称犬只，是指家养的犬。",
    "犬只免疫依照《动物防疫法实施细则》第二条办理。",
    "养犬登记依照《犬只登记办法》第五条办理。",
)
NOTICE = make(
    Facts("临江市公安局关于做好犬只登记工作的通知", region="330100", doc_no="临公发〔2024〕3号"),
    "登记依照《犬只登记办法》和《临江市养犬管理条例》第四条办理。",
    "各分局应当公布登记地点。",
)
REGISTER = make(
    Facts("犬只登记办法", rank=Rank.DEPARTMENT_RULE, dated=date(2020, 1, 1)),
    "甲。", "乙。", "丙。", "丁。", "登记自受理之日起五日内办结。",
)
ALONE = make(Facts("临江市公园管理规定", region="330100"), "公园免费开放。")
WORLD = (LAW, RULES, CITY, NOTICE, ALONE)
