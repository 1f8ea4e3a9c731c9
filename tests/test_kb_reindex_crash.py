"""A reindex killed with SIGKILL before every step: one index answers, and the next run completes what was begun.

The killing is done by kb_reindex_writer.py in a process of its own.
"""

from __future__ import annotations

import pytest

from tests.crash_trials import Trial, run_trials
from tests.test_kb_crash import AFTER, BEFORE

CHANGED = {name: addresses for name, addresses in AFTER.items() if name != "kept"}
STEPS = {"first": 42, "again": 44}       # at least so many; fewer: a step is not watched any more

pytestmark = pytest.mark.timeout(400)    # some 90 homes are copied, killed and opened: half a minute on an idle machine


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Trial]]:
    return run_trials("kb_reindex_writer.py", STEPS, tmp_path_factory)


@pytest.fixture(params=list(STEPS))
def scenario(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def trials(runs: dict[str, list[Trial]], scenario: str) -> list[Trial]:
    return runs[scenario]


def test_the_reindex_was_killed_before_every_step_and_then_came_through(trials: list[Trial], scenario: str) -> None:
    assert [trial["ended"] for trial in trials] == [-9] * (len(trials) - 1) + [0]
    assert len(trials) - 1 >= STEPS[scenario]
    assert [trial["step"] for trial in trials if trial["looked"] != 0] == []


def test_the_old_index_answers_until_the_new_one_does(trials: list[Trial], scenario: str) -> None:
    switched = [trial["switched"] for trial in trials]
    assert switched == sorted(switched)
    assert (switched[0], switched[-1]) == (False, True)
    there = BEFORE if scenario == "first" else CHANGED
    assert [trial["step"] for trial in trials if trial["found"] != there] == []


def test_the_next_run_completes_it_with_what_was_published_and_withdrawn_in_between(
    trials: list[Trial], scenario: str
) -> None:
    assert [trial["step"] for trial in trials if trial["again"] == trial["switched"]] == []
    unchanged = [scenario == "first" and trial["step"] % 2 == 1 for trial in trials]
    assert [trial["found_again"] for trial in trials] == [BEFORE if same else CHANGED for same in unchanged]


def test_the_next_run_goes_on_where_the_killed_one_stopped(runs: dict[str, list[Trial]]) -> None:
    """Without changes in between, the more steps were taken the fewer points are left to be written."""
    left = [trial["written"] for trial in runs["first"] if trial["step"] % 2 and not trial["switched"]]
    assert left == sorted(left, reverse=True)
    assert (left[0], left[-1]) == (12, 0)


def test_the_index_holds_the_points_of_published_documents_and_no_more(trials: list[Trial]) -> None:
    assert [t["step"] for t in trials if t["in_index"] != t["chunks"]] == []


def test_nothing_is_left_of_another_index(trials: list[Trial]) -> None:
    assert {trial["folders"] for trial in trials} == {1}
    assert {trial["rows"] for trial in trials} == {0}
    assert {tuple(trial["facts"]) for trial in trials} == {("embedder", "place", "terms")}
