"""Questions and their answers -> how good the answers are. docs/answers.md says how each figure is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records import Answer, Citation, Status
from eval.answers_check import Checked, Library, check_answer, holds_in, plain_numbers, relied_on
from eval.answers_curve import Curve, curve
from eval.answers_gold import Wanted
from eval.answers_questions import Asked, Expected
from eval.answers_text import character_f1, holds, rouge_l
from eval.gold import document_name, trec_ref
from eval.latency import Latency, latency
from eval.measures import SEED, Group, summarise
from qa.turn_kind import Kind

GIVEN = (Status.ANSWERED, Status.PARTIAL)
_MOST = 0.8                  # of a gold text, in order, inside a quote of a document that says the same
TURNED_AWAY = (Kind.UNSAFE, Kind.OFF_TOPIC)


class Outcome(StrEnum):
    """What became of a question; all but RIGHT and UNJUDGED are losses."""

    RIGHT = "right"
    UNJUDGED = "unjudged"
    REFUSED = "refused"                  # though its gold answers it
    ASKED_BACK = "asked_back"            # instead of an answer
    WRONG_DOCUMENT = "wrong_document"    # no gold document is cited
    WRONG_PASSAGE = "wrong_passage"      # one is, at another place
    NUMBER_MISSING = "number_missing"    # at the right place, without a number of the gold answer
    PART = "part"                        # at the right place, but the gold answer is not there whole
    ANSWERED = "answered"                # though nothing answers
    TURNED_AWAY = "turned_away"          # a question that may be asked
    FROM_HERE = "from_here"              # another region's rule, from a document that does not hold there


@dataclass(frozen=True, slots=True)
class Judged:
    """One question, its answer and what it is worth."""

    asked: Asked
    answer: Answer
    milliseconds: float                  # on the clock, from question to answer
    wanted: Wanted
    checked: Checked
    values: Mapping[str, float]          # by measure; a measure that has no meaning here is not there
    outcome: Outcome

    @property
    def answered(self) -> bool:
        return self.answer.status in GIVEN


@dataclass(frozen=True, slots=True)
class Times:
    """One phase of answering, over the answers that went through it."""

    phase: str
    of: Latency


@dataclass(frozen=True, slots=True)
class AnswersResult:
    """One evaluation of one way of answering."""

    groups: Mapping[str, Mapping[str, Group]]    # 全部, files, labels -> measure -> its own group of one measure
    outcomes: Mapping[str, Mapping[str, int]]    # by file
    statuses: Mapping[str, Mapping[str, int]]    # by file
    made_by: Mapping[str, int]                   # of the answers given
    faults: Mapping[str, int]                    # by kind
    totals: Mapping[str, int]                    # questions, answers, citations, resolved, sentences, …
    curve: Curve | None                          # where some questions have gold and some should be refused
    times: tuple[Times, ...]
    seed: int
    seconds: float


def judge(
    asked: Asked, answer: Answer, library: Library, *, wanted: Wanted, kind: Kind, milliseconds: float
) -> Judged:
    """``wanted`` as `wanted_of` gives it, ``kind`` of the question as `qa.turn_kind` sees it."""
    checked = check_answer(asked.gold.question, answer, library)
    values, outcome = _judge(asked, answer, library, wanted, kind)
    if answer.citations:
        values["resolved"] = checked.resolved / checked.citations
    if answer.status in GIVEN:
        values["unsupported"] = 1 - checked.supported / checked.sentences if checked.sentences else 1.0
        values["wrong_number"] = float(checked.wrong_number)
    return Judged(asked, answer, milliseconds, wanted, checked, values, outcome)


def result(judged: Sequence[Judged], *, seconds: float, seed: int = SEED) -> AnswersResult:
    """The figures of at least one answer."""
    files = list(dict.fromkeys(one.asked.file for one in judged))
    labels = sorted({label for one in judged for label in one.asked.labels})
    groups = {"全部": judged}
    if len(files) > 1:
        groups |= {file: [one for one in judged if one.asked.file == file] for file in files}
    groups |= {label: [one for one in judged if label in one.asked.labels] for label in labels if label not in files}
    return AnswersResult(
        groups={name: means([one.values for one in some], seed=seed) for name, some in groups.items()},
        outcomes={file: _counts(one.outcome for one in judged if one.asked.file == file) for file in files},
        statuses={file: _counts(one.answer.status for one in judged if one.asked.file == file) for file in files},
        made_by=dict(Counter(one.answer.made_by for one in judged if one.answered)),
        faults=_counts(fault.kind for one in judged for fault in one.checked.faults),
        totals=_totals(judged),
        curve=_curve(judged),
        times=times(judged),
        seed=seed,
        seconds=seconds,
    )


def means(rows: Sequence[Mapping[str, float]], *, seed: int = SEED) -> dict[str, Group]:
    """Each measure over the rows that have it, with its interval: how many these are differs between measures."""
    names = dict.fromkeys(name for row in rows for name in row)
    alike: dict[tuple[int, ...], list[str]] = {}
    for name in names:
        alike.setdefault(tuple(n for n, row in enumerate(rows) if name in row), []).append(name)
    found: dict[str, Group] = {}
    for having, some in alike.items():
        group = summarise([{name: rows[n][name] for name in some} for n in having], seed=seed)
        for name in some:
            found[name] = Group(group.n, {name: group.means[name]}, {name: group.intervals[name]})
    return {name: found[name] for name in names}


def last(parts: Iterable[Answer]) -> Answer:
    """The whole answer, of one that grows. At least one part."""
    *_, answer = parts
    return answer


def times(judged: Iterable[Judged]) -> tuple[Times, ...]:
    """On the clock first, then each phase that the answers tell."""
    phases: dict[str, list[float]] = {"clock": []}
    for one in judged:
        phases["clock"].append(one.milliseconds / 1000)
        for name, ms in one.answer.timings_ms:
            phases.setdefault(name, []).append(ms / 1000)
    return tuple(Times(name, latency(seconds)) for name, seconds in phases.items() if seconds)


def losses(judged: Iterable[Judged]) -> Iterator[Judged]:
    """Questions that were lost, and answers with a fault."""
    for one in judged:
        if one.outcome not in (Outcome.RIGHT, Outcome.UNJUDGED) or one.checked.faults:
            yield one


def loss_row(one: Judged) -> dict[str, object]:
    """A loss as JSON values."""
    return {
        "id": one.asked.id, "file": one.asked.file, "kind": one.asked.gold.kind, "labels": one.asked.labels,
        "question": one.asked.gold.question.text, "expected": one.asked.expected.value, "outcome": one.outcome.value,
        "status": one.answer.status.value, "confidence": one.answer.confidence, "made_by": one.answer.made_by,
        "text": one.answer.text, "wanted": one.wanted.texts or one.wanted.articles, "gold": one.asked.gold.gold,
        "citations": [
            {"title": c.title, "article": c.article, "ref": c.ref, "quote": c.quote} for c in one.answer.citations
        ],
        "faults": [{"kind": f.kind.value, "said": f.said, "why": f.why} for f in one.checked.faults],
        "values": dict(one.values),
    }


def _judge(
    asked: Asked, answer: Answer, library: Library, wanted: Wanted, kind: Kind
) -> tuple[dict[str, float], Outcome]:
    given = answer.status in GIVEN
    if asked.expected is Expected.ANSWER:
        return _against_gold(asked, answer, library, wanted)
    if asked.expected is Expected.REFUSE:
        return {"right_refusal": float(not given)}, Outcome.ANSWERED if given else Outcome.RIGHT
    if asked.expected is Expected.ALLOW:
        away = answer.status is Status.UNSAFE or (not given and kind in TURNED_AWAY)
        values = {"turned_away": float(away), "answered": float(given)}
        return values, Outcome.TURNED_AWAY if away else Outcome.RIGHT
    if asked.expected is Expected.ELSEWHERE:
        from_here = given and any(not _holds_there(citation, asked, library) for citation in relied_on(answer))
        values = {"from_here": float(from_here), "answered": float(given)}
        return values, Outcome.FROM_HERE if from_here else Outcome.RIGHT
    return {"answered": float(given)}, Outcome.UNJUDGED


def _holds_there(citation: Citation, asked: Asked, library: Library) -> bool:
    """Whether the rule cited holds in the region asked about: that region's, one above it, or the country's."""
    document = library.documents.get(citation.document)
    return document is not None and asked.about is not None and holds_in(document, asked.about)


def _against_gold(
    asked: Asked, answer: Answer, library: Library, wanted: Wanted
) -> tuple[dict[str, float], Outcome]:
    given = answer.status in GIVEN
    said = "\n".join(sentence.text for sentence in answer.sentences) if given else ""
    citations = relied_on(answer) if given else ()
    quotes = "\n".join(citation.quote for citation in citations)
    gold = [_gold_cited(asked, citation, library) for citation in citations]
    values = {"false_refusal": float(not given), "asked_back": float(answer.status is Status.CLARIFY)}
    if wanted.texts:
        alike = [rouge_l(said, text) for text in wanted.texts]
        values |= {
            "rouge_l": max(f1 for f1, _ in alike), "rouge_l_recall": max(recall for _, recall in alike),
            "character_f1": max(character_f1(said, text) for text in wanted.texts),
        }
    if wanted.stands:
        in_answer = holds(said, wanted.texts)
        values |= {"in_answer": float(in_answer), "in_quotes": float(in_answer or holds(quotes, wanted.texts))}
    groups = {group for found in gold for group in found}
    named = bool(groups) or any(_same_document(asked, citation) for citation in citations)
    values["citation_recall"] = len(groups) / len(asked.gold.gold)
    if citations:
        values["citation_precision"] = sum(map(bool, gold)) / len(gold)
    inside = values.get("in_quotes") == 1
    at_place = inside or any(
        found and _touches(asked, citation, library, wanted) for found, citation in zip(gold, citations, strict=True)
    )
    if asked.gold.span is not None or not asked.gold.by_document:
        values["at_place"] = float(at_place)
    inside = inside or (not wanted.stands and at_place)
    return values, _outcome(answer.status, named, at_place, wanted.texts, said + quotes, inside=inside)


def _outcome(
    status: Status, cited: bool, at_place: bool, wanted: Sequence[str], shown: str, *, inside: bool
) -> Outcome:
    if status not in GIVEN:
        return Outcome.ASKED_BACK if status is Status.CLARIFY else Outcome.REFUSED
    if inside:
        return Outcome.RIGHT
    if not cited:
        return Outcome.WRONG_DOCUMENT
    if not at_place:
        return Outcome.WRONG_PASSAGE
    lacking = set.intersection(*(plain_numbers(text) - plain_numbers(shown) for text in wanted)) if wanted else set()
    return Outcome.NUMBER_MISSING if lacking else Outcome.PART


def _gold_cited(asked: Asked, citation: Citation, library: Library) -> set[int]:
    """Which groups of gold a citation is of."""
    document = library.documents.get(citation.document)
    if asked.gold.by_document:
        name = document_name(document.source) if document else ""
    else:
        name = trec_ref(citation.ref)
    return {n for n, group in enumerate(asked.gold.gold) if name in group}


def _same_document(asked: Asked, citation: Citation) -> bool:
    """Where gold is articles: whether a citation is of a document that one of them stands in."""
    document = trec_ref(citation.ref).partition("#")[0]
    return not asked.gold.by_document and any(
        ref.partition("#")[0] == document for group in asked.gold.gold for ref in group
    )


def _touches(asked: Asked, citation: Citation, library: Library, wanted: Wanted) -> bool:
    """Whether a citation of gold shares a character with the gold span, where there is one.

    In a document that says the same elsewhere (``also``) the place is not known: most of the gold must be in the quote.
    """
    span = asked.gold.span
    if span is None:
        return not asked.gold.by_document or not wanted.stands
    if document_name(library.documents[citation.document].source) == span.document:
        return citation.start < span.end and span.start < citation.end
    return any(rouge_l(citation.quote, text)[1] >= _MOST for text in wanted.texts)


def _counts(values: Iterable[StrEnum]) -> dict[str, int]:
    return dict(Counter(value.value for value in values))     # asdict makes nonsense of a Counter


def _totals(judged: Sequence[Judged]) -> dict[str, int]:
    checked = [one.checked for one in judged]
    return {
        "questions": len(judged),
        "answers": sum(one.answered for one in judged),
        "citations": sum(one.citations for one in checked),
        "resolved": sum(one.resolved for one in checked),
        "sentences": sum(one.sentences for one in checked),
        "supported": sum(one.supported for one in checked),
        "numbers": sum(one.numbers for one in checked),
    }


def _curve(judged: Sequence[Judged]) -> Curve | None:
    able = [one for one in judged if one.asked.expected is Expected.ANSWER]
    unable = [one for one in judged if one.asked.expected is Expected.REFUSE]
    if not able or not unable:
        return None
    return curve(
        [one.answer.confidence for one in able], [one.answer.confidence for one in unable],
        right=[one.outcome in (Outcome.RIGHT, Outcome.PART) for one in able],
        refused=[not one.answered for one in able], refused_unable=[not one.answered for one in unable],
    )
