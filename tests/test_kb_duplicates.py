"""Same texts, same numbers, versions and near-duplicates: what the editor is told."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.errors import NotFound
from core.records import Document, Duplicate, Facts, Likeness, Rank, State
from ingest.document import make_document
from kb.base import KnowledgeBase
from kb.curation.sketch import Sketch, band_keys, similarity, sketch
from kb.schema import bands, sketches
from policydesk.app import open_desk


@pytest.fixture
def light(each_database: Config) -> Config:
    storage = each_database.storage.model_copy(update={"min_free_mb": 0, "vectors": ":memory:"})
    return each_database.model_copy(update={"storage": storage})


@pytest.fixture
def base(light: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with open_desk(light, tmp_path / "home") as desk:
        yield desk.base


def sentences(*numbers: int) -> list[str]:
    return [f"第{n}类事项由主管部门依照程序办理" for n in numbers]


def make(
    words: Sequence[str], *, title: str = "停车通知", source: str, facts: Facts | None = None, stop: str = "。"
) -> Document:
    lines = [f"一、{stop.join(words[:2])}{stop}", f"二、{stop.join(words[2:])}{stop}"]
    return make_document(
        replace(facts or Facts(""), title=title), "\n".join([title, *lines]), source, name=None, chunk_chars=1200
    )


def told(base: KnowledgeBase, *documents: Document, publish: bool = True) -> list[tuple[str, str, Likeness]]:
    duplicates = base.add(documents, publish=publish).duplicates
    return [(duplicate.source, duplicate.of_source, duplicate.kind) for duplicate in duplicates]


# the same text


def test_the_same_text_under_another_name_is_told(base: KnowledgeBase) -> None:
    first = make(sentences(1, 2, 3), source="a.md")
    copy = make(sentences(1, 2, 3), title="关于停车的通知", source="b.md")
    assert told(base, first) == []
    report = base.add([copy], publish=True)
    assert report.duplicates == (Duplicate(copy.id, first.id, Likeness.SAME_TEXT, 1.0, "b.md", "a.md"),)
    assert report.documents == 1


def test_white_space_and_punctuation_make_no_other_text(base: KnowledgeBase) -> None:
    plain = make(sentences(1, 2, 3), source="a.md")
    spaced = make([" ".join(word) for word in sentences(1, 2, 3)], title="通知", source="b.md", stop=" ；")
    assert told(base, plain, spaced) == [("b.md", "a.md", Likeness.SAME_TEXT)]


def test_the_same_content_from_another_place_is_told_and_not_stored_again(base: KnowledgeBase) -> None:
    first, copy = make(sentences(1, 2, 3), source="a.md"), make(sentences(1, 2, 3), source="b.md")
    assert first.id == copy.id
    assert told(base, first, copy) == [("b.md", "a.md", Likeness.SAME_TEXT)]
    assert told(base, copy) == [("b.md", "a.md", Likeness.SAME_TEXT)]
    assert told(base, first) == []
    assert base.counts()[0] == 1


def test_a_revision_is_no_duplicate_of_the_one_it_replaces(base: KnowledgeBase) -> None:
    assert told(base, make(sentences(1, 2, 3, 4, 5), source="a.md")) == []
    assert told(base, make(sentences(1, 2, 3, 4, 6), source="a.md")) == []
    assert told(base, make(sentences(1, 2, 3, 4, 7), source="a.md"), publish=False) == []


def test_documents_without_words_are_not_the_same(base: KnowledgeBase) -> None:
    empty = [make_document(Facts(f"空白{n}"), "", f"{n}.md", name=None, chunk_chars=1200) for n in range(3)]
    assert told(base, *empty) == []


def test_a_hundred_copies_are_told_of_the_first_each(base: KnowledgeBase) -> None:
    copies = [make(sentences(1, 2, 3), title=f"通知{n}", source=f"{n}.md") for n in range(100)]
    assert told(base, *copies) == [(f"{n}.md", "0.md", Likeness.SAME_TEXT) for n in range(1, 100)]


# numbers and versions


def test_the_same_number_from_another_place_is_told(base: KnowledgeBase) -> None:
    facts = Facts("", doc_no="临政发〔2024〕3号")
    one, other = (make(sentences(n, n + 1, n + 2), source=f"{n}.md", facts=facts) for n in (10, 20))
    assert told(base, one, other) == [("20.md", "10.md", Likeness.SAME_NUMBER)]


def version(year: int, *, issuer: str | None = "临澜市人民政府", source: str = "", words: int = 0) -> Document:
    facts = Facts("", rank=Rank.LOCAL_RULE, issuer=issuer, region="900100", effective_from=date(year, 1, 1))
    first = words or 10 * year
    words_of_year = sentences(first, first + 1, first + 2)
    return make(words_of_year, title="停车管理办法", source=source or f"{year}.md", facts=facts)


def test_a_version_is_told_of_the_one_before_it(base: KnowledgeBase) -> None:
    assert told(base, version(2010), version(2020), version(2015)) == [
        ("2020.md", "2010.md", Likeness.VERSION), ("2015.md", "2010.md", Likeness.VERSION),
    ]
    assert told(base, version(2026)) == [("2026.md", "2020.md", Likeness.VERSION)]
    assert told(base, version(2001)) == [("2001.md", "2010.md", Likeness.VERSION)]


def test_a_version_without_an_issuer_is_one_of_another_issuer_is_none(base: KnowledgeBase) -> None:
    assert told(base, version(2010), version(2015, issuer="望川市人民政府")) == []
    assert told(base, version(2020, issuer=None)) == [("2020.md", "2015.md", Likeness.VERSION)]


def test_next_years_notice_is_no_version(base: KnowledgeBase) -> None:
    notices = [make(sentences(n, n + 1, n + 2), title="招生通知", source=f"{n}.md",
                    facts=Facts("", dated=date(2000 + n, 1, 1))) for n in (10, 20)]
    assert told(base, *notices) == []


def test_a_version_counts_only_when_the_other_is_published(base: KnowledgeBase) -> None:
    draft = version(2010)
    assert told(base, draft, publish=False) == []
    assert told(base, version(2020), publish=False) == []
    base.publish([draft.id])
    assert told(base, version(2026), publish=False) == [("2026.md", "2010.md", Likeness.VERSION)]


def test_a_version_of_nearly_the_same_text_is_told_once_as_a_version(base: KnowledgeBase) -> None:
    assert told(base, version(2010, words=5), version(2020, words=6)) == [("2020.md", "2010.md", Likeness.VERSION)]


# near


def test_a_document_that_shares_most_sentences_is_near(base: KnowledgeBase) -> None:
    words = sentences(*range(20))
    one = make(words, source="a.md")
    other = make([*words[:19], "此处已经改写"], title="公告", source="b.md")
    (found,) = base.add([one, other], publish=True).duplicates
    assert (found.kind, found.of, found.document) == (Likeness.NEAR, one.id, other.id)
    assert found.similarity == pytest.approx(19 / 21, abs=1e-4)


def test_a_document_that_shares_half_its_sentences_is_not_near(base: KnowledgeBase) -> None:
    one = make(sentences(*range(20)), source="a.md")
    assert told(base, one, make(sentences(*range(10, 30)), title="公告", source="b.md")) == []


@pytest.mark.parametrize("size", [10, 40, 200])
def test_four_of_five_shared_sentences_are_found_nineteen_times_in_twenty(size: int) -> None:
    """Jaccard 0.8: of ``size`` distinct sentences a tenth belongs to either one alone."""
    chance = np.random.default_rng(size)
    found = 0
    for _ in range(300):
        pool = chance.permutation(np.unique(chance.integers(0, 2**32, size=size, dtype=np.uint32)))
        own = len(pool) // 10
        one = Sketch("", np.sort(pool[: len(pool) - own]))
        other = Sketch("", np.sort(np.concatenate([pool[: len(pool) - 2 * own], pool[len(pool) - own :]])))
        assert similarity(one.sentences, other.sentences) == pytest.approx(0.8, abs=0.03)
        first, second = band_keys([one, other])
        found += not set(first).isdisjoint(second)
    assert found / 300 >= 0.95


def test_bands_do_not_depend_on_what_they_are_made_together_with() -> None:
    documents = [make(sentences(*range(n, n + 5)), source=f"{n}.md") for n in range(6)]
    made = [sketch(document) for document in documents] + [Sketch(None, np.array([], dtype=np.uint32))]
    assert band_keys(made) == [band_keys([one])[0] for one in made]
    assert (band_keys(made)[-1], similarity(made[-1].sentences, made[-1].sentences)) == ([], 0.0)


# asking later, and old databases


def test_similar_tells_both_directions_and_the_most_similar_first(base: KnowledgeBase) -> None:
    words = sentences(*range(30))
    documents = [make([*words[: 30 - n], *sentences(*range(100, 100 + n))], title=f"通知{n}", source=f"{n}.md")
                 for n in range(4)]
    base.add(documents, publish=True)
    found = base.similar(documents[1].id)
    assert [duplicate.of for duplicate in found] == [documents[n].id for n in (0, 2, 3)]
    assert [duplicate.similarity for duplicate in found] == sorted((d.similarity for d in found), reverse=True)
    base.withdraw(documents[0].id)
    assert [duplicate.of for duplicate in base.similar(documents[1].id)] == [documents[n].id for n in (2, 3)]
    assert base.similar(documents[0].id) == []
    with pytest.raises(NotFound):
        base.similar("0123456789abcdef")


def test_documents_of_an_older_program_are_sketched_on_opening(light: Config, tmp_path: Path) -> None:
    with open_desk(light, tmp_path / "home") as desk:
        desk.base.add([make(sentences(1, 2, 3), source="a.md")], publish=True)
        with desk.base._engine.begin() as connection:
            connection.execute(bands.delete())
            connection.execute(sketches.delete())
    with open_desk(light, tmp_path / "home") as desk:
        copy = make(sentences(1, 2, 3), title="公告", source="b.md")
        assert told(desk.base, copy) == [("b.md", "a.md", Likeness.SAME_TEXT)]


@pytest.mark.parametrize("batch_chunks", [1, 7, 1000])
def test_batches_do_not_change_what_is_told(light: Config, tmp_path: Path, batch_chunks: int) -> None:
    chance = random.Random(3)
    documents = [
        make(chance.sample(sentences(*range(12)), 11), title=f"通知{n}", source=f"{n}.md") for n in range(20)
    ]
    config = light.model_copy(update={"ingest": light.ingest.model_copy(update={"batch_chunks": batch_chunks})})
    with open_desk(config, tmp_path / "home") as desk:
        found = told(desk.base, *documents)
        assert len({source for source, _, _ in found}) >= 15
        pairs = {frozenset(pair[:2]) for pair in found}
        assert len(pairs) == len(found)
        assert len(desk.base.documents([State.PUBLISHED])) == 20
        assert sorted(found) == sorted(set(found))
