"""What ends a document: another that repeals it, an editor's ruling, its term; and what follows when that goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.records import Document, Ended, Facts, Rank, SearchOptions, State, StoredDocument, Validity
from ingest.document import make_document
from kb.base import KnowledgeBase
from policydesk.app import open_desk

TODAY = date(2026, 6, 1)


@pytest.fixture
def base(each_database: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    storage = each_database.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    with open_desk(each_database.model_copy(update={"storage": storage}), tmp_path / "home") as desk:
        yield desk.base


def rule(
    title: str, *articles: str, since: date = date(2010, 1, 1), region: str | None = None, doc_no: str | None = None
) -> Document:
    body = "\n".join(f"第{'一二三四五六'[n]}条 {text}" for n, text in enumerate(articles))
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=since, region=region, doc_no=doc_no)
    return make_document(facts, f"{title}\n{body}", f"{title}{since}{region}.md", name=None, chunk_chars=1200)


OLD = rule("犬只登记办法", "犬只登记每年收费二百元。", since=date(2010, 1, 1))
NEW = rule(
    "犬只管理规定", "犬只登记不收费。", "本规定自2025年3月1日起施行，《犬只登记办法》同时废止。", since=date(2025, 3, 1)
)


def stored(base: KnowledgeBase, document: Document) -> StoredDocument:
    return next(one for one in base.documents([State.PUBLISHED]) if one.id == document.id)


def found(base: KnowledgeBase, day: date) -> list[str]:
    return [hit.document.facts.title for hit in base.search("犬只登记收费", SearchOptions(top=9, as_of=day))]


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_a_repealed_rule_ends_on_the_day_of_the_one_that_repeals_it(
    base: KnowledgeBase, order: tuple[Document, Document]
) -> None:
    for document in order:
        base.add([document], publish=True)
    old = stored(base, OLD)
    assert (old.in_force_to, old.superseded_by, old.ended_how) == (date(2025, 3, 1), NEW.id, Ended.REPEALED)
    assert old.validity(TODAY) is Validity.REPEALED
    assert OLD.facts.title not in found(base, TODAY)
    assert OLD.facts.title in found(base, date(2025, 2, 28))


def test_both_in_one_run_end_the_same_way(base: KnowledgeBase) -> None:
    base.add([OLD, NEW], publish=True)
    assert stored(base, OLD).ended_how is Ended.REPEALED
    assert set(found(base, TODAY)) == {NEW.facts.title}


def test_the_rule_holds_again_when_what_repealed_it_is_withdrawn(base: KnowledgeBase) -> None:
    base.add([OLD, NEW], publish=True)
    base.withdraw(NEW.id)
    assert stored(base, OLD).validity(TODAY) is Validity.IN_FORCE
    assert found(base, TODAY) == [OLD.facts.title]


def test_a_new_revision_that_repeals_nothing_puts_the_rule_in_force_again(base: KnowledgeBase) -> None:
    base.add([OLD, NEW], publish=True)
    milder = replace(rule("犬只管理规定", "犬只登记不收费。", since=date(2025, 3, 1)), source=NEW.source)
    base.add([milder], publish=True)
    assert stored(base, OLD).validity(TODAY) is Validity.IN_FORCE


def test_a_rule_of_another_region_with_the_same_name_goes_on(base: KnowledgeBase) -> None:
    elsewhere = rule("犬只登记办法", "犬只登记每年收费三百元。", region="900200")
    base.add([NEW, elsewhere], publish=True)
    assert stored(base, elsewhere).validity(TODAY) is Validity.IN_FORCE


def test_a_later_rule_of_the_repealed_name_is_not_meant(base: KnowledgeBase) -> None:
    later = rule("犬只登记办法", "犬只登记每年收费一百元。", since=date(2026, 1, 1))
    base.add([NEW, later], publish=True)
    assert stored(base, later).validity(TODAY) is Validity.IN_FORCE


def test_a_number_names_the_document_in_any_region(base: KnowledgeBase) -> None:
    old = rule("关于犬只收费的通知", "犬只登记每年收费二百元。", doc_no="临政发〔2010〕7号", region="900100")
    base.add([old, rule(
        "犬只管理规定", "《关于犬只收费的通知》（临政发〔2010〕7号）自2025年3月1日起废止。", since=date(2025, 3, 1),
    )], publish=True)
    assert stored(base, old).validity(TODAY) is Validity.REPEALED


def test_a_single_article_that_is_repealed_leaves_the_rule(base: KnowledgeBase) -> None:
    amending = rule("修改犬只登记办法的决定", "《犬只登记办法》第一条同时废止。", since=date(2025, 3, 1))
    base.add([OLD, amending], publish=True)
    assert stored(base, OLD).validity(TODAY) is Validity.IN_FORCE
