"""The lists of a clean-up decision: 废止的规范性文件目录, and tables with a column of results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.graph.relations import Reference, Relation
from kb.graph.repeal_numbers import DOC_NO, find_doc_no
from kb.law_names import name_key

_HEADING = re.compile(
    r"((?:保留|继续有效|有效|修改|修订|废止|失效|停止执行|延长)[^。；：《》\n\d|]{0,30}?(?:目录|清单|名单|一览表|文件(?=\s?1[．.、《]))"
    r"(?:[（(][^（）()]{0,12}[）)])?)"
)
_ENDED = re.compile(r"废止|失效|停止执行")
_NOT_ENDED = re.compile(r"保留|继续|修改|修订|延长|(?<!失效和)有效|结果")
_TITLE = re.compile(r"《((?:[^《》\n]|《[^《》\n]*》){2,160})》")
_DETAILS = re.compile(
    r"\s*(?:发布时间|发文时间|发文单位|发文机关|发布机关|制定机关|文号|说明[：:]|备注[：:]|\||\n|附件|[（(]?\d{4}年|二、|三、|四、"
    r"|[（(](?=[^（）()]{0,30}(?:[〔\[（(]\d{4}[〕\])）]|令)))"
)
# after a name in 《》 that is all; not 《…》实施指南
_BEHIND_TITLE = re.compile(
    rf"\s*(?:$|[\d《（(|\n〔\[、和]|发文|发布|文号|制定|印发|说明|备注|{DOC_NO})"
)
_ROW = re.compile(r"^\|(.*)\|\s*$", re.M)
_RESULT = re.compile(r"(?:予以|宣布|拟?)?(?:废止|失效|停止执行)")
_LAST = 1000                 # entries of one list


def listed(text: str, title: str) -> Iterator[Reference]:
    """What stands in the lists of what is repealed or void. Articles are not told."""
    if "目录" in text or "清单" in text or "名单" in text or "一览表" in text:
        headings = list(_HEADING.finditer(text))
        for n, heading in enumerate(headings):
            if _ENDED.search(heading.group()) and not _NOT_ENDED.search(heading.group()):
                end = headings[n + 1].start() if n + 1 < len(headings) else len(text)
                yield from _entries(text, heading.end(), end)
    if "|" in text:
        yield from _rows(text)


def _entries(text: str, start: int, end: int) -> Iterator[Reference]:
    """1．…2．…, as far as the numbers run on; in a run-together text nothing else tells where one ends."""
    at = _number(text, 1, start, min(end, start + 80))
    for n in range(2, _LAST):
        if at is None:
            return
        following = _number(text, n, at, end)
        yield from _entry(text, at, following - len(str(n)) if following else end)
        at = following


def _number(text: str, n: int, start: int, end: int) -> int | None:
    """Where the entry with number ``n`` begins, behind the number."""
    pattern = rf"(?<=[\s号委部会）)。]){n}[．.、]|(?<![\d〔\[（(第年月.]){n}(?:\s*[．.、](?!\d)|(?=\s*\|?\s*《))"
    match = re.compile(pattern).search(text, start, end)
    return match.end() if match else None


def _entry(text: str, start: int, end: int) -> Iterator[Reference]:
    while start < end and text[start] in " \u3000|\t\n":
        start += 1
    named = _TITLE.match(text, start, end)
    if named and _BEHIND_TITLE.match(text, named.end(), end):
        first, last, title = named.start(), named.end(), named.group(1)
    else:
        details = _DETAILS.search(text, start + 1, end)
        first, last = start, details.start() if details else end
        title = text[first:last].rstrip("0123456789．.、 \n")
        last = first + len(title)
    rest = text[last : min(end, last + 120)].partition("说明")[0]
    if 4 <= len(title) <= 120 and "。" not in title and not _ENDED.search(title):
        yield Reference(None, first, last, Relation.REPEALS, name_key(title), None, "", find_doc_no(rest))


def _rows(text: str) -> Iterator[Reference]:
    """| 《…》 | 文号 | 废止 |"""
    for row in _ROW.finditer(text):
        cells = [cell.strip() for cell in row.group(1).split("|")]
        if not any(_RESULT.fullmatch(cell) for cell in cells):
            continue
        named = _TITLE.search(text, *row.span())
        if named:
            number = find_doc_no(text[named.end() : row.end()])
            yield Reference(None, *named.span(), Relation.REPEALS, name_key(named.group(1)), None, "", number)
