"""施行日期 and 失效日期 of a document, from its own clauses on when and for how long it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from ingest.opening import Read
from ingest.view import Day, View, day_at, han_number

_IN_FORCE = re.compile(
    r"(?:起|(?<=[发布]之日)|(?<=[发布]后)|(?<=\d日)(?=施行|生效))(?:正式|开始|一并|同时|予以)?"
    r"(?:施行|实施|执行|生效|试行|实行|试点)(?=[。，,；;）)\n]|$|[总省市主部第\u4e00-\u9fff])"
)
_FROM_ISSUE = re.compile(
    r"(?:[自从于](?:本[\u4e00-\u9fff]{2,6})?(?:发布|公布|印发|下发|颁布|签发|通过|发文)(?:之日|之时|日|后)?"
    r"|(?<![批准修订])(?:发布|公布|印发|颁布)之日)$"
)
_TERM = re.compile(
    r"有效期限?(?:为|暂定)?(?:(至)?((?:19|20)\d{2}年\d{1,2}月\d{1,2}日)(?:止)?"
    r"|([0-9一二三四五六七八九十两]{1,3})(?:个)?(年|月))"
)
_TRIAL = re.compile(r"试行期?限?(?:为|暂定)?([0-9一二三四五六七八九十两]{1,3})(?:个)?(年|月)")
_TERM_SUBJECT = re.compile(
    r"(?:起(?:正式)?(?:施行|实施|执行|生效|试行|实行|公布)[，,。；;]?|执行[，,]|解释[。，；]|"
    r"本(?:实施|暂行)?(?:通知|通告|公告|办法|规定|细则|规则|方案|意见|措施|条例|标准|指引|文件|政策"
    r"|决定))(?:由[^，。]{2,40}负责解释[，,。；])?$"
)
_OF_ANOTHER = re.compile(r"(?:备案|许可|登记|证|证书|合同|协议|资格|资质)[自从于][^。；]{2,40}起[^。；]{2,6}[，,]?$")
_UNTIL = re.compile(
    r"(?:执行|施行|实施|有效|试行)(?:期)?(?:时间|期限)?(?:[至到]|截[止至])((?:19|20)\d{2}年\d{1,2}月\d{1,2}日)(?:止)?(?=[。，；\n])"
)


@dataclass(frozen=True, slots=True)
class Force:
    """From when the document holds: a day, or the day it is issued (``issued``)."""

    read: Read
    issued: bool
    after: int                   # where its clause ends


def in_force(view: View, *, any_subject: bool) -> Force | None:
    """The clause on 施行 of this document: of a day rather than of its issue, of "本…" before others."""
    text = view.text
    weak: Force | None = None
    issued: Force | None = None
    for match in _IN_FORCE.finditer(text):
        at = match.start()
        line = max(text.rfind("。", 0, at), text.rfind("；", 0, at), text.rfind("\n", 0, at)) + 1
        lead = text[max(line, at - 60) : at]
        if from_issue := _FROM_ISSUE.search(lead):
            proclaimed = lead[: from_issue.start()].endswith(("公布，", "发布，"))
            if issued is None and (proclaimed or _own_subject(lead[: from_issue.start()]) or any_subject):
                start = at - len(lead) + from_issue.start()
                issued = Force(Read(text[start : match.end()], start, match.end(), 0.85), True, match.end())
                if proclaimed:
                    return issued    # of a 令, whatever the rule that it prints says
            continue
        day = _day_before(text, at)
        if day is None or (match.group()[0] in "施生" and text[day.start - 1 : day.start] not in ("自", "从", "于")):
            continue                 # without 起 also of what is cited: （GB/T 33358，2017年7月1日施行）
        subject = text[max(line, day.start - 40) : day.start].rstrip("自从于")
        subject = re.split(r"[，,（(]", subject)[-1]
        force = Force(Read(day.day.isoformat(), day.start, day.end, 0.95), False, match.end())
        if _own_subject(subject):
            return force
        weak = weak or force
    if issued and not (weak and any_subject and weak.read.start is not None and weak.after < issued.after):
        return issued
    return weak if any_subject else None


def _own_subject(subject: str) -> bool:
    last = re.split(r"[，,（(：:]", subject)[-1]
    return last == "" or re.search(r"本[《“]?[\u4e00-\u9fff（）]{1,12}[》”]?$|^上述|^以上|^本", last) is not None


def _day_before(text: str, at: int) -> Day | None:
    window = text[max(0, at - 16) : at]
    for offset in range(len(window)):
        day = day_at(text, at - len(window) + offset)
        if day and (day.end == at or text[day.end : at] in ("零时", "0时", "之日")):
            return day
    return None


def term_end(view: View, start: date | None) -> Read | None:
    """失效日期: the first day on which this document no longer holds, by its own term counted from ``start``."""
    text = view.text
    for match in _TERM.finditer(text):
        lead = text[max(0, match.start() - 60) : match.start()]
        if not _TERM_SUBJECT.search(lead) or _OF_ANOTHER.search(lead):
            continue
        if match.group(2):
            day = day_at(text, match.start(2))
            if day:
                return Read((day.day + timedelta(days=1)).isoformat(), match.start(), match.end(), 0.93)
        elif start and (end := _later(start, match.group(3), match.group(4))):
            return Read(end.isoformat(), match.start(), match.end(), 0.9)
    if until := _until(text):
        return until
    for match in _TRIAL.finditer(text):
        if start and re.search(
            r"(?:起(?:施行|实施|执行|试行)|本[\u4e00-\u9fff]{2,8})[，,]?$", text[: match.start()][-16:]
        ) and (
            end := _later(start, match.group(1), match.group(2))
        ):
            return Read(end.isoformat(), match.start(), match.end(), 0.8)
    return None


def _until(text: str) -> Read | None:
    """The last day as stated, of this document or of 以上政策; several of the latter would each be of one section."""
    matches = list(_UNTIL.finditer(text))
    for match in matches:
        before = text[max(0, match.start() - 30) : match.start()]
        own = re.search(r"本[\u4e00-\u9fff]{2,8}(?:自[^。；]{0,24})?[，,]?$", before) is not None
        own = own or (len(matches) == 1 and before.endswith(("以上政策", "上述政策")))
        if own and (day := day_at(text, match.start(1))):
            return Read((day.day + timedelta(days=1)).isoformat(), match.start(), match.end(), 0.85)
    return None


def _later(start: date, count: str, unit: str) -> date | None:
    number = 2 if count == "两" else han_number(count)
    if not number:
        return None
    months = start.month - 1 + (number * 12 if unit == "年" else number)
    year, month = start.year + months // 12, months % 12 + 1
    if year > 9999:
        return None
    day = start.day
    while day > 28:                          # 29 February and the 31st may not be there
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1
    return date(year, month, day)
