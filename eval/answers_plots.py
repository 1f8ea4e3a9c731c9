"""Lines between 0 and 1 on both axes, as an SVG drawing to stand inside an HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_COLOURS = ("#1f6fb2", "#c4581c", "#2f7d5b", "#8a4fa8")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640, 300, 48, 44


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with a few words beside it."""

    x: float
    y: float
    text: str


def unit_plot(
    lines: Mapping[str, Sequence[tuple[float, float]]], *, across: str, marks: Sequence[Mark] = (),
    limits: Sequence[float] = (),
) -> str:
    """One line per name through its points (x, y); ``across`` names the x axis, ``limits`` are upright lines."""
    width, height = _WIDTH - _LEFT - 12, _HEIGHT - _BOTTOM - 10

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + width * min(max(x, 0.0), 1.0), 10 + height * (1 - min(max(y, 0.0), 1.0))

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" style="width:100%;max-width:{_WIDTH}px" role="img">']
    for tenth in (0, 2, 4, 6, 8, 10):
        x, y = place(tenth / 10, tenth / 10)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 12}" stroke="currentColor" opacity=".15"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10 * tenth} %</text>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 26}" text-anchor="middle">{tenth / 10:.1f}</text>')
    parts.append(f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>')
    for limit in limits:
        x, _ = place(limit, 0)
        parts.append(f'<path d="M{x:.1f} 10v{height}" stroke="currentColor" stroke-dasharray="3 3" opacity=".5"/>')
    for colour, (name, points) in zip(_COLOURS, lines.items(), strict=False):
        drawn = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2">')
        parts.append(f"<title>{escape(name)}</title></polyline>")
    for mark in marks:
        x, y = place(mark.x, mark.y)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#a8862a"/>')
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 14:.1f}">{escape(mark.text)}</text>')
    legend = "".join(
        f'<span style="color:{colour}">━</span> {escape(name)}　' for colour, name in zip(_COLOURS, lines, strict=False)
    )
    return "".join([*parts, "</svg>"]) + f"<p>{legend}</p>"
