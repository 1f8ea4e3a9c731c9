"""A text as it is compared: numerals, bounds, negations and synonyms each as one sign, with the facts they stand for.

不得超过二百元 and 最高200元 become the same sign with the same `Fact`; 应当, 须 and 必须 become `MUST`. What a sentence
says in other words than its source then differs from it only where it says something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from core.numerals import number
from kb.conflicts.quantities import Dimension, quantities

FACT = "\ue010"
NEG, MUST, MAY, ONLY, OR, AND, BUT, GAP, ITEM = (chr(0xE001 + n) for n in range(9))

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_ALIKE_SIGNS = str.maketrans({"“": '"', "”": '"', "‘": '"', "’": '"', "「": '"', "」": '"', "〇": "零", "—": "-",
                              "–": "-", "~": "-", "〜": "-", "－": "-", "﹝": "〔", "﹞": "〕"})
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\U000e0000-\U000e0fff]"
)
_TOKEN = re.compile(r"\[\d{1,2}\]")
_SPACE = re.compile(r"[^\S\n]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.](0?[1-9]|1[0-2])[-/.](0?[1-9]|[12]\d|3[01])(?!\d)")
_DOC_YEAR = re.compile(r"[\[(〔]((?:19|20)\d\d)[\])〕]\s?(?:第)?(?=\d+号)")
_HALF = ((re.compile(r"(?<![一二两三四五六七八九十个零\d])半年"), "6个月"), (re.compile(r"(?<=\d)块(?!钱)"), "元"),
         (re.compile(r"(?<=[一二两三四五六七八九十百千万])块(?!钱)"), "元"), (re.compile(r"两周岁"), "2周岁"),
         (re.compile(r"(?<![一二三四五六七八九零])百岁"), "100岁"))


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with what it counts and the bound it sets."""

    text: str
    unit: str                    # of `kb.conflicts.quantities`; "" for a bare number; 条 款 项 for an address
    value: Decimal
    bound: str = ""              # ≥ ≤ > <
    after: str = ""              # the letter behind a bare number

    @property
    def key(self) -> tuple[str, Decimal]:
        return self.unit, self.value


@dataclass(frozen=True, slots=True)
class Said:
    """``text`` holds `FACT` once for each of ``facts``, in order."""

    plain: str
    text: str
    facts: tuple[Fact, ...]


def plain(text: str) -> str:
    """Without what nobody sees: half-width signs, no spaces but line ends, no invisible characters, no [1]."""
    text = text.translate(_WIDE)
    if not text.isascii():
        text = _UNSEEN.sub("", text).translate(_ALIKE_SIGNS)
    return _SPACE.sub("", _TOKEN.sub("", text))


# Words of bounds stand before or after what they bound: 不超过200元, 200元以下.
_BEFORE = re.compile(
    r"(?:(?P<le>(?:[不未](?:得|能|可以|可|应当?|会|准)?(?:超过|高于|多于|大于|逾)|最[高多长大晚迟]|至多|上限为?"
    r"|封顶)(?:[为是达]|可达|不超过|不得超过)?)"
    r"|(?P<ge>[不未](?:得|能|可以|可|应当?|会|准)?(?:低于|少于|小于|短于)|最[低少短小早]为?|至少为?|下限为?|年?满"
    r"|达到|已?满)"
    r"|(?P<gt>超过|高于|多于|大于|超出|逾|超)"
    r"|(?P<lt>低于|少于|小于|不足|未满|不满|未达到?|不到))(?:是|为|了|约|可?[领报补给发收达])?$"
)
_AFTER = re.compile(
    r"(?P<ge>及?以上|或以上|起步)|(?P<le>及?以下|之?内|以内|封顶|为限|为止)|(?P<gt>开外)|(?P<lt>不到)"
)
_BOUND_SIGNS = {"le": "≤", "ge": "≥", "gt": ">", "lt": "<"}
_NUMERAL = re.compile(r"\d+(?:\.\d+)?(?:[万亿千百](?![一二三四五六七八九]))?|[零一二两三四五六七八九十百千万亿]+")
_NO_NUMBER = re.compile(
    r"[统唯同任万单]一$|^一(?:般|律|次性|并|定|致|旦|方|切|体|站|窗|网|些|样|直|起|经|审|证|卡|户一|事一|同|贯|时|代"
    r"|带)"
    r"|^千方|^百姓|^万一|^十分|^二维|^四川|^三亚|^五险|^一金|^百货|^百分|^一(?!\d)$|^万(?!元)$|^千$|^百$|^十$|^亿$"
    r"|^[千百万]$"
)
_ADDRESS = re.compile(r"第([零一二两三四五六七八九十百千\d]+)([条款项章节])")
_CLASSIFIERS = frozenset("份张件个项类户家套辆条档级种届期班所处场只座栋")
_COUNTED = frozenset("份张户套辆档级类只座栋")     # with which 一 counts; 一个 and 一项 mostly do not


_NO_DATE = "无此日"             # 4月0日, of which the quantities keep 4月 only


def _facts(text: str) -> Iterator[tuple[int, int, Fact]]:
    """(start, end, fact) in the order of ``text``; the words of a bound belong to its fact."""
    taken: list[tuple[int, int, Fact]] = []
    for match in _ADDRESS.finditer(text):
        taken.append((*match.span(), Fact(match.group(), match.group(2), _value(match.group(1)))))
    for quantity in quantities(text):
        said = text[quantity.start : quantity.end]
        unit = quantity.unit
        if quantity.dimension is Dimension.DATE and any(part in said and part not in unit for part in "月日"):
            unit = _NO_DATE
        taken.append((quantity.start, quantity.end, Fact(said, unit, quantity.value.normalize())))
    taken.sort(key=lambda row: (row[0], -row[1]))
    end = 0
    for start, stop, fact in [*taken, (len(text), len(text), None)]:
        if start < end:
            continue
        yield from _bare(text, end, start)
        if fact is not None:
            yield _bounded(text, end, start, stop, fact)
        end = max(stop, end)


_RANGE = frozenset("至到-")
_DATED = frozenset(("年月日", "年月", "月日", "月", "年", "条", "款", "项"))


def _ranged(text: str, found: list[tuple[int, int, Fact]]) -> list[tuple[int, int, Fact]]:
    """3至5日: the 3 counts days, too."""
    for n in range(len(found) - 2, -1, -1):
        (start, end, fact), (then, _, other) = found[n], found[n + 1]
        if not fact.unit and other.unit and text[end:then] in _RANGE and not fact.after and other.unit not in _DATED:
            found[n] = (start, end, Fact(fact.text, other.unit, (fact.value * _scale(other)).normalize(), fact.bound))
    return found


def _scale(fact: Fact) -> Decimal:
    """What one counts in its unit: 10,000 for 3万元, 12 for 2年, 0.01 for 5%."""
    digits = re.search(r"\d+(?:\.\d+)?|[零一二两三四五六七八九十百千]+", fact.text)
    try:
        base = _value(digits.group()) if digits else Decimal(0)
    except ValueError:
        base = Decimal(0)
    return fact.value / base if base else Decimal(1)


def _bare(text: str, start: int, end: int) -> Iterator[tuple[int, int, Fact]]:
    for match in _NUMERAL.finditer(text, start, end):
        said = match.group()
        before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 2]
        if not said[0].isdigit() and (_NO_NUMBER.search(before + said) or _NO_NUMBER.search(said + after)):
            continue
        classifier = after[:1] if after[:1] in _CLASSIFIERS else ""
        if said == "一" and (not classifier or classifier not in _COUNTED):
            continue
        try:
            value = _value(said)
        except ValueError:
            continue
        stop = match.end() + len(classifier)
        yield _bounded(text, start, match.start(), stop, Fact(said + classifier, "", value, "", classifier))


def _bounded(text: str, floor: int, start: int, end: int, fact: Fact) -> tuple[int, int, Fact]:
    if fact.unit in "条款项章节" and fact.unit:
        return start, end, fact
    head = text[max(floor, start - 8) : start]
    before = _BEFORE.search(head)
    after = _AFTER.match(text, end)
    signs = [_BOUND_SIGNS[found.lastgroup or ""] for found in (before, after) if found and found.lastgroup]
    if not signs:
        return start, end, fact
    sign = "".join(dict.fromkeys(signs))     # 满3个月以下 contradicts itself: ≥≤
    begin = start - (len(head) - before.start()) if before else start
    return begin, after.end() if after else end, Fact(fact.text, fact.unit, fact.value, sign, fact.after)


@lru_cache(maxsize=4096)
def _value(said: str) -> Decimal:
    scale = 1
    for sign, power in (("亿", 10**8), ("万", 10**4)):
        if sign in said:
            head, _, tail = said.partition(sign)
            return (_value(head) if head else Decimal(1)) * power + (_value(tail) if tail else 0)
    if said[0].isdigit():
        while said[-1] in "百千":
            scale *= 100 if said[-1] == "百" else 1000
            said = said[:-1]
        return Decimal(said).normalize() * scale
    return Decimal(number(said))


# One spelling for what is said in many ways. A key must not be a part of a word that means something else.
_SAME: dict[str, str] = {}
for _one, _others in {
    NEG + "收费": "免费 不收费 不收取费用 不收取任何费用 免收费 无需缴费 不用交钱 不用付费 不需要交费 不另行收费"
    " 不要钱 无偿"
                " 不收取任何费 不收任何费用 不需要花钱",
    NEG + "收": "免收 不收取 不收 免交 免缴 不用交 无需缴纳 无需交纳 不用缴 免除 免予收取",
    NEG + MUST: "无需 无须 不需要 不需 不必 不用 不须 免于 免予 毋须",
    NEG: "不得 不能够 不可以 不允许 不许 不准 不应当 不应该 禁止 严禁 不能 不可 不会再 不会 不予 不再 不给予 没有"
    " 不给 拒绝 未能 不应"
         " 尚未 从未 未 无 勿 莫 别再 没法 没办法 没 不 非",
    MUST: "应当 应该 必须 务必 一定要 需要 须要 均应 须 需 应",
    MAY: "可以 能够 有权 均可 可 建议 鼓励 提倡",
    ONLY + MAY: "只能 只可以 只可 仅能 仅可以 仅可",
    ONLY: "仅仅 仅限于 仅限 只限 限于 仅 只有 唯有 只",
    OR: "或者 或是 还是 抑或 或",
    AND: "并且 而且 以及 同时 及其 且 及 并 和 与 跟",
    BUT: "但是 但 不过 然而",
}.items():
    _SAME |= dict.fromkeys(_others.split(), _one)
for _one, _others in {
    "申请": "提出申请 申办 申领 报名申请 申报", "申请人": "申请者", "提交": "递交 提供 准备好 准备 出具 交上 提报 附上",
    "领取": "领到 拿到 领", "补贴": "补助金 补助", "费": "费用", "电话": "热线 号码", "打": "拨打 致电",
    "仍": "仍然 仍旧 依然", "立即": "立刻 马上 当即 及时立即", "地址": "地点",
    "按": "按照 依照 根据 依据 参照 遵照", "期限": "时限", "办完": "办结 办理完毕 办妥 办好 办理完成",
    "完": "完成 完毕",
    "起": "之日起 当日起 算起 开始", "支付": "给付 付给", "交": "缴纳 交纳 缴付 缴",
    "发": "发放 发给 给予 拨付 下发 予以 给",
    "前": "之前 以前", "后": "之后 以后", "时": "的时候 时候 期间", "其他": "其它 别的", "人": "人员 者",
    "罚": "罚款 处罚", "包括": "包含 含有 含", "住房": "房子 房屋", "单位": "工作单位 用工单位",
    "材料": "资料 文件材料", "办理": "办 办理手续", "家庭": "家里", "到": "前往 去往 赴 去 向", "告知": "通知到 告诉",
    "收到": "接到", "每": "每一", "岁": "周岁", "老人": "老年人",
    "小孩": "孩子", "自己": "本人", "属": "属于", "社保": "社会保险", "医保": "医疗保险",
    "养老保险": "养老险", "户口本": "户口簿", "改": "变更 更改", "地方": "场所", "开": "开具", "报": "报告 上报 汇报",
    "人社": "人力资源和社会保障 人力资源社会保障", "住建": "住房和城乡建设 住房城乡建设", "市场监管": "市场监督管理",
    "卫健委": "卫生健康委员会", "医保局": "医疗保障局", "街道办": "街道办事处", "居委会": "居民委员会",
    "村委会": "村民委员会",
    "市政府": "市人民政府", "镇政府": "镇人民政府", "区政府": "区人民政府", "县政府": "县人民政府",
    "公积金": "住房公积金",
    "房产证": "不动产权证书 不动产权证", "公租房": "公共租赁住房", "低保": "最低生活保障", "幼儿园": "托幼机构",
    "当日": "当天", "每日": "每天", "更换": "换成 替换 换 更换为", "计算": "算", "公交车": "公共汽车",
    "出租车": "出租汽车",
}.items():
    _SAME |= {_other: _one for _other in _others.split() if _other != _one}
# Words that hold a key by chance stay as they are.
_KEPT = (
    "预算 核算 结算 打算 折算 清算 估算 算法 运算 兑换 交换 换领 换发 换证 换乘 转换 退换 置换 不动产 不仅 不断 不同"
    " 不少 不良 不论 不管 不便 不一致 不利 不当 不足 不锈 不服 非常 非法 非遗 无论 无障碍 无线 无人 无效 未来 未成年"
    " 未婚"
    " 除非 一只 两只 二只 每只 几只 犬只 只犬 船只 只数 并联 并列 并轨 合并 许可 认可 可能 可行 可靠 可燃 可视 可见"
    " 可持续 与否 参与 赠与 授予 给予 和谐 共和 饱和 需求 必需 急需"
    " 供需 刚需 所需 必须 或许 只要 普及 涉及 以及 危及 波及 不及 及时 及格 提及 触及 并发 一并 跟踪 跟随 持有 持续"
    " 保持 支持 主持 坚持 维持 扶持"
    " 持久 持证 凭证 凭据 文凭 带来 地带 携带 带头 带领 带动 宽带 带薪 办法 办公 主办 承办 举办 经办 办事 代办 督办"
    " 查办 街道办 开办 交办 去世 去年"
    " 过去 除去 失去 向来 方向 导向 趋向 定向 转向 领导 领域 本领 带领 纲领 领养 认领 冒领 领队 前述 前款 前条 以前"
    " 前置 提前 前期 前往 目前 空前 前提 面前"
    " 前科 之后 后果 后续 后勤 善后 延后 售后 最后 开始 开展 开发 开放 开户 开通 公开 召开 离开 报名 报销 报刊 举报"
    " 情报 报警 预报 填报 申报 通报 报告 报酬 报废"
    " 者的 患者 记者 学者 消费者 业主 属地 附属 下属 家属 归属 所属 直属 金属 全市 全国 全省 安全 健全 全面 全额"
    " 全体 完善 完整 完税 给水 供给 补给 给排水"
    " 非机动车 非处方 交通 交易 交流 交警 交付 交换 交接 社交 提交 成交 公交 移交 递交 发生 发展 发现 发布 发明 发动"
    " 发言 发育 发票 发送 发证 发病 发改 开发 印发 突发 激发 颁发"
    " 研发 批发 出发 触发 自发 发挥 发热 发文 发起 改革 改造 改建 改善 改进 整改 改变 改正 修改 改动 改装 改用"
    " 改扩建 罚金 罚没 刑罚 只能 可否 别的 分别 特别 级别 类别 性别 个别 区别"
    " 需要 沉没 没收 没有 淹没 免疫 免税 避免 任免 豁免 免除 减免 罢免 无偿 应急 应用 响应 相应 供应 对应 适应 反应"
    " 效应 应付 应对 应诉 应得 应纳 应缴 应退 应发 应激 理应 应届 应税 应征 应邀 应聘 感应"
    " 到期 到位 到达 到账 到场 到庭 直到 受到 得到 达到 做到 遇到 收到 感到 看到 时间 时候 同时 及时 时代 临时 小时"
    " 当时 按时 实时 定时 时期 随时 暂时 准时 超时 时效 平时 时速 时刻 工时 学时 课时 计时"
    " 收费 费率 自费 每年 每月 每日 每天 每人 每户 每次 每周 给付 户口本 户口簿 人民 人口 工人 个人 本人 法人 证人"
    " 人力 人才 人大 老人 人身 人均 负责人 当事人 委托人 代理人 代表人 承租人 借款人 监护人 继承人 残疾人"
).split()
_KEPT_SET = frozenset(word for word in (*_KEPT, *_SAME.values()) if word not in _SAME)
_MASKED = re.compile(
    "|".join(map(re.escape, sorted({*_KEPT_SET, *_SAME}, key=lambda word: (-len(word), word))))
)
_LIST_MARK = re.compile(
    r"(?:(?<=^)|(?<=[。;:\n]))(?:[-*•·#>]+|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、)](?!\d)"
    r"|[一二三四五六七八九十]{1,3}、|[①-⑳])"
)
_SINCE = re.compile(f"后(?={FACT})")      # 收到后10日内 and 自收到之日起10日内
_LABEL = re.compile(r"^\s*第[零一二两三四五六七八九十百千\d]+条[\s　]+", re.M)
_BELOW = re.compile(r"(?:以下|如下)(?=条件|情形|材料|标准|规定|人员|程序|情况|行为|方式|家庭|车辆|之一|任一|几|两|三"
r"|四|五|资料|证件|手续|:)")
_INSIDE = str.maketrans("", "", '"\'*_`')


def _same(match: re.Match[str]) -> str:
    return _SAME.get(match.group(), match.group())


def _item(match: re.Match[str]) -> str:
    """An item begins; after a colon on the same line, too."""
    return ("\n" if match.string[match.start() - 1 : match.start()] == ":" else "") + ITEM


@lru_cache(maxsize=2048)
def quote_plain(quote: str) -> str:
    """As `plain`, kept."""
    return plain(quote)


def label_of(quote: str) -> str:
    """The 第八条 before an article's words, or nothing."""
    match = _LABEL.match(quote)
    return match.group().strip() if match else ""


def say(text: str) -> Said:
    """Of a text of any source; white space, signs nobody sees, labels and list marks are left out."""
    clean = plain(_LABEL.sub("", text))
    even = _THOUSANDS.sub("", clean).translate(_INSIDE)
    even = _BELOW.sub("下列", _LIST_MARK.sub(_item, even))
    if "-" in even or "/" in even or "." in even:
        even = _ISO.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", even)
    even = _DOC_YEAR.sub(r"〔\1〕", even)
    for pattern, to in _HALF:
        even = pattern.sub(to, even)
    facts: list[Fact] = []
    parts: list[str] = []
    last = 0
    for start, end, fact in _ranged(even, list(_facts(even))):
        begin = max(start, last)
        parts += (_MASKED.sub(_same, even[last:begin]), FACT)
        facts.append(fact)
        last = max(end, last)
    parts.append(_MASKED.sub(_same, even[last:]))
    return Said(even, _SINCE.sub("起", "".join(parts)), tuple(facts))


@lru_cache(maxsize=2048)
def said_in(quote: str) -> Said:
    """Kept, since the sentences of one answer share their quotes."""
    return say(quote)
