"""Search with stages switched on and off -> what each is worth, on the same questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.gold import GoldQuestion
from eval.measures import Group, headline, paired
from eval.retrieval import Search, evaluate_retrieval

STAGES = {"terms": "词语扩展", "dense": "向量", "graph": "图谱", "rerank": "重排"}
"""What may be added to the sparse list, in the order of the pipeline, and what it is called."""


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One setting of the stages."""

    name: str
    overall: Group
    kinds: Mapping[str, Group]
    ranks: tuple[int | None, ...]      # of the first gold of each question
    gain: Group                        # its measures minus the first row's, question by question
    milliseconds: float                # per question, mean


def settings(available: Sequence[str]) -> dict[str, frozenset[str]]:
    """Name of a setting -> the stages that are on: none, each alone, all, all but one. ``available`` as in `STAGES`."""
    every = frozenset(available)
    rows: dict[str, frozenset[str]] = {"仅词项": frozenset()}
    rows |= {f"＋{STAGES[stage]}": frozenset({stage}) for stage in available}
    if len(available) > 1:
        rows["全部"] = every
    if len(available) > 2:
        rows |= {f"全部－{STAGES[stage]}": every - {stage} for stage in available}
    return rows


def ablate(questions: Sequence[GoldQuestion], searches: Mapping[str, Search], *, depth: int = 100) -> list[AblationRow]:
    """One row per search, in order; all questions asked to each."""
    rows: list[AblationRow] = []
    first = None
    for name, search in searches.items():
        result = evaluate_retrieval(questions, search, depth=depth)
        first = first or result.scores.per_query
        rows.append(AblationRow(
            name, result.scores.overall, result.scores.kinds, result.ranks,
            paired(result.scores.per_query, first), result.seconds * 1000 / max(len(questions), 1),
        ))
    return rows


def ablation_lines(rows: Sequence[AblationRow], *, by_document: bool) -> Iterator[str]:
    """Markdown: each mean, and its gain over the first row with ``*`` where the gain's interval leaves out 0."""
    if not rows:
        return
    names = headline(rows[0].overall, by_document=by_document)
    yield "| " + " | ".join(["环节", *names.values(), "毫秒/问"]) + " |"
    yield "|" + " --- |" * (len(names) + 2)
    for row in rows:
        cells = [gain_cell(row, measure) for measure in names]
        yield "| " + " | ".join([row.name, *cells, f"{row.milliseconds:.1f}"]) + " |"


def gain_cell(row: AblationRow, measure: str) -> str:
    """``0.553 (+0.046*)``; the first row, and one that changes nothing, without a gain."""
    gain = row.gain.means[measure]
    low, high = row.gain.intervals[measure]
    sure = "*" if low > 0 or high < 0 else ""
    return f"{row.overall.means[measure]:.3f}" + (f" ({gain:+.3f}{sure})" if round(gain, 3) else "")
