"""Characters that text layers hold in place of the ones a reader would type."""

from __future__ import annotations

import re
import unicodedata

# Fonts give many characters a second code for the radical that looks the same, and files then hold ⾏ for 行.
# Unicode maps the Kangxi radicals; of the supplement (U+2E80 on) it maps two, the others here are those that look
# like a simplified or common character of their own.
_SUPPLEMENT = dict(zip(
    "⺠⺟⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳⺎⺏⺐⺝⺫⺬⺰⺴⺻⺾⻌⻍⻎⻏⻑⻖⻗⻟⻠⻡⻫⻭⻯⻱⻲",
    "民母虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟兀尢尢月目示纟四聿艹辶辶辶阝長阝雨飠飠飠齊齒竜亀亀",
    strict=True,
))
_BULLETS = dict.fromkeys("\uf06c\uf06e\uf075\uf0a7\uf0b7\uf0d8\uf0fc\u2022", "•")     # Symbol and Wingdings
_PLAIN = str.maketrans(
    {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in (*range(0x2F00, 0x2FD6), *range(0xF900, 0xFB00))}
    | _SUPPLEMENT | _BULLETS | {"\xa0": " "} | dict.fromkeys("\x00\xad\u200b\u200c\u200d\u2060\ufeff", "")
)

_UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x00-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """The text with the characters that were meant: 行 for ⾏; without characters that have no width."""
    return text.translate(_PLAIN)


# Word processors set a quarter of a blank between Chinese and digits, which comes out of a PDF as a blank.
_NUMBER_HEAD = re.compile(r"\s*第[〇零一二三四五六七八九十百千\d]{1,9}[编章节条](?:之[一二三四五六七八九十]+)?\s+")
_QUARTER_BLANK = re.compile(
    r"(?<=[\u3001-\u303f\u3400-\u9fff\uff00-\uffef]) (?=[0-9A-Za-z])"
    r"|(?<=[0-9A-Za-z%]) (?=[\u3001-\u303f\u3400-\u9fff\uff00-\uffef])"
)


def without_quarter_blanks(text: str) -> str:
    """``2024 年 5 月`` as ``2024年5月``; the blank after 第三条 stays, it is what makes a heading of it."""
    head = _NUMBER_HEAD.match(text)
    start = head.end() if head else 0
    return text[:start] + _QUARTER_BLANK.sub("", text[start:])


_HALF = str.maketrans("(),:;?!", "（），：；？！")
_BESIDE_CHINESE = re.compile(r"(?<=[\u3001-\u303f\u3400-\u9fff\uff00-\uffef])[(),:;?!]|[(),:;?!](?=[\u3400-\u9fff])")


def full_width(text: str) -> str:
    """Marks beside Chinese as Chinese marks, which recognisers mix up: ``（一)`` as ``（一）``."""
    for _ in range(2):      # a mark beside a mark that was changed
        text = _BESIDE_CHINESE.sub(lambda match: match[0].translate(_HALF), text)
    return text


def garbled_share(text: str) -> float:
    """Share of the characters that stand for no known one: unmapped, private use or control."""
    solid = "".join(text.split())
    return len(_UNKNOWN.findall(solid)) / len(solid) if solid else 0.0
