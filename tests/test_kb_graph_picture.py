"""The picture of a neighbourhood: valid SVG, boxes that do not lie on each other, the same each time."""

from __future__ import annotations

import re
from itertools import combinations

from lxml import etree

from kb.graph.picture import picture
from kb.graph.queries import Found
from kb.graph.records import Edge, Node, Sort, article_node, document_node, named_node

LAW = document_node("a" * 16, "中华人民共和国动物防疫法")
SVG = "{http://www.w3.org/2000/svg}"


def found(number: int, source: Node, target: Node, kind: str = "cites", *, hop: int = 1) -> Found:
    return Found(hop, source == LAW, Edge(source.document or "", number, kind, "rule", source, target, 0, 1, ""))


def around(count: int) -> list[Found]:
    cities = [document_node(f"{n:016x}", f"第{n}市养犬管理条例" * (1 + n % 4)) for n in range(count)]
    return [found(0, city, LAW, "basis") for city in cities]


def drawn(start: Node, edges: list[Found], *, most: int = 40) -> etree._Element:
    return etree.fromstring("\n".join(picture(start, edges, most=most)).encode())


def boxes(svg: etree._Element) -> list[tuple[float, float, float, float]]:
    return [
        tuple(float(group.find(f"{SVG}rect").get(key)) for key in ("x", "y", "width", "height"))
        for group in svg.findall(f"{SVG}g")
    ]


def labels(svg: etree._Element) -> list[str]:
    return [group.find(f"{SVG}title").text for group in svg.findall(f"{SVG}g")]


def test_no_box_lies_on_another_one() -> None:
    placed = boxes(drawn(LAW, around(40)))
    assert len(placed) == 41
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(placed, 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1


def test_everything_lies_within_the_picture() -> None:
    svg = drawn(LAW, around(12))
    left, top, width, height = map(float, svg.get("viewBox").split())
    for x, y, w, h in boxes(svg):
        assert left < x < x + w < left + width
        assert top < y < y + h < top + height


def test_the_same_graph_is_drawn_the_same() -> None:
    assert list(picture(LAW, around(15))) == list(picture(LAW, around(15)))


def test_articles_stand_in_the_box_of_their_document_and_edges_of_a_kind_are_one_line() -> None:
    city = [article_node("b" * 16, "临江市养犬管理条例", n, f"第{n}条") for n in (1, 2)]
    target = article_node(LAW.id, LAW.label, 2, "第三条")
    svg = drawn(LAW, [found(n, one, target) for n, one in enumerate(city)])
    assert sorted(labels(svg)) == sorted([LAW.label, "临江市养犬管理条例"])
    (line,) = svg.findall(f"{SVG}line")
    assert line.find(f"{SVG}title").text == "引用 第1条 → 第三条；第2条 → 第三条"
    assert "引用×2" in etree.tostring(svg, encoding="unicode")


def test_the_nearest_and_most_connected_are_drawn_and_the_rest_is_counted() -> None:
    near = document_node("c" * 16, "近")
    far = [found(n, near, named_node(Sort.TERM, f"词{n}"), "defines", hop=2) for n in range(5)]
    svg = drawn(LAW, [found(0, near, LAW), *far], most=3)
    assert {LAW.label, "近"} < set(labels(svg))
    assert len(labels(svg)) == 4
    assert "3 个相关节点，另有 3 个未画出" in "".join(svg.itertext())


def test_a_document_without_neighbours_is_drawn_alone() -> None:
    svg = drawn(LAW, [])
    assert labels(svg) == [LAW.label]
    assert "0 个相关节点" in "".join(svg.itertext())


def test_names_are_escaped_and_unknown_kinds_shown_as_they_are() -> None:
    odd = named_node(Sort.THING, "<b>&\"")
    svg = drawn(LAW, [found(0, LAW, odd, "speaks_of")])
    assert "<b>&\"" in labels(svg)
    assert re.search("speaks_of", "".join(svg.itertext()))


def test_no_line_of_a_box_begins_with_a_comma() -> None:
    group = named_node(Sort.GROUP, "家庭在本市无自有住房的，或者人均住房面积不足，且没有别的住房")
    svg = drawn(LAW, [found(0, LAW, group, "applies_to")])
    shown = [text.text for box in svg.findall(f"{SVG}g") for text in box.findall(f"{SVG}text")]
    assert "".join(shown).endswith(group.label) or group.label in "".join(shown)
    assert not [line for line in shown if line[0] in "，。、；）》"]
