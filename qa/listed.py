"""Questions for documents themselves (养老方面有哪些文件？): answered from titles and facts, not from articles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from core.records import Answer, SearchOptions, Sentence, Status, StoredDocument
from kb.titled import Titled
from qa.compose import cited, marked
from qa.evidence import question_terms

_KINDS = "法律法规|法律|法规|条例|办法|规章|文件|红头文件|细则|意见|通知|通告|公告|决定"
_ASKS = re.compile(
    rf"(?:有|出台了?|发布了?|印发了?|发了|制定了?|公布了?|下发了?)(?:哪些|什么|多少|几)[部个份件条]?"
    rf"(?P<of>关于[^，。？?]{{1,12}}的|[^，。？?的]{{0,6}}?)(?P<one>{_KINDS})"
    rf"|(?:哪些|多少|几)[部个份件](?P<two>{_KINDS})"
    rf"|(?P<three>{_KINDS})都?(?:有哪些|有多少|有几[部个份件])[呢啊吗]?[？?。]?$"
    rf"|(?:列出|列一下|列举)(?P<about>[^，。？?]{{0,20}}?)(?P<four>{_KINDS})"
)
_ANY = frozenset({"文件", "红头文件", "法律法规", "法规", "规章", "法律"})      # kinds that are not words of titles
_FRAME = re.compile(
    r"关于|有关|相关|方面|领域|涉及|规定了?|我市|本市|我们|这里|当地|现行|有效|目前|现在|都|请问|一共|总共|新?出台|发布|的|在|里|中|了"
)
_YEAR = re.compile(r"((?:19|20)\d{2})\s*年")
_LISTED = 10
_HELD = 0.8                  # of the words asked for: so much must a title, with issuer and number, hold

FindTitled = Callable[[Sequence[str], SearchOptions], list[StoredDocument]]
WithTitles = Callable[[Sequence[StoredDocument]], list[Titled]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a question asks for."""

    about: str                   # what their titles speak of
    kind: str                    # that titles end with, such as 条例; empty: any
    year: int | None             # in which they were made


def documents_wanted(question: str) -> Wanted | None:
    """None for a question that asks what rules say.

    >>> documents_wanted("2024年养老方面有哪些文件？")
    Wanted(about='养老', kind='', year=2024)
    >>> documents_wanted("养老机构有哪些补贴？") is None
    True
    """
    asks = _ASKS.search(question)
    if asks is None:
        return None
    kind = next(filter(None, asks.group("one", "two", "three", "four")))
    year = _YEAR.search(question)
    between = asks["of"] or asks["about"] or ""
    rest = f"{question[: asks.start()]} {between} {question[asks.end() :]}"
    rest = _FRAME.sub(" ", _YEAR.sub(" ", rest))
    about = re.sub(r"[^\w]+", " ", rest).strip()
    return Wanted(about, "" if kind in _ANY else kind, int(year.group(1)) if year else None) if about or year else None


def listed(
    wanted: Wanted, options: SearchOptions, *, words: Callable[[str], list[str]], find: FindTitled, titles: WithTitles,
    day: date, label: str,
) -> Answer | None:
    """The newest documents that are wanted, each by its name; None when there is none."""
    terms = question_terms(wanted.about, words)
    asked = [word for word, _ in terms.weights]
    if wanted.about and not asked:
        return None
    found = [
        document for document in find(asked, options)
        if (not asked or terms.coverage(_told(document)) >= _HELD)
        and (wanted.year is None or (document.facts.dated is not None and document.facts.dated.year == wanted.year))
        and (not wanted.kind or document.facts.title.rstrip("》）)").endswith(wanted.kind))
    ]
    if not found:
        return None
    shown = titles(found[:_LISTED])
    citations = tuple(
        cited(n, one.document, one.quote, one.start, address=one.address, ref=one.ref, day=day)
        for n, one in enumerate(shown, start=1)
    )
    sentences = tuple(Sentence(f"《{citation.title}》", (citation.n,)) for citation in citations)
    more = f"，这里列出最新的 {len(shown)} 份" if len(found) > len(shown) else ""
    return Answer(
        Status.ANSWERED, "\n".join(map(marked, sentences)), "extract",
        sentences=sentences, citations=citations, ai_label=label,
        notices=(f"按标题、发文机关和文号查找，本库现行有效的共 {len(found)} 份{more}",),
    )


def _told(document: StoredDocument) -> str:
    facts = document.facts
    return "\n".join(filter(None, (facts.title, facts.issuer, facts.doc_no)))
