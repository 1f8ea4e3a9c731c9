"""Personal data in what people write: it is made unreadable before a text is kept, searched or given to a model.

Masked are telephone numbers, numbers of identity cards, bank cards and passports, plates, e-mail addresses, accounts of
messengers, and where the text says so (我叫, 家住) names and addresses. Rather too much than too little: a run of
fifteen digits is masked whatever it counts. Short numbers that everybody may call, such as 12345 or 96999, the
telephones that offices publish (咨询电话：0900-1234567), sums, dates and 发文字号 stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MASK = "*"

_GAP = r"[ \-—·.]?"
_PROVINCE = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳台使领学警"
_SPOKEN = "零〇一幺二两三四五六七八九"
# the hundred or so names that nearly everybody bears; 和, 车, 向, 于, 应 and 时 are left out, since they are words
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁叶杜丁蒋程余吕魏苏卢任姚沈钟姜崔谭陆范汪廖石贾韦"
    "夏付傅方邹熊白孟秦邱侯江尹薛闫雷龙史陶贺毛段郝顾龚邵覃武钱戴严莫孔汤庞樊兰殷施翟洪倪柏鲁"
)
_NAME_ENDS = r"(?=$|[，,。；;、！!？?\s（(：:*]|电话|手机|身份证|男|女|今年|住|家住|是|在|想|要|来|有|问|年龄|\d)"
_DOOR = r"[0-9a-z一二三四五六七八九十百]+(?:号院|号楼|号|弄|栋|幢|单元|座|室|楼|层|房|户)(?:[\-—之][0-9a-z]+)?"
_NO_STOP = r"[^，,。；;！!？?\s*]"
_LIVES = r"(?:家庭住址|家庭地址|住址|我的?地址|收货地址|家住|我住|我家在|我家住|现住|住在)(?:[是为在:：\s]{0,2})"


@dataclass(frozen=True, slots=True)
class Personal:
    """``text[start:end]`` is personal."""

    kind: str                    # phone identity card passport plate email account name address
    start: int
    end: int


# (kind, expression, public: whether an office may publish such a number); group 1, if there is one, is what is masked
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE), public) for kind, pattern, public in (
    ("email", r"[a-z0-9_%+\-][a-z0-9._%+\-]*@[a-z0-9\-]+(?:\.[a-z0-9\-]+)+", True),
    ("identity", rf"(?<![0-9])(?:[0-9]{_GAP}){{17}}[0-9x](?![0-9a-z])", False),
    ("card", rf"(?<![0-9])[0-9](?:{_GAP}[0-9]){{14,18}}(?![0-9])", False),                    # and old identity cards
    ("phone", rf"(?<![0-9])(?:\+?86{_GAP})?1[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}(?![0-9])", False),      # 138 1234 5678
    ("phone", rf"(?<![0-9])(?:\+?86{_GAP})?1[3-9][0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}(?![0-9])", False),
    ("phone", r"(?<![0-9])[（(]?0[0-9]{2,3}[）)]?[ \-—]?[2-9][0-9]{6,7}(?![0-9])", True),           # with an area code
    ("phone", r"(?:电话|手机|座机|号码|联系方式|打)[^0-9]{0,4}([2-9][0-9]{6,7})(?![0-9年月日元.])", True),    # without
    ("phone", rf"(?:幺|一)[{_SPOKEN}]{{10}}(?![{_SPOKEN}])", False),                             # as it is said
    ("identity", rf"(?:[{_SPOKEN}]){{17}}[{_SPOKEN}x]", False),
    ("plate", rf"[{_PROVINCE}][a-z][ ·•.\-]?(?:[0-9a-z]{{5,6}}|[0-9a-z]{{4}}[{_PROVINCE}挂])(?![0-9a-z])", False),
    ("passport", r"(?<![0-9a-z])(?:[eg][0-9]{8}|e[a-hj-np-z][0-9]{7})(?![0-9a-z])", False),
    ("passport", r"(?:护照|通行证|回乡证|台胞证)[^0-9a-z]{0,6}([a-z]{1,2}[0-9]{7,9})(?![0-9a-z])", False),
    ("account", r"(?:微信|qq|vx|wx|企鹅)号?(?:[是为:：\s]{0,2})([a-z0-9_\-]{5,20})(?![0-9a-z])", False),
    ("name", rf"(?:我叫|我的名字(?:是|叫)|本人叫|本人姓名|姓名|联系人|申请人|诉求人)[是为叫:：\s]{{0,2}}"
             rf"([{_SURNAMES}][一-龥]{{1,2}}?){_NAME_ENDS}", False),
    ("address", rf"{_LIVES}(?:{_NO_STOP}{{0,12}}[市区县])?({_NO_STOP}{{0,24}}?{_DOOR}(?:{_DOOR})*)", False),
))
# what offices put before the number that everybody may call; 我家电话 is none of them
_PUBLIC = re.compile(
    r"(?:咨询|服务|监督|举报|投诉|办公|值班|报修|抢修|受理|预约|客服|联系|查询|报名|缴费|救助|业务|公开|政策|窗口|大厅|中心|[局委办处所站厅部科院])"
    r"(?:的)?(?:电话|热线|专线|号码|传真|邮箱|电子邮箱|邮件|联系方式|信箱)[^0-9a-z，,。；;]{0,10}$|(?:传真|邮编|热线|咨询|地址.{0,30}电话)[:：\s]{0,2}$"
)
_OWN = re.compile(r"(?:我|本人|自己|家里?|家人|老公|老婆|爱人|父亲|母亲|孩子|个人|联系人)[^，,。；;]{0,8}$")
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}      # full-width letters, digits, signs: as many
_PLACES = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)      # weights of GB 11643


def masked(text: str) -> str:
    """``text`` with an asterisk for each character of what is personal; its length stays.

    >>> masked("我是13812345678，问低保")
    '我是***********，问低保'
    """
    out = list(text)
    for found in personal(text):
        out[found.start : found.end] = MASK * (found.end - found.start)
    return "".join(out)


def personal(text: str) -> tuple[Personal, ...]:
    """What is personal in ``text``, in order; spans may overlap."""
    return tuple(sorted(set(_found(text.translate(_HALF))), key=lambda found: (found.start, found.end)))


def _found(even: str) -> Iterator[Personal]:
    for kind, pattern, public in _PATTERNS:
        for match in pattern.finditer(even):
            start, end = match.span(1) if match.lastindex else match.span()
            if public and _published(even, start):
                continue
            if kind in ("card", "identity") and not _is_number(match.group(), kind):
                continue
            yield Personal(kind, start, end)


def _published(text: str, start: int) -> bool:
    before = text[max(0, start - 40) : start]
    return bool(_PUBLIC.search(before)) and not _OWN.search(before)


def _is_number(run: str, kind: str) -> bool:
    """A run of digits in one piece, or in pieces of three and more, counts whatever its check digit says, since
    people mistype; columns of single figures count only with a right one."""
    pieces = re.split(r"[ \-—·.]", run)
    if kind == "identity" and any(char in _SPOKEN for char in run):
        return True
    if len(pieces) == 1 or min(map(len, pieces)) > 2:
        return True
    digits = "".join(pieces)
    return is_identity(digits) or is_card(digits)


def is_identity(number: str) -> bool:
    """Whether the check digit of an eighteen-digit 公民身份号码 is right (GB 11643-1999)."""
    if not re.fullmatch(r"[0-9]{17}[0-9xX]", number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _PLACES, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def is_card(number: str) -> bool:
    """Whether a bank card's check digit is right (Luhn).

    >>> is_card("6228480402564890018")
    True
    """
    if not re.fullmatch(r"[0-9]{15,19}", number):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
