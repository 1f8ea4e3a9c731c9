"""The verbs of ``policydesk train``: the small models that ship, made again or from an organisation's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.records import Question, SearchOptions
from policydesk.options import ConfigFile, Home, National, Questions, Region, opened_desk

train_app = typer.Typer(help="训练自带的小模型。", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", help="写到这里")]
WithoutLaws = Annotated[
    Path | None, typer.Option("--without-laws", help="每行一个法律名称：答案在其中的问题都不用于训练")
]
Seed = Annotated[int, typer.Option("--seed", help="随机种子：同样的数据和种子得到同样的模型")]


@train_app.command("reranker")
def train_reranker(
    questions: Questions,
    out: Out,
    without_laws: WithoutLaws = None,
    region: Region = None,
    national: National = False,
    seed: Seed = 17,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """用带答案的问题训练排序模型；文件要先收入 --home。"""
    from eval.gold import read_gold, with_defaults
    from qa.scope import scope
    from train.ranker import examples, read_laws, train_ranker
    from train.ranker import without_laws as kept

    gold = with_defaults(read_gold(questions), Question("", region=region, national=national))
    with opened_desk(config, home) as desk:

        def options(question: Question) -> SearchOptions:
            return scope(question, top=1, home_region=desk.config.regions.home)

        taught = examples(
            kept(gold, read_laws(without_laws)), lambda q: desk.base.searcher.candidates(q.text, options(q))
        )
    train_ranker(taught, out, seed=seed)
    typer.echo(f"用 {len(taught)} 个问题训练，写入 {out}；在配置中写 search.reranker: {out} 即可使用", err=True)


@train_app.command("background")
def train_background(
    out: Out,
    national: National = False,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """从知识库的文件统计词频，供排序模型衡量词的轻重。"""
    from train.background import train_background as train

    with opened_desk(config, home) as desk:
        texts = (text for _, text in desk.base.article_texts(national=national))
        kept = train(texts, desk.base.searcher.tokenizer, out)
    typer.echo(f"{kept} 个词写入 {out}", err=True)
