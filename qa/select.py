"""Which words of which articles answer a question, what is cited around them, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from core.config import AnswerConfig
from core.records import Hit
from kb.background import Background
from kb.expansion import Expansion, TermMap
from kb.features import AskedTerms, Numbers
from kb.static_encoder import StaticEncoder
from kb.tokens import Tokenizer
from qa.evidence import Terms, question_terms
from qa.places import places
from qa.select_confidence import Curve, read_curve, signs_of
from qa.select_features import Asked, Sentences, bare_place, sentences_of
from qa.select_forest import ASSETS, Forest
from qa.select_quote import rule_around, shown
from qa.select_span import best_span, unambiguous, words_around
from qa.sentences import Passage

_DISTRICT = 3.0              # times further behind a district's rule may lie, which gives more than its city's
_SENTENCES, _WORDS, _CURVE = "sentences.txt", "words.txt", "confidence.json"


@dataclass(frozen=True, slots=True)
class Quote:
    """What is cited of an article, and which words of it answer."""

    hit: Hit
    passage: Passage                         # cited: the words that answer with the rule they stand in
    score: float
    said: tuple[Passage, ...] = ()           # within ``passage``; none: all of it

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(self.hit.text[part.start : part.end] for part in self.said or (self.passage,))


@dataclass(frozen=True, slots=True)
class Picked:
    """The best quotes, best first, whether they answer or not."""

    quotes: tuple[Quote, ...]
    confidence: float                        # that they answer, from 0 to 1

    @property
    def hits(self) -> list[Hit]:
        return list({quote.hit.ref: quote.hit for quote in self.quotes}.values())


NOTHING = Picked((), 0.0)


class Selector:
    """Threads may share it."""

    def __init__(
        self,
        config: AnswerConfig,
        *,
        tokenizer: Tokenizer,
        background: Callable[[], Background],
        encoder: Callable[[], StaticEncoder],
        terms: TermMap | None,
        region_names: Mapping[str, str],
        assets: Path = ASSETS,
    ) -> None:
        """``background`` and ``encoder`` are asked for once, by the first question."""
        self._config = config
        self._tokenizer = tokenizer
        self._open_background, self._open_encoder = background, encoder
        self._terms = terms
        self._region_names = region_names
        self._assets = assets
        self._sentences, self._words = Forest(assets / _SENTENCES), Forest(assets / _WORDS)

    @cached_property
    def encoder(self) -> StaticEncoder:
        return self._open_encoder()

    @cached_property
    def _background(self) -> Background:
        return self._open_background()

    @cached_property
    def _curve(self) -> Curve:
        return read_curve(self._assets / _CURVE)

    def terms(self, question: str) -> Terms:
        """Its words, each known by the official terms it stands for as well."""
        official: dict[str, list[str]] = {}
        for expansion in self._expansions(question):
            official.setdefault(expansion.because, []).append(expansion.term)
        return question_terms(
            question, self._tokenizer.words, [(everyday, tuple(terms)) for everyday, terms in official.items()]
        )

    def asked(self, question: str) -> Asked:
        terms = AskedTerms(
            question, self._expansions(question), tokenizer=self._tokenizer, background=self._background
        )
        named = places(question, home="", names=self._region_names)
        return Asked(
            question, terms, self.encoder.embed_questions([question])[0],
            tuple(replace(place, name=bare_place(place.name)) for place in named),
        )

    def pick(self, question: str, hits: Sequence[Hit]) -> Picked:
        """The best quotes of ``hits``, of a few articles, each a little less good than the one before it."""
        asked = self.asked(question)
        sentences = sentences_of(asked, hits, self.encoder)
        if sentences is None:
            return NOTHING
        scores = self._sentences.score(sentences.names, sentences.table)
        signs = signs_of(self.terms(question), hits, sentences, scores, int(scores.argmax()))
        quotes = [self._quote(asked, sentences, scores, place) for place in self._best_places(sentences, scores)]
        return Picked(tuple(quotes), self._curve.value(signs))

    def nearest(self, question: str, hits: Sequence[Hit]) -> list[Quote]:
        """The best quote of each article, whether it answers or not, in the order of ``hits``."""
        asked = self.asked(question)
        found = [sentences for hit in hits if (sentences := sentences_of(asked, [hit], self.encoder)) is not None]
        scored = [(sentences, self._sentences.score(sentences.names, sentences.table)) for sentences in found]
        return [self._quote(asked, sentences, scores, int(scores.argmax())) for sentences, scores in scored]

    def _best_places(self, sentences: Sentences, scores: Numbers) -> list[int]:
        """The best sentence of each article that comes near the best one of all; a district's before its city's,
        which gives less."""
        best: dict[int, int] = {}
        for place in scores.argsort(kind="stable")[::-1].tolist():
            best.setdefault(sentences.article[place], place)
        order = list(best.values())
        near = [place for place in order if scores[place] >= scores[order[0]] - self._config.near_score]
        local = [place for place in order if _is_district(sentences.hits[sentences.article[place]])]
        least = scores[order[0]] - _DISTRICT * self._config.near_score
        if local and local[0] not in near and scores[local[0]] >= least:
            near = [local[0], *near]
        return near[: self._config.articles]

    def _quote(self, asked: Asked, sentences: Sentences, scores: Numbers, best: int) -> Quote:
        around = words_around(asked, sentences, scores, best, self._tokenizer.cut)
        span, _ = best_span(around, self._words.score(around.names, around.table))
        article = sentences.article[best]
        hit, units = sentences.hits[article], sentences.units[article]
        span = unambiguous(asked, hit.text, units, span)
        at = next((n for n, unit in enumerate(units) if unit.start <= span.start < unit.end), sentences.unit[best])
        said = shown(asked.text, hit, units, at, span)
        return Quote(hit, rule_around(hit.text, said), float(scores[best]), said)

    def _expansions(self, question: str) -> tuple[Expansion, ...]:
        return self._terms.expand(question) if self._terms else ()


def whole(hit: Hit) -> str:
    return "\n".join((hit.document.facts.title, *hit.heading, hit.text))


def _is_district(hit: Hit) -> bool:
    region = hit.document.facts.region
    return region is not None and not region.endswith("00")
