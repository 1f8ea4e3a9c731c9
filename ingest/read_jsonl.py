"""JSON Lines -> documents: a line with ``article`` is one article of a law, any other a whole document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import BinaryIO

from core.errors import IngestError
from core.records import RANK_NAMES, Article, Document, Facts, Furniture, Rank, Reject, Skipped
from core.regions import leading_region
from ingest.bodies import NATIONAL, place_of, source_bodies
from ingest.document import assemble, make_document
from ingest.official import Regions, facts_from, parse_date, read_official
from ingest.read_text import decode

_UNSTORABLE = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")   # of JSON text, where a zero is escaped
_TEXT_FIELDS = ("title", "law", "doc_no", "issuer", "department", "date", "region", "url", "kind", "article",
                "text", "id", "docid", "valid_from", "status")


@dataclass(slots=True)
class _Law:
    """Consecutive article lines of one version of one law."""

    key: tuple[str, str, str]
    first_line: int
    rows: list[Mapping[str, object]] = field(default_factory=list)
    broken: str = ""            # place of a line that could not be read and may belong here


def read_jsonl(
    stream: BinaryIO, source: str, *, regions: Regions, chunk_chars: int, max_line: int
) -> Iterator[Document | Skipped]:
    """Documents in order. A line that cannot be read is skipped by name, and so is the law it may belong to:
    a law that lacks an article would be worse than none."""
    law: _Law | None = None
    broken = ""
    seen: Counter[str] = Counter()
    for number, row in _rows(stream, source, max_line):
        if isinstance(row, Skipped):
            yield row
            broken = row.place
            if law:
                law.broken = broken
            continue
        key = _law_key(row)
        if law and key != law.key:
            yield _close(law, source, seen, regions, chunk_chars)
            law = None
        if key is None:
            yield _document(row, f"{source}:{number}", source, seen, regions, chunk_chars)
        else:
            law = law or _Law(key, number, broken=broken)
            law.rows.append(row)
        broken = ""
    if law:
        yield _close(law, source, seen, regions, chunk_chars)


def _rows(stream: BinaryIO, source: str, max_line: int) -> Iterator[tuple[int, Mapping[str, object] | Skipped]]:
    number = 0
    while line := stream.readline(max_line + 1):
        number += 1
        place = f"{source}:{number}"
        if len(line) > max_line:
            while line and not line.endswith(b"\n"):
                line = stream.readline(max_line)
            reason = f"这一行超过 {max_line // 1_000_000} MB（ingest.max_line_mb）。请拆成多行，或调高上限"
            yield number, Skipped(place, reason, code=Reject.BAD_FIELD)
        elif line.strip():
            try:
                yield number, _parse(line, place)
            except IngestError as error:
                yield number, Skipped(place, error.reason, code=Reject.BAD_FIELD)


def _parse(line: bytes, place: str) -> Mapping[str, object]:
    try:
        row = json.loads(decode(line, place))
    except json.JSONDecodeError as error:
        reason = f"第 {error.colno} 列起不是有效的 JSON（{error.msg}）。请改正这一行后重试"
        raise IngestError(reason, place=place) from error
    except RecursionError as error:
        raise IngestError("JSON 嵌套过深。请改正这一行后重试", place=place) from error
    if b"\\u" in line and _UNSTORABLE.search(json.dumps(row, ensure_ascii=False)):
        raise IngestError("含有不成对的代理字符或空字符。请改正这一行后重试", place=place)
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise IngestError('应为含有非空 "text" 字段的 JSON 对象', place=place)
    for name in _TEXT_FIELDS:
        if row.get(name) is not None and not isinstance(row[name], str):
            raise IngestError(f'字段 "{name}" 应为字符串，实际是 {type(row[name]).__name__}', place=place)
    return row


def _law_key(row: Mapping[str, object]) -> tuple[str, str, str] | None:
    if row.get("article") is None:
        return None
    return _text(row, "law") or _text(row, "title"), _text(row, "date"), _text(row, "region")


def _close(law: _Law, source: str, seen: Counter[str], regions: Regions, chunk_chars: int) -> Document | Skipped:
    title, day, _ = law.key
    place = f"{source}:{law.first_line}"
    if law.broken:
        reason = f"《{title}》可能缺少 {law.broken} 的那一条，未收录。请改正后重新 ingest 这个文件"
        return Skipped(place, reason, code=Reject.BAD_FIELD)
    try:
        facts = _law_facts(law.rows[0], place, regions)
    except IngestError as error:
        return Skipped(place, error.reason, code=Reject.BAD_FIELD)
    text, articles, furniture = _law_text(facts, law.rows)
    name = _name(source, f"{title}@{day}", seen)
    return assemble(facts, text, articles, name, chunk_chars=chunk_chars, furniture=furniture)


def _law_facts(row: Mapping[str, object], place: str, regions: Regions) -> Facts:
    kind = _text(row, "kind")
    named = {
        "title": _text(row, "title") or _text(row, "law"),
        "doc_no": _text(row, "doc_no"),
        "issuer": _text(row, "issuer"),
        "kind": kind,
        "rank": kind if kind in RANK_NAMES else "",
        "region": _text(row, "region"),
        "dated": _date(row, "date"),
        "effective_from": _date(row, "valid_from"),
        "validity": "失效" if row.get("expired") is True else "",
        "url": _text(row, "url"),
    }
    if not named["title"]:
        raise IngestError('条文行应有 "law" 或 "title" 字段', place=place)
    return facts_from(named, place, regions)


def _law_text(facts: Facts, rows: list[Mapping[str, object]]) -> tuple[str, list[Article], list[Furniture]]:
    """The law put together again from its articles, each under its headings and after its label."""
    pieces: list[str] = []
    furniture: list[Furniture] = []
    articles: list[Article] = []
    length = 0
    last: tuple[str, ...] = ()
    used: Counter[str] = Counter()

    def put(kind: str, piece: str, stop: str) -> None:
        nonlocal length
        if piece:
            pieces.append(piece + stop)
            furniture.append(Furniture(kind, length, length + len(piece) + len(stop)))
            length += len(piece) + len(stop)

    put("title", facts.title, "\n")
    for row in rows:
        path = row.get("path")
        heading = tuple(text for part in path if (text := str(part).strip())) if isinstance(path, list) else ()
        label, body = _text(row, "article"), _text(row, "text")
        for depth, part in enumerate(heading):
            if heading[: depth + 1] != last[: depth + 1]:
                put("heading", part, "\n")
        put("label", label, "　")
        used[label] += 1
        address = (label or "序言") + (f"({used[label]})" if used[label] > 1 else "")
        ref = _text(row, "id") or f"{facts.title}@{facts.dated or ''}#{address}"
        articles.append(Article(ref, address, heading, length, length + len(body)))
        pieces += [body, "\n"]
        length += len(body) + 1
        last = heading
    return "".join(pieces), articles, furniture


def _document(
    row: Mapping[str, object], place: str, source: str, seen: Counter[str], regions: Regions, chunk_chars: int
) -> Document | Skipped:
    name = _text(row, "docid") or _text(row, "id") or None
    text = _text(row, "text").replace("\r\n", "\n").strip("\n")
    kind = _text(row, "kind")
    named = {
        "title": _text(row, "title") or text.lstrip().split("\n", 1)[0][:60],
        "doc_no": _text(row, "doc_no"),
        "issuer": _text(row, "issuer") or _text(row, "department"),
        "kind": kind,
        "rank": kind if kind in RANK_NAMES else "",
        "region": _text(row, "region"),
        "dated": _date(row, "date"),
        "validity": _text(row, "status"),
        "url": _text(row, "url"),
    }
    try:
        stated = facts_from(named, place, regions)
        official = read_official(text, (0, len(text)), {"title": stated.title}, place, regions)
    except IngestError as error:
        return Skipped(place, error.reason, code=Reject.BAD_FIELD if error.code is Reject.DAMAGED else error.code)
    facts = _completed(stated, official.facts, regions)
    key = _name(source, name or f"{facts.title}@{facts.dated or ''}", seen)
    return make_document(facts, text, key, name=name, chunk_chars=chunk_chars, fields=official.fields)


def _completed(stated: Facts, read: Facts, regions: Regions) -> Facts:
    """What the row states, and from the text what it leaves open. Where the text names nobody who made it, its region
    is that of the issuer that the row states, or of the place with which its title begins."""
    values = {item.name: getattr(stated, item.name) for item in fields(Facts)}
    missing = {name: getattr(read, name) for name, value in values.items() if value in (None, Rank.OTHER)}
    facts = replace(stated, **missing)
    if facts.region or read.issuer or read.rank <= Rank.JUDICIAL_INTERPRETATION:
        return facts
    issuer = stated.issuer or ""
    places = [place_of(body, regions, "").region for body in source_bodies(issuer, regions)[:1]]
    places += [named.code for name in (issuer, facts.title) if (named := leading_region(name, regions))]
    region = next(filter(None, places), None)
    return replace(facts, region=None if region == NATIONAL else region)


def _name(source: str, key: str, seen: Counter[str]) -> str:
    """Where a document came from; the second of one name in a file is another document, not a new revision."""
    seen[key] += 1
    return f"{source}#{key}" + (f"({seen[key]})" if seen[key] > 1 else "")


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _date(row: Mapping[str, object], name: str) -> str:
    """A date as ISO text; what is no date is left out, since lists from elsewhere hold all kinds of remarks."""
    day = parse_date(_text(row, name))
    return day.isoformat() if day else ""
