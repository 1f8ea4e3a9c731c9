"""Terms and their weights: by hand, against jieba, across processes and against bm25s."""

from __future__ import annotations

import warnings
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from qdrant_client import QdrantClient

from core.config import Config, IndexConfig
from core.ports import Point, PointFilter, Sparse
from core.records import State
from kb.encode import EncodingPool, encode, unpack
from kb.static_encoder import StaticEncoder
from kb.store_qdrant import QdrantStore
from kb.tokens import SparseEncoder, Tokenizer, encoder_named, index_tokenizer, open_tokenizer
from policydesk.app import Desk

SENTENCES = (
    "公共租赁住房租金不得高于同地段市场租金的百分之七十。",
    "申请人应当自收到通知之日起15个工作日内提交《养犬登记证》。",
    "电动自行车ＡＢＣ型号，时速不超过25km/h；充电桩补贴400元/台。",
    "第十二条　任何单位和个人不得占用消防通道。",
)


@pytest.fixture(scope="module", autouse=True)
def loaded_jieba() -> None:
    """Its source has invalid escapes, about which Python warns once when it is compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        open_tokenizer("jieba", bigrams=False).words("住房")


def encoder(config: Config, **changes: object) -> SparseEncoder:
    """Words are what blanks separate, so that weights can be worked out by hand."""
    by_blanks = Tokenizer("blanks", str.split, bigrams=False)
    return SparseEncoder(by_blanks, config.index.model_copy(update=changes))


def weights(sparse: Sparse) -> dict[int, float]:
    return dict(zip(sparse.indices, sparse.values, strict=True))


def number(term: str) -> int:
    return zlib.crc32(term.encode())


def test_the_weight_of_a_term_is_bm25_over_weighted_fields(config: Config) -> None:
    """k1 1.2, b 0.75, average 8, title 2, heading 0.5; title "a", heading "b b", text "a b c c".

    tf:     a = 2 x 1 + 1 = 3,  b = 0.5 x 2 + 1 = 2,  c = 2;  length 3 + 2 + 2 = 7
    base:   1.2 x (1 - 0.75 + 0.75 x 7 / 8) = 1.2 x 0.90625 = 1.0875
    a:      3 x 2.2 / (3 + 1.0875) = 6.6 / 4.0875 = 1.614679
    b, c:   2 x 2.2 / (2 + 1.0875) = 4.4 / 3.0875 = 1.425101
    """
    made = encoder(config, k1=1.2, b=0.75, average_tokens=8, title_weight=2.0, heading_weight=0.5)
    expected = {number("a"): 1.614679, number("b"): 1.425101, number("c"): 1.425101}
    assert weights(made.document("a", "b b", "a b c c")) == pytest.approx(expected, abs=1e-6)


def test_a_field_of_weight_zero_adds_no_term(config: Config) -> None:
    made = encoder(config, title_weight=0.0, heading_weight=0.0)
    assert made.document("标题 a", "章", "a") == made.document("", "", "a")


def test_a_question_weighs_one_per_occurrence(config: Config) -> None:
    assert weights(encoder(config).query("a b a")) == {number("a"): 2.0, number("b"): 1.0}


def test_words_that_shape_a_question_weigh_half_and_so_do_pairs_across_words(config: Config) -> None:
    """养犬 / 登记 / 怎么 / 办理: 犬登, 记怎 and 么办 lie across two words, 怎么 shapes the question."""
    cut = open_tokenizer("auto", bigrams=True, characters=True, words=False)
    got = weights(SparseEncoder(cut, config.index).query("养犬登记怎么办理2,000元"))
    whole = {"#养犬", "#登记", "#办理", "2000", "#养", "#犬", "#登", "#记", "#办", "#元"} - {"#办理"}
    half = {"#犬登", "#记怎", "#么办", "#怎么", "#怎", "#么"}
    assert {term for term in whole if got.get(number(term)) == 1.0} == whole
    assert {term for term in half if got.get(number(term)) == 0.5} == half


def test_a_document_weighs_the_same_whatever_was_encoded_before(config: Config) -> None:
    made = encoder(config)
    first = made.document("a", "h", "x y")
    made.document("b", "h", "x y")
    assert made.document("a", "h", "x y") == first


def test_term_numbers_are_distinct_within_a_vector(config: Config) -> None:
    indices = SparseEncoder(open_tokenizer("auto", bigrams=True), config.index).document("", "", SENTENCES[0]).indices
    assert len(indices) == len(set(indices)) > 20
    assert max(indices) < 2**32


@pytest.mark.parametrize("choice", ["rjieba", "jieba"])
def test_full_width_letters_and_digits_match_half_width_ones(choice: str) -> None:
    cut = open_tokenizer(choice, bigrams=True)
    assert cut.terms("ＡＢＣ型，２０２６年") == cut.terms("abc型,2026年")
    assert {"abc", "2026"} <= set(cut.words("ＡＢＣ型，２０２６年"))


@pytest.mark.parametrize("choice", ["rjieba", "jieba"])
def test_punctuation_and_blanks_are_no_terms(choice: str) -> None:
    cut = open_tokenizer(choice, bigrams=True)
    assert cut.terms("，。？！　、《》（）—— ...\n") == []


def test_pairs_of_characters_stay_within_a_run_of_characters() -> None:
    assert [term for term in open_tokenizer("auto", bigrams=True).terms("租金，养犬3证") if term[0] == "#"] == [
        "#租金", "#养犬",
    ]


def test_characters_are_terms_but_for_the_commonest() -> None:
    terms = open_tokenizer("auto", bigrams=False, characters=True).terms("租金的规定")
    assert [term for term in terms if term[0] == "#"] == ["#租", "#金"]


def test_without_words_numbers_and_letters_are_kept_whole() -> None:
    cut = open_tokenizer("auto", bigrams=True, characters=False, words=False)
    assert cut.terms("补贴３．５％，2,000元或3000-5000元，GB/T 12345-2020，A4纸") == [
        "3.5%", "2000", "3000", "5000", "gb", "t", "12345", "2020", "a4", "#补贴", "#元或",
    ]
    assert cut.terms("国办发〔2023〕15号第563条") == ["2023", "15", "563", "#国办", "#办发", "#号第"]


def test_without_bigrams_there_are_words_only() -> None:
    cut = open_tokenizer("auto", bigrams=False)
    assert cut.terms(SENTENCES[0]) == cut.words(SENTENCES[0])


@pytest.mark.parametrize("sentence", SENTENCES)
def test_rjieba_and_jieba_cut_the_same_words(sentence: str) -> None:
    fast, plain = (open_tokenizer(choice, bigrams=False) for choice in ("rjieba", "jieba"))
    assert fast.words(sentence) == plain.words(sentence) != []


def test_the_name_tells_apart_whatever_gives_other_vectors(config: Config) -> None:
    changes: Sequence[dict[str, object]] = (
        {}, {"k1": 1.5}, {"b": 0.5}, {"average_tokens": 99.0}, {"title_weight": 3.0}, {"heading_weight": 3.0},
    )
    names = {encoder(config, **change).name for change in changes}
    settings = [(words, pairs, signs) for words in (True, False) for pairs in (True, False) for signs in (True, False)]
    names |= {
        SparseEncoder(open_tokenizer("jieba", words=words, bigrams=pairs, characters=signs), config.index).name
        for words, pairs, signs in settings
    }
    assert len(names) == len(changes) + len(settings)


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("characters", [True, False])
def test_an_index_is_read_by_the_name_of_its_encoder(config: Config, words: bool, characters: bool) -> None:
    index = config.index.model_copy(update={"words": words, "characters": characters, "k1": 0.9})
    made = SparseEncoder(index_tokenizer(index), index)
    again = encoder_named(made.name)
    assert again.name == made.name
    assert again.document("标题", "第一章", SENTENCES[0]) == made.document("标题", "第一章", SENTENCES[0])
    assert again.query(SENTENCES[1]) == made.query(SENTENCES[1])


@pytest.mark.parametrize("embedder", [None, StaticEncoder()], ids=["words", "meaning"])
def test_a_worker_process_makes_the_vectors_that_this_process_makes(
    config: Config, embedder: StaticEncoder | None
) -> None:
    batch = [("养犬管理办法", "第一章 总则", sentence) for sentence in SENTENCES] + [("", "", "")]
    here = encode(batch, SparseEncoder(index_tokenizer(config.index), config.index), embedder)
    pool = EncodingPool(config.index, embedder, 1)
    there = unpack(pool.submit(batch).result(), batch, embedder)
    pool.close()
    for ours, theirs in zip(here, there, strict=True):
        assert theirs.sparse.indices == ours.sparse.indices
        assert theirs.sparse.values == np.array(ours.sparse.values, dtype=np.float32).tolist()
        assert theirs.dense == ours.dense


def plain_bm25(config: Config, average: float) -> IndexConfig:
    changes = {"title_weight": 0.0, "heading_weight": 0.0, "k1": 1.5, "b": 0.75, "average_tokens": average}
    return config.index.model_copy(update=changes)


def test_a_ranking_of_single_fields_is_that_of_bm25s(config: Config, sample_desk: Desk) -> None:
    """An independent BM25 (its method "lucene", whose IDF is Qdrant's) over every sample article."""
    bm25s = pytest.importorskip("bm25s")
    stored = [sample_desk.document(d.id) for d in sample_desk.base.documents([State.PUBLISHED])]
    texts = [d.text[a.start : a.end] for d in stored for a in d.articles]
    cut = open_tokenizer("auto", bigrams=True)
    terms = [cut.terms(text) for text in texts]
    oracle = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    oracle.index(terms, show_progress=False)

    ours = SparseEncoder(cut, plain_bm25(config, sum(map(len, terms)) / len(terms)))
    store = QdrantStore(QdrantClient(":memory:"), "oracle", dim=None)
    vectors = [ours.document("", "", text) for text in texts]
    store.upsert([Point(f"{n:016x}", v, None, 1, "", 0, 0, 99991231, True) for n, v in enumerate(vectors)])
    for question in ("公租房租金怎么收", "养犬需要登记吗", "高龄津贴的标准", "电动自行车充电"):
        asked = Counter(map(number, cut.terms(question)))        # without our halved weights
        plain = Sparse(list(asked), list(map(float, asked.values())))
        found = store.query(plain, where=PointFilter(), limit=len(texts))
        got = np.zeros(len(texts))
        for name, score in found:
            got[int(name, 16)] = score
        expected = oracle.get_scores(cut.terms(question)) * 2.5     # method "lucene" leaves out the factor k1 + 1
        assert got == pytest.approx(expected, rel=1e-3, abs=1e-3)
    store.close()
