"""Pages that follow a form: the questions of a FAQ, the fields of a 办事指南."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ingest.lines import CN, Line

_LEAST_QUESTIONS = 2
_LEAST_FIELDS = 3           # so many different ones, or it is a notice that names a telephone number
_SHARE = 0.6                # of the lines numbered alike that must be questions
_QUESTION_CHARS = 90

_NUMBER = rf"(?:[{CN}]{{1,3}}、|[（(][{CN}\d]{{1,3}}[）)]|\d{{1,3}}[ \t]*[.．、])[ \t　]*"
_ASKED = re.compile(
    rf"[#*\s　]*(?:{_NUMBER})?(?:【问】|\[问\]|问[ \t　]*\d{{0,3}}[ \t　]*[:：]|Q[ \t]*\d{{0,3}}[ \t]*[:：.．、]"
    rf"|Q\d{{1,3}}(?=\D|$)|(?:问题|提问)[ \t　]*[{CN}\d]{{1,3}}[ \t　]*(?:[:：.．、]|[ \t　]|$)"
    rf"|(?<=[.．、）)])[^？。]{{2,80}}？[ \t　]*答[:：])",
    re.I,
)
_STYLES = tuple(
    re.compile(rf"[#*\s　]*{number}[ \t　]*\S")
    for number in (rf"[{CN}]{{1,3}}、", rf"[（(][{CN}]{{1,3}}[）)]", r"\d{1,3}[ \t]*[.．、](?!\d)", r"\d{1,2}[ \t　]+")
)
_QUESTION_END = re.compile(r"[？?][）)”\"*\s　]*$")

_NAMES = sorted(
    (
        "事项名称 办理事项 服务事项 办事项目 受理条件 申请条件 办理条件 申办条件 申报条件 准入条件 "
        "申请材料 办理材料 所需材料 申报材料 提交材料 申办材料 材料清单 办理流程 办理程序 申请流程 "
        "申请程序 办事流程 办理步骤 申办流程 办理时限 承诺时限 法定时限 办结时限 办理期限 办理时间 "
        "办公时间 受理时间 办理地点 办理窗口 受理窗口 办公地址 办理地址 受理地点 办理方式 申请方式 "
        "办理渠道 咨询电话 咨询方式 联系电话 监督电话 投诉电话 监督投诉 咨询途径 收费标准 收费依据 "
        "收费情况 是否收费 法定依据 设定依据 办理依据 政策依据 服务对象 办理对象 适用对象 申请对象 "
        "受理机构 受理部门 实施机关 办理机构 办理部门 办理结果 结果送达 注意事项"
    ).split(),
    key=len, reverse=True,
)
_OF_A_GUIDE = ("条件", "材料", "流程", "程序", "时限", "期限", "依据", "事项", "收费标准", "清单", "步骤")
FIELD = re.compile(
    rf"[#*\s　]*(?:{_NUMBER})?[【\[〔*]{{0,2}}(?P<name>{'|'.join(_NAMES)})"
    r"(?:】[ \t　]*[:：]?|[\]〕*]{0,2}[ \t　]*(?:[:：]|$))[ \t　*]*"
)


def question_lines(lines: Sequence[Line]) -> set[int]:
    """The starts of the lines that ask: 问：, Q1, 问题一：, or lines numbered alike that end in a question mark."""
    asked = {line.start for line in lines if _ASKED.match(line.text)}
    if len(asked) >= _LEAST_QUESTIONS:
        return asked
    said = [line for line in lines if line.table or line.text.strip()]
    followed = {one.start for one, two in pairwise(said) if not _QUESTION_END.search(two.text)}
    for style in _STYLES:
        alike = [line for line in said if style.match(line.text)]
        ending = {
            line.start for line in alike
            if len(line.text) <= _QUESTION_CHARS and _QUESTION_END.search(line.text) and line.start in followed
        }
        if len(ending) >= _LEAST_QUESTIONS and len(ending) >= _SHARE * len(alike):
            return ending
    return set()


def field_lines(lines: Sequence[Line]) -> dict[int, re.Match[str]]:
    """The lines that open a field of a guide, by their start; none where fewer than three fields are named."""
    found = {line.start: match for line in lines if (match := FIELD.match(line.text))}
    names = {match.group("name") for match in found.values()}
    return found if sum(name.endswith(_OF_A_GUIDE) for name in names) >= _LEAST_FIELDS else {}
