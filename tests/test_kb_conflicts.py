"""Passages of rules in force that differ are found, and such as only look so are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from core.config import Config
from core.records import Document, Facts, Rank
from eval.conflicts import holds, pair_key, published, read_documents, score, verdicts
from eval.planted import plant
from ingest.document import make_document
from kb.conflicts.clause_rows import complete_clauses
from kb.conflicts.find import Conflict, conflicts_of, find_conflicts
from kb.conflicts.precedence import Precedence
from kb.curation.card_rows import card_lines, save_cards
from kb.schema import clauses
from policydesk.app import open_desk
from tests.conftest import SAMPLES

TODAY = date(2026, 11, 23)
CITY = Facts(
    "临澜市高龄津贴办法", issuer="临澜市民政局", rank=Rank.NORMATIVE_DOCUMENT, region="900100",
    effective_from=date(2023, 1, 1),
)
NAMES = {"900000": "江岳省", "900100": "临澜市", "900102": "澜东区", "900200": "望川市"}
GRANT = "年满八十周岁的老年人可以领取高龄津贴，每人每月{}"


def make(facts: Facts, *paragraphs: str) -> Document:
    lines = [f"{sign}、{words}。" for sign, words in zip("一二三四五", paragraphs, strict=False)]
    text = "\n".join([facts.title, *lines])
    return make_document(facts, text, f"{facts.title}{facts.issuer}.md", name=None, chunk_chars=1200)


def notice(amount: str, *, region: str | None = "900100", issuer: str = "临澜市财政局", title: str = "") -> Document:
    facts = replace(
        CITY, title=title or "关于落实高龄津贴的通知", issuer=issuer, region=region, effective_from=date(2025, 1, 1)
    )
    return make(facts, GRANT.format(amount), "各单位做好宣传")


def city() -> Document:
    return make(CITY, GRANT.format("一百元"), "津贴每月十日前发放")


def found(*documents: Document, today: date = TODAY, region: str | None = None) -> list[Conflict]:
    with published(documents) as connection:
        return find_conflicts(connection, today=today, names=NAMES, region=region)


def test_two_amounts_for_one_thing_are_shown_side_by_side() -> None:
    one, other = city(), notice("180元")
    [conflict] = found(one, other)
    assert conflict.kinds == ("money",)
    texts = {one.id: one.text, other.id: other.text}
    assert {texts[side.document][slice(*side.values[0])] for side in conflict.sides} == {"一百元", "180元"}
    assert all(texts[side.document][side.start : side.end] == side.quote for side in conflict.sides)
    assert {side.address for side in conflict.sides} == {"一"}
    assert conflict.decision.rule is Precedence.CONFIRM


@pytest.mark.parametrize("amount", ["一百元", "100元", "0.01万元"])
def test_the_same_amount_in_another_writing_is_no_conflict(amount: str) -> None:
    assert found(city(), notice(amount)) == []


def test_rules_of_two_cities_never_conflict() -> None:
    assert found(city(), notice("180元", region="900200")) == []
    assert found(city(), notice("180元", region="900102")) != []


def test_only_what_holds_in_the_region_is_shown() -> None:
    both = city(), notice("180元", region="900102")
    assert found(*both, region="900102") != []
    assert found(*both, region="900100") == []


def test_rules_that_do_not_hold_on_the_day_are_left_out() -> None:
    both = city(), notice("180元")
    assert found(*both, today=date(2024, 1, 1)) == []


def test_the_newer_rule_of_one_maker_goes_first() -> None:
    [conflict] = found(city(), notice("180元", issuer="临澜市民政局", title="关于临澜市高龄津贴的通知"))
    assert conflict.decision.rule is Precedence.NEWER
    assert conflict.decision.prefers is not None
    assert "180元" in conflict.sides[conflict.decision.prefers].quote


def test_the_notice_of_another_year_does_not_contradict() -> None:
    assert found(
        notice("100元", title="关于2024年度高龄津贴的通知"), notice("180元", title="关于2025年度高龄津贴的通知")
    ) == []


def test_another_matter_in_the_same_words_does_not_contradict() -> None:
    other = replace(CITY, title="临澜市殡葬服务收费规定", issuer="临澜市发展改革委")
    words = "申请人应当自收到通知之日起{}内补正材料"
    assert found(make(CITY, words.format("十日")), make(other, words.format("三十日"))) == []


def test_a_condition_that_was_turned_round_is_found() -> None:
    other = replace(CITY, title="关于落实高龄津贴的通知", issuer="临澜市财政局")
    words = "户籍迁出本市的老年人，{}继续领取高龄津贴"
    [conflict] = found(make(CITY, words.format("不得")), make(other, words.format("可以")))
    assert conflict.kinds == ("condition",)


def test_a_rule_that_lets_others_depart_is_told() -> None:
    words = "每人每月一百元。各区、县可以在此标准基础上提高"
    one = make(CITY, f"年满八十周岁的老年人可以领取高龄津贴，{words}")
    [conflict] = found(one, notice("180元", region="900102"))
    assert "允许下级另行规定" in conflict.decision.reason


def test_a_draft_is_compared_without_being_stored() -> None:
    with published([city()]) as connection:
        draft = notice("180元")
        [conflict] = conflicts_of(connection, draft, today=TODAY, names=NAMES)
        assert draft.id in {side.document for side in conflict.sides}
        assert conflicts_of(connection, city(), today=TODAY, names=NAMES) == []


def test_what_was_read_once_is_kept() -> None:
    with published([city(), notice("180元")]) as connection:
        assert complete_clauses(connection) == 0
        assert len(rows(connection)) == 2


def rows(connection: Connection) -> Sequence[object]:
    return connection.execute(select(clauses)).all()


@contextmanager
def samples() -> Iterator[tuple[Connection, list[Document]]]:
    documents = [*read_documents(SAMPLES / "policies")]
    with published(documents) as connection:
        yield connection, documents


def test_the_samples_hold_one_district_that_pays_more_than_its_city(config: Config) -> None:
    with samples() as (connection, _):
        shown = find_conflicts(connection, today=TODAY, names=config.regions.names)
    assert {side.title for one in shown for side in one.sides} == {
        "临澜市高龄津贴和老年人优待办法", "澜东区关于提高高龄津贴标准的实施意见"
    }


def test_nine_of_ten_planted_contradictions_are_found_and_none_that_says_the_same(config: Config) -> None:
    names = config.regions.names

    def notice_of(facts: Facts, text: str, source: str) -> Document:
        return make_document(facts, text, source, name=None, chunk_chars=1200)

    documents = [*read_documents(SAMPLES / "policies")]
    held = [document for document in documents if holds(document.facts)]
    for same, least, most in ((False, 0.9, 1.0), (True, 0.0, 0.0)):
        plants = [one for one, _ in zip(plant(held, notice_of, same=same), range(120), strict=False)]
        with published([*documents, *(one.notice for one in plants)]) as connection:
            scores = score(connection, plants, names)
        share = sum(row.found for row in scores) / len(plants)
        assert least <= share <= most, scores


def test_verdicts_are_counted_by_title_and_words(tmp_path: Path) -> None:
    [conflict] = found(city(), notice("180元"))
    one, other = sorted(pair_key(conflict))
    judged = tmp_path / "judged.jsonl"
    judged.write_text(f'{{"sides": ["{one}", "{other}"], "verdict": "true"}}\n', encoding="utf-8")
    assert verdicts([conflict], judged) == {"true": 1}
    judged.write_text("", encoding="utf-8")
    assert verdicts([conflict], judged) == {"unread": 1}


def test_the_verb_prints_both_sides_and_the_rule_on_each_database(each_database: Config, tmp_path: Path) -> None:
    from policydesk.cli_conflicts import _found, _lines

    light = each_database.model_copy(update={
        "storage": each_database.storage.model_copy(update={"vectors": ":memory:", "min_free_mb": 0}),
        "index": each_database.index.model_copy(update={"embedder": "none"}),
        "search": each_database.search.model_copy(update={"terms": False}),
    })
    with open_desk(light, tmp_path) as desk:
        desk.base.add([city(), notice("180元")], publish=True)
        lines = "\n".join(_lines(_found(desk, None, day=TODAY, region=None)))
        assert _found(desk, city().id, day=TODAY, region=None) != []
        with desk.base.writing() as connection:
            save_cards(connection, [city()])
            assert [line.value for line in card_lines(connection, city()) if line.name == "标准"] != []
    assert "【一百元】" in lines
    assert "【180元】" in lines
    assert "请责任单位确认" in lines
