"""What the SQL tables say of themselves: rows without their document, states, dates, counters, citations of FAQs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, func, insert, inspect, select, update
from sqlalchemy import text as sql

from core.records import State
from kb import catalogue, validity
from kb.index import NEXT
from kb.log.audit import Entry, utc_now
from kb.schema import HEAD, answers, articles, chunks, counters, documents, faqs, files, metadata, next_points
from kb.upkeep.doctor_findings import Finding

VERSION = "alembic_version"
_KEPT = frozenset({"articles", "chunks", "cards", "feedback", "answer_sources", "gap_questions"})
_LAST_WORDS = "自动检查：引用的条文不在已发布的文件中"


def table_findings(connection: Connection) -> Iterator[Finding]:
    """Everything that queries over whole tables can tell; a few seconds for 148,864 articles."""
    yield from _file_of_database(connection)
    yield from _schema(connection)
    yield from _orphans(connection)
    yield from _states(connection)
    yield from _spans(connection)
    yield from _dates(connection)
    yield from _counters(connection)
    yield from _faqs(connection)
    yield from _lost_sources(connection)


def lost_version(connection: Connection) -> bool:
    """There are tables, and nothing says of which revision: the next opening would make them once more, and fail."""
    there = inspect(connection)
    if not there.has_table("documents"):
        return False
    return not there.has_table(VERSION) or connection.scalar(sql(f"SELECT count(*) FROM {VERSION}")) == 0


def restore_version(connection: Connection) -> bool:
    """Write down the newest revision, where the tables have every column of it; False where they do not."""
    there = inspect(connection)
    for table in metadata.sorted_tables:
        if not there.has_table(table.name):
            return False
        if {column.name for column in table.columns} - {column["name"] for column in there.get_columns(table.name)}:
            return False
    connection.execute(sql(f"CREATE TABLE IF NOT EXISTS {VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(sql(f"INSERT INTO {VERSION} (version_num) VALUES (:head)"), {"head": HEAD})
    return True


# one query each


def _file_of_database(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name != "sqlite":
        return
    for line in connection.scalars(sql("PRAGMA integrity_check")):
        if line != "ok":
            yield Finding("database_damaged", "policydesk.db", f"SQLite 完整性检查：{line}", "")


def _schema(connection: Connection) -> Iterator[Finding]:
    there = inspect(connection)
    tables = set(there.get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in tables:
            yield Finding("table_missing", table.name, f"缺少表 {table.name}", "建立空表")
            continue
        columns = {column["name"] for column in there.get_columns(table.name)}
        if missing := [column.name for column in table.columns if column.name not in columns]:
            yield Finding("column_missing", table.name, f"表 {table.name} 缺少列 {'、'.join(missing)}", "")
        indexes = {index["name"] for index in there.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                yield Finding("sql_index_missing", str(index.name), f"表 {table.name} 缺少索引 {index.name}", "建立")


def _orphans(connection: Connection) -> Iterator[Finding]:
    for column, parent in _references():
        query = select(column, func.count()).where(_without(column, parent)).group_by(column)
        for value, count in connection.execute(query):
            yield Finding(
                "orphan", f"{column.table.name}:{value}",
                f"{column.table.name} 有 {count} 行属于不存在的 {parent.table.name} {value}",
                "删除这些行，内容记入审计" if column.table.name in _KEPT else "删除这些行",
            )


def _references() -> Iterator[tuple[Column[Any], Column[Any]]]:
    """Each column that refers to the rows of another table, and the column it refers to."""
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            yield key.parent, key.column


def _without(column: Column[Any], parent: Column[Any]) -> ColumnElement[bool]:
    there = parent.table.alias()
    return ~exists().where(there.c[parent.name] == column)


def _states(connection: Connection) -> Iterator[Finding]:
    c = documents.c
    for row in connection.execute(select(c.id, c.state).where(c.state.not_in(list(State)))):
        problem = f"文件 {row.id} 的状态 {row.state!r} 不存在"
        yield Finding("state_unknown", row.id, problem, "按发布和撤下的时间恢复状态")
    for row in connection.execute(select(c.id).where(c.state == State.STAGED)):
        yield Finding("staged_left", row.id, f"文件 {row.id} 的发布被中断，还没有生效", "完成发布")
    twice = select(c.source).where(c.state == State.PUBLISHED).group_by(c.source).having(func.count() > 1)
    for source in connection.scalars(twice):
        yield Finding("published_twice", source, f"{source} 有两份已发布的修订", "只留最新的一份，其余撤下")
    stale = select(c.id).where(c.index_stale, c.state.in_((State.PUBLISHED, State.REMOVED)))
    for name in connection.scalars(stale):
        yield Finding("index_stale", name, f"文件 {name} 的变动还没有写进索引", "写进索引")


def _spans(connection: Connection) -> Iterator[Finding]:
    length = func.length(documents.c.text)
    for table in (articles, chunks):
        c = table.c
        outside = (c.start < 0) | (c.end < c.start) | (c.end > length)
        query = select(c.document_id, func.count()).join(documents).where(outside).group_by(c.document_id)
        for name, count in connection.execute(query):
            yield Finding(
                f"{table.name[:-1]}_outside", name, f"文件 {name} 有 {count} 处 {table.name} 的位置在全文之外",
                "由全文重新切分" if table is chunks else "",
            )


def _dates(connection: Connection) -> Iterator[Finding]:
    """By the same derivation as a commit makes, which is taken back."""
    with connection.begin_nested() as undone:
        changed = validity.refresh(connection, _visible(connection))
        undone.rollback()
    for name in changed:
        yield Finding("dates_wrong", name, f"文件 {name} 的有效期与按版本、废止关系推算的不符", "重新推算，并写进索引")


def _visible(connection: Connection) -> list[str]:
    seen = (State.PUBLISHED, State.STAGED)
    return list(connection.scalars(select(documents.c.id).where(documents.c.state.in_(seen))))


def _counters(connection: Connection) -> Iterator[Finding]:
    if connection.scalar(select(counters.c.number).where(counters.c.key == "commits")) is None:
        problem = "缺少发布和撤下的计数，检索会看不到变动"
        yield Finding("counter_missing", "commits", problem, "由最大的编号重新开始计数")
    if NEXT not in catalogue.read_index_facts(connection):
        left = connection.scalar(select(func.count()).select_from(next_points)) or 0
        if left:
            yield Finding("next_points_left", "next_points", f"没有在重建索引，却留有 {left} 行重建记录", "删除这些行")


def _faqs(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(select(faqs.c.id, faqs.c.citations).where(faqs.c.state == "published")):
        if wrong := _wrong_citation(connection, row.citations):
            problem = f"常见问题 {row.id} 的出处不成立：{wrong}"
            yield Finding("faq_citation", row.id, problem, "暂停这条常见问题，等编辑核对")


def _wrong_citation(connection: Connection, packed: str) -> str:
    """The first one that does not hold; "" when all do."""
    try:
        citations = [(one["source"], one.get("address", ""), one.get("quote", "")) for one in json.loads(packed)]
    except (json.JSONDecodeError, TypeError, KeyError, AttributeError):
        return "出处读不出来"
    for source, address, quote in citations:
        query = select(documents.c.id, documents.c.text).where(
            documents.c.source == source, documents.c.state == State.PUBLISHED
        )
        row = connection.execute(query).first()
        if row is None:
            return f"{source} 没有已发布的文件"
        spans = connection.execute(select(articles.c.start, articles.c.end).where(
            articles.c.document_id == row.id, articles.c.address == address
        )).all()
        if address and not spans:
            return f"{source} 没有 {address}"
        said = [row.text[span.start : span.end] for span in spans] or [row.text]
        if quote and not any(quote in one for one in said):
            return f"{source} {address} 中没有引文"
    return ""


def _lost_sources(connection: Connection) -> Iterator[Finding]:
    """Files that count as taken in whole although nothing of them is there."""
    there = {_file_of(source) for source in connection.scalars(select(documents.c.source).distinct())}
    names = there | set(connection.scalars(select(documents.c.source).distinct()))
    for source in connection.scalars(select(files.c.source)):
        if source not in names:
            yield Finding(
                "file_without_document", source, f"{source} 记为已收入，却没有它的文件（内容与别处相同时属正常）",
                "忘掉它，下次 ingest 会重新读", note=True,
            )


def _file_of(source: str) -> str:
    return source.rpartition("#")[0] or source


# repairs; each says what it did


def repair_tables(connection: Connection, found: Sequence[Finding]) -> list[Entry]:
    """What can be put right by queries over whole tables. Dates come last: they follow from the rest."""
    by_code: defaultdict[str, list[str]] = defaultdict(list)
    for one in found:
        by_code[one.code].append(one.place)
    entries: list[Entry] = []
    if "orphan" in by_code:
        entries += _delete_orphans(connection)
    _restore_states(connection, by_code["state_unknown"])
    _keep_newest(connection, by_code["published_twice"])
    if by_code["counter_missing"]:
        connection.execute(insert(counters).values(key="commits", number=_commits_at_least(connection)))
    if by_code["next_points_left"]:
        connection.execute(delete(next_points))
    suspended = {"state": "suspended", "reason": _LAST_WORDS, "changed_at": utc_now()}
    wrong = {one.place for one in _faqs(connection)}         # a state that was restored may carry an entry again
    citing = sorted(wrong.intersection(by_code["faq_citation"]))
    connection.execute(update(faqs).where(faqs.c.id.in_(citing)).values(**suspended))
    connection.execute(delete(files).where(files.c.source.in_(by_code["file_without_document"])))
    if by_code["dates_wrong"]:
        validity.refresh(connection, _visible(connection))
    return entries


def repair_schema(connection: Connection, found: Sequence[Finding]) -> None:
    tables = {one.place for one in found if one.code == "table_missing"}
    metadata.create_all(connection, [metadata.tables[name] for name in tables])
    wanted = {one.place for one in found if one.code == "sql_index_missing"}
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if index.name in wanted and table.name not in tables:
                index.create(connection, checkfirst=True)


def _delete_orphans(connection: Connection) -> list[Entry]:
    """The audit keeps what is not made again from a document."""
    entries = []
    for column, parent in _references():
        table, condition = column.table, _without(column, parent)
        rows = connection.execute(select(table).where(condition)).mappings().all()
        if not rows:
            continue
        connection.execute(delete(table).where(condition))
        kept = [{key: _plain(value) for key, value in row.items()} for row in rows] if table.name in _KEPT else []
        entries.append(Entry("repair", table.name, {"code": "orphan", "rows": len(rows), "deleted": kept}))
    return entries


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _restore_states(connection: Connection, ids: Collection[str]) -> None:
    """What was published and not taken out is; what never was is a draft."""
    c = documents.c
    for row in connection.execute(select(c.id, c.known_from, c.known_to).where(c.id.in_(ids))).all():
        if row.known_from is None:
            state = State.DRAFT
        else:
            state = State.PUBLISHED if row.known_to is None else State.REMOVED
        connection.execute(update(documents).where(c.id == row.id).values(state=state, index_stale=True))


def _keep_newest(connection: Connection, sources: Collection[str]) -> None:
    c = documents.c
    for source in sources:
        mine = select(c.id).where(c.source == source, c.state == State.PUBLISHED)
        ordered = list(connection.scalars(mine.order_by(c.generation.desc().nulls_last(), c.added.desc())))
        out = {"state": State.REMOVED, "known_to": utc_now(), "index_stale": True}
        connection.execute(update(documents).where(c.id.in_(ordered[1:])).values(**out))


def _commits_at_least(connection: Connection) -> int:
    """More than any answer was made at."""
    columns = (answers.c.commits, documents.c.generation)
    return sum(connection.scalar(select(func.max(column))) or 0 for column in columns) + 1
