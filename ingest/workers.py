"""Child processes that read files, within limits of time and memory: what a file does to its reader ends there."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Mapping
from concurrent.futures import TimeoutError as PoolTimeout
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from types import TracebackType

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from core.config import IngestConfig
from core.errors import IngestError
from core.processes import end_with_parent
from core.records import Reject, Skipped
from ingest.one_file import ReadRequest, ReadResult, read_one
from ingest.reading import PageLines

_MB = 1_000_000
_PIPE_BYTES = 4 * _MB      # more than this goes to the child through a file: a pipe would hold it three times


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request on its way, and the file that holds its bytes when they were put on disk for it."""

    request: ReadRequest
    future: ProcessFuture[ReadResult]
    spooled: Path | None


class ReadPool:
    """Reads files in child processes, which are started by the first one. Not shared between threads."""

    def __init__(self, limits: IngestConfig, regions: Mapping[str, str]) -> None:
        self._limits = limits
        self._regions = dict(regions)
        self._pool: ProcessPool | None = None
        self._spool: TemporaryDirectory[str] | None = None

    def __enter__(self) -> ReadPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
        if self._spool is not None:
            self._spool.cleanup()

    def submit(self, request: ReadRequest) -> Submitted:
        spooled = None
        if isinstance(request.data, bytes) and len(request.data) > _PIPE_BYTES:
            request = replace(request, data=(spooled := self._on_disk(request.data)))
        return Submitted(request, self._schedule(request), spooled)

    def result(self, submitted: Submitted) -> ReadResult:
        """What came of a submitted request, its picture pages recognised where that is possible.

        A reader that was too slow or died is a `Skipped` like any other reason; nothing is raised.
        """
        request, spooled = submitted.request, submitted.spooled
        try:
            read = self._outcome(request, submitted.future)
            if not read.needs_ocr:
                return read
            from ingest.ocr import ocr_available

            if self._limits.ocr == "off" or not ocr_available():
                return read if read.items else _unrecognised(request, read)
            path = request.data
            if isinstance(path, bytes):      # once on disk, not sent again for every page
                path = spooled = self._on_disk(path)
            again = replace(request, data=path, recognised=self._recognised(path, read))
            return self._outcome(again, self._schedule(again))
        finally:
            if spooled is not None:
                spooled.unlink()

    def _recognised(self, data: Path, read: ReadResult) -> dict[int, PageLines]:
        jobs = {
            page: self._processes().schedule(_recognise, (data, read.kind, page), timeout=self._limits.ocr_seconds)
            for page in read.needs_ocr
        }
        return {page: lines for page, job in jobs.items() if (lines := _page(job)) is not None}

    def _schedule(self, request: ReadRequest) -> ProcessFuture[ReadResult]:
        return self._processes().schedule(
            read_one, (request, self._limits, self._regions), timeout=self._limits.read_seconds
        )

    def _outcome(self, request: ReadRequest, future: ProcessFuture[ReadResult]) -> ReadResult:
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, PoolTimeout):
            reason = f"读取超过 {self._limits.read_seconds} 秒（ingest.read_seconds）。请拆分文件，或另存为新文件后重试"
            return _failed(request, reason, Reject.TIMEOUT)
        told = f"退出码 {error.exitcode}" if isinstance(error, ProcessExpired) else f"{type(error).__name__}: {error}"
        reason = f"读取程序异常中断（{told}），文件可能已损坏。请另存为新文件后重试"
        return _failed(request, reason, Reject.CRASHED)

    def _processes(self) -> ProcessPool:
        if self._pool is None:
            self._pool = ProcessPool(
                max(1, self._limits.workers), context=_context(), initializer=_prepare,
                initargs=(self._limits.read_memory_mb,),
            )
        return self._pool

    def _on_disk(self, data: bytes) -> Path:
        if self._spool is None:
            self._spool = TemporaryDirectory(prefix="policydesk-")
        with NamedTemporaryFile(dir=self._spool.name, delete=False) as file:
            file.write(data)
        return Path(file.name)


def _recognise(source: Path, kind: str, page: int) -> PageLines | None:
    """The lines of one page; None when the recogniser cannot read it."""
    from ingest.ocr import recognise_page

    try:
        data = source.read_bytes()
        if kind != "ofd":
            return recognise_page(data, kind, page)
        from ingest.read_ofd import page_picture

        picture = page_picture(data, str(source), page)
        return replace(recognise_page(picture, "image", 1), number=page) if picture else None
    except (IngestError, MemoryError, OSError):
        return None


def _page(job: ProcessFuture[PageLines | None]) -> PageLines | None:
    recognised: PageLines | None = None
    if job.exception() is None:
        recognised = job.result()
    return recognised


def _unrecognised(request: ReadRequest, read: ReadResult) -> ReadResult:
    reason = (
        f"扫描件，{len(read.needs_ocr)} 页没有文字层，需要 OCR。请安装 OCR 组件后重新 ingest："
        'pip install -e ".[ocr]"（并确认 ingest.ocr 不是 off）'
    )
    skipped = Skipped(request.source, reason, code=Reject.NEEDS_OCR)
    return replace(read, items=(*read.items, skipped))


def _failed(request: ReadRequest, reason: str, code: Reject) -> ReadResult:
    return ReadResult((Skipped(request.source, reason, code=code),))


# in the child


def _context() -> BaseContext:
    """forkserver starts a child in milliseconds where there is one; a plain fork would copy the index's threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ingest.one_file"])
    return context


def _prepare(memory_mb: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * _MB, memory_mb * _MB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    end_with_parent()
