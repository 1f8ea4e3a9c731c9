"""The static encoder: the contract of embedders, its vectors by hand and beside model2vec's, and the one that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from core.ports import Embedder
from kb.expansion import TermMap
from kb.static_encoder import SHIPPED, StaticEncoder, TermIds, terms_of
from tests.test_core_models import TestEmbedderContract as _Contract

TERMS = {"租金": [127, 0, 0], "#租金": [0, 64, 0], "@租": [0, 0, 32], "养犬": [0, 0, 127], "拖欠": [127, 0, 0]}
SCALES = [0.0, 1.0, 0.5, 2.0, 1.0, 1.0]


def make_encoder(folder: Path, *, scales: bool = True) -> Path:
    """Five terms of three numbers."""
    from model2vec.persistence import save_pretrained
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer(WordLevel({term: n for n, term in enumerate(["[UNK]", *TERMS])}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    rows = np.array([[0, 0, 0], *TERMS.values()], dtype=np.int8)
    weights = np.array(SCALES, dtype=np.float32) if scales else None
    save_pretrained(folder, rows, tokenizer, {"normalize": True, "max_length": None}, False, weights=weights)
    return folder


@pytest.fixture(scope="module", params=["tiny", "shipped"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    if request.param == "shipped":
        return StaticEncoder()
    return StaticEncoder(make_encoder(tmp_path_factory.mktemp("encoder") / "tiny"))


class TestStaticEncoderKeepsTheContract(_Contract):
    pass


@pytest.fixture(scope="module")
def shipped() -> StaticEncoder:
    return StaticEncoder()


def test_a_text_is_cut_into_words_pairs_and_single_characters() -> None:
    assert list(terms_of("租金１0，a元")) == ["租金", "10", "a", "元", "#租金", "@租", "@金", "@元"]


def test_terms_are_numbered_in_their_order_and_unknown_ones_left_out() -> None:
    assert TermIds(["@租", "租金", "#租金", "#"])("租金涨了") == [1, 2, 0]


def test_a_vector_is_the_sum_of_the_terms_rows_with_their_scales(tmp_path: Path) -> None:
    row = StaticEncoder(make_encoder(tmp_path)).embed(["租金"])[0]
    by_hand = np.array([127 * 1.0, 64 * 0.5, 32 * 2.0])
    assert row == pytest.approx(by_hand / np.linalg.norm(by_hand), abs=1e-6)


def test_a_question_leans_towards_its_official_terms(tmp_path: Path) -> None:
    plain = StaticEncoder(make_encoder(tmp_path))
    leaning = StaticEncoder(tmp_path, terms=TermMap({"养犬": ["拖欠", "租金"]}))
    by_hand = np.array([0.2 * (127 + 0.8 * 127), 0.2 * 0.8 * 32, 127 + 0.2 * 0.8 * 64])
    assert leaning.embed_questions(["养犬"])[0] == pytest.approx(by_hand / np.linalg.norm(by_hand), abs=1e-6)
    assert np.array_equal(leaning.embed(["养犬"]), plain.embed(["养犬"]))
    assert leaning.name == plain.name


def test_the_name_changes_with_the_weights_and_with_the_terms(tmp_path: Path) -> None:
    one = StaticEncoder(make_encoder(tmp_path / "one")).name
    assert one == StaticEncoder(make_encoder(tmp_path / "two")).name
    tokenizer = tmp_path / "two" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8").replace("养犬", "养猫"), encoding="utf-8")
    assert one != StaticEncoder(tmp_path / "two").name


def test_a_folder_without_an_encoder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.safetensors.*policydesk train encoder"):
        StaticEncoder(tmp_path)
    with pytest.raises(ConfigError, match="int8"):
        StaticEncoder(make_encoder(tmp_path, scales=False))


def test_the_shipped_one_is_small_and_has_a_card() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 32_000_000
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert StaticEncoder().name in card
    assert "policydesk train encoder" in card


def test_the_shipped_one_gives_the_vectors_that_model2vec_gives(shipped: StaticEncoder) -> None:
    from model2vec import StaticModel

    texts = ["用人单位应当按月足额支付劳动报酬。", "楼上天天装修到半夜", "abc 123"]
    model = StaticModel.from_pretrained(SHIPPED)
    theirs = model.encode([" ".join(terms_of(text)) for text in texts])
    assert shipped.embed(texts[:2]) == pytest.approx(theirs[:2], abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "told", "other"),
    [
        ("老板跑路不给钱", "用人单位拖欠劳动报酬的，由劳动行政部门责令支付", "业主可以自行管理建筑物及其附属设施"),
        ("楼上天天装修到半夜", "在住宅楼进行室内装修的，应当避免噪声扰民", "用人单位应当为劳动者缴纳社会保险费"),
        ("孩子没户口能上学吗", "适龄儿童、少年在户籍所在地学校就近入学", "机动车驾驶证有效期满应当换证"),
    ],
)
def test_the_shipped_one_understands_everyday_words(asked: str, told: str, other: str, shipped: StaticEncoder) -> None:
    near, far = shipped.embed([told, other]) @ shipped.embed_questions([asked])[0]
    assert near > far + 0.1
