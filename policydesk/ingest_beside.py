"""An ingest by a process of its own beside the desk that answers; see `kb.upkeep.beside`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from core.config import Config
from core.errors import PolicyDeskError
from core.processes import end_with_parent
from core.records import Document, FileRead, Skipped
from ingest.correct import corrected
from kb.curation.editing import Editing
from kb.upkeep.beside import BesideAdding, BesideSteps, CopySteps, Line, lend_editing
from kb.upkeep.beside_host import Host, OnStep
from kb.upkeep.jobs import Lost
from policydesk.app import Desk, opened_beside

_NICE = 19                   # a question goes before any of this
_AT_ONCE = 500               # chunks in one step: who answers writes that down, and waits for other writers
_TOLD_EVERY = 0.5            # seconds between two reports of progress


@dataclass(frozen=True, slots=True)
class BesideIngest:
    """What the other process is asked to do."""

    config: Config
    home: Path
    place: str                   # of the index, where both processes write to it
    paths: tuple[Path, ...]
    publish: bool
    who: str


def can_ingest_beside(config: Config) -> bool:
    """Not into the index of tests, which lies in the memory of one process."""
    return config.storage.vectors != ":memory:"


def fits(desk: Desk) -> bool:
    """Whether the index that answers is as the configuration wants it: what is added is made for that."""
    index = desk.base.steps.index
    made = {"terms": index.encoder.name, "embedder": index.embedder.name if index.embedder else "none"}
    return made == desk.index_settings.made_with


def ingest_beside(desk: Desk, paths: Sequence[Path], *, publish: bool, who: str, on_step: OnStep) -> str:
    """What the ingest says at its end. ``on_step`` may raise to end it: what was stored by then is published.

    The index of ``desk`` fits. Raises `Lost` when the process dies; whoever begins again goes on from what it stored.
    """
    home = desk.index_settings.home
    steps = desk.base.steps
    asked = BesideIngest(desk.config, home, steps.index.place, tuple(paths), publish, who)
    here, there = multiprocessing.Pipe()
    # spawn: a fork would copy the index's threads in an unknown state
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, asked), name="ingest")
    with closing(here):
        process.start()
        there.close()
        with closing(Host(desk.index_settings, steps, desk.base.editing, on_step)) as host:
            try:
                return str(host.serve(here))
            except EOFError as error:
                process.join()
                raise Lost(f"入库的子进程中断了（退出码 {process.exitcode}）") from error
            finally:
                here.close()
                process.join()


# in the other process


def _run(pipe: Pipe, asked: BesideIngest) -> None:
    os.nice(_NICE)
    if hasattr(os, "SCHED_IDLE"):                    # Linux: only what a question leaves of a core
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)     # whoever asked decides when this ends
    end_with_parent()
    try:
        pipe.send(("done", _ingest(Line(pipe), asked)))
    except PolicyDeskError as error:
        pipe.send(("failed", str(error)))


def _ingest(line: Line, asked: BesideIngest) -> str:
    from ingest.outcomes import OutcomeLog
    from ingest.read import ReadSettings, find_files, read_files
    from kb.files import file_settings, known_files
    from policydesk.ingest_report import report_lines, write_report

    ingest = asked.config.ingest
    ingest = ingest.model_copy(update={"batch_chunks": min(_AT_ONCE, ingest.batch_chunks)})
    config = asked.config.model_copy(update={"ingest": ingest})
    files = find_files(asked.paths)
    total, done = sum(file.stat().st_size for file in files), 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count

    def told(items: Iterable[Document | Skipped | FileRead]) -> Iterator[Document | Skipped | FileRead]:
        """Between two items somebody may end the work."""
        last = 0.0
        for item in items:
            yield item
            if time.monotonic() - last > _TOLD_EVERY:
                steps.step(done, total, item.source if not isinstance(item, Skipped) else item.place)
                last = time.monotonic()

    settings = file_settings(config, publish=asked.publish)
    with _steps(line, asked) as steps:
        with steps.engine.connect() as connection:
            known = known_files(connection, settings)
        reading = ReadSettings(
            config.ingest, config.regions.names, lambda source, sha256: known.get(source) == sha256, on_bytes
        )
        correct = partial(corrected, chunk_chars=config.ingest.chunk_chars)
        editing = Editing(steps, correct, reviewed=config.review.required)
        lend_editing(editing, steps, line)
        log = OutcomeLog()
        adding = BesideAdding(steps, editing, config, publish=asked.publish, settings=settings, who=asked.who)
        report = adding.run(told(log.watch(read_files(files, reading, named=asked.paths))))
    report = replace(report, files=tuple(log.rows))
    written = write_report(report, asked.home)
    return f"{next(report_lines(report))}；逐个文件的结果在 {written}"


@contextmanager
def _steps(line: Line, asked: BesideIngest) -> Iterator[BesideSteps]:
    """What `policydesk.app.open_desk` joins, as far as adding needs it; who asked holds the home."""
    # nobody searches here, and models that rank are large
    search = asked.config.search.model_copy(update={"reranker": "none"})
    config = asked.config.model_copy(update={"search": search})
    with opened_beside(config, asked.home) as found:
        if config.storage.vectors == "edge":
            yield CopySteps(found.settings, engine=found.engine, line=line)
            return
        index = found.settings.open(asked.place)
        with closing(index.store):
            yield BesideSteps(found.settings, engine=found.engine, index=index, line=line)
