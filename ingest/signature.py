"""Who signed and when: 发文机关署名, 成文日期, 印发日期, and the 题注 of a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ingest.bodies import bodies_before
from ingest.doc_numbers import Number, find_order
from ingest.view import Day, day_at, find_days

# A signature stands within the first pages of a notice, or at the end of a document without attachments.
_HEAD, _TAIL = 9000, 2500
_BODIES = 500                # characters before the date that may name bodies: nine ministries take 120
_NOT_AFTER = re.compile(
    r"[、，,。；;的在前后至起以]|日起|印发|发布|公布|批准|通过|颁布|出台|下发|召开|施行|实施|期间|止|举[行办]"
    r"|开始|同意|审[议定]|令|第(?!一[条章])"
)
_NOT_BEFORE = re.compile(r"(?:经|由|从|将|向|以|据|为|与|和|及|报|请|在|对|按|被|于|是|到|至|并|[（(《“、，,])$")
_SIGNER = re.compile(
    r"(?:总理|省长|市长|州长|区长|县长|主席|部长|主任|局长|署长|行长|院长|检察长|审计长"
    r"|会长)[：:]?[\u4e00-\u9fff·]{2,6}$"
)
_PROMULGATES = re.compile(
    r"现予(?:以)?(?:公布|发布)[^。]{0,60}。\n?(?:代理?)?((?:中华人民共和国)?(?:总理|主席|省长|市长|州长|区长|县长|部长|主任|局长|署长))"
    r"[：:]?[\u4e00-\u9fff·]{2,6}?\n?(?=(?:19|20)\d\d年|[二一][〇○零九])"
)
_MADE_AT = re.compile(r"日([\u4e00-\u9fff]{2,20}?)第\d+次[\u4e00-\u9fff]{0,8}会议?")
_GOVERNORS = ("省长", "市长", "州长", "区长", "县长", "主席")
_MINISTERS = ("部长", "主任", "局长", "署长")
_ENDS_AFTER = re.compile(
    r"\s*(?:$|\n|[（(]|更多信息|公开程序|公开方式|附件|抄送|第[一1][章条]|目录|目 录|分享|扫一扫|GB0626)"
)
_CLOSED = re.compile(r"(?:贯彻|执行|落实|实施|遵照|办理|反馈|通知|通报|公告|函复|此复|报告)[^。]{0,6}。$")
_CITES = re.compile(r"[^。《]{0,40}(?:发布|公布|颁布|印发|下发|批准|通过)[^。《]{0,3}《")
_LISTED = re.compile(r"(?:附件|。附)[:：][^。；]{2,190}$")
_PRINTED = re.compile(r"印发")
_NOTE = re.compile(r"[（(]([^（）()]*(?:[（(][^（）()]{0,40}[）)][^（）()]*){0,6})[）)]?")
_ADOPTED = re.compile(
    r"经?([\u4e00-\u9fff]{2,40}?)(?:第[0-9一二三四五六七八九十百]+(?:届\d+)?次)?"
    r"(?:党组|常务|全体|部务|署务|局务|委务|行务|主席团|审判委员会|检察委员会|办公|工作)?(?:会议)?"
    r"(?:第[0-9一二三四五六七八九十百]+次(?:会议)?)?(?:审议|讨论|修订)?(?:通过|批准)"
)
# the rows in which a collection of laws prints the 题注: 【颁布部门】…【颁布日期】…【生效日期】…
_ROW_BODY = re.compile(r"[【\[](?:颁布|公布|发布)(?:部门|机关|单位)[】\]]\n?([\u4e00-\u9fff、]{4,60})")
_ROW_ISSUED = re.compile(r"[【\[](?:颁布|公布|发布)(?:日期|时间)[】\]]\n?(?=\d{4})")
_ROW_FORCE = re.compile(r"[【\[](?:生效|施行|实施)(?:日期|时间)[】\]]\n?(?=\d{4})")
_EVENT = re.compile(r"[\u4e00-\u9fff、]{4,60}(?:会议?通过|批准|令第|公告)")
_CONGRESS = re.compile(r"人民代表大会|人大常委会")
_PROCLAIMED = re.compile(r"(?:公布|发布|颁布|令第|公告)")
_HOLDS = re.compile(r"\s*(?:起|零时起)?(?:正式)?(?:施行|实施|执行|生效)")
_AT_ONCE = re.compile(r"[公发颁]布(?:并)?施行|通过(?:并)?施行")
_CHANGED = re.compile(r"修[正订改]")


Adoption = tuple[Day, str, tuple[int, int]]     # when, by whom, and where the name stands


@dataclass(frozen=True, slots=True)
class Signature:
    """Spans of the bodies, none where only a date stands, and the date below them."""

    bodies: tuple[tuple[int, int], ...]
    day: Day


@dataclass(frozen=True, slots=True)
class Origin:
    """What the 题注 of a rule says: who adopted or proclaimed it and when."""

    start: int
    end: int
    body: str | None = None
    body_span: tuple[int, int] | None = None
    number: Number | None = None
    dated: Day | None = None         # proclaimed, else adopted: the first time
    proclaimed: Day | None = None
    latest: date | None = None       # the last event: of this version
    force: Day | None = None         # 施行 as stated there: the last one, where a rule has been amended


def find_signature(text: str, names: Mapping[str, str], start: int = 0) -> Signature | None:
    """The first signature with its bodies; else the first date that stands alone where one would sign."""
    alone: Signature | None = None
    spans = [(start, min(len(text), start + _HEAD))]
    if len(text) > spans[0][1]:
        spans.append((max(spans[0][1], len(text) - _TAIL), len(text)))
    for first, last in spans:
        for day in find_days(text, first, last):
            if _NOT_AFTER.match(text, day.end) or _PRINTED.match(text, day.end):
                continue
            end = day.start - 1 if text[day.start - 1 : day.start] == "\n" else day.start
            bodies = bodies_before(text, end, max(start, end - _BODIES), names)
            if bodies and not _NOT_BEFORE.search(text, max(0, bodies[0][0] - 2), bodies[0][0]):
                return Signature(tuple(bodies), day)
            if alone is None and stands_alone(text, day):
                alone = Signature((), day)
    return alone


def find_promulgation(text: str, region: str) -> tuple[str, int, int] | None:
    """Who proclaims at the head what was adopted, 现予公布, signed by 省长, 部长 or 主席: a 令 without its number.

    A 省长 signs for the government of ``region``, with which the title begins; a 部长 for who adopted it.
    """
    match = _PROMULGATES.search(text, 0, 600)
    if match is None:
        return None
    office = match.group(1)
    if office.endswith(_MINISTERS):
        made = _MADE_AT.search(text, 0, match.start())
        return (made.group(1), *made.span(1)) if made else None
    if office in _GOVERNORS:
        return (f"{region}人民政府", *match.span(1)) if region else None
    return ("国务院" if office == "总理" else office, *match.span(1))


def find_printed(text: str) -> Day | None:
    """印发日期 of the 版记: the date right before 印发 at the end of the document."""
    at = text.rfind("日印发")
    while at >= 0:
        if text[at + 3 : at + 4] in ("", "\n", "G", "。", "^"):
            day = next((day for day in find_days(text, max(0, at - 16), at + 1) if day.end == at + 1), None)
            if day and text[day.start - 1 : day.start] not in ("，", "。", "；"):
                return day
        at = text.rfind("日印发", 0, at)
    return None


def find_origin(text: str) -> Origin | None:
    """The 题注 in brackets after the title, or the lines of history that a law file begins with."""
    limit = min(len(text), 700)
    article = re.search(r"第一[条章]", text[:limit])
    for match in _NOTE.finditer(text, 0, article.start() if article else limit):
        if re.search(r"通过|公布|发布|批准|施行", match.group(1)) and re.search(r"\d{4}年|〇|○", match.group(1)):
            return read_origin(text, match.start(1), match.end(1))
    if rows := _origin_rows(text, article.start() if article else limit):
        return rows
    first = next(find_days(text, 0, 40), None)
    end = article.start() if article else min(limit, first.end + 400 if first else 0)
    if first and article and "。" not in text[: first.end] and _EVENT.match(text, first.end):
        return read_origin(text, first.start, end)
    return None


def _origin_rows(text: str, end: int) -> Origin | None:
    """The 题注 as labelled rows above article 1."""
    body = _ROW_BODY.search(text, 0, end)
    issued, force = (
        day_at(text, row.end()) if (row := label.search(text, 0, end)) else None for label in (_ROW_ISSUED, _ROW_FORCE)
    )
    if body is None or issued is None:
        return None
    start, stop = min(body.start(), issued.start), max(body.end(), issued.end)
    return Origin(start, stop, body.group(1), body.span(1), None, issued, issued, issued.day, force)


def read_origin(text: str, start: int, end: int) -> Origin | None:
    """The events of a history: date, body, and what happened."""
    days = list(find_days(text, start, end))
    adopted: Adoption | None = None
    proclaimed: Day | None = None
    number: tuple[Number, str] | None = None
    latest: date | None = None
    force: Day | None = None
    for day, stop in zip(days, [*[later.start for later in days[1:]], end], strict=False):
        said = text[day.end : stop]
        if _HOLDS.match(said):
            force = day
            continue
        latest = max(latest or day.day, day.day)
        if _AT_ONCE.search(said):
            force = force or day
        if _CHANGED.search(said):
            if adopted is None and proclaimed is None:
                adopted = _adoption(text, day, stop)
            continue
        if proclaimed is None and (order := find_order(text, day.end, stop)):
            number, proclaimed = order, day
        elif proclaimed is None and _PROCLAIMED.search(said):
            proclaimed = day
        elif adopted is None:
            adopted = _adoption(text, day, stop)
    if not any((number, adopted, proclaimed, force)):
        return None
    dated = proclaimed or (adopted[0] if adopted else None)
    body, span = _maker(adopted, number)
    return Origin(start, end, body, span, number[0] if number else None, dated, proclaimed, latest, force)


def _maker(
    adopted: Adoption | None, number: tuple[Number, str] | None
) -> tuple[str, tuple[int, int]] | tuple[None, None]:
    """Who made a rule: the congress that adopted it, else the body whose 令 proclaimed it, else who adopted it."""
    if adopted and (_CONGRESS.search(adopted[1]) or number is None):
        return adopted[1], adopted[2]
    return (number[1], (number[0].start, number[0].start + len(number[1]))) if number else (None, None)


def _adoption(text: str, day: Day, stop: int) -> Adoption | None:
    match = _ADOPTED.match(text, day.end, stop)
    return (day, match.group(1), match.span(1)) if match else None


def stands_alone(text: str, day: Day) -> bool:
    """Whether a date signs without a body's name: after a sentence or a signer, and before the end of the letter."""
    before = text[max(0, day.start - 16) : day.start].rstrip("\n")
    if _SIGNER.search(before):
        return True
    at_start = day.start == 0 or text[day.start - 1] in "\n。！；）)》"
    cited = _CITES.match(text, day.end)
    if at_start and day.start and not cited and (not text[day.start].isdigit() or _CLOSED.search(before)):
        return True                  # 二〇〇四年四月三十日, or a letter's last words; the plan it sends follows
    if not at_start and _LISTED.search(text, max(0, day.start - 200), day.start):
        return True
    return at_start and _ENDS_AFTER.match(text, day.end) is not None
