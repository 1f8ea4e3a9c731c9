"""The searches that the eval verbs measure, over an open desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from core.records import Question
from qa.scope import scope

if TYPE_CHECKING:
    from eval.retrieval import Found, Search
    from policydesk.app import Desk


def available_stages(desk: Desk) -> tuple[str, ...]:
    """The stages that can be switched on and off here, as named by `eval.ablation.STAGES`."""
    return ()


def measured_search(desk: Desk, *, any_date: bool = False, stages: Collection[str] | None = None) -> Search:
    """What `desk.search` finds; with ``any_date`` also what is not in force, with ``stages`` by these alone."""
    from eval.retrieval import found_of

    def search(question: Question, top: int) -> list[Found]:
        options = scope(question, top=top, home_region=desk.config.regions.home)
        if any_date:
            options = replace(options, as_of=None)
        return [found_of(hit) for hit in desk.base.search(question.text, options)]

    return search
