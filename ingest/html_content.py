"""Which items of a web page are the document, and which are menus, sidebars and footers around it.

Text counts for an element and links count against it, so the best element is the smallest one that holds all of the
document. Well-known class names only shift the weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from ingest.html_text import Item
from ingest.html_tree import Element
from ingest.reading import BlockKind

# Words that only stand around a document. A whole line has to be made of them.
_WORDS = (
    "打印 关闭 收藏 纠错 内容纠错 我要纠错 打印本页 打印页面 关闭窗口 关闭本页 返回顶部 回到顶部 返回 分享 "
    "分享到 分享文章到 下载文字版 下载图片版 无障碍阅读 无障碍 长者助手 关怀版 登录 注册 繁体版 手机版 电脑版 "
    "相关附件 相关新闻 相关链接 相关文档 相关稿件 相关文件下载 相关下载 附件下载 扫码浏览 标签 字体 字号 "
    "字体大小 浏览字号 大 中 小 搜索 上一篇 下一篇 上一条 下一条 上一页 下一页 首页 尾页 末页 暂无 没有了 微信 "
    "微博 QQ空间 A+ A- A"
)
_LONGEST_FIRST = "|".join(map(re.escape, sorted(_WORDS.split(), key=len, reverse=True)))
# Possessive (++): 字体大小 is a word and three words, and trying all ways took minutes for a line of 120 characters.
_AROUND = re.compile(
    rf"(?:[【\[]?(?:(?:微信)?扫一扫[^扫]{{0,15}}|{_LONGEST_FIRST})[】\]]?\s*[:：]?\s*[|｜]?\s*)++$"
)
_AROUND_START = re.compile(
    r"(?:您?(?:当前)?(?:所在)?的?位置|当前位置|浏览(?:次数|量)|阅读(?:次数|量)|访问量|点击(?:数|次数)|字体大小|字号|字体|分享到|责任编辑|上一篇|"
    r"下一篇|搜索热词|您是第|【?(?:打印|字体)|网站标识码|版权所有|粤?[A-Z]?[\u4e00-\u9fff]?ICP备|ICP备案|[\u4e00-\u9fff]公网安备|主办(?:单位)?[:：]|"
    r"承办(?:单位)?[:：]|技术支持[:：]|网站地图|联系我们[:：]?|Copyright|©)"
)
_ATTRIBUTES = re.compile(
    r"(?:索引号|发布机构|发文机关|发布机关|发文单位|公开主体|成文日期|发布日期|发布时间|发表时间|时间|日期|文号|发文字号|有效性|时效性|文件状态|"
    r"实施日期|施行日期|失效日期|废止日期|统一编号|主题分类|主题词|公开分类|分类|信息来源|来源|稿件来源|作者|名称|浏览次数)"
    r"[\s　]*[:：]"
)
_AROUND_CLASS = re.compile(
    r"nav|menu|foot|crumb|curmb|dqwz|location|share|copyright|search|sidebar|side-?bar|qrcode|qr_|ewm|friend|toolbar|login|"
    r"pagination|pagediv|print|related|recommend|^head$|header", re.IGNORECASE,
)
_ATTRIBUTE_CLASS = re.compile(r"attr|info|meta|date|source|time|title", re.IGNORECASE)
_CONTENT_CLASS = re.compile(
    r"zoom|ucap-?content|trs_editor|trs_ueditor|article[-_]?con|content[-_]?article|view|pages_content|news_?main|^detailcon$|"
    r"xxgk_content|wenzhang|^article$|vsb_content|conTxt", re.IGNORECASE,
)
_MARKS = re.compile("[，。；：！？]")
_DATE_LINE = re.compile(r"\d{4}[-./年]\d{1,2}[-./月]\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?$")
_IN_TEXT = ("p", "td", "th", "dd", "dt", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6")
_NEAR = 3                    # how many levels up from the container a second part of the document is looked for
_BONUS = 60                  # characters that a well-known content class counts


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the items: what belongs to the document."""

    body: tuple[int, ...]
    container: Element | None


def split_page(items: Sequence[Item]) -> Split:
    """Which items are the document, or on a page without one the list of documents; none when there is neither."""
    found = _container(items, [weight(item) for item in items]) or _container(items, [_in_list(item) for item in items])
    if found is None:
        return Split((), None)
    container, scores = found
    parts = {container, *_second_parts(container, scores)}
    within = _within(parts, _depths(item.owner for item in items))
    body = [position for position, item in enumerate(items) if item.owner in within]
    return Split(tuple(p for p in body if not _is_around(items[p], container)), container)


def _container(items: Sequence[Item], weights: Sequence[float]) -> tuple[Element, dict[Element, float]] | None:
    scores = _scores(items, weights)
    depths = _depths(scores)
    best = max(scores, key=lambda element: (scores[element] + _bonus(element), depths[element]), default=None)
    return (best, scores) if best is not None and scores[best] > 0 else None


def _in_list(item: Item) -> float:
    """The weight of an item on a page that is a list of documents: their titles count."""
    length = len(item.text)
    return float(length) if item.linked >= 12 and not is_around_line(item.text) else -0.5 * length


def weight(item: Item) -> float:
    """Characters that speak for the document, less those that speak for a menu."""
    if item.grid is not None:
        length = sum(len(cell) for row in item.grid.rows for cell in row)
        return length - 2.0 * item.linked
    length = len(item.text)
    plain = length - item.linked
    if is_around_line(item.text):
        return -float(length)
    if item.linked * 2 > length:
        # a long link is a headline or an attachment, a short one a menu entry
        return -0.2 * length if length >= 12 else -float(length)
    if item.kind is BlockKind.HEADING:
        return 0.0
    if item.owner.tag != "p" and _DATE_LINE.match(item.text.removeprefix("• ")):
        return -float(length)
    if item.owner.tag in _IN_TEXT or _MARKS.search(item.text) or length >= 20:
        return float(plain)
    return -0.5 * length


def is_around_line(text: str) -> bool:
    """Breadcrumbs, buttons, counters, copyright: what every page of a site has."""
    return is_button_line(text) or is_attribute_line(text)


def is_button_line(text: str) -> bool:
    """A line that no document holds: is_around_line less the row of official fields."""
    text = text.removeprefix("• ")
    return len(text) < 120 and bool(_AROUND.match(text) or _AROUND_START.match(text))


def is_attribute_line(text: str) -> bool:
    """A piece of the row that says who published the page and when."""
    match = _ATTRIBUTES.match(text.removeprefix("• "))
    return bool(match) and len(text) <= 60 and not text.endswith(("。", "；", "，"))


def _scores(items: Sequence[Item], weights: Sequence[float]) -> dict[Element, float]:
    """Sum of weights of all that is inside an element; inside menus and footers everything counts against."""
    total = sum(value for value in weights if value > 0)
    own: dict[Element, float] = {}
    for item, value in zip(items, weights, strict=True):
        own[item.owner] = own.get(item.owner, 0.0) + max(value, 0.0)
    depths = _depths(own)
    # a page that is wrapped in class="main-nav-page" as a whole is no menu
    sums = _summed_up(own, depths)
    around = _within({e for e, value in sums.items() if value < 0.5 * total and is_around_element(e)}, depths)
    own = dict.fromkeys(own, 0.0)
    for item, value in zip(items, weights, strict=True):
        own[item.owner] += -abs(value) if item.owner in around else value
    return _summed_up(own, depths)


def _depths(elements: Iterable[Element]) -> dict[Element, int]:
    """How deep the elements and all their ancestors lie."""
    depths: dict[Element, int] = {}
    for element in elements:
        path: list[Element] = []
        current: Element | None = element
        while current is not None and current not in depths:
            path.append(current)
            current = current.getparent()
        depth = depths[current] if current is not None else -1
        for step, outer in enumerate(reversed(path), start=1):
            depths[outer] = depth + step
    return depths


def _summed_up(own: dict[Element, float], depths: dict[Element, int]) -> dict[Element, float]:
    """The elements' values, each added to all its ancestors."""
    sums = dict.fromkeys(depths, 0.0)
    for element in sorted(depths, key=depths.__getitem__, reverse=True):
        sums[element] += own.get(element, 0.0)
        parent = element.getparent()
        if parent is not None:
            sums[parent] += sums[element]
    return sums


def _within(parts: Set[Element], depths: dict[Element, int]) -> set[Element]:
    """``parts`` and what lies in them, of the elements of ``depths``."""
    found: set[Element] = set()
    for element in sorted(depths, key=depths.__getitem__):
        if element in parts or element.getparent() in found:
            found.add(element)
    return found


def _names(element: Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def is_around_element(element: Element) -> bool:
    """Whether its tag or its names say menu, footer, search form or the like."""
    if element.tag in ("nav", "header", "footer", "aside", "form"):
        return True
    return element.tag not in ("body", "html") and any(_AROUND_CLASS.search(name) for name in _names(element).split())


def _bonus(element: Element) -> int:
    return _BONUS if any(_CONTENT_CLASS.search(name) for name in _names(element).split()) else 0


def _second_parts(container: Element, scores: dict[Element, float]) -> list[Element]:
    """Elements beside the container that hold text as well: a signature or a table set apart from the text."""
    found: list[Element] = []
    current = container
    for _ in range(_NEAR):
        parent = current.getparent()
        if parent is None or parent.tag in ("body", "html"):
            break
        found.extend(
            sibling for sibling in parent
            if sibling is not current and scores.get(sibling, 0.0) > 0 and not is_around_element(sibling)
            and not _ATTRIBUTE_CLASS.search(_names(sibling))
        )
        current = parent
    return found


def _is_around(item: Item, container: Element) -> bool:
    """Buttons and counters inside the container."""
    if item.grid is not None:
        cells = [cell for row in item.grid.rows for cell in row if cell]
        return sum(map(is_attribute_line, (f"{cell.rstrip(':：')}：" for cell in cells))) >= 3
    if is_button_line(item.text):
        return True
    if is_attribute_line(item.text):    # a paragraph of the document may well begin with 信息来源：
        return item.owner.tag != "p" or bool(_ATTRIBUTE_CLASS.search(_names(item.owner)))
    if len(item.text) > 100 or item.linked == 0:
        return False
    for outer in (item.owner, *item.owner.iterancestors()):
        if outer is container:
            return False
        if is_around_element(outer):
            return True
    return False
