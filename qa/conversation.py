"""Several turns: what a short turn refers to is said in full, and a change of topic is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.numerals import number
from core.records import Answer, Question, Turn
from qa.matters import about, alike
from qa.places import places

_POINTER = re.compile(
    r"(?:这|那|该|此|上述|前述|上面(?:说)?的?|刚才(?:说)?的?)(?:个|种|项|类|些|笔|份|条)?"
    r"(?P<noun>补贴|补助|津贴|政策|规定|办法|证|证件|钱|费用?|项目|业务|事项?|待遇|贷款|条例|通知|文件|服务|保险|救助金?|住房|房子|情况)?"
)
_LEADS_ON = re.compile(
    r"^\s*(?:那|那么|然后|还有|另外|以及|还|再问一下|请问|好的?|嗯|哦)*[，,、\s]*(?:这|那|该|此|它|他|她|其|上述|前述)?"
)
_WHAT_OF = re.compile(
    r"^(?:那|那么|如果(?:是)?|要是|换成|换作|换做)?[，,\s]*"
    r"(?P<what>[^，,。？?]{1,16}?)(?:的话)?(?:呢|怎么样|行吗|可以吗|怎么算)[？?]?$"
)
_ASKING = re.compile(r"怎么|怎样|如何|什么|多少|多久|哪|谁|[应该能会要]|可以|是否")
_GOES_ON = "的怎多什要需能可有在是得吗呢，,？?办申领到给发交去找应该会算几如"    # 这个 stands alone before these
_CARRIED = 60                # a longer story is not put before what is asked of it
_TAIL = re.compile(r"[\s。？?！!，,]+$")
_MONEY = ("补贴", "补助", "津贴", "待遇", "费", "费用", "救助金", "救助", "金", "贷款")
_SAYS_NOTHING = ("事", "事项", "情况", "业务", "项目", "钱")
# who asks: a turn that says nothing else asks the last question for that case
_PERSON = re.compile(
    r"[\d一二三四五六七八九十百两]+多?(?:周岁|岁|级|口人|个人|个月|年)(?:以上|以下|左右)?|本地|外地|本市|外省|户口|户籍|城镇|农村|退休人员|退休|失业|在职"
    r"|灵活就业|残疾人|低保户?|单身|老人|小孩|孩子|学生|大学生|博士|硕士|本科|个人|企业|男的?|女的?|我妈|我爸|我|的"
)
_TOPIC_CHARS = 24            # what is longer is a story: the whole question is carried on
_AGE = re.compile(r"(\d{2,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|一百)多?(?:周岁|岁|$)")
_YEARS = re.compile(r"\d{2,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|一百")
_REPLY_CHARS = 24            # a reply to what was asked back


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A turn that can be understood by itself."""

    text: str
    carried: str                 # what was taken from earlier turns; empty: nothing
    new_topic: bool              # speaks of something else than the turn before


def turn_of(question: Question, answer: Answer) -> Turn:
    """What later turns of the conversation are understood with."""
    return Turn(question.text, answer.asked, answer.choices)


def rewrite(question: str, history: Sequence[Turn], *, names: Mapping[str, str]) -> Rewritten:
    """``question`` with what it leaves unsaid taken from ``history``, oldest turn first.

    ``names`` are the configured regions. What cannot be resolved stays as it is.

    >>> rewrite("那需要什么材料？", [Turn("高龄津贴怎么申请？")], names={}).text
    '高龄津贴需要什么材料？'
    """
    last = next((turn for turn in reversed(history) if about(turn.full)), None)
    if last is None:
        return Rewritten(question, "", new_topic=False)
    if history[-1].choices and (chosen := _choice(question, history[-1].choices)):
        return _chosen(chosen, history[-1])
    if place := _only_place(question, names):
        return _elsewhere(question, place, last, names)
    if what := _other_case(question):
        return Rewritten(f"{_TAIL.sub('', last.full)}（{what}）", last.full, new_topic=False)
    topic = _topic(last.full)
    if (pointed := _pointing(question)) and not alike(question, last.full):
        text = question[: pointed.start()] + topic + _noun(pointed, topic) + question[pointed.end() :]
        return Rewritten(_TAIL_LEAD.sub("", text), topic, new_topic=False)
    if not about(_PERSON.sub(" ", question)):
        return Rewritten(_joined(topic, question), topic, new_topic=False)
    if _GOING_ON.match(question) and not alike(question, last.full) and len(last.full) <= _CARRIED:
        return Rewritten(f"{_TAIL.sub('', last.full)}，{_TAIL_LEAD.sub('', question)}", last.full, new_topic=False)
    return Rewritten(question, "", new_topic=not alike(question, last.full))


_GOING_ON = re.compile(r"^\s*那(?!个|种|些|里|边|样|位|天|年|时)")
_TAIL_LEAD = re.compile(r"^(?:那么|那|然后|还有|请问)[，,、\s]*")


def _topic(question: str) -> str:
    """高龄津贴 of 高龄津贴怎么申请？; of a question that tells a story, the question."""
    rest = about(question)
    if len(rest) <= _TOPIC_CHARS and rest:
        first, end = question.find(rest.split(" ")[0]), 0
        for word in rest.split(" "):
            end = max(end, question.find(word) + len(word))
        span = question[first:end]
        if len(span) <= _TOPIC_CHARS:
            return span + _kept_noun(question[end:])
    return _TAIL.sub("", question) + "，"


def _kept_noun(after: str) -> str:
    """补贴 and 津贴 are on the list of words that every matter has, but belong to the name before them."""
    match = re.match(r"(?:补贴|补助|津贴|待遇|证明|证|费)", after)
    return match.group() if match else ""


def _pointing(question: str) -> re.Match[str] | None:
    """这个补贴, 那, 该 - but not 那 at the beginning alone, which only leads on, and not 这里, 那边, 这样."""
    for match in _POINTER.finditer(question):
        after = question[match.end() : match.end() + 1]
        named = match.group("noun") or (len(match.group()) > 1 and (not after or after in _GOES_ON))
        if named and after not in ("里", "边", "样", "么"):
            return match
    return None


def _noun(pointed: re.Match[str], topic: str) -> str:
    noun = pointed.group("noun") or ""
    named = topic.endswith((noun, "，")) or (noun in _MONEY and topic.endswith(_MONEY))
    return "" if named or noun in _SAYS_NOTHING else noun


def _joined(topic: str, question: str) -> str:
    return topic + _LEADS_ON.sub("", question)


def _other_case(question: str) -> str | None:
    """退休人员 of 那退休人员呢？"""
    match = _WHAT_OF.match(question.strip())
    what = match.group("what").strip() if match else ""
    return what if what and about(what) and not _ASKING.search(what) else None


def _only_place(question: str, names: Mapping[str, str]) -> str | None:
    """望川市 of 那望川市呢？: a turn that says nothing but a place."""
    for place in places(question, home="", names=names):
        rest = question[: place.start] + question[place.end :]
        if not about(rest):
            return place.name
    return None


def _elsewhere(question: str, place: str, last: Turn, names: Mapping[str, str]) -> Rewritten:
    """The last question of another place."""
    if about(question.replace(place, "")) or len(question) > _REPLY_CHARS:
        return Rewritten(question, "", new_topic=False)
    said = places(last.full, home="", names=names)
    if said:
        text = last.full[: said[0].start] + place + last.full[said[0].end :]
    else:
        text = place + last.full
    return Rewritten(text, last.full, new_topic=False)


def _choice(question: str, choices: Sequence[str]) -> str | None:
    """Which of the choices a reply takes: by its number, or by its words. None when it is no reply."""
    said = _TAIL.sub("", question.strip())
    if len(said) > _REPLY_CHARS:
        return None
    if match := re.fullmatch(r"(?:第|选|我选|选择)?\s*([0-9]|[一二两三四五六七八九])\s*(?:个|种|项|类|号)?", said):
        position = number(match.group(1))
        return choices[position - 1] if 1 <= position <= len(choices) else None
    for choice in choices:
        if choice in said or said in choice or _holds(choice, said):
            return choice
    best = max(choices, key=lambda choice: len(set(choice) & set(said)))
    shared = len(set(best) & set(said))
    return best if shared >= max(2, len(set(best)) // 2) and not re.search(r"[？?吗呢]|怎么|多少|什么", said) else None


def _holds(choice: str, said: str) -> bool:
    """Whether an age that a reply gives lies in the span that a choice gives: 九十多岁 in 90至99周岁."""
    age, bounds = _AGE.search(said), [number(part) for part in _YEARS.findall(choice)]
    if not age or not bounds:
        return False
    years = number(age.group(1))
    if len(bounds) > 1:
        return bounds[0] <= years <= bounds[1]
    return years < bounds[0] if "以下" in choice else years >= bounds[0]


def _chosen(choice: str, turn: Turn) -> Rewritten:
    return Rewritten(f"{_TAIL.sub('', turn.full)}（{choice}）", turn.full, new_topic=False)
