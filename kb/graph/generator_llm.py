"""The shared model core's language model, as llama-index calls one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback

from core.ports import Generator, Message
from core.tasks import Task


class GeneratorLLM(CustomLLM):
    """Answers to one prompt within the limits of a task. Threads may share it."""

    _generator: Generator = PrivateAttr()
    _task: Task = PrivateAttr()

    def __init__(self, generator: Generator, task: Task) -> None:
        super().__init__()
        self._generator = generator
        self._task = task

    @classmethod
    def class_name(cls) -> str:
        return "GeneratorLLM"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self._generator.name)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False) -> CompletionResponse:
        """Raises `GenerationFailed`."""
        return CompletionResponse(text="".join(self._pieces(prompt)).strip())

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False) -> CompletionResponseGen:
        def growing() -> CompletionResponseGen:
            text = ""
            for piece in self._pieces(prompt):
                text += piece
                yield CompletionResponse(text=text, delta=piece)

        return growing()

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False) -> CompletionResponse:
        """In another thread: llama-index's own way would let one answer wait for the other."""
        return await asyncio.to_thread(self.complete, prompt, formatted=formatted)

    def _pieces(self, prompt: str) -> Iterator[str]:
        return self._generator.stream(self._task, [Message("user", prompt)])
