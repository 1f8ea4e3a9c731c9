"""Whether an answer keeps its promises: quotes stand where they say, and nothing is said that they do not hold.

Numbers are looked for twice: by the code that verifies drafts, and by a plain pattern that shares nothing with it, so
that an error of the one shows in the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.numerals import number
from core.records import Answer, Citation, Question, Role, Sentence, Status, StoredDocument
from core.regions import leading_region, region_chain
from qa.facts_kept import says
from qa.said import say
from qa.verify import check_cited

_GIVEN = (Status.ANSWERED, Status.PARTIAL)
_MARK = re.compile(r"\[\d{1,3}\]")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_COUNTED = re.compile(
    r"([零〇一二两三四五六七八九十百千]+)(?=(?:万|亿)?(?:元|日|天|个|年|月|岁|周岁|人|小时|分钟|平方米|倍|条|号))"
)
_HUNDREDTHS = re.compile(r"百分之([零〇一二三四五六七八九十百]+)")
_DOC_NO = re.compile(r"[〔\[（(]\s*((?:19|20)\d\d)\s*[〕\]）)]\s*(?:第)?\s*(\d+)\s*号")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


class FaultKind(StrEnum):
    """What an answer must never do."""

    QUOTE = "quote"              # a quote is not, character for character, what stands at its place
    HIDDEN = "hidden"            # a citizen is shown a document that is not public, or anybody one not published
    OLD = "old"                  # an answer rests on what does not hold on the day asked about
    FOREIGN = "foreign"          # an answer rests on a rule of another region than the asker's
    UNCITED = "uncited"          # a sentence cites nothing, or what is not there
    NUMBER = "number"            # a number, date or 文号 of a sentence stands in no quote it cites: draft check
    PLAIN_NUMBER = "plain_number"    # the same by the plain pattern
    OUTSIDE = "outside"          # the same of what the answer's text says beside its sentences
    UNSUPPORTED = "unsupported"  # the quotes do not carry a sentence


@dataclass(frozen=True, slots=True)
class Fault:
    """One promise that an answer broke."""

    kind: FaultKind
    said: str                    # the sentence, or the quote
    why: str                     # Chinese


@dataclass(frozen=True, slots=True)
class Checked:
    """One answer, looked through."""

    citations: int
    resolved: int                # citations whose quotes stand where they say
    sentences: int               # of the answer and of what an agent may read aloud
    supported: int               # sentences that their quotes carry
    numbers: int                 # that sentences say, counted by the plain pattern
    faults: tuple[Fault, ...]

    @property
    def wrong_number(self) -> bool:
        return any(fault.kind in (FaultKind.NUMBER, FaultKind.PLAIN_NUMBER, FaultKind.OUTSIDE) for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Library:
    """Where quotes are looked up."""

    documents: Mapping[str, StoredDocument]      # the published ones, by id
    text: Callable[[str], str]                   # of a document id


def check_answer(question: Question, answer: Answer, library: Library) -> Checked:
    """Citations of every answer and refusal; sentences and numbers of what was answered."""
    faults = [fault for citation in answer.citations for fault in _citation(question, answer, citation, library)]
    unresolved = sum(fault.kind is FaultKind.QUOTE for fault in faults)
    sentences = (*answer.sentences, *answer.script) if answer.status in _GIVEN else ()
    by_number = {citation.n: citation for citation in answer.citations}
    supported = numbers = 0
    for sentence in sentences:
        found = list(_sentence(sentence, by_number))
        supported += not any(fault.kind in (FaultKind.UNSUPPORTED, FaultKind.UNCITED) for fault in found)
        numbers += len(plain_numbers(sentence.text))
        faults += found
    if answer.status in _GIVEN:
        faults += _outside(question, answer)
    return Checked(
        len(answer.citations), len(answer.citations) - unresolved, len(sentences), supported, numbers, tuple(faults)
    )


def relied_on(answer: Answer) -> tuple[Citation, ...]:
    """The citations that its sentences cite: an answer to several matters also shows what came near, or once held."""
    cited = {n for sentence in (*answer.sentences, *answer.script) for n in sentence.citations}
    return tuple(citation for citation in answer.citations if citation.n in cited)


def place_of(document: StoredDocument) -> str | None:
    """区划代码 of the place whose rule it is, None for the country: as stored, or else as its title begins.

    A region that reading the document missed makes it a rule of the whole country, which only the title betrays: an
    issuer may be no more than the office whose site has a national law.
    """
    named = leading_region(document.facts.title, {})
    return document.facts.region or (named.code if named else None)


def holds_in(document: StoredDocument, region: str) -> bool:
    """Whether its rule holds in all of ``region``."""
    return place_of(document) in region_chain(region)


def plain_numbers(text: str) -> set[str]:
    """Values of the numbers a reader sees, each as its digits; a 文号 as its year and number.

    >>> sorted(plain_numbers("自２０２４年5月起，每人每月二百元，比例为百分之五"))
    ['200', '2024', '5']
    """
    text = text.translate(_WIDE).replace(",", "")
    found = {_value(digits) for digits in _DIGITS.findall(text)}
    found |= {f"{year}-{_value(no)}" for year, no in _DOC_NO.findall(text)}
    for pattern in (_COUNTED, _HUNDREDTHS):
        for said in pattern.findall(text):
            found.add(_value(str(number(said))))
    return found - {"0"}


def _citation(question: Question, answer: Answer, citation: Citation, library: Library) -> Iterator[Fault]:
    document = library.documents.get(citation.document)
    if document is None:
        yield Fault(FaultKind.HIDDEN, citation.quote, f"文件 {citation.document} 不在已发布的文件中")
        return
    if library.text(citation.document)[citation.start : citation.end].encode() != citation.quote.encode():
        where = f"《{citation.title}》{citation.article} [{citation.start}:{citation.end}]"
        yield Fault(FaultKind.QUOTE, citation.quote, f"与原文不符：{where}")
    if question.role is Role.CITIZEN and not document.facts.public:
        yield Fault(FaultKind.HIDDEN, citation.quote, f"《{citation.title}》不公开，市民不应看到")
    if answer.status not in _GIVEN or citation not in relied_on(answer):
        return
    place, asked = place_of(document), question.region
    if asked and place and not holds_in(document, asked) and asked not in region_chain(place):
        yield Fault(FaultKind.FOREIGN, citation.quote, f"《{citation.title}》是 {place} 的规定，提问人在 {asked}")
    if not citation.in_force:
        yield Fault(FaultKind.OLD, citation.quote, f"《{citation.title}》在所问日期不是现行有效的规定")


def _sentence(sentence: Sentence, by_number: Mapping[int, Citation]) -> Iterator[Fault]:
    cited = [by_number[n] for n in sentence.citations if n in by_number]
    if not cited or len(cited) < len(sentence.citations):
        yield Fault(FaultKind.UNCITED, sentence.text, f"句子没有引文，或引文序号 {sentence.citations} 不存在")
        return
    verdict = check_cited(sentence.text, cited)
    if not verdict.carried:
        yield Fault(FaultKind.UNSUPPORTED, sentence.text, "；".join(verdict.reasons))
    shown = [*(citation.quote for citation in cited), *_names(cited)]
    for text in _foreign(sentence.text, shown):
        yield Fault(FaultKind.NUMBER, sentence.text, f"“{text}”不在所引的原文中")
    strange = plain_numbers(_MARK.sub("", sentence.text)) - plain_numbers("\n".join(shown))
    if strange:
        yield Fault(FaultKind.PLAIN_NUMBER, sentence.text, f"{'、'.join(sorted(strange))} 不在所引的原文中")


def _foreign(sentence: str, shown: Sequence[str]) -> Iterator[str]:
    """Facts of a sentence that neither quote nor name says, as drafts are verified."""
    there = [fact for text in shown for fact in say(text).facts]
    for fact in say(sentence).facts:
        if not any(says(fact, other) or says(other, fact) for other in there):
            yield fact.text


def _outside(question: Question, answer: Answer) -> Iterator[Fault]:
    """What is said around the sentences: names of what is cited, the question, where to go."""
    shown = [
        *(citation.quote for citation in answer.citations), *_names(answer.citations), question.text,
        answer.route or "", *(sentence.text for sentence in (*answer.sentences, *answer.script)),
    ]
    ordinals = {str(n) for n in range(1, 10) if re.search(rf"^{n}\. ", answer.text, re.M)}
    strange = plain_numbers(_MARK.sub("", answer.text)) - plain_numbers("\n".join(shown)) - ordinals
    if strange:
        yield Fault(FaultKind.OUTSIDE, answer.text, f"{'、'.join(sorted(strange))} 不在所引的原文中")


def _names(cited: Sequence[Citation]) -> list[str]:
    return [f"{c.title}\n{c.doc_no or ''}\n{c.article}" for c in cited]


def _value(digits: str) -> str:
    return f"{Decimal(digits).normalize():f}"
