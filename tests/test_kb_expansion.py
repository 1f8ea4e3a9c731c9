"""Everyday words and the official terms they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from kb.expansion import SHIPPED, TermMap, read_terms


def test_the_longest_expression_counts_and_terms_weigh_less_one_after_the_other() -> None:
    terms = TermMap({"老板": ["用人单位"], "老板跑路": ["逃匿", "转移财产"], "不给钱": ["拖欠劳动报酬"]})
    found = [(e.because, e.term, round(e.weight, 2)) for e in terms.expand("老板跑路不给钱")]
    assert found == [("老板跑路", "逃匿", 1.0), ("老板跑路", "转移财产", 0.8), ("不给钱", "拖欠劳动报酬", 1.0)]


def test_expressions_that_overlap_both_count() -> None:
    terms = TermMap({"装修吵": ["作业时间"], "吵死了": ["噪声"]})
    assert [e.term for e in terms.expand("半夜装修吵死了")] == ["作业时间", "噪声"]


def test_a_term_that_the_question_holds_is_not_added() -> None:
    assert TermMap({"老板": ["用人单位"]}).expand("老板是不是用人单位") == ()


def test_full_width_and_capital_letters_are_the_same() -> None:
    assert [e.term for e in TermMap({"vip卡": ["预付卡"]}).expand("ＶＩＰ卡退不了")] == ["预付卡"]


def test_the_shipped_list_knows_common_speech() -> None:
    terms = read_terms([SHIPPED])
    assert len(terms) > 9_000
    assert "用人单位" in {e.term for e in terms.expand("老板拖工资")}


def test_a_file_of_ones_own_adds_to_the_shipped_list(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text("# 本市说法\n小红本、红本本\t不动产权证书\n", encoding="utf-8")
    assert [e.term for e in read_terms([SHIPPED, own]).expand("小红本丢了")][-1:] == ["不动产权证书"]


@pytest.mark.parametrize("line", ["老板 用人单位", "老板\t", "\t用人单位"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "own.tsv").write_text(f"# 说明\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.tsv:2"):
        read_terms([tmp_path / "own.tsv"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search\.terms_file"):
        read_terms([tmp_path / "none.tsv"])
