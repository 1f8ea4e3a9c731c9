"""Documents, their articles and chunks, files seen, facts about the index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("generation", sa.Integer),
        sa.Column("version_key", sa.Text),
        sa.Column("in_force_from", sa.Date),
        sa.Column("in_force_to", sa.Date),
        sa.Column("superseded_by", sa.String(16)),
        sa.Column("index_stale", sa.Boolean, nullable=False),
        sa.Column("known_from", sa.DateTime),
        sa.Column("known_to", sa.DateTime),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("doc_no", sa.Text),
        sa.Column("issuer", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("region", sa.String(6)),
        sa.Column("dated", sa.Date),
        sa.Column("published_on", sa.Date),
        sa.Column("effective_from", sa.Date),
        sa.Column("effective_to", sa.Date),
        sa.Column("validity", sa.Text),
        sa.Column("replaces", sa.Text),
        sa.Column("replaced_by", sa.Text),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("url", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
    )
    for column in ("source", "state", "version_key", "index_stale"):
        op.create_index(f"documents_{column}", "documents", [column])
    op.create_table(
        "articles",
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
    )
    op.create_index("articles_ref", "articles", ["ref"])
    op.create_table(
        "chunks",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("article", sa.Integer, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
    )
    op.create_index("chunks_document", "chunks", ["document_id"])
    op.create_table(
        "files",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
    )
    op.create_table(
        "index_facts",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in ("index_facts", "files", "chunks", "articles", "documents"):
        op.drop_table(table)
