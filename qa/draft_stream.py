"""A JSON object that arrives in pieces -> its members, each as soon as it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.errors import Fault, GenerationFailed

_DECODER = json.JSONDecoder(strict=False)    # a line end inside of a text is no reason to lose an answer
_LONGEST = 12_000            # characters; the longest reply that fits a schema of ours has about 6,000
_PREFACE = 200               # characters before the object: ```json, 好的：
_OPEN_ENDED = "-0123456789tfn"               # how begins what does not say itself where it ends: 1, 12, 1e5
_AFTER_VALUE = tuple(",]} \t\r\n")


@dataclass(frozen=True, slots=True)
class Member:
    """A value of the object, or one element of a list in it."""

    key: str
    value: object = None
    closed: bool = False         # no element: the list has ended


def members(pieces: Iterable[str]) -> Iterator[Member]:
    """In the order they come. What stands before and behind the object is passed over.

    Raises `GenerationFailed` when it ends early or cannot be read, beside what ``pieces`` raises.
    """
    text = _Text(pieces)
    text.skip_to_object()
    while (sign := text.sign()) != "}":
        if sign == ",":
            text.at += 1
            continue
        key = text.value()
        if not isinstance(key, str):
            raise GenerationFailed(Fault.GARBAGE, f"模型的回答读不出来：{key!r} 不是键")
        text.expect(":")
        if text.sign() != "[":
            yield Member(key, text.value())
            continue
        yield from _elements(key, text)


def _elements(key: str, text: _Text) -> Iterator[Member]:
    text.expect("[")
    while (sign := text.sign()) != "]":
        if sign == ",":
            text.at += 1
            continue
        yield Member(key, text.value())
    text.expect("]")
    yield Member(key, closed=True)


class _Text:
    """What has come so far, and how far it is read."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self.text = ""
        self.at = 0

    def skip_to_object(self) -> None:
        while (start := self.text.find("{")) < 0:
            if len(self.text) > _PREFACE or not self._more():
                raise GenerationFailed(
                    Fault.GARBAGE if self.text.strip() else Fault.EMPTY, f"模型的回答不是 JSON：{self.text[:40]!r}"
                )
        self.at = start + 1

    def sign(self) -> str:
        """The next one that is no white space."""
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            self._need()

    def expect(self, sign: str) -> None:
        if (found := self.sign()) != sign:
            raise GenerationFailed(Fault.GARBAGE, f"模型的回答读不出来：应为 {sign!r}，实际是 {found!r}")
        self.at += 1

    def value(self) -> object:
        """The next one, once it is whole."""
        first = self.sign()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError:
                self._need()
                continue
            except (ValueError, RecursionError) as error:      # a number of 5,000 digits, 10,000 brackets
                raise GenerationFailed(Fault.GARBAGE, f"模型的回答读不出来：{error}") from error
            if first in _OPEN_ENDED and self.text[end : end + 1] not in _AFTER_VALUE:
                self._need()
                continue
            self.at = end
            return value

    def _need(self) -> None:
        if not self._more():
            raise GenerationFailed(Fault.CUT, "模型的回答没有写完，或读不出来")

    def _more(self) -> bool:
        if len(self.text) > _LONGEST:
            raise GenerationFailed(Fault.GARBAGE, f"模型的回答超过 {_LONGEST} 字")
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self.text += piece
        return True
