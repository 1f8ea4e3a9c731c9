"""发文字号 as a text cites them, written one way."""

from __future__ import annotations

import re

_YEAR = r"[〔﹝\[［【〖(（]\s?((?:19|20)?\d{2})\s?[〕﹞\]］】〗)）]"
_CODE = r"[\u4e00-\u9fff]{1,20}(?:[（(][\u4e00-\u9fff]{1,3}[）)][\u4e00-\u9fff]{1,6})?"
_ANY_YEAR = _YEAR.replace("((?:", "(?:(?:")
_COUNT = r"[\d一二三四五六七八九十百零]{1,6}"
DOC_NO = rf"(?:{_CODE}\s?{_ANY_YEAR}\s?第?\s?\d{{1,5}}\s?号|[\u4e00-\u9fff]{{2,40}}令\s?第?\s?{_COUNT}\s?号)"
_NUMBERED = re.compile(rf"({_CODE})\s?{_YEAR}\s?第?\s?0*(\d{{1,5}})\s?号")
_OLD = re.compile(rf"{_YEAR}\s?([\u4e00-\u9fff]{{2,10}}?)第?\s?0*(\d{{1,5}})\s?号")
_ORDER = re.compile(
    rf"([\u4e00-\u9fff、]{{2,60}}令)\s?(?:[〔\[（(]((?:19|20)\d{{2}})[〕\])）])?\s?(第?\s?{_COUNT}\s?号)"
)
_ORDER_BEHIND = re.compile(rf"([\u4e00-\u9fff、]{{2,60}})(第\s?{_COUNT}\s?号)令")      # 公安部第69号令
_BEFORE_CODE = re.compile(
    r".*(?:\d|[日，、。；：和及与的以将对原由按经为即]|根据|按照|依照|印发|发布|公布|我院|我部|我局|本院|通知|意见|办法|规定|废止|文号"
    r"|(?:部|科委|计委|经委|委员会|总局|总署|保密局|税务局|国务院|办公厅|办公室|银行|法院|检察院|人民政府)(?=[\u4e00-\u9fff]{2}))"
)
_BEFORE_ORDER = re.compile(r".*(?:\d|[日，。；：的以将对原由按经为即]|根据|按照|依照|印发|发布|公布|废止|以及|文号)")


def find_doc_no(words: str) -> str | None:
    """The first number in ``words``: 法释〔2002〕30号, 公安部令第102号."""
    found = find_doc_nos(words, 0, len(words))
    return found[0][2] if found else None


def find_doc_nos(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """(start, end, number with 〔〕) of each, in order."""
    found: list[tuple[int, int, str]] = []
    for match in _NUMBERED.finditer(text, start, end):
        code = match.group(1)
        cut = _BEFORE_CODE.match(code)
        at = cut.end() if cut and cut.end() < len(code) else 0
        found.append((match.start() + at, match.end(), f"{code[at:]}〔{match.group(2)}〕{match.group(3)}号"))
    for match in _OLD.finditer(text, start, end):
        if not any(a < match.end() and match.start() < b for a, b, _ in found):
            found.append((match.start(), match.end(), f"〔{match.group(1)}〕{match.group(2)}{match.group(3)}号"))
    for match in _ORDER_BEHIND.finditer(text, start, end):
        body, at = _body(match)
        found.append((match.start() + at, match.end(), f"{body}令{''.join(match.group(2).split())}"))
    for match in _ORDER.finditer(text, start, end):
        body, at = _body(match)
        year = f"〔{match.group(2)}〕" if match.group(2) else ""
        found.append((match.start() + at, match.end(), f"{body}{year}{''.join(match.group(3).split())}"))
    return sorted(found)


def _body(match: re.Match[str]) -> tuple[str, int]:
    """Who gave an order, and where its name begins in the match."""
    body = match.group(1)
    cut = _BEFORE_ORDER.match(body, 0, len(body) - 1)
    at = cut.end() if cut else 0
    return body[at:], at
