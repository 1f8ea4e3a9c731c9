"""The numbers by which the ranker compares a question with candidates."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.background import Background, count_background, read_background, write_background
from kb.expansion import Expansion
from kb.features import AskedTerms, Candidate, _sign_counts, feature_matrix, feature_table, pair_counts
from kb.tokens import open_tokenizer

TOKENIZER = open_tokenizer("auto", bigrams=True)


def asked(text: str, *terms: str) -> AskedTerms:
    expansions = [Expansion(term, 1.0, "") for term in terms]
    return AskedTerms(text, expansions, tokenizer=TOKENIZER, background=read_background())


def candidate(text: str, document: str = "d", **other: object) -> Candidate:
    plain = Candidate("0", document, text, "供热办法", "第一章 总则", 60, 1.0, 0.0, 1.0)
    return replace(plain, **other)      # type: ignore[arg-type]


def test_what_holds_more_of_the_question_covers_more() -> None:
    found = [candidate("供热期室温不低于18度。"), candidate("停车场收费标准。")]
    table = feature_table(asked("供热期室温多少度"), found)
    for name in ("words_covered", "pairs_covered", "signs_covered", "words_bm25", "pairs_bm25"):
        assert table[name][0] > table[name][1], name
    assert table["words_place"].tolist() == [0, 1]


def test_the_longest_phrase_is_counted_in_pairs() -> None:
    table = feature_table(asked("住宅装修时间"), [candidate("住宅装修作业"), candidate("装修的时间")])
    assert table["phrase"].tolist() == [3, 1]     # 住宅 宅装 装修; 装修, and 时间 apart from it


def test_official_terms_count_where_the_question_has_none_of_the_words() -> None:
    table = feature_table(asked("老板跑路", "逃匿"), [candidate("以逃匿方法逃避支付"), candidate("以欺诈方法订立")])
    assert table["terms_covered"].tolist() == [1, 0]


def test_numbers_of_the_question_are_looked_for() -> None:
    table = feature_table(asked("满60岁有补贴吗"), [candidate("年满60周岁"), candidate("年满80周岁")])
    assert table["number"].tolist() == [1, 0]


def test_what_another_candidate_of_the_document_holds_counts_for_it() -> None:
    found = [
        candidate("运输收入免征增值税。", "town"), candidate("铁岭市支持企业的措施。", "town"),
        candidate("运输收入免征增值税。", "other"),
    ]
    table = feature_table(asked("铁岭市运输收入免税吗"), found)
    assert table["words_covered"][0] == table["words_covered"][2]
    for name in ("words", "pairs"):
        own = table[f"document_{name}"]
        assert own[0] == own[1] > own[2], name
        assert table[f"document_{name}_lead"][0] == 0 > table[f"document_{name}_lead"][2], name
    assert table["document_words_missing"][0] < table["document_words_missing"][2]


def test_a_title_counts_for_what_a_candidate_holds() -> None:
    found = [candidate("每平方米25元", title="供热收费标准"), candidate("每平方米25元", title="停车")]
    table = feature_table(asked("供热怎么收费"), found)
    assert table["all_words"][0] > table["all_words"][1]
    assert table["all_words_local"][0] > table["all_words_local"][1]


def test_many_texts_at_once_give_the_counts_of_each() -> None:
    texts = ["哈哈，装修装修", "", "修装", "装"]
    assert pair_counts(["装修", "修装", "没有"], texts).tolist() == [[2, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert _sign_counts(["装", "哈"], texts).tolist() == [[2, 2], [0, 0], [1, 0], [1, 0]]
    assert pair_counts([], texts).shape == (4, 0)
    assert pair_counts(["装修"], []).shape == (0, 1)


def test_candidates_of_one_document_know_of_each_other_but_not_of_which() -> None:
    found = [candidate("甲", "one"), candidate("乙", "one"), candidate("丙", "two")]
    names, table = feature_matrix(asked("甲"), found)
    renamed = [replace(c, document={"one": "x", "two": "y"}[c.document]) for c in found]
    assert table[:, names.index("crowd")].tolist() == [2, 2, 1]
    assert np.array_equal(table, feature_matrix(asked("甲"), renamed)[1])


def test_every_feature_is_a_finite_number_whatever_is_asked() -> None:
    for text in ("", "？？", "abc", "的的的", "12"):
        names, table = feature_matrix(asked(text), [candidate(""), candidate("供热")])
        assert table.shape == (2, len(names))
        assert np.isfinite(table).all(), text


def test_background_weights_are_those_of_bm25(tmp_path: Path) -> None:
    texts, counts = count_background([["供热", "室温"], ["供热"], ["停车"]], least=1)
    write_background(tmp_path / "b.npz", texts, counts)
    weights = read_background(tmp_path / "b.npz").idf(["供热", "停车", "没有的词"])
    expected = [math.log(1 + (3 - n + 0.5) / (n + 0.5)) for n in (2, 1, 0)]
    assert weights.tolist() == pytest.approx(expected, rel=1e-6)


def test_an_empty_background_knows_no_term() -> None:
    empty = Background(3, np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.uint32))
    assert empty.idf(["甲", "乙"]).tolist() == pytest.approx([math.log(1 + 3.5 / 0.5)] * 2)
