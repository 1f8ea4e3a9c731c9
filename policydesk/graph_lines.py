"""What the graph answers as lines for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kb.graph.ends import OpenEnd, Responsible
from kb.graph.export import edge_values, node_values
from kb.graph.queries import Found
from kb.graph.records import KIND_NAMES, Edge, Node, Sort

Quotes = Mapping[tuple[str, int], str]
_PREVIEW = 60
_SORTS = {Sort.OPEN: "（未入库）", Sort.UNCLEAR: "（几份文件同名）"}


def found_json(found: Found, quotes: Quotes) -> dict[str, object]:
    return {"hop": found.hop, "forward": found.forward, **edge_json(found.edge, quotes)}


def edge_json(edge: Edge, quotes: Quotes) -> dict[str, object]:
    return {
        **edge_values(edge),
        "quote": quotes.get((edge.document, edge.number), ""),
        "source": _node(edge.source),
        "target": _node(edge.target),
    }


def found_lines(found: Sequence[Found], quotes: Quotes) -> Iterator[str]:
    """Indented by hop: the kind, both ends, and the words with their place."""
    if not found:
        yield "没有找到关系"
    for one in found:
        yield f"{'    ' * (one.hop - 1)}{edge_line(one.edge)}"
        yield f"{'    ' * one.hop}{_quoted(one.edge, quotes)}"


def edge_line(edge: Edge) -> str:
    by = "" if edge.method == "rule" else f"（{edge.method}）"
    part = f"（{edge.part}）" if edge.part else ""
    return f"{kind_name(edge.kind)}{by}  {shown(edge.source)} → {shown(edge.target)}{part}"


def path_lines(way: Sequence[Found] | None, quotes: Quotes) -> Iterator[str]:
    if way is None:
        yield "两份文件之间没有路径"
    for one in way or ():
        arrow = "→" if one.forward else "←"
        near, far = (one.edge.source, one.edge.target) if one.forward else (one.edge.target, one.edge.source)
        yield f"{one.hop}. {shown(near)} {arrow}{kind_name(one.edge.kind)}{arrow} {shown(far)}"
        yield f"    {_quoted(one.edge, quotes)}"


def implementing_lines(found: Sequence[Found]) -> Iterator[str]:
    """First what it carries out, then what carries it out."""
    above, below = [one for one in found if one.forward], [one for one in found if not one.forward]
    for name, side in (("它实施或依据的上位文件", above), ("实施它或以它为依据的文件", below)):
        yield f"{name}：{len(side)}"
        for one in side:
            far = one.edge.target if one.forward else one.edge.source
            yield f"{'    ' * one.hop}{kind_name(one.edge.kind)}  {shown(far)}  {far.document or ''}".rstrip()


def responsible_json(row: Responsible) -> dict[str, object]:
    return {
        "body": row.body, "what": row.what, "phone": row.phone, "hit": row.hit, "likeness": row.likeness,
        **edge_json(row.edge, {(row.edge.document, row.edge.number): row.quote}),
    }


def responsible_lines(rows: Sequence[Responsible]) -> Iterator[str]:
    if not rows:
        yield "找到的条文没有写明负责部门"
    for number, row in enumerate(rows, start=1):
        yield f"{number}. {row.body}  {row.what}  {row.phone or '无电话'}".rstrip()
        yield f"    {shown(row.edge.source)}  [{row.edge.document} {row.edge.start}-{row.edge.end}]"


def open_lines(ends: Sequence[OpenEnd]) -> Iterator[str]:
    if not ends:
        yield "没有未入库而被引用的文件"
    for end in ends:
        yield f"{end.edges:6d} 处  {end.documents:5d} 份文件  《{end.name}》"


def shown(node: Node) -> str:
    return f"{node.label}{_SORTS.get(node.sort, '')}"


def kind_name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind)


def _node(node: Node) -> dict[str, object]:
    return {"id": node.id, **node_values(node)}


def _quoted(edge: Edge, quotes: Quotes) -> str:
    words = " ".join(quotes.get((edge.document, edge.number), "").split())
    short = words if len(words) <= _PREVIEW else words[:_PREVIEW] + "…"
    return f"“{short}”  [{edge.document} {edge.start}-{edge.end}]"
