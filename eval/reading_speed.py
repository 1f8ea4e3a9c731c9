"""How fast and how well pages are read: ``python -m eval.reading_speed FILE.pdf... [--ocr TEXT]``."""

# mypy: allow-untyped-calls
# (pymupdf's functions have no types)

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.paper import Paper, Part, Role
from eval.render_pdf import pdf_of, scanned_pdf_of
from ingest.compose import compose
from ingest.layout import blocks_of
from ingest.ocr import recognise_page
from ingest.read_pdf import read_pdf
from ingest.reading import ReadOptions


@dataclass(frozen=True, slots=True)
class TextSpeed:
    """Reading of text layers."""

    files: int
    pages: int
    characters: int              # without white space
    pages_per_second: float      # best of three passes
    plain_pages_per_second: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """Reading of pictures of one text."""

    pages: int
    seconds_a_page: float
    accuracy: float              # matching characters over those of the text, white space left out


def text_speed(files: Sequence[bytes]) -> TextSpeed:
    """Pages per second of one process, from bytes to text, beside MuPDF's own text of the same pages; each the best
    of three passes over all files."""
    ours, plain = [], []
    pages = characters = 0
    for _ in range(3):
        started = time.perf_counter()
        read = [compose(read_pdf(data, "", ReadOptions())).text for data in files]
        ours.append(time.perf_counter() - started)
        characters = sum(len("".join(text.split())) for text in read)
        started = time.perf_counter()
        pages = sum(_plain_pages(data) for data in files)
        plain.append(time.perf_counter() - started)
    return TextSpeed(len(files), pages, characters, pages / min(ours), pages / min(plain))


def recognition(lines: Sequence[str], dpi: int = 150) -> Recognition:
    """Print ``lines`` clean at ``dpi``, recognise each page, compare with what was printed."""
    paper = Paper(tuple(Part(line, Role.TITLE if n == 0 else Role.PARAGRAPH) for n, line in enumerate(lines)))
    scanned = scanned_pdf_of(pdf_of(paper), dpi=dpi)
    count = _plain_pages(scanned)
    recognise_page(scanned, "pdf", 1)       # loads the models
    started = time.perf_counter()
    pages = [recognise_page(scanned, "pdf", number) for number in range(1, count + 1)]
    seconds = (time.perf_counter() - started) / count
    found = "".join("".join(b.text.split()) for b in blocks_of(pages) if not b.kind.is_furniture)
    wanted = "".join("".join(lines).split())
    same = sum(m.size for m in difflib.SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks())
    return Recognition(count, seconds, same / max(len(wanted), len(found)))


def _plain_pages(data: bytes) -> int:
    import pymupdf

    with pymupdf.open(stream=data, filetype="pdf") as pdf:
        return sum(1 for page in pdf if page.get_text() is not None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.reading_speed", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="PDF files with a text layer")
    parser.add_argument("--ocr", type=Path, metavar="TEXT", help="print this text's first 40 lines and recognise them")
    asked = parser.parse_args()
    result: dict[str, object] = {}
    if asked.files:
        result["text"] = asdict(text_speed([path.read_bytes() for path in asked.files]))
    if asked.ocr:
        lines = [line.strip() for line in asked.ocr.read_text(encoding="utf-8").splitlines() if line.strip()]
        result["ocr"] = asdict(recognition(lines[:40]))
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
