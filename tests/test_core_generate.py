"""Whatever a model server does, a call ends within its limits with text, a value, or the right error."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from generate_samples import ASKED, Benefit, generator
from model_server_scripted import TEXT, Scripted, scripted

from core.errors import Fault, GenerationFailed
from core.generate import ServerGenerator
from core.tasks import ANSWER, TASKS, Task

# modes that only a limit of time ends, with limits that end them soon
SLOW = (
    "hang", "drip-headers", "hang-after-headers", "drip", "hang-midway", "endless", "endless-nothing",
    "endless-thought",
)
SOON = {"first_seconds": 1.0, "between_seconds": 0.8, "total_seconds": 2.0}
FAULTS = {
    **dict.fromkeys(SLOW, Fault.SLOW),
    "refused": Fault.DOWN,
    "error-500": Fault.DOWN,
    "error-502": Fault.DOWN,
    "error-event": Fault.DOWN,
    "cut-early": Fault.DOWN,
    "error-503": Fault.BUSY,
    "busy": Fault.BUSY,
    "busy-short": Fault.BUSY,
    "busy-long": Fault.BUSY,
    "error-400": Fault.REFUSED,
    "error-401": Fault.REFUSED,
    "error-404": Fault.REFUSED,
    "redirect": Fault.REFUSED,
    "cut": Fault.CUT,
    "no-end": Fault.CUT,
    "html": Fault.GARBAGE,
    "wrong-type": Fault.GARBAGE,
    "zipped": Fault.GARBAGE,
    "garbage": Fault.GARBAGE,
    "garbage-json": Fault.GARBAGE,
    "invalid-utf8": Fault.GARBAGE,
    "wrong-shape": Fault.GARBAGE,
    "wrong-list": Fault.GARBAGE,
    "wrong-delta": Fault.GARBAGE,
    "deep": Fault.GARBAGE,
    "huge": Fault.GARBAGE,
    "torrent": Fault.GARBAGE,
    "empty": Fault.EMPTY,
    "empty-choices": Fault.EMPTY,
    "no-events": Fault.EMPTY,
    "null-content": Fault.EMPTY,
    "tool-calls": Fault.EMPTY,
}
ONLY_TEXT = {
    "length": Fault.CUT, "blank": Fault.EMPTY, "thinking-only": Fault.EMPTY, "thinking-stray": Fault.GARBAGE,
}
ONLY_JSON = {
    "wrong-schema": Fault.GARBAGE, "prose": Fault.GARBAGE, "truncated-json": Fault.GARBAGE, "length": Fault.GARBAGE,
    "blank": Fault.GARBAGE, "thinking-only": Fault.GARBAGE,
}


@dataclass(frozen=True)
class Outcome:
    fault: Fault | None
    message: str
    seconds: float


@dataclass(frozen=True)
class Trial:
    """Every mode at the same time, and meanwhile one good server that is asked again and again."""

    texts: dict[str, Outcome]
    values: dict[str, Outcome]
    good: list[str]


def read(mode: str, made: ServerGenerator, *, as_json: bool) -> Outcome:
    began = time.monotonic()
    try:
        if as_json:
            made.structured(ANSWER, ASKED, Benefit)
        else:
            list(made.stream(ANSWER, ASKED))
    except GenerationFailed as failure:
        return Outcome(failure.fault, str(failure), time.monotonic() - began)
    return Outcome(None, "", time.monotonic() - began)


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


@pytest.fixture(scope="module")
def trial(server: Scripted) -> Trial:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"openai:http://127.0.0.1:{closed.getsockname()[1]}#refused"
    good = generator(server.word("ok"))
    with ThreadPoolExecutor(32) as pool:

        def ask(modes: dict[str, Fault], *, as_json: bool) -> dict[str, Future[Outcome]]:
            return {
                mode: pool.submit(
                    read, mode,
                    generator(nobody if mode == "refused" else server.word(mode), limits=SOON if mode in SLOW else {}),
                    as_json=as_json,
                )
                for mode in modes
            }

        texts = ask({**FAULTS, **ONLY_TEXT}, as_json=False)
        values = ask({**FAULTS, **ONLY_JSON}, as_json=True)
        answers = ["".join(good.stream(ANSWER, ASKED)) for _ in range(20)]
        return Trial(
            {mode: outcome.result() for mode, outcome in texts.items()},
            {mode: outcome.result() for mode, outcome in values.items()},
            answers,
        )


@pytest.mark.parametrize("mode", [*FAULTS, *ONLY_TEXT])
def test_a_stream_from_a_server_that_fails_ends_with_the_right_fault(trial: Trial, mode: str) -> None:
    assert trial.texts[mode].fault is {**FAULTS, **ONLY_TEXT}[mode], trial.texts[mode].message
    assert trial.texts[mode].seconds < ANSWER.total_seconds


@pytest.mark.parametrize("mode", [*FAULTS, *ONLY_JSON])
def test_a_value_from_a_server_that_fails_ends_with_the_right_fault(trial: Trial, mode: str) -> None:
    assert trial.values[mode].fault is {**FAULTS, **ONLY_JSON}[mode], trial.values[mode].message
    assert trial.values[mode].seconds < ANSWER.total_seconds


def test_other_calls_are_answered_while_servers_hang_and_fail(trial: Trial) -> None:
    assert trial.good == [TEXT] * 20


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_every_task_ends_soon_enough_for_an_answer_without_the_model(task: Task) -> None:
    assert task.wait_seconds + task.first_seconds < task.total_seconds < 19


@pytest.mark.parametrize("mode", ["ok", "slow", "thinking", "thinking-apart", "no-usage"])
def test_a_stream_comes_in_pieces_without_thoughts(server: Scripted, mode: str) -> None:
    pieces = list(generator(server.word(mode)).stream(ANSWER, ASKED))
    assert "".join(pieces) == TEXT
    assert len(pieces) > 3
    assert all(pieces)


def test_what_cannot_be_stored_is_left_out_of_a_stream(server: Scripted) -> None:
    assert "".join(generator(server.word("control")).stream(ANSWER, ASKED)) == "第一行\ufffd完"


@pytest.mark.parametrize("mode", ["ok", "fenced", "thinking", "thinking-apart", "thinking-stray", "comma", "no-usage"])
def test_a_value_is_read_whatever_stands_around_it(server: Scripted, mode: str) -> None:
    assert generator(server.word(mode)).structured(ANSWER, ASKED, Benefit) == Benefit(
        name=TEXT, amount=1, papers=[TEXT]
    )


def test_raw_control_characters_in_json_are_read(server: Scripted) -> None:
    assert generator(server.word("raw-control")).structured(ANSWER, ASKED, Benefit).name == TEXT.replace("一", "\n一")


def test_an_unreadable_reply_is_shown_to_the_model_once_with_what_is_wrong(server: Scripted) -> None:
    made = generator(server.word("wrong-once"))
    assert made.structured(ANSWER, ASKED, Benefit).amount == 1
    first, second = [body for body in server.asked if body["model"] == "wrong-once"]
    assert first["messages"] == second["messages"][: len(ASKED)]
    assert [message["role"] for message in second["messages"][len(ASKED) :]] == ["assistant", "user"]
    assert second["messages"][-2]["content"] == '{"other": 1}'
    assert "amount：Field required" in second["messages"][-1]["content"]
    assert [call.step for call in made.ledger.recent] == ["ask", "repair"]


def test_a_reply_that_stays_unreadable_is_asked_for_twice_and_no_more(server: Scripted) -> None:
    made = generator(server.word("prose"))
    before = server.times("prose")
    with pytest.raises(GenerationFailed, match="Benefit"):
        made.structured(ANSWER, ASKED, Benefit)
    assert server.times("prose") == before + 2
    steps = [(call.step, call.fault) for call in made.ledger.recent]
    assert steps == [("ask", ""), ("repair", ""), ("read", "garbage")]


def test_a_request_holds_the_profile_the_schema_and_the_key(server: Scripted) -> None:
    made = generator(server.word("ok"), api_key="geheim", limits={"max_tokens": 77, "temperature": 0.3})
    list(made.stream(ANSWER, ASKED, schema=Benefit.model_json_schema()))
    body = server.asked[-1]
    assert server.keys[-1] == "Bearer geheim"
    assert body["messages"] == [{"role": message.role, "content": message.text} for message in ASKED]
    assert (body["max_tokens"], body["temperature"], body["stream"]) == (77, 0.3, True)
    assert body["stream_options"] == {"include_usage": True}
    assert body["response_format"]["json_schema"] == {"name": "answer", "schema": Benefit.model_json_schema()}
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    list(generator(server.word("ok"), thinking=True).stream(ANSWER, ASKED))
    assert "chat_template_kwargs" not in server.asked[-1]
    assert "response_format" not in server.asked[-1]


def test_half_characters_in_a_prompt_are_no_fault_of_the_server(server: Scripted) -> None:
    made = generator(server.word("ok"))
    assert "".join(made.stream(ANSWER, [*ASKED[:1], type(ASKED[0])("user", "补\ud83d贴")])) == TEXT


def test_replies_with_lost_and_changed_bytes_end_in_text_or_a_named_fault(server: Scripted) -> None:
    made = generator(server.word("ok"), limits={"at_once": 8}, breaker_failures=10_000)
    server.next.extend(f"mutant-{seed}" for seed in range(300))
    outcomes = [read("mutant", made, as_json=False) for _ in range(300)]
    assert server.next == []
    assert [outcome for outcome in outcomes if outcome.fault in (Fault.DOWN, Fault.BUSY, Fault.REFUSED)] == []
    assert {outcome.fault for outcome in outcomes} >= {None, Fault.GARBAGE}
