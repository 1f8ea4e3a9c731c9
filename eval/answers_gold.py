"""What answers a question, as text: the gold answer, what stands in the gold span, the gold articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval.answers_check import Library
from eval.answers_questions import Asked
from eval.answers_text import holds
from eval.gold import document_name, trec_ref


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts to hold an answer against."""

    texts: tuple[str, ...] = ()          # the gold answer, and what stands in the gold span
    stands: bool = False                 # one of them stands in the gold word for word; else in somebody's own words
    articles: tuple[str, ...] = ()       # title and text of the first article of each group of gold


@dataclass(frozen=True, slots=True)
class GoldTexts:
    """Where gold is looked up."""

    library: Library
    ids: Mapping[str, str]               # of the published documents, by name as `document_name` gives it
    articles: Mapping[str, str]          # by ref without white space: title and text of those that are gold


def gold_texts(asked: Iterable[Asked], library: Library, articles: Iterable[tuple[str, str]]) -> GoldTexts:
    """``articles`` gives (ref, title and text) of every article, and is read only when a gold article is looked for."""
    refs = {ref for one in asked if not one.gold.by_document for group in one.gold.gold for ref in group}
    ids = {document_name(document.source): id_ for id_, document in library.documents.items()}
    texts = {name: text for ref, text in articles if (name := trec_ref(ref)) in refs} if refs else {}
    return GoldTexts(library, ids, texts)


def wanted_of(asked: Asked, gold: GoldTexts) -> Wanted:
    """What is looked for in an answer to ``asked``."""
    answer = [asked.gold.answer] if asked.gold.answer else []
    groups = asked.gold.gold
    if not asked.gold.by_document:
        found = [next((gold.articles[ref] for ref in group if ref in gold.articles), "") for group in groups]
        articles = tuple(filter(None, found))
        return Wanted(tuple(answer), any(holds(text, answer) for text in articles), articles)
    span = asked.gold.span
    if span is not None and span.document in gold.ids:
        text = gold.library.text(gold.ids[span.document])[span.start : span.end]
        return Wanted(tuple(dict.fromkeys([*answer, text])), stands=True)
    named = [gold.ids[name] for group in groups for name in group if name in gold.ids]
    return Wanted(tuple(answer), any(holds(gold.library.text(id_), answer) for id_ in named))
