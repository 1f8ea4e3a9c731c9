"""``policydesk eval validity``: real laws in a fresh home, asked on days before and after they changed."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from core.config import Config
from core.errors import IngestError
from core.records import State
from policydesk.options import AsJson, ConfigFile, read_config, write_lines

if TYPE_CHECKING:
    from eval.validity import Judged
    from eval.validity_pairs import Case, Collection
    from policydesk.app import Desk

_TOP = 10


def eval_validity(
    laws: Annotated[Path, typer.Argument(help="法规原文：文件夹或 .tar.xz，每个版本一个 .md 文件，版本日期在文件名中")],
    policies: Annotated[
        list[Path] | None, typer.Option("--policies", help="另从这些 JSON Lines 文件取有效期已写明的文件")
    ] = None,
    losses: Annotated[Path | None, typer.Option("--losses", help="不合格的问题写到这个 JSON Lines 文件")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """效力：已废止和旧版的文本不得为今天作答；问某一天，应由那一天有效的文本作答。"""
    from eval.validity import kind_scores, problem, validity_lines
    from eval.validity_pairs import cases, collect
    from eval.validity_terms import read_terms
    from policydesk.batch import to_line
    from qa.scope import today

    day = today()
    collection = collect(_texts(laws), read_terms(policies or []))
    questions = cases(collection, day)
    typer.echo(f"{len(collection.texts)} 个文件，{len(questions)} 个问题", err=True)
    with _published(read_config(config), collection) as (desk, folder):
        judged = list(_judged(desk, folder, collection, questions, day))
    if losses:
        rows = ((problem(one), one) for one in judged)
        write_lines(losses, (to_line({"problem": what} | _plain(one)) for what, one in rows if what))
    scores = kind_scores(judged)
    write_lines(None, (to_line(asdict(score)) for score in scores) if as_json else validity_lines(scores))


def _texts(laws: Path) -> dict[str, str]:
    """The .md files of a folder or a packed one, by path below it. Raises `IngestError`."""
    try:
        if laws.is_dir():
            return {
                file.relative_to(laws).as_posix(): file.read_text(encoding="utf-8") for file in laws.rglob("*.md")
            }
        with tarfile.open(laws) as archive:
            return {
                member.name.removeprefix("./"): data.read().decode("utf-8") for member in archive
                if member.name.endswith(".md") and (data := archive.extractfile(member))
            }
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise IngestError(f"读不出来：{error}。应为法规原文的文件夹或 .tar.xz", place=str(laws)) from error


@contextmanager
def _published(config: Config, collection: Collection) -> Iterator[tuple[Desk, Path]]:
    """Everything of the collection, ingested in a home of its own; with the folder that the files lie in."""
    from policydesk.app import open_desk

    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / "files"
        for name, text in collection.texts.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        with open_desk(_alone(config), Path(temporary) / "home") as desk:
            report = desk.ingest([folder], publish=True, on_bytes=lambda count: None)
            for skipped in report.skipped:
                typer.echo(f"未入库 {skipped.place}：{skipped.reason}", err=True)
            yield desk, folder


def _alone(config: Config) -> Config:
    """In its own folder, and with every region: a configured server or home region would be another question."""
    storage = config.storage.model_copy(update={"database": "", "vectors": "edge"})
    regions = config.regions.model_copy(update={"home": ""})
    return config.model_copy(update={"storage": storage, "regions": regions})


def _judged(
    desk: Desk, folder: Path, collection: Collection, questions: list[Case], day: date
) -> Iterator[Judged]:
    from eval.validity import judge

    paths = _paths(desk, folder)
    asked = judge(
        questions, desk.ask, lambda question: desk.search(question, _TOP), path_of=paths.get,
        spans=collection.spans, today=day,
    )
    for count, one in enumerate(asked, start=1):
        if count % 200 == 0:
            typer.echo(f"{count} / {len(questions)}", err=True)
        yield one


def _paths(desk: Desk, folder: Path) -> Mapping[str, str]:
    """Path in the collection by document id."""
    prefix = f"{folder}/"
    documents = desk.base.documents([State.PUBLISHED])
    return {document.id: document.source.removeprefix(prefix) for document in documents}


def _plain(one: Judged) -> dict[str, object]:
    case = one.case
    return {
        "kind": case.kind, "pair": case.pair, "question": case.question, "as_of": case.as_of and str(case.as_of),
        "right": sorted(case.right), "wrong": sorted(case.wrong), "status": one.status, "cited": one.cited,
        "found": one.found, "early": one.early, "says": one.says,
    }
