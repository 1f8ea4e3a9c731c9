"""Ways to spoil a true sentence, as a careless model would: each returns the spoilt sentence, or None where it"
" cannot."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.numerals import chinese_number, number
from kb.conflicts.quantities import Dimension, Quantity, quantities

_NUMBER = re.compile(r"\d+(?:\.\d+)?|[一二两三四五六七八九十百千]+")
_CHINESE = re.compile(r"[一二两三四五六七八九十百千]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A true sentence with what carries it."""

    document: str
    how: str                     # verbatim trimmed reworded numerals joined
    sentence: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What may be put in from elsewhere."""

    titles: Sequence[str]
    bodies: Sequence[str]
    clauses: Sequence[str]
    quotes: Sequence[tuple[str, str]]     # document, quote


Spoil = Callable[[Pair, random.Random, World], Pair | None]


def _with(pair: Pair, sentence: str | None) -> Pair | None:
    if sentence is None or sentence == pair.sentence:
        return None
    return Pair(pair.document, pair.how, sentence, pair.quotes)


def _found(pair: Pair, *dimensions: Dimension) -> list[Quantity]:
    return [q for q in quantities(pair.sentence) if q.dimension in dimensions]


def _other_number(text: str, chance: random.Random) -> str | None:
    """The same writing with another value."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    said = match.group()
    if said[0].isdigit():
        value = float(said)
        new = value * chance.choice((2, 3, 0.5)) if value >= 10 and not value % 2 else value + chance.choice((1, 2, 5))
        return text[: match.start()] + f"{new:g}" + text[match.end() :]
    try:
        value = number(said)
    except ValueError:
        return None
    return text[: match.start()] + chinese_number(value + chance.choice((1, 2, 5, 10))) + text[match.end() :]


def _changed(pair: Pair, chance: random.Random, *dimensions: Dimension) -> Pair | None:
    found = _found(pair, *dimensions)
    if not found:
        return None
    one = chance.choice(found)
    new = _other_number(pair.sentence[one.start : one.end], chance)
    return _with(pair, None if new is None else pair.sentence[: one.start] + new + pair.sentence[one.end :])


def changed_amount(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _changed(pair, chance, Dimension.MONEY, Dimension.AREA, Dimension.COUNT)


def changed_period(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _changed(pair, chance, Dimension.PERIOD, Dimension.AGE)


def changed_share(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _changed(pair, chance, Dimension.SHARE)


def changed_date(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    dates = [q for q in _found(pair, Dimension.DATE) if "月" in q.unit or "年" in q.unit]
    if not dates:
        return None
    one = chance.choice(dates)
    said = pair.sentence[one.start : one.end]
    numbers = list(re.finditer(r"\d+|[一二三四五六七八九十]+", said))
    pick = chance.choice(numbers)
    if pick.group().isdigit():
        new = str(int(pick.group()) + (1 if int(pick.group()) < 12 or int(pick.group()) > 31 else -3))
    else:
        try:
            value = number(pick.group())
        except ValueError:
            return None
        new = chinese_number(value + 1 if value < 12 else value - 3)
    return _with(pair, pair.sentence[: one.start] + said[: pick.start()] + new + said[pick.end() :]
                 + pair.sentence[one.end :])


def one_digit(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    places = [m.start() for m in re.finditer(r"[0-9]", pair.sentence)]
    if not places:
        return None
    place = chance.choice(places)
    new = chance.choice([d for d in "123456789" if d != pair.sentence[place]])
    return _with(pair, pair.sentence[:place] + new + pair.sentence[place + 1 :])


def changed_unit(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    options = [
        (m, new)
        for pattern, new in (
            (r"(?<=[\d一二三四五六七八九十])个?工作日", "日"), (r"(?<=[\d一二三四五六七八九十])日(?=内)", "个工作日"),
            (r"(?<=[\d一二三四五六七八九十百千])元", "万元"), (r"万元", "元"), (r"个月", "年"),
            (r"(?<=[一二三四五两\d])年(?=[内的，以])", "个月"),
            (r"小时", "天"), (r"平方米", "亩"), (r"(?<=[一二三四五六七八九十\d])日(?=内)", "个月"), (r"每月", "每年"),
            (r"每年", "每月"),
        )
        for m in re.finditer(pattern, pair.sentence)
    ]
    if not options:
        return None
    match, new = chance.choice(options)
    return _with(pair, pair.sentence[: match.start()] + new + pair.sentence[match.end() :])


def swapped_numbers(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    found = list(quantities(pair.sentence))
    rows = [(a, b) for n, a in enumerate(found) for b in found[n + 1 :]
            if a.unit == b.unit and a.value != b.value and a.dimension is not Dimension.DATE]
    if not rows:
        return None
    one, two = chance.choice(rows)
    s = pair.sentence
    return _with(pair, s[: one.start] + s[two.start : two.end] + s[one.end : two.start] + s[one.start : one.end]
                 + s[two.end :])


def _replaced(pair: Pair, chance: random.Random, rows: Sequence[tuple[str, str]]) -> Pair | None:
    options = [(m, new) for pattern, new in rows for m in re.finditer(pattern, pair.sentence)]
    if not options:
        return None
    match, new = chance.choice(options)
    return _with(pair, pair.sentence[: match.start()] + match.expand(new) + pair.sentence[match.end() :])


def dropped_negation(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, (
        (r"不得(?!超过|低于|高于|少于|多于)", "可以"), (r"不予", "予以"), (r"(?<![以])不需要?", "需要"),
        (r"无需", "需要"), (r"禁止", "允许"),
        (r"不再", ""), (r"未(?![成来满婚])", "已"), (r"没有", "有"), (r"不能", "能"),
        (r"无(?=正当|自有|固定|劳动|异议|生活)", "有"),
        (r"不(?=受|符合|收取|计入|享受|承担|影响|具备|适用|改变|属于|参加)", ""), (r"非(?=本市|因|本人)", ""),
        (r"免收", "收取"), (r"免费", "收费"),
    ))


def added_negation(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, (
        (r"(?<![不])可以", "不得"), (r"应当", "不得"), (r"予以(?=\w)", "不予"), (r"(?<!不)适用", "不适用"),
        (r"(?<!不)享受", "不享受"),
        (r"(?<!不)符合", "不符合"), (r"(?<!不)需要", "不需要"), (r"(?<!不)计入", "不计入"),
        (r"(?<!不)支持", "不支持"), (r"负责", "不负责"),
        (r"(?<![不未])办理", "不办理"), (r"具有", "不具有"), (r"由(?=.{2,12}(?:承担|办理|审核|公布))", "不由"),
        (r"实行", "不实行"),
    ))


def must_for_may(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, ((r"(?<!不)可以", "应当"), (r"(?<!不)可以", "必须")))


def may_for_must(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance,
    ((r"(?<!不)应当", "可以"), (r"必须", "可以"), (r"(?<!不)应(?=[在按于由自提办])", "可")))


def turned_bound(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, (
        (r"以上", "以下"), (r"(?<=[\d元岁月年人倍级%万米])以下", "以上"), (r"不超过", "超过"),
        (r"(?<!不)(?<!得)超过", "不超过"), (r"不低于", "低于"), (r"(?<!不)低于", "高于"),
        (r"不得超过", "可以超过"), (r"不得低于", "可以低于"), (r"不足", "超过"), (r"最高", "最低"),
        (r"最低(?!生活|工资)", "最高"), (r"未满", "年满"), (r"不少于", "少于"),
        (r"不得少于", "不得多于"), (r"至少", "至多"), (r"不高于", "不低于"),
    ))


def or_for_and(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, (
        (r"或者", "并且"), (r"(?<=[\u4e00-\u9fff])或(?!者|许)(?=[\u4e00-\u9fff])", "并"), (r"并且", "或者"),
        (r"，并(?!且|联|列)", "，或者"),
        (r"(?<=同时)符合下列", "符合任一下列"), (r"，且", "，或者"),
    ))


_HARD = re.compile(r"^(?:如|若|经|未经|逾期|除|符合|因|对)|的$|时$|前提下$|情况下$")


def dropped_condition(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    """A condition before the rule, or the limit in a phrase before 的."""
    parts = pair.sentence.split("，")
    heads = [n for n, part in enumerate(parts[:-1]) if _HARD.search(part) and not re.match("根据|依据|按照|为", part)
             and len(parts[n + 1]) >= 6 and len(part) >= 4]
    if not heads:
        return None
    n = chance.choice(heads)
    return _with(pair, "，".join([*parts[:n], *parts[n + 1 :]]))


def dropped_exception(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    new = re.sub(r"[，；。]?(?:但是?|不过)[^。；]{2,60}(?=[。；]|$)|[，（。][^，。（）]{2,40}除外）?"
    r"|除[^，。]{2,30}(?:外|以外)，?", "", pair.sentence, count=1)
    return _with(pair, new) if len(new) >= 8 and new != pair.sentence else None


def added_only(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance, ((r"(?<!不)可以", "只能"), (r"适用于", "仅适用于"), (r"由(?=[^，。]{2,10}(?:承担"
    r"|负责|办理|审核))", "只由"),
                                    (r"(?<!不)应当", "只应当"), (r"包括(?!但)", "仅包括")))


_SUBJECTS = (
    ("职工", "居民"), ("居民", "职工"), ("个人", "单位"), ("用人单位", "个人"), ("企业", "个人"), ("学生", "教师"),
    ("老年人", "残疾人"), ("残疾人", "老年人"),
    ("申请人", "代办人"), ("家庭", "单身人员"), ("本市户籍", "非本市户籍"), ("未成年人", "老年人"),
    ("业主", "物业服务人"), ("承租人", "出租人"), ("劳动者", "用人单位"),
    ("失业人员", "退休人员"), ("高校毕业生", "退役军人"), ("农民工", "高校毕业生"), ("农村", "城镇"),
    ("城镇", "农村"), ("养犬人", "物业服务人"), ("用户", "供水单位"),
    ("儿童", "成年人"), ("配偶", "父母"), ("子女", "父母"), ("孤儿", "老年人"), ("中小学", "高校"),
    ("小微企业", "大型企业"), ("单位", "个人"), ("纳税人", "居民"), ("病人", "家属"),
)


def changed_subject(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    there = "".join(pair.quotes)
    rows = [(re.escape(a), b) for a, b in _SUBJECTS if a in pair.sentence and b not in there]
    return _replaced(pair, chance, rows)


def changed_body(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    there = "".join(pair.quotes)
    found = [m for m in re.finditer(
        r"(?:民政|公安|教育|财政|税务|卫生健康|医疗保障|人力资源和?社会保障|住房和?城乡建设|市场监督管理|农业农村"
        r"|城市管理|交通运输|水务|生态环境|自然资源|审计|司法|消防救援)"
        r"(?:行政部门|主管部门|管理部门|部门|局|厅|机关|机构|委员会)?", pair.sentence)]
    names = [name for name in ("民政", "公安", "教育", "税务", "医疗保障", "司法", "水务", "交通运输",
    "审计") if name not in there]
    rows = [m for m in found if m.group()[-1] in "门局厅关构会"]
    if not rows or not names:
        return None
    match = chance.choice(rows)
    stem = re.sub(r"(?:行政部门|主管部门|管理部门|部门|局|厅|机关|机构|委员会)$", "", match.group())
    new = chance.choice(names) + match.group()[len(stem) :]
    return _with(pair, pair.sentence[: match.start()] + new + pair.sentence[match.end() :])


def changed_title(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    match = re.search(r"《[^《》]{4,60}》", pair.sentence)
    there = "".join(pair.quotes)
    others = [title for title in world.titles if match and title not in match.group() and title not in there]
    if match is None or not others:
        return None
    return _with(pair, pair.sentence[: match.start()] + f"《{chance.choice(others)}》" + pair.sentence[match.end() :])


def invented_title(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    others = [title for title in world.titles if title not in "".join(pair.quotes)]
    return _with(pair, f"根据《{chance.choice(others)}》，{pair.sentence}") if others else None


def changed_doc_no(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    match = re.search(r"〔(\d{4})〕(\d+)号", pair.sentence)
    if match is None:
        return None
    if chance.random() < 0.5:
        new = f"〔{int(match.group(1)) - 1}〕{match.group(2)}号"
    else:
        new = f"〔{match.group(1)}〕{int(match.group(2)) + chance.choice((1, 2, 10))}号"
    return _with(pair, pair.sentence[: match.start()] + new + pair.sentence[match.end() :])


def invented_doc_no(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    prefix = chance.choice(("府办", "政规", "人社发", "民发"))
    number_ = f"{prefix}〔{chance.randint(2015, 2025)}〕{chance.randint(1, 90)}号"
    return _with(pair, f"{pair.sentence.rstrip('。')}（{number_}）。")


def changed_article(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    match = re.search(r"第([一二三四五六七八九十百]+)([条款项])", pair.sentence)
    if match is None:
        return None
    new = f"第{chinese_number(number(match.group(1)) + chance.choice((1, 2, 3)))}{match.group(2)}"
    return _with(pair, pair.sentence[: match.start()] + new + pair.sentence[match.end() :])


_INVENTED = (
    "办理费用为每件50元", "需由单位统一代办", "逾期将被列入失信名单", "申请人还须提供无犯罪记录证明",
    "市民可享受双倍补贴", "办理当天即可到账", "可在全国任意网点办理",
    "每月最后一周暂停受理", "须经过公证", "外地户籍优先", "由银行直接扣款", "可通过支付宝办理", "需要本人到场拍照",
    "同时取消原有优惠", "家属可以代领", "节假日照常办理",
)


def invented_clause(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    extra = chance.choice(_INVENTED) if chance.random() < 0.5 else chance.choice(world.clauses)
    if extra in "".join(pair.quotes):
        return None
    return _with(pair, f"{pair.sentence.rstrip('。；')}，{extra}。")


def invented_phone(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    phone = chance.choice((
        f"0{chance.randint(10, 99)}-{chance.randint(1000000, 89999999)}", f"12{chance.randint(300, 399)}",
        f"400-{chance.randint(100, 999)}-{chance.randint(1000, 9999)}",
    ))
    if phone in "".join(pair.quotes):
        return None
    return _with(pair, f"{pair.sentence.rstrip('。；')}，咨询电话{phone}。")


def changed_phone(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    match = re.search(r"\d{3,4}-\d{7,8}|1[02]\d{3}(?!\d)|\d{7,11}", pair.sentence)
    if match is None:
        return None
    said = match.group()
    n = chance.randrange(len(said) - 3, len(said))
    new = said[:n] + str((int(said[n]) + 1) % 10) + said[n + 1 :]
    return _with(pair, pair.sentence[: match.start()] + new + pair.sentence[match.end() :])


_PLACES = ("临澜市", "望川市", "广州市", "石家庄市", "成都市", "杭州市", "青岛市", "澜东区", "天河区", "河北省",
"广东省", "四川省")


def changed_region(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    there = "".join(pair.quotes)
    found = [m for name in (*_PLACES, "全市", "本市", "全省", "本省") for m in re.finditer(name, pair.sentence)]
    others = [name for name in _PLACES if name not in there]
    if not found:
        return None
    match = chance.choice(found)
    return _with(pair, pair.sentence[: match.start()] + chance.choice(others) + pair.sentence[match.end() :])


def swapped_citation(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    """The sentence stays, and cites another passage."""
    bare = pair.sentence.strip("。；")
    others = [quote for _, quote in chance.sample(world.quotes, min(4, len(world.quotes)))]
    other = next((quote for quote in others if bare not in quote and quote not in pair.quotes), None)
    return Pair(pair.document, pair.how, pair.sentence, (other,)) if other else None


def merged_rules(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    """The condition of this rule with what another rule of the same document says; both are cited."""
    head = pair.sentence.split("，")[0]
    if not head.endswith(("的", "时", "后")) or "，" not in pair.sentence or len(head) < 5:
        return None
    others = [quote for document, quote in world.quotes
              if document == pair.document and quote not in pair.quotes and "，" in quote and "：" not in quote]
    if not others:
        return None
    other = chance.choice(others)
    sentences = [s for s in re.split(r"[。；\n]", other) if "的，" in s]
    if not sentences:
        return None
    tail = sentences[0].split("的，", 1)[1]
    return Pair(pair.document, pair.how, f"{head}，{tail}。", (*pair.quotes, other)) if len(tail) >= 6 else None


def changed_scope(pair: Pair, chance: random.Random, world: World) -> Pair | None:
    return _replaced(pair, chance,
    ((r"部分", "全部"), (r"全部", "部分"), (r"全额", "半额"), (r"减半", "全额"), (r"首次", "每次"), (r"每次", "首次"),
    (r"每年", "一次性"),
                                    (r"每人", "每户"), (r"每户", "每人"), (r"一次性", "按月"), (r"连续", "累计"),
                                    (r"累计", "连续"), (r"次月", "当月"), (r"当月", "次月")))


KINDS: dict[str, Spoil] = {
    "改数额": changed_amount, "改期限": changed_period, "改比例": changed_share, "改日期": changed_date,
    "改一位数字": one_digit, "改单位": changed_unit,
    "数字互换": swapped_numbers, "丢否定": dropped_negation, "加否定": added_negation, "可以→应当": must_for_may,
    "应当→可以": may_for_must,
    "以上↔以下": turned_bound, "并↔或": or_for_and, "丢条件": dropped_condition, "丢例外": dropped_exception,
    "加“只”": added_only, "改对象": changed_subject,
    "改机构": changed_body, "改文件名": changed_title, "编文件名": invented_title, "改文号": changed_doc_no,
    "编文号": invented_doc_no, "改条款": changed_article,
    "编一句": invented_clause, "编电话": invented_phone, "改电话": changed_phone, "改地区": changed_region,
    "换引文": swapped_citation, "拼两条": merged_rules,
    "改范围": changed_scope,
}
