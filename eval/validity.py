"""Whether old texts answer for today, and whether each day is answered by the text of that day.

The pairs come from `eval.validity_pairs`, the dates from `eval.validity_truth`. An answer that says 曾有规定 and shows
the old text as not in force (`Status.EXPIRED`) is no stale answer; every other citation of an ended text is, also of
one that is no part of the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.records import Answer, Hit, Question, Status
from eval.validity_pairs import Case
from eval.validity_truth import Held, in_force, plain_name

Ask = Callable[[Question], Answer]
Search = Callable[[Question], Sequence[Hit]]

_ENDED_WORDS = ("废止", "失效", "不再有效", "不是现行有效")
_COMING_WORDS = ("尚未生效", "尚未施行", "起施行")
_KINDS = {
    "version": "新旧版本", "repeal": "废止声明（双方均为原文）", "made": "废止声明（旧文件系仿写）",
    "namesake": "废止同名旧规定，自身有效", "coming": "施行前后", "term": "有效期届满",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What came back for one case, held against the dates. Paths are those of the collection."""

    case: Case
    status: str
    cited: tuple[str, ...]
    found: tuple[str, ...]                 # of the hits, best first
    stale: tuple[str, ...]                 # cited as an answer, ended by that day
    stale_hits: tuple[str, ...]
    early: tuple[str, ...]                 # cited or found, although their text began later
    says: str                              # text and notices

    @property
    def right(self) -> bool:
        """The text of the day was found or cited, if there is one, and no other of the pair."""
        seen = {*self.cited, *self.found}
        expired = self.status == Status.EXPIRED
        wrong = self.case.wrong & (set(self.found) if expired else seen)
        return not wrong and (not self.case.right or bool(self.case.right & seen))

    @property
    def answered(self) -> bool:
        """The answer quotes the text of the day."""
        return bool(self.case.right & set(self.cited)) and self.status in (Status.ANSWERED, Status.PARTIAL)

    @property
    def named(self) -> bool:
        """What was asked for by name is called ended, or not yet in force."""
        words = _COMING_WORDS if self.case.kind == "coming" else _ENDED_WORDS
        return _holds(self.says, self.case.named) and any(word in self.says for word in words)

    @property
    def names_successor(self) -> bool:
        return self.named and _holds(self.says, self.case.by)


@dataclass(frozen=True, slots=True)
class KindScore:
    """Counts over the cases of one kind."""

    kind: str
    pairs: int
    today: int                             # cases asked for today
    stale_answers: int                     # of these
    stale_hits: int                        # of these: an ended text among the hits
    present: int                           # of these with a right text: found or cited
    present_of: int
    as_of: int                             # cases asked for another day
    as_of_right: int
    stale_as_of: int                       # of these: a text that had ended by that day was cited
    early: int                             # of these: a text of a later version was cited or found
    answered: int                          # all cases with a right text: quoted in an answer
    answered_of: int
    named: int
    names_successor: int
    named_of: int
    successor_of: int


def judge(
    cases: Iterable[Case], ask: Ask, search: Search, *, path_of: Callable[[str], str | None],
    spans: Mapping[str, Held], today: date,
) -> Iterator[Judged]:
    """``path_of`` gives the path in the collection by document id."""
    for case in cases:
        question = Question(case.question, as_of=case.as_of)
        answer = ask(question)
        cited = _paths((citation.document for citation in answer.citations), path_of)
        lapsed = _paths((c.document for c in answer.citations if not c.in_force), path_of)
        hits = _paths((hit.document.id for hit in search(question)), path_of)
        day = case.as_of or today
        gone = {path for path in (*cited, *hits) if _ended(spans, path, day)}
        shown = set(lapsed) if answer.status is Status.EXPIRED else set()
        yield Judged(
            case, answer.status, cited, hits,
            tuple(path for path in cited if path in gone and path not in shown),
            tuple(path for path in hits if path in gone),
            tuple(dict.fromkeys(p for p in (*cited, *hits) if p in spans and day < spans[p].start)),
            "\n".join((answer.text, *answer.notices)),
        )


def _paths(ids: Iterable[str], path_of: Callable[[str], str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for id_ in ids if (path := path_of(id_))))


def _ended(spans: Mapping[str, Held], path: str, day: date) -> bool:
    return path in spans and not in_force(spans, path, day) and spans[path].start <= day


def _holds(text: str, title: str | None) -> bool:
    return title is not None and plain_name(title) in plain_name(text)


def kind_scores(judged: Sequence[Judged]) -> list[KindScore]:
    """In the order in which kinds first come, then all of them together as ``all``."""
    kinds = dict.fromkeys(one.case.kind for one in judged)
    scores = [_score(kind, [one for one in judged if one.case.kind == kind]) for kind in kinds]
    return [*scores, _score("all", judged)]


def _score(kind: str, judged: Sequence[Judged]) -> KindScore:
    now = [one for one in judged if one.case.as_of is None]
    then = [one for one in judged if one.case.as_of is not None]
    wanted = [one for one in judged if one.case.right]
    named = [one for one in judged if one.case.named]
    return KindScore(
        kind=kind,
        pairs=len({(one.case.kind, one.case.pair) for one in judged}),
        today=len(now),
        stale_answers=sum(bool(one.stale) for one in now),
        stale_hits=sum(bool(one.stale_hits) for one in now),
        present=sum(bool(one.case.right & {*one.cited, *one.found}) for one in now if one.case.right),
        present_of=sum(bool(one.case.right) for one in now),
        as_of=len(then),
        as_of_right=sum(one.right for one in then),
        stale_as_of=sum(bool(one.stale) for one in then),
        early=sum(bool(one.early) for one in then),
        answered=sum(one.answered for one in wanted),
        answered_of=len(wanted),
        named=sum(one.named for one in named),
        names_successor=sum(one.names_successor for one in named),
        named_of=len(named),
        successor_of=sum(one.case.by is not None for one in named),
    )


def problem(one: Judged) -> str | None:
    """What is wrong with it, in a few words for a person; None when nothing is."""
    if one.stale:
        return f"引用了已不再有效的 {'、'.join(one.stale)}"
    if one.stale_hits:
        return f"检索到已不再有效的 {'、'.join(one.stale_hits)}"
    if not one.right:
        wrong = one.case.wrong & {*one.cited, *one.found}
        return f"用了当日无效的 {'、'.join(sorted(wrong))}" if wrong else "没有找到当日有效的文本"
    if one.case.named and not one.named:
        return "没有说明已废止或尚未施行"
    if one.case.by and not one.names_successor:
        return "没有说明由什么替代"
    return None


def validity_lines(scores: Sequence[KindScore]) -> Iterator[str]:
    """The table for a person."""
    for score in scores:
        yield f"{_KINDS.get(score.kind, '合计')}：{score.pairs} 对，{score.today + score.as_of} 问"
        if score.today:
            yield (
                f"  问今天 {score.today}：失效文本作答 {score.stale_answers}，检索到失效文本 {score.stale_hits}"
                f"，现行文本在前十或被引用 {_share(score.present, score.present_of)}"
            )
        if score.as_of:
            yield (
                f"  问某一天 {score.as_of}：正确 {_share(score.as_of_right, score.as_of)}"
                f"，当日已失效的作答 {score.stale_as_of}，见到后来才有的文本 {score.early}"
            )
        if score.answered_of:
            yield f"  以当日有效文本作答 {_share(score.answered, score.answered_of)}"
        if score.named_of:
            yield (
                f"  说明已废止或尚未施行 {_share(score.named, score.named_of)}"
                f"，并说明由什么替代 {_share(score.names_successor, score.successor_of)}"
            )


def _share(count: int, of: int) -> str:
    return f"{count}/{of}（{count / of:.3f}）" if of else "0/0"
