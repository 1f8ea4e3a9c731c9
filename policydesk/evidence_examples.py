"""Questions asked of a home -> what `train.evidence` learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.records import Hit, Question, State
from core.regions import region_name
from eval.gold import GoldQuestion, GoldSpan, document_name, trec_ref
from qa.scope import scope
from qa.select import Selector
from qa.select_features import Asked, Sentences, sentences_of
from qa.select_span import Parts
from train.evidence import SentenceExample, SignExample, WordExample, gain_of
from train.made_questions import Source, made_questions

if TYPE_CHECKING:
    from policydesk.app import Desk

_FOUND = 20                  # articles, as many as an answer looks at
MADE = "made"


@dataclass(frozen=True, slots=True)
class Tried:
    """A question with what was found for it."""

    gold: GoldQuestion
    asked: Asked
    hits: tuple[Hit, ...]
    sentences: Sentences


def tried(desk: Desk, questions: Sequence[GoldQuestion], selector: Selector) -> list[Tried]:
    """Those for which anything was found."""
    found = []
    for gold in questions:
        options = scope(gold.question, top=_FOUND, home_region=desk.config.regions.home)
        one = _tried(gold, desk.base.search(gold.question.text, options), selector)
        found += [one] if one else []
    return found


def made_gold(desk: Desk, selector: Selector, number: int, seed: int) -> list[GoldQuestion]:
    """Questions made from the documents of the home."""
    documents = {document_name(one.source): one for one in desk.base.documents([State.PUBLISHED])}
    names = desk.config.regions.names
    sources = [
        Source(name, (one.facts.region and region_name(one.facts.region, names)) or "", desk.base.document(one.id).text)
        for name, one in sorted(documents.items())
    ]
    made = made_questions(sources, number, cut=selector.cut, seed=seed)
    return [
        GoldQuestion(
            f"made-{n}", Question(one.question), ((one.document,),), kind=MADE, by_document=True,
            span=GoldSpan(one.document, one.start, one.end),
        )
        for n, one in enumerate(made)
    ]


def sentence_example(one: Tried) -> SentenceExample:
    gains = [_gain(one, place) for place in range(len(one.sentences))]
    return SentenceExample(one.sentences.names, one.sentences.table, np.array(gains, dtype=np.float32))


def word_examples(found: Sequence[Tried], selector: Selector) -> Iterator[WordExample]:
    """Of the made questions whose best sentence stands near the answer: only they tell the words of an answer."""
    for one in found:
        span = one.gold.span
        if one.gold.kind != MADE or span is None:
            continue
        scores = selector.scores(one.sentences)
        best = int(scores.argmax())
        hit = one.sentences.hits[one.sentences.article[best]]
        around = Parts(one.asked, one.sentences, selector.cut).around(scores, best)
        start, end = span.start - hit.start, span.end - hit.start
        inside = np.array([a < end and b > start for a, b in zip(around.starts, around.ends, strict=True)])
        if document_name(hit.document.source) == span.document and inside.any():
            yield WordExample(around.names, around.table, inside)


def sign_examples(found: Sequence[Tried], selector: Selector) -> Iterator[SignExample]:
    """Each question as it is and, where it has an answer, without the documents that hold it."""
    for one in found:
        right = {ref for group in one.gold.gold for ref in group}
        known = any(_is_right(hit, one.gold, right) for hit in one.sentences.hits)
        yield SignExample(one.gold.kind, _signs(one, selector), bool(right), known)
        others = [hit for hit in one.hits if not _of_right(hit, one.gold, right)]
        if right and (without := _tried(one.gold, others, selector)):
            yield SignExample(one.gold.kind, _signs(without, selector), False, False)


def _signs(one: Tried, selector: Selector) -> dict[str, float]:
    best = selector.best(one.asked, one.sentences)
    return selector.signs(one.asked.text, one.hits, one.sentences, selector.scores(one.sentences), best)


def _tried(gold: GoldQuestion, hits: Sequence[Hit], selector: Selector) -> Tried | None:
    asked = selector.asked(gold.question.text)
    sentences = sentences_of(asked, hits, selector.encoder)
    return Tried(gold, asked, tuple(hits), sentences) if sentences else None


def _gain(one: Tried, place: int) -> float:
    span, unit = one.gold.span, one.sentences.unit_of(place)
    hit = one.sentences.hits[one.sentences.article[place]]
    if span is None or document_name(hit.document.source) != span.document:
        return 0.0
    start, end = hit.start + unit.start, hit.start + unit.end
    overlap = max(0, min(end, span.end) - max(start, span.start))
    return gain_of(overlap, end - start, span.end - span.start)


def _is_right(hit: Hit, gold: GoldQuestion, right: set[str]) -> bool:
    return (document_name(hit.document.source) if gold.by_document else trec_ref(hit.ref)) in right


def _of_right(hit: Hit, gold: GoldQuestion, right: set[str]) -> bool:
    """Of a document that answers: of a law with any gold article, whichever version."""
    if gold.by_document:
        return document_name(hit.document.source) in right
    return hit.ref.split("@")[0] in {ref.split("@")[0] for ref in right}
