"""What a service item asks for: its materials and its conditions, one edge for each entry of the list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.records import Article, Document
from kb.graph.relations import Reference, Relation

_HAN = r"[一二三四五六七八九十]{1,3}"
_LABEL = rf"(?:[（(](?:{_HAN}|\d{{1,2}})[）)]|\d{{1,2}}[.．、](?!\d)|{_HAN}、|[①-⑳])"
_ASKS = re.compile(
    r"(?:提交|提供|出具|携带|递交|报送|附送|凭)(?:以下|下列|如下)(?:的)?[^。：:\n（(]{0,16}?"
    r"(?:材料|资料|文件|证件|证明|凭证|手续)[^。：:\n（(]{0,10}(?:[:：]\s*|\n|(?=[（(]一[）)]))"
)
_NEEDS = re.compile(
    r"(?:符合|具备|满足)(?:以下|下列|如下)(?:的)?[^。：:\n（(]{0,16}?(?:条件|资格)"
    r"[^。：:\n（(]{0,14}(?:[:：]\s*|\n|(?=[（(]一[）)]))"
)
_MATERIALS = re.compile(r"(?:申请|办理|提交|申报|所需|受理|需提交|应提交)(?:的)?(?:材料|资料)(?:清单|目录)?$")
_CONDITIONS = re.compile(r"(?:申请|受理|办理|申报|准入|享受|认定|基本|补贴|领取)(?:的)?条件$")
_SECTION_ENDS = ("材料", "资料", "清单", "目录", "条件")
_ENTRY = re.compile(rf"(?:^|(?<=[\n；;。：:]))[ \u3000]*{_LABEL}[ \u3000]*([^\n；;。]{{2,}})", re.M)
_ITEM = re.compile(
    r"((?:申请(?!人|信息|材料|表)|申报|办理|申领|领取|设立|从事|开办|登记|报考|注销|变更)[^，。；：:\n（）()“”]{2,30}?)(?=的[，,]?|[，,]|应当|应|须|需|时)"
)
_GUIDE = re.compile(r"(?:办事指南|服务指南|办理指南|申请指南|指南|办理流程|须知)$")
_LONGEST = 120               # characters of an entry that are kept as its name
_REACH = 4000                # characters of one list


def requirements(document: Document) -> Iterator[Reference]:
    """Materials and conditions, in no order."""
    text = document.text
    whole = _GUIDE.sub("", document.facts.title) or document.facts.title
    for position, article in enumerate(document.articles):
        section = _section(article)
        words = text[article.start : article.end]
        if section is not None:
            yield from _listed(position, article, words, 0, section, whole)
            continue
        if "下列" in words or "以下" in words or "如下" in words:
            for pattern, kind in ((_ASKS, Relation.MATERIAL), (_NEEDS, Relation.CONDITION)):
                for match in pattern.finditer(words):
                    item = _item(words, match.start()) or whole
                    yield from _listed(position, article, words, match.end(), kind, item)


def _section(article: Article) -> Relation | None:
    """What a section of a guide lists by its name."""
    if not article.address.endswith(_SECTION_ENDS):      # 150,000 times a base: a tenth of the time of a pattern
        return None
    if _MATERIALS.search(article.address):
        return Relation.MATERIAL
    return Relation.CONDITION if _CONDITIONS.search(article.address) else None


def _item(words: str, at: int) -> str | None:
    """申请公租房 of 申请公租房的，应当提交下列材料."""
    start = max(words.rfind(mark, 0, at) for mark in "。；\n") + 1
    found = _ITEM.findall(words[start:at])
    return found[-1] if found else None


def _listed(
    position: int, article: Article, words: str, at: int, kind: Relation, item: str
) -> Iterator[Reference]:
    """The entries from ``at`` on, as long as one follows the other."""
    end = min(len(words), at + _REACH)
    labelled = list(_ENTRY.finditer(words, at, end))
    if not labelled or (at and words[at : labelled[0].start(1)].strip() and labelled[0].start() - at > 4):
        return
    last = at
    for entry in labelled:
        if at and entry.start() - last > 3 and "\n" in words[last : entry.start()].strip():
            return                   # a paragraph between: the list has ended
        name = entry.group(1).strip(" \u3000。；;")
        if name:
            start = article.start + entry.start(1)
            yield Reference(position, start, start + len(entry.group(1)), kind, name[:_LONGEST], None, item)
        last = entry.end()
