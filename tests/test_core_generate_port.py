"""The fake generator and the one over a server keep the same contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from generate_samples import ASKED, Benefit, generator
from model_server_scripted import Scripted, scripted

from core.errors import Fault, GenerationFailed
from core.fakes import ScriptedGenerator
from core.ports import Generator
from core.tasks import ANSWER

GOOD = '{"name": "高龄津贴", "amount": 1200, "papers": ["身份证"]}'
Made = Callable[..., Generator]          # a generator that gives these replies, one a call; None: the server fails


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


@pytest.fixture(params=["fake", "server"])
def made(request: pytest.FixtureRequest, server: Scripted) -> Made:
    def make(*replies: str | None) -> Generator:
        if request.param == "fake":
            down = GenerationFailed(Fault.DOWN, "down")
            return ScriptedGenerator([down if reply is None else reply for reply in replies])
        server.next.extend("error-500" if reply is None else "ok" for reply in replies)
        texts = [reply for reply in replies if reply is not None]
        server.reply = lambda body: texts.pop(0)
        return generator(server.word("ok"))

    return make


def test_the_pieces_of_a_stream_are_the_reply(made: Made) -> None:
    pieces = list(made("每人每月一百元。").stream(ANSWER, ASKED))
    assert "".join(pieces) == "每人每月一百元。"
    assert len(pieces) > 1
    assert all(pieces)


def test_nothing_is_asked_before_the_first_piece_is_wanted(made: Made) -> None:
    one = made("甲甲甲", "乙乙乙")
    first, second = one.stream(ANSWER, ASKED), one.stream(ANSWER, ASKED)
    assert "".join(second) == "甲甲甲"
    assert "".join(first) == "乙乙乙"


def test_a_failure_is_raised_with_its_fault(made: Made) -> None:
    with pytest.raises(GenerationFailed) as caught:
        list(made(None).stream(ANSWER, ASKED))
    assert caught.value.fault is Fault.DOWN
    with pytest.raises(GenerationFailed) as caught:
        made(None).structured(ANSWER, ASKED, Benefit)
    assert caught.value.fault is Fault.DOWN


@pytest.mark.parametrize("replies", [(GOOD,), (f"```json\n{GOOD}\n```",), ("没有", GOOD)])
def test_a_value_is_read_at_once_or_after_one_repair(made: Made, replies: tuple[str, ...]) -> None:
    assert made(*replies).structured(ANSWER, ASKED, Benefit) == Benefit(name="高龄津贴", amount=1200, papers=["身份证"])


def test_what_is_unreadable_twice_is_garbage(made: Made) -> None:
    with pytest.raises(GenerationFailed) as caught:
        made("没有", "没有").structured(ANSWER, ASKED, Benefit)
    assert caught.value.fault is Fault.GARBAGE


def test_it_has_a_name(made: Made) -> None:
    assert made().name in ("ok", "scripted")
