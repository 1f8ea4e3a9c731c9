"""Models behind an HTTP server: embeddings as OpenAI's interface has them, scores as vLLM's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from core.config import ModelsConfig
from core.errors import BackendUnavailable, ConfigError
from core.ports import Scores, Vectors

_PAUSE = 0.2       # seconds before a busy server is asked again, then doubled
_BUSY = 503        # not 429: who limits us should not be asked faster
_Answer = TypeVar("_Answer", bound=BaseModel)


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Embeddings(BaseModel):
    data: list[_Embedding]


class _Score(BaseModel):
    model_config = ConfigDict(strict=True)

    index: int
    score: float


class _Scores(BaseModel):
    data: list[_Score]


class ModelServer:
    """One server and one of its models. Threads may share it."""

    def __init__(self, address: str, config: ModelsConfig, *, key: str) -> None:
        """``address`` is URL or URL#MODEL, with or without /v1. ``key`` is where the configuration names it.

        Without MODEL the server is asked, and must have one only. Raises `ConfigError`, `BackendUnavailable`.
        """
        url, _, model = address.partition("#")
        self._key = key
        try:
            self._url = httpx.URL(url.rstrip("/").removesuffix("/v1"))
        except httpx.InvalidURL as error:
            raise ConfigError(f"{key}：{url} 不是地址：{error}") from error
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ConfigError(f"{key}：{self.shown} 不是 http(s) 地址")
        self._tries = config.tries
        self._seconds = config.answer_seconds
        secret = config.api_key.get_secret_value()
        self._client = httpx.Client(
            timeout=httpx.Timeout(config.answer_seconds, connect=config.connect_seconds),
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
        )
        self.model = model
        try:
            self.model = model or self._only_model()
        except (BackendUnavailable, ConfigError):
            self.close()
            raise

    @property
    def shown(self) -> str:
        """The address without a password."""
        return str(self._url.copy_with(userinfo=b""))

    def close(self) -> None:
        self._client.close()

    def post(self, path: str, body: dict[str, object], kind: type[_Answer]) -> _Answer | None:
        """The server's answer; None when it knows no such path. Raises `BackendUnavailable`."""
        answer = self._send("POST", path, body)
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._parse(answer, path, kind)

    def bad(self, path: str, problem: str) -> BackendUnavailable:
        return BackendUnavailable(
            f"模型服务 {self.shown}{path} 的回答不对：{problem}（{self._key}，模型 {self.model or '未知'}）"
        )

    def _only_model(self) -> str:
        path = "/v1/models"
        answer = self._send("GET", path, None)
        names = [model.id for model in self._parse(answer, path, _Models).data]
        if len(names) != 1:
            raise ConfigError(
                f"{self._key}：{self.shown} 有 {len(names)} 个模型（{'、'.join(names[:5])}）。"
                "请在地址后写明一个，如 openai:http://10.0.0.5:8000#bge-m3"
            )
        return names[0]

    def _send(self, method: str, path: str, body: dict[str, object] | None) -> httpx.Response:
        """Asks again only when the server cannot have begun: it was busy, or not connected."""
        for tried in range(1, self._tries + 1):
            try:
                answer = self._client.request(method, f"{self._url}{path}", json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if tried == self._tries:
                    raise BackendUnavailable(
                        f"连不上模型服务 {self.shown}：{error or type(error).__name__}。"
                        f"请检查它是否在运行（{self._key}）"
                    ) from error
            except httpx.TimeoutException as error:
                raise BackendUnavailable(
                    f"模型服务 {self.shown}{path} 在 {self._seconds:g} 秒内没有回答"
                    f"（models.answer_seconds，{self._key}）"
                ) from error
            except httpx.HTTPError as error:
                raise BackendUnavailable(f"模型服务 {self.shown}{path} 中断了回答：{error}（{self._key}）") from error
            else:
                if answer.status_code != _BUSY or tried == self._tries:
                    return answer
            time.sleep(_PAUSE * 2 ** (tried - 1))
        raise AssertionError("models.tries is at least 1")

    def _parse(self, answer: httpx.Response, path: str, kind: type[_Answer]) -> _Answer:
        if not answer.is_success:
            raise BackendUnavailable(
                f"模型服务 {self.shown}{path} 回答 HTTP {answer.status_code}：{answer.text[:200]}（{self._key}）"
            )
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            first = error.errors()[0]
            raise self.bad(path, f"{'.'.join(map(str, first['loc']))} {first['msg']}") from error


class ServerEmbedder:
    """Any server with ``/v1/embeddings``. Questions and texts go in alike: the interface knows no difference."""

    def __init__(self, server: ModelServer, config: ModelsConfig) -> None:
        """Asks for one vector, to know how long they are."""
        self._server = server
        self._batch = config.batch
        self._max_chars = config.max_tokens
        self._dim: int | None = None
        self._dim = self._ask(["政策"]).shape[1]

    @property
    def name(self) -> str:
        """The server does not tell which revision it runs, so this holds the model's name and length alone."""
        return f"openai:{self._server.model}:{self._dim}"

    @property
    def dim(self) -> int:
        assert self._dim is not None
        return self._dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = [self._ask(batch) for batch in _batches(texts, self._batch)]
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), dtype=np.float32)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)

    def _ask(self, texts: Sequence[str]) -> Vectors:
        path = "/v1/embeddings"
        # a token is seldom less than a character in Chinese, so no text cut so is too long for the model
        cut = [text[: self._max_chars] or " " for text in texts]
        body: dict[str, object] = {"model": self._server.model, "input": cut, "encoding_format": "float"}
        answer = self._server.post(path, body, _Embeddings)
        if answer is None:
            raise self._server.bad(path, "没有这个路径，或没有这个模型（HTTP 404）")
        _check_order(self._server, path, [row.index for row in answer.data], len(texts))
        rows = [row.embedding for row in sorted(answer.data, key=lambda row: row.index)]
        if len({len(row) for row in rows} | ({self._dim} if self._dim else set())) != 1 or not rows[0]:
            raise self._server.bad(path, f"向量长 {sorted({len(row) for row in rows})}，应为 {self._dim or '同一长度'}")
        vectors = np.array(rows, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise self._server.bad(path, "向量中有不是数的值，或全为零")
        unit: Vectors = vectors / norms
        return unit


class ServerReranker:
    """A cross-encoder in vLLM by its ``/score``, or ``/v1/score`` where that is the one there.

    The range is the server's; vLLM gives probabilities from 0 to 1.
    """

    def __init__(self, server: ModelServer, config: ModelsConfig) -> None:
        self._server = server
        self._batch = config.batch
        self._max_chars = config.max_tokens
        self._paths: tuple[str, ...] = ("/score", "/v1/score")
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        return f"vllm:{self._server.model}"

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        rows = [self._ask(question, batch) for batch in _batches(texts, self._batch)]
        return np.concatenate(rows) if rows else np.zeros(0, dtype=np.float32)

    def _ask(self, question: str, texts: Sequence[str]) -> Scores:
        answer, path = self._post({
            "model": self._server.model,
            "text_1": question[: self._max_chars // 2] or " ",
            "text_2": [text[: self._max_chars] or " " for text in texts],
            "truncate_prompt_tokens": -1,          # to the model's own length, where vLLM would refuse a longer pair
        })
        _check_order(self._server, path, [row.index for row in answer.data], len(texts))
        scores = np.array([row.score for row in sorted(answer.data, key=lambda row: row.index)], dtype=np.float32)
        if not np.isfinite(scores).all():
            raise self._server.bad(path, "分数中有不是数的值")
        return scores

    def _post(self, body: dict[str, object]) -> tuple[_Scores, str]:
        for path in self._paths:
            answer = self._server.post(path, body, _Scores)
            if answer is not None:
                with self._turn:
                    self._paths = (path, *(other for other in self._paths if other != path))
                return answer, path
        raise self._server.bad(self._paths[0], "没有 /score 和 /v1/score，或没有这个模型（HTTP 404）")


def _batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def _check_order(server: ModelServer, path: str, indices: list[int], wanted: int) -> None:
    if sorted(indices) != list(range(wanted)):
        raise server.bad(path, f"问了 {wanted} 条，回答了 {len(indices)} 条")
