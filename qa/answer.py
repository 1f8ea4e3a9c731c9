"""Answers made of quotes alone: choose articles, choose passages, cite each; or refuse and say where to go."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from core.config import AnswerConfig
from core.records import Answer, Citation, Ended, Hit, Question, Role, SearchOptions, Sentence, Status, StoredDocument
from kb.direct import Direct
from qa.evidence import Terms, question_terms
from qa.routes import FindResponsible, route, route_elsewhere
from qa.scope import scope, today
from qa.sentences import Passage, passages
from qa.several import together
from qa.turn_kind import Kind, TurnKind
from qa.understand import Matter, understand

ENTRY = "faq"           # an answer made by an editor, found by its question
ENTRY_LABEL = "本回答由知识库编辑审核发布，由人工智能按问题匹配，仅供参考，请以文件原文为准"
AI_LABEL = "本回答由人工智能从已发布的政策文件中摘录，仅供参考，请以文件原文为准"
RULES = "rules"          # who made an answer that no document is needed for
_ANSWERED_KINDS = (Kind.POLICY, Kind.FILE)     # who complains may be told the rule, too
_NEAR_COVERAGE = 0.8   # of the best article's: a further one speaks of the same matter, not of half of it
_REPLY_CHARS = 300     # a FAQ reply up to this long is quoted whole
_CANDIDATES = 20   # articles looked at; the answer stands in the first few or nowhere

_NUMBER = "[\\d一二三四五六七八九十百千零〇两半.]+"
_WANTED = (        # what a question asks for -> what a passage that answers it holds
    (
        re.compile(r"钱|费|价|标准|金额|补贴|补助|津贴|救助金|保险金|罚|比例|百分之"),
        re.compile(rf"{_NUMBER}(?:万|亿|美)?[元角]|百分之{_NUMBER}|{_NUMBER}[%％倍]|免费|不收"),
    ),
    (
        re.compile(r"多久|什么时候|啥时候|何时|几[天日个点]|时限|期限|多长|哪天|到期"),
        re.compile(rf"{_NUMBER}个?(?:工作日|日|天|月|年|小时|分钟|周|时)"),
    ),
    (re.compile(r"多大|岁|年龄"), re.compile(rf"{_NUMBER}周?岁")),
    (re.compile(r"几[只条口人套辆张次]|多少[只条口人套辆张次]"), re.compile(rf"{_NUMBER}[只条口人套辆张次名份]")),
    (re.compile(r"电话|联系|找谁|打给"), re.compile(r"\d{3,4}-?\d{7,8}|12345|电话")),
    (re.compile(r"材料|证件|带什么|手续"), re.compile(r"身份证|证明|材料|申请表|户口")),
    (re.compile(r"哪里|哪儿|去哪|什么地方|窗口"), re.compile(r"窗口|中心|局|街道|平台|大厅|部门")),
    (re.compile(r"罚|处罚|违规"), re.compile(r"罚款|处以|责令|处\S{1,12}元")),
)


@dataclass(frozen=True, slots=True)
class _Judged:
    hit: Hit
    coverage: float
    wanted: float

    @property
    def value(self) -> float:
        return self.hit.score * self.coverage * (self.coverage + self.wanted)


@dataclass(frozen=True, slots=True)
class _Quote:
    hit: Hit
    passage: Passage
    score: float


class Answerer:
    """Answers questions from what `search` finds."""

    def __init__(
        self,
        config: AnswerConfig,
        *,
        home_region: str,
        region_names: Mapping[str, str],
        words: Callable[[str], list[str]],
        search: Callable[[str, SearchOptions], list[Hit]],
        title: Callable[[str], str | None],
        direct: Callable[[str, SearchOptions], Direct | None],
        not_in_force: Callable[[str, SearchOptions], list[StoredDocument]],
        responsible: FindResponsible,
    ) -> None:
        """``direct`` gives the entry, reviewed by an editor, that answers a question without a search;
        ``not_in_force`` the documents that a question names and that do not hold on its day; ``responsible`` who is
        charged with a matter."""
        self._config = config
        self._home_region = home_region
        self._region_names = region_names
        self._words = words
        self._search = search
        self._title = title
        self._direct = direct
        self._not_in_force = not_in_force
        self._responsible = responsible

    def answer(self, question: Question) -> Answer:
        """Raises `ConfigError` for a malformed region code; a question without an answer is no error."""
        started = time.perf_counter()
        home = question.region or self._home_region
        turn = understand(question.text, home=home, names=self._region_names, today=today())
        if turn.turn.kind not in _ANSWERED_KINDS:
            took = round((time.perf_counter() - started) * 1000, 1)
            return replace(self._routed(turn.turn, question), timings_ms=(("understand", took), ("total", took)))
        answers = [self._matter(_asked(question, matter, home), matter, turn.turn) for matter in turn.matters]
        return together(answers, [matter.text for matter in turn.matters])

    def _routed(self, turn: TurnKind, question: Question) -> Answer:
        """What no document answers: an emergency, another channel, a greeting, what is not to be answered."""
        way = route(turn, "", role=question.role, responsible=self._responsible)
        asks_nothing = turn.kind is Kind.CHAT and not turn.said
        status = Status.UNSAFE if turn.kind is Kind.UNSAFE else Status.OUT_OF_SCOPE
        status = Status.NO_EVIDENCE if asks_nothing else status
        return Answer(status, way.text, RULES, route=way.text, ai_label=AI_LABEL)

    def _matter(self, question: Question, matter: Matter, turn: TurnKind) -> Answer:
        if matter.elsewhere is not None:
            way = route_elsewhere(matter.elsewhere.name, question.role)
            took = (("total", 0.0),)
            return Answer(Status.OUT_OF_SCOPE, way.text, RULES, route=way.text, ai_label=AI_LABEL, timings_ms=took)
        answer = self._from_documents(question)
        refused = answer.status in (Status.NO_EVIDENCE, Status.EXPIRED)
        if not refused and turn.kind is Kind.POLICY:
            return answer
        return replace(answer, route=route(turn, matter.text, role=question.role, responsible=self._responsible).text)

    def _from_documents(self, question: Question) -> Answer:
        started = time.perf_counter()
        options = scope(question, top=_CANDIDATES, home_region=self._home_region)
        if entry := self._direct(question.text, options):
            return _from_entry(entry, (time.perf_counter() - started) * 1000)
        terms = question_terms(question.text, self._words)
        hits = self._search(question.text, options) if terms.weights else []
        searched = time.perf_counter()
        chosen = self._choose(question.text, hits, terms)
        if chosen:
            answer = self._answered(question, chosen, terms)
        else:
            answer = self._refused(question, options, terms, hits)
        timings = (
            ("search", (searched - started) * 1000),
            ("select", (time.perf_counter() - searched) * 1000),
            ("total", (time.perf_counter() - started) * 1000),
        )
        best = max((terms.coverage(_whole(hit)) for hit in chosen or hits), default=0.0)
        named = self._not_in_force(question.text, options)
        told = [*answer.notices, *(notice for document in named for notice in self._notices(document, question))]
        answer = replace(answer, notices=tuple(dict.fromkeys(told)))
        return replace(
            answer, confidence=round(best, 3), timings_ms=tuple((name, round(ms, 1)) for name, ms in timings)
        )

    def _choose(self, question: str, hits: Sequence[Hit], terms: Terms) -> list[Hit]:
        """The articles worth quoting, best first; none when the best holds too little of the question."""
        judged = [_Judged(hit, terms.coverage(_whole(hit)), _wanted(question, hit.text)) for hit in hits]
        ranked = sorted(judged, key=lambda item: -item.value)
        if not ranked or ranked[0].coverage < self._config.min_coverage:
            return []
        best, share = ranked[0], self._config.near_score
        enough = [item for item in ranked if item.coverage >= self._config.min_coverage]
        near = [j for j in enough if j.value >= share * best.value and j.coverage >= _NEAR_COVERAGE * best.coverage]
        shown = _district_first(near[: self._config.articles], enough)
        return [item.hit for item in shown[: self._config.articles]]

    def _answered(self, question: Question, chosen: Sequence[Hit], terms: Terms) -> Answer:
        quotes = self._quotes(question.text, chosen, terms)
        day = question.as_of or today()
        citations = tuple(_citation(n, quote, day) for n, quote in enumerate(quotes, start=1))
        notices = [notice for hit in chosen for notice in self._notices(hit.document, question)]
        return Answer(
            Status.ANSWERED,
            "\n".join(f"根据{_source(q.hit)}：{c.quote}[{c.n}]" for q, c in zip(quotes, citations, strict=True)),
            "extract",
            sentences=tuple(Sentence(citation.quote, (citation.n,)) for citation in citations),
            citations=citations,
            notices=tuple(dict.fromkeys(notices)),
            ai_label=AI_LABEL,
        )

    def _quotes(self, question: str, chosen: Sequence[Hit], terms: Terms) -> list[_Quote]:
        """The best passage of each article, then further ones that come near it; in order of article and place."""
        quotes: list[_Quote] = []
        for hit in chosen:
            scored = [_Quote(hit, p, _passage_score(question, hit, p, terms)) for p in _answering(hit)]
            best = max((quote.score for quote in scored), default=0.0)
            near = sorted((q for q in scored if q.score >= 0.7 * best), key=lambda q: -q.score)[:2]
            quotes += sorted(near, key=lambda q: q.passage.start)
        return quotes[: self._config.sentences]

    def _refused(self, question: Question, options: SearchOptions, terms: Terms, hits: Sequence[Hit]) -> Answer:
        """Names a rule that once answered, if there was one; else says that nothing answers, or not yet."""
        found = self._search(question.text, replace(options, as_of=None)) if terms.weights else []
        ever = self._choose(question.text, found, terms)
        day = question.as_of or today()
        lapsed = [hit for hit in ever if hit.document.in_force_to and hit.document.in_force_to <= day]
        if not lapsed:
            coming = [notice for hit in ever for notice in self._notices(hit.document, question)]
            return replace(self._no_evidence(question, terms, hits), notices=tuple(dict.fromkeys(coming)))
        quotes = self._quotes(question.text, lapsed[:1], terms)
        return Answer(
            Status.EXPIRED,
            f"{_source(lapsed[0])}曾有规定，但在所问日期不是现行有效的规定，不能作为依据。没有找到现行规定。",
            "extract",
            citations=tuple(_citation(n, quote, day) for n, quote in enumerate(quotes, start=1)),
            notices=tuple(self._notices(lapsed[0].document, question)),
            ai_label=AI_LABEL,
        )

    def _no_evidence(self, question: Question, terms: Terms, hits: Sequence[Hit]) -> Answer:
        """Nothing answers. An agent, who can judge, is shown what came nearest; a citizen is not."""
        shown = hits if question.role is Role.AGENT else ()
        near = [hit for hit in shown if terms.coverage(_whole(hit)) >= self._config.min_related]
        quotes = [self._quotes(question.text, [hit], terms)[0] for hit in near[: self._config.articles]]
        text = "在已发布且现行有效的政策文件中，没有找到能回答这个问题的规定。"
        if quotes:
            text += "下列条文最为接近，但不一定回答这个问题，请自行判断。"
        day = question.as_of or today()
        return Answer(
            Status.NO_EVIDENCE,
            text,
            "extract",
            citations=tuple(_citation(n, quote, day) for n, quote in enumerate(quotes, start=1)),
            ai_label=AI_LABEL,
        )

    def _notices(self, document: StoredDocument, question: Question) -> list[str]:
        facts = document.facts
        day = question.as_of or today()
        notices = []
        if document.in_force_from and day < document.in_force_from:
            notices.append(f"《{facts.title}》自 {document.in_force_from} 起施行，在 {day} 尚未生效")
        for when in dict.fromkeys((day, today())):
            if document.in_force_to and when >= document.in_force_to:
                notices.append(f"《{facts.title}》{self._ended(document)}")
                break
        if facts.region and not (question.region or self._home_region):
            notices.append(f"《{facts.title}》只适用于{self._region_names.get(facts.region, facts.region)}")
        return notices

    def _ended(self, document: StoredDocument) -> str:
        """已于 2025-03-01 废止，由《…》替代."""
        how, since = document.ended_how, document.in_force_to
        name = document.facts.replaced_by or document.ended_name
        if name is None and document.superseded_by:
            name = self._title(document.superseded_by)
        if how is Ended.SUPERSEDED:
            return f"的这一版已于 {since} 起不再有效，由新版《{name}》替代"
        replaced = f"，由《{name.strip('《》')}》替代" if name else ""
        return f"已于 {since} {'废止' if how is Ended.REPEALED else '有效期届满，不再有效'}{replaced}"


def _from_entry(found: Direct, ms: float) -> Answer:
    return Answer(
        Status.ANSWERED,
        found.entry.answer,
        ENTRY,
        sentences=tuple(
            Sentence(line, _carriers(line, found.citations)) for line in found.entry.answer.splitlines() if line.strip()
        ),
        citations=found.citations,
        ai_label=ENTRY_LABEL,
        confidence=round(found.likeness, 3),
        timings_ms=(("direct", round(ms, 1)), ("total", round(ms, 1))),
    )


def _carriers(line: str, citations: Sequence[Citation]) -> tuple[int, ...]:
    """The citations whose quotes share most with a line of an entry; all of them when it shares nothing."""
    pairs = set(pairwise(line))
    shared = {citation.n: len(pairs.intersection(pairwise(citation.quote))) for citation in citations}
    most = max(shared.values())
    return tuple(n for n, count in shared.items() if 2 * count >= most)


def _asked(question: Question, matter: Matter, home: str) -> Question:
    """The matter as a question of its own. Where nothing is known of the asker, a place it names limits nothing:
    its documents need not be marked with it."""
    region = matter.region if home and matter.region else question.region
    return replace(question, text=matter.text, region=region, as_of=question.as_of or matter.as_of)


def _answering(hit: Hit) -> list[Passage]:
    """The passages of an article; of a FAQ entry the whole reply, without the question that it repeats."""
    found = passages(hit.text)
    replies = [p for p in found if not hit.text[p.start : p.end].endswith(("？", "?"))]
    if hit.address.startswith("问") and replies and replies[-1].end - replies[0].start <= _REPLY_CHARS:
        return [Passage(replies[0].start, replies[-1].end)]
    return replies or found


def _passage_score(question: str, hit: Hit, passage: Passage, terms: Terms) -> float:
    text = hit.text[passage.start : passage.end]
    return terms.coverage(text) + _wanted(question, text)


def _district_first(near: Sequence[_Judged], enough: Sequence[_Judged]) -> list[_Judged]:
    """A district that gives more than its city must not be missed: its best article that answers goes first,
    even when its score alone would not have brought it in."""
    local = [item for item in enough if _is_district(item.hit)]
    if not local or any(_is_district(item.hit) for item in near):
        return list(near)
    return [max(local, key=lambda item: (item.wanted, item.value)), *near]


def _is_district(hit: Hit) -> bool:
    region = hit.document.facts.region
    return region is not None and not region.endswith("00")


def _wanted(question: str, text: str) -> float:
    """0.15 for each kind of thing that the question asks for and the text holds, such as an amount or a limit."""
    return 0.15 * sum(bool(asked.search(question) and answers.search(text)) for asked, answers in _WANTED)


def _whole(hit: Hit) -> str:
    return "\n".join((hit.document.facts.title, *hit.heading, hit.text))


def _source(hit: Hit) -> str:
    facts = hit.document.facts
    number = f"（{facts.doc_no}）" if facts.doc_no else ""
    return f"《{facts.title}》{number}{hit.address}"


def _citation(n: int, quote: _Quote, day: date) -> Citation:
    hit, passage = quote.hit, quote.passage
    facts = hit.document.facts
    return Citation(
        n,
        hit.document.id,
        facts.doc_no,
        facts.title,
        hit.address,
        hit.ref,
        hit.text[passage.start : passage.end],
        hit.start + passage.start,
        hit.start + passage.end,
        None,
        None,
        hit.document.in_force(day),
        facts.url,
    )
