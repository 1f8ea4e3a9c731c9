"""Standard questions and service guides as records, as JSON, and what an entry has to have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from core.errors import PolicyDeskError
from core.regions import region_chain

SECTIONS = ("事项", "对象", "条件", "材料", "流程", "时限", "费用", "渠道", "电话")
_SECTION = re.compile(rf"^(?:{'|'.join(SECTIONS)})：", re.MULTILINE)


class Kind(StrEnum):
    """What an entry is."""

    FAQ = "faq"
    GUIDE = "guide"              # its answer has sections


class FaqState(StrEnum):
    """Where an entry stands. Only PUBLISHED answers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    SUSPENDED = "suspended"      # what it cites has changed or ended
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Basis:
    """What carries an answer."""

    source: str                  # of the document, as it was ingested; in a draft also its 发文字号 or title
    address: str
    quote: str
    text_hash: str = ""          # of the article when the entry was published; empty before


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """A standard question with its answer. A guide's answer has a line for each section: 材料：身份证……"""

    question: str
    answer: str
    citations: tuple[Basis, ...]
    kind: Kind = Kind.FAQ
    similar: tuple[str, ...] = ()        # other words for the question
    negative: tuple[str, ...] = ()       # questions that look like it and are not it
    threshold: float = 0.0               # 0: the configured one
    region: str | None = None
    public: bool = True
    owner: str | None = None
    review_due: date | None = None
    id: str = ""
    state: FaqState = FaqState.DRAFT
    reason: str | None = None            # why it is suspended


def sections(entry: FaqEntry) -> dict[str, str]:
    """The sections of a guide, in the order of its answer."""
    borders = [*(match.start() for match in _SECTION.finditer(entry.answer)), len(entry.answer)]
    parts = [entry.answer[start:end] for start, end in pairwise(borders)]
    return {name: text.strip() for name, _, text in (part.partition("：") for part in parts)}


def answer_of(parts: Mapping[str, str]) -> str:
    """The answer of a guide from its sections; those that are empty are left out."""
    return "\n".join(f"{name}：{parts[name].strip()}" for name in SECTIONS if parts.get(name, "").strip())


def entry_json(entry: FaqEntry) -> dict[str, Any]:
    """What `entry_of` reads; of a guide the sections in place of the answer."""
    row = asdict(entry) | {"review_due": entry.review_due and entry.review_due.isoformat()}
    return row | ({"sections": sections(entry)} if entry.kind is Kind.GUIDE else {})


def entry_of(row: Mapping[str, Any]) -> FaqEntry:
    """Raises `PolicyDeskError` for what is no entry."""
    known = {"question", "answer", "citations", "kind", "similar", "negative", "threshold", "region", "public", "owner",
             "review_due", "id", "state", "reason", "sections"}
    if unknown := sorted(set(row) - known):
        raise PolicyDeskError(f"条目不认识的键：{'、'.join(unknown)}。可用的键：{'、'.join(sorted(known))}")
    try:
        parts = {str(name): str(text) for name, text in dict(row.get("sections") or {}).items()}
        if wrong := sorted(set(parts) - set(SECTIONS)):
            raise PolicyDeskError(f"办事指南没有“{'、'.join(wrong)}”这样的栏目。栏目为：{'、'.join(SECTIONS)}")
        due = row.get("review_due")
        return FaqEntry(
            str(row["question"]).strip(), str(answer_of(parts) if parts else row["answer"]).strip(),
            tuple(_basis(one) for one in row.get("citations", ())), Kind(row.get("kind", Kind.FAQ)),
            _texts(row.get("similar", ())), _texts(row.get("negative", ())), float(row.get("threshold", 0.0)),
            row.get("region"), bool(row.get("public", True)), row.get("owner"),
            date.fromisoformat(str(due)) if due else None, str(row.get("id", "")),
            FaqState(row.get("state", FaqState.DRAFT)), row.get("reason"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyDeskError(
            f"条目写得不对（{error}）。至少要有 question、answer（或 sections）和 citations"
        ) from error


def _basis(row: Mapping[str, Any]) -> Basis:
    return Basis(str(row["source"]), str(row["address"]), str(row["quote"]), str(row.get("text_hash", "")))


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError("similar 和 negative 应为列表")
    return tuple(text for value in values if (text := str(value).strip()))


def read_entries(lines: Iterable[str], place: str) -> Iterator[FaqEntry]:
    """Of a JSON Lines file. Raises `PolicyDeskError` naming ``place`` and the line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise PolicyDeskError("应为 JSON 对象")
            entry = entry_of(row)
            check_entry(entry)
        except (json.JSONDecodeError, PolicyDeskError) as error:
            raise PolicyDeskError(f"{place}:{number}：{error}") from error
        yield entry


def check_entry(entry: FaqEntry) -> None:
    """Raises `PolicyDeskError` for what no entry can be."""
    if not entry.question or not entry.answer:
        raise PolicyDeskError("条目要有标准问题和答复")
    if not 0 <= entry.threshold <= 1:
        raise PolicyDeskError(f"直接作答的阈值应在 0 到 1 之间，实际是 {entry.threshold}")
    if entry.region is not None:
        region_chain(entry.region)
    if entry.kind is Kind.GUIDE and "事项" not in sections(entry):
        raise PolicyDeskError(f"办事指南至少要有“事项”一栏。栏目为：{'、'.join(SECTIONS)}")
