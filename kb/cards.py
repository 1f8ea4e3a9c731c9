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
from kb.quantities import Dimension, quantities

NAMES = ("对象", "条件", "标准", "材料", "期限", "渠道", "咨询电话")


@dataclass(frozen=True, slots=True)
class Card:
    """One line of a card: ``document.text[start:end] == value``."""

    name: str                    # of `NAMES`
    value: str
    start: int | None            # None: not in the text, such as the number in a file's front matter
    end: int | None
    address: str


_MOST = 8                        # lines of one name
_LONGEST = 600                   # of a value
_HEADING = 24                    # a longer one is a sentence
_NO_CARD_KINDS = frozenset(("新闻", "报告", "通报", "函", "决定", "规划", "计划", "公示", "批复", "复函"))
_NO_CARD_TITLE = re.compile(
    r"修改.{0,60}的决定|废止|表彰|任免|名单|通报|进展情况|年度报告|召开|举行|答记者问|成员的通知"
)
_ENOUGH = frozenset(("对象", "条件", "标准", "材料"))
_ARTICLE = re.compile(r"第[^条]+条")
_WHOLE_CHAPTER = ("对象", "条件", "材料")     # of a chapter 申请条件 each article is one; of one on 租金 only some
_NUMBERING = re.compile(
    r"^[#*\s　]*(?:第[一二三四五六七八九十百\d]+[章节编条]"
    r"|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]?)[\s　]*"
)

_BY_HEADING = {
    "对象": re.compile(
        r"对象|人群|哪些人|(?:适用|参保|保障|补贴|补助|招生|救助|供应|申领|享受|缴费|支持|发放)(?:的)?范围"
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
_WHOLE = re.compile(r"(?:下列|以下|如下)[^。\n]{0,24}(?:[:：]\s*(?:\n|$)|[:：])")
# Of a sentence that says what happens otherwise, no value is taken.
_OTHERWISE = re.compile(r"虚假|伪造|弄虚作假|异议|复议|诉讼|不再受理|不予受理|不得再|年内不|逾期|取消|隐瞒|转借|冒领")
_FINE = re.compile(r"罚款|处罚|追究|责令|拘留|吊销|没收|违约金|滞纳金|追回|退回")
_ENDING = re.compile(r"起(?:正式)?(?:施行|实施|执行)|有效期[至为]?[一二三四五六七八九十\d]|同时废止")

_APPLIES = re.compile(
    r"本(?:办法|规定|通知|条例|细则|意见|方案|指引)[^。\n]{0,10}适用于|适用本(?:办法|规定|条例|细则)"
    r"|(?:对象|人员|家庭|人群|企业)(?:，|,)?(?:是指|为[:：]|包括[:：]?)"
    r"|的[^。，；\n]{0,16}(?:人员|家庭|居民|老年人|企业|单位|职工|学生|儿童|残疾人|毕业生|个人)[^。；\n]{0,16}"
    r"(?:可以|可|均可|能够)(?:按[^。，\n]{0,12})?(?:申请|领取|享受|参加|申领)"
)
_CONDITIONS = re.compile(
    r"(?:符合|具备|满足|有)(?:下列|以下|如下)[^。\n]{0,8}(?:条件|情形)|应当?(?:同时)?(?:符合|具备|满足)[^。\n]{0,20}条件"
    r"|(?:申请|领取|享受)[^。\n]{0,30}(?:应当|须|需)(?:同时)?(?:符合|满足|具备|年满|具有)"
)
_AMOUNT = re.compile(
    r"标准|补贴|补助|津贴|奖励|资助|给予|发放|报销|支付比例|缴费|收取|收费|免收|免费|减免|租金|额度|每人|每月|每年|每户|贴息"
    r"|基数|起付|封顶"
)
_PERIOD = re.compile(
    r"申请|受理|审核|审查|复核|办结|办理|作出|答复|发放|拨付|缴费|缴纳|登记|期限|最长|截止|报名|发证|公示|告知|到账|领取"
)
_WITHIN = re.compile(r"(?:日|天|月|年|小时)(?:以?内|之内|前|后)|之日起|期限|截止|最长|不超过|至|每年|每月|时间")
_PAPERS = re.compile(
    r"(?:提交|提供|持|携带|出示|填写)[^。\n]{0,40}?(?:材料|证明|身份证|户口[簿本]|申请书|申请表|执照|凭证|发票|合同"
    r"|社会保障卡|社保卡|居住证|证书|票据|回执)"
    r"|材料(?:为|包括|有|如下)"
)
_WAY = re.compile(
    r"(?:向|到|在|通过|登录|拨打|经|凭)[^。，；\n]{1,36}?(?:街道|社区|村|窗口|中心|局|部门|机构|网|平台|APP|App|app|小程序"
    r"|公众号|银行|医院|”|学校|税务|站)[^。\n]{0,24}?(?:申请|申报|办理|提出|提交|报名|登记|查询|投诉|反映|缴费|参保|认证|领取|申领|预约)"
)
_PHONE = re.compile(r"(?<!\d)(?:0\d{2,3}\s?[-—－–]\s?\d{7,8}(?:[-转]\d{1,6})?|\d{8}|12\d{3}|400[-\d]{8,10})(?!\d)")
_SAID_PHONE = re.compile(r"电话|热线|拨打|咨询|致电|联系")
_PHONE_NEAR = 40


def cards(document: Document) -> list[Card]:
    """In the order of the text; empty for what is no policy, such as a national law or news."""
    if not _may_have_card(document.facts):
        return []
    found = list(_fields(document))
    if not _ENOUGH & {card.name for card in found}:
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


def _fields(document: Document) -> Iterator[Card]:
    """By headings and questions; what stands under no such heading is read sentence by sentence."""
    articles = document.articles
    at = 0
    while at < len(articles):
        article = articles[at]
        label, names = _by_label(article)
        if _ARTICLE.match(article.address):
            whole = [name for name in names if name in _WHOLE_CHAPTER]
            yield from (
                _card(document, name, _trim(document.text, article.start, article.end), article.address)
                for name in whole
            )
            yield from (card for card in _by_sentences(document, article) if card.name not in whole)
            at += 1
            continue
        if names:
            last = at
            while last + 1 < len(articles) and _label(articles[last + 1]) == label:
                last += 1
            span = _span(document.text, article, articles[last])
            yield from (_card(document, name, span, article.address) for name in names)
            at = last + 1
            continue
        question = _question(document.text, article)
        if question is not None:
            yield from (_card(document, name, question[1], article.address) for name in question[0])
        else:
            yield from _by_sentences(document, article)
        at += 1


def _label(article: Article) -> str:
    own = article.address.rsplit("·", 1)[-1]
    heading = article.heading[-1] if article.heading else ""
    return _NUMBERING.sub("", heading or own).strip("*：: 　")


def _by_label(article: Article) -> tuple[str, list[str]]:
    label = _label(article)
    if not label or len(label) > _HEADING or _NO_HEADING.search(label) or label.endswith(("?", "？", "。")):
        return label, []
    return label, [name for name, pattern in _BY_HEADING.items() if pattern.search(label)]


def _question(text: str, article: Article) -> tuple[list[str], tuple[int, int]] | None:
    """Names and the span of the answer, of an article that is a question with its answer."""
    words = text[article.start : article.end]
    asked = _QUESTION.match(words.lstrip())
    if asked is None:
        return None
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
        if _WHOLE.search(match.group()):
            end = _list_end(text, end, article.end)
        span = _trim(text, start, end)
        words = text[slice(*span)]
        wanted = not (_FINE.search(match.group()) or _OTHERWISE.search(match.group()) or _ENDING.search(words))
        if words and wanted:
            yield from (_card(document, name, span, article.address) for name in _names(words))
        at = max(end, match.end())


def _names(words: str) -> Iterator[str]:
    paid, timed = bool(_AMOUNT.search(words)), bool(_PERIOD.search(words) and _WITHIN.search(words))
    dimensions = {quantity.dimension for quantity in quantities(words)} if paid or timed else set()
    if _APPLIES.search(words):
        yield "对象"
    if _CONDITIONS.search(words):
        yield "条件"
        if "\n" in words:
            return               # a list of conditions names periods and papers that are none of the card's
    if paid and dimensions & {Dimension.MONEY, Dimension.SHARE}:
        yield "标准"
    if _PAPERS.search(words):
        yield "材料"
    if timed and dimensions & {Dimension.PERIOD, Dimension.DATE}:
        yield "期限"
    if _WAY.search(words):
        yield "渠道"


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
