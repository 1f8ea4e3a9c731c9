"""What every vector store of ours agrees on: names, payload, ids; and how one is opened."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.config import Config
from core.errors import PolicyDeskError
from core.ports import Point, Store

SPARSE = "words"
DENSE = "meaning"
INDEXES = {
    "region": "keyword",
    "rank": "integer",
    "generation": "integer",
    "from": "integer",
    "to": "integer",
    "public": "integer",  # 0 or 1: qdrant-edge 0.9.0 takes True in a condition for the number 1, and matches nothing
}


def payload(point: Point) -> dict[str, object]:
    return {
        "region": point.region,
        "rank": point.rank,
        "generation": point.generation,
        "from": point.in_force_from,
        "to": point.in_force_to,
        "public": int(point.public),
    }


def point_id(name: str) -> int:
    """Qdrant ids are unsigned 64-bit numbers: exactly our 16 hex digits."""
    return int(name, 16)


def point_name(number: object) -> str:
    return f"{int(str(number)):016x}"


def open_store(config: Config, home: Path, place: str = "", *, dim: int | None) -> Store:
    """The store that ``storage.vectors`` names; ``dim`` is the dense vectors' length, or None for none.

    ``place`` ends the name of its folder or collection.
    """
    if config.storage.vectors == "edge":
        from kb.store_edge import EdgeStore

        return EdgeStore(store_folder(home, place), dim=dim)
    from kb.store_qdrant import open_qdrant

    storage = config.storage.model_copy(update={"collection": _named(config.storage.collection, place)})
    return open_qdrant(storage, dim=dim)


def remove_store(config: Config, home: Path, place: str) -> None:
    """Nobody may have it open. What was half removed before, or is not there at all, is fine, too."""
    if config.storage.vectors == "edge":
        _remove_folders(store_folder(home, place))
        return
    from kb.store_qdrant import remove_collection

    remove_collection(config.storage, _named(config.storage.collection, place))


def _remove_folders(folder: Path) -> None:
    """With the one beside it in which `kb.store_edge` begins an index."""
    try:
        for part in (folder, folder.with_name(f"{folder.name}.new")):
            if part.exists():
                shutil.rmtree(part)
    except OSError as error:
        raise PolicyDeskError(
            f"旧索引 {folder} 删不掉：{error.strerror}。新索引不受影响；请检查目录的权限，下次打开时会再删一次"
        ) from error


def store_folder(home: Path, place: str) -> Path:
    """Where an edge index lies."""
    return home / _named("vectors", place)


def _named(name: str, place: str) -> str:
    return f"{name}-{place}" if place else name
