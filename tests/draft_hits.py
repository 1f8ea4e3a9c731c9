"""Found articles without a base: what a draft is made from, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from core.records import Answer, Facts, Hit, Rank, State, Status, StoredDocument
from qa.compose import citation_of
from qa.draft_sources import whole_rules
from qa.select import Quote

DAY = date(2026, 11, 26)


def hit(text: str, *, title: str = "高龄津贴办法", address: str = "第三条", start: int = 100, name: str = "d1") -> Hit:
    facts = Facts(title, doc_no="临政规〔2023〕2号", rank=Rank.NORMATIVE_DOCUMENT, region="900100")
    stored = StoredDocument(name, facts, f"{title}.md", State.PUBLISHED, date(2023, 4, 1), None, None)
    end = start + len(text)
    return Hit(f"{name}#{address}", 1.0, address, (), text, start, end, stored, (start, end))


def extracted(*hits: Hit) -> Answer:
    """The first passage of each, quoted."""
    from core.records import Sentence

    citations = tuple(
        citation_of(n, Quote(one, whole_rules(one.text)[0], 1.0), DAY) for n, one in enumerate(hits, start=1)
    )
    return Answer(
        Status.ANSWERED, "\n".join(f"{one.quote}[{one.n}]" for one in citations), "extract",
        sentences=tuple(Sentence(one.quote, (one.n,)) for one in citations), citations=citations,
        timings_ms=(("search", 4.0), ("select", 1.0), ("total", 5.0)), ai_label="摘录",
    )


def internal(one: Hit) -> Hit:
    return replace(one, document=replace(one.document, facts=replace(one.document.facts, public=False)))
