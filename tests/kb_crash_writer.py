"""Run by test_kb_crash.py in a clean process: kill a writer with SIGKILL before its n-th durable step, for every n.

Each trial is two forks, made before any store is opened (an open index has threads, which a fork loses):
one writes and is killed, one opens what is left and tells what it finds. Prints one JSON line per trial.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from core.config import Config, load_config
from core.ports import Point
from core.records import Corrected, Document, Facts, Rank, SearchOptions
from ingest.document import make_document
from kb import catalogue, store_edge
from kb.background import read_background
from kb.base import KnowledgeBase
from kb.database import open_database
from kb.home import hold_home
from kb.index import IndexSettings, open_index
from kb.search import SearchModels
from kb.store import INDEXES
from kb.tokens import SparseEncoder, open_tokenizer

TODAY = date(2026, 6, 1)


def document(title: str, word: str, *, source: str, since: date = date(2020, 1, 1)) -> Document:
    body = f"{title}\n" + "\n".join(f"第{n}条 {word}的事项之{n}，由主管部门办理。" for n in "一二三")
    facts = Facts(title, rank=Rank.LOCAL_RULE, effective_from=since)
    return make_document(facts, body, source, name=None, chunk_chars=1200)


def parking(last: str) -> Document:
    """A revision whose first two articles stay as they are, so that both revisions hold their points."""
    lines = ["停车场规定", "第一条 停车的事项之一。", "第二条 停车的事项之二。", f"第三条 {last}的事项。"]
    facts = Facts("停车场规定", rank=Rank.LOCAL_RULE, effective_from=date(2020, 1, 1))
    return make_document(facts, "\n".join(lines), "parking.md", name=None, chunk_chars=1200)


KEPT = document("住房补贴办法", "租金", source="kept.md")
BEFORE = {
    "kept": KEPT,
    "to be replaced": document("养犬管理办法", "犬只", source="dogs.md"),
    "to be superseded": document("供水用水办法", "自来水", source="water-2020.md"),
    "to be revised": parking("车位"),
}
AFTER = {
    "kept": KEPT,
    "replacing": document("养犬管理办法", "犬证", source="dogs.md"),
    "superseding": document("供水用水办法", "水表", source="water-2025.md", since=date(2025, 1, 1)),
    "new": document("燃气价格规定", "燃气", source="gas.md"),
    "revised": parking("车库"),
}
WORDS = {"kept": "租金", "to be replaced": "犬只", "to be superseded": "自来水",
         "replacing": "犬证", "superseding": "水表", "new": "燃气",
         "unchanged articles": "停车", "changed article before": "车位", "changed article after": "车库"}


class Killer:
    """Counts durable steps, and kills this process before the n-th."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            self()
            return step(*args, **kwargs)

        return call


def watch_store(store: Any, kill: Killer) -> None:  # noqa: ANN401 - its methods are replaced
    """Every write to it may be the last, and half of an upsert too."""
    upsert = store.upsert

    def upsert_in_halves(points: Sequence[Point]) -> None:
        kill()
        upsert(points[: len(points) // 2])
        kill()
        upsert(points[len(points) // 2 :])

    store.upsert = upsert_in_halves
    for name in ("flush", "delete", "set_validity"):
        setattr(store, name, kill.before(getattr(store, name)))


@contextmanager
def opened(home: Path, kill: Killer) -> Iterator[KnowledgeBase]:
    """A knowledge base whose every durable step may be the last."""
    config: Config = load_config()
    config = config.model_copy(update={"storage": config.storage.model_copy(update={"min_free_mb": 0})})
    with hold_home(home):
        engine = open_database(f"sqlite:///{home / 'policydesk.db'}")
        tokenizer = open_tokenizer("auto", bigrams=True)
        settings = IndexSettings(config, home, SparseEncoder(tokenizer, config.index), None)
        index = open_index(engine, settings)
        watch_store(index.store, kill)
        for name in ("save", "stage", "drop_unpublished", "publish", "mark_indexed"):
            setattr(catalogue, name, kill.before(getattr(catalogue, name)))
        event.listen(engine, "commit", lambda _connection: kill())
        base = KnowledgeBase(
            home, config, engine=engine, index=index,
            models=SearchModels(tokenizer, None, read_background(), None, None),
            correct=lambda read, changes: Corrected(read, read, ()),
        )
        yield base
        kill()  # everything is acknowledged
        base.close()
        engine.dispose()


def add(home: Path, documents: Iterable[Document], kill: Killer) -> None:
    with opened(home, kill) as base:
        base.add(documents, publish=True)


def make_home(home: Path, kill: Killer) -> None:
    """From nothing; the first and the last step that make an index folder are durable ones, too."""

    class Ticking(dict[str, str]):
        def items(self) -> Any:  # noqa: ANN401
            fields = list(super().items())
            kill()
            yield from fields[:-1]
            kill()
            yield fields[-1]

    store_edge.INDEXES = Ticking(INDEXES)
    add(home, AFTER.values(), kill)


def found(base: KnowledgeBase) -> dict[str, list[str]]:
    """The addresses found today by each document's own word, or that of some of its articles, however often."""
    options = SearchOptions(top=50, as_of=TODAY)
    pairs = ((name, [hit.address for hit in base.search(word, options) if word in hit.text])
             for name, word in WORDS.items())
    return {name: sorted(addresses) for name, addresses in pairs if addresses}


def look(home: Path, out: Path) -> None:
    """What a fresh process finds, and what it finds once everything was added again."""
    with opened(home, Killer(0)) as base:
        with base._engine.connect() as connection:
            report: dict[str, object] = {
                "staged": len(catalogue.staged_documents(connection)),
                "stale": len(catalogue.outdated(connection).documents),
                "integrity": connection.scalar(text("PRAGMA integrity_check")),
            }
        report |= {"found": found(base), "points": base._steps.index.store.count(), "chunks": base.counts()[2]}
        report["indexes"] = sorted(base._steps.index.store._shard.info().payload_schema)
        base.add(AFTER.values(), publish=True)
        points = base._steps.index.store.count()
        report |= {"again": found(base), "points_again": points, "chunks_again": base.counts()[2]}
    out.write_text(json.dumps(report), encoding="utf-8")


def in_fork(work: Callable[[], None]) -> int:
    """The exit status of a child that does ``work``; the negative number of the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def trials(folder: Path, scenario: str) -> Iterator[dict[str, object]]:
    open_database("sqlite://").dispose()                        # what every child would load again
    open_tokenizer("auto", bigrams=True).words("住房")
    template = folder / "template"
    if in_fork(lambda: add(template, BEFORE.values(), Killer(0))):
        raise SystemExit("the first home was not made")
    if scenario == "recovery":                                  # cut short before the publishing, whose opening ...
        in_fork(lambda: add(template, AFTER.values(), Killer(7)))
    step, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        step += 1
        home, out = folder / f"home-{step}", folder / f"{step}.json"
        if scenario == "first":
            ended = in_fork(partial(make_home, home, Killer(step)))
        else:
            subprocess.run(["cp", "-r", "--sparse=always", template, home], check=True)  # 180 MB of holes
            again = () if scenario == "recovery" else AFTER.values()   # ... is cut short, too
            ended = in_fork(partial(add, home, again, Killer(step)))
        looked = in_fork(partial(look, home, out))
        report = json.loads(out.read_text(encoding="utf-8")) if looked == 0 else {}
        yield {"step": step, "ended": ended, "looked": looked, **report}
        shutil.rmtree(home)


if __name__ == "__main__":
    for trial in trials(Path(sys.argv[1]), sys.argv[2]):
        sys.stdout.write(json.dumps(trial) + "\n")
        sys.stdout.flush()
