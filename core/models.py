"""From the words of the configuration to a model behind its port, loaded once for whoever needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.config import Config, ModelsConfig
from core.embedders import M3Embedder, SentenceTransformerEmbedder
from core.errors import ConfigError
from core.generate import ServerGenerator
from core.generate_openai import OpenAIServer
from core.model_m3 import M3Model
from core.model_server import ModelServer, ServerEmbedder, ServerReranker
from core.model_store import ModelFolder, best_embedder, check_model, is_static
from core.ports import Embedder, Generator, Reranker
from core.rerankers import CrossEncoderReranker, M3Reranker

EMBEDDER_KEY = "index.embedder"
RERANKER_KEY = "search.reranker"


class Kind(StrEnum):
    NONE = "none"
    BUILT_IN = "built-in"
    FOLDER = "folder"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a word of the configuration stands for here and now."""

    kind: Kind
    word: str                      # as it is written in the configuration
    place: str = ""                # a folder, or the address of a server with #MODEL

    def __str__(self) -> str:
        """For a line on stderr: what was chosen, and where it lies."""
        if self.kind is Kind.FOLDER:
            return f"{Path(self.place).name}（{self.place}）"
        return self.place.partition("#")[0] if self.kind is Kind.SERVER else self.kind.value


@dataclass(frozen=True, slots=True)
class Models:
    embedder: Embedder | None
    reranker: Reranker | None      # None for the built-in one too: it weighs features of a search, not texts
    generator: Generator | None
    chosen: tuple[Choice, Choice]  # embedder, reranker


def choose_embedder(word: str, folder: Path) -> Choice:
    """``auto`` is the best model in ``folder``, else the built-in one, whose kind `train encoder` makes too.

    Nothing is opened.
    """
    if word == "auto":
        best = best_embedder(folder)
        return Choice(Kind.FOLDER, word, str(folder / best)) if best else Choice(Kind.BUILT_IN, word)
    choice = _choose(word, folder, prefix="openai:")
    return replace(choice, kind=Kind.BUILT_IN) if choice.place and is_static(Path(choice.place)) else choice


def choose_reranker(word: str, folder: Path) -> Choice:
    """A .txt file is a ranker of the built-in kind, from `policydesk train reranker`."""
    if word.endswith(".txt"):
        return Choice(Kind.BUILT_IN, word, word)
    return _choose(word, folder, prefix="vllm:")


def _choose(word: str, folder: Path, *, prefix: str) -> Choice:
    """A name in the models folder goes before a folder of the same name elsewhere."""
    if word in (Kind.NONE, Kind.BUILT_IN):
        return Choice(Kind(word), word)
    if word.startswith(prefix):
        return Choice(Kind.SERVER, word, word.removeprefix(prefix))
    named = folder / word
    is_path = Path(word).expanduser().is_dir() and not named.is_dir()
    return Choice(Kind.FOLDER, word, str(Path(word).expanduser() if is_path else named))


def open_generator(config: Config, home: Path | None = None) -> ServerGenerator | None:
    """None when ``generate.model`` is none. Nothing is asked, so a server that is down shows at the first call.

    ``home`` holds its switch and its ledger. Raises `ConfigError`, `MissingExtra`.
    """
    word = config.generate.model
    if word == Kind.NONE:
        return None
    return ServerGenerator(OpenAIServer(word.removeprefix("openai:"), config.generate), config.generate, home)


@contextmanager
def opened_models(
    config: Config,
    built_in_embedder: Callable[[Path | None], Embedder] | None = None,
    home: Path | None = None,
) -> Iterator[Models]:
    """The models that the configuration names; bge-m3 as embedder and reranker is loaded once.

    ``built_in_embedder`` is given a folder that `train encoder` wrote, or None for the one that ships. ``home`` is
    where the generator's switch and ledger lie.

    Raises `ConfigError`, `MissingExtra`, `ModelRefused`, `BackendUnavailable`.
    """
    embedder = choose_embedder(config.index.embedder, config.models.folder)
    reranker = choose_reranker(config.search.reranker, config.models.folder)
    with ExitStack() as opened:
        opening = _Opening(config.models, opened, built_in_embedder)
        generator = open_generator(config, home)
        yield Models(opening.embedder(embedder), opening.reranker(reranker), generator, (embedder, reranker))


class _Opening:
    """Holds what was loaded, so that nothing is loaded twice."""

    def __init__(
        self, config: ModelsConfig, opened: ExitStack, built_in: Callable[[Path | None], Embedder] | None
    ) -> None:
        self._config = config
        self._opened = opened
        self._built_in = built_in
        self._m3: dict[Path, M3Model] = {}

    def embedder(self, choice: Choice) -> Embedder | None:
        if choice.kind is Kind.BUILT_IN:
            return self._made(choice)
        if choice.kind is Kind.SERVER:
            return ServerEmbedder(self._server(choice, EMBEDDER_KEY), self._config)
        if choice.kind is Kind.NONE:
            return None
        folder = self._folder(choice, EMBEDDER_KEY)
        return M3Embedder(self._shared(folder)) if folder.is_m3 else SentenceTransformerEmbedder(folder, self._config)

    def reranker(self, choice: Choice) -> Reranker | None:
        if choice.kind in (Kind.NONE, Kind.BUILT_IN):
            return None
        if choice.kind is Kind.SERVER:
            return ServerReranker(self._server(choice, RERANKER_KEY), self._config)
        folder = self._folder(choice, RERANKER_KEY)
        if folder.is_m3:
            return M3Reranker(self._shared(folder), self._config)
        return CrossEncoderReranker(folder, self._config)

    def _folder(self, choice: Choice, key: str) -> ModelFolder:
        loaded = self._m3.get(Path(choice.place))
        return loaded.folder if loaded else check_model(Path(choice.place), key=key)

    def _shared(self, folder: ModelFolder) -> M3Model:
        if folder.path not in self._m3:
            self._m3[folder.path] = M3Model(folder, self._config)
        return self._m3[folder.path]

    def _server(self, choice: Choice, key: str) -> ModelServer:
        server = ModelServer(choice.place, self._config, key=key)
        self._opened.callback(server.close)
        return server

    def _made(self, choice: Choice) -> Embedder:
        if self._built_in is None:
            raise ConfigError(
                f"{EMBEDDER_KEY}：这里还没有自带的模型（built-in）。改为 none，或用 policydesk models fetch 取得一个"
            )
        return self._built_in(Path(choice.place) if choice.place else None)
