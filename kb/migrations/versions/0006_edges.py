"""What articles say of other articles, and the names under which documents are cited."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("names_document", "names", ["document_id"])
    op.create_table(
        "edges",
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("article", sa.Integer),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("part", sa.Text, nullable=False, server_default=""),
        sa.Column("target", sa.Integer),
    )
    op.create_index("edges_name", "edges", ["name", "address"])
    op.create_index("articles_address", "articles", ["address", "document_id"])


def downgrade() -> None:
    op.drop_index("articles_address", "articles")
    op.drop_table("edges")
    op.drop_table("names")
