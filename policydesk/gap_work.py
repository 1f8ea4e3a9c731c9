"""Finding what nobody could answer, and asking it again: the parts of `kb.curation.gaps` that need a whole desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, select

from core.records import Citation, Question, Role
from kb.background import read_background
from kb.curation import gaps
from kb.curation.gap_groups import Matrix, likeness
from kb.expansion import SHIPPED as TERMS
from kb.expansion import read_terms
from kb.graph.relations import Relation
from kb.schema import articles, care, documents, edges
from kb.static_encoder import StaticEncoder
from policydesk.app import Desk


def mine_gaps(desk: Desk, who: str, *, since: date | None, owner: str | None) -> gaps.Mined:
    """What `kb.curation.gaps.plan` finds, carried out; new gaps go to ``owner``, or to the unit whose documents are
    nearest."""
    config = desk.config.gaps
    encoder, background = StaticEncoder(terms=read_terms([TERMS])), read_background()

    def alike(texts: Sequence[str]) -> Matrix:
        return likeness(texts, encoder.embed_questions, background)

    settings = gaps.Mining(since, config.low_confidence, config.likeness)
    with desk.base.ledger.reading() as connection:

        def owner_of(question: Question) -> str | None:
            return owner or nearest_owner(desk, connection, question)

        planned = gaps.plan(connection, settings, likeness=alike, owner_of=owner_of)
    with desk.base.ledger.changing() as connection:
        return gaps.carry_out(connection, who, planned, days=config.days)


def nearest_owner(desk: Desk, connection: Connection, question: Question) -> str | None:
    """Who is to answer: whoever keeps the nearest documents true, is responsible by the nearest article, or issued it.

    None when nothing near is published.
    """
    near = desk.answerer.answer(replace(question, role=Role.AGENT)).citations
    for find in (_keeper, _responsible, _issuer):
        for citation in near:
            if found := find(connection, citation):
                return found
    return None


def mined_line(mined: gaps.Mined) -> str:
    """One line on a run."""
    left = f"；还有 {mined.left} 个问题留待下次" if mined.left else ""
    return f"新缺口 {len(mined.opened)} 个，并入已有缺口的回答 {mined.joined} 个{left}"


def close_gap(desk: Desk, who: str, gap_id: str, note: str) -> list[gaps.Retried]:
    """Ask every question of a gap again, and close it when all pass; what came of each. Raises as
    `kb.curation.gaps.close`."""
    with desk.base.ledger.reading() as connection:
        concerns = gaps.concerns_of(connection, gap_id)
    retried = list(gaps.retry(concerns, desk.answerer.answer, low_confidence=desk.config.gaps.low_confidence))
    with desk.base.ledger.changing() as connection:
        gaps.close(connection, who, gap_id, retried, note)
    return retried


def _keeper(connection: Connection, citation: Citation) -> str | None:
    query = select(care.c.owner).join(documents, documents.c.source == care.c.source)
    return connection.scalar(query.where(documents.c.id == citation.document))


def _responsible(connection: Connection, citation: Citation) -> str | None:
    position = select(articles.c.position).where(
        articles.c.document_id == citation.document, articles.c.ref == citation.ref
    )
    of_article = (edges.c.document_id == citation.document) & edges.c.article.in_(position)
    query = select(edges.c.name).where(of_article, edges.c.kind == Relation.RESPONSIBLE).order_by(edges.c.number)
    return connection.scalar(query.limit(1))


def _issuer(connection: Connection, citation: Citation) -> str | None:
    return connection.scalar(select(documents.c.issuer).where(documents.c.id == citation.document))
