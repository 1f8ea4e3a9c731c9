"""``policydesk chat``: a conversation on the terminal, one line a turn."""

from __future__ import annotations

import sys

import typer

from core.records import Question, Role, Turn
from policydesk.answer_lines import answer_lines
from policydesk.options import AsOf, AsRole, ConfigFile, Home, National, Region, opened_desk


def chat(
    role: AsRole = Role.CITIZEN,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """连续对话：一行一问，后面的话可以接着前面说；空行开始新的对话，Ctrl-D 结束。"""
    from qa.conversation import turn_of

    with opened_desk(config, home) as desk:
        history: tuple[Turn, ...] = ()
        for line in sys.stdin:
            text = line.strip()
            if not text:
                history = ()
                continue
            question = Question(text, region=region, national=national, as_of=as_of, role=role, history=history)
            answer = desk.ask(question)
            history = (*history, turn_of(question, answer))
            if answer.asked:
                typer.echo(f"（理解为：{answer.asked}）")
            for told in (*answer_lines(answer), ""):
                typer.echo(told)
