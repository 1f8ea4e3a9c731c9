"""config.yaml and the environment -> one frozen `Config`, read once and passed down as values."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.errors import ConfigError
from core.tasks import TASKS, Task

SHIPPED = Path(__file__).resolve().parent.parent / "config.yaml"
ENV_PREFIX = "POLICYDESK_"

_SECRET = (
    "storage.vectors_api_key", "storage.database", "models.api_key", "generate.api_key", "audit.key", "graph.password",
)
_PASSWORD = re.compile(r"(://[^/@]*?:).*@")

_OPEN = ("regions.names", "generate.tasks")       # whose keys are names of the reader's own choice or of core/tasks.py

Tree = dict[str, object]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StorageConfig(_Section):
    database: str
    vectors: str = Field(pattern=r"^(edge|:memory:|https?://.+)$")
    vectors_api_key: SecretStr
    collection: str = Field(min_length=1)
    shards: int = Field(ge=0)
    replicas: int = Field(ge=0)
    write_consistency: int = Field(ge=0)
    answer_seconds: int = Field(gt=0)
    tries: int = Field(ge=1)
    min_free_mb: int = Field(ge=0)


class IngestConfig(_Section):
    max_file_mb: int = Field(gt=0)
    max_line_mb: int = Field(gt=0)
    max_archive_mb: int = Field(gt=0)
    max_archive_ratio: int = Field(gt=0)
    max_archive_members: int = Field(gt=0)
    max_pages: int = Field(gt=0)
    max_cells: int = Field(gt=0)
    read_seconds: int = Field(gt=0)
    read_memory_mb: int = Field(ge=512)
    ocr: str = Field(pattern=r"^(auto|off)$")
    ocr_seconds: int = Field(gt=0)
    chunk_chars: int = Field(ge=100)
    workers: int = Field(ge=0)
    batch_chunks: int = Field(gt=0)


class IndexConfig(_Section):
    tokenizer: str = Field(pattern=r"^(auto|rjieba|jieba)$")
    words: bool
    bigrams: bool
    characters: bool
    k1: float = Field(ge=0)
    b: float = Field(ge=0, le=1)
    average_tokens: float = Field(gt=0)
    title_weight: float = Field(ge=0)
    heading_weight: float = Field(ge=0)
    embedder: str = Field(min_length=1)


class SearchConfig(_Section):
    top: int = Field(gt=0)
    candidates: int = Field(gt=0)
    dense_weight: float = Field(ge=0)
    graph: bool
    terms: bool
    terms_file: str
    term_weight: float = Field(ge=0, le=1)
    reranker: str = Field(min_length=1)


class ModelsConfig(_Section):
    folder: Path
    hub: str = Field(pattern=r"^(https?://.+)?$")
    api_key: SecretStr
    device: str = Field(pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$")
    precision: str = Field(pattern=r"^(auto|fp32|fp16|bf16|int8)$")
    batch: int = Field(gt=0)
    max_tokens: int = Field(ge=16)
    m3_dense: float = Field(ge=0)
    m3_lexical: float = Field(ge=0)
    m3_colbert: float = Field(ge=0)
    connect_seconds: float = Field(gt=0)
    answer_seconds: float = Field(gt=0)
    tries: int = Field(ge=1)


class TaskChange(_Section):
    """Numbers of a task that are not to be as core/tasks.py has them."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, gt=0)
    wait_seconds: float | None = Field(default=None, ge=0)
    first_seconds: float | None = Field(default=None, gt=0)
    between_seconds: float | None = Field(default=None, gt=0)
    total_seconds: float | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, gt=0)


class GenerateConfig(_Section):
    enabled: bool
    model: str = Field(pattern=r"^(none|openai:https?://[^#]+#.+)$")
    api_key: SecretStr
    thinking: bool
    judge: bool
    connect_seconds: float = Field(gt=0)
    tries: int = Field(ge=1)
    breaker_failures: int = Field(ge=1)
    breaker_seconds: float = Field(ge=0)
    usage_days: int = Field(ge=1)
    tasks: Mapping[str, TaskChange]

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: Mapping[str, TaskChange]) -> Mapping[str, TaskChange]:
        unknown = [name for name in tasks if name not in TASKS]
        if unknown:
            raise ValueError(f"没有 {'、'.join(unknown)} 这样的任务；有 {'、'.join(TASKS)}")
        return tasks

    def for_task(self, task: Task) -> Task:
        """``task`` with the numbers that are set here."""
        change = self.tasks.get(task.name)
        return replace(task, **change.model_dump(exclude_none=True)) if change else task


class AnswerConfig(_Section):
    articles: int = Field(gt=0)
    min_confidence: float = Field(ge=0, le=1)
    min_related: float = Field(ge=0, le=1)
    near_score: float = Field(ge=0)
    soon_days: int = Field(ge=0)


class ReviewConfig(_Section):
    required: bool
    two_people: bool
    due_days: int = Field(ge=0)


class AuditConfig(_Section):
    key: SecretStr
    checkpoints: str
    keep_days: int = Field(ge=183)


class FaqConfig(_Section):
    threshold: float = Field(ge=0, le=1)


class GapsConfig(_Section):
    days: int = Field(gt=0)
    low_confidence: float = Field(ge=0, le=1)
    likeness: float = Field(ge=0, le=1)


class GraphConfig(_Section):
    store: str = Field(pattern=r"^(sql|neo4j:(bolt|neo4j)(\+s|\+ssc)?://.+)$")
    user: str
    password: SecretStr
    database: str = Field(min_length=1)


class UiConfig(_Section):
    host: str
    port: int = Field(ge=0, le=65535)
    examples: tuple[str, ...]


class RegionsConfig(_Section):
    home: str = Field(pattern=r"^([0-9]{6})?$")
    names: Mapping[str, str]


class Config(BaseSettings):
    """Everything that can be set. No key has a default here: config.yaml is the one copy."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    home: Path
    storage: StorageConfig
    ingest: IngestConfig
    index: IndexConfig
    search: SearchConfig
    models: ModelsConfig
    generate: GenerateConfig
    answer: AnswerConfig
    review: ReviewConfig
    audit: AuditConfig
    faq: FaqConfig
    gaps: GapsConfig
    graph: GraphConfig
    ui: UiConfig
    regions: RegionsConfig

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the files, which arrive as init arguments."""
        return env_settings, init_settings


def load_config(overlay: Path | None = None) -> Config:
    """The shipped config.yaml, overlaid by ``overlay``, overlaid by POLICYDESK_* variables.

    Raises `ConfigError` naming the file, the path to the key and, for an unknown key, the nearest valid one.
    """
    tree = _read(SHIPPED)
    _check_environment(tree)
    where = SHIPPED
    if overlay is not None:
        where = overlay
        tree = _merge(tree, _read(overlay), shipped=tree, path="", where=overlay)
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        problems = "; ".join(_explain(dict(item), tree) for item in error.errors())
        raise ConfigError(f"{where} 或环境变量 {ENV_PREFIX}*：{problems}") from error


def show_config(config: Config) -> str:
    """The configuration in force as YAML; secrets, and a password in the database's address, print as asterisks."""
    tree = config.model_dump(mode="json")
    tree["storage"]["database"] = _PASSWORD.sub(r"\1**********@", config.storage.database)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def _check_environment(tree: Tree) -> None:
    """pydantic-settings passes over a variable whose first part is no key of ours; a slip of the pen must show."""
    for name in os.environ:
        if name.upper().startswith(ENV_PREFIX):
            key, *rest = name[len(ENV_PREFIX) :].lower().split("__")
            if key not in tree:
                raise ConfigError(f"环境变量 {name}：{_unknown('.'.join([key, *rest]), tree)}")


def _read(path: Path) -> Tree:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"找不到配置文件 {path}。请检查 --config 后的路径") from error
    except OSError as error:
        raise ConfigError(f"配置文件 {path} 读不出来：{error.strerror}。请检查 --config 后的路径") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} 不是有效的 UTF-8 YAML：{error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} 应为“键: 值”的 YAML，实际是 {type(tree).__name__}")
    return tree


def _merge(base: Tree, over: Tree, *, shipped: Tree, path: str, where: Path) -> Tree:
    """``base`` with the keys of ``over``; only regions.names and generate.tasks may gain keys."""
    merged = dict(base)
    for key, value in over.items():
        here = f"{path}.{key}" if path else str(key)
        known = base.get(key)
        if key not in base and not path.startswith(_OPEN):
            raise ConfigError(f"{where}：{_unknown(here, shipped)}")
        if isinstance(known, dict):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}：{here} 应含有下级键 {', '.join(map(str, known))}，实际是 {value!r}")
            merged[key] = _merge(known, value, shipped=shipped, path=here, where=where)
        else:
            merged[key] = value
    return merged


def _explain(error: Mapping[str, object], tree: Tree) -> str:
    location = error["loc"]
    assert isinstance(location, tuple)
    path = ".".join(map(str, location))
    if error["type"] == "extra_forbidden":
        return _unknown(path, tree)
    found = "**********" if path in _SECRET else repr(error["input"])
    return f"{path} = {found}：{error['msg']}"


def _unknown(path: str, tree: Tree) -> str:
    known = _paths(tree)
    nearest = difflib.get_close_matches(path, known, n=1, cutoff=0.0)
    return f"没有 {path} 这个键；最接近的是 {nearest[0]}"


def _paths(tree: Tree, prefix: str = "") -> list[str]:
    out: list[str] = []
    for key, value in tree.items():
        here = f"{prefix}{key}"
        out += [here, *_paths(value, f"{here}.")] if isinstance(value, dict) else [here]
    return out
