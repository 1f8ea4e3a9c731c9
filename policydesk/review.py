"""What a reviewer has to see before a draft is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from core.records import (
    Answer,
    Comparison,
    Document,
    Duplicate,
    EditorChange,
    Question,
    State,
)
from kb.conflicts.clause_rows import complete_clauses
from kb.conflicts.find import Conflict, conflicts_of
from kb.curation import history
from policydesk.app import Desk, open_desk
from policydesk.batch import read_questions
from qa.scope import today

_PREVIEWED = 60


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A question that is answered otherwise once a draft is published."""

    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft beside what is published."""

    document: Document
    comparison: Comparison | None            # None: nothing of its source is published
    edit_conflicts: tuple[EditorChange, ...]
    similar: tuple[Duplicate, ...]
    conflicts: tuple[Conflict, ...]
    answers: tuple[AnswerChange, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "document": self.document.id, "title": self.document.facts.title,
            "fields": [asdict(field) for field in self.document.fields],
            "comparison": asdict(self.comparison) if self.comparison else None,
            "edit_conflicts": [asdict(change) for change in self.edit_conflicts],
            "similar": [asdict(one) for one in self.similar],
            "conflicts": [asdict(one) for one in self.conflicts],
            "answers": [asdict(one) for one in self.answers],
        }


def preview(desk: Desk, document_id: str, questions: Path | None) -> Preview:
    """Raises `NotFound`. With ``questions`` everything published is indexed once more, for the answers to come."""
    document = desk.document(document_id)
    live = [one.id for one in desk.base.documents([State.PUBLISHED]) if one.source == document.source]
    comparison = desk.base.compare(live[0], document_id) if live else None
    names = desk.config.regions.names
    with desk.base.writing() as connection:
        complete_clauses(connection)     # once for each document; else each preview would read them again
    conflicts = desk.base.read(lambda c: conflicts_of(c, document, today=today(), names=names))
    answers = tuple(_changes(desk, document, questions)) if questions else ()
    return Preview(
        document, comparison, desk.base.editing.conflicts(document_id), tuple(desk.base.similar(document_id)),
        tuple(conflicts), answers,
    )


def _changes(desk: Desk, document: Document, questions: Path) -> Iterator[AnswerChange]:
    asked = [question for _, question in read_questions(questions, Question(""))]
    published = [one for one in desk.base.documents([State.PUBLISHED]) if one.source != document.source]
    ids = desk.base.read(lambda connection: history.in_publishing_order(connection, [one.id for one in published]))
    with temporary_desk(desk, [*(desk.document(name) for name in ids), document], None) as then:
        for question in asked:
            before, after = desk.answerer.answer(question), then.answerer.answer(question)
            if _told(before) != _told(after):
                yield AnswerChange(question.text, _short(before), _short(after))


@contextmanager
def desk_at(desk: Desk, moment: datetime) -> Iterator[Desk]:
    """A desk that knows what was published at ``moment`` (UTC) and nothing else."""
    ids = desk.base.read(lambda connection: history.known_at(connection, moment))
    with temporary_desk(desk, (desk.document(name) for name in ids), moment) as then:
        yield then


@contextmanager
def temporary_desk(desk: Desk, documents: Iterable[Document], moment: datetime | None) -> Iterator[Desk]:
    """The same configuration over ``documents``, with the rulings of ``moment`` (None: of now), in a passing folder."""
    storage = desk.config.storage.model_copy(update={"database": "", "vectors": "edge"})
    unreviewed = desk.config.review.model_copy(update={"required": False})
    config = desk.config.model_copy(update={"storage": storage, "review": unreviewed})
    with TemporaryDirectory() as folder, open_desk(config, Path(folder)) as then:
        then.base.add(documents, publish=True)
        rulings = desk.base.read(lambda connection: history.rulings_at(connection, moment))
        then.base.change(lambda connection: history.copy_rulings(connection, rulings))
        yield then


def _told(answer: Answer) -> tuple[object, ...]:
    return answer.status, [(citation.title, citation.quote) for citation in answer.citations]


def _short(answer: Answer) -> str:
    text = answer.text.replace("\n", " ")
    return f"[{answer.status}] {text[:_PREVIEWED]}"


