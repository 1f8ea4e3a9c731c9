"""Our own search, measured as `eval.peer_engines` measures those of others: ``python -m policydesk.own_engine``.

FOLDER [CONFIG]: reads what `eval.peer_export` wrote, indexes it in a home of its own, answers every question once
and writes ``policydesk.json`` there.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from core.config import Config, load_config
from eval.peer_engines import TOP, answered, keep_to_one_core
from eval.peer_export import read_documents, read_questions
from policydesk import __version__
from policydesk.app import open_desk


def measure(folder: Path, config: Path | None) -> dict[str, object]:
    keep_to_one_core()
    settings = _alone(load_config(config))
    home = folder / "policydesk"
    started = time.perf_counter()
    with open_desk(settings, home) as desk:
        desk.base.add(read_documents(folder), publish=True)
    with open_desk(settings, home) as desk:
        index_seconds = time.perf_counter() - started
        found = answered(
            lambda question: [hit.ref for hit in desk.search(question, TOP)], read_questions(folder)
        )
    versions = {"policydesk": __version__, "embedder": settings.index.embedder, "reranker": settings.search.reranker}
    return found | {"index_seconds": index_seconds, "versions": versions}


def _alone(settings: Config) -> Config:
    """One process, as the others, and all of it in the home folder: a configured server must not be written to."""
    ingest = settings.ingest.model_copy(update={"workers": 0})
    storage = settings.storage.model_copy(update={"database": "", "vectors": "edge"})
    return settings.model_copy(update={"ingest": ingest, "storage": storage})


if __name__ == "__main__":
    _folder = Path(sys.argv[1])
    _result = measure(_folder, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    (_folder / "policydesk.json").write_text(json.dumps(_result), encoding="utf-8")
