"""Bring a model into the models folder: chosen files, resumed, checked, converted, and visible all at once or not."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import portalocker

from core.errors import BackendUnavailable, ModelRefused, PolicyDeskError, StorageFull
from core.model_convert import convert_weights
from core.model_source import Interrupted, Listing, ModelSource, SourceFile
from core.model_store import (
    PICKLES,
    SOURCE,
    SUMS,
    ModelFolder,
    check_model,
    files_of,
    is_model,
    known,
    read_source,
    refuse_code,
    write_sums,
)

_TAKEN = (".safetensors", ".json", ".txt", ".model", ".md")
_TAKEN_NAMES = ("LICENSE", "NOTICE")
_LEFT_FOLDERS = ("onnx", "openvino", "coreml")     # other forms of the same weights
_WEIGHTS = "pytorch_model.bin"
_PAUSE = 0.5                                       # seconds before a broken connection is tried again, then doubled


@dataclass(frozen=True, slots=True)
class FetchOptions:
    convert: bool                                  # pickle of a model that we do not know by name may be converted
    tries: int                                     # in a row without a byte
    min_free_mb: int
    on_bytes: Callable[[int, int], None]           # (bytes more, bytes in all)


def fetch_model(source: ModelSource, name: str, folder: Path, options: FetchOptions) -> ModelFolder:
    """``folder``/``name`` as ``source`` has it now, with a manifest; what is there already is kept until then.

    What an earlier run brought is used again. Raises `NotFound`, `BackendUnavailable`, `ModelRefused`, `StorageFull`.
    """
    target = folder / name
    listing = source.listing()
    there = _whole(target, listing.revision)
    if there:
        return there
    with _writing(folder):
        work = folder / f".{name}.partial"
        work.mkdir(parents=True, exist_ok=True)
        with _alone(work):
            taken, pickles = choose_files(listing, convert=options.convert)
            taken = sorted((source.describe(file) for file in taken), key=lambda file: file.size)
            _check_space(folder, taken, pickles, work, options.min_free_mb)
            _bring(source, taken, work, options)
            _finish(work / "files", pickles, listing)
            _swap(work / "files", target)
        shutil.rmtree(work)
    return check_model(target, key="models.folder")


def _whole(target: Path, revision: str) -> ModelFolder | None:
    """The model that an earlier run brought, when it is this revision and undamaged."""
    if not is_model(target) or not revision or not (target / SUMS).is_file():
        return None
    try:
        return check_model(target, key="models.folder") if read_source(target)["revision"] == revision else None
    except ModelRefused:
        return None


def choose_files(listing: Listing, *, convert: bool) -> tuple[list[SourceFile], list[str]]:
    """(files to bring, those among them that are pickle). Raises `ModelRefused` for a model that needs more."""
    found = known(listing.repo)
    allowed = found.pickles if found else ()
    safe = {_folder(file.path) for file in listing.files if file.path.endswith(".safetensors")}
    taken, pickles = [], []
    for file in listing.files:
        path = _checked_path(file.path)
        if path.suffix == ".py":
            raise ModelRefused(f"{listing.repo} 自带程序 {file.path}（trust_remote_code）；不使用这样的模型")
        if path.parts[0] in _LEFT_FOLDERS or path.parts[-1] == SOURCE or path.parts[-1].startswith("."):
            continue
        if path.suffix in _TAKEN or path.stem in _TAKEN_NAMES:
            taken.append(file)
        elif path.suffix in PICKLES and _is_needed(file.path, safe, allowed):
            if not convert and file.path not in allowed:
                raise ModelRefused(
                    f"{listing.repo} 的权重只有 pickle（{file.path}），没有 safetensors。"
                    "加 --convert 可在不执行它的情况下转换，或选用发布 safetensors 的模型"
                )
            taken.append(file)
            pickles.append(file.path)
    if not any(file.path.endswith(".safetensors") for file in taken) and not pickles:
        raise ModelRefused(f"{listing.address} 的 {listing.repo} 没有可用的权重文件（safetensors）")
    return taken, pickles


def _is_needed(name: str, safe: set[str], allowed: tuple[str, ...]) -> bool:
    """A pickle counts only where nothing safe stands for it: training leaves others about."""
    last = name.split("/")[-1]
    return (last.startswith("pytorch_model") and _folder(name) not in safe) or (name in allowed and last != _WEIGHTS)


def _checked_path(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or any(c in name for c in "\\:\0\n\r"):
        raise ModelRefused(f"模型的文件名 {name!r:.80} 指向文件夹之外，已拒绝")
    return path


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _check_space(folder: Path, taken: list[SourceFile], pickles: list[str], work: Path, min_free_mb: int) -> None:
    """A converted file needs its room twice for a while."""
    there = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
    need = sum(file.size * (2 if file.path in pickles else 1) for file in taken) - there
    free = shutil.disk_usage(folder).free
    if need > free - min_free_mb * 1_000_000:
        raise StorageFull(
            f"{folder} 所在磁盘只剩 {free // 1_000_000} MB，这个模型需要 {need // 1_000_000} MB，"
            f"并须留下 {min_free_mb} MB（storage.min_free_mb）。没有下载；请清理磁盘，或换一个 models.folder"
        )


def _bring(source: ModelSource, files: list[SourceFile], work: Path, options: FetchOptions) -> None:
    total = sum(file.size for file in files)
    for name, path in files_of(work / "files").items():
        if name not in {file.path for file in files}:    # of a revision that an earlier run did not finish
            path.unlink()
    for file in files:
        target = work / "files" / file.path
        if target.is_file() and target.stat().st_size == file.size and _matches(target, file):
            options.on_bytes(file.size, total)
            continue
        # named after the content, so that a part is never continued with another revision's bytes
        part = work / f"{file.checksum or hashlib.sha256(file.path.encode()).hexdigest()}.part"
        _download(source, file, part, options, total)
        if not _matches(part, file):
            part.unlink()
            raise ModelRefused(f"{file.path} 的内容与校验值不符，已丢弃。请再次运行；仍不符时换一个来源")
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
        if file.path.endswith((".json", ".safetensors")):
            refuse_code(work / "files", {file.path: target})     # small files come first: before gigabytes are brought


def _download(source: ModelSource, file: SourceFile, part: Path, options: FetchOptions, total: int) -> None:
    failures = 0
    have = part.stat().st_size if part.is_file() else 0
    options.on_bytes(have, total)
    with part.open("ab") as out:
        while have < file.size:
            before = have
            try:
                for position, block in source.blocks(file, have):
                    if position != have:           # the server began anew
                        out.truncate(position)
                        options.on_bytes(position - have, total)
                    out.write(block)
                    have = position + len(block)
                    options.on_bytes(len(block), total)
                    if have > file.size:
                        raise ModelRefused(f"{file.path} 比清单中的 {file.size} 字节长，已丢弃。请换一个来源")
                if have < file.size:
                    raise Interrupted("内容不全")
            except Interrupted as error:
                out.flush()
                failures = failures + 1 if have <= before else 0
                if failures >= options.tries:
                    raise BackendUnavailable(
                        f"取 {file.path} 时连接中断（{error}），已有 {have} / {file.size} 字节。再次运行会接着下载"
                    ) from error
                time.sleep(_PAUSE * 2**failures)
            except ModelRefused:
                out.truncate(0)
                raise


def _matches(path: Path, file: SourceFile) -> bool:
    """Whether size and checksum are those promised; a carried folder may promise no checksum."""
    size = path.stat().st_size if path.is_file() else 0
    if size != file.size:
        return False
    if not file.checksum:
        return True
    sha = hashlib.sha256() if len(file.checksum) == 64 else hashlib.sha1(b"blob %d\0" % size)
    with path.open("rb") as opened:
        while block := opened.read(4_000_000):
            sha.update(block)
    return sha.hexdigest() == file.checksum


def _finish(files: Path, pickles: list[str], listing: Listing) -> None:
    """Convert, say where it came from, and write the manifest last."""
    for name in pickles:
        pickled = files / name
        safe = "model.safetensors" if pickled.name == _WEIGHTS else f"{pickled.stem}.safetensors"
        convert_weights(pickled, pickled.with_name(safe))
        pickled.unlink()
    came = {"repo": listing.repo, "revision": listing.revision, "address": listing.address, "converted": pickles}
    (files / SOURCE).write_text(json.dumps(came, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (files / SUMS).unlink(missing_ok=True)
    write_sums(files)
    check_model(files, key="models.folder")


def _swap(files: Path, target: Path) -> None:
    """Put the new folder in place of the old. A process that has the old one loaded keeps it until it ends."""
    if target.exists():
        old = target.with_name(f".{target.name}.old")
        if old.exists():
            shutil.rmtree(old)
        target.rename(old)
        files.rename(target)
        shutil.rmtree(old)
    else:
        files.rename(target)


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    with (work / "lock").open("a", encoding="utf-8") as lock:
        try:
            portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.LockException as error:
            raise PolicyDeskError(f"另一个进程正在取得这个模型（{work}）。请等它结束") from error
        yield


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"{folder} 所在磁盘已满，模型没有取完。已下载的部分留着；清理磁盘后再次运行会接着下载"
            ) from error
        raise PolicyDeskError(f"写不了模型目录 {folder}：{error.strerror or error}。请检查 models.folder") from error
