"""Training the encoder: what is read, what is paired with what, and that meaning comes out of company."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.errors import IngestError, MissingExtra, PolicyDeskError
from kb.static_encoder import StaticEncoder, TermIds
from policydesk.cli import app
from tests.test_core_models import installed
from tests.tiny_models import needs_models
from train.cooccurrence import make_vocabulary, start_vectors
from train.encoder import EncoderShape, Lessons, save_encoder, train_encoder
from train.pairs import answer_pairs, distinct, everyday_pairs, gold_pairs, sentence_pairs, term_pairs
from train.passages import Answered, Passage, home_passages, read_answered, read_passages

WAGES = "用人单位应当按月支付劳动报酬；拖欠劳动报酬的，由劳动行政部门责令支付。"
DOGS = "饲养犬只应当办理养犬登记，携带犬只出户应当束犬链；犬只伤人的，由公安机关处理。"
TERMS = {"老板": ("用人单位",), "工钱": ("劳动报酬",), "遛狗": ("携带犬只",)}


def make_passages(number: int = 12) -> list[Passage]:
    return [
        Passage(law, f"{law}{n}", "第一章 总则", text.replace("；", f"，见第{n}号；").replace("。", f"，见第{n}款。"))
        for n in range(number) for law, text in (("劳动法", WAGES), ("养犬条例", DOGS))
    ]


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


# reading


def test_articles_are_read_without_the_laws_left_out(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "laws.jsonl.gz", [
        {"id": "劳动法@1994#第一条", "law": "劳动法", "title": "某国劳动法", "path": ["第一章"], "text": "甲"},
        {"id": "民法典@2020#第二条", "title": "民法典", "path": None, "text": "乙"},
    ])
    assert [passage.law for passage in read_passages([path])] == ["劳动法", "民法典"]
    assert read_passages([path], without=["民法典"]) == [
        Passage("劳动法", "某国劳动法", "第一章", "甲", "劳动法@1994#第一条")
    ]


def test_questions_are_read_with_their_answers_unless_an_article_is_left_out(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "asked.jsonl", [
        {"id": 1, "question": "甲？", "answer": "答甲", "gold": [{"id": "劳动法@1994#1", "also": ["劳动法@2018#1"]}]},
        {"id": 2, "query": "乙？", "turns": [{"role": "user", "text": "乙？"}, {"role": "assistant", "text": "答乙"}],
         "articles": [{"id": "民法典@2020#第二条"}]},
        {"id": 3, "question": "丙？", "answer": None},
    ])
    assert read_answered([path]) == [
        Answered("甲？", "答甲", ("劳动法@1994#1",)), Answered("乙？", "答乙", ("民法典@2020#第二条",)),
    ]
    assert [one.question for one in read_answered([path], without=["劳动法"])] == ["乙？"]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "laws.jsonl", [{"id": "a", "title": "b", "text": "c"}, {"id": "a", "title": "b"}])
    with pytest.raises(IngestError, match=r"laws\.jsonl:2.*text"):
        read_passages([path])
    with pytest.raises(IngestError, match="请检查路径"):
        read_answered([tmp_path / "nowhere.jsonl"])


def test_articles_of_a_home_have_title_and_law_of_their_reference() -> None:
    articles = [("养犬条例@2020-01-01#第一条", "某市养犬条例\n饲养犬只应当登记。"), ("劳动法#第一条", "劳动法\n甲")]
    assert home_passages(articles, without=["劳动法"]) == [
        Passage("养犬条例", "某市养犬条例", "", "饲养犬只应当登记。", "养犬条例@2020-01-01#第一条")
    ]


# pairs


def test_a_clause_is_paired_with_the_rest_of_its_article_which_it_is_not_part_of() -> None:
    passages = make_passages()
    pairs = list(sentence_pairs(passages, random.Random(1)))
    assert len(pairs) > len(passages) / 2
    assert not [said for said, rest in pairs if said in rest]
    titled = sum("第一章 总则" in rest for _, rest in pairs)
    assert 0 < titled < len(pairs)


def test_official_terms_are_said_in_everyday_words() -> None:
    pairs = list(everyday_pairs(make_passages(), TERMS, random.Random(1)))
    assert pairs
    for said, told in pairs:
        assert any(word in said for word in TERMS)
        assert any(term in told for terms in TERMS.values() for term in terms)


def test_a_term_is_said_at_most_sixty_times() -> None:
    pairs = list(everyday_pairs(make_passages(200), {"遛狗": ("携带犬只",)}, random.Random(1)))
    assert len(pairs) == 60


def test_term_and_answer_pairs_are_made_of_each_entry_and_each_sentence() -> None:
    assert list(term_pairs({"工钱": ("劳动报酬", "工资")})) == [("工钱", "劳动报酬 工资")]
    answered = [Answered("老板不给钱？", "可以向劳动监察大队投诉。好的。\n也可以依法申请劳动仲裁", ())]
    assert [told for _, told in answer_pairs(answered)] == ["可以向劳动监察大队投诉", "也可以依法申请劳动仲裁"]


def test_each_text_is_learned_once() -> None:
    assert len(distinct([*make_passages(3), *make_passages(3)])) == 6


def test_a_question_is_paired_with_its_articles_where_these_are_at_hand() -> None:
    passages = [
        Passage("劳动法", "某国劳动法", "", WAGES, "劳动法@1994#50"), Passage("养犬条例", "", "", DOGS, "养犬@1#1"),
    ]
    answered = [Answered("老板不给工钱", "", ("劳动法@1994#50", "没有的法@1#1")), Answered("遛狗", "")]
    assert list(gold_pairs(answered, passages)) == [("老板不给工钱", WAGES)]


# the start


def test_the_vocabulary_holds_what_is_frequent_and_what_is_taught() -> None:
    vocabulary = make_vocabulary(make_passages(), ["遛狗"], size=1000)
    assert {"劳动报酬", "#劳动", "@犬", "遛狗"} <= set(vocabulary.terms)
    assert len(make_vocabulary(make_passages(), [], size=20).terms) == 20


def test_terms_of_the_same_company_lie_near() -> None:
    passages = make_passages()
    vocabulary = make_vocabulary(passages, [], size=1000)
    rows = start_vectors(passages, vocabulary, dim=16, seed=1)
    assert rows.shape == (len(vocabulary.terms), 16)
    wages, pay, dogs = rows[[vocabulary.terms.index(term) for term in ("拖欠", "责令", "@链")]]
    assert wages @ pay > 0.5 * np.linalg.norm(wages) * np.linalg.norm(pay) > wages @ dogs


# the whole


def lessons() -> Lessons:
    return Lessons(make_passages(), [Answered("老板不给工钱怎么办", WAGES, ("劳动法",))], TERMS)


@needs_models
def test_everyday_words_come_to_lie_near_official_ones_the_same_each_time(tmp_path: Path) -> None:
    shape = EncoderShape(terms=400, dim=16)
    first = train_encoder(lessons(), tmp_path / "first", seed=1, shape=shape)
    second = train_encoder(lessons(), tmp_path / "second", seed=1, shape=shape)
    assert first == second
    encoder = StaticEncoder(tmp_path / "first")
    assert (encoder.name, encoder.dim) == (first.name, 16)
    wages, dogs = encoder.embed([WAGES, DOGS]) @ encoder.embed_questions(["老板不给工钱"])[0]
    assert wages > dogs
    assert train_encoder(lessons(), tmp_path / "third", seed=2, shape=shape).name != first.name


def test_eight_bits_give_nearly_the_vectors_of_thirty_two(tmp_path: Path) -> None:
    vocabulary = make_vocabulary(make_passages(), [], size=400)
    rows = np.random.default_rng(1).normal(size=(len(vocabulary.terms), 32)).astype(np.float32)
    rows *= np.geomspace(0.01, 10, len(rows), dtype=np.float32)[:, None]      # short and long ones alike
    save_encoder(rows, vocabulary, tmp_path)
    for text in (WAGES, DOGS, "犬"):
        exact = rows[TermIds(vocabulary.terms)(text)].sum(axis=0)
        assert StaticEncoder(tmp_path).embed([text])[0] @ exact > 0.999 * np.linalg.norm(exact)


@needs_models
def test_the_verb_trains_from_files_and_leaves_a_card(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "laws.jsonl.gz", [
        {"id": f"{passage.law}@2020#第{n}条", "title": passage.title, "text": passage.text}
        for n, passage in enumerate(make_passages())
    ])
    laws = tmp_path / "without.txt"
    laws.write_text("养犬条例\n", encoding="utf-8")
    out = tmp_path / "encoder"
    result = CliRunner().invoke(app, [
        "train", "encoder", "--corpus", str(corpus), "--without-laws", str(laws), "--seed", "3", "--out", str(out),
    ])
    assert result.exit_code == 0, result.output
    card = (out / "README.md").read_text(encoding="utf-8")
    assert StaticEncoder(out).name in card
    assert "--corpus laws.jsonl.gz" in card
    assert "--seed 3" in card
    assert "| articles | laws.jsonl.gz |" in card
    assert "| 12 |" in card


@pytest.mark.skipif(installed, reason="sentence-transformers is installed here, so it cannot be missing")
def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r'pip install -e "\.\[train\]"'):
        train_encoder(lessons(), tmp_path, seed=1)


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyDeskError, match="--corpus"):
        train_encoder(Lessons([], [], {}), tmp_path, seed=1)
