"""A writer killed with SIGKILL before every durable step; what is left is whole, and goes on where it stopped.

The killing is done by kb_crash_writer.py in processes of its own, all three runs at once.
"""

from __future__ import annotations

import pytest

from tests.crash_trials import Trial, run_trials

ARTICLES = sorted(["第一条", "第二条", "第三条"])
NOTHING: dict[str, list[str]] = {}
UNCHANGED = {"unchanged articles": ["第一条", "第二条"]}       # whose points both revisions hold
BEFORE = {**dict.fromkeys(("kept", "to be replaced", "to be superseded"), ARTICLES), **UNCHANGED,
          "changed article before": ["第三条"]}
AFTER = {**dict.fromkeys(("kept", "replacing", "superseding", "new"), ARTICLES), **UNCHANGED,
         "changed article after": ["第三条"]}
STEPS = {"add": 14, "recovery": 15, "first": 11}    # at least so many; fewer: a step is not watched any more


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Trial]]:
    return run_trials("kb_crash_writer.py", STEPS, tmp_path_factory)


@pytest.fixture(params=list(STEPS))
def scenario(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def trials(runs: dict[str, list[Trial]], scenario: str) -> list[Trial]:
    return runs[scenario]


def test_the_writer_was_killed_before_every_step_and_then_came_through(trials: list[Trial], scenario: str) -> None:
    assert [trial["ended"] for trial in trials] == [-9] * (len(trials) - 1) + [0]
    assert len(trials) - 1 >= STEPS[scenario]


def test_a_killed_home_opens_again(trials: list[Trial]) -> None:
    assert [trial["step"] for trial in trials if trial["looked"] != 0] == []
    assert {trial["integrity"] for trial in trials} == {"ok"}


def test_a_batch_is_there_whole_or_not_at_all(trials: list[Trial], scenario: str) -> None:
    """Every article of what was acknowledged once, and of the batch in flight either all or none."""
    earlier = NOTHING if scenario == "first" else BEFORE
    wrong = {trial["step"]: trial["found"] for trial in trials if trial["found"] not in (earlier, AFTER)}
    assert wrong == {}


def test_a_step_once_taken_is_not_lost(trials: list[Trial]) -> None:
    finished = [trial["found"] == AFTER for trial in trials]
    assert finished == sorted(finished)
    assert finished[-1]


def test_the_index_holds_the_chunks_of_published_documents_and_no_more(trials: list[Trial]) -> None:
    """A superseded version keeps its chunks, so that questions about its time are answered."""
    assert [(t["step"], t["points"], t["chunks"]) for t in trials if t["points"] != t["chunks"]] == []


def test_no_row_is_left_staged_or_stale(trials: list[Trial]) -> None:
    assert [t["step"] for t in trials if t["staged"] or t["stale"]] == []


def test_adding_again_completes_what_was_cut_short(trials: list[Trial]) -> None:
    assert [t["step"] for t in trials if t["again"] != AFTER] == []
    assert [t["step"] for t in trials if t["points_again"] != t["chunks_again"]] == []


def test_an_index_whose_making_was_cut_short_has_all_its_payload_indexes(trials: list[Trial]) -> None:
    assert {len(trial["indexes"]) for trial in trials} == {6}
