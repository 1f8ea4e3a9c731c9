"""Formulas of Office documents in one line of text: (a+b)/2, x^2, √(a), ∑_(i=1)^n.

Format: ECMA-376 part 1, section 22.1.
"""

from __future__ import annotations

import re

from ingest.ooxml import Element

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def formula(element: Element) -> str:
    """What the element and those below it hold, brackets where the paper shows a height."""
    def part(name: str) -> str:
        found = element.find(f"{M}{name}")
        return "" if found is None else formula(found)

    match str(element.tag).removeprefix(M):
        case "t":
            return element.text or ""
        case "f":
            return f"{_bracketed(part('num'))}/{_bracketed(part('den'))}"
        case "sSup" | "sSub" | "sSubSup":
            return f"{part('e')}{_script('_', part('sub'))}{_script('^', part('sup'))}"
        case "nary":
            sign = _character(element, "naryPr", "chr", "∫")
            return f"{sign}{_script('_', part('sub'))}{_script('^', part('sup'))}{part('e')}"
        case "rad":
            return f"{_script('', part('deg'))}√{_bracketed(part('e'))}"
        case "d":
            between = _character(element, "dPr", "sepChr", "|")
            inner = between.join(formula(found) for found in element.findall(f"{M}e"))
            return f"{_character(element, 'dPr', 'begChr', '(')}{inner}{_character(element, 'dPr', 'endChr', ')')}"
        case "m" | "eqArr":
            rows = element.findall(f"{M}mr") or element.findall(f"{M}e")
            return "; ".join(" ".join(map(formula, row)) if row.tag == f"{M}mr" else formula(row) for row in rows)
        case _:
            return "".join(formula(child) for child in element if isinstance(child.tag, str))


def _bracketed(text: str) -> str:
    return text if len(text) <= 1 or re.fullmatch(r"[\d.]+%?|[A-Za-z]|[\u4e00-\u9fff]+", text) else f"({text})"


def _script(mark: str, text: str) -> str:
    return f"{mark}{_bracketed(text)}" if text else ""


def _character(element: Element, properties: str, name: str, usual: str) -> str:
    found = element.find(f"{M}{properties}/{M}{name}")
    return usual if found is None else str(found.get(f"{M}val", ""))
