"""Cutting words in other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.records import State
from kb.encode import EncodingPool
from kb.points import index_entries
from kb.steps import encode, words_of
from kb.versions import Span
from policydesk.app import Desk

ROOT = Path(__file__).resolve().parent.parent

WRITER = """
import multiprocessing, time
from core.config import load_config
from kb.encode import EncodingPool

if __name__ == "__main__":
    pool = EncodingPool(load_config().index, None, 1)
    pool.submit([("养犬条例", "", "第一条 养犬应当登记")]).result()
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(100)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "writer.py"
    script.write_text(WRITER, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def test_a_batch_whose_worker_is_killed_is_encoded_here(sample_desk: Desk) -> None:
    index = sample_desk.base._steps.index
    documents = [sample_desk.document(stored.id) for stored in sample_desk.base.documents([State.PUBLISHED])[:3]]
    points = {chunk.id: chunk.id for document in documents for chunk in document.chunks}
    spans = {document.id: Span(None, None) for document in documents}
    entries = list(index_entries(documents, points, spans))
    pool = EncodingPool(index.encoder.config, index.embedder, 1)
    before = set(multiprocessing.active_children())
    packed = pool.submit([words_of(entry) for entry in entries] * 200)
    while not packed.running():
        time.sleep(0.01)
    for child in set(multiprocessing.active_children()) - before:
        os.kill(child.pid, signal.SIGKILL)
    assert encode(index, entries, packed) == encode(index, entries)
    pool.close()
