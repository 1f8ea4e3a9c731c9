"""Which of two rules that differ goes before the other, as far as that follows from rank, maker and date.

Higher rank goes first: 宪法, 法律, 行政法规, 地方性法规, then the rules of governments of the same place or below it.
部门规章 and 地方政府规章 stand side by side, and so do rules whose rank is not known. Special over general and new
over old hold only between rules of one maker. In every other case the unit in charge has to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.records import Facts, Rank
from core.regions import leading_region, region_chain


class Precedence(StrEnum):
    """The rule by which one of two goes first."""

    HIGHER = "higher_rank"
    SPECIAL = "special"
    NEWER = "newer"
    CONFIRM = "confirm"          # 请责任单位确认


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows for two rules, in their order."""

    rule: Precedence
    prefers: int | None          # 0 the first, 1 the second; None: nobody may say so but the unit in charge
    reason: str                  # Chinese, for the editor


_ABOVE: dict[Rank, tuple[Rank, ...]] = {
    Rank.CONSTITUTION: (Rank.LAW, Rank.ADMINISTRATIVE_REGULATION, Rank.JUDICIAL_INTERPRETATION, Rank.LOCAL_REGULATION,
                        Rank.DEPARTMENT_RULE, Rank.LOCAL_RULE, Rank.NORMATIVE_DOCUMENT),
    Rank.LAW: (Rank.ADMINISTRATIVE_REGULATION, Rank.LOCAL_REGULATION, Rank.DEPARTMENT_RULE, Rank.LOCAL_RULE,
               Rank.NORMATIVE_DOCUMENT),
    Rank.ADMINISTRATIVE_REGULATION: (Rank.LOCAL_REGULATION, Rank.DEPARTMENT_RULE, Rank.LOCAL_RULE,
                                     Rank.NORMATIVE_DOCUMENT),
    Rank.LOCAL_REGULATION: (Rank.LOCAL_RULE, Rank.NORMATIVE_DOCUMENT),
    Rank.DEPARTMENT_RULE: (Rank.NORMATIVE_DOCUMENT,),
    Rank.LOCAL_RULE: (Rank.NORMATIVE_DOCUMENT,),
    Rank.NORMATIVE_DOCUMENT: (),
}
_EXPLAINS = (Rank.GUIDE, Rank.FAQ)   # tells what a rule says, and is none
_NAMES = {
    Rank.CONSTITUTION: "宪法", Rank.LAW: "法律", Rank.ADMINISTRATIVE_REGULATION: "行政法规",
    Rank.JUDICIAL_INTERPRETATION: "司法解释", Rank.LOCAL_REGULATION: "地方性法规", Rank.DEPARTMENT_RULE: "部门规章",
    Rank.LOCAL_RULE: "地方政府规章", Rank.NORMATIVE_DOCUMENT: "规范性文件", Rank.GUIDE: "办事指南",
    Rank.FAQ: "常见问题", Rank.OTHER: "效力级别不明",
}
_ORGAN = re.compile(
    r"^([\u4e00-\u9fff、]{2,40}?(?:人民政府(?:办公[厅室])?|国务院(?:办公厅)?|委员会(?:办公[厅室])?|[厅局部委院会](?:办公[厅室])?))"
    r"(?=关于|印发|转发|令|公告)"
)
_JOINT = re.compile(r"[、，,\s/／]+")


def decide(one: Facts, other: Facts, *, special: int | None, names: Mapping[str, str]) -> Decision:
    """``special`` tells which of the two is the narrower rule, where that can be told; ``names`` are the configured
    regions."""
    for winner, (high, low) in enumerate(((one, other), (other, one))):
        if _is_above(high, low, names):
            reason = f"{_NAMES[high.rank]}效力高于{_NAMES[low.rank]}，以上位规定为准"
            return Decision(Precedence.HIGHER, winner, reason)
    if one.rank != other.rank or one.rank is Rank.OTHER:
        return _confirm(f"{_NAMES[one.rank]}与{_NAMES[other.rank]}之间不能按效力级别确定")
    maker, another = maker_of(one, names), maker_of(other, names)
    if maker is None or another is None:
        return _confirm("制定机关不明")
    if maker != another:
        return _confirm(f"由不同机关制定（{maker}；{another}）")
    return _same_maker(one, other, maker, special)


def _same_maker(one: Facts, other: Facts, maker: str, special: int | None) -> Decision:
    days = [facts.effective_from or facts.dated or facts.published_on for facts in (one, other)]
    first, second = days
    newer = None if first is None or second is None or first == second else int(second > first)
    if special is not None and newer in (None, special):
        return Decision(Precedence.SPECIAL, special, f"同为{maker}制定，特别规定优于一般规定")
    if special is not None:
        return _confirm(f"同为{maker}制定，旧的特别规定与新的一般规定不一致，由制定机关裁决")
    if newer is not None:
        return Decision(Precedence.NEWER, newer, f"同为{maker}制定，新的规定优于旧的规定；旧的一份可能应当废止或修改")
    return _confirm(f"同为{maker}制定，日期相同或不明")


def place_of(facts: Facts, names: Mapping[str, str]) -> str | None:
    """Its region; of a document without one that which its title begins with: 河北省停车场管理办法."""
    if facts.region:
        return facts.region
    found = leading_region(facts.title.lstrip("《 　"), names)
    return found.code if found else None


def maker_of(facts: Facts, names: Mapping[str, str]) -> str | None:
    """The organ that made it, the first of several: named by its title, else its issuer.

    None for a national rule whose issuer is a local body: that is who put it on its site.
    """
    title = "".join(facts.title.split()).removeprefix("中华人民共和国")
    if found := _ORGAN.match(title):
        return found.group(1)
    issuer = _JOINT.split(facts.issuer.strip())[0] if facts.issuer else None
    if issuer and place_of(facts, names) is None and leading_region(issuer, names):
        return None
    return issuer.removeprefix("中华人民共和国") if issuer else None


def may_meet(one: str | None, other: str | None) -> bool:
    """Whether both rules hold at one place: those of two cities never meet."""
    if one is None or other is None:
        return True
    return one in region_chain(other) or other in region_chain(one)


def _is_above(high: Facts, low: Facts, names: Mapping[str, str]) -> bool:
    if low.rank in _EXPLAINS:
        return high.rank in _ABOVE
    if low.rank not in _ABOVE.get(high.rank, ()):
        return False
    if high.rank in (Rank.LOCAL_REGULATION, Rank.LOCAL_RULE) and low.rank is not Rank.OTHER:
        above, below = place_of(high, names), place_of(low, names)
        return above is not None and below is not None and above in region_chain(below)
    return True


def _confirm(why: str) -> Decision:
    return Decision(Precedence.CONFIRM, None, f"{why}，请责任单位确认")
