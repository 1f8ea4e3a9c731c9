"""The runs of one Word paragraph: text, line breaks, fields, note marks, and the text boxes that hang on it."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field

from ingest.docx_numbering import Numbering
from ingest.docx_styles import NO_LOOK, Look, Styles, W, run_look
from ingest.ooxml import Element, Package, Relation
from ingest.ooxml_formula import M, formula

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_O = "{urn:schemas-microsoft-com:office:office}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_V = "{urn:schemas-microsoft-com:vml}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
# Deleted text, properties, instructions and the small reading aids above characters.
_LEFT_OUT = frozenset(
    f"{W}{name}" for name in (
        "pPr", "rPr", "sdtPr", "sdtEndPr", "del", "moveFrom", "delText", "delInstrText", "rt", "rubyPr", "ffData",
    )
)
_MARKS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}noBreakHyphen": "-"}
_SYMBOLS = {    # of Wingdings and Wingdings 2, which Word keeps as numbers: the boxes and ticks of forms
    "F0A8": "□", "F06F": "□", "F071": "□", "F0FE": "☑", "F052": "☑", "F0FC": "√", "F050": "√", "F0FB": "×", "F0FD": "☒",
    "F0A3": "□", "F0B2": "□", "F06C": "●", "F06E": "■", "F0D8": "➢", "F0E8": "→", "F0E0": "→", "F0B0": "°", "F0B4": "×",
    "F0B3": "≥", "F0A9": "©",
}
_EMBEDDED = {"Excel": "表格", "Word": "文档", "PowerPoint": "幻灯片", "AcroExch": "PDF", "Package": "附件"}
_READABLE_EMBEDDING = (".docx", ".xlsx", ".pptx", ".doc", ".xls", ".ppt", ".html", ".htm", ".mht", ".txt", ".rtf")


@dataclass(slots=True)
class Walk:
    """One document while it is read: what its parts refer to, and what has been met on the way."""

    package: Package
    main: str                                       # name of the main part
    part: str                                       # the part that is being read: its references count
    styles: Styles
    numbering: Numbering
    in_cell: bool = False
    images: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)          # (footnote or endnote, id) in order
    word_art: set[str] = field(default_factory=set)
    attachments: list[tuple[str, bytes | None]] = field(default_factory=list)
    _relations: dict[str, dict[str, Relation]] = field(default_factory=dict)
    _notes_by_id: dict[str, dict[str, Element]] = field(default_factory=dict)

    def relations_of(self, part: str) -> dict[str, Relation]:
        if part not in self._relations:
            self._relations[part] = self.package.relations(part)
        return self._relations[part]

    def find_note(self, kind: str, note_id: str) -> Element | None:
        """Its part becomes the one that is read."""
        name = next((r.target for r in self.relations_of(self.main).values() if r.kind == f"{kind}s"), "")
        if kind not in self._notes_by_id:
            root = self.package.xml(name)
            notes = [] if root is None else root.findall(f"{W}{kind}")
            self._notes_by_id[kind] = {note.get(f"{W}id", ""): note for note in notes}
        self.part = name
        return self._notes_by_id[kind].get(note_id)

    def attach(self, relation_id: str, name: str = "") -> None:
        """A file inside this one; its bytes only where they are a document by themselves."""
        relation = self.relations_of(self.part).get(relation_id)
        if relation is None or relation.external:
            return
        file = posixpath.basename(relation.target)
        readable = file.lower().endswith(_READABLE_EMBEDDING)
        self.attachments.append((f"{name}{file}", self.package.read(relation.target) if readable else None))


def open_walk(package: Package) -> Walk:
    main = package.main_part("word/document.xml")
    relations = package.relations(main)

    def part(kind: str) -> Element | None:
        name = next((r.target for r in relations.values() if r.kind == kind and not r.external), None)
        return None if name is None else package.xml(name)

    return Walk(package, main, main, Styles(part("styles")), Numbering(part("numbering")), _relations={main: relations})


@dataclass(slots=True)
class Inline:
    """What the runs of one paragraph hold."""

    pieces: list[str] = field(default_factory=list)             # "\n" alone is a line break
    boxes: list[Element | str] = field(default_factory=list)    # contents of text boxes; a string is word art
    fields: list[str] = field(default_factory=list)             # instructions
    _looks: Counter[tuple[int | None, bool | None, bool | None]] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        return "".join(self.pieces).split("\n")

    def add(self, text: str, look: Look) -> None:
        self.pieces.append(text)
        self._looks[look.size, look.red, look.bold] += len(text.strip())

    def look(self) -> Look:
        """Size, colour and weight of most of the text."""
        if not self._looks:
            return NO_LOOK
        size, red, bold = max(self._looks, key=self._looks.__getitem__)
        return Look(size=size, red=red, bold=bold)


def read_inline(paragraph: Element, walk: Walk, before: Inline | None = None) -> Inline:
    """The paragraph's content, put after that of ``before`` when its end mark was deleted."""
    style_id = next((style.get(f"{W}val") for style in paragraph.findall(f"{W}pPr/{W}pStyle")), None)
    look = walk.styles.paragraph(style_id).look
    inline = before or Inline()
    _runs(paragraph, walk, inline, look)
    return inline


def _runs(element: Element, walk: Walk, inline: Inline, look: Look) -> None:
    for child in element:
        tag = child.tag
        if not isinstance(tag, str) or tag in _LEFT_OUT:
            continue
        if tag == f"{W}r":
            properties = child.find(f"{W}rPr")
            own = run_look(properties)
            if properties is not None and (style := properties.find(f"{W}rStyle")) is not None:
                own = own.over(walk.styles.character(style.get(f"{W}val")))
            own = own.over(look)
            if not own.hidden:
                _runs(child, walk, inline, own)
        elif tag in (f"{W}drawing", f"{W}pict", f"{W}object"):
            _shapes(child, walk, inline)
        elif tag == f"{_MC}AlternateContent":
            _runs(_branch(child), walk, inline, look)
        elif tag.startswith(M):
            inline.add(formula(child), look)
        elif not _leaf(child, walk, inline, look):
            _runs(child, walk, inline, look)


def _leaf(child: Element, walk: Walk, inline: Inline, look: Look) -> bool:
    """Whether the element stands for text or a mark by itself."""
    tag = child.tag
    if tag == f"{W}t":
        inline.add((child.text or "").replace("\n", " "), look)
    elif tag in (f"{W}br", f"{W}cr"):
        inline.pieces.append("\n")
    elif tag in _MARKS:
        inline.pieces.append(_MARKS[tag])
    elif tag == f"{W}sym":
        inline.pieces.append(_SYMBOLS.get(child.get(f"{W}char", "").upper(), ""))
    elif tag == f"{W}instrText":
        inline.fields.append(child.text or "")
    elif tag == f"{W}fldChar":
        inline.pieces.append(_checkbox(child))
    elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
        walk.notes.append((tag.removeprefix(W).removesuffix("Reference"), child.get(f"{W}id", "")))
        inline.pieces.append(f"[注{len(walk.notes)}]")
    else:
        if tag == f"{W}fldSimple":
            inline.fields.append(child.get(f"{W}instr", ""))
        return False
    return True


def _checkbox(field_character: Element) -> str:
    """The state of an old form's box, which has no character of its own."""
    box = field_character.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    states = [state for name in ("checked", "default") if (state := box.find(f"{W}{name}")) is not None]
    return "☑" if states and states[0].get(f"{W}val", "1") not in ("0", "false", "off") else "□"


def _branch(alternatives: Element) -> Element:
    """The newer of two forms of the same content, unless only the older one holds text."""
    choice, fallback = alternatives.find(f"{_MC}Choice"), alternatives.find(f"{_MC}Fallback")
    if choice is None:
        return alternatives if fallback is None else fallback
    return fallback if fallback is not None and not _has_text(choice) and _has_text(fallback) else choice


def _has_text(element: Element) -> bool:
    return any(found.text for name in (f"{W}t", f"{_A}t") for found in element.iter(name)) or any(
        found.get("string") for found in element.iter(f"{_V}textpath")
    )


def _shapes(element: Element, walk: Walk, inline: Inline) -> None:
    """Text boxes, word art, diagrams and embedded files below a drawing."""
    for child in element:
        tag = child.tag
        if tag == f"{W}txbxContent":
            inline.boxes.append(child)
        elif tag == f"{_MC}AlternateContent":
            _shapes(_branch(child), walk, inline)
        elif tag == f"{_A}p":
            _word_art("".join(found.text or "" for found in child.iter(f"{_A}t")), inline)
        elif tag == f"{_DIAGRAM}relIds":
            _diagram(child, walk, inline)
        elif tag == f"{_O}OLEObject":
            program = child.get("ProgID", "")
            if not program.startswith(("Equation", "MathType")):
                walk.attach(child.get(f"{_R}id", ""), _EMBEDDED.get(program.split(".")[0], "附件") + "：")
        elif isinstance(tag, str):
            if tag == f"{_V}textpath":
                text = child.get("string", "").strip()
                walk.word_art.add(text)
                _word_art(text, inline)
            walk.images += tag in (f"{_A}blip", f"{_V}imagedata")
            _shapes(child, walk, inline)


def _word_art(text: str, inline: Inline) -> None:
    if text := " ".join(text.split()):
        inline.boxes.append(text)


def _diagram(references: Element, walk: Walk, inline: Inline) -> None:
    relation = walk.relations_of(walk.part).get(references.get(f"{_R}dm", ""))
    root = walk.package.xml(relation.target) if relation and not relation.external else None
    for paragraph in () if root is None else root.iter(f"{_A}p"):
        _word_art("".join(found.text or "" for found in paragraph.iter(f"{_A}t")), inline)
