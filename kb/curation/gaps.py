"""What nobody could answer well, as tasks: questions about one matter make a gap, which a unit has to close.

A question is a gap's when it got no answer, when its answer speaks of little of it, or when somebody called the answer
wrong or outdated. A gap closes when each of its questions passes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np
from sqlalchemy import Connection, func, insert, or_, select, update

from core.errors import NotFound, PolicyDeskError
from core.records import Answer, Question, Status, Verdict
from kb.curation.gap_groups import MOST, Matrix, groups, middle
from kb.log.answers import Kept, kept_of, load_all, same_answer
from kb.log.audit import record, start_of, utc_now
from kb.schema import answers, feedback, gap_questions, gaps
from kb.tokens import plain

_DISPUTED = (Verdict.WRONG, Verdict.OUTDATED)
_BY_ENTRY = "faq"                # such an answer's confidence is a likeness, and says nothing of what it leaves out


class GapKind(StrEnum):
    """Why a question is one; the first that holds."""

    DISPUTED = "disputed"
    UNANSWERED = "unanswered"
    LOW_CONFIDENCE = "low_confidence"


class GapState(StrEnum):
    """Where a gap stands."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Gap:
    """One task."""

    id: str
    title: str                   # the question that is most like the others
    kind: GapKind
    state: GapState
    owner: str | None
    due: date | None
    opened_at: datetime          # UTC
    closed_at: datetime | None
    note: str
    questions: int               # asked, the same several times counted each time


@dataclass(frozen=True, slots=True)
class Mining:
    """What counts and how it is grouped."""

    since: date | None           # answers from this local day on; None: all
    low_confidence: float
    likeness: float


@dataclass(frozen=True, slots=True)
class Mined:
    """What a run found."""

    opened: tuple[str, ...]      # ids of gaps
    joined: int                  # answers whose question an open gap holds already, or one much like it
    left: int                    # distinct questions that are for the next run


@dataclass(frozen=True, slots=True)
class Concern:
    """One answer that did not do, and why."""

    kept: Kept
    kind: GapKind

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """Questions with the same are the same."""
        question = self.kept.question
        words = "".join(filter(str.isalnum, plain(question.text)))
        return words, question.region or "", question.national, question.role


@dataclass(frozen=True, slots=True)
class _Matter:
    """Answers to one question."""

    concerns: tuple[Concern, ...]

    @property
    def text(self) -> str:
        return self.concerns[0].kept.question.text

    @property
    def place(self) -> tuple[str, bool]:
        """Gaps do not hold for several places: another unit is responsible there."""
        _, region, national, _ = self.concerns[0].key
        return region, national


# mining


@dataclass(frozen=True, slots=True)
class Opening:
    """A gap to be."""

    title: Question
    owner: str | None
    concerns: tuple[Concern, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do."""

    joining: tuple[tuple[str, tuple[Concern, ...]], ...]     # id of the open gap
    opening: tuple[Opening, ...]
    left: int


def plan(
    connection: Connection, settings: Mining, *,
    likeness: Callable[[Sequence[str]], Matrix], owner_of: Callable[[Question], str | None],
) -> Plan:
    """Where every question belongs that is in no gap yet: to an open one, or to a new one.

    ``likeness`` is that of each two of some texts, ``owner_of`` the unit that is to answer a question. Nothing is
    written, and nobody has to wait: grouping 4,000 questions takes seconds.
    """
    fresh = _matters(_concerns(connection, settings))
    taken = fresh[:MOST]
    known = [(gap.id, matter) for gap in list_gaps(connection, [GapState.OPEN])
             for matter in _matters(_concerns_of(connection, gap.id))]
    by_key = {matter.concerns[0].key: name for name, matter in known}
    joining: list[tuple[str, tuple[Concern, ...]]] = []
    rest = []
    for matter in taken:
        name = by_key.get(matter.concerns[0].key)
        if name is None:
            rest.append(matter)
        else:
            joining.append((name, matter.concerns))
    opening: list[Opening] = []
    for place in dict.fromkeys(matter.place for matter in rest):
        new = [matter for matter in rest if matter.place == place]
        old = [(name, matter) for name, matter in known if matter.place == place][: MOST - len(new)]
        alike = likeness([matter.text for matter in (*new, *(matter for _, matter in old))])
        alone = []
        for row, matter in enumerate(new):
            name = _nearest([name for name, _ in old], alike[row, len(new) :], settings.likeness)
            if name is None:
                alone.append(row)
            else:
                joining.append((name, matter.concerns))
        among = alike[np.ix_(alone, alone)]
        for group in groups(among, settings.likeness):
            title = new[alone[middle(among, group)]].concerns[0].kept.question
            some = tuple(concern for member in group for concern in new[alone[member]].concerns)
            opening.append(Opening(title, owner_of(title), some))
    return Plan(tuple(joining), tuple(opening), len(fresh) - len(taken))


def carry_out(connection: Connection, who: str, planned: Plan, *, days: int) -> Mined:
    """What waits to join a gap that was closed meanwhile is left for the next run."""
    still_open = {gap.id for gap in list_gaps(connection, [GapState.OPEN])}
    joining = [(name, concerns) for name, concerns in planned.joining if name in still_open]
    for name, concerns in joining:
        _hold(connection, name, concerns)
        record(connection, who, "gap.join", name, {"answers": [concern.kept.id for concern in concerns]})
    opened = tuple(_open(connection, who, one, days) for one in planned.opening)
    return Mined(opened, sum(len(concerns) for _, concerns in joining), planned.left)


def _concerns(connection: Connection, settings: Mining) -> list[Concern]:
    """Of answers that belong to no gap, the earliest first."""
    disputed = select(feedback.c.answer_id).where(feedback.c.verdict.in_(_DISPUTED))
    c = answers.c
    query = select(answers).where(
        c.id.not_in(select(gap_questions.c.answer_id)),
        or_(
            c.status == Status.NO_EVIDENCE, c.id.in_(disputed),
            (c.status == Status.ANSWERED) & (c.confidence < settings.low_confidence),
        ),
    )
    if settings.since is not None:
        query = query.where(c.at >= start_of(settings.since))
    complained = set(connection.scalars(disputed))
    rows = connection.execute(query.order_by(c.at, c.id))
    found = (Concern(kept, _kind(kept, complained)) for kept in map(kept_of, rows))
    return [one for one in found
            if one.kind is not GapKind.LOW_CONFIDENCE or one.kept.answer.made_by != _BY_ENTRY]


def _concerns_of(connection: Connection, gap_id: str) -> list[Concern]:
    query = select(gap_questions.c.answer_id).where(gap_questions.c.gap_id == gap_id)
    ids = connection.scalars(query.order_by(gap_questions.c.answer_id)).all()
    complained = set(connection.scalars(select(feedback.c.answer_id).where(feedback.c.verdict.in_(_DISPUTED))))
    kept = sorted(load_all(connection, ids), key=lambda one: (one.at, one.id))
    return [Concern(one, _kind(one, complained)) for one in kept]


def _kind(kept: Kept, complained: set[str]) -> GapKind:
    if kept.id in complained:
        return GapKind.DISPUTED
    return GapKind.UNANSWERED if kept.answer.status is Status.NO_EVIDENCE else GapKind.LOW_CONFIDENCE


def _matters(concerns: Sequence[Concern]) -> list[_Matter]:
    found: dict[tuple[str, str, bool, str], list[Concern]] = {}
    for concern in concerns:
        found.setdefault(concern.key, []).append(concern)
    return [_Matter(tuple(some)) for some in found.values()]


def _nearest(names: Sequence[str], alike: Matrix, least: float) -> str | None:
    """The gap whose questions are on average the most alike, when that is enough."""
    values: dict[str, list[float]] = {}
    for name, value in zip(names, alike, strict=True):
        values.setdefault(name, []).append(float(value))
    best = max(values, key=lambda name: (sum(values[name]) / len(values[name]), name), default=None)
    return best if best is not None and sum(values[best]) / len(values[best]) >= least else None


def _open(connection: Connection, who: str, one: Opening, days: int) -> str:
    name, now = uuid.uuid4().hex[:16], utc_now()
    kinds = {concern.kind for concern in one.concerns}
    kind = next(kind for kind in GapKind if kind in kinds)
    due = date.today() + timedelta(days=days)
    connection.execute(insert(gaps), [{
        "id": name, "title": one.title.text, "kind": kind, "state": GapState.OPEN, "owner": one.owner, "due": due,
        "opened_at": now, "note": "",
    }])
    _hold(connection, name, one.concerns)
    record(connection, who, "gap.open", name, {
        "title": one.title.text, "kind": kind, "owner": one.owner, "due": due.isoformat(),
        "questions": len(one.concerns),
    })
    return name


def _hold(connection: Connection, gap_id: str, concerns: Sequence[Concern]) -> None:
    connection.execute(insert(gap_questions), [
        {"gap_id": gap_id, "answer_id": concern.kept.id} for concern in concerns
    ])


# reading and changing


def list_gaps(connection: Connection, states: Sequence[GapState]) -> list[Gap]:
    """What is due first comes first."""
    count = (
        select(func.count()).select_from(gap_questions).where(gap_questions.c.gap_id == gaps.c.id).scalar_subquery()
    )
    rows = connection.execute(
        select(gaps, count.label("questions")).where(gaps.c.state.in_(states))
        .order_by(gaps.c.state.desc(), gaps.c.due, gaps.c.opened_at, gaps.c.id)
    )
    return [
        Gap(row.id, row.title, GapKind(row.kind), GapState(row.state), row.owner, row.due, row.opened_at, row.closed_at,
            row.note, row.questions)
        for row in rows
    ]


def load_gap(connection: Connection, gap_id: str) -> Gap:
    """Raises `NotFound`."""
    for gap in list_gaps(connection, list(GapState)):
        if gap.id == gap_id:
            return gap
    raise NotFound(f"没有编号为 {gap_id} 的缺口。用 policydesk gaps list 查看编号")


def concerns_of(connection: Connection, gap_id: str) -> list[Concern]:
    """The answers of a gap, the earliest first. Raises `NotFound`."""
    load_gap(connection, gap_id)
    return _concerns_of(connection, gap_id)


def assign(connection: Connection, who: str, gap_id: str, owner: str, due: date | None) -> None:
    """Raises `NotFound`, and `PolicyDeskError` for one that is closed."""
    before = _opened(connection, gap_id)
    after = due or before.due
    connection.execute(update(gaps).where(gaps.c.id == gap_id).values(owner=owner, due=after))
    record(connection, who, "gap.assign", gap_id, {
        "before": {"owner": before.owner, "due": before.due}, "after": {"owner": owner, "due": after},
    })


@dataclass(frozen=True, slots=True)
class Retried:
    """A question of a gap, asked again."""

    question: Question
    kind: GapKind
    answer: Answer
    passed: bool


def retry(
    concerns: Sequence[Concern], ask: Callable[[Question], Answer], *, low_confidence: float
) -> Iterator[Retried]:
    """Each question once, as it was asked.

    It passes when it is answered with enough confidence, and otherwise than any answer that was disputed.
    """
    for matter in _matters(concerns):
        first = matter.concerns[0]
        answer = ask(first.kept.question)
        disputed = [one.kept.answer for one in matter.concerns if one.kind is GapKind.DISPUTED]
        sure = answer.made_by == _BY_ENTRY or answer.confidence >= low_confidence or bool(disputed)
        passed = answer.status is Status.ANSWERED and sure and not any(_same_words(answer, one) for one in disputed)
        yield Retried(first.kept.question, first.kind, answer, passed)


def close(connection: Connection, who: str, gap_id: str, retried: Sequence[Retried], note: str) -> bool:
    """Close a gap all of whose questions pass; False, and nothing changes but the log, when one does not.

    Raises `NotFound`, and `PolicyDeskError` for one that is closed already.
    """
    _opened(connection, gap_id)
    failing = [one for one in retried if not one.passed]
    if not failing:
        closed = {"state": GapState.CLOSED, "closed_at": utc_now(), "note": note}
        connection.execute(update(gaps).where(gaps.c.id == gap_id).values(**closed))
    record(connection, who, "gap.fail" if failing else "gap.close", gap_id, {
        "note": note, "passed": len(retried) - len(failing), "failing": [one.question.text for one in failing],
    })
    return not failing


def _opened(connection: Connection, gap_id: str) -> Gap:
    gap = load_gap(connection, gap_id)
    if gap.state is GapState.CLOSED:
        raise PolicyDeskError(f"缺口 {gap_id} 已经办结")
    return gap


def _same_words(one: Answer, other: Answer) -> bool:
    """The same answer, or the same text from another revision."""
    return same_answer(one, other) or (one.status, one.text) == (other.status, other.text)
