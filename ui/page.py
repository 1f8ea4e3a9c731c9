"""What leaves the server: only our own origin, only the addresses the console needs.

Gradio's page asks for a preview picture, a manifest and, in some releases, a script of a CDN; a
console that holds citizens' questions may not. The tags are taken out here, and a
Content-Security-Policy makes the browser refuse whatever a later release may add.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio's doors that the console does not use: uploads, files, proxying, direct calls, run history.
_CLOSED = re.compile(
    r"/(gradio_api/(upload|file|proxy|stream|call|run|api|component_server|process_recording|vibe|undo|"
    r"profiling|custom_component|info|openapi)|svelte|monitoring|manifest\.json|pwa_icon|runs)"
)
_OUTSIDE_TAG = re.compile(
    r"<meta\b[^>]*\b(?:property|name)=\"(?:og|twitter):[^>]*>|<link\b[^>]*\brel=\"manifest\"[^>]*>"
    r"|<link\b[^>]*\bhref=\"(?:https?:)?//[^>]*>|<script\b[^>]*\bsrc=\"(?:https?:)?//[^>]*>\s*</script>",
    re.IGNORECASE,
)
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.IGNORECASE | re.DOTALL)
_OWN_ASSETS = '<link rel="stylesheet" href="./console.css"><script src="./console.js" defer></script></head>'


def guard(app: ASGIApp) -> ASGIApp:
    """``app`` behind our headers, with unused doors closed and its HTML pages cleaned."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif _CLOSED.match(scope["path"]):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
        elif scope["path"] == "/":
            await app(_uncompressed(scope), receive, _cleaning(send))
        else:
            await app(scope, receive, _with_headers(send))

    return guarded


def clean_page(page: str) -> str:
    """The page without outside references, in Chinese, with our own style and script."""
    page = _OUTSIDE_TAG.sub("", page).replace('lang="en"', 'lang="zh-CN"', 1)
    return page.replace("</head>", _OWN_ASSETS, 1)


def content_policy(page: str) -> str:
    """A Content-Security-Policy that runs our files and exactly the inline scripts of ``page``.

    An injected ``onerror=`` or ``<script>`` is not among the hashes and does not run. Gradio sets
    style attributes, so styles stay 'unsafe-inline'; its HTML component fills a template with
    ``new Function``, hence 'unsafe-eval'.
    """
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(page))
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    )


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode("utf-8")).digest()).decode("ascii")


def _uncompressed(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
    return {**scope, "headers": headers}


def _add_headers(message: Message, policy: str) -> None:
    headers = MutableHeaders(scope=message)
    headers.setdefault("content-security-policy", policy)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "no-referrer")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _add_headers(message, content_policy(""))
        await send(message)

    return sending


def _cleaning(send: Send) -> Send:
    """A ``send`` that holds an HTML page back until it is whole, cleans it and sends it."""
    start: Message = {}
    body = bytearray()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        content, policy = bytes(body), content_policy("")
        if content and Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
            page = clean_page(content.decode("utf-8"))
            content, policy = page.encode("utf-8"), content_policy(page)
            MutableHeaders(scope=start)["content-length"] = str(len(content))
        _add_headers(start, policy)
        await send(start)
        await send({"type": "http.response.body", "body": content})

    return sending
