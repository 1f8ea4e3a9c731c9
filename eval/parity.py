"""The same laws printed as DOCX, PDF and OFD and read back: do the articles come out equal?

``python -m eval.parity LAWS.tar.xz [--count 40] [--seed 17] [--json]``; the exit status is 1 below the floor.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tarfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path

from core.config import Config, load_config
from core.errors import IngestError
from core.records import Document, Skipped
from eval.paper import Paper, paper_of_law, with_labels
from eval.render_docx import docx_of
from eval.render_ofd import ofd_of
from eval.render_pdf import pdf_of
from ingest.facts import HEADER_END
from ingest.one_file import ReadRequest, read_one

FLOOR = 0.99
_MAX_ARTICLES = 150
_HEADER = "法律法规汇编"              # printed on every third law, so that running headers are met as well
_BLANK = re.compile(r"[\s\u200b\ufeff]+")      # with the marks of no width that web pages leave in a text
_SHOWN = 400                          # characters of a difference


@dataclass(frozen=True, slots=True)
class Law:
    """A law as its Markdown file says it is."""

    name: str
    title: str
    body: str                         # without the history lines before it
    articles: dict[str, str]          # address -> text without white space


@dataclass(frozen=True, slots=True)
class Loss:
    """An article that did not come back as it was. None: it is missing on that side."""

    law: str
    address: str
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Parity:
    """What one format kept, over every address that either side has."""

    format: str
    laws: int
    articles: int
    identical: int
    seconds: float                    # of reading back
    losses: tuple[Loss, ...]

    @property
    def share(self) -> float:
        return self.identical / self.articles if self.articles else 0.0


def _printed_ofd(paper: Paper) -> bytes:
    return ofd_of([part.text for part in with_labels(paper.parts)])


FORMATS: dict[str, Callable[[Paper], bytes]] = {"docx": docx_of, "pdf": pdf_of, "ofd": _printed_ofd}


def draw_laws(archive: Path, config: Config, *, count: int, seed: int) -> list[Law]:
    """So many laws by chance, of every kind in turn. Raises `IngestError` when the archive cannot be read."""
    kinds: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for name, data in _files(archive):
        parts = name.split("/")
        kinds["地方性法规" if "地方性法规" in parts else parts[0]].append((name, data))
    chance = random.Random(seed)
    for kind in sorted(kinds):
        kinds[kind].sort()
        chance.shuffle(kinds[kind])
    drawn: list[Law] = []
    while len(drawn) < count and any(kinds.values()):
        for kind in sorted(kinds):
            law = None
            while kinds[kind] and law is None:
                law = _law(*kinds[kind].pop(), config)
            if law is not None and len(drawn) < count:
                drawn.append(law)
    return drawn


def measure(laws: Sequence[Law], name: str, config: Config) -> Parity:
    """Print every law in the format called ``name``, read it back and compare."""
    articles = identical = 0
    losses: list[Loss] = []
    seconds = 0.0
    for number, law in enumerate(laws):
        paper = paper_of_law(law.title, law.body, running_header=_HEADER if number % 3 == 0 else "")
        data = FORMATS[name](paper)
        started = time.perf_counter()
        found = _articles(data, f"{law.name}.{name}", config)
        seconds += time.perf_counter() - started
        addresses = dict.fromkeys((*law.articles, *found))
        wrong = [a for a in addresses if law.articles.get(a) != found.get(a)]
        articles += len(addresses)
        identical += len(addresses) - len(wrong)
        losses += [Loss(law.name, a, law.articles.get(a), found.get(a)) for a in wrong]
    return Parity(name, len(laws), articles, identical, seconds, tuple(losses))


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                stream = opened.extractfile(member) if member.isfile() else None
                if stream is not None and member.name.endswith(".md"):
                    yield member.name, stream.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        reason = f"读不出法律压缩包（{error}）。请给出 laws.tar.xz 的路径"
        raise IngestError(reason, place=str(archive)) from error


def _law(name: str, data: bytes, config: Config) -> Law | None:
    """None for a file that is too long, has no articles, or is refused."""
    document = _read(data, name, config)
    if isinstance(document, Skipped) or not 1 <= len(document.articles) <= _MAX_ARTICLES:
        return None
    body = data.decode("utf-8").split(HEADER_END)[-1]
    return Law(name, document.facts.title, body, _texts(document))


def _articles(data: bytes, name: str, config: Config) -> dict[str, str]:
    document = _read(data, name, config)
    if isinstance(document, Skipped):
        return {f"（{document.code}）": document.reason}
    return _texts(document)


def _read(data: bytes, name: str, config: Config) -> Document | Skipped:
    read = read_one(ReadRequest(data, name), config.ingest, config.regions.names)
    return read.items[0] if read.items else Skipped(name, "没有文档")


def _texts(document: Document) -> dict[str, str]:
    return {a.address: _BLANK.sub("", document.text[a.start : a.end]) for a in document.articles}


def report(results: Sequence[Parity], shown: int) -> str:
    """A table, and the first ``shown`` differences of each format."""
    lines = ["format  laws  articles  identical   share  seconds"]
    for result in results:
        lines.append(
            f"{result.format:6}  {result.laws:4}  {result.articles:8}  {result.identical:9}  "
            f"{result.share:.4f}  {result.seconds:7.1f}"
        )
    for result in results:
        for loss in result.losses[:shown]:
            lines += ["", f"{result.format}  {loss.law}  {loss.address}", *_difference(loss)]
    return "\n".join(lines)


def _difference(loss: Loss) -> list[str]:
    if loss.expected is None or loss.found is None:
        side, text = ("only read back", loss.found) if loss.expected is None else ("missing", loss.expected)
        return [f"{side}: {(text or '')[:_SHOWN]}"]
    expected, found = (text.replace("。", "。\n").splitlines() for text in (loss.expected, loss.found))
    return [line[:_SHOWN] for line in unified_diff(expected, found, n=0, lineterm="")][2:]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.parity", description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--format", choices=sorted(FORMATS), action="append", help="only this one; may be repeated")
    parser.add_argument("--show", type=int, default=10, help="differences shown of each format")
    parser.add_argument("--json", action="store_true", help="one object on one line, with every difference")
    asked = parser.parse_args()
    config = load_config()
    laws = draw_laws(asked.archive, config, count=asked.count, seed=asked.seed)
    results = [measure(laws, name, config) for name in asked.format or FORMATS]
    if asked.json:
        found = [asdict(result) | {"share": result.share} for result in results]
        text = json.dumps({"count": len(laws), "seed": asked.seed, "formats": found}, ensure_ascii=False)
    else:
        text = report(results, asked.show)
    sys.stdout.write(text + "\n")
    return 0 if all(result.share >= FLOOR for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
