"""A question and the sentences of the articles found for it -> numbers that say how well each answers.

None of them knows which document a sentence is of: what a ranker learns from one body of documents holds for another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Hit
from kb.features import (
    AskedTerms,
    Numbers,
    bm25,
    counts_in,
    covered,
    longest_run,
    numbering,
    numbers,
    pair_counts,
    places_of,
    shares,
)
from kb.static_encoder import StaticEncoder
from kb.tokens import plain
from qa.places import Place
from qa.select_asked import CUES, PHRASES, beside_asking, first_sought, phrases_sought, shapes_of, sought_by
from qa.select_units import ITEM, Unit, answering, headings_above, units_of

_ARTICLES = 8                # looked into; of 616 questions 93 % have their answer in the first eight, 95 % in twenty
_SENTENCES = 110             # of all of them; more cost time and held no more answers
_SIGNS = re.compile("[，；：、,;]")
_LEVEL = re.compile(r"(?:特别行政区|(?:维吾尔|壮族|回族)?自治区|(?:[^自]{1,8}族)*自治州|地区|[省市区县盟])$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, ready to be held against sentences."""

    text: str
    terms: AskedTerms
    vector: Numbers              # of meaning
    places: tuple[Place, ...]    # that it names, by the names without their level


@dataclass(frozen=True, slots=True)
class Sentences:
    """What may answer, in the order of the articles."""

    hits: tuple[Hit, ...]
    units: tuple[tuple[Unit, ...], ...]      # of each article
    article: tuple[int, ...]                 # of each sentence: place among ``hits``
    unit: tuple[int, ...]                    # and among the units of its article
    above: tuple[str, ...]                   # headings it stands under
    names: tuple[str, ...]                   # of the columns
    table: Numbers                           # shape (sentences, columns)

    def __len__(self) -> int:
        return len(self.article)

    def text(self, place: int) -> str:
        unit = self.unit_of(place)
        return self.hits[self.article[place]].text[unit.start : unit.end]

    def unit_of(self, place: int) -> Unit:
        return self.units[self.article[place]][self.unit[place]]

    def column(self, name: str) -> Numbers:
        return np.asarray(self.table[:, self.names.index(name)], dtype=np.float32)


def sentences_of(asked: Asked, hits: Sequence[Hit], encoder: StaticEncoder) -> Sentences | None:
    """Of the first articles; None when they hold nothing."""
    found = _Found(asked, hits)
    if not found.texts:
        return None
    columns = _article_columns(found) | _word_columns(found) | _meaning_columns(found, encoder)
    columns |= _place_columns(found) | _form_columns(found)
    table = np.stack([np.asarray(column, dtype=np.float32) for column in columns.values()], axis=1)
    return Sentences(
        tuple(found.hits), tuple(map(tuple, found.units)), tuple(found.article.tolist()), tuple(found.unit),
        tuple(found.above), tuple(columns), table,
    )


def bare_place(name: str) -> str:
    """甘肃 for 甘肃省, which texts say either way."""
    return _LEVEL.sub("", name) or name


class _Found:
    """The sentences, and which pairs of the question's characters stand where."""

    def __init__(self, asked: Asked, hits: Sequence[Hit]) -> None:
        self.asked = asked
        self.hits: list[Hit] = []
        self.units: list[list[Unit]] = []
        self.unit: list[int] = []
        self.texts: list[str] = []
        self.above: list[str] = []
        self.before: list[str] = []
        self.place: list[int] = []           # among the sentences of its article that can answer
        self.sizes: list[int] = []
        article: list[int] = []
        for hit in hits[:_ARTICLES]:
            units = units_of(hit.text)
            able = answering(units)
            self.hits.append(hit)
            self.units.append(units)
            for number, place in enumerate(able):
                unit = units[place]
                article.append(len(self.hits) - 1)
                self.unit.append(place)
                self.texts.append(hit.text[unit.start : unit.end])
                self.above.append(headings_above(hit.text, units, place))
                last = units[place - 1] if place and place - 1 != unit.above else None
                self.before.append(hit.text[last.start : last.end] if last else "")
                self.place.append(number)
                self.sizes.append(len(able))
            if len(self.texts) > _SENTENCES:
                break
        self.article = np.array(article, dtype=np.intp)
        self.plain = [plain(text) for text in self.texts]
        self.lengths = numbers([len(text) for text in self.plain])
        self.titles = [plain(hit.document.facts.title) for hit in self.hits]
        self.headings = [plain(" ".join(hit.heading)) for hit in self.hits]
        self.document = numbering([hit.document.id for hit in self.hits])
        pairs = asked.terms.pairs
        self.counts = pair_counts(pairs, self.plain)
        self.holds = self.counts > 0
        self.in_title = pair_counts(pairs, self.titles) > 0
        self.in_heading = pair_counts(pairs, self.headings) > 0
        self.in_article = pair_counts(pairs, [plain(hit.text) for hit in self.hits]) > 0
        self.in_above = pair_counts(pairs, [plain(text) for text in self.above]) > 0
        self.in_before = pair_counts(pairs, [plain(text) for text in self.before]) > 0
        self.weights = asked.terms.pair_weights
        # what is rare among these sentences tells them apart, however rare it is elsewhere
        spread = np.log((len(self.texts) + 1) / (self.holds.sum(axis=0) + 0.5)).clip(0)
        self.local = (self.weights * spread).astype(np.float32)


def _article_columns(found: _Found) -> dict[str, Numbers]:
    """How good the article and its document are."""
    score = numbers([hit.score for hit in found.hits])
    article, weights = found.article, found.weights
    above = found.in_title | found.in_heading
    held = np.zeros((int(found.document.max()) + 1, len(weights)), dtype=bool)
    np.logical_or.at(held, found.document, found.in_article | above)
    whole = covered(held, weights)[found.document]
    missing = np.where(held, np.float32(0), weights).max(axis=1, initial=0.0)[found.document]
    return {
        "rank": article.astype(np.float32),
        "score": score[article],
        "score_gap": (score - score[0])[article],
        "title_p": covered(found.in_title, weights)[article],
        "head_p": covered(found.in_heading[article] | found.in_above, weights),
        "art_p": covered(found.in_article | above, weights)[article],
        "doc_p": whole[article],
        "doc_p_lead": (whole - whole.max())[article],
        "doc_miss": missing[article],
        "doc_crowd": np.bincount(found.document)[found.document][article].astype(np.float32),
        "kind_rank": numbers([hit.document.facts.rank for hit in found.hits])[article],
    }


def _word_columns(found: _Found) -> dict[str, Numbers]:
    """How much of the question stands in the sentence, under what it stands, and what of the rest the title leaves."""
    holds, above, weights, local = found.holds, found.in_above, found.weights, found.local
    title = found.in_title[found.article]
    near = holds | found.in_before | above
    score, local_score = bm25(found.counts, weights, found.lengths * 2), bm25(found.counts, local, found.lengths * 2)
    local_share = shares(local_score)
    best = np.zeros(len(found.hits), dtype=np.float32)
    np.maximum.at(best, found.article, local_share)
    run, run_above = longest_run(holds), longest_run(above)
    words = counts_in(found.asked.terms.words, found.plain)
    word_weights = found.asked.terms.word_weights
    in_title = counts_in(found.asked.terms.words, found.titles)[found.article]
    rest = np.where(title, np.float32(0), weights)
    beside = plain(beside_asking(found.asked.text))
    wanted = np.array([pair in beside for pair in found.asked.terms.pairs], dtype=np.float32)
    columns = {
        "beside": covered(holds, weights * wanted), "beside_loc": covered(holds | above, local * wanted),
        "p_cov": covered(holds, weights), "p_loc": covered(holds, local), "w_cov": covered(words, word_weights),
        "union_p": covered(holds | title | found.in_heading[found.article] | above, weights),
        "union_w": covered((words > 0) | (in_title > 0), word_weights),
        "near_p": covered(near, weights), "near_loc": covered(near, local),
        "hs_p": covered(above, weights), "hs_loc": covered(above & ~holds, local),
        "hb_p": covered(holds | above, weights), "hb_loc": covered(holds | above, local),
        "prev_only": covered(found.in_before & ~holds, local),
        "rest_cov": _share(rest, holds), "rest_near": _share(rest, holds | above),
        "rest_share": rest.sum(axis=1) / max(float(weights.sum()), 1e-3),
        "restl_cov": _share(np.where(title, np.float32(0), local), holds),
        "bm_p": score, "bm_share": shares(score), "bm_place": places_of(score),
        "bm_loc": local_score, "bml_share": local_share, "bml_place": places_of(local_score),
        "art_best": best[found.article], "in_art": local_share - best[found.article],
        "run": run, "run_share": run / max(1, len(weights)), "run_lead": run - run.max(),
        "runh": run_above, "runh_share": run_above / max(1, len(weights)), "run_best": np.maximum(run, run_above),
        "dens": found.counts.sum(axis=1) / np.maximum(found.lengths - 1, 1),
        "terms": covered(counts_in(found.asked.terms.terms, found.plain), found.asked.terms.term_weights),
    }
    return {name: column.astype(np.float32) for name, column in columns.items()}


def _meaning_columns(found: _Found, encoder: StaticEncoder) -> dict[str, Numbers]:
    meaning = encoder.embed(found.texts) @ found.asked.vector
    placed = [place for place, text in enumerate(found.above) if text]
    under = meaning.copy()
    if placed:
        under[placed] = encoder.embed([found.above[n] + found.texts[n] for n in placed]) @ found.asked.vector
    return {"dense": meaning, "dense_lead": meaning - meaning.max(), "dense_h": under}


def _place_columns(found: _Found) -> dict[str, Numbers]:
    """Whether the places that the question names are those of the document."""
    places = [place for place in found.asked.places if not place.origin]
    names = [place.name for place in places]
    regions = [hit.document.facts.region for hit in found.hits]
    titles = [hit.document.facts.title + " ".join(hit.heading) for hit in found.hits]
    named = [all(name in title + hit.text for name in names) for title, hit in zip(titles, found.hits, strict=True)]
    clash = [_clash(places, region) for region in regions]
    same = [_same(places, region) for region in regions]
    return {
        "pl_n": np.full(len(found.texts), len(names), dtype=np.float32),
        "pl_title": numbers([any(name in title for name in names) for title in titles])[found.article],
        "pl_art": numbers(named)[found.article],
        "pl_sent": numbers([all(name in text for name in names) for text in found.texts]),
        "pl_clash": numbers(clash)[found.article],
        "pl_same": numbers(same)[found.article],
    }


def _form_columns(found: _Found) -> dict[str, Numbers]:
    """Length, place and kind of the sentence, and whether it holds the kind of thing that is asked for."""
    texts = found.texts
    signs = set(plain(found.asked.text))
    new = numbers([sum(sign not in signs for sign in text) for text in found.plain])
    inside = [
        hit.chunk[0] - hit.start <= found.units[a][u].start < hit.chunk[1] - hit.start
        for a, u, hit in ((a, u, found.hits[a]) for a, u in zip(found.article.tolist(), found.unit, strict=True))
    ]
    columns = {
        "len": np.log1p(found.lengths), "pos": numbers(found.place), "nun": numbers(found.sizes),
        "pos_rel": numbers(found.place) / numbers(found.sizes),
        "item": numbers([bool(ITEM.match(text)) for text in texts]),
        "prev_ask": numbers([text.endswith(("？", "?")) for text in found.above]),
        "clauses": numbers([len(_SIGNS.findall(text)) for text in texts]),
        "in_chunk": numbers(inside),
        "qlen": np.full(len(texts), len(found.asked.text), dtype=np.float32),
        "new": new, "newshare": new / np.maximum(found.lengths, 1),
    }
    columns |= {f"says_{name}": numbers([len(cue.findall(text)) for text in texts]) for name, cue in CUES.items()}
    shapes = shapes_of(found.asked.text)
    columns |= {f"asks_{name}": np.full(len(texts), holds, dtype=np.float32) for name, holds in shapes.items()}
    sought = sought_by(found.asked.text)
    has = np.array([[bool(one.answers.search(text)) for one in sought] for text in texts], dtype=np.float32)
    has = has.reshape(len(texts), len(sought))
    columns["t_hit"], columns["t_miss"] = has.sum(axis=1), (1 - has).sum(axis=1)
    columns["t_share"] = columns["t_hit"] / max(1, len(sought))
    columns["phrase"] = _holds_phrase(found)
    first = first_sought(found.asked.text)
    columns["first_kind"] = numbers([0.5 if first is None else bool(first.answers.search(text)) for text in texts])
    return columns


def _holds_phrase(found: _Found) -> Numbers:
    """Whether a sentence holds what alone may be the answer, such as a sum; a half where no such thing is asked for."""
    names = phrases_sought(found.asked.text)[:1]
    if not names:
        return np.full(len(found.texts), 0.5, dtype=np.float32)
    return numbers([bool(PHRASES[names[0]].search(text)) for text in found.texts])


def _share(weights: Numbers, holds: NDArray[np.bool_]) -> Numbers:
    return np.asarray((weights * holds).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-3), dtype=np.float32)


def _clash(places: Sequence[Place], region: str | None) -> bool:
    """Another province than any that is named."""
    codes = [place.code for place in places if place.code]
    return bool(region and codes) and all(code[:2] != str(region)[:2] for code in codes)


def _same(places: Sequence[Place], region: str | None) -> bool:
    """The city that is named, or one of a province and the other in it."""
    if not region:
        return False
    codes = [place.code for place in places if place.code and place.code[:2] == region[:2]]
    return any(code[:4] == region[:4] or "0000" in (code[2:], region[2:]) for code in codes)
