"""The agents' console: one question in, the answer on the left, the cited articles on the right."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from core.errors import BackendUnavailable, MissingExtra, NotFound, PolicyDeskError
from core.records import Answer, Document, Question, Turn
from core.regions import region_chain, region_code
from ui.render import EMPTY_ANSWER, EMPTY_CARDS, answer_html, cards_html, message_html

if TYPE_CHECKING:
    from fastapi import FastAPI
    from gradio import Blocks

MAX_QUESTION_CHARS = 1000    # a transcribed call is about 300; beyond this it is a pasted document
NEAR_REGIONS = 8             # more radio buttons than this wrap into a third line at 1366 px
MAX_TURNS = 20               # of a conversation; later ones are understood with the last few
WORKERS = 16                 # questions answered at once; gradio's own default is 1
_NATIONAL = "national"
_EVERYWHERE = ""
_FONTS = ["system-ui", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"]
_MONO_FONTS = ["Noto Sans Mono CJK SC", "Consolas", "monospace"]


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """The functions and facts that the console is made of."""

    ask: Callable[[Question], Iterator[Answer]]     # as far as it is made, each time more; the last one is whole
    turn: Callable[[Question, Answer], Turn]         # what later questions are understood with
    document: Callable[[str], Document]
    regions: Mapping[str, str]           # code -> name
    home_region: str                     # empty: every region
    examples: tuple[str, ...]            # questions to click


def make_app(parts: ConsoleParts) -> FastAPI:
    """A web application with the console at "/". Raises `MissingExtra` without gradio."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"    # read once, when gradio is imported
    try:
        import gradio
    except ModuleNotFoundError as error:
        raise MissingExtra("gradio", "ui") from error
    from fastapi import FastAPI
    from fastapi.responses import Response
    from starlette.routing import Route

    from ui.page import guard

    app = FastAPI(title="政策台", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(guard)
    for name, media_type in (("console.css", "text/css"), ("console.js", "text/javascript")):
        asset = Response(_asset(name), media_type=media_type, headers={"cache-control": "no-cache"})
        app.router.routes.append(Route(f"/{name}", asset))
    gradio.mount_gradio_app(
        app,
        _blocks(parts),
        "/",
        footer_links=[],
        app_kwargs={"openapi_url": None},
        run_history=False,    # it would keep citizens' questions in the browser
        allowed_paths=[],
        show_error=False,
        max_file_size="1kb",  # nothing is uploaded here
        ssr_mode=False,
        pwa=False,
        theme=gradio.themes.Base(font=_FONTS, font_mono=_MONO_FONTS),
    )
    return app


def serve_app(app: FastAPI, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted; ``on_ready`` gets the address once connections are accepted.

    Port 0 picks a free one. Raises `BackendUnavailable` when the port cannot be had.
    """
    import uvicorn

    listener = _listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready(address)

    settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    with listener:
        Server(settings).run(sockets=[listener])


def read_question(text: str, region: str, other: str, day: str, regions: Mapping[str, str]) -> Question:
    """The question as the form states it; ``other``, a typed region, goes before the chosen one.

    Raises `ValueError` with a message for the agent.
    """
    text = text.strip()
    if not text:
        raise ValueError("请先输入市民的问题，例如：高龄津贴怎么申领？")
    if len(text) > MAX_QUESTION_CHARS:
        raise ValueError(f"问题最多 {MAX_QUESTION_CHARS} 字，现在是 {len(text)} 字。请只保留要问的事项。")
    code = _typed_region(other.strip(), regions) if other.strip() else region
    return Question(
        text=text,
        region=None if code in (_NATIONAL, _EVERYWHERE) else code,
        national=code == _NATIONAL,
        as_of=_typed_day(day.strip()),
    )


def near_regions(home: str, regions: Mapping[str, str]) -> list[tuple[str, str]]:
    """Choices (label, value) of the region setting: home first, then its surroundings, then the country."""
    if not home:
        return [("全部地区", _EVERYWHERE), ("仅全国规定", _NATIONAL)]
    above = [code for code in region_chain(home) if code and code != home]
    below = sorted(code for code in regions if code[:4] == home[:4] and code not in (home, *above))
    codes = [home, *below, *reversed(above)][:NEAR_REGIONS]
    return [*((regions.get(code, code), code) for code in codes), ("仅全国规定", _NATIONAL)]


def respond(
    parts: ConsoleParts, text: str, region: str, other: str, day: str, history: tuple[Turn, ...] = ()
) -> Iterator[tuple[str, str, tuple[Turn, ...]]]:
    """What both columns show for one submitted form, as far as the answer is made, and the history after it."""
    try:
        question = replace(read_question(text, region, other, day, parts.regions), history=history)
    except ValueError as error:
        yield message_html(str(error)), EMPTY_CARDS, history
        return
    try:
        for answer in parts.ask(question):
            documents = _cited_documents(answer, parts.document)
            after = (*history, parts.turn(question, answer))[-MAX_TURNS:]
            yield answer_html(answer), cards_html(answer, documents, parts.regions), after
    except PolicyDeskError as error:
        yield message_html(str(error), title="暂时无法回答"), EMPTY_CARDS, history


def _blocks(parts: ConsoleParts) -> Blocks:
    import gradio as gr

    def on_ask(
        text: str, region: str, other: str, day: str, history: tuple[Turn, ...]
    ) -> Iterator[tuple[str, str, tuple[Turn, ...]]]:
        yield from respond(parts, text, region, other, day, history)

    def on_example(
        example: str, region: str, other: str, day: str
    ) -> Iterator[tuple[str, str, str, tuple[Turn, ...]]]:
        for shown in respond(parts, example, region, other, day):
            yield (example, *shown)

    def on_new_call() -> tuple[str, str, str, tuple[Turn, ...]]:
        return "", EMPTY_ANSWER, EMPTY_CARDS, ()

    choices = near_regions(parts.home_region, parts.regions)
    blocks = gr.Blocks(title="政策台", analytics_enabled=False, fill_width=True)
    with blocks:
        gr.HTML(_banner(parts), js_on_load=None, apply_default_css=False, elem_id="pd-banner")
        with gr.Row(elem_id="pd-ask"):
            question = gr.Textbox(
                label="市民的问题",
                placeholder="输入市民的问题，按 Enter 查询",
                lines=1,
                max_lines=4,
                scale=8,
                autofocus=True,
                elem_id="pd-question",
            )
            submit = gr.Button("查询", variant="primary", scale=1, min_width=96, elem_id="pd-submit")
            new_call = gr.Button("新的来电", scale=1, min_width=96, elem_id="pd-new-call")
        history = gr.State(())
        with gr.Row(elem_id="pd-settings"):
            region = gr.Radio(choices, value=choices[0][1], label="地区", scale=5, elem_id="pd-region")
            other = gr.Textbox(label="其他地区", placeholder="全名或 6 位代码", scale=1, elem_id="pd-other")
            day = gr.Textbox(label="适用日期（空为今天）", placeholder="YYYY-MM-DD", scale=1, elem_id="pd-day")
        with gr.Row(elem_id="pd-examples", visible=bool(parts.examples)):
            examples = [gr.Button(example, size="sm", min_width=0) for example in parts.examples]
        with gr.Row(elem_id="pd-columns"):
            answer = gr.HTML(EMPTY_ANSWER, js_on_load=None, apply_default_css=False, elem_id="pd-answer")
            cards = gr.HTML(EMPTY_CARDS, js_on_load=None, apply_default_css=False, elem_id="pd-cards")
        form = [question, region, other, day]
        gr.on(
            [question.submit, other.submit, day.submit, submit.click],
            on_ask,
            [*form, history],
            [answer, cards, history],
            show_progress="hidden",
            api_visibility="private",
        )
        for button in examples:
            button.click(
                on_example,
                [button, *form[1:]],
                [question, answer, cards, history],
                show_progress="hidden",
                api_visibility="private",
            )
        new_call.click(
            on_new_call, None, [question, answer, cards, history], show_progress="hidden", api_visibility="private"
        )
    blocks.queue(api_open=False, default_concurrency_limit=WORKERS)
    return blocks


def _banner(parts: ConsoleParts) -> str:
    home = escape(parts.regions.get(parts.home_region, "全部地区"))
    return (
        '<header class="pd-banner"><h1>政策台</h1><span class="pd-subtitle">12345 热线坐席政策查询</span>'
        f'<span class="pd-home">本地：{home}</span></header>'
    )


def _cited_documents(answer: Answer, document: Callable[[str], Document]) -> dict[str, Document]:
    """Documents by id; one that was removed meanwhile is left out, and its card shows the quote."""
    documents = {}
    for identity in {citation.document for citation in answer.citations}:
        try:
            documents[identity] = document(identity)
        except NotFound:
            continue
    return documents


def _typed_region(name: str, regions: Mapping[str, str]) -> str:
    code = region_code(name, regions)
    if code is None:
        raise ValueError(f"没有名为“{name}”的地区。请填地区全名（如 临澜市）或 6 位区划代码（如 900100）。")
    return code


def _typed_day(day: str) -> date | None:
    if not day:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
            raise ValueError(day)
        return date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"适用日期“{day}”不是有效日期。请按 年-月-日 填写，例如 2025-03-01；留空表示今天。") from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise BackendUnavailable(
            f"cannot listen on {host}:{port} ({error.strerror or error}); stop the program that uses the port, "
            f"or choose a free one: policydesk serve --port 0"
        ) from error


def _asset(name: str) -> str:
    return files("ui").joinpath("assets", name).read_text(encoding="utf-8")
