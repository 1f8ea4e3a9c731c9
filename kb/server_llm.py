"""A language model behind an OpenAI-compatible server, as llama-index calls one."""

from __future__ import annotations

import asyncio
import re

from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from pydantic import BaseModel

from core.model_server import ModelServer

_PATH = "/v1/chat/completions"
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)      # what a reasoning model says to itself


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Answer(BaseModel):
    choices: list[_Choice]


class ServerLLM(CustomLLM):
    """Answers to one prompt at temperature 0. Threads may share it; who made the server closes it."""

    _server: ModelServer = PrivateAttr()

    def __init__(self, server: ModelServer) -> None:
        super().__init__()
        self._server = server

    @classmethod
    def class_name(cls) -> str:
        return "ServerLLM"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self._server.model)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False) -> CompletionResponse:
        """Raises `BackendUnavailable`."""
        body: dict[str, object] = {
            "model": self._server.model, "messages": [{"role": "user", "content": prompt}], "temperature": 0,
        }
        answer = self._server.post(_PATH, body, _Answer)
        if answer is None or not answer.choices:
            raise self._server.bad(_PATH, "没有这个路径或这个模型，或回答是空的")
        return CompletionResponse(text=_THOUGHT.sub("", answer.choices[0].message.content or "").strip())

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False) -> CompletionResponseGen:
        """In one piece."""
        def whole() -> CompletionResponseGen:
            answer = self.complete(prompt, formatted=formatted)
            yield CompletionResponse(text=answer.text, delta=answer.text)

        return whole()

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False) -> CompletionResponse:
        """In another thread: llama-index's own way would let one answer wait for the other."""
        return await asyncio.to_thread(self.complete, prompt, formatted=formatted)
