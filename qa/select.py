"""Which words of which articles answer a question, what is cited around them, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from core.config import AnswerConfig
from core.records import Hit
from kb.background import Background
from kb.expansion import Expansion, TermMap
from kb.features import AskedTerms, Numbers
from kb.static_encoder import StaticEncoder
from kb.tokens import Tokenizer, plain
from qa.evidence import Terms, question_terms
from qa.places import places
from qa.select_confidence import Curve, read_curve, signs_of
from qa.select_features import Asked, Sentences, bare_place, sentences_of
from qa.select_forest import ASSETS, Forest
from qa.select_quote import rule_around, shown
from qa.select_span import Parts, best_span, unambiguous
from qa.sentences import Passage

_WEIGHED = 3                 # of the best sentences it is looked at which words answer, too
_SURE = 0.5                  # what that counts beside the sentence's own score; 1 gained as much on other questions
_DISTRICT = 1.0              # so far behind a district's rule may lie, which gives more than its city's
# Below this score the best sentence is seldom right: the lower it is, the further behind it others may lie that are
# quoted as well. Of everyday questions 5 points more have their answer quoted, by 2.0 quotes for 1.0, at no loss.
_DOUBTFUL, _DOUBT = 0.8, 2.0
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
        self._open_background, self._open_encoder = cache(background), encoder
        self._terms = terms
        self._region_names = region_names
        self._assets = assets
        self._sentences, self._words = Forest(assets / _SENTENCES), Forest(assets / _WORDS)

    def of(self, assets: Path) -> Selector:
        """The same with other models."""
        return Selector(
            self._config, tokenizer=self._tokenizer, background=self._open_background, encoder=lambda: self.encoder,
            terms=self._terms, region_names=self._region_names, assets=assets,
        )

    @cached_property
    def encoder(self) -> StaticEncoder:
        return self._open_encoder()

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
            question, self._expansions(question), tokenizer=self._tokenizer, background=self._open_background()
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
        scores = self.scores(sentences)
        parts = Parts(asked, sentences, self._tokenizer.cut)
        spans, best = self._weighed(parts, scores)
        places = self._best_places(sentences, np.where(np.arange(len(scores)) == best, scores.max(), scores), best)
        for place in places:
            if place not in spans:
                spans[place] = self._span(parts, scores, place)
        quotes = [self._quote(asked, sentences, float(scores[place]), place, spans[place][0]) for place in places]
        return Picked(tuple(_distinct(quotes)), self._curve.value(self.signs(question, hits, sentences, scores, best)))

    def nearest(self, question: str, hits: Sequence[Hit]) -> list[Quote]:
        """The best quote of each article, whether it answers or not, in the order of ``hits``."""
        asked = self.asked(question)
        found = [sentences for hit in hits if (sentences := sentences_of(asked, [hit], self.encoder)) is not None]
        quotes = []
        for sentences in found:
            scores = self.scores(sentences)
            best = int(scores.argmax())
            span, _ = self._span(Parts(asked, sentences, self._tokenizer.cut), scores, best)
            quotes.append(self._quote(asked, sentences, float(scores[best]), best, span))
        return quotes

    def best(self, asked: Asked, sentences: Sentences) -> int:
        return self._weighed(Parts(asked, sentences, self._tokenizer.cut), self.scores(sentences))[1]

    def _weighed(self, parts: Parts, scores: Numbers) -> tuple[dict[int, tuple[Passage, float]], int]:
        """The answering words of the few best sentences, and which of these is the best with them."""
        first = scores.argsort(kind="stable")[::-1][:_WEIGHED].tolist()
        spans = {place: self._span(parts, scores, place) for place in first}
        return spans, max(spans, key=lambda place: float(scores[place]) + _SURE * spans[place][1])

    def scores(self, sentences: Sentences) -> Numbers:
        return self._sentences.score(sentences.names, sentences.table)

    def signs(
        self, question: str, hits: Sequence[Hit], sentences: Sentences, scores: Numbers, best: int
    ) -> dict[str, float]:
        """That the sentence ``best`` answers."""
        return signs_of(question, self.terms(question), hits, sentences, scores, best, self._open_background)

    @property
    def cut(self) -> Callable[[str], Iterable[str]]:
        return self._tokenizer.cut

    def _best_places(self, sentences: Sentences, scores: Numbers, first: int) -> list[int]:
        """The best sentence of each article that comes near the best one of all; a district's before its city's,
        which gives less."""
        best: dict[int, int] = {sentences.article[first]: first}
        for place in scores.argsort(kind="stable")[::-1].tolist():
            best.setdefault(sentences.article[place], place)
        order = list(best.values())
        top = float(scores[order[0]])
        behind = self._config.near_score + _DOUBT * max(0.0, _DOUBTFUL - top)
        near = [place for place in order if scores[place] >= top - behind]
        local = [place for place in order if _is_district(sentences.hits[sentences.article[place]])]
        if local and local[0] not in near and scores[local[0]] >= top - _DISTRICT:
            near = [local[0], *near]
        return near[: self._config.articles]

    def _span(self, parts: Parts, scores: Numbers, place: int) -> tuple[Passage, float]:
        """The words around the sentence that answer, and how much of the answer they are expected to be."""
        around = parts.around(scores, place)
        return best_span(around, self._words.score(around.names, around.table))

    def _quote(self, asked: Asked, sentences: Sentences, score: float, place: int, span: Passage) -> Quote:
        article = sentences.article[place]
        hit, units = sentences.hits[article], sentences.units[article]
        span = unambiguous(asked, hit.text, units, span)
        at = next((n for n, unit in enumerate(units) if unit.start <= span.start < unit.end), sentences.unit[place])
        said = shown(asked, hit, units, at, span)
        return Quote(hit, rule_around(hit.text, said), score, said)

    def _expansions(self, question: str) -> tuple[Expansion, ...]:
        return self._terms.expand(question) if self._terms else ()


def _distinct(quotes: Sequence[Quote]) -> list[Quote]:
    """Without those that say again what one before them says: documents pass on each other's sentences."""
    kept: list[Quote] = []
    for quote in quotes:
        said = plain("".join("".join(quote.sentences).split()))
        if not any(said in plain("".join("".join(other.sentences).split())) for other in kept):
            kept.append(quote)
    return kept


def whole(hit: Hit) -> str:
    return "\n".join((hit.document.facts.title, *hit.heading, hit.text))


def _is_district(hit: Hit) -> bool:
    region = hit.document.facts.region
    return region is not None and not region.endswith("00")
