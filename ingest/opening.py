"""The first page of a document: 标题, 发文字号, 主送机关 and 文种."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ingest.bodies import split_bodies
from ingest.doc_numbers import Number, find_numbers, find_order
from ingest.kinds import CUT_OFF, LETTER, PAREN
from ingest.view import View, day_at, squeezed

_HEAD = 3500                 # a first page, with the rows a site prints above it
_LINES = 45
_TITLE = 320                 # longest title seen has 140 characters; four ministries' names take another 60
_OFFICIAL = "通知|通告|公告|通报|决定|报告|请示|批复|复函|函|议案|决议|命令|令|公报|纪要|意见"
_ABOUT = re.compile(r"(关于|印发|转发|批转)")
_KIND_END = re.compile(
    rf"(?:的|^)?(?:补充|紧急|联合|实施|指导|若干|暂行|具体|预备)*({_OFFICIAL}|办法|规定|细则|方案|解释"
    rf"|规划|计划|措施|答复)"
)
_HISTORY = re.compile(r"[（(][^（）()]*\d{4}年[^（）()]*(?:修[订正]|公布|通过|发布)[^（）()]*[）)]$")
_NOT_TITLE_PAREN = re.compile(r"此件|公开|转载|来源|20\d\d年\d+月|通过|公布|[〔\[]")
_GOES_ON = re.compile(r"[的、和及与”》〉]|要求|精神|等|中(?!国)|执行|实施|规定|印发|下发|部署|文件")
_SKIP_LINE = re.compile(
    r"[>＞]|^[-—=·\s]+$|^【?字体|^浏览|^来源|^发布|^时间|^打印|^分享|^当前位置|^您|^\d+$|^首页|^【[^】]{0,3}(?:解读|读懂|图解|视频|音频)[^】]{0,3}】|\d{4}-\d{2}-\d{2}$|^关注|^点击"
    r"|解读】|^[\dA-Z/—-]+$"
)
_SUBHEAD = re.compile(
    r"第[一二三四五六七八九十0-9]+[章条节]|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]"
    r"|\d{1,2}[.．、]|附件|目录|问[:：]|答[:：]"
)
_ADDRESSED = re.compile(
    r"各|省|市|县|区|[局厅委部院署处所]$|[局厅委部院署处所][、，,]|学校|高校|单位|政府|机构|企业|公司|办公室"
    r"|中心|协会|幼儿园|你|您|代表|委员"
)
_NOT_ADDRESSED = re.compile(
    r"如下|解读|电话|联系|地址|附件|来源|时间|日期|网址|邮箱|说明|要求$|包括|条件|材料|范围|标准$|问$|答$|以下"
    r"|事项|是指|认为|指出|强调|^为|^根据|^按照|^近[日年期]|反映$|收到|开展"
    r"|^依据|^关于|记者|负责人|目标|原则|任务|内容|指导思想|方式$|对象$|流程$|注$|主办|承办|字号|机关$|标题$|类型$"
)
_ADDRESS_END = re.compile(r"[：:]")
_TITLE_BEFORE = re.compile(r"[^。：\n]*的(?:通知|意见|决定|函|复函)(?=各|[省市县区]|厅|有关)")
_OPENING = re.compile(r"为|根据|按照|依据|近[日年期]|现将|《|经|日前|今年|自|随着|党的")
_DATE_LINE = re.compile(r"[（(]\d{4}年\d{1,2}月\d{1,2}日[)）]$")      # below a title
_CITED = re.compile(r"根据|按照|依据|为|经")
# a column's name, but not what the page is: 【图解】 belongs to a headline
_PREFIX = re.compile(r"^(?:[（(]转载[)）]|【(?![^】]{0,4}(?:图|解读|视频|问答))[^】]{1,12}】|\[[^\]]{1,12}\])+")
_SITE_SUFFIX = re.compile(r"(?:[-_—|－]{1,2}[^-_—|－《》]{0,20}(?:网|网站|门户|政府|平台)|[（(]转载[)）])+$")
_ENDINGS = (("的通", "知"), ("的", "通知"), ("年度报", "告"), ("的通知", ""))
_QUOTED_RULE = re.compile(r"^《([^《》]*(?:〈[^〈〉]*〉[^《》]*)*)》$")
_ORDER_HEAD = re.compile(
    r"^[\u4e00-\u9fff]{2,30}令[（(〔]?(?:\d{4}年?[〕)）]?)?第?[0-9一二三四五六七八九十百]+号[)）]?(?=.)"
)
_RULES = ("法", "条例", "办法", "规定", "细则", "规则")
_PLAIN = str.maketrans("", "", "《》〈〉<>“”\"（）()、　 ")


# a title like …关于…的通知: its span, and those of the bodies that it begins with
Formal = tuple[int, int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Read:
    """A value with its span in the view; None for both when it comes from elsewhere."""

    value: str
    start: int | None = None
    end: int | None = None
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class Opening:
    """The first page: ``body`` is where the text after title and addressee begins."""

    title: Read
    number: Read | None
    order_body: tuple[int, int] | None       # of a 令 at the head
    addressee: Read | None
    title_bodies: tuple[tuple[int, int], ...]
    body: int
    cut: bool = False                        # the title its container gives is cut off, as in a list


def read_opening(view: View, named: str, names: Mapping[str, str]) -> Opening:
    """What the head of the text says, with ``named`` the title its container gives (cut off, or of another part)."""
    text = view.text
    ordered = _order_head(text)
    order = ordered[0] if ordered else None
    formal = _formal_title(text, names, order.end if order else 0)
    title = _title(view, named, formal, order)
    number = _own_number(view, formal, title, order, names)
    # the name also stands where it is cited, and in the sentence that says on what ground it was written
    said = title.end is not None and "。" not in text[: title.start or 0] and not (title.start and _CITED.match(text))
    after = max(
        formal[1] if formal else 0, number.end or 0 if number else 0,
        title.end or 0 if said else 0, order.end if order else 0,
    )
    issued = day_at(text, after + (text[after : after + 1] == "\n"))      # …号 2019年7月1日, before the addressee
    addressee = _addressee(view, issued.end if issued else after)
    if addressee is None and after and not formal:
        addressee = _addressee(view, 0)
    prefix = formal[2] if formal else ()
    body = max(after, (addressee.end or 0) + 1 if addressee else 0)
    cut = CUT_OFF.search("".join(named.split())) is not None
    order_body = (order.start, order.start + len(ordered[1])) if order and ordered else None
    return Opening(title, number, order_body, addressee, prefix, body, cut)


def _order_head(text: str) -> tuple[Number, str] | None:
    """A 令 that the text begins with, or the name of its rule and then the 令, and who gave it."""
    for start, end in _lines(text, 0, 400):
        found = find_order(text, start, min(len(text), start + 120))
        if found and "令" in found[0].value:
            lead = text[start : found[0].start]
            return found if not lead or (len(lead) < 40 and lead.rstrip("\n").endswith(_RULES)) else None
        if end - start > 200:
            break
    return None


def _lines(text: str, start: int, limit: int) -> Iterator[tuple[int, int]]:
    count = 0
    while start < min(len(text), limit) and count < _LINES:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start, count = end + 1, count + 1


def _formal_title(text: str, names: Mapping[str, str], start: int) -> Formal | None:
    """…关于…的通知 at the head: its span and the spans of the bodies it begins with."""
    places = [start]
    numbers = list(find_numbers(text, 0, min(len(text), 400)))
    if numbers and "。" not in text[: numbers[0].start]:
        places.append(numbers[0].end)
    places += [line for line, _ in _lines(text, 0, _HEAD)]
    for place in sorted(set(places)):
        if "。" in text[:place]:
            break                    # a link below the document, not its title
        while text[place : place + 1] in ("\n", ")", "）"):
            place += 1
        if found := _title_at(text, place, names):
            return found
    return None


def _title_at(text: str, start: int, names: Mapping[str, str]) -> Formal | None:
    if skip := re.compile(r"[（(]转载[)）]").match(text, start):
        start = skip.end()
    about = _ABOUT.search(text, start, min(len(text), start + 200))
    if about is None or _CITED.match(text, start):
        return None
    before = text[start : about.start()]
    bodies: tuple[tuple[int, int], ...] = ()
    if before:
        many = re.search(r"等(?:[0-9一二三四五六七八九十]+)?(?:个)?(?:部门|单位|厅局|部委)(?:办公厅|办公室)?$", before)
        named = before[: many.start()] if many else before
        spans = split_bodies(named, names)
        if not spans:
            return None
        bodies = tuple((start + a, start + b) for a, b in spans)
        shown = [text[a:b] for a, b in bodies]
        if any(one != two and one.startswith(two) for one in shown for two in shown) or len(set(shown)) < len(shown):
            return None              # a row of the page above the title names the issuer, too
    end = _title_end(text, about.start())
    return (start, end, bodies) if end else None


def _title_end(text: str, start: int) -> int | None:
    """Where the title that runs from ``start`` ends: after its 文种, outside of 《》."""
    depth, lines, quoted = 0, 0, False
    for position in range(start, min(len(text), start + _TITLE)):
        char = text[position]
        if char in "《〈<":
            depth += 1
        elif char in "》〉>":
            depth = max(depth - 1, 0)
        elif char in "“”":
            quoted = char == "“"
        elif char == "\n":
            lines += 1
        elif depth == 0 and position > start + 3 and (end := _kind_at(text, position)):
            return end
        if lines > 4 or (depth == 0 and (char in "。；：" or (char == "，" and not quoted))):
            return None
    return None


def _kind_at(text: str, position: int) -> int | None:
    """Where the 文种 at ``position`` ends, with 试行 in brackets, if the title can end there."""
    match = _KIND_END.match(text, position)
    if match is None or _GOES_ON.match(text, match.end()):
        return None
    if text[position] != "的" and text[position - 1] not in "的\n" and match.group(1) != "意见":
        return None
    paren = PAREN.match(text, match.end())
    return paren.end() if paren and not _NOT_TITLE_PAREN.search(paren.group()) else match.end()


def _title(view: View, named: str, formal: Formal | None, order: Number | None) -> Read:
    """The title: of the notice rather than of the rule it prints, whole rather than cut off."""
    text = view.text
    given = clean_title(named)
    given = _completed(text, given) if CUT_OFF.search(given) else given
    if formal:
        found = Read(_unquoted(view.value(formal[0], formal[1])), formal[0], formal[1], 0.95)
        if not given or _same_or_within(given, found.value) or (formal[0] < 1200 and _is_rule(given, text, formal)):
            return found
    heading = _heading(view, given) if order is None else None
    if heading and given.endswith(heading.value):
        heading = None               # the last line of the title, which the row has whole
    if heading and not formal and not CUT_OFF.search(heading.value) and _is_headline(heading, given, text):
        return heading
    if given:
        flat, spots = _flat(text[:_HEAD])
        at = flat.find(given)
        if at >= 0 and flat.count("《", 0, at) == flat.count("》", 0, at):      # not in the name of what it cites
            return Read(_unquoted(given), spots[at], spots[at + len(given) - 1] + 1, 0.95)
        return Read(_unquoted(given), None, None, 0.85)
    if formal:
        return Read(_unquoted(view.value(formal[0], formal[1])), formal[0], formal[1], 0.95)
    return heading or Read("")


def _is_headline(heading: Read, given: str, text: str) -> bool:
    """A first line is the title, not a piece of the page, when it stands there twice or is near the given one."""
    twice = text.count(text[heading.start : heading.end], 0, 1500) > 1
    return not given or twice or _likeness(given, heading.value) >= 0.3


def clean_title(named: str) -> str:
    """A title as a page or row gives it, without column names, the site's name, and the 令 number before it.

    >>> clean_title("【人社】广州市 申请流程 - 广州市人民政府门户网站")
    '广州市申请流程'
    """
    title = _SITE_SUFFIX.sub("", _PREFIX.sub("", squeezed(named)))
    return _HISTORY.sub("", _ORDER_HEAD.sub("", title))


def _is_rule(given: str, text: str, formal: Formal) -> bool:
    """Whether ``given`` names what the notice prints, or a file name or row called it something near to that."""
    notice = text[formal[0] : formal[1]]
    if re.search(r"印发|转发|公布|发布|批转|下达", notice):
        return _likeness(given, notice) >= 0.5
    return _likeness(given, notice) >= 0.7


def _likeness(one: str, other: str) -> float:
    """Share of the pairs of characters of ``one`` that ``other`` has."""
    pairs = {one[i : i + 2] for i in range(len(one) - 1)}
    return sum(pair in other for pair in pairs) / len(pairs) if pairs else 0.0


def _same_or_within(given: str, found: str) -> bool:
    return given.translate(_PLAIN) in found.translate(_PLAIN)


def _unquoted(title: str) -> str:
    match = _QUOTED_RULE.match(title)
    return match.group(1) if match else title


def _completed(text: str, given: str) -> str:
    """A title cut off by a list page, completed from the text."""
    stem = CUT_OFF.sub("", given)
    at = text.find(stem, 0, _HEAD)
    if at >= 0 and (end := _title_end(text, at)):
        return squeezed(text[at:end])
    if not re.search(r"关于|印发|转发", stem.split("《")[0]):
        return given                 # 《…》 with what is said of it cut off: an explanation, a report
    if stem.count("《") > stem.count("》"):
        part = stem[stem.rindex("《") :]
        at = text.find(part) if len(part) > 8 else -1
        end = text.find("》", at) if at >= 0 else -1
        if at >= 0 and 0 < end - at < 200:
            return stem[: stem.rindex("《")] + text[at : end + 1] + ("的通知" if re.search(r"印发|转发", stem) else "")
    flat, spots = _flat(text[:_HEAD])
    at = flat.find(stem)
    if at >= 0 and (end := _title_end(text, spots[at])):
        return "".join(text[spots[at] : end].split())
    for ending, rest in _ENDINGS:
        if stem.endswith(ending) and (not rest or rest == "告" or LETTER.search(text[:4000])):
            return stem + rest
    return given


def _flat(text: str) -> tuple[str, list[int]]:
    spots = [index for index, char in enumerate(text) if char != "\n"]
    return "".join(text[index] for index in spots), spots


def _heading(view: View, given: str) -> Read | None:
    """A first line that is a title; None when the text begins at once."""
    text = view.text
    seen = 0
    for start, end in _lines(text, 0, 1500):
        if end - start > 160:
            return None              # a paragraph
        line = text[start:end]
        if _SKIP_LINE.search(line):
            continue
        if find_order(text, start, end) or _is_number(line) or split_bodies(line, {}):
            continue
        seen += 1
        if seen > 3 or not _title_like(line):
            return None
        value = clean_title(view.value(start, end))
        return Read(_unquoted(value), start, end, 0.9)
    return None


def _is_number(line: str) -> bool:
    return any(number.start == 0 and number.end >= len(line) - 2 for number in find_numbers(line))


def _title_like(line: str) -> bool:
    return (
        4 <= len(line) <= 100
        and sum("\u4e00" <= char <= "\u9fff" for char in line) >= 4
        and not line.endswith(("。", "：", ":", "；", "，", "、"))
        and not _SUBHEAD.match(line)
        and "。" not in line
        and not re.match(r"[（(]|为|根据|按照|各[市区县级部]|近日|日前", line)
    )


def _own_number(
    view: View, formal: Formal | None, title: Read, order: Number | None, names: Mapping[str, str]
) -> Read | None:
    """The number of the document itself, not of one that it cites."""
    text = view.text
    if order:
        return Read(order.value, order.start, order.end, 0.98)
    ends = {0, title.end or 0, formal[1] if formal else 0}
    if notice := _notice_number(text, ends):
        return notice
    for number in find_numbers(text, 0, min(len(text), _HEAD)):
        start = number.start - 1 if text[number.start - 1 : number.start] in ("（", "(") else number.start
        before = text[start - 1 : start]
        line_start = start == 0 or before == "\n"
        if number.start != start and start not in ends and not line_start:
            continue
        listed = before in ("《", "、", "，") or (before == "》" and start != number.start)
        if listed or re.match(r"文|[要精收]|等|有关(?![省市县区设部单高各])|的", text[number.end : number.end + 3]):
            continue
        lead = _DATE_LINE.sub("", text[text.rfind("\n", 0, start) + 1 : start])
        below_head = start < 300 and "。" not in text[:start] and split_bodies(lead, names)     # 某厅 某发〔…〕1号
        own_line = line_start and (number.end == len(text) or text[number.end] in "\n）)")
        if own_line or below_head or start in ends or (line_start and start < 1500) or (
            "。" not in lead and "：" not in lead and len(lead) < 200 and start < 500
            and (lead.endswith("》") or _KIND_END.search(lead[-8:]))
        ):
            return Read(number.value, number.start, number.end, 0.97 if own_line else 0.93)
    return None


def _notice_number(text: str, ends: set[int]) -> Read | None:
    """财政部税务总局公告2022年第32号 at the head or right behind the title."""
    starts = ends | {start for start, _ in _lines(text, 0, 600)}
    for start in sorted(starts):
        at = start + (text[start : start + 1] == "\n")
        found = None if "。" in text[:at] else find_order(text, at, min(len(text), at + 90))
        if found and found[0].start == at and "公告" in found[0].value:
            return Read(found[0].value, at, found[0].end, 0.93)
    return None


def _addressee(view: View, after: int) -> Read | None:
    """主送机关: what ends in a colon before the text begins."""
    text = view.text
    while text[after : after + 1] in ("\n", ")", "）"):
        after += 1
    for start, end in _lines(text, after, after + 1500):
        colon = _ADDRESS_END.search(text, start, min(end, start + 700))
        if colon and (title := _TITLE_BEFORE.match(text, start, colon.start())):
            start = title.end()
        line = text[start : colon.start() if colon else end]
        if colon and _is_addressee(line):
            return Read(view.value(start, colon.start()), start, colon.start(), 0.95)
        begun = colon and not _SKIP_LINE.search(line) and _OPENING.match(line)
        if "。" in text[start:end] or end - start > 160 or begun:
            return None
    return None


def _is_addressee(line: str) -> bool:
    return (
        2 <= len(line) <= 600
        and not re.search(r"[。；;！？]", line)
        and _ADDRESSED.search(line) is not None
        and _NOT_ADDRESSED.search(line) is None
        and _SUBHEAD.match(line) is None
        and _OPENING.match(line) is None
        and not re.search(r"[0-9]{4}年|[0-9]$", line)
    )
