"""Rows as the first release of the schema held them, and what is left of them in any later one."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    select,
)

_OLD = MetaData()
_DOCUMENTS = Table(
    "documents", _OLD,
    Column("id", String(16), primary_key=True), Column("source", Text), Column("state", String(16)),
    Column("generation", Integer), Column("version_key", Text), Column("in_force_from", Date),
    Column("in_force_to", Date), Column("superseded_by", String(16)), Column("index_stale", Boolean),
    Column("known_from", DateTime), Column("known_to", DateTime), Column("title", Text), Column("doc_no", Text),
    Column("issuer", Text), Column("kind", Text), Column("rank", Integer), Column("region", String(6)),
    Column("dated", Date), Column("published_on", Date), Column("effective_from", Date), Column("effective_to", Date),
    Column("validity", Text), Column("replaces", Text), Column("replaced_by", Text), Column("public", Boolean),
    Column("phone", Text), Column("url", Text), Column("text", Text),
)
_ARTICLES = Table(
    "articles", _OLD,
    Column("document_id", String(16), primary_key=True), Column("position", Integer, primary_key=True),
    Column("ref", Text), Column("address", Text), Column("heading", Text), Column("start", Integer),
    Column("end", Integer),
)
_CHUNKS = Table(
    "chunks", _OLD,
    Column("id", String(16), primary_key=True), Column("document_id", String(16)), Column("article", Integer),
    Column("start", Integer), Column("end", Integer),
)
_FILES = Table(
    "files", _OLD, Column("source", Text, primary_key=True), Column("sha256", String(64)), Column("settings", Text)
)
_INDEX_FACTS = Table("index_facts", _OLD, Column("key", String(32), primary_key=True), Column("value", Text))

DOCUMENTS = 40           # of two versions each, so that half of them are superseded


def fill(engine: Engine) -> None:
    """Put rows into a database of revision 0001."""
    documents, articles, chunks = [], [], []
    for n in range(DOCUMENTS):
        title, old = f"养犬管理办法{n // 2}", n % 2 == 0
        text = f"{title}\n第一条 犬只登记之{n}。\n第二条 依照《{title}》第一条办理，𠮷% 与 :号。"
        name = f"{n:016x}"
        began = date(2018 if old else 2022, 1, 1)
        documents.append({
            "id": name, "source": f"{n}.md", "state": "draft" if n == 39 else "published", "generation": n // 7 + 1,
            "version_key": f"//{title}", "in_force_from": began, "in_force_to": date(2022, 1, 1) if old else None,
            "superseded_by": f"{n + 1:016x}" if old else None, "index_stale": False,
            "known_from": datetime(2024, 1, 1, 8, n, 1, 500), "known_to": None, "title": title,
            "doc_no": f"临政发〔2022〕{n}号", "rank": 55, "region": "330100" if n % 3 else None, "dated": began,
            "effective_from": began, "public": n % 5 > 0, "text": text,
        })
        first, second = text.index("犬只登记"), text.index("依照")
        for position, (start, end) in enumerate(((first, second - 5), (second, len(text)))):
            address = f"第{'一二'[position]}条"
            articles.append({
                "document_id": name, "position": position, "ref": f"{title}@{began}#{address}#{n}", "address": address,
                "heading": "第一章 总则\n第一节", "start": start, "end": end,
            })
            chunks.append({
                "id": f"{16 * n + position + 4096:016x}", "document_id": name, "article": position, "start": start,
                "end": end,
            })
    with engine.begin() as connection:
        connection.execute(_DOCUMENTS.insert(), documents)
        connection.execute(_ARTICLES.insert(), articles)
        connection.execute(_CHUNKS.insert(), chunks)
        connection.execute(_FILES.insert(), [{"source": "0.md", "sha256": "0" * 64, "settings": "publish 1200"}])
        connection.execute(_INDEX_FACTS.insert(), [{"key": "terms", "value": "of then"}])


def hashes(connection: Connection) -> dict[str, str]:
    """Of each table's rows, in the columns that it had at first."""
    found = {}
    for table in _OLD.sorted_tables:
        rows = sorted(repr(tuple(row)) for row in connection.execute(select(table)))
        found[table.name] = f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"
    return found
