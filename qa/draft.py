"""An answer drafted by a model from found articles, sentence by sentence: what no passage carries is not shown.

The model writes words and tokens such as A1-2; quotes, numbers of citations and every other mark are made here, from
the text of the documents. Whatever goes wrong, the answer made of quotes alone is given instead and says why.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pydantic import BaseModel, ValidationError

from core.errors import Fault, GenerationFailed
from core.ports import Generator
from core.records import Answer, Citation, Hit, Role, Sentence, Status
from qa.compose import NEAREST, marked
from qa.draft_check import Kept, asked_next, citation, kept, keyword, spoken
from qa.draft_prompt import messages, prompt_for, reply_schema
from qa.draft_sources import Offered, offered
from qa.draft_stream import Member, members
from qa.support import Support

DRAFT_LABEL = "本回答由人工智能根据已发布的政策文件起草，每句均与所引原文核对，仅供参考，请以文件原文为准"
EXTRACT = "extract"          # what made an answer of quotes alone
_FAILED = {
    Fault.DOWN: "模型服务不可用", Fault.BUSY: "模型服务繁忙", Fault.SLOW: "模型服务超时", Fault.CUT: "模型的回答中断",
    Fault.GARBAGE: "模型的回答无法读取", Fault.EMPTY: "模型没有给出回答", Fault.REFUSED: "模型服务拒绝了请求",
    Fault.OFF: "模型服务已停用", Fault.OPEN: "模型服务连续出错，暂停使用",
}
_INSTEAD = "，本回答由摘录生成"
_NOTHING_KEPT = "模型的草稿没有一句通过原文核对" + _INSTEAD
_NOTHING_OFFERED = "找到的条文不能交给模型" + _INSTEAD
_IN_PART = "所引条文只回答了问题的一部分"
_MOST = {"sentences": 8, "script": 4, "ask_next": 3, "keywords": 6}      # of each list, whatever a server does


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of the answer that is still being written."""

    sentence: Sentence
    citations: tuple[Citation, ...]      # those that no part before it has


class _Cited(BaseModel):
    text: str
    cites: list[str]


def draft(
    question: str, extracted: Answer, sources: Sequence[Hit], *,
    role: Role, generator: Generator, support: Support, day: date,
) -> Answer:
    """The answer of `drafted`, whole."""
    *_, answer = drafted(
        question, extracted, sources, role=role, generator=generator, support=support, day=day
    )
    assert isinstance(answer, Answer)
    return answer


def drafted(
    question: str, extracted: Answer, sources: Sequence[Hit], *,
    role: Role, generator: Generator, support: Support, day: date,
) -> Iterator[Part | Answer]:
    """Each sentence as soon as the passages it cites are found to carry it, and at last the answer, which stands.

    The answer is ``extracted`` when that was not made of quotes or answers nothing; and, with a notice why, when the
    model fails at any point or no sentence stays. It replaces the parts then: without what was to follow they may lack
    a condition. A model that finds the question unanswered turns the answer to no evidence, with what ``extracted``
    quotes as the nearest for an agent, and nothing for a citizen.
    """
    if extracted.made_by != EXTRACT or extracted.status not in (Status.ANSWERED, Status.PARTIAL):
        yield extracted
        return
    offers = offered(sources, extracted.citations)
    if not offers:
        yield _noticed(extracted, _NOTHING_OFFERED)
        return
    writing = _Writing(offers, role, support, day)
    failure: GenerationFailed | None = None
    try:
        pieces = generator.stream(
            prompt_for(role).task, messages(question, offers, role=role, day=day), reply_schema(role)
        )
        for member in members(pieces):
            if (part := writing.take(member)) is not None:
                yield part
        for _ in pieces:      # behind the object comes nothing, but the generator counts what came
            pass
    except GenerationFailed as error:
        failure = error
    yield writing.answer(extracted, generator.name, failure)


@dataclass(slots=True)
class _Writing:
    """What has been taken from the model so far."""

    offers: tuple[Offered, ...]
    role: Role
    support: Support
    day: date
    enough: bool = True
    whole: bool = False                      # the list of sentences has ended
    sentences: list[Sentence] = field(default_factory=list)
    script: list[Sentence] = field(default_factory=list)
    ask_next: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    citations: dict[tuple[str, int, int], Citation] = field(default_factory=dict)     # by document, start and end
    notices: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)               # elements of each list
    quoted: int = 0
    dropped: int = 0
    started: float = field(default_factory=time.perf_counter)
    first: float | None = None               # seconds to the first sentence
    verifying: float = 0.0

    def take(self, member: Member) -> Part | None:
        """A part, where the member is a sentence that stays."""
        if member.closed:
            self.whole = self.whole or member.key == "sentences"
            return None
        self.seen[member.key] = self.seen.get(member.key, 0) + 1
        if self.seen[member.key] > _MOST.get(member.key, 1):
            return None
        if member.key == "enough":
            self.enough = member.value is not False
        elif member.key == "sentences":
            return self._sentence(member.value)
        elif self.role is Role.AGENT:
            self._extra(member)
        return None

    def _sentence(self, value: object) -> Part | None:
        begun = time.perf_counter()
        cited = _cited(value)
        found = cited and kept(cited.text, cited.cites, self._by_token, self.support, self.day)
        self.verifying += time.perf_counter() - begun
        if not found:
            self.dropped += 1
            return None
        if any(found.text == sentence.text for sentence in self.sentences):
            return None
        before = len(self.citations)
        sentence = self._numbered(found)
        self.sentences.append(sentence)
        self.quoted += found.how == "quoted"
        if self.first is None:
            self.first = time.perf_counter() - self.started
        return Part(sentence, tuple(self.citations.values())[before:])

    def _extra(self, member: Member) -> None:
        begun = time.perf_counter()
        if member.key == "script" and (cited := _cited(member.value)):
            if found := spoken(cited.text, cited.cites, self._by_token, self.support, self.day):
                self.script.append(self._numbered(found))
        elif member.key == "ask_next" and isinstance(member.value, str):
            if asked := asked_next(member.value, self.offers):
                self.ask_next.append(asked)
        elif member.key == "keywords" and isinstance(member.value, str):
            shown = "\n".join(sentence.text for sentence in (*self.sentences, *self.script))
            if word := keyword(member.value, shown):
                self.keywords.append(word)
        self.verifying += time.perf_counter() - begun

    @property
    def _by_token(self) -> dict[str, Offered]:
        return {offer.token: offer for offer in self.offers}

    def _numbered(self, found: Kept) -> Sentence:
        numbers = []
        for offer in found.offers:
            made = citation(len(self.citations) + 1, offer, self.day)
            numbers.append(self.citations.setdefault((made.document, made.start, made.end), made).n)
        self.notices += found.verdict.notices
        return Sentence(found.text, tuple(sorted(set(numbers))))

    def answer(self, extracted: Answer, name: str, failure: GenerationFailed | None) -> Answer:
        timed = replace(extracted, timings_ms=self._timings(extracted))
        if failure is not None and not (self.whole and self.sentences):
            return _noticed(timed, _FAILED[failure.fault] + _INSTEAD)
        if not self.sentences:
            return self._not_enough(timed, name) if not self.enough else _noticed(timed, _NOTHING_KEPT)
        status = extracted.status if self.enough else Status.PARTIAL
        told = [*extracted.notices, *self.notices, *self._told()]
        return replace(
            timed, status=status, made_by=name, prompt=prompt_for(self.role).version, ai_label=DRAFT_LABEL,
            text="\n".join(map(marked, self.sentences)),
            sentences=tuple(self.sentences), citations=tuple(self.citations.values()),
            notices=tuple(dict.fromkeys(told)), script=tuple(self.script),
            ask_next=tuple(dict.fromkeys(self.ask_next)), keywords=tuple(dict.fromkeys(self.keywords)),
        )

    def _told(self) -> Iterator[str]:
        if not self.enough:
            yield _IN_PART
        if self.quoted:
            yield f"有 {self.quoted} 句草稿未通过原文核对，已改为引用原文"
        if self.dropped:
            yield f"有 {self.dropped} 句草稿未通过原文核对，已去掉"

    def _not_enough(self, extracted: Answer, name: str) -> Answer:
        """An agent, who can judge, is shown what was found; a citizen is not, as with any other refusal."""
        text = "在已发布且现行有效的政策文件中，没有找到能回答这个问题的规定。"
        citations = extracted.citations if self.role is Role.AGENT else ()
        if citations:
            text += NEAREST
        return replace(
            extracted, status=Status.NO_EVIDENCE, text=text, made_by=name, prompt=prompt_for(self.role).version,
            sentences=(), citations=citations, ai_label=DRAFT_LABEL,
        )

    def _timings(self, extracted: Answer) -> tuple[tuple[str, float], ...]:
        """From the question on: what was done before the model was asked counts in ``first`` and ``total``."""
        earlier = dict(extracted.timings_ms)
        before = earlier.pop("total", 0.0)
        took = (time.perf_counter() - self.started) * 1000
        verify = self.verifying * 1000
        own = {"first": before + self.first * 1000} if self.first is not None else {}
        own |= {"model": took - verify, "verify": verify, "total": before + took}
        return tuple((name, round(ms, 1)) for name, ms in (earlier | own).items())


def _cited(value: object) -> _Cited | None:
    try:
        return _Cited.model_validate(value, strict=True)
    except ValidationError:
        return None


def _noticed(answer: Answer, notice: str) -> Answer:
    return replace(answer, notices=tuple(dict.fromkeys((*answer.notices, notice))))
