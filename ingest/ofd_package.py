"""An OFD file (GB/T 33190): documents, pages, templates and pictures, found by following references between parts.

Element names are matched without their namespace, since files of the draft and of the standard use different ones.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import IngestError
from core.records import Box, Reject
from ingest.ooxml import DAMAGED, Element, Package, open_package
from ingest.reading import Attachment

_A4 = (0.0, 0.0, 210.0, 297.0)
_MAX_ATTACHMENTS = 100
_LONGEST_SIDE = 20_000.0                 # mm; more is a damaged number


@dataclass(frozen=True, slots=True)
class Resources:
    """Of one document: where pictures lie, and drawings that pages place by their number."""

    pictures: dict[str, str] = field(default_factory=dict)          # resource id -> name of a part
    composites: dict[str, Element] = field(default_factory=dict)    # resource id -> element with objects in it


@dataclass(frozen=True, slots=True)
class Page:
    """A page's objects: those of its templates first."""

    box: Box                             # left, top, width, height in mm
    layers: tuple[Element, ...]
    resources: Resources


@dataclass(frozen=True, slots=True)
class PageReference:
    """Where a page is described; read one by one."""

    name: str | None                     # of its part; None when the file gives none
    box: Box
    templates: dict[str, str]            # id -> name of a part
    resources: Resources


def open_ofd(data: bytes, source: str) -> Package:
    """Raises `IngestError` when it is no OFD, is encrypted or could do harm."""
    package = open_package(data, source)
    names = [name.lower() for name in package.names()]
    if any(posixpath.basename(name) in ("encryptions.xml", "entriesmap.dat") for name in names):
        raise IngestError("OFD 文件已加密。请解除加密后重新上传", place=source, code=Reject.ENCRYPTED)
    if "ofd.xml" not in names:
        raise IngestError("压缩包里没有 OFD.xml，不是完整的 OFD 文件。请重新下载或重新导出", place=source)
    return package


def page_references(package: Package, source: str) -> list[PageReference]:
    """All pages of all documents of the file, in order. Raises `IngestError` when the list of pages cannot be read."""
    try:
        found = [page for body in _bodies(package) for page in _document_pages(package, body)]
    except DAMAGED as error:
        reason = f"OFD 文件已损坏（{type(error).__name__}）。请重新下载或重新导出"
        raise IngestError(reason, place=source) from error
    if not found:
        raise IngestError("OFD 里没有页面。请重新导出", place=source)
    return found


def document_info(package: Package) -> dict[str, str]:
    """Text of the DocInfo elements of the first document by their names: Title, Author, CreationDate …"""
    try:
        info = next((body.find("{*}DocInfo") for body in _bodies(package)), None)
        return {} if info is None else {_local(one): (one.text or "").strip() for one in info if len(one) == 0}
    except DAMAGED:
        return {}


def read_page(package: Package, reference: PageReference) -> Page | None:
    """The page, or None when its part is missing or broken."""
    try:
        root = package.xml(reference.name) if reference.name else None
        if root is None:
            return None
        layers: list[Element] = []
        for use in root.iterfind("{*}Template"):
            name = reference.templates.get(use.get("TemplateID", ""))
            template = package.xml(name) if name else None
            if template is not None:
                layers.extend(template.iterfind("{*}Content"))
        layers.extend(root.iterfind("{*}Content"))
        return Page(_box(root.find("{*}Area")) or reference.box, tuple(layers), reference.resources)
    except DAMAGED:
        return None


def attachments(package: Package) -> tuple[Attachment, ...]:
    """Files that are packed into the OFD. Those that cannot be read are listed without data."""
    found: list[Attachment] = []
    try:
        for body in _bodies(package):
            place = _place("", body.findtext("{*}DocRoot"))
            document = package.xml(place) if place else None
            listing = None if document is None else _place(place or "", document.findtext("{*}Attachments"))
            listed = package.xml(listing) if listing else None
            for one in () if listed is None else listed.iterfind("{*}Attachment"):
                name = one.get("Name", "") or "附件"
                part = _place(listing or "", one.findtext("{*}FileLoc"))
                found.append(Attachment(name, package.read(part) if part else None))
                if len(found) >= _MAX_ATTACHMENTS:
                    return tuple(found)
    except DAMAGED:
        pass                             # the text does not depend on them
    return tuple(found)


def _bodies(package: Package) -> list[Element]:
    root = package.xml("OFD.xml")
    return [] if root is None else root.findall("{*}DocBody")


def _document_pages(package: Package, body: Element) -> Iterator[PageReference]:
    place = _place("", body.findtext("{*}DocRoot"))
    document = package.xml(place) if place else None
    if place is None or document is None:
        return
    common = document.find("{*}CommonData")
    box = (_box(common.find("{*}PageArea")) if common is not None else None) or _A4
    resources = _resources(package, place, common)
    templates: dict[str, str] = {}
    for template in () if common is None else common.iterfind("{*}TemplatePage"):
        name = _place(place, template.get("BaseLoc"))
        if name:
            templates[template.get("ID", "")] = name
    for page in document.iterfind("{*}Pages/{*}Page"):
        yield PageReference(_place(place, page.get("BaseLoc")), box, templates, resources)


def _resources(package: Package, document: str, common: Element | None) -> Resources:
    found = Resources()
    for use in () if common is None else (*common.iterfind("{*}PublicRes"), *common.iterfind("{*}DocumentRes")):
        place = _place(document, use.text)
        try:
            root = package.xml(place) if place else None
        except DAMAGED:
            continue                     # pages of text do without
        if root is None or place is None:
            continue
        folder = posixpath.join(posixpath.dirname(place), root.get("BaseLoc", ""), "x")
        for media in root.iterfind("{*}MultiMedias/{*}MultiMedia"):
            name = _place(folder, media.findtext("{*}MediaFile"))
            if name and media.get("Type", "Image") == "Image":
                found.pictures[media.get("ID", "")] = name
        for unit in root.iterfind("{*}CompositeGraphicUnits/{*}CompositeGraphicUnit"):
            content = unit.find("{*}Content")
            if content is not None:
                found.composites[unit.get("ID", "")] = content
    return found


def _place(base: str, location: str | None) -> str | None:
    """The part that ``location`` names from ``base``; a leading slash means the root of the package."""
    location = (location or "").strip().replace("\\", "/")
    if not location:
        return None
    joined = location if location.startswith("/") else posixpath.join(posixpath.dirname(base), location)
    return posixpath.normpath("/" + joined).lstrip("/")


def _box(area: Element | None) -> Box | None:
    numbers = [] if area is None else numbers_of(area.findtext("{*}PhysicalBox"))
    if len(numbers) != 4:
        return None
    x, y, width, height = numbers
    return (x, y, width, height) if 0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE else None


def numbers_of(text: str | None) -> list[float]:
    """The numbers of an attribute; empty when one of them is none."""
    try:
        numbers = [float(word) for word in (text or "").split()]
    except ValueError:
        return []
    return numbers if all(abs(number) < 1e7 for number in numbers) else []    # nan compares false


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
