"""Run by test_kb_reindex_crash.py in a clean process: kill a reindex with SIGKILL before its n-th step, for every n.

Each trial is two forks, as in kb_crash_writer.py: one makes the index anew and is killed, one opens what is left, tells
what it finds, changes documents (in the first scenario, every other time) and runs the reindex again. In the second
scenario what is killed goes on with an index that was cut short, after which documents changed. Prints one JSON line
per trial.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import Engine, event

from core.config import Config, load_config
from core.errors import IndexMismatch
from kb import catalogue, next_index, reindex
from kb import store as stores
from kb.base import KnowledgeBase
from kb.database import open_database
from kb.index import Index, IndexSettings
from kb.tokens import open_tokenizer
from policydesk.app import open_desk, reindex_home
from tests.kb_crash_writer import AFTER, BEFORE, Killer, found, in_fork, watch_store


def settings(*, bigrams: bool) -> Config:
    config: Config = load_config()
    changes: dict[str, dict[str, object]] = {
        "storage": {"min_free_mb": 0},
        "index": {"embedder": "none", "bigrams": bigrams},
        "search": {"reranker": "none", "terms": False},
        "ingest": {"workers": 0, "batch_chunks": 6},
    }
    sections = {name: getattr(config, name).model_copy(update=values) for name, values in changes.items()}
    return config.model_copy(update=sections)


OLD, NEW = settings(bigrams=True), settings(bigrams=False)
CUT_SHORT = 24               # the first batch is there, and the second may be
ORDER = ("to be superseded", "kept", "to be replaced", "to be revised")      # two and two make a batch


def make_anew(home: Path, kill: Killer) -> None:
    """Every step may be the last: in small batches, so that there are several."""
    reindex._AT_ONCE, reindex._LITTLE = 5, 2
    really_open, really_remove = IndexSettings.open, shutil.rmtree

    def open_watched(self: IndexSettings, place: str) -> Index:
        kill()
        index = really_open(self, place)
        kill()
        watch_store(index.store, kill)
        return index

    def remove_in_halves(folder: Path) -> None:
        kill()
        next(folder.rglob("*.json")).unlink()
        kill()
        really_remove(folder)
        kill()

    IndexSettings.open = open_watched  # type: ignore[method-assign]
    setattr(stores, "shutil", SimpleNamespace(rmtree=remove_in_halves))  # noqa: B010 (of this module only)
    for name in ("begin", "claim", "mark", "forget", "set_dates", "switch"):
        setattr(next_index, name, kill.before(getattr(next_index, name)))
    event.listen(Engine, "commit", lambda _connection: kill())
    reindex_home(NEW, home, lambda there, coming: None)
    kill()


def add(home: Path) -> None:
    with open_desk(OLD, home) as desk:
        desk.base.add([BEFORE[name] for name in ORDER], publish=True)


def change(base: KnowledgeBase) -> None:
    """Replacing, revising, superseding and new documents, and one that is withdrawn."""
    base.withdraw(BEFORE["kept"].id)
    base.add([document for name, document in AFTER.items() if name != "kept"], publish=True)


def look(home: Path, out: Path, *, changing: bool) -> None:
    report: dict[str, object] = {"switched": False}
    try:
        with open_desk(OLD, home) as desk:
            report["found"] = found(desk.base)
            if changing:
                change(desk.base)
    except IndexMismatch:
        with open_desk(NEW, home) as desk:
            report |= {"switched": True, "found": found(desk.base)}
            if changing:
                change(desk.base)
    done = reindex_home(NEW, home, lambda there, coming: None)
    report |= {"again": done is not None, "written": done.written if done else 0, "points": done.points if done else 0}
    with open_desk(NEW, home) as desk, desk.base._engine.connect() as connection:
        report |= {
            "found_again": found(desk.base), "in_index": desk.base._steps.index.store.count(),
            "chunks": desk.base.counts()[2], "rows": next_index.count(connection),
            "facts": sorted(catalogue.read_index_facts(connection)),
            "folders": len([part for part in home.iterdir() if part.is_dir()]),
        }
    out.write_text(json.dumps(report), encoding="utf-8")


def make_template(folder: Path, scenario: str) -> None:
    if in_fork(lambda: add(folder)):
        raise SystemExit("the first home was not made")
    if scenario == "again":
        in_fork(lambda: make_anew(folder, Killer(CUT_SHORT)))
        in_fork(lambda: change_all(folder))


def change_all(home: Path) -> None:
    with open_desk(OLD, home) as desk:
        change(desk.base)


def trials(folder: Path, scenario: str) -> Iterator[dict[str, object]]:
    open_database("sqlite://").dispose()                        # what every child would load again
    open_tokenizer("auto", bigrams=True).words("住房")
    template = folder / "template"
    make_template(template, scenario)
    step, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        step += 1
        home, out = folder / f"home-{step}", folder / f"{step}.json"
        subprocess.run(["cp", "-r", "--sparse=always", template, home], check=True)
        ended = in_fork(partial(make_anew, home, Killer(step)))
        looked = in_fork(partial(look, home, out, changing=scenario == "first" and step % 2 == 0))
        report = json.loads(out.read_text(encoding="utf-8")) if looked == 0 else {}
        yield {"step": step, "ended": ended, "looked": looked, **report}
        shutil.rmtree(home)


if __name__ == "__main__":
    for trial in trials(Path(sys.argv[1]), sys.argv[2]):
        sys.stdout.write(json.dumps(trial) + "\n")
        sys.stdout.flush()
