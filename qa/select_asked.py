"""What a question asks for, and what a sentence holds that answers such a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

_N = "[\\d一二三四五六七八九十百千万零〇两半.]"


@dataclass(frozen=True, slots=True)
class Sought:
    """One kind of thing that is asked for."""

    name: str
    asked: re.Pattern[str]       # in a question
    answers: re.Pattern[str]     # in a sentence


def _sought(name: str, asked: str, answers: str) -> Sought:
    return Sought(name, re.compile(asked), re.compile(answers))


SOUGHT = (
    _sought("money", r"钱|费|价|标准|金额|补贴|补助|津贴|贷|罚|奖|资金|收入|额度|投入|元",
            rf"{_N}\s?(?:多|余)?(?:万|亿|美)*[元角]|百分之{_N}|{_N}[%％倍]|免费|不收|免"),
    _sought("share", r"比例|几成|百分|多少个点|率|税|利|贴息|折",
            rf"百分之{_N}|\d\s?[%％‰]|{_N}倍|减半|免|{_N}成|个百分点"),
    _sought("number", r"(?:多少|几)[个只条口人套辆张次家项名件种位份所户例批吨班轮场]?|数量|规模|人数",
            rf"{_N}(?:余|多)?(?:万|亿|千)?(?:个|只|条|口|人|套|辆|张|次|家|项|名|件|种|位|份|所|户|例|批|吨|班|轮|场|台|支|座)"),
    _sought("period", r"多久|几[天日个]|时限|期限|多长|几年|几个月|时长|多少天|期间",
            rf"{_N}个?(?:工作日|日|天|月|年|小时|分钟|周|时)"),
    _sought("date", r"什么时候|啥时候|何时|哪[天年月]|到期|截止|日期|时间|几[月号点]|从什么|开始",
            rf"\d+年|\d+月|\d+日|{_N}[日号时点]|之日|\d+[:：]\d+|起|止|前|后"),
    _sought("age", r"多大|岁|年龄", rf"{_N}周?岁"),
    _sought("phone", r"电话|联系|号码|热线|打给|拨打", r"\d{3,4}\s?[-—－]\s?\d{6,8}|12345|\d{5,}|电话|热线"),
    _sought("who", r"谁|哪[个些几]?(?:部门|单位|机构|人|企业|局|家)|什么(?:部门|单位|机构|人)|归.{0,4}管|对象",
            r"部门|局|委|厅|单位|机构|公司|人员|企业|中心|负责|由"),
    _sought("where", r"哪里|哪儿|何处|什么地方|地点|地址|去哪|在哪|网址|网站|平台|窗口|渠道|途径|邮箱|账[户号]",
            r"路|号|街|楼|室|网|平台|APP|App|小程序|公众号|窗口|大厅|中心|邮箱|@|账[户号]"),
    _sought("how", r"如何|怎么|怎样|怎么办|咋|办法|流程|步骤|程序|方式",
            r"通过|应当|应|可以|须|要|实行|采取|按照|方式|由|向"),
    _sought("papers", r"材料|证件|带什么|带啥|手续|要什么证|提供什么|提交",
            r"身份证|证明|材料|申请表|户口|复印件|原件|提交|提供|持"),
    _sought("condition", r"条件|资格|符合|什么样的|什么人|哪些人|谁能|谁可以|适用|范围|对象",
            r"符合|具备|应当|条件|下列|年满|以上|以下|的人员|的企业|范围|适用"),
    _sought("whether",
            r"吗|能不能|可不可以|是否|能否|行不行|可否|要不要|用不用|算不算|有没有|会不会|[能可]以?不[？?]?$|还能|没有",
            r"可以|不得|不予|须|必须|方可|禁止|不|应当|允许|无需|免"),
    _sought("penalty", r"罚|处罚|违规|违法|后果|责任", r"罚款|处以|责令|处.{1,12}元|责任|追究|刑|拘留|吊销|没收"),
    _sought("reason", r"为什么|原因|为何|目的|意义|为了|作用", r"因|为|由于|目的|旨在|以便|从而|确保"),
    _sought("meaning", r"是什么|什么是|指什么|是指|含义|叫什么|定义|什么意思", r"是指|指|即|称为|是|为|："),
    _sought("list", r"哪些|什么要求|内容|包括|措施|政策|要求|方面|举措|几[项个种类]|哪[几三四五两]",
            r"：|；|、|一是|（一）|包括|1[.．、]|等"),
    _sought("source", r"条例|规定|文件|依据|通知|办法|法律|哪部|意见", r"《|〔|依据|根据"),
)

# Phrases that alone may be the answer, by what is asked for.
PHRASES: dict[str, re.Pattern[str]] = {
    "phone": re.compile(
        r"(?:\d{3,4}\s?[-—－]\s?)?\d{5,11}(?:\*{4}\d{4})?|\d{3}\*{4}\d{4}|[A-Za-z0-9_.]+@[A-Za-z0-9.]+|https?://\S+|www\.\S+"
    ),
    "share": re.compile(
        rf"(?:近|约|超过?|不超过|达到?|不低于)*(?:百分之{_N}+|{_N}+[\d.多余—\-~～至]*[%％‰](?:以[上下内])?|{_N}+个百分点|减半)"
    ),
    "money": re.compile(
        rf"(?:近|约|超过?|不超过|达到?|最高|每[人天月年户]{{1,2}})*{_N}+[\d.多余—\-~～至]*(?:万|亿|美)*元(?:以[上下内])?"
        r"(?:[/每][人天月年户日次])?"
    ),
    "time": re.compile(
        r"(?:近|约|超过?|不超过|延长至|至|从|自)*(?:\d{2,4}年)?(?:\d+月)?\d+[日号](?:[（(][^）)]*[）)])?"
        rf"(?:\d+[时点:：]\d*分?)?(?:起|前|止|后)?|{_N}+(?:个)?(?:工作日|日|天|年|月|周|小时|分钟)(?:以?内|以上|以下|前|后)?"
        r"|\d+[:：]\d+(?:[-—至~]+\d+[:：]\d+)?"
    ),
    "number": re.compile(
        rf"(?:近|约|超过?|不超过|达到?|共)*{_N}+[\d.多余—\-~～至]*(?:万|亿|千)?(?:余|多)?"
        r"[个只条口人套辆张次家项名件种位份所户例批吨班轮场台支座倍]+"
    ),
    "name": re.compile(r"[“《][^”》]{1,40}[”》]"),
}
_PHRASE_ASKED = (
    ("phone", re.compile(r"电话|热线|号码|邮箱|网址|网站|QQ|账号|联系方式")),
    ("share", re.compile(r"比例|比率|百分|率|几成|多少.{0,6}(?:执行|贴息)|打几?折")),
    ("money", re.compile(
        r"多少?(?:钱|元|资金|补)|金额|标准|补[贴助]多少|资金.{0,4}多少|额度|费|[价租薪]|工资|[奖罚]多少|津贴|救助金"
    )),
    ("time", re.compile(r"时间|何时|什么时候|哪[天年月日]|几[天日月号年点]|多久|多长|期限|日期|截止")),
    ("number", re.compile(r"多少|几[个名项家种类例批条]|人数|数量|规模")),
    ("name", re.compile(
        r"什么(?:App|APP|平台|系统|名|条例|文件|办法|服务|队伍)|叫什么|哪[个部]|哪些(?:文件|条例|规定)"
    )),
)
_LISTS = re.compile(
    r"哪些|哪几|什么(?:材料|条件|手续|证件|资料|要求)|(?:带|交|准备|提供|提交|要)(?:什么|啥|哪)|条件|材料|包括"
)
_BROAD = re.compile(r"哪些|如何|怎么|怎样|措施|政策|要求|举措|何种|什么样|方面|内容|规定")


_TELLING = ("phone", "papers", "age", "penalty", "share", "money", "period", "date", "where", "who", "condition")


def first_sought(question: str) -> Sought | None:
    """The kind of thing that tells most of a question that asks for several."""
    found = {sought.name: sought for sought in sought_by(question)}
    return next((found[name] for name in _TELLING if name in found), None)


def sought_by(question: str) -> tuple[Sought, ...]:
    return tuple(sought for sought in SOUGHT if sought.asked.search(question))


def phrases_sought(question: str) -> tuple[str, ...]:
    """Names of `PHRASES` that may answer it, the likeliest first."""
    found = tuple(name for name, asked in _PHRASE_ASKED if asked.search(question))
    return found if len(found) == 1 else tuple(name for name in found if name != "number")


def is_broad(question: str) -> bool:
    """Whether it asks for a whole matter, rather than for one thing."""
    return bool(_BROAD.search(question))


# What a sentence does, whatever it is about.
CUES: dict[str, re.Pattern[str]] = {
    "names": re.compile("、"), "cases": re.compile("[；;]"), "must": re.compile("应当?|不得|可以?|须|要|严禁|禁止"),
    "sums": re.compile(r"\d+"), "by": re.compile("通过|采取|采用|利用|由|向"),
    "holds": re.compile("包括|分为|主要[为是有]|如下|[：:]"),
    "opens": re.compile(
        "^(?:为(?:了|贯彻|深入|认真|全面|进一步|切实|做好|落实|有效|确保|积极|应对)|根据|按照|依据|近日|日前|昨[日天]|今[日天]"
        r"|新华社|记者|截至|\d{1,2}月\d{1,2}日|各[市省区县])"
    ),
    "titles": re.compile("《"), "said": re.compile("表示|指出|强调|介绍|要求|会议|印发|召开"),
}
_SHAPES: dict[str, re.Pattern[str]] = {
    "which": re.compile(r"哪些|哪几|哪[两三四五六七八九十\d]"), "how": re.compile("如何|怎么|怎样|咋|何种方式"),
    "what": re.compile("什么|啥|何种"), "many": re.compile("多少|几[个天年月日人次元]|多久|多长|多大|何时|哪[天年日]"),
    "whether": re.compile("吗|能不能|可不可以|是否|能否|[能可]以?不"),
    "rules": re.compile("要求|措施|政策|规定|举措|办法"),
}
_ASKED_AT = re.compile("哪|什么|啥|如何|怎|咋|何|多少|几|谁|吗|多[久长大高]|能否|是否|能不能|可不可以")
_BESIDE = 8                  # characters on either side of the asking word


def shapes_of(question: str) -> dict[str, bool]:
    """How it asks."""
    return {name: bool(shape.search(question)) for name, shape in _SHAPES.items()}


def beside_asking(question: str) -> str:
    """The words around the first that asks, which say what is wanted: 需要什么担保."""
    match = _ASKED_AT.search(question)
    return question[max(0, match.start() - _BESIDE) : match.end() + _BESIDE] if match else question


def lists_asked(question: str) -> bool:
    """Whether a part of a list would be half an answer."""
    return bool(_LISTS.search(question))
