"""What a document ends by its own words: 《…》同时废止, 决定废止《…》, 本办法取代《…》, and lists.

Only what the document itself does counts: 已废止, 拟废止, 应当废止, 不得废止 and what it quotes end nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from core.numerals import chinese_number, number
from core.records import Document
from kb.graph.relations import Reference, Relation
from kb.graph.repeal_lists import listed
from kb.graph.repeal_numbers import DOC_NO, find_doc_no, find_doc_nos
from kb.law_names import is_document_name, name_key

_TITLE = re.compile(r"《((?:[^《》\n]|《[^《》\n]*》){2,160})》")
_BRACKET = r"[（(](?:[^（）()]|[（(][^（）()]*[）)]){0,120}[）)]"
_ENDS = re.compile(r"废止|失效|作废|停止(?:执行|施行|实施|适用)|不再(?:执行|施行|实施|适用)|取代|替代|代替")
_REPLACING = ("取代", "替代", "代替")
_MAY_FOLLOW = frozenset("。；;，,.）) 　\t\n|”")
_LONGEST = 3000              # characters of one clause; a notice that repeals forty others in one breath has 2,600

_HAN = "一二三四五六七八九十"
_YEAR, _MONTH = rf"(?:\d{{4}}|[{_HAN}〇○零]{{4}})", rf"(?:\d{{1,2}}|[{_HAN}]{{1,3}})"
_HAN_DATE = rf"{_YEAR}年{_MONTH}月{_MONTH}日"
_DATE = re.compile(rf"({_YEAR})年({_MONTH})月({_MONTH})日")
_THIS = r"本(?:办法|规定|条例|细则|通知|意见|决定|解释|规则|法|方案|规范|标准|制度|公告)"
_FROM = (
    r"(?:自|从|于|在|按)?(?:本|该|新)?[^，。；《》号件]{0,14}?"
    r"(?:(?:施行|实施|执行|公布|发布|颁布|印发|下发|生效|通过|批准)之?日|"
    rf"{_HAN_DATE}|即日|同日|之日)(?:起|后|开始|同时)?"
)
_MANNER = re.compile(
    r"(?:[，,、\s]|同时|同步|同日|予以|予|即行|即|相应|一并|一律|全部|全文|自行|自然|均|都|也|亦|则|便|随之|现|宣布|宣告"
    rf"|正式|终止|决定|特此|立即|继而|不再保留|一同|以及|并|{_FROM})*$"
)
_BY_THIS = re.compile(rf"(?:由|被|以){_THIS}(?:所)?$")
_THIS_ONE = re.compile(rf"(?:^|[，,。；、\s])(?:以)?{_THIS}(?:将|即|全面|全部)?$")
_N = r"[一二三四五六七八九十百千零\d]{1,9}"
_PLACE = r"第[^，。；、《》和及]{1,12}[款项目]"
_ARTICLES = rf"第{_N}(?:[、和及至]第?{_N})*条(?:之{_N})?(?:{_PLACE})?"
_ARTICLE = re.compile(rf"第({_N})条(之{_N})?({_PLACE})?")
_WHOLE_TAIL = re.compile(
    rf"(?:\s*{_BRACKET}|\s?{DOC_NO})*(?:号?文件?|通知|中)?"
    r"(?:及其?(?:实施细则|附件|补充[^，。；《》]{0,8}|有关[^，。；《》]{0,8}))?"
    rf"(?:等[^，。；《》]{{0,24}}?(?:{_BRACKET})?)?(?:的?(?:全部|所有)(?:规定|条款|内容))?\s*"
)
_ARTICLE_TAIL = re.compile(
    rf"(?:\s*{_BRACKET})*(?:中?的?|中)({_ARTICLES}(?:(?:、|和|及|以及|，){_ARTICLES})*)(?:的?规定|内容)?\s*"
)
_PART_TAIL = re.compile(
    rf"(?:\s*{_BRACKET})*((?:中|里|内)?(?:的|有关|关于|涉及|与|凡|第|“)?[^。；《》]{{1,80}}?"
    r"(?:规定|内容|条款|部分|标准|条文|事项|要求|措施|政策|办法|程序|条|款|项)[”）)]?)\s*"
)
_PART_HEAD = re.compile(rf"(?:{_BRACKET})?(?:[中里](?:的|有关|关于|第)|有关|关于|的(?!决定|通知|公告))")
# between two names of one list: who issued the second, and when
_LINK = re.compile(
    rf"(?:\s*{_BRACKET})*(?:\s?{DOC_NO})?(?:中?的?{_ARTICLES})?(?:等|号)?\s*"
    r"(?:、|，|,|；(?=《))?\s*(?:和|及|与|以及|并|暨|或|原)?、?([^《》。；：:]{0,90}?)"
)
_ISSUED = re.compile(
    r"(?:发布|公布|印发|颁布|制定|制订|批准|通过|转发|下发|颁发|发出|修[订正改]|实施|施行|执行)的?(?:本[市省])?(?:原)?$"
    r"|(?:[部委局厅署院会办府行室]|最高人民检察院|我市|本市|本省|我省|我部|原|下列|以下)(?:的)?$"
    rf"|(?:令|公告)(?:第?[\d{_HAN}百]+号)?$"
)
_NO_LINK = re.compile(
    r"^(?:第[一二三四五]次)?修[订正改]|根据|依据|按照|依照|遵照|为了|违反|施行，|规定[，的]|修改为|不一致|抵触|的决定|同时|予以|废止|执行[，的]"
)
# 某年某月某日市人民政府发布、根据某年某月某日第12号令修改的
_AMENDED_BY = re.compile(r"(?<=[布过准])[、，,]?(?:并)?(?:根据|依据|经)[^《》。；]{4,60}?修[改正订]的?$")
_CITED_BEFORE = re.compile(
    r"(?:根据|依据|按照|依照|参照|遵照|执行|适用|与|同|对照|贯彻|落实|违反)[^，,《》。；]{0,16}$"
)
_ELSE_BEFORE = re.compile(
    r"(?:建议|提议|拟|提请|申请|要求|是否|研究|可以|应当|应|如果|若|倘若|需|须|草案|征求意见|认为)[^。；《》，]{0,30}$"
    r"|如果|情形之一|期满|逾期|届满|有下列|过期"
)
_DECIDES = re.compile(
    r"(?:^|决定|宣布|宣告|现|现将|特|同时|予以|相应|一并|即行|立即|起|后|同意|正式|[，,：:\s]|本(?:决定|通知|令|公告)"
    rf"|[{_HAN}\d][、．.]|[）)])$"
)
_PRE_GAP = re.compile(
    r"(?:了|下列|以下|原)?[：:]?\s*"
    r"(?:[^《》。；：:\n]{0,90}?(?:发布|公布|印发|颁布|制定|批准|通过|转发|下发|颁发|实施|施行)的?"
    r"|[^《》，。；\n]{0,20}[部委局厅署院会办府行])?(?:原)?$"
)
_OTHERS_DECISION = re.compile(
    rf"(?:\s*{_BRACKET})*(?:等[^，。；《》]{{0,20}})?"
    r"的(?:决定|通知|公告|议案|建议|请示|说明|批复|命令|通告|意见|报告|令|公示)"
)
_PREVAILS = re.compile(
    r"(?:不一致|不相一致|不符|抵触|不同|有冲突|相冲突)(?:的(?:地方|内容|部分|规定)?|之处|时)?[，,、]?"
    r"(?:均|一律|应当)?(?:以|按)本[^，。；《》]{1,10}?(?:的?规定)?为准"
)
_WITH_THIS = re.compile(
    r"(?:中|的|有关|相关|规定|内容|条款|如|凡|若|，)*(?:与|同|和)本[^，。；《》]{1,8}?(?:的?(?:有关|相关)?(?:规定|内容))?(?:相)?$"
)
_OWN_START = re.compile(rf"(?:自|从|于)({_HAN_DATE})(?:起|之日起|开始)?[，,]?(?:同时|由|原)?$")
_NUMBERS_TAIL = re.compile(r"(?:号?文件?|通知|规定|[、和及与，\s]|执行(?:到|至)[\d年月日]+)*")
_UNDER_NUMBER = re.compile(r"号(?:文|通知)?(?:件)?(?:印发|发布|公布|下发)?的?$")
_ABOUT_ANOTHER = re.compile(r"解读|问答|答记者问|图解|起草说明")
_DIGITS = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0"}


@dataclass(frozen=True, slots=True)
class _Name:
    """A name in 《》."""

    start: int
    end: int
    title: str                   # as printed


def ended(document: Document, names: Mapping[str, str]) -> list[Reference]:
    """What it repeals, supersedes and prevails over, each once; ``names`` are short ones -> those they stand for.

    A document that is named with its 发文字号 gives two: one by name, one by number, both with the number.
    """
    text, title = document.text, document.facts.title
    if _ABOUT_ANOTHER.search(title) or not ("废止" in title or _ENDS.search(text) or "为准" in text):
        return []                    # who explains a rule tells what the rule ended
    reading = _Reading(document, names)
    found = [*reading.clauses(), *reading.of_title()]
    found += [reading.placed(reference) for reference in listed(text, title)]
    return _once(found)


def _once(found: list[Reference]) -> list[Reference]:
    """In the order of the text; of two that say the same, the one with a number or a day."""
    best: dict[tuple[Relation, str, str | None, str], Reference] = {}
    for one in sorted(found, key=lambda reference: reference.start):
        key = (one.kind, one.name, one.address, one.part)
        other = best.get(key)
        if other is None or (other.doc_no, other.day) == (None, None) != (one.doc_no, one.day):
            best[key] = one
    numbered = [
        replace(one, name=one.doc_no)
        for one in best.values()
        if one.doc_no and one.doc_no != one.name and one.address is None
        and (one.kind, one.doc_no, None, one.part) not in best and one.kind is not Relation.AMENDS
    ]
    return sorted([*best.values(), *numbered], key=lambda reference: reference.start)


class _Reading:
    """The clauses of one document in which something ends."""

    def __init__(self, document: Document, names: Mapping[str, str]) -> None:
        self._text = document.text
        self._title = document.facts.title
        self._short = names
        self._starts = [article.start for article in document.articles]
        self._articles = document.articles
        self._names = [_Name(m.start(), m.end(), m.group(1)) for m in _TITLE.finditer(document.text)]
        self._ends = [name.end for name in self._names]

    def clauses(self) -> Iterator[Reference]:
        text = self._text
        for match in _ENDS.finditer(text):
            at = match.start()
            if text.rfind("《", 0, at) > text.rfind("》", 0, at) or self._said_by_others(at):
                continue
            start = self._clause(at)
            found = list(self._named_before(match, start)) or list(self._named_behind(match, start))
            yield from map(self.placed, found)
        for match in _PREVAILS.finditer(text):
            start = self._clause(match.start())
            for name, _, _ in self._list_before(start, match.start(), _WITH_THIS):
                yield self.placed(self._reference(name, Relation.PREVAILS, None, ""))

    def of_title(self) -> Iterator[Reference]:
        """《…》 of 关于废止《…》的决定, when the text does not hold the title."""
        title = self._title
        at = title.find("废止")
        if at < 0 or "《" not in title[at:] or not _PRE_GAP.match(title[at + 2 : title.find("《", at)]):
            return
        place = self._text.find(title)
        for match in _TITLE.finditer(title, at):
            if _OTHERS_DECISION.match(title, match.end()) or title[match.end() : match.end() + 1] in "、和及":
                start, end = (place + match.start(), place + match.end()) if place >= 0 else (0, 0)
                key = name_key(match.group(1))
                yield Reference(None, start, end, Relation.REPEALS, self._short.get(key, key), None)

    def placed(self, reference: Reference) -> Reference:
        """With the article in which it stands."""
        position = bisect_right(self._starts, reference.start) - 1
        inside = position >= 0 and reference.start < self._articles[position].end
        return replace(reference, article=position) if inside else reference

    # 《…》同时废止

    def _named_before(self, match: re.Match[str], start: int) -> Iterator[Reference]:
        text, at = self._text, match.start()
        follows = text[match.end() : match.end() + 1]
        if follows and follows not in _MAY_FOLLOW and not follows.isdigit():
            return
        kind = Relation.REPEALS
        if match.group() in _REPLACING:
            by = _BY_THIS.search(text, max(start, at - 12), at)
            if by is None:
                return
            kind, at = Relation.SUPERSEDES, by.start()
        manner = _MANNER.search(text, max(start, at - 60), at)
        stop = manner.start() if manner else at
        day = _day(text[stop:at])
        rows = list(self._list_before(start, at, _MANNER))
        if not rows:
            yield from self._numbered(start, stop, kind, day)
            return
        before = text[max(start, rows[0][0].start - 40) : rows[0][0].start]
        if day is None and (own := _OWN_START.search(before)):
            day = _day(own.group(1))
        for name, tail, whole in rows:
            yield from self._with_tail(name, tail, whole, kind, day)

    def _list_before(self, start: int, at: int, rest: re.Pattern[str]) -> list[tuple[_Name, str, bool]]:
        """The names that end before ``at``, each with what follows it and whether all of it is meant.

        ``rest`` may stand between them and ``at``.
        """
        text = self._text
        last = bisect_right(self._ends, at) - 1
        if last < 0 or self._names[last].start < start:
            return []
        name = self._names[last]
        tail = self._tail(name.end, at, rest)
        if tail is None:
            return []
        rows = [(name, *tail)]
        while last > 0 and self._names[last - 1].start >= start:
            previous, name = self._names[last - 1], self._names[last]
            between = text[previous.end : name.start]
            if not _linked(between):
                break
            rows.append((previous, between, True))
            last -= 1
        rows.reverse()
        if _CITED_BEFORE.search(text, max(start, rows[0][0].start - 24), rows[0][0].start):
            rows = rows[1:]
        if rows and _ELSE_BEFORE.search(text[start : rows[0][0].start]):
            return []
        return [row for row in rows if self._is_document(row[0], row[1])]

    def _tail(self, end: int, at: int, rest: re.Pattern[str]) -> tuple[str, bool] | None:
        """What stands behind a name and belongs to it, if nothing else but ``rest`` stands between it and ``at``."""
        between = self._text[end:at]
        for pattern in (_WHOLE_TAIL, _ARTICLE_TAIL):
            match = pattern.match(between)
            if match and (rest.fullmatch(between[match.end() :]) or not between[match.end() :]):
                return match.group(), True
        if rest is not _MANNER:
            return None
        manner = rest.search(between)
        words = between[: manner.start()] if manner else between
        return (words, False) if _PART_TAIL.fullmatch(words) else None

    def _numbered(self, start: int, stop: int, kind: Relation, day: str | None) -> Iterator[Reference]:
        """国发〔2001〕12号、国发〔2001〕13号文件同时废止."""
        if stop - start > 200 or _ELSE_BEFORE.search(self._text[start:stop]):
            return
        end = stop
        for first, last, value in reversed(find_doc_nos(self._text, start, stop)):
            if not _NUMBERS_TAIL.fullmatch(self._text, last, end):
                return
            yield Reference(None, first, last, kind, value, None, "", value, day)
            end = first

    def _with_tail(self, name: _Name, tail: str, whole: bool, kind: Relation, day: str | None) -> Iterator[Reference]:
        if not whole:
            yield replace(self._reference(name, Relation.AMENDS, None, ""), part=tail.strip())
        elif articles := _ARTICLE_TAIL.match(tail):
            for address, part in _addresses(articles.group(1)):
                yield replace(self._reference(name, kind, address, tail), part=part, day=day)
        else:
            yield replace(self._reference(name, kind, None, tail), day=day)

    # 废止《…》

    def _named_behind(self, match: re.Match[str], start: int) -> Iterator[Reference]:
        text, at = self._text, match.start()
        first = bisect_right([name.start for name in self._names], match.end() - 1)
        if first == len(self._names) or self._names[first].start - match.end() > 110:
            return
        if not _PRE_GAP.fullmatch(text, match.end(), self._names[first].start):
            return
        kind = self._decided(match, start)
        if kind is None:
            return
        rows = [self._names[first]]
        for name in self._names[first + 1 :]:
            if not _linked(text[rows[-1].end : name.start]):
                break
            rows.append(name)
        if _OTHERS_DECISION.match(text, rows[-1].end) and not self._is_own_title(at, rows[-1].end):
            return
        for n, name in enumerate(rows):
            behind = text[name.end : rows[n + 1].start] if n + 1 < len(rows) else text[name.end : name.end + 160]
            yield from self._with_head(name, behind, kind)

    def _decided(self, match: re.Match[str], start: int) -> Relation | None:
        """What the word does to the names behind it; None when it is no decision of this document."""
        at = match.start()
        if _ELSE_BEFORE.search(self._text[start:at]):
            return None
        if match.group() in _REPLACING:
            return Relation.SUPERSEDES if _THIS_ONE.search(self._text[start:at]) else None
        if match.group() in ("失效", "作废") or not _DECIDES.search(self._text[max(start, at - 12) : at]):
            return None
        return Relation.REPEALS

    def _with_head(self, name: _Name, behind: str, kind: Relation) -> Iterator[Reference]:
        if not self._is_document(name, behind):
            return
        if articles := _ARTICLE_TAIL.match(behind):
            for address, part in _addresses(articles.group(1)):
                yield replace(self._reference(name, kind, address, behind), part=part)
        elif _PART_HEAD.match(behind):
            part = re.split(r"[。；\n]", behind, maxsplit=1)[0]
            yield replace(self._reference(name, Relation.AMENDS, None, ""), part=part)
        else:
            tail = _WHOLE_TAIL.match(behind)
            yield self._reference(name, kind, None, tail.group() if tail else "")

    # what stands where

    def _reference(self, name: _Name, kind: Relation, address: str | None, tail: str) -> Reference:
        key = name_key(name.title)
        before = self._text[max(0, name.start - 40) : name.start]
        own = _WHOLE_TAIL.match(tail)        # not the number of the next one in the list
        doc_no = find_doc_no(own.group()) if own else None
        if doc_no is None and _UNDER_NUMBER.search(before):
            doc_no = find_doc_nos(before, 0, len(before))[-1][2]
        return Reference(None, name.start, name.end, kind, self._short.get(key, key), address, "", doc_no)

    def _is_document(self, name: _Name, tail: str) -> bool:
        return is_document_name(name.title) or "关于" in name.title or find_doc_no(tail) is not None

    def _is_own_title(self, at: int, end: int) -> bool:
        words = name_key(self._text[at:end])
        return words in name_key(self._title)

    def _clause(self, at: int) -> int:
        text = self._text
        start = max(text.rfind(mark, max(0, at - _LONGEST), at) for mark in "。；\n") + 1
        position = bisect_right(self._starts, at) - 1
        return max(start, self._starts[position]) if position >= 0 else start

    def _said_by_others(self, at: int) -> bool:
        """In quotation marks: what an amendment puts into another law, or what somebody else wrote."""
        start = self._text.rfind("\n", 0, at) + 1
        return self._text.rfind("“", start, at) > self._text.rfind("”", start, at)


def _linked(between: str) -> bool:
    """Whether two names with this between them stand in one list."""
    link = _LINK.fullmatch(between)
    words = _AMENDED_BY.sub("", link.group(1)) if link else ""
    return link is not None and (not words or bool(_ISSUED.search(words) and not _NO_LINK.search(words)))


def _addresses(words: str) -> Iterator[tuple[str, str]]:
    """(address, part) of 第八条第二款、第九条."""
    for match in _ARTICLE.finditer(words):
        suffix = f"之{chinese_number(number(match.group(2)[1:]))}" if match.group(2) else ""
        yield f"第{chinese_number(number(match.group(1)))}条{suffix}", match.group(3) or ""


def _day(words: str) -> str | None:
    """The last date in ``words``: 执行到2016年12月31日，自2017年1月1日停止执行."""
    found = _DATE.findall(words)
    if not found:
        return None
    year, month, day = found[-1]
    try:
        return date(int("".join(_DIGITS.get(c, c) for c in year)), number(month), number(day)).isoformat()
    except ValueError:
        return None
