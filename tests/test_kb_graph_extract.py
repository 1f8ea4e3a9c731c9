"""Edges that a language model proposes, through llama-index's schema extractor: kept where the text says them."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.config import Config
from core.errors import GenerationFailed
from core.records import Facts
from core.tasks import EXTRACT
from kb.base import KnowledgeBase
from kb.schema import audit, edges
from policydesk.cli import app
from tests.generate_samples import generator
from tests.graph_samples import CITY, LAW, make, opened
from tests.model_server_scripted import Body, Scripted, scripted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")      # llama-index imports raise deprecation warnings of its own
    from llama_index.core import PropertyGraphIndex
    from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
    from llama_index.core.llms import CustomLLM, MockLLM
    from llama_index.core.llms.callbacks import llm_completion_callback

    from kb.graph.extract import extract, schema_extractor
    from kb.graph.generator_llm import GeneratorLLM
    from kb.graph.store import PolicyGraphStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
QUOTE = "办理养犬登记找区县公安机关"
RULE = make(
    Facts("临江市养犬登记规定", region="330100"),
    f"{QUOTE}，居民凭身份证和免疫证明办理。", "本规定所称犬主，是指饲养犬只的个人。", "无关的一条。",
)


@pytest.fixture
def base(config: Config, tmp_path: Path) -> Iterator[KnowledgeBase]:
    with opened(config, tmp_path / "home", LAW, CITY, RULE) as base:
        yield base


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("llama_index.core.indices.property_graph"), "disabled", True)


class ScriptedLLM(CustomLLM):
    """Gives what ``script`` makes of the prompt."""

    script: Callable[[str], str]

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False) -> CompletionResponse:
        return CompletionResponse(text=self.script(prompt))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False) -> CompletionResponseGen:
        raise NotImplementedError


def triplet(relation: str, kind: str, name: str, quote: str) -> dict[str, object]:
    return {
        "subject": {"type": "MATTER", "name": "养犬登记"},
        "relation": {"type": relation, "properties": {"quote": quote, "sure": 1}},
        "object": {"type": kind, "name": name},
    }


def answer(*triplets: dict[str, object]) -> str:
    return f"好的。\n```json\n{json.dumps({'triplets': triplets}, ensure_ascii=False)}\n```"


def script(prompt: str) -> str:
    """Two that hold, one that is invented, one off the schema; then nonsense for one article."""
    if QUOTE in prompt:
        return answer(
            triplet("RESPONSIBLE", "BODY", "区县公安机关", QUOTE),
            triplet("MATERIAL", "MATERIAL", "免疫证明", "居民凭身份证和免疫证明办理"),
            triplet("RESPONSIBLE", "BODY", "市城管局", "由市城管局负责养犬登记"),
            triplet("RESPONSIBLE", "MATERIAL", "身份证", "居民凭身份证"),
        )
    return "我不知道。" if "无关的一条" in prompt else answer()


def by_models(base: KnowledgeBase) -> list[tuple[str, str, str, str]]:
    with base.reading() as connection:
        rows = connection.execute(edges.select().where(edges.c.method == "llm").order_by(edges.c.number)).all()
    return [(row.kind, row.name, row.part, RULE.text[row.start : row.end]) for row in rows]


HELD = [
    ("responsible", "区县公安机关", "养犬登记", QUOTE),
    ("material", "免疫证明", "养犬登记", "居民凭身份证和免疫证明办理"),
]


def test_edges_that_the_text_says_are_kept_and_the_rest_is_counted(base: KnowledgeBase) -> None:
    done: list[tuple[int, int]] = []
    found = extract(
        base, ScriptedLLM(script=script), [RULE.id], who="test", on_articles=lambda there, of: done.append((there, of))
    )
    assert by_models(base) == HELD
    assert (found.articles, found.kept, found.unreadable) == (3, 2, 1)
    assert found.dropped == (("引文不在条文中", 1),)
    assert done == [(3, 3)]


def test_the_model_is_shown_title_address_words_and_schema(base: KnowledgeBase) -> None:
    prompts: list[str] = []

    def heard(prompt: str) -> str:
        prompts.append(prompt)
        return answer()

    extract(base, ScriptedLLM(script=heard), [RULE.id], who="test", workers=1)
    assert all(part in prompts[0] for part in (RULE.facts.title, "第一条", QUOTE, "RESPONSIBLE", '"quote"'[1:-1]))
    assert RULE.id not in prompts[0]


def test_reading_again_replaces_what_models_found_before(base: KnowledgeBase) -> None:
    for _ in range(2):
        extract(base, ScriptedLLM(script=script), [RULE.id], who="test")
        assert by_models(base) == HELD
    extract(base, ScriptedLLM(script=lambda prompt: answer()), [RULE.id], who="test")
    assert by_models(base) == []
    with base.reading() as connection:
        actions = [row.action for row in connection.execute(audit.select()) if row.action.startswith("graph")]
    assert actions == ["graph_add", "graph_drop", "graph_add", "graph_drop"]


def test_a_mock_llm_that_repeats_the_prompt_adds_nothing(base: KnowledgeBase) -> None:
    found = extract(base, MockLLM(), [RULE.id], who="test")
    assert (found.kept, found.unreadable) == (0, 3)


def test_llama_indexs_own_index_adds_the_same_edges(base: KnowledgeBase) -> None:
    store = PolicyGraphStore(base, who="test")
    made = partial(
        PropertyGraphIndex, nodes=store.get_llama_nodes([f"{RULE.id}#0"]), property_graph_store=store,
        embed_kg_nodes=False,
        kg_extractors=[schema_extractor(ScriptedLLM(script=script))],
    )
    with ThreadPoolExecutor(1) as own:       # in the main thread llama-index leaves an event loop open
        own.submit(made).result()
    assert by_models(base) == HELD


# over HTTP


@contextmanager
def llm_of(reply: Callable[[Body], str], mode: str) -> Iterator[tuple[GeneratorLLM, Scripted]]:
    with scripted(reply) as server:
        yield GeneratorLLM(generator(server.word(mode)), EXTRACT), server


def prompt_of(body: Body) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[0]["content"])


def test_an_openai_compatible_server_is_asked_about_all_articles_at_once(base: KnowledgeBase) -> None:
    together = threading.Barrier(3, timeout=20)

    def reply(body: Body) -> str:
        together.wait()
        return script(prompt_of(body))

    with llm_of(reply, "thinking") as (llm, server):
        found = extract(base, llm, [RULE.id], who="test")
    assert by_models(base) == HELD
    assert found.unreadable == 1
    assert {(call["model"], call["temperature"]) for call in server.asked} == {("thinking", 0)}


@pytest.mark.parametrize("mode", ["error-500", "error-404", "empty-choices", "wrong-shape"])
def test_a_server_that_fails_ends_the_run_with_its_address(base: KnowledgeBase, mode: str) -> None:
    with llm_of(lambda body: answer(), mode) as (llm, _), pytest.raises(GenerationFailed, match=r"127\.0\.0\.1"):
        extract(base, llm, [RULE.id], who="test")
    assert by_models(base) == []


def test_the_model_answers_as_any_llm_of_llama_index() -> None:
    with llm_of(lambda body: "答：可以", "ok") as (llm, _):
        assert llm.complete("问").text == "答：可以"
        *_, last = llm.stream_complete("问")
        assert last.text == "答：可以"
        assert llm.metadata.model_name == "ok"


def test_the_verb_asks_the_configured_model_or_the_one_named(tmp_path: Path) -> None:
    law = tmp_path / "rule.md"
    law.write_text(f"临江市养犬登记规定\n\n第一条　{QUOTE}，居民凭身份证和免疫证明办理。\n", encoding="utf-8")
    home = str(tmp_path / "home")
    assert CliRunner().invoke(app, ["ingest", str(law), "--home", home]).exit_code == 0
    verb = ["graph", "extract", "--all", "--home", home]
    none = CliRunner().invoke(app, verb)
    assert (none.exit_code, "generate.model" in str(none.exception)) == (1, True)
    with scripted(lambda body: script(prompt_of(body))) as server:
        done = CliRunner().invoke(app, [*verb, "--llm", server.word("ok")])
    assert done.exit_code == 0, done.output
    assert "加入 2 条关系" in done.stdout
