"""DOC, WPS, XLS, PPT, RTF and OpenDocument -> DOCX, XLSX or PPTX, by LibreOffice in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import IngestError
from core.records import Reject
from ingest.reading import ReadOptions

# kind -> (suffix of the copy that LibreOffice opens, kind that it becomes)
_CONVERSIONS = {
    "doc": ("doc", "docx"), "wps": ("doc", "docx"), "rtf": ("rtf", "docx"), "odt": ("odt", "docx"),
    "xls": ("xls", "xlsx"), "et": ("xls", "xlsx"), "ods": ("ods", "xlsx"),
    "ppt": ("ppt", "pptx"), "dps": ("ppt", "pptx"), "odp": ("odp", "pptx"),
}
_PROGRAMS = ("soffice", "libreoffice")
# No macros, no update of links, nothing fetched from an address that a document names.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
</item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>0</value></prop>
</item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>1</value></prop>
</item>
</oor:items>
"""


def converter() -> str | None:
    """Path of LibreOffice; None when it is not installed."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


def convert(data: bytes, kind: str, source: str, options: ReadOptions) -> tuple[bytes, str]:
    """The same document as DOCX, XLSX or PPTX, and which of them. Raises `IngestError` when LibreOffice is missing,
    needs more than ``options.seconds``, or cannot open the file."""
    suffix, target = _CONVERSIONS[kind]
    program = converter()
    if program is None:     # without its part for formulas they come out empty
        reason = (
            f"读取 {kind.upper()} 需要 LibreOffice，这台机器没有装。请安装 libreoffice（服务器可只装 "
            "libreoffice-writer-nogui、libreoffice-calc-nogui、libreoffice-impress-nogui、libreoffice-math-nogui）后重试，"
            f"或用 Office、WPS 另存为 {target.upper()}"
        )
        raise IngestError(reason, place=source, code=Reject.MISSING_TOOL)
    if kind == "xls" and data.startswith(b"PK"):
        suffix = "xlsb"
    with TemporaryDirectory(prefix="policydesk-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        original = folder / f"document.{suffix}"
        original.write_bytes(data)
        settings = folder / "profile/user/registrymodifications.xcu"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS, encoding="utf-8")
        told = _run(
            [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore",
             "--nolockcheck", "--convert-to", target, "--outdir", str(folder / "out"), str(original)],
            folder, options.seconds, source,
        )
        made = folder / f"out/document.{target}"
        if not made.is_file() or not made.stat().st_size:
            advice = f"请用 Office 或 WPS 打开后另存为 {target.upper()}"
            reason = f"LibreOffice 打不开这个 {kind.upper()} 文件{told}。{advice}"
            raise IngestError(reason, place=source, code=Reject.DAMAGED)
        return made.read_bytes(), target


def _run(command: list[str], folder: Path, seconds: float, source: str) -> str:
    """What the program said of a failure, "" when it ended well. All processes that it started end with it."""
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        _limit_cpu(process.pid, seconds)
        try:
            _, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            reason = f"LibreOffice 转换超过 {seconds:.0f} 秒。请用 Office 或 WPS 另存为新格式后重试"
            raise IngestError(reason, place=source, code=Reject.TIMEOUT) from error
        finally:
            _end(process)
    lines = [line for line in told.decode("utf-8", "replace").splitlines() if line.startswith("Error")]
    return f"（{lines[0][:100]}）" if lines else ""


def _limit_cpu(process_id: int, seconds: float) -> None:
    """The limit that holds when this process itself is killed meanwhile and cannot end the other."""
    if sys.platform == "linux":
        import resource

        limit = int(seconds) + 5
        try:
            resource.prlimit(process_id, resource.RLIMIT_CPU, (limit, limit))
        except ProcessLookupError:      # it has ended already
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)      # the program is a script that starts others
    except ProcessLookupError:
        return
