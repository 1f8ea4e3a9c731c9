"""The scorer of official fields counts by hand-made gold, and names what loses."""

from __future__ import annotations

import json
from pathlib import Path

from core.records import OfficialField
from eval.official import found_values, main, normalised, score


def test_white_space_does_not_count() -> None:
    assert normalised("关于供热 的\n通知") == ("关于供热的通知",)
    assert normalised(["甲 局", "乙局"]) == ("甲局", "乙局")
    assert normalised(None) == ()


def test_lists_are_compared_as_sets_and_counted_in_order_beside() -> None:
    gold: dict[str, dict[str, object]] = {"a": {"issuer": ["甲", "乙"]}, "b": {"issuer": []}, "c": {"issuer": ["丙"]}}
    scores, losses = score(gold, {"a": {"issuer": ("乙", "甲")}, "b": {}, "c": {"issuer": ("丁",)}})
    issuer = next(row for row in scores if row.field == "issuer")
    assert (issuer.count, issuer.exact, issuer.ordered) == (3, 2, 1)
    assert [(loss.key, loss.gold, loss.found) for loss in losses] == [("c", ("丙",), ("丁",))]


def test_nothing_where_there_is_nothing_counts_as_right() -> None:
    scores, losses = score({"a": {"cc": None}}, {"a": {}})
    assert all(row.share == 1.0 for row in scores)
    assert losses == []


def test_a_document_that_was_not_read_loses_every_field() -> None:
    scores, _ = score({"a": {"cc": None, "title": "甲"}}, {})
    assert all(row.exact == 0 for row in scores)


def test_a_field_that_can_have_one_value_gives_its_first() -> None:
    fields = [OfficialField("标题", "甲", 0, 1, 0.9), OfficialField("依据", "乙", 0, 1, 0.9),
              OfficialField("依据", "丙", 0, 1, 0.9)]
    found = found_values(fields)
    assert (found["title"], found["basis"], found["cc"]) == (("甲",), ("乙", "丙"), ())


def test_the_command_reads_pages_and_prints_the_table(tmp_path: Path, capsys: object) -> None:
    page = tmp_path / "policy_files/html/a.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html><body><h1>关于供热的通知</h1><p>各区：</p><p>甲。</p></body></html>", encoding="utf-8")
    gold = tmp_path / "gold.jsonl"
    fields = {"title": "关于供热的通知", "kind": "函"}
    gold.write_text(json.dumps({"key": "policy_files/html/a.html", "fields": fields}), encoding="utf-8")
    main([str(gold), "--data", str(tmp_path)])
    out = capsys.readouterr().out       # type: ignore[attr-defined]
    assert "title              1/1    1.000" in out
    assert "kind  policy_files/html/a.html\n  gold  函\n  found 通知" in out
