"""Chunks of tables with rows longer than a part may be."""

from __future__ import annotations

import pytest

from core.records import Facts
from ingest.cover import verify_cover
from ingest.document import make_document


@pytest.mark.parametrize("chars", [3000, 5000, 20_000])
def test_a_giant_row_is_divided_and_the_rows_after_it_are_kept(chars: int) -> None:
    text = f"名录\n| 名称 | 电话 |\n| --- | --- |\n| 甲 | 1 |\n| {'第' * chars} | 2 |\n| 丙 | 3 |\n"
    document = make_document(Facts("名录"), text, "名录.csv", name=None, chunk_chars=600)
    verify_cover(document)
    assert "丙" in document.text[document.chunks[-1].start : document.chunks[-1].end]
