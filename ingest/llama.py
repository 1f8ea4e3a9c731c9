"""Our readers and our splitter inside llama-index. The only module of this folder that imports it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from llama_index.core.node_parser import NodeParser
from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import BaseNode, NodeRelationship, TextNode
from llama_index.core.schema import Document as LlamaDocument

from core.config import IngestConfig
from core.errors import IngestError
from core.records import Document, Facts, Skipped
from ingest.document import make_document
from ingest.read import ReadSettings, find_files, read_files
from ingest.reading import BlockKind

_AFTER_TEXT = tuple(kind.value for kind in BlockKind if kind.is_furniture)


class PolicyReader(BaseReader):
    """Files, folders and archives of every type that `policydesk ingest` reads, as llama-index documents."""

    def __init__(self, limits: IngestConfig, regions: Mapping[str, str]) -> None:
        self._limits = limits
        self._regions = regions

    def lazy_load_data(self, *paths: Path | str) -> Iterable[LlamaDocument]:
        """One document per document found. Raises `IngestError` at the first file that cannot be read."""
        settings = ReadSettings(self._limits, self._regions, lambda source, sha256: False, lambda count: None)
        files = find_files([Path(path) for path in paths])
        for item in read_files(files, settings):
            if isinstance(item, Document):
                yield _llama_document(item)
            elif isinstance(item, Skipped) and item.failed:
                raise IngestError(item.reason, place=item.place, code=item.code)

    def load_data(self, *paths: Path | str) -> list[LlamaDocument]:
        return list(self.lazy_load_data(*paths))


class ArticleNodeParser(NodeParser):
    """Cuts documents at their articles and numbered parts: a node never spans two of them.

    Offsets of a node count in its document's text. The rows of a long table repeat its header rows.
    """

    chunk_chars: int = 1200

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False) -> list[BaseNode]:  # type: ignore[override]
        return [part for node in nodes for part in self._parts(node)]

    def _parts(self, node: BaseNode) -> list[TextNode]:
        text = node.get_content()
        first, last = node.metadata.get("body_start", 0), node.metadata.get("body_end", len(text))
        body = text[first:last]
        facts = Facts(str(node.metadata.get("title") or ""))
        document = make_document(facts, body, node.node_id, name=node.node_id, chunk_chars=self.chunk_chars)
        parts = []
        for chunk in document.chunks:
            header = f"{body[slice(*chunk.header)]}\n" if chunk.header else ""
            part = TextNode(
                id_=chunk.id, text=header + body[chunk.start : chunk.end],
                start_char_idx=first + chunk.start, end_char_idx=first + chunk.end,
                metadata={"article": chunk.address, "heading": " ".join(document.articles[chunk.article].heading)},
            )
            part.relationships[NodeRelationship.SOURCE] = node.as_related_node_info()
            parts.append(part)
        return parts


def _llama_document(document: Document) -> LlamaDocument:
    facts = document.facts
    before = [piece.end for piece in document.furniture if piece.kind == "front_matter"]
    after = [piece.start for piece in document.furniture if piece.kind in _AFTER_TEXT]
    metadata = {
        "title": facts.title, "doc_no": facts.doc_no, "issuer": facts.issuer, "region": facts.region,
        "effective_from": facts.effective_from and facts.effective_from.isoformat(), "source": document.source,
        "body_start": max(before, default=0), "body_end": min(after, default=len(document.text)),
    }
    return LlamaDocument(id_=document.id, text=document.text, metadata=metadata)
