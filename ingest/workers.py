"""Child processes that read files, within limits of time and memory: what a file does to its reader ends there."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Mapping
from concurrent.futures import TimeoutError as PoolTimeout
from dataclasses import replace
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from core.config import IngestConfig
from core.errors import IngestError
from core.processes import end_with_parent
from core.records import Reject, Skipped
from ingest.one_file import ReadRequest, ReadResult, read_one
from ingest.reading import PageLines

_MB = 1_000_000


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

    def submit(self, request: ReadRequest) -> ProcessFuture[ReadResult]:
        return self._processes().schedule(
            read_one, (request, self._limits, self._regions), timeout=self._limits.read_seconds
        )

    def result(self, request: ReadRequest, future: ProcessFuture[ReadResult]) -> ReadResult:
        """What came of a submitted request, its picture pages recognised where that is possible.

        A reader that was too slow or died is a `Skipped` like any other reason; nothing is raised.
        """
        read = self._outcome(request, future)
        if not read.needs_ocr:
            return read
        from ingest.ocr import ocr_available

        if self._limits.ocr == "off" or not ocr_available():
            return read if read.items else _unrecognised(request, read)
        on_disk = self._on_disk(request)
        pages = {
            page: self._processes().schedule(
                _recognise, (on_disk.data, read.kind, page), timeout=self._limits.ocr_seconds
            )
            for page in read.needs_ocr
        }
        recognised = {page: lines for page, job in pages.items() if (lines := _page(job)) is not None}
        again = replace(on_disk, recognised=recognised)
        return self._outcome(again, self.submit(again))

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

    def _on_disk(self, request: ReadRequest) -> ReadRequest:
        """The same request with its bytes in a file, so that they are not sent once for every page."""
        if isinstance(request.data, Path):
            return request
        if self._spool is None:
            self._spool = TemporaryDirectory(prefix="policydesk-")
        path = Path(self._spool.name) / "pages"
        path.write_bytes(request.data)
        return replace(request, data=path)


def _recognise(data: bytes | Path, kind: str, page: int) -> PageLines | None:
    """The lines of one page; None when the recogniser cannot read it."""
    from ingest.ocr import recognise_page

    try:
        return recognise_page(data if isinstance(data, bytes) else data.read_bytes(), kind, page)
    except (IngestError, MemoryError):
        return None


def _page(job: ProcessFuture[PageLines | None]) -> PageLines | None:
    return job.result() if job.exception() is None else None


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
