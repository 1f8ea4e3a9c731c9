"""The day whose rules a question asks for: 去年的标准, 2023年5月还能申请吗, 按明年的规定."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from core.numerals import number

_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_NUMERAL = "[0-9]{1,2}|[一二两三四五六七八九十]{1,3}"
_YEAR = r"(?P<year>(?:19|20)[0-9]{2}|(?:二[〇零]|一九)[〇零一二三四五六七八九]{2})\s*年度?"
_DATED = re.compile(
    rf"(?:{_YEAR}|(?P<word>今年|本年|去年|上一?年度|前年|明年|后年))?(?:的|份)?"
    rf"(?:(?P<month>{_NUMERAL})月份?(?:(?P<day>{_NUMERAL})[日号])?|(?P<half>上半年|下半年|年初|年底|年末))?"
)
_ISO = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})(?:[-/.](?P<day>\d{1,2}))?(?!\d)")
_NEAR = (
    ("大前天", -3), ("前天", -2), ("昨天", -1), ("昨日", -1), ("今天", 0), ("明天", 1), ("后天", 2),
    ("上周", -7), ("上星期", -7), ("下周", 7),
)
_PER = ("一月", "十月", "三月", "二月", "两月", "几月")     # 一月两百, 十月怀胎, 三月三: seldom a month of the year
_YEARS = {"今年": 0, "本年": 0, "去年": -1, "上年度": -1, "上一年度": -1, "前年": -2, "明年": 1, "后年": 2}
# what follows or goes before a day when the rules of that day are asked for
_OF_RULES = re.compile(
    r"标准|规定|政策|办法|条例|细则|待遇|补贴|补助|津贴|基数|缴费|工资|价格|收费|费用|多少|怎么|如何|可以|能不能|能|还|是否|有没有"
    r"|有效|执行|施行|适用|要求|条件|比例|额度|限额|放假|时的|罚|几|什么|哪"
)
# what makes a day a fact of the case: 2019年买的房, 去年入职, 1998年出生
_HAPPENED = re.compile(
    r"^.{0,8}(?:买的?|购买|退的?休|剖|走了|入职|出生|生的|毕业|结婚|登记结婚|离婚|退休|交房|拿到|办的|办了|办理了|签的?|签订|成立|注册|落户|搬|来|去世|死"
    r"|发生|开始|起|到现在|至今|以来|生效|考|入伍|退伍|参加工作|转|借|欠|判|被|收到|受伤|住院|做了?|装修|缴了|交了|领了|申请(?:的|了)|修建|建的|拆)"
)
_ACCORDING = re.compile(r"(?:按|依|按照|根据|执行)$")
_FROM_THEN = re.compile(r"(?:自|从|是|于|在|到|至)$")
_RULE_BESIDE = re.compile(r"^份?[的时]?.{0,8}(?:标准|规定|政策|价格|待遇|补贴|补助|费用|收费)")
_NAMES_YEAR = re.compile(
    rf"(?:{_YEAR.replace('?P<year>', '?:')}|今年|本年|去年|上一?年度|前年|明年|后年)|(?:19|20)\d\d(?=[-/.])"
)
_WITHIN = re.compile(r"(?:《[^》]*|〔|［|\[|\(|（|第)$")


@dataclass(frozen=True, slots=True)
class SaidDate:
    """``question[start:end]`` names ``day``: of a year or month its last day, of a future one its first."""

    day: date
    start: int
    end: int
    of_rules: bool               # the rules of that day are asked for; else it is a fact of the case


def said_dates(question: str, today: date) -> tuple[SaidDate, ...]:
    """In order, without overlap. What is no date, such as 13月, is left out."""
    found: list[SaidDate] = []
    for day, start, end in _days(question, today):
        if found and start < found[-1].end:
            continue
        found.append(SaidDate(day, start, end, _asks_of(question, start, end, today)))
    return tuple(found)


def asked_day(question: str, today: date) -> date | None:
    """The one day that the rules are asked for; None is today, or when two days are compared.

    >>> asked_day("去年高龄津贴是多少", date(2026, 11, 25))
    datetime.date(2025, 12, 31)
    """
    days = {said.day for said in said_dates(question, today) if said.of_rules and said.day != today}
    return days.pop() if len(days) == 1 else None


def _days(question: str, today: date) -> list[tuple[date, int, int]]:
    found: list[tuple[date, int, int]] = []
    for match in (*_ISO.finditer(question), *_DATED.finditer(question)):
        named = match.group() not in ("", *_PER) and not _WITHIN.search(question[: match.start()])
        if named and (day := _day(match, today)):
            found.append((day, match.start(), match.end()))
    for word, offset in _NEAR:
        found += [(today + timedelta(offset), m.start(), m.end()) for m in re.finditer(word, question)]
    found += [(_last_month(today), m.start(), m.end()) for m in re.finditer("上个?月", question)]
    return sorted(found, key=lambda item: (item[1], -item[2]))


def _day(match: re.Match[str], today: date) -> date | None:
    parts = match.groupdict()
    year = _year(parts.get("year"), parts.get("word"), today)
    if parts.get("month"):
        return _in_month(year, number(parts["month"]), number(parts["day"]) if parts.get("day") else None, today)
    if year is None:
        return None
    if parts.get("half") in ("上半年", "年初"):
        return date(year, 6, 30) if parts["half"] == "上半年" else date(year, 1, 1)
    if year == today.year:
        return today if not parts.get("half") else date(year, 12, 31)
    return date(year, 12, 31) if year < today.year else date(year, 1, 1)


def _year(figures: str | None, word: str | None, today: date) -> int | None:
    if figures:
        return int(figures.translate(_DIGITS))
    return today.year + _YEARS[word] if word else None


def _in_month(year: int | None, month: int, day: int | None, today: date) -> date | None:
    """A month without a year is this year's; a whole month its last day, or its first where it is to come."""
    of = year or today.year
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(of, month)[1]
    if day is not None:
        return date(of, month, day) if 1 <= day <= last else None
    if (of, month) == (today.year, today.month):
        return today
    return date(of, month, last if date(of, month, 1) < today else 1)


def _last_month(today: date) -> date:
    return today.replace(day=1) - timedelta(1)


def _asks_of(question: str, start: int, end: int, today: date) -> bool:
    said, after = question[start:end], question[end : end + 24]
    if _HAPPENED.match(after) and not re.match(r"^.{0,4}(?:标准|规定|政策)", after):
        return False
    if _ACCORDING.search(question[max(0, start - 6) : start]):
        return True
    year = _NAMES_YEAR.match(said)
    if not year:    # 上个月走了, 十二月打针: a day of the case, unless a rule's word stands beside it
        return bool(_RULE_BESIDE.match(after))
    if year.end() == len(said) and said[:4].isdigit() and int(said[:4]) > today.year:
        return False    # 2027年度…缴费标准: the rule is named after its year, and is in force before
    if _FROM_THEN.search(question[max(0, start - 6) : start]) and not _OF_RULES.search(after):
        return False
    return bool(_OF_RULES.search(after))
