"""Region codes and names."""

from __future__ import annotations

import pytest

from core.config import Config
from core.errors import ConfigError
from core.regions import (
    TABLE,
    FoundRegion,
    leading_region,
    region_chain,
    region_code,
    region_level,
    region_name,
    regions_named,
)


@pytest.mark.parametrize(
    ("code", "chain"),
    [
        ("900102", (None, "900000", "900100", "900102")),
        ("900100", (None, "900000", "900100")),
        ("900000", (None, "900000")),
        ("110101", (None, "110000", "110100", "110101")),
    ],
)
def test_the_rules_of_the_country_the_province_and_the_city_hold_too(
    code: str, chain: tuple[str | None, ...]
) -> None:
    assert region_chain(code) == chain


@pytest.mark.parametrize("code", ["", "9001", "9001021", "90010a", "９００１０２", "²²²²²²", " 90010", "上海市"])
def test_what_is_no_region_code_is_refused_with_an_example(code: str) -> None:
    with pytest.raises(ConfigError, match="900100"):
        region_chain(code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("上海市", "310000"),
        ("上海", "310000"),
        ("310000", "310000"),
        ("内蒙古", "150000"),
        ("广西", "450000"),
        ("新疆", "650000"),
        ("香港", "810000"),
        ("澜东", "900102"),
        ("临港县", "900121"),
        ("999999", "999999"),
        ("某地", None),
        ("", None),
        ("市", None),
        ("９００１００", None),
    ],
)
def test_a_region_is_known_by_code_full_name_and_short_name(config: Config, name: str, code: str | None) -> None:
    assert region_code(name, config.regions.names) == code


def test_every_shipped_name_leads_to_its_own_code(config: Config) -> None:
    names = config.regions.names
    assert {region_code(name, names): name for name in names.values()} == dict(names)
    assert all(region_chain(code)[-1] == code for code in names)


@pytest.mark.parametrize(
    ("text", "code", "level"),
    [
        ("广东省人民政府办公厅", "440000", "省"),
        ("广州市天河区教育局", "440106", "县"),
        ("天河区人民政府", "440106", "县"),
        ("广东省广州市天河区", "440106", "县"),
        ("湖北省仙桃市人民政府", "429004", "县"),
        ("北京市海淀区", "110108", "县"),
        ("上海市浦东新区", "310115", "县"),
        ("恩施州人民政府", "422800", "市"),
        ("大厂县人民政府", "131028", "县"),
        ("新疆维吾尔自治区乌鲁木齐市", "650100", "市"),
        ("内蒙古自治区", "150000", "省"),
        ("吉林省吉林市", "220200", "市"),
        ("东莞市教育局", "441900", "市"),
        ("长春市朝阳区", "220104", "县"),
        ("澜东区人民政府", "900102", "县"),
        ("临澜市澜东区人民政府", "900102", "县"),
    ],
)
def test_a_body_is_placed_by_the_regions_its_name_begins_with(
    config: Config, text: str, code: str, level: str
) -> None:
    found = leading_region(text, config.regions.names)
    assert found is not None
    assert (found.code, found.level) == (code, level)


@pytest.mark.parametrize("name", ["鼓楼区", "城关区", "朝阳区", "市中区", "通州区"])
def test_a_name_that_places_share_needs_its_city(name: str) -> None:
    assert leading_region(name, {}) == FoundRegion(None, 3, "县")
    assert len(regions_named(name, {})) > 1


@pytest.mark.parametrize(
    ("text", "code"), [("南京市鼓楼区", "320106"), ("福州市鼓楼区", "350102"), ("拉萨市城关区", "540102")]
)
def test_the_city_before_tells_them_apart(text: str, code: str) -> None:
    found = leading_region(text, {})
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["北京大学", "国务院", "市教育局", "民政部", "", "河北雄安新区"])
def test_what_begins_with_no_region_has_none(text: str) -> None:
    assert leading_region(text, {}) is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("440106", "天河区"), ("130000", "河北省"), ("110000", "北京市"), ("429004", "仙桃市"), ("540102", "城关区"),
        ("000001", None),
    ],
)
def test_the_table_knows_every_code_by_name(code: str, name: str | None) -> None:
    assert region_name(code, {}) == name


def test_the_table_is_whole_and_in_order() -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    codes = [line[:6] for line in lines]
    assert len(lines) == 3385
    assert codes == sorted(set(codes))
    assert sum(region_level(code) == "省" for code in codes) == 34
    assert all(line[6] == "," and len(line) > 8 for line in lines)


def test_configured_names_come_before_the_table() -> None:
    found = leading_region("天河区教育局", {"900103": "天河区"})
    assert found is not None
    assert found.code == "900103"
