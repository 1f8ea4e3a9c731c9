"""Amounts, periods, dates and shares as laws and notices write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kb.conflicts.quantities import Dimension, quantities


@pytest.mark.parametrize(("text", "dimension", "value", "unit"), [
    ("每人每月三千六百元", Dimension.MONEY, Decimal(3600), "元"),
    ("处1.5万元罚款", Dimension.MONEY, Decimal(15000), "元"),
    ("不超过1,200元", Dimension.MONEY, Decimal(1200), "元"),
    ("一百二十万元", Dimension.MONEY, Decimal(1200000), "元"),
    ("2亿元", Dimension.MONEY, Decimal(200000000), "元"),
    ("十五个工作日内", Dimension.PERIOD, Decimal(15), "工作日"),
    ("三十日内", Dimension.PERIOD, Decimal(30), "日"),
    ("满一年", Dimension.PERIOD, Decimal(12), "月"),
    ("满12个月", Dimension.PERIOD, Decimal(12), "月"),
    ("百分之十二点五", Dimension.SHARE, Decimal("0.125"), "1"),
    ("７５％", Dimension.SHARE, Decimal("0.75"), "1"),
    ("三分之二", Dimension.SHARE, Decimal("0.666667"), "1"),
    ("年满六十周岁", Dimension.AGE, Decimal(60), "岁"),
    ("２０１８年７月１日起", Dimension.DATE, Decimal(20180701), "年月日"),
    ("二〇二四年六月一日", Dimension.DATE, Decimal(20240601), "年月日"),
    ("每年3月31日前", Dimension.DATE, Decimal(331), "月日"),
    ("次月十日前发放", Dimension.DATE, Decimal(10), "日"),
    ("十六平方米", Dimension.AREA, Decimal(16), "平方米"),
])
def test_a_quantity_is_read_whatever_way_it_is_written(
    text: str, dimension: Dimension, value: Decimal, unit: str
) -> None:
    [found] = quantities(text)
    assert (found.dimension, found.value, found.unit) == (dimension, value, unit)
    assert text[found.start : found.end].strip() in text


@pytest.mark.parametrize(
    "text", ["第三年", "临政规〔2024〕3号", "高中一年级", "一次性补助", "人民群众", "统一办理", "三个方面"]
)
def test_ordinals_numbers_of_documents_and_words_are_no_quantities(text: str) -> None:
    assert list(quantities(text)) == []


def test_one_year_is_twelve_months() -> None:
    [one], [other] = list(quantities("满一年")), list(quantities("满十二个月"))
    assert one.key == other.key
