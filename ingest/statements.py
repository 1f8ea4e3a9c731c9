"""What a document states of other documents and of itself: 依据, 废止, 修改, 抄送, 公开属性 and 密级."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.errors import IngestError
from core.records import Reject
from ingest.doc_numbers import find_numbers
from ingest.opening import Read
from ingest.view import View

# 依据

_PURPOSE_START = re.compile(r"(?:第一条|本(?:年度)?报告(?:是)?)?(?:为|根据|依据|按照|依照|遵照|贯彻|落实|经)")
_AFTER_TITLE = re.compile(
    r"(?:决定|办法|方案|计划|意见|规定|细则|措施|规划|纲要|预案|指南|要点|通知|规则|指引)(?:[（(][^（）()]{2,14}[）)])?"
    r"(?:[\u4e00-\u9fff]{2,6}〔\d{4}〕\d+号)?(?=为|根据|按照|依据|深入|贯彻)"
)
_PURPOSE_END = re.compile(
    r"制[定订]本|特制[定订]|制[定订](?:如下|以下|了)|现(?:就|将|提出|决定|面向|印发|通知|公告|通告|结合)"
    r"|提出(?:如下|以下)|研究制[定订]|编制本|作出如下|决定如下|决定[^。]{0,10}废止|作如下|通知如下|公告如下|通告如下"
)
_TRIGGER = re.compile(
    r"根据|依据|按照|依照|遵照|贯彻落实|贯彻执行|贯彻实施|贯彻|全面落实|落实|(?:保证|保障|规范"
    r"|做好)(?=[^《。，]{0,24}《[^》]{2,120}》[^。，]{0,4}(?:贯彻)?(?:实施|施行|落实))|执行(?=《)|实施(?=《)"
)
_TO_NAME = re.compile(r"[^《》。；，,:：]{0,120}(?=《)")      # twelve bodies that issued it jointly
_BETWEEN = re.compile(
    r"(?:[（(][^（）()]{0,60}(?:[（(][^（）()]{0,20}[）)][^（）()]{0,20}){0,3}[）)])?[等号]?[、，,]?(?:和|及"
    r"|以及|与|并)?[、，,]?"
    r"[^《》。；：:，,“”（）()]{0,40}?(?:印发的|下发的|发布的|制定的)?(?=《)"
)
_NOT_BETWEEN = re.compile(
    r"(?:要求|精神)(?![和及与])|安排|部署|规定|制定|研究|结合|我[省市区县]|起草|现将|对|为|，(?!和|及|以及|与)|组织|形成|印发了"
    r"|出台|编制|开展|落实《"
)
_DASHES = str.maketrans("－—–", "---")      # 2023－2025年 in the title, 2023-2025年 above the plan
_QUOTES = re.compile(r"[《》〈〉<>“”\"]")
_PRINTS = re.compile(r"(?:印发|公布|发布)(.{4,80})的通知$")
_PRINTED_NAME = re.compile(r"的通知|的函|$|[、和及等《]|以及")
_SENTENCE_END = re.compile(r"[。！]|\n")
_ARTICLE_ONE = re.compile(r"第一条(?![第规所之的至、，和款])")
_ARTICLE_TWO = re.compile(r"第二条|第二章")
_HEADING_ONE = re.compile(r"(?<![合统专唯单十届])一、(?!二、)|（一）|第一章|第一条")      # not 标准不统一、五证合一、

# 废止和修改

_REPEALED = re.compile(
    r"(?:同时|予以|即行|相应|一并|自行|均予|全部)(?:予以)?(?:废止|失效)|(?<=[》）)])废止(?=[。；])|停止执行|不再执行|[日起]废止|宣布(?:废止"
    r"|失效)|同时作废"
)
_REPEALS = re.compile(r"(?:决定|现)?(?:予以)?废止(?:以下|下列|了)?(?=[^《》。，]{0,12}《)")
_NAME = re.compile(r"《((?:[^《》]|《[^《》]{0,120}》){2,200})》")
_LIST_GAP = re.compile(r"(?:[（(][^（）()]{0,60}[）)])?[、，和及与]{0,2}(?:以及)?")
_AMEND_TITLE = re.compile(r"关于(?:废止和)?修[改订](?:和废止)?")
_AMENDED = re.compile(
    r"[对将]([^。；]{0,200}《[^。；]{2,300})(?:作|作出|进行|做|做出|予以)(?:如下|以下|部分|下列|相应)?(?:的)?修[改订正]"
)

# 抄送、公开、密级

_COPIES = re.compile(
    r"抄[ \u3000]*送[:：]([^。\n]{2,400}?)(?=。|\n|$|[\u4e00-\u9fff]{2,30}(?:19|20)\d\d年\d+月\d+日印发)"
)
_PUBLIC = (
    (re.compile(
        r"此件(?:主动公开|公开发布|公开)|(?:公开方式|公开属性|公开类别|公开形式|信息公开选项)[:：]?主动公开"
        r"|[（(]主动公开[）)]"
    ), "主动公开"),
    (re.compile(
        r"此件依申请公开|(?:公开方式|公开属性|公开类别|公开形式)[:：]?依申请公开|[（(]依申请公开[）)]"
    ), "依申请公开"),
    (re.compile(
        r"此件(?:不予公开|不公开)|(?:公开方式|公开属性|公开类别|公开形式)[:：]?(?:不予公开|不公开)"
    ), "不予公开"),
)
_PUBLIC_WORDS = ("此件", "公开方式", "公开属性", "公开类别", "公开形式", "公开选项", "公开）", "公开)")
_PUBLIC_HEAD = 6000          # the letter and its signature; the mark may also stand at the very end
_SECRET_LINE = re.compile(
    r"^[ \t\u3000]*(?:密[ \u3000]*级[:：][ \t\u3000]*)?(绝[ \u3000]*密|机[ \u3000]*密|秘[ \u3000]*密)"
    r"(?:[ \t\u3000]*[★☆][ \t\u3000]*\S{0,8})?[ \t\u3000]*(?:特急|加急|急件|平急)?[ \t\u3000]*$", re.M
)
_SECRET_MARK = re.compile(
    r"(绝密|机密|秘密)[ \u3000]*[★☆]|密[ \u3000]*级[:：][ \u3000]*(绝密|机密|秘密|内部)(?![级、，])"
)
_INTERNAL = re.compile(
    r"^[ \t\u3000【\[（(]*(内部资料|内部文件|内部材料|内部刊物|内部)(?:[ \t\u3000，,·]*(?:注意保存|注意保密"
    r"|请勿外传|不得外传|严禁外传|禁止外传))?[】\]）)]?[ \t\u3000]*$"
    r"|(内部资料|内部文件|内部材料)[ \t\u3000，,·]*(?:注意保存|注意保密|请勿外传|不得外传|严禁外传)", re.M
)
_SECRET_HEAD = 400           # a mark stands above the title; further down the word is part of a sentence


def basis(view: View, start: int, signed: int, title: str, *, guide: bool) -> list[Read]:
    """依据 of the opening statement, then of article 1 of the rule it prints, each name once.

    Where the letter names some, the preamble of a printed plan, which repeats them, is not read. A guide has a
    ground only in its first sentence.
    """
    text = view.text
    if guide:
        stop = _SENTENCE_END.search(text, start + 1)
        start += text[start : start + 1] == "\n"
        end = stop.start() if stop else len(text)
        return _once(_names_after_trigger(view, start, end)) if _PURPOSE_START.match(text, start) else []
    found: list[Read] = []
    first = _ARTICLE_ONE.search(text, start)
    letter_end = min(signed or len(text), first.start() if first else len(text), start + 1500)
    for a, b in _purpose(text, start, letter_end):
        found += _names_after_trigger(view, a, b)
    if first and signed and signed < first.start() < signed + 900:
        for a, b in _purpose(text, signed, first.start()):
            found += _names_after_trigger(view, a, b)
    if first and first.start() < start + 40_000:
        second = _ARTICLE_TWO.search(text, first.end(), first.end() + 900)
        end = second.start() if second else first.end() + 500
        found += _names_after_trigger(view, first.start(), end)
    elif not found and signed:
        for begin in _printed(text, signed, title):
            for a, b in _purpose(text, begin, begin + 1500):
                found += _names_after_trigger(view, a, b)
    own = {_QUOTES.sub("", name) for name in _printed_names(title)} | ({title} if "关于" not in title else set())
    return [read for read in _once(found) if _QUOTES.sub("", read.value) not in own]


def _once(reads: list[Read]) -> list[Read]:
    """Each name once, also when it is quoted in another way the second time."""
    seen: set[str] = set()
    kept: list[Read] = []
    for read in reads:
        plain = _QUOTES.sub("", read.value)
        if plain not in seen:
            seen.add(plain)
            kept.append(read)
    return kept


def _printed(text: str, signed: int, title: str) -> list[int]:
    """Where the documents begin that a notice with this title prints after its signature."""
    starts: list[int] = []
    text = text.translate(_DASHES)
    for name in _printed_names(title):
        name = name.translate(_DASHES)
        at = text.find(name, signed)
        while at > 0 and text[at - 1] == "《":
            at = text.find(name, at + 1)
        if at >= 0:
            starts.append(at + len(name))
    return starts or [signed]


def _printed_names(title: str) -> list[str]:
    about = _PRINTS.search(title)
    issues = re.search(r"印发|公布|发布", title)
    if issues is None:
        return []
    names = [name.group(1) for name in _NAME.finditer(title, issues.end()) if _PRINTED_NAME.match(title, name.end())]
    return names or ([about.group(1)] if about else [])


def _purpose(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences before the first heading that say what for and on what ground."""
    if _HEADING_ONE.match(text, start + 1 if text[start : start + 1] == "\n" else start):
        return
    heading = _HEADING_ONE.search(text, start + 8, end)
    end = heading.start() if heading else end
    position = start
    while position < end:
        while text[position : position + 1] == "\n":
            position += 1
        match = _SENTENCE_END.search(text, position, end)
        stop = match.start() if match else end
        if after_title := _AFTER_TITLE.search(text, position, stop):
            position = after_title.end()
        sentence = text[position:stop]
        if "《" in sentence and (_PURPOSE_START.match(sentence) or _PURPOSE_END.search(sentence)):
            yield position, stop
        position = stop + 1


def _names_after_trigger(view: View, start: int, end: int) -> list[Read]:
    text = view.text
    found: list[Read] = []
    position = start
    while trigger := _TRIGGER.search(text, position, end):
        position = trigger.end()
        lead = _TO_NAME.match(text, position, end)
        if lead is None or re.search(r"制定(?!的$)|研究|印发了|起草", lead.group()):
            continue
        at = lead.end()
        while name := _NAME.match(text, at, end):
            found.append(Read(view.value(name.start(1), name.end(1)), name.start(1), name.end(1), 0.9))
            at = name.end()
            gap = _BETWEEN.match(text, at, end)
            if gap is None or _NOT_BETWEEN.search(re.sub(r"[（(].*[）)]", "", gap.group())):
                break
            at = gap.end()
        position = max(position, at)
    return found


def repeals(view: View) -> list[Read]:
    """What this document says is repealed, by name, else by number."""
    text = view.text
    if not any(word in text for word in ("废止", "失效", "停止执行", "不再执行", "作废")):
        return []
    found: list[Read] = []
    for match in _REPEALED.finditer(text):
        if text.rfind("《", 0, match.start()) > text.rfind("》", 0, match.start()):
            continue                 # in a name: 关于…予以废止的决定
        start = max(text.rfind(mark, 0, match.start()) for mark in "。；\n") + 1
        if match.start() - start > 1500:
            continue
        found += _repealed_names(view, start, match.start())
    for match in _REPEALS.finditer(text):
        end = text.find("。", match.end())
        if text[match.start() - 1 : match.start()] not in ("修", "者", "或") and 0 < end - match.end() < 900:
            found += _listed(view, match.end(), end)
    return _once(found)


def _listed(view: View, start: int, end: int) -> list[Read]:
    """《…》、《…》和《…》, one right after the other."""
    found: list[Read] = []
    name = _NAME.search(view.text, start, end)
    while name:
        found.append(Read(view.value(*name.span(1)), name.start(1), name.end(1), 0.8))
        gap = _LIST_GAP.match(view.text, name.end(), end)
        name = _NAME.match(view.text, gap.end(), end) if gap else None
    return found


def _repealed_names(view: View, start: int, end: int) -> list[Read]:
    text = view.text
    if text[end - 1] == "的" or _ARTICLE_OF.search(text[max(start, end - 8) : end]):
        return []                    # 第五条的…: only a part of it
    clause = start
    for match in re.finditer(r"起(?:施行|实施|执行|生效)[，,]|^第[一二三四五六七八九十百]+条", text[start:end]):
        clause = start + match.end()
    names = list(_NAME.finditer(text, clause, end))
    # what is only cited on the way, 根据《…》, 与《…》不一致, 《关于修改…的决定》修正的《…》; or ended in part
    names = [name for name in names if not _NOT_WHOLE.match(text, name.end()) and not re.search(
        r"(?:根据|依据|按照|依照|与)[^《》。，]{0,16}$", text[max(clause, name.start() - 20) : name.start()]
    )]
    if names:
        return [Read(view.value(*name.span(1)), name.start(1), name.end(1), 0.92) for name in names]
    numbers = find_numbers(text, max(clause, end - 300), end)
    return [Read(number.value, number.start, number.end, 0.85) for number in numbers]


_NOT_WHOLE = re.compile(r"(?:[（(][^（）()]{0,40}[）)])?(?:第[一二三四五六]次)?(?:修[正改订]|中的?(?:有关|关于))")
_ARTICLE_OF = re.compile(r"第[一二三四五六七八九十百]+[条款项]")


def amends(view: View, title: str) -> list[Read]:
    """What this document says it amends."""
    if match := _AMEND_TITLE.search(title):
        names = [Read(name.group(1), confidence=0.95) for name in _NAME.finditer(title, match.end())]
        if names:
            return names
    text = view.text
    found: list[Read] = []
    for match in _AMENDED.finditer(text, 0, min(len(text), 20_000)):
        for name in _NAME.finditer(text, match.start(1), match.end(1)):
            found.append(Read(view.value(*name.span(1)), name.start(1), name.end(1), 0.85))
    return _once(found)


def copies(view: View) -> Read | None:
    """抄送: the bodies that get a copy, as printed."""
    matches = list(_COPIES.finditer(view.text))
    if not matches:
        return None
    match = matches[0]
    value = re.sub(r"[。；]$", "", view.value(match.start(1), match.end(1)))
    return Read(value, match.start(1), match.end(1), 0.93)


def publicity(view: View) -> Read | None:
    """公开属性 as stated."""
    text = view.text
    if not any(word in text for word in _PUBLIC_WORDS):
        return None
    best: Read | None = None
    for first, last in ((0, min(len(text), _PUBLIC_HEAD)), (max(_PUBLIC_HEAD, len(text) - 2500), len(text))):
        for pattern, value in _PUBLIC:
            match = pattern.search(text, first, last)
            if match and (best is None or match.start() < (best.start or 0)):
                best = Read(value, match.start(), match.end(), 0.97)
        if best:
            break
    return best


def refuse_classified(head: str, place: str) -> None:
    """Raises `IngestError` for a text that bears a mark of secrecy where one stands: above the title.

    A law about secrets, or 内部 in a sentence, bears none.
    """
    head = head[:_SECRET_HEAD]
    match = _SECRET_LINE.search(head) or _SECRET_MARK.search(head) or _INTERNAL.search(head)
    if match is None:
        return
    mark = "".join(next(group for group in match.groups() if group).split())
    raise IngestError(
        f"文件标有“{mark}”（{' '.join(match.group().split())}）。涉密和内部文件不得收录，请立即移出，"
        "按保密规定处理；确属公开文件的，请去掉标记后重试",
        place=place, code=Reject.CLASSIFIED,
    )
