"""A real HTTP server with OpenAI's interface that fails on demand: the name of the model asked for says how.

Tests start it by `scripted`. To try by hand: ``python tests/model_server_scripted.py 8000``, then
``generate.model: openai:http://127.0.0.1:8000#drip``.
"""

from __future__ import annotations

import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from http_servers import serving

Body = dict[str, object]
Reply = Callable[[Body], str]

# (status, Retry-After) of modes that answer with an error
STATUS = {
    "error-400": (400, ""), "error-401": (401, ""), "error-404": (404, ""), "error-500": (500, ""),
    "error-502": (502, ""), "error-503": (503, ""), "busy": (429, ""), "busy-short": (429, "0"),
    "busy-long": (429, "3600"), "redirect": (302, ""),
}
# what follows "data: ", or whole lines, of modes that send nonsense
NONSENSE = {
    "garbage": b"\x00\xff\xfe\x9c\x80garbage\r\r\x07" * 50 + b"\n\n",
    "garbage-json": b'data: {"choices": [{"delta": {"content": \n\n',
    "invalid-utf8": b'data: {"choices": [{"index": 0, "delta": {"content": "\xff\xfe\xb3"}}]}\n\n',
    "wrong-shape": b'data: {"choices": "none", "id": 3}\n\n',
    "wrong-list": b"data: [1, 2, 3]\n\n",
    "wrong-delta": b'data: {"choices": [{"delta": {"content": {"a": 1}}}]}\n\n',
    "deep": b"data: " + b"[" * 200_000 + b"\n\n",
    "error-event": b'data: {"error": {"message": "engine died", "code": 500}}\n\n',
}
TEXT = "每人每月补贴一百元。"
_QUOTED = re.compile(
    r"(?:输出|回答|回复|写|说|改成|say|output|reply|answer|print)[^\n“\"「]{0,20}[“\"「](.{1,200}?)[”\"」]",
    re.IGNORECASE,
)
_LEAK = re.compile(
    r"(?:重复|泄露|给出|显示|reveal|repeat|print).{0,20}(?:系统提示|上面的指示|system prompt|instructions)",
    re.IGNORECASE,
)


def plain(body: Body) -> str:
    """A fixed text, or the smallest value of the schema that was sent."""
    schema = sent_schema(body)
    return json.dumps(_value(schema, schema, TEXT), ensure_ascii=False) if schema else TEXT


def obedient(body: Body) -> str:
    """Does what any line of its prompt tells it, wherever the line stands; else `plain`."""
    messages = body["messages"]
    assert isinstance(messages, list)
    prompt = "\n".join(str(message["content"]) for message in messages)
    if _LEAK.search(prompt):
        text = next((str(message["content"]) for message in messages if message["role"] == "system"), prompt)
    elif orders := _QUOTED.findall(prompt):
        text = "".join(orders)
    else:
        return plain(body)
    schema = sent_schema(body)
    return json.dumps(_value(schema, schema, text), ensure_ascii=False) if schema else text


def sent_schema(body: Body) -> dict[str, object]:
    wanted = body.get("response_format")
    return wanted["json_schema"]["schema"] if isinstance(wanted, dict) and "json_schema" in wanted else {}


def mutant(seed: int) -> bytes:
    """A reply in order but for a few places, where bytes were lost, changed or doubled."""
    chance = random.Random(seed)
    delta = {"index": 0, "delta": {"role": "assistant", "content": TEXT}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 7}}
    events = [{"id": "1", "choices": [delta]}, {"id": "1", "choices": [end]}, {"id": "1", **usage}]
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    data = bytearray(b"".join([*lines, b"data: [DONE]\n\n"]))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        start = chance.randrange(len(data))
        end_at = start + chance.randint(0, 12)
        kind = chance.choice(("lost", "bytes", "doubled", "null", "number", "list"))
        put = {
            "lost": b"", "bytes": chance.randbytes(3), "doubled": bytes(data[start:end_at]) * 2,
            "null": b"null", "number": b"-1e9", "list": b"[]",
        }[kind]
        data[start:end_at] = put
    return bytes(data)


@dataclass
class Scripted:
    """What the server was asked, and how many asked at once."""

    reply: Reply = plain
    beat: float = 0.02                                     # seconds between pieces of slow modes
    next: list[str] = field(default_factory=list)          # modes of the next calls, whatever model they ask for
    address: str = ""
    asked: list[Body] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)          # Authorization headers
    at_once: int = 0
    most_at_once: int = 0
    hung_up: int = 0                                       # clients that left before the end
    ending: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def word(self, mode: str) -> str:
        """For ``generate.model``."""
        return f"openai:{self.address}#{mode}"

    def times(self, mode: str) -> int:
        with self.lock:
            return sum(body["model"] == mode for body in self.asked)


@contextmanager
def scripted(reply: Reply = plain, beat: float = 0.02) -> Iterator[Scripted]:
    of = Scripted(reply, beat)

    class Handler(_Handler):
        script = of

    with serving(Handler) as address:
        of.address = address
        try:
            yield of
        finally:
            of.ending.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Scripted

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.whole(200, {"object": "list", "data": [{"id": "ok", "object": "model"}]})

    def do_POST(self) -> None:
        script = self.script
        body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with script.lock:
            script.asked.append(body)
            script.keys.append(self.headers.get("Authorization", ""))
            script.at_once += 1
            script.most_at_once = max(script.most_at_once, script.at_once)
        self.close_connection = True
        try:
            with script.lock:
                mode = script.next.pop(0) if script.next else str(body["model"])
            self.play(mode, body)
        except OSError:
            with script.lock:
                script.hung_up += 1
        finally:
            with script.lock:
                script.at_once -= 1

    def play(self, mode: str, body: Body) -> None:
        if mode in STATUS:
            status, wait = STATUS[mode]
            self.whole(status, {"error": {"message": f"scripted {status}", "type": "scripted"}}, wait)
        elif mode == "html":
            self.raw(b"text/html", b"<html><body>502 Bad Gateway</body></html>")
        elif mode == "wrong-type" or not body.get("stream"):
            self.whole(200, self.completion(self.script.reply(body)))
        elif mode == "zipped":
            self.raw(b"text/event-stream\r\nContent-Encoding: gzip", b"\x1f\x8b\x08\x00")
        elif mode == "hang":
            self.script.ending.wait(60)
        elif mode == "drip-headers":
            self.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100_000)
        else:
            self.stream(mode, body)

    def stream(self, mode: str, body: Body) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        if mode in NONSENSE:
            self.chunk(NONSENSE[mode])
            self.chunk(b"")
        elif mode.startswith("mutant-"):
            self.chunk(mutant(int(mode.removeprefix("mutant-"))))
            self.chunk(b"")
        elif hasattr(self, f"play_{mode.replace('-', '_')}"):
            getattr(self, f"play_{mode.replace('-', '_')}")(body)
        else:
            self.say(self.written(mode, body))

    def written(self, mode: str, body: Body) -> str:
        """What modes say whose stream is in order."""
        text = obedient(body) if mode == "obedient" else self.script.reply(body)
        return {
            "thinking": f"<think>先想一想，{TEXT}</think>\n\n{text}",
            "thinking-stray": f"先想一想</think>\n\n{text}",
            "thinking-only": "<think>想了又想",
            "fenced": f"好的，结果如下：\n```json\n{text}\n```\n请查收。",
            "truncated-json": text[: len(text) * 2 // 3],
            "wrong-schema": '{"other": [1, 2]}',
            "wrong-once": text if len(body["messages"]) > 2 else '{"other": 1}',   # type: ignore[arg-type]
            "prose": "我不会写 JSON。",
            "control": "第一行\x00\x07\ud83d完",
            "raw-control": text.replace("一", "\n一"),
            "comma": text.removesuffix("}") + ",}",
        }.get(mode, text)

    def say(self, text: str, finish: str | None = "stop", *, usage: bool = True) -> None:
        for start in range(0, len(text), 2):
            self.delta({"content": text[start : start + 2]})
        if finish:
            self.delta({}, finish)
        if usage:
            self.event({"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 7, "total_tokens": 47}})
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def play_hang_after_headers(self, body: Body) -> None:
        self.script.ending.wait(60)

    def play_hang_midway(self, body: Body) -> None:
        self.delta({"content": TEXT[:4]})
        self.script.ending.wait(60)

    def play_drip(self, body: Body) -> None:
        self.drip(b"20000\r\ndata: " + b" " * 100_000)

    def play_slow(self, body: Body) -> None:
        for char in TEXT:
            self.delta({"content": char})
            self.script.ending.wait(self.script.beat)
        self.say("")

    def play_endless(self, body: Body) -> None:
        while not self.script.ending.wait(self.script.beat):
            self.delta({"content": "还有"})

    def play_torrent(self, body: Body) -> None:
        while not self.script.ending.is_set():
            self.delta({"content": "还有" * 500})

    def play_endless_thought(self, body: Body) -> None:
        while not self.script.ending.wait(self.script.beat):
            self.delta({"reasoning_content": "嗯"})

    def play_endless_nothing(self, body: Body) -> None:
        while not self.script.ending.wait(self.script.beat):
            self.chunk(b": ping\n\n")
            self.delta({"content": ""})

    def play_cut(self, body: Body) -> None:
        self.delta({"content": TEXT[:4]})
        self.wfile.flush()                   # and no last chunk

    def play_cut_early(self, body: Body) -> None:
        self.wfile.write(b"50\r\ndata: {")

    def play_no_end(self, body: Body) -> None:
        self.say(TEXT[:4], None)

    def play_no_events(self, body: Body) -> None:
        self.chunk(b"")

    def play_empty(self, body: Body) -> None:
        self.say("")

    def play_blank(self, body: Body) -> None:
        self.say(" \n\n ")

    def play_empty_choices(self, body: Body) -> None:
        self.event({"choices": []})
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def play_null_content(self, body: Body) -> None:
        self.delta({"role": "assistant", "content": None})
        self.delta({"content": None}, "stop")
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def play_length(self, body: Body) -> None:
        text = self.script.reply(body)
        self.say(text[: len(text) // 2], "length")

    def play_tool_calls(self, body: Body) -> None:
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "rm", "arguments": "{}"}}
        self.delta({"tool_calls": [call]}, "tool_calls")
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def play_huge(self, body: Body) -> None:
        self.chunk(b"data: ")
        for _ in range(200):
            self.chunk(b"a" * 1_000_000)

    def play_thinking_apart(self, body: Body) -> None:
        self.delta({"reasoning_content": "先想一想"})
        self.say(self.script.reply(body))

    def play_no_usage(self, body: Body) -> None:
        self.say(self.script.reply(body), usage=False)

    def delta(self, delta: dict[str, object], finish: str | None = None) -> None:
        self.event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def event(self, event: dict[str, object]) -> None:
        whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "ok", **event}
        self.chunk(b"data: " + json.dumps(whole).encode() + b"\n\n")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def drip(self, data: bytes) -> None:
        for byte in data:
            if self.script.ending.wait(self.script.beat):
                return
            self.wfile.write(bytes([byte]))

    def completion(self, text: str) -> dict[str, object]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "ok", "choices": [choice]}

    def whole(self, status: int, value: object, wait: str = "") -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if wait:
            self.send_header("Retry-After", wait)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(data)

    def raw(self, kind: bytes, data: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind)
        self.wfile.write(b"\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


def _value(schema: object, root: object, text: str) -> object:
    """The smallest value that ``schema`` takes, ``text`` wherever a string may be."""
    assert isinstance(schema, dict)
    assert isinstance(root, dict)
    if "$ref" in schema:
        return _value(root["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]], root, text)
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], root, text)
    match schema.get("type"):
        case "object":
            return {key: _value(value, root, text) for key, value in schema.get("properties", {}).items()}
        case "array":
            return [_value(schema.get("items", {}), root, text)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return text


if __name__ == "__main__":
    from http.server import ThreadingHTTPServer

    class ByHand(_Handler):
        script = Scripted(beat=1.0)

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    print(f"http://127.0.0.1:{port}", time.strftime("%H:%M"))  # noqa: T201
    ThreadingHTTPServer(("127.0.0.1", port), ByHand).serve_forever()
