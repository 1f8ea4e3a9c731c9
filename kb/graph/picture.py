"""The neighbourhood of a document as an SVG picture: what says what of it, in boxes that do not lie on each other."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from kb.graph.queries import Found
from kb.graph.records import KIND_NAMES, Node, Sort, document_node

_FONT = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"
_SIZE = 13                       # of letters
_LINE = 17
_CHARACTERS = 13                 # in one line of a box
_LINES = 3
_NOT_FIRST = tuple("，。、；：）》”…")     # in a line
_EDGE = 64                       # free space that an edge and its label need between two boxes
_MARGIN = 36
_HEAD = 66
_FOOT = 54
_FILLS = {                       # fill, line
    Sort.DOCUMENT: ("#eef4fb", "#4a7ab5"),
    Sort.BODY: ("#fdf1e3", "#c98a3a"),
    Sort.TERM: ("#eef7ee", "#5a9a5e"),
    Sort.GROUP: ("#f6effa", "#8d66ab"),
    Sort.MATERIAL: ("#f3f3ea", "#8a8a55"),
    Sort.CONDITION: ("#f3f3ea", "#8a8a55"),
    Sort.OPEN: ("#ffffff", "#a0a0a0"),
    Sort.UNCLEAR: ("#ffffff", "#a0a0a0"),
}
_SORT_NAMES = {
    Sort.DOCUMENT: "文件", Sort.BODY: "机关", Sort.TERM: "术语", Sort.GROUP: "适用对象", Sort.MATERIAL: "材料",
    Sort.CONDITION: "条件", Sort.THING: "其他", Sort.OPEN: "未入库的文件", Sort.UNCLEAR: "几份文件同名",
}
_COLOURS = {
    "cites": "#6b7c93", "basis": "#2f6db3", "amends": "#b5651d", "implements": "#1f8a70", "repeals": "#c0392b",
    "supersedes": "#c0392b", "prevails": "#8e5aa8", "defines": "#5a9a5e", "issued_by": "#c98a3a",
    "responsible": "#c98a3a", "applies_to": "#8d66ab",
}
_OTHER = "#777777"


@dataclass(slots=True)
class _Box:
    """A node with its lines of text; x and y are of its middle."""

    node: Node
    lines: tuple[str, ...]
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(_width(line) for line in self.lines) + 22

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + 14


@dataclass(frozen=True, slots=True)
class _Line:
    """All edges of one kind from one box to another."""

    source: str
    target: str
    kind: str
    places: tuple[str, ...]      # 第三条 → 第二条
    shift: float                 # of its label along it, so that labels of several kinds lie apart


def picture(start: Node, found: Sequence[Found], *, most: int = 40) -> Iterator[str]:
    """The lines of an SVG file: ``start`` in the middle, at most so many others, those with most edges first.

    An article stands in the box of its document. The same each time.
    """
    middle = _coarse(start)
    pairs = [(found_one, _coarse(found_one.edge.source), _coarse(found_one.edge.target)) for found_one in found]
    pairs = [pair for pair in pairs if pair[1].id != pair[2].id]
    kept, left_out = _chosen(middle, pairs, most)
    boxes = {node.id: _Box(node, _wrapped(node.label)) for node in kept}
    lines = _lines(pairs, boxes)
    _lay_out(boxes, lines, middle.id)
    yield from _svg(middle, boxes, lines, left_out)


def _coarse(node: Node) -> Node:
    if node.document is None:
        return node
    title = node.label.removesuffix(f" {node.address}") if node.address else node.label
    return document_node(node.document, title)


def _chosen(middle: Node, pairs: Sequence[tuple[Found, Node, Node]], most: int) -> tuple[list[Node], int]:
    """The nearest first, then those with most edges; how many are left out."""
    hops: dict[str, int] = {middle.id: 0}
    nodes = {middle.id: middle}
    weight: Counter[str] = Counter()
    for one, source, target in pairs:
        for node in (source, target):
            nodes.setdefault(node.id, node)
            hops.setdefault(node.id, one.hop)
            weight[node.id] += 1
    ordered = sorted(nodes.values(), key=lambda node: (hops[node.id], -weight[node.id], node.id))
    return ordered[: most + 1], max(0, len(ordered) - most - 1)


def _lines(pairs: Iterable[tuple[Found, Node, Node]], boxes: dict[str, _Box]) -> list[_Line]:
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one, source, target in pairs:
        if source.id in boxes and target.id in boxes:
            edge = one.edge
            place = " → ".join(address for address in (edge.source.address, edge.target.address) if address)
            groups[source.id, target.id, edge.kind].append(place)
    between: defaultdict[frozenset[str], list[tuple[str, str, str]]] = defaultdict(list)
    for key in sorted(groups):
        between[frozenset(key[:2])].append(key)
    return [
        _Line(*key, tuple(groups[key]), share if key[0] < key[1] else 1 - share)
        for keys in between.values()
        for number, key in enumerate(keys, start=1)
        for share in [number / (len(keys) + 1)]
    ]


# where boxes lie


def _lay_out(boxes: dict[str, _Box], lines: Sequence[_Line], middle: str) -> None:
    """By networkx, as far apart as the boxes need; then those that still lie on each other are pushed apart."""
    import networkx  # type: ignore[import-untyped]  # 0.1 s

    graph = networkx.Graph()
    graph.add_nodes_from(sorted(boxes))
    graph.add_edges_from((line.source, line.target) for line in lines)
    for one in boxes:                 # what only left-out nodes join to the middle
        if one != middle and graph.degree[one] == 0:
            graph.add_edge(middle, one)
    spread = 88 * math.sqrt(len(boxes))
    first = networkx.circular_layout(graph)
    at = networkx.kamada_kawai_layout(graph, pos=first)
    for name, box in boxes.items():
        x, y = at[name]
        box.x, box.y = float(x) * spread * 1.6, float(y) * spread
    _push_apart(list(boxes.values()), [(boxes[line.source], boxes[line.target]) for line in lines])


def _push_apart(boxes: list[_Box], lines: Sequence[tuple[_Box, _Box]]) -> None:
    for turn in range(400):
        moved = False
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                moved |= _push(one, other)
            if turn < 100:                       # then what is left must do: a crowd has no place free of lines
                for ends in lines:
                    moved |= _push_off(one, *ends)
        if not moved:
            return


def _push_off(box: _Box, one: _Box, other: _Box) -> bool:
    """Away from a line that runs through the box, across the line."""
    dx, dy = other.x - one.x, other.y - one.y
    length = math.hypot(dx, dy)
    if box is one or box is other or length < 1:
        return False
    along = ((box.x - one.x) * dx + (box.y - one.y) * dy) / length
    across = ((box.x - one.x) * -dy + (box.y - one.y) * dx) / length
    half = (box.width * abs(dy) + box.height * abs(dx)) / length / 2 + 6
    if not 0 < along < length or abs(across) >= half:
        return False
    step = (half - abs(across)) * (1 if across >= 0 else -1) * 0.5
    box.x, box.y = box.x - dy / length * step, box.y + dx / length * step
    return True


def _push(one: _Box, other: _Box) -> bool:
    """Half of what is missing to each side, along the way on which less is missing."""
    over_x = (one.width + other.width) / 2 + _EDGE * 0.5 - abs(one.x - other.x)
    over_y = (one.height + other.height) / 2 + _EDGE * 0.6 - abs(one.y - other.y)
    if over_x <= 0.5 or over_y <= 0.5:
        return False
    if over_x < over_y:
        step = over_x / 2 if one.x >= other.x else -over_x / 2
        one.x, other.x = one.x + step, other.x - step
    else:
        step = over_y / 2 if one.y >= other.y else -over_y / 2
        one.y, other.y = one.y + step, other.y - step
    return True


# writing


def _svg(middle: Node, boxes: dict[str, _Box], lines: Sequence[_Line], left_out: int) -> Iterator[str]:
    left = min(box.x - box.width / 2 for box in boxes.values()) - _MARGIN
    top = min(box.y - box.height / 2 for box in boxes.values()) - _MARGIN - _HEAD
    width = max(max(box.x + box.width / 2 for box in boxes.values()) + _MARGIN - left, 720)
    height = max(box.y + box.height / 2 for box in boxes.values()) + _MARGIN + _FOOT - top
    known = list(KIND_NAMES)
    kinds = sorted({line.kind for line in lines}, key=lambda kind: (known.index(kind) if kind in known else 99, kind))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}" font-family="{_FONT}" font-size="{_SIZE}">'
    )
    yield f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>'
    yield "<defs>"
    for kind in kinds:
        yield (
            f'<marker id="to-{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" markerHeight="11"'
            f' markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            f'<path d="M0 0L10 5L0 10z" fill="{_colour(kind)}"/></marker>'
        )
    yield "</defs>"
    yield _text(left + _MARGIN, top + 34, f"《{middle.label}》的关系", size=20, weight="bold")
    note = f"{len(boxes) - 1} 个相关节点" + (f"，另有 {left_out} 个未画出" if left_out else "")
    yield _text(left + _MARGIN, top + 56, note, fill="#666666")
    for line in lines:
        yield from _drawn_line(line, boxes)
    for box in boxes.values():
        yield from _drawn_box(box, middle=box.node.id == middle.id)
    for line in lines:
        yield _line_label(line, boxes)
    yield from _legend(left + _MARGIN, top + height - 22, kinds, {box.node.sort for box in boxes.values()})
    yield "</svg>"


def _drawn_line(line: _Line, boxes: dict[str, _Box]) -> Iterator[str]:
    one, other = boxes[line.source], boxes[line.target]
    (x1, y1), (x2, y2) = _border(one, other), _border(other, one)
    places = "；".join(place for place in line.places if place)
    yield (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="{_colour(line.kind)}"'
        f' stroke-width="{min(1.2 + 0.3 * len(line.places), 4):.1f}" marker-end="url(#to-{line.kind})">'
        f"<title>{escape(_kind_name(line.kind))} {escape(places)}</title></line>"
    )


def _line_label(line: _Line, boxes: dict[str, _Box]) -> str:
    one, other = boxes[line.source], boxes[line.target]
    (x1, y1), (x2, y2) = _border(one, other), _border(other, one)
    x, y = x1 + (x2 - x1) * line.shift, y1 + (y2 - y1) * line.shift
    count = f"×{len(line.places)}" if len(line.places) > 1 else ""
    return (
        f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" font-size="11" fill="{_colour(line.kind)}"'
        f' stroke="#ffffff" stroke-width="4" paint-order="stroke">{escape(_kind_name(line.kind))}{count}</text>'
    )


def _border(box: _Box, towards: _Box) -> tuple[float, float]:
    """Where the way to another box leaves this one."""
    dx, dy = towards.x - box.x, towards.y - box.y
    if dx == dy == 0:
        return box.x, box.y
    share = min(
        (box.width / 2 + 2) / abs(dx) if dx else math.inf,
        (box.height / 2 + 2) / abs(dy) if dy else math.inf,
    )
    return box.x + dx * share, box.y + dy * share


def _drawn_box(box: _Box, *, middle: bool) -> Iterator[str]:
    fill, colour = _FILLS.get(box.node.sort, ("#f5f5f5", "#888888"))
    dashed = ' stroke-dasharray="5 4"' if box.node.sort in (Sort.OPEN, Sort.UNCLEAR) else ""
    yield (
        f'<g><title>{escape(box.node.label)}</title><rect x="{box.x - box.width / 2:.0f}"'
        f' y="{box.y - box.height / 2:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="7"'
        f' fill="{"#1f4e86" if middle else fill}" stroke="{colour}" stroke-width="1.4"{dashed}/>'
    )
    for number, line in enumerate(box.lines):
        y = box.y + _LINE * (number - (len(box.lines) - 1) / 2) + 4.5
        yield _text(box.x, y, line, fill="#ffffff" if middle else "#222222", anchor="middle")
    yield "</g>"


def _legend(x: float, y: float, kinds: Sequence[str], sorts: set[Sort]) -> Iterator[str]:
    for kind in kinds:
        yield f'<path d="M{x:.0f} {y - 4:.0f}h22" stroke="{_colour(kind)}" stroke-width="2.5"/>'
        yield _text(x + 28, y, _kind_name(kind), size=12, fill="#444444")
        x += 28 + _width(_kind_name(kind)) + 20
    x += 12
    for sort in _SORT_NAMES:
        if sort in sorts:
            fill, colour = _FILLS.get(sort, ("#f5f5f5", "#888888"))
            dashed = ' stroke-dasharray="3 2"' if sort in (Sort.OPEN, Sort.UNCLEAR) else ""
            yield (
                f'<rect x="{x:.0f}" y="{y - 11:.0f}" width="20" height="13" rx="3" fill="{fill}"'
                f' stroke="{colour}"{dashed}/>'
            )
            yield _text(x + 26, y, _SORT_NAMES[sort], size=12, fill="#444444")
            x += 26 + _width(_SORT_NAMES[sort]) + 20


def _text(
    x: float, y: float, words: str, *, size: int = _SIZE, fill: str = "#222222", anchor: str = "start",
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}"'
        f' text-anchor="{anchor}">{escape(words)}</text>'
    )


def _wrapped(label: str) -> tuple[str, ...]:
    """At most three lines of about equal length, none beginning with a comma; a longer name ends in …."""
    most = _CHARACTERS * _LINES
    shown = label if len(label) <= most else label[: most - 1] + "…"
    count = max(1, math.ceil(len(shown) / _CHARACTERS))
    each = math.ceil(len(shown) / count)
    found: list[str] = []
    while shown:
        end = each
        while shown[end : end + 1] in _NOT_FIRST:
            end += 1
        found.append(shown[:end])
        shown = shown[end:]
    return tuple(found) or ("",)


def _width(line: str) -> float:
    """Of a Chinese character its size, of a Latin one some half of it."""
    return sum(_SIZE if ord(char) > 0x2E7F else _SIZE * 0.58 for char in line)


def _colour(kind: str) -> str:
    return _COLOURS.get(kind, _OTHER)


def _kind_name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind)
