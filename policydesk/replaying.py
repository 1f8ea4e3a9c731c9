"""An answer as it was given, the revisions that made it, and the same question put again to the base of that moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from core.records import Answer, Question, StoredDocument
from kb.curation import faq
from kb.log.answers import Kept, broken_quotes, load, same_answer
from kb.log.audit import local_time
from kb.rows import STORED, stored_of
from kb.schema import answer_sources, documents
from policydesk.app import Desk
from policydesk.review import desk_at


@dataclass(frozen=True, slots=True)
class Replay:
    """What is left of an answer."""

    kept: Kept
    revisions: tuple[StoredDocument, ...]    # that it quotes; those that were taken out since stay in SQL
    broken: tuple[int, ...]                  # citations whose quote no longer stands where they say
    again: Answer | None                     # from the base as it was then; None: not asked, or a model made it
    same: bool


def replayed(desk: Desk, answer_id: str, *, ask: bool) -> Replay:
    """Raises `NotFound`. To ask, everything that was published then is indexed once more, in a passing folder."""
    with desk.base.ledger.reading() as connection:
        kept = load(connection, answer_id)
        quoted = select(answer_sources.c.document_id).where(answer_sources.c.answer_id == answer_id)
        rows = connection.execute(select(*STORED).where(documents.c.id.in_(quoted)).order_by(documents.c.title))
        revisions = tuple(map(stored_of, rows))
        broken = tuple(broken_quotes(connection, kept.answer))
    drafted = bool(kept.answer.prompt)       # by a language model, which says it otherwise another time
    again = _asked_then(desk, kept.question, kept.at) if ask and not drafted else None
    return Replay(kept, revisions, broken, again, same=again is not None and same_answer(kept.answer, again))


def _asked_then(desk: Desk, question: Question, moment: datetime) -> Answer:
    with desk.base.ledger.reading() as connection:
        entries = faq.published_at(connection, moment)
    with desk_at(desk, moment) as then:
        with then.base.ledger.changing() as connection:
            faq.copy_in(connection, entries)
        return then.answerer.answer(replace(question, as_of=question.as_of or local_time(moment).date()))
