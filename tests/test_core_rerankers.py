"""Rerankers: one contract for the fake, those over folders of true layouts, and the one over a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.config import Config, load_config
from core.errors import BackendUnavailable, ConfigError
from core.fakes import OverlapReranker
from core.model_m3 import M3Output, m3_scores
from core.models import Kind, opened_models
from core.ports import Reranker
from tests.http_servers import Answer, answering
from tests.tiny_models import make_cross_encoder, make_m3, needs_models, stored

QUESTION = "老板跑路不给钱"
TEXTS = ("用人单位拖欠劳动报酬的", "养犬登记费", "用人单位拖欠劳动报酬的", "", "加装电梯每台补助万元" * 40, "𠮷🙂 abc")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def with_reranker(choice: str, **models: object) -> Config:
    config = load_config()
    return config.model_copy(update={
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"reranker": choice}),
        "models": config.models.model_copy(update={"answer_seconds": 2.0, "tries": 1, **models}),
    })


def scores(path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
    """As vLLM: one score for each text, here the share of the question's characters in it."""
    if path == "/v1/models":
        return 200, {"data": [{"id": "bge-reranker-v2-m3"}]}
    if path != "/v1/score":
        return 404, {"detail": "Not Found"}
    question, texts = body["text_1"], body["text_2"]
    assert isinstance(question, str)
    assert isinstance(texts, list)
    found = OverlapReranker().score(question, texts)
    return 200, {"data": [{"index": i, "object": "score", "score": float(s)} for i, s in enumerate(found)][::-1]}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("models")
    stored(make_cross_encoder(here / "cross"), "bge-reranker-v2-m3", here / "models")
    stored(make_m3(here / "m3"), "bge-m3", here / "models")
    return here / "models"


@pytest.fixture(scope="module", params=[
    "fake", "server",
    *(pytest.param(name, marks=needs_models) for name in ("bge-reranker-v2-m3", "bge-reranker-v2-m3 bf16", "bge-m3"))
])
def reranker(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    if request.param == "fake":
        yield OverlapReranker()
    elif request.param == "server":
        with answering(scores) as address, opened_models(with_reranker(f"vllm:{address}", batch=2)) as models:
            assert models.reranker
            yield models.reranker
    else:
        name, _, precision = request.param.partition(" ")
        folder = request.getfixturevalue("folders")
        with opened_models(with_reranker(name, folder=folder, batch=2, precision=precision or "auto")) as models:
            assert models.reranker
            yield models.reranker


class TestRerankerContract:
    def test_one_finite_score_of_float32_per_text(self, reranker: Reranker) -> None:
        found = reranker.score(QUESTION, TEXTS)
        assert (found.shape, found.dtype) == ((len(TEXTS),), np.float32)
        assert np.isfinite(found).all()

    def test_no_text_gives_no_score(self, reranker: Reranker) -> None:
        assert reranker.score(QUESTION, []).shape == (0,)

    def test_a_text_has_the_same_score_wherever_it_stands(self, reranker: Reranker) -> None:
        found = reranker.score(QUESTION, TEXTS)
        assert found[0] == pytest.approx(found[2], abs=5e-2)
        assert reranker.score(QUESTION, TEXTS[::-1])[::-1] == pytest.approx(found, abs=5e-2)
        assert reranker.score(QUESTION, TEXTS[1:2])[0] == pytest.approx(found[1], abs=5e-2)

    def test_texts_get_different_scores(self, reranker: Reranker) -> None:
        assert len(set(reranker.score("养犬", TEXTS).tolist())) > 1

    def test_an_empty_question_is_scored_too(self, reranker: Reranker) -> None:
        assert np.isfinite(reranker.score("", TEXTS)).all()

    def test_the_name_is_stated(self, reranker: Reranker) -> None:
        assert reranker.name

    def test_threads_get_their_own_scores(self, reranker: Reranker) -> None:
        wanted = reranker.score(QUESTION, TEXTS)
        found: dict[int, float] = {}

        def work(row: int) -> None:
            found[row] = max(abs(float(reranker.score(QUESTION, [TEXTS[row]])[0] - wanted[row])) for _ in range(3))

        threads = [threading.Thread(target=work, args=(row,)) for row in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(found.values()) < 5e-2
        assert len(found) == 3


def test_the_three_outputs_of_bge_m3_are_weighed_as_worked_out_by_hand() -> None:
    def output(dense: list[float], lexical: dict[int, float], tokens: list[list[float]]) -> M3Output:
        return M3Output(np.array(dense, dtype=np.float32), lexical, np.array(tokens, dtype=np.float32))

    question = output([1, 0], {5: 0.5, 6: 1.0}, [[1, 0], [0, 1]])
    text = output([0.6, 0.8], {6: 0.25, 7: 9.0}, [[1, 0], [0.8, 0.6]])
    # dense 0.6; lexical 1.0 * 0.25; tokens: best of the first 1, of the second 0.6, mean 0.8
    for weights, wanted in (((1, 0, 0), 0.6), ((0, 1, 0), 0.25), ((0, 0, 1), 0.8), ((2, 1, 1), (1.2 + 0.25 + 0.8) / 4)):
        assert m3_scores(question, [text], weights)[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("choice", ["built-in", "mine/ranker.txt"])
def test_the_built_in_reranker_is_left_to_search(choice: str) -> None:
    with opened_models(with_reranker(choice)) as models:
        assert models.reranker is None
        assert models.chosen[1].kind is Kind.BUILT_IN


@pytest.mark.parametrize("choice", ["nowhere", "bge-reranker-v2-m3"])
def test_a_folder_without_a_model_is_a_configuration_error(choice: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search\.reranker.*models fetch"):
        with opened_models(with_reranker(choice, folder=tmp_path)):
            pass


def test_an_encoder_that_scores_nothing_is_no_reranker(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"search\.reranker.*BertModel.*bge-reranker"):
        with opened_models(with_reranker(str(tmp_path))):
            pass


@needs_models
class TestFolders:
    def test_scores_of_a_cross_encoder_are_the_sigmoid_of_its_output(self, folders: Path) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        path = str(folders / "bge-reranker-v2-m3")
        inputs = AutoTokenizer.from_pretrained(path)([(QUESTION, TEXTS[0])], return_tensors="pt")
        with torch.inference_mode():
            raw = AutoModelForSequenceClassification.from_pretrained(path)(**inputs).logits[0, 0]
        with opened_models(with_reranker("bge-reranker-v2-m3", folder=folders)) as models:
            assert models.reranker
            found = models.reranker.score(QUESTION, TEXTS)
        assert found[0] == pytest.approx(float(torch.sigmoid(raw)), abs=1e-5)
        assert ((found > 0) & (found < 1)).all()

    def test_a_model_with_several_classes_is_no_reranker(self, tmp_path: Path) -> None:
        path = make_cross_encoder(tmp_path / "three", labels=3)
        with pytest.raises(ConfigError, match=r"给出 3 类"), opened_models(with_reranker(str(path))):
            pass

    def test_int8_gives_nearly_the_same_scores(self, folders: Path) -> None:
        found = []
        for precision in ("fp32", "int8"):
            with opened_models(with_reranker("bge-reranker-v2-m3", folder=folders, precision=precision)) as models:
                assert models.reranker
                found.append(models.reranker.score(QUESTION, TEXTS))
        assert found[0] == pytest.approx(found[1], abs=0.06)

    def test_bge_m3_in_both_roles_is_loaded_once(self, folders: Path) -> None:
        config = with_reranker("bge-m3", folder=folders)
        config = config.model_copy(update={"index": config.index.model_copy(update={"embedder": "auto"})})
        with opened_models(config) as models:
            assert models.embedder
            assert models.reranker
            assert models.reranker.name == f"{models.embedder.name} 0.4 0.2 0.4"
            assert vars(models.embedder)["_model"] is vars(models.reranker)["_model"]

    def test_weights_of_bge_m3_must_say_something(self, folders: Path) -> None:
        config = with_reranker("bge-m3", folder=folders, m3_dense=0.0, m3_lexical=0.0, m3_colbert=0.0)
        with pytest.raises(ConfigError, match=r"models\.m3_dense"), opened_models(config):
            pass

    def test_bge_m3_scores_equal_those_of_flagembedding(self, folders: Path, tmp_path: Path) -> None:
        try:
            from FlagEmbedding import BGEM3FlagModel
        except ImportError as error:
            pytest.skip(f"FlagEmbedding does not import here: {error}")
        model = BGEM3FlagModel(str(make_m3(tmp_path / "m3")), use_fp16=False, devices="cpu")
        weights = (0.4, 0.2, 0.4)
        texts = [text[:100] for text in TEXTS if text]
        wanted = model.compute_score([(QUESTION, text) for text in texts], weights_for_different_modes=[*weights])
        with opened_models(with_reranker("bge-m3", folder=folders)) as models:
            assert models.reranker
            found = models.reranker.score(QUESTION, texts)
        assert found == pytest.approx(wanted["colbert+sparse+dense"], abs=1e-4)


def test_a_server_is_asked_where_it_answers_and_only_there() -> None:
    paths: list[str] = []

    def answer(path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
        paths.append(path)
        return scores(path, body, headers)

    with answering(answer) as address, opened_models(with_reranker(f"vllm:{address}/v1#m", batch=3)) as models:
        assert models.reranker
        models.reranker.score(QUESTION, TEXTS)
    assert paths == ["/score", "/v1/score", "/v1/score"]


@pytest.mark.parametrize(
    ("status", "value", "found"),
    [
        (404, {}, "没有 /score"),
        (400, b"too long", "HTTP 400：too long"),
        (200, {"data": [{"index": 0, "score": 1.0}]}, "问了 2 条，回答了 1 条"),
        (200, {"data": [{"index": 0, "score": "high"}, {"index": 1, "score": 0.0}]}, "score"),
        (200, b'{"data": [{"index": 0, "score": NaN}, {"index": 1, "score": 0.0}]}', "score|不是数"),
    ],
)
def test_a_server_that_answers_wrongly_is_named(status: int, value: object, found: str) -> None:
    with answering(lambda path, body, headers: (status, value)) as address:
        with opened_models(with_reranker(f"vllm:{address}#m")) as models:
            assert models.reranker
            with pytest.raises(BackendUnavailable, match=rf"{address}.*({found}).*search\.reranker"):
                models.reranker.score(QUESTION, TEXTS[:2])
