"""Embedders: the one for tests, and the one over sentence-transformers as far as it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, MissingExtra
from core.fakes import HashEmbedder
from core.models import SentenceTransformerEmbedder, open_embedder
from core.ports import Embedder

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("公租房租金标准", "养犬登记", "公租房租金标准")
installed = importlib.util.find_spec("sentence_transformers") is not None


def make_model(folder: Path) -> Path:
    """A bag-of-words model of three words: as small as a sentence-transformers folder can be."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    SentenceTransformer(modules=[BoW(vocab=["租金", "养犬", "登记"])]).save(str(folder))
    return folder


@pytest.fixture(params=["hash", "sentence-transformers"])
def embedder(request: pytest.FixtureRequest, tmp_path: Path) -> Embedder:
    if request.param == "hash":
        return HashEmbedder()
    if not installed:
        pytest.skip('sentence-transformers is not installed: pip install -e ".[models]"')
    return SentenceTransformerEmbedder(make_model(tmp_path / "tiny"))


class TestEmbedderContract:
    def test_one_row_of_float32_per_text(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS)
        assert (vectors.shape, vectors.dtype) == ((3, embedder.dim), np.float32)

    def test_equal_texts_have_equal_vectors_wherever_they_stand(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS)
        assert np.array_equal(vectors[0], vectors[2])
        assert np.allclose(embedder.embed(TEXTS[1:2])[0], vectors[1], atol=1e-6)

    def test_the_name_is_stated(self, embedder: Embedder) -> None:
        assert embedder.name


def test_hash_vectors_have_length_one_and_those_of_alike_texts_lie_near() -> None:
    vectors = HashEmbedder().embed(["公租房租金", "公租房的租金", "养犬登记"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-6)
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]


def test_no_embedder_is_opened_for_none() -> None:
    assert open_embedder("none") is None


@pytest.mark.parametrize("choice", ["nowhere", "."])
def test_a_folder_without_a_model_is_a_configuration_error(
    choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"index\.embedder.*modules\.json"):
        open_embedder(choice)


@pytest.mark.skipif(installed, reason="sentence-transformers is installed here, so it cannot be missing")
def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]", encoding="utf-8")
    with pytest.raises(MissingExtra, match=r'sentence-transformers.*pip install -e "\.\[models\]"'):
        open_embedder(str(tmp_path))


def test_importing_the_parts_imports_no_model_package() -> None:
    code = ("import core.models, kb.base, qa.answer, policydesk.app, sys; "
            "assert not {'torch', 'sentence_transformers', 'jieba'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
