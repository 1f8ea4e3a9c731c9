"""An answer as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from core.records import Answer


def answer_lines(answer: Answer) -> Iterator[str]:
    yield answer.text
    for citation in answer.citations:
        source = f"《{citation.title}》{citation.doc_no or ''} {citation.article}"
        validity = "现行有效" if citation.in_force else "非现行"
        yield f"  [{citation.n}] {source}  {validity}  {citation.url or ''}".rstrip()
        if not answer.sentences or answer.made_by == "faq":      # whose words are an editor's
            yield f"      {citation.quote}"
    yield from (f"提示：{notice}" for notice in answer.notices)
    if answer.route:
        yield f"去处：{answer.route}"
    yield f"（{answer.ai_label}）"
