"""Gold that names documents, held against what is in a base: what is missing, moved, or no longer in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.records import StoredDocument
from eval.gold import GoldQuestion, document_name, span_digest
from eval.retrieval import Loss


@dataclass(frozen=True, slots=True)
class HomeCheck:
    """Ids of questions whose scores say something about the base, not about the search."""

    missing: tuple[str, ...]            # no document of the gold is in the base
    moved: tuple[str, ...]              # the base has another text where the answer should stand
    not_in_force: tuple[str, ...]       # no document of the gold holds on the day asked about

    def lines(self) -> Iterator[str]:
        """What to tell a person; nothing when all is well."""
        reports = (
            (self.missing, "的标准文件不在库中，必然落空；请先入库"),
            (self.moved, "的答案位置与库中文字不符（span 散列不同），命中答案不可信；请用同样的文件入库"),
            (self.not_in_force, "的标准文件在所问之日不在施行期内，按规则不会被找到；加 --any-date 可不限日期"),
        )
        for ids, what in reports:
            if ids:
                yield f"{len(ids)} 个问题{what}：{'、'.join(ids[:8])}{' 等' if len(ids) > 8 else ''}"


def check_home(
    questions: Iterable[GoldQuestion], documents: Sequence[StoredDocument], text: Callable[[str], str], *, today: date
) -> HomeCheck:
    """Look up the documents of ``questions`` among the published ones; ``text`` gives a document's text by id.

    Questions whose gold is articles are not looked at.
    """
    by_name = _by_name(documents)
    missing, moved, not_in_force = [], [], []
    for question in questions:
        if not question.by_document:
            continue
        there = [by_name[name] for name in question.gold[0] if name in by_name]
        day = question.question.as_of or today
        if not there:
            missing.append(question.id)
        elif not any(document.in_force(day) for document in there):
            not_in_force.append(question.id)
        span = question.span
        if span and span.sha256 and span.document in by_name:
            found = text(by_name[span.document].id)[span.start : span.end]
            if span_digest(found) != span.sha256:
                moved.append(question.id)
    return HomeCheck(tuple(missing), tuple(moved), tuple(not_in_force))


def with_wanted(
    losing: Sequence[Loss],
    questions: Sequence[GoldQuestion],
    documents: Sequence[StoredDocument],
    text: Callable[[str], str],
    articles: Iterable[tuple[str, str]],
) -> tuple[Loss, ...]:
    """The losses with the text that would have been right: the answer's span, or the gold articles.

    ``articles`` gives (ref, title and text) of every article, and is read only when a gold article is looked for.
    """
    by_name = _by_name(documents)
    by_id = {question.id: question for question in questions}
    refs = {ref for loss in losing if loss.missed == "article" for group in loss.gold for ref in group}
    texts: Mapping[str, str] = {ref: body for ref, body in articles if ref in refs} if refs else {}
    return tuple(replace(loss, wanted=_wanted(by_id[loss.id], by_name, text, texts)) for loss in losing)


def _wanted(
    question: GoldQuestion,
    by_name: Mapping[str, StoredDocument],
    text: Callable[[str], str],
    texts: Mapping[str, str],
) -> str:
    if not question.by_document:
        return "\n".join(next((texts[ref] for ref in group if ref in texts), "") for group in question.gold).strip()
    document = by_name.get(question.gold[0][0])
    if document is None:
        return ""
    span = question.span
    return "\n".join([document.facts.title, *([text(document.id)[span.start : span.end]] if span else [])])


def _by_name(documents: Sequence[StoredDocument]) -> dict[str, StoredDocument]:
    return {document_name(document.source): document for document in documents}
