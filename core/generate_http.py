"""HTTP whose every wait ends: one connection for one reply, with limits on its time and its bytes."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator

import httpcore
import httpx

_STREAM = "text/event-stream"


class WrongReply(Exception):
    """What came is not the stream of events that was asked for."""


class Clock:
    """When the next piece must be there. One thread reads, another may look and `stop` it."""

    def __init__(self, *, first: float, between: float, end: float) -> None:
        """``first`` and ``between`` in seconds; ``end`` by `time.monotonic`."""
        self._between = between
        self._end = end
        self._until = min(time.monotonic() + first, end)
        self._stopped = threading.Event()

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def piece(self) -> None:
        """A piece has come: the next has its own time."""
        self._until = min(time.monotonic() + self._between, self._end)

    def stop(self) -> None:
        """Nobody waits for pieces any more."""
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        self._stopped.wait(seconds)


class ClockedTransport(httpx.BaseTransport):
    """For one reply. httpx limits each read; a server that sends a byte a second would hold it for ever.

    Proxies of the environment are not used: a model server stands inside the network.
    """

    def __init__(self, clock: Clock, *, connect_seconds: float, max_bytes: int) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=None,
            max_connections=1,
            network_backend=_ClockedBackend(clock, connect_seconds, max_bytes),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `WrongReply` and errors of httpcore."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        reply = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions={key: value for key, value in request.extensions.items() if key != "timeout"},
            )
        )
        headers = httpx.Headers(reply.headers)
        kind = headers.get("Content-Type", "")
        packed = headers.get("Content-Encoding", "identity")        # was not asked for, and could be a bomb
        if reply.status == httpx.codes.OK and (not kind.startswith(_STREAM) or packed != "identity"):
            reply.close()
            raise WrongReply(f"应为 {_STREAM}，实际是 {kind or '没有类型的内容'}（{packed}）")
        assert isinstance(reply.stream, Iterable)
        return httpx.Response(reply.status, headers=headers, stream=_Body(reply))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, reply: httpcore.Response) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        return self._reply.iter_stream()

    def close(self) -> None:
        self._reply.close()


class _ClockedBackend(httpcore.NetworkBackend):
    def __init__(self, clock: Clock, connect_seconds: float, max_bytes: int) -> None:
        self._plain = httpcore.SyncBackend()
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._max_bytes = max_bytes

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(self._connect_seconds, self._clock.left)
        if seconds <= 0:
            raise httpcore.ReadTimeout          # the time went elsewhere: the server is not to blame
        stream = self._plain.connect_tcp(host, port, seconds, local_address, socket_options)
        return _ClockedStream(stream, self._clock, self._max_bytes)


class _ClockedStream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, clock: Clock, max_bytes: int) -> None:
        self._plain = plain
        self._clock = clock
        self._bytes_left = max_bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._clock.left
        if left <= 0 or self._clock.stopped:
            raise httpcore.ReadTimeout
        data = self._plain.read(max_bytes, left)
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise WrongReply("回答没有尽头")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._clock.left
        if left <= 0:
            raise httpcore.WriteTimeout
        self._plain.write(buffer, left)

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left
        if left <= 0:
            raise httpcore.ConnectTimeout
        stream = self._plain.start_tls(ssl_context, server_hostname, left)
        return _ClockedStream(stream, self._clock, self._bytes_left)

    def get_extra_info(self, info: str) -> object:
        return self._plain.get_extra_info(info)
