"""Ways to cut and weigh words, compared over the same articles.

``python -m eval.sparse --home LAWS --questions FILE --national [--other HOME FILE]... [--only NAME]...
[--as-searched] [--tune | --index]`` prints Markdown. Every way is scored by exact BM25 over weighted fields in memory,
with the numbers of the configuration's section ``index``. ``--as-searched`` weighs a question's words and adds official
terms as a search does; ``--tune`` also chooses the numbers anew on each half of the laws, for a look at the other half;
``--index`` builds the real index of each way instead and says what it costs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import Config, load_config
from core.records import Question, SearchOptions
from eval.generalisation import make_folds
from eval.gold import GoldQuestion, read_gold, with_defaults
from eval.measures import PerQuery
from eval.sparse_corpus import Corpus, read_corpus
from eval.sparse_index import IndexCost, sparse_cost, text_cost
from eval.sparse_scores import Asked, Counted, Setting, count_terms, mean, mean_length, measured, runs, tuned
from eval.sparse_terms import Cut, term_kinds
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.search import filter_of
from kb.tokens import index_tokenizer
from qa.scope import scope

BY_ARTICLE = ("R@10", "R@100", "RR@10")
BY_DOCUMENT = ("Success@1", "Success@10", "Span@10", "R@100")
TEXT_INDEX = "qdrant-edge text index"

Ways = Mapping[str, Mapping[str, float]]
WAYS: Ways = {       # name -> kinds of terms, and what one of them counts in a question
    "jieba words": {"jieba": 1},
    "rjieba words": {"words": 1},
    "rjieba words, search mode": {"search words": 1},
    "rjieba words, all in the dictionary": {"all words": 1},
    "rjieba words and user words": {"user words": 1},
    "rjieba words without stop words": {"no stop words": 1},
    "qdrant-edge Multilingual": {"multilingual": 1},
    "characters": {"characters": 1},
    "bigrams": {"bigrams": 1},
    "words + bigrams": {"words": 1, "bigrams": 1},
    "words + bigrams + trigrams": {"words": 1, "bigrams": 1, "trigrams": 1},
    "words and user words + bigrams": {"user words": 1, "bigrams": 1},
    "words without stop words + bigrams": {"no stop words": 1, "bigrams": 1},
    "Multilingual + bigrams": {"multilingual": 1, "bigrams": 1},
    "words + characters": {"words": 1, "characters": 1},
    "bigrams + characters": {"bigrams": 1, "characters": 1},
    "words + bigrams + characters": {"words": 1, "bigrams": 1, "characters": 1},
    "words + bigrams + rarer characters": {"words": 1, "bigrams": 1, "rarer characters": 1},
    "half words + bigrams + rarer characters": {"words": 0.5, "bigrams": 1, "rarer characters": 1},
    "numbers + bigrams + rarer characters": {"numbers": 1, "bigrams": 1, "rarer characters": 1},
    "Multilingual + bigrams + rarer characters": {"multilingual": 1, "bigrams": 1, "rarer characters": 1},
}


@dataclass(frozen=True, slots=True)
class Set:
    """Questions over one corpus, in the parts that are reported apart."""

    name: str
    corpus: Corpus
    questions: tuple[GoldQuestion, ...]
    asked: tuple[Asked, ...]                   # the same questions
    parts: Mapping[str, tuple[str, ...]]       # name -> ids of questions
    kinds: Mapping[str, Cut]

    @property
    def shown(self) -> tuple[str, ...]:
        return BY_DOCUMENT if self.questions[0].by_document else BY_ARTICLE


class Counts:
    """Terms of one set, each kind counted when it is first needed."""

    def __init__(self, of: Set) -> None:
        self._of = of
        self._counted: dict[str, Counted] = {}

    def __getitem__(self, kind: str) -> Counted:
        if kind not in self._counted:
            of = self._of
            self._counted[kind] = count_terms(of.corpus.pieces, of.asked, of.kinds[kind])
        return self._counted[kind]


def open_set(config: Config, home: Path, questions: Path, *, national: bool = False, expand: bool = False) -> Set:
    """Questions without an answer are left out. Where the gold is articles, the halves are 民法典 and other laws."""
    gold = [q for q in with_defaults(read_gold(questions), Question("", national=national)) if q.gold]
    corpus = read_corpus(config, home)
    parts = {"all": tuple(question.id for question in gold)}
    if not gold[0].by_document:
        other, code = make_folds(gold, (), folds=2)
        halves = {"other laws": other.questions, "民法典": code.questions}
        parts |= {name: tuple(q.id for q in half) for name, half in halves.items() if half}
    read = _reader(config, expand=expand)
    asked = tuple(read(question.question.text) for question in gold)
    return Set(questions.stem, corpus, tuple(gold), asked, parts, term_kinds(corpus.user_words))


def scores(of: Set, counts: Counts, way: Mapping[str, float], setting: Setting, home_region: str) -> PerQuery:
    kinds = [counts[kind] for kind in way]
    return measured(of.questions, runs(of.corpus.pieces, of.questions, kinds, setting, _scope(home_region)))


def tuned_on(of: Set, counts: Counts, way: Mapping[str, float], part: str, start: Setting, home_region: str) -> Setting:
    """Chosen by the mean of the shown measures over one part."""
    ids = of.parts[part]
    rows = [row for row, question in enumerate(of.questions) if question.id in set(ids)]
    asked = [of.questions[row] for row in rows]
    kinds = [counts[kind].of_questions(rows) for kind in way]

    def value(setting: Setting) -> float:
        found = measured(asked, runs(of.corpus.pieces, asked, kinds, setting, _scope(home_region)))
        return sum(mean(found, ids, measure) for measure in of.shown) / len(of.shown)

    return tuned(start, value)[0]


def start_setting(config: Config, way: Mapping[str, float], *, naming: float = 0.0) -> Setting:
    """As configured, except that the average length is the true one: ways differ in it."""
    c = config.index
    return Setting(c.k1, c.b, c.title_weight, c.heading_weight, tuple(way.values()), naming=naming)


def score_lines(config: Config, sets: Sequence[Set], ways: Ways, *, naming: float, tune: bool) -> Iterator[str]:
    """A row per way, and below it one per half that its numbers were chosen on."""
    heads = [f"{of.name}, {part}: {' '.join(of.shown)}" for of in sets for part in of.parts]
    yield "| " + " | ".join(["terms", "length", *heads]) + " |"
    yield "|" + " --- |" * (2 + len(heads))
    counts = [Counts(of) for of in sets]
    region = config.regions.home
    for name, way in ways.items():
        chosen = {name: start_setting(config, way, naming=naming)}
        if tune:
            for part in [part for part in sets[0].parts if part != "all"]:
                setting = tuned_on(sets[0], counts[0], way, part, chosen[name], region)
                chosen[f"– chosen on {part}: {setting.text()}"] = setting
        for label, setting in chosen.items():
            cells = [f"{mean_length([counts[0][kind] for kind in way], setting):.0f}"]
            for of, counted in zip(sets, counts, strict=True):
                found = scores(of, counted, way, setting, region)
                cells += [" ".join(f"{mean(found, ids, m):.3f}" for m in of.shown) for ids in of.parts.values()]
            yield "| " + " | ".join([label, *cells]) + " |"


def index_lines(config: Config, of: Set, ways: Ways) -> Iterator[str]:
    """What each way costs in the store, and qdrant-edge's own text index beside them."""
    yield "| terms | built s | disk MB | memory MB | p50 ms | p95 ms |"
    yield "|" + " --- |" * 6
    region = config.regions.home
    where = filter_of(_scope(region)(of.questions[0]), ())
    asked = [question.question.text for question in of.questions]
    pieces, counts = of.corpus.pieces, Counts(of)
    for name, way in ways.items():
        setting = start_setting(config, way)
        average = mean_length([counts[kind] for kind in way], setting)
        cuts = {kind: of.kinds[kind] for kind in way}
        yield _cost_line(name, sparse_cost(pieces, asked, cuts, replace(setting, average=average), where))
    cost, found = text_cost(pieces, asked, where)
    rows = measured(of.questions, found)
    kept = "; ".join(
        f"{part}: {' '.join(f'{mean(rows, ids, m):.3f}' for m in of.shown)}" for part, ids in of.parts.items()
    )
    yield _cost_line(f"{TEXT_INDEX} ({kept})", cost)


def _cost_line(name: str, cost: IndexCost) -> str:
    numbers = (cost.seconds, cost.disk_mb, cost.memory_mb)
    return "| " + " | ".join([name, *(f"{n:.0f}" for n in numbers), f"{cost.p50_ms:.1f}", f"{cost.p95_ms:.1f}"]) + " |"


def _reader(config: Config, *, expand: bool) -> Callable[[str], Asked]:
    """A question as it is weighed; with ``expand`` also its official terms."""
    tokenizer = index_tokenizer(config.index)
    terms = read_terms([TERMS])

    def read(text: str) -> Asked:
        also = [(e.term, e.weight * config.search.term_weight) for e in terms.expand(text)] if expand else []
        return Asked(text, tokenizer.naming(text), tuple(also))

    return read


def _scope(home_region: str) -> Callable[[GoldQuestion], SearchOptions]:
    return lambda gold: scope(gold.question, top=100, home_region=home_region)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.sparse", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="home with the articles, ingested and published")
    parser.add_argument("--questions", type=Path, required=True, help="gold questions on it")
    parser.add_argument("--national", action="store_true", help="only the country's own rules, for these questions")
    parser.add_argument("--other", type=Path, nargs=2, action="append", default=[], metavar=("HOME", "FILE"),
                        help="another home and its questions, for which nothing is chosen")
    parser.add_argument("--only", action="append", choices=WAYS, metavar="NAME", help="this way; may be repeated")
    parser.add_argument("--as-searched", action="store_true", help="weigh and expand a question as a search does")
    parser.add_argument("--tune", action="store_true", help="choose k1, b and weights on each half of the laws")
    parser.add_argument("--index", action="store_true", help="build each way's index and measure it; minutes each")
    asked = parser.parse_args()
    config = load_config()
    whole = asked.as_searched
    sets = [open_set(config, asked.home, asked.questions, national=asked.national, expand=whole)]
    sets += [open_set(config, home, file, expand=whole) for home, file in asked.other]
    ways = {name: way for name, way in WAYS.items() if not asked.only or name in asked.only}
    naming = 0.5 if whole else 0.0
    lines = index_lines(config, sets[0], ways) if asked.index else score_lines(
        config, sets, ways, naming=naming, tune=asked.tune
    )
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
