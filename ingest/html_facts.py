"""What a page says about its document: title, the row of official fields, <meta> elements, attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from ingest.html_content import is_around_element, is_around_line
from ingest.html_text import HEADINGS, Item
from ingest.html_tree import Element, tidy
from ingest.reading import Attachment, BlockKind

_LABELS: dict[str, str] = {
    label: name for name, labels in {
        "title": "标题 名称 信息名称 文件名称",
        "issuer": "发文机关 发布机构 发布机关 发文单位 发布单位 制定机关 公布机关 公开主体 制发机关",
        "doc_no": "文号 发文字号 发文文号 文件编号 文件号",
        "dated": "成文日期 成文时间 生成日期 制定日期",
        "published_on": "发布日期 发布时间 公布日期 发表时间 公开日期",
        "effective_from": "实施日期 施行日期 生效日期 实施时间",
        "effective_to": "失效日期 废止日期 有效期至 失效时间",
        "validity": "有效性 时效性 文件状态 效力状态 是否有效 时效",
        "kind": "文种 公文种类 体裁",
    }.items() for label in labels.split()
}
# Labels whose values we have no field for: they end the value before them.
_OTHERS = "索引号 统一编号 主题分类 主题词 分类 信息来源 文章来源 来源 作者 浏览次数 浏览量 字号 字体 关键词".split()
_LONGEST_FIRST = sorted((*_LABELS, *_OTHERS), key=len, reverse=True)
_LABEL = re.compile("(" + "|".join("[ 　]*".join(label) for label in _LONGEST_FIRST) + r")[ 　]*[:：]")
_DATE = re.compile(r"\d{4}\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}\s*日?")
_VALIDITY = re.compile(r"(?:现行|继续|部分|尚未|已|全文)?(?:有效|生效|失效|废止|修改|修订|到期)|有效|无效|是|否")
_AGENCY = re.compile(r"[\u4e00-\u9fff\d（）()]{2,30}(?:政府|厅|局|委|办|办公室|中心|院|会|部|处|署|所|队|府)$")
_DOC_NO = re.compile(r"[〔［\[（(【]\s*\d{4}\s*[〕］\]）)】]|第\s*\d+\s*号|\d+\s*号")
_NONE = re.compile(r"[-—/无暂空]*$")
_META = {
    "articletitle": "title", "pubdate": "published_on", "publishdate": "published_on",
    "og:title": "title", "url": "url", "og:url": "url",
}
_TITLE_PIECES = re.compile(r"\s*[-_|—–－]{1,2}\s*")
_SITE = re.compile(r"(?:网|网站|网页|门户|平台|首页|政府信息公开)$")
FILE_SUFFIXES = frozenset(
    ".doc .docx .wps .pdf .ofd .xls .xlsx .et .csv .ppt .pptx .dps .zip .rar .7z .txt .rtf .tar .gz".split()
)
_SUFFIX_AT_END = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_MAX_ATTACHMENTS = 200
_TITLE_WITHIN, _TITLE_LINES = 8, 5      # paragraphs of the document among which its title is looked for, and its lines


def metas(root: Element) -> dict[str, str]:
    """<meta> contents by the name of a fact; the canonical address as ``url``."""
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = _META.get((meta.get("name") or meta.get("property") or "").strip().lower())
        content = tidy(meta.get("content") or "")
        if name and content:
            found.setdefault(name, content)
    for link in root.iter("link"):
        if (link.get("rel") or "").lower() == "canonical" and link.get("href"):
            found.setdefault("url", tidy(link.get("href") or ""))
    for name, check in (("url", web_address), ("published_on", partial(_checked, "published_on"))):
        checked = check(found.pop(name, ""))
        if checked:
            found[name] = checked
    return found


def web_address(url: str) -> str | None:
    """The address, if it is one of the web."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def official_row(items: Iterable[Item]) -> dict[str, str]:
    """Fields from the row above the document: ``label：value`` on a line, or label and value in neighbouring cells."""
    found: dict[str, str] = {}
    for label, value in _pairs(items):
        name = _LABELS.get(re.sub(r"[ 　]", "", label))
        checked = _checked(name, value) if name else None
        if name and checked:
            found.setdefault(name, checked)
    return found


def _pairs(items: Iterable[Item]) -> Iterator[tuple[str, str]]:
    waiting = ""                     # a label that stood alone on its line
    for item in items:
        if item.grid is not None:
            for row in item.grid.rows:
                yield from _row_pairs(row)
            waiting = ""
            continue
        line = item.text.removeprefix("• ")
        marks = list(_LABEL.finditer(line))
        if waiting and not marks:
            yield waiting, line
        waiting = ""
        for mark, following in pairwise([*marks, None]):
            assert mark is not None  # None only ends the list
            value = line[mark.end():following.start() if following else len(line)].strip()
            if value:
                yield mark.group(1), value
            elif following is None:
                waiting = mark.group(1)
        if not marks and re.sub(r"[ 　]", "", line) in _LABELS:
            waiting = line


def _row_pairs(row: Sequence[str]) -> Iterator[tuple[str, str]]:
    for position, cell in enumerate(row):
        label = re.sub(r"[ 　:：【】\[\]]", "", cell)
        if label in _LABELS and position + 1 < len(row):
            yield label, next((value for value in row[position + 1:] if value != cell), "")
        else:
            mark = _LABEL.match(cell)
            if mark and cell[mark.end():].strip():
                yield mark.group(1), cell[mark.end():].strip()


def _checked(name: str, value: str) -> str | None:
    """The value as its field wants it; None when it does not look like one (a search form has these labels, too)."""
    value = value.strip(" 　;；,，|｜")
    if not value or _NONE.match(value) or len(value) > 200:
        return None
    if name in ("dated", "published_on", "effective_from", "effective_to"):
        date = _DATE.match(value)
        return date.group().strip() if date else None
    if name == "validity":
        return value if _VALIDITY.fullmatch(value) else None
    if name == "doc_no":
        return value if _DOC_NO.search(value) else None
    return value


def is_agency(name: str) -> bool:
    """Whether a name ends as those of agencies do."""
    return bool(_AGENCY.match(name))


def issuer_of_source(root: Element) -> str | None:
    """<meta name="ContentSource">, when it names an agency and not a newspaper or 本网."""
    for meta in root.iter("meta"):
        if (meta.get("name") or "").lower() == "contentsource":
            source = tidy(meta.get("content") or "").removeprefix("本网").strip(" 　：:")
            return source if is_agency(source) else None
    return None


def find_title(
    items: Sequence[Item], body: Sequence[int], root: Element, named: str | None
) -> tuple[str | None, tuple[int, ...]]:
    """(title, positions of the items that show it); the positions are empty when the page names it without showing it.

    ``named`` is what the page's <meta> or official row calls its document; the document's own title lines are
    preferred to the page's heading above them. Without it, the longest text near the top that is part of <title> is
    taken, else the last heading before the document.
    """
    first = body[0] if body else 0
    window = [position for position in range(min(first + 4, len(items))) if items[position].grid is None]
    if named:
        return _named_title(items, body, window, named)
    title = next(root.iter("title"), None)
    page_title = tidy("".join(title.itertext())) if title is not None else ""
    headings = [p for p in window if p < first and _may_be_title(items[p])]
    near = [p for p in window if len(items[p].text) >= 6 and not items[p].linked and not _SITE.search(items[p].text)]
    agreeing = [p for p in near if _bare(items[p].text) in _bare(page_title)]
    if agreeing:
        best = max(agreeing, key=lambda p: (len(items[p].text), p))
        return items[best].text, (best,)
    inside = [p for p in body[:4] if items[p].kind is BlockKind.HEADING and items[p].level <= 2]
    chosen = headings[-1:] or inside[:1]
    if chosen:
        return items[chosen[0]].text, tuple(chosen)
    pieces = [piece for piece in _TITLE_PIECES.split(page_title) if piece and not _SITE.search(piece)]
    return (pieces[0] if pieces else None), ()


def _named_title(
    items: Sequence[Item], body: Sequence[int], window: Sequence[int], named: str
) -> tuple[str, tuple[int, ...]]:
    wanted = _bare(named)
    for start in range(min(_TITLE_WITHIN, len(body))):
        for end in range(start + 1, min(start + _TITLE_LINES, len(body)) + 1):
            lines = [items[position] for position in body[start:end]]
            if all(line.grid is None for line in lines) and _bare("".join(line.text for line in lines)) == wanted:
                return named if end - start > 1 else lines[0].text, tuple(body[start:end])
    plain = [p for p in window if items[p].linked * 2 <= len(items[p].text)]
    shown = [p for p in plain if _same_title(_bare(items[p].text), wanted)]
    return (items[shown[-1]].text, (shown[-1],)) if shown else (named, ())


def _bare(text: str) -> str:
    return re.sub(r"[\s　]", "", text)


def _same_title(shown: str, wanted: str) -> bool:
    """Equal, or the wanted one is cut short, or a mark such as 【转载】 stands before the shown one."""
    if shown == wanted:
        return True
    cut = wanted.rstrip("….")
    if len(cut) < 8:
        return False
    return shown.endswith(wanted) and len(shown) - len(wanted) <= 12 if cut == wanted else shown.startswith(cut)


def _may_be_title(item: Item) -> bool:
    if is_around_line(item.text) or item.linked * 2 > len(item.text) or len(item.text) < 4:
        return False
    names = f"{item.owner.get('class') or ''} {item.owner.get('id') or ''}".lower()
    return (item.owner.tag in HEADINGS or "title" in names) and not is_around_element(item.owner)


def attachments_of(root: Element, outside: Element | None, base: str | None) -> tuple[Attachment, ...]:
    """Links to files, each address once. Menus and footers (by name, around ``outside``) are left out."""
    found: dict[str, Attachment] = {}
    for link in root.iter("a"):
        target = (link.get("href") or "").strip()
        text = tidy("".join(link.itertext()))
        if not _is_file(target, text) or any(is_around_element(outer) for outer in _between(link, outside)):
            continue
        url = _absolute(target, base)
        suffix = PurePosixPath(unquote(_path(target))).suffix.lower()
        name = text or unquote(PurePosixPath(_path(target)).name)
        if not _SUFFIX_AT_END.search(name) and suffix in FILE_SUFFIXES:
            name += suffix
        found.setdefault(url or name, Attachment(name, url=url))
        if len(found) >= _MAX_ATTACHMENTS:
            break
    return tuple(found.values())


def _between(link: Element, container: Element | None) -> Iterator[Element]:
    for outer in link.iterancestors():
        if outer is container:
            return
        yield outer


def _is_file(target: str, text: str) -> bool:
    if target.lower().startswith(("javascript:", "data:", "mailto:", "#")):
        target = ""
    by_target = PurePosixPath(unquote(_path(target))).suffix.lower() in FILE_SUFFIXES
    return by_target or bool(target and PurePosixPath(text).suffix.lower() in FILE_SUFFIXES)


def _path(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:
        return ""


def _absolute(target: str, base: str | None) -> str | None:
    try:
        url = urljoin(base, target) if base else target
    except ValueError:
        return None
    return web_address(url)
