"""Nothing is lost: chunks and furniture cover the text exactly once, and no furniture is what it does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from core.records import Article, Chunk, Document, Furniture
from ingest.lines import CN, blank

# a piece of these kinds takes in the white space before it, which halves the number of pieces
_OURS = ("label", "heading", "title")
_TAKEN_OUT = ("header", "footer", "page_number", "watermark", "navigation")
_MARKS = re.compile(r"[#*\s　\u200b\ufeff：:、，,.．【】〔〕\[\]]")
_NUMBER = re.compile(rf"^[#*\s　]*(?:[{CN}]{{1,3}}、|[（(][{CN}\d]{{1,3}}[）)]|\d{{1,3}}[ \t]*[.．、])")
_COMMENT = re.compile(r"\s*<!--.*-->\s*$", re.S)


def tile(text: str, chunks: Sequence[Chunk], furniture: Iterable[Furniture]) -> tuple[Furniture, ...]:
    """The furniture in order, with what is blank between it and the chunks.

    Raises `ValueError` when two pieces overlap, or when something that is not blank is in neither: a fault of
    the splitter, or of a caller that brings parts of its own.
    """
    tiles: list[Furniture] = []
    pieces = [*((piece.start, piece.end, piece) for piece in furniture), *((c.start, c.end, None) for c in chunks)]
    at = 0
    for start, end, piece in sorted(pieces, key=lambda each: (each[0], each[1])):
        if start < at:
            raise ValueError(f"two pieces hold {text[start : start + 40]!r} at {start}")
        if start > at:
            _check_blank(text, at, start)
            if piece and piece.kind in _OURS:
                piece = Furniture(piece.kind, at, end)
            else:
                tiles.append(Furniture("blank", at, start))
        if piece:
            tiles.append(piece)
        at = end
    if at < len(text):
        _check_blank(text, at, len(text))
        tiles.append(Furniture("blank", at, len(text)))
    return tuple(tiles)


def _check_blank(text: str, start: int, end: int) -> None:
    if not is_blank(text[start:end]):
        raise ValueError(f"nothing holds {text[start:end][:40]!r} at {start}")


def is_blank(text: str) -> bool:
    return not text or text.isspace() or all(map(blank, text))


def verify_cover(document: Document) -> None:
    """Raises `ValueError` with the place unless chunks and furniture cover the text once, each chunk lies in its
    article, and each piece of furniture is what its kind says."""
    spans = sorted([*((c.start, c.end) for c in document.chunks), *((f.start, f.end) for f in document.furniture)])
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(document.text)]
    for before, after in zip(ends, starts, strict=True):
        if before != after:
            raise ValueError(_fault(document, "text in no piece or in two", min(before, after), max(before, after)))
    for start, end in spans:
        if start >= end:
            raise ValueError(_fault(document, "an empty piece", start, end))
    for chunk in document.chunks:
        article = document.articles[chunk.article]
        if not article.start <= chunk.start < chunk.end <= article.end:
            raise ValueError(_fault(document, f"not in {article.address}", chunk.start, chunk.end))
    if any(one.end > two.start for one, two in pairwise(document.articles)):
        raise ValueError(_fault(document, "articles overlap", 0, 0))
    _verify_furniture(document)


def _verify_furniture(document: Document) -> None:
    following = 0
    articles = document.articles
    last = articles[-1].end if articles else 0
    for piece in document.furniture:
        while following < len(articles) and articles[following].start < piece.end:
            following += 1
        after = articles[following] if following < len(articles) else None
        said = document.text[piece.start : piece.end]
        if not _is_what_it_says(piece, said, after, document.facts.title, last):
            raise ValueError(_fault(document, f"no {piece.kind}", piece.start, piece.end))


def _is_what_it_says(piece: Furniture, said: str, after: Article | None, title: str, last: int) -> bool:
    if piece.kind == "blank":
        return is_blank(said)
    if piece.kind == "title":
        return _bare(said) == _bare(title)
    if piece.kind == "heading":
        return after is not None and _bare(said) in [_bare(heading) for heading in after.heading]
    if piece.kind == "label":
        return after is not None and _is_label(said, after.address)
    if piece.kind == "front_matter":
        return piece.start == 0 or bool(_COMMENT.match(said))
    return piece.kind in _TAKEN_OUT and piece.start >= last


def _is_label(said: str, address: str) -> bool:
    """Only marks, or the last step of the address, or the beginning of one that is a whole line: 附件：税率表."""
    plain = re.sub(r"\(\d+\)$", "", _bare(address))
    label = _bare(said).replace("(", "（").replace(")", "）")
    unnumbered = _bare(_NUMBER.sub("", said.strip()))
    return not label or plain.endswith(label) or plain.startswith(label) or plain.endswith(unnumbered)


def _bare(text: str) -> str:
    return _MARKS.sub("", text)


def _fault(document: Document, what: str, start: int, end: int) -> str:
    return f"{document.source}: {what}: {document.text[start : min(end, start + 60)]!r} at {start}"
