"""Which index answers: where it lies, what made its vectors, and opening the one that fits the configuration.

SQL records both. A reindex writes another index beside the one that answers, and one commit of that record makes the
new one answer; so an index never holds vectors of two kinds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from core.config import Config
from core.errors import IndexMismatch
from core.ports import Embedder, Store
from kb import catalogue
from kb.store import open_store, remove_store
from kb.tokens import SparseEncoder, encoder_named

PLACE = "place"          # keys of what SQL records, beside those of `made_with`
REPLACED = "replaced"    # kind:place of an index that does not answer any more, until it is removed
NEXT = "next"            # the place of an index that is not finished
BESIDE = "beside"        # the place of a copy that an ingest beside a running desk writes to, until it answers


@dataclass(frozen=True, slots=True)
class Index:
    """An open index with what makes its vectors."""

    place: str                   # ends the name of its folder or collection; "": the first one of a home
    store: Store
    encoder: SparseEncoder
    embedder: Embedder | None
    writable: bool = True        # False: what made its dense vectors is not at hand, so it is searched by words only


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How the configuration wants indexes to be."""

    config: Config
    home: Path
    encoder: SparseEncoder
    embedder: Embedder | None

    @property
    def made_with(self) -> dict[str, str]:
        """The names by which the recorded index and the wanted one are compared."""
        return {"terms": self.encoder.name, "embedder": self.embedder.name if self.embedder else "none"}

    @property
    def kind(self) -> str:
        return "edge" if self.config.storage.vectors == "edge" else "qdrant"

    def open(self, place: str) -> Index:
        """The index at ``place``, made when it is not there."""
        dim = self.embedder.dim if self.embedder else None
        return Index(place, open_store(self.config, self.home, place, dim=dim), self.encoder, self.embedder)

    def remove(self, place: str) -> None:
        remove_store(self.config, self.home, place)

    def place_after(self, facts: Mapping[str, str]) -> str:
        """Where the index goes that replaces the recorded one: the same each time, so that it can be continued."""
        named = repr((sorted(self.made_with.items()), facts.get(PLACE, "")))
        return hashlib.sha256(named.encode()).hexdigest()[:8]

    def difference(self, facts: Mapping[str, str]) -> tuple[str, str, str] | None:
        """Key, recorded value and wanted value of the first thing that the recorded index was made otherwise with."""
        for key, value in self.made_with.items():
            if facts.get(key) != value:
                return key, facts.get(key, ""), value
        return None


def open_index(engine: Engine, settings: IndexSettings) -> Index:
    """The index that answers. Raises `IndexMismatch` when it was made with other terms or another embedder."""
    facts = recorded(engine, settings)
    if (difference := settings.difference(facts)) is not None:
        key, made, wanted = difference
        raise IndexMismatch(
            f"{settings.home} 的索引是用 {key} = {made} 建立的，现在的配置是 {wanted}。"
            "请运行 policydesk reindex 重建索引（不需要原文件；policydesk serve --reindex 可以边服务边重建），"
            "或改回原来的配置（index.*），或用 --home 指定新目录并重新 ingest"
        )
    return settings.open(facts.get(PLACE, ""))


def open_as_made(engine: Engine, settings: IndexSettings, built_in: Callable[[], Embedder]) -> Index:
    """The index that answers, opened with what it was made with, so that it can answer while another one is made.

    Its embedder is only known by name. When it is neither the configured nor the built-in one, words must do.
    """
    facts = recorded(engine, settings)
    difference = settings.difference(facts)
    if difference is None:
        return settings.open(facts.get(PLACE, ""))
    encoder = settings.encoder if settings.encoder.name == facts["terms"] else encoder_named(facts["terms"])
    name = facts["embedder"]
    embedder = settings.embedder
    if embedder is None or embedder.name != name:
        embedder = built_in() if name.startswith("static-") else None
    known = embedder if embedder is not None and embedder.name == name else None
    old = IndexSettings(settings.config, settings.home, encoder, known).open(facts.get(PLACE, ""))
    return Index(old.place, old.store, encoder, known, writable=known is not None or name == "none")


def remove_overtaken(engine: Engine, settings: IndexSettings) -> None:
    """Take away the index in this home if the database was opened from another home since; SQL makes it again.

    A database on a server counts its openings, and a home notes which one was its own.
    """
    with engine.connect() as connection:
        opening = catalogue.openings(connection)
        facts = catalogue.read_index_facts(connection)
    if opening is None or settings.kind != "edge":
        return
    note = settings.home / "opened"
    last = note.read_text(encoding="utf-8") if note.exists() else "0"
    if last != str(opening - 1):
        for place in {facts.get(PLACE, ""), facts.get(NEXT, "")}:
            settings.remove(place)
    note.write_text(str(opening), encoding="utf-8")


def recorded(engine: Engine, settings: IndexSettings) -> dict[str, str]:
    """What SQL says of the index; of a new home, what is wanted. An index that a crash left behind is removed."""
    with engine.begin() as connection:
        facts = catalogue.read_index_facts(connection)
        if "terms" not in facts:
            facts |= settings.made_with
            catalogue.write_index_facts(connection, settings.made_with)
    if REPLACED in facts:
        remove_replaced(engine, settings, facts.pop(REPLACED))
    if BESIDE in facts:
        remove_copy(engine, settings, facts.pop(BESIDE))
    return facts


def remove_copy(engine: Engine, settings: IndexSettings, place: str) -> None:
    """One that did not come to answer, and that nobody has open any more."""
    settings.remove(place)
    with engine.begin() as connection:
        catalogue.drop_index_facts(connection, [BESIDE])


def remove_replaced(engine: Engine, settings: IndexSettings, replaced: str) -> None:
    """Nobody has it open any more. One of another kind of store stays until that is configured again."""
    kind, _, place = replaced.partition(":")
    if kind != settings.kind:
        return
    settings.remove(place)
    with engine.begin() as connection:
        catalogue.drop_index_facts(connection, [REPLACED])
