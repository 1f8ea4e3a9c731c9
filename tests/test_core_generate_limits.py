"""Places, retries, breaker, switch and threads around the language model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from generate_samples import ASKED, Benefit, generator
from model_server_scripted import TEXT, Scripted, scripted

from core.breaker import Breaker
from core.errors import Fault, GenerationFailed
from core.generate import ServerGenerator
from core.generate_switch import FOLDER, read_switch, switch_off, switch_on
from core.tasks import ANSWER


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def said(made: ServerGenerator) -> str:
    return "".join(made.stream(ANSWER, ASKED))


def fault(made: ServerGenerator) -> Fault | None:
    try:
        said(made)
    except GenerationFailed as failure:
        return failure.fault
    return None


def eventually(happens: Callable[[], bool]) -> bool:
    """Within ten seconds."""
    until = time.monotonic() + 10
    while not happens() and time.monotonic() < until:
        time.sleep(0.02)
    return happens()


def test_no_more_calls_of_a_task_reach_the_server_at_once_than_may() -> None:
    with scripted() as server, ThreadPoolExecutor(8) as pool:
        made = generator(server.word("slow"), limits={"at_once": 2, "wait_seconds": 15})
        assert list(pool.map(lambda _: said(made), range(8))) == [TEXT] * 8
        assert 2 <= server.most_at_once <= 4        # the server counts a reply until it has seen that it was read


def test_who_gets_no_place_in_time_is_told_so_and_another_task_is_not_held_up(server: Scripted) -> None:
    made = generator(server.word("ok"), limits={"at_once": 1, "wait_seconds": 0.1})
    server.next.append("endless")
    held = made.stream(ANSWER, ASKED)
    next(held)
    asked = len(server.asked)
    assert fault(made) is Fault.BUSY
    assert len(server.asked) == asked
    assert "".join(made.stream(replace(ANSWER, name="other"), ASKED)) == TEXT
    held.close()
    assert eventually(lambda: fault(made) is None)


def test_a_stream_that_nobody_reads_on_frees_its_place_and_hangs_up(server: Scripted) -> None:
    made = generator(server.word("ok"), limits={"at_once": 1, "wait_seconds": 5})
    server.next.append("endless")
    left, before = made.stream(ANSWER, ASKED), server.hung_up
    next(left)
    del left
    assert said(made) == TEXT
    assert eventually(lambda: server.hung_up == before + 1)
    assert [call.fault for call in made.ledger.recent] == ["left", ""]


def test_a_stream_that_is_kept_but_not_read_on_holds_its_place_no_longer_than_the_reply(server: Scripted) -> None:
    made = generator(server.word("ok"), limits={"at_once": 1, "wait_seconds": 5})
    kept = made.stream(ANSWER, ASKED)
    first = next(kept)
    assert said(made) == TEXT
    assert first + "".join(kept) == TEXT


def test_the_pieces_of_a_stream_may_be_read_by_different_threads(server: Scripted) -> None:
    pieces, stream = [], generator(server.word("slow")).stream(ANSWER, ASKED)
    for _ in range(len(TEXT)):
        thread = threading.Thread(target=lambda: pieces.append(next(stream)))
        thread.start()
        thread.join()
    assert "".join(pieces) == TEXT
    assert list(stream) == []


def test_a_slow_reader_costs_the_model_no_time(server: Scripted) -> None:
    made = generator(server.word("slow"), limits={"between_seconds": 1.0})
    pieces = []
    for piece in made.stream(ANSWER, ASKED):
        pieces.append(piece)
        if len(pieces) == 2:
            time.sleep(1.5)
    assert "".join(pieces) == TEXT


def test_the_repair_try_has_only_the_time_that_is_left(server: Scripted) -> None:
    made = generator(server.word("ok"), limits={"total_seconds": 1.0})
    server.next.extend(["prose", "hang"])
    began = time.monotonic()
    with pytest.raises(GenerationFailed) as caught:
        made.structured(ANSWER, ASKED, Benefit)
    assert caught.value.fault is Fault.SLOW
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("mode", ["error-503", "busy-short"])
def test_a_busy_server_is_asked_again(server: Scripted, mode: str) -> None:
    made = generator(server.word("ok"))
    server.next.extend([mode, mode])
    assert said(made) == TEXT
    assert [(call.tries, call.fault) for call in made.ledger.recent] == [(3, "")]


@pytest.mark.parametrize(
    ("mode", "times"),
    [("error-503", 3), ("busy-short", 3), ("busy", 1), ("busy-long", 1), ("error-500", 1), ("error-401", 1), ("cut", 1),
     ("cut-early", 1), ("no-end", 1), ("empty", 1), ("garbage", 1)],
)
def test_only_what_was_not_begun_is_asked_for_again(server: Scripted, mode: str, times: int) -> None:
    before = server.times(mode)
    assert fault(generator(server.word(mode)))
    assert server.times(mode) == before + times


def test_after_failures_in_a_row_the_server_is_left_alone_until_one_call_finds_it_well() -> None:
    with scripted() as server:
        made = generator(server.word("ok"), breaker_failures=3, breaker_seconds=1.5)
        server.next.extend(["error-500", "garbage", "ok", "error-500", "garbage", "empty"])
        kinds = [fault(made) for _ in range(8)]
        assert kinds[:6] == [Fault.DOWN, Fault.GARBAGE, None, Fault.DOWN, Fault.GARBAGE, Fault.EMPTY]
        assert kinds[6:] == [Fault.OPEN, Fault.OPEN]
        assert len(server.asked) == 6
        time.sleep(1.6)
        server.next.append("error-500")
        assert [fault(made), fault(made)] == [Fault.DOWN, Fault.OPEN]      # the probe failed: open for as long again
        time.sleep(1.6)
        assert [fault(made), fault(made)] == [None, None]


def test_a_task_that_fails_does_not_open_the_breaker_of_another(server: Scripted) -> None:
    made = generator(server.word("ok"), breaker_failures=1, breaker_seconds=600.0)
    server.next.append("error-500")
    assert [fault(made), fault(made)] == [Fault.DOWN, Fault.OPEN]
    assert "".join(made.stream(replace(ANSWER, name="other"), ASKED)) == TEXT


@pytest.mark.parametrize("mode", ["error-401", "length"])
def test_what_is_no_failure_of_the_server_leaves_the_breaker_closed(server: Scripted, mode: str) -> None:
    made = generator(server.word(mode), breaker_failures=1, breaker_seconds=600.0)
    assert fault(made) is fault(made) is not Fault.OPEN


def test_a_breaker_lets_one_call_try_and_waits_for_its_outcome() -> None:
    breaker = Breaker(2, 0.0)
    assert breaker.enter()
    breaker.done(well=False)
    assert (breaker.enter(), breaker.open) == (True, False)
    breaker.done(well=False)
    assert (breaker.open, breaker.enter(), breaker.enter()) == (True, True, False)
    breaker.left()
    assert breaker.enter()
    breaker.done(well=True)
    assert (breaker.open, breaker.enter(), breaker.enter()) == (False, True, True)


def test_only_one_of_many_threads_tries_a_server_that_failed() -> None:
    breaker = Breaker(1, 0.0)
    breaker.done(well=False)
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: breaker.enter(), range(200))) == 1


def test_the_switch_turns_the_model_off_and_on_while_it_is_in_use(server: Scripted, tmp_path: Path) -> None:
    made = generator(server.word("ok"), tmp_path)
    assert said(made) == TEXT
    switch_off(tmp_path, "王敏", "回答不对")
    asked = len(server.asked)
    with pytest.raises(GenerationFailed, match=r"王敏.*回答不对.*policydesk models on") as caught:
        made.structured(ANSWER, ASKED, Benefit)
    assert caught.value.fault is Fault.OFF
    assert len(server.asked) == asked
    off = switch_on(tmp_path, "李强")
    assert off is not None
    assert off.who == "王敏"
    assert said(made) == TEXT
    assert switch_on(tmp_path, "李强") is None
    history = (tmp_path / FOLDER / "switched.jsonl").read_text(encoding="utf-8").splitlines()
    assert ["王敏" in history[0], "李强" in history[1], len(history)] == [True, True, 2]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"who": 1}'])
def test_a_switch_that_cannot_be_read_is_off(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "off.json").write_bytes(content)
    assert read_switch(tmp_path) is not None


def test_a_model_that_is_switched_off_in_the_configuration_is_not_asked(server: Scripted) -> None:
    asked = len(server.asked)
    assert fault(generator(server.word("ok"), enabled=False)) is Fault.OFF
    assert len(server.asked) == asked


def test_nothing_is_left_open_or_running_after_many_calls() -> None:
    with scripted() as server, ThreadPoolExecutor(8) as pool:
        made = generator(server.word("ok"), limits={"wait_seconds": 15}, breaker_failures=1000)
        server.next.extend(["ok", "cut", "garbage", "error-500", "thinking-stray", "empty"] * 10)
        list(pool.map(lambda _: fault(made), range(60)))
        assert eventually(lambda: server.at_once == 0)
        assert eventually(lambda: not any(thread.name.startswith("generate-") for thread in threading.enumerate()))
