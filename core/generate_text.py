"""What a model says, without what it thinks before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.errors import Fault, GenerationFailed

_OPEN, _CLOSE = "<think>", "</think>"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")      # PostgreSQL stores no NUL, and nobody reads the others
_SURROGATE = re.compile(r"[\ud800-\udfff]")                     # half a character: cannot be stored or sent


def clean(text: str) -> str:
    """Without characters that cannot be stored."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def said(reply: str) -> str:
    """What a whole reply says after its thoughts, even if their beginning or their end is missing."""
    return reply.rpartition(_CLOSE)[2].partition(_OPEN)[0]


def spoken(pieces: Iterable[str]) -> Iterator[str]:
    """Pieces without thoughts, never empty, as soon as it is known that they are none.

    Raises `GenerationFailed` at the end of thoughts whose beginning did not come: they have been shown by then.
    """
    held, thinking, begun = "", False, False
    for piece in pieces:
        held += piece
        while True:
            tag = _CLOSE if thinking else _OPEN
            before, found, after = held.partition(tag)
            if not thinking and _CLOSE in (before if found else held):
                raise GenerationFailed(
                    Fault.GARBAGE,
                    "模型的思考没有开头的 <think>，混进了回答。请给 vLLM 加上 --reasoning-parser，见 docs/vllm.md",
                )
            if not found:
                break
            if not thinking and (shown := _shown(before, begun=begun)):
                begun = True
                yield shown
            held, thinking = after, not thinking
        keep = _unsure(held)
        if not thinking and (shown := _shown(held[: len(held) - keep], begun=begun)):
            begun = True
            yield shown
            held = held[len(held) - keep :]
        elif thinking:
            held = held[len(held) - keep :]
    if not thinking and (shown := _shown(held, begun=begun)):
        yield shown


def _shown(text: str, *, begun: bool) -> str:
    """Space before the first word is left out: it stands between thoughts and reply."""
    return clean(text if begun else text.lstrip())


def _unsure(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    for length in range(min(len(text), len(_CLOSE) - 1), 0, -1):
        end = text[-length:]
        if _OPEN.startswith(end) or _CLOSE.startswith(end):
            return length
    return 0
