"""A language model reads articles for edges that rules do not see, through llama-index's schema extractor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from llama_index.core.graph_stores.types import KG_RELATIONS_KEY, TRIPLET_SOURCE_KEY, Relation
from llama_index.core.indices.property_graph import SchemaLLMPathExtractor
from llama_index.core.llms.llm import LLM
from llama_index.core.schema import BaseNode, TextNode

from kb.base import KnowledgeBase
from kb.graph.claims import Claimed, at_places, drop_claims, save_claims
from kb.graph.nodes import Words, articles_of, words_at
from kb.graph.store import claim_of, source_id

_Entity = Literal["MATTER", "DOCUMENT", "BODY", "GROUP", "TERM", "MATERIAL", "CONDITION"]
_Relation = Literal[
    "RESPONSIBLE", "APPLIES_TO", "DEFINES", "MATERIAL", "CONDITION", "CITES", "BASIS", "AMENDS",
]
_LEADS_TO = {
    "RESPONSIBLE": "BODY", "APPLIES_TO": "GROUP", "DEFINES": "TERM", "MATERIAL": "MATERIAL", "CONDITION": "CONDITION",
    "CITES": "DOCUMENT", "BASIS": "DOCUMENT", "AMENDS": "DOCUMENT",
}
_SCHEMA = [(subject, relation, thing) for subject in ("MATTER", "DOCUMENT") for relation, thing in _LEADS_TO.items()]
_QUOTE = ("quote", "条文中说明这一关系的原话，逐字抄录，必须包含宾语的名称")
_PROMPT = """下面是一条政策条文。请找出其中写明的关系，至多 {max_triplets_per_chunk} 个；没有写明的不要推测。
主语是条文所说的事项（MATTER）或文件（DOCUMENT）。关系与宾语：
RESPONSIBLE：负责的机关（BODY）；APPLIES_TO：适用的对象（GROUP）；DEFINES：所定义的术语（TERM）；
MATERIAL：要提交的材料（MATERIAL）；CONDITION：要满足的条件（CONDITION）；
CITES、BASIS、AMENDS：引用、作为依据、修改的文件（DOCUMENT），名称带书名号，有条号的写上条号。
宾语的名称用条文中的原话。每个关系在 properties 中给出 quote：条文中说明它的原话，逐字抄录，包含宾语的名称。
-------
{text}
-------
"""
_COMMITTED_AT_ONCE = 20          # articles; a run that breaks off has lost no more


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a model found in some articles."""

    articles: int
    kept: int                    # edges
    unreadable: int              # articles for which the model's answer fitted no schema
    dropped: tuple[tuple[str, int], ...]      # (reason, edges), most first


def schema_extractor(llm: LLM) -> SchemaLLMPathExtractor:
    """It gives relations with a ``quote``; `PolicyGraphStore.add_claims` keeps those whose quote holds."""
    return SchemaLLMPathExtractor(
        llm=llm, extract_prompt=_PROMPT,
        possible_entities=_Entity, possible_relations=_Relation,  # type: ignore[arg-type]  # a Literal, as its docs say
        possible_relation_props=[_QUOTE], kg_validation_schema=_SCHEMA, strict=True, max_triplets_per_chunk=12,
        raise_on_error=True,
    )


def extract(
    base: KnowledgeBase, llm: LLM, ids: Sequence[str], *, who: str, workers: int = 4,
    on_articles: Callable[[int, int], None] = lambda done, of: None,
) -> Extracted:
    """Edges by a model for the articles of published documents; those that a model made before are replaced.

    ``on_articles`` hears how many are done. What was read before an error is kept. Raises what ``llm`` raises.
    """
    with base.reading() as connection:
        places = [place for document in ids for place in articles_of(connection, document)]
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with ThreadPoolExecutor(workers) as pool:
        for at in range(0, len(places), _COMMITTED_AT_ONCE):
            some = places[at : at + _COMMITTED_AT_ONCE]
            with base.reading() as connection:
                nodes = [_node(*place, words) for place, words in words_at(connection, some).items()]
            read = list(pool.map(lambda node: _relations(llm, node), nodes))
            counts["unreadable"] += sum(found is None for found in read)
            claimed = _replace(base, some, [relation for found in read for relation in found or ()], who)
            counts["kept"] += claimed.kept
            reasons.update(reason for _, reason in claimed.dropped)
            on_articles(at + len(some), len(places))
    return Extracted(len(places), counts["kept"], counts["unreadable"], tuple(reasons.most_common()))


def _replace(
    base: KnowledgeBase, places: Sequence[tuple[str, int | None]], relations: Sequence[Relation], who: str
) -> Claimed:
    with base.writing() as connection:
        mine = {(document, article) for document, article in places if article is not None}
        drop_claims(connection, at_places(mine), who)
        return save_claims(connection, [claim_of(relation) for relation in relations], who)


def _node(document: str, article: int | None, words: Words) -> TextNode:
    """As a model sees it: the title and the address before the words."""
    return TextNode(
        id_=source_id(document, article), text=words.words, metadata={"文件": words.title, "条": words.address}
    )


def _relations(llm: LLM, node: BaseNode) -> list[Relation] | None:
    """None when the answer is no JSON of the schema."""
    try:
        (read,) = schema_extractor(llm)([node])
    except (ValueError, TypeError, AttributeError):      # as the extractor itself takes for a bad answer
        return None
    return list(_with_source(read.metadata.get(KG_RELATIONS_KEY, ()), node.id_))


def _with_source(relations: Sequence[Relation], source: str) -> Iterator[Relation]:
    for relation in relations:
        relation.properties[TRIPLET_SOURCE_KEY] = source
        yield relation
