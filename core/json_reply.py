"""JSON that a language model wrote: read tolerantly, and never more of it than was said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import ValidationError

from core.generate_text import clean, said
from core.ports import Structure

_DEPTH = 40             # brackets within brackets; real replies have 3 to 6, and thousands would overflow the stack
_STARTS = 20            # places in a reply that are tried as its beginning
_CLOSING = {"{": "}", "[": "]"}
_BRACKET = re.compile(r"[{\[]")
_NUMBER = re.compile(r"\d+")


class Unreadable(ValueError):
    """No value of the schema stands in the reply; the message is meant for the model that wrote it."""


def read_reply(reply: str, schema: type[Structure]) -> Structure:
    """The first value in ``reply`` that ``schema`` takes; thoughts, fences and text around it are passed over.

    Trailing commas, missing quotes and raw control characters are mended. Of a reply that was cut off, what had not
    come whole is left out rather than guessed: 12 may have been the beginning of 1200. Raises `Unreadable`.
    """
    problem = "没有 JSON"
    for candidate in _candidates(said(reply)):
        try:
            return schema.model_validate(_cleaned(_value(candidate)))
        except ValidationError as error:
            problem = _explained(error)
        except Unreadable as error:
            problem = str(error)
    raise Unreadable(problem)


def _candidates(text: str) -> Iterator[str]:
    """From each bracket that opens outside of the candidate before: up to its end, or closed where it breaks off."""
    position, tried = 0, 0
    while tried < _STARTS and (match := _BRACKET.search(text, position)):
        tried += 1
        whole, end = _whole(text, match.start())
        if whole:
            yield whole
        position = max(end, match.start() + 1)


def _whole(text: str, start: int) -> tuple[str, int]:
    """The bracket that opens at ``start`` with all it holds, and where it ends; "" when nothing in it is whole."""
    stack: list[str] = []
    in_string = escaped = False
    last, last_stack = -1, ""                  # where a value had come whole, and what was open there
    for position in range(start, len(text)):
        char = text[position]
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_string = True
        elif char in _CLOSING:
            stack.append(_CLOSING[char])
            if len(stack) > _DEPTH:
                return "", len(text)
        elif char in "}]":
            if stack.pop() != char:
                return "", start + 1
            if not stack:
                return text[start : position + 1], position + 1
            last, last_stack = position + 1, "".join(reversed(stack))
        elif char == ",":
            last, last_stack = position, "".join(reversed(stack))
    return (text[start:last] + last_stack if last > 0 else ""), len(text)


def _value(text: str) -> object:
    try:
        value: object = json.loads(text, strict=False)
    except ValueError:
        value = _mended(text)
    return value


def _mended(text: str) -> object:
    """Raises `Unreadable`, also when mending changed what is said."""
    import json_repair

    value: object = json_repair.loads(text, skip_json_loads=True)
    if not isinstance(value, dict | list):
        raise Unreadable("没有 JSON")
    if _NUMBER.findall(json.dumps(value, ensure_ascii=False)) != _NUMBER.findall(text):
        raise Unreadable("JSON 的写法不对，修补后数字会变")
    return value


def _cleaned(value: object) -> object:
    """As deep as `_DEPTH` lets a value be."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value


def _explained(error: ValidationError) -> str:
    return "；".join(f"{'.'.join(map(str, item['loc'])) or '整体'}：{item['msg']}" for item in error.errors()[:5])
