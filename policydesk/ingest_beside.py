"""An ingest by a process of its own beside the desk that answers; see `kb.beside`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from core.config import Config
from core.errors import PolicyDeskError
from core.models import opened_models
from core.processes import end_with_parent
from core.records import Document, FileRead, Skipped
from ingest.correct import corrected
from kb.beside import BesideAdding, BesideSteps, CopySteps, LentEditing, Line
from kb.beside_host import Host, OnStep
from kb.database import open_database
from kb.editing import Correct
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.index import IndexSettings
from kb.jobs import Lost
from kb.static_encoder import SHIPPED as ENCODER
from kb.static_encoder import StaticEncoder
from kb.tokens import SparseEncoder, index_tokenizer
from policydesk.app import Desk

_NICE = 19                   # a question goes before any of this
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


def ingest_beside(desk: Desk, paths: Sequence[Path], *, publish: bool, who: str, on_step: OnStep) -> str:
    """What the ingest says at its end. ``on_step`` may raise to end it: what was stored by then is published.

    Raises `Lost` when the process dies; whoever begins again goes on from what it stored.
    """
    home = desk.index_settings.home
    steps = desk.base._steps
    index = steps.index
    made = {"terms": index.encoder.name, "embedder": index.embedder.name if index.embedder else "none"}
    if made != desk.index_settings.made_with:
        raise PolicyDeskError("索引还是按原来的配置建立的。请先运行 policydesk jobs add reindex")
    asked = BesideIngest(desk.config, home, index.place, tuple(paths), publish, who)
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

    config = asked.config
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
    with _steps(line, asked) as (steps, correct):
        with steps.engine.connect() as connection:
            known = known_files(connection, settings)
        reading = ReadSettings(
            config.ingest, config.regions.names, lambda source, sha256: known.get(source) == sha256, on_bytes
        )
        log = OutcomeLog()
        adding = BesideAdding(
            steps, LentEditing(steps, line, correct), config, publish=asked.publish, settings=settings, who=asked.who
        )
        report = adding.run(told(log.watch(read_files(files, reading, named=asked.paths))))
    report = replace(report, files=tuple(log.rows))
    written = write_report(report, asked.home)
    return f"{next(report_lines(report))}；逐个文件的结果在 {written}"


@contextmanager
def _steps(line: Line, asked: BesideIngest) -> Iterator[tuple[BesideSteps, Correct]]:
    """What `policydesk.app.open_desk` joins, as far as adding needs it; the home is held by who asked."""
    # the ranking is done elsewhere, and models for it are large
    config = asked.config.model_copy(
        update={"search": asked.config.search.model_copy(update={"reranker": "none"})}
    )
    own_terms = [Path(config.search.terms_file)] if config.search.terms_file else []
    terms = read_terms([TERMS, *own_terms]) if config.search.terms else None

    def static(trained: Path | None) -> StaticEncoder:
        return StaticEncoder(trained or ENCODER, terms=terms)

    with opened_models(config, static) as models, ExitStack() as opened:
        encoder = SparseEncoder(index_tokenizer(config.index), config.index)
        settings = IndexSettings(config, asked.home, encoder, models.embedder)
        engine = open_database(config.storage.database or f"sqlite:///{asked.home.resolve() / 'policydesk.db'}")
        opened.callback(engine.dispose)
        correct = partial(corrected, chunk_chars=config.ingest.chunk_chars)
        if config.storage.vectors == "edge":
            yield CopySteps(settings, engine=engine, line=line), correct
            return
        index = settings.open(asked.place)
        opened.callback(index.store.close)
        yield BesideSteps(settings, engine=engine, index=index, line=line), correct
