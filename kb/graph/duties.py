"""Who issued a document, who is responsible for what, and to whom it applies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.records import Article, Document
from kb.graph.relations import Reference, Relation

_ENDS = tuple((
    "政府 法院 检察院 机关 管理机构 监督机构 经办机构 服务机构 部门 委员会 管委会 办公室 办公厅 办事处 管理处 管理站"
    " 总局 总署 中心 银行 海关 国务院 工会 联合会 学校 科委"
).split())
_SHORT_END = re.compile(r"(?:[^全内外细大半成]部|[^结格布当邮]局|[^大客餐]厅|[^部]署|[省市区县]委)$")
_ANCHOR = re.compile(r"负责(?!人|的主管|任|同志|的态度)|主管(?!人员|部门|机关|单位|的|领导|行政)|组织实施|承担")
_HOW = re.compile(
    r"(?:具体|统一|分别|依法|共同|主要|牵头|按(?:照)?(?:各自)?(?:的)?职责(?:分工)?(?:权限)?|在各自(?:的)?职责范围内|会同[^，。；]{2,24})*$"
)
_BEFORE_BY = re.compile(r"(?:具体|统一|依法|应当|可以)+$")
_UNTIL = re.compile(r"[，。；\n（(）)]|$")
_BREAKS = "。；，：\n"
_NOT_BODY = re.compile(
    r"^(?:其|该|有关|相关|各(?!级|市|县|区)|本(?!市|省|级)|前款|上述|或者|和|对|除|向|并|被|所在|用人|承包|施工|建设单位|不|未|应当|单位|经)"
    r"|人员|负责|应当|可以|规定|如果|情况|需要|要求|应[为由]|以下|[会关府门院]对(?!外)"
)
# 国务院负责传统工艺美术保护工作的部门
_CHARGED = re.compile(r"负责[^，。]{1,24}的(?=(?:主管|业务|行政主管|行政)?(?:部门|机构|机关)$)")
_CHARGE = re.compile(r"[^，。；\n]{1,24}?的(?:主管|业务|行政主管|行政)?(?:部门|机构|机关|人员|单位)")
_HAN = "一二三四五六七八九十百"
_LABEL = re.compile(rf"\s*(?:[（(][{_HAN}\d]{{1,3}}[）)]|\d{{1,2}}[.．、]|[{_HAN}]{{1,3}}、|第[{_HAN}]{{1,5}}条)\s*")
_LONGEST_BODY = 60
_SCOPE = re.compile(
    r"本(?:法|条例|办法|规定|细则|通知|意见|规则|方案|解释|规范|标准)适用于([^。；\n]{2,200})"
    r"|(?:^|(?<=[。；\n]))\s*([^。；\n]{4,160}?)[，,](?:均|都|应当|必须)?适用本(?:法|条例|办法|规定|细则|规则|规范)(?![第的])"
    r"|适用(?:对象|范围)[:：]\s*([^。；\n]{2,200})"
)
_AUDIENCE = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十]+[章节]|[（(][一二三四五六七八九十]+[）)])?[\s\u3000]*"
    r"(?:适用|申请|申报|服务|办理|补贴|补助|保障|资助|救助|奖励|支持|享受|认定|发放|扶持|招募|招聘)(?:对象|范围|人群)$"
)
_AUDIENCE_ENDS = ("对象", "范围", "人群")
_LONGEST = 200
_KNOWN = r"(?:法院|检察院|国务院|办公厅|政府|委员会|[部委局厅署会])"
_TITLE_BODIES = re.compile(rf"^((?:[^《》关于]{{2,16}}?{_KNOWN}[、\s]?){{1,12}})(?=关于|印发|公布)")
_EACH_BODY = re.compile(
    r"[^、\s]{2,16}?(?:人民法院|人民检察院|国务院办公厅|国务院|办公厅|人民政府|委员会|[部委局厅署会])"
    r"(?=[、\s]|$|最高|国家|中共|财政|公安|[省市])"
)


def duties(document: Document) -> Iterator[Reference]:
    """Edges to bodies and to those concerned, in no order."""
    yield from _issuers(document)
    text = document.text
    for position, article in enumerate(document.articles):
        words = text[article.start : article.end]
        if "负责" in words or "主管" in words or "组织实施" in words or "承担" in words:
            yield from _responsible(position, article, words)
        if "适用" in words or article.address.endswith(_AUDIENCE_ENDS):
            yield from _concerned(position, article, words)


def _issuers(document: Document) -> Iterator[Reference]:
    """From the official fields, else from the title."""
    stated = [field for field in document.fields if field.name == "发文机关"]
    for field in stated:
        yield Reference(None, field.start or 0, field.end or 0, Relation.ISSUED_BY, field.value, None)
    if stated:
        return
    if document.facts.issuer:
        at = max(document.text.find(document.facts.issuer), 0)
        end = at + len(document.facts.issuer) if document.text.startswith(document.facts.issuer, at) else at
        yield Reference(None, at, end, Relation.ISSUED_BY, document.facts.issuer, None)
    elif bodies := _TITLE_BODIES.match(document.facts.title):
        at = document.text.find(document.facts.title)
        for body in _EACH_BODY.finditer(bodies.group(1)):
            start, end = (at + body.start(), at + body.end()) if at >= 0 else (0, 0)
            yield Reference(None, start, end, Relation.ISSUED_BY, body.group(), None)


def _responsible(position: int, article: Article, words: str) -> Iterator[Reference]:
    seen: set[tuple[str, str]] = set()
    for anchor in _ANCHOR.finditer(words):
        start, body, before = _body(words, anchor.start(), taken_on=anchor.group() == "承担")
        if not _is_body(body) or (anchor.group() == "负责" and _CHARGE.match(words, anchor.end())):
            continue                     # 市人民政府负责粮食工作的部门 is one body
        what = _behind(words, anchor.end())
        if not what or what.startswith("等"):
            what = _task(words, start) if words[start - 1 : start] in ("（", "(") else before
        if (body, what) not in seen:
            seen.add((body, what))
            first = article.start + start
            yield Reference(position, first, first + len(body), Relation.RESPONSIBLE, body, None, what[:_LONGEST_BODY])


def _body(words: str, at: int, *, taken_on: bool) -> tuple[int, str, str]:
    """(start, name, what stands before 由) of what may be a body before 负责 at ``at``."""
    start = max(words.rfind(mark, max(0, at - 120), at) for mark in _BREAKS) + 1
    if label := _LABEL.match(words, start, at):
        start = label.end()
    how = _HOW.search(words, start, at)
    head = words[start : how.start() if how else at]
    by = head.rfind("由")
    if by >= 0:
        return start + by + 1, head[by + 1 :], _BEFORE_BY.sub("", head[:by])
    if taken_on:
        return start, "", ""             # 申请人承担费用
    begin = max(head.rfind(mark) for mark in "（( \u3000") + 1
    if "（" in head and head.count("（") == head.count("）"):
        begin = 0                        # 县（市、区）人民政府
    return start + begin, head[begin:], ""


def _behind(words: str, at: int) -> str:
    end = _UNTIL.search(words, at)
    return words[at : end.start()].strip() if end else ""


def _is_body(name: str) -> bool:
    ends = name.endswith(_ENDS) or _SHORT_END.search(name) is not None
    return 2 <= len(name) <= _LONGEST_BODY and ends and not _NOT_BODY.search(_CHARGED.sub("", name))


def _task(words: str, bracket: int) -> str:
    """The sentence before （市民政局负责）."""
    end = bracket - 1
    start = max(words.rfind(mark, 0, end - 1) for mark in "。；\n）)") + 1
    return words[start:end].strip(" 。\u3000")


def _concerned(position: int, article: Article, words: str) -> Iterator[Reference]:
    found = False
    for match in _SCOPE.finditer(words):
        group = next(n for n in (1, 2, 3) if match.group(n))
        label = _LABEL.match(words, match.start(group), match.end(group))
        first = label.end() if label else match.start(group)
        whom = words[first : match.end(group)].strip()
        if whom and not whom.endswith("不"):
            found = True
            yield Reference(
                position, article.start + first, article.start + match.end(group), Relation.APPLIES_TO, whom, None
            )
    if not found and _AUDIENCE.match(article.address):
        line = words.strip().split("\n", 1)[0][:_LONGEST]
        if line:
            start = article.start + words.index(line)
            yield Reference(position, start, start + len(line), Relation.APPLIES_TO, line, None)
