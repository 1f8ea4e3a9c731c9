"""Policy cards: what a citizen asks of a policy, read by rules from its headings, questions and sentences.

对象 条件 标准 材料 期限 渠道 咨询电话, each value a piece of the text. A heading, a field of a guide or a question says
most surely what follows it; elsewhere a sentence does when it has the words that go with such a value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.records import Article, Document, Facts, Rank
from kb.conflicts.quantities import Dimension, quantities

NAMES = ("对象", "条件", "标准", "材料", "期限", "渠道", "咨询电话")


@dataclass(frozen=True, slots=True)
class Card:
    """One line of a card: ``document.text[start:end] == value``."""

    name: str                    # of `NAMES`
    value: str
    start: int | None            # None: not in the text, such as the number in a file's front matter
    end: int | None
    address: str


_LEAST = 12                      # letters before a comma that are a rule of their own
_MOST = 8                        # lines of one name
_LONGEST = 600                   # of a value
_HEADING = 24                    # a longer one is a sentence
_NO_CARD_KINDS = frozenset(("新闻", "报告", "通报", "函", "决定", "规划", "计划", "公示", "批复", "复函"))
_NO_CARD_TITLE = re.compile(
    r"修改.{0,60}的决定|废止|表彰|任免|名单|通报|进展情况|年度报告|召开|举行|答记者问|成员的通知"
)
_ENOUGH = frozenset(("对象", "条件", "标准", "材料"))
_LABELLED_ONLY = frozenset(("条件", "材料"))     # where a heading tells them, sentences elsewhere only mention them
_ARTICLE = re.compile(r"第[^条]+条")
_WHOLE_CHAPTER = ("对象", "条件", "材料")     # of a chapter 申请条件 each article is one; of one on 租金 only some
_MENTIONED = ("期限", "渠道")                # are told below other headings, too: 申请材料 … 于10月15日前提出
_NUMBERING = re.compile(
    r"^[#*\s　]*(?:第[一二三四五六七八九十百\d]+[章节编条]"
    r"|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]?)[\s　]*"
)

_BY_HEADING = {
    "对象": re.compile(
        r"对象|人群|哪些人|(?:适用|参保|保障|补贴|补助|招生|救助|供应|申领|享受|缴费|支持|发放|调查|验收|实施|评选"
        r"|申报|征集)(?:的)?范围"
    ),
    "条件": re.compile(r"条件|资格(?!审[查核]|考试|认证|证)"),
    "标准": re.compile(
        r"标准|额度|金额|待遇(?!资格|领取)|收费|费用|租金|补贴内容|资助方式|奖励方式|扶持措施|支持措施|比例"
    ),
    "材料": re.compile(r"材料|资料|证件|证明(?=$)"),
    "期限": re.compile(r"时限|期限|时间|日期|有效期|缴费期"),
    "渠道": re.compile(
        r"渠道|地点|地址|窗口|途径|(?:申请|办理|申领|参保|缴费|报名|受理|领取|认证)方式|(?:受理|办理)(?:单位|机构)|网址"
    ),
    "咨询电话": re.compile(r"电话|联系方式|咨询方式|热线"),
}
_NO_HEADING = re.compile(r"监督|责任|处罚|法律|罚则|职责|附则|评价|评审标准|组织")
_BY_QUESTION = {
    "对象": re.compile(r"对象|哪几类人|哪些人"),
    "条件": re.compile(r"什么人|哪些人|谁(?:可以|能)|条件|能不能|能(?:申请|领|办|享受)吗|可以(?:申请|领|办|享受)吗"),
    "标准": re.compile(r"多少钱|标准|多少|比例|收费吗|要钱吗|费用|怎么计算|如何计算|金额"),
    "材料": re.compile(r"材料|带什么|什么证|证明|手续"),
    "期限": re.compile(r"多久|多长时间|几个月|几天|什么时候|何时|时间|期限|截止"),
    "渠道": re.compile(
        r"(?:怎么|如何)(?:申请|办理|投诉|领取|领|查询?|交|缴|举报|报名|申报|参保|认证)(?!吗)|在哪|哪里|去哪|渠道|途径"
    ),
    "咨询电话": re.compile(r"电话"),
}
_ANSWER = re.compile(r"(?:^|\n)\s*(?:\*\*)?(?:答|A)\s*[:：]\s*")
_QUESTION = re.compile(r"[^\n]*[?？]")
_SENTENCE = re.compile(r"[^。\n]+[。]?")
_INTRODUCES = re.compile(r"[:：]\s*$")
_INLINE = re.compile(r"\W*(?:\d{1,2}[.、])?([\u4e00-\u9fff]{2,8})[:：]\s*\S")       # 补贴标准：10000元
# Of a sentence that says what happens otherwise, no value is taken.
_OTHERWISE = re.compile(
    r"之日前|虚假|伪造|弄虚作假|异议|复议|诉讼|不再受理|不予受理|不得再|年内不|逾期|取消|隐瞒|转借|冒领"
)
# What organs do among themselves is no way for a citizen, and how long somebody paid or worked is no time limit.
_AMONG_ORGANS = re.compile(
    r"监督检查|移送|抄送|征求|汇总上报|意见，并|(?:部门|机构|政府|机关|高新区管理机构)(?:应当|必须|要|负责)[^。，]{0,30}向|约谈"
)
_NO_PAPERS = re.compile(r"监督检查|不得要求|无需|不需|精简|核查|谎报|准确无误|接受[^。]{0,12}查验")
_NO_LIMIT = re.compile(r"备付|月[人均]均|缴费年限|累计缴费|劳动合同|连续\d+个月|截至|共享|职工人数|年龄")
_FINE = re.compile(r"罚款|处罚|追究|责令|拘留|吊销|没收|违约金|滞纳金|追回|退回")
_ENDING = re.compile(r"起(?:正式)?(?:施行|实施)|^本\w{2,6}(?:自|有效期|从)|同时废止")

_APPLIES = re.compile(
    r"适用于[^。\n]{0,40}(?:企业|单位|人员|居民|家庭|学生|范围|活动|职工|个人|劳动者|住房|车辆)|适用本(?:办法|规定|条例|细则)"
    r"|(?:对象|人员|家庭|人群|企业)(?:，|,)?(?:是指|为[:：]|包括[:：]?)|对象为|^\W*凡[^。，\n]{4,40}的"
    r"|的[^。，；\n]{0,16}(?:人员|家庭|居民|老年人|企业|单位|职工|学生|儿童|残疾人|毕业生|个人|公民|人才)"
    r"[^。；\n]{0,16}(?:可以|可|均可|能够)(?:[按依][^。，\n]{0,12})?(?:申请|领取|享受|参加|申领)|的，(?:可以|可|均可)(?:申请|申领|领取|享受)"
)
_CONDITIONS = re.compile(
    r"(?:符合|具备|满足|有)(?:下列|以下|如下)[^。\n]{0,8}(?:条件|情形)|应当?(?:同时)?(?:符合|具备|满足)[^。\n]{0,20}条件"
    r"|(?:申请|领取|享受)[^。\n]{0,30}(?:应当|须|需)(?:同时)?(?:符合|满足|具备|年满|具有)"
)
_AMOUNT = re.compile(
    r"标准|补贴|补助|津贴|奖励|资助|给予|发放|报销|支付比例|缴费|收取|收费|免收|免费|减免|租金|额度|每人|每月|每年|每户|贴息"
    r"|基数|起付|封顶|价格|水价|气价|计收|交纳|退还|工本费|元[/／每]|每(?:平方米|立方米|小时|只|证|例|具|次)"
)
_PRICE = re.compile(r"[\d一二三四五六七八九十百千万亿两半]\s?元|[%％‰]|百分之|分之|元[一二三四五六七八九\d]角")
_TIME = re.compile(
    r"[\d０-９一二三四五六七八九十两]\s?(?:个)?(?:工作日|自然日|日|天|月|年|小时|周|星期|季度|学期|分钟)"
)
_FREE = re.compile(r"不(?:再|另行)?收(?:取|费)|免收|减半收取|免费(?=[。；，]|$)")
_SIZE = re.compile(r"面积标准|建筑面积[^。]{0,8}(?:不超过|标准)")
_PERIOD = re.compile(
    r"申请|受理|审核|审查|复核|办结|办理|作出|答复|发放|拨付|缴费|缴纳|登记|期限|最长|截止|报名|发证|公示|告知|到账|领取"
    r"|交清|交纳|打入|签注|上报|报送|前报|发送|初审|完成|立案|终结|到场|提交|审定|有效期|享受"
)
_WITHIN = re.compile(r"(?:日|天|月|年|小时)(?:以?内|之内|前|后)|之日起|期限|截止|最长|不超过|至|每年|每月|时间|工作日")
_PAPERS = re.compile(
    r"(?:提交|提供|持(?!有)|携带|出示|填写)[^。\n]{0,40}?(?:材料|证明|身份证|户口[簿本]|申请书|申请表|执照|凭证|发票|合同"
    r"|社会保障卡|社保卡|居住证|证书|票据|回执|病历|出院记录|登记表|汇总表)"
    r"|材料(?:为|包括|有|如下)"
)
_WAY = re.compile(
    r"(?:向|到|在|通过|登录|拨打|经|凭)[^。，；\n]{1,36}?(?:街道|社区|村|窗口|中心|局|部门|机构|网|平台|APP|App|app|小程序"
    r"|公众号|银行|医院|”|学校|税务|站|派出所|大厅|营业厅|网点)[^。\n]{0,24}?(?:申请|申报|办理|提出|提交|报名"
    r"|登记|查询|投诉|反映|缴费|参保|认证|领取|申领|预约|填报)"
)
# Two numbers may stand together without a space.
_PHONE = re.compile(
    r"(?<!\d)(?:0\d{2,3}\s?[-—－–]\s?\d{8}(?=(?:\d{8})*(?!\d))|0\d{2,3}\s?[-—－–]\s?(?:\d{7}|\d{5})(?!\d)"
    r"|(?:\d{8}|12\d{3}|400[-\d]{8,10})(?!\d))"
)
_SAID_PHONE = re.compile(r"电话|热线|拨打|咨询|致电|联系")
_PHONE_NEAR = 80


def cards(document: Document) -> list[Card]:
    """In the order of the text; empty for what is no policy, such as a national law or news."""
    if not _may_have_card(document.facts):
        return []
    labelled, read = _fields(document)
    told = {card.name for card in labelled}
    found = labelled + [card for card in read if card.name not in told & _LABELLED_ONLY]
    names = {card.name for card in found}
    if not (told or _ENOUGH & names or {"期限", "渠道"} <= names):
        found = [card for card in found if card.name == "咨询电话"]
    found += _phones(document, [card for card in found if card.name == "咨询电话"])
    counts: Counter[str] = Counter()
    kept = []
    for card in sorted(set(found), key=lambda card: (card.start or 0, NAMES.index(card.name), card.end or 0)):
        counts[card.name] += 1
        if counts[card.name] <= _MOST:
            kept.append(card)
    return kept


def _may_have_card(facts: Facts) -> bool:
    if facts.rank < Rank.LOCAL_REGULATION or facts.rank is Rank.DEPARTMENT_RULE or facts.kind in _NO_CARD_KINDS:
        return False
    return not _NO_CARD_TITLE.search(facts.title)


def _fields(document: Document) -> tuple[list[Card], list[Card]]:
    """By headings and questions; and what is read sentence by sentence, where there is no such heading."""
    labelled: list[Card] = []
    read: list[Card] = []
    articles = document.articles
    at = 0
    while at < len(articles):
        article, last = articles[at], at
        label, names = _by_label(article)
        if _ARTICLE.match(article.address):
            span = _trim(document.text, article.start, article.end)
            whole = [name for name in names if name in _WHOLE_CHAPTER]
            read += [_card(document, name, span, article.address) for name in whole]
            read += [card for card in _by_sentences(document, article) if card.name not in whole]
        elif names:
            while last + 1 < len(articles) and _label(articles[last + 1]) == label:
                last += 1
            span = _span(document.text, article, articles[last])
            labelled += [_card(document, name, span, article.address) for name in names]
            mentioned = [] if {"对象", "条件"} & set(names) else [name for name in _MENTIONED if name not in names]
            read += [
                card for one in articles[at : last + 1] for card in _by_sentences(document, one)
                if card.name in mentioned
            ]
        else:
            asked, span = _question(document.text, article)
            labelled += [_card(document, name, span, article.address) for name in asked]
            if not asked:
                read += _by_sentences(document, article)
        at = last + 1
    return labelled, read


def _label(article: Article) -> str:
    own = article.address.rsplit("·", 1)[-1]
    heading = article.heading[-1] if article.heading else ""
    return _NUMBERING.sub("", heading or own).strip("*：: 　")


def _by_label(article: Article) -> tuple[str, list[str]]:
    label = _label(article)
    if not label or len(label) > _HEADING or _NO_HEADING.search(label) or label.endswith(("?", "？", "。")):
        return label, []
    return label, [name for name, pattern in _BY_HEADING.items() if pattern.search(label)]


def _question(text: str, article: Article) -> tuple[list[str], tuple[int, int]]:
    """Names and the span of the answer, of an article that is a question with its answer."""
    words = text[article.start : article.end]
    asked = _QUESTION.match(words.lstrip())
    if asked is None:
        return [], (article.start, article.end)
    start = article.start + len(words) - len(words.lstrip()) + asked.end()
    if found := _ANSWER.search(text, start, article.end):
        start = found.end()
    names = [name for name, pattern in _BY_QUESTION.items() if pattern.search(asked.group())]
    return names[:2], _trim(text, start, article.end)


def _span(text: str, first: Article, last: Article) -> tuple[int, int]:
    """Of several articles, with the label of the first where others follow it."""
    start = first.start
    if last is not first:
        line = text.rfind("\n", 0, start) + 1
        if start - line <= 8 and _NUMBERING.match(text[line:start] + " "):
            start = line
    return _trim(text, start, last.end)


def _by_sentences(document: Document, article: Article) -> Iterator[Card]:
    text = document.text
    at = article.start
    while at < article.end and (match := _SENTENCE.search(text, at, article.end)):
        start, end = match.span()
        at = max(end, _list_end(text, end, article.end)) if _INTRODUCES.search(match.group()) else end
        span = _trim(text, start, _without_otherwise(text, start, at))
        words = text[slice(*span)]
        if not words or _FINE.search(match.group()) or _ENDING.search(words):
            continue
        inline = _INLINE.match(words)
        names = [name for name, pattern in _BY_HEADING.items() if inline and pattern.search(inline.group(1))]
        yield from (_card(document, name, span, article.address) for name in names or _names(words))


def _without_otherwise(text: str, start: int, end: int) -> int:
    """Before ，逾期不予受理 at the end of a sentence; ``start`` when the sentence says nothing else."""
    found = _OTHERWISE.search(text, start, end)
    if found is None:
        return end
    cut = max(text.rfind(mark, start, found.start()) for mark in "，；")
    return cut if cut - start >= _LEAST else start


def _names(words: str) -> Iterator[str]:
    if _APPLIES.search(words):
        yield "对象"
    if _CONDITIONS.search(words):
        yield "条件"
        if "\n" in words:
            return               # a list of conditions names periods and papers that are none of the card's
    if (_AMOUNT.search(words) and _PRICE.search(words)) or _FREE.search(words) or _SIZE.search(words):
        yield "标准"
    if _PAPERS.search(words) and not _NO_PAPERS.search(words):
        yield "材料"
    if _tells_time(words):
        yield "期限"
    if _WAY.search(words) and not _AMONG_ORGANS.search(words):
        yield "渠道"


def _tells_time(words: str) -> bool:
    """The cheap tests first: to read quantities takes as long as all of them together."""
    told = _TIME.search(words) and _PERIOD.search(words) and _WITHIN.search(words) and not _NO_LIMIT.search(words)
    return bool(told) and any(q.dimension in (Dimension.PERIOD, Dimension.DATE) for q in quantities(words))


def _list_end(text: str, start: int, end: int) -> int:
    """Where the items that follow a colon end: at the first line that is none."""
    at = start
    while at < end:
        line_end = text.find("\n", at + 1, end)
        line_end = end if line_end < 0 else line_end
        line = text[at:line_end].strip()
        if line and not re.match(r"[（(]?[一二三四五六七八九十\d①-⑳]{1,3}[）)、.．]?|[|—-]", line):
            return at
        at = line_end
    return end


def _phones(document: Document, told: Sequence[Card]) -> list[Card]:
    """Numbers that stand in no line of ``told``; without any, the number of the document's page or front matter."""
    text = document.text
    found = [
        _card(document, "咨询电话", match.span(), article.address)
        for article in document.articles
        for match in _PHONE.finditer(text, article.start, article.end)
        if _SAID_PHONE.search(text, max(article.start, match.start() - _PHONE_NEAR), match.start())
        and not any(card.start is not None and card.start <= match.start() < (card.end or 0) for card in told)
    ]
    if found or told or not document.facts.phone:
        return found
    return [Card("咨询电话", document.facts.phone, None, None, "")]


def _card(document: Document, name: str, span: tuple[int, int], address: str) -> Card:
    start, end = span
    if end - start > _LONGEST:
        cut = max(document.text.rfind(mark, start, start + _LONGEST) for mark in "。；\n")
        start, end = _trim(document.text, start, cut + 1 if cut > start else start + _LONGEST)
    return Card(name, document.text[start:end], start, end, address)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def by_name(some: Sequence[Card]) -> dict[str, list[Card]]:
    return {name: [card for card in some if card.name == name] for name in NAMES}
