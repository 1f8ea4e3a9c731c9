"""发文机关: names of public bodies, told apart where they are printed without a gap, with their level and region."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.regions import leading_region, region_name, regions_named

NATIONAL = "000000"          # 适用区域 of a body whose writ runs in the whole country
_CENTRAL = """
中共中央 中共中央办公厅 国务院 国务院办公厅 全国人民代表大会 全国人民代表大会常务委员会 全国人大常委会 中央军委
中央军事委员会 最高人民法院 最高人民检察院 国家监察委员会 中央纪委 中央纪律检查委员会 中央组织部 中央宣传部 中央统战部
中央政法委 中央编办 中央网信办 中央机构编制委员会办公室 中央文明办 中央农办 中央财办 外交部 国防部
国家发展和改革委员会 国家发展改革委 发展改革委 国家计委 国家经贸委 国家计划委员会 国家科委 国家教委 国家体改委
国家计生委 教育部 科学技术部 科技部 工业和信息化部 工信部 国家民族事务委员会 国家民委 公安部 国家安全部 民政部 司法部
财政部 人力资源和社会保障部 人力资源社会保障部 人社部 劳动和社会保障部 劳动保障部 劳动部 人事部 自然资源部 国土资源部
生态环境部 环境保护部 住房和城乡建设部 住房城乡建设部 建设部 交通运输部 交通部 铁道部 水利部 农业农村部 农业部 商务部
文化和旅游部 文化部 国家卫生健康委员会 国家卫生健康委 卫生健康委 国家卫生和计划生育委员会 国家卫生计生委 卫生计生委
卫生部 退役军人事务部 退役军人部 应急管理部 中国人民银行 人民银行 审计署 国务院国有资产监督管理委员会 国务院国资委
国资委 海关总署 国家税务总局 税务总局 国家市场监督管理总局 市场监管总局 国家工商行政管理总局 工商总局 质检总局
国家质量监督检验检疫总局 国家金融监督管理总局 金融监管总局 中国证券监督管理委员会 中国证监会 证监会
中国银行保险监督管理委员会 中国银保监会 银保监会 中国银监会 银监会 中国保监会 保监会 国家广播电视总局 广电总局
国家新闻出版广电总局 新闻出版总署 国家新闻出版署 国家版权局 国家体育总局 体育总局 国家统计局 国家知识产权局 知识产权局
国家国际发展合作署 国家医疗保障局 国家医保局 医保局 国务院参事室 国家机关事务管理局 国管局 国家信访局
国家粮食和物资储备局 粮食和储备局 国家能源局 能源局 国家数据局 国家国防科技工业局 国防科工局 国家烟草专卖局
国家移民管理局 国家林业和草原局 国家林草局 林草局 国家林业局 国家铁路局 中国民用航空局 中国民航局 民航局 民航总局
国家邮政局 国家文物局 国家中医药管理局 国家中医药局 中医药局 国家疾病预防控制局 国家疾控局 国家矿山安全监察局
国家外汇管理局 外汇局 国家药品监督管理局 国家药监局 药监局 国家食品药品监督管理总局 国家档案局 国家保密局
国家密码管理局 国家公务员局 国家乡村振兴局 国务院扶贫办 国务院扶贫开发领导小组办公室 国家海洋局 国家测绘地理信息局
国家安全生产监督管理总局 安全监管总局 中国气象局 气象局 中国地震局 中国科学院 中科院 中国社会科学院 中国工程院 工程院
国家自然科学基金委员会 自然科学基金委 全国总工会 中华全国总工会 共青团中央 全国妇联 中华全国妇女联合会 中国残联
中国残疾人联合会 中国科协 中国科学技术协会 全国工商联 中华全国工商业联合会 中华全国供销合作总社 供销合作总社 供销总社
中国国家铁路集团有限公司 国家互联网信息办公室 国家网信办 国家标准化管理委员会 国家标准委 国家认证认可监督管理委员会
国家认监委 全国老龄办 全国老龄工作委员会办公室 发改委 国家发改委 统计局 国务院法制办 国务院法制办公室 国务院新闻办公室
扶贫办 文物局 档案局 粮食局 海洋局 国土部 工商联 中国企联 中国企业联合会 中国企业家协会 国家信访局 科协 共青团
国务院学位委员会 中华人民共和国国务院
"""
_KNOWN = frozenset(_CENTRAL.split())
_LONGEST = max(map(len, _KNOWN))
_NATIONAL = re.compile(
    r"国务院|中共中央|中央|全国|最高人民|国家|中国|中华|共青团中央|第[一二三四五六七八九十]{1,4}届全国"
    r"|[\u4e00-\u9fff]{2,10}部$"
)
_ENDS = tuple((
    "办公厅 办公室 委员会 人民政府 政府 联合会 总工会 管委会 法院 检察院 厅 局 委 部 署 院 办 会 中心 集团 "
    "公司 组 总社 银行 支队 总队 大队 站 处 队 党组 大学 学院 学校 馆 台 所 工委 室 司 残联 妇联 工商联 "
    "科协 文联 团省委 团市委 团中央 供销社 分行 支行 协会 学会 基金会 党委 省委 市委 区委 县委 "
).split())
# after one of these the name of another body may begin
_BREAKS = tuple((
    "办公厅 办公室 委员会 政府 厅 局 部 委 署 会 院 办 中心 总社 银行 公司 组 司 联 科协 团中央 行 "
).split())
_OFFICE = re.compile(r"(?<=.)(?:办公厅|办公室|[\u4e00-\u9fff]{2,6}司)$")      # 人力资源社会保障部办公厅
_LOCAL = {"省": "省", "自治区": "省", "市": "市", "州": "市", "区": "县", "县": "县", "旗": "县"}
_TOWN = re.compile(r"街道办事处|街道办|镇人民政府|乡人民政府|镇政府|乡政府|街道党工委|(?:镇|乡)党委")
_BRANCHES = re.compile(
    r"国家税务总局|国家统计局|国家金融监督管理总局|中国证券监督管理委员会|中国人民银行|国家外汇管理局|中共|共青团"
)
_MEDIA = re.compile(
    r"报$|日报|晚报|网$|通讯社|新华社|电视台|广播|杂志|南方\+|客户端|公众号|数据库|微信|微博|新闻|融媒体|频道|人民网"
)
_ASIDE = re.compile(r"[（(][^（）()]{0,40}[）)]")
_SITE = re.compile(r"^本网|^本站|(?:官方网站|官网|网站|门户网|政务网)$")
_PART = re.compile(r"[\u4e00-\u9fff]{2,14}[处科]$")
# 省财政厅, 市教育局, 天津银行: bodies that do not begin with a full region name
_SHORT_LOCAL = re.compile(
    r"[省市区县](?=[\u4e00-\u9fff]{1,14}(?:厅|局|委|办|会|院|妇联|残联|联))|共青团|[\u4e00-\u9fff]{2}银行"
    r"|(?:北京|天津|河北|山西|辽宁|吉林|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|重庆|四川"
    r"|贵州|云南|陕西|甘肃|青海)"
    r"(?=[^省市]{1,8}(?:联合会|协会|学会))"
)
_OPENS = ("中共", "国家", "中国", "中华全国", "中华人民共和国", "国务院", "最高人民", "共青团", "全国")
_GAPS = re.compile(r"[\s　、，,；;]+")
_NAME = re.compile(r"[\u4e00-\u9fff（）()“”·]{2,50}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body has its say: 国家 / 省 / 市 / 县 / 乡, and the 区划代码 if it can be told."""

    level: str | None
    region: str | None           # NATIONAL for the whole country


def split_bodies(text: str, names: Mapping[str, str]) -> list[tuple[int, int]]:
    """Spans of the bodies in ``text``, which holds nothing else: 教育部财政部, or lines, or joined by 、.

    Empty when something in it is no body.
    """
    found: list[tuple[int, int]] = []
    position = 0
    for gap in [*_GAPS.finditer(text), None]:
        end = gap.start() if gap else len(text)
        if end > position:
            cuts = _cuts(text[position:end], names)
            found += [(position + a, position + b) for a, b in cuts]
        position = gap.end() if gap else end
    joined = _joined(text, found)
    return joined if all(is_body(text[a:b]) for a, b in joined) else []


def bodies_before(text: str, end: int, limit: int, names: Mapping[str, str]) -> list[tuple[int, int]]:
    """Spans of the bodies that end right at ``end`` of running text, whatever stands before them.

    Bodies on lines of their own are taken whole; in a line, each must begin with a region or be a central one.
    """
    found: list[tuple[int, int]] = []
    while end > limit:
        stop = end
        while stop > limit and text[stop - 1] in "\n、":
            stop -= 1
        start = _start_before(text, stop, limit, names)
        if start is not None and (above := _broken(text, start, stop, limit, names)) is not None:
            start = above
        if start is None:
            break
        apart = split_bodies(text[start:stop], names) or [(0, stop - start)]
        found += [(start + a, start + b) for a, b in reversed(apart)]
        end = start
    while len(found) > 1 and text[found[-1][0] : found[-1][1]].endswith(_TAUGHT) and not text[
        found[0][0] : found[0][1]
    ].endswith(_TAUGHT):
        found.pop()                  # the last lines of a list of schools or firms above the signature
    wholes = {text[start:stop] for start, stop in found}
    return [span for span in reversed(found) if not _is_part(text[span[0] : span[1]], wholes)]


def _is_part(name: str, wholes: set[str]) -> bool:
    """A division whose bureau stands beside it: the last words of an address, 某厅工伤保险处, above 某厅."""
    return name.endswith(("处", "科")) and any(name != whole and name.startswith(whole) for whole in wholes)


def _broken(text: str, start: int, stop: int, limit: int, names: Mapping[str, str]) -> int | None:
    """Where a name begins whose first half stands on the line above: 河北省政协港澳台侨和 / 外事委员会."""
    if start <= limit + 1 or text[start - 1] != "\n" or _begins(text, start, names):
        return None
    line = text.rfind("\n", limit, start - 1) + 1
    half = text[line : start - 1]
    if not 2 <= len(half) <= 24 or half.endswith(_ENDS) or not _begins(half, 0, names):
        return None
    return line if is_body(half + text[start:stop]) else None


def is_body(name: str) -> bool:
    """Whether a name looks like one of a public body."""
    name = name.replace("\n", "")
    return name in _KNOWN or (_NAME.fullmatch(name) is not None and name.endswith(_ENDS) and 2 < len(name) <= 45)


def source_bodies(text: str, names: Mapping[str, str]) -> list[str]:
    """The bodies in a page's 来源 line; media and sites are none, a bureau's division goes with its bureau."""
    found: list[str] = []
    for part in _GAPS.split(_ASIDE.sub("", text).strip()):
        name = _SITE.sub("", _SITE.sub("", part))
        if not name or _MEDIA.search(name):
            continue
        if found and _PART.search(name) and not leading_region(name, names):
            continue
        found += [name[a:b] for a, b in split_bodies(name, names)]
    return found


def is_media(source: str) -> bool:
    """Whether a page's 来源 names a newspaper, agency or channel."""
    return _MEDIA.search(source) is not None


def place_of(body: str, names: Mapping[str, str], context: str) -> Place:
    """Level and region of a body. A short name (区教育局) is placed by the regions that ``context`` speaks of."""
    name = body
    if branch := _BRANCHES.match(name):
        rest = name[branch.end():]
        if rest and (leading_region(rest, names) or rest[0] in "省市区县"):
            name = rest
    region = leading_region(name, names)
    town = _TOWN.search(name) is not None
    if region:
        level = "乡" if town else region.level
        if region.code is None:
            return Place(level, _told_apart(name[: region.end], names, context))
        return Place(level, region.code)
    if _is_central(name) or _is_central(_OFFICE.sub("", name)):
        return Place("国家", NATIONAL)
    level = "乡" if town else next((to for mark, to in _LOCAL.items() if name.startswith(mark)), "")
    if level:
        return Place(level, _spoken_of("县" if level == "乡" else level, names, context))
    return Place(None, None)


def _is_central(name: str) -> bool:
    return name in _KNOWN or _NATIONAL.match(name) is not None


def _told_apart(name: str, names: Mapping[str, str], context: str) -> str | None:
    """Which of the places that share a name: the one whose province or city the text names most."""
    codes = regions_named(name, names)
    counts = {code: sum(context.count(above) for above in _above(code, names)) for code in codes}
    best = [code for code, count in counts.items() if count and count == max(counts.values())]
    return best[0] if len(best) == 1 else None


def _above(code: str, names: Mapping[str, str]) -> list[str]:
    return [name for part in (code[:4] + "00", code[:2] + "0000") if (name := region_name(part, names))]


_REGION_NAMES = re.compile(r"[\u4e00-\u9fff]{1,7}?[省市区县州旗]")


def _spoken_of(level: str, names: Mapping[str, str], context: str) -> str | None:
    """The region of that level which the text names most."""
    counts: Counter[str] = Counter()
    for match in _REGION_NAMES.finditer(context):
        word = match.group()
        for start in range(len(word) - 1):
            found = leading_region(context[match.start() + start : match.start() + start + 24], names)
            if found and found.code and found.level == level:
                counts[found.code] += 1
                break
    ranked = counts.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _cuts(run: str, names: Mapping[str, str]) -> list[tuple[int, int]]:
    """Spans of the bodies in a run of characters without gaps."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(run):
        end = _first_end(run, start, names)
        found.append((start, end))
        start = end
    return found


def _first_end(run: str, start: int, names: Mapping[str, str]) -> int:
    """Where the first body of ``run[start:]`` ends: before the next one begins."""
    longest = range(min(_LONGEST, len(run) - start), 2, -1)
    known = next((length for length in longest if run[start : start + length] in _KNOWN), 2)
    for end in range(start + known, len(run) - 1):
        name = run[start:end]
        ends = name.endswith(_BREAKS) or name in _KNOWN
        if ends and _begins(run, end, names) and not _goes_on(name, run, end, names):
            return end
    return len(run)


def _goes_on(name: str, run: str, end: int, names: Mapping[str, str]) -> bool:
    """国家税务总局 + 广东省税务局 is one body; so is 河北省公安厅 + 交通管理局."""
    branch = _BRANCHES.fullmatch(name) or _BANK.fullmatch(name)
    if branch is None or leading_region(run[end:], names) is None:
        return False
    return name != "国家统计局" or "调查" in run[end:]


def _begins(run: str, at: int, names: Mapping[str, str]) -> bool:
    """Whether the name of a body begins at ``at``."""
    if run.startswith(_OPENS, at):
        return True
    if leading_region(run[at : at + 24], names) or _SHORT_LOCAL.match(run, at):
        return True
    return _known_at(run, at)


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A name broken by a space or line end (工业和 信息化部) is put together again."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        before = text[joined[-1][0] : joined[-1][1]] if joined else ""
        if joined and not before.endswith(_ENDS) and "、" not in text[joined[-1][1] : start]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _start_before(text: str, end: int, limit: int, names: Mapping[str, str]) -> int | None:
    """Where the body that ends at ``end`` begins."""
    start = end
    while start > max(limit, end - 45) and ("\u4e00" <= text[start - 1] <= "\u9fff" or text[start - 1] in "“”"):
        start -= 1
    run = text[start:end]
    if not run.endswith(_ENDS) or len(run) < 2:
        return None
    if run in _KNOWN:
        return start
    latest = _latest_start(run, names)
    if latest is not None:
        return start + latest
    own_line = start == limit or text[start - 1] in "\n。；！：）)"
    return start if own_line and is_body(run) and _plain(run) else None


def _latest_start(run: str, names: Mapping[str, str]) -> int | None:
    body = False
    for at in range(len(run) - 2, -1, -1):
        body = body or is_body(run[at:])
        if run[at:] in _KNOWN:
            return _longer(run, at, names)
        if not body:
            continue
        if leading_region(run[at : at + 24], names) or _known_at(run, at):
            return _longer(run, at, names)
        if _SHORT_LOCAL.match(run, at) and (at == 0 or run[:at].endswith(_BREAKS)):
            return at
    return None


def _known_at(run: str, at: int) -> bool:
    return any(run[at : at + length] in _KNOWN for length in range(min(_LONGEST, len(run) - at), 2, -1))


def _longer(run: str, at: int, names: Mapping[str, str]) -> int:
    """The start moved left over what belongs to the name: 中共, the province before the city, 国家税务总局."""
    if bank := _BANK.search(run[:at]):
        return bank.start()
    for prefix in _PREFIXES:
        if run[:at].endswith(prefix):
            return at - len(prefix)
    for back in range(max(0, at - 12), at):
        found = leading_region(run[back:], names)
        if found and back + found.end >= at:
            return _longer(run, back, names)
        if run[back:] in _KNOWN:
            return back
    return at


_TAUGHT = ("学院", "学校", "大学", "公司", "集团", "中学", "小学")
_BANK = re.compile(r"(?:中国(?:人民|农业发展|农业|工商|建设)?|国家开发)银行(?:股份有限公司)?$")    # …河北省分行
_PREFIXES = (
    "中国共产党", "中共", "共青团", "国家税务总局", "中华人民共和国", "国家统计局", "国家", "中国", "国务院"
)
_VERBS = re.compile(
    r"[的将把被由经请向对与和及]|认真|执行|落实|印发|通知|工作(?!委|领导|办公|小组|站|局|部|处|室|中心)"
    r"|参加|报送|组织实施|负责"
)


def _plain(run: str) -> bool:
    return _VERBS.search(run) is None
