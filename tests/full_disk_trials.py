"""Run by test_kb_full_disk.py in a process of its own, on a small disk: another program fills it, at rest and midway.

A write into a hole of a mapped file on a full disk ends the process, so that it comes through is part of what is shown.
Prints one JSON line per trial.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from core.config import Config, load_config
from core.errors import BackendUnavailable, PolicyDeskError, StorageFull
from core.records import Document, Facts, Question, State
from ingest.correct import field_change
from kb.upkeep.doctor import examine
from policydesk.app import Desk, open_desk
from policydesk.ops import back_up, open_case
from tests.doctor_faults import documents, make

LEAST_MB = 60
QUESTION = Question("养犬要登记吗", region="900102")


def config(**storage: object) -> Config:
    shipped: Config = load_config()
    small = shipped.ingest.model_copy(update={"workers": 0, "batch_chunks": 40})
    return shipped.model_copy(update={
        "storage": shipped.storage.model_copy(update={"min_free_mb": LEAST_MB} | storage), "ingest": small,
    })


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Another program takes all but ``left`` bytes, at once."""
    path = disk / "filler"
    fill(disk, path, left)
    try:
        yield
    finally:
        path.unlink()


def fill(disk: Path, path: Path, left: int) -> None:
    share = 1
    with path.open("ab") as file:
        while (free := shutil.disk_usage(disk).free) > left + 4096:
            try:
                os.posix_fallocate(file.fileno(), path.stat().st_size, max(4096, (free - left) // share // 4096 * 4096))
            except OSError:      # somebody else was faster
                share += 1


def notice(word: str, articles: int = 3) -> Document:
    texts = [f"{word}的事项之{n}，由主管部门办理，{word}按时公布。" for n in range(articles)]
    return make(Facts(f"关于{word}的通知", dated=date(2024, 1, 1)), *texts, source=f"{word}.md")


def state(desk: Desk) -> object:
    """What is stored and what is found."""
    rows = sorted((row.id, row.state, row.in_force_to) for row in desk.base.documents(list(State)))
    return rows, [(hit.ref, round(hit.score, 4)) for hit in desk.search(QUESTION, 10)]


def told(work: Callable[[], object]) -> str:
    """The message with which a write is refused; "" when it was done."""
    try:
        work()
    except (StorageFull, BackendUnavailable) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def at_rest(disk: Path, left: int) -> Iterator[dict[str, Any]]:
    """Every kind of write on a disk with ``left`` bytes, then again once there is space."""
    home = disk / "home"
    with open_desk(config(), home) as desk:
        for batch in documents():
            desk.base.add(batch, publish=True)
        draft = notice("草稿")
        desk.base.add([draft], publish=False)
        parks = [row.id for row in desk.base.documents([State.PUBLISHED]) if "公园" in row.facts.title]
        writes: dict[str, Callable[[], object]] = {
            "ingest": lambda: desk.base.add([notice("入库")], publish=True),
            "draft": lambda: desk.base.add([notice("新草稿")], publish=False),
            "publish": lambda: desk.base.publish([draft.id]),
            "edit": lambda: desk.base.editing.edit(
                parks[0], field_change(desk.document(parks[0]), "phone", "12345"), "李四"
            ),
            "reindex": lambda: desk.base.reindex(
                replace(desk.index_settings, config=config(), embedder=None), lambda _there, _wanted: None
            ),
            "backup": lambda: back_up(config(), home, disk / f"saved-{time.time_ns()}"),
        }
        before = state(desk)
        with filled(disk, left):
            for name, write in writes.items():
                message = told(write)
                yield {"what": name, "left": left, "free": shutil.disk_usage(disk).free, "told": message,
                       "same": state(desk) == before}
            answer = desk.ask(QUESTION)
            yield {"what": "ask", "left": left, "status": answer.status, "kept": bool(answer.id)}
            message = told(lambda: desk.base.withdraw(parks[1]))
            gone = parks[1] not in {row.id for row in desk.base.documents([State.PUBLISHED])}
            yield {"what": "withdraw", "left": left, "told": message, "gone": gone}
        for name, write in writes.items():
            yield {"what": name, "left": None, "told": told(write)}
        if not gone:
            desk.base.withdraw(parks[1])
        yield {"what": "ask", "left": None, "kept": bool(desk.ask(QUESTION).id)}
    yield from looked_at(home, replace_embedder=True)


def looked_at(home: Path, *, replace_embedder: bool = False) -> Iterator[dict[str, Any]]:
    settings = config(min_free_mb=0)
    if replace_embedder:
        settings = settings.model_copy(update={"index": settings.index.model_copy(update={"embedder": "none"})})
    with open_case(settings, home, lambda _done, _total: None) as case:
        yield {"what": "doctor", "found": [(one.code, one.place) for one in examine(case, deep=True)]}


def opening(disk: Path) -> Iterator[dict[str, Any]]:
    """A home that was opened before is opened without a byte to spare."""
    home = disk / "home"
    with open_desk(config(), home) as desk:
        desk.base.add(documents()[0], publish=True)
        before = state(desk)
    with filled(disk, 0):
        with open_desk(config(), home) as desk:
            yield {"what": "open", "free": shutil.disk_usage(disk).free, "same": state(desk) == before}
            yield {"what": "ask", "status": desk.ask(QUESTION).status}


def midway(disk: Path, seed: int, *, left: int) -> Iterator[dict[str, Any]]:
    """The disk is filled while documents come in; afterwards they are handed in again."""
    chance = random.Random(seed)
    home = disk / "home"
    batch = [notice(f"事项{n}", 8) for n in range(200)]
    with open_desk(config(), home) as desk:
        desk.base.add(documents()[0], publish=True)
        before = {row.id for row in desk.base.documents([State.PUBLISHED])}
        started, ended = threading.Event(), threading.Event()
        during = []

        def filler() -> None:
            started.wait()
            time.sleep(chance.uniform(0.0, 1.5))
            fill(disk, disk / "filler", left)
            during.append(not ended.is_set())

        thread = threading.Thread(target=filler)
        thread.start()

        def coming() -> Iterator[Document]:
            for document in batch:
                time.sleep(0.005)
                started.set()
                yield document

        message = told(lambda: desk.base.add(coming(), publish=True))
        ended.set()
        thread.join()
        published = {row.id for row in desk.base.documents([State.PUBLISHED])} - before
        hits = [hit.document.id for document in batch[::20] for hit in desk.search(Question(document.facts.title), 60)]
        whole = before <= {row.id for row in desk.base.documents([State.PUBLISHED])}
        (disk / "filler").unlink()
        desk.base.add(batch, publish=True)
        again = {row.id for row in desk.base.documents([State.PUBLISHED])} - before
    (looked,) = looked_at(home)
    yield {
        "what": "midway", "left": left, "during": during[0] or bool(message), "told": message,
        "published": len(published), "of": len(batch),
        "strange": len(set(hits) - published - before), "whole": whole,
        "again": again == {document.id for document in batch}, "doctor": looked["found"],
    }


def trials(disk: Path, what: str, count: int) -> Iterator[dict[str, Any]]:
    if what == "rest":
        for left in (LEAST_MB * 500_000, 0):
            yield from at_rest(disk, left)
            shutil.rmtree(disk / "home")
            for saved in disk.glob("saved*"):
                shutil.rmtree(saved)
    elif what == "opening":
        yield from opening(disk)
    else:
        for number in range(count):
            yield from midway(disk, number, left=(0, 30_000_000)[number % 2])
            shutil.rmtree(disk / "home")


if __name__ == "__main__":
    try:
        for trial in trials(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])):
            sys.stdout.write(json.dumps(trial, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    except PolicyDeskError as error:
        sys.exit(str(error))
