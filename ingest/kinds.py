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
TAGS = re.compile(r"^(?:[（(]转载[)）]|【[^】]{1,12}】|\[[^\]]{1,12}\])+")    # 【图解】 before a headline
PAREN = re.compile(r"[（(][^（）()\n]{1,14}[)）]")
_OWN_KIND = re.compile(
    r"(条例|规定|办法|细则|规则|规程|方案|规划|计划|指南|指引|流程|攻略|须知|清单|手册|简介|问答|公约|纲要|预案"
    r"|法|解释|标准|目录|措施|举措|要点|意见|通知|通告"
    r"|公告|通报|决定|报告|汇报|总结|年报|情况|请示|批复|复函|函|议案|决议|命令|令|公报|纪要)$"
)
_KIND_NAMES = {
    "指引": "指南", "流程": "指南", "攻略": "指南", "须知": "指南", "清单": "指南", "手册": "指南", "简介": "指南",
    "公约": "规则", "纲要": "规划", "预案": "方案", "法": "其他", "解释": "其他", "标准": "其他", "目录": "其他",
    "措施": "其他", "举措": "其他", "要点": "其他", "复函": "函", "汇报": "报告", "总结": "报告", "年报": "报告",
    "情况": "其他",
}
_EXPLAINS = re.compile(r"解读|详解(?=《)|图解|一图读懂|图说|一图看懂|政策说明|起草说明|^普法")
_ASKS = re.compile(r"答记者问|问答|常见问题|热点问题|\d+问|百问|有问必答|你问我答|咨询解答|解答")
_RECORDS = re.compile(r"(?:发布会|吹风会)[^《》]{0,8}$")
_GUIDE_TITLE = re.compile(
    r"怎么|如何|怎样|快来|请查收|可以.{0,12}吗|办理|申领|申请|申报|一文|攻略|指引|指南|发放至|流程"
)
_GUIDE_TEXT = re.compile(
    r"办理(?:流程|方式|条件|材料|步骤|渠道|指引|对象|要求|时限|地点)|申请(?:材料|条件|流程|方式|渠道|对象)"
    r"|申领(?:对象|方式|条件|流程|材料)"
    r"|申报(?:条件|材料|流程|方式)|补贴(?:对象|标准)|步骤[一二三1-3]|第一步|所需材料|温馨提示"
)
_NEWS = re.compile(
    r"^.{0,80}?(?:记者|日电|[报网社体]讯|讯[（(])|本报|日前|近日|[0-9]月[0-9]{1,2}日起?[，,]|表示[，,：:]|强调[，,：:]|召开"
)
_HEADLINE = re.compile(r"》(?:正式)?(?:印发|发布|公布|出台|实施)|^[^《]*(?:印发|发布|颁布|公布|出台)《[^《》]*》?$")
_SHORT_NAME = re.compile(r"》[^。]{0,30}以下简称[:：]?[“《]*([\u4e00-\u9fff]{2,8})")
_PRESS = re.compile(r"日报讯|本报讯|本报记者|[（(]记者|通讯员|新华社[\u4e00-\u9fff0-9]{2,12}电")
_RANKS = {
    "问答": Rank.FAQ, "指南": Rank.GUIDE, "解读": Rank.OTHER, "新闻": Rank.OTHER, "报告": Rank.OTHER,
}
_LOOSE = ("计划", "方案", "规划", "措施", "意见", "标准", "目录", "指引", "指南")     # words that headlines end in, too
_LETTERS = tuple("通知 通告 公告 通报 决定 报告 请示 批复 函 复函 议案 决议 纪要 意见".split())
# of a whole year; what a page tells of one month is no 报告
_REPORT = re.compile(r"年度报|\d{4}年(?!\d{1,2}月)[^。]*(?:进展|开展|建设|完成|落实|工作)情况$")
LETTER = re.compile(r"通知如下|(?:印发|转发)(?:给)?你们|现予(?:以)?印发|特此通知")
_SAYS = re.compile(r"(通知|通报|公告|通告|批复|函复|复函|决定)如下|特此(通知|通报|公告|通告|批复|函复|复函)")
_QUESTION = re.compile(r"[？?]\n?答[:：]")
_BACKGROUND = re.compile(
    r"(?:出台|起草|制定|编制|发布|政策|修订|文件)(?:的)?(?:背景|过程)|[一二三]、(?:工作)?背景|背景和意义"
)


def kind_of(title: str, text: str, *, order: bool, cut: bool, addressed: bool, source_is_media: bool) -> str:
    """文种 from the last words of the title, else from what the text is about.

    ``addressed``: the text begins with its 主送机关.
    """
    title = TAGS.sub("", title)
    plain = PAREN.sub("", title) if title.endswith(("）", ")")) else title
    plain = plain.rstrip("》”\"！!？?。 ")
    if about := _about_another(title, text, cut=cut):
        return about
    if order:
        return "令"
    match = _OWN_KIND.search(plain)
    own = match.group(1) if match else ""
    if re.search(r"公示(?:公告)?$", plain) or (not own and not addressed and "公示" in text[:300]):
        return "其他"
    if own and title.endswith("》") and "》全文如下" in text[:600]:
        return _KIND_NAMES.get(own, own)         # an agency's report that prints what was issued
    if _PRESS.search(text[:160]) and (not own or own in _LOOSE):
        return "新闻"
    if addressed and own not in _LETTERS and LETTER.search(text[:1500]):
        return "通知"                # the letter that a rule, named by the title, is sent with
    if _REPORT.search(plain):
        return "报告"
    if own and title.endswith("》") and _HEADLINE.search(title) and not LETTER.search(text[:400]):
        return "新闻"
    if own:
        return _KIND_NAMES.get(own, own)
    return _unnamed(title, CUT_OFF.sub("", plain), text, addressed=addressed, source_is_media=source_is_media)


def _about_another(title: str, text: str, *, cut: bool) -> str:
    """问答 or 解读, which speak of another document, by the title or, where that is cut off or quotes, the text."""
    if _RECORDS.search(title):
        return "新闻"
    if _ASKS.search(title):
        return "问答"
    if _EXPLAINS.search(title):
        return "解读"
    if cut or title.startswith("《") or "——《" in title:
        if len(_QUESTION.findall(text[:4000])) >= 2:
            return "问答"
        if _BACKGROUND.search(text[:900]):
            return "解读"
    return ""


def _unnamed(title: str, plain: str, text: str, *, addressed: bool, source_is_media: bool) -> str:
    """文种 of a text whose title ends in none."""
    if re.search(r"关于|印发|转发", plain) or addressed:
        if says := _SAYS.search(text[:4000]):
            said = says.group(1) or says.group(2)
            return "函" if said in ("函复", "复函") else said
        if addressed or LETTER.search(text[:4000]) or re.search(r"关于(?:印发|转发)", plain):
            return "通知"
    if _HEADLINE.search(plain):
        return "新闻"
    if _comments(text):
        return "解读"
    head = text[:400]
    guide = len(_GUIDE_TEXT.findall(text[:6000]))
    if guide >= 2 or (_GUIDE_TITLE.search(title) and (guide or not _NEWS.search(head))):
        return "指南"
    return "新闻" if source_is_media or _NEWS.search(head) else "其他"


def _comments(text: str) -> bool:
    """Whether a text comes back again and again to a document that it has given a short name: 以下简称《意见》."""
    short = _SHORT_NAME.search(text[:500])
    return short is not None and text.count(f"《{short.group(1)}》") >= 5


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
