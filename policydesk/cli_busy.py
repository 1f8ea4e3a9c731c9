"""``policydesk bench busy``: what a large job does to those who ask meanwhile."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from core.errors import PolicyDeskError
from core.records import Question
from policydesk.options import AsJson, ConfigFile, Home, National, Questions, Region, opened_desk, write_lines


def bench_busy(
    questions: Questions,
    paths: Annotated[list[Path], typer.Argument(help="测量时入库的文件；请用知识库的副本作 --home")],
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="每秒提出几个问题")] = 5.0,
    answers: Annotated[bool, typer.Option("--answers", help="测量回答（每个都记入日志），而不只是检索")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="作为对照：在同一进程中入库，不另开进程")] = False,
    national: National = False,
    region: Region = None,
    out: Annotated[Path | None, typer.Option("--out", help="结果另写到这个 JSON 文件")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """大量入库时的查询延迟：按固定速率提问，与空闲时相比。"""
    from eval.busy import busy_lines, run_busy
    from eval.gold import gold_digest, read_gold, with_defaults
    from eval.record import Measured, circumstances
    from kb.upkeep.jobs import JobState, add, get
    from policydesk.batch import to_line
    from policydesk.job_runner import do_queued, doing_jobs

    gold = with_defaults(read_gold(questions), Question("", region=region, national=national))
    with opened_desk(config, home) as desk:
        engine = desk.base.steps.engine

        def job() -> str:
            arguments = {"paths": [str(path.resolve()) for path in paths], "publish": True}
            queued = add(engine, "ingest", arguments, who="bench")
            ended = Event()
            if plain:
                do_queued(desk, lambda _: ended.set())
            else:
                with doing_jobs(desk, lambda _: ended.set()):
                    ended.wait()
            done = get(engine, queued.id)
            if done.state is not JobState.DONE:
                raise PolicyDeskError(f"入库没有完成：{done.message}")
            return done.message

        def search(question: Question, top: int) -> list[str]:
            if answers:
                return [citation.ref for citation in desk.ask(question).citations]
            return [hit.ref for hit in desk.search(question, top)]

        result = run_busy(gold, search, job, per_second=rate)
        measured = Measured("busy", gold_digest(gold), len(gold), 0)
        record = {"what": "busy", **circumstances(measured, desk.config), "result": asdict(result)}
    if out:
        write_lines(out, [to_line(record)])
    write_lines(None, [to_line(record)] if as_json else busy_lines(result))
