"""What learns to choose an answer: made questions, gains, and the curve of confidence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import PolicyDeskError
from kb.tokens import open_tokenizer
from qa.select_confidence import read_curve
from train.evidence import (
    EVIDENCE,
    WORDING,
    SentenceExample,
    SignExample,
    gain_of,
    train_curve,
    train_sentences,
    train_words,
)
from train.made_questions import Source, made_questions

TEXT = """关于促进就业的若干措施
（一）强化稳岗支持。对不裁员的参保企业，返还上年度失业保险费的50%，最高不超过30万元。申请应当于2024年6月30日前提出。
（二）加强技能培训。各区人力资源部门应当通过线上平台、企业自办和学校代办等方式组织培训。对取得证书的，每人补贴1500元。
由市人力资源和社会保障局负责解释，咨询电话0311-88615047。
对符合条件的高校毕业生，给予一次性求职补贴，标准为每人2000元。"""


def made(number: int = 40, *, copies: int = 6) -> list[tuple[str, str, str]]:
    sources = [Source(f"甲{n}", "临澜市", TEXT) for n in range(copies)]
    found = made_questions(sources, number, cut=open_tokenizer("auto", bigrams=False).cut, seed=3)
    return [(one.kind, one.question, TEXT[one.start : one.end]) for one in found]


def test_made_questions_ask_for_what_stands_in_the_document() -> None:
    found = made()
    assert {"heading", "phrase"} <= {kind for kind, _, _ in found}
    assert all(question.endswith("？") and answer in TEXT for _, question, answer in found)
    headings = [answer for kind, _, answer in found if kind == "heading"]
    assert all(answer.startswith(("对不裁员", "各区")) for answer in headings)


def test_the_same_seed_makes_the_same_questions() -> None:
    assert made() == made()


def test_a_phrase_that_is_asked_for_is_not_in_the_question() -> None:
    assert all(answer not in question for kind, question, answer in made() if kind == "phrase")


def test_a_sentence_gains_by_how_much_of_it_is_the_answer() -> None:
    assert gain_of(10, 10, 10) == 1
    assert gain_of(10, 100, 10) == pytest.approx(0.7)
    assert gain_of(5, 10, 10) == 0.5
    assert gain_of(0, 10, 10) == 0


def signs(rng: np.random.Generator, *, holds: float, talk: float) -> dict[str, float]:
    found = {name: float(rng.normal(0, 0.1)) for name in (*EVIDENCE, *WORDING)}
    return found | {"sentence_holds": holds + float(rng.normal(0, 0.1)), "talk": talk}


def test_the_curve_refuses_as_many_answerable_questions_in_any_wording(tmp_path: Path) -> None:
    """Everyday questions hold less of their rule: that alone must not have them refused."""
    rng = np.random.default_rng(1)
    examples = []
    for talk, held, lacked in ((0.0, 0.9, 0.5), (3.0, 0.5, 0.1)):
        examples += [SignExample("policy", signs(rng, holds=held, talk=talk), True, True) for _ in range(200)]
        examples += [SignExample("policy", signs(rng, holds=lacked, talk=talk), False, False) for _ in range(200)]
    train_curve(examples, tmp_path / "curve.json")
    curve = read_curve(tmp_path / "curve.json")
    for talk in (0.0, 3.0):
        of = [example for example in examples if example.signs["talk"] == talk]
        low = [(e.answerable, curve.value(e.signs) < 0.5) for e in of]
        refused = [np.mean([below for answerable, below in low if answerable is right]) for right in (True, False)]
        assert refused[0] < 0.15
        assert refused[1] > 0.8
    assert set(json.loads((tmp_path / "curve.json").read_text())["names"]) == {*EVIDENCE, *WORDING}


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    empty = SentenceExample(("a",), np.zeros((2, 1), dtype=np.float32), np.zeros(2, dtype=np.float32))
    with pytest.raises(PolicyDeskError, match="学不到排序"):
        train_sentences([empty], tmp_path / "sentences.txt", seed=1)
    with pytest.raises(PolicyDeskError, match="学不到答案的起止"):
        train_words([], tmp_path / "words.txt", seed=1)
    only = [SignExample("policy", dict.fromkeys((*EVIDENCE, *WORDING), 0.0), True, True)]
    with pytest.raises(PolicyDeskError, match="何时拒答"):
        train_curve(only, tmp_path / "curve.json")
