"""The verbs of ``policydesk models``: real models come into the models folder, and what lies there is listed.

Those of the language model are in `policydesk.cli_generate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError
from policydesk.cli_generate import generator_state, models_off, models_on, models_try, models_usage
from policydesk.options import AsJson, ConfigFile, Home, read_config, write_lines

if TYPE_CHECKING:
    from core.config import Config
    from core.model_store import StoredModel

models_app = typer.Typer(help="取得、查看、试用与停用真实模型（bge-m3、语言模型等）。", no_args_is_help=True)
models_app.command("try")(models_try)
models_app.command("off")(models_off)
models_app.command("on")(models_on)
models_app.command("usage")(models_usage)


@models_app.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="bge-m3、bge-small-zh、bge-reranker-v2-m3，或模型库中的 机构/名称")],
    source: Annotated[
        str | None, typer.Option("--from", help="模型库或其镜像的地址，或带来的文件夹；缺省取 models.hub")
    ] = None,
    revision: Annotated[str, typer.Option("--revision", help="模型库中的版本：分支、标签或提交号")] = "main",
    convert: Annotated[
        bool, typer.Option("--convert", help="权重只有 pickle 时，不执行它而转换为 safetensors")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """把一个模型取到 models.folder：可断点续传，逐个文件校验，只留 safetensors。"""
    from core.model_fetch import FetchOptions, fetch_model
    from core.model_source import hub_client, open_source
    from core.model_store import known
    from policydesk.batch import to_line

    settings = read_config(config)
    address = source or settings.models.hub
    if not address:
        raise ConfigError(
            "没有模型库的地址。用 --from 给出地址或文件夹，或在配置中写 models.hub；不能上网时见 docs/models.md"
        )
    found = known(name)
    repo = found.repo if found else name
    short = found.name if found else name.strip("/").split("/")[-1]
    if not short or short.startswith("."):
        raise ConfigError(f"“{name}”不是模型的名称，应如 bge-m3 或 BAAI/bge-m3")
    with _progress(short) as on_bytes, hub_client(settings.models) as client:
        options = FetchOptions(convert, settings.models.tries, settings.storage.min_free_mb, on_bytes)
        model = fetch_model(open_source(address, repo, revision, client), short, settings.models.folder, options)
    typer.echo(f"已取得 {model.name}，版本 {model.revision or '未知'}，放在 {model.path}", err=True)
    record = {"name": model.name, "path": str(model.path), "repo": model.repo, "revision": model.revision}
    write_lines(None, [to_line(record) if as_json else model.name])


@models_app.command("list")
def models_list(
    check: Annotated[bool, typer.Option("--check", help="逐个文件校验，大模型需要数秒")] = False,
    home: Home = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """列出 models.folder 中的模型，以及 index.embedder = auto 会选哪一个、语言模型是否启用。"""
    from core.model_store import check_model, stored_models
    from core.models import choose_embedder
    from policydesk.batch import to_line

    settings = read_config(config)
    folder = settings.models.folder
    rows = stored_models(folder)
    if check:
        for row in rows:
            check_model(row.path, key="models.folder")
    auto = choose_embedder("auto", folder)
    typer.echo(f"{folder} 中有 {len(rows)} 个模型；index.embedder = auto 会用 {auto}", err=True)
    typer.echo(generator_state(settings, home or settings.home), err=True)
    if as_json:
        write_lines(None, [to_line({**asdict(row), "path": str(row.path)}) for row in rows])
    else:
        write_lines(None, _lines(rows, settings))


def _lines(rows: list[StoredModel], settings: Config) -> Iterator[str]:
    from core.models import choose_embedder, choose_reranker

    places = {
        "index.embedder": choose_embedder(settings.index.embedder, settings.models.folder).place,
        "search.reranker": choose_reranker(settings.search.reranker, settings.models.folder).place,
    }
    for row in rows:
        used = [key for key, place in places.items() if place == str(row.path)]
        state = f"正用于 {'、'.join(used)}" if used else f"可用于 {row.use}" if row.use else "可按名称用于配置"
        yield f"{row.name}  {row.size / 1_000_000:,.0f} MB  {row.repo or '来源未知'} {row.revision[:12]}  {state}"


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr over the bytes of the model."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(f"取得 {name}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def on_bytes(more: int, total: int) -> None:
            bar.update(task, total=total)
            bar.advance(task, more)

        yield on_bytes
