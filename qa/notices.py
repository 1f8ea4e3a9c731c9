"""What must be told beside an answer: a rule ended, has not begun, soon ends, holds elsewhere, or is contradicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.records import Citation, Ended, Facts, Question, StoredDocument
from kb.conflicts.rows import KINDS, KnownConflict
from qa.scope import today


@dataclass(frozen=True, slots=True)
class Noticing:
    """What notices are made from."""

    home_region: str
    region_names: Mapping[str, str]
    soon: timedelta                              # a rule that ends within it soon ends
    title: Callable[[str], str | None]           # of a document's id


def notices_of(document: StoredDocument, question: Question, by: Noticing) -> list[str]:
    """Of a document that is quoted, or that the question names."""
    facts = document.facts
    day, end = question.as_of or today(), document.in_force_to
    notices = []
    if document.in_force_from and day < document.in_force_from:
        notices.append(f"《{facts.title}》自 {document.in_force_from} 起施行，在 {day} 尚未生效")
    passed = next((when for when in (day, today()) if end and when >= end), None)
    if passed:
        notices.append(f"《{facts.title}》{_ended(document, by)}")
    elif end and end - today() <= by.soon:
        notices.append(f"《{facts.title}》将于 {end} 起不再有效，请留意届时的新规定")
    if facts.region and not (question.region or by.home_region):
        notices.append(f"《{facts.title}》只适用于{by.region_names.get(facts.region, facts.region)}")
    return notices


def phone_notices(facts: Facts) -> list[str]:
    """Whom to ask further, where the document tells."""
    if not facts.phone:
        return []
    return [f"咨询电话：{facts.phone}" + (f"（{facts.issuer}）" if facts.issuer else "")]


def conflict_notices(conflicts: Sequence[KnownConflict], citations: Sequence[Citation]) -> list[str]:
    """For what is quoted and another rule in force says otherwise."""
    cited = {citation.n: citation for citation in citations}
    return [
        f"《{cited[one.n].title}》{cited[one.n].article}与《{one.title}》{one.address}规定的"
        f"{'、'.join(KINDS[kind] for kind in one.kinds)}不一致：{one.decision}"
        for one in conflicts
    ]


def _ended(document: StoredDocument, by: Noticing) -> str:
    """已于 2025-03-01 废止，由《…》替代."""
    how, since = document.ended_how, document.in_force_to
    name = document.facts.replaced_by or document.ended_name
    if name is None and document.superseded_by:
        name = by.title(document.superseded_by)
    if how is Ended.SUPERSEDED:
        return f"的这一版已于 {since} 起不再有效，由新版《{name}》替代"
    replaced = f"，由《{name.strip('《》')}》替代" if name else ""
    return f"已于 {since} {'废止' if how is Ended.REPEALED else '有效期届满，不再有效'}{replaced}"
