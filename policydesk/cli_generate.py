"""The verbs of ``policydesk models`` for the language model: try it, switch it, see what it cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, Field

from core.errors import ConfigError, GenerationFailed
from core.tasks import TASKS
from policydesk.options import AsJson, By, ConfigFile, Home, read_config, write_lines

if TYPE_CHECKING:
    from core.config import Config
    from core.generate import ServerGenerator
    from core.ledger import Usage
    from core.tasks import Task

_QUESTION = "用一句话说明什么是最低生活保障。"


class _Sorted(BaseModel):
    """What `models try` asks for as JSON."""

    reply: str = Field(max_length=100)
    kind: Literal["政策", "办事", "其他"]


def _task(name: str) -> Task:
    if name not in TASKS:
        raise typer.BadParameter(f"没有任务“{name}”；有 {'、'.join(TASKS)}")
    return TASKS[name]


def models_try(
    question: Annotated[str, typer.Argument(help="问模型什么")] = _QUESTION,
    task: Annotated[str, typer.Option("--task", help="用哪个任务的限度（core/tasks.py）")] = "answer",
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """向 generate.model 问一次流式、一次 JSON，打印收到的内容和用时；有一次失败则退出码 1。"""
    from core.models import open_generator
    from policydesk.batch import to_line

    settings = read_config(config)
    profile = _task(task)
    generator = open_generator(settings, home or settings.home)
    if generator is None:
        raise ConfigError("generate.model 是 none：没有可问的模型。应为 openai:http://地址:端口#模型，见 docs/vllm.md")
    rows = [_streamed(generator, profile, question, echo=not as_json), _structured(generator, profile, question)]
    if as_json:
        write_lines(None, [to_line(row) for row in rows])
    else:
        typer.echo(rows[1]["text"])
    for row in rows:
        first = "" if row["first_seconds"] is None else f"首段 {row['first_seconds']} 秒，"
        fault = f"失败（{row['fault']}）：{row['error']}" if row["fault"] else f"{row['reply_tokens']} 个词元"
        typer.echo(f"{row['way']}：{first}共 {row['seconds']} 秒，问了 {row['tries']} 次，{fault}", err=True)
    if any(row["fault"] for row in rows):
        raise typer.Exit(1)


def _streamed(generator: ServerGenerator, task: Task, question: str, *, echo: bool) -> dict[str, object]:
    from core.ports import Message

    text, failure = "", None
    began = time.monotonic()
    try:
        for piece in generator.stream(task, [Message("user", question)]):
            text += piece
            if echo:
                typer.echo(piece, nl=False)
    except GenerationFailed as error:
        failure = error
    if echo:
        typer.echo()
    return _row("流式", text, generator, failure, time.monotonic() - began)


def _structured(generator: ServerGenerator, task: Task, question: str) -> dict[str, object]:
    from core.ports import Message

    order = "请回答下面的问题，并说明它属于哪一类（政策、办事或其他），只输出 JSON，键为 reply 和 kind。\n"
    text, failure = "", None
    began = time.monotonic()
    try:
        text = generator.structured(task, [Message("user", order + question)], _Sorted).model_dump_json()
    except GenerationFailed as error:
        failure = error
    return _row("JSON", text, generator, failure, time.monotonic() - began)


def _row(
    way: str, text: str, generator: ServerGenerator, failure: GenerationFailed | None, seconds: float
) -> dict[str, object]:
    call = generator.ledger.recent[-1]
    return {
        "way": way, "text": text, "model": generator.name, "first_seconds": call.first_seconds,
        "seconds": round(seconds, 3), "tries": call.tries, "reply_tokens": call.reply_tokens,
        "fault": str(failure.fault) if failure else "", "error": str(failure) if failure else "",
    }


def models_off(
    reason: Annotated[str, typer.Option("--reason", help="为什么停用")] = "",
    by: By = "",
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """停用语言模型：正在运行的程序从下一次提问起只用原文作答。"""
    from core.generate_switch import switch_off

    off = switch_off(home or read_config(config).home, by, reason)
    typer.echo(f"语言模型已{off}", err=True)


def models_on(by: By = "", home: Home = None, config: ConfigFile = None) -> None:
    """重新启用语言模型。"""
    from core.generate_switch import switch_on

    off = switch_on(home or read_config(config).home, by)
    typer.echo(f"语言模型已启用（原先{off}）" if off else "语言模型本来就是启用的", err=True)


def models_usage(
    days: Annotated[int, typer.Option("--days", min=1, help="最近多少天")] = 7,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """语言模型的用量：每个任务的次数、失败、词元和用时。"""
    from core.ledger import read_calls, summed
    from policydesk.batch import to_line

    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    rows = summed(read_calls(home or read_config(config).home, since))
    typer.echo(f"{since} 起（UTC）{sum(row.calls for row in rows)} 次", err=True)
    write_lines(None, [to_line(asdict(row)) for row in rows] if as_json else _usage_lines(rows))


def _usage_lines(rows: list[Usage]) -> Iterator[str]:
    for row in rows:
        faults = "、".join(f"{fault} {count}" for fault, count in row.faults.items()) or "无"
        first = "-" if row.first_seconds is None else f"{row.first_seconds:.2f}"
        guess = f"（{row.estimated} 次为估计）" if row.estimated else ""
        yield (
            f"{row.task}  {row.model}  {row.calls} 次，重问格式 {row.repairs} 次，失败：{faults}；"
            f"词元 {row.prompt_tokens:,} + {row.reply_tokens:,}{guess}；"
            f"首段 {first} 秒，全程 {row.seconds:.2f} 秒（中位），最长 {row.most_seconds:.2f} 秒"
        )


def generator_state(config: Config, home: Path) -> str:
    """One line: which model, and whether it is asked."""
    from core.generate_switch import read_switch

    word = config.generate.model
    if word == "none":
        return "generate.model = none：回答只用原文"
    off = read_switch(home)
    state = "由 generate.enabled 停用" if not config.generate.enabled else str(off) if off else "启用"
    address, _, model = word.removeprefix("openai:").partition("#")
    return f"generate.model：{model}（{address.rpartition('@')[2]}），{state}"
