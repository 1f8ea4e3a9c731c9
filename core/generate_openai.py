"""One reply of an OpenAI-compatible server through llama-index, and what went wrong in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpcore
import httpx

from core.errors import ConfigError, Fault, GenerationFailed, MissingExtra
from core.generate_http import ClockedTransport, WrongReply
from core.generate_text import clean
from core.ports import Message
from core.tasks import Task

if TYPE_CHECKING:
    from llama_index.llms.openai_like import OpenAILike
    from openai import APIStatusError

    from core.config import GenerateConfig
    from core.generate_http import Clock

KEY = "generate.model"

_BYTES = 1_000_000          # of headers and of what surrounds the text; and for each token:
_BYTES_A_TOKEN = 2_000      # vLLM sends 250 to 300
_SHOWN = 200                # characters of what a server says of itself


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of the stream added."""

    text: str = ""
    thought: bool = False                     # a thought, which the server keeps apart from the text
    finish: str = ""                          # why the reply ends here: stop, length, tool_calls …
    tokens: tuple[int, int] | None = None     # of the prompt and of the reply, if the server says so


class NotBegun(GenerationFailed):
    """Nothing was received, so asking again does no harm, after ``pause`` seconds where the server names them."""

    def __init__(self, fault: Fault, message: str, pause: float | None = None) -> None:
        super().__init__(fault, message)
        self.pause = pause


class _Delta(Protocol):
    """What llama-index gives for one event."""

    delta: str | None
    raw: Any
    additional_kwargs: Mapping[str, Any]


class OpenAIServer:
    """One server and one of its models. Threads may share it: each reply has its own connection."""

    def __init__(self, address: str, config: GenerateConfig) -> None:
        """``address`` is URL#MODEL, with or without /v1. Nothing is asked. Raises `ConfigError`, `MissingExtra`."""
        url, _, self.model = address.partition("#")
        try:
            self._url = httpx.URL(url.rstrip("/").removesuffix("/v1"))
        except httpx.InvalidURL as error:
            raise ConfigError(f"{KEY}：{url} 不是地址：{error}") from error
        if self._url.scheme not in ("http", "https") or not self._url.host or not self.model:
            raise ConfigError(f"{KEY}：应为 openai:http://地址:端口#模型名称，实际是 openai:{self.shown}#{self.model}")
        self._connect_seconds = config.connect_seconds
        self._key = config.api_key.get_secret_value()
        self._body = {} if config.thinking else {"chat_template_kwargs": {"enable_thinking": False}}
        try:        # 3 s: now, and not within the limits of the first call
            import llama_index.llms.openai_like  # noqa: F401
            import openai.resources.chat  # noqa: F401
        except ImportError as error:
            raise MissingExtra("llama-index-llms-openai-like", "generate") from error

    @property
    def shown(self) -> str:
        """The address without a password."""
        return str(self._url.copy_with(userinfo=b""))

    def reply(
        self, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None, clock: Clock
    ) -> Iterator[Piece]:
        """Raises `GenerationFailed`; `NotBegun` where nothing was received."""
        import openai

        heard = False
        transport = ClockedTransport(
            clock,
            connect_seconds=self._connect_seconds,
            max_bytes=_BYTES + _BYTES_A_TOKEN * task.max_tokens,
        )
        with httpx.Client(transport=transport) as client:
            try:
                for piece in self._pieces(self._model(task, client), task, messages, schema):
                    heard = True
                    if piece.text or piece.thought:      # events that bring nothing win no time
                        clock.piece()
                    yield piece
            except openai.APIStatusError as error:
                raise self._by_status(error) from error
            # llama-index does not look at what it gets: a reply of another shape ends in one of the last six
            except (
                openai.OpenAIError, httpx.HTTPError, WrongReply, httpcore.TimeoutException, httpcore.NetworkError,
                httpcore.ProtocolError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError,
            ) as error:
                raise self._by_cause(error, heard=heard) from error

    def _model(self, task: Task, client: httpx.Client) -> OpenAILike:
        from llama_index.llms.openai_like import OpenAILike

        return OpenAILike(
            model=self.model,
            api_base=f"{self._url}/v1",
            api_key=self._key or "-",
            is_chat_model=True,
            temperature=task.temperature,
            max_tokens=task.max_tokens,
            max_retries=0,
            timeout=task.total_seconds,
            default_headers={"Accept-Encoding": "identity"},
            http_client=client,
        )

    def _pieces(
        self, model: OpenAILike, task: Task, messages: Sequence[Message], schema: Mapping[str, object] | None
    ) -> Iterator[Piece]:
        from llama_index.core.base.llms.types import ChatMessage

        wanted: dict[str, object] = {"stream_options": {"include_usage": True}, "extra_body": self._body}
        if schema is not None:
            wanted["response_format"] = {"type": "json_schema", "json_schema": {"name": task.name, "schema": schema}}
        talk = [ChatMessage(role=message.role, content=clean(message.text)) for message in messages]
        for delta in model.stream_chat(talk, **wanted):
            yield _piece(delta)

    def _by_status(self, error: APIStatusError) -> GenerationFailed:
        status, said = error.status_code, str(error.message)[:_SHOWN]
        message = f"模型服务 {self.shown} 回答 HTTP {status}：{said}（{KEY}，模型 {self.model}）"
        wait = error.response.headers.get("Retry-After", "")
        pause = float(wait) if wait.isascii() and wait.isdigit() else None
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            return NotBegun(Fault.BUSY, message, pause)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # who limits us without saying how long should not be asked again
            return GenerationFailed(Fault.BUSY, message) if pause is None else NotBegun(Fault.BUSY, message, pause)
        return GenerationFailed(Fault.DOWN if status >= 500 else Fault.REFUSED, message)

    def _by_cause(self, error: Exception, *, heard: bool) -> GenerationFailed:
        import openai

        where = f"（{KEY}，模型 {self.model}）"
        for cause in _causes(error):
            if isinstance(cause, WrongReply):
                return GenerationFailed(Fault.GARBAGE, f"模型服务 {self.shown} 的回答不对：{cause}{where}")
            if isinstance(cause, httpcore.ConnectError | httpcore.ConnectTimeout):
                problem = f"连不上模型服务 {self.shown}：{str(cause) or '没有回应'}。请检查它是否在运行{where}"
                return NotBegun(Fault.DOWN, problem)
            if isinstance(cause, httpcore.TimeoutException | httpx.TimeoutException):
                return GenerationFailed(Fault.SLOW, f"模型服务 {self.shown} 没有在规定时间内回答{where}")
            if isinstance(cause, httpcore.NetworkError | httpcore.ProtocolError):
                fault = Fault.CUT if heard else Fault.DOWN
                return GenerationFailed(fault, f"模型服务 {self.shown} 中断了回答：{cause}{where}")
        if isinstance(error, openai.APIError):
            return GenerationFailed(Fault.DOWN, f"模型服务 {self.shown} 报错：{str(error)[:_SHOWN]}{where}")
        problem = f"{type(error).__name__} {error}"[:_SHOWN]
        return GenerationFailed(Fault.GARBAGE, f"模型服务 {self.shown} 的回答不对：{problem}{where}")


def _piece(delta: _Delta) -> Piece:
    raw = delta.raw
    usage = getattr(raw, "usage", None)
    counted = (usage.prompt_tokens, usage.completion_tokens) if usage else None
    tokens = counted if counted and all(isinstance(count, int) for count in counted) else None
    finish = raw.choices[0].finish_reason or "" if raw.choices else ""
    return Piece(delta.delta or "", bool(delta.additional_kwargs.get("thinking_delta")), finish, tokens)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
