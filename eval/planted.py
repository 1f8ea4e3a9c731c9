"""Plants contradictions: short notices that say of a document's sentence another amount, period, date or condition."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.numerals import chinese_number, number
from core.records import Document, Facts, Rank
from kb.conflicts.clauses import Clause, clauses
from kb.conflicts.quantities import Dimension, Quantity

Make = Callable[[Facts, str, str], Document]


@dataclass(frozen=True, slots=True)
class Plant:
    """A notice that was made of one sentence of a document."""

    document: str                # id of the document
    span: tuple[int, int]        # of its sentence
    notice: Document
    kind: str                    # a dimension or "condition"; "same" when the notice says the same in other words


_OTHER_WORDS = (
    ("应当自", "自"), ("之日起", "起"), ("不得超过", "不超过"), ("按照", "依照"), ("进行审核", "审核"),
    ("申请人", "申请者"), ("给予", "发给"), ("办理完毕", "办结"), ("予以", ""), ("并且", "并"), ("或者", "或"),
)
_CONDITIONS = (
    ("不得", "可以"), ("可以", "不得"), ("应当", "可以"), ("以上", "以下"), ("以下", "以上"),
    ("不超过", "不低于"), ("本市户籍", "本市常住"), ("不计入", "计入"), ("必须", "可以"), ("无需", "应当"),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|[一二两三四五六七八九十百千零]+")
_PLACES = re.compile(r"\d+|[一二两三四五六七八九十百千零]+")


def plant(documents: Sequence[Document], make: Make, *, seed: int = 7, same: bool = False) -> Iterator[Plant]:
    """One notice for each sentence that can be changed, in an order that ``seed`` decides.

    With ``same`` the values stay, and only how they are written changes. ``make`` takes facts, text and source.
    """
    chance = random.Random(seed)
    places = [(document, clause) for document in documents for clause in clauses(document)]
    chance.shuffle(places)
    for serial, (document, clause) in enumerate(places):
        sentence = document.text[clause.start : clause.end].strip()
        changed = _same(document.text, clause) if same else _changed(document.text, clause, serial)
        if changed is None:
            continue
        kind, words = changed
        facts = _facts(document.facts, serial)
        text = _notice(facts.title, _lead(document.text, clause), _reworded(words) if serial % 2 else words)
        if sentence not in text:
            yield Plant(document.id, (clause.start, clause.end), make(facts, text, f"planted/{serial}.md"), kind)


def _facts(base: Facts, serial: int) -> Facts:
    """By turns of the same body, of another body of the place, and of a district."""
    region = base.region
    issuer = base.issuer
    if serial % 3 == 1:
        issuer = "临澜市另一委员会"
    elif serial % 3 == 2 and region and region.endswith("00"):
        region, issuer = region[:4] + "02", "临澜市澜东区人民政府"
    title = f"关于落实《{base.title}》有关事项的通知"
    return replace(
        base, title=title, doc_no=None, kind="通知", issuer=issuer, region=region, rank=Rank.NORMATIVE_DOCUMENT,
        dated=date(2026, 3, 1), published_on=None, effective_from=date(2026, 4, 1), effective_to=None, validity=None,
        replaces=None, replaced_by=None, url=None,
    )


def _notice(title: str, lead: str, words: str) -> str:
    body = f"{lead}\n（一）{words}。" if lead else f"{words}。"
    return f"{title}\n\n各有关单位：\n现将有关事项通知如下：\n一、{body}\n二、请各单位做好宣传和落实。"


def _lead(text: str, clause: Clause) -> str:
    if clause.lead is None:
        return ""
    words = re.sub(r"^第\w+条\s*", "", text[slice(*clause.lead)].strip())
    return words if words.endswith(("：", ":")) else f"{words}："


def _body(text: str, clause: Clause) -> tuple[str, int]:
    """The sentence without the label of its item, and where it begins."""
    sentence = text[clause.start : clause.end]
    label = re.match(r"[\s　]*(?:[（(]\w{1,3}[）)]|\d{1,2}[.．、]|[一二三四五六七八九十]{1,3}、)?\s*", sentence)
    begin = clause.start + (label.end() if label else 0)
    return text[begin : clause.end].rstrip(), begin


def _changed(text: str, clause: Clause, serial: int) -> tuple[str, str] | None:
    words, begin = _body(text, clause)
    for quantity in clause.quantities[serial % max(len(clause.quantities), 1) :]:
        other = _other_value(text[quantity.start : quantity.end], quantity, serial)
        if other is not None:
            return quantity.dimension, words[: quantity.start - begin] + other + words[quantity.end - begin :]
    if not clause.quantities:
        for term, opposite in _CONDITIONS:
            if words.count(term) == 1 and len(words) >= 12:
                return "condition", words.replace(term, opposite)
    return None


def _same(text: str, clause: Clause) -> tuple[str, str] | None:
    words, begin = _body(text, clause)
    if not clause.quantities:
        return None
    pieces, at = [], 0
    for quantity in clause.quantities:
        pieces += [words[at : quantity.start - begin], _rewritten(text[quantity.start : quantity.end])]
        at = quantity.end - begin
    made = "".join([*pieces, words[at:]])
    return None if made == words else ("same", made)


def _other_value(written: str, quantity: Quantity, serial: int) -> str | None:
    if quantity.unit == "工作日" and serial % 2:
        return re.sub(r"个?工作日", "日", written)
    if quantity.dimension is Dimension.DATE and "日" not in quantity.unit:
        return None
    found = list(_PLACES.finditer(written) if quantity.dimension is Dimension.DATE else _NUMBER.finditer(written))
    if len(found) != 1 and quantity.dimension is not Dimension.DATE:
        return None
    match = found[-1]
    if "." in match.group():
        return None
    value = number(match.group())
    changed = _step(value, quantity.dimension)
    if changed is None or not 0 < changed < 10_000:
        return None
    arabic = match.group().isdigit() == (serial % 3 > 0)
    return written[: match.start()] + (str(changed) if arabic else chinese_number(changed)) + written[match.end() :]


def _step(value: int, dimension: Dimension) -> int | None:
    if dimension is Dimension.DATE:
        return value + 5 if value <= 20 else value - 5
    if dimension is Dimension.SHARE:
        return value // 2 if value >= 20 else value + 3
    if dimension is Dimension.AGE:
        return value + 5
    return value * 2 if value < 10 else value + max(1, value // 5)


def _rewritten(written: str) -> str:
    """三十日 as 30日, 60元 as 六十元; a decimal stays."""

    def other(match: re.Match[str]) -> str:
        if "." in match.group():
            return match.group()
        value = number(match.group())
        if not match.group().isdigit():
            return str(value)
        return chinese_number(value) if 0 < value < 1000 else match.group()

    return written if "年" in written and "月" in written else _NUMBER.sub(other, written)


def _reworded(words: str) -> str:
    for term, other in _OTHER_WORDS:
        words = words.replace(term, other)
    return words
