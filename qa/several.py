"""Answers to the several matters of one turn, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.records import Answer, Citation, Sentence, Status

_GIVEN = (Status.ANSWERED, Status.PARTIAL)


def together(answers: Sequence[Answer], asked: Sequence[str]) -> Answer:
    """One answer comes back as it is. Of several each keeps its text below the matter it answers, and its citations,
    numbered through."""
    if len(answers) == 1:
        return answers[0]
    texts: list[str] = []
    sentences: list[Sentence] = []
    script: list[Sentence] = []
    citations: list[Citation] = []
    for number, (answer, matter) in enumerate(zip(answers, asked, strict=True), start=1):
        before = len(citations)
        texts.append(f"{number}. {matter}\n{_renumbered(answer, before)}")
        citations += [replace(one, n=one.n + before) for one in answer.citations]
        sentences += _later(answer.sentences, before)
        script += _later(answer.script, before)
    drafted = next((answer for answer in answers if answer.prompt), answers[0])      # a model had a part in it
    routes = dict.fromkeys(answer.route for answer in answers if answer.route)
    return replace(
        answers[0], status=_status([answer.status for answer in answers]), text="\n".join(texts),
        sentences=tuple(sentences), citations=tuple(citations), route="；".join(routes) or None,
        notices=tuple(dict.fromkeys(notice for answer in answers for notice in answer.notices)),
        confidence=min(answer.confidence for answer in answers), timings_ms=_times(answers),
        made_by=drafted.made_by, ai_label=drafted.ai_label, prompt=drafted.prompt, script=tuple(script),
        ask_next=tuple(dict.fromkeys(asked for answer in answers for asked in answer.ask_next)),
        keywords=tuple(dict.fromkeys(word for answer in answers for word in answer.keywords)),
    )


def _later(sentences: Sequence[Sentence], before: int) -> list[Sentence]:
    return [replace(one, citations=tuple(n + before for n in one.citations)) for one in sentences]


def _status(each: Sequence[Status]) -> Status:
    if all(status in _GIVEN for status in each):
        return Status.PARTIAL if Status.PARTIAL in each else Status.ANSWERED
    return Status.PARTIAL if any(status in _GIVEN for status in each) else each[0]


def _renumbered(answer: Answer, before: int) -> str:
    """The marks of an answer are at the ends of its lines, in the order of its citations."""
    text = answer.text
    for citation in reversed(answer.citations):
        text = text.replace(f"[{citation.n}]", f"[{citation.n + before}]")
    return text


def _times(answers: Sequence[Answer]) -> tuple[tuple[str, float], ...]:
    total: dict[str, float] = {}
    for answer in answers:
        for name, ms in answer.timings_ms:
            total[name] = round(total.get(name, 0.0) + ms, 1)
    return tuple(total.items())
