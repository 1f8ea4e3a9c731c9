"""Points named after their content, the order in which documents came, sketches of texts, a count of commits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("chunks", sa.Column("point", sa.String(16), nullable=False, server_default=""))
    op.execute("UPDATE chunks SET point = id")      # the index of such a database names its points after chunks
    op.create_index("chunks_point", "chunks", ["point"])
    op.add_column("documents", sa.Column("added", sa.Integer, nullable=False, server_default="0"))
    _number_documents()
    op.create_index("documents_added", "documents", ["added"])
    op.create_index("documents_doc_no", "documents", ["doc_no"])
    op.create_table(
        "sketches",
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text_hash", sa.String(16)),
        sa.Column("title_key", sa.Text),
        sa.Column("sentences", sa.LargeBinary, nullable=False),
    )
    op.create_index("sketches_text_hash", "sketches", ["text_hash"])
    op.create_index("sketches_title_key", "sketches", ["title_key"])
    op.create_table(
        "bands",
        sa.Column("key", sa.BigInteger, primary_key=True),
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    )
    counters = op.create_table(
        "counters",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.bulk_insert(counters, [{"key": "commits", "number": 0}])


def _number_documents() -> None:
    """In the order of their arrival, which SQLite knows exactly."""
    connection = op.get_bind()
    order = "rowid" if connection.dialect.name == "sqlite" else "known_from, id"
    ids = connection.scalars(sa.text(f"SELECT id FROM documents ORDER BY {order}")).all()
    if ids:
        connection.execute(
            sa.text("UPDATE documents SET added = :added WHERE id = :id"),
            [{"id": name, "added": n} for n, name in enumerate(ids, start=1)],
        )


def downgrade() -> None:
    for table in ("counters", "bands", "sketches"):
        op.drop_table(table)
    for column in ("doc_no", "added"):
        op.drop_index(f"documents_{column}", "documents")
    op.drop_column("documents", "added")
    op.drop_index("chunks_point", "chunks")
    op.drop_column("chunks", "point")
