"""True sentences with their quotes, out of documents: verbatim, trimmed, reworded, with other numerals, joined."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from core.numerals import chinese_number, number
from core.records import Document
from eval.attack_kinds import Pair

_BREAK = re.compile(r"(?<=[。！？])|\n+")
_ITEM = re.compile(r"^\s*(?:[（(][一二三四五六七八九十\d]+[）)]|\d{1,2}\s*[.．、](?!\d)"
r"|[一二三四五六七八九十]{1,3}、|[①-⑳]|[-*•]|答[：:])[\s　]*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SHORTEST, _LONGEST = 12, 120
_FRAME = re.compile(r"^(?:根据|依据|按照|依照|为(?!期)了?)[^，。]{4,60}，|^(?:经市人民政府同意|现就|同时|此外|另外)，?")
_WORDS = (
    ("应当", "须"), ("应当", "应"), ("应当", "必须"), ("可以", "可"), ("不得", "不能"), ("不得", "不可以"),
    ("不予", "不"), ("按照", "按"), ("或者", "或"), ("提交", "递交"), ("缴纳", "交纳"),
    ("之日起", "当日起"), ("办结", "办理完毕"), ("周岁", "岁"), ("费用", "费"), ("无需", "不需要"), ("禁止", "不得"),
    ("但是", "但"), ("以及", "和"), ("提出申请", "申请"),
    ("十日内", "10天内"), ("个工作日内", "个工作日以内"), ("不超过", "最多不超过"), ("并且", "且"),
    ("进行审核", "审核"), ("老年人", "老人"), ("住房公积金", "公积金"),
    ("没有", "无"), ("同时符合下列", "同时符合以下"), ("下列", "以下"), ("完成审核", "审核完毕"), ("发给", "发放"),
    ("拨打", "打"), ("本人", "自己"), ("其他", "其它"), ("均", "都"),
)
_LEADS = ("", "您", "请注意，", "按照规定，", "根据规定，", "")
_DIGITS = re.compile(r"(?<![第〔\[\d.\-—])(?!(?:19|20)\d\d年)\d{1,4}(?=[个日天年月元岁人次户万]|工作日|周岁|平方米"
r"|小时)(?!年\d|月\d)")
_NUMERALS = re.compile(r"(?<![第之十百千])(?:[二三四五六七八九十百千两]+"
r"|一[十百千][一二三四五六七八九十百千]*)(?=个(?:月|工作日)|日内|元|周岁|年内|小时|平方米|倍)")
_PERCENT = re.compile(r"百分之([一二三四五六七八九十百]+)(?![点一二三四五六七八九十分])")


def sentences_of(document: Document) -> list[tuple[str, str]]:
    """(sentence, the paragraph that it stands in), without titles and headings."""
    found = []
    for article in document.articles:
        text = document.text[article.start : article.end]
        if len(text) > 900:
            continue
        for piece in _BREAK.split(text):
            bare = _ITEM.sub("", piece.strip())
            fits = _SHORTEST <= len(bare) <= _LONGEST and bare.endswith("。")
            if fits and "|" not in bare and len(_HAN.findall(bare)) > 8:
                found.append((bare, text.strip()))
    return found


def true_pairs(documents: Sequence[Document], chance: random.Random, *, per_document: int) -> Iterator[Pair]:
    """Each sentence once, made in one of five ways by turns."""
    for document in documents:
        found = sentences_of(document)
        chance.shuffle(found)
        for n, (sentence, paragraph) in enumerate(found[:per_document]):
            yield _made(document, sentence, paragraph, n, found, chance)


def _made(
    document: Document, sentence: str, paragraph: str, n: int, found: Sequence[tuple[str, str]], chance: random.Random
) -> Pair:
    if not in_its_place(sentence, paragraph):
        paragraph = sentence
    if n % 5 == 1:
        trimmed = _FRAME.sub("", sentence)
        if trimmed != sentence and len(trimmed) >= _SHORTEST:
            return Pair(document.id, "trimmed", trimmed, (paragraph,))
    if n % 5 in (1, 2):
        reworded = reword(sentence, chance)
        if reworded != sentence:
            return Pair(document.id, "reworded", reworded, (paragraph,))
    if n % 5 == 3:
        other = numerals(sentence)
        if other != sentence:
            return Pair(document.id, "numerals", other, (paragraph,))
    if n % 5 == 4 and len(found) > 1:
        second, its = chance.choice([row for row in found if row[0] != sentence] or [(sentence, paragraph)])
        its = its if in_its_place(second, its) else second
        return Pair(document.id, "joined", f"{sentence[:-1]}；{second}", (paragraph, its))
    return Pair(document.id, "verbatim", sentence, (paragraph,))


def in_its_place(sentence: str, paragraph: str) -> bool:
    """Whether the sentence alone says what it says there: not as an item of 不得有下列行为, nor before a 但."""
    place = paragraph.find(sentence)
    lead = paragraph[:place]
    if "：" in lead and re.search(r"[不禁非除无未]", re.split(r"[。\n]", lead[: lead.rindex("：")])[-1]):
        return False
    return not re.match(r"\s*(?:但|除|前款|上述|[^。\n]*(?:除外|不适用|不在此限)。)",
    paragraph[place + len(sentence) :])


def reword(sentence: str, chance: random.Random) -> str:
    """Up to three words by others that say the same."""
    rows = [(old, new) for old, new in _WORDS if old in sentence]
    chance.shuffle(rows)
    done: set[str] = set()
    for old, new in rows[:3]:
        if old not in done and not (old == "不超过" and re.search("最.{0,3}不超过", sentence)):
            sentence = re.sub(rf"(?<![一二三四五六七八九]){old}", new, sentence)
            done |= {old, new}
    lead = chance.choice(_LEADS) if done else ""
    return lead + sentence


def numerals(sentence: str) -> str:
    """Chinese numerals as digits and digits as Chinese numerals; 百分之五 as 5%."""
    changed = _PERCENT.sub(lambda m: f"{number(m[1])}%", sentence)
    changed = _NUMERALS.sub(lambda m: str(number(m[0])), changed)
    if changed == sentence:
        changed = _DIGITS.sub(lambda m: chinese_number(int(m[0])) if int(m[0]) and m[0][0] != "0" else m[0], sentence)
    return changed.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)}) if changed == sentence else changed
