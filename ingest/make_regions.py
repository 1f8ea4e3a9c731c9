"""The table of 区划代码, made anew from the dictionary of the ``jionlp`` package: ``python -m ingest.make_regions``.

Only codes and names are taken. The package is needed for this command alone and is no dependency of ours.
"""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path

from core.errors import IngestError
from core.regions import TABLE

_ARCHIVE = "dictionary/china_location.zip"
_NOT_A_PLACE = "直辖"       # 省直辖行政区划 groups counties that stand directly under a province


def main() -> None:
    """Write the table, a code and a name per line in the order of the codes."""
    found = importlib.util.find_spec("jionlp")
    if found is None or found.origin is None:
        raise IngestError("没有找到 jionlp。请先在当前环境中安装：pip install --no-deps jionlp", place="jionlp")
    rows = read_rows(Path(found.origin).parent / _ARCHIVE)
    TABLE.write_text("".join(f"{code},{name}\n" for code, name in sorted(rows.items())), encoding="utf-8")
    sys.stderr.write(f"{TABLE}: {len(rows)} regions\n")


def read_rows(archive: Path) -> dict[str, str]:
    """Code -> full name of every province, city and district.

    A line is indented by its level: name, code, short name. Towns and villages follow without a code. 北京市
    stands there as province and as city of itself, with one code: one row is enough.
    """
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(opened.namelist()[0]).decode("utf-8")
    rows: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.lstrip("\t").split("\t")
        if len(parts) == 3 and parts[1].isdigit() and _NOT_A_PLACE not in parts[0]:
            rows.setdefault(parts[1], parts[0])
    return rows


if __name__ == "__main__":
    main()
