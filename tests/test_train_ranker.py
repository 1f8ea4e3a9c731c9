"""The ranker: trained on a small base, used by a search, refused when it does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.config import Config, load_config
from core.errors import ConfigError, IndexMismatch, PolicyDeskError
from core.records import Question
from eval.gold import GoldQuestion, GoldSpan, document_name
from kb.ranker import SHIPPED, Ranker
from policydesk.app import Desk, open_desk
from policydesk.cli import app
from qa.scope import scope
from tests.conftest import SAMPLES
from train.ranker import Example, examples, read_examples, read_laws, train_ranker, without_laws, write_examples

ASKED = ("养犬管理服务费每只每年多少钱？", "住宅装修可以在几点到几点", "公租房租金怎么定", "失业金领多久")


def candidates_of(desk: Desk, question: Question):  # noqa: ANN201
    return desk.base.searcher.candidates(question.text, scope(question, top=1, home_region=""))


def taught(desk: Desk) -> list[Example]:
    """The first candidate of each question is taken for right: enough to learn something."""
    gold = []
    for n, text in enumerate(ASKED):
        question = Question(text, region="900100")
        rows = candidates_of(desk, question)[1]
        gold.append(GoldQuestion(str(n), question, ((rows[0].ref,),)))
    return examples(gold, lambda question: candidates_of(desk, question))


def test_training_gives_the_same_model_for_the_same_seed(sample_desk: Desk, tmp_path: Path) -> None:
    found = taught(sample_desk)
    assert len(found) == len(ASKED)
    for name in ("a.txt", "b.txt"):
        train_ranker(found, tmp_path / name, seed=3)
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    terms, rows = candidates_of(sample_desk, Question(ASKED[0], region="900100"))
    assert len(Ranker(tmp_path / "a.txt").score(terms, [row.candidate for row in rows])) == len(rows)


def test_the_span_of_an_answer_is_worth_more_than_its_document(sample_desk: Desk) -> None:
    question = Question(ASKED[0], region="900100")
    rows = candidates_of(sample_desk, question)[1]
    name = document_name(rows[0].source)
    gold = GoldQuestion(
        "1", question, ((name,),), by_document=True, span=GoldSpan(name, rows[0].start + 1, rows[0].start + 2)
    )
    answers = examples([gold], lambda asked: candidates_of(sample_desk, asked))[0].answers
    assert answers[0] == 3
    assert set(answers[1:]) == {0, 1}


def test_examples_come_back_from_a_file_in_half_the_precision(sample_desk: Desk, tmp_path: Path) -> None:
    found = taught(sample_desk)
    write_examples(found, tmp_path / "a.npz")
    for one, again in zip(found, read_examples(tmp_path / "a.npz"), strict=True):
        assert one.names == again.names
        assert np.allclose(one.features, again.features, rtol=1e-3)
        assert np.array_equal(one.answers, again.answers)
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(PolicyDeskError, match=r"b\.npz"):
        read_examples(tmp_path / "b.npz")
    with pytest.raises(PolicyDeskError, match="--home"):
        write_examples([], tmp_path / "c.npz")
    other = replace(found[0], names=tuple(f"x{n}" for n in range(len(found[0].names))))
    with pytest.raises(PolicyDeskError, match="train examples"):
        train_ranker([*found, other], tmp_path / "d.txt", seed=3)


def test_the_verbs_train_from_several_homes(tmp_path: Path) -> None:
    """The ranker that comes of it is one that `search` uses."""
    names = {
        "dogs": ("10_养犬管理条例.md", "养一只狗一年要交多少钱"),
        "heat": ("16_供热用热办法.md", "供热期室温最低多少度"),
    }
    for name, (file, text) in names.items():
        with open_desk(load_config(), tmp_path / name) as desk:
            desk.ingest([SAMPLES / "policies" / file], publish=True, on_bytes=lambda count: None)
            ref = candidates_of(desk, Question(text))[1][0].ref
        line = {"id": name, "question": text, "gold": [{"id": ref}]}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")

    def run(*words: str) -> None:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, result.output

    where = {name: ["--questions", str(tmp_path / f"{name}.jsonl"), "--home", str(tmp_path / name)] for name in names}
    run("train", "examples", *where["heat"], "--out", str(tmp_path / "heat.npz"))
    run(
        "train", "reranker", *where["dogs"], "--with", str(tmp_path / "heat.npz"), "--out", str(tmp_path / "both.txt")
    )
    config = load_config()
    config = config.model_copy(update={
        "search": config.search.model_copy(update={"reranker": str(tmp_path / "both.txt")})
    })
    with open_desk(config, tmp_path / "dogs") as desk:
        assert desk.search(Question(names["dogs"][1]), 3)


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(PolicyDeskError, match="--home"):
        train_ranker([], tmp_path / "a.txt", seed=3)


def test_an_explanation_adds_up_to_the_score(sample_desk: Desk) -> None:
    terms, rows = candidates_of(sample_desk, Question(ASKED[1], region="900100"))
    chunks = [row.candidate for row in rows]
    ranker = Ranker(SHIPPED)
    parts = ranker.explain(terms, chunks)
    assert [sum(part.values()) for part in parts] == pytest.approx(ranker.score(terms, chunks).tolist(), abs=1e-4)


def test_a_model_of_other_features_is_refused(sample_desk: Desk, tmp_path: Path) -> None:
    found = [replace(e, names=tuple(f"x{n}" for n in range(len(e.names)))) for e in taught(sample_desk)]
    train_ranker(found, tmp_path / "other.txt", seed=3)
    terms, rows = candidates_of(sample_desk, Question(ASKED[0], region="900100"))
    with pytest.raises(IndexMismatch, match="train reranker"):
        Ranker(tmp_path / "other.txt").score(terms, [row.candidate for row in rows])


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.txt").write_text("no model", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no\.txt"):
        Ranker(tmp_path / "no.txt")


def test_questions_on_the_named_laws_are_left_out(tmp_path: Path) -> None:
    def question(name: str, *refs: str) -> GoldQuestion:
        return GoldQuestion(name, Question("问"), tuple((ref,) for ref in refs))

    both = question("c", "乙法#第一条", "甲法#第二条")
    gold = [question("a", "甲法@2020#第一条"), question("b", "乙法#第一条"), both]
    (tmp_path / "laws.txt").write_text("甲法\n\n", encoding="utf-8")
    assert [q.id for q in without_laws(gold, read_laws(tmp_path / "laws.txt"))] == ["b"]
    assert read_laws(None) == []


def test_everyday_words_find_the_rule_that_shares_none_of_them(sample_desk: Desk, config: Config) -> None:
    hits = sample_desk.search(Question("邻居半夜装修吵死了", region="900100"), 3, explain=True)
    assert hits[0].document.facts.title == "临澜市环境噪声管理办法"
    assert dict(hits[0].scores)["sparse"] > 0
