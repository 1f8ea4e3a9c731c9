"""Real local HTTP servers for tests: a model hub in miniature, and whatever a handler function answers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, object]


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(answer: Callable[[str, dict[str, object], dict[str, str]], Answer]) -> Iterator[str]:
    """A JSON server: ``answer`` gets path, body and headers and gives (status, JSON value or raw bytes)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: dict[str, object]) -> None:
            status, value = answer(self.path, body, {name.lower(): text for name, text in self.headers.items()})
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with serving(Handler) as address:
        yield address


@dataclass
class Hub:
    """Files of one model as the public hub serves them: large ones by redirect, all with hashes."""

    files: dict[str, bytes]
    repo: str = "BAAI/bge-small-zh-v1.5"
    revision: str = "a" * 40
    bare_list: bool = False                        # sizes and hashes in the headers of files only
    no_tags: bool = False                          # hashes nowhere
    ranges: bool = True
    cut: dict[str, list[int]] = field(default_factory=dict)        # path -> bytes after which an answer breaks off
    changed: dict[str, bytes] = field(default_factory=dict)        # path -> what is sent instead
    busy: int = 0                                  # answers of 503 before files come
    asked: list[tuple[str, str]] = field(default_factory=list)     # (path, Range) of each file sent

    def info(self) -> dict[str, object]:
        siblings: list[dict[str, object]] = []
        for name, data in self.files.items():
            row: dict[str, object] = {"rfilename": name}
            if not self.bare_list:
                row |= {"size": len(data), "blobId": git_sha1(data)}
                if is_large(name):
                    row["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            siblings.append(row)
        return {"id": self.repo, "sha": self.revision, "siblings": siblings}

    @contextmanager
    def serve(self) -> Iterator[str]:
        hub = self

        class Handler(_HubHandler):
            of = hub

        with serving(Handler) as address:
            yield address


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", ".pt"))


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _HubHandler(BaseHTTPRequestHandler):
    of: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.of, self.path.partition("?")[0]
        resolve = f"/{hub.repo}/resolve/{hub.revision}/"
        if path in (f"/api/models/{hub.repo}/revision/main", f"/api/models/{hub.repo}/revision/{hub.revision}"):
            self.send_whole(json.dumps(hub.info()).encode())
        elif path.startswith("/cdn/"):
            self.send_part(path.removeprefix("/cdn/"))
        elif path.removeprefix(resolve) not in hub.files or not path.startswith(resolve):
            self.send_error(404)
        elif is_large(path):
            self.redirect(path.removeprefix(resolve))
        else:
            self.send_part(path.removeprefix(resolve))

    def redirect(self, name: str) -> None:
        data = self.of.files[name]
        self.send_response(302)
        self.send_header("Location", f"/cdn/{name}")
        if not self.of.no_tags:
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_part(self, name: str) -> None:
        hub = self.of
        if self.command == "GET" and hub.busy:
            hub.busy -= 1
            self.send_error(503)
            return
        data = hub.changed.get(name, hub.files[name])
        wanted = self.headers.get("Range", "") if hub.ranges else ""
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if self.command == "GET":
            hub.asked.append((name, wanted))
        self.send_response(206 if start else 200)
        if not hub.no_tags:
            self.send_header("ETag", f'"{git_sha1(data)}"')
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cuts = hub.cut.get(name, [])
        if self.command == "GET" and cuts:
            self.wfile.write(data[start : start + cuts.pop(0)])
            self.close_connection = True
        elif self.command == "GET":
            self.wfile.write(data[start:])

    def send_whole(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
