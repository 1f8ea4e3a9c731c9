"""文种, from a title that names it, else from what the text is about; and 效力级别, which follows from it."""

from __future__ import annotations

import re

from core.records import Rank

# 文种 that a page's row may name: the fifteen of the standard, and those of rules and plans
KINDS = frozenset((
    "决议 决定 命令 公报 公告 通告 意见 通知 通报 报告 请示 批复 议案 函 纪要 "
    "条例 规定 办法 细则 规则 规程 方案 规划 计划 指南"
).split())

CUT_OFF = re.compile(r"(?:\.{2,6}|…+)$")
PAREN = re.compile(r"[（(][^（）()\n]{1,14}[)）]")
_OWN_KIND = re.compile(
    r"(条例|规定|办法|细则|规则|规程|方案|规划|计划|指南|指引|流程|攻略|须知|清单|手册|简介|问答|公约|纲要|预案"
    r"|法|解释|标准|目录|措施|要点|意见|通知|通告"
    r"|公告|通报|决定|报告|请示|批复|复函|函|议案|决议|命令|令|公报|纪要)$"
)
_KIND_NAMES = {
    "指引": "指南", "流程": "指南", "攻略": "指南", "须知": "指南", "清单": "指南", "手册": "指南", "简介": "指南",
    "公约": "规则", "纲要": "规划", "预案": "方案", "法": "其他", "解释": "其他", "标准": "其他", "目录": "其他",
    "措施": "其他", "要点": "其他", "复函": "函",
}
_EXPLAINS = re.compile(r"解读|图解|一图读懂|图说|一图看懂|政策说明|起草说明")
_ASKS = re.compile(r"答记者问|问答|常见问题|热点问题|\d+问|百问|有问必答|你问我答|咨询解答|解答")
_GUIDE_TITLE = re.compile(
    r"怎么|如何|怎样|快来|请查收|可以.{0,12}吗|办理|申领|申请|申报|一文|攻略|指引|指南|发放至|流程"
)
_GUIDE_TEXT = re.compile(
    r"办理(?:流程|方式|条件|材料|步骤|渠道|指引|对象|要求|时限|地点)|申请(?:材料|条件|流程|方式|渠道|对象)"
    r"|申领(?:对象|方式|条件|流程|材料)"
    r"|申报(?:条件|材料|流程|方式)|补贴(?:对象|标准)|步骤[一二三1-3]|第一步|所需材料|温馨提示"
)
_NEWS = re.compile(r"^.{0,80}?(?:记者|讯|电)|本报|日前|近日|[0-9]月[0-9]{1,2}日起?[，,]|表示[，,：:]|强调[，,：:]|召开")
_PRESS = re.compile(r"日报讯|本报讯|本报记者|[（(]记者|通讯员|新华社[\u4e00-\u9fff0-9]{2,12}电")
_RANKS = {
    "问答": Rank.FAQ, "指南": Rank.GUIDE, "解读": Rank.OTHER, "新闻": Rank.OTHER, "报告": Rank.OTHER,
}
_LOOSE = ("计划", "方案", "规划", "措施", "意见", "标准", "目录", "指引", "指南")     # words that headlines end in, too
_REPORT = re.compile(r"情况(?:的)?(?:总结|汇报)$|汇报$|总结$|年报$|年度报|(?:进展|开展|建设|完成|落实|工作)情况$")
LETTER = re.compile(r"通知如下|(?:印发|转发)(?:给)?你们|现予(?:以)?印发|特此通知")
_QUESTION = re.compile(r"[？?]\n?答[:：]")
_BACKGROUND = re.compile(r"(?:出台|起草|制定|编制|发布|政策|修订|文件)(?:的)?(?:背景|过程)|[一二三]、背景|背景和意义")


def kind_of(title: str, text: str, *, order: bool, cut: bool, source_is_media: bool) -> str:
    """文种 from the title, else from what the text is about."""
    plain = PAREN.sub("", title) if title.endswith(("）", ")")) else title
    plain = plain.rstrip("》”\"！!？?。 ")
    if about := _about_another(title, text, cut=cut):
        return about
    if order:
        return "令"
    if re.search(r"公示(?:公告)?$", plain) or (cut and re.search(r"公示", text[:1500])):
        return "其他"
    match = _OWN_KIND.search(plain)
    if _PRESS.search(text[:160]) and (match is None or match.group(1) in _LOOSE):
        return "新闻"
    if match:
        return _KIND_NAMES.get(match.group(1), match.group(1))
    return _unnamed(title, CUT_OFF.sub("", plain), text, source_is_media=source_is_media)


def _about_another(title: str, text: str, *, cut: bool) -> str:
    """问答 or 解读, which speak of another document, by the title or, where that is cut off or quotes, the text."""
    quotes = cut or title.startswith("《") or "——《" in title
    if _ASKS.search(title) or (quotes and len(_QUESTION.findall(text[:4000])) >= 2):
        return "问答"
    if _EXPLAINS.search(title) or (quotes and _BACKGROUND.search(text[:900])):
        return "解读"
    return ""


def _unnamed(title: str, plain: str, text: str, *, source_is_media: bool) -> str:
    """文种 of a text whose title ends in none."""
    if _REPORT.search(plain):
        return "报告"
    if re.search(r"关于|印发|转发", plain) and LETTER.search(text[:4000]):
        return "通知"
    if "计划" in plain[-12:] or "规划" in plain[-12:]:
        return "计划" if "计划" in plain[-12:] else "规划"
    head = text[:400]
    guide = len(_GUIDE_TEXT.findall(text[:6000]))
    if guide >= 2 or (_GUIDE_TITLE.search(title) and (guide or not _NEWS.search(head))):
        return "指南"
    return "新闻" if source_is_media or _NEWS.search(head) else "其他"


def rank_of(kind: str, title: str, issuers: list[str], level: str | None) -> Rank:
    """效力级别 from who made it and what it is called."""
    issuer = issuers[0] if issuers else ""
    if kind in _RANKS:
        return _RANKS[kind]
    if "法院" in issuer or "检察院" in issuer:
        return Rank.JUDICIAL_INTERPRETATION if level == "国家" else Rank.NORMATIVE_DOCUMENT
    if "人民代表大会" in issuer or "人大" in issuer or issuer.endswith("国主席"):
        if level != "国家":
            return Rank.LOCAL_REGULATION
        return Rank.CONSTITUTION if title.endswith("宪法") else Rank.LAW
    if kind in ("令", "条例", "规定", "办法", "细则", "规则") and level == "国家":
        return Rank.ADMINISTRATIVE_REGULATION if issuer.endswith("国务院") else Rank.DEPARTMENT_RULE
    if kind == "令":
        return Rank.LOCAL_RULE
    return Rank.NORMATIVE_DOCUMENT if issuer and kind != "其他" else Rank.OTHER
