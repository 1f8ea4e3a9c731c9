"""Edges of the graph against hand-checked passages, and how long reading them takes beside two plain patterns.

A row of the gold file names a passage, by the id of its article and spans in it or by a document of a JSON Lines
file, and every edge that a careful reader finds there. Nothing of the passages' text stands in it.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import BinaryIO, cast

from core.config import Config
from core.records import Document, Skipped
from ingest.read_jsonl import read_jsonl
from kb.graph.edges import edges_of
from kb.graph.relations import Reference, Relation
from kb.law_names import name_key

GOLD = Path(__file__).with_name("graph_gold.jsonl")
REFERENCE, REPEAL, REPEAL_LIST = "reference", "repeal", "repeal list"

Edge = tuple[str, str | None]            # (name, address) of an article, (name, None) of a whole document
Span = tuple[int, int]

_ARTICLE = r"(第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?)"
_PLAIN = re.compile(
    rf"《([^《》]{{2,80}})》{_ARTICLE}|本(?:法|条例|办法|规定|细则|解释){_ARTICLE}|《([^《》]{{2,120}})》(?:（[^（）]*）)?(?:同时)?废止"
)
_TO_ARTICLES = (Relation.CITES, Relation.BASIS, Relation.AMENDS)


@dataclass(frozen=True, slots=True)
class Passage:
    """What a reader marked in one passage."""

    kind: str
    draw: int                            # of the samples, in their order; the last was read after the rules were done
    stratum: str
    place: str                           # id of an article, or of a document
    spans: tuple[Span, ...]              # of the article's text; () the whole document
    edges: frozenset[Edge]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One edge that only the gold has (``missed``), or only the rules."""

    kind: str
    stratum: str
    place: str
    missed: bool
    name: str
    address: str | None


@dataclass(slots=True)
class Tally:
    """Edges in both, found beside the gold, missed."""

    both: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.both / (self.both + self.extra) if self.both + self.extra else 1.0

    @property
    def recall(self) -> float:
        return self.both / (self.both + self.missed) if self.both + self.missed else 1.0


@dataclass(slots=True)
class GraphResult:
    """Scores by (kind, group), the edges that are wrong, and CPU seconds over all documents."""

    scores: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    plain: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    wrong: list[Wrong] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)      # places that the corpora do not hold
    documents: int = 0
    articles: int = 0
    edges: int = 0
    seconds: float = 0.0
    plain_seconds: float = 0.0


def read_gold(path: Path = GOLD) -> list[Passage]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [
        Passage(
            row["kind"], row["draw"], row["stratum"], row["place"],
            tuple((start, end) for start, end in row["spans"]),
            frozenset((_alike(name), address) for name, address in row["edges"]),
        )
        for row in rows
    ]


def documents_of(corpora: Sequence[Path], config: Config) -> Iterator[Document]:
    """The documents of JSON Lines files, packed or not."""
    for path in corpora:
        opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
        with opened as stream:
            read = read_jsonl(
                cast("BinaryIO", stream), str(path), regions=config.regions.names,
                chunk_chars=config.ingest.chunk_chars, max_line=config.ingest.max_line_mb * 1_000_000,
            )
            yield from (item for item in read if not isinstance(item, Skipped))


def measure(documents: Iterable[Document], gold: Sequence[Passage]) -> GraphResult:
    """Every document is read and timed; those that the gold names are compared."""
    wanted: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in gold:
        wanted[passage.place].append(passage)
    result = GraphResult()
    for document in documents:
        start = process_time()
        edges = edges_of(document)
        between = process_time()
        plain = list(_plain_edges(document))
        result.seconds += between - start
        result.plain_seconds += process_time() - between
        result.documents += 1
        result.articles += len(document.articles)
        result.edges += len(edges)
        for place, passages in _named(document, wanted):
            for passage in passages:
                _compare(result, passage, document, edges, plain)
            del wanted[place]
    result.absent = sorted(wanted)
    return result


def _named(document: Document, wanted: Mapping[str, list[Passage]]) -> list[tuple[str, list[Passage]]]:
    own = document.source.partition("#")[2]
    refs = {article.ref for article in document.articles}
    return [(place, wanted[place]) for place in {own, *refs} & wanted.keys()]


def _compare(
    result: GraphResult, passage: Passage, document: Document, edges: Sequence[Reference],
    plain: Sequence[tuple[int, Edge, bool]],
) -> None:
    found: set[Edge]
    if passage.kind == REFERENCE:
        inside = _inside(passage, document)
        found = {
            (_alike(edge.name), edge.address)
            for edge in edges if edge.address and edge.kind in _TO_ARTICLES and inside(edge.end - 1)
        }
        simple = {edge for at, edge, repeal in plain if not repeal and inside(at)}
    else:
        found = {(_alike(edge.name), edge.address) for edge in _ended(edges)}
        simple = {edge for _, edge, repeal in plain if repeal}
    for group in ("all", f"draw {passage.draw}", passage.stratum):
        _count(result.scores[passage.kind, group], passage.edges, found)
    _count(result.plain[passage.kind], passage.edges, simple)
    for missed, several in ((True, passage.edges - found), (False, found - passage.edges)):
        for name, address in sorted(several, key=str):
            result.wrong.append(Wrong(passage.kind, passage.stratum, passage.place, missed, name, address))


def _ended(edges: Iterable[Reference]) -> Iterator[Reference]:
    """Whole documents that are repealed, each once: by its number only where the text gives no name."""
    repeals = [edge for edge in edges if edge.kind is Relation.REPEALS and edge.address is None]
    named = {edge.doc_no for edge in repeals if edge.name != edge.doc_no}
    return (edge for edge in repeals if edge.name != edge.doc_no or edge.doc_no not in named)


def _inside(passage: Passage, document: Document) -> Callable[[int], bool]:
    article = next(article for article in document.articles if article.ref == passage.place)
    spans = [(article.start + start, article.start + end) for start, end in passage.spans]
    return lambda at: any(start <= at < end for start, end in spans)


def _count(tally: Tally, wanted: frozenset[Edge], found: set[Edge]) -> None:
    tally.both += len(wanted & found)
    tally.extra += len(found - wanted)
    tally.missed += len(wanted - found)


def _plain_edges(document: Document) -> Iterator[tuple[int, Edge, bool]]:
    """(last character, edge, whether a repeal) of what two plain patterns find."""
    for match in _PLAIN.finditer(document.text):
        if match.group(4):
            yield match.end() - 1, (_alike(name_key(match.group(4))), None), True
        else:
            name = _alike(name_key(match.group(1))) if match.group(1) else ""
            yield match.end() - 1, (name, match.group(2) or match.group(3)), False


def _alike(name: str) -> str:
    """Without the issuer before 关于: both names lead to the same document."""
    at = name.find("关于")
    return name[at:] if at > 0 else name


# in words


def graph_lines(result: GraphResult) -> Iterator[str]:
    """A table, the speed, then every wrong edge."""
    yield f"{'类别':<14}{'组':<16}{'边':>6}{'准确率':>9}{'召回率':>9}"
    for (kind, group), tally in sorted(result.scores.items(), key=lambda item: (item[0][0], _order(item[0][1]))):
        yield _score_line(kind, group, tally)
    for kind, tally in sorted(result.plain.items()):
        yield _score_line(kind, "plain pattern", tally)
    ratio = result.seconds / result.plain_seconds if result.plain_seconds else 0.0
    yield (
        f"{result.documents} 个文件、{result.articles} 条，{result.edges} 条边：{result.seconds:.2f} CPU 秒，"
        f"为简单正则（{result.plain_seconds:.2f} 秒）的 {ratio:.1f} 倍"
    )
    for one in result.wrong:
        what = "漏" if one.missed else "多"
        yield f"{what}  {one.kind}  {one.place}  《{one.name or '本文件'}》{one.address or ''}"
    if result.absent:
        yield f"语料中没有的段落：{len(result.absent)} 个，如 {result.absent[0]}"


def _score_line(kind: str, group: str, tally: Tally) -> str:
    return f"{kind:<14}{group:<16}{tally.both + tally.missed:>6}{tally.precision:>9.4f}{tally.recall:>9.4f}"


def _order(group: str) -> tuple[bool, bool, str]:
    return group != "all", not group.startswith("draw"), group
