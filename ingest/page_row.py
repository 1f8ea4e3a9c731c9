"""What a page prints beside a document: dates with their labels, and its 来源."""

from __future__ import annotations

import re

from ingest.bodies import is_body

_ROW = re.compile(
    r"(成[ 　]*文[ 　]*日[ 　]*期|发[ 　]*布[ 　]*日[ 　]*期|实[ 　]*施[ 　]*日[ 　]*期"
    r"|施[ 　]*行[ 　]*日[ 　]*期|失[ 　]*效[ 　]*日[ 　]*期)"
    r"[ 　]*[:：][ 　|]*((?:19|20)\d{2}[-年./]\d{1,2}[-月./]\d{1,2})"
)
_SOURCE = re.compile(
    r"(?:(?:信息|文章|稿件|内容)来源|(?:^|[ 　|])来[ 　]*源)[ 　]*[:：][ 　|]*\n?([^\n|:：]{2,60}?)"
    r"(?=浏览|字号|字体|发布|发表|时间|分享|作者|【|\n|\||$)"
    r"|^[ 　]*([\u4e00-\u9fff]{4,30}(?:厅|局|委|府|会|院|部|办|中心)(?:官方网站|官网|网站))[^\u4e00-\u9fff\n]*$", re.M
)
_DATE_BESIDE_SOURCE = re.compile(
    r"((?:19|20)\d{2}[-年./]\d{1,2}[-月./]\d{1,2})日?[ 　]*(?:\d{1,2}:\d{2}(?::\d{2})?)?"
    r"[ 　]*\n?[ 　]*来[ 　]*源[ 　]*[:：]"
)
_ROW_NAMES = {
    "成文日期": "dated", "发布日期": "published_on", "实施日期": "effective_from", "施行日期": "effective_from",
    "失效日期": "effective_to",
}
_FIRST_LINES = 4             # of a page, one of which may name the body it is from and nothing else


def page_row(text: str, body: tuple[int, int], title: str) -> dict[str, str]:
    """Dates that a page prints with their labels, and its 来源, above or below the document."""
    found: dict[str, str] = {}
    for line in text[body[0] : body[0] + 300].split("\n")[:_FIRST_LINES]:
        name = line.replace("-->", "").strip()
        if is_body(name) and name not in title:
            found.setdefault("source", name)
    for part in (text[body[0] : body[0] + 2500], text[max(body[0], body[1] - 3000) : body[1] + 20_000]):
        if any(word in part for word in ("来源", "来 源", "来　源", "官网", "网站")):
            if source := _SOURCE.search(part):
                found["source"] = source.group(1) or source.group(2)
            if beside := _DATE_BESIDE_SOURCE.search(part):
                found.setdefault("published_on", beside.group(1))
        if any(word in part for word in ("日期", "日 期", "日　期")):
            for match in _ROW.finditer(part):
                found.setdefault(_ROW_NAMES[re.sub(r"[ 　]", "", match.group(1))], match.group(2))
    return found
