"""The folder of real models: what is known, what lies there, and whether it is whole and safe to load."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import ConfigError, ModelRefused

SUMS = "SHA256SUMS"                    # of every other file; `sha256sum -c SHA256SUMS` checks a copy without us
SOURCE = "policydesk-model.json"       # where the files came from
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")   # loading one can run a program
_TEXTS = (".md", "LICENSE", "NOTICE", SOURCE)    # change nothing about the vectors, so not part of the digest
_MAX_HEADER = 100_000_000              # of a safetensors file; the format's own reader has the same limit


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that the configuration may name."""

    name: str
    repo: str                          # on a hub
    use: str                           # index.embedder, search.reranker, or both
    licence: str
    question_prompt: str = ""          # put before a question, as the model's makers say; texts go in bare
    pickles: tuple[str, ...] = ()      # published as pickle only, so converted while they are fetched


KNOWN = (
    KnownModel("bge-m3", "BAAI/bge-m3", "index.embedder, search.reranker", "MIT",
               pickles=("pytorch_model.bin", "colbert_linear.pt", "sparse_linear.pt")),
    KnownModel("bge-small-zh", "BAAI/bge-small-zh-v1.5", "index.embedder", "MIT",
               question_prompt="为这个句子生成表示以用于检索相关文章："),
    KnownModel("bge-reranker-v2-m3", "BAAI/bge-reranker-v2-m3", "search.reranker", "Apache-2.0"),
)
BEST_EMBEDDERS = ("bge-m3", "bge-small-zh")      # the order of ``auto``


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder whose files were checked."""

    path: Path
    digest: str                        # 12 hex digits over everything that changes a vector
    repo: str                          # "" when it did not come through `models fetch`
    revision: str                      # the hub's commit, or ""

    @property
    def name(self) -> str:
        """Stored with an index: the same files give the same name wherever they lie."""
        return f"{self.path.name}@{self.digest}"

    @property
    def is_m3(self) -> bool:
        """Whether it has bge-m3's three outputs."""
        return all((self.path / f"{head}_linear.safetensors").is_file() for head in ("colbert", "sparse"))


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A line of `policydesk models list`."""

    name: str
    path: Path
    size: int                          # bytes
    repo: str
    revision: str
    use: str                           # "" for a model that we do not know by name


def is_static(folder: Path) -> bool:
    """Whether `policydesk train encoder` wrote it: its settings say how texts are cut into terms."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and "terms" in settings


def known(name: str) -> KnownModel | None:
    """By its name here or on the hub."""
    return next((model for model in KNOWN if name in (model.name, model.repo)), None)


def question_prompt(folder: ModelFolder) -> str:
    """What the makers of a model in ``folder`` want before a question, when the folder itself does not say."""
    found = known(folder.repo) or known(folder.path.name)
    return found.question_prompt if found else ""


def stored_models(folder: Path) -> list[StoredModel]:
    """Every model in ``folder`` by name, unchecked: hashing gigabytes is for those that are loaded."""
    out = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.name.startswith(".") and is_model(path):
            source = read_source(path)
            size = sum(file.stat().st_size for file in files_of(path).values())
            found = known(path.name) or known(source["repo"])
            use = found.use if found else ""
            out.append(StoredModel(path.name, path, size, source["repo"], source["revision"], use))
    return out


def is_model(path: Path) -> bool:
    return (path / "config.json").is_file() or (path / "modules.json").is_file()


def best_embedder(folder: Path) -> str | None:
    """The name of the best model there that ``auto`` would take."""
    return next((name for name in BEST_EMBEDDERS if is_model(folder / name)), None)


def check_model(path: Path, *, key: str) -> ModelFolder:
    """Hash every file of the model at ``path`` and compare with its SHA256SUMS where it has one.

    Raises `ConfigError`, naming ``key`` of the configuration, when no model is there, and `ModelRefused` when a file
    differs, is missing or unlisted, is a pickle, or when the model would need program code of its own.
    """
    if not is_model(path):
        raise ConfigError(
            f"{key}：{path} 中没有模型（缺 modules.json 或 config.json）。"
            "用 policydesk models list 查看已有的模型，用 policydesk models fetch 取得"
        )
    files = files_of(path)
    refuse_code(path, files)
    sums = {name: file_sha256(file) for name, file in files.items()}
    if (path / SUMS).is_file():
        _compare(path, sums, read_sums(path / SUMS))
    source = read_source(path)
    return ModelFolder(path, digest(sums), source["repo"], source["revision"])


def files_of(path: Path) -> dict[str, Path]:
    """Every file below ``path`` by its name with slashes, without SHA256SUMS and hidden ones."""
    found = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
    return {
        name: file for name, file in found.items()
        if name != SUMS and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    }


def refuse_code(path: Path, files: dict[str, Path]) -> None:
    """Raise `ModelRefused` for whatever could run a program when loaded, or is not the format its name says."""
    for name, file in files.items():
        if name.endswith(PICKLES):
            raise ModelRefused(
                f"{path} 中的 {name} 是 pickle，载入时可以执行任意程序，只接受 safetensors。"
                f"用 policydesk models fetch {path.name} --from {path} 安全地转换并存入模型目录"
            )
        if name.endswith(".py"):
            raise ModelRefused(f"{path} 中的 {name} 是程序；不使用需要自带程序（trust_remote_code）的模型")
        if name.endswith(".safetensors"):
            check_safetensors(file)
        if name.split("/")[-1] in ("config.json", "tokenizer_config.json", "modules.json"):
            _check_settings(file)


def _check_settings(file: Path) -> None:
    """A configuration may name program code to load; modules.json even that of any installed package."""
    tree = _read_json(file)
    if isinstance(tree, dict) and "auto_map" in tree:
        raise ModelRefused(f"{file} 要求载入自带程序（auto_map）；不使用需要 trust_remote_code 的模型")
    for module in tree if isinstance(tree, list) else ():
        kind = str(module.get("type")) if isinstance(module, dict) else repr(module)
        if not kind.startswith("sentence_transformers."):
            raise ModelRefused(f"{file} 中的部件 {kind} 不属于 sentence-transformers，不载入")


def check_safetensors(file: Path) -> None:
    """Raise `ModelRefused` unless the header is one and the file is as long as it says."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        header = opened.read(length) if 2 <= length <= min(size - 8, _MAX_HEADER) else b""
    try:
        tree = json.loads(header)
        ends = [int(tensor["data_offsets"][1]) for name, tensor in tree.items() if name != "__metadata__"]
        end = max(ends, default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ModelRefused(f"{file} 不是 safetensors 文件。请重新取得这个模型") from error
    if 8 + length + end != size:
        raise ModelRefused(f"{file} 长 {size} 字节，按文件头应为 {8 + length + end} 字节。请重新取得这个模型")


def digest(sums: dict[str, str]) -> str:
    lines = (f"{sums[name]}  {name}\n" for name in sorted(sums) if not name.endswith(_TEXTS))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


def file_sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_sums(path: Path) -> None:
    """Write the manifest of everything now in ``path``."""
    lines = [f"{file_sha256(file)}  {name}\n" for name, file in sorted(files_of(path).items())]
    (path / SUMS).write_text("".join(lines), encoding="utf-8")


def read_sums(file: Path) -> dict[str, str]:
    out = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        value, _, name = line.partition("  ")
        if len(value) != 64 or not name:
            raise ModelRefused(f"{file} 中的“{line[:80]}”不是“sha256  文件名”。请重新取得这个模型")
        out[name] = value
    return out


def _compare(path: Path, found: dict[str, str], listed: dict[str, str]) -> None:
    problems = [*_differences(found, listed)]
    if problems:
        raise ModelRefused(
            f"{path} 与其 {SUMS} 不符：{'；'.join(problems[:5])}。没有载入；"
            f"用 policydesk models fetch {path.name} 重新取得"
        )


def _differences(found: dict[str, str], listed: dict[str, str]) -> Iterator[str]:
    for name in sorted(found.keys() | listed.keys()):
        if name not in found:
            yield f"缺 {name}"
        elif name not in listed:
            yield f"{name} 不在清单中"
        elif found[name] != listed[name]:
            yield f"{name} 内容不同"


def read_source(path: Path) -> dict[str, str]:
    """repo, revision and address from which the model came; each "" when it is not known."""
    tree = _read_json(path / SOURCE) if (path / SOURCE).is_file() else {}
    return {key: str(tree.get(key, "")) if isinstance(tree, dict) else "" for key in ("repo", "revision", "address")}


def _read_json(file: Path) -> object:
    try:
        tree: object = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelRefused(f"{file} 不是有效的 JSON：{error}。请重新取得这个模型") from error
    return tree
