"""Retrieval measures of a run. ir-measures computes them; here gold and run are only made ready for it.

A gold article may stand in the base more than once (versions with the same text). All its refs are
replaced by its first one in gold and run, and a repeat further down is dropped, so that whichever
version is found counts, and counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.gold import GoldQuestion, document_name, trec_ref

MEASURES = (
    "R@1", "R@5", "R@10", "R@20", "R@100", "Success@1", "Success@5", "Success@10", "RR@10", "nDCG@10",
)
"""Names as ir-measures spells them; its pages give the formulas, https://ir-measur.es/en/latest/measures.html.

R@k        gold articles among the first k over all gold articles of the question
Success@k  1 when at least one is among the first k, else 0; also called hit@k
RR@10      1 / rank of the first one, 0 beyond rank 10; its mean is MRR@10 (Kantor and Voorhees, TREC 1999)
nDCG@10    sum of 1 / log2(rank + 1) over the gold articles found, divided by that sum for a perfect order
           (Järvelin and Kekäläinen, TOIS 2002)

Where gold names documents, ranks are of distinct documents, so that Success@1 is "document first".
"""

# What is shown first, with what it is called in Chinese.
BY_ARTICLE = {
    "R@10": "前十召回", "R@100": "前百召回", "RR@10": "MRR@10", "nDCG@10": "nDCG@10", "Success@1": "首条命中",
    "Success@10": "前十命中",
}
BY_DOCUMENT = {
    "Success@1": "文件居首", "Success@10": "文件前十", "RR@10": "MRR@10", "Span@10": "答案条文前十",
    "Chunk@10": "答案片段前十",
}

RESAMPLES = 1000
SEED = 17

Run = Mapping[str, Sequence[str]]  # question id -> refs, best first
PerQuery = Mapping[str, Mapping[str, float]]  # question id -> measure -> value
_NONE: PerQuery = {}


@dataclass(frozen=True, slots=True)
class Group:
    """Means over ``n`` questions, each with its 95 % interval (low, high)."""

    n: int
    means: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a run is worth, over all questions that have gold and per kind of question."""

    overall: Group
    kinds: Mapping[str, Group]                       # by label: kind, set, wording
    per_query: PerQuery
    without_gold: int                                # questions left out, since nothing is correct


def score(
    questions: Sequence[GoldQuestion], run: Run, *, seed: int = SEED, more: PerQuery = _NONE
) -> Scores:
    """All `MEASURES`, and what ``more`` holds per question. A question that has gold and is missing from the run
    counts as 0 everywhere."""
    judged = [question for question in questions if question.gold]
    per_query = {name: {**values, **more.get(name, {})} for name, values in _per_query(judged, run).items()}
    kinds = {
        label: summarise([per_query[question.id] for question in judged if label in question.labels], seed=seed)
        for label in sorted({label for question in judged for label in question.labels})
    }
    overall = summarise(list(per_query.values()), seed=seed)
    return Scores(overall, kinds, per_query, without_gold=len(questions) - len(judged))


def summarise(rows: Sequence[Mapping[str, float]], *, seed: int = SEED) -> Group:
    """Means of the measures that all rows have, with percentile bootstrap intervals; no rows give no means.

    Questions are drawn with replacement `RESAMPLES` times; the interval runs from the 2.5th to the 97.5th
    percentile of the means. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13.
    """
    if not rows:
        return Group(0, {}, {})
    names = [name for name in rows[0] if all(name in row for row in rows)]
    values = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
    random = np.random.default_rng(seed)
    draws = [values[random.integers(0, len(rows), len(rows))].mean(axis=0) for _ in range(RESAMPLES)]
    low, high = np.percentile(np.stack(draws), [2.5, 97.5], axis=0)
    means = dict(zip(names, values.mean(axis=0).tolist(), strict=True))
    return Group(len(rows), means, dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True)))


def paired(ours: PerQuery, theirs: PerQuery, *, seed: int = SEED) -> Group:
    """Our measures minus theirs on our questions: an interval without 0 is a difference that is not chance."""
    return summarise([
        {name: value - theirs[question][name] for name, value in values.items() if name in theirs[question]}
        for question, values in ours.items()
    ], seed=seed)


def headline(group: Group, *, by_document: bool) -> dict[str, str]:
    """The measures to show first that the group has, and their Chinese names."""
    names = BY_DOCUMENT if by_document else BY_ARTICLE
    return {measure: name for measure, name in names.items() if measure in group.means}


def canonical_ids(question: GoldQuestion) -> dict[str, str]:
    """Every correct ref -> the id its gold article is counted under. Groups that share a ref are one article."""
    ids: dict[str, str] = {}
    for group in question.gold:
        refs = [counted_ref(question, ref) for ref in group]
        canonical = next((ids[ref] for ref in refs if ref in ids), refs[0])
        for ref in refs:
            ids.setdefault(ref, canonical)
    return ids


def collapse(question: GoldQuestion, refs: Iterable[str]) -> list[str]:
    """Refs as they are counted, in order, each once: the first place of a gold article is the one that counts."""
    ids = canonical_ids(question)
    counted = (counted_ref(question, ref) for ref in refs)
    return list(dict.fromkeys(ids.get(ref, ref) for ref in counted))


def counted_ref(question: GoldQuestion, ref: str) -> str:
    """The ref without white space and, where gold names documents, the name of its document."""
    plain = trec_ref(ref)
    return document_name(plain.split("#", 1)[0]) if question.by_document else plain


def _per_query(judged: Sequence[GoldQuestion], run: Run) -> dict[str, dict[str, float]]:
    import ir_measures  # 0.2 s, which only a run of the measures should pay

    qrels = {question.id: dict.fromkeys(canonical_ids(question).values(), 1) for question in judged}
    ranked = {question.id: _falling(collapse(question, run.get(question.id, ()))) for question in judged}
    table = {question.id: dict.fromkeys(MEASURES, 0.0) for question in judged}
    wanted = [ir_measures.parse_measure(name) for name in MEASURES]
    for metric in ir_measures.iter_calc(wanted, qrels, ranked):
        table[metric.query_id][str(metric.measure)] = float(metric.value)
    return table


def _falling(refs: Sequence[str]) -> dict[str, float]:
    """Scores that fall with the rank, so that the library, which sorts by score, keeps our order."""
    return {ref: float(len(refs) - place) for place, ref in enumerate(refs)}
