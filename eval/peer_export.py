"""Documents and gold questions -> a folder that our own search and the engines of others are measured on."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import PolicyDeskError
from core.ports import Embedder, Vectors
from core.records import Article, Document, Question, SearchOptions, StoredDocument
from eval.gold import GoldQuestion, document_name, trec_ref

DOCUMENTS = "documents.pickle"       # one `Document` after the other
QUESTIONS = "questions.pickle"       # a list of (id, `Question`)


@dataclass(frozen=True, slots=True)
class Base:
    """What is exported, as the composition root hands it over."""

    documents: Sequence[StoredDocument]
    load: Callable[[str], Document]
    scope: Callable[[Question], SearchOptions]


@dataclass(frozen=True, slots=True)
class Exported:
    """What lies in the folder. ``names``: document name of each article's ref."""

    documents: int
    articles: int
    names: dict[str, str]


def export(
    base: Base, questions: Sequence[GoldQuestion], folder: Path, *, articles: int | None, encoder: Embedder | None
) -> Exported:
    """Write the files that `eval.peer_engines` names, and two for ours; with ``encoder`` also dense vectors.

    ``articles`` bounds their number: whole documents are kept, first those with gold, then by a hash of their titles,
    so that the versions of one rule stay together. Raises `PolicyDeskError` when there is none.
    """
    stored = _chosen(base, questions, articles)
    scopes = _scopes(questions, base, stored)
    names: dict[str, str] = {}
    vectors: list[Vectors] = []
    with (folder / "articles.jsonl").open("w", encoding="utf-8") as lines, (folder / DOCUMENTS).open("wb") as whole:
        for row in stored:
            document = base.load(row.id)
            pickle.dump(document, whole)
            within = [number for options, number in scopes.items() if number is not None and _may_find(options, row)]
            texts = [article_text(document, article) for article in document.articles]
            for article, text in zip(document.articles, texts, strict=True):
                names[article.ref] = document_name(document.source)
                lines.write(_line({"ref": article.ref, "text": text, "scopes": within}))
            if encoder and texts:
                vectors.append(encoder.embed(texts))
    if not names:
        raise PolicyDeskError("没有已发布的条文可比较；请先用 policydesk ingest 入库，或用 --corpus 给出文件")
    _write_questions(questions, [scopes[base.scope(gold.question)] for gold in questions], folder)
    if encoder:
        np.save(folder / "articles.npy", np.concatenate(vectors))
        np.save(folder / "questions.npy", encoder.embed_questions([gold.question.text for gold in questions]))
    return Exported(len(stored), len(names), names)


def article_text(document: Document, article: Article) -> str:
    """Title, headings and text: all that our own index sees."""
    return "\n".join((document.facts.title, *article.heading, document.text[article.start : article.end]))


def read_documents(folder: Path) -> Iterator[Document]:
    with (folder / DOCUMENTS).open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def read_questions(folder: Path) -> list[tuple[str, Question]]:
    found: list[tuple[str, Question]] = pickle.loads((folder / QUESTIONS).read_bytes())
    return found


def _chosen(base: Base, questions: Sequence[GoldQuestion], articles: int | None) -> list[StoredDocument]:
    """All documents, or whole ones until there are so many articles; more when those with gold hold more."""
    if articles is None:
        return list(base.documents)
    gold = {trec_ref(ref) for question in questions for group in question.gold for ref in group}
    sizes: dict[str, int] = {}
    wanted: set[str] = set()
    for row in base.documents:
        document = base.load(row.id)
        sizes[row.id] = len(document.articles)
        if _has_gold(document, gold):
            wanted.add(row.facts.title)
    ordered = sorted(base.documents, key=lambda row: (row.facts.title not in wanted, _order(row)))
    kept: list[StoredDocument] = []
    count = 0
    for row in ordered:
        if row.facts.title in wanted or count + sizes[row.id] <= articles:
            kept.append(row)
            count += sizes[row.id]
    return kept


def _order(row: StoredDocument) -> tuple[str, str]:
    return hashlib.sha256(row.facts.title.encode()).hexdigest(), row.id


def _has_gold(document: Document, gold: Collection[str]) -> bool:
    return document_name(document.source) in gold or any(trec_ref(part.ref) in gold for part in document.articles)


def _scopes(
    questions: Sequence[GoldQuestion], base: Base, stored: Sequence[StoredDocument]
) -> dict[SearchOptions, int | None]:
    """A number for each that needs a filter; None for one under which every document may be found."""
    different = dict.fromkeys(base.scope(gold.question) for gold in questions)
    return {
        options: None if all(_may_find(options, row) for row in stored) else number
        for number, options in enumerate(different)
    }


def _may_find(options: SearchOptions, row: StoredDocument) -> bool:
    return (
        (options.regions is None or row.facts.region in options.regions)
        and (options.as_of is None or row.in_force(options.as_of))
        and (not options.public_only or row.facts.public)
        and (options.ranks is None or row.facts.rank in options.ranks)
    )


def _write_questions(questions: Sequence[GoldQuestion], scopes: Sequence[int | None], folder: Path) -> None:
    with (folder / "questions.jsonl").open("w", encoding="utf-8") as file:
        for gold, scope in zip(questions, scopes, strict=True):
            file.write(_line({"id": gold.id, "text": gold.question.text, "scope": scope}))
    (folder / QUESTIONS).write_bytes(pickle.dumps([(gold.id, gold.question) for gold in questions]))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
