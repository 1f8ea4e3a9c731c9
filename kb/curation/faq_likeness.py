"""How alike two questions are, and which of many stored questions is nearest: for entries that answer directly.

Two likenesses are mixed: of whole questions by the encoder, and of the words that name something, each with its best
partner on the other side. Before that, `kb.curation.faq_guard` must find nothing that tells the two apart, and each
word of the question must have a partner: 身份证多久办好 is much like 居住证多久办好, and another question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.ports import Vectors
from kb.background import Background
from kb.curation.faq_guard import Points, agree, points_of
from kb.tokens import SHAPE, plain

# Chosen on the 12 entries of eval/faq_questions.jsonl whose split is dev.
WORDS_SHARE = 0.7                # of the words' likeness; the rest is that of whole questions
PARTNER = 0.4                    # a word without a partner this near is about something else
_INSIDE = 0.9                    # 失业金 and 失业保险金, 楼 in 旧楼: one is a part of the other
_LOOKED_AT = 16                  # stored questions compared word by word, the nearest by vectors
# Words that shape a request and name nothing in it, beside `kb.tokens.SHAPE`.
_LIGHT = frozenset(
    "办 办好 办理 办法 申请 申领 领 领取 领到 拿 拿到 等 交 缴 发 给 收 取 提 要求 "
    "需要 享受 能够 每 每月 每年 一年 一个 一月 一 月 年 个 次 天 最 最高 最多 最低 "
    "最少 最长 必须 大概 打 名 户 台 吨 条 只 位 家 好 行 买 多 些 有关 规定 包括 "
    "内 之内 之后 以后 以上 以下 几 到 做 弄 算 乘 坐 进 点 元 万 第 档 级 现在 "
    "今年 我家 家里 小 老 会 使用 用 还 再 由 替 帮 不 应该 开始 标准 项目 服务 情况 "
    "东西 出 出来 钱 时间 时候 长时间 每个 能 可以 要 电话 材料 证件 准备 带 收费 费用 "
    "花钱 流程 程序 条件 价格 单价 额度 上限 首次 头一回 第一次 第一 时限 结果 期限 "
    "有没有 是不是 号码 拨打 打电话 地点 窗口 每位 每人 每户 每只 每台 每条 一条 一台 "
    "一只 一方 一户 下来 不许 不能 禁止 得 让 满 只能 最多能 一下".split()
)
_ASKING = re.compile(r"[哪啥咋几何谁]|多少|多久|多长|多大|多高|什么|怎|^第|"
                     r"^[\d.零〇一二两三四五六七八九十百千万]+(?:周?岁|个?月|年|日|天|元|块|个|人|次|号|条|只|档|级|阶)?$")
_EDGES = re.compile(r"^[能可要该会不]|[能后时]$")


@dataclass(frozen=True, slots=True)
class Features:
    """What a question is compared by."""

    vector: NDArray[np.float32]
    words: tuple[str, ...]           # that name something, each once
    weights: NDArray[np.float32]     # of the words; they add up to 1
    word_vectors: Vectors
    points: Points


class Likeness:
    """Compares questions. Threads may share it."""

    def __init__(
        self, embed: Callable[[Sequence[str]], Vectors], words: Callable[[str], list[str]], background: Background,
        region_names: Iterable[str] = (),
    ) -> None:
        """``embed`` gives vectors of questions and of single words; ``words`` cuts a question."""
        self._embed = embed
        self._word_vector = lru_cache(20_000)(lambda word: embed([word])[0])     # most words come again: 0.2 ms less
        self._words = words
        self._background = background
        self._regions = frozenset(region_names)

    def features(self, question: str) -> Features:
        points = points_of(plain(question), self._regions)
        for name in points.regions:      # where it is asked for is compared by itself
            question = question.replace(name, "")
        words = tuple(dict.fromkeys(filter(_names, map(_bare, self._words(question)))))
        idf = self._background.idf(words)
        vectors = np.array([self._word_vector(word) for word in words], dtype=np.float32)
        total = np.float32(idf.sum() or 1.0)
        return Features(self._embed([question])[0], words, idf / total, vectors, points)

    def same(self, one: Features, other: Features) -> float:
        """0 to 1; 0 where something tells the two apart. ``one`` is what is asked, ``other`` what is stored."""
        if not agree(one.points, other.points):
            return 0.0
        return self.alike(one, other, partner=PARTNER)

    def alike(self, one: Features, other: Features, *, partner: float = 0.0) -> float:
        """0 to 1, whatever tells the two apart; 0 where a word of ``one`` has no partner as near as ``partner``."""
        whole = float(one.vector @ other.vector)
        if not one.words or not other.words:
            return max(0.0, whole) if one.words == other.words else 0.0
        pairs = _partners(one, other)
        mine, theirs = pairs.max(axis=1), pairs.max(axis=0)
        if any(value < partner and len(word) > 1 for word, value in zip(one.words, mine, strict=True)):
            return 0.0
        named = min(float(mine @ one.weights), float(theirs @ other.weights))
        return max(0.0, (1 - WORDS_SHARE) * whole + WORDS_SHARE * named)


class Questions:
    """Stored questions, the nearest of which are found at once: 4,000 take 0.4 ms."""

    def __init__(self, likeness: Likeness, texts: Sequence[str]) -> None:
        self._likeness = likeness
        self.features = [likeness.features(text) for text in texts]
        self._matrix = np.array([one.vector for one in self.features], dtype=np.float32)

    def nearest(self, asked: Features, allowed: NDArray[np.bool_]) -> list[tuple[int, float]]:
        """(place, likeness) of stored questions that nothing tells apart from ``asked``, best first."""
        if not allowed.any():
            return []
        whole = np.where(allowed, self._matrix @ asked.vector, -1.0)
        some = min(_LOOKED_AT, len(whole))
        places = [int(place) for place in np.argpartition(-whole, some - 1)[:some] if allowed[place]]
        found = [(place, self._likeness.same(asked, self.features[place])) for place in places]
        return sorted(((place, value) for place, value in found if value > 0), key=lambda pair: (-pair[1], pair[0]))


def _partners(one: Features, other: Features) -> NDArray[np.float32]:
    """How near each word of ``one`` (rows) is to each of ``other``."""
    near: NDArray[np.float32] = np.clip(one.word_vectors @ other.word_vectors.T, 0.0, 1.0)
    for row, mine in enumerate(one.words):
        for column, theirs in enumerate(other.words):
            if mine == theirs:
                near[row, column] = 1.0
            elif len(mine) > 1 and len(theirs) > 1 and (mine in theirs or theirs in mine):
                near[row, column] = max(near[row, column], _INSIDE)
    return near


def _bare(word: str) -> str:
    """能领 -> 领: the cutter joins what belongs to the request."""
    return _EDGES.sub("", word) if len(word) == 2 and _EDGES.sub("", word) in _LIGHT else word


def _names(word: str) -> bool:
    return word not in SHAPE and word not in _LIGHT and not _ASKING.search(word)
