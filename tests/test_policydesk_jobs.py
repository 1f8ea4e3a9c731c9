"""Jobs as they are used: queued beside a desk that holds the home, done by it, and gone on with after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.config import Config
from core.records import Question
from kb.upkeep.jobs import Job, JobState, get
from policydesk.app import Desk, open_desk
from policydesk.cli import app
from policydesk.cli_jobs import Kind
from policydesk.job_runner import doing_jobs, works
from tests.conftest import SAMPLES

POLICIES = SAMPLES / "policies"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "policydesk.yaml"
    path.write_text("storage: {min_free_mb: 0}\nindex: {embedder: none}\nsearch: {terms: false}\n", encoding="utf-8")
    return path


@pytest.fixture
def run(home: Path, overlay: Path) -> Callable[..., str]:
    def call(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["jobs", *arguments, "--home", str(home), "--config", str(overlay)])
        assert done.exit_code == code, done.output
        return done.output

    return call


@pytest.fixture
def plain(config: Config) -> Config:
    return config.model_copy(update={
        "storage": config.storage.model_copy(update={"min_free_mb": 0}),
        "index": config.index.model_copy(update={"embedder": "none"}),
        "search": config.search.model_copy(update={"terms": False}),
    })


@contextmanager
def serving(config: Config, home: Path, *, until: int = 1) -> Iterator[tuple[Desk, list[Job], threading.Event]]:
    """A desk that does what is queued; the event is set once so many jobs have ended."""
    ended: list[Job] = []
    enough = threading.Event()

    def on_end(job: Job) -> None:
        ended.append(job)
        if len(ended) >= until:
            enough.set()

    with open_desk(config, home) as desk, doing_jobs(desk, on_end):
        yield desk, ended, enough


def lines(output: str) -> Sequence[str]:
    return output.splitlines()


def test_jobs_are_queued_listed_and_cancelled_while_a_desk_holds_the_home(
    run: Callable[..., str], home: Path, plain: Config
) -> None:
    with open_desk(plain, home):
        assert lines(run("add", "reindex", "--by", "王芳")) == ["1  reindex  排队  王芳"]
        run("add", "ingest", str(POLICIES), "--by", "李明")
        assert [line.split()[1] for line in lines(run("list"))] == ["ingest", "reindex"]
        assert lines(run("cancel", "1", "--by", "李明")) == ["1  reindex  已取消  王芳  开始前已取消"]
        shown = json.loads(run("show", "2", "--json"))
        assert (shown["state"], shown["arguments"]["paths"], shown["progress"]) == ("queued", [str(POLICIES)], 0.0)
        assert [line.split()[0] for line in lines(run("list", "--waiting"))] == ["2"]


def test_every_kind_that_can_be_queued_is_done(sample_desk: Desk) -> None:
    assert {kind.value for kind in Kind} == works(sample_desk, beside=True).keys()


def test_what_cannot_be_queued_is_told_at_once(run: Callable[..., str]) -> None:
    run("add", "ingest", code=2)
    run("add", "reindex", str(POLICIES), code=2)
    run("add", "ingest", "/nowhere/at/all", code=1)


def test_jobs_run_does_what_is_queued_in_the_foreground(run: Callable[..., str]) -> None:
    run("add", "ingest", str(POLICIES))
    run("add", "reindex")
    run("run")
    told = lines(run("list"))
    assert [line.split()[2] for line in told] == ["完成", "完成"]
    assert "不用重建" in told[0]
    assert "未收录 0 处" in told[1]


def test_a_serving_desk_ingests_what_is_queued_and_goes_on_answering(
    run: Callable[..., str], home: Path, plain: Config
) -> None:
    with serving(plain, home) as (desk, ended, enough):
        run("add", "ingest", str(POLICIES), "--by", "王芳")
        assert enough.wait(60)
        assert [(job.state, job.who) for job in ended] == [(JobState.DONE, "王芳")]
        assert desk.search(Question("住房公积金提取"), 3)
        assert desk.base.steps.index.store.count() == desk.base.counts()[2] > 400
    run("add", "ingest", str(POLICIES))
    run("run")
    assert "新收入 0 份文件" in lines(run("list"))[0]


def test_an_ingest_whose_process_is_killed_is_begun_again_and_stores_everything_once(
    run: Callable[..., str], home: Path, plain: Config
) -> None:
    with serving(plain, home, until=2) as (desk, ended, enough):
        run("add", "ingest", str(POLICIES))
        while not (children := [child for child in multiprocessing.active_children() if child.name == "ingest"]):
            time.sleep(0.01)
        assert children[0].pid is not None
        os.kill(children[0].pid, signal.SIGKILL)
        assert enough.wait(60)
        assert [job.state for job in ended] == [JobState.QUEUED, JobState.DONE]
        assert get(desk.base.steps.engine, 1).attempts == 2
        assert desk.base.steps.index.store.count() == desk.base.counts()[2] > 400


def test_a_job_left_running_by_a_dead_process_is_done_by_the_next(
    run: Callable[..., str], home: Path, plain: Config
) -> None:
    run("add", "ingest", str(POLICIES))
    with open_desk(plain, home) as desk, desk.base.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'running', attempts = 1")
    run("run")
    assert json.loads(run("show", "1", "--json"))["state"] == "done"
