"""JSON and text of a language model: read tolerantly, and never more of it than was said."""

from __future__ import annotations

import json

import pytest
from generate_samples import Benefit
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from core.errors import GenerationFailed
from core.generate_text import said, spoken
from core.json_reply import Unreadable, read_reply

WHOLE = '{"name": "高龄津贴", "amount": 1200, "papers": ["身份证", "户口簿"]}'
VALUE = Benefit(name="高龄津贴", amount=1200, papers=["身份证", "户口簿"])


class Loose(BaseModel):
    """Takes any part of what it can hold."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    amounts: list[int] = []
    inner: dict[str, int] = {}


@pytest.mark.parametrize(
    "reply",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"好的[注1]，集合{{甲}}如下：{WHOLE}。以上。",
        f"<think>也许是 {{\"name\": \"低保\", \"amount\": 1, \"papers\": []}}</think>{WHOLE}",
        f"也许是 {{}}</think>\n{WHOLE}",
        f"{WHOLE}{{\"name\": \"低保\", \"amount\": 1, \"papers\": []}}",
        f"{{\"other\": 1}}\n{WHOLE}",
        WHOLE.replace("]}", "],}"),
        WHOLE.replace('"', "'"),
        WHOLE.replace('"name"', "name"),
        WHOLE.replace("1200", '"1200"'),
        WHOLE.replace("}", "} // 完"),
        f"{WHOLE[:-1]} // 完\n}}",
    ],
)
def test_a_value_is_found_in_what_models_write_around_it(reply: str) -> None:
    assert read_reply(reply, Benefit) == VALUE


@pytest.mark.parametrize(
    "reply",
    [
        "", "没有资料。", "[]", "{}", "null", "42", '"x"', "<think>" + WHOLE, WHOLE.replace("1200", "很多"), "}{",
        "{" * 100_000, "[" * 100_000 + "]" * 100_000, "{}" * 100_000, '{"name": ' * 5000, '{"name"]',
        WHOLE.replace("amount", "sum"),
        "{'name': '高龄津贴', 'amount': 1,200, 'papers': []}",
    ],
)
def test_what_holds_no_value_of_the_schema_is_unreadable(reply: str) -> None:
    with pytest.raises(Unreadable):
        read_reply(reply, Benefit)


def test_what_is_wrong_is_said_by_field() -> None:
    with pytest.raises(Unreadable, match=r"amount：.*integer.*papers：.*required"):
        read_reply('{"name": "高龄津贴", "amount": "很多"}', Benefit)


@pytest.mark.parametrize("end", range(len('{"name": "津贴", "amounts": [1200, 3400], "inner": {"a": 56, "b": 78}}')))
def test_of_a_reply_that_was_cut_off_only_what_came_whole_is_kept(end: int) -> None:
    reply = '{"name": "津贴", "amounts": [1200, 3400], "inner": {"a": 56, "b": 78}}'
    try:
        value = read_reply(reply[:end], Loose)
    except Unreadable:
        assert end < reply.index(",") + 1
        return
    assert value.name == "津贴"
    assert value.amounts in ([], [1200], [1200, 3400])
    assert value.inner in ({}, {"a": 56}, {"a": 56, "b": 78})


def test_strings_lose_what_cannot_be_stored() -> None:
    reply = '{"name": "高\\u0000龄\\ud83d津贴", "amount": 1, "papers": ["a\\u0007b"]}'
    assert read_reply(reply, Benefit) == Benefit(name="高龄\ufffd津贴", amount=1, papers=["ab"])


@given(st.text(alphabet='{}[]",:0123abc\\ \n', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = read_reply(text, Loose)
    except Unreadable:
        return
    assert all(str(amount) in text for amount in value.amounts if amount > 9)


@given(st.from_type(Benefit), st.integers(0, 3))
def test_what_json_writes_is_read_back(value: Benefit, indent: int) -> None:
    plain = value.model_copy(update={"name": value.name.encode("utf-8", "ignore").decode()})
    again = read_reply(json.dumps(plain.model_dump(), indent=indent), Benefit)
    assert again.amount == value.amount
    assert len(again.papers) == len(value.papers)


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        ("直接回答", "直接回答"),
        ("<think>想</think>\n\n答", "答"),
        ("<think></think>答", "答"),
        ("  <think>想</think>答<think>又想</think>完", "答完"),
        ("若 a<b 则 <th", "若 a<b 则 <th"),
        ("<think>想", ""),
        ("答<think>想", "答"),
        ("\n\n", ""),
        ("一\x00二\ud83d", "一二\ufffd"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_thoughts_are_left_out_however_the_pieces_fall(reply: str, left: str, size: int) -> None:
    pieces = list(spoken(reply[start : start + size] for start in range(0, len(reply), size)))
    assert "".join(pieces) == left
    assert all(pieces)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_thoughts_without_a_beginning_end_a_stream(size: int) -> None:
    reply = "想了想</think>答"
    with pytest.raises(GenerationFailed, match="reasoning-parser"):
        list(spoken(reply[start : start + size] for start in range(0, len(reply), size)))
    assert said(reply) == "答"


def test_a_piece_is_shown_before_the_next_one_comes() -> None:
    pieces = spoken(iter(["低保", "是", "…"]))
    assert next(pieces) == "低保"
