"""The language model behind its port: places, time limits, retries, breaker, switch and ledger around each reply."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from core.breaker import Breaker
from core.config import GenerateConfig
from core.errors import Fault, GenerationFailed
from core.generate_http import Clock
from core.generate_openai import KEY, NotBegun, OpenAIServer, Piece
from core.generate_switch import read_switch
from core.generate_text import spoken
from core.json_reply import Unreadable, read_reply
from core.ledger import Call, Ledger
from core.ports import Message, Structure
from core.tasks import Task

_PAUSE = 0.2                  # seconds before a busy server is asked again, then doubled
_GRACE = 0.5                  # seconds that a reader may take to report that its time is over
_CHARS_A_TOKEN = 16           # no tokenizer puts more into one on average; a reply with more ignores its limit
_CHARS_A_PROMPT_TOKEN = 1.5   # of Chinese, for a server that does not count
_SHOWN_AGAIN = 6000           # characters of an unreadable reply that the model is shown
_FULL = ("length", "content_filter")
# what a server does wrong; REFUSED is wrong in the request, and a place that was not free is no fault of the server
_OF_SERVER = frozenset({Fault.DOWN, Fault.BUSY, Fault.SLOW, Fault.CUT, Fault.GARBAGE, Fault.EMPTY})


@dataclass(frozen=True, slots=True)
class _Lane:
    """What the calls of one task share, so that none can harm those of another."""

    places: threading.BoundedSemaphore
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call."""

    task: Task                      # with the numbers of the configuration
    lane: _Lane
    messages: tuple[Message, ...]
    schema: Mapping[str, object] | None
    prose: bool                     # a reader follows: thoughts are left out, and a reply that is cut is of no use
    step: str
    clock: Clock
    began: float
    pieces: SimpleQueue[str | GenerationFailed | None]      # at the end an error, or None


@dataclass(slots=True)
class _Heard:
    """What is known of a reply while it comes."""

    tries: int = 0
    first: float | None = None
    finish: str = ""
    events: int = 0
    chars: int = 0
    tokens: tuple[int, int] | None = None


class ServerGenerator:
    """A model behind an OpenAI-compatible server. Threads may share it."""

    def __init__(self, server: OpenAIServer, config: GenerateConfig, home: Path | None) -> None:
        """``home`` is where the switch and the ledger lie."""
        self.ledger = Ledger(home, config.usage_days)
        self._server = server
        self._config = config
        self._home = home
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._server.model

    def stream(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        own = self._config.for_task(task)
        end = time.monotonic() + own.total_seconds
        return self._reply(own, messages, schema, prose=True, step="ask", end=end)

    def structured(self, task: Task, messages: Sequence[Message], schema: type[Structure]) -> Structure:
        own, wanted = self._config.for_task(task), schema.model_json_schema()
        began = time.monotonic()
        end = began + own.total_seconds
        reply = "".join(self._reply(own, messages, wanted, prose=False, step="ask", end=end))
        try:
            return read_reply(reply, schema)
        except Unreadable as error:
            again = [*messages, Message("assistant", reply[:_SHOWN_AGAIN]), _repair(str(error), wanted)]
        reply = "".join(self._reply(own, again, wanted, prose=False, step="repair", end=end))
        try:
            return read_reply(reply, schema)
        except Unreadable as error:
            self._note(own, "read", Fault.GARBAGE, began, _Heard(), ())
            raise GenerationFailed(
                Fault.GARBAGE, f"模型 {self.name} 两次都没有给出能读的 JSON（{schema.__name__}）：{error}"
            ) from error

    def _lane(self, task: Task) -> _Lane:
        with self._lock:
            if task.name not in self._lanes:
                breaker = Breaker(self._config.breaker_failures, self._config.breaker_seconds)
                self._lanes[task.name] = _Lane(threading.BoundedSemaphore(task.at_once), breaker)
            return self._lanes[task.name]

    def _reply(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None,
        *, prose: bool, step: str, end: float,
    ) -> Iterator[str]:
        """A thread reads the reply, so that whatever it hangs in, the caller does not."""
        lane, began = self._lane(task), time.monotonic()
        try:
            self._admit(task, lane, end)
        except GenerationFailed as failure:
            self._note(task, step, failure.fault, began, _Heard(), messages)
            raise
        clock = Clock(first=task.first_seconds, between=task.between_seconds, end=end)
        asked = _Asked(task, lane, tuple(messages), schema, prose, step, clock, began, SimpleQueue())
        try:
            threading.Thread(target=self._fetch, args=(asked,), name=f"generate-{task.name}", daemon=True).start()
        except RuntimeError as error:           # no more threads
            lane.breaker.left()
            lane.places.release()
            raise GenerationFailed(Fault.BUSY, f"本机线程已满，不能再问模型：{error}") from error
        try:
            yield from self._waited(asked)
        finally:
            clock.stop()

    def _admit(self, task: Task, lane: _Lane, end: float) -> None:
        """A place and the breaker's leave, both to be given back. Raises `GenerationFailed`."""
        if not self._config.enabled:
            raise GenerationFailed(Fault.OFF, "模型已停用（generate.enabled）")
        off = read_switch(self._home) if self._home else None
        if off is not None:
            raise GenerationFailed(Fault.OFF, f"模型已{off}。启用：policydesk models on")
        wait = min(task.wait_seconds, end - time.monotonic())
        if not lane.places.acquire(timeout=max(wait, 0.0)):
            raise GenerationFailed(
                Fault.BUSY, f"任务 {task.name} 已有 {task.at_once} 个请求在进行，{wait:g} 秒内没有轮到"
            )
        if not lane.breaker.enter():
            lane.places.release()
            raise GenerationFailed(
                Fault.OPEN,
                f"模型服务 {self._server.shown} 接连失败 {self._config.breaker_failures} 次，"
                f"{self._config.breaker_seconds:g} 秒后再试（任务 {task.name}，{KEY}）",
            )

    def _waited(self, asked: _Asked) -> Iterator[str]:
        while True:
            try:
                piece = asked.pieces.get(timeout=max(asked.clock.left, 0.0) + _GRACE)
            except Empty:
                if asked.clock.left + _GRACE > 0:        # thoughts came meanwhile
                    continue
                raise GenerationFailed(
                    Fault.SLOW, f"模型服务 {self._server.shown} 没有在规定时间内回答（{KEY}，模型 {self.name}）"
                ) from None
            if piece is None:
                return
            if isinstance(piece, GenerationFailed):
                raise piece
            yield piece

    def _fetch(self, asked: _Asked) -> None:
        """Runs in its own thread, holds the place, and always ends by an error or None in the queue."""
        lane, heard = asked.lane, _Heard()
        failure: GenerationFailed | None = GenerationFailed(Fault.DOWN, "读模型回答的线程意外结束")
        shown = False
        try:
            with closing(self._texts(asked, heard)) as texts:       # and with them the connection
                for text in spoken(texts) if asked.prose else texts:
                    shown = True
                    asked.pieces.put(text)
            failure = self._wanting(asked, heard, shown=shown)
        except GenerationFailed as error:
            failure = error
        finally:
            left = asked.clock.stopped and asked.clock.left > 0 and failure is not None
            if left or heard.tries == 0:
                lane.breaker.left()
            else:
                full = failure is not None and heard.finish in _FULL
                lane.breaker.done(well=failure is None or full or failure.fault not in _OF_SERVER)
            lane.places.release()
            fault = "" if failure is None else "left" if left else failure.fault
            self._note(asked.task, asked.step, fault, asked.began, heard, asked.messages)
            asked.pieces.put(failure)

    def _texts(self, asked: _Asked, heard: _Heard) -> Generator[str]:
        """The texts of the reply, thoughts included; nothing more once nobody waits."""
        for piece in self._patiently(asked, heard):
            if heard.first is None and (piece.text or piece.thought):
                heard.first = time.monotonic() - asked.began
            heard.finish = piece.finish or heard.finish
            heard.tokens = piece.tokens or heard.tokens
            heard.events += bool(piece.text or piece.thought)
            heard.chars += len(piece.text)
            if heard.chars > _CHARS_A_TOKEN * asked.task.max_tokens:
                raise GenerationFailed(Fault.GARBAGE, f"模型 {self.name} 的回答没有尽头，超过了 max_tokens")
            if asked.clock.stopped:
                raise GenerationFailed(Fault.CUT, "没有人再等这个回答")
            if piece.text:
                yield piece.text

    def _patiently(self, asked: _Asked, heard: _Heard) -> Iterator[Piece]:
        """Asks again while nothing was received and there is time."""
        while True:
            heard.tries += 1
            try:
                yield from self._server.reply(asked.task, asked.messages, asked.schema, asked.clock)
                return
            except NotBegun as failure:
                pause = _PAUSE * 2 ** (heard.tries - 1) if failure.pause is None else failure.pause
                if heard.tries >= self._config.tries or pause >= asked.clock.left or asked.clock.stopped:
                    raise
                asked.clock.pause(pause)

    def _wanting(self, asked: _Asked, heard: _Heard, *, shown: bool) -> GenerationFailed | None:
        """Why a reply that came to its end cannot be used."""
        whose = f"（{KEY}，模型 {self.name}）"
        if asked.prose and heard.finish in _FULL:
            most = f"generate.tasks.{asked.task.name}.max_tokens = {asked.task.max_tokens}"
            return GenerationFailed(Fault.CUT, f"回答没有写完：{heard.finish}，{most}{whose}")
        if not shown:
            return GenerationFailed(Fault.EMPTY, f"模型服务 {self._server.shown} 的回答没有文字：{heard.finish}{whose}")
        if not heard.finish:
            return GenerationFailed(Fault.CUT, f"模型服务 {self._server.shown} 的回答没有结尾{whose}")
        return None

    def _note(
        self, task: Task, step: str, fault: str, began: float, heard: _Heard, messages: Iterable[Message]
    ) -> None:
        prompt = round(sum(len(message.text) for message in messages) / _CHARS_A_PROMPT_TOKEN) if heard.events else 0
        tokens = heard.tokens or (prompt, heard.events)
        self.ledger.add(
            Call(
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                task=task.name,
                prompt=task.prompt,
                model=self.name,
                step=step,
                fault=str(fault),
                tries=heard.tries,
                first_seconds=None if heard.first is None else round(heard.first, 3),
                seconds=round(time.monotonic() - began, 3),
                prompt_tokens=tokens[0],
                reply_tokens=tokens[1],
                estimated=heard.tokens is None and heard.events > 0,
            )
        )


def _repair(problem: str, schema: Mapping[str, object]) -> Message:
    return Message(
        "user",
        f"上面的回答不能用：{problem[:500]}。请改正，只输出一个符合下面 JSON Schema 的 JSON，不要别的文字：\n"
        f"{json.dumps(schema, ensure_ascii=False)}",
    )
