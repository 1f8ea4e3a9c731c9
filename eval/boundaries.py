"""Where articles begin and end: our split of raw laws against the reference split of the same laws.

``python -m eval.boundaries LAWS.tar.xz CORPUS.jsonl.gz`` prints the scores, the number of disagreements of each
class, and three examples of each.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.config import load_config
from core.errors import IngestError
from core.records import Document
from ingest.archive import read_archive
from ingest.read_text import read_text

Articles = dict[str, list[str]]           # address without repeat count -> texts
_EXAMPLES = 3
_LABEL = re.compile(r"第[^章节编]+条")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One article that only one of the two has, or whose text differs."""

    law: str
    address: str
    ours: str                             # "" when only the reference has it
    theirs: str
    kind: str


@dataclass(frozen=True, slots=True)
class Boundaries:
    """An article is right when its address and its whole text, without white space, are the reference's."""

    files: int
    both: int
    found: int
    wanted: int
    disagreements: tuple[Disagreement, ...]

    @property
    def precision(self) -> float:
        return self.both / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.both / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.found + self.wanted) if self.found + self.wanted else 0.0


def law_key(name: str) -> str:
    """The name of a file as the reference writes it: 甲法(2020-01-01).md -> 甲法@2020-01-01."""
    return re.sub(r"\((\d{4}-\d\d-\d\d)\)$", r"@\1", PurePosixPath(name).stem.replace("《", "").replace("》", ""))


def read_reference(corpus: Path) -> dict[str, list[Articles]]:
    """Law, with and without its date -> the articles of every version by that name."""
    versions: dict[str, Articles] = defaultdict(lambda: defaultdict(list))
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["article"].startswith("第"):
                versions[row["id"].split("#")[0]][_address(row["article"])].append(_squeezed(row["text"]))
            else:
                versions[row["id"].split("#")[0]]       # a law whose parts are no articles is known too
    named: dict[str, list[Articles]] = defaultdict(list)
    for key, articles in versions.items():
        for name in {key, key.split("@")[0]}:
            named[name].append(articles)
    return named


def compare(documents: Iterable[tuple[str, Document]], reference: Mapping[str, list[Articles]]) -> Boundaries:
    """Each named document against the version of the law by its name that agrees with it best."""
    files = both = found = wanted = 0
    disagreements: list[Disagreement] = []
    for name, document in documents:
        versions = reference.get(law_key(name))
        if not versions:
            continue
        ours = _articles(document)
        theirs = max(versions, key=lambda version: len(_pairs(version) & _pairs(ours)))
        agreed = len(_pairs(ours) & _pairs(theirs))
        files, both = files + 1, both + agreed
        found, wanted = found + len(_pairs(ours)), wanted + len(_pairs(theirs))
        disagreements += _disagreements(law_key(name), ours, theirs)
    return Boundaries(files, both, found, wanted, tuple(disagreements))


def split_laws(laws: Path, *, step: int = 1) -> Iterator[tuple[str, Document]]:
    """Every ``step``-th file of the archive as a document; a file without text is left out."""
    config = load_config()
    for number, (name, data) in enumerate(read_archive(laws, config.ingest)):
        if number % step == 0:
            try:
                yield name, read_text(
                    data, name, regions=config.regions.names, chunk_chars=config.ingest.chunk_chars
                )
            except IngestError:
                continue


def _articles(document: Document) -> Articles:
    articles: Articles = defaultdict(list)
    for article in document.articles:
        if _LABEL.match(article.address):
            articles[_address(article.address)].append(_squeezed(document.text[article.start : article.end]))
    return articles


def _pairs(articles: Articles) -> set[tuple[str, str]]:
    return {(address, text) for address, texts in articles.items() for text in texts}


def _address(address: str) -> str:
    return re.sub(r"\s|\(\d+\)$", "", address)


def _squeezed(text: str) -> str:
    """Without white space, and without colons, which the reference drops at line ends."""
    return re.sub(r"[\s\u200b：:]", "", text)


def _disagreements(law: str, ours: Articles, theirs: Articles) -> Iterator[Disagreement]:
    for address in sorted({*ours, *theirs}):
        here = [text for text in ours.get(address, []) if text not in theirs.get(address, [])]
        there = [text for text in theirs.get(address, []) if text not in ours.get(address, [])]
        for n in range(max(len(here), len(there))):
            one, two = (texts[n] if n < len(texts) else "" for texts in (here, there))
            yield Disagreement(law, address, one, two, _kind(one, two))


def _kind(ours: str, theirs: str) -> str:
    if not theirs:
        return "only ours"
    if not ours:
        return "only the reference's"
    if theirs.startswith(ours):
        rest = theirs[len(ours) :]
        annex = re.match(r"附(?:件|表|则|录|图)?|第.{1,4}[章节编]|\|", rest)
        return "the reference goes on into an annex or a heading" if annex else "the reference goes on"
    if ours.startswith(theirs):
        return "ours goes on"
    return "texts differ"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="eval.boundaries", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("laws", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--step", type=int, default=1, help="read every n-th law only")
    options = parser.parse_args(arguments)
    result = compare(split_laws(options.laws, step=options.step), read_reference(options.corpus))
    write = sys.stdout.write
    write(f"files {result.files}  articles {result.found}  reference {result.wanted}  both {result.both}\n")
    write(f"precision {result.precision:.4f}  recall {result.recall:.4f}  F1 {result.f1:.4f}\n")
    classes: dict[str, list[Disagreement]] = defaultdict(list)
    for each in result.disagreements:
        classes[each.kind].append(each)
    for kind, members in sorted(classes.items(), key=lambda item: -len(item[1])):
        write(f"\n{len(members)}  {kind}, in {len({each.law for each in members})} laws\n")
        for each in members[:_EXAMPLES]:
            write(f"  {each.law} {each.address}\n    ours …{each.ours[-60:]}\n    theirs …{each.theirs[-60:]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
