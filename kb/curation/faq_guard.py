"""What two questions must not differ in to be the same question, however alike their words are.

补办 is not 新办, 能 is not 不能, 第二档 is not 第三档, 多久 is not 多少钱. Rules alone, each a list of words: they hold
what a likeness of vectors or characters cannot see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.numerals import number

Labels = tuple[tuple[str, re.Pattern[str]], ...]


def _labels(*rows: tuple[str, str]) -> Labels:
    return tuple((name, re.compile(pattern)) for name, pattern in rows)


# What is asked for. Two questions that both ask for something must ask for the same.
_ASPECTS = _labels(
    ("each", r"(?:多久|多长时间|几[天月年])[^，。？]{0,4}一次"),
    ("clock", r"几点"),
    ("time", r"多久|多长|几个?(?:天|日|月|年|周|工作日)|多少个?(?:天|日|月|年|工作日)|什么时候|何时|哪天"
             r"|时限|期限|几[月号]"),
    ("place", r"哪里|哪儿|去哪|在哪|窗口|地点|地址|什么地方"),
    ("phone", r"电话|哪个号|什么号码|拨打"),
    ("material", r"材料|证件|手续|带什么|带啥|准备什么|资料|要带"),
    ("condition", r"条件|资格|什么人|哪些人|谁能|谁可以|认定"),
    ("penalty", r"罚|处罚"),
    ("ratio", r"比例|百分之几|报销"),
    ("who", r"找谁|谁出|哪个部门|什么部门|归谁"),
    ("times", r"几[次针]|多少次"),
    ("heads", r"几[户只条人名]|多少[户只条人名]"),
    ("share", r"权|选举"),
    ("tax", r"税"),
    ("interest", r"利息|利率"),
    ("quantity", r"[水用电气]量"),
    ("progress", r"进度|查询|到账"),
)
_TIMES = frozenset(("each", "clock"))
_MONEY = re.compile(r"多少|钱|费|价|几元|额度|收不收")       # looked for where nothing else is asked
_HOW = re.compile(r"怎么|怎样|如何|咋|流程|程序|步骤|想")

# What is done. A question that names one of these is another one than a question that does not.
_ACTS = _labels(
    ("again", r"补办|补领|补发|补卡|补证|怎么补|挂失|丢|遗失|不见了|弄没"),
    ("renew", r"换发|换领|换证|换新|怎么换|更换|到期|过期|续期|续签|签注|年检"),
    ("cancel", r"注销|取消|退出|终止|撤销|撤回|停用|解除"),
    ("change", r"变更|更改|过户|转移|修改|改名|迁移"),
    ("reset", r"重置|忘"),
    ("refund", r"退还|退款|退费|怎么退|时候退"),
    ("back", r"退货"),
    ("arbitrate", r"仲裁|诉讼|起诉|复议"),
    ("quit", r"辞职|离职"),
    ("marry", r"结婚"),
    ("divorce", r"离婚"),
    ("exam", r"高考|中考|考试"),
    ("punish", r"罚"),
)
# Of these two questions may not name different ones.
_KINDS: tuple[Labels, ...] = (
    _labels(("resident", r"(?<!非)居民|城乡"), ("worker", r"职工"), ("business", r"非居民|商业|工业|商用")),
    _labels(("nursing", r"护理"), ("living", r"生活")),
    _labels(("old", r"老人|老年|岁以上|高龄"), ("student", r"学生"), ("child", r"新生儿|宝宝|儿童|婴")),
    _labels(("rent", r"租房|租赁|租金"), ("buy", r"购房|买房"), ("loan", r"贷款")),
    _labels(("new", r"新房|新建"), ("second", r"二手|既有|旧|老")),
    _labels(("bus", r"公交"), ("metro", r"地铁"), ("park", r"公园"), ("taxi", r"出租车")),
    _labels(("morning", r"早上|上午|清晨"), ("noon", r"中午|午间"), ("night", r"晚|夜")),
    _labels(("workday", r"工作日|平时"), ("weekend", r"周末|节假日|双休")),
    _labels(("most", r"最高|最多|上限|不超过|不得高于"), ("least", r"最低|最少|下限|不低于|不得低于|不能低于")),
    _labels(("scooter", r"电动自行车|电瓶车|电动车"), ("car", r"汽车"), ("motor", r"摩托")),
    _labels(("company", r"公司|企业|单位|老板"), ("trader", r"个体"), ("person", r"个人|自己|我们?(?!们)")),
    _labels(("hour", r"小时|钟头"), ("day", r"[一每]天|每日|当日"), ("month", r"每个?月|一个月"),
            ("year", r"[一每]年")),
    _labels(("male", r"男"), ("female", r"女")),
    _labels(("town", r"城镇|城市户口"), ("country", r"农村|农业户口")),
    _labels(("primary", r"小学"), ("middle", r"初中|中学"), ("high", r"高中"), ("nursery", r"幼儿园")),
    _labels(("dance", r"广场舞"), ("build", r"装修|施工")),
    _labels(("dismissed", r"辞退|开除|裁员"), ("quit", r"辞职|主动离职|自愿离职|自己离职")),
    _labels(("in", r"转入|迁入"), ("out", r"转出|迁出")),
    _labels(("pay", r"[要需该]{0,2}(?:交|缴|付)(?!易|通|警|往)"), ("get", r"领|发(?!票|现|生|证)|拿|补贴|补助|提取")),
    _labels(("first", r"首套|第一套"), ("other", r"二套|第二套")),
)
_SIDES = re.compile(r"(非本[市地省区县]|外地|外省|外来|异地|外市)|(本[市地省区县]|这里|这边|当地)")

_WHETHER = re.compile(r"(.)不\1|有没有|是不是|能不能|可不可以|会不会|要不要|不[？?]?$|没[？?]?$|不动产|不得不")
_NOT = re.compile(
    r"不(?:能|得|可|许|让|准|给|交|办|登记|上牌|戴|足|达标|合格|符合|是|用|需|想|了)|没有?|未(?!成年|婚|来)"
    r"|无(?!理由|障碍|偿|房)|禁止|别(?!的|人)"
)

_DIGITS = re.compile(
    r"第?[0-9]+(?:\.[0-9]+)?"
    r"|第?[一二两三四五六七八九十百千零〇]+(?=万|周?岁|[天日月年个档阶级类口人元小时以之内到户期次]|$)"
)
# 一 that counts nothing, and 首次, which says nothing that 第一次 does not
_PLAIN_ONE = re.compile(
    r"(?<!第)一(?=[个些下次只条台年月人套点起般直户家位份张样边天口定方吨])|首|头一|第一次|十分|一小时"
)


@dataclass(frozen=True, slots=True)
class Points:
    """What a question must agree in with another one."""

    aspects: frozenset[str]
    acts: frozenset[str]
    kinds: tuple[frozenset[str], ...]
    sides: tuple[str, ...]       # outside and here, in the order they are named
    negated: bool
    numbers: frozenset[float]
    regions: frozenset[str]      # names of places it speaks of


def points_of(text: str, region_names: frozenset[str] = frozenset()) -> Points:
    """``text`` as `kb.tokens.plain` writes it."""
    acts = _found(_ACTS, text)
    return Points(
        _aspects(text), acts, tuple(_found(kind, text) for kind in _KINDS), _sides(text),
        bool(_NOT.search(_WHETHER.sub("", text))), _numbers(text),
        frozenset(name for name in region_names if name in text),
    )


def agree(one: Points, other: Points) -> bool:
    """Whether nothing tells the two questions apart."""
    return (
        one.aspects == other.aspects
        and one.acts == other.acts
        and one.negated == other.negated
        and one.numbers == other.numbers
        and (not one.sides or not other.sides or one.sides == other.sides)
        and all(not a or not b or a & b for a, b in zip(one.kinds, other.kinds, strict=True))
    )


def _found(labels: Labels, text: str) -> frozenset[str]:
    return frozenset(name for name, pattern in labels if pattern.search(text))


def _aspects(text: str) -> frozenset[str]:
    found = set(_found(_ASPECTS, text))
    if found & _TIMES:
        found.discard("time")
    if not found and _MONEY.search(text):
        found.add("money")
    if not found and _HOW.search(text):
        found.add("how")
    return frozenset(found)


def _sides(text: str) -> tuple[str, ...]:
    found = ["outside" if match.group(1) else "here" for match in _SIDES.finditer(text)]
    return tuple(dict.fromkeys(found))


def _numbers(text: str) -> frozenset[float]:
    found = set()
    for match in _DIGITS.finditer(_PLAIN_ONE.sub("", text)):
        numeral = match.group().removeprefix("第")
        try:
            found.add(float(numeral) if numeral[0].isascii() else float(number(numeral)))
        except ValueError:
            continue
    return frozenset(found)
