"""Where a model comes from: a hub of the Hugging Face layout over HTTP, or a folder that somebody carried here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import BaseModel, ValidationError

from core.config import ModelsConfig
from core.errors import BackendUnavailable, ModelRefused, NotFound
from core.model_store import SUMS, files_of, read_source, read_sums

_BLOCK = 1_000_000
_HOPS = 5            # relative redirects that a hub answers a HEAD request with; one is usual
_HEX = re.compile(r"[0-9a-f]+")


class Interrupted(Exception):
    """The connection broke off; what came so far is good."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    path: str                # with slashes, below the model's folder
    size: int                # bytes
    checksum: str            # 64 hex digits: SHA-256; 40: of a git blob (SHA-1); "": none is known


@dataclass(frozen=True, slots=True)
class Listing:
    repo: str
    revision: str            # a commit, so that all files belong together
    address: str             # where it was found, without a password
    files: tuple[SourceFile, ...]


class ModelSource(Protocol):
    """What `core.model_fetch.fetch_model` reads from."""

    def listing(self) -> Listing: ...

    def describe(self, file: SourceFile) -> SourceFile:
        """The same file with its size and checksum, where the listing did not hold them."""
        ...

    def blocks(self, file: SourceFile, start: int) -> Iterator[tuple[int, bytes]]:
        """(position, bytes) of the file from ``start`` on, or from 0. Raises `Interrupted`."""
        ...


class LocalSource:
    """A folder with the files of a model as a hub has them, such as one on a disk that was carried in."""

    def __init__(self, folder: Path, repo: str) -> None:
        self._folder = folder
        self._repo = repo

    def listing(self) -> Listing:
        if not self._folder.is_dir():
            raise NotFound(f"{self._folder} 不是文件夹。--from 应为模型库的地址，或含有模型文件的文件夹")
        listed = read_sums(self._folder / SUMS) if (self._folder / SUMS).is_file() else {}
        files = tuple(
            SourceFile(name, file.stat().st_size, listed.get(name, "")) for name, file in files_of(self._folder).items()
        )
        came = read_source(self._folder)
        return Listing(came["repo"] or self._repo, came["revision"], str(self._folder), files)

    def describe(self, file: SourceFile) -> SourceFile:
        return file

    def blocks(self, file: SourceFile, start: int) -> Iterator[tuple[int, bytes]]:
        with (self._folder / file.path).open("rb") as opened:
            opened.seek(start)
            while block := opened.read(_BLOCK):
                yield start, block
                start += len(block)


class _Lfs(BaseModel):
    sha256: str
    size: int


class _Sibling(BaseModel):
    rfilename: str
    size: int | None = None
    blobId: str | None = None
    lfs: _Lfs | None = None


class _Model(BaseModel):
    sha: str
    siblings: list[_Sibling]


class HubSource:
    """A hub or a copy of one: ``/api/models/REPO/revision/main`` and ``/REPO/resolve/REVISION/FILE``."""

    def __init__(self, client: httpx.Client, address: str, repo: str, revision: str = "main") -> None:
        self._client = client
        self._url = httpx.URL(address.rstrip("/"))
        self._repo = repo
        self._revision = revision

    @property
    def _address(self) -> str:
        return str(self._url.copy_with(userinfo=b""))

    def listing(self) -> Listing:
        url = f"{self._url}/api/models/{self._repo}/revision/{self._revision}"
        with self._asking():
            answer = self._client.get(url, params={"blobs": "true"}, follow_redirects=True)
        self._check(answer, f"{self._repo}（{self._revision}）")
        try:
            model = _Model.model_validate_json(answer.content)
        except ValidationError as error:
            raise BackendUnavailable(
                f"{self._address} 的回答不是模型库的文件清单。请检查 models.hub 或 --from 的地址"
            ) from error
        self._revision = model.sha
        return Listing(self._repo, model.sha, self._address, tuple(_source_file(item) for item in model.siblings))

    def describe(self, file: SourceFile) -> SourceFile:
        """A copy of a hub may leave sizes and checksums out of its list; then the files' own headers tell."""
        if file.checksum and file.size >= 0:
            return file
        url, size, tag = httpx.URL(self._file_url(file)), file.size, file.checksum
        for _ in range(_HOPS):
            with self._asking():
                answer = self._client.head(url, headers={"Accept-Encoding": "identity"})
            self._check(answer, file.path)
            headers = answer.headers
            tag = tag or _tag(headers.get("X-Linked-Etag", "")) or _tag(headers.get("ETag", ""))
            if "X-Linked-Size" in headers or not answer.is_redirect:
                size = int(headers.get("X-Linked-Size") or headers.get("Content-Length") or size)
            if not answer.is_redirect or (tag and size >= 0):
                break
            url = url.join(headers["Location"])
        if not tag or size < 0:
            raise ModelRefused(f"{self._address} 没有给出 {file.path} 的大小和校验值，不能确认内容，没有下载")
        return SourceFile(file.path, size, tag)

    def blocks(self, file: SourceFile, start: int) -> Iterator[tuple[int, bytes]]:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            with self._client.stream("GET", self._file_url(file), headers=headers, follow_redirects=True) as answer:
                if answer.status_code in (429, 502, 503, 504):
                    raise Interrupted(f"HTTP {answer.status_code}")
                self._check(answer, file.path)
                position = start if answer.status_code == 206 else 0
                for block in answer.iter_raw():    # as it arrives: a gathered block is lost when the line breaks
                    yield position, block
                    position += len(block)
        except httpx.TransportError as error:
            raise Interrupted(str(error) or type(error).__name__) from error

    def _file_url(self, file: SourceFile) -> str:
        return f"{self._url}/{self._repo}/resolve/{self._revision}/{file.path}"

    def _check(self, answer: httpx.Response, what: str) -> None:
        if answer.status_code in (401, 403, 404):
            raise NotFound(
                f"{self._address} 上没有 {what}，或需要登录才能取得（HTTP {answer.status_code}）。"
                "请检查名称；需要登录的模型可在别处下载后用 --from 文件夹 存入"
            )
        if answer.is_error:
            raise BackendUnavailable(f"{self._address} 取 {what} 时回答 HTTP {answer.status_code}，请稍后再试")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise BackendUnavailable(
                f"连不上模型库 {self._address}：{error or type(error).__name__}。"
                "请检查 models.hub 或 --from 的地址；不能上网时见 docs/models.md"
            ) from error


def open_source(address: str, repo: str, revision: str, client: httpx.Client) -> ModelSource:
    """A hub for an http(s) address, else a folder."""
    if address.startswith(("http://", "https://")):
        return HubSource(client, address, repo, revision)
    return LocalSource(Path(address).expanduser(), repo)


def hub_client(config: ModelsConfig) -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(config.answer_seconds, connect=config.connect_seconds))


def _source_file(item: _Sibling) -> SourceFile:
    if item.lfs:
        return SourceFile(item.rfilename, item.lfs.size, _tag(item.lfs.sha256))
    return SourceFile(item.rfilename, -1 if item.size is None else item.size, _tag(item.blobId or ""))


def _tag(value: str) -> str:
    """The hexadecimal digits of an ETag that is a hash, or "": other servers put dates and lengths there."""
    bare = value.removeprefix("W/").strip('"').lower()
    return bare if len(bare) in (40, 64) and _HEX.fullmatch(bare) else ""
