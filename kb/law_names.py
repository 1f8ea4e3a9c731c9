"""How laws and other documents are called: in 《》, in short, and without brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("law_names.txt")

_BRACKETED = re.compile(r"[（(]([^（）()]*)[）)]")
_NUMERAL = re.compile(r"第?[一二三四五六七八九十]{1,3}")
_DROPPED = re.compile(r"[《》〈〉<>＜＞“”\"‘’\s　]|中华人民共和国")
_DOCUMENT_ENDINGS = tuple((
    "法 典 条例 办法 规定 细则 规则 解释 决定 通知 意见 方案 标准 规范 目录 公约 协定 条约"
    " 议定书 宪章 章程 规程 准则 批复 复函 答复 公告 通告 命令 纲要 规划 修正案 制度 通则 指南 指引"
    " 名录 措施 计划 要求 纪要 决议 宣言 声明 说明 安排 备忘录 总则 总纲 大纲 函 若干问题 清单"
).split())
_CALLED = (
    r"[（(][^（）()《》]{0,12}?(?:以下|下文|下)?(?:均|一律|统|合)?[简统合]?称(?:为|：|:)?\s?"
    r"[“\"《〈‘]*([^“”\"《》〈〉‘’（）()，。]{1,30})[”\"》〉’]*[^（）()《》]{0,8}[）)]"
)
_REMARK = r"(?:\s?[（(](?![^（）()]{0,12}称)[^（）()]{0,60}[）)])?"
_DECLARED = re.compile(rf"《((?:[^《》\n]|《[^《》\n]*》){{2,120}})》\s?{_REMARK}{_CALLED}")
_DECLARED_BARE = re.compile(rf"中华人民共和国([\u4e00-\u9fff]{{2,30}}?){_CALLED}")
_TITLE = re.compile(r"《((?:[^《》\n]|《[^《》\n]*》){2,120})》")
_RESPECTIVELY = re.compile(
    r"[（(](?:以下|下文)?分别[简统]?称(?:为|：|:)?\s?"
    r"((?:[《“][^《》“”\n]{1,30}[》”](?:、|和|及|以及|，|与)*){2,12})[）)]"
)
LAW_ENDINGS = ("法", "法典", "通则", "条例", "细则", "修正案")
_NO_LAW = frozenset((
    "法 条例 细则 通则 实施细则 实施条例 修正案 基本法 新法 旧法 原法 上位法 国法 部门法 实体法 程序法 国内法 外国法"
    " 国际法 法典 总则 本法 该法 同法"
).split())
_NO_LAW_END = re.compile(r"[方办执违非合守看做说手依立司]法$")
# What may stand before the name of a law without 《》. Longer names that hold such a word are spared: 数据安全法 票据法
# 自由贸易港法 对外贸易法 国有资产法 反有组织犯罪法 领海及毗连区法 人口与计划生育法 突发事件应对法 法律适用法 行为
_BEFORE_NAME = re.compile(
    r".*(?:依照|按照|根据|依据|依(?!法)|违反|触犯|适用(?!法)|符合|属于|构成|参照|对照|执行(?!法)|引用|援引|修改|删去|删除|作为"
    r"|修[改订正]的|修[改订正][前后]的?|施行[前后]的?|现行|即|将|或者?|以及|和(?!地方|国|防治)|与(?!计划生育|健康|污水|消费|使用)"
    r"|[以涉普]?及(?!毗连|法|相关|其)|(?<!所)在(?!线)|于|(?<![行人])为|以(?!外)|解除|排除|除(?!四)|到|的|[但可均则]?是(?!非)"
    r"|按|具有|(?<![国所享专])有(?!组织|线|毒|害|色|关)|(?<!应)对(?!外|法|储)|(?<![票数])据(?!法)|由(?!贸易|港)"
    r"|实施(?!条例|细则|办法|规定|法)|新的|因|原|条|款|项|罪|了|如|并|且|应当|认定|涉嫌|犯(?!罪)|院|者)"
)
_IMPLEMENTS = re.compile(
    r"(?:关于)?(?:贯彻)?(?:实施|执行|适用|施行)《((?:[^《》]|《[^《》]*》)+)》"
    r"|^《?([\u4e00-\u9fff]{2,40}?(?:法|条例|规定|办法))》?(?:的)?(?:实施|施行)(?:细则|办法|条例|规定|规则|意见)"
)
_BARE_IMPLEMENTS = re.compile(
    r"(?:关于)?(?:贯彻)?(?:实施|适用)(?:中华人民共和国)?([\u4e00-\u9fff]{1,20}?(?:法典|法))(?![\u4e00-\u9fff]{0,3}法)"
)
_PROVINCE = re.compile(r"^[\u4e00-\u9fff]{2,7}?(?:自治区|自治州|自治县|省|市|县|经济特区)")


def name_key(title: str) -> str:
    """A title as it is compared: without 《》, 中华人民共和国 and remarks in brackets, but with （一） and （二）.

    >>> name_key("《中华人民共和国刑法修正案(八)》")
    '刑法修正案（八）'
    """
    bare = _DROPPED.sub("", title)
    return _BRACKETED.sub(_kept, bare) if "（" in bare or "(" in bare else bare


def _kept(match: re.Match[str]) -> str:
    return f"（{match.group(1)}）" if _NUMERAL.fullmatch(match.group(1)) else ""


def is_document_name(title: str) -> bool:
    """Whether 《title》 names a rule or another document, and not a certificate, a form or a book."""
    return name_key(title).rstrip("（）一二三四五六七八九十").endswith(_DOCUMENT_ENDINGS)


def declared_names(text: str) -> Iterator[tuple[str, str]]:
    """(short, long) of each 《…》（以下简称…）, as keys."""
    if "称" not in text:
        return
    for pattern in (_DECLARED, _DECLARED_BARE):
        for match in pattern.finditer(text):
            short, long = name_key(match.group(2)), name_key(match.group(1))
            if short and short != long:
                yield short, long
    if "分别" in text:
        for match in _RESPECTIVELY.finditer(text):
            shorts = re.findall(r"[《“]([^《》“”]+)[》”]", match.group(1))
            longs = _TITLE.findall(text, max(0, match.start() - 600), match.start())[-len(shorts) :]
            if len(longs) == len(shorts):
                yield from zip(map(name_key, shorts), map(name_key, longs), strict=True)


def bare_name(run: str, names: Mapping[str, str]) -> tuple[int, str] | None:
    """Where in ``run`` the law's name begins with which it ends, and its key; ``names`` are those the document uses.

    >>> bare_name("人民法院依照民事诉讼法", {})
    (6, '民事诉讼法')
    """
    known = _known_laws()
    for at in range(max(0, len(run) - 40), len(run) - 1):
        if run[at:] in names or run[at:] in known:
            return at, names.get(run[at:], run[at:])
    at = run.rfind("中华人民共和国")
    if at >= 0 and len(run) - at > 8 and run.endswith(LAW_ENDINGS):
        return at, run[at + 7 :]
    if not run.endswith(LAW_ENDINGS):
        return None
    cut = _BEFORE_NAME.match(run, 0, len(run) - 1)
    at = cut.end() if cut else 0
    name = run[at:]
    is_law = 2 <= len(name) <= 24 and name not in _NO_LAW and not _NO_LAW_END.search(name)
    return (at, name) if is_law else None


@cache
def _known_laws() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))


def implemented(title: str) -> str | None:
    """The key of the law that a document carries out by its title: 个人所得税法 of 个人所得税法实施条例.

    Also what a judicial interpretation interprets: 民法典 of 关于适用《民法典》婚姻家庭编的解释（一）.
    """
    if "实施" not in title and "施行" not in title and "适用" not in title and "执行" not in title:
        return None
    bare = re.sub(r"\s", "", title)
    if match := _IMPLEMENTS.search(bare):
        key = name_key(match.group(1) or match.group(2))
        national = match.group(2) and key.endswith("法") and not key.endswith("办法")      # no city gives a 法
        return _PROVINCE.sub("", key) if national else key
    match = _BARE_IMPLEMENTS.search(bare)
    law = bare_name(match.group(1), {}) if match else None
    return law[1] if law else None
