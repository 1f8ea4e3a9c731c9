"""Drafts over the sample documents by a model that copies what it is given: every quote is the document's text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date

import pytest

from core.ports import Message, Structure
from core.records import Answer, Hit, Question, Role, Status
from core.tasks import Task
from kb.log.answers import answer_of, broken_quotes
from policydesk.app import Desk
from qa.draft import draft
from qa.draft_sources import offered
from qa.support import Support
from tests.conftest import SAMPLES

_LINE = re.compile(r"^(A\d-\d{1,2})｜(.*)$", re.M)


class Copying:
    """Says each passage it is given, word for word, at most eight."""

    name = "copying"

    def stream(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        said = [{"text": text, "cites": [token]} for token, text in _LINE.findall(messages[-1].text)[:8]]
        yield json.dumps({"enough": True, "sentences": said, "script": said[:2]}, ensure_ascii=False)

    def structured(self, task: Task, messages: Sequence[Message], schema: type[Structure]) -> Structure:
        return schema.model_validate_json("".join(self.stream(task, messages)))


@pytest.fixture(scope="module")
def answers(sample_desk: Desk) -> list[tuple[Answer, Answer, list[Hit]]]:
    """(extracted, drafted, found) of the sample questions that are answered."""
    rows = [json.loads(line) for line in (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    made = []
    for row in rows:
        day = date.fromisoformat(row["as_of"])
        question = Question(row["question"], region=row["region"], as_of=day, role=Role.AGENT)
        extracted, found = sample_desk.ask(question), sample_desk.search(question, 20)
        if (extracted.status, extracted.made_by) != (Status.ANSWERED, "extract"):
            continue
        answer = draft(
            question.text, extracted, found, role=Role.AGENT, generator=Copying(), support=Support(), day=day
        )
        made.append((extracted, answer, found))
    assert len(made) > 20
    return made


def test_every_quote_is_the_text_at_its_place_after_it_was_kept_and_read_again(
    sample_desk: Desk, answers: list[tuple[Answer, Answer, list[Hit]]]
) -> None:
    with sample_desk.base.reading() as connection:
        for _, drafted, _ in answers:
            again = answer_of(json.dumps(asdict(drafted), ensure_ascii=False))
            assert again == drafted
            assert again.made_by == "copying"
            assert not broken_quotes(connection, again)


def test_every_sentence_cites_and_every_citation_is_used(answers: list[tuple[Answer, Answer, list[Hit]]]) -> None:
    for _, drafted, _ in answers:
        used = [n for sentence in (*drafted.sentences, *drafted.script) for n in sentence.citations]
        assert all(sentence.citations for sentence in drafted.sentences)
        assert {citation.n for citation in drafted.citations} == set(used) == set(range(1, len(set(used)) + 1))


def test_what_is_said_word_for_word_stays(answers: list[tuple[Answer, Answer, list[Hit]]]) -> None:
    for extracted, drafted, found in answers:
        offers = offered(found, extracted.citations)[:8]
        assert len(drafted.sentences) == len({offer.said for offer in offers})
        assert not drafted.notices or drafted.notices == extracted.notices


def test_what_the_extracted_answer_quotes_is_offered_to_the_model(
    answers: list[tuple[Answer, Answer, list[Hit]]]
) -> None:
    for extracted, _, found in answers:
        offers = offered(found, extracted.citations)
        for citation in extracted.citations:
            inside = [
                offer for offer in offers if offer.hit.document.id == citation.document
                and offer.hit.start + offer.passage.start < citation.end
                and citation.start < offer.hit.start + offer.passage.end
            ]
            assert inside
