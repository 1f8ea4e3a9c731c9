"""Ways to cut words: the scores in memory are those of the store, and the program prints a row for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.ports import PointFilter
from core.records import Question, SearchOptions, SearchStages
from eval.gold import GoldQuestion, read_gold
from eval.sparse import WAYS, open_set
from eval.sparse_corpus import Corpus, read_corpus, within
from eval.sparse_index import sparse_cost, text_cost
from eval.sparse_scores import GRID, Asked, Setting, count_terms, mean_length, measured, runs, tuned
from eval.sparse_terms import term_kinds
from kb.tokens import index_tokenizer
from policydesk.app import open_desk

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "data_samples" / "questions.jsonl"
NOW = SearchOptions(top=30, as_of=date(2026, 11, 20))
WORDS_ALONE = SearchStages(terms=False, dense=False, graph=False, rerank=False)


@pytest.fixture(scope="module")
def home(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sparse-home")
    plain = config.model_copy(update={"index": config.index.model_copy(update={"embedder": "none"})})
    with open_desk(plain, folder) as desk:
        desk.ingest([ROOT / "data_samples" / "policies"], publish=True, on_bytes=lambda count: None)
    return folder


@pytest.fixture(scope="module")
def corpus(config: Config, home: Path) -> Corpus:
    return read_corpus(config, home)


def asked() -> Iterator[GoldQuestion]:
    for number, text in enumerate(("公租房租金标准", "养犬要办登记证", "2000元 高龄津贴", "电动自行车充电 2026年")):
        yield GoldQuestion(f"q{number}", Question(text), ())


def texts() -> list[Asked]:
    return [Asked(question.question.text) for question in asked()]


def test_the_scores_in_memory_rank_as_the_store_does(config: Config, home: Path, corpus: Corpus) -> None:
    index = config.index.model_copy(update={"embedder": "none"})
    questions = list(asked())
    cut = index_tokenizer(index)
    setting = Setting(
        index.k1, index.b, index.title_weight, index.heading_weight, average=index.average_tokens, naming=0.5
    )
    asked_as = [Asked(question.question.text, cut.naming(question.question.text)) for question in questions]
    counted = count_terms(corpus.pieces, asked_as, cut.terms)
    ours = runs(corpus.pieces, questions, [counted], setting, lambda question: NOW)
    with open_desk(config.model_copy(update={"index": index}), home) as desk:
        for question, found in zip(questions, ours, strict=True):
            hits = desk.base.search(question.question.text, NOW, WORDS_ALONE)
            assert [hit.ref for hit in hits[:10]] == [one.ref for one in found[:10]]


def test_a_corpus_holds_every_published_chunk_with_the_words_of_its_point(corpus: Corpus) -> None:
    assert len(corpus.pieces) > 100
    piece = next(piece for piece in corpus.pieces if piece.found.address == "第三条")
    assert piece.fields[0] == piece.found.title
    assert piece.fields[2].startswith("第三条 ")
    assert all(2 <= len(word) <= 12 for word in corpus.user_words)


def test_what_may_not_be_found_is_not_found(corpus: Corpus) -> None:
    questions = list(asked())
    counted = count_terms(corpus.pieces, texts(), term_kinds(())["bigrams"])
    national = SearchOptions(regions=(None,))
    found = runs(corpus.pieces, questions, [counted], Setting(), lambda question: national)
    inside = {piece.found.ref for piece in corpus.pieces if within(piece.document, national)}
    assert {one.ref for ranking in found for one in ranking} <= inside < {piece.found.ref for piece in corpus.pieces}


def test_every_kind_cuts_numbers_or_characters_of_a_sentence() -> None:
    kinds = term_kinds(["养犬登记证"])
    text = "申请养犬登记证，补贴３．５％，国办发〔2023〕15号"
    assert kinds["user words"](text)[:2] == ["申请", "养犬登记证"]
    assert kinds["numbers"](text) == ["3.5%", "2023", "15"]
    assert kinds["bigrams"](text)[:3] == ["申请", "请养", "养犬"]
    assert "条" not in kinds["rarer characters"]("第三条租金")
    assert kinds["multilingual"]("租金租金") == [term for term in kinds["multilingual"]("租金") for _ in range(2)]
    assert [name for name, cut in kinds.items() if not cut(text)] == []
    assert {kind for way in WAYS.values() for kind in way} <= set(kinds)


def test_official_terms_and_shaping_words_count_as_in_a_search(corpus: Corpus) -> None:
    """Terms 请问, 住房, 公租房: one 住房 stands in a word that names something; 公租房 in two further terms."""
    question = Asked("请问 住房 住房", "住房", (("公租房 住房", 0.4), ("公租房", 0.1)))
    counted = count_terms(corpus.pieces, [question], str.split)
    assert counted.asked.toarray().tolist() == [[1.0, 2.0, 0.0]]
    assert counted.naming.toarray().tolist() == [[0.0, 1.0, 0.0]]
    assert counted.also.toarray()[0] == pytest.approx([0.0, 0.4, 0.4])


def test_tuning_climbs_to_the_best_of_its_grid_and_stops() -> None:
    best = Setting(k1=GRID["k1"][0], b=GRID["b"][-1], title=2.0, heading=0.5, weights=(1.0, 0.5))

    def value(setting: Setting) -> float:
        near = [setting.k1 == best.k1, setting.b == best.b, setting.title == best.title]
        return sum([*near, setting.heading == best.heading, setting.weights == best.weights]) / 10

    assert tuned(Setting(weights=(1.0, 1.0)), value) == (best, 0.5)
    assert tuned(Setting(), lambda setting: 0.0)[0] == Setting()


def test_an_index_of_either_sort_is_built_asked_and_weighed(corpus: Corpus) -> None:
    cuts = {"bigrams": term_kinds(())["bigrams"]}
    questions = [question.text for question in texts()]
    sparse = sparse_cost(corpus.pieces, questions, cuts, Setting(average=100.0), PointFilter())
    text, found = text_cost(corpus.pieces, questions, PointFilter())
    for cost in (sparse, text):
        assert min(cost.disk_mb, cost.p50_ms, cost.seconds) > 0
        assert cost.p50_ms <= cost.p95_ms
    assert all(found)


def test_a_set_in_halves_has_every_question_with_gold(config: Config, home: Path) -> None:
    of = open_set(config, home, QUESTIONS)
    assert set(of.parts["all"]) == {question.id for question in read_gold(QUESTIONS) if question.gold}
    counted = count_terms(of.corpus.pieces, of.asked, of.kinds["words"])
    assert mean_length([counted], Setting()) > 20
    rows = measured(of.questions, runs(of.corpus.pieces, of.questions, [counted], Setting(), lambda question: NOW))
    assert set(rows) == set(of.parts["all"])


def test_the_program_prints_a_row_per_way(home: Path) -> None:
    program = [sys.executable, "-m", "eval.sparse", "--home", str(home), "--questions", str(QUESTIONS),
               "--other", str(home), str(QUESTIONS), "--as-searched", "--only", "bigrams", "--only", "words + bigrams"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    rows = [line.split(" | ")[0] for line in done.stdout.splitlines()]
    assert rows[0] == "| terms"
    assert rows[2:] == ["| bigrams", "| words + bigrams"]
