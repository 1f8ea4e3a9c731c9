"""What a document says about itself: its official fields, each with the span it was read from, and its `Facts`.

Who is believed: the editor's front matter, then the text, then the row or meta elements of its page, then folders
and file name. Two fields are the other way round. 施行日期 and 失效日期 of a page's row are kept up by the publisher,
who knows of extensions and early repeals that the text cannot know; and 发布日期 is the page's own act.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import PurePosixPath

from core.records import RANK_NAMES, Facts, OfficialField, Rank
from core.regions import leading_region, region_code
from ingest.attachments import attachments
from ingest.bodies import NATIONAL, Place, is_media, place_of, source_bodies, split_bodies
from ingest.doc_numbers import normal_doc_no
from ingest.facts import HEADER_END, NAME_DATE, Regions, facts_from, first_line, front_matter, parse_date
from ingest.force import Force, in_force, term_end
from ingest.kinds import KINDS, kind_of, rank_of
from ingest.opening import Opening, Read, read_opening
from ingest.page_row import page_row
from ingest.signature import (
    Origin,
    Signature,
    find_origin,
    find_printed,
    find_promulgation,
    find_signature,
    read_origin,
    stands_alone,
)
from ingest.statements import amends, basis, copies, publicity, refuse_classified, repeals
from ingest.view import View, find_days

__all__ = ["Official", "Regions", "facts_from", "normal_doc_no", "parse_date", "read_official"]

_HEADER_END = "".join(HEADER_END.split())      # as a `View` has it
_NAMES = {                   # of the fields that a fact has
    "title": "标题", "doc_no": "发文字号", "issuer": "发文机关", "kind": "文种", "region": "适用区域",
    "dated": "成文日期", "published_on": "发布日期", "effective_from": "施行日期", "effective_to": "失效日期",
    "public": "公开属性",
}
_HEAD_OF = re.compile(r"(?<=[局部委署])(?:局长|部长|主任|署长)$")
_BEFORE_ABOUT = re.compile(r"关于|印发|转发|令|《|\d{4}(?:年|[-—－]\d{4})")      # 某厅2023年工作要点
_OF_BODY = re.compile(r"(?:\d{4}年)?([\u4e00-\u9fff]{4,24}?[厅局委](?:员会)?)(?=[\u4e00-\u9fff]{4})")
_OWN_AFFAIRS = ("其他", "计划", "方案", "细则", "报告")      # of what a body does itself: 某厅政务公开工作要点
_ISSUES = re.compile(r"(?:关于)?(?:印发|转发)\n?《?$")
_REPORTED = re.compile(r"(?:^|[近日][日期]，)([\u4e00-\u9fff、\n]{4,60}?)(?:联合)?印发了?\n?《")
_IN_FULL = re.compile(r"全文如下|[中国]办?发〔\d{4}〕")
_AND_OTHERS = re.compile(r"(?:等[^等]{0,6}(?:部门|单位|部委|厅局)|文件)$")
_BARCODE = re.compile(r"GB0626-2005\^[^^\n]*\^([^^\n]*)\^([^^\n]*)\^([^^\n]*号)\^")    # issuer, 文种, 发文字号
_UNSIGNED = ("解读", "新闻", "问答")          # they speak of another document's dates, grounds and repeals
_SENT = ("意见", "通知", "规定", "规划", "方案")
_RULES = ("条例", "规定", "办法", "细则", "规则", "规程", "令", "决定", "其他")
_CONGRESS = re.compile(r"人民代表大会|人大常委会")
_CONTEXT = 30_000


@dataclass(frozen=True, slots=True)
class Official:
    """The facts of a document, and every official field that was found, in the order of `DOMAIN`."""

    facts: Facts
    fields: tuple[OfficialField, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the text gives, as reads in the view of its running text."""

    opening: Opening
    signature: Signature | None
    origin: Origin | None
    kind: str
    issuers: tuple[Read, ...]
    dated: Read | None
    published: Read | None
    force: Force | None
    history: bool                # a law file, with its history above the text


def read_official(
    text: str, body: tuple[int, int], hints: Mapping[str, str], source: str, regions: Regions
) -> Official:
    """The official fields of ``text``, whose running text is ``text[body[0]:body[1]]``.

    ``hints`` are what its container says, by field name of `Facts`. Raises `IngestError` for front matter that
    is wrong, and (`Reject.CLASSIFIED`) for a document marked 秘密, 机密, 绝密 or 内部.
    """
    editor, after = front_matter(text, source)
    start = max(body[0], after)
    refuse_classified(text[start : body[1]], source)
    view = View(text[start : body[1]])
    given = {name: value for name, value in hints.items() if value}
    row = page_row(text, body, given.get("title", "")) | given | editor
    found = _read(view, row, text, regions)
    if editor.get("issuer"):
        found = replace(found, issuers=tuple(Read(name) for name in editor["issuer"].split("、")))
    place = _place(found, text, source, regions)
    reads = _reads(found, view, row, place)
    fields = [_field(name, read, view, start) for name, read in reads]
    facts = _facts(fields, row, found, source, regions)
    return _edited(facts, fields, editor, text[:after], source, regions) if editor else Official(facts, tuple(fields))


def _read(view: View, row: Mapping[str, str], text: str, regions: Regions) -> _Found:
    """The parts that the other fields hang on: opening, signature or 题注, kind, issuers and dates."""
    opening = read_opening(view, row.get("title", ""), regions)
    sources = source_bodies(row.get("source", ""), regions)
    header = view.text.find(_HEADER_END, 0, 20_000)
    if header >= 0 and (title := first_line(view.raw)):
        line = len(view.text) - len(view.text.lstrip("\n"))
        opening = replace(opening, title=Read(title, line, view.text.find("\n", line)))
    origin = read_origin(view.text, 0, header) if header >= 0 else find_origin(view.text)
    begins = leading_region(opening.title.value, regions)
    region = opening.title.value[: begins.end] if begins else ""
    proclaimer = find_promulgation(view.text, region) if opening.order_body is None and header < 0 else None
    by_order = opening.order_body is not None or proclaimer is not None
    media = not sources and "issuer" not in row and is_media(row.get("source", ""))
    kind = kind_of(
        opening.title.value, view.text, order=by_order, cut=opening.cut,
        addressed=opening.addressee is not None, source_is_media=media,
    )
    if kind == "其他" and row.get("kind") in KINDS:
        kind = row["kind"]
    signed = None if kind in _UNSIGNED or header >= 0 else find_signature(view.text, regions, opening.body)
    if signed and origin and not opening.title_bodies and not by_order and signed.day.start > origin.end + 400:
        signed = None            # a rule with its 题注: a date further down is of something it cites
    hinted = source_bodies(row.get("issuer", ""), regions)
    page = sources if set(hinted) < set(sources) or not hinted else hinted
    issuers = (Read(*proclaimer, 0.8),) if proclaimer else _issuers(view, opening, signed, origin, kind, regions)
    issuers = issuers or tuple(Read(name, confidence=0.75) for name in page)
    dated = _dated(view, opening, signed, origin, kind)
    published = _published(view, by_order, origin, dated, kind)
    force = None
    if kind not in (*_UNSIGNED, "指南"):
        force = in_force(view, any_subject=by_order or kind not in _RULES)
    return _Found(opening, signed, origin, kind, issuers, dated, published, force, header >= 0)


def _issuers(
    view: View, opening: Opening, signed: Signature | None, origin: Origin | None, kind: str, regions: Regions
) -> tuple[Read, ...]:
    """发文机关 as signed, else of the 令, the title, the 题注, or what stands above a text without its letter."""
    spans: Sequence[tuple[int, int]] = ()
    confidence = 0.9
    if kind not in _UNSIGNED:
        if signed and signed.bodies and opening.order_body is None:
            spans, confidence = signed.bodies, 0.95
        elif opening.order_body:
            spans, confidence = _makers(view, opening.order_body, regions), 0.95
        elif opening.title_bodies:
            spans = opening.title_bodies
        elif origin and origin.body_span:
            spans = _makers(view, origin.body_span, regions)
        elif opening.title.start and (issued := _ISSUES.search(view.text, 0, opening.title.start)):
            spans, confidence = split_bodies(view.text[: issued.start()], regions), 0.8
        if not spans and (named := _named_in(opening.title.value, kind, regions)):
            return named
    if not spans and kind in ("新闻", *_SENT):
        spans, confidence = _reported(view.text, regions), 0.8
    return tuple(Read(view.value(a, b), a, b, confidence) for a, b in spans)


def _named_in(title: str, kind: str, regions: Regions) -> tuple[Read, ...]:
    """The bodies that a title begins with, before 关于 or a year, or whose own affairs it is about."""
    about = _BEFORE_ABOUT.search(title)
    before = _AND_OTHERS.sub("", title[: about.start()]) if about else ""
    if spans := split_bodies(before, regions):
        return tuple(Read(title[a:b], confidence=0.8) for a, b in spans)
    body = _OF_BODY.match(title) if kind in _OWN_AFFAIRS else None
    if body and leading_region(body.group(1), regions) and split_bodies(body.group(1), regions):
        return (Read(body.group(1), confidence=0.75),)
    return ()


def _reported(text: str, regions: Regions) -> list[tuple[int, int]]:
    """Who issued what follows in full: 新华社北京9月4日电近日，某办公厅印发了《…》."""
    match = _REPORTED.search(text, 0, 200)
    if match is None or not _IN_FULL.search(text, 0, 1500):
        return []
    return [(match.start(1) + a, match.start(1) + b) for a, b in split_bodies(match.group(1), regions)]


def _makers(view: View, span: tuple[int, int], regions: Regions) -> tuple[tuple[int, int], ...]:
    """The bodies in front of 令: 人事部、商务部; of 国家知识产权局局长, the bureau."""
    start, end = span
    if head := _HEAD_OF.search(view.text[start:end]):
        end = start + head.start()
    split = split_bodies(view.text[start:end], regions)
    return tuple((start + a, start + b) for a, b in split) or ((start, end),)


def _dated(
    view: View, opening: Opening, signed: Signature | None, origin: Origin | None, kind: str
) -> Read | None:
    if signed:
        return Read(signed.day.day.isoformat(), signed.day.start, signed.day.end, 0.95 if signed.bodies else 0.85)
    if origin and origin.dated:
        return Read(origin.dated.day.isoformat(), origin.dated.start, origin.dated.end, 0.9)
    if not opening.order_body:
        if kind in _UNSIGNED:
            return None
        for day in find_days(view.text, 0, opening.body + 20):
            if day.start >= 4 and view.text[day.start - 1] in "号（(\n》知见定" and "。" not in view.text[: day.start]:
                return Read(day.day.isoformat(), day.start, day.end, 0.75)
    else:
        for day in find_days(view.text, opening.body, opening.body + 300):
            if day.start <= opening.body + 2 or view.text[day.start - 1] == "号" or stands_alone(view.text, day):
                return Read(day.day.isoformat(), day.start, day.end, 0.8)
    return None


def _published(view: View, by_order: bool, origin: Origin | None, dated: Read | None, kind: str) -> Read | None:
    if by_order and dated:
        return replace(dated, confidence=0.8)
    if origin and origin.proclaimed:
        day = origin.proclaimed
        return Read(day.day.isoformat(), day.start, day.end, 0.85)
    printed = find_printed(view.text) if kind not in _UNSIGNED else None
    return Read(printed.day.isoformat(), printed.start, printed.end, 0.85) if printed else None


def _place(found: _Found, text: str, source: str, regions: Regions) -> Place:
    """行政层级 of the first issuer, and its region or that of the city with which the title of a rule begins.

    Of 3,421 law files 7 name only the province's congress that approved a city's rule, 1 was made by it for a city,
    and 2 come from a city that is a part of another one today.
    """
    if not found.issuers:
        return Place(None, None)
    issuer = found.issuers[0].value
    place = place_of(issuer, regions, text[:_CONTEXT] + text[-3000:])
    if found.kind in _RULES and place.level in (None, "省", "市") and _CONGRESS.search(issuer):
        city = leading_region(found.opening.title.value, regions)
        if city is not None and city.level == "市":
            return replace(place, region=city.code)
    return place


def _reads(found: _Found, view: View, row: Mapping[str, str], place: Place) -> list[tuple[str, Read]]:
    """Every field in order."""
    opening, kind = found.opening, found.kind
    silent = kind in _UNSIGNED
    reads: list[tuple[str, Read | None]] = [("标题", opening.title if opening.title.value else None)]
    reads += [("发文机关", read) for read in found.issuers]
    reads.append(("发文字号", None if silent else _number(found, view, row)))
    reads.append(("主送机关", None if silent else opening.addressee))
    dated = found.dated or _hinted(row, "dated")
    published = _hinted(row, "published_on") or found.published
    reads += [("成文日期", dated), ("发布日期", published)]
    start = None if silent else _effective_from(found, row, dated, published)
    reads.append(("施行日期", start))
    reads.append(("失效日期", None if silent or kind == "指南" else _effective_to(view, row, start)))
    reads.append(("文种", Read(kind, confidence=0.85)))
    signed = found.signature
    letter_end = signed.day.end if signed else 0
    span = _signature_span(found, view)
    issuers = [read.value for read in found.issuers]
    reads += [("附件", read) for read in attachments(view.raw, span, opening.title.value, issuers)]
    reads += [("抄送", copies(view)), ("公开属性", publicity(view))]
    if place.level:
        reads.append(("行政层级", Read(place.level, confidence=0.85)))
    if place.region:
        reads.append(("适用区域", Read(place.region, confidence=0.85)))
    if not silent:
        grounds = basis(view, opening.body, letter_end, opening.title.value, guide=kind == "指南")
        reads += [("依据", read) for read in grounds]
    if not silent and kind != "指南":
        reads += [("废止", read) for read in repeals(view)]
        reads += [("修改", read) for read in amends(view, opening.title.value)]
    return [(name, read) for name, read in reads if read is not None]


def _signature_span(found: _Found, view: View) -> tuple[int, int] | None:
    """Where the signature stands in the raw text of the view."""
    if found.signature is None:
        return None
    start = found.signature.bodies[0][0] if found.signature.bodies else found.signature.day.start
    return view.span(start, found.signature.day.end)


def _number(found: _Found, view: View, row: Mapping[str, str]) -> Read | None:
    if found.opening.number:
        return found.opening.number
    if found.origin and found.origin.number:
        number = found.origin.number
        return Read(number.value, number.start, number.end, 0.9)
    if match := _BARCODE.search(view.text):
        return Read(normal_doc_no(match.group(3)), match.start(3), match.end(3), 0.9)
    if row.get("doc_no"):
        return Read(normal_doc_no(row["doc_no"]), confidence=0.8)
    return None


def _hinted(row: Mapping[str, str], name: str) -> Read | None:
    day = parse_date(row.get(name, ""))
    return Read(day.isoformat(), confidence=0.8) if day else None


def _effective_from(found: _Found, row: Mapping[str, str], dated: Read | None, published: Read | None) -> Read | None:
    if hinted := _hinted(row, "effective_from"):
        return hinted
    if found.origin and found.origin.force:
        day = found.origin.force
        return Read(day.day.isoformat(), day.start, day.end, 0.95)
    force = found.force
    if force is None:
        return None
    if not force.issued:
        return force.read
    issued = dated or published
    return replace(force.read, value=issued.value) if issued else None


def _effective_to(view: View, row: Mapping[str, str], start: Read | None) -> Read | None:
    """The first day without force. Some sites print the last day with force: the eve of an anniversary is one."""
    begun = date.fromisoformat(start.value) if start else None
    if hinted := _hinted(row, "effective_to"):
        following = date.fromisoformat(hinted.value) + timedelta(days=1)
        if begun and (following.month, following.day) == (begun.month, begun.day):
            return replace(hinted, value=following.isoformat())
        return hinted
    return term_end(view, begun)


def _field(name: str, read: Read, view: View, offset: int) -> OfficialField:
    if read.start is None or read.end is None:
        return OfficialField(name, read.value, None, None, read.confidence)
    start, end = view.span(read.start, read.end) if name != "附件" else (read.start, read.end)
    return OfficialField(name, read.value, offset + start, offset + end, read.confidence)


def _edited(
    facts: Facts, fields: list[OfficialField], editor: Mapping[str, str], block: str, source: str, regions: Regions
) -> Official:
    """What the editor wrote in front of the text stands above what was read from it."""
    given = facts_from(editor, source, regions)
    own: list[OfficialField] = []
    for name, written in editor.items():
        if name in _NAMES:
            at = block.find(written)
            start, end = (at, at + len(written)) if at >= 0 else (None, None)
            own.append(OfficialField(_NAMES[name], _field_value(given, name, written), start, end, 1.0))
    names = {field.name for field in own}
    return Official(
        replace(facts, **{name: getattr(given, name) for name in editor}),
        (*own, *[field for field in fields if field.name not in names]),
    )


def _field_value(facts: Facts, name: str, value: str) -> str:
    if name == "region":
        return facts.region or NATIONAL
    fact = getattr(facts, name)
    return fact.isoformat() if isinstance(fact, date) else fact if isinstance(fact, str) else value


def _facts(
    fields: list[OfficialField], row: Mapping[str, str], found: _Found, source: str, regions: Regions
) -> Facts:
    def one(name: str) -> str | None:
        return next((field.value for field in fields if field.name == name), None)

    def day(name: str) -> date | None:
        value = one(name)
        return date.fromisoformat(value) if value else None

    path = PurePosixPath(source.replace("!/", "/"))
    folders = path.parts[:-1]
    issuers = [field.value for field in fields if field.name == "发文机关"]
    rank = next((RANK_NAMES[part] for part in reversed(folders) if part in RANK_NAMES), None)
    folder_region = next((code for part in reversed(folders) if (code := region_code(part, regions))), None)
    region = one("适用区域")
    name_date = NAME_DATE.search(path.stem)
    version = parse_date(name_date.group(1)) if name_date else None
    latest = found.origin.latest if found.origin else None
    dated = day("成文日期")
    derived = rank_of(one("文种") or "", one("标题") or "", issuers, one("行政层级"))
    if found.history and derived in (Rank.OTHER, Rank.NORMATIVE_DOCUMENT):
        derived = Rank.LAW
    return Facts(
        title=one("标题") or NAME_DATE.sub("", path.stem),
        doc_no=one("发文字号"),
        issuer="、".join(issuers) or None,
        kind=one("文种"),
        rank=rank or RANK_NAMES.get(row.get("rank", "")) or derived,
        level=one("行政层级"),
        region=_fact_region(region, folder_region or region_code(row.get("region", ""), regions)),
        dated=version or latest or dated,
        published_on=day("发布日期"),
        effective_from=day("施行日期"),
        effective_to=day("失效日期"),
        validity=row.get("validity") or None,
        public=one("公开属性") in (None, "主动公开"),
        phone=row.get("phone") or None,
        url=row.get("url") or None,
    )


def _fact_region(field: str | None, fallback: str | None) -> str | None:
    """适用区域 as a fact: None is the whole country; the folder of a law knows better than a history of another one."""
    return fallback if field in (None, NATIONAL) else field
