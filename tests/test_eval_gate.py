"""Floors: pinned, raised, never lowered by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotFound, PolicyDeskError
from core.records import Question
from eval.gate import Pin, check, gate_lines, read_pins, updated, write_pins
from eval.gold import GoldQuestion
from eval.retrieval import Found, RetrievalResult, evaluate_retrieval


def result_of(found: int, *, asked: int = 3) -> RetrievalResult:
    """``found`` of ``asked`` questions with their gold at rank 1."""
    questions = [GoldQuestion(f"q{n}", Question(f"q{n}"), ((f"a{n}",),)) for n in range(asked)]
    names = {f"q{n}": f"a{n}" for n in range(found)}
    return evaluate_retrieval(questions, lambda q, top: [Found(names.get(q.text, "x"), "d", 0, 1)])


def test_a_new_set_is_pinned_at_what_was_measured_rounded_down(tmp_path: Path) -> None:
    pins = updated({}, "small", result_of(2), allow_lower=False)
    write_pins(pins, tmp_path / "gate.json")
    assert read_pins(tmp_path / "gate.json") == pins
    assert pins["small"].floors["R@10"] == 0.666
    assert all(row.ok for row in check("small", pins, result_of(2)))


def test_a_lower_value_fails_its_floor() -> None:
    pins = updated({}, "small", result_of(2), allow_lower=False)
    checked = check("small", pins, result_of(1))
    assert not any(row.ok for row in checked)
    assert next(gate_lines(checked)).split() == ["未达", "R@10", "0.333", "门槛", "0.666"]


def test_a_floor_goes_up_freely_and_down_only_when_allowed() -> None:
    pins = updated({}, "small", result_of(2), allow_lower=False)
    assert updated(pins, "small", result_of(3), allow_lower=False)["small"].floors["R@10"] == 1
    with pytest.raises(PolicyDeskError, match=r"R@10 0\.666 → 0\.333.*--allow-lower"):
        updated(pins, "small", result_of(1), allow_lower=False)
    assert updated(pins, "small", result_of(1), allow_lower=True)["small"].floors["R@10"] == 0.333


def test_other_questions_under_the_same_name_do_not_pass_unseen() -> None:
    pins = updated({}, "small", result_of(2), allow_lower=False)
    with pytest.raises(PolicyDeskError, match=r"标准集变了"):
        check("small", pins, result_of(4, asked=4))
    # easier questions raise the floors; harder ones would lower them
    assert check("small", updated(pins, "small", result_of(4, asked=4), allow_lower=False), result_of(4, asked=4))
    with pytest.raises(PolicyDeskError, match="不会降低"):
        updated(pins, "small", result_of(1, asked=4), allow_lower=False)


def test_a_pinned_measure_that_is_no_longer_measured_counts_as_zero() -> None:
    pins = {"small": Pin(digest=result_of(2).digest, floors={"Span@10": 0.5})}
    assert [(row.value, row.ok) for row in check("small", pins, result_of(2))] == [(0, False)]
    with pytest.raises(PolicyDeskError, match="Span@10"):
        updated(pins, "small", result_of(2), allow_lower=False)


def test_a_set_without_a_pin_and_a_broken_gate_file_are_named(tmp_path: Path) -> None:
    assert read_pins(tmp_path / "none.json") == {}
    with pytest.raises(NotFound, match="--update"):
        check("small", {}, result_of(2))
    broken = tmp_path / "gate.json"
    broken.write_text('{"small": {"digest": "x", "floors": {}}}', encoding="utf-8")
    with pytest.raises(PolicyDeskError, match=r"gate\.json 读不懂：small\.digest"):
        read_pins(broken)


def test_a_set_without_gold_cannot_be_pinned() -> None:
    empty = evaluate_retrieval([GoldQuestion("q", Question("q"), ())], lambda q, top: [])
    with pytest.raises(PolicyDeskError, match="定不了门槛"):
        updated({}, "small", empty, allow_lower=False)
