"""Calls to a Qdrant server: made again while it may recover, and their failures as ours."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from core.config import StorageConfig
from core.errors import BackendUnavailable, PolicyDeskError, StorageFull

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0     # seconds before a call is made again
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_REFUSED = (401, 403)
_FULL = (b"No space left", b"exceeds available disk space")

_FAILURES = (ApiException, QdrantException, httpx.HTTPError, json.JSONDecodeError)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a server is asked."""

    address: str                 # as it is shown
    tries: int
    seconds: int                 # that one answer may take


def patience_of(config: StorageConfig) -> Patience:
    shown = config.vectors
    if shown != ":memory:":
        shown = str(httpx.URL(shown).copy_with(username=None, password=None))
    return Patience(shown, config.tries, config.answer_seconds)


def ask(patience: Patience, call: Callable[[], Result], *, wait_again: bool = False) -> Result:
    """What ``call`` returns, which must be safe to make twice. Raises `BackendUnavailable` or `StorageFull`.

    A call that took too long is made again with ``wait_again`` only: who asks a question has waited enough.
    """
    pause, left = _FIRST_PAUSE, patience.tries
    while True:
        left -= 1
        try:
            return call()
        except _FAILURES as error:
            if not left or not _may_recover(error, wait_again=wait_again):
                raise _as_ours(error, patience) from error
            asked_for = error.retry_after_s if isinstance(error, ResourceExhaustedResponse) else 0
            time.sleep(min(max(pause, asked_for), _LONGEST_PAUSE))
            pause *= 3


def _may_recover(error: Exception, *, wait_again: bool) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _BUSY and not _is_full(error)
    if isinstance(error, ResponseHandlingException):
        error = error.source
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return wait_again
    return isinstance(error, httpx.TransportError | ResourceExhaustedResponse)


def _is_full(error: UnexpectedResponse) -> bool:
    return any(words in error.content for words in _FULL)


def _as_ours(error: Exception, patience: Patience) -> PolicyDeskError:
    where = f"Qdrant 服务 {patience.address}"
    if isinstance(error, UnexpectedResponse) and error.status_code in _REFUSED:
        return BackendUnavailable(
            f"{where} 拒绝访问（HTTP {error.status_code}）。"
            "请检查 storage.vectors 的地址，并用环境变量 POLICYDESK_STORAGE__VECTORS_API_KEY 设置它的密钥"
        )
    if isinstance(error, UnexpectedResponse) and _is_full(error):
        return StorageFull(f"{where} 的磁盘已满：{error}。请清理磁盘后重试")
    cause = error.source if isinstance(error, ResponseHandlingException) else error
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
        return BackendUnavailable(
            f"{where} 连不上（试了 {patience.tries} 次）：{cause}。请检查 storage.vectors 的地址和服务状态"
        )
    if isinstance(cause, httpx.TimeoutException):
        return BackendUnavailable(
            f"{where} 在 {patience.seconds} 秒内没有应答。请检查服务状态，或调大 storage.answer_seconds"
        )
    return BackendUnavailable(f"{where} 没有正常应答：{cause}。请检查 storage.vectors 的地址和服务状态")
