"""发文字号: found in running text, cut free of the words before it, and written one way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CODES = Path(__file__).with_name("agency_codes.txt")
_YEAR = r"[〔﹝\[［【〖(（〈]((?:19|20)\d{2})[〕﹞\]］】〗)）〉]"
_BRACKETS = re.compile(_YEAR)
_BRACKETED = re.compile(_YEAR + r"第?0*(\d{1,5})号")
_BARE = re.compile(r"(?<=[函发字规办通])((?:19|20)\d{2})年?第0*(\d{1,5})号")      # 商服贸函2026年第322号
_COUNT = r"[0-9一二三四五六七八九十百零〇]{1,6}"
_ORDER = re.compile(
    rf"([\u4e00-\u9fff、]{{2,60}})令[\s（(〔\[]{{0,3}}(?:(?:19|20)\d{{2}}[年〕\])）]{{0,2}})?"
    rf"[\s（(]{{0,2}}第?\s{{0,2}}{_COUNT}\s{{0,2}}号[)）]?"
)
_NOTICE = re.compile(
    rf"([\u4e00-\u9fff、]{{2,60}}(?:委员会|政府|总局|大会|部|署|银行|局))"
    rf"(?:第{_COUNT}号公告|公告[（(]?(?:(?:19|20)\d{{2}}年)?第{_COUNT}号[)）]?)"
)
_YEAR_OF_ORDER = re.compile(r"[〔\[（(]((?:19|20)\d{2})[〕\])）]")
_RUN = 16                    # longest 机关代字 looked for; 穗天科工信规字 has seven characters
_WHOLE = 9                   # of a line that holds nothing else: 教冀学处
# what ends before a number begins: a title, a citing word, the name of a body
_BEFORE = re.compile(
    r".*(?:通知|意见|决定|办法|方案|公告|通告|批复|复函|细则|规定|条例|规划|措施|纲要|计划|报告|指南|指引|号"
    r"|文件|文号|字号"
    r"|根据|按照|依据|依照|参照|贯彻|落实|执行|印发|转发|废止|以及|关于|下发|发布|发文|附件|编号"
    r"|人民政府|委员会|办公厅|办公室|[省市区县][\u4e00-\u9fff]{1,10}[厅局])"
)
_BEFORE_ORDER = re.compile(
    # the name of the rule may stand before it
    r".*(?:日|以|由|经|据|过|条例|办法|规定|细则|规则|的(?:公告|通知|决定)|法(?=中华人民共和国))、?"
)
_STOP = re.compile(r".*[见和与及由经据以按将对在从原为]")


@dataclass(frozen=True, slots=True)
class Number:
    """``text[start:end]`` is a document number; ``value`` is the same, normalised."""

    start: int
    end: int
    value: str


def normal_doc_no(doc_no: str) -> str:
    """发文字号 with 〔〕 around the year, without spaces, 第 and leading zeros.

    >>> normal_doc_no("临政发[2024] 第012号")
    '临政发〔2024〕12号'
    """
    compact = re.sub(r"[\s　]", "", doc_no)
    if match := _BARE.search(compact):
        return f"{compact[: match.start()]}〔{match.group(1)}〕{match.group(2)}号"
    return re.sub(r"〕第?0*(\d)", r"〕\1", _BRACKETS.sub(r"〔\1〕", compact))


def find_numbers(text: str, start: int = 0, end: int | None = None) -> Iterator[Number]:
    """Numbers with a year in brackets, cited ones too, in order. Digits must be narrow, spaces left out."""
    stop = len(text) if end is None else end
    for pattern in (_BRACKETED, _BARE):
        for match in pattern.finditer(text, start, stop):
            code = _code_before(text, match.start(), start)
            if code < match.start():
                value = f"{text[code:match.start()]}〔{match.group(1)}〕{match.group(2)}号"
                yield Number(code, match.end(), value)


def find_order(text: str, start: int = 0, end: int | None = None) -> tuple[Number, str] | None:
    """The first 令 number (广州市人民政府令第179号) or 公告 number, as written, and the body or bodies that gave it."""
    stop = len(text) if end is None else end
    if text.find("号", start, stop) < 0:
        return None
    match = _ORDER.search(text, start, stop) if text.find("令", start, stop) >= 0 else None
    if match is None and text.find("公告", start, stop) >= 0:
        match = _NOTICE.search(text, start, stop)
    if match is None:
        return None
    body = match.group(1)
    if before := _BEFORE_ORDER.match(body):
        body = body[before.end():]
    where = match.end(1) - len(body)
    written = re.sub(r"[\s（()）]", "", _YEAR_OF_ORDER.sub(r"〔\1〕", text[where : match.end()]))
    return Number(where, match.end(), written), body


def _code_before(text: str, end: int, limit: int) -> int:
    """Where the 机关代字 that ends at ``end`` begins; ``end`` itself when no code stands there."""
    start = end
    while start > max(limit, end - _RUN) and "\u4e00" <= text[start - 1] <= "\u9fff":
        start -= 1
    run = text[start:end]
    if start == limit or text[start - 1] == "\n":
        whole = len(run) <= _WHOLE and not _BEFORE.match(run) and not _STOP.match(run)
        if whole and run:
            return start
    if cut := _BEFORE.match(run):
        start += cut.end()
        run = run[cut.end():]
    known = next((at for at in range(len(run) - 1) if _is_code(run[at:])), None)
    if known is not None:
        return start + known
    stop = _STOP.match(run)
    return start + stop.end() if stop and len(run) - stop.end() >= 2 else start


def _is_code(run: str) -> bool:
    codes = _codes()
    return any(run[:length] in codes for length in range(min(4, len(run)), 0, -1))


@cache
def _codes() -> frozenset[str]:
    lines = _CODES.read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))
