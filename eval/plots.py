"""Numbers -> small SVG drawings to stand inside an HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log

_COLOURS = ("#1f6fb2", "#c4581c", "#2f7d5b", "#8a4fa8", "#a8862a", "#5d6b7c")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640, 260, 44, 28
_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


def bar(value: float, low: float, high: float) -> str:
    """A bar from 0 to ``value`` of 1, its interval as a thin line across its end."""
    left, right = 120 * low, 120 * high
    return (
        '<svg width="120" height="12" role="img">'
        f'<title>{value:.3f}，95 % 区间 {low:.3f}–{high:.3f}</title>'
        '<rect width="120" height="12" fill="currentColor" opacity=".08"/>'
        f'<rect width="{120 * value:.1f}" height="12" fill="{_COLOURS[0]}" opacity=".75"/>'
        f'<path d="M{left:.1f} 6H{right:.1f}M{left:.1f} 3v6M{right:.1f} 3v6" stroke="currentColor"/>'
        "</svg>"
    )


def share_within(ranks: Sequence[int | None], depth: int) -> list[float]:
    """The share of ranks that are at most 1, 2, … ``depth``; zeros when there are none."""
    counts = [0] * (depth + 1)
    for rank in ranks:
        if rank is not None and rank <= depth:
            counts[rank] += 1
    shares, so_far = [], 0
    for count in counts[1:]:
        so_far += count
        shares.append(so_far / max(len(ranks), 1))
    return shares


def rank_curves(curves: Mapping[str, Sequence[int | None]], *, depth: int) -> str:
    """One line per name over ranks 1 to ``depth``, on a logarithmic axis; `_COLOURS` are used in order."""
    across = _WIDTH - _LEFT - 10
    down = _HEIGHT - _BOTTOM - 10

    def x(rank: int) -> float:
        return _LEFT + across * log(rank) / log(max(depth, 2))

    def y(share: float) -> float:
        return 10 + down * (1 - share)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" style="width:100%;max-width:{_WIDTH}px" role="img">']
    for tenth in (0, 2, 4, 6, 8, 10):
        height = y(tenth / 10)
        parts.append(f'<path d="M{_LEFT} {height:.1f}H{_WIDTH - 10}" stroke="currentColor" opacity=".15"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    for rank in (tick for tick in _TICKS if tick <= depth):
        parts.append(f'<text x="{x(rank):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{rank}</text>')
    for colour, (name, ranks) in zip(_COLOURS, curves.items(), strict=False):
        points = " ".join(f"{x(rank):.1f},{y(share):.1f}" for rank, share in enumerate(share_within(ranks, depth), 1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2">')
        parts.append(f"<title>{escape(name)}</title></polyline>")
    legend = "".join(
        f'<span style="color:{colour}">━</span> {escape(name)}　'
        for colour, name in zip(_COLOURS, curves, strict=False)
    )
    return "".join([*parts, "</svg>"]) + f"<p>{legend}</p>"
