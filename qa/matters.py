"""What a question is about, and the several matters that one turn may hold."""

from __future__ import annotations

import re
from functools import cache

from qa.list_files import rows

_STOPS = re.compile(r"(?<=[？?])\s*|(?<=[。；;！!\n])\s*")
# a new matter is announced
_ANOTHER = re.compile(
    r"(?:[，,。；;！!\s]|(?<=[？?])|^)(?:另外|此外|其次|顺便(?:问一?下?)?|对了|再(?:问|请教|咨询)(?:一?下|一个)?|还(?:想|要)(?:再)?(?:问|咨询|了解)(?:一?下)?"
    r"|还有(?:一个|个)?(?:就是|问题|事)?|同时(?:想|我)|第[二三四五](?:个(?:问题)?是?|问|(?=[，,、：:]))|[二三四五2345][、.．])[，,：:、\s]*"
)
_FIRST = re.compile(r"^\s*(?:(?:一|1)[、.．]|第一个?(?:问题)?(?:是)?|首先)[，,：:、\s]*")
_ASKS = re.compile(
    r"[吗呢么？?]|怎么|怎样|如何|咋|多少|几[天日个点岁年月]|什么|啥|哪|谁|何时|多久|多长|能不能|可不可以|是否|有没有|能否|可否|要不要|会不会"
    r"|条件|流程|材料|标准|不[？?]?$"
)
_LEANS = re.compile(
    r"\s*(?:那|这|该|此|他|她|它|其|如果|要是|若|或者?|还|也|能|会|得|要|可|是否|需要|应当|应该|有|法院|对方|怎么|什么|多|几|哪|谁)"
)
_COMMA = re.compile(r"[，,；;]")
_SHORT = 20
_LEAST = 4                   # characters of a matter that stands by itself
_SPACE = re.compile(r"[\s，,。；;？?！!、：:（）()“”\"《》]+")


def matters(question: str) -> tuple[str, ...]:
    """The matters of one turn, each as it was asked; a single one is the whole turn.

    Split where a new matter is announced (另外, 还想问, 二、), and between questions that have no word in
    common and each say what they are about.

    >>> matters("公租房怎么申请？另外养犬要交多少钱？")
    ('公租房怎么申请？', '养犬要交多少钱？')
    """
    announced = [part.strip() for part in _ANOTHER.split(_FIRST.sub("", question)) if part.strip()]
    parts = announced if len(announced) > 1 and sum(map(_asks, announced)) > 1 else [question.strip()]
    found: list[str] = []
    for part in parts:
        found += _apart(part)
    return _joined(found) if found else (question,)


def about(question: str) -> str:
    """``question`` without the words that ask and that every matter has: 高龄津贴 of 高龄津贴怎么申请？

    >>> about("那需要什么材料？")
    ''
    """
    return _SPACE.sub(" ", _asking().sub(" ", question)).strip()


def alike(one: str, other: str) -> bool:
    """Whether two texts have two neighbouring characters in common that say what they are about."""
    return bool(_pairs(about(one)) & _pairs(about(other)))


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1) if " " not in text[i : i + 2]}


def _asks(text: str) -> bool:
    return bool(_ASKS.search(text))


def _apart(part: str) -> list[str]:
    """Questions one after the other, where nothing in the later one leans on the earlier."""
    pieces = [piece for piece in _STOPS.split(part) if piece.strip()]
    found: list[str] = []
    for piece in pieces:
        if found and _stands_alone(piece, found[-1]):
            found.append(piece)
        elif found:
            found[-1] += piece
        else:
            found.append(piece)
    return found


def _stands_alone(piece: str, before: str) -> bool:
    """Both are short questions, each with words of its own. In longer ones, and after a comma, the later question
    nearly always goes on with the same matter: 8 of 8 such splits in 1,172 real questions were wrong."""
    if before.rstrip()[-1:] not in ("？", "?") or not (_asks(before) and _asks(piece)):
        return False
    if max(len(piece), len(before)) > _SHORT or _COMMA.search(before.strip()) or _COMMA.search(piece.strip()):
        return False
    own = len(about(piece).replace(" ", ""))
    return own >= _LEAST and not alike(before, piece) and not _LEANS.match(piece)


def _joined(parts: list[str]) -> tuple[str, ...]:
    """A part that asks nothing, such as a greeting or what happened, goes with the next."""
    found: list[str] = []
    waiting = ""
    for part in parts:
        if _asks(part):
            found.append((waiting + part).strip())
            waiting = ""
        else:
            waiting += part
    if waiting and found:
        found[-1] += waiting
    return tuple(found) or (waiting,)


@cache
def _asking() -> re.Pattern[str]:
    words = {word for row in rows("asking_words.txt", 1) for word in row[0].split(" ")}
    return re.compile("|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word)))))
