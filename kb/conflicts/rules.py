"""The documents whose sentences may contradict others, and what their titles say of their matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from core.records import Facts, State, StoredDocument
from core.regions import leading_region
from kb.conflicts.precedence import place_of
from kb.lookup import stored_documents
from kb.schema import edges
from kb.schema import names as names_table

ONE_TITLE = 0.9              # of a title's rarer words that another shares: both are called the same


@dataclass(frozen=True, slots=True)
class Rule:
    """A document whose sentences may contradict others."""

    stored: StoredDocument
    place: str | None
    years: frozenset[str]        # that its title names
    words: frozenset[str]        # character pairs of the title, without those of every second title
    event: bool                  # what is done once


_NO_RULE_KINDS = frozenset(("新闻", "报告", "通报", "函", "公示", "复函", "批复", "纪要"))
_NO_RULE_TITLE = re.compile(
    r"进展情况|公示|名单|招聘|表彰|答记者问|年度报告|工作总结|修改.{0,60}的决定|修正案|举行|召开|启动|复函|评选结果|情况通报"
    r"|征求意见|发布会|宣贯会|征集|大赛|竞赛|举办|评选|遴选|议事规则"
)
# What is done once, or every year anew.
_EVENT = re.compile(r"申报|活动|行动|推荐|报名|招生|考试|入学|招募|(?:19|20)\d\d年")
_PASSED_ON = re.compile(r"^(?:[《\s　]|关于|印发|转发|公布|发布)+")
_YEAR = re.compile(r"(?:19|20)\d\d(?=\s?[年—~至-])")
COMMON = re.compile(
    r"[《》〈〉“”\"（()）\s.·…、]|中华人民共和国|关于|印发|转发|通知|公布|发布|进一步|做好|加强|开展|有关|问题|事项|工作|实施|管理"
    r"|办法|规定|意见|细则|条例|方案|暂行|试行|政策|解读|指南|若干|常见|问答|办事|申请|提高|调整|落实|标准|的"
)
# Titles that name different sides of these speak of different things.
_SIDES = tuple(
    tuple(re.compile(side) for side in sides) for sides in (
        ("农村|乡村", "城镇|城市"), ("中央|国家", r"\w省|省级|市级|区级"), ("机关|事业单位", "企业"),
        ("城乡居民", "职工"),
        ("高等|高校|高职", "中等|中职|中小学|高中"), ("内地", "港澳"), ("预备役", "现役"),
        ("民事|仲裁法", "刑事", "行政诉讼|行政复议", "劳动争议"),
    )
)


def rules_in_force(connection: Connection, today: date, names: Mapping[str, str]) -> dict[str, Rule]:
    return {
        stored.id: rule_of(stored, names)
        for stored in stored_documents(connection, [State.PUBLISHED])
        if stored.in_force(today) and _may_rule(stored.facts)
    }


def _may_rule(facts: Facts) -> bool:
    return facts.kind not in _NO_RULE_KINDS and not _NO_RULE_TITLE.search("".join(facts.title.split()))


def rule_of(stored: StoredDocument, names: Mapping[str, str]) -> Rule:
    title = _PASSED_ON.sub("", stored.facts.title)
    place = leading_region(title, names)
    title = COMMON.sub("", title[place.end :] if place else title)
    words = frozenset(title[n : n + 2] for n in range(len(title) - 1))
    years = frozenset(_YEAR.findall(stored.facts.title))
    return Rule(stored, place_of(stored.facts, names), years, words, bool(_EVENT.search(stored.facts.title)))


def linked(connection: Connection) -> set[tuple[str, str]]:
    """Documents of which one is based on the other, or carries it out, both ways."""
    query = (
        select(edges.c.document_id, names_table.c.document_id).distinct()
        .join(names_table, names_table.c.name == edges.c.name)
        .where(edges.c.kind.in_(("basis", "implements")), edges.c.name != "")
    )
    pairs = {(one, other) for one, other in connection.execute(query)}
    return pairs | {(other, one) for one, other in pairs}


def apart(one: Rule, other: Rule, matter: float) -> bool:
    """What happens once does not contradict what happens another time."""
    if one.years and other.years and one.years.isdisjoint(other.years):
        return True
    if (one.event or other.event) and matter < ONE_TITLE:
        return True
    titles = one.stored.facts.title, other.stored.facts.title
    return any(
        {place for place, side in enumerate(sides) if side.search(titles[0])}.isdisjoint(
            place for place, side in enumerate(sides) if side.search(titles[1])
        ) and all(any(side.search(title) for side in sides) for title in titles)
        for sides in _SIDES
    )
