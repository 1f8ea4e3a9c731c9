"""``policydesk eval answers`` and ``policydesk bench answers``: how good answers are, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError, PolicyDeskError
from core.records import Question, Role, State
from policydesk.options import (
    AsJson,
    AsOf,
    AsRole,
    ConfigFile,
    Home,
    National,
    Questions,
    Region,
    opened_desk,
    write_lines,
)

if TYPE_CHECKING:
    from core.config import Config
    from eval.answers import AnswersResult, Judged
    from eval.answers_check import Library
    from eval.answers_questions import Asked, QuestionFile
    from policydesk.app import Desk

_TOLD_EVERY = 200


def eval_answers(
    questions: Annotated[
        list[Path] | None, typer.Option("--questions", help="标注问题文件，没有标准答案的应拒答；可多次给出")
    ] = None,
    refuse: Annotated[list[Path] | None, typer.Option("--refuse", help="其中的问题都应拒答；可多次给出")] = None,
    allow: Annotated[
        list[Path] | None, typer.Option("--allow", help="其中的问题不得当作不当问题拒答；可多次给出")
    ] = None,
    check: Annotated[
        list[Path] | None, typer.Option("--check", help="只核对其回答的引文和数字，不评对错；可多次给出")
    ] = None,
    from_home: Annotated[
        int, typer.Option("--from-home", min=0, help="另就库中这么多条文各提一个问题，同 --allow")
    ] = 0,
    split: Annotated[
        str | None, typer.Option("--split", help="只用 split 为此值的行，如 dev；没有 split 的文件全用")
    ] = None,
    one_in: Annotated[int, typer.Option("--one-in", min=1, help="每个文件只取这么多分之一")] = 1,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    role: AsRole = Role.AGENT,
    quotes: Annotated[bool, typer.Option("--quotes", help="配置了语言模型也只摘录原文")] = False,
    judge: Annotated[bool, typer.Option("--judge", help="另请 generate.model 判断每个回答；只供参考")] = False,
    losses: Annotated[Path | None, typer.Option("--losses", help="落空的问题写到这个 JSON Lines 文件")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="报告写到这个 HTML 文件")] = None,
    name: Annotated[str | None, typer.Option("--name", help="写入 eval/results 的结果名称；缺省不写")] = None,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """回答质量：答案覆盖、引文、拒答曲线、用时；逐一核对引文与数字，有一处不符即以状态 1 结束。"""
    from eval.answers import losses as lost
    from eval.answers import result
    from eval.answers_lines import answers_lines
    from eval.answers_questions import asked_of_articles, read_asked
    from policydesk.batch import to_line

    defaults = Question("", region=region, national=national, as_of=as_of, role=role)
    files = list(_files(questions, refuse, allow, check))
    if not files and not from_home:
        raise typer.BadParameter("请用 --questions、--refuse、--allow、--check 给出问题文件，或用 --from-home")
    asked = read_asked(files, split=split, defaults=defaults, one_in=one_in) if files else []
    with opened_desk(config, home) as desk:
        if from_home:
            articles = desk.base.article_texts(national=national)
            asked += asked_of_articles(articles, from_home, defaults=defaults)
        started = time.perf_counter()
        judged = list(_judged(desk, asked, quotes=quotes))
        judged = _with_opinions(desk.config, home, judged) if judge else judged
        figures = result(judged, seconds=time.perf_counter() - started)
        if name:
            typer.echo(f"结果写入 {_written(desk, name, asked, figures)}", err=True)
    _write_reports(losses, html, name or (files[0].path.stem if files else "articles"), figures, [*lost(judged)])
    write_lines(None, [to_line(asdict(figures))] if as_json else answers_lines(figures))
    if figures.faults:
        raise PolicyDeskError(f"{sum(figures.faults.values())} 处违例。请用 --losses 查看")


def bench_answers(
    questions: Questions,
    split: Annotated[str | None, typer.Option("--split", help="只用问题文件中 split 为此值的行")] = None,
    one_in: Annotated[int, typer.Option("--one-in", min=1, help="只取这么多分之一的问题")] = 1,
    region: Region = None,
    national: National = False,
    as_of: AsOf = None,
    role: AsRole = Role.AGENT,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """完整回答的用时：从提问到记入日志，以及各阶段；先问 30 个不计时。回答记入知识库，请用副本。"""
    from eval.answers_questions import QuestionFile, read_asked
    from eval.answers_speed import speed_lines, timed
    from policydesk.batch import to_line

    defaults = Question("", region=region, national=national, as_of=as_of, role=role)
    asked = read_asked([QuestionFile(questions)], split=split, defaults=defaults, one_in=one_in)
    with opened_desk(config, home) as desk:
        _, articles, chunks = desk.base.counts()
        speed = timed([one.gold.question for one in asked], desk.ask, articles=articles, chunks=chunks)
    write_lines(None, [to_line(asdict(speed))] if as_json else speed_lines(speed))


def _files(
    questions: list[Path] | None, refuse: list[Path] | None, allow: list[Path] | None, check: list[Path] | None
) -> Iterator[QuestionFile]:
    from eval.answers_questions import Expected, QuestionFile

    for paths, expected in (
        (questions, None), (refuse, Expected.REFUSE), (allow, Expected.ALLOW), (check, Expected.UNJUDGED)
    ):
        yield from (QuestionFile(path, expected) for path in paths or ())


def _judged(desk: Desk, asked: list[Asked], *, quotes: bool) -> Iterator[Judged]:
    """Answers are not written down: the home stays as it is."""
    from eval.answers import judge, last
    from eval.answers_gold import gold_texts, wanted_of
    from qa.turn_kind import turn_kind

    library = _library(desk)
    asked = _of_this_base(asked, library)
    gold = gold_texts(asked, library, desk.base.article_texts(national=False))
    for count, one in enumerate(asked, start=1):
        started = time.perf_counter()
        answer = desk.answerer.answer(one.gold.question) if quotes else last(desk.answerer.parts(one.gold.question))
        took = (time.perf_counter() - started) * 1000
        kind = turn_kind(one.gold.question.text).kind
        yield judge(one, answer, library, wanted=wanted_of(one, gold), kind=kind, milliseconds=took)
        if count % _TOLD_EVERY == 0:
            typer.echo(f"{count} / {len(asked)}", err=True)


def _with_opinions(config: Config, home: Path | None, judged: list[Judged]) -> list[Judged]:
    from core.models import open_generator
    from eval.answers_judge import with_opinions

    generator = open_generator(config, home or config.home)
    if generator is None:
        raise ConfigError("--judge 需要语言模型：请配置 generate.model")
    found = list(with_opinions(judged, generator))
    lacking = sum(one.answered and opinion is None for one, opinion in found)
    if lacking:
        typer.echo(f"模型 {generator.name} 没有判断 {lacking} 个回答", err=True)
    return [one for one, _ in found]


def _library(desk: Desk) -> Library:
    from eval.answers_check import Library

    documents = desk.base.documents([State.PUBLISHED])
    text = lru_cache(maxsize=512)(lambda id_: desk.document(id_).text)
    return Library({document.id: document for document in documents}, text)


def _of_this_base(asked: list[Asked], library: Library) -> list[Asked]:
    """Questions whose gold does not hold on the day asked about are not judged; that, and what the base lacks of the
    gold, is told on stderr."""
    from eval.answers_questions import Expected, unjudged
    from eval.home_check import check_home
    from qa.scope import today

    gold = [replace(one.gold, id=one.id) for one in asked if one.expected is Expected.ANSWER]
    check = check_home(gold, list(library.documents.values()), library.text, today=today())
    for line in replace(check, not_in_force=()).lines():
        typer.echo(line, err=True)
    if check.not_in_force:
        ids = "、".join(check.not_in_force)
        typer.echo(f"{len(check.not_in_force)} 个问题的标准文件在所问之日不在施行期内，不评对错：{ids}", err=True)
    return unjudged(asked, check.not_in_force)


def _written(desk: Desk, name: str, asked: list[Asked], figures: AnswersResult) -> Path:
    from eval.gold import gold_digest
    from eval.record import Measured, write_record

    # a result of `eval retrieval` may have the same name
    measured = Measured(f"answers-{name}", gold_digest([one.gold for one in asked]), len(asked), figures.seed)
    return write_record("answers", asdict(figures), measured, desk.config)


def _write_reports(
    losses: Path | None, html: Path | None, title: str, figures: AnswersResult, lost: list[Judged]
) -> None:
    from eval.answers import loss_row
    from policydesk.batch import to_line

    if losses:
        write_lines(losses, (to_line(loss_row(one)) for one in lost))
    if html:
        from eval.answers_page import answers_page
        from eval.machine import commit
        from eval.page import PageFacts
        from qa.scope import today

        write_lines(html, [answers_page(figures, PageFacts(title, f"{today()}，{commit()}"), lost)])
