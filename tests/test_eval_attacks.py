"""The set of spoilt drafts: how it is made, and that the bars hold on the samples and on what was written by hand."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.config import load_config
from eval.attack_kinds import KINDS
from eval.attacks import Draft, attack_lines, drafts, measure, read_documents, read_hand, split_of, support_of
from policydesk.cli import app
from qa.support import Support

POLICIES = Path(__file__).resolve().parent.parent / "data_samples" / "policies"


@cache
def made() -> tuple[Draft, ...]:
    documents = [one for one in read_documents([POLICIES], load_config()) if split_of(one.id) == "test"]
    return tuple(drafts(documents, per_document=8))


def test_the_same_seed_makes_the_same_drafts() -> None:
    documents = read_documents([POLICIES / "24_高龄津贴办法.md"], load_config())
    assert list(drafts(documents, seed=1)) == list(drafts(documents, seed=1))
    assert list(drafts(documents, seed=1)) != list(drafts(documents, seed=2))


def test_there_are_at_least_twenty_kinds_and_three_hundred_spoilt_sentences() -> None:
    kinds = Counter(draft.kind for draft in made() if not draft.true)
    assert len(KINDS) >= 25
    assert len(kinds) >= 20
    assert sum(kinds.values()) >= 300


def test_a_spoilt_sentence_does_not_stand_in_its_quotes() -> None:
    assert not [d for d in made() if not d.true and any(d.sentence.rstrip("。；") in quote for quote in d.quotes)]


def test_the_bars_hold_on_documents_that_no_weight_was_chosen_on() -> None:
    result = measure(made(), Support())
    caught, spoilt = result.caught
    dropped, true = result.dropped
    assert caught >= 0.99 * spoilt
    assert dropped <= 0.03 * true


@pytest.mark.parametrize("encoder", [False, True])
def test_the_bars_hold_on_what_was_written_by_hand(encoder: bool) -> None:
    result = measure(read_hand(), support_of(encoder=encoder))
    caught, spoilt = result.caught
    dropped, true = result.dropped
    assert caught >= 0.99 * spoilt
    assert dropped <= 0.03 * true


def test_quotes_that_were_written_down_by_hand_stand_in_the_samples() -> None:
    texts = [file.read_text(encoding="utf-8") for file in POLICIES.iterdir()]
    hand = read_hand()
    assert sum(draft.true for draft in hand) >= 80
    assert sum(not draft.true for draft in hand) >= 80
    assert [q for draft in hand for q in draft.quotes if not any(q in text for text in texts)] == []


def test_losses_are_counted_on_both_sides() -> None:
    right = Draft("改写", True, "免收费用。", ("不予受理。",))
    wrong = Draft("改数额", False, "处二百元罚款。", ("处二百元罚款。",))
    result = measure([right, wrong], Support())
    assert result.caught == (0, 1)
    assert result.dropped == (1, 1)
    assert any(line.startswith("误删（改写") for line in attack_lines(result))


def test_the_verb_prints_the_table_and_its_json_has_the_losses(tmp_path: Path) -> None:
    file = tmp_path / "办法.md"
    file.write_text((POLICIES / "24_高龄津贴办法.md").read_text(encoding="utf-8"), encoding="utf-8")
    arguments = ["eval", "attacks", "--documents", str(file), "--split", "all", "--letters"]
    printed = CliRunner().invoke(app, arguments)
    assert printed.exit_code == 0
    assert "篡改的句子：查出" in printed.stdout
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert {"true", "spoilt", "losses"} <= set(found["造句"])
