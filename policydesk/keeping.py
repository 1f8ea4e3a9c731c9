"""What was answered is written down before it goes out; a store that cannot be written stops no answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from core.errors import BackendUnavailable, StorageFull
from core.records import Answer
from kb.base import KnowledgeBase
from kb.log.answers import Given, keep

ASKED_AT_ONCE = 64               # answers in one commit: a commit waits for the disk
NOT_KEPT = "未能记入日志：磁盘已满或数据库不可写，这个回答没有编号，不能回放"


def keep_answers(base: KnowledgeBase, given: Sequence[Given]) -> list[Answer]:
    """The answers with their ids; without, and with a notice, when they could not be written."""
    try:
        with base.ledger.noting() as connection:
            keep(connection, given)
    except (DBAPIError, BackendUnavailable, StorageFull):
        return [replace(one.answer, id="", notices=(*one.answer.notices, NOT_KEPT)) for one in given]
    return [one.answer for one in given]
