"""Answers made of quotes alone: choose articles, choose passages, cite each; or refuse and say where to go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise

from sqlalchemy import Connection

from core.config import AnswerConfig
from core.masking import masked
from core.ports import Generator
from core.records import Answer, Citation, Hit, Question, Role, SearchOptions, Sentence, Status
from kb.base import KnowledgeBase
from kb.conflicts.rows import known_conflicts
from kb.curation.card_rows import card_lines
from kb.curation.direct import Direct
from kb.titled import documents_titled, on_paper, with_titles
from qa.carded import CardAsked, Speaks, card_answer, card_asked, carded_hits, speaks_of
from qa.clarify import REGION, clarify
from qa.compose import NEAREST, citation_of, marked, said_of, source_of
from qa.draft import DRAFT_LABEL, drafted
from qa.draft_screen import screened
from qa.evidence import Terms
from qa.listed import Wanted, documents_wanted, listed
from qa.notices import Noticing, conflict_notices, notices_of, phone_notices
from qa.places import places
from qa.routes import FindResponsible, route, route_elsewhere
from qa.scope import scope, searched, today
from qa.select import NOTHING, Picked, Selector, whole
from qa.several import together
from qa.support import Support
from qa.turn_kind import Kind, TurnKind
from qa.understand import Matter, understand

ENTRY = "faq"           # an answer made by an editor, found by its question
ENTRY_LABEL = "本回答由知识库编辑审核发布，由人工智能按问题匹配，仅供参考，请以文件原文为准"
AI_LABEL = "本回答由人工智能从已发布的政策文件中摘录，仅供参考，请以文件原文为准"
WRITING = "writing"      # who made an answer that is still being drafted; nobody sees it as the last one
RULES = "rules"          # who made an answer that no document is needed for
_ANSWERED_KINDS = (Kind.POLICY, Kind.FILE)     # who complains may be told the rule, too
_ANOTHER = 0.55    # share of the question's weight in one word
_OTHER_WORDS = 0.5    # of the question: an article that says less may speak of another matter
_IN_OTHER_WORDS = "条文用词与问题相差较大，请核对是否适用"
_FAINT = 0.3       # of the question: with so little said, an answer has to be surer
_SURE = 0.6        # of 141 questions that no policy is about 14 points more are refused, 1 point fewer right ones given
_FEW = 4           # words that name something
_MOST_OF_FEW = 0.5
_CANDIDATES = 20   # articles looked at; the answer stands in the first few or nowhere


class Answerer:
    """Answers questions from what `search` finds."""

    def __init__(
        self,
        config: AnswerConfig,
        base: KnowledgeBase,
        *,
        home_region: str,
        region_names: Mapping[str, str],
        words: Callable[[str], list[str]],
        selector: Selector,
        direct: Callable[[str, SearchOptions], Direct | None],
        responsible: FindResponsible,
        generator: Generator | None,
        support: Support,
    ) -> None:
        """``direct`` gives the entry, reviewed by an editor, that answers a question without a search;
        ``responsible`` who is charged with a matter; ``support`` whether quotes carry what ``generator`` drafts."""
        self._config = config
        self._base = base
        self._home_region = home_region
        self._region_names = region_names
        self._words = words
        self.selector = selector
        self._noticing = Noticing(home_region, region_names, timedelta(days=config.soon_days), base.title)
        self._direct = direct
        self._responsible = responsible
        self._generator = generator
        self._support = support

    def answer(self, question: Question) -> Answer:
        """Without a language model, whose answers cannot be repeated.

        Raises `ConfigError` for a malformed region code; a question without an answer is no error.
        """
        *_, answer = self._parts(question, None)
        return answer

    def parts(self, question: Question) -> Iterator[Answer]:
        """The answer as far as it is made, each time more of it; the last one is whole. Drafted by the language model
        where there is one; whatever fails there, the answer that `answer` gives comes instead."""
        return self._parts(question, self._generator)

    def _parts(self, question: Question, generator: Generator | None) -> Iterator[Answer]:
        started = time.perf_counter()
        home = question.region or self._home_region
        turn = understand(question.text, question.history, home=home, names=self._region_names, today=today())
        understood = time.perf_counter() - started
        if turn.turn.kind not in _ANSWERED_KINDS:
            yield replace(self._routed(turn.turn, question), timings_ms=_times(understood, ()))
            return
        answers: list[Answer] = []
        for matter in turn.matters:
            whole = None
            for whole in self._matter(_asked(question, matter, home), matter, turn.turn, generator):
                if len(turn.matters) == 1 and whole.made_by == WRITING:
                    yield whole
            assert whole is not None
            answers.append(whole)
        matters = [masked(matter.text) for matter in turn.matters]     # an answer is kept as it goes out
        answer = replace(together(answers, matters), asked=matters[0] if turn.carried else "")
        answer = replace(answer, timings_ms=_times(understood, answer.timings_ms))
        yield self._base.read(partial(_completed, answer=answer, day=question.as_of or today(), region=home))

    def _routed(self, turn: TurnKind, question: Question) -> Answer:
        """What no document answers: an emergency, another channel, a greeting, what is not to be answered."""
        way = route(turn, "", role=question.role, responsible=self._responsible)
        asks_nothing = turn.kind is Kind.CHAT and not turn.said
        status = Status.UNSAFE if turn.kind is Kind.UNSAFE else Status.OUT_OF_SCOPE
        status = Status.NO_EVIDENCE if asks_nothing else status
        return Answer(status, way.text, RULES, route=way.text, ai_label=AI_LABEL)

    def _matter(
        self, question: Question, matter: Matter, turn: TurnKind, generator: Generator | None
    ) -> Iterator[Answer]:
        if matter.elsewhere is not None:
            way = route_elsewhere(
                matter.elsewhere.name, question.role, abroad=matter.elsewhere.code is None
            )
            yield Answer(Status.OUT_OF_SCOPE, way.text, RULES, route=way.text, ai_label=AI_LABEL)
            return
        answer, sources = self._from_documents(question)
        if generator is not None and sources:
            for made in self._drafted(question, answer, sources, generator):
                if made.made_by == WRITING:
                    yield made
            answer = made
        refused = answer.status in (Status.NO_EVIDENCE, Status.EXPIRED)
        if refused or turn.kind is not Kind.POLICY:
            way = route(turn, matter.text, role=question.role, responsible=self._responsible)
            answer = replace(answer, route=way.text)
        yield answer

    def _drafted(
        self, question: Question, extracted: Answer, sources: Sequence[Hit], generator: Generator
    ) -> Iterator[Answer]:
        """What is written so far, after each sentence; at last the answer."""
        so_far = Answer(extracted.status, "", WRITING, ai_label=DRAFT_LABEL)
        for part in drafted(
            question.text, extracted, sources, role=question.role, generator=generator, support=self._support,
            day=question.as_of or today(),
        ):
            if isinstance(part, Answer):
                yield part
                return
            sentence = part.sentence
            so_far = replace(
                so_far, sentences=(*so_far.sentences, sentence), citations=(*so_far.citations, *part.citations),
                text=f"{so_far.text}\n{marked(sentence)}".lstrip(),
            )
            yield so_far

    def _from_documents(self, question: Question) -> tuple[Answer, Sequence[Hit]]:
        """The answer made of quotes, and the articles that a draft may be made from; none where it stands as it is."""
        started = time.perf_counter()
        options = scope(question, top=_CANDIDATES, home_region=self._home_region)
        if entry := self._direct(question.text, options):
            return _from_entry(entry, (time.perf_counter() - started) * 1000), ()
        if (wanted := documents_wanted(question.text)) and (answer := self._listed(question, wanted, options)):
            return answer, ()
        terms = self.selector.terms(question.text)
        hits, warned = screened(self._base.search(question.text, options) if terms.weights else [])
        searched = time.perf_counter()
        picked = self.selector.pick(question.text, hits)
        sources: Sequence[Hit] = ()
        if (asked := card_asked(question.text)) and (card := self._carded(question, asked, hits)):
            answer = replace(card, confidence=1.0)
        elif self._enough(picked, terms):
            answer = self._clarified(question, picked.hits, self._answered(question, picked))
            sources = [*picked.hits, *(hit for hit in hits if hit not in picked.hits)]
            if (spoken := terms.coverage(whole(picked.hits[0]))) < _OTHER_WORDS:
                answer = replace(answer, status=_partly(answer.status), notices=(*answer.notices, _IN_OTHER_WORDS))
                ever = self._ever(question, options, terms)
                if ever.hits and terms.coverage(whole(ever.hits[0])) > 2 * spoken:
                    answer, sources = self._lapsed(question, ever) or answer, ()
        else:
            answer = self._refused(question, options, terms, hits)
        timings = (
            ("search", (searched - started) * 1000),
            ("select", (time.perf_counter() - searched) * 1000),
            ("total", (time.perf_counter() - started) * 1000),
        )
        named = self._base.not_in_force(question.text, options)
        told = [notice for document in named for notice in notices_of(document, question, self._noticing)]
        told += warned if question.role is Role.AGENT else ()
        return replace(
            answer, confidence=answer.confidence or round(picked.confidence, 3),
            notices=tuple(dict.fromkeys((*answer.notices, *told))),
            timings_ms=tuple((name, round(ms, 1)) for name, ms in timings),
        ), sources

    def _listed(self, question: Question, wanted: Wanted, options: SearchOptions) -> Answer | None:
        started = time.perf_counter()
        with self._base.reading() as connection:
            answer = listed(
                wanted, options, words=self._words, find=partial(documents_titled, connection),
                titles=partial(with_titles, connection), day=question.as_of or today(), label=AI_LABEL,
            )
        took = round((time.perf_counter() - started) * 1000, 1)
        return answer and replace(answer, confidence=1.0, timings_ms=(("search", took), ("total", took)))

    def _carded(self, question: Question, asked: CardAsked, hits: Sequence[Hit]) -> Answer | None:
        """What the card that tells most of the policy says of what was asked."""
        speaks = speaks_of(asked.topic, self.selector.terms(asked.topic))
        cards = [card for hit in carded_hits(hits, speaks) if (card := self._card(question, asked, hit, speaks))]
        if asked.names:
            return next(iter(cards), None)
        return max(cards, key=lambda card: len(card.citations), default=None)

    def _card(self, question: Question, asked: CardAsked, hit: Hit, speaks: Speaks) -> Answer | None:
        document = self._base.document(hit.document.id)
        lines = self._base.read(lambda connection: card_lines(connection, document))
        answer = card_answer(document, hit, lines, asked, speaks, day=question.as_of or today(), label=AI_LABEL)
        told = notices_of(hit.document, question, self._noticing)
        return answer and replace(answer, notices=(*told, *answer.notices))

    def _answered(self, question: Question, picked: Picked) -> Answer:
        chosen, day = picked.hits, question.as_of or today()
        citations = tuple(citation_of(n, quote, day) for n, quote in enumerate(picked.quotes, start=1))
        sentences = tuple(
            Sentence(text, (citation.n,))
            for quote, citation in zip(picked.quotes, citations, strict=True) for text in said_of(quote, citation)
        )
        notices = [notice for hit in chosen for notice in notices_of(hit.document, question, self._noticing)]
        if question.role is Role.CITIZEN:
            notices += phone_notices(chosen[0].document.facts)
        return Answer(
            Status.ANSWERED,
            "\n".join(map(marked, sentences)),
            "extract",
            sentences=sentences,
            citations=citations,
            notices=tuple(dict.fromkeys(notices)),
            ai_label=AI_LABEL,
        )

    def _clarified(self, question: Question, chosen: Sequence[Hit], answer: Answer) -> Answer:
        """Asks back where the rule depends on what the question leaves unsaid, unless the answer shows every case."""
        home, names = question.region or self._home_region, self._region_names
        known = question.national or bool(home or places(question.text, home="", names=names))
        unsaid = clarify(question.text, chosen, region_known=known, names=names)
        if unsaid is None:
            return answer
        shown = "".join(citation.quote for citation in answer.citations)
        if unsaid.about != REGION and all(choice.text in shown for choice in unsaid.choices):
            return answer
        choices = tuple(choice.text for choice in unsaid.choices)
        return replace(answer, status=Status.CLARIFY, text=unsaid.text, sentences=(), choices=choices)

    def _enough(self, picked: Picked, terms: Terms) -> bool:
        if picked.confidence < self._config.min_confidence or _speaks_of_another(terms, picked):
            return False
        return picked.confidence >= _SURE or terms.coverage(whole(picked.quotes[0].hit)) >= _FAINT

    def _ever(self, question: Question, options: SearchOptions, terms: Terms) -> Picked:
        """What would answer, were the day no matter."""
        found, _ = screened(self._base.search(question.text, replace(options, as_of=None)) if terms.weights else [])
        picked = self.selector.pick(question.text, found)
        return picked if self._enough(picked, terms) else NOTHING

    def _lapsed(self, question: Question, ever: Picked) -> Answer | None:
        """Names the rule that once answered, if there was one."""
        day = question.as_of or today()
        lapsed = [hit for hit in ever.hits if hit.document.in_force_to and hit.document.in_force_to <= day]
        if not lapsed:
            return None
        quotes = self.selector.nearest(question.text, lapsed[:1])
        return Answer(
            Status.EXPIRED,
            f"{source_of(lapsed[0])}曾有规定，但在所问日期不是现行有效的规定，不能作为依据。没有找到现行规定。",
            "extract",
            citations=tuple(citation_of(n, quote, day) for n, quote in enumerate(quotes, start=1)),
            notices=tuple(notices_of(lapsed[0].document, question, self._noticing)),
            ai_label=AI_LABEL,
        )

    def _refused(self, question: Question, options: SearchOptions, terms: Terms, hits: Sequence[Hit]) -> Answer:
        """Names a rule that once answered, if there was one; else says that nothing answers, or not yet."""
        ever = self._ever(question, options, terms)
        if lapsed := self._lapsed(question, ever):
            return lapsed
        coming = [notice for hit in ever.hits for notice in notices_of(hit.document, question, self._noticing)]
        return replace(self._no_evidence(question, options, terms, hits), notices=tuple(dict.fromkeys(coming)))

    def _no_evidence(
        self, question: Question, options: SearchOptions, terms: Terms, hits: Sequence[Hit]
    ) -> Answer:
        """Nothing answers. An agent, who can judge, is shown what came nearest; a citizen is not."""
        shown = hits if question.role is Role.AGENT else ()
        near = [hit for hit in shown if terms.coverage(whole(hit)) >= self._config.min_related]
        quotes = self.selector.nearest(question.text, near[: self._config.articles])
        text = f"已检索{searched(options, self._region_names)}，没有找到能回答这个问题的规定。"
        if quotes:
            text += NEAREST
        day = question.as_of or today()
        return Answer(
            Status.NO_EVIDENCE,
            text,
            "extract",
            citations=tuple(citation_of(n, quote, day) for n, quote in enumerate(quotes, start=1)),
            ai_label=AI_LABEL,
        )


def _speaks_of_another(terms: Terms, picked: Picked) -> bool:
    """Whether the best article lacks the word that says what the question is about, or most of a question that is
    short: a story is told in other words than a rule, 火星移民补贴 is not."""
    text = whole(picked.quotes[0].hit)
    return terms.missing(text) >= _ANOTHER or (len(terms.weights) <= _FEW and terms.coverage(text) < _MOST_OF_FEW)


def _partly(status: Status) -> Status:
    return Status.PARTIAL if status is Status.ANSWERED else status


def _times(understood: float, later: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Milliseconds of each phase, with what was done before the first of them."""
    first = round(understood * 1000, 1)
    phases = {"understand": first} | dict(later)
    for name in ("first", "total"):                     # are told since the question
        if name in phases:
            phases[name] = round(first + phases.pop(name), 1)
    return tuple((phases if "total" in phases else phases | {"total": first}).items())


def _completed(connection: Connection, *, answer: Answer, day: date, region: str) -> Answer:
    """With where its quotes stand on paper, and which rules contradict them."""
    told = conflict_notices(known_conflicts(connection, answer.citations, day, region), answer.citations)
    notices = tuple(dict.fromkeys((*answer.notices, *told)))
    return replace(answer, citations=on_paper(connection, answer.citations), notices=notices)


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
