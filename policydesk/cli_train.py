"""The verbs of ``policydesk train``: the small models that ship, made again or from an organisation's own data."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from core.records import Question, SearchOptions
from policydesk.options import ConfigFile, Home, National, Questions, Region, opened_desk

if TYPE_CHECKING:
    from eval.gold import GoldQuestion
    from train.card import Source
    from train.ranker import Example

train_app = typer.Typer(help="训练自带的小模型。", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", help="写到这里")]
WithoutLaws = Annotated[
    Path | None, typer.Option("--without-laws", help="每行一个法律名称：答案在其中的问题都不用于训练")
]
Seed = Annotated[int, typer.Option("--seed", help="随机种子：同样的数据和种子得到同样的模型")]


@train_app.command("examples")
def train_examples(
    questions: Questions,
    out: Out,
    without_laws: WithoutLaws = None,
    region: Region = None,
    national: National = False,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """把带答案的问题化为排序模型的训练样例（只有数字，没有文字），供 train reranker --with 与别处的样例合用。"""
    from train.ranker import write_examples

    taught = _examples(questions, without_laws, Question("", region=region, national=national), home, config)
    write_examples(taught, out)
    typer.echo(f"{len(taught)} 个问题的样例写入 {out}", err=True)


@train_app.command("reranker")
def train_reranker(
    questions: Questions,
    out: Out,
    also: Annotated[
        list[Path] | None, typer.Option("--with", help="train examples 从别的知识库做的样例，可多个；缺省为自带的一份")
    ] = None,
    without_laws: WithoutLaws = None,
    region: Region = None,
    national: National = False,
    seed: Seed = 17,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """用带答案的问题训练排序模型；文件要先收入 --home。"""
    from train.ranker import POLICIES, read_examples, train_ranker

    taught = _examples(questions, without_laws, Question("", region=region, national=national), home, config)
    taught += [example for path in also or [POLICIES] for example in read_examples(path)]
    train_ranker(taught, out, seed=seed)
    typer.echo(f"用 {len(taught)} 个问题训练，写入 {out}；在配置中写 search.reranker: {out} 即可使用", err=True)


def _examples(
    questions: Path, without: Path | None, defaults: Question, home: Path | None, config: Path | None
) -> list[Example]:
    from eval.gold import read_gold, with_defaults
    from qa.scope import scope
    from train.ranker import examples, read_laws, without_laws

    gold = without_laws(with_defaults(read_gold(questions), defaults), read_laws(without))
    with opened_desk(config, home) as desk:

        def options(question: Question) -> SearchOptions:
            return scope(question, top=1, home_region=desk.config.regions.home)

        return examples(gold, lambda question: desk.base.searcher.candidates(question.text, options(question)))


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


@train_app.command("encoder")
def train_encoder(
    out: Annotated[Path, typer.Option("--out", help="写到这个目录")],
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", help="条文文件（JSON Lines，可为 .gz），可多个")
    ] = None,
    questions: Annotated[
        list[Path] | None, typer.Option("--questions", help="带答复的问题文件（JSON Lines，可为 .gz），可多个")
    ] = None,
    terms: Annotated[list[Path] | None, typer.Option("--terms", help="用语表，可多个，缺省为自带的一份")] = None,
    with_gold: Annotated[
        bool, typer.Option("--with-gold", help="也学问题与其答案条文的对应：适合自己的文件和提问记录")
    ] = False,
    without_laws: WithoutLaws = None,
    seed: Seed = 17,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """训练编码模型：学条文（--corpus，或 --home 中已发布的文件）、日常说法和答复；学哪条答哪个问题要加 --with-gold。"""
    from kb.expansion import SHIPPED, read_terms
    from train.card import Source, write_card
    from train.encoder import Lessons
    from train.encoder import train_encoder as train
    from train.passages import home_passages, read_answered, read_passages
    from train.ranker import read_laws

    without = read_laws(without_laws)
    maps = terms or [SHIPPED]
    articles = [(path, read_passages([path], without=without)) for path in corpus or ()]
    answered = [(path, read_answered([path], without=without)) for path in questions or ()]
    passages = [passage for _, part in articles for passage in part]
    if home or not corpus:
        with opened_desk(config, home) as desk:
            passages += home_passages(desk.base.article_texts(national=False), without=without)
    lessons = Lessons(passages, [one for _, part in answered for one in part], read_terms(maps).entries, with_gold)
    trained = train(lessons, out, seed=seed, progress=lambda line: typer.echo(line, err=True))
    sources = [
        *(Source("articles", path, len(part)) for path, part in articles),
        *(Source("answered questions", path, len(part)) for path, part in answered),
        *(Source("everyday terms", path, len(read_terms([path]))) for path in maps),
    ]
    command = _encoder_command(sources, without_laws, seed, home, with_gold=with_gold)
    write_card(out, trained, sources, command=command, seed=seed, with_gold=with_gold)
    typer.echo(f"{trained.name} 写入 {out}：{trained.terms} 个词，学了 {trained.pairs} 对文本", err=True)


def _encoder_command(
    sources: list[Source], without: Path | None, seed: int, home: Path | None, *, with_gold: bool
) -> str:
    options = {"articles": "--corpus", "answered questions": "--questions", "everyday terms": "--terms"}
    parts = [f"{options[source.what]} {source.path.name}" for source in sources]
    parts += ["--with-gold"] if with_gold else []
    parts += [f"--without-laws {without.name}"] if without else []
    parts += [f"--home {home.name}"] if home else []
    return " \\\n    ".join(["policydesk train encoder", *parts, f"--seed {seed} --out DIR"])


@train_app.command("evidence")
def train_evidence(
    questions: Annotated[list[Path], typer.Option("--questions", help="标出答案起止的问题文件；可多次给出")],
    out: Annotated[Path, typer.Option("--out", help="写入这个目录：sentences.txt、words.txt、confidence.json")],
    split: Annotated[str | None, typer.Option("--split", help="只用 split 为此值的行；没有 split 的文件全用")] = None,
    made: Annotated[int, typer.Option("--made", min=0, help="另由库中文件造这么多问题，学答案的起止")] = 2_400,
    laws: Annotated[Path | None, typer.Option("--laws", help="另一个知识库的问题，用来学何时拒答")] = None,
    laws_home: Annotated[Path | None, typer.Option("--laws-home", help="那个知识库的状态目录")] = None,
    seed: Seed = 17,
    home: Home = None,
    config: ConfigFile = None,
) -> None:
    """训练摘录答案的模型：哪一句答、答案从哪到哪、何时拒答；文件要先收入 --home。"""
    from policydesk.evidence_examples import made_gold, sentence_example, sign_examples, tried, word_examples
    from train.evidence import train_curve, train_sentences, train_words

    gold = [one for path in questions for one in _of_split(path, split)]
    out.mkdir(parents=True, exist_ok=True)
    with opened_desk(config, home) as desk:
        selector = desk.answerer.selector.of(out)
        asked = tried(desk, [one for one in gold if one.gold], selector)
        invented = tried(desk, made_gold(desk, selector, made, seed), selector)
        learned = (*asked, *asked, *invented)      # a question of people counts twice
        examples = [sentence_example(one) for one in learned]
        train_sentences(examples, out / "sentences.txt", seed=seed)
        train_words(list(word_examples(invented, selector)), out / "words.txt", seed=seed)
        unanswerable = tried(desk, [one for one in gold if not one.gold], selector)
        signs = list(sign_examples(unanswerable, selector))
        for some, others in ((0, 1), (1, 0)):      # no question is judged by a model that learned from it
            learned = (*asked[others::2], *asked[others::2], *invented[others::2])
            with TemporaryDirectory() as folder:
                half = Path(folder)
                train_sentences([sentence_example(one) for one in learned], half / "sentences.txt", seed=seed)
                copyfile(out / "words.txt", half / "words.txt")
                signs += sign_examples([*asked[some::2], *invented[some::4]], desk.answerer.selector.of(half))
    if laws is not None:
        with opened_desk(config, laws_home) as desk:
            selector = desk.answerer.selector.of(out)
            national = _of_split(laws, split, national=True)
            signs += sign_examples(tried(desk, national, selector), selector)
    train_curve(signs, out / "confidence.json")
    typer.echo(f"用 {len(asked)} 个提问和 {len(invented)} 个由文件造的问题训练，写入 {out}", err=True)


def _of_split(path: Path, split: str | None, *, national: bool = False) -> list[GoldQuestion]:
    from eval.gold import read_gold, with_defaults

    found = with_defaults(read_gold(path), Question("", national=national))
    return [one for one in found if split is None or one.split in (None, split)]
