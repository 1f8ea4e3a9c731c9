"""How much of a question a text speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

# Words that shape a question and name nothing in it; a rule need not hold them.
_SHAPE = frozenset(
    "请问 你好 您好 谢谢 我 你 您 他 她 它 我们 你们 他们 我家 自己 咱 咱们 这 那 这个 "
    "那个 这样 那样 这里 那里 这种 什么 怎么 怎么办 怎样 如何 为什么 为何 多少 多久 多长 "
    "多大 多高 几 哪 哪些 哪里 哪儿 哪个 谁 何时 时候 什么样 的 了 吗 呢 吧 啊 呀 嘛 哦 "
    "么 得 地 着 过 是 不 没 没有 有 有没有 是不是 能不能 可不可以 要不要 会不会 能 能否 "
    "可以 可 需要 要 应该 应当 会 想 想要 知道 告诉 一下 一个 在 到 去 来 给 把 被 让 "
    "向 从 对 和 与 及 或 或者 还 还是 还有 就 也 都 又 再 才 只 很 太 最 更 但 但是 "
    "如果 要是 的话 因为 所以 以 为 于 之 其 等 上 下 里 中 内 外 后 前 时 规定 政策 "
    "办理 情况 问题 咨询 现在 目前 个 该 每 各 啥 咋 咋办 弄 做 搞 办 请 关于 有关 相关 "
    "属于 哪种 今年 大概 岁 周岁 个月 每个月 一个月 每个 政府 听说 到底 具体 东西 事情 ".split()
)
# What is asked for: a rule lists 身份证 and 户口簿 and need not say 材料.
_KINDS = frozenset(
    "材料 手续 流程 条件 标准 费用 金额 比例 期限 时限 时间 地点 地址 方式 渠道 途径 电话 热线 号码 措施 举措 要求 "
    "内容 待遇 对象 范围 部门 单位 具体 主要 提出 采取 带 提交 提供 申领".split()
)
_KIND_WEIGHT = 0.3
_OFFICIAL = 0.8        # an official term in the place of an everyday word, as an abbreviation
_MEDIAN_IDF = 11.95    # of jieba's table; stands for words that are not in it
# Words that ask, and numbers: a rule states ranges and limits, seldom the age or sum of who asks.
_ASKING = re.compile(
    r"[哪啥咋几何吗呢]|多少|多久|什么|怎|"
    r"^[\d.零〇一二两三四五六七八九十百千万]+(?:周?岁|个?月|年|日|天|元|块|个|人|次|号)?$"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of a question that name something, with their weights; weights add up to 1."""

    weights: tuple[tuple[str, float], ...]
    official: tuple[tuple[str, tuple[str, ...]], ...] = ()     # terms that everyday words of the question stand for

    def coverage(self, text: str) -> float:
        """The share of the weight whose words stand in ``text``, from 0 to 1. An abbreviation (公租房 for
        公共租赁住房) and a part of a long word (贷款 of 住房公积金贷款) count for less than the word itself."""
        return sum(weight * self._presence(word, text) for word, weight in self.weights)

    def missing(self, text: str) -> float:
        """The greatest weight of a single word that ``text`` lacks."""
        return max((weight * (1 - self._presence(word, text)) for word, weight in self.weights), default=0.0)

    def _presence(self, word: str, text: str) -> float:
        known = _presence(word, text)
        if known < _OFFICIAL and any(
            (word in everyday or everyday in word) and any(term in text for term in terms)
            for everyday, terms in self.official
        ):
            return _OFFICIAL
        return known


def question_terms(
    question: str, words: Callable[[str], list[str]], official: Sequence[tuple[str, tuple[str, ...]]] = ()
) -> Terms:
    """Distinct content words weighted by how rare they are in general Chinese.

    ``official``: everyday words of the question, each with the terms that rules say for it.
    """
    named = dict.fromkeys(word for word in words(question) if word not in _SHAPE and not _ASKING.search(word))
    rare = [(word, _rarity(word) * (_KIND_WEIGHT if word in _KINDS else 1.0)) for word in named]
    total = sum(weight for _, weight in rare)
    return Terms(tuple((word, weight / total) for word, weight in rare), tuple(official))


def _presence(word: str, text: str) -> float:
    if word in text:
        return 1.0
    if len(word) < 2:
        return 0.0
    if _abbreviation(word).search(text):
        return 0.8
    pairs = [word[i : i + 2] for i in range(len(word) - 1)]
    return 0.8 * sum(pair in text for pair in pairs) / len(pairs)


@lru_cache(10_000)
def _abbreviation(word: str) -> re.Pattern[str]:
    """Abbreviations keep one character of each word: at most two are left out between those of a short form."""
    return re.compile((".{0,2}" if len(word) > 2 else ".{0,1}").join(map(re.escape, word)))


def _rarity(word: str) -> float:
    """Inverse document frequency in general text; one character says little of what is meant."""
    return float(_general_idf().get(word, _MEDIAN_IDF)) * (0.4 if len(word) == 1 else 1.0)


@cache
def _general_idf() -> Mapping[str, str]:
    """jieba's table of 267,000 words; the numbers stay text, since few of them are ever asked for."""
    lines = _jieba_folder().joinpath("analyse/idf.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ") for line in lines)    # two fields on every line


def _jieba_folder() -> Path:
    """Found without importing it: its source warns on newer Pythons, and its code is not needed."""
    spec = find_spec("jieba")
    assert spec is not None  # one of our dependencies
    assert spec.origin is not None
    return Path(spec.origin).parent
