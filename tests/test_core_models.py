"""Embedders: one contract for the fake, those over folders of true layouts, and the one over a server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from core.config import Config, load_config
from core.errors import BackendUnavailable, ConfigError, MissingExtra, ModelRefused
from core.fakes import HashEmbedder
from core.models import opened_models
from core.ports import Embedder
from kb.static_encoder import SHIPPED
from tests.http_servers import Answer, answering
from tests.tiny_models import make_bert, make_m3, needs_models, stored

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("公租房租金标准", "养犬登记", "公租房租金标准", "", "加装电梯每台补助多少" * 40, "\n", "𠮷🙂 abc")
installed = importlib.util.find_spec("sentence_transformers") is not None
Asked = list[tuple[str, dict[str, object], dict[str, str]]]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def with_embedder(choice: str, **models: object) -> Config:
    config = load_config()
    return config.model_copy(update={
        "index": config.index.model_copy(update={"embedder": choice}),
        "models": config.models.model_copy(update={"answer_seconds": 2.0, "tries": 2, **models}),
    })


def vector(text: str) -> list[float]:
    numbers = np.random.default_rng(zlib.crc32(text.encode())).normal(size=8)
    return [float(number) for number in numbers]


def embeddings(path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
    """A server with one model, which answers in whatever order it likes."""
    if path == "/v1/models":
        return 200, {"object": "list", "data": [{"id": "bge-m3", "object": "model"}]}
    texts = body["input"]
    assert path == "/v1/embeddings"
    assert isinstance(texts, list)
    rows = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(texts)]
    return 200, {"object": "list", "data": rows[::-1], "model": body["model"], "usage": {}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with tiny models of the true layouts."""
    here = tmp_path_factory.mktemp("models")
    stored(make_bert(here / "bert"), "bge-small-zh", here / "models")
    stored(make_m3(here / "m3"), "bge-m3", here / "models")
    return here / "models"


@pytest.fixture(scope="module", params=[
    "fake", "server", *(pytest.param(name, marks=needs_models) for name in ("bge-small-zh", "bge-m3", "bge-m3 bf16"))
])
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if request.param == "fake":
        yield HashEmbedder()
    elif request.param == "server":
        with answering(embeddings) as address, opened_models(with_embedder(f"openai:{address}", batch=2)) as models:
            assert models.embedder
            yield models.embedder
    else:
        name, _, precision = request.param.partition(" ")
        folder = request.getfixturevalue("folders")
        with opened_models(with_embedder(name, folder=folder, batch=2, precision=precision or "auto")) as models:
            assert models.embedder
            yield models.embedder


class TestEmbedderContract:
    def test_one_row_of_float32_per_text(self, embedder: Embedder) -> None:
        for vectors in (embedder.embed(TEXTS), embedder.embed_questions(TEXTS)):
            assert (vectors.shape, vectors.dtype) == ((len(TEXTS), embedder.dim), np.float32)
            assert np.isfinite(vectors).all()

    def test_rows_have_length_one(self, embedder: Embedder) -> None:
        norms = np.linalg.norm(embedder.embed(TEXTS[:3]), axis=1)
        assert norms == pytest.approx([1, 1, 1], abs=1e-3)

    def test_no_text_gives_no_row(self, embedder: Embedder) -> None:
        assert embedder.embed([]).shape == embedder.embed_questions([]).shape == (0, embedder.dim)

    def test_equal_texts_have_equal_vectors_wherever_they_stand(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS)
        assert vectors[0] @ vectors[2] == pytest.approx(1, abs=1e-2)
        assert embedder.embed(TEXTS[1:2])[0] @ vectors[1] == pytest.approx(1, abs=1e-2)

    def test_the_name_and_length_are_stated(self, embedder: Embedder) -> None:
        assert embedder.name
        assert embedder.dim > 0

    def test_threads_get_their_own_texts_vectors(self, embedder: Embedder) -> None:
        wanted = embedder.embed(TEXTS)
        found: dict[int, float] = {}

        def work(row: int) -> None:
            found[row] = float(min(embedder.embed([TEXTS[row], "养犬"])[0] @ wanted[row] for _ in range(5)))

        threads = [threading.Thread(target=work, args=(row,)) for row in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [found[row] for row in range(3)] == pytest.approx([1, 1, 1], abs=1e-2)


def test_hash_vectors_of_alike_texts_lie_near() -> None:
    vectors = HashEmbedder().embed(["公租房租金", "公租房的租金", "养犬登记"])
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]


# choosing


def test_no_embedder_is_opened_for_none() -> None:
    with opened_models(with_embedder("none")) as models:
        assert (models.embedder, models.reranker) == (None, None)


@pytest.mark.parametrize("choice", ["built-in", "auto"])
def test_the_built_in_embedder_is_the_one_handed_over(choice: str, tmp_path: Path) -> None:
    config = with_embedder(choice, folder=tmp_path)
    with opened_models(config, lambda folder: HashEmbedder()) as models:
        assert models.embedder
        assert models.embedder.name == "hash-64"
    with pytest.raises(ConfigError, match=r"index\.embedder.*built-in"), opened_models(config):
        pass


def test_a_folder_of_the_built_in_kind_is_told_by_its_settings() -> None:
    folders: list[Path | None] = []
    with opened_models(with_embedder(str(SHIPPED)), lambda folder: folders.append(folder) or HashEmbedder()):
        assert folders == [SHIPPED]


@pytest.mark.parametrize("choice", ["nowhere", ".", "bge-m3"])
def test_a_folder_without_a_model_is_a_configuration_error(
    choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"index\.embedder.*modules\.json.*models fetch"):
        with opened_models(with_embedder(choice)):
            pass


@pytest.mark.skipif(installed, reason="sentence-transformers is installed here, so it cannot be missing")
@pytest.mark.parametrize("name", ["plain", "m3"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]", encoding="utf-8")
    if name == "m3":
        for head in ("colbert", "sparse"):
            (tmp_path / f"{head}_linear.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(MissingExtra, match=r'pip install -e "\.\[models\]"'):
        with opened_models(with_embedder(str(tmp_path))):
            pass


def test_importing_the_parts_imports_no_model_package() -> None:
    code = ("import core.models, kb.base, qa.answer, policydesk.app, sys; "
            "assert not {'torch', 'transformers', 'sentence_transformers', 'jieba'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# folders


@needs_models
class TestFolders:
    def test_the_name_holds_model_and_content(self, folders: Path, tmp_path: Path) -> None:
        with opened_models(with_embedder("bge-small-zh", folder=folders)) as models:
            assert models.embedder
            assert models.embedder.name.startswith("bge-small-zh@")
            assert models.embedder.dim == 32

    def test_auto_is_bge_m3_where_both_are(self, folders: Path) -> None:
        with opened_models(with_embedder("auto", folder=folders)) as models:
            assert models.embedder
            assert models.embedder.name.startswith("bge-m3@")

    def test_a_question_to_bge_small_goes_in_with_its_instruction(self, folders: Path) -> None:
        with opened_models(with_embedder("bge-small-zh", folder=folders)) as models:
            assert models.embedder
            asked = models.embedder.embed_questions(["养犬登记"])[0]
            told = models.embedder.embed(["为这个句子生成表示以用于检索相关文章：养犬登记", "养犬登记"])
        assert asked @ told[0] == pytest.approx(1, abs=1e-5)
        assert asked @ told[1] < 0.99

    def test_bge_m3_is_the_vector_of_the_first_token(self, folders: Path) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        path = str(folders / "bge-m3")
        inputs = AutoTokenizer.from_pretrained(path)([TEXTS[0]], return_tensors="pt")
        with torch.inference_mode():
            first = AutoModel.from_pretrained(path)(**inputs).last_hidden_state[0, 0].numpy()
        with opened_models(with_embedder("bge-m3", folder=folders)) as models:
            assert models.embedder
            assert models.embedder.embed(TEXTS)[0] == pytest.approx(first / np.linalg.norm(first), abs=1e-5)

    def test_a_text_is_cut_at_the_configured_length(self, folders: Path) -> None:
        for name in ("bge-small-zh", "bge-m3"):
            with opened_models(with_embedder(name, folder=folders, max_tokens=16)) as models:
                assert models.embedder
                one, two = models.embedder.embed(["养犬登记费" * 10, "养犬登记费" * 10 + "电梯"])
            assert one == pytest.approx(two, abs=1e-5)

    @pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
    @pytest.mark.parametrize("name", ["bge-small-zh", "bge-m3"])
    def test_fewer_bits_give_nearly_the_same_vectors(self, folders: Path, name: str, precision: str) -> None:
        found = []
        for wanted in ("fp32", precision):
            with opened_models(with_embedder(name, folder=folders, precision=wanted)) as models:
                assert models.embedder
                found.append(models.embedder.embed(TEXTS[:3]))
        assert (found[0] * found[1]).sum(axis=1) == pytest.approx([1, 1, 1], abs=0.02)

    def test_a_gpu_that_is_not_there_is_named(self, folders: Path) -> None:
        import torch

        if torch.cuda.is_available():
            pytest.skip("a GPU is here")
        with pytest.raises(ConfigError, match=r"models\.device = cuda"):
            with opened_models(with_embedder("bge-m3", folder=folders, device="cuda")):
                pass

    def test_weights_that_do_not_fit_the_settings_are_refused(self, folders: Path, tmp_path: Path) -> None:
        path = make_bert(tmp_path / "bert")
        (path / "config.json").write_text('{"model_type": "nothing"}', encoding="utf-8")
        with pytest.raises(ModelRefused, match="载入不了"), opened_models(with_embedder(str(path))):
            pass


# servers


def opened(answer: Callable[[str, dict[str, object], dict[str, str]], Answer], *, model: str = "#bge-m3",
           key: str = "", batch: int = 32) -> None:
    with answering(answer) as address:
        config = with_embedder(f"openai:{address}{model}", api_key=SecretStr(key), batch=batch)
        with opened_models(config) as models:
            assert models.embedder
            models.embedder.embed(["a", "b", "c"])


def test_a_server_is_asked_in_batches_with_its_key_and_model() -> None:
    asked: Asked = []

    def answer(path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
        asked.append((path, body, headers))
        return embeddings(path, body, headers)

    opened(answer, model="/v1#other", key="geheim", batch=2)
    assert [body["input"] for _, body, _ in asked] == [["政策"], ["a", "b"], ["c"]]
    assert {body["model"] for _, body, _ in asked} == {"other"}
    assert {headers["authorization"] for _, _, headers in asked} == {"Bearer geheim"}


def test_a_server_that_is_busy_is_asked_again() -> None:
    states = iter([503, 200, 200])

    def answer(path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
        status = next(states)
        return (status, {}) if status != 200 else embeddings(path, body, headers)

    opened(answer)
    assert next(states, None) is None


def test_a_server_with_several_models_wants_one_named() -> None:
    with pytest.raises(ConfigError, match=r"2 个模型（a、b）.*#bge-m3"):
        opened(lambda path, body, headers: (200, {"data": [{"id": "a"}, {"id": "b"}]}), model="")


@pytest.mark.parametrize(
    ("status", "value", "found"),
    [
        (500, b"out of memory", "HTTP 500：out of memory"),
        (503, b"", "HTTP 503"),
        (404, b"", "没有这个路径"),
        (200, b"<html>", "JSON"),
        (200, {"data": []}, "问了 1 条，回答了 0 条"),
        (200, {"data": [{"index": 3, "embedding": [1.0]}]}, "问了 1 条"),
        (200, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, "全为零"),
        (200, {"data": [{"index": 0, "embedding": [None]}]}, "embedding"),
        (200, {"data": [{"index": 0, "embedding": []}]}, "向量长"),
    ],
)
def test_a_server_that_answers_wrongly_is_named(status: int, value: object, found: str) -> None:
    with pytest.raises(BackendUnavailable, match=rf"http://127\.0\.0\.1:\d+.*{found}.*index\.embedder"):
        opened(lambda path, body, headers: (status, value))


def test_a_server_that_is_down_or_silent_is_named() -> None:
    with answering(embeddings) as address:
        pass
    with pytest.raises(BackendUnavailable, match=rf"连不上模型服务 {address}.*index\.embedder"):
        with opened_models(with_embedder(f"openai:{address}")):
            pass
    pause = threading.Event()
    with answering(lambda path, body, headers: (200 if pause.wait(5) else 500, {})) as address:
        try:
            with pytest.raises(BackendUnavailable, match=rf"{address}/v1/embeddings 在 0\.2 秒内没有回答"):
                with opened_models(with_embedder(f"openai:{address}#m", answer_seconds=0.2)):
                    pass
        finally:
            pause.set()


def test_an_address_that_is_none_is_a_configuration_error_and_keeps_its_password() -> None:
    with pytest.raises(ConfigError, match=r"index\.embedder.*http"), opened_models(with_embedder("openai:ftp://x")):
        pass
    with pytest.raises(BackendUnavailable) as caught, opened_models(with_embedder("openai:http://u:geheim@127.0.0.1:1#m")):
        pass
    assert "geheim" not in str(caught.value)
