"""Kill an editor's program at any moment, again and again over one home, and see that nothing was lost or half done.

    python -m tests.kb_kill_trials --trials 300
    python -m tests.kb_kill_trials --trials 300 --postgres

Each trial goes on from what the last one left: a child does some changes one after the other (new documents,
revisions, drafts, publishing, withdrawing, edits, undoing, rulings, another index) and tells each one when it is
acknowledged; it is killed with SIGKILL before a certain durable step, or after a certain time. Another child opens
what is left, and tells which words are found, how often, and what a doctor says. What was acknowledged must be found
exactly once, what was taken out not at all, and the change in flight must be there whole or not at all. Prints one
JSON line for each trial.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, event

from core.config import Config, load_config
from core.errors import IndexMismatch
from core.records import Document, Facts, Rank, SearchOptions, State
from ingest.correct import text_change
from ingest.document import make_document
from kb.curation import lifecycle
from kb.database import open_database
from kb.index import Index, IndexSettings
from kb.tokens import open_tokenizer
from kb.upkeep.doctor import examine
from policydesk.app import Desk, open_desk, reindex_home
from policydesk.ops import open_case
from tests import postgres
from tests.kb_crash_writer import Killer, in_fork, watch_store

TODAY = date(2026, 6, 1)
_STEPS = 30                  # the highest durable step before which a child is killed
_SECONDS = 1.2               # the longest time after which it is
_CHANGES = 12                # that a child would make if it were left alone
_REMEMBERED = 100            # words of earlier changes that are looked for, besides those that are to be found
_NO_FAULT = ("free_space", "reindex_unfinished")     # the next reindex goes on with what is left of the last
_SOURCES = 12                # so many documents come and go


@dataclass(frozen=True)
class Known:
    """What a source is expected to be: the word of its second article, by which it is found."""

    word: str | None = None      # published; None: nothing is
    ended: bool = False          # by a ruling: found for no day but those before
    draft: str | None = None
    edits: tuple[tuple[str, str], ...] = ()     # (before, after), of the published one, not undone


World = dict[str, Known]


@dataclass(frozen=True)
class Change:
    """One change of one source, or of the index, and what it makes of the source."""

    what: str
    source: str = ""
    word: str = ""
    after: Known = field(default_factory=Known)


def configuration(database: str, *, k1: float) -> Config:
    config = load_config()
    changes: dict[str, dict[str, object]] = {
        "storage": {"min_free_mb": 0, "database": database},
        "index": {"embedder": "none", "k1": k1},
        "search": {"reranker": "none", "terms": False},
        "ingest": {"workers": 0},
    }
    sections = {name: getattr(config, name).model_copy(update=values) for name, values in changes.items()}
    return config.model_copy(update=sections)


def reading(source: str, word: str) -> Document:
    """The first article is the same in all readings of a source."""
    title = f"事项管理办法{source}"
    lines = [title, f"第一条 事项编号{source}由主管部门办理。", f"第二条 事项代码{word}由主管部门办理。"]
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=date(2020, 1, 1))
    return make_document(facts, "\n".join(lines), f"{source}.md", name=None, chunk_chars=1200)


# the changes


def plan(world: World, seed: int) -> list[Change]:
    chance = random.Random(seed)
    changes = []
    world = dict(world)
    for n in range(_CHANGES):
        change = _one(world, chance, f"W{seed:05}{n:02}")
        changes.append(change)
        if change.source:
            world[change.source] = change.after
    return changes


def _one(world: World, chance: random.Random, word: str) -> Change:
    source = f"S{chance.randrange(_SOURCES):02}"
    now = world.get(source, Known())
    if chance.random() < 0.06:
        return Change("reindex")
    possible = [("draft", replace(now, draft=word))]
    if not now.edits:
        possible.append(("read", replace(now, word=word, draft=None, edits=())))
    if now.draft is not None and not now.edits:
        possible.append(("publish", replace(now, word=now.draft, draft=None, edits=())))
    if now.word is not None:
        possible += [
            ("edit", replace(now, word=word, edits=(*now.edits, (now.word, word)))),
            ("unrule" if now.ended else "rule", replace(now, ended=not now.ended)),
            ("undo", replace(now, word=now.edits[-1][0], edits=now.edits[:-1])) if now.edits
            else ("withdraw", replace(now, word=None)),
        ]
    what, after = chance.choice(possible)
    return Change(what, source, word, after)


def carry_out(desk: Desk, change: Change) -> None:
    base, source = desk.base, f"{change.source}.md"
    published = {one.source: one.id for one in base.documents([State.PUBLISHED])}
    if change.what == "read":
        base.add([reading(change.source, change.word)], publish=True)
    elif change.what == "draft":
        base.add([reading(change.source, change.word)], publish=False)
    elif change.what == "publish":
        drafts = [one.id for one in base.documents([State.DRAFT]) if one.source == source]
        base.publish([name for name in drafts if f"代码{change.after.word}" in base.document(name).text])
    elif change.what == "withdraw":
        base.withdraw(published[source])
    elif change.what == "edit":
        document = base.document(published[source])
        wanted = text_change(document, "第二条", f"事项代码{change.word}由主管部门办理。")
        base.editing.edit(document.id, wanted, "某人")
    elif change.what == "undo":
        base.editing.undo(max(e.number for e in base.editing.edits(source) if e.undone_at is None), "某人")
    elif change.what == "rule":
        base.change(lambda c: lifecycle.rule(
            c, published[source], "某人", repealed=True, day=date(2024, 1, 1), by_name=None, reason=""))
    elif change.what == "unrule":
        numbers = base.read(lambda c: [r.number for r in lifecycle.rulings_on(c, source) if r.undone_at is None])
        base.change(lambda c: lifecycle.undo_ruling(c, numbers[-1], "某人"))


def work(home: Path, database: str, changes: list[Change], told: Path, kill: Killer) -> None:
    """Do ``changes`` and tell each in a file when it is acknowledged."""
    really_open = IndexSettings.open

    def open_watched(self: IndexSettings, place: str) -> Index:
        index = really_open(self, place)
        watch_store(index.store, kill)
        return index

    IndexSettings.open = open_watched  # type: ignore[method-assign]
    event.listen(Engine, "commit", lambda _connection: kill())
    with told.open("a", encoding="utf-8") as file, ExitStack() as opened:
        desk = opened.enter_context(opened_as_it_is(home, database))
        file.write("opened\n")
        file.flush()
        for n, change in enumerate(changes):
            if change.what == "reindex":
                opened.close()
                k1 = 1.3 if desk.config.index.k1 == 1.2 else 1.2
                reindex_home(configuration(database, k1=k1), home, lambda there, coming: None)
                desk = opened.enter_context(opened_as_it_is(home, database))
            else:
                carry_out(desk, change)
            file.write(f"{n}\n")
            file.flush()
        os.kill(os.getpid(), signal.SIGKILL)     # came through all of it


@contextmanager
def opened_as_it_is(home: Path, database: str) -> Iterator[Desk]:
    """With whichever of both indexes it has."""
    try:
        with open_desk(configuration(database, k1=1.2), home) as desk:
            yield desk
    except IndexMismatch:
        with open_desk(configuration(database, k1=1.3), home) as desk:
            yield desk


# what is left


def look(home: Path, database: str, words: list[str], out: Path) -> None:
    begun = time.perf_counter()
    with opened_as_it_is(home, database) as desk:
        report: dict[str, object] = {"opening": time.perf_counter() - begun}
        config = desk.config
        report["found"] = {word: _times(desk, word, TODAY) for word in words}
        report["ever"] = {word: _times(desk, word, None) for word in words}
        report["sources"] = [one.source for one in desk.base.documents([State.PUBLISHED])]
        report["drafts"] = [desk.base.document(one.id).text for one in desk.base.documents([State.DRAFT])]
    with open_case(config, home, lambda there, coming: None) as case:
        found = examine(case, deep=True)
        report["findings"] = [str(finding) for finding in found if finding.code not in _NO_FAULT]
    out.write_text(json.dumps(report), encoding="utf-8")


def _times(desk: Desk, word: str, day: date | None) -> int:
    hits = desk.base.search(f"代码{word}", SearchOptions(top=60, as_of=day))
    return sum(f"代码{word}由" in hit.text for hit in hits)


def wrong(report: dict[str, object], world: World, words: list[str]) -> list[str]:
    """How what was found differs from what ``world`` says."""
    found, ever, drafts = report["found"], report["ever"], report["drafts"]
    assert isinstance(found, dict)
    assert isinstance(ever, dict)
    assert isinstance(drafts, list)
    live = {known.word: known for known in world.values() if known.word}
    faults = []
    for word in words:
        known = live.get(word)
        if ever[word] != (known is not None):
            faults.append(f"{word} is found {ever[word]} times on any day")
        if found[word] != (known is not None and not known.ended):
            faults.append(f"{word} is found {found[word]} times today")
    wanted = {known.draft for known in world.values() if known.draft}
    faults += [f"no draft {word}" for word in sorted(wanted) if not any(f"代码{word}由" in text for text in drafts)]
    published = sorted(f"{source}.md" for source, known in world.items() if known.word)
    if sorted(report["sources"]) != published:  # type: ignore[call-overload]
        faults.append(f"published are {report['sources']}, not {published}")
    return faults


# the trials


def trials(folder: Path, database: str, count: int, seed: int) -> Iterator[dict[str, object]]:
    open_database("sqlite://").dispose()                        # what every child would load again
    open_tokenizer("auto", bigrams=True).words("住房")
    home, world, words = folder / "home", World(), list[str]()
    chance = random.Random(seed)
    for trial in range(count):
        changes = plan(world, seed * 100_000 + trial)
        told, out = folder / "told", folder / "out.json"
        told.write_text("", encoding="utf-8")
        step, seconds = chance.randint(1, _STEPS), chance.random() * _SECONDS
        by_step = trial % 2 == 0
        kill = Killer(step if by_step else 0)
        ended = killed(partial(work, home, database, changes, told, kill), None if by_step else seconds, told)
        live = [known.word for known in (*world.values(), *(change.after for change in changes)) if known.word]
        words = list(dict.fromkeys([*live, *words[-_REMEMBERED:], *(c.word for c in changes if c.word)]))
        done = sum(line.strip().isdigit() for line in told.read_text(encoding="utf-8").splitlines())
        looked = in_fork(partial(look, home, database, words, out))
        report = json.loads(out.read_text(encoding="utf-8")) if looked == 0 else {}
        before = _after(world, changes[:done])
        both = [before, _after(world, changes[: done + 1])]
        faults = [wrong(report, possible, words) for possible in both] if looked == 0 else [["it does not open"]] * 2
        world = both[1] if faults[0] and not faults[1] else before
        in_flight = changes[done].what if done < len(changes) else "nothing"
        yield {
            "trial": trial, "by": f"step {step}" if by_step else f"{seconds:.2f} s", "ended": ended, "done": done,
            "in_flight": in_flight, "opening": report.get("opening"), "faults": min(faults, key=len),
            "findings": report.get("findings", []),
        }
        if min(faults, key=len):
            return                           # every later trial would tell of it again


def _after(world: World, changes: list[Change]) -> World:
    return {**world, **{change.source: change.after for change in changes if change.source}}


def killed(task: Callable[[], None], seconds: float | None, told: Path) -> int:
    """The exit status of a child that does ``task`` and is killed, at the latest, so long after it has opened."""
    child = os.fork()
    if child == 0:
        try:
            task()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)
    if seconds is not None:
        while "opened" not in told.read_text(encoding="utf-8") and os.waitpid(child, os.WNOHANG)[0] == 0:
            time.sleep(0.01)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kb_kill_trials", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL server of its own instead of SQLite")
    given = parser.parse_args(arguments)
    bad = 0
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        database = ""
        if given.postgres:
            database = opened.enter_context(postgres.running(fsync=True)).new_database()
        for trial in trials(folder, database, given.trials, given.seed):
            bad += bool(trial["faults"] or trial["findings"] or trial["ended"] != -signal.SIGKILL)
            sys.stdout.write(json.dumps(trial, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
