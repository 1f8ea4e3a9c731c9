"""What every vector store of ours agrees on: names, payload, ids; and how one is opened."""

from __future__ import annotations

from pathlib import Path

from core.config import Config
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


def open_store(config: Config, home: Path, *, dim: int | None) -> Store:
    """The store that ``storage.vectors`` names; ``dim`` is the dense vectors' length, or None for none."""
    depth, k = config.search.candidates, config.search.rrf_k
    if config.storage.vectors == "edge":
        from kb.store_edge import EdgeStore

        return EdgeStore(home / "vectors", dim=dim, rrf_k=k, candidates=depth)
    from kb.store_qdrant import open_qdrant

    return open_qdrant(config.storage, dim=dim, rrf_k=k, candidates=depth)
