"""A reply is read as it comes, however it is cut into pieces, and never further than it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Fault, GenerationFailed
from qa.draft_stream import Member, members

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=6), values, max_size=5)
REPLY = '{"enough": true, "sentences": [{"text": "甲。", "cites": ["A1-1"]}, {"text": "乙。", "cites": []}], "n": 12}'


def expected(value: dict[str, object]) -> list[Member]:
    found = []
    for key, one in value.items():
        if isinstance(one, list):
            found += [*(Member(key, item) for item in one), Member(key, closed=True)]
        else:
            found.append(Member(key, one))
    return found


@given(objects, st.integers(1, 9), st.booleans(), st.sampled_from(["", "```json\n", "好的，结果如下：\n"]))
def test_members_are_those_of_the_object_however_it_is_cut(
    value: dict[str, object], size: int, ascii_only: bool, before: str
) -> None:
    text = before + json.dumps(value, ensure_ascii=ascii_only) + "\n```请查收。"
    assert list(members(text[n : n + size] for n in range(0, len(text), size))) == expected(value)


@given(objects, st.data())
def test_of_a_reply_that_is_cut_the_members_before_the_cut_are_read(
    value: dict[str, object], data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text) - 1))
    found: list[Member] = []
    with pytest.raises(GenerationFailed) as raised:
        found.extend(members([text[:cut]]))
    assert raised.value.fault in (Fault.CUT, Fault.EMPTY)
    assert not found or found == expected(value)[: len(found)]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(GenerationFailed):
        list(members(["{", text]))


def test_a_member_is_given_before_the_next_piece_is_asked_for() -> None:
    taken: list[str] = []

    def pieces() -> Iterator[str]:
        for char in REPLY:
            taken.append(char)
            yield char

    reading = members(pieces())
    assert next(reading) == Member("enough", True)
    assert next(reading).value == {"text": "甲。", "cites": ["A1-1"]}
    assert "".join(taken).endswith('"A1-1"]}')


@pytest.mark.parametrize("text", [
    '{"a": ' + "[" * 11_000, '{"a": ' + "9" * 5_000 + "}", '{"a": "' + "长" * 20_000, " " * 20_000, "{" + " " * 20_000,
    "{1: 2}", '{"a" 1}', "前言" * 200 + "{}",
])
def test_what_is_no_reply_is_refused(text: str) -> None:
    with pytest.raises(GenerationFailed):
        list(members(text[n : n + 50] for n in range(0, len(text), 50)))


def test_small_faults_of_a_server_are_forgiven() -> None:
    text = '{"sentences": [{"text": "第一行\n第二行", "cites": ["A1-1"]},], "enough": true,}'
    assert [member.key for member in members([text])] == ["sentences", "sentences", "enough"]
