"""The HTML report of a retrieval evaluation, and its drawings."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from core.records import Question
from eval.ablation import ablate
from eval.gold import GoldQuestion
from eval.page import PageFacts, retrieval_page
from eval.plots import bar, rank_curves, share_within
from eval.retrieval import Found, evaluate_retrieval

EVIL = "<script>alert('补贴')</script>"
QUESTIONS = [
    GoldQuestion("q1", Question("住房补贴怎么领"), (("a",),), kind="补贴"),
    GoldQuestion("q2", Question(EVIL), (("b", "c"),), kind="医保"),
]


def search(question: Question, top: int) -> list[Found]:
    return [Found("a", "d", 0, 9, title="办法", address="第八条", text=f"见 http://example.invalid {EVIL}")]


class Requests(HTMLParser):
    """Collects everything that would make a browser ask for something."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asked += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset", "data", "action")]


def page() -> str:
    result = evaluate_retrieval(QUESTIONS, search)
    losing = tuple(replace(loss, wanted="应找到的原文") for loss in result.losing)
    rows = ablate(QUESTIONS, {"仅词项": search, "全部": search})
    return retrieval_page(result, PageFacts("samples", "2026-11-25", ("库里缺 1 份",)), rows=rows, losing=losing)


def test_the_page_shows_scores_stages_and_losses_in_chinese() -> None:
    text = page()
    parts = ("检索评测", "库里缺 1 份", "前十召回", "各环节的作用", "落空的问题（1）", "应找到的原文", "b 或 c")
    assert [part for part in parts if part not in text] == []
    assert "住房补贴怎么领" not in text     # it was found


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    reader = Requests()
    reader.feed(page())
    assert reader.asked == []
    assert not {"script", "link", "iframe", "img"} & reader.tags
    assert not re.search(r"url\(|@import", page())


def test_shares_grow_with_the_rank_up_to_what_was_found() -> None:
    assert share_within([1, 3, 3, None], 4) == [0.25, 0.25, 0.75, 0.75]
    assert share_within([9], 4) == share_within([], 4) == [0, 0, 0, 0]


def test_a_bar_is_as_long_as_its_value() -> None:
    assert '<rect width="60.0"' in bar(0.5, 0.25, 0.75)
    assert "M30.0 6H90.0" in bar(0.5, 0.25, 0.75)


def test_each_curve_has_its_own_colour_and_name() -> None:
    drawn = rank_curves({"仅词项": [1, 2], "<全部>": [1, 1]}, depth=10)
    assert len(set(re.findall(r'<polyline[^>]*stroke="(#\w+)"', drawn))) == 2
    assert "&lt;全部&gt;" in drawn
    assert rank_curves({"一个": [1]}, depth=1).count("<polyline") == 1
