"""Official fields against a gold file: exact match per field, and the rows that lose.

``python -m eval.official GOLD --data FOLDER`` reads each document the way the product does. GOLD holds a JSON object
per line, {"key": …, "fields": {…}}; FOLDER holds ``policy_files``, ``policy_hebei`` and ``policy_guangzhou``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config import load_config
from core.records import OfficialField

# field of the gold file -> name of the official field
NAMES = {
    "title": "标题", "issuer": "发文机关", "doc_no": "发文字号", "addressee": "主送机关", "dated": "成文日期",
    "published_on": "发布日期", "effective_from": "施行日期", "effective_to": "失效日期", "kind": "文种",
    "secrecy": "密级", "attachments": "附件", "cc": "抄送", "publicity": "公开属性", "level": "行政层级",
    "region": "适用区域", "basis": "依据", "repeals": "废止", "amends": "修改",
}
_LISTS = ("issuer", "attachments", "basis", "repeals", "amends")
_JSONL = {"hebei": "policy_hebei/documents.jsonl.gz", "guangzhou": "policy_guangzhou/documents.jsonl"}


@dataclass(frozen=True, slots=True)
class Loss:
    """One field of one document that is not as the gold has it."""

    key: str
    field: str
    gold: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldScore:
    """Exact matches, lists compared as sets; ``ordered`` counts those that are in order, too."""

    field: str
    count: int
    exact: int
    ordered: int

    @property
    def share(self) -> float:
        return self.exact / self.count if self.count else 1.0


def normalised(value: object) -> tuple[str, ...]:
    """A gold value, one, several or none, without white space."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple("".join(str(item).split()) for item in values)


def found_values(fields: Sequence[OfficialField]) -> dict[str, tuple[str, ...]]:
    """The official fields by the names of a gold file; the first value of one that can have only one."""
    found: dict[str, tuple[str, ...]] = {}
    for field, name in NAMES.items():
        values = normalised([item.value for item in fields if item.name == name])
        found[field] = values if field in _LISTS else values[:1]
    return found


def score(
    gold: Mapping[str, Mapping[str, object]], found: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> tuple[list[FieldScore], list[Loss]]:
    """Per field of the gold file, in its order. A document that is missing from ``found`` loses every field."""
    scores: list[FieldScore] = []
    losses: list[Loss] = []
    for field in NAMES:
        exact = ordered = 0
        for key, fields in gold.items():
            wanted = normalised(fields.get(field))
            got = found[key].get(field, ()) if key in found else ("（未读出）",)
            exact += set(wanted) == set(got)
            ordered += wanted == got
            if set(wanted) != set(got):
                losses.append(Loss(key, field, wanted, got))
        scores.append(FieldScore(field, len(gold), exact, ordered))
    return scores, losses


def read_gold(path: Path) -> dict[str, Mapping[str, object]]:
    """Key -> fields."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["key"]: row["fields"] for row in rows}


def read_fields(
    keys: Sequence[str], data: Path, regions: Mapping[str, str]
) -> Iterator[tuple[str, list[OfficialField]]]:
    """(key, official fields) of files below ``data``, and of rows by their title and text alone."""
    from ingest.official import read_official

    rows = _rows(keys, data)
    for key in keys:
        if key in rows:
            title, text = rows[key]
            official = read_official(text, (0, len(text)), {"title": title}, key, regions)
        else:
            composed_text, body, hints = _file(data / key)
            official = read_official(composed_text, body, hints, Path(key).name, regions)
        yield key, list(official.fields)


def _rows(keys: Sequence[str], data: Path) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for prefix, name in _JSONL.items():
        wanted = {key.removeprefix("guangzhou/"): key for key in keys if key.startswith(prefix)}
        if not wanted:
            continue
        open_text = gzip.open if name.endswith(".gz") else open
        with open_text(data / name, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["id"] in wanted:
                    found[wanted[row["id"]]] = row["title"], row["text"]
    return found


def _file(path: Path) -> tuple[str, tuple[int, int], dict[str, str]]:
    from ingest.compose import compose
    from ingest.reading import ReadOptions

    if path.suffix == ".pdf":
        from ingest.read_pdf import read_pdf as read
    else:
        from ingest.read_html import read_html as read
    reading = read(path.read_bytes(), path.name, ReadOptions())
    composed = compose(reading)
    hints = dict(reading.hints)
    if composed.title:
        hints.setdefault("title", composed.title)
    return composed.text, (0, composed.body_end), hints


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and the losing rows."""
    parser = argparse.ArgumentParser(prog="python -m eval.official", description=__doc__)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="", help="part of a key: score these documents only")
    options = parser.parse_args(arguments)
    gold = {key: fields for key, fields in read_gold(options.gold).items() if options.only in key}
    regions = load_config().regions.names
    found = {key: found_values(fields) for key, fields in read_fields(list(gold), options.data, regions)}
    scores, losses = score(gold, found)
    out = sys.stdout
    for row in scores:
        out.write(f"{row.field:15} {row.exact:4}/{row.count:<4} {row.share:.3f}   in order {row.ordered}\n")
    out.write(f"macro           {sum(row.share for row in scores) / len(scores):.4f}\n")
    for loss in losses:
        out.write(f"\n{loss.field}  {loss.key}\n  gold  {' | '.join(loss.gold)}\n  found {' | '.join(loss.found)}\n")


if __name__ == "__main__":
    main()
