"""``policydesk understand``: what a turn is, before anything is searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.config import Config
from core.records import Question, Role, Turn
from policydesk.options import AsJson, Asked, AsOf, AsRole, Batch, Before, ConfigFile, Region, read_config, write_lines

if TYPE_CHECKING:
    from qa.routes import Route
    from qa.understand import Understood


def understand(
    question: Asked = None,
    batch: Batch = None,
    out: Annotated[Path | None, typer.Option("--out", help="结果写到这个文件")] = None,
    before: Before = None,
    region: Region = None,
    as_of: AsOf = None,
    role: AsRole = Role.CITIZEN,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """看懂一句话：是政策问题、查进度、投诉、紧急情况还是别的；有几件事，问哪里、问何时；不作答的该去哪里。"""
    from policydesk.batch import read_questions, to_line

    settings = read_config(config)
    asked = Question(question or "", region=region, as_of=as_of, role=role)
    if (question is None) == (batch is None):
        raise typer.BadParameter("请给出一个问题，或用 --batch 给出问题文件，二者选一")
    questions = [("", asked)] if batch is None else read_questions(batch, asked)
    understood = _understood(questions, before or [], settings)
    if as_json or batch:
        write_lines(out, (to_line(_plain(name, turn, way)) for name, turn, way in understood))
    else:
        write_lines(out, (line for _, turn, way in understood for line in _lines(turn, way)))


def _understood(
    questions: Sequence[tuple[str, Question]] | Iterator[tuple[str, Question]], before: Sequence[str], config: Config
) -> Iterator[tuple[str, Understood, Route | None]]:
    from qa.scope import today
    from qa.understand import understand as understand_turn

    history = tuple(Turn(text) for text in before)
    for name, asked in questions:
        home = asked.region or config.regions.home
        found = understand_turn(
            asked.text, history, home=home, names=config.regions.names, today=asked.as_of or today()
        )
        yield name, found, _way(found, asked, config)


def _way(found: Understood, asked: Question, config: Config) -> Route | None:
    """Where to go, unless documents answer. Without a knowledge base nobody knows who is responsible."""
    from qa.places import place_name
    from qa.routes import route, route_elsewhere

    if found.search:
        return None
    place = next((matter.elsewhere for matter in found.matters if matter.elsewhere), None)
    if place:
        return route_elsewhere(place_name(place, config.regions.names), asked.role, abroad=place.code is None)
    return route(found.turn, asked.text, role=asked.role, responsible=lambda matter: None)


def _plain(name: str, found: Understood, way: Route | None) -> dict[str, object]:
    return {"id": name, "search": found.search, **asdict(found), "route": asdict(way) if way else None}


def _lines(found: Understood, way: Route | None) -> Iterator[str]:
    turn = found.turn
    yield f"{turn.kind}" + (f" / {turn.topic}：{turn.said}" if turn.topic else "")
    for matter in found.matters:
        notes = [f"地区 {matter.region}" if matter.region else "", f"日期 {matter.as_of}" if matter.as_of else ""]
        notes.append(f"外地 {matter.elsewhere.name}" if matter.elsewhere else "")
        yield f"  {matter.text}" + "".join(f"（{note}）" for note in notes if note)
    if found.new_topic:
        yield "  换了话题"
    if way:
        yield f"  → {way.text}"
