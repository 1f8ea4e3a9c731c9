"""Laws printed in three formats come back with the same articles; what does not is counted and shown."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from core.config import Config
from core.errors import IngestError
from eval.parity import FLOOR, FORMATS, Law, draw_laws, measure, report
from tests.conftest import SAMPLES

NAMES = ("03_物业管理条例.md", "10_养犬管理条例.md", "24_高龄津贴办法.md")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample rules as the raw laws are: no front matter, history lines before a mark, folders by kind."""
    path = tmp_path_factory.mktemp("laws") / "laws.tar.xz"
    with tarfile.open(path, "w:xz") as opened:
        for number, name in enumerate(NAMES):
            body = re.sub(r"\A---.*?\n---\n", "", (SAMPLES / "policies" / name).read_text(encoding="utf-8"), flags=re.S)
            title, _, rest = body.strip().partition("\n")
            data = f"{title}\n\n2022年1月1日 通过\n\n<!-- INFO END -->\n{rest}".encode()
            member = tarfile.TarInfo(f"{('行政法规', '江岳地方法规/地方性法规')[number % 2]}/{name}")
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def laws(archive: Path, config: Config) -> list[Law]:
    return draw_laws(archive, config, count=3, seed=1)


def test_laws_are_drawn_of_every_kind_in_turn_and_the_same_for_a_seed(
    archive: Path, config: Config, laws: list[Law]
) -> None:
    assert [law.name.split("/")[0] for law in laws] == ["江岳地方法规", "行政法规", "行政法规"]
    assert draw_laws(archive, config, count=3, seed=1) == laws
    assert draw_laws(archive, config, count=1, seed=1) == laws[:1]


def test_a_law_holds_its_articles_without_white_space(laws: list[Law]) -> None:
    law = next(law for law in laws if law.title == "临澜市养犬管理条例")
    assert law.articles["第二十四条"] == "本条例自2023年1月1日起施行。"
    assert "通过" not in law.body


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_articles_come_back_from_every_format(laws: list[Law], config: Config, name: str) -> None:
    result = measure(laws, name, config)
    assert result.articles >= 60
    assert result.share >= FLOOR, report([result], 5)


def test_a_changed_and_a_missing_article_are_losses_that_the_report_shows(laws: list[Law], config: Config) -> None:
    law = replace(laws[0], articles=laws[0].articles | {"第一条": "甲。乙。", "第九十九条": "丙。"})
    result = measure([law], "docx", config)
    assert [(loss.address, loss.expected) for loss in result.losses] == [("第一条", "甲。乙。"), ("第九十九条", "丙。")]
    assert (result.identical, result.articles) == (len(law.articles) - 2, len(law.articles))
    text = report([result], 5)
    assert "-甲。" in text
    assert "missing: 丙。" in text


def test_what_is_no_archive_is_a_clear_error(tmp_path: Path, config: Config) -> None:
    (tmp_path / "a.tar.xz").write_bytes(b"no")
    with pytest.raises(IngestError, match=r"laws\.tar\.xz"):
        draw_laws(tmp_path / "a.tar.xz", config, count=1, seed=1)
