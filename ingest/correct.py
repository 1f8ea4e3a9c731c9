"""Editors' changes, made again on a document as it was read.

Each is found by what it replaces. What a new reading of the source brings by itself needs no change any more; what it
changed in another way is a conflict, and is left as it was read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import date

from core.errors import PolicyDeskError
from core.records import (
    RANK_NAMES,
    Article,
    Chunk,
    Corrected,
    Document,
    EditKind,
    EditorChange,
    Facts,
    Furniture,
    OfficialField,
    Place,
    Rank,
)
from core.regions import region_chain
from ingest.document import assemble

_DATES = frozenset(("dated", "published_on", "effective_from", "effective_to"))
_DERIVED = "blank"           # furniture that `assemble` makes itself


def corrected(parsed: Document, changes: Sequence[EditorChange], *, chunk_chars: int) -> Corrected:
    """``parsed`` with ``changes``, made one after the other; without any it comes back as it is."""
    document, cuts, conflicts = parsed, list[EditorChange](), list[EditorChange]()
    for change in changes:
        if change.kind is EditKind.CARD:
            continue             # cards are no part of the document
        if change.kind in (EditKind.SPLIT, EditKind.MERGE):
            cuts.append(change)
            continue
        if change.kind is EditKind.FIELD:
            done = _with_field(document, change, chunk_chars)
        else:
            done = _with_text(document, change, chunk_chars)
        if done is None:
            conflicts.append(change)
        else:
            document = done
    document, missing = _with_cuts(document, cuts)
    return Corrected(document, parsed, (*conflicts, *missing))


# fields


def field_value(name: str, written: str) -> str:
    """What a person wrote for a field of `Facts`, as the JSON that a change holds; empty: not known.

    Raises `PolicyDeskError` for an unknown field or a value that it cannot have.
    """
    known = [field.name for field in fields(Facts)]
    if name not in known:
        raise PolicyDeskError(f"没有字段 {name}。可以修改：{'、'.join(known)}")
    text = written.strip()
    if name == "title" and not text:
        raise PolicyDeskError("标题不能为空")
    if name in _DATES and text:
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise PolicyDeskError(f"{name} 应为日期，如 2024-05-01，而不是“{text}”") from error
    if name == "rank":
        if text not in RANK_NAMES:
            raise PolicyDeskError(f"效力级别应为 {'、'.join(RANK_NAMES)} 之一，而不是“{text}”")
        return json.dumps(int(RANK_NAMES[text]))
    if name == "public":
        if text not in ("是", "否"):
            raise PolicyDeskError(f"public 应为 是 或 否，而不是“{text}”")
        return json.dumps(text == "是")
    if name == "region" and text:
        region_chain(text)
    return json.dumps(text or None, ensure_ascii=False)


def as_json(facts: Facts, name: str) -> str:
    """The value of a field as a change holds it."""
    value = getattr(facts, name)
    return json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False)


def _with_field(document: Document, change: EditorChange, chunk_chars: int) -> Document | None:
    now = as_json(document.facts, change.name)
    if now == change.new:
        return document
    if now != change.old:
        return None
    value = json.loads(change.new)
    if change.name in _DATES and value is not None:
        value = date.fromisoformat(value)
    elif change.name == "rank":
        value = Rank(value)
    facts = replace(document.facts, **{change.name: value})
    return _again(document, facts, document.text, document.articles, document.fields, document.furniture,
                  document.places, chunk_chars)


# words


def article_at(document: Document, name: str) -> int | None:
    """The position of the article called 第八条, or 第八条(2) when it is the second of that address."""
    base, _, rest = name.partition("(")
    nth = int(rest[:-1]) if rest.endswith(")") and rest[:-1].isdigit() else 1
    same = [n for n, article in enumerate(document.articles) if article.address == (base if rest else name)]
    exact = [n for n, article in enumerate(document.articles) if article.address == name]
    found = exact or same
    return found[nth - 1 if not exact else 0] if len(found) >= (1 if exact else nth) else None


def _with_text(document: Document, change: EditorChange, chunk_chars: int) -> Document | None:
    position = article_at(document, change.name)
    if position is None:
        return None
    article = document.articles[position]
    now = document.text[article.start : article.end]
    if now == change.new:
        return document
    if now != change.old:
        return None
    text = document.text[: article.start] + change.new + document.text[article.end :]
    moved = _moves(article, change.old, change.new)
    articles = [
        replace(a, start=moved(a.start), end=moved(a.end)) if n != position
        else replace(a, end=a.start + len(change.new))
        for n, a in enumerate(document.articles)
    ]
    read = [f if f.start is None or f.end is None else replace(f, start=moved(f.start), end=moved(f.end))
            for f in document.fields]
    furniture = [Furniture(f.kind, moved(f.start), moved(f.end)) for f in document.furniture]
    places = [replace(p, start=moved(p.start), end=moved(p.end)) for p in document.places]
    return _again(document, document.facts, text, articles, read, furniture, places, chunk_chars)


def _moves(article: Article, old: str, new: str) -> Callable[[int], int]:
    """Where a position of the old text lies in the new one; in what both do not share, where that begins."""
    same = _common(old, new)
    end = min(_common(old[::-1], new[::-1]), len(old) - same, len(new) - same)

    def moved(at: int) -> int:
        if at <= article.start + same:
            return at
        if at >= article.end - end:
            return at + len(new) - len(old)
        return article.start + same

    return moved


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _again(
    document: Document, facts: Facts, text: str, articles: Iterable[Article], read: Iterable[OfficialField],
    furniture: Iterable[Furniture], places: Iterable[Place], chunk_chars: int,
) -> Document:
    return assemble(
        facts, text, tuple(articles), document.source, chunk_chars=chunk_chars, fields=tuple(read),
        furniture=[f for f in furniture if f.kind != _DERIVED and f.start < f.end],
        places=[p for p in places if p.start < p.end],
    )


# chunks


def _with_cuts(document: Document, cuts: Sequence[EditorChange]) -> tuple[Document, list[EditorChange]]:
    """Chunks are no part of what names a document, so a document cut in another way gets a name of its own.

    Also the changes whose chunks are not there.
    """
    chunks = list(document.chunks)
    missing = []
    for change in cuts:
        done = _cut_chunks(document, chunks, change)
        if done is None:
            missing.append(change)
        else:
            chunks = done
    if len(missing) == len(cuts):
        return document, missing
    return with_chunks(document, chunks), missing


def with_chunks(document: Document, chunks: Sequence[Chunk]) -> Document:
    """The document as editors cut it, under the name that such a one has."""
    spans = [(chunk.article, chunk.start, chunk.end) for chunk in chunks]
    name = hashlib.sha256(repr((document.id, spans)).encode()).hexdigest()[:16]
    renamed = tuple(replace(chunk, id=_chunk_id(name, chunk), document_id=name) for chunk in chunks)
    return replace(document, id=name, chunks=renamed, furniture=_between(document, renamed))


def _cut_chunks(document: Document, chunks: list[Chunk], change: EditorChange) -> list[Chunk] | None:
    text, position = document.text, article_at(document, change.name)
    for n, chunk in enumerate(chunks):
        if chunk.article != position:
            continue
        if change.kind is EditKind.SPLIT and text[chunk.start : chunk.end] == change.old:
            at = chunk.end - len(change.new)
            end = chunk.start + len(text[chunk.start : at].rstrip())
            return [*chunks[:n], replace(chunk, end=end), replace(chunk, start=at), *chunks[n + 1 :]]
        following = chunks[n + 1] if n + 1 < len(chunks) else None
        if (
            change.kind is EditKind.MERGE and following is not None and following.article == position
            and text[chunk.start : following.end] == change.old
        ):
            address = document.articles[chunk.article].address
            return [*chunks[:n], replace(chunk, end=following.end, address=address), *chunks[n + 2 :]]
    return None


def _chunk_id(document_id: str, chunk: Chunk) -> str:
    return hashlib.sha256(f"{document_id} {chunk.start} {chunk.end}".encode()).hexdigest()[:16]


def _between(document: Document, chunks: Sequence[Chunk]) -> tuple[Furniture, ...]:
    """The furniture as it was, and as blank what no chunk holds any more."""
    kept = [f for f in document.furniture if not any(c.start < f.end and f.start < c.end for c in chunks)]
    pieces = sorted([*((c.start, c.end) for c in chunks), *((f.start, f.end) for f in kept)])
    at, blanks = 0, list[Furniture]()
    for start, end in [*pieces, (len(document.text), len(document.text))]:
        if at < start:
            blanks.append(Furniture(_DERIVED, at, start))
        at = max(at, end)
    return tuple(sorted([*kept, *blanks], key=lambda f: f.start))


# what an editor asks for


def text_change(document: Document, name: str, new: str) -> EditorChange:
    """The article ``name`` with other words. Raises `PolicyDeskError` when there is none, or nothing would change."""
    article = document.articles[_article(document, name)]
    old = document.text[article.start : article.end]
    words = new.strip("\n")
    if not words.strip():
        raise PolicyDeskError(f"{name} 的新文字是空的。要让一条失效请修改文件，或撤下整份文件")
    if words == old:
        raise PolicyDeskError(f"{name} 的文字没有变化")
    return EditorChange(EditKind.TEXT, name, old, words)


def field_change(document: Document, name: str, written: str) -> EditorChange:
    new = field_value(name, written)
    old = as_json(document.facts, name)
    if new == old:
        raise PolicyDeskError(f"{name} 已经是 {json.loads(old)}")
    return EditorChange(EditKind.FIELD, name, old, new)


def split_change(document: Document, name: str, before: str) -> EditorChange:
    """The chunk of article ``name`` that holds ``before`` divided there; ``before`` begins the second one."""
    position = _article(document, name)
    for chunk in document.chunks:
        words = document.text[chunk.start : chunk.end]
        at = words.find(before)
        if chunk.article == position and at > 0 and words[:at].strip():
            return EditorChange(EditKind.SPLIT, name, words, words[at:])
    raise PolicyDeskError(f"{name} 的片段中间没有“{before}”。请给出第二个片段开头的原文")


def merge_change(document: Document, name: str, first: int) -> EditorChange:
    """Chunk number ``first`` (from 1) of article ``name`` joined with the one after it."""
    position = _article(document, name)
    own = [chunk for chunk in document.chunks if chunk.article == position]
    if not 1 <= first < len(own):
        raise PolicyDeskError(f"{name} 有 {len(own)} 个片段，不能合并第 {first} 个和下一个")
    one, two = own[first - 1], own[first]
    if one.header != two.header:
        raise PolicyDeskError(f"{name} 的第 {first} 和第 {first + 1} 个片段不属于同一张表，不能合并")
    return EditorChange(EditKind.MERGE, name, document.text[one.start : two.end], "")


def _article(document: Document, name: str) -> int:
    position = article_at(document, name)
    if position is None:
        some = "、".join(article.address for article in document.articles[:8])
        raise PolicyDeskError(f"这份文件没有 {name}。它的条文：{some}……")
    return position
