"""One search engine of others: indexes the exported articles, answers every question once, reports.

``PYTHON -I peer_engines.py ENGINE FOLDER`` in an environment of its own, which has the engines of
``peers-requirements.txt`` and nothing of ours. `eval.peers` starts it, one engine and one process at a time.

FOLDER holds ``articles.jsonl`` (ref, text, scopes), ``questions.jsonl`` (id, text, scope) and, for dense search,
``articles.npy`` and ``questions.npy`` with one row each in the same order. A scope is a number for what a question
may find (region, day, public); null: everything. ``ENGINE.json`` is written there: index_seconds, seconds
and cpu_seconds (per question), run (question id -> refs, best first) and versions; or missing, a module that is not
installed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import unicodedata
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

TOP = 100


@dataclass(frozen=True)
class Article:
    """``scopes``: of the questions that may find it."""

    ref: str
    text: str
    scopes: tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """``place``: its line, from 0."""

    place: int
    id: str
    text: str
    scope: int | None


@dataclass(frozen=True)
class Material:
    """What an engine is handed. ``folder`` is where it may keep its index."""

    folder: Path
    articles: Sequence[Article]
    questions: Sequence[Asked]

    @property
    def scopes(self) -> list[int]:
        """Those that some question needs a filter for."""
        return sorted({asked.scope for asked in self.questions if asked.scope is not None})


Question = TypeVar("Question")
Search = Callable[[Asked], list[str]]
Engine = Callable[[Material], Search]


def _module(name: str) -> Any:  # noqa: ANN401 - of packages that mypy has to do without
    return importlib.import_module(name)


def words(text: str) -> list[str]:
    """The words of jieba, as `kb.tokens` cuts them: half-width, lower case, no punctuation."""
    return [word for word in _module("rjieba").cut(unicodedata.normalize("NFKC", text).lower()) if word[0].isalnum()]


def tantivy(material: Material) -> Search:
    """Words joined by spaces in a field that is cut at white space; any word may match, a filter scores nothing."""
    engine = _module("tantivy")
    builder = engine.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("scope", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("row", stored=True)
    schema = builder.build()
    index = engine.Index(schema, path=str(material.folder))
    writer = index.writer(heap_size=256_000_000, num_threads=1)
    for row, article in enumerate(material.articles):
        document = engine.Document()
        document.add_text("words", " ".join(words(article.text)))
        document.add_unsigned("row", row)
        for scope in article.scopes:
            document.add_text("scope", str(scope))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    query, occur = engine.Query, engine.Occur

    def search(asked: Asked) -> list[str]:
        terms = [(occur.Should, query.term_query(schema, "words", word)) for word in words(asked.text)]
        wanted = query.boolean_query(terms)
        if asked.scope is not None:
            within = query.const_score_query(query.term_query(schema, "scope", str(asked.scope)), 0.0)
            wanted = query.boolean_query([(occur.Must, wanted), (occur.Must, within)])
        hits = searcher.search(wanted, TOP).hits
        return [material.articles[searcher.doc(address)["row"][0]].ref for _, address in hits]

    return search


def lancedb(material: Material) -> Search:
    """Its own full text index, cut by ICU; no stemming and no stop words, which are English ones."""
    arrow, kinds = _module("pyarrow"), _module("lancedb.index")
    columns: dict[str, list[Any]] = {
        "row": list(range(len(material.articles))), "text": [article.text for article in material.articles],
    }
    for scope in material.scopes:
        columns[f"scope{scope}"] = [scope in article.scopes for article in material.articles]
    table = _module("lancedb").connect(str(material.folder)).create_table("articles", data=arrow.table(columns))
    table.create_index("text", config=kinds.FTS(base_tokenizer="icu", stem=False, remove_stop_words=False))
    for scope in material.scopes:
        table.create_index(f"scope{scope}", config=kinds.Bitmap())

    def search(asked: Asked) -> list[str]:
        query = table.search(asked.text, query_type="fts").select(["row", "_score"]).limit(TOP)
        if asked.scope is not None:
            query = query.where(f"scope{asked.scope}", prefilter=True)
        return [material.articles[row].ref for row in query.to_arrow()["row"].to_pylist()]

    return search


def llamaindex_bm25(material: Material) -> Search:
    """Its retriever cuts by a pattern, so it is handed the words of jieba with spaces between them."""
    retriever_class = _module("llama_index.retrievers.bm25").BM25Retriever
    node_class = _module("llama_index.core.schema").TextNode
    nodes = [
        node_class(id_=str(row), text=" ".join(words(article.text))) for row, article in enumerate(material.articles)
    ]
    retriever = retriever_class(
        nodes=nodes, similarity_top_k=min(TOP, len(nodes)), skip_stemming=True, token_pattern=r"\S+", language=[],
    )
    masks: dict[int | None, list[int]] = {
        scope: [int(scope in article.scopes) for article in material.articles] for scope in material.scopes
    }

    def search(asked: Asked) -> list[str]:
        retriever.corpus_weight_mask = masks.get(asked.scope)   # what its own `filters` would make
        found = retriever.retrieve(" ".join(words(asked.text)))
        return [material.articles[int(hit.node.node_id)].ref for hit in found if hit.score > 0]

    return search


def llamaindex_qdrant(material: Material) -> Search:
    """Hybrid search of its Qdrant store, in process: exported dense vectors, and BM25 weights over jieba's words."""
    core, schema = _module("llama_index.core"), _module("llama_index.core.schema")
    numpy, rest = _module("numpy"), _module("qdrant_client.models")
    dense, asked_dense = (numpy.load(material.folder.parent / f"{name}.npy") for name in ("articles", "questions"))
    lengths = [len(words(article.text)) for article in material.articles]
    sparse = SparseWords(average=sum(lengths) / len(lengths))
    store = _module("llama_index.vector_stores.qdrant").QdrantVectorStore(
        "articles", client=_module("qdrant_client").QdrantClient(":memory:"), enable_hybrid=True,
        sparse_doc_fn=sparse.documents, sparse_query_fn=sparse.questions,
        sparse_config=rest.SparseVectorParams(modifier=rest.Modifier.IDF),
    )
    store.add([
        schema.TextNode(
            id_=str(uuid.UUID(int=row)), text=article.text, embedding=dense[row].tolist(),
            metadata={f"scope{scope}": "yes" for scope in article.scopes},
            excluded_embed_metadata_keys=[f"scope{scope}" for scope in article.scopes],   # else they are words of it
        )
        for row, article in enumerate(material.articles)
    ])
    index = core.VectorStoreIndex.from_vector_store(store, embed_model=core.MockEmbedding(embed_dim=dense.shape[1]))
    retrievers = {scope: _hybrid(index, scope) for scope in (None, *material.scopes)}

    def search(asked: Asked) -> list[str]:
        query = schema.QueryBundle(asked.text, embedding=asked_dense[asked.place].tolist())
        found = retrievers[asked.scope].retrieve(query)
        return [material.articles[uuid.UUID(hit.node.node_id).int].ref for hit in found]

    return search


def _hybrid(index: Any, scope: int | None) -> Any:  # noqa: ANN401
    types = _module("llama_index.core.vector_stores")
    within = None if scope is None else types.MetadataFilters(
        filters=[types.MetadataFilter(key=f"scope{scope}", value="yes")]    # the store refuses a true
    )
    return index.as_retriever(
        vector_store_query_mode="hybrid", similarity_top_k=TOP, sparse_top_k=TOP, hybrid_top_k=TOP, filters=within,
    )


class SparseWords:
    """Words to sparse vectors whose product, times the store's IDF, is BM25: what fastembed's Qdrant/bm25 gives.

    That one has to be downloaded and knows no Chinese words. k = 1.2 and b = 0.75 are its values.
    """

    def __init__(self, *, average: float) -> None:
        self._average = average
        self._numbers: dict[str, int] = {}

    def documents(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[float]]]:
        return self._vectors(texts, lambda tf, length: tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / self._average)))

    def questions(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[float]]]:
        return self._vectors(texts, lambda tf, length: float(tf))

    def _vectors(
        self, texts: Sequence[str], weigh: Callable[[int, int], float]
    ) -> tuple[list[list[int]], list[list[float]]]:
        numbers, weights = [], []
        for text in texts:
            found = words(text)
            counted = Counter(self._numbers.setdefault(word, len(self._numbers)) for word in found)
            numbers.append(list(counted))
            weights.append([weigh(tf, len(found)) for tf in counted.values()])
        return numbers, weights


# Each engine, the modules it cannot do without (imported before anything is timed), and the packages to name.
ENGINES: dict[str, tuple[Engine, tuple[str, ...], tuple[str, ...]]] = {
    "tantivy": (tantivy, ("tantivy", "rjieba"), ("tantivy", "rjieba")),
    "lancedb": (lancedb, ("lancedb", "lancedb.index", "pyarrow"), ("lancedb",)),
    "llamaindex-bm25": (
        llamaindex_bm25, ("llama_index.core", "llama_index.retrievers.bm25", "rjieba"),
        ("llama-index-core", "llama-index-retrievers-bm25", "bm25s"),
    ),
    "llamaindex-qdrant": (
        llamaindex_qdrant,
        ("llama_index.core", "llama_index.vector_stores.qdrant", "qdrant_client.models", "numpy", "rjieba"),
        ("llama-index-core", "llama-index-vector-stores-qdrant", "qdrant-client"),
    ),
}


def keep_to_one_core() -> None:
    """Hold this process and its threads to one core, where the system can. Before an engine counts the cores.

    Thread counts alone would not do: LanceDB 0.40.0 never ends an index with LANCE_IO_THREADS=1.
    """
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(name: str, folder: Path) -> dict[str, object]:
    """What is written to ``ENGINE.json``."""
    keep_to_one_core()
    build, modules, packages = ENGINES[name]
    try:
        for module in modules:
            _module(module)
    except ModuleNotFoundError as error:
        return {"missing": error.name}
    material = _material(name, folder)
    started = time.perf_counter()
    search = build(material)
    index_seconds = time.perf_counter() - started
    versions = {package: version(package) for package in packages}
    return answered(search, [(asked.id, asked) for asked in material.questions]) | {
        "index_seconds": index_seconds, "versions": versions,
    }


def answered(search: Callable[[Question], list[str]], questions: Sequence[tuple[str, Question]]) -> dict[str, object]:
    """Every question asked once: wall and processor seconds of each, of all threads together, and what was found.

    On a machine with other work the wall time tells more about that work; the processor's does not.
    """
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    run: dict[str, list[str]] = {}
    for name, question in questions:
        started, cpu_started = time.perf_counter(), time.process_time()
        run[name] = search(question)
        cpu_seconds.append(time.process_time() - cpu_started)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "run": run}


def _material(name: str, folder: Path) -> Material:
    own = folder / name
    own.mkdir()
    articles = [Article(row["ref"], row["text"], tuple(row["scopes"])) for row in _rows(folder / "articles.jsonl")]
    questions = [
        Asked(place, row["id"], row["text"], row["scope"])
        for place, row in enumerate(_rows(folder / "questions.jsonl"))
    ]
    return Material(own, articles, questions)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    _name, _folder = sys.argv[1], Path(sys.argv[2])
    (_folder / f"{_name}.json").write_text(json.dumps(measure(_name, _folder)), encoding="utf-8")
