"""Whether the documents, bodies, places and groups of people that a draft names stand in its quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.restated import Match, Unit

_TITLE = re.compile(r"《([^《》]{2,80})》")
_NUMBER = re.compile(r"([\u4e00-\u9fff]{0,12})〔(\d{4})〕(\d+)号")
_ORDER = re.compile(r"(?:令|公告)第?(\d+|[零一二三四五六七八九十百]+)号")
_ENDINGS = (
    "委员会 委 办公室 法院 检察院 派出所 司法所 政府 中心 支队 大队 窗口 医院 银行 公司 协会 居委会 村委会 部门 机构"
    " 机关 管理站 消防队 街道办 公证处"
    " 指挥部 工会 联合会 基金会 仲裁院 研究院 总局 局 厅 银行 站点 事务所 学校 企业 平台 网站"
)
_BODY = re.compile("|".join(sorted(set(_ENDINGS.split()), key=len, reverse=True)))
# Of which the letters that are not in the quote tell well enough.
_TRADE = re.compile(r"(?:企业|机构|公司|学校|平台|网站|银行|站点)$|.{11}")
_NO_BODY = re.compile(r"格局|布局|结局|全局|开局|大厅|餐厅|客厅|委托|委派|[当]局部|局限|邮局$|委婉")
_PLACE = re.compile(r"[\u4e00-\u9fff]{2,4}?(?:省|自治区|自治州|市|区|县|街道|镇|乡)(?![场政民级辖域])(?!、[县市区])")
_NO_PLACE = re.compile(
    r"[外本我全各该跨出入]省|[它他得]区|[本全我该各城超外夜菜农上股楼集门]市"
    r"|[小社地园校学辖灾景片山郊街住库时城新老本全各市该服工片牧林农外重一]区|[本全各市该外]县|区、县|[城乡各本]镇"
    r"|城乡|[下本各]乡"
    r"|市区|县区|县级|区级|街道$"
)
_PARTICLES = frozenset(
    "您你往入向到由在去找经与和及、或是为的对从被请按凭持把将于给跟往且并可以需应拨打联系当,"
    ":（(《》\"的了会归该所各\ue001\ue002\ue003\ue004\ue005\ue006\ue007\ue008\ue010"
)
_ADMIN = frozenset("省市区县州镇乡国")
ROLES = (
    "成年人 盲人 退休人 职工 城乡居民 居民 农民工 农民 学生 儿童 老人 残疾人 失业人 退役军人 军人 用人单位 企业"
    " 个体工商户 单身人 单身 家庭 夫妻 配偶 父母 子女 未成年人 业主 物业 承租人"
    " 出租人 开发商 建设单位 施工单位 供水单位 供热企业 用户 消费人 经营人 法定代表人 监护人 代办人 孤儿 特困人"
    " 低保家庭 低保对象 毕业生 高校毕业生 养犬人 借款人"
    " 小微企业 个人 单位 事业单位 机关 公务员 教师 医生 孕妇 男 女 非本市户籍 本市户籍 本市常住 农村 城镇 学校"
    " 医疗机构 劳动者 当事人 投诉人 被投诉人 公民 法人"
    " 驾驶人 乘客 所有人 使用人 管理人 外国人 新生儿 幼儿 烈士 遗属"
).split()
_OLD = 60                    # years: of whom a rule gives such an age may be called old
_ATTRIBUTES = frozenset("非本市户籍 本市户籍 本市常住 农村 城镇 男 女".split())
ROLE = re.compile("|".join(sorted(ROLES, key=len, reverse=True)))
PERSON = re.compile("|".join(sorted(set(ROLES) - _ATTRIBUTES, key=len, reverse=True)))


def unnamed(plain: str, text: str, quoted_plain: str, quoted: str) -> Iterator[str]:
    """Reasons, in Chinese. ``plain`` and ``text`` as `qa.said.Said` has them, ``quoted…`` of all quotes and names."""
    for match in _TITLE.finditer(plain):
        if match.group(1) not in quoted_plain:
            yield f"文件名称：《{match.group(1)}》不在引文中"
    for match in _NUMBER.finditer(plain):
        prefix = re.sub(r"^.*[据照和由《（(]", "", match.group(1))[-4:]
        tail = f"〔{match.group(2)}〕{match.group(3)}号"
        if not any(prefix[n:] + tail in quoted_plain for n in range(min(2, max(len(prefix) - 1, 0)) + 1)):
            yield f"文号：“{prefix}{tail}”不在引文中"
    for name in bodies(text):
        if not _carried(name, quoted):
            yield f"机构：“{name}”不在引文中"
    for match in _PLACE.finditer(plain):
        name = _after_particle(match.group())
        if len(name) >= 3 and not _NO_PLACE.search(name) and not _carried(name, quoted_plain):
            yield f"地区：“{name}”不在引文中"


def bodies(text: str) -> list[str]:
    found = []
    for match in _BODY.finditer(text):
        start = match.start()
        while start and match.end() - start < 14 and text[start - 1] not in _PARTICLES and (
            "\u4e00" <= text[start - 1] <= "\u9fff"
        ):
            start -= 1
        name = text[start : match.end()]
        if not _NO_BODY.search(name):
            found.append(name)
    return found


def _after_particle(name: str) -> str:
    for n in range(len(name) - 1, -1, -1):
        if name[n] in _PARTICLES:
            return name[n + 1 :]
    return name


def _carried(name: str, quoted: str) -> bool:
    """The name, or its end behind letters that are none of it: 可向|区民政局."""
    if name in quoted:
        return True
    ending = _BODY.search(name)
    if ending and ending.start() >= 2 and ending.end() == len(name) and re.search(
        re.escape(name[: ending.start()]) + ".{1,4}" + ending.group(), quoted
    ):
        return True                # 居住地派出所 for 居住地公安派出所
    for n in range(1, len(name) - 2):
        if name[n:] in quoted:
            return name[n - 1] not in _ADMIN and name[:n] in _BEFORE_NAME
    return False


_BEFORE_NAME = frozenset(
    "申请 材料 提交 打 问 咨询 报告 办理 市民 请向 直接向 联系 当地 或者 也可 我市 本市 你们 可由 交 送 归 报 人"
    " 携带 登录 进入 通过 前来 公民 居民 再 都 你 您 负责 要求"
    " 投诉 举报 还可 申请人 等".split()
)


def strangers(match: Match, restated: str, unit: Unit, before: str) -> Iterator[str]:
    """People and bodies of a draft's clause whom the unit does not speak of, though it speaks of others.

    ``restated`` is the text of the unit's restated clauses, ``before`` that of the quote's sentence before the unit.
    """
    ours = set(ROLE.findall(match.clause.text))
    theirs = set(ROLE.findall(unit.text))
    here = set(ROLE.findall(restated))
    aged = any(fact.unit == "岁" and fact.value >= _OLD for clause in (*unit.lead,
    *unit.clauses) for fact in clause.facts)
    for role in sorted(ours - {"老人"} if aged else ours):
        if any(role in other or other in role for other in here):
            continue
        if here and not any(role in other or other in role for other in theirs):
            yield f"对象：引文说的不是“{role}”"
        elif not any(role in other or other in role for other in theirs) and role not in before:
            yield f"对象：引文没有说到“{role}”"
    subject = _SUBJECT.match(match.clause.text)
    if subject and subject.group(1) in unit.text and not _is_subject(subject.group(1), unit):
        yield f"对象：引文说的“{subject.group(1)}”不是要这样做的人"
    own_bodies = bodies(match.clause.text)
    if own_bodies and bodies(unit.text):
        for name in own_bodies:
            if not _TRADE.search(name) and not _carried(name, unit.text) and (bodies(restated) or name not in before):
                yield f"机构：这一条引文说的不是“{name}”"


_SUBJECT = re.compile(
    r"(?:请注意)?([\u4e00-\u9fff]{0,8}(?:人|者|方|户|员|单位|部门|机关|企业|家庭))[\ue001\ue002\ue003]"
)


def _is_subject(name: str, unit: Unit) -> bool:
    """At the beginning of a clause, or right before what must or may be done: not 将伤者送医疗机构."""
    modal = re.compile(name + "[\ue001\ue002\ue003]")
    return any(c.text.startswith(name) or modal.search(c.text) for c in (*unit.lead, *unit.clauses))


def texts(units: Sequence[Unit]) -> dict[int, str]:
    """Of each unit the text of the one before it in the same quote, by the unit's place in ``units``."""
    return {
        n: units[n - 1].text if n and units[n - 1].quote == unit.quote else "" for n, unit in enumerate(units)
    }
