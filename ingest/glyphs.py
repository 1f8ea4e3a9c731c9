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


def garbled_share(text: str) -> float:
    """Share of the characters that stand for no known one: unmapped, private use or control."""
    solid = "".join(text.split())
    return len(_UNKNOWN.findall(solid)) / len(solid) if solid else 0.0
