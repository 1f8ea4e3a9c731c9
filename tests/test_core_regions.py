"""Region codes and names."""

from __future__ import annotations

import pytest

from core.config import Config
from core.errors import ConfigError
from core.regions import region_chain, region_code


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
