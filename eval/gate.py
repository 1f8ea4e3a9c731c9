"""Floors under measured numbers: pinned with a digest of the gold set, raised freely, lowered only when told to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.errors import NotFound, PolicyDeskError
from eval.children import ROOT
from eval.measures import headline
from eval.retrieval import RetrievalResult

GATE = ROOT / "eval" / "gate.json"
_STEP = 1000     # floors are kept to three decimals, rounded down


class Pin(BaseModel, frozen=True, extra="forbid"):
    """What one gold set must reach."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]       # of the gold set, as `gold_digest` gives it
    floors: Mapping[str, Annotated[float, Field(ge=0, le=1)]]


@dataclass(frozen=True, slots=True)
class Checked:
    """One measure beside its floor."""

    measure: str
    value: float
    floor: float

    @property
    def ok(self) -> bool:
        return self.value >= self.floor


_PINS = TypeAdapter(dict[str, Pin])


def read_pins(path: Path = GATE) -> dict[str, Pin]:
    """Pins by name of the gold set; none when there is no file. Raises `PolicyDeskError` for what is no gate file."""
    try:
        return _PINS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "整个文件"
        raise PolicyDeskError(f"门槛文件 {path} 读不懂：{where}：{first['msg']}；请改正或从版本库取回") from error


def write_pins(pins: Mapping[str, Pin], path: Path = GATE) -> None:
    rows = {name: pin.model_dump() for name, pin in sorted(pins.items())}
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def check(name: str, pins: Mapping[str, Pin], result: RetrievalResult) -> list[Checked]:
    """Every pinned measure of ``name``. Raises `NotFound` for a set without a pin, `PolicyDeskError` for another
    gold set under its name: numbers of different questions cannot be compared."""
    pin = pins.get(name)
    if pin is None:
        raise NotFound(f"没有名为 {name} 的门槛；请用 --update 定下")
    if pin.digest != result.digest:
        raise PolicyDeskError(
            f"{name} 的标准集变了：门槛定于 {pin.digest}，现在是 {result.digest}。"
            "请恢复原来的问题，或用 --update 重新定下"
        )
    means = result.scores.overall.means
    return [Checked(measure, means.get(measure, 0.0), least) for measure, least in pin.floors.items()]


def updated(pins: Mapping[str, Pin], name: str, result: RetrievalResult, *, allow_lower: bool) -> dict[str, Pin]:
    """The pins with the floors of ``name`` at what was measured.

    Raises `PolicyDeskError` when that lowers or drops a floor, also one of an earlier gold set, unless allowed.
    """
    means = result.scores.overall.means
    fresh = {
        measure: floor(means[measure] * _STEP + 1e-9) / _STEP
        for measure in headline(result.scores.overall, by_document=result.by_document)
    }
    if not fresh:
        raise PolicyDeskError("没有一个有答案的问题，定不了门槛；请换一个标准集")
    old = pins[name].floors if name in pins else {}
    lower = [f"{measure} {least:.3f} → {fresh.get(measure, 0.0):.3f}" for measure, least in old.items()
             if fresh.get(measure, 0.0) < least]
    if lower and not allow_lower:
        raise PolicyDeskError(
            f"不会降低 {name} 的门槛：{'，'.join(lower)}。确要降低请加 --allow-lower，并在提交说明中写明原因"
        )
    return {**pins, name: Pin(digest=result.digest, floors=fresh)}


def gate_lines(checked: Sequence[Checked]) -> Iterator[str]:
    for row in checked:
        yield f"{'通过' if row.ok else '未达'}  {row.measure:<10} {row.value:.3f}  门槛 {row.floor:.3f}"
